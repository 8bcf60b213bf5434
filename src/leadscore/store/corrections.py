"""Corrections made and taken back: a dated fact, the firm scored by it, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.errors import Detail
from leadscore.features.catalogue import CATALOGUE
from leadscore.lists.cleaning import clean_records
from leadscore.lists.columns import column
from leadscore.lists.corrections import COLUMNS, CORRECTABLE, JUDGED
from leadscore.ranking.order import order_key
from leadscore.ranking.score import Scorer
from leadscore.store.current_ranking import STANDINGS, last_seen, veto_now
from leadscore.store.database import StoreError, insert_row
from leadscore.store.facts import (
    FACTS,
    Fact,
    corrections_of,
    facts_of,
)
from leadscore.store.firms import Firm, count_up, firm_to_change, read_firm, read_firms
from leadscore.store.scoring import KeptScore, applied, score_firms, write_scores
from leadscore.text import Text, room_words, shown

WORDS = room_words("store")

SOURCE = "correction"
"""Source of the facts that officers enter, and of the snapshots that they make."""
_GRADES = ("A", "B", "C", "D")
_MOST_SEGMENTS = 10
_LONGEST_USE = 100
_EXPORTED_AT_ONCE = 500
_TEXTS = (*CORRECTABLE["business"], "note")


class BadCorrectionError(StoreError):
    """A correction that can't be."""

    code = "bad_correction"


class UnknownCorrectionError(StoreError):
    """A number that no correction of the firm has, or one that was taken back already."""

    code = "unknown_correction"


def correct(
    connection: Connection, firm_id: int, values: Mapping[str, Any], reason: str, *, version: int,
    scorer: Scorer, actor: str, now: datetime, today: date,
) -> Firm:  # fmt: skip
    """Let other values count of a firm from today on, score it by them, and return it.

    ``values`` are by field, one of `COLUMNS` or `JUDGED`: of a column what a cell of a list would
    say, or None if it is not known after all; ``segments`` a list of ids, empty for none of the
    city's; ``reason`` the id of a feature. What was corrected of the same field before is taken
    back by it; what says the same as before leaves that as it stands. ``version`` is that of the
    firm as it was looked at. Raises `BadCorrectionError`, which says what is wanted,
    `UnknownFirmError` and `ChangedFirmError`.
    """
    firm = firm_to_change(connection, firm_id, version=version)
    read = {name: _read(name, value, firm, scorer, today) for name, value in values.items()}
    standing = facts_of(connection, [firm_id]).get(firm_id, [])
    standing_values = [(fact.field, fact.value) for fact in standing]
    new = {name: value for name, value in read.items() if (name, value) not in standing_values}
    if not new:
        return firm
    replaced = [
        fact.id
        for fact in standing
        if fact.field in new and (fact.field != "reason" or fact.value == new["reason"])
    ]
    _withdraw(connection, replaced, actor=actor, now=now)
    for name, value in new.items():
        insert_row(connection, FACTS, {
            "firm_id": firm_id, "field": name, "value": value, "valid_from": today,
            "recorded_at": now, "recorded_by": actor, "source": SOURCE, "reason": reason,
        })  # fmt: skip
    return _scored_anew(connection, firm, scorer, now=now, today=today)


def take_back(
    connection: Connection, firm_id: int, numbers: Collection[int], *, version: int,
    scorer: Scorer, actor: str, now: datetime, today: date,
) -> Firm:  # fmt: skip
    """Withdraw corrections of a firm, by their numbers, score it without, and return it.

    Raises `UnknownCorrectionError`, and as `correct`.
    """
    firm = firm_to_change(connection, firm_id, version=version)
    standing = {fact.id for fact in facts_of(connection, [firm_id]).get(firm_id, [])}
    for number in numbers:
        if number not in standing:
            raise UnknownCorrectionError(WORDS["corrections.unknown"].format(id=number))
    if not numbers:
        return firm
    _withdraw(connection, numbers, actor=actor, now=now)
    return _scored_anew(connection, firm, scorer, now=now, today=today)


def _withdraw(
    connection: Connection, numbers: Collection[int], *, actor: str, now: datetime
) -> None:
    if numbers:
        some = sa.update(FACTS).where(FACTS.c.id.in_(list(numbers)))
        connection.execute(some.values(withdrawn_at=now, withdrawn_by=actor))


def _scored_anew(
    connection: Connection, firm: Firm, scorer: Scorer, *, now: datetime, today: date
) -> Firm:
    corrections = corrections_of(connection, [firm.id], as_of=today)
    scored = score_firms(scorer, applied([firm], corrections), as_of=today)
    write_scores(
        connection, [firm], scored, last_seen(connection, [firm.id]), source=SOURCE, now=now
    )
    count_up(connection, [firm.id], now=now)
    return read_firm(connection, firm.id)


def _read(name: str, value: Any, firm: Firm, scorer: Scorer, today: date) -> Any:
    if name in COLUMNS:
        return None if value is None else _read_cell(name, value, firm, today)
    if name not in JUDGED:
        wanted = WORDS["corrections.a_field"].format(fields=", ".join((*JUDGED, *COLUMNS)))
        raise _bad(name, name, wanted)
    levels = CATALOGUE["role"].levels
    match name:
        case "segments":
            known = scorer.city.segments
            listed = list(dict.fromkeys(value)) if isinstance(value, list) else [value]
            if len(listed) <= _MOST_SEGMENTS and all(one in known for one in listed):
                return listed
            return _refuse(name, value, WORDS["corrections.segments"].format(most=_MOST_SEGMENTS))
        case "role" if value not in levels or value == "none":
            roles = Text(zh="、".join(words.zh for words in levels.values()),
                         en=", ".join(levels))  # fmt: skip
            return _refuse(name, value, WORDS["corrections.one_of"].format(values=roles))
        case "grade" if value not in _GRADES:
            return _refuse(name, value, WORDS["corrections.one_of"].format(values="A, B, C, D"))
        case "reason" if value not in CATALOGUE:
            return _refuse(name, value, WORDS["corrections.a_feature"])
        case "use":
            use = value.strip() if isinstance(value, str) else ""
            if not use or len(use) > _LONGEST_USE or "\0" in use:
                return _refuse(name, value, WORDS["corrections.use"].format(most=_LONGEST_USE))
            return use
    return value


def _read_cell(name: str, value: Any, firm: Firm, today: date) -> Any:
    # By the reader of the cells of a list, so that both mean the same.
    (clean,) = clean_records([{"name": firm.name, name: value}], today=today)
    problems = [problem for problem in clean.problems if problem.column in (name, None)]
    read = clean.firm.get(name)
    if read is None or problems:
        label, meaning = column(name).label, column(name).meaning
        wanted = WORDS["corrections.a_value"].format(label=label, meaning=meaning)
        if problems:  # of a list the cell would count as missing; here nothing is kept
            missing, told = WORDS["corrections.missing"], problems[0].wanted
            wanted = Text(told.zh.replace(missing.zh, ""), told.en.replace(missing.en, ""))
        raise _bad(name, value, wanted)
    return read.isoformat() if isinstance(read, date) else read


def _refuse(name: str, value: Any, wanted: Text) -> Any:
    raise _bad(name, value, wanted)


def _bad(name: str, value: Any, wanted: Text) -> BadCorrectionError:
    message = WORDS["corrections.bad"].format(wanted=wanted)
    return BadCorrectionError(message, [Detail(name, shown(str(value)), wanted)])


@dataclass(frozen=True, slots=True)
class MachineView:
    """What the machine says of a firm by itself, without what officers corrected.

    ``rank`` is where it would stand among the firms as they are, None if vetoed.
    """

    score: KeptScore
    rank: int | None


def machine_view(connection: Connection, firm: Firm, *, scorer: Scorer, today: date) -> MachineView:
    """Return what a firm that was corrected would be without that; nothing is kept of it."""
    (kept,) = score_firms(scorer, [firm.record], as_of=today)
    at, row = STANDINGS.c, kept.row
    standing = sa.select(at.stage, at.excluded).where(at.firm_id == firm.id)
    stage, excluded = connection.execute(standing).one_or_none() or (None, False)
    if veto_now(row["veto"], stage, excluded=excluded) is not None:
        return MachineView(kept, None)
    key = order_key(
        vetoed=False, priority=row["priority"], likelihood=row["likelihood"], fit=row["fit"],
        name=firm.name, credit_code=firm.credit_code,
    )  # fmt: skip
    before = sa.select(sa.func.count()).where(
        at.vetoed.is_(False), at.order_key < key, at.firm_id != firm.id
    )
    return MachineView(kept, connection.execute(before).scalar_one() + 1)


def between(facts: Sequence[Fact], older: datetime, newer: datetime) -> list[tuple[Fact, bool]]:
    """Return the facts that began to count after one moment and up to another, or ceased to.

    Each comes with whether it began. What began and ceased in between has changed nothing.
    """
    changes = []
    for fact in facts:
        counted = fact.recorded_at <= older and not _over(fact, older)
        counts = fact.recorded_at <= newer and not _over(fact, newer)
        if counted != counts:
            changes.append((fact, counts))
    return changes


def _over(fact: Fact, moment: datetime) -> bool:
    return fact.withdrawn_at is not None and fact.withdrawn_at <= moment


_SAID_BY_MACHINE = ("segment", "role", "segments", "words", "model")


def labelled_examples(
    connection: Connection, *, scorer: Scorer, today: date
) -> Iterator[dict[str, Any]]:
    """Yield what officers said of segments, roles and uses as labelled examples, the oldest first.

    Each has ``correction``, ``firm`` (number, name and code), ``text`` (what its lists say of its
    business, by column), ``machine`` (what the machine says by itself today: segment and role of
    the best match, all ``segments``, ``words``, ``model``), ``officer`` (``field`` and ``value``),
    ``reason``, ``by``, ``on``, and ``withdrawn_on``, None while it counts.
    """
    of_business = FACTS.c.field.in_(("segments", "role", "use"))
    query = sa.select(FACTS).where(of_business).order_by(FACTS.c.id)
    facts = [Fact(*row) for row in connection.execute(query)]
    for start in range(0, len(facts), _EXPORTED_AT_ONCE):
        some = facts[start : start + _EXPORTED_AT_ONCE]
        firms = read_firms(connection, {fact.firm_id for fact in some})
        scored = score_firms(scorer, [firm.record for firm in firms.values()], as_of=today)
        of_firm = dict(zip(firms, scored, strict=True))
        for fact in some:
            firm, row = firms[fact.firm_id], of_firm[fact.firm_id].row
            over = fact.withdrawn_at
            yield {
                "correction": fact.id,
                "firm": {"id": firm.id, "name": firm.name, "credit_code": firm.credit_code},
                "text": {name: firm.record[name] for name in _TEXTS if name in firm.record},
                "machine": {name: row[name] for name in _SAID_BY_MACHINE},
                "officer": {"field": fact.field, "value": fact.value},
                "reason": fact.reason, "by": fact.recorded_by, "on": fact.valid_from.isoformat(),
                "withdrawn_on": over and over.date().isoformat(),
            }  # fmt: skip
