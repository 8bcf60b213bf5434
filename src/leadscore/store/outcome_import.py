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

_Mask = NDArray[np.bool_]

# Stages that come more than once, as visits do: the first day is when the stage was reached.
_MAY_REPEAT = ("lead", "screened", *CONTACTS, "paused")
_STAGE = ["firm", "stage"]


@dataclass(frozen=True, eq=False)
class Admission:
    """What becomes of the entries of a file: each is new, known, or set aside in a problem.

    ``new`` entries join the history, with ``firm`` and ``file``, in the order to record them;
    ``known`` ones are there already, or stand in the file twice; ``superseded`` ones of the known
    came from this very file once and were corrected since, and are left as corrected; ``corrected``
    ones of the new give a day other than the one that was in force.
    """

    new: pd.DataFrame
    known: int
    superseded: int
    corrected: int
    problems: tuple[Problem, ...]


def admit(entries: pd.DataFrame, history: pd.DataFrame, *, file: str) -> Admission:
    """Decide which entries join the history; their order in the file decides nothing.

    The tables have the columns of `leadscore.lists.outcomes.ENTRY_COLUMNS` and of
    `leadscore.learning.history.EVENTS`. What came before from a ``file`` of this SHA-256 is known,
    even if it was corrected since.
    """
    of_history, of_entries = firm_keys(history, entries)
    history = history.assign(firm=of_history)
    left = entries.assign(firm=of_entries, file=file).reset_index(drop=True)
    left = left.sort_values(
        [*_STAGE, "day", "reason", "row"], na_position="first", ignore_index=True
    )
    problems: list[Problem] = []

    def reject(objections: pd.DataFrame) -> bool:
        """Take entries away, by their index; tell whether there were any."""
        nonlocal left
        wrong = left.loc[objections.index].to_dict("records")
        problems.extend(map(_problem, wrong, objections.to_dict("records")))
        left = left.drop(objections.index)
        return bool(len(objections))

    reject(_ambiguous(left, history))
    reject(_unsettled(left))
    known, superseded = _known(left, history)
    left = left[~known]
    day_in_force = _days_in_force(left, history)
    reject(_idle_withdrawals(left, day_in_force))
    left = left.assign(day=left["day"].fillna(day_in_force.reindex(left.index)))
    while reject(_contradicted(left, history)):
        pass  # without one entry another may stand alone
    new = left.sort_values("withdrawn", ascending=False, kind="stable", ignore_index=True)
    earlier = _days_in_force(new, history)
    moved = earlier.notna() & (earlier != new["day"])
    return Admission(new, int(known.sum()), superseded, int(moved.sum()), tuple(problems))


def _problem(entry: dict[Hashable, Any], objection: dict[Hashable, Any]) -> Problem:
    day, other = (
        f"{at:%Y-%m-%d}" if pd.notna(at) else "" for at in (entry["day"], objection["other_day"])
    )
    wanted = WORDS[f"outcome_import.wanted_{objection['code']}"].format(
        stage=STAGES[entry["stage"]],
        other_stage=STAGES.get(objection["other_stage"], ""),
        other_day=other,
    )
    firm = entry["name"] if pd.notna(entry["name"]) else entry["credit_code"]
    return Problem(
        row=int(entry["row"]),
        column=None,
        found=shown(f"{firm} {day}".strip(), 40),
        wanted=WORDS["outcome_import.not_imported"].format(wanted=wanted),
        code=objection["code"],
        sheet=entry["sheet"] if pd.notna(entry["sheet"]) else None,
        set_aside=True,
    )


def _objections(
    entries: pd.DataFrame, where: _Mask, code: str, other_day: pd.Series | None = None
) -> pd.DataFrame:
    other = pd.Series(pd.NaT, index=entries.index) if other_day is None else other_day
    found = pd.DataFrame({"code": code, "other_stage": "", "other_day": other}, index=entries.index)
    return found[where]


def _occurs(entries: pd.DataFrame, others: pd.DataFrame, columns: list[str]) -> _Mask:
    """Tell of each entry whether its values of some columns stand together in another table."""
    rows, theirs = (pd.MultiIndex.from_frame(table[columns]) for table in (entries, others))
    mask: _Mask = rows.isin(theirs)
    return mask


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
    days = entered.groupby(_STAGE)["day"]
    first, last = days.transform("min"), days.transform("max")
    repeats = entered["stage"].isin(_MAY_REPEAT)
    later = repeats & (entered["day"] > first)
    unclear = ~repeats & (first != last)
    other = last.where(entered["day"] == first, first)
    # A withdrawal is of what is there already, so that a new day may stand beside it.
    same = [*_STAGE, "day"]
    both = _occurs(entries, entered[same].merge(entries.loc[entries["withdrawn"], same]), same)
    found = pd.concat(
        [
            _objections(entries, both, "withdrawn_and_entered", entries["day"]),
            _objections(entered, later.to_numpy(), "later_again", first),
            _objections(entered, unclear.to_numpy(), "conflicting_days", other),
        ]
    )
    return found[~found.index.duplicated()]


def _known(entries: pd.DataFrame, history: pd.DataFrame) -> tuple[_Mask, int]:
    """Tell which entries add nothing, and how many of them were corrected since."""
    latest = history.drop_duplicates(_STAGE, keep="last")
    latest = latest[[*_STAGE, "day", "reason", "withdrawn"]]
    beside = entries[_STAGE].merge(latest, on=_STAGE, how="left")
    beside.index = entries.index
    # What is withdrawn need not say which day it was.
    same_day = (beside["day"] == entries["day"]) | (entries["withdrawn"] & entries["day"].isna())
    there = same_day & (beside["withdrawn"] == entries["withdrawn"])
    there &= entries["reason"].isna() | (beside["reason"] == entries["reason"])
    for name in IDENTIFIERS:
        there &= entries[name].isna() | _occurs(
            entries, history.dropna(subset=name), ["firm", name]
        )
    no_sheet = {"sheet": ""}
    from_here = _occurs(
        entries.fillna(no_sheet), history.fillna(no_sheet), ["file", "sheet", "row", "stage"]
    )
    again = entries.duplicated([*_STAGE, "day", "withdrawn", *IDENTIFIERS, "reason"])
    known: _Mask = there.to_numpy(dtype=bool) | from_here | again.to_numpy(dtype=bool)
    return known, int((from_here & ~same_day.to_numpy(dtype=bool)).sum())


def _days_in_force(entries: pd.DataFrame, history: pd.DataFrame) -> pd.Series:
    """Return the day that is in force for the firm and stage of each entry, missing if none."""
    present = in_force(history)[[*_STAGE, "day"]]
    days = entries[_STAGE].merge(present, on=_STAGE, how="left")["day"]
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
    entered = entered[~entered["withdrawn"]][["at", *_STAGE]]
    found = entered.merge(blamed, on=_STAGE).set_index("at")
    return found[["code", "other_stage", "other_day"]]


@dataclass(frozen=True, eq=False)
class Intake:
    """What became of a file of outcomes: ``read = new + known + set_aside``.

    ``superseded`` ones of the known came from this very file once and were corrected since;
    ``corrected`` ones of the new give a day other than the one that was in force. The ``new``
    entries have the columns of `leadscore.learning.history.EVENTS` but for those that the store
    fills. ``notices`` are what the owner should know of the file as a whole.
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
    moment, the second finds all of it there. Days after ``today`` are not believed. Raises
    `ListError` if the file can't be read, or does not tell outcomes, and `StoreError` if the store
    can't be read or written; importing again adds what is missing.
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
        problems=tuple(sorted(problems, key=lambda each: (each.sheet or "", each.row or 0))),
        notices=listed.notices,
    )
