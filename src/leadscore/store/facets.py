"""Counts of the current ranking: by each value that can be chosen, and by gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, RowMapping

from leadscore.store.current_ranking import FIRM_SEGMENTS, SCORES, STANDINGS, contains
from leadscore.store.database import current_generation, is_writing
from leadscore.store.lists import LIST_FIRMS, NOWHERE
from leadscore.store.ranking import (
    LIST_ID,
    NAMED,
    NONE,
    SHORTLIST_ID,
    WORKED_IN,
    Among,
    RankingFilter,
    ranks,
)

FACETS = ("chain", "segment", "role", "grade", "stage", "owner", "veto")
"""What is counted, beside the lists."""


class Facets(NamedTuple):
    """How many firms are meant: all, by value for each of `FACETS`, and by list.

    Those without a value are counted under None; one firm may stand in several lists.
    """

    total: int
    counts: dict[str, dict[str | None, int]]
    lists: dict[int, int]


class Choices(NamedTuple):
    """How many firms are meant, and how many there would be by each value of each filter.

    ``by`` has the `FACETS` and ``region`` (by province), each with the firms by value, those
    without one under None; a filter that is set is counted as if it were not, so that one can
    change one's mind. ``lists`` and ``shortlists`` are by number; a firm may stand in several.
    """

    total: int
    by: Mapping[str, Mapping[str | None, int]]
    lists: Mapping[int, int]
    shortlists: Mapping[int, int]


_Groups = Mapping[tuple[str | None, ...], int]
_Tests = Mapping[str, Callable[[str | None], bool]]
_GROUPED = ("works_in", "role", "grade", "stage", "owner", "veto", "province")
_PLACES = {name: _GROUPED.index(name) for name in _GROUPED} | dict.fromkeys(WORKED_IN, 0)


def how_many(connection: Connection, asked: RankingFilter) -> int:
    """Count the firms that are meant."""
    query = sa.select(sa.func.count()).select_from(STANDINGS).where(*asked.conditions(connection))
    return connection.execute(query).scalar_one()


def expected_landings(connection: Connection, asked: RankingFilter) -> float:
    """Return the sum of the likelihoods of the firms that are meant and not vetoed."""
    kept = (*asked.conditions(connection), STANDINGS.c.vetoed.is_(False))
    return connection.scalar(sa.select(sa.func.sum(STANDINGS.c.likelihood)).where(*kept)) or 0.0


def facets(connection: Connection, asked: RankingFilter) -> Facets:
    """Count the firms that are meant, by each value of `FACETS` and by list."""
    columns, among = asked.of_columns(), asked.among(connection)
    groups = _grouped(connection, columns, among)
    counts = {name: _counted(groups, {}, name) for name in FACETS}
    return Facets(sum(groups.values()), counts, _by(connection, columns, among, LIST_ID))


def choices(
    connection: Connection, asked: RankingFilter, *, lists: bool = True, shortlists: bool = True
) -> Choices:
    """Count what can be chosen, with ``lists`` and ``shortlists`` or nothing of these."""
    columns, among = asked.of_columns(), asked.among(connection)
    tests = _tests(asked)
    region = {name: holds for name, holds in columns.items() if name == "region"}
    # All values at once: an index that has them all is read once.
    of_sets = {name: holds for name, holds in among.items() if name not in WORKED_IN}
    groups = _grouped(connection, region, of_sets)
    by = {name: _counted(groups, tests, name, but=name) for name in FACETS}
    around = _grouped(connection, {}, of_sets) if region else groups
    by["region"] = _counted(around, tests, "province")
    total = sum(_counted(groups, tests, "grade").values())
    return Choices(
        total,
        by,
        _by(connection, columns, _without(among, "list_id"), LIST_ID) if lists else {},
        _by(connection, columns, _without(among, "shortlist"), SHORTLIST_ID) if shortlists else {},
    )


def _without(among: Mapping[str, Among], name: str) -> dict[str, Among]:
    return {other: holds for other, holds in among.items() if other != name}


def _grouped(
    connection: Connection, columns: Mapping[str, ColumnElement[bool]],
    among: Mapping[str, Among],
) -> _Groups:  # fmt: skip
    if columns or among or is_writing(connection):
        return _groups(connection, [*columns.values(), *(of(_FIRM_ID) for of in among.values())])
    # Of all firms, as every page without a search counts them: kept until somebody writes.
    generation = connection.scalar(sa.select(current_generation))
    kept = _KEPT.get(connection.engine)
    if kept is None or kept[0] != generation:
        kept = _KEPT[connection.engine] = generation, _groups(connection, [])
    return kept[1]


_KEPT: WeakKeyDictionary[sa.Engine, tuple[int | None, _Groups]] = WeakKeyDictionary()
_FIRM_ID = STANDINGS.c.firm_id


def _groups(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> _Groups:
    names = [STANDINGS.c[name] for name in _GROUPED]
    query = sa.select(*names, sa.func.count()).where(*conditions).group_by(*names)
    return {tuple(row[:-1]): row[-1] for row in connection.execute(query)}


def _by(
    connection: Connection, columns: Mapping[str, ColumnElement[bool]],
    among: Mapping[str, Among], number: sa.Column[int],
) -> dict[int, int]:  # fmt: skip
    firm_id = number.table.c.firm_id
    query = sa.select(number, sa.func.count()).group_by(number)
    if number is LIST_ID:
        query = query.where(LIST_FIRMS.c.order_key < NOWHERE)
    elif not columns:  # firms that stand nowhere are in shortlists all the same
        query = query.where(firm_id.in_(sa.select(_FIRM_ID)))
    query = query.where(*columns.values(), *(holds(firm_id) for holds in among.values()))
    if columns:
        query = query.join(STANDINGS, firm_id == _FIRM_ID)
    return {row[0]: row[1] for row in connection.execute(query)}


def _counted(
    groups: _Groups, tests: _Tests, name: str, *, but: str | None = None
) -> dict[str | None, int]:
    held = [(_PLACES[each], test) for each, test in tests.items() if each != but]
    at, counts = _PLACES[name], Counter[str | None]()
    for row, many in groups.items():
        if all(test(row[place]) for place, test in held):
            for value in _worked_in(name, row[at]) if name in WORKED_IN else (row[at],):
                counts[value] += many
    return dict(counts)


@lru_cache(maxsize=10_000)
def _worked_in(name: str, works_in: str | None) -> frozenset[str | None]:
    # In which segments or chains a firm works, of `STANDINGS.works_in`.
    segments = works_in.split(";") if works_in else [None]
    if name == "segment":
        return frozenset(segments)
    return frozenset(segment and segment.partition(".")[0] for segment in segments)


def _tests(asked: RankingFilter) -> _Tests:
    # The same as `RankingFilter.conditions` asks for.
    tests: dict[str, Callable[[str | None], bool]] = {}
    for name in (*NAMED, "grade"):
        if wanted := getattr(asked, name):
            tests[name] = {None if value == NONE else value for value in wanted}.__contains__
    for name in WORKED_IN:
        if wanted := getattr(asked, name):
            tests[name] = partial(_works_in_any, name, {None if v == NONE else v for v in wanted})
    if asked.veto:
        vetoes = frozenset(None if veto == "no" else veto for veto in asked.veto)
        tests["veto"] = lambda veto: veto in vetoes or (veto is not None and "yes" in vetoes)
    return tests


def _works_in_any(name: str, wanted: Collection[str | None], works_in: str | None) -> bool:
    return not _worked_in(name, works_in).isdisjoint(wanted)


_BEST = 3  # candidates that are named for each segment
_NEAREST = 2  # of a segment that has none


class Candidates(NamedTuple):
    """The firms that truly work in a segment, by their priority for the gap there.

    How many nothing speaks against, and ``firm_id, name, priority, grade, rank`` of the first ones:
    the priority is that for the gap, rank and grade are those among all.
    """

    number: int
    best: Sequence[Mapping[str, Any]]


def candidates(connection: Connection, segments: Iterable[str]) -> dict[str, Candidates]:
    """Return the candidates of segments, by their ids."""
    at, there = STANDINGS.c, FIRM_SEGMENTS.c
    courted = _tests(RankingFilter(veto=("no",)))
    numbers = _counted(_grouped(connection, {}, {}), courted, "segment")
    first = sa.select(at.firm_id, at.name, there.priority, at.grade).where(at.vetoed.is_(False))
    first = first.join_from(STANDINGS, FIRM_SEGMENTS, there.firm_id == at.firm_id)
    first = first.order_by(there.priority.desc(), at.order_key).limit(_BEST)
    best: dict[str, Sequence[RowMapping]] = {
        segment: connection.execute(first.where(there.segment == segment)).mappings().all()
        if segment in numbers
        else []
        for segment in segments
    }
    placed = ranks(connection, [row["firm_id"] for rows in best.values() for row in rows])
    return {
        segment: Candidates(
            numbers.get(segment, 0), [{**row, "rank": placed[row["firm_id"]]} for row in rows]
        )
        for segment, rows in best.items()
    }


_MOST_WEAK = 2_000


class Near(NamedTuple):
    """A firm of which a passing word belongs to a segment; strength 0..1."""

    firm_id: int
    name: str
    strength: float


def nearest(connection: Connection, segments: Collection[str]) -> dict[str, list[Near]]:
    """Return the firms that come nearest to segments in which none truly works, at most two each.

    They are those that nothing speaks against, the strongest match first.
    """
    if not segments:
        return {}
    at = STANDINGS.c
    any_of = sa.or_(*(contains(connection, SCORES.c.segments, f"{key}:") for key in segments))
    query = sa.select(at.firm_id, at.name, SCORES.c.segments).where(at.vetoed.is_(False), any_of)
    query = query.join_from(STANDINGS, SCORES, SCORES.c.id == at.score_id).limit(_MOST_WEAK)
    near: dict[str, list[Near]] = {key: [] for key in segments}
    for firm_id, name, told in connection.execute(query):
        for match in told.split(";"):
            key, _, strength = match.rpartition(":")
            if key in near:
                near[key].append(Near(firm_id, name, float(strength)))
    return {
        key: sorted(firms, key=lambda firm: (-firm.strength, firm.name))[:_NEAREST]
        for key, firms in near.items()
    }


def segments_of(connection: Connection, firm_id: int) -> Sequence[RowMapping]:
    """Return the rows of `FIRM_SEGMENTS` of a firm, the one that it fits best first."""
    there = FIRM_SEGMENTS.c
    query = sa.select(FIRM_SEGMENTS).where(there.firm_id == firm_id)
    order = there.fit.desc(), there.strength.desc(), there.segment
    return connection.execute(query.order_by(*order)).mappings().all()


_MOST_HERE = 500


class Here(NamedTuple):
    """A firm that is here already, by the veto of that name, and the segments it truly works in."""

    firm_id: int
    name: str
    stage: str | None
    segments: tuple[str, ...]


def firms_here(connection: Connection) -> list[Here]:
    """Return the firms that are here already, those that fit best first; at most 500."""
    at = STANDINGS.c
    query = sa.select(at.firm_id, at.name, at.stage, at.works_in).where(at.veto == "already_here")
    rows = connection.execute(query.order_by(at.order_key).limit(_MOST_HERE))
    return [Here(*row[:3], tuple(row[3].split(";")) if row[3] else ()) for row in rows]
