"""Shortlists, which all officers share, what one selects of the ranking, and saved views of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from leadscore.errors import Detail
from leadscore.store.database import (
    METADATA,
    Id,
    Moment,
    Number,
    StoreError,
    columns_of,
    in_parts,
    insert_rows,
    insert_unless_there,
    one_of_some,
    rows_of_some,
)
from leadscore.store.firms import UnknownFirmError, read_firms
from leadscore.text import room_words, shown

WORDS = room_words("store")

SHORTLISTS = sa.Table(
    "shortlists",
    METADATA,
    sa.Column("id", Number, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)
SHORTLIST_FIRMS = sa.Table(
    "shortlist_firms",
    METADATA,
    sa.Column("shortlist_id", sa.ForeignKey("shortlists.id"), primary_key=True),
    sa.Column("firm_id", sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("added_by", sa.Text, nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.Index("ix_shortlist_firms_firm_id", "firm_id"),
)
_members = SHORTLIST_FIRMS.c

SELECTIONS = sa.Table(
    "selections",
    METADATA,
    sa.Column("id", Number, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("made_at", Moment, nullable=False, index=True),
    sa.Column("total", sa.Integer, nullable=False),
)
SELECTION_FIRMS = sa.Table(
    "selection_firms",
    METADATA,
    sa.Column("selection_id", sa.ForeignKey("selections.id"), primary_key=True),
    sa.Column("firm_id", sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("version", Number, nullable=False),
    sa.Index("ix_selection_firms_firm_id", "firm_id"),
)
"""The firms that a filter held when somebody chose all of them, each as it was then."""


class UnknownShortlistError(StoreError):
    """A number that no shortlist has."""

    code = "unknown_shortlist"


class Shortlist(NamedTuple):
    """A named set of firms, and how many those are."""

    id: int
    name: str
    firms: int


def shortlists(connection: Connection) -> list[Shortlist]:
    """Return all shortlists by name."""
    query = (
        sa.select(SHORTLISTS.c.id, SHORTLISTS.c.name, sa.func.count(_members.firm_id))
        .join_from(SHORTLISTS, SHORTLIST_FIRMS, isouter=True)
        .group_by(SHORTLISTS.c.id, SHORTLISTS.c.name)
        .order_by(SHORTLISTS.c.name)
    )
    return [Shortlist(*row) for row in connection.execute(query)]


def shortlist_named(connection: Connection, name: str, *, actor: str, now: datetime) -> int:
    """Return the number of the shortlist of a name, not empty; it is made if there is none."""
    values = {"name": name, "created_by": actor, "created_at": now}
    insert_unless_there(connection, SHORTLISTS, values)
    query = sa.select(SHORTLISTS.c.id).where(SHORTLISTS.c.name == name)
    return int(connection.scalars(query).one())


def add_to_shortlist(
    connection: Connection, shortlist_id: int, firm_ids: Collection[int], *, actor: str,
    now: datetime,
) -> int:  # fmt: skip
    """Add firms, all or none, and return how many were not there; raises `UnknownFirmError`."""
    _lock(connection, shortlist_id)
    wanted = set(firm_ids)
    if lacking := sorted(wanted - read_firms(connection, firm_ids).keys()):
        raise UnknownFirmError(WORDS["firms.unknown"].format(id=lacking[0]))
    query = sa.select(_members.firm_id).where(_members.shortlist_id == shortlist_id)
    query = query.where(_members.firm_id.in_(one_of_some()))
    members = {row[0] for row in rows_of_some(connection, query, firm_ids)}
    rows = [
        {"shortlist_id": shortlist_id, "firm_id": firm, "added_by": actor, "added_at": now}
        for firm in sorted(wanted - members)
    ]
    insert_rows(connection, SHORTLIST_FIRMS, rows)
    return len(rows)


def take_from_shortlist(
    connection: Connection, shortlist_id: int, firm_ids: Collection[int]
) -> int:
    """Take firms out of a shortlist, and return how many stood in it."""
    _lock(connection, shortlist_id)
    gone = 0
    for some in in_parts(firm_ids):
        members = sa.delete(SHORTLIST_FIRMS).where(
            _members.shortlist_id == shortlist_id, _members.firm_id.in_(some)
        )
        gone += connection.execute(members).rowcount
    return gone


def drop_shortlist(connection: Connection, shortlist_id: int) -> str:
    """Forget a shortlist, not its firms, and return its name; raises `UnknownShortlistError`."""
    name = _lock(connection, shortlist_id)
    connection.execute(sa.delete(SHORTLIST_FIRMS).where(_members.shortlist_id == shortlist_id))
    connection.execute(sa.delete(SHORTLISTS).where(SHORTLISTS.c.id == shortlist_id))
    return name


def _lock(connection: Connection, shortlist_id: int) -> str:
    query = sa.select(SHORTLISTS.c.name).where(SHORTLISTS.c.id == shortlist_id).with_for_update()
    name = connection.scalar(query)
    if name is None:
        raise UnknownShortlistError(WORDS["shortlists.unknown"].format(id=shortlist_id))
    return str(name)


_MOST_VIEWS = 100  # of one user


class UnknownViewError(StoreError):
    """A number that no view of the user has."""

    code = "unknown_view"


class TakenViewError(StoreError):
    """A name that another view of the user has, or one view too many."""

    code = "conflict"


class SavedView(NamedTuple):
    """Filters, order and columns under a name: what stands behind the question mark."""

    id: Id
    name: str
    query: str


SAVED_VIEWS = sa.Table(
    "saved_views",
    METADATA,
    *columns_of(SavedView),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("saved_at", Moment, nullable=False),
    sa.UniqueConstraint("owner", "name"),
)


def saved_views(connection: Connection, owner: str) -> list[SavedView]:
    """Return the views of a user by name."""
    at = SAVED_VIEWS.c
    query = sa.select(at.id, at.name, at.query).where(at.owner == owner).order_by(at.name)
    return [SavedView(*row) for row in connection.execute(query)]


def save_view(connection: Connection, owner: str, name: str, query: str, *, now: datetime) -> None:
    """Keep a view in the place of one of its name; raises `TakenViewError` for one too many."""
    values = {"owner": owner, "name": name, "query": query, "saved_at": now}
    if not insert_unless_there(connection, SAVED_VIEWS, values):
        at = SAVED_VIEWS.c
        same = (at.owner == owner) & (at.name == name)
        connection.execute(sa.update(SAVED_VIEWS).where(same).values(query=query, saved_at=now))
    elif len(saved_views(connection, owner)) > _MOST_VIEWS:
        detail = Detail("name", shown(name), WORDS["shortlists.fewer"])
        raise TakenViewError(WORDS["shortlists.too_many"].format(most=_MOST_VIEWS), [detail])


def rename_view(connection: Connection, owner: str, view_id: int, name: str) -> None:
    """Rename a view of a user; raises `UnknownViewError`, or `TakenViewError` if one has it."""
    others = {view.name: view.id for view in saved_views(connection, owner)}
    if others.get(name, view_id) != view_id:
        raise TakenViewError(WORDS["shortlists.taken"].format(name=shown(name)))
    changed = sa.update(SAVED_VIEWS).where(_own(owner, view_id)).values(name=name)
    if connection.execute(changed).rowcount == 0:
        raise UnknownViewError(WORDS["shortlists.unknown_view"].format(id=view_id))


def drop_view(connection: Connection, owner: str, view_id: int) -> None:
    """Forget a view of a user; raises `UnknownViewError`."""
    if connection.execute(sa.delete(SAVED_VIEWS).where(_own(owner, view_id))).rowcount == 0:
        raise UnknownViewError(WORDS["shortlists.unknown_view"].format(id=view_id))


def _own(owner: str, view_id: int) -> ColumnElement[bool]:
    return (SAVED_VIEWS.c.owner == owner) & (SAVED_VIEWS.c.id == view_id)
