"""Undoes the import of a list: what it alone brought goes, and firms are as without it again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.ranking.score import Scorer
from leadscore.store.contributions import Known, contributions_of, filled, known_without
from leadscore.store.current_ranking import FIRM_SEGMENTS, STANDING_TEXTS, STANDINGS
from leadscore.store.database import METADATA, in_parts, one_of_some, rows_of_some
from leadscore.store.facts import FACTS
from leadscore.store.firms import (
    FIRMS,
    Firm,
    merged_into,
    read_firms,
    rewrite_firm,
)
from leadscore.store.list_import import LIST_FAILED_ROWS
from leadscore.store.lists import (
    LIST_FIRMS,
    LIST_PROBLEMS,
    LISTS,
    OPEN,
    BusyListError,
    KeptList,
    read_kept_list,
)
from leadscore.store.merging import last_listed
from leadscore.store.outcomes import firms_with_outcomes
from leadscore.store.scoring import score_anew
from leadscore.text import room_words

WORDS = room_words("store")

_SOURCE = "undone import"  # of the snapshots that are left when a list has gone
_AT_ONCE = 5_000  # firms that are looked at together, to be counted


class Undoing(NamedTuple):
    """What becomes of the firms of a list when its import is undone.

    ``gone`` are known from this list alone and go with it; ``kept`` are, too, but officers have
    worked with them, so they stay as they are; ``back`` are known otherwise, and go back to what is
    known without the list.
    """

    gone: int
    kept: int
    back: int

    @property
    def firms(self) -> int:
        """All firms of the list."""
        return self.gone + self.kept + self.back


def ask_undo(connection: Connection, list_id: int, *, actor: str, now: datetime) -> KeptList:
    """Let a list count as undone from now on, and return it as it was.

    What it has brought goes by `undo_portion`. Raises `UnknownListError`, and `BusyListError` if it
    is still being taken in, or has been undone.
    """
    connection.execute(sa.select(LISTS.c.id).where(LISTS.c.id == list_id).with_for_update())
    kept = read_kept_list(connection, list_id)
    if kept.state in OPEN:
        raise BusyListError(WORDS["list_undo.busy"].format(name=kept.file_name))
    if kept.state == "undone":
        words = WORDS["list_undo.undone"]
        raise BusyListError(words.format(name=kept.file_name, by=kept.undone_by or "-"))
    if kept.state != "undoing":
        same = sa.update(LISTS).where(LISTS.c.id == list_id)
        connection.execute(same.values(undone_at=now, undone_by=actor))
    return kept


def foreseen(connection: Connection, list_id: int) -> Undoing:
    """Count what would become of the firms of a list if its import were undone now."""
    pursued = set(firms_with_outcomes(connection))
    gone = kept = back = 0
    for numbers in _members(connection, list_id):
        of_firm = _judged(connection, list_id, numbers, pursued)
        for known, worked_on in of_firm.values():
            back += known
            kept += not known and worked_on
            gone += not known and not worked_on
    return Undoing(gone, kept, back)


def _members(connection: Connection, list_id: int) -> Iterator[list[int]]:
    at, last = LIST_FIRMS.c, 0
    query = sa.select(at.firm_id).where(at.list_id == list_id).order_by(at.firm_id).limit(_AT_ONCE)
    while numbers := connection.scalars(query.where(at.firm_id > last)).all():
        yield list(numbers)
        last = numbers[-1]


def _judged(
    connection: Connection, list_id: int, numbers: Collection[int], pursued: Collection[int]
) -> dict[int, tuple[bool, bool]]:
    # Of each firm whether it is known without the list, and whether anybody worked with it.
    firms = read_firms(connection, numbers)
    of_list = {firm.merged_into or firm.id for firm in firms.values()}
    firms = read_firms(connection, of_list)
    merged = merged_into(connection, of_list)
    group = {other.id: number for number in of_list for other in merged.get(number, ())}
    group |= {number: number for number in of_list}
    at = LIST_FIRMS.c
    others = sa.select(at.firm_id).where(at.firm_id.in_(one_of_some()), at.list_id != list_id)
    named = {group[row[0]] for row in rows_of_some(connection, others, group)}
    own = sa.select(at.firm_id, at.replaced).where(
        at.firm_id.in_(one_of_some()), at.list_id == list_id, at.replaced.is_not(None)
    )
    named |= {group[row.firm_id] for row in rows_of_some(connection, own, group)}
    named |= {
        number
        for number, firm in firms.items()
        if any(origin["list"] is None for origin in firm.origins.values())
    }
    worked_on = {group[number] for number in _worked_on(connection, list_id, group)}
    worked_on |= {group[number] for number in pursued if number in group}
    worked_on |= merged.keys()
    return {number: (number in named, number in worked_on) for number in of_list}


_DERIVED = frozenset(
    {
        "firms", "scores", "standings", "standing_texts", "firm_segments", "former_names",
        "list_firms", "selection_firms", "bulk_act_firms",
    }
)  # fmt: skip
"""Tables about firms that hold no work of anybody."""


def _worked_on(connection: Connection, list_id: int, firm_ids: Iterable[int]) -> set[int]:
    # Whatever table names a firm beside those that are derived holds what somebody did with it.
    numbers, worked_on = list(firm_ids), set[int]()
    for table in METADATA.sorted_tables:
        if table.name in _DERIVED:
            continue
        for column in table.c:
            if not any(key.target_fullname == "firms.id" for key in column.foreign_keys):
                continue
            query = sa.select(column).where(column.in_(one_of_some())).distinct()
            if table is FACTS:
                of_list = FACTS.c.list_id.is_distinct_from(list_id)
                query = query.where(FACTS.c.withdrawn_at.is_(None), of_list)
            worked_on.update(row[0] for row in rows_of_some(connection, query, numbers))
    return worked_on


def undo_portion(
    connection: Connection, list_id: int, size: int, *, scorer: Scorer, today: date, now: datetime
) -> Undoing | None:
    """Take back what an undone list has said of so many firms, and return how many those are.

    The firms are scored by what is known without it. None if the list had none left: then all is
    gone that was kept of it, but that it was there.
    """
    at = LIST_FIRMS.c
    members = sa.select(at.firm_id).where(at.list_id == list_id).order_by(at.firm_id).limit(size)
    numbers = connection.scalars(members).all()
    if not numbers:
        for table in (LIST_PROBLEMS, LIST_FAILED_ROWS):
            connection.execute(sa.delete(table).where(table.c.list_id == list_id))
        return None
    whole = read_firms(connection, numbers)
    merged = merged_into(connection, whole)
    of_list = {firm.merged_into or firm.id for firm in whole.values()} | merged.keys()
    merged = merged_into(connection, of_list)
    firms = read_firms(connection, of_list)
    everybody = [*firms.values(), *(firm for some in merged.values() for firm in some)]
    pursued = set(firms_with_outcomes(connection, everybody))
    judged = _judged(connection, list_id, of_list, pursued)
    said = contributions_of(connection, everybody)
    both = [firm.id for firm in everybody]
    for some in in_parts(both):
        mine = sa.delete(LIST_FIRMS).where(at.list_id == list_id, at.firm_id.in_(some))
        connection.execute(mine)
        brought = sa.update(FACTS).where(
            FACTS.c.list_id == list_id, FACTS.c.firm_id.in_(some), FACTS.c.withdrawn_at.is_(None)
        )
        connection.execute(brought.values(withdrawn_at=now, withdrawn_by="-"))
    changed, gone, kept = list[Firm](), list[Firm](), 0
    for firm in firms.values():
        known_otherwise, worked_on = judged[firm.id]
        if known_otherwise:
            left = _without(connection, firm, merged.get(firm.id, ()), said, list_id, now=now)
            changed.append(rewrite_firm(connection, firm, left.record, left.origins, now=now))
            _keep_replaced(connection, firm.id, left)
        elif worked_on:
            kept += 1
            origins = {
                name: {**origin, "list": None, "undone": list_id} if origin["list"] == list_id
                else origin
                for name, origin in firm.origins.items()
            }  # fmt: skip
            changed.append(rewrite_firm(connection, firm, firm.record, origins, now=now))
        else:
            gone.append(firm)
    _let_go(connection, list_id, gone, now=now)
    score_anew(
        connection, changed, scorer=scorer, source=_SOURCE, today=today, now=now,
        seen=last_listed(connection, [firm.id for firm in changed]),
    )  # fmt: skip
    counts = Undoing(len(gone), kept, len(changed) - kept)
    _count(connection, list_id, counts)
    return counts


def _without(
    connection: Connection, firm: Firm, merged: Sequence[Firm],
    said: Mapping[int, Sequence[Any]], list_id: int, *, now: datetime,
) -> Known:  # fmt: skip
    # What was merged into the firm is known without the list, too, and fills its blanks.
    not_own = {
        name
        for other in merged
        for name, origin in other.origins.items()
        if firm.origins.get(name) == origin and firm.record.get(name) == other.record.get(name)
    }
    whole = known_without(firm, said.get(firm.id, ()), {list_id}, not_own - {"name"})
    for other in merged:
        known = known_without(other, said.get(other.id, ()), {list_id})
        if known is None:
            continue
        _keep_replaced(connection, other.id, known)
        rewrite_firm(connection, other, known.record, known.origins, now=now)
        record = {name: known.record[name] for name in known.record if name != "credit_code"}
        if whole is None:
            whole = Known(known.record, known.origins, {})
        else:
            whole, _ = filled(whole, Known(record, known.origins, {}))
    if whole is None:  # only what its home of old does not tell
        whole = Known(firm.record, firm.origins, {})
    if firm.credit_code and "credit_code" not in whole.record and any(
        other.credit_code is None and other.record.get("credit_code") for other in merged
    ):  # fmt: skip
        record = {**whole.record, "credit_code": firm.credit_code}
        origins = {**whole.origins, "credit_code": firm.origins["credit_code"]}
        whole = Known(record, origins, whole.replaced)
    return whole


def _keep_replaced(connection: Connection, firm_id: int, known: Known) -> None:
    at = LIST_FIRMS.c
    for list_id, replaced in known.replaced.items():
        same = sa.update(LIST_FIRMS).where(at.list_id == list_id, at.firm_id == firm_id)
        connection.execute(same.values(replaced=replaced))


def _let_go(connection: Connection, list_id: int, firms: Sequence[Firm], *, now: datetime) -> None:
    # Its scores and snapshots stay, as everything that was ever concluded, and so does its number.
    for some in in_parts(firm.id for firm in firms):
        for name in ("selection_firms", "former_names"):
            table = METADATA.tables[name]
            connection.execute(sa.delete(table).where(table.c.firm_id.in_(some)))
        for table in (STANDINGS, STANDING_TEXTS, FIRM_SEGMENTS):
            connection.execute(sa.delete(table).where(table.c.firm_id.in_(some)))
        same = sa.update(FIRMS).where(FIRMS.c.id.in_(some))
        connection.execute(
            same.values(
                credit_code=None, name_key="", record={}, origins={}, gone_with=list_id,
                updated_at=now, version=FIRMS.c.version + 1,
            )
        )  # fmt: skip


def _count(connection: Connection, list_id: int, more: Undoing) -> None:
    counts = dict(connection.scalar(sa.select(LISTS.c.counts).where(LISTS.c.id == list_id)) or {})
    for name, number in more._asdict().items():
        counts[name] = counts.get(name, 0) + number
    connection.execute(sa.update(LISTS).where(LISTS.c.id == list_id).values(counts=counts))


def undone_counts(kept: KeptList) -> Undoing:
    """Return what has become of the firms of an undone list so far."""
    counts = kept.counts or {}
    return Undoing(*(counts.get(name, 0) for name in Undoing._fields))
