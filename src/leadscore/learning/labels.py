"""Labels of pursuits as of a day, with inverse probability of censoring weights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.learning.history import OUTCOMES, firm_keys, first_contact, may_be, stage_days
from leadscore.lists.columns import CANONICAL
from leadscore.text import Text, room_words

WORDS = room_words("learning")


Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST_WEIGHT = 20.0
"""No label counts for more pursuits than this: beyond, a single one could sway a model."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of n pursuits.

    Attributes
    ----------
    values
        At least 1 where the label is known, 0 elsewhere.
    capped
        How many were cut to `MOST_WEIGHT`.
    """

    values: Floats
    capped: int


def censoring_weights(days: Floats, known: Mask) -> Weights:
    """Return the weight of each pursuit.

    At equal days a label comes before the end of watching, so that a pursuit whose label falls on
    the last day that it is watched was watched long enough. As long as nothing is cut and the last
    day of all brings a label, the weights add up to n.

    Parameters
    ----------
    days
        Days until the label is known, or until now where it is not; at least 0.
    known
        Where it is known.

    >>> censoring_weights(
    ...     np.array([1.0, 2.0, 3.0, 3.0]), np.array([True, False, True, True])
    ... ).values
    array([1. , 0. , 1.5, 1.5])
    """
    if not len(days):
        return Weights(np.zeros(0), 0)
    moments, at = np.unique(days, return_inverse=True)
    labels = np.bincount(at, weights=known, minlength=len(moments))
    ends = np.bincount(at, weights=~known, minlength=len(moments))
    watched = len(days) - np.r_[0.0, np.cumsum(labels + ends)[:-1]] - labels
    stay = 1.0 - np.divide(ends, watched, out=np.zeros_like(ends), where=watched > 0)
    # Watched beyond all earlier moments: the product up to, and without, this one.
    still = np.r_[1.0, np.cumprod(stay)[:-1]][at]
    raw = np.divide(1.0, still, out=np.zeros_like(still), where=known)
    over = raw > MOST_WEIGHT
    return Weights(np.where(over, MOST_WEIGHT, raw), int(over.sum()))


LEFT_OUT: dict[str, Text] = {
    "no_contact": WORDS["labels.left_out_no_contact"],
    "no_snapshot": WORDS["labels.left_out_no_snapshot"],
    "snapshot_after_contact": WORDS["labels.left_out_snapshot_after_contact"],
    "impossible": WORDS["labels.left_out_impossible"],
}
"""Why a firm with entries teaches nothing, in words."""


@dataclass(frozen=True, eq=False)
class Labels:
    """What is known of each pursuit as of a day.

    Attributes
    ----------
    table
        One row a pursuit, sorted by firm: ``firm`` (str), ``contacted`` (datetime64[us]), ``label``
        (1 reached the target within the horizon, 0 did not, missing if it is still open), ``days``
        (from first contact to that label, or to ``as_of`` while it is open), ``weight`` (0 where
        the label is missing, at least 1 elsewhere).
    as_of
        The day.
    target
        The stage that is to be reached.
    horizon_days
        Days after first contact within which it counts.
    oldest_days
        Age of the oldest pursuit in days; -1 if there is none.
    capped
        How many weights were cut to `leadscore.learning.labels.MOST_WEIGHT`.
    without_contact
        Firms with entries but without a first contact: no pursuits.
    impossible
        Pursuits left out since they reached the target before first contact or after they were
        lost; no import lets them in, but two firms that turn out to be one may.
    """

    table: pd.DataFrame
    as_of: date
    target: str
    horizon_days: int
    oldest_days: float
    capped: int
    without_contact: int
    impossible: int

    @property
    def horizon_seen(self) -> bool:
        """Tell whether any pursuit is old enough to have missed the horizon."""
        return self.oldest_days >= self.horizon_days

    def notices(self) -> tuple[Text, ...]:
        """Return what one should know before one learns from these labels."""
        found = []
        if len(self.table) and not self.horizon_seen:
            days = f"{max(self.oldest_days, 0):.0f}"
            found.append(WORDS["labels.unseen"].format(days=days, horizon_days=self.horizon_days))
        if self.capped:
            found.append(WORDS["labels.capped"].format(count=self.capped, most=MOST_WEIGHT))
        return tuple(found)


def label_pursuits(
    events: pd.DataFrame, *, as_of: date, target: str = "signed", horizon_days: int = 365
) -> Labels:
    """Label every pursuit as of a day.

    A pursuit is known to be 1 from the day on which it reached the target, or a later stage, within
    the horizon; 0 from the day on which it was lost before that, or else from the end of the
    horizon. Until then it is open; a paused pursuit is open.

    Parameters
    ----------
    events
        Columns of `leadscore.learning.history.EVENTS`, in the order of recording. What
        happened after ``as_of`` is not looked at; what was recorded or corrected after it is,
        since offices enter old outcomes late.
    as_of
        The day.
    target
        One of `leadscore.learning.history.OUTCOMES`.
    horizon_days
        Days after first contact, that day included, at least 1.
    """
    days = stage_days(events)
    days = days.where(days <= pd.Timestamp(as_of)).dropna(how="all")
    contacted = first_contact(days)
    pursued = contacted.notna().to_numpy()
    days, contacted = days[pursued], contacted[pursued]
    reached = _days_since(contacted, days[list(OUTCOMES[OUTCOMES.index(target) :])].min(axis=1))
    lost = _days_since(contacted, days["lost"])
    possible = ~((reached < 0) | (lost < 0) | (lost < reached) & ~np.isnan(reached))
    contacted, reached, lost = contacted[possible], reached[possible], lost[possible]
    watched = _days_since(contacted, pd.Series(pd.Timestamp(as_of), index=contacted.index))
    until = np.fmin(np.fmin(reached, lost), horizon_days)
    known_yet = until <= watched
    weights = censoring_weights(np.minimum(until, watched), known_yet)
    table = pd.DataFrame(
        {
            "firm": contacted.index.astype("str"),
            "contacted": contacted.to_numpy(),
            "label": np.where(known_yet, (reached <= until).astype(float), np.nan),
            "days": np.minimum(until, watched),
            "weight": weights.values,
        }
    )
    return Labels(
        table=table,
        as_of=as_of,
        target=target,
        horizon_days=horizon_days,
        oldest_days=float(watched.max(initial=-1.0)),
        capped=weights.capped,
        without_contact=int((~pursued).sum()),
        impossible=int((~possible).sum()),
    )


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Pursuits with their fields from before first contact; index ``0..n-1`` throughout.

    Attributes
    ----------
    firms
        Canonical columns and ``as_of``, the day of the snapshot.
    firm
        Key of each firm.
    contacted
        Day of first contact, datetime64[us].
    y
        1, 0, or missing while the pursuit is open.
    weight
        See `Labels`; 0 where ``y`` is missing.
    left_out
        How many firms teach nothing, by the reasons of `LEFT_OUT`; those that hold for none are
        not named.
    labels
        The labels of all pursuits, also those without a snapshot.
    """

    firms: pd.DataFrame
    firm: pd.Series
    contacted: pd.Series
    y: pd.Series
    weight: pd.Series
    left_out: dict[str, int]
    labels: Labels


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
    those of one day the one that was kept last. Pursuits come in the order of their first contact,
    then of the firm's key.

    Parameters
    ----------
    events, as_of, target, horizon_days
        As for `label_pursuits`; the keys of firms are worked out anew, since a snapshot may tell
        that a name and a code are one firm.
    snapshots
        As `leadscore.learning.history.SnapshotStore.snapshots` gives them.
    """
    of_event, of_snapshot = firm_keys(events, snapshots)
    labels = label_pursuits(
        events.assign(firm=of_event), as_of=as_of, target=target, horizon_days=horizon_days
    )
    pursuits = labels.table.sort_values(["contacted", "firm"], ignore_index=True)
    taken = _snapshot_before(pursuits, of_snapshot, snapshots)
    found = taken >= 0
    kept = pursuits[found].reset_index(drop=True)
    names = [*(each.name for each in CANONICAL), "as_of"]
    scored = pursuits["firm"].isin(of_snapshot).to_numpy(dtype=bool)
    left_out = {
        "no_contact": labels.without_contact,
        "no_snapshot": int((~scored).sum()),
        "snapshot_after_contact": int((scored & ~found).sum()),
        "impossible": labels.impossible,
    }
    return TrainingSet(
        firms=snapshots[names].take(taken[found]).reset_index(drop=True),
        firm=kept["firm"],
        contacted=kept["contacted"],
        y=kept["label"].rename("y"),
        weight=kept["weight"],
        left_out={reason: count for reason, count in left_out.items() if count},
        labels=labels,
    )


def _snapshot_before(
    pursuits: pd.DataFrame, keys: pd.Series, snapshots: pd.DataFrame
) -> np.ndarray:
    """Return for each pursuit the position of the row of snapshots to learn from, -1 if none."""
    rows = snapshots[["as_of", "kept"]].assign(firm=keys, at=np.arange(len(snapshots)))
    rows = rows[rows["firm"].isin(pursuits["firm"])]
    both = pursuits[["firm", "contacted"]].assign(pursuit=np.arange(len(pursuits)))
    both = both.merge(rows, on="firm")
    both = both[both["as_of"] <= both["contacted"]]
    both = both.sort_values(["as_of", "kept", "at"], kind="stable")
    latest = both.drop_duplicates("pursuit", keep="last")
    taken = np.full(len(pursuits), -1, dtype=np.int64)
    taken[latest["pursuit"].to_numpy()] = latest["at"].to_numpy()
    return taken


def _days_since(contacted: pd.Series, days: pd.Series) -> np.ndarray:
    """Return days from first contact; a day that may stand for its whole month counts as 0."""
    since = (days - contacted).dt.days.to_numpy(dtype=float)
    return np.where((since < 0) & may_be(days, contacted), 0.0, since)
