"""Outcomes and exclusions, each kept in one transaction with the firm's new place."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Table, delete, select

from leadscore.errors import Detail, ListError
from leadscore.learning.history import OUTCOMES, firm_keys
from leadscore.lists.outcomes import Instructions, OutcomeList, load_outcomes
from leadscore.lists.values.words import without_personal
from leadscore.store.audit import AuditTrail, Record
from leadscore.store.current_ranking import STANDINGS, refresh
from leadscore.store.database import Database, StoreError, insert_rows, take_turns
from leadscore.store.firms import (
    EXCLUSIONS,
    Firm,
    firm_to_change,
    read_firm,
)
from leadscore.store.outcomes import (
    Admission,
    Entry,
    append_entries,
    entries_of,
    firms_with_outcomes,
    keep_milestones,
    keep_template,
    outcomes,
    outcomes_of,
    read_outcomes,
    templates_of,
    validate_import,
)
from leadscore.store.pursuits import (
    change_pursuit,
    open_pursuit,
    pursuits_of,
    terminal_stages,
)
from leadscore.store.ranking import ranks
from leadscore.text import Text, room_words, shown

WORDS = room_words("store")

_LEDGERS = "outcomes"  # kind of the templates by which files of outcomes are read
_BY_HAND = "firm page"  # source of outcomes that were entered for a firm of the store


class BadOutcomeError(StoreError):
    """An outcome that can't be."""

    code = "bad_outcome"


def enter_outcome(
    connection: Connection, firm_id: int, *, stage: str, day: date, reason: str | None,
    withdrawn: bool, actor: str, now: datetime, today: date,
) -> Entry:  # fmt: skip
    """Enter that a firm reached a stage on a day, or withdraw that it did; return the entry.

    It belongs to the pursuit that is open; to the last one if that had not ended on the day, or is
    what ended it; else to a new one. An entry that stands already is returned as it is. The stage
    is one of `leadscore.lists.values.words.STAGES`; the reason says why the firm was lost or
    paused, or whatever else is to be said. Raises `UnknownFirmError`, and `BadOutcomeError` if the
    day is yet to come, or nothing is there to be withdrawn.
    """
    firm = firm_to_change(connection, firm_id)
    if day > today:
        wanted = WORDS["acts.past"].format(today=today.isoformat())
        raise BadOutcomeError(WORDS["acts.no_such"], [Detail("day", day.isoformat(), wanted)])
    held = [entry for entry in outcomes_of(connection, [firm]).get(firm.id, []) if entry.in_force]
    reached = [entry for entry in held if entry.stage == stage]
    if withdrawn and not reached:
        detail = Detail("stage", stage, WORDS["acts.not_there"])
        raise BadOutcomeError(WORDS["acts.no_such"], [detail])
    pursuit, again = _pursuit_on(connection, firm, stage, day)
    if withdrawn:
        pursuit, again = reached[-1].pursuit, False
    elif not again:
        for same in reached:
            if (same.pursuit, same.day, same.reason) == (pursuit, day, reason):
                return same
    if pursuit is None or again:
        known = _known_now(connection, firm) | {"owner": _person(actor)}
        pursuit = open_pursuit(connection, firm.id, day, by=actor, now=now, **known)
    entry = {
        "credit_code": firm.credit_code, "name": firm.name, "former_names": None, "stage": stage,
        "day": day, "reason": reason, "withdrawn": withdrawn, "sheet": None, "row": 0, "file": "",
    }  # fmt: skip
    (number,) = append_entries(
        connection, [entry], source=_BY_HAND, actor=actor, now=now, firm_id=firm_id,
        pursuit_id=pursuit,
    )  # fmt: skip
    refresh(connection, [firm_id], now=now)
    entries = outcomes_of(connection, [firm])[firm.id]
    return next(entry for entry in entries if entry.entry == number)


def _pursuit_on(
    connection: Connection, firm: Firm, stage: str, day: date
) -> tuple[int | None, bool]:
    # The last pursuit, None if there was none; and whether another one has begun since its end.
    last = pursuits_of(connection, [firm.id]).get(firm.id, [])[-1:]
    ending = terminal_stages(connection)
    ended = last[0].closed if last else None
    again = ended is not None and day > ended and stage not in ending
    return (last[0].id if last else None), again


def _person(actor: str) -> str | None:
    # Whoever records the first outcome has the firm in hand, unless a program does it.
    return None if actor == "cli" or actor.startswith("key:") else actor


def pursue(
    connection: Connection, firm_id: int, fields: Mapping[str, Any], *, version: int, actor: str,
    now: datetime, today: date,
) -> Firm:  # fmt: skip
    """Say who has a firm in hand and what comes next (`owner`, `next_step`, `next_step_on`).

    The pursuit is the last one, also if it has ended: a lost firm may be asked again. Where there
    is none yet it begins today. Returns the firm; raises `UnknownFirmError` and `ChangedFirmError`
    as `firms.firm_to_change` does.
    """
    firm = firm_to_change(connection, firm_id, version=version)
    last = pursuits_of(connection, [firm_id]).get(firm_id, [])[-1:]
    if last:
        change_pursuit(connection, last[0].id, **fields)
    else:
        known = {"owner": _person(actor)} | _known_now(connection, firm) | dict(fields)
        open_pursuit(connection, firm_id, today, by=actor, now=now, **known)
    refresh(connection, [firm_id], now=now)
    return read_firm(connection, firm_id)


def _known_now(connection: Connection, firm: Firm) -> dict[str, Any]:
    # What the office has before it when a pursuit begins.
    query = select(STANDINGS.c.list_id, STANDINGS.c.model, STANDINGS.c.score_id)
    standing = connection.execute(query.where(STANDINGS.c.firm_id == firm.id)).one_or_none()
    rank = ranks(connection, [firm.id]).get(firm.id)
    return {**(standing._asdict() if standing else {}), "rank": rank}


def exclude(
    connection: Connection, firm_id: int, reason: str, *, version: int, actor: str, now: datetime
) -> Firm:
    """Say that a firm is not to be courted, and return it.

    ``version`` is that of the firm as it was looked at. Raises `UnknownFirmError` and
    `ChangedFirmError` as `firms.firm_to_change` does.
    """
    firm_to_change(connection, firm_id, version=version)
    row = {"firm_id": firm_id, "reason": reason, "by": actor, "at": now}
    return _replaced(connection, EXCLUSIONS, firm_id, [row], now)


def take_exclusion_back(
    connection: Connection, firm_id: int, *, version: int, now: datetime
) -> Firm:
    """Let a firm be courted again, and return it; raises as `exclude`."""
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

    ``notices`` are what the owner should know of the file as a whole, ``milestones`` how many were
    kept beside the stages. ``listed`` is the file as it was read; of ``losses`` are also the rows
    set aside that may tell one.
    """

    read: int
    set_aside: int
    milestones: int
    notices: tuple[Text, ...]
    listed: OutcomeList

    def sentence(self, *, dry: bool = False) -> Text:
        """Return the sum in words; ``dry`` if nothing was written."""
        words = WORDS["outcomes.sum_dry"] if dry else WORDS["outcomes.sum"]
        return words.format(
            read=self.read, new=len(self.new), known=self.known, set_aside=self.set_aside
        )

    @property
    def tally(self) -> dict[str, int]:
        """What the file holds, in numbers: entries, and firms by what they came to."""
        entries = self.listed.entries
        (firm,) = firm_keys(entries)
        stage = entries["stage"]
        won, lost = (
            firm[stage.isin(stages) & ~entries["withdrawn"]] for stages in (OUTCOMES, ["lost"])
        )
        return {
            "read": self.read, "new": len(self.new), "known": self.known,
            "set_aside": self.set_aside, "milestones": self.milestones,
            "superseded": self.superseded, "corrected": self.corrected,
            "withdrawn": int(entries["withdrawn"].sum()), "firms": int(firm.nunique()),
            "won": int(won.nunique()), "lost": int(lost.nunique()), "losses": len(self.losses),
        }  # fmt: skip


class UnsettledError(ListError):
    """A file of outcomes of which losses might fall out, since not all of it is understood."""


class Load(Protocol):
    """What reads a file of outcomes, as `leadscore.lists.outcomes.load_outcomes` does."""

    def __call__(self, path: Path, *, today: date, said: Instructions | None) -> OutcomeList:
        """Return the file as it is read; a ListError if it can't be."""
        ...


def take_in(
    path: Path, database: Database, *, today: date, now: datetime, actor: str, trail: AuditTrail,
    said: Instructions | None = None, remembered: bool = True, skip_rows: bool = False,
    dry: bool = False, role: str = "administrator", load: Load = load_outcomes,
    settle: Callable[[Connection, Intake], object] = lambda *_: None,
) -> Intake:  # fmt: skip
    """Read a file of outcomes and add to the store what is sound and not there yet.

    The history is read and added to in one transaction, with the audit record and with what was
    ``said`` of the file, which the next file with the same headers is read by if it is
    ``remembered``: of two who import a file at the same moment, the second finds all of it there.
    Days after ``today`` are not believed. A ``dry`` run writes nothing. ``role`` is that of the
    actor; ``load`` reads the file, ``settle`` is called with what was added, in its transaction.

    Raises `ListError` if the file can't be read, or does not tell outcomes, `UnsettledError` if a
    word of stages or a column is not understood, or if rows that tell a loss can't be taken and
    are not to be skipped (``skip_rows``), and `StoreError` if the store can't be read or written;
    importing again adds what is missing.
    """
    said = said or Instructions()
    with database.read() as connection:
        templates = templates_of(connection, _LEDGERS) if remembered else []
    listed = load(path, today=today, said=replace(said, templates=templates))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()

    def admitted(connection: Connection) -> Intake:
        history = read_outcomes(connection)
        admission = validate_import(listed.entries, history, file=digest)
        problems = [*listed.problems, *admission.problems]
        problems.sort(key=lambda problem: (problem.sheet or "", problem.row or 0))
        aside = sum(problem.set_aside for problem in problems)
        whole = vars(admission) | {
            "problems": tuple(problems), "losses": (*listed.endings, *admission.losses),
        }  # fmt: skip
        return Intake(
            **whole, read=listed.read - len(listed.milestones), set_aside=aside, listed=listed,
            milestones=len(listed.milestones), notices=listed.notices,
        )  # fmt: skip

    if dry:
        with database.read() as connection:
            return admitted(connection)
    with database.write() as connection:
        take_turns(connection, outcomes)
        intake = admitted(connection)
        _check_settled(path, intake, skip_rows=skip_rows)
        new = entries_of(intake.new)
        append_entries(connection, new, source=path.name, actor=actor, now=now)
        keep_milestones(
            connection, listed.milestones, file=digest, source=path.name, actor=actor, now=now
        )
        if listed.template.mapping or listed.template.stages:
            keep_template(connection, _LEDGERS, listed.template, actor=actor, now=now)
        if new:
            refresh(connection, firms_with_outcomes(connection), now=now)
        details = {"file": path.name, "new": len(new)}
        for name in ("mapping", "stages"):
            if given := dict(getattr(listed.template, name)):
                details[name] = given
        record = Record(actor, role, "outcomes.import", details=details)
        trail.append(connection, record, now)
        settle(connection, intake)
    return intake


def _check_settled(path: Path, intake: Intake, *, skip_rows: bool) -> None:
    listed, details = intake.listed, []
    for word, header, count in listed.unknown:
        wanted = WORDS["outcomes.say_stage"].format(word=_quoted(word), count=count)
        details.append(Detail(header, shown(without_personal(word)), wanted))
    for header in listed.unsure:
        wanted = WORDS["outcomes.say_column"].format(header=_quoted(header))
        details.append(Detail(path.name, shown(header), wanted))
    if not skip_rows:
        for problem in intake.losses:
            row = WORDS["outcomes.row_of_sheet"] if problem.sheet else WORDS["outcomes.row"]
            where = row.format(row=problem.row, sheet=problem.sheet)
            wanted = WORDS["outcomes.lost_row"].format(where=where, wanted=problem.wanted)
            details.append(Detail(problem.column or "", problem.found, wanted))
    if details:
        raise UnsettledError(WORDS["outcomes.unsettled"].format(file=path.name), details)


def _quoted(word: str) -> str:
    # As a shell takes it.
    plain = " ".join(without_personal(word).split())
    return plain if re.fullmatch(r"[\w./-]+", plain) else shlex.quote(plain)
