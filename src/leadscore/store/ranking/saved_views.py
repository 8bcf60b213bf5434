"""What users keep of the ranking: filters, order and columns under a name, each for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
    update,
)

from leadscore.errors import Detail
from leadscore.language import Text as Words
from leadscore.lists.problems import shown
from leadscore.store.engine.metadata import METADATA, Moment, Number
from leadscore.store.engine.unless_there import insert_unless_there
from leadscore.store.faults import StoreError

SAVED_VIEWS = Table(
    "saved_views",
    METADATA,
    Column("id", Number, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("saved_at", Moment, nullable=False),
    UniqueConstraint("owner", "name"),
)
"""``query`` is what stands behind the question mark of the address of the ranking."""

MOST_VIEWS = 100
"""Views of one user."""

_UNKNOWN = Words(zh="没有编号为 {id} 的视图", en="there is no view {id}")
_TAKEN = Words(zh="已有名为“{name}”的视图。请换一个名称。",
               en="there is a view {name} already. Choose another name.")  # fmt: skip
_TOO_MANY = Words(
    zh=f"至多保存 {MOST_VIEWS} 个视图。请先删除一个。",
    en=f"at most {MOST_VIEWS} views are kept. Delete one first.",
)
_FEWER = Words(zh="较少的视图", en="fewer views")


class UnknownViewError(StoreError):
    """A number that no view of the user has."""

    code = "unknown_view"


class TakenViewError(StoreError):
    """A name that another view of the user has, or one view too many."""

    code = "conflict"


@dataclass(frozen=True, slots=True)
class SavedView:
    """Filters, order and columns under a name."""

    id: int
    name: str
    query: str


def saved_views(connection: Connection, owner: str) -> list[SavedView]:
    """Return the views of a user by name."""
    at = SAVED_VIEWS.c
    query = select(at.id, at.name, at.query).where(at.owner == owner).order_by(at.name)
    return [SavedView(*row) for row in connection.execute(query)]


def save_view(connection: Connection, owner: str, name: str, query: str, *, now: datetime) -> None:
    """Keep a view; one of the same name and user is replaced.

    Raises
    ------
    TakenViewError
        If the user has as many as one may.
    """
    values = {"owner": owner, "name": name, "query": query, "saved_at": now}
    if not insert_unless_there(connection, SAVED_VIEWS, values):
        at = SAVED_VIEWS.c
        same = (at.owner == owner) & (at.name == name)
        connection.execute(update(SAVED_VIEWS).where(same).values(query=query, saved_at=now))
    elif len(saved_views(connection, owner)) > MOST_VIEWS:
        raise TakenViewError(_TOO_MANY, [Detail("name", shown(name), _FEWER)])


def rename_view(connection: Connection, owner: str, view_id: int, name: str) -> None:
    """Give a view of a user another name.

    Raises
    ------
    UnknownViewError
        If the user has no such view.
    TakenViewError
        If another view of theirs has the name.
    """
    others = {view.name: view.id for view in saved_views(connection, owner)}
    if others.get(name, view_id) != view_id:
        raise TakenViewError(_TAKEN.format(name=shown(name)))
    changed = update(SAVED_VIEWS).where(_own(owner, view_id)).values(name=name)
    if connection.execute(changed).rowcount == 0:
        raise UnknownViewError(_UNKNOWN.format(id=view_id))


def drop_view(connection: Connection, owner: str, view_id: int) -> None:
    """Forget a view of a user.

    Raises
    ------
    UnknownViewError
        If the user has no such view.
    """
    if connection.execute(delete(SAVED_VIEWS).where(_own(owner, view_id))).rowcount == 0:
        raise UnknownViewError(_UNKNOWN.format(id=view_id))


def _own(owner: str, view_id: int) -> ColumnElement[bool]:
    return (SAVED_VIEWS.c.owner == owner) & (SAVED_VIEWS.c.id == view_id)
