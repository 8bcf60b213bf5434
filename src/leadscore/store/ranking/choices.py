"""How many firms each value of each filter would leave, counted in one pass over the ranking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from leadscore.store.ranking.filter import NONE, RankingFilter
from leadscore.store.ranking.pages import FACETS, by_list, by_shortlist, grouped

_ALL = (*FACETS, "province")
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
    return grouped(connection, replace(asked, **_FREE), _ALL)


def _counted(
    groups: Mapping[_Row, int],
    tests: Mapping[str, Callable[[str | None], bool]],
    name: str,
    *,
    but: str | None = None,
) -> dict[str | None, int]:
    """Count by one of the values, in groups that pass all tests ``but`` one."""
    held = [(_ALL.index(each), test) for each, test in tests.items() if each != but]
    at, found = _ALL.index(name), Counter[str | None]()
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
