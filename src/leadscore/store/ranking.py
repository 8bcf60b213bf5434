"""The ranking read: pages in an order, points, gaps and their candidates, the written table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    bindparam,
    case,
    func,
    select,
)

from leadscore.features.catalogue import CATALOGUE
from leadscore.ranking.order import RANKING_COLUMNS, is_vetoed
from leadscore.ranking.reasons import Wording
from leadscore.ranking.vetoes import WORDING
from leadscore.store.current_ranking import SCORES, STANDINGS
from leadscore.store.database import in_parts, one_of_some
from leadscore.store.filters import NONE, Cursor, RankingFilter, Sort
from leadscore.store.firms import FIRMS
from leadscore.store.lists import LIST_FIRMS
from leadscore.store.shortlists import SHORTLIST_FIRMS
from leadscore.text import Lang

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


_FACETS_AND_PROVINCE = (*FACETS, "province")
_FREE: dict[str, Any] = dict.fromkeys(FACETS)

_Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """How many firms are meant, and how many there would be by each value of each filter.

    Attributes
    ----------
    total
        Firms that are meant.
    by
        For ``chain``, ``segment``, ``role``, ``grade``, ``stage``, ``veto`` and ``region`` (by
        province) the firms by value, those without one under None; a filter that is set is counted
        as if it were not, so that one can change one's mind.
    lists, shortlists
        The same by number; a firm may stand in several.
    """

    total: int
    by: Mapping[str, Mapping[str | None, int]]
    lists: Mapping[int, int]
    shortlists: Mapping[int, int]


def choices(
    connection: Connection, asked: RankingFilter, *, lists: bool = True, shortlists: bool = True
) -> Choices:
    """Count what can be chosen.

    Parameters
    ----------
    connection
        Within a transaction.
    asked
        Which firms.
    lists, shortlists
        Whether to count by these, too; nothing is counted if not.
    """
    groups = _groups(connection, asked)
    tests = _tests(asked)
    by = {name: _counted(groups, tests, name, but=name) for name in FACETS}
    anywhere = replace(asked, region=None)
    around = groups if asked.region is None else _groups(connection, anywhere)
    by["region"] = _counted(around, tests, "province")
    return Choices(
        sum(_counted(groups, tests, "grade").values()),
        by,
        by_list(connection, replace(asked, list_id=None)) if lists else {},
        by_shortlist(connection, replace(asked, shortlist=None)) if shortlists else {},
    )


def _groups(connection: Connection, asked: RankingFilter) -> dict[_Row, int]:
    """Count firms by all their values at once: an index that has them all is read once."""
    return grouped(connection, replace(asked, **_FREE), _FACETS_AND_PROVINCE)


def _counted(
    groups: Mapping[_Row, int],
    tests: Mapping[str, Callable[[str | None], bool]],
    name: str,
    *,
    but: str | None = None,
) -> dict[str | None, int]:
    """Count by one of the values, in groups that pass all tests ``but`` one."""
    held = [(_FACETS_AND_PROVINCE.index(each), test) for each, test in tests.items() if each != but]
    at, found = _FACETS_AND_PROVINCE.index(name), Counter[str | None]()
    for row, many in groups.items():
        if all(test(row[place]) for place, test in held):
            found[row[at]] += many
    return dict(found)


def _tests(asked: RankingFilter) -> dict[str, Callable[[str | None], bool]]:
    """Return what must hold of each value; the same as `RankingFilter.conditions` asks for."""
    tests: dict[str, Callable[[str | None], bool]] = {}
    for name in ("chain", "segment", "role", "stage"):
        wanted = getattr(asked, name)
        if wanted is not None:
            tests[name] = _is(None if wanted == NONE else wanted)
    if asked.grade:
        tests["grade"] = set(asked.grade).__contains__
    if asked.veto == "yes":
        tests["veto"] = lambda veto: veto is not None
    elif asked.veto:
        tests["veto"] = _is(None if asked.veto == "no" else asked.veto)
    return tests


def _is(wanted: str | None) -> Callable[[str | None], bool]:
    return lambda value: value == wanted


MOST_POINTS = 1_000
"""Firms that are drawn; more could neither be told apart nor pointed at."""

_POINT_COLUMNS = ("firm_id", "name", "fit", "likelihood", "grade", "veto")


@dataclass(frozen=True, slots=True)
class Quarters:
    """How many firms that may be courted lie in each quarter of fit and likelihood.

    Attributes
    ----------
    both, fit, likelihood, neither
        Firms of which both are high, only the fit, only the likelihood, or neither.
    """

    both: int
    fit: int
    likelihood: int
    neither: int


def points(
    connection: Connection, asked: RankingFilter, *, limit: int = MOST_POINTS
) -> Sequence[RowMapping]:
    """Return the first firms of the ranking.

    Parameters
    ----------
    connection
        Within a transaction.
    asked
        Which firms.
    limit
        How many at most.

    Returns
    -------
    Rows with ``firm_id``, ``name``, ``fit``, ``likelihood``, ``grade`` and ``veto``.
    """
    query = (
        select(*(STANDINGS.c[name] for name in _POINT_COLUMNS))
        .where(*asked.conditions(connection))
        .order_by(STANDINGS.c.vetoed, STANDINGS.c.order_key)
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def quarters(
    connection: Connection, asked: RankingFilter, *, fit: float, likelihood: float
) -> Quarters:
    """Count the firms that may be courted on each side of two lines.

    Parameters
    ----------
    connection
        Within a transaction.
    asked
        Which firms.
    fit, likelihood
        From where on, 0..1, each counts as high.
    """
    at = STANDINGS.c
    fits, lands = at.fit >= fit, at.likelihood >= likelihood
    query = select(
        *(
            func.coalesce(func.sum(case((which, 1), else_=0)), 0)
            for which in (fits & lands, fits & ~lands, ~fits & lands, ~fits & ~lands)
        )
    ).where(at.vetoed.is_(False), *asked.conditions(connection))
    return Quarters(*connection.execute(query).one())


def mean_likelihood(connection: Connection) -> float:
    """Return the mean likelihood of all firms that may be courted; 0 if there is none."""
    at = STANDINGS.c
    query = select(func.avg(at.likelihood)).where(at.vetoed.is_(False))
    return float(connection.scalar(query) or 0.0)


BEST = 3
"""Candidates that are named for each segment."""

_CANDIDATE_COLUMNS = ("firm_id", "name", "priority", "grade")


@dataclass(frozen=True, slots=True)
class Candidates:
    """The firms that would fill a segment best of all that they could fill.

    Attributes
    ----------
    number
        Firms that nothing speaks against.
    best
        The first of them in the ranking: ``firm_id, name, priority, grade, rank``.
    """

    number: int
    best: Sequence[Mapping[str, Any]]


def candidates(connection: Connection, segments: Iterable[str]) -> dict[str, Candidates]:
    """Return the candidates of segments, by their ids."""
    at = STANDINGS.c
    # Vetoed firms are counted, too, so that all comes from the index of segments alone.
    counted = select(at.segment, at.vetoed, func.count()).group_by(at.segment, at.vetoed)
    numbers = {row[0]: row[2] for row in connection.execute(counted) if not row[1]}
    best = {}
    for segment in segments:
        query = select(*(at[name] for name in _CANDIDATE_COLUMNS)).where(
            at.segment == segment, at.vetoed.is_(False)
        )
        first = query.order_by(at.order_key).limit(BEST)
        best[segment] = connection.execute(first).mappings().all() if segment in numbers else []
    placed = ranks(connection, [row["firm_id"] for rows in best.values() for row in rows])
    return {
        segment: Candidates(
            numbers.get(segment, 0), [{**row, "rank": placed[row["firm_id"]]} for row in rows]
        )
        for segment, rows in best.items()
    }


_FRACTIONS = ("priority", "likelihood", "fit")
_DTYPES = {"rank": "Int64", "row": "Int64"} | dict.fromkeys(_FRACTIONS, "float64")


def written_ranking(
    rows: Sequence[Mapping[str, Any]], wording: Wording, lang: Lang
) -> pd.DataFrame:
    """Return firms with the columns of a written ranking.

    Parameters
    ----------
    rows
        Firms as `leadscore.store.ranking` gives them.
    wording
        Of the model that serves; a segment that its city has no longer has no name.
    lang
        Of reasons, vetoes and names.
    """
    same: dict[str, list[Any]] = {
        name: [row[name] for row in rows]
        for name in RANKING_COLUMNS
        if name not in ("reasons", "veto", "segment_name", "role_name", "matched_words")
    }
    roles = {level: name.pick(lang) for level, name in CATALOGUE["role"].levels.items()}
    columns = same | {
        "reasons": [wording.kept_line(row, lang) for row in rows],
        "veto": [row["veto"] and WORDING[row["veto"]].pick(lang) for row in rows],
        "segment_name": [wording.segment(row["segment"], lang) for row in rows],
        "role_name": [roles.get(row["role"]) for row in rows],
        "matched_words": [row["words"] for row in rows],
    }
    return pd.DataFrame(
        {name: pd.Series(columns[name], dtype=_DTYPES.get(name, "str")) for name in RANKING_COLUMNS}
    )


def written_parts(
    connection: Connection, asked: RankingFilter, wording: Wording, lang: Lang, *, sort: Sort
) -> Iterator[tuple[Sequence[Mapping[str, Any]], pd.DataFrame]]:
    """Yield the whole ranking in parts: firms as they are kept, and as they are written.

    There is at least one part, so that a table without firms has its columns, too.

    Parameters
    ----------
    connection
        Within a transaction.
    asked, sort
        Which firms, and in which order.
    wording, lang
        As of `written_ranking`.
    """
    empty = True
    for rows in whole_ranking(connection, asked, sort=sort):
        empty = False
        yield rows, written_ranking(rows, wording, lang)
    if empty:
        yield [], written_ranking([], wording, lang)
