"""How many candidates the store has for each segment of the chain graph, and which are the best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, func, select

from leadscore.store.ranking.standings import STANDINGS

BEST = 3
"""Candidates that are named for each segment."""

_SHOWN = ("firm_id", "name", "priority", "grade")


@dataclass(frozen=True, slots=True)
class Candidates:
    """The firms that would fill a segment best of all that they could fill.

    Attributes
    ----------
    number
        Firms that nothing speaks against.
    best
        The first of them by priority: ``firm_id, name, priority, grade``.
    """

    number: int
    best: Sequence[RowMapping]


def candidates(connection: Connection, segments: Iterable[str]) -> dict[str, Candidates]:
    """Return the candidates of segments, by their ids."""
    at = STANDINGS.c
    many = func.count().label("many")
    counted = select(at.segment, many).where(at.vetoed.is_(False)).group_by(at.segment)
    numbers = {row.segment: row.many for row in connection.execute(counted)}
    found = {}
    for segment in segments:
        query = select(*(at[name] for name in _SHOWN)).where(
            at.segment == segment, at.vetoed.is_(False)
        )
        best = query.order_by(at.priority.desc(), at.firm_id.desc()).limit(BEST)
        rows = connection.execute(best).mappings().all() if segment in numbers else []
        found[segment] = Candidates(numbers.get(segment, 0), rows)
    return found
