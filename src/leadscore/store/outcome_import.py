"""Outcome import: a file of outcomes is held against the history, and what can be true is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.learning.history import CONTACTS, IDENTIFIERS, contradictions, firm_keys, in_force
from leadscore.lists.dedupe import normal_name
from leadscore.lists.outcomes import load_outcomes
from leadscore.lists.problems import Problem, shown
from leadscore.lists.values.words import STAGES
from leadscore.store.current_ranking import place_again
from leadscore.store.database import Database, take_turns
from leadscore.store.outcomes import (
    append_entries,
    entries_of,
    firms_with_outcomes,
    outcomes,
    read_outcomes,
)
from leadscore.text import Text, room_words

WORDS = room_words("store")

Mask = NDArray[np.bool_]

_SHOWN = 40
_MAY_REPEAT = ("lead", "screened", *CONTACTS, "paused")
"""Stages that come more than once, as visits do: the first day is when the stage was reached."""

_ORDER = ["firm", "stage", "day", "reason", "row"]

WANTED = {
    "ambiguous_firm": WORDS["outcome_import.wanted_ambiguous_firm"],
    "later_again": WORDS["outcome_import.wanted_later_again"],
    "conflicting_days": WORDS["outcome_import.wanted_conflicting_days"],
    "withdrawn_and_entered": WORDS["outcome_import.wanted_withdrawn_and_entered"],
    "nothing_to_withdraw": WORDS["outcome_import.wanted_nothing_to_withdraw"],
    "other_day_withdrawn": WORDS["outcome_import.wanted_other_day_withdrawn"],
    "after_loss": WORDS["outcome_import.wanted_after_loss"],
    "lost_before": WORDS["outcome_import.wanted_lost_before"],
    "before_contact": WORDS["outcome_import.wanted_before_contact"],
    "after_outcome": WORDS["outcome_import.wanted_after_outcome"],
}
"""What is wanted of an entry, by the code of the problem."""


@dataclass(frozen=True, eq=False)
class Admission:
    """What becomes of the entries of a file: each is new, known, or set aside in a problem.

    ``new``: entries that join the history, with ``firm`` and ``file``, in the order to record them;
    ``known``: how many are there already, or stand in the file twice; ``superseded``: how many of
    the known ones came from this very file once and were corrected since; they are left as
    corrected; ``corrected``: how many of the new ones give a day other than the one that was in
    force; ``problems``: one for each entry that is set aside.
    """

    new: pd.DataFrame
    known: int
    superseded: int
    corrected: int
    problems: tuple[Problem, ...]


def admit(entries: pd.DataFrame, history: pd.DataFrame, *, file: str) -> Admission:
    """Decide which entries join the history; their order in the file decides nothing.

    ``entries``: columns of `leadscore.lists.outcomes.ENTRY_COLUMNS`; ``history``: columns of
    `leadscore.learning.history.EVENTS`; ``file``: SHA-256 of the file that the entries come from:
    what came from these very bytes before is known, even if it was corrected since.
    """
    of_history, of_entries = firm_keys(history, entries)
    history = history.assign(firm=of_history)
    left = entries.assign(firm=of_entries, file=file).reset_index(drop=True)
    left = left.sort_values(_ORDER, na_position="first", ignore_index=True)
    desk = _Desk(left)
    desk.set_aside(_ambiguous(desk.left, history))
    desk.set_aside(_unsettled(desk.left))
    latest = history.drop_duplicates(["firm", "stage"], keep="last")
    known, superseded = _known(desk.left, history, latest)
    desk.left = desk.left[~known]
    held = _held(desk.left, in_force(history))
    desk.set_aside(_idle_withdrawals(desk.left, held))
    desk.left = desk.left.assign(day=desk.left["day"].fillna(held.reindex(desk.left.index)))
    while desk.set_aside(_contradicted(desk.left, history)):
        pass  # without one entry another may stand alone
    new = desk.left.sort_values("withdrawn", ascending=False, kind="stable", ignore_index=True)
    earlier = _held(new, in_force(history))
    moved = earlier.notna() & (earlier != new["day"])
    return Admission(new, int(known.sum()), superseded, int(moved.sum()), tuple(desk.problems))


class _Desk:
    """The entries that nothing speaks against so far, and the problems of the others."""

    def __init__(self, entries: pd.DataFrame) -> None:
        self.left = entries
        self.problems: list[Problem] = []

    def set_aside(self, objections: pd.DataFrame) -> bool:
        """Take entries away; return whether there were any.

        ``objections``: index: that of the entries; columns ``code``, ``other_stage``,
        ``other_day``.
        """
        wrong = self.left.loc[objections.index]
        self.problems += [
            _problem(entry, objection)
            for entry, objection in zip(
                wrong.to_dict("records"), objections.to_dict("records"), strict=True
            )
        ]
        self.left = self.left.drop(objections.index)
        return bool(len(objections))


def _problem(entry: dict[Hashable, Any], objection: dict[Hashable, Any]) -> Problem:
    day, other = (
        f"{at:%Y-%m-%d}" if pd.notna(at) else "" for at in (entry["day"], objection["other_day"])
    )
    wanted = WANTED[objection["code"]].format(
        stage=STAGES[entry["stage"]],
        other_stage=STAGES.get(objection["other_stage"], ""),
        other_day=other,
    )
    firm = entry["name"] if pd.notna(entry["name"]) else entry["credit_code"]
    return Problem(
        row=int(entry["row"]),
        column=None,
        found=shown(f"{firm} {day}".strip(), _SHOWN),
        wanted=WORDS["outcome_import.not_imported"].format(wanted=wanted),
        code=objection["code"],
        sheet=entry["sheet"] if pd.notna(entry["sheet"]) else None,
        set_aside=True,
    )


def _objections(
    entries: pd.DataFrame, where: Mask, code: str, other_day: pd.Series | None = None
) -> pd.DataFrame:
    other = pd.Series(pd.NaT, index=entries.index) if other_day is None else other_day
    found = pd.DataFrame({"code": code, "other_stage": "", "other_day": other}, index=entries.index)
    return found[where]


def _ambiguous(entries: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Object to entries by a name alone that several codes bear."""
    both = pd.concat([history[list(IDENTIFIERS)], entries[list(IDENTIFIERS)]])
    both = both[both["credit_code"].notna() & both["name"].notna()].drop_duplicates()
    pairs = pd.DataFrame({"name": normal_name(both["name"]), "code": both["credit_code"]})
    pairs = pairs.drop_duplicates()
    several = pairs["name"][pairs["name"].duplicated()]
    loose = entries["credit_code"].isna() & normal_name(entries["name"]).isin(several)
    return _objections(entries, loose.to_numpy(dtype=bool), "ambiguous_firm")


def _unsettled(entries: pd.DataFrame) -> pd.DataFrame:
    """Object to entries for one firm and stage that the file itself gives in several ways."""
    entered = entries[~entries["withdrawn"]]
    days = entered.groupby(["firm", "stage"])["day"]
    first, last = days.transform("min"), days.transform("max")
    repeats = entered["stage"].isin(_MAY_REPEAT)
    later = repeats & (entered["day"] > first)
    unclear = ~repeats & (first != last)
    other = last.where(entered["day"] == first, first)
    # A withdrawal is of what is there already, so that a new day may stand beside it.
    same = ["firm", "stage", "day"]
    pairs = entered[same].merge(entries.loc[entries["withdrawn"], same]).drop_duplicates()
    both = pd.MultiIndex.from_frame(entries[same]).isin(pd.MultiIndex.from_frame(pairs))
    found = pd.concat(
        [
            _objections(entries, both, "withdrawn_and_entered", entries["day"]),
            _objections(entered, later.to_numpy(), "later_again", first),
            _objections(entered, unclear.to_numpy(), "conflicting_days", other),
        ]
    )
    return found[~found.index.duplicated()]


def _known(entries: pd.DataFrame, history: pd.DataFrame, latest: pd.DataFrame) -> tuple[Mask, int]:
    """Tell which entries add nothing, and how many of them were corrected since."""
    beside = entries[["firm", "stage"]].merge(
        latest[["firm", "stage", "day", "reason", "withdrawn"]], on=["firm", "stage"], how="left"
    )
    beside.index = entries.index
    # What is withdrawn need not say which day it was.
    same_day = (beside["day"] == entries["day"]) | (entries["withdrawn"] & entries["day"].isna())
    there = same_day & (beside["withdrawn"] == entries["withdrawn"])
    there &= entries["reason"].isna() | (beside["reason"] == entries["reason"])
    for name in IDENTIFIERS:
        told = pd.MultiIndex.from_frame(history[["firm", name]].dropna().drop_duplicates())
        there &= entries[name].isna() | pd.MultiIndex.from_frame(entries[["firm", name]]).isin(told)
    place = ["file", "sheet", "row", "stage"]
    places = pd.MultiIndex.from_frame(history[place].fillna({"sheet": ""}))
    from_here = pd.MultiIndex.from_frame(entries[place].fillna({"sheet": ""})).isin(places)
    again = entries.duplicated(
        ["firm", "stage", "day", "withdrawn", *IDENTIFIERS, "reason"]
    ).to_numpy(dtype=bool)
    known: Mask = there.to_numpy(dtype=bool) | from_here | again
    return known, int((from_here & ~same_day.to_numpy(dtype=bool)).sum())


def _held(entries: pd.DataFrame, held: pd.DataFrame) -> pd.Series:
    """Return the day that is in force for the firm and stage of each entry, missing if none."""
    days = entries[["firm", "stage"]].merge(
        held[["firm", "stage", "day"]], on=["firm", "stage"], how="left"
    )["day"]
    days.index = entries.index
    return days.astype("datetime64[us]")


def _idle_withdrawals(entries: pd.DataFrame, held: pd.Series) -> pd.DataFrame:
    """Object to withdrawals of what is not there."""
    withdrawn = entries["withdrawn"]
    other = withdrawn & held.notna() & entries["day"].notna() & (held != entries["day"])
    return pd.concat(
        [
            _objections(entries, (withdrawn & held.isna()).to_numpy(), "nothing_to_withdraw"),
            _objections(entries, other.to_numpy(), "other_day_withdrawn", held),
        ]
    )


def _contradicted(entries: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Object to entries that would make a history impossible."""
    blamed = contradictions(history, entries.sort_values("withdrawn", ascending=False))
    entered = entries.reset_index(names="at")
    entered = entered[~entered["withdrawn"]][["at", "firm", "stage"]]
    found = entered.merge(blamed, on=["firm", "stage"]).set_index("at")
    return found[["code", "other_stage", "other_day"]]


@dataclass(frozen=True, eq=False)
class Intake:
    """What became of a file of outcomes: ``read = new + known + set_aside``.

    ``read``, ``known``, ``set_aside``: numbers of entries; ``superseded``: how many of the known
    ones came from this very file once and were corrected since; ``corrected``: how many of the new
    ones give a day other than the one that was in force; ``new``: the entries that joined the
    history; columns of `leadscore.learning.history.EVENTS` but for those that the store fills;
    ``problems``: everything that could not be taken as it stood; ``notices``: what the owner should
    know of the file as a whole.
    """

    read: int
    known: int
    set_aside: int
    superseded: int
    corrected: int
    new: pd.DataFrame
    problems: tuple[Problem, ...]
    notices: tuple[Text, ...]

    def sentence(self) -> Text:
        """Return the sum in words."""
        return WORDS["outcome_import.sum"].format(
            read=self.read, new=len(self.new), known=self.known, set_aside=self.set_aside
        )


def take_in(path: Path, database: Database, *, today: date, now: datetime, actor: str) -> Intake:
    """Read a file of outcomes and add to the store what is sound and not there yet.

    The history is read and added to in one transaction: of two who import a file at the same
    moment, the second finds all of it there.

    ``path``: the file, as `leadscore.lists.outcomes.load_outcomes` takes it; ``database``: where
    the history is kept; ``today``: days after it are not believed; ``now``: when the entries are
    recorded; with a time zone.
    Raises `ListError` if the file can't be read, or does not tell outcomes, and `StoreError` if the
    store can't be read or written; importing again adds what is missing.
    """
    listed = load_outcomes(path, today=today)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with database.write() as connection:
        take_turns(connection, outcomes)
        admission = admit(listed.entries, read_outcomes(connection), file=digest)
        new = entries_of(admission.new)
        append_entries(connection, new, source=path.name, actor=actor, now=now)
        if new:
            place_again(connection, firms_with_outcomes(connection), now=now)
    problems = (*listed.problems, *admission.problems)
    return Intake(
        read=listed.read,
        known=admission.known,
        set_aside=sum(problem.set_aside for problem in problems),
        superseded=admission.superseded,
        corrected=admission.corrected,
        new=admission.new,
        problems=tuple(sorted(problems, key=_place)),
        notices=listed.notices,
    )


def _place(problem: Problem) -> tuple[str, int]:
    return problem.sheet or "", problem.row or 0
