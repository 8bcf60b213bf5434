"""The values that scores rest on, for many scores at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from leadscore.store.engine.parts import in_parts
from leadscore.store.ranking.scores import SCORES


def values_of(
    connection: Connection, score_ids: Collection[int]
) -> dict[int, Mapping[str, float | str]]:
    """Return by the number of each score the values by feature; what is missing is left out."""
    found: dict[int, Mapping[str, float | str]] = {}
    for some in in_parts(score_ids):
        query = select(SCORES.c.id, SCORES.c["values"]).where(SCORES.c.id.in_(some))
        found.update((number, values) for number, values in connection.execute(query))
    return found
