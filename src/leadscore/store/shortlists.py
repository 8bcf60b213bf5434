"""Shortlists: named sets of firms that all officers share, such as those of the next journey."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, ForeignKey, Index, Table, delete, func, select
from sqlalchemy import Text as LongText

from leadscore.store.database import METADATA, Moment, Number, in_parts, insert_unless_there
from leadscore.store.errors import StoreError
from leadscore.store.firms import UnknownFirmError, read_firms
from leadscore.text import room_words

WORDS = room_words("store")


SHORTLISTS = Table(
    "shortlists",
    METADATA,
    Column("id", Number, primary_key=True),
    Column("name", LongText, nullable=False, unique=True),
    Column("created_by", LongText, nullable=False),
    Column("created_at", Moment, nullable=False),
)
"""Named sets of firms."""

SHORTLIST_FIRMS = Table(
    "shortlist_firms",
    METADATA,
    Column(
        "shortlist_id", Number, ForeignKey("shortlists.id"), primary_key=True, autoincrement=False
    ),
    Column("firm_id", Number, ForeignKey("firms.id"), primary_key=True, autoincrement=False),
    Column("added_by", LongText, nullable=False),
    Column("added_at", Moment, nullable=False),
    Index("ix_shortlist_firms_firm_id", "firm_id"),
)
"""Which firms stand in a shortlist."""

_UNKNOWN = WORDS["shortlists.unknown"]


class UnknownShortlistError(StoreError):
    """A number that no shortlist has."""

    code = "unknown_shortlist"


@dataclass(frozen=True, slots=True)
class Shortlist:
    """A named set of firms, and how many those are."""

    id: int
    name: str
    firms: int


def shortlists(connection: Connection) -> list[Shortlist]:
    """Return all shortlists by name."""
    members = SHORTLIST_FIRMS.c
    query = (
        select(SHORTLISTS.c.id, SHORTLISTS.c.name, func.count(members.firm_id))
        .join_from(SHORTLISTS, SHORTLIST_FIRMS, isouter=True)
        .group_by(SHORTLISTS.c.id, SHORTLISTS.c.name)
        .order_by(SHORTLISTS.c.name)
    )
    return [Shortlist(*row) for row in connection.execute(query)]


def shortlist_named(connection: Connection, name: str, *, actor: str, now: datetime) -> int:
    """Return the number of the shortlist of a name; it is made if there is none.

    Parameters
    ----------
    connection
        Within a write transaction.
    name
        As people read it; not empty.
    actor, now
        Who makes it, and when.
    """
    values = {"name": name, "created_by": actor, "created_at": now}
    insert_unless_there(connection, SHORTLISTS, values)
    query = select(SHORTLISTS.c.id).where(SHORTLISTS.c.name == name)
    return int(connection.scalars(query).one())


def add_to_shortlist(
    connection: Connection,
    shortlist_id: int,
    firm_ids: Collection[int],
    *,
    actor: str,
    now: datetime,
) -> int:
    """Add firms to a shortlist, and return how many did not stand in it.

    Parameters
    ----------
    connection
        Within a write transaction.
    shortlist_id
        Number of the shortlist.
    firm_ids
        Numbers of firms.
    actor, now
        Who adds them, and when.

    Raises
    ------
    UnknownShortlistError
        If there is no such shortlist.
    UnknownFirmError
        If there is none of the firms; then none is added.
    """
    _lock(connection, shortlist_id)
    lacking = sorted(set(firm_ids) - read_firms(connection, firm_ids).keys())
    if lacking:
        raise UnknownFirmError(WORDS["shortlists.no_firm"].format(id=lacking[0]))
    new = sorted(set(firm_ids) - set(_members(connection, shortlist_id, firm_ids)))
    rows = [
        {"shortlist_id": shortlist_id, "firm_id": firm, "added_by": actor, "added_at": now}
        for firm in new
    ]
    if rows:
        connection.execute(SHORTLIST_FIRMS.insert(), rows)
    return len(rows)


def take_from_shortlist(
    connection: Connection, shortlist_id: int, firm_ids: Collection[int]
) -> int:
    """Take firms out of a shortlist, and return how many stood in it.

    Raises
    ------
    UnknownShortlistError
        If there is no such shortlist.
    """
    _lock(connection, shortlist_id)
    members, gone = SHORTLIST_FIRMS.c, 0
    for some in in_parts(firm_ids):
        which = (members.shortlist_id == shortlist_id) & members.firm_id.in_(some)
        gone += connection.execute(delete(SHORTLIST_FIRMS).where(which)).rowcount
    return gone


def drop_shortlist(connection: Connection, shortlist_id: int) -> str:
    """Forget a shortlist, not its firms, and return its name.

    Raises
    ------
    UnknownShortlistError
        If there is no such shortlist.
    """
    name = _lock(connection, shortlist_id)
    members = SHORTLIST_FIRMS.c.shortlist_id
    connection.execute(delete(SHORTLIST_FIRMS).where(members == shortlist_id))
    connection.execute(delete(SHORTLISTS).where(SHORTLISTS.c.id == shortlist_id))
    return name


def _lock(connection: Connection, shortlist_id: int) -> str:
    """Return the name of a shortlist, and let nobody else change it until the transaction ends."""
    query = select(SHORTLISTS.c.name).where(SHORTLISTS.c.id == shortlist_id).with_for_update()
    name = connection.scalar(query)
    if name is None:
        raise UnknownShortlistError(_UNKNOWN.format(id=shortlist_id))
    return str(name)


def _members(connection: Connection, shortlist_id: int, firm_ids: Collection[int]) -> Sequence[int]:
    members = SHORTLIST_FIRMS.c
    return [
        firm
        for some in in_parts(firm_ids)
        for firm in connection.scalars(
            select(members.firm_id).where(
                members.shortlist_id == shortlist_id, members.firm_id.in_(some)
            )
        )
    ]
