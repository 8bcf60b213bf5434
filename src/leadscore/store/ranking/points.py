"""The firms of the ranking as points: how well each fits, and how likely it is to land."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, case, func, select

from leadscore.store.ranking.filter import RankingFilter
from leadscore.store.ranking.standings import STANDINGS

MOST_POINTS = 1_000
"""Firms that are drawn; more could neither be told apart nor pointed at."""

_SHOWN = ("firm_id", "name", "fit", "likelihood", "grade", "veto")


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
        select(*(STANDINGS.c[name] for name in _SHOWN))
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
