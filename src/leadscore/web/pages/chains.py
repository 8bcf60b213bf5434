"""Chains: what the city has and lacks along each, and which firms might fill the gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from leadscore.store.ranking.gaps import candidates
from leadscore.web.access.permissions import requires
from leadscore.web.pages import shell
from leadscore.web.pages.chain_maps import POSITIONS, WIDTH, chain_map, gap_level
from leadscore.web.routes.gaps import gaps_answer

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site


def chain_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/chains``."""
    backing = site.backing

    @pages.get("/chains")
    @requires("read")
    def chains() -> Response:
        city, lang = backing.scorer().city, site.lang()
        with backing.database.read() as connection:
            found = candidates(connection, city.segments)
        answer = gaps_answer(city, found, lang)
        return shell.page(
            site,
            "chains.html",
            title=site.words["chains.title"].pick(lang),
            city=answer,
            maps=[chain_map(chain) for chain in answer["chains"]],
            names=_names(answer),
            positions=POSITIONS,
            width=WIDTH,
            level=gap_level,
            nobody=not any(each.number for each in found.values()),
        )


def _names(answer: dict[str, Any]) -> dict[str, str]:
    """Return the name of each segment."""
    return {each["id"]: each["name"] for chain in answer["chains"] for each in chain["segments"]}
