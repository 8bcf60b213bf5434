"""What became of the firms: entries with one key per firm, contradictions, labels as of a day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.lists.dedupe import group_rows, normal_name
from leadscore.lists.values.words import STAGES
from leadscore.text import Text, room_words

WORDS = room_words("learning")

EVENTS: dict[str, str] = {
    "entry": "int64", "firm": "str", "credit_code": "str", "name": "str", "former_names": "str",
    "stage": "str", "day": "datetime64[us]", "reason": "str", "withdrawn": "bool",
    "recorded": "datetime64[us, UTC]", "source": "str", "sheet": "str", "row": "int64",
    "file": "str",
}  # fmt: skip
"""Columns of entries with their types.

``entry`` counts from 1 in the order of recording. ``firm`` is the key that all rows of one firm
share (see `firm_keys`); it is worked out when entries are read and never stored. ``row`` of
``sheet`` in ``source`` is where the entry came from; ``file`` is the SHA-256 of that file, in hex.
``former_names``, ``reason`` and ``sheet`` may be missing, and so may one of ``credit_code`` and
``name``.
"""

CONTACTS = ("contacted", "visited", "negotiating", "framework")
"""Stages at which somebody speaks with the firm; the earliest of their days is first contact."""

OUTCOMES = ("signed", "registered", "building", "producing")
"""Stages that a pursuit is for, one of them the target; a later one implies the earlier ones."""


_REOPENING = ("lead", "screened", *CONTACTS)
"""Stages with which a firm that was lost is pursued again."""
_AGAIN = "\t"  # stands in the key of a later pursuit, between that of the firm and its number


def pursuit_starts(entries: Iterable[tuple[str, date, bool]]) -> list[date]:
    """Return the days on which one firm was pursued again after it was lost.

    ``entries`` are its stages with their days, and whether each was withdrawn. Of one day the loss
    comes last; a loss that is known by its month alone may be of any day of it.

    >>> pursuit_starts([("lost", date(2022, 6, 1), False), ("contacted", date(2023, 3, 1), False)])
    [datetime.date(2023, 3, 1)]
    """
    entries = [*entries]
    gone = {(stage, day) for stage, day, withdrawn in entries if withdrawn}
    held = {(day, stage == "lost", stage) for stage, day, _ in entries if (stage, day) not in gone}
    starts, lost = list[date](), None
    for day, _, stage in sorted(held):
        if stage == "lost":
            lost = day
        elif lost and stage in _REOPENING and day > lost:
            if lost.day == 1 and (lost.year, lost.month) == (day.year, day.month):
                continue
            starts.append(day)
            lost = None
    return starts


def pursuit_keys(events: pd.DataFrame) -> pd.Series:
    """Return the key of the pursuit of each entry: that of its ``firm``, and more from the second.

    Keys of pursuits are keys of pursuits again if they are taken for those of firms.
    """
    keys = events["firm"].astype("str")
    lost = events.loc[(events["stage"] == "lost").to_numpy(), "firm"]
    some = events[events["firm"].isin(lost).to_numpy() & events["day"].notna().to_numpy()]
    again: dict[object, str] = {}
    for firm, entries in some.groupby("firm", sort=False):
        days = [day.date() for day in entries["day"]]
        starts = pursuit_starts(zip(entries["stage"], days, entries["withdrawn"], strict=True))
        if starts:
            for at, day in zip(entries.index, days, strict=True):
                number = 1 + bisect_right(starts, day)
                if number > 1:
                    again[at] = f"{firm}{_AGAIN}{number}"
    return pd.Series(
        [again.get(at, key) for at, key in keys.items()], index=keys.index, dtype="str"
    )


def firms_of(pursuits: pd.Series) -> pd.Series:
    """Return the keys of firms, of those of pursuits."""
    return pursuits.astype("str").str.replace(rf"{_AGAIN}\d+$", "", regex=True)


def in_force(events: pd.DataFrame) -> pd.DataFrame:
    """Return the entries that hold: the latest of each firm and stage, unless it takes it back."""
    latest = events.drop_duplicates(["firm", "stage"], keep="last")
    return latest[~latest["withdrawn"]]


def stage_days(events: pd.DataFrame) -> pd.DataFrame:
    """Return the day on which each firm reached each stage: one row a firm, one column a stage.

    The entries come in the order of recording; firms are sorted, the columns are all of `STAGES`,
    missing where a stage is not in force.
    """
    days = in_force(events).pivot(index="firm", columns="stage", values="day")
    days = days.reindex(columns=pd.Index(STAGES, name="stage"))
    return days.astype("datetime64[us]").sort_index()


def first_contact(days: pd.DataFrame) -> pd.Series:
    """Return the day of each firm's first contact, of `stage_days`; missing if there was none."""
    return days[list(CONTACTS)].min(axis=1).astype("datetime64[us]").rename("contacted")


Mask = NDArray[np.bool_]

_Blame = tuple[Mask, dict[str, str | pd.Series]]
"""Which firms, and the columns of `contradictions` that are said of them."""


def _blame(
    where: Mask, stage: str, code: str, other_stage: str | pd.Series, other_day: pd.Series
) -> _Blame:
    columns = {"stage": stage, "code": code, "other_stage": other_stage, "other_day": other_day}
    return where, columns


def contradictions(history: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    """Return which new entries, recorded later than a history, make it impossible.

    Of two entries that can't both be true the new one is blamed; if both are new, the outcome that
    lies before first contact, or what comes after the loss (an outcome also on its day). A first
    of a month may stand for its whole month. Nothing is said of a history that was impossible
    without the new entries.

    Returns columns ``firm``, ``stage``, ``code``, ``other_stage``, ``other_day``; one row for each
    blamed pair of firm and stage.
    """
    columns = ["firm", "stage", "day", "withdrawn"]
    touched = history[history["firm"].isin(entries["firm"])]
    both = pd.concat(
        [touched[columns].assign(new=False), entries[columns].assign(new=True)], ignore_index=True
    )
    days = stage_days(both)
    new = in_force(both).pivot(index="firm", columns="stage", values="new")
    new = new.reindex(index=days.index, columns=days.columns).eq(other=True)
    parts = [
        pd.DataFrame(blame, index=days.index)[where].reset_index()
        for where, blame in (*_after_loss(days, new), *_before_contact(days, new))
        if where.any()
    ]
    columns = ["firm", "stage", "code", "other_stage", "other_day"]
    blamed = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return blamed.drop_duplicates(["firm", "stage"], ignore_index=True)


def _after_loss(days: pd.DataFrame, new: pd.DataFrame) -> Iterator[_Blame]:
    lost = days["lost"]
    for stage in STAGES:
        after = (days[stage] > lost) & ~_may_be(lost, days[stage])
        # On one day a firm is either won or lost; it may well be met and lost.
        wrong = (after | (days[stage] == lost) if stage in OUTCOMES else after).to_numpy()
        this, that = new[stage].to_numpy(), new["lost"].to_numpy()
        yield _blame(wrong & this, stage, "after_loss", "lost", lost)
        yield _blame(wrong & ~this & that, "lost", "lost_before", stage, days[stage])


def _before_contact(days: pd.DataFrame, new: pd.DataFrame) -> Iterator[_Blame]:
    contact = first_contact(days)
    first = days[list(CONTACTS)].eq(contact, axis=0).idxmax(axis=1).astype("str")
    for stage in OUTCOMES:
        wrong = ((days[stage] < contact) & ~_may_be(days[stage], contact)).to_numpy()
        this = new[stage].to_numpy()
        yield _blame(wrong & this, stage, "before_contact", first, contact)
        for earlier in CONTACTS:
            late = (days[earlier] > days[stage]).to_numpy() & new[earlier].to_numpy()
            yield _blame(wrong & ~this & late, earlier, "after_outcome", stage, days[stage])


def _may_be(rough: pd.Series, day: pd.Series) -> pd.Series:
    """Tell where a first of a month may stand for the whole month in which another day lies.

    Officers write 2024年3月, which is kept as the first of March.

    >>> days = pd.Series(pd.to_datetime(["2024-03-01", "2024-03-02"]))
    >>> _may_be(days, pd.Series(pd.to_datetime(["2024-03-20", "2024-03-20"]))).tolist()
    [True, False]
    """
    month = day.to_numpy().astype("datetime64[M]").astype("datetime64[us]")
    return pd.Series(rough.to_numpy() == month, index=rough.index)


IDENTIFIERS = ("credit_code", "name", "former_names")
"""Columns by which a firm is known; each row has a valid code or a name."""


def firm_keys(*tables: pd.DataFrame) -> list[pd.Series]:
    """Return the key of each row of some tables with `IDENTIFIERS`, equal for all rows of one firm.

    Rows with one credit code are one firm; a row without a code is the firm that bears its name
    now, else the firm that bore it before (see `leadscore.lists.dedupe.group_rows`). A name that
    several codes bear links nothing. The key is the credit code of the firm if one is known, else
    the first of its names in their normal form.

    >>> rows = {
    ...     "credit_code": ["91110000600037341L", None],
    ...     "name": ["甲（深圳）公司", "甲(深圳)公司"],
    ... }
    >>> frame = pd.DataFrame(rows, dtype="str").assign(
    ...     former_names=pd.Series([None] * 2, dtype="str")
    ... )
    >>> firm_keys(frame)[0].tolist()
    ['91110000600037341L', '91110000600037341L']
    """
    rows = pd.concat([table[list(IDENTIFIERS)] for table in tables], ignore_index=True)
    rows = rows.astype("str")
    # A firm has many rows that name it alike: each way to name it is looked at once.
    at = rows.groupby(list(IDENTIFIERS), dropna=False, sort=False).ngroup().to_numpy()
    rows = rows.drop_duplicates(ignore_index=True)
    names = normal_name(rows["name"])
    groups = group_rows(rows, names).of_row
    code, name = (
        column.groupby(groups).transform("min") for column in (rows["credit_code"], names)
    )
    keys = code.astype("str").fillna(name.astype("str")).take(at)
    bounds = np.cumsum([0, *(len(table) for table in tables)])
    return [
        pd.Series(keys.iloc[start:end].to_numpy(), index=table.index, dtype="str", name="firm")
        for table, start, end in zip(tables, bounds, bounds[1:], strict=False)
    ]


Floats = NDArray[np.float64]

MOST_WEIGHT = 20.0
"""No label counts for more pursuits than this: beyond, a single one could sway a model."""


def censoring_weights(days: Floats, known: Mask) -> tuple[Floats, int]:
    """Return the inverse probability of censoring weight of n pursuits, and how many were cut.

    ``days`` run until the label is known, or until now where it is not. A weight is at least 1
    where the label is known, 0 elsewhere, and cut to `MOST_WEIGHT`. At equal days a label comes
    before the end of watching, so that a pursuit whose label falls on the last day that it is
    watched was watched long enough. As long as nothing is cut and the last day of all brings a
    label, the weights add up to n.

    >>> censoring_weights(np.array([1.0, 2.0, 3.0, 3.0]), np.array([True, False, True, True]))[0]
    array([1. , 0. , 1.5, 1.5])
    """
    if not len(days):
        return np.zeros(0), 0
    moments, at = np.unique(days, return_inverse=True)
    labels = np.bincount(at, weights=known, minlength=len(moments))
    ends = np.bincount(at, weights=~known, minlength=len(moments))
    watched = len(days) - np.r_[0.0, np.cumsum(labels + ends)[:-1]] - labels
    stay = 1.0 - np.divide(ends, watched, out=np.zeros_like(ends), where=watched > 0)
    # Watched beyond all earlier moments: the product up to, and without, this one.
    still = np.r_[1.0, np.cumprod(stay)[:-1]][at]
    raw = np.divide(1.0, still, out=np.zeros_like(still), where=known)
    over = raw > MOST_WEIGHT
    return np.where(over, MOST_WEIGHT, raw), int(over.sum())


def effective_weights(weight: Floats) -> Floats:
    """Return weights that add up to the number of outcomes that they are worth (Kish 1965).

    What censoring weights add up to is the number of pursuits, those still open among them; a few
    outcomes that stand in for many are worth fewer than themselves.

    >>> effective_weights(np.array([1.0, 1.0, 4.0])).sum()
    np.float64(2.0)
    """
    squares = float((weight**2).sum())
    return weight * (float(weight.sum()) / squares) if squares else weight


LEFT_OUT: dict[str, Text] = {
    reason: WORDS[f"labels.left_out.{reason}"]
    for reason in ("no_contact", "no_snapshot", "snapshot_after_contact", "impossible")
}
"""Why a firm with entries teaches nothing, in words."""


@dataclass(frozen=True, eq=False)
class Labels:
    """What is known of each pursuit as of a day.

    The ``table`` has one row a pursuit, sorted by firm: ``firm`` (str), ``contacted``
    (datetime64[us]), ``label`` (1 reached the target within the horizon, 0 did not, missing if it
    is still open), ``days`` (from first contact to that label, or to ``as_of`` while it is open),
    ``weight`` (0 where the label is missing, at least 1 elsewhere). ``oldest_days`` is the age of
    the oldest pursuit, -1 if there is none; ``capped`` counts the weights cut to `MOST_WEIGHT`,
    ``without_contact`` firms with entries but without a first contact. ``impossible`` counts
    pursuits that reached the target before first contact or after they were lost; no import lets
    them in, but two firms that turn out to be one may.
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
        notices = []
        if len(self.table) and not self.horizon_seen:
            days = f"{max(self.oldest_days, 0):.0f}"
            notices.append(WORDS["labels.unseen"].format(days=days, horizon_days=self.horizon_days))
        if self.capped:
            notices.append(WORDS["labels.capped"].format(count=self.capped, most=MOST_WEIGHT))
        return tuple(notices)


def label_pursuits(
    events: pd.DataFrame, *, as_of: date, target: str = "signed", horizon_days: int = 365
) -> Labels:
    """Label every pursuit as of a day.

    A pursuit is known to be 1 from the day on which it reached the target, or a later stage, within
    the horizon (days after first contact, that day included); 0 from the day on which it was lost
    before that, or else from the end of the horizon. Until then it is open; a paused pursuit is
    open. What happened after ``as_of`` is not looked at; what was recorded or corrected after it
    is, since offices enter old outcomes late.
    """
    days = stage_days(events.assign(firm=pursuit_keys(events)))
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
    known = until <= watched
    weights, capped = censoring_weights(np.minimum(until, watched), known)
    table = pd.DataFrame(
        {
            "firm": contacted.index.astype("str"),
            "contacted": contacted.to_numpy(),
            "label": np.where(known, (reached <= until).astype(float), np.nan),
            "days": np.minimum(until, watched),
            "weight": weights,
        }
    )
    return Labels(
        table=table, as_of=as_of, target=target, horizon_days=horizon_days,
        oldest_days=float(watched.max(initial=-1.0)), capped=capped,
        without_contact=int((~pursued).sum()), impossible=int((~possible).sum()),
    )  # fmt: skip


def _days_since(contacted: pd.Series, days: pd.Series) -> np.ndarray:
    since = (days - contacted).dt.days.to_numpy(dtype=float)
    return np.where((since < 0) & _may_be(days, contacted), 0.0, since)
