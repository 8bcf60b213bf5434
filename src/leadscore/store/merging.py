"""Merges firms that turned out to be one, splits them again, hides firms and shows them again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.errors import Detail
from leadscore.lists.dedupe import normal_name_of
from leadscore.ranking.score import Scorer
from leadscore.store.contributions import Known, filled
from leadscore.store.current_ranking import FIRM_SEGMENTS, STANDING_TEXTS, STANDINGS
from leadscore.store.database import (
    APPEND_ONLY,
    METADATA,
    Id,
    Number,
    StoreError,
    columns_of,
    insert_row,
    insert_rows,
    one_of_some,
    rows_of_some,
)
from leadscore.store.facts import FACTS
from leadscore.store.firms import (
    FIRMS,
    HIDDEN_FIRMS,
    Firm,
    Hiding,
    firm_to_change,
    hidden_of,
    read_firm,
    read_firms,
    rewrite_firm,
)
from leadscore.store.lists import LIST_FIRMS, NOWHERE
from leadscore.store.scoring import score_anew
from leadscore.text import room_words

WORDS = room_words("store")

_SOURCE = "mended"  # of the snapshots that merging and splitting make


class BadMergeError(StoreError):
    """Firms that can't be merged, or were never."""

    code = "bad_merge"


@dataclass(frozen=True, slots=True)
class Merge:
    """That a firm was merged ``into`` another, why, and what is needed to split them again.

    ``moved`` has what was known of the other ``before`` and ``after``, the columns that were
    ``filled``, rows that were ``moved`` or ``copied`` by their tables, firms that were
    ``redirected``, and whether the other took over the ``code``.
    """

    id: Id
    firm_id: Annotated[int, Number, sa.ForeignKey("firms.id"), {"index": True}]
    into_id: Annotated[int, Number, sa.ForeignKey("firms.id"), {"index": True}]
    reason: str
    by: str
    at: datetime
    moved: Mapping[str, Any]
    undone_at: datetime | None
    undone_by: str | None


MERGES = sa.Table("merges", METADATA, *columns_of(Merge))


def merges_of(connection: Connection, firm_id: int) -> list[tuple[Merge, Firm]]:
    """Return the merges into a firm that hold, the newest first, each with the firm of before."""
    at = MERGES.c
    query = sa.select(MERGES).where(at.into_id == firm_id, at.undone_at.is_(None))
    merges = [Merge(*row) for row in connection.execute(query.order_by(at.id.desc()))]
    firms = read_firms(connection, [one.firm_id for one in merges])
    return [(one, firms[one.firm_id]) for one in merges]


def merge(
    connection: Connection, firm_id: int, into: int, reason: str, *, version: int,
    into_version: int, scorer: Scorer, actor: str, now: datetime, today: date,
) -> Firm:  # fmt: skip
    """Merge a firm into another, and return that one.

    Its own fields win, and blanks are filled; names are joined; what officers did with the first
    firm is its from now on, and the first one's address leads there. Versions are those of the
    firms as they were looked at. Raises `BadMergeError`, `UnknownFirmError` and `ChangedFirmError`.
    """
    if firm_id == into:
        detail = Detail("into", str(into), WORDS["merging.another"])
        raise BadMergeError(WORDS["merging.itself"], [detail])
    versions = {firm_id: version, into: into_version}
    firms = {
        number: firm_to_change(connection, number, version=versions[number])
        for number in sorted(versions)
    }
    other, firm = firms[firm_id], firms[into]
    whole, columns = filled(
        Known(firm.record, firm.origins, {}), Known(other.record, other.origins, {})
    )
    redirected = connection.scalars(
        sa.select(FIRMS.c.id).where(FIRMS.c.merged_into == other.id)
    ).all()
    takes_code = "credit_code" in columns
    same = sa.update(FIRMS).where(FIRMS.c.id.in_([other.id, *redirected]))
    connection.execute(same.values(merged_into=firm.id, version=FIRMS.c.version + 1))
    if takes_code:  # no two firms have it
        connection.execute(sa.update(FIRMS).where(FIRMS.c.id == other.id).values(credit_code=None))
    moved = {
        "before": {"record": dict(firm.record), "origins": dict(firm.origins)},
        "after": {"record": dict(whole.record), "origins": dict(whole.origins)},
        "filled": columns, "redirected": list(redirected), "code": takes_code,
        "moved": _move(connection, other.id, firm.id),
        "copied": _copy(connection, other.id, firm.id),
    }  # fmt: skip
    _list_through(connection, other.id, firm.id)
    _forget_place(connection, other.id)
    insert_row(
        connection, MERGES,
        {"firm_id": other.id, "into_id": firm.id, "reason": reason, "by": actor, "at": now,
         "moved": moved},
    )  # fmt: skip
    written = rewrite_firm(connection, firm, whole.record, whole.origins, now=now)
    _score(connection, [written], scorer, today=today, now=now)
    return read_firm(connection, firm.id)


def split(
    connection: Connection, merge_id: int, *, version: int, scorer: Scorer, actor: str,
    now: datetime, today: date,
) -> tuple[Firm, Firm]:  # fmt: skip
    """Undo a merge, and return the firm that had stayed and the one that is there again.

    Where nothing has changed since, both are exactly what they were; what has been entered since
    stays with the firm that had stayed. ``version`` is that of it. Raises `BadMergeError` if there
    is no such merge, `MergedFirmError` if the firm itself was merged into another since, and
    `ChangedFirmError`.
    """
    row = connection.execute(sa.select(MERGES).where(MERGES.c.id == merge_id)).one_or_none()
    if row is None or row.undone_at is not None:
        raise BadMergeError(WORDS["merging.unknown"].format(id=merge_id))
    merged = Merge(*row)
    firm = firm_to_change(connection, merged.into_id, version=version)
    other = read_firms(connection, [merged.firm_id])[merged.firm_id]
    moved = merged.moved
    record, origins = _as_before(firm, other, moved)
    rewritten = rewrite_firm(connection, firm, record, origins, now=now)
    again = {"merged_into": None, "version": FIRMS.c.version + 1}
    if moved["code"] and "credit_code" not in record:
        again["credit_code"] = other.record.get("credit_code")
    same = sa.update(FIRMS).where(FIRMS.c.id == other.id)
    connection.execute(same.values(again))
    if moved["redirected"]:
        back = sa.update(FIRMS).where(FIRMS.c.id.in_(moved["redirected"]))
        connection.execute(back.values(merged_into=other.id, version=FIRMS.c.version + 1))
    _move_back(connection, firm.id, other.id, moved)
    members = LIST_FIRMS.c
    through = (members.firm_id == firm.id) & (members.through == other.id)
    connection.execute(sa.delete(LIST_FIRMS).where(through))
    done = sa.update(MERGES).where(MERGES.c.id == merge_id)
    connection.execute(done.values(undone_at=now, undone_by=actor))
    there = read_firms(connection, [other.id])[other.id]
    _score(connection, [rewritten, there], scorer, today=today, now=now)
    firms = read_firms(connection, [firm.id, other.id])
    return firms[firm.id], firms[other.id]


def _as_before(
    firm: Firm, other: Firm, moved: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    before, after = moved["before"], moved["after"]
    if firm.record == after["record"] and firm.origins == after["origins"]:
        return before["record"], before["origins"]
    record, origins = dict(firm.record), dict(firm.origins)
    for name in moved["filled"]:
        if name != "former_names" and origins.get(name) == after["origins"][name]:
            del record[name], origins[name]
    if "former_names" in moved["filled"] and record.get("former_names"):
        own = {normal_name_of(name) for name in _names(before["record"])}
        brought = {normal_name_of(name) for name in _names(other.record)} - own
        left = [
            name for name in str(record["former_names"]).split(";")
            if normal_name_of(name) not in brought
        ]  # fmt: skip
        if left:
            record["former_names"] = ";".join(left)
        else:
            del record["former_names"], origins["former_names"]
    return record, origins


def _names(record: Mapping[str, Any]) -> list[str]:
    former = str(record.get("former_names") or "").split(";")
    return [name for name in (str(record["name"]), *former) if name.strip()]


def _rows_of_firms() -> list[sa.Table]:
    # Tables whose rows are about one firm and have numbers of their own.
    return [
        table
        for table in METADATA.sorted_tables
        if table is not MERGES
        and "firm_id" in table.c
        and table.c.firm_id.foreign_keys
        and [column.name for column in table.primary_key] == ["id"]
        and table.info != APPEND_ONLY
    ]


_COPIED = ("exclusions", "shortlist_firms")
"""Tables of which a firm has one row at most, by itself or in each set."""


def _move(connection: Connection, firm_id: int, into: int) -> dict[str, list[int]]:
    moved = {}
    for table in _rows_of_firms():
        query = sa.select(table.c.id).where(table.c.firm_id == firm_id)
        if table is FACTS:  # of what both know, that of the other counts
            at = FACTS.alias().c
            known = sa.select(at.field).where(at.firm_id == into, at.withdrawn_at.is_(None))
            query = query.where(FACTS.c.field.not_in(known), FACTS.c.withdrawn_at.is_(None))
        if numbers := list(connection.scalars(query)):
            same = sa.update(table).where(table.c.id.in_(numbers))
            connection.execute(same.values(firm_id=into))
            moved[table.name] = numbers
    return moved


def _copy(connection: Connection, firm_id: int, into: int) -> dict[str, list[dict[str, Any]]]:
    copied = {}
    for table in (METADATA.tables[name] for name in _COPIED):
        keys = [column.name for column in table.primary_key if column.name != "firm_id"]
        rows = [
            dict(row)
            for row in connection.execute(
                sa.select(table).where(table.c.firm_id.in_([firm_id, into]))
            ).mappings()
        ]
        there = {tuple(row[name] for name in keys) for row in rows if row["firm_id"] == into}
        new = [
            row | {"firm_id": into} for row in rows
            if row["firm_id"] == firm_id and tuple(row[name] for name in keys) not in there
        ]  # fmt: skip
        insert_rows(connection, table, new)
        if new:
            copied[table.name] = [{name: row[name] for name in keys} for row in new]
    return copied


def _move_back(
    connection: Connection, firm_id: int, other_id: int, moved: Mapping[str, Any]
) -> None:
    for name, numbers in moved["moved"].items():
        table = METADATA.tables[name]
        own = table.c.id.in_(numbers) & (table.c.firm_id == firm_id)
        connection.execute(sa.update(table).where(own).values(firm_id=other_id))
    for name, keys in moved["copied"].items():
        table = METADATA.tables[name]
        for key in keys:
            mine = [table.c[column] == value for column, value in key.items()]
            connection.execute(sa.delete(table).where(table.c.firm_id == firm_id, *mine))


def _list_through(connection: Connection, firm_id: int, into: int) -> None:
    # It stands in the other's lists, too; what those have said stays with the first one.
    at = LIST_FIRMS.c
    there = set(connection.scalars(sa.select(at.list_id).where(at.firm_id == into)))
    rows = connection.execute(sa.select(LIST_FIRMS).where(at.firm_id == firm_id)).mappings()
    new = [
        {"list_id": row["list_id"], "firm_id": into, "row": row["row"], "sheet": row["sheet"],
         "own": row["own"], "through": firm_id, "order_key": NOWHERE}
        for row in rows if row["list_id"] not in there
    ]  # fmt: skip
    insert_rows(connection, LIST_FIRMS, new)
    mine = sa.update(LIST_FIRMS).where(at.firm_id == firm_id)
    connection.execute(mine.values(order_key=NOWHERE))


def _forget_place(connection: Connection, firm_id: int) -> None:
    for table in (STANDINGS, STANDING_TEXTS, FIRM_SEGMENTS, METADATA.tables["selection_firms"]):
        connection.execute(sa.delete(table).where(table.c.firm_id == firm_id))


def last_listed(
    connection: Connection, firm_ids: Collection[int]
) -> dict[int, tuple[int | None, int | None]]:
    """Return the newest list in which each firm stands, and its row there, by its number."""
    at = LIST_FIRMS.c
    query = sa.select(at.firm_id, at.list_id, at.row).where(at.firm_id.in_(one_of_some()))
    rows = rows_of_some(connection, query.order_by(at.list_id), firm_ids)
    return {row.firm_id: (row.list_id, row.row) for row in rows}


def _score(
    connection: Connection, firms: Sequence[Firm], scorer: Scorer, *, today: date, now: datetime
) -> None:
    score_anew(
        connection, firms, scorer=scorer, source=_SOURCE, today=today, now=now,
        seen=last_listed(connection, [firm.id for firm in firms]),
    )  # fmt: skip


def hide(
    connection: Connection, firm_id: int, reason: str, *, version: int, scorer: Scorer, actor: str,
    now: datetime, today: date,
) -> Firm:  # fmt: skip
    """Take a firm out of ranking, counts and exports, and return it; raises as `firm_to_change`."""
    firm = firm_to_change(connection, firm_id, version=version)
    connection.execute(sa.delete(HIDDEN_FIRMS).where(HIDDEN_FIRMS.c.firm_id == firm_id))
    row = {"firm_id": firm_id, "reason": reason, "by": actor, "at": now}
    insert_rows(connection, HIDDEN_FIRMS, [row])
    _score(connection, [firm], scorer, today=today, now=now)
    return read_firm(connection, firm_id)


def show(
    connection: Connection, firm_id: int, *, version: int, scorer: Scorer, now: datetime,
    today: date,
) -> Firm:  # fmt: skip
    """Let a hidden firm stand in the ranking again, scored as of today, and return it."""
    firm = firm_to_change(connection, firm_id, version=version)
    connection.execute(sa.delete(HIDDEN_FIRMS).where(HIDDEN_FIRMS.c.firm_id == firm_id))
    _score(connection, [firm], scorer, today=today, now=now)
    return read_firm(connection, firm_id)


class HiddenFirm(NamedTuple):
    """A hidden firm."""

    id: int
    name: str
    hiding: Hiding


def hidden_firms(connection: Connection, *, after: int = 0, limit: int = 100) -> list[HiddenFirm]:
    """Return hidden firms by their numbers, from ``after`` on."""
    at = HIDDEN_FIRMS.c
    query = (
        sa.select(FIRMS.c.id, FIRMS.c.name, at.reason, at.by, at.at)
        .join_from(HIDDEN_FIRMS, FIRMS, FIRMS.c.id == at.firm_id)
        .where(FIRMS.c.merged_into.is_(None), FIRMS.c.id > after)
        .order_by(FIRMS.c.id)
    )
    return [
        HiddenFirm(row[0], row[1], Hiding(*row[2:]))
        for row in connection.execute(query.limit(limit))
    ]


def hiding_of(connection: Connection, firm_id: int) -> Hiding | None:
    """Return why a firm is hidden; None if it isn't."""
    return hidden_of(connection, [firm_id]).get(firm_id)
