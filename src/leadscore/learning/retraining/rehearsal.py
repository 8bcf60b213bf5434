"""Parts pursuits forward in time: models are judged on later ones, from which none has learned.

The pursuits are parted by the day of first contact. What a model learns from here is what was known
the day before the first of the later ones; what became of those is what is known today. Each side
is re-weighted for its own open pursuits, since the later ones were watched for less long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from leadscore.features.company import TEXTS
from leadscore.learning.cards.card import AdditiveCard
from leadscore.learning.outcomes.lessons import Lessons
from leadscore.learning.tables.columns import Floats, Truths

LATER_SHARE = 1 / 3
"""Part of the known outcomes on which models are judged."""
_TELLING = ["founded_on", "registered_capital_cny"]  # of a firm that was entered twice


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """From which of n pursuits a model may learn, and on which it is judged.

    Attributes
    ----------
    lessons
        The pursuits.
    split
        First contacts from this day on are later; None if there is nothing to judge on.
    after
        Where a pursuit is a later one.
    y, weight
        What was known the day before, of the earlier pursuits; missing and 0 elsewhere. Without a
        split what is known today, of all.
    later_y, later_weight
        What is known today of the m later pursuits, shape (m,); missing and 0 of those still open,
        and of twins.
    twins
        Later pursuits that look like an earlier one: nobody is judged by them.
    """

    lessons: Lessons
    split: date | None
    after: Truths
    y: Floats
    weight: Floats
    later_y: Floats
    later_weight: Floats
    twins: int

    @property
    def learned(self) -> int:
        """Outcomes from which a model of the rehearsal learns."""
        return int((~np.isnan(self.y)).sum())

    @property
    def later(self) -> int:
        """Later pursuits whose outcome is known."""
        return int((~np.isnan(self.later_y)).sum())

    @property
    def later_features(self) -> pd.DataFrame:
        """Features of the later pursuits, those still open among them."""
        return self.lessons.X[self.after].reset_index(drop=True)

    def rehearse(self, model: AdditiveCard) -> Floats:
        """Fit a model on what was known before, and return its forecasts of the later pursuits."""
        if not self.after.any():
            return np.zeros(0)
        fitted = fit(model, self.lessons.X, self.y, self.weight)
        p: Floats = fitted.predict_proba(self.later_features)[:, 1]
        return p


def rehearsal_of(lessons: Lessons, learned_until: date | None = None) -> Rehearsal:
    """Part the pursuits.

    Parameters
    ----------
    lessons
        As of today.
    learned_until
        The day as of which the champion was trained; None if it learned from no outcome. Pursuits
        that had begun by then can't judge it. Of those that began since, half at most are judged
        on: without the others the challenger would have nothing new to have learned from, and
        could not be better.
    """
    known = lessons.known
    judging, count = known, math.ceil(known.sum() * LATER_SHARE)
    if learned_until is not None:
        judging = known & (lessons.contacted > pd.Timestamp(learned_until)).to_numpy()
        count = min(count, int(judging.sum()) // 2)
    if not count:
        nobody, none = np.zeros(len(known), dtype=bool), np.zeros(0)
        return Rehearsal(lessons, None, nobody, lessons.y, lessons.weight, none, none, 0)
    split = lessons.contacted[judging].iloc[-count].date()
    after = (lessons.contacted >= pd.Timestamp(split)).to_numpy()
    y, weight = lessons.labels(~after, split - timedelta(days=1))
    twins = _twins_of(lessons.taught.firms, after)
    later_y, later_weight = lessons.labels(after & ~twins, lessons.as_of)
    return Rehearsal(
        lessons, split, after, y, weight, later_y[after], later_weight[after], int(twins.sum())
    )


def fit(model: AdditiveCard, X: pd.DataFrame, y: Floats, weight: Floats) -> AdditiveCard:
    """Fit a model on the rows whose outcome is known."""
    known = ~np.isnan(y)
    fitted: AdditiveCard = model.fit(
        X[known].reset_index(drop=True), y[known].astype(np.int64), weight[known]
    )
    return fitted


def _twins_of(firms: pd.DataFrame, after: Truths) -> Truths:
    """Tell which of the later firms look like one of the earlier ones under another key.

    They were founded on the same day with the same capital and say the same of their business, all
    three known. Sister firms may do so too, so this is a reason not to judge by them, and none to
    merge them.

    Parameters
    ----------
    firms
        n rows of canonical columns.
    after
        Shape (n,), True for the later firms.
    """
    business = firms[TEXTS[0]]
    for text in TEXTS[1:]:
        business = business.fillna(firms[text])
    traits = firms[_TELLING].assign(business=business)
    told = traits.notna().all(axis=1).to_numpy()
    keys = pd.Series(pd.util.hash_pandas_object(traits, index=False).to_numpy())
    twins: Truths = after & told & keys.isin(keys[~after & told]).to_numpy(dtype=bool)
    return twins
