"""How many firms of the ranking stand in which shortlist."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from leadscore.store.firms.shortlists import SHORTLIST_FIRMS
from leadscore.store.ranking.filter import RankingFilter
from leadscore.store.ranking.standings import STANDINGS


def by_shortlist(connection: Connection, asked: RankingFilter) -> dict[int, int]:
    """Count the firms that are meant by shortlist; one may stand in several, and in none."""
    members, many = SHORTLIST_FIRMS.c, func.count().label("many")
    query = (
        select(members.shortlist_id, many)
        .join(STANDINGS, STANDINGS.c.firm_id == members.firm_id)
        .where(*asked.conditions(connection))
        .group_by(members.shortlist_id)
    )
    return {row.shortlist_id: row.many for row in connection.execute(query)}
