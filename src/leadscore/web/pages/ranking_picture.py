"""The picture beside the ranking: each firm a point, by its fit and its likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Connection, RowMapping

from leadscore.language import Lang
from leadscore.ranking.vetoes import WORDING
from leadscore.store.ranking.filter import RankingFilter
from leadscore.store.ranking.points import (
    MOST_POINTS,
    Quarters,
    mean_likelihood,
    points,
    quarters,
)
from leadscore.web.access.permissions import requires
from leadscore.web.pages.addresses import Asked
from leadscore.web.pages.ranking_query import checked
from leadscore.web.store_refusals import store_refusals

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site

_FIT = 0.5


@dataclass(frozen=True, slots=True)
class Picture:
    """What the page says of the picture in words and numbers.

    Attributes
    ----------
    quarters
        How many firms lie in each quarter.
    fit, likelihood
        Where the lines are; that of the likelihood is its mean over all firms that may be courted,
        whatever the filter, so that it stays where it is when a filter is set.
    most
        How many points are drawn at most.
    """

    quarters: Quarters
    fit: float
    likelihood: float
    most: int


def picture_of(connection: Connection, meant: RankingFilter) -> Picture:
    """Return what the page says of the picture."""
    likelihood = mean_likelihood(connection)
    found = quarters(connection, meant, fit=_FIT, likelihood=likelihood)
    return Picture(found, _FIT, likelihood, MOST_POINTS)


def ranking_picture(site: Site, pages: Blueprint) -> None:
    """Add ``/ranking/points``, which the script of the picture asks for."""
    backing = site.backing

    @pages.get("/ranking/points")
    @requires("read")
    def ranking_points() -> Response:
        meant, lang = checked(Asked.of(request.args)).asked(), site.lang()
        with store_refusals(), backing.database.read() as connection:
            rows = points(connection, meant)
            likelihood = mean_likelihood(connection)
        return jsonify(
            {
                "points": [_point(row, lang) for row in rows],
                "lines": {"fit": _FIT, "likelihood": likelihood},
            }
        )


def _point(row: RowMapping, lang: Lang) -> tuple[int, str, float, float, str, str | None]:
    """Return number, name, fit, likelihood, grade and veto: without names, it is half as long."""
    veto = row["veto"] and WORDING[row["veto"]].pick(lang)
    fit, likelihood = round(row["fit"], 4), round(row["likelihood"], 4)
    return row["firm_id"], row["name"], fit, likelihood, row["grade"], veto
