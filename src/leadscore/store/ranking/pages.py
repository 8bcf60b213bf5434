"""The ranking: pages of firms in an order, and how many there are of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, func, select, tuple_

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

_FROM_SCORE = ("reasons", "segments", "words", "as_of", "scored_at")
_EXPORTED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class RankingPage:
    """Some firms of the ranking.

    Attributes
    ----------
    firms
        Columns of `STANDINGS`, and ``reasons``, ``segments``, ``words``, ``as_of`` and
        ``scored_at`` of the score.
    next
        Where the next page begins; None if there is none.
    """

    firms: Sequence[RowMapping]
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
        In which order; among equals the number of the firm decides.
    after
        The last row of the page before.
    limit
        Firms of a page.
    """
    firms: list[RowMapping] = []
    conditions = asked.conditions(connection)
    # One part after the other: so the same index serves both directions.
    for vetoed in (False, True):
        if after is not None and after.vetoed and not vetoed:
            continue
        start = after if after is not None and after.vetoed == vetoed else None
        lacking = limit + 1 - len(firms)
        if lacking > 0 and _may_be(asked, vetoed=vetoed):
            firms += _part(connection, conditions, sort, vetoed, start, lacking)
    if len(firms) <= limit:
        return RankingPage(firms, None)
    last, by = firms[limit - 1], sort.removeprefix("-")
    return RankingPage(firms[:limit], Cursor(sort, last["vetoed"], last[by], last["firm_id"]))


def whole_ranking(
    connection: Connection, asked: RankingFilter, *, sort: Sort = "-priority"
) -> Iterator[Sequence[RowMapping]]:
    """Yield the whole ranking in parts, so that it never stands in memory as a whole."""
    after = None
    while True:
        page = ranking_page(connection, asked, sort=sort, after=after, limit=_EXPORTED_AT_ONCE)
        if page.firms:
            yield page.firms
        after = page.next
        if after is None:
            return


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
    for values, number in grouped(connection, asked, FACETS).items():
        total += number
        for name, value in zip(FACETS, values, strict=True):
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


def _part(
    connection: Connection, conditions: Sequence[Any], sort: Sort, vetoed: bool,
    after: Cursor | None, limit: int,
) -> Sequence[RowMapping]:  # fmt: skip
    """Return firms that are vetoed, or that are not, from a place on."""
    by, down = STANDINGS.c[sort.removeprefix("-")], sort.startswith("-")
    place = tuple_(by, STANDINGS.c.firm_id)
    query = select(STANDINGS).where(STANDINGS.c.vetoed.is_(vetoed), *conditions)
    if after is not None:
        here = tuple_(after.key, after.firm_id)
        query = query.where(place < here if down else place > here)
    order = [column.desc() if down else column.asc() for column in (by, STANDINGS.c.firm_id)]
    page = query.order_by(*order).limit(limit).subquery()
    scored = [SCORES.c[name] for name in _FROM_SCORE]
    joined = select(page, *scored).join(SCORES, SCORES.c.id == page.c.score_id)
    again = [page.c[column.name] for column in (by, STANDINGS.c.firm_id)]
    return (
        connection.execute(joined.order_by(*(c.desc() if down else c.asc() for c in again)))
        .mappings()
        .all()
    )
