"""The ranking: pages of firms in an order, and how many there are of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    bindparam,
    func,
    select,
)

from leadscore.ranking.order import is_vetoed
from leadscore.store.engine.parts import in_parts, one_of_some
from leadscore.store.firms.firms import FIRMS
from leadscore.store.firms.shortlists import SHORTLIST_FIRMS
from leadscore.store.lists.lists import LIST_FIRMS
from leadscore.store.ranking.cursor import Cursor, Sort
from leadscore.store.ranking.filter import RankingFilter
from leadscore.store.ranking.scores import SCORES
from leadscore.store.ranking.standings import STANDINGS

PAGE = 50
"""Firms of a page, unless others are asked for."""
LONGEST_PAGE = 500

FACETS = ("chain", "segment", "role", "grade", "stage", "veto")
"""What is counted, beside the lists."""

_FROM_SCORE = ("reasons", "values", "segments", "words", "as_of", "scored_at")
_EXPORTED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class RankingPage:
    """Some firms of the ranking.

    Attributes
    ----------
    firms
        Columns of `STANDINGS`; ``reasons``, ``values``, ``segments``, ``words``, ``as_of``,
        ``scored_at``, ``scored_segment`` and ``scored_role`` of the score, which an officer may
        have overruled; ``record`` of the firm; ``rank`` as `ranks` counts it, None for vetoed
        firms.
    next
        Where the next page begins; None if there is none.
    """

    firms: Sequence[Mapping[str, Any]]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Facets:
    """How many firms are meant.

    Attributes
    ----------
    total
        All of them.
    counts
        For each of `FACETS` the firms by value; those without a value under None.
    lists
        Firms by list; one may stand in several.
    """

    total: int
    counts: dict[str, dict[str | None, int]]
    lists: dict[int, int]


def ranking_page(
    connection: Connection,
    asked: RankingFilter,
    *,
    sort: Sort = "-priority",
    after: Cursor | None = None,
    limit: int = PAGE,
) -> RankingPage:
    """Return a page of the ranking: first the firms that may be courted, then the vetoed ones.

    Parameters
    ----------
    connection
        Within a transaction.
    asked
        Which firms.
    sort
        By what; ``-priority`` is the order of `leadscore.ranking.order`, which also decides among
        equals. What puts the lowest first is the same list from its other end.
    after
        The last row of the page before.
    limit
        Firms of a page.
    """
    rows: list[RowMapping] = []
    conditions = asked.conditions(connection)
    for vetoed in (False, True):
        if after is not None and is_vetoed(after.key) and not vetoed:
            continue
        start = after if after is not None and is_vetoed(after.key) == vetoed else None
        if _may_be(asked, vetoed=vetoed):
            part = [STANDINGS.c.vetoed.is_(vetoed), *conditions]
            for place in _places(sort, start):
                lacking = limit + 1 - len(rows)
                rows += _part(connection, [*part, *place], sort, lacking) if lacking else ()
    page = rows[:limit]
    ranked = [row["firm_id"] for row in page if not row["vetoed"]]
    placed = ranks(connection, ranked, list_id=asked.list_id)
    firms = [{**row, "rank": placed.get(row["firm_id"])} for row in page]
    if len(rows) <= limit:
        return RankingPage(firms, None)
    last, by = page[-1], _column(sort)
    value = None if by is None else last[by.name]
    return RankingPage(firms, Cursor(sort, value, last["order_key"]))


def whole_ranking(
    connection: Connection, asked: RankingFilter, *, sort: Sort = "-priority"
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield the whole ranking in parts, so that it never stands in memory as a whole."""
    after = None
    while True:
        page = ranking_page(connection, asked, sort=sort, after=after, limit=_EXPORTED_AT_ONCE)
        if page.firms:
            yield page.firms
        after = page.next
        if after is None:
            return


def ranks(
    connection: Connection, firm_ids: Iterable[int], *, list_id: int | None = None
) -> dict[int, int]:
    """Return the rank of firms: their place among all firms that are kept and not vetoed.

    Vetoed firms have no rank and are left out.

    Parameters
    ----------
    connection
        Within a transaction.
    firm_ids
        Their numbers.
    list_id
        Count places within this list.
    """
    query = _RANKS if list_id is None else _RANKS_IN_LIST
    given = {} if list_id is None else {"list_id": list_id}
    found: dict[int, int] = {}
    for some in in_parts(firm_ids):
        rank = 0
        for firm_id, more in connection.execute(query, {"some": some, **given}):
            rank += more
            found[firm_id] = rank
    return found


def _ranks(counted: FromClause, condition: ColumnElement[bool]) -> Select[int, int]:
    """Select some firms in their order, each with how many follow the one before, itself included.

    So an index is read once, up to the last of the firms.
    """
    at = STANDINGS.c
    before = func.lag(at.order_key, 1, b"").over(order_by=at.order_key)
    some = select(at.firm_id, at.vetoed, at.order_key, before.label("before"))
    each = some.where(at.firm_id.in_(one_of_some())).subquery("each").c
    key = counted.c.order_key
    between = select(func.count()).select_from(counted)
    between = between.where(condition, key > each.before, key <= each.order_key)
    placed = select(each.firm_id, between.scalar_subquery())
    # Vetoed firms are sorted out here and not above, where an index of all others would be read.
    return placed.where(each.vetoed.is_(False)).order_by(each.order_key)


_ALL = STANDINGS.alias("counted")
_RANKS = _ranks(_ALL, _ALL.c.vetoed.is_(False))
_RANKS_IN_LIST = _ranks(LIST_FIRMS, LIST_FIRMS.c.list_id == bindparam("list_id"))


def how_many(connection: Connection, asked: RankingFilter) -> int:
    """Count the firms that are meant."""
    query = select(func.count()).select_from(STANDINGS).where(*asked.conditions(connection))
    return connection.execute(query).scalar_one()


def grouped(
    connection: Connection, asked: RankingFilter, names: Sequence[str]
) -> dict[tuple[str | None, ...], int]:
    """Count the firms that are meant by all these columns of `STANDINGS` at once."""
    columns = [STANDINGS.c[name] for name in names]
    query = select(*columns, func.count()).where(*asked.conditions(connection)).group_by(*columns)
    return {tuple(row[:-1]): row[-1] for row in connection.execute(query)}


def facets(connection: Connection, asked: RankingFilter) -> Facets:
    """Count the firms that are meant, by each value of `FACETS` and by list."""
    counts: dict[str, Counter[str | None]] = {name: Counter() for name in FACETS}
    total = 0
    for row, number in grouped(connection, asked, FACETS).items():
        total += number
        for name, value in zip(FACETS, row, strict=True):
            counts[name][value] += number
    return Facets(
        total, {name: dict(each) for name, each in counts.items()}, by_list(connection, asked)
    )


def by_list(connection: Connection, asked: RankingFilter) -> dict[int, int]:
    """Count the firms that are meant by list; one may stand in several."""
    return _by_set(connection, asked, LIST_FIRMS.c.list_id, LIST_FIRMS.c.firm_id)


def by_shortlist(connection: Connection, asked: RankingFilter) -> dict[int, int]:
    """Count the firms that are meant by shortlist; one may stand in several, and in none."""
    return _by_set(connection, asked, SHORTLIST_FIRMS.c.shortlist_id, SHORTLIST_FIRMS.c.firm_id)


def _by_set(
    connection: Connection, asked: RankingFilter, number: Column[int], member: Column[int]
) -> dict[int, int]:
    """Count the firms that are meant by the sets of which they are members."""
    conditions = asked.conditions(connection)
    query = select(number, func.count()).group_by(number)
    if conditions:
        query = query.join(STANDINGS, STANDINGS.c.firm_id == member).where(*conditions)
    return {row[0]: row[1] for row in connection.execute(query)}


def _may_be(asked: RankingFilter, *, vetoed: bool) -> bool:
    return not asked.veto or vetoed == (asked.veto != "no")


def _column(sort: Sort) -> Column[Any] | None:
    """Return by what firms are sorted before their key, if by anything."""
    by = sort.removeprefix("-")
    return None if by == "priority" else STANDINGS.c[by]


def _places(sort: Sort, after: Cursor | None) -> Iterator[list[ColumnElement[bool]]]:
    """Yield where the firms after a row stand.

    First those with the same value as the row, then those beyond it: so an index leads to either,
    whatever the directions of value and key.
    """
    if after is None:
        yield []
        return
    by, key = _column(sort), STANDINGS.c.order_key
    follows = key > after.key if _rising(sort) else key < after.key
    if by is None:
        yield [follows]
        return
    yield [by == after.value, follows]
    yield [by > after.value if sort == by.name else by < after.value]


def _rising(sort: Sort) -> bool:
    """Tell whether firms are listed in the usual order where nothing else decides."""
    return sort in ("-priority", "-likelihood", "-fit", "name")


def _part(
    connection: Connection, conditions: Sequence[Any], sort: Sort, limit: int
) -> Sequence[RowMapping]:
    query = select(STANDINGS).where(*conditions)
    page = query.order_by(*_order(STANDINGS.c, sort)).limit(limit).subquery()
    scored = [
        *(SCORES.c[name] for name in _FROM_SCORE),
        SCORES.c.segment.label("scored_segment"),
        SCORES.c.role.label("scored_role"),
    ]
    joined = (
        select(page, *scored, FIRMS.c.record)
        .join(SCORES, SCORES.c.id == page.c.score_id)
        .join(FIRMS, FIRMS.c.id == page.c.firm_id)
    )
    return connection.execute(joined.order_by(*_order(page.c, sort))).mappings().all()


def _order(columns: Any, sort: Sort) -> list[ColumnElement[Any]]:
    by, key = _column(sort), columns.order_key
    end = key.asc() if _rising(sort) else key.desc()
    if by is None:
        return [end]
    return [columns[by.name].asc() if sort == by.name else columns[by.name].desc(), end]
