"""Training data: labels and features of pursuits as of a day, and their split forward in time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadscore.features.company import TEXTS
from leadscore.features.extract import FeatureExtractor
from leadscore.learning.history import Labels, firm_keys, firms_of, label_pursuits, pursuit_keys
from leadscore.learning.scorecard import Floats, Truths
from leadscore.lists.columns import BY_HAND, CANONICAL

if TYPE_CHECKING:
    from leadscore.learning.card import AdditiveCard

_MEASURED_AT_ONCE = 5_000  # firms whose features are measured at a time: bounds the memory
_MOST_STANDING = 20_000  # firms of a standing list
_LATER_SHARE = 1 / 3  # part of the known outcomes on which models are judged
_TELLING = ["founded_on", "registered_capital_cny"]  # of a firm that was entered twice


@dataclass(frozen=True)
class Rules:
    """The stage to be reached within days after first contact, and how models are made.

    ``prior_strength`` is for how many outcomes the experts' word counts.
    """

    target: str = "signed"
    horizon_days: int = 365
    prior_strength: float = 50.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """n pursuits with their fields from before first contact, by first contact and firm.

    ``firms`` have canonical columns and ``as_of``, the day of the snapshot; ``firm`` is their key.
    ``y`` is 1, 0, or NaN while the pursuit is open, ``weight`` as in `Labels`. ``left_out`` counts
    the firms that teach nothing, by the reasons of `LEFT_OUT`; ``labels`` are of all pursuits, also
    those without a snapshot. ``events`` are every entry, with ``firm`` on the same keys;
    ``standing`` every firm that was ever scored, as it was last known.
    """

    firms: pd.DataFrame
    firm: pd.Series
    contacted: pd.Series
    y: Floats
    weight: Floats
    left_out: dict[str, int]
    labels: Labels
    events: pd.DataFrame
    standing: pd.DataFrame

    @property
    def known(self) -> Truths:
        """Where the outcome is known."""
        known: Truths = ~np.isnan(self.y)
        return known


def training_set(
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    *,
    as_of: date,
    target: str = "signed",
    horizon_days: int = 365,
) -> TrainingSet:
    """Join each pursuit's label with the firm as it was known before first contact.

    Of several snapshots the latest counts whose day is not after that of first contact, and among
    those of one day the one that was kept last; what an officer corrected on the day of first
    contact or later may have been learned by it, and does not count. The keys of firms are worked
    out anew, since a snapshot may tell that a name and a code are one firm. For the rest see
    `label_pursuits`.
    """
    of_event, of_snapshot = firm_keys(events, snapshots)
    events = events.assign(firm=of_event)
    events = events.assign(firm=pursuit_keys(events))
    labels = label_pursuits(events, as_of=as_of, target=target, horizon_days=horizon_days)
    pursuits = labels.table.sort_values(["contacted", "firm"], ignore_index=True)
    taken = _snapshot_before(pursuits, of_snapshot, snapshots)
    usable = taken >= 0
    scored = firms_of(pursuits["firm"]).isin(of_snapshot).to_numpy(dtype=bool)
    left_out = {
        "no_contact": labels.without_contact,
        "no_snapshot": int((~scored).sum()),
        "snapshot_after_contact": int((scored & ~usable).sum()),
        "impossible": labels.impossible,
    }
    pursuits = pursuits[usable].reset_index(drop=True)
    names = [*(column.name for column in CANONICAL), "as_of"]
    names += [name for name in BY_HAND if name in snapshots]
    return TrainingSet(
        firms=snapshots[names].take(taken[usable]).reset_index(drop=True), firm=pursuits["firm"],
        contacted=pursuits["contacted"], y=pursuits["label"].to_numpy(dtype=float),
        weight=pursuits["weight"].to_numpy(dtype=float),
        left_out={reason: count for reason, count in left_out.items() if count}, labels=labels,
        events=events, standing=snapshots[~of_snapshot.duplicated(keep="last").to_numpy()],
    )  # fmt: skip


def _snapshot_before(
    pursuits: pd.DataFrame, keys: pd.Series, snapshots: pd.DataFrame
) -> np.ndarray:
    # For each pursuit the position of the row of snapshots to learn from, -1 if none.
    rows = snapshots[["as_of", "kept"]].assign(firm=keys, at=np.arange(len(snapshots)))
    corrected = snapshots.get("corrected_on", pd.Series(index=snapshots.index, dtype="str"))
    rows["corrected"] = pd.to_datetime(corrected, format="%Y-%m-%d")
    firms = firms_of(pursuits["firm"])
    rows = rows[rows["firm"].isin(firms)]
    both = pursuits[["contacted"]].assign(firm=firms, pursuit=np.arange(len(pursuits)))
    both = both.merge(rows, on="firm")
    both = both[(both["as_of"] <= both["contacted"]) & ~(both["corrected"] >= both["contacted"])]
    both = both.sort_values(["as_of", "kept", "at"], kind="stable")
    latest = both.drop_duplicates("pursuit", keep="last")
    taken = np.full(len(pursuits), -1, dtype=np.int64)
    taken[latest["pursuit"].to_numpy()] = latest["at"].to_numpy()
    return taken


@dataclass(frozen=True, eq=False)
class TrainingData(TrainingSet):
    """A training set with its features ``X``; ``standing`` is bounded to those scored last."""

    X: pd.DataFrame
    snapshots: pd.DataFrame
    standing_features: pd.DataFrame
    rules: Rules

    def labels_of(self, rows: Truths, as_of: date) -> tuple[Floats, Floats]:
        """Return label and weight of each pursuit; missing and 0 outside ``rows``.

        The weights make up for what is open among these rows, as of that day.
        """
        labels = label_pursuits(
            self.events[self.events["firm"].isin(self.firm[rows])],
            as_of=as_of,
            target=self.rules.target,
            horizon_days=self.rules.horizon_days,
        )
        table = labels.table.set_index("firm").reindex(self.firm)
        y, weight = (table[name].to_numpy(dtype=float) for name in ("label", "weight"))
        return np.where(rows, y, np.nan), np.where(rows & ~np.isnan(y), weight, 0.0)


def build_dataset(
    features: FeatureExtractor,
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    *,
    as_of: date,
    rules: Rules,
) -> TrainingData:
    """Return what is known as of a day, in an order that the order of rows can't change."""
    snapshots = snapshots[(snapshots["as_of"] <= pd.Timestamp(as_of)).to_numpy()]
    order = ["as_of", "kept", "source", "credit_code", "name"]
    snapshots = snapshots.sort_values(order, kind="stable", ignore_index=True)
    events = events.sort_values("entry", kind="stable", ignore_index=True)
    pursuits = training_set(
        events, snapshots, as_of=as_of, target=rules.target, horizon_days=rules.horizon_days
    )
    standing = pursuits.standing.tail(_MOST_STANDING).reset_index(drop=True)
    return TrainingData(
        **vars(pursuits) | {"standing": standing}, X=measured(features, pursuits.firms),
        snapshots=snapshots, standing_features=measured(features, standing), rules=rules,
    )  # fmt: skip


def measured(features: FeatureExtractor, firms: pd.DataFrame) -> pd.DataFrame:
    """Return the features of firms, a bounded number at a time; numbered from 0."""
    starts = range(0, max(len(firms), 1), _MEASURED_AT_ONCE)
    parts = [features.transform(firms.iloc[at : at + _MEASURED_AT_ONCE]) for at in starts]
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, eq=False)
class Backtest:
    """From which of n pursuits a model may learn, and on which it is judged.

    First contacts from ``split`` on are later (``after``); None if there is nothing to judge on.
    ``y`` and ``weight`` are what was known the day before, of the earlier pursuits; missing and 0
    elsewhere. Without a split they are what is known today, of all. ``later_y`` and
    ``later_weight`` are what is known today of the later ones; missing and 0 of those still open,
    and of ``duplicates``, by which nobody is judged: later pursuits of a firm that was pursued
    before, or of one that looks like it.
    """

    data: TrainingData
    split: date | None
    after: Truths
    y: Floats
    weight: Floats
    later_y: Floats
    later_weight: Floats
    duplicates: int

    @property
    def learned(self) -> int:
        """Outcomes from which a model of the backtest learns."""
        return int((~np.isnan(self.y)).sum())

    @property
    def later(self) -> int:
        """Later pursuits whose outcome is known."""
        return int((~np.isnan(self.later_y)).sum())

    @property
    def later_features(self) -> pd.DataFrame:
        """Features of the later pursuits, those still open among them."""
        return self.data.X[self.after].reset_index(drop=True)

    def forecasts(self, model: AdditiveCard) -> Floats:
        """Fit a model on what was known before, and return its forecasts of the later pursuits."""
        if not self.after.any():
            return np.zeros(0)
        fitted = fit(model, self.data.X, self.y, self.weight)
        p: Floats = fitted.predict_proba(self.later_features)[:, 1]
        return p


def backtest(data: TrainingData, learned_until: date | None = None) -> Backtest:
    """Part the pursuits into earlier and later ones.

    The champion learned until that day; None if from no outcome. Pursuits that had begun by then
    can't judge it. Of those that began since, half at most are judged on: without the others the
    challenger would have nothing new to have learned from, and could not be better.
    """
    known = data.known
    judging, count = known, math.ceil(known.sum() * _LATER_SHARE)
    if learned_until is not None:
        judging = known & (data.contacted > pd.Timestamp(learned_until)).to_numpy()
        count = min(count, int(judging.sum()) // 2)
    if not count:
        nobody, none = np.zeros(len(known), dtype=bool), np.zeros(0)
        return Backtest(data, None, nobody, data.y, data.weight, none, none, 0)
    split = data.contacted[judging].iloc[-count].date()
    after = (data.contacted >= pd.Timestamp(split)).to_numpy()
    y, weight = data.labels_of(~after, split - timedelta(days=1))
    duplicates = _duplicates(data.firms, after) | _pursued_before(firms_of(data.firm), after)
    later_y, later_weight = data.labels_of(after & ~duplicates, data.labels.as_of)
    return Backtest(
        data, split, after, y, weight, later_y[after], later_weight[after], int(duplicates.sum())
    )


def fit(model: AdditiveCard, X: pd.DataFrame, y: Floats, weight: Floats) -> AdditiveCard:
    """Fit a model on the rows whose outcome is known."""
    known = ~np.isnan(y)
    fitted: AdditiveCard = model.fit(
        X[known].reset_index(drop=True), y[known].astype(np.int64), weight[known]
    )
    return fitted


def _duplicates(firms: pd.DataFrame, after: Truths) -> Truths:
    # The later firms that look like one of the earlier ones under another key: founded on the same
    # day with the same capital, they say the same of their business, all three known. Sister firms
    # may do so too, so this is a reason not to judge by them, and none to merge them.
    business = firms[TEXTS[0]]
    for text in TEXTS[1:]:
        business = business.fillna(firms[text])
    traits = firms[_TELLING].assign(business=business)
    complete = traits.notna().all(axis=1).to_numpy()
    keys = pd.Series(pd.util.hash_pandas_object(traits, index=False).to_numpy())
    earlier = keys[~after & complete]
    duplicates: Truths = after & complete & keys.isin(earlier).to_numpy(dtype=bool)
    return duplicates


def _pursued_before(firms: pd.Series, after: Truths) -> Truths:
    # A firm that was learned from can't tell how well firms are judged of which nothing is known.
    return after & firms.isin(firms[~after]).to_numpy(dtype=bool)
