"""Outcomes, overrides and exclusions, each kept in one transaction with the firm's new place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete

from leadscore.errors import Detail
from leadscore.lists.outcomes import load_outcomes
from leadscore.store.audit import AuditTrail, Record
from leadscore.store.current_ranking import refresh
from leadscore.store.database import Database, StoreError, insert_rows, take_turns
from leadscore.store.firms import (
    EXCLUSIONS,
    OVERRIDES,
    Firm,
    firm_to_change,
    overrides_of,
    read_firm,
)
from leadscore.store.outcomes import (
    Admission,
    Entry,
    append_entries,
    entries_of,
    firms_with_outcomes,
    outcomes,
    outcomes_of,
    read_outcomes,
    validate_import,
)
from leadscore.text import Text, room_words

WORDS = room_words("store")

_BY_HAND = "firm page"  # source of outcomes that were entered for a firm of the store


class BadOutcomeError(StoreError):
    """An outcome that can't be."""

    code = "bad_outcome"


def enter_outcome(
    connection: Connection, firm_id: int, *, stage: str, day: date, reason: str | None,
    withdrawn: bool, actor: str, now: datetime, today: date,
) -> Entry:  # fmt: skip
    """Enter that a firm reached a stage on a day, or withdraw that it did; return the entry.

    An entry that stands already is returned as it is. The stage is one of
    `leadscore.lists.values.words.STAGES`; the reason says why the firm was lost or paused, or
    whatever else is to be said. Raises `UnknownFirmError`, and `BadOutcomeError` if the day is yet
    to come, or nothing is there to be withdrawn.
    """
    firm = firm_to_change(connection, firm_id)
    if day > today:
        wanted = WORDS["acts.past"].format(today=today.isoformat())
        raise BadOutcomeError(WORDS["acts.no_such"], [Detail("day", day.isoformat(), wanted)])
    entries = outcomes_of(connection, [firm]).get(firm.id, [])
    same = next((entry for entry in entries if entry.in_force and entry.stage == stage), None)
    if withdrawn and same is None:
        detail = Detail("stage", stage, WORDS["acts.not_there"])
        raise BadOutcomeError(WORDS["acts.no_such"], [detail])
    if not withdrawn and same is not None and (same.day, same.reason) == (day, reason):
        return same
    entry = {
        "credit_code": firm.credit_code, "name": firm.name, "former_names": None, "stage": stage,
        "day": day, "reason": reason, "withdrawn": withdrawn, "sheet": None, "row": 0, "file": "",
    }  # fmt: skip
    (number,) = append_entries(
        connection, [entry], source=_BY_HAND, actor=actor, now=now, firm_id=firm_id
    )
    refresh(connection, [firm_id], now=now)
    return Entry(
        number, stage, day, reason, withdrawn, now, actor, _BY_HAND, in_force=not withdrawn
    )


def override(
    connection: Connection, firm_id: int, values: Mapping[str, str], reason: str, *, version: int,
    actor: str, now: datetime,
) -> Firm:  # fmt: skip
    """Let other values count than the machine's, and return the firm.

    ``values`` are some of `firms.OVERRIDABLE`, in the place of whatever was overridden before; the
    others stay the machine's. ``version`` is that of the firm as it was looked at. Raises
    `UnknownFirmError` and `ChangedFirmError` as `firms.firm_to_change` does.
    """
    firm_to_change(connection, firm_id, version=version)
    before = overrides_of(connection, [firm_id]).get(firm_id)
    row = {
        "firm_id": firm_id, "values": dict(values), "reason": reason, "by": actor, "at": now,
        "version": before.version + 1 if before else 1,
    }  # fmt: skip
    return _replaced(connection, OVERRIDES, firm_id, [row], now)


def take_override_back(
    connection: Connection, firm_id: int, *, version: int, now: datetime
) -> Firm:
    """Let the machine's values count again, and return the firm; raises as `override`."""
    firm_to_change(connection, firm_id, version=version)
    return _replaced(connection, OVERRIDES, firm_id, [], now)


def exclude(
    connection: Connection, firm_id: int, reason: str, *, version: int, actor: str, now: datetime
) -> Firm:
    """Say that a firm is not to be courted, and return it; raises as `override`."""
    firm_to_change(connection, firm_id, version=version)
    row = {"firm_id": firm_id, "reason": reason, "by": actor, "at": now}
    return _replaced(connection, EXCLUSIONS, firm_id, [row], now)


def take_exclusion_back(
    connection: Connection, firm_id: int, *, version: int, now: datetime
) -> Firm:
    """Let a firm be courted again, and return it; raises as `override`."""
    firm_to_change(connection, firm_id, version=version)
    return _replaced(connection, EXCLUSIONS, firm_id, [], now)


def _replaced(
    connection: Connection, table: Table, firm_id: int, rows: list[dict[str, Any]], now: datetime
) -> Firm:
    gone = connection.execute(delete(table).where(table.c.firm_id == firm_id))
    insert_rows(connection, table, rows)
    if rows or gone.rowcount:
        refresh(connection, [firm_id], now=now)
    return read_firm(connection, firm_id)


@dataclass(frozen=True, eq=False)
class Intake(Admission):
    """What became of a file of outcomes: ``read = new + known + set_aside``.

    ``notices`` are what the owner should know of the file as a whole.
    """

    read: int
    set_aside: int
    notices: tuple[Text, ...]

    def sentence(self) -> Text:
        """Return the sum in words."""
        return WORDS["outcomes.sum"].format(
            read=self.read, new=len(self.new), known=self.known, set_aside=self.set_aside
        )


def take_in(
    path: Path, database: Database, *, today: date, now: datetime, actor: str, trail: AuditTrail
) -> Intake:
    """Read a file of outcomes and add to the store what is sound and not there yet.

    The history is read and added to in one transaction, with the audit record: of two who import a
    file at the same moment, the second finds all of it there. Days after ``today`` are not
    believed. Raises `ListError` if the file can't be read, or does not tell outcomes, and
    `StoreError` if the store can't be read or written; importing again adds what is missing.
    """
    listed = load_outcomes(path, today=today)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with database.write() as connection:
        take_turns(connection, outcomes)
        admission = validate_import(listed.entries, read_outcomes(connection), file=digest)
        new = entries_of(admission.new)
        append_entries(connection, new, source=path.name, actor=actor, now=now)
        if new:
            refresh(connection, firms_with_outcomes(connection), now=now)
        details = {"file": path.name, "new": len(new)}
        record = Record(actor, "administrator", "outcomes.import", details=details)
        trail.append(connection, record, now)
    problems = [*listed.problems, *admission.problems]
    problems.sort(key=lambda problem: (problem.sheet or "", problem.row or 0))
    aside = sum(problem.set_aside for problem in problems)
    whole = vars(admission) | {"problems": tuple(problems)}
    return Intake(**whole, read=listed.read, set_aside=aside, notices=listed.notices)
