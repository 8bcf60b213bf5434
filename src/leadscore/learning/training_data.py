"""Training data: labels and features of pursuits as of a day, and their split forward in time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadscore.features.catalogue import CATALOGUE
from leadscore.features.company import TEXTS
from leadscore.features.extract import FeatureExtractor
from leadscore.learning.expert import expert_scorecard
from leadscore.learning.history import (
    Labels,
    effective_weights,
    firm_keys,
    firms_of,
    label_pursuits,
    pursuit_keys,
)
from leadscore.learning.scorecard import Floats, Truths
from leadscore.lists.columns import BY_HAND, CANONICAL

if TYPE_CHECKING:
    from leadscore.learning.card import AdditiveCard

_MEASURED_AT_ONCE = 5_000  # firms whose features are measured at a time: bounds the memory
_MOST_STANDING = 20_000  # firms of a standing list
_LATER_SHARE = 2 / 3  # part of the known outcomes on which models are judged
_SPLITS = 4  # forward splits, with as many of those outcomes each
_TELLING = ["founded_on", "registered_capital_cny"]  # of a firm that was entered twice


@dataclass(frozen=True)
class Rules:
    """The stage to be reached within days after first contact, and how models are made.

    ``prior_strength`` is for how many outcomes the experts' word counts. ``assume_unchanging`` says
    whether pursuits are learned from of which no snapshot is as old as first contact, see
    `training_set`.
    """

    target: str = "signed"
    horizon_days: int = 365
    prior_strength: float = 50.0
    seed: int = 0
    assume_unchanging: bool = False


UNCHANGING = (
    "founded_on", "province", "city", "district", "province_code", "city_code", "industry",
    "industry_section", "industry_division", "industry_group", "industry_class",
    "vendor_industry_section", "vendor_industry_division", "vendor_industry_group",
    "vendor_industry_class", "sw_industry", "sw_industry_code",
)  # fmt: skip
"""Canonical columns that hardly change while a firm lives: founding date, place and industry."""

SEGMENTS = ("segments", "role", "use")
"""What an officer may say of the business of a firm, beside canonical columns."""


FACTS: dict[str, str] = {
    "credit_code": "str", "name": "str", "former_names": "str", "field": "str", "value": "object",
    "valid_from": "datetime64[us]",
}  # fmt: skip
"""Columns of dated facts with their types: of which firm, what, and from which day on.

The field is a canonical column or one of `SEGMENTS`; segments are ids, joined by ``;``.
"""

# What a segment tells; of a firm without a text from then its industry must not stand in for one.
_OF_SEGMENTS = [
    key
    for key, feature in CATALOGUE.items()
    if feature.family in ("position", "fit") or key == "chain"
]
_NEVER_ASSUMED = ["completeness"]  # it counts what the later list happened to know


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """n pursuits with their fields from before first contact, by first contact and firm.

    ``firms`` have canonical columns, those of `SEGMENTS`, ``as_of``, the day of the snapshot, and
    ``known_since``: ``snapshot``, or ``assumed`` where no snapshot is as old as first contact and
    what hardly changes was taken from a later one; ``firm`` is their key.
    ``y`` is 1, 0, or NaN while the pursuit is open, ``weight`` as in `Labels`. ``left_out`` counts
    the firms that teach nothing, by the reasons of `LEFT_OUT`; ``labels`` are of all pursuits, also
    those without a snapshot. ``events`` are every entry, with ``firm`` on the same keys;
    ``standing`` every firm that was ever scored, as it was last known. ``late`` are the keys of the
    pursuits whose snapshots are all later than first contact, learned from or not; ``later`` the
    first of those snapshots, of each pursuit that is assumed.
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
    late: pd.Series
    later: pd.DataFrame

    @property
    def known(self) -> Truths:
        """Where the outcome is known."""
        known: Truths = ~np.isnan(self.y)
        return known

    @property
    def assumed(self) -> Truths:
        """Where what hardly changes was taken from a later snapshot, and all else is unknown."""
        assumed: Truths = (self.firms["known_since"] == "assumed").to_numpy(dtype=bool)
        return assumed

    def labels_of(self, rows: Truths, as_of: date) -> tuple[Floats, Floats]:
        """Return label and weight of each pursuit; missing and 0 outside ``rows``.

        The weights make up for what is open among these rows, as of that day.
        """
        labels = label_pursuits(
            self.events[self.events["firm"].isin(self.firm[rows])],
            as_of=as_of,
            target=self.labels.target,
            horizon_days=self.labels.horizon_days,
        )
        table = labels.table.set_index("firm").reindex(self.firm)
        y, weight = (table[name].to_numpy(dtype=float) for name in ("label", "weight"))
        return np.where(rows, y, np.nan), np.where(rows & ~np.isnan(y), weight, 0.0)


def training_set(
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    *,
    as_of: date,
    target: str = "signed",
    horizon_days: int = 365,
    assume_unchanging: bool = False,
    facts: pd.DataFrame | None = None,
) -> TrainingSet:
    """Join each pursuit's label with the firm as it was known before first contact.

    Of several snapshots the latest counts whose day is not after that of first contact, and among
    those of one day the one that was kept last; what an officer corrected on the day of first
    contact or later may have been learned by it, and does not count. The keys of firms are worked
    out anew, since a snapshot may tell that a name and a code are one firm. For the rest see
    `label_pursuits`.

    Where every snapshot is later, a pursuit is left out, unless one is to ``assume_unchanging``:
    then the columns of `UNCHANGING` count as they stand in the first of the later snapshots, and
    beside them only what ``facts`` (columns of `FACTS`) say as of a day before first contact, or,
    of `SEGMENTS`, whenever an officer said it. A pursuit of which nothing is known so is left out
    all the same.
    """
    facts = _no_facts() if facts is None else facts
    of_event, of_snapshot, of_fact = firm_keys(events, snapshots, facts)
    events = events.assign(firm=of_event)
    events = events.assign(firm=pursuit_keys(events))
    labels = label_pursuits(events, as_of=as_of, target=target, horizon_days=horizon_days)
    pursuits = labels.table.sort_values(["contacted", "firm"], ignore_index=True)
    taken = _snapshot_of(pursuits, of_snapshot, snapshots, before=True)
    scored = firms_of(pursuits["firm"]).isin(of_snapshot).to_numpy(dtype=bool)
    late = scored & (taken < 0)
    names = [column.name for column in CANONICAL]
    names += [name for name in BY_HAND if name in snapshots]
    known = snapshots[[*names, "as_of"]].take(np.maximum(taken, 0)) if len(snapshots) else None
    known = pd.DataFrame(index=pursuits.index) if known is None else known
    firms = known.reset_index(drop=True).assign(known_since="snapshot")
    usable, later = taken >= 0, snapshots[:0]
    if assume_unchanging and late.any():
        of_late = pursuits[late]
        first = _snapshot_of(of_late, of_snapshot, snapshots, before=False)
        assumed = _as_known_then(of_late, snapshots.take(first), facts.assign(firm=of_fact))
        told = assumed.drop(columns=["as_of", "known_since"]).notna().any(axis=1).to_numpy()
        later = snapshots.take(first[told])
        firms = pd.concat([firms[~late], assumed]).sort_index()
        usable[np.flatnonzero(late)[told]] = True
    left_out = {
        "no_contact": labels.without_contact,
        "no_snapshot": int((~scored).sum()),
        "snapshot_after_contact": int((scored & ~usable).sum()),
        "impossible": labels.impossible,
    }
    keys_of_late = pursuits.loc[late, "firm"]
    pursuits = pursuits[usable].reset_index(drop=True)
    return TrainingSet(
        firms=firms[usable].reset_index(drop=True), firm=pursuits["firm"],
        contacted=pursuits["contacted"], y=pursuits["label"].to_numpy(dtype=float),
        weight=pursuits["weight"].to_numpy(dtype=float),
        left_out={reason: count for reason, count in left_out.items() if count}, labels=labels,
        events=events, standing=snapshots[~of_snapshot.duplicated(keep="last").to_numpy()],
        late=keys_of_late, later=later.reset_index(drop=True),
    )  # fmt: skip


def _no_facts() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in FACTS.items()})


def _as_known_then(
    pursuits: pd.DataFrame, snapshots: pd.DataFrame, facts: pd.DataFrame
) -> pd.DataFrame:
    # The firms of pursuits as they may be taken to have been known on the eve of first contact: of
    # a later snapshot each (in the same order) what hardly changes, the facts dated before, and
    # what officers say of the segments.
    columns = {column.name: column.dtype for column in CANONICAL} | dict.fromkeys(SEGMENTS, "str")
    firms = pd.DataFrame(
        {name: pd.Series(index=pursuits.index, dtype=dtype) for name, dtype in columns.items()}
    )
    for name in UNCHANGING:
        firms[name] = snapshots[name].to_numpy()
    firms = firms.astype(columns)
    places = pd.Series(pursuits.index, index=firms_of(pursuits["firm"]).to_numpy())
    dated = set[tuple[object, object]]()
    told = facts[facts["field"].isin(columns)].sort_values("valid_from", kind="stable")
    # What a firm makes hardly changes either: an officer's word for it counts whenever it was
    # said, but one from before contact goes before a later one, and its newest before the others.
    for fact in told.to_dict("records"):
        for at in places[places.index == fact["firm"]]:
            before = fact["valid_from"] < pursuits.at[at, "contacted"]
            if before or (fact["field"] in SEGMENTS and (at, fact["field"]) not in dated):
                dated.update([(at, fact["field"])] if before else ())
                value = fact["value"]
                if columns[fact["field"]].startswith("datetime") and value is not None:
                    value = pd.Timestamp(value)
                firms.loc[at, fact["field"]] = value
    return firms.assign(as_of=pursuits["contacted"], known_since="assumed")


def _snapshot_of(
    pursuits: pd.DataFrame, keys: pd.Series, snapshots: pd.DataFrame, *, before: bool
) -> np.ndarray:
    # For each pursuit the position of the last row of snapshots not after first contact, or else of
    # the first one after it; -1 if none.
    rows = snapshots[["as_of", "kept"]].assign(firm=keys, at=np.arange(len(snapshots)))
    corrected = snapshots.get("corrected_on", pd.Series(index=snapshots.index, dtype="str"))
    rows["corrected"] = pd.to_datetime(corrected, format="%Y-%m-%d")
    firms = firms_of(pursuits["firm"])
    rows = rows[rows["firm"].isin(firms)]
    both = pursuits[["contacted"]].assign(firm=firms, pursuit=np.arange(len(pursuits)))
    both = both.merge(rows, on="firm")
    known = (both["as_of"] <= both["contacted"]) & ~(both["corrected"] >= both["contacted"])
    both = both[known == before]
    both = both.sort_values(["as_of", "kept", "at"], kind="stable")
    nearest = both.drop_duplicates("pursuit", keep="last" if before else "first")
    taken = np.full(len(pursuits), -1, dtype=np.int64)
    taken[nearest["pursuit"].to_numpy()] = nearest["at"].to_numpy()
    return taken


@dataclass(frozen=True, eq=False)
class TrainingData(TrainingSet):
    """A training set with its features ``X``; ``standing`` is bounded to those scored last.

    ``stand_ins``, of the shape of X, are what counts in the place of what is unknown only because
    the snapshot came late (see `AdditiveCard.fit`): what the experts' card says of the feature on
    average over the later snapshots of all these firms. Being one number for all, it tells nothing
    of any of them; without it they would seem to have landed although next to nothing speaks for
    them. None if no pursuit is assumed.
    """

    X: pd.DataFrame
    stand_ins: Floats | None
    snapshots: pd.DataFrame
    standing_features: pd.DataFrame
    rules: Rules


def build_dataset(
    features: FeatureExtractor,
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    *,
    as_of: date,
    rules: Rules,
    facts: pd.DataFrame | None = None,
) -> TrainingData:
    """Return what is known as of a day, in an order that the order of rows can't change."""
    events, snapshots = in_order(events, snapshots, as_of=as_of)
    pursuits = training_set(
        events, snapshots, as_of=as_of, target=rules.target, horizon_days=rules.horizon_days,
        assume_unchanging=rules.assume_unchanging, facts=facts,
    )  # fmt: skip
    standing = pursuits.standing.tail(_MOST_STANDING).reset_index(drop=True)
    X = _measured_as_then(features, pursuits)
    return TrainingData(
        **vars(pursuits) | {"standing": standing}, X=X,
        stand_ins=_stand_ins(features, pursuits, X), snapshots=snapshots,
        standing_features=measured(features, standing), rules=rules,
    )  # fmt: skip


def in_order(
    events: pd.DataFrame, snapshots: pd.DataFrame, *, as_of: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return entries, and snapshots until a day, in an order that the one given can't change."""
    snapshots = snapshots[(snapshots["as_of"] <= pd.Timestamp(as_of)).to_numpy()]
    order = ["as_of", "kept", "source", "credit_code", "name"]
    snapshots = snapshots.sort_values(order, kind="stable", ignore_index=True)
    return events.sort_values("entry", kind="stable", ignore_index=True), snapshots


def _measured_as_then(features: FeatureExtractor, pursuits: TrainingSet) -> pd.DataFrame:
    X, assumed = measured(features, pursuits.firms), pursuits.assumed
    if not assumed.any():
        return X
    told = [name for name in (*TEXTS, *SEGMENTS[:1]) if name in pursuits.firms]
    silent = assumed & pursuits.firms[told].isna().all(axis=1).to_numpy()
    X.loc[silent, _OF_SEGMENTS] = np.nan
    X.loc[assumed, _NEVER_ASSUMED] = np.nan
    return X


def measured(features: FeatureExtractor, firms: pd.DataFrame) -> pd.DataFrame:
    """Return the features of firms, a bounded number at a time; numbered from 0."""
    starts = range(0, max(len(firms), 1), _MEASURED_AT_ONCE)
    parts = [features.transform(firms.iloc[at : at + _MEASURED_AT_ONCE]) for at in starts]
    return pd.concat(parts, ignore_index=True)


def _stand_ins(features: FeatureExtractor, pursuits: TrainingSet, X: pd.DataFrame) -> Floats | None:
    assumed = pursuits.assumed
    if not assumed.any():
        return None
    card, later = expert_scorecard(features.city), measured(features, pursuits.later)
    on_average = dict.fromkeys(X.columns, 0.0)
    added = card.lookup(later)
    on_average |= dict(zip(card.names, added.mean(axis=0), strict=True))
    unknown = X.isna().to_numpy() & assumed[:, None]
    return np.where(unknown, np.array([on_average[name] for name in X.columns]), np.nan)


@dataclass(frozen=True, eq=False)
class Backtest:
    """From which of n pursuits a model may learn, and on which it is judged.

    First contacts from ``split`` on are later (``after``); None if there is nothing to judge on.
    They are judged on in parts, each from one of ``splits`` until the next, by a model that learned
    from what was known before it.
    ``y`` and ``weight`` are what was known the day before, of the earlier pursuits; missing and 0
    elsewhere. Without a split they are what is known today, of all. ``later_y`` and
    ``later_weight`` are what is known today of the later ones; missing and 0 of those still open,
    and of ``duplicates``, by which nobody is judged: later pursuits of a firm that was pursued
    before, or of one that looks like it.
    """

    data: TrainingData
    splits: tuple[date, ...]
    after: Truths
    y: Floats
    weight: Floats
    later_y: Floats
    later_weight: Floats
    duplicates: int

    @property
    def split(self) -> date | None:
        """The day from which on pursuits judge; None if none can."""
        return self.splits[0] if self.splits else None

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
        """Fit a model before each split, and return its forecasts of the later pursuits."""
        data, p = self.data, np.zeros(len(self.after))
        for split, part in _parts(data, self.splits):
            rows = part & self.after
            if not rows.any():
                continue
            before = (data.contacted < pd.Timestamp(split)).to_numpy()
            y, weight = data.labels_of(before, split - timedelta(days=1))
            fitted = fit(model, data.X, y, weight, data.stand_ins)
            p[rows] = fitted.predict_proba(data.X[rows].reset_index(drop=True))[:, 1]
        return p[self.after]


def backtest(data: TrainingData, learned_until: date | None = None) -> Backtest:
    """Part the pursuits into earlier and later ones.

    The champion learned until that day; None if from no outcome. Pursuits that had begun by then
    can't judge it. Of those that began since, two thirds at most are judged on: without the others
    the challenger would have nothing new to have learned from, and could not be better. Nobody is
    judged by what was assumed of a firm (see `training_set`): no firm that is scored is known so
    thinly, and that a later list names it may itself be a consequence of the outcome.
    """
    splits = split_days(data, learned_until)
    if not splits:
        nobody, none = np.zeros(len(data.y), dtype=bool), np.zeros(0)
        return Backtest(data, (), nobody, data.y, data.weight, none, none, 0)
    after, duplicates = judged(data, splits)
    y, weight = data.labels_of(~after, splits[0] - timedelta(days=1))
    later_y, later_weight = data.labels_of(after & ~duplicates, data.labels.as_of)
    return Backtest(
        data, splits, after, y, weight, later_y[after], later_weight[after], int(duplicates.sum())
    )


def split_days(data: TrainingSet, learned_until: date | None = None) -> tuple[date, ...]:
    """Return the days of first contact from which on pursuits judge, rising; none if none can."""
    judging = data.known & ~data.assumed
    count = math.ceil(judging.sum() * _LATER_SHARE)
    if learned_until is not None:
        judging = judging & (data.contacted > pd.Timestamp(learned_until)).to_numpy()
        count = min(count, int(judging.sum() * _LATER_SHARE))
    if not count:
        return ()
    days = data.contacted[judging].iloc[-count:]
    return tuple(sorted({days.iloc[count * part // _SPLITS].date() for part in range(_SPLITS)}))


def _parts(data: TrainingSet, splits: Sequence[date]) -> Iterator[tuple[date, Truths]]:
    # Which pursuits began from each split until the next.
    for at, split in enumerate(splits):
        part = (data.contacted >= pd.Timestamp(split)).to_numpy()
        if at + 1 < len(splits):
            part = part & (data.contacted < pd.Timestamp(splits[at + 1])).to_numpy()
        yield split, part


def judged(data: TrainingSet, splits: Sequence[date]) -> tuple[Truths, Truths]:
    """Return which pursuits are later than the first split, and which of them are duplicates.

    A duplicate is one of a firm that was, or looks like one that was, pursued before its own split.
    """
    began, firms = data.contacted, firms_of(data.firm)
    duplicates = np.zeros(len(data.y), dtype=bool)
    for split, part in _parts(data, splits):
        later = (began >= pd.Timestamp(split)).to_numpy() & ~data.assumed
        duplicates |= part & (_duplicates(data.firms, later) | _pursued_before(firms, later))
    return (began >= pd.Timestamp(splits[0])).to_numpy() & ~data.assumed, duplicates


def fit(
    model: AdditiveCard, X: pd.DataFrame, y: Floats, weight: Floats,
    stand_ins: Floats | None = None,
) -> AdditiveCard:  # fmt: skip
    """Fit a model on the rows whose outcome is known; for ``stand_ins`` see `TrainingData`.

    Together the rows count as what they are worth (see `effective_weights`).
    """
    known = ~np.isnan(y)
    worth = effective_weights(weight[known])
    return model.fit(
        X[known].reset_index(drop=True), y[known].astype(np.int64), worth,
        None if stand_ins is None else stand_ins[known],
    )  # fmt: skip


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
