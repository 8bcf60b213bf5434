"""The profile of the city: chains, neighbours, the order, the card; and supply, to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from leadscore.city.profile import City
from leadscore.city.supply import differ_in_supply_only
from leadscore.city.values import SUPPLY_SCALE
from leadscore.city.versions import Change, ProfileVersion
from leadscore.features.catalogue import CATALOGUE
from leadscore.jobs.kinds import RESCORE
from leadscore.language import Lang
from leadscore.learning.retraining.expert import expert_scorecard
from leadscore.learning.shelf.succession import is_expert
from leadscore.ranking.score import Scorer
from leadscore.report import card_sections
from leadscore.store.jobs.jobs import open_jobs
from leadscore.web.access.callers import caller
from leadscore.web.access.permissions import requires
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.administration_frame import address, framed
from leadscore.web.pages.form_fields import remark, whole_number
from leadscore.web.pages.moments import moment
from leadscore.web.routes.city_acts import change_supply, check_segment
from leadscore.web.store_refusals import UnacceptableError

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site


def city_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/city`` and the changing of a supply."""
    backing = site.backing

    @pages.get("/administration/city")
    @requires("read")
    def city_page() -> Response:
        present, lang = backing.profiles.current(), site.lang()
        city = present.city
        with backing.database.read() as connection:
            rescoring = open_jobs(connection, RESCORE)
        manifest = {"scorecard": expert_scorecard(city).to_dict(), "kind": "expert"}
        return framed(
            site, "city", city=city, name=city.name.pick(lang), digest=city.digest[:12],
            statement=city.statement, statement_title=city.statement.title.pick(lang),
            issuer=city.statement.issuer.pick(lang), chains=_chains(city, lang),
            roles=[(_role(role, lang), share) for role, share in city.roles.items()],
            neighbours=_neighbours(city, lang), card=card_sections(manifest, lang, city),
            profile=present, seen=city.digest, changes=_changes(present, lang),
            scale=SUPPLY_SCALE.items(), edited=_edited(site, city, lang),
            may_change=caller().may("administer"), rescoring=bool(rescoring),
            trained_otherwise=_trained_otherwise(backing.scorer(), city),
        )  # fmt: skip

    @pages.post("/administration/city/<segment>")
    @requires("administer")
    @written(backing.access, "city.supply")
    def change(act: Act, segment: str) -> Answer:
        check_segment(backing, segment)
        percent = whole_number(request.form.get("supply", "").strip(), digits=3)
        reason = remark(site.words["administration.reason_wrong"])
        if percent is None or percent > 100:
            raise UnacceptableError(site.words["administration.supply_wrong"])
        if reason is None:
            raise UnacceptableError(site.words["administration.reason_missing"])
        done = change_supply(
            backing, act, {segment: percent / 100}, seen=request.form.get("seen", ""), reason=reason
        )
        return shell.done(
            address("city"), say="administration.supply_changed", about=done.about,
            details=done.details,
        )  # fmt: skip


def _trained_otherwise(scorer: Scorer, city: City) -> bool:
    """Tell whether a trained model serves that knows a profile with more than another supply."""
    own = scorer.city
    return not is_expert(own.id, scorer.model) and not differ_in_supply_only(own, city)


def _chains(city: City, lang: Lang) -> list[dict[str, Any]]:
    return [
        {
            "id": chain.id,
            "name": chain.name.pick(lang),
            "segments": [
                {
                    "id": segment.id,
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


def _edited(site: Site, city: City, lang: Lang) -> dict[str, Any] | None:
    """Return the segment that the address names, as its form shows it to who may change it."""
    segment = city.segments.get(request.args.get("segment", ""))
    if segment is None or not caller().may("administer"):
        return None
    quoted = site.words["administration.quoted"].pick(lang)
    separator = "、" if lang == "zh" else ", "
    return {
        "id": segment.id,
        "chain": segment.chain_id,
        "name": segment.name.pick(lang),
        "percent": round(100 * segment.supply),
        "near": city.neighbour_supply(segment.id),
        "anchors": separator.join(each.label.pick(lang) for each in city.anchors_of(segment.id)),
        "grounds": [
            each.note or quoted.format(section=each.section, quote=each.quote)
            for each in segment.evidence
        ],
    }


def _changes(present: ProfileVersion, lang: Lang) -> list[dict[str, Any]]:
    """Return the changes that were made, the newest first."""
    return [_change(present, change, lang) for change in reversed(present.changes)]


def _change(present: ProfileVersion, change: Change, lang: Lang) -> dict[str, Any]:
    segments = present.city.segments
    return {
        "number": change.number,
        "who": change.by,
        "when": moment(change.at, lang),
        "steps": [
            (segments[key].name.pick(lang) if key in segments else key, step.before, step.after)
            for key, step in change.supply.items()
        ],
        "reason": change.reason,
        "idle": change.number in present.idle,
    }


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
