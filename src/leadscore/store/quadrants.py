"""The ranking as a picture: fit beside likelihood, and how many firms lie in each quarter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from leadscore.store.current_ranking import STANDINGS
from leadscore.store.ranking import RankingFilter

MOST_POINTS = 1_000
"""Firms that are drawn; more could neither be told apart nor pointed at."""


class Quarters(NamedTuple):
    """How many firms that may be courted lie in each quarter of fit and likelihood.

    Of them both are high, only the fit, only the likelihood, or neither.
    """

    both: int
    fit: int
    likelihood: int
    neither: int


def points(
    connection: Connection, asked: RankingFilter, *, limit: int = MOST_POINTS
) -> Sequence[RowMapping]:
    """Return ``firm_id, name, fit, likelihood, grade, veto`` of the first firms of the ranking."""
    at = STANDINGS.c
    query = (
        sa.select(at.firm_id, at.name, at.fit, at.likelihood, at.grade, at.veto)
        .where(*asked.conditions(connection, in_order=True))
        .order_by(at.vetoed, at.order_key)
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def quarters(
    connection: Connection, asked: RankingFilter, *, fit: float, likelihood: float
) -> Quarters:
    """Count the firms that may be courted on each side of two lines, 0..1, which count as high."""
    at = STANDINGS.c
    fits, lands = at.fit >= fit, at.likelihood >= likelihood
    query = sa.select(
        *(
            sa.func.coalesce(sa.func.sum(sa.case((which, 1), else_=0)), 0)
            for which in (fits & lands, fits & ~lands, ~fits & lands, ~fits & ~lands)
        )
    ).where(at.vetoed.is_(False), *asked.conditions(connection))
    return Quarters(*connection.execute(query).one())


def mean_likelihood(connection: Connection) -> float:
    """Return the mean likelihood of all firms that may be courted; 0 if there is none."""
    at = STANDINGS.c
    query = sa.select(sa.func.avg(at.likelihood)).where(at.vetoed.is_(False))
    return float(connection.scalar(query) or 0.0)
