"""What each list has said of a firm, and what is known of it once some of them are left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.lists.columns import CANONICAL
from leadscore.store.database import Written, one_of_some, rows_of_some
from leadscore.store.firms import Firm
from leadscore.store.lists import LIST_FIRMS, LISTS
from leadscore.store.scoring import Origins, Record, joined_names, merged
from leadscore.store.snapshots import snapshot_fields

Replaced = Mapping[str, Sequence[Any]]
"""Value and origin, by column, of what no list had said and a list has replaced."""


class Contribution(NamedTuple):
    """What a list has said of a firm."""

    list_id: int
    row: int
    as_of: date
    uploaded_at: datetime
    said: Mapping[str, Any]
    replaced: Replaced


_OF_FIRMS = (
    sa.select(
        LIST_FIRMS.c.firm_id, LIST_FIRMS.c.list_id, LIST_FIRMS.c.row, LISTS.c.as_of,
        LISTS.c.uploaded_at, LIST_FIRMS.c.said, LIST_FIRMS.c.replaced, snapshot_fields.c.record,
    )
    .join_from(LIST_FIRMS, LISTS, LISTS.c.id == LIST_FIRMS.c.list_id)
    .outerjoin(snapshot_fields, snapshot_fields.c.digest == LIST_FIRMS.c.digest)
    .where(LIST_FIRMS.c.firm_id.in_(one_of_some()), LIST_FIRMS.c.through.is_(None))
    .order_by(LIST_FIRMS.c.list_id)
)  # fmt: skip


def contributions_of(
    connection: Connection, firms: Iterable[Firm]
) -> dict[int, list[Contribution]]:
    """Return what lists have said of firms, the oldest list first, by the numbers of the firms.

    Of a home of old it may be unknown; then it is what the firm still has of the list.
    """
    of_number = {firm.id: firm for firm in firms}
    contributions: dict[int, list[Contribution]] = {}
    for row in rows_of_some(connection, _OF_FIRMS, of_number):
        said = row.record if row.said is None else row.said
        if said is None:
            firm = of_number[row.firm_id]
            said = {
                name: value
                for name, value in firm.record.items()
                if firm.origins[name]["list"] == row.list_id
            }
        one = Contribution(
            row.list_id, row.row, row.as_of, row.uploaded_at, said, row.replaced or {}
        )
        contributions.setdefault(row.firm_id, []).append(one)
    return contributions


def replaced_by(firm: Firm | None, origins: Origins) -> Replaced | None:
    """Return what no list had said of a firm and has now given way; None if nothing has."""
    if firm is None:
        return None
    gone = {
        name: [firm.record[name], origin]
        for name, origin in firm.origins.items()
        if origin["list"] is None and origins.get(name) != origin
    }
    return gone or None


class Known(NamedTuple):
    """What is known of a firm, from where, and what its lists have replaced, by their numbers."""

    record: Record
    origins: Origins
    replaced: Mapping[int, Replaced | None]


def known_without(
    firm: Firm, contributions: Sequence[Contribution], left_out: Collection[int] = (),
    not_own: Iterable[str] = (),
) -> Known | None:  # fmt: skip
    """Return what would be known of a firm if some of its lists had never been taken in.

    The others, and what no list has said, say their parts anew in their order. ``not_own`` are
    columns that it has from a firm that was merged into it. None if nothing would be known.
    """
    sources: list[tuple[str, int | None, Written, dict[str, Any]]] = []
    base: dict[str, tuple[Any, Mapping[str, Any]]] = {}
    for contribution in contributions:
        base |= {name: (value, origin) for name, (value, origin) in contribution.replaced.items()}
    others = set(firm.record) - set(not_own)
    base |= {
        name: (firm.record[name], firm.origins[name])
        for name in others
        if firm.origins[name]["list"] is None
    }
    by_source: dict[tuple[str, str, Any], tuple[Written, dict[str, Any]]] = {}
    for name, (value, origin) in base.items():
        key = (origin["at"], origin["as_of"], origin["row"])
        by_source.setdefault(key, (Written(origin), {}))[1][name] = value
    sources += [(origin["at"], None, origin, said) for origin, said in by_source.values()]
    when = {
        origin["list"]: origin["at"]
        for origin in firm.origins.values()
        if origin["list"] is not None
    }
    for one in contributions:
        if one.list_id in left_out:
            continue
        at = when.get(one.list_id, one.uploaded_at.isoformat())
        origin = Written(
            {"list": one.list_id, "row": one.row, "at": at, "as_of": one.as_of.isoformat()}
        )
        sources.append((at, one.list_id, origin, dict(one.said)))
    if not sources:
        return None
    sources.sort(key=lambda source: (source[0], source[1] or 0))
    if "name" not in sources[0][3]:
        # Its name was said by what is left out, or later; it is borne from the beginning.
        named = next((said["name"] for *_, said in sources if "name" in said), firm.name)
        sources[0][3]["name"] = named
    known: Firm | None = None
    replaced: dict[int, Replaced | None] = {}
    for _, list_id, origin, said in sources:
        record, origins = merged(known, said, origin)
        if list_id is not None:
            replaced[list_id] = replaced_by(known, origins)
        known = replace(firm, record=record, origins=origins)
    assert known is not None  # noqa: S101 - there are sources
    return Known(known.record, known.origins, replaced)


_PLACES = frozenset(each.name for each in CANONICAL if each.kind in ("place", "division"))


def filled(known: Known, other: Known) -> tuple[Known, list[str]]:
    """Return what is known of a firm with its blanks filled from another, and those columns.

    Its own fields win; the place is taken as a whole or not at all; names are joined.
    """
    record, origins = dict(known.record), dict(known.origins)
    placed = bool(record.keys() & _PLACES)
    columns = [
        name
        for name in other.record
        if name not in record
        and name not in ("name", "former_names")
        and not (placed and name in _PLACES)
    ]
    for name in columns:
        record[name], origins[name] = other.record[name], other.origins[name]
    former = joined_names(known.record, other.record, known.record["name"])
    if former and former != known.record.get("former_names"):
        record["former_names"] = former
        origins["former_names"] = other.origins.get("former_names", other.origins["name"])
        columns.append("former_names")
    return Known(record, origins, known.replaced), columns
