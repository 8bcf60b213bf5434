"""Which firms of the ranking are asked for, from where on, and the views that users save."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    UniqueConstraint,
    delete,
    select,
    update,
)
from sqlalchemy import Text as LongText

from leadscore.errors import Detail
from leadscore.lists.problems import shown
from leadscore.store.current_ranking import STANDING_TEXTS, STANDINGS, contains, words_of
from leadscore.store.database import METADATA, Moment, Number, insert_unless_there
from leadscore.store.errors import StoreError
from leadscore.store.lists import LIST_FIRMS
from leadscore.store.shortlists import SHORTLIST_FIRMS
from leadscore.text import Text, room_words

WORDS = room_words("store")


NONE = "none"
"""What one writes for firms that have no chain, segment, role or stage."""


_FEW = 2_000


@dataclass(frozen=True, slots=True)
class RankingFilter:
    """Which firms are asked for; of several conditions all must hold.

    Attributes
    ----------
    list_id
        Firms of this list.
    chain, segment, role, stage
        As they stand now, or ``none`` for firms without.
    grade
        Any of these letters, such as ``AB``.
    region
        Firms whose division code begins so (``44``, ``4403``), or whose province or city is called
        so.
    veto
        ``no``: firms that nothing speaks against; ``yes``: the others; or a key of
        `leadscore.ranking.vetoes.WORDING`.
    text
        Words that all must occur in name, code or business.
    shortlist
        Firms of this shortlist.
    firms
        Firms with these numbers; few enough for one question.
    """

    list_id: int | None = None
    chain: str | None = None
    segment: str | None = None
    role: str | None = None
    region: str | None = None
    grade: str | None = None
    veto: str | None = None
    stage: str | None = None
    text: str | None = None
    shortlist: int | None = None
    firms: tuple[int, ...] | None = None

    def told(self) -> dict[str, Any]:
        """Return what is asked for as plain values, without what isn't."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def conditions(self, connection: Connection) -> list[ColumnElement[bool]]:
        """Return what must hold of the rows of `STANDINGS`."""
        at = STANDINGS.c
        found: list[ColumnElement[bool]] = []
        for name in ("chain", "segment", "role", "stage"):
            wanted = getattr(self, name)
            if wanted is not None:
                found.append(at[name].is_(None) if wanted == NONE else at[name] == wanted)
        if self.grade:
            letters = sorted(set(self.grade))
            found.append(at.grade == letters[0] if len(letters) == 1 else at.grade.in_(letters))
        if self.region:
            found.append(_in_region(self.region))
        if self.veto:
            found.append(
                at.vetoed.is_(self.veto == "yes")
                if self.veto in ("yes", "no")
                else at.veto == self.veto
            )
        if self.list_id is not None:
            found.append(_in_list(connection, self.list_id))
        if self.shortlist is not None:
            found.append(_in_shortlist(connection, self.shortlist))
        if self.firms is not None:
            found.append(at.firm_id.in_(self.firms))
        words = words_of(self.text or "")
        if words:
            found.append(_with_words(connection, words))
        return found


def _in_list(connection: Connection, list_id: int) -> ColumnElement[bool]:
    members = LIST_FIRMS.c
    query = select(members.firm_id).where(members.list_id == list_id)
    return _among(connection, query, members.firm_id)


def _in_shortlist(connection: Connection, shortlist_id: int) -> ColumnElement[bool]:
    members = SHORTLIST_FIRMS.c
    query = select(members.firm_id).where(members.shortlist_id == shortlist_id)
    return _among(connection, query, members.firm_id)


def _with_words(connection: Connection, words: Sequence[str]) -> ColumnElement[bool]:
    texts = STANDING_TEXTS.c
    query = select(texts.firm_id).where(*(contains(connection, texts.text, w) for w in words))
    return _among(connection, query, texts.firm_id)


def _among(
    connection: Connection, query: Select[tuple[int]], firm_id: Column[int]
) -> ColumnElement[bool]:
    """Return that a firm is among those of a query.

    Few firms are found first, and then looked up; where there are many, the ranking is gone
    through in its order, and the first page of it is soon full.
    """
    few = connection.scalars(query.limit(_FEW + 1)).all()
    if len(few) <= _FEW:
        return STANDINGS.c.firm_id.in_(few)
    return query.where(firm_id == STANDINGS.c.firm_id).exists()


def _in_region(region: str) -> ColumnElement[bool]:
    at = STANDINGS.c
    if region.isascii() and region.isdigit():
        return (at.region >= region) & (at.region < f"{region}:")  # the sign after 9
    return (at.province == region) | (at.city == region)


Sort = Literal["-priority", "priority", "-likelihood", "likelihood", "-fit", "fit", "name", "-name"]
"""By what the ranking is ordered; a minus puts the highest first."""
SORTS: tuple[Sort, ...] = get_args(Sort)

LONGEST = 6_000
"""Characters of a cursor; the longest name of a firm fits."""


class BadCursorError(StoreError):
    """What was sent back is not where a page ended."""

    code = "bad_cursor"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page.

    Attributes
    ----------
    sort
        The order of the page.
    value
        What the row was sorted by before its key; None in the usual order, which is that of keys.
    key
        Its place in the one order (see `leadscore.ranking.order`).
    """

    sort: Sort
    value: float | str | None
    key: bytes

    def written(self) -> str:
        """Return it as text of letters, digits, minus and underscore."""
        key = base64.b64encode(self.key).decode()
        plain = json.dumps([self.sort, self.value, key], ensure_ascii=False)
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(text: str, sort: Sort) -> Cursor:
    """Return what `Cursor.written` wrote.

    Parameters
    ----------
    text
        From anybody.
    sort
        The order that is asked for now.

    Raises
    ------
    BadCursorError
        If it is anything else, or of another order.

    >>> read_cursor(Cursor("name", "甲", b"key").written(), "name").value
    '甲'
    """
    try:
        padded = text[:LONGEST] + "=" * (-len(text) % 4)
        plain = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if len(text) <= LONGEST and isinstance(plain, list) and len(plain) == 3:
            found, value, key = plain
            if found == sort and _sound(value, by=sort.removeprefix("-")):
                return Cursor(sort, value, base64.b64decode(key, validate=True))
    except (TypeError, ValueError, RecursionError):  # neither base64 nor UTF-8 nor JSON
        pass
    raise BadCursorError(WORDS["filters.bad"], [Detail("cursor", text, WORDS["filters.one"])])


def _sound(value: Any, *, by: str) -> bool:
    """Tell whether a column may hold a value."""
    if by == "priority":
        return value is None
    if by == "name":
        return isinstance(value, str) and _storable(value)
    return type(value) in (int, float) and 0.0 <= value <= 1.0


def _storable(name: str) -> bool:
    try:
        return "\0" not in name and bool(name.encode())
    except UnicodeEncodeError:
        return False


SAVED_VIEWS = Table(
    "saved_views",
    METADATA,
    Column("id", Number, primary_key=True),
    Column("owner", LongText, nullable=False),
    Column("name", LongText, nullable=False),
    Column("query", LongText, nullable=False),
    Column("saved_at", Moment, nullable=False),
    UniqueConstraint("owner", "name"),
)
"""``query`` is what stands behind the question mark of the address of the ranking."""

MOST_VIEWS = 100
"""Views of one user."""

_UNKNOWN = WORDS["filters.unknown"]
_TOO_MANY = Text(
    zh=f"至多保存 {MOST_VIEWS} 个视图。请先删除一个。",
    en=f"at most {MOST_VIEWS} views are kept. Delete one first.",
)


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
        raise TakenViewError(_TOO_MANY, [Detail("name", shown(name), WORDS["filters.fewer"])])


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
        raise TakenViewError(WORDS["filters.taken"].format(name=shown(name)))
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
