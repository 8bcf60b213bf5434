"""Training data: labels and features of pursuits as of a day, and their split forward in time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from leadscore.features.company import TEXTS
from leadscore.features.extract import FeatureExtractor
from leadscore.learning.binning import Floats, Truths
from leadscore.learning.card import AdditiveCard
from leadscore.learning.history import firm_keys
from leadscore.learning.labels import TrainingSet, label_pursuits, training_set

MEASURED_AT_ONCE = 5_000
"""Firms whose features are measured at a time: bounds the memory."""

MOST_STANDING = 20_000
"""Of a longer standing list the firms that were scored last stand for all."""


@dataclass(frozen=True)
class Rules:
    """What is forecast, and how models are made of what is known.

    Attributes
    ----------
    target
        The stage that is to be reached, one of `leadscore.learning.history.OUTCOMES`.
    horizon_days
        Days after first contact within which it counts.
    prior_strength
        For how many outcomes the experts' word counts.
    seed
        Where the draws of intervals start.
    """

    target: str = "signed"
    horizon_days: int = 365
    prior_strength: float = 50.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Lessons:
    """All that can be learned from; n pursuits by first contact, then the firm's key.

    Attributes
    ----------
    taught
        The pursuits with their labels as of today.
    X
        Their features, from the snapshots before first contact.
    events
        Every entry, with ``firm`` on the same keys.
    standing, standing_features
        The standing list: every firm that was ever scored as it was last known, and its features.
    as_of, rules
        What the labels are about.
    """

    taught: TrainingSet
    X: pd.DataFrame
    events: pd.DataFrame
    snapshots: pd.DataFrame
    standing: pd.DataFrame
    standing_features: pd.DataFrame
    as_of: date
    rules: Rules

    @property
    def firm(self) -> pd.Series:
        """Keys of the firms."""
        return self.taught.firm

    @property
    def contacted(self) -> pd.Series:
        """Day of first contact."""
        return self.taught.contacted

    @property
    def y(self) -> Floats:
        """1, 0, or missing while a pursuit is open."""
        return self.taught.y.to_numpy(dtype=float)

    @property
    def weight(self) -> Floats:
        """How many pursuits each known label stands for, 0 where it is missing."""
        return self.taught.weight.to_numpy(dtype=float)

    @property
    def known(self) -> Truths:
        """Where the outcome is known."""
        known: Truths = ~np.isnan(self.y)
        return known

    def labels(self, rows: Truths, as_of: date) -> tuple[Floats, Floats]:
        """Return label and weight of each pursuit; missing and 0 outside ``rows``.

        The weights make up for what is open among these rows, as of that day.
        """
        some = self.events[self.events["firm"].isin(self.firm[rows])]
        rules = self.rules
        labels = label_pursuits(
            some, as_of=as_of, target=rules.target, horizon_days=rules.horizon_days
        )
        table = labels.table.set_index("firm").reindex(self.firm)
        y, weight = (table[name].to_numpy(dtype=float) for name in ("label", "weight"))
        return np.where(rows, y, np.nan), np.where(rows & ~np.isnan(y), weight, 0.0)


def gather(
    features: FeatureExtractor,
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    *,
    as_of: date,
    rules: Rules,
) -> Lessons:
    """Return what is known as of a day, in an order that the order of rows can't change.

    Parameters
    ----------
    features
        Measures firms.
    events, snapshots
        See `leadscore.learning.history`; snapshots of later days are left out.
    as_of
        What happened later is not known.
    rules
        What the labels are about.
    """
    snapshots = snapshots[(snapshots["as_of"] <= pd.Timestamp(as_of)).to_numpy()]
    order = ["as_of", "kept", "source", "credit_code", "name"]
    snapshots = snapshots.sort_values(order, kind="stable", ignore_index=True)
    events = events.sort_values("entry", kind="stable", ignore_index=True)
    taught = training_set(
        events, snapshots, as_of=as_of, target=rules.target, horizon_days=rules.horizon_days
    )
    of_event, of_snapshot = firm_keys(events, snapshots)
    latest = ~of_snapshot.duplicated(keep="last").to_numpy()
    standing = snapshots[latest].tail(MOST_STANDING).reset_index(drop=True)
    return Lessons(
        taught=taught,
        X=measured(features, taught.firms),
        events=events.assign(firm=of_event),
        snapshots=snapshots,
        standing=standing,
        standing_features=measured(features, standing),
        as_of=as_of,
        rules=rules,
    )


def measured(features: FeatureExtractor, firms: pd.DataFrame) -> pd.DataFrame:
    """Return the features of firms, a bounded number at a time; numbered from 0."""
    starts = range(0, max(len(firms), 1), MEASURED_AT_ONCE)
    parts = [features.transform(firms.iloc[at : at + MEASURED_AT_ONCE]) for at in starts]
    return pd.concat(parts, ignore_index=True)


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
