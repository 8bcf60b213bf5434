"""The profile of the city as it is read: chains, supply, neighbours, the order, the card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE
from leadscore.language import Lang
from leadscore.learning.modelpage import card_sections
from leadscore.learning.retraining.expert import expert_scorecard
from leadscore.web.access.permissions import requires
from leadscore.web.pages.administration_frame import framed

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site


def city_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/city``."""

    @pages.get("/administration/city")
    @requires("read")
    def city_page() -> Response:
        city, lang = site.backing.scorer().city, site.lang()
        manifest = {"scorecard": expert_scorecard(city).to_dict(), "kind": "expert"}
        return framed(
            site, "city", city=city, name=city.name.pick(lang), digest=city.digest[:12],
            statement=city.statement, statement_title=city.statement.title.pick(lang),
            issuer=city.statement.issuer.pick(lang), chains=_chains(city, lang),
            roles=[(_role(role, lang), share) for role, share in city.roles.items()],
            neighbours=_neighbours(city, lang), card=card_sections(manifest, lang, city),
        )  # fmt: skip


def _chains(city: City, lang: Lang) -> list[dict[str, Any]]:
    return [
        {
            "id": chain.id,
            "name": chain.name.pick(lang),
            "segments": [
                {
                    "name": segment.name.pick(lang),
                    "position": segment.position,
                    "supply": segment.supply,
                    "near": city.neighbour_supply(segment.id),
                    "gap": city.gap(segment.id),
                    "sought": segment.sought,
                    "anchors": len(city.anchors_of(segment.id)),
                }
                for segment in chain.segments
            ],
        }
        for chain in city.chains
    ]


def _neighbours(city: City, lang: Lang) -> list[tuple[str, str]]:
    separator = "、" if lang == "zh" else ", "
    return [
        (
            neighbour.name.pick(lang),
            separator.join(
                f"{city.segments[each.segment].name.pick(lang)} {each.supply:.0%}"
                for each in neighbour.delivers
            ),
        )
        for neighbour in city.neighbours
    ]


def _role(role: str, lang: Lang) -> str:
    named = CATALOGUE["role"].levels.get(role)
    return named.pick(lang) if named else role
