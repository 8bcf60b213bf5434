"""How many candidates the store has for each segment of the chain graph, and which are the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from leadscore.store.ranking.pages import ranks
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
        query = select(*(at[name] for name in _SHOWN)).where(
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
