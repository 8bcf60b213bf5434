"""The routes of the gaps: the chain graph, who might fill what is missing, and another supply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from leadscore.city.profile import City, Supplies
from leadscore.features.extract import SIZEABLE_GAP
from leadscore.store.facets import Candidates, Near, candidates, firms_here, nearest
from leadscore.text import Lang, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import NothingThereError
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import Payload, api_blueprint, example
from leadscore.web.routes.models import serve_by_now
from leadscore.web.routes.payloads import (
    BODY,
    CHANGES_PROFILE,
    Grade,
    LangOnly,
    Share,
    Slug,
    Words,
    documented,
    matched_tag,
)

WORDS = room_words("web")


def check_segment(dependencies: Dependencies, segment: str) -> None:
    """Refuse an address that names no segment of the city."""
    if segment not in dependencies.scorer().city.segments:
        raise NothingThereError(WORDS["gaps.no_segment"].format(segment=segment))


def change_supply(
    dependencies: Dependencies, act: Act, supply: Supplies, *, seen: str, reason: str
) -> Answer:
    """Keep another supply of segments as a version of the profile, and score all firms by it."""
    made = dependencies.profiles.change(
        act.connection, supply, seen=seen, by=act.actor, at=act.now, reason=reason
    )
    city = made.city
    model, job = serve_by_now(dependencies, act)
    steps = made.changes[-1].model_dump(mode="json")["supply"]
    body = {
        "version": made.number,
        "digest": city.digest,
        "supply": dict(supply),
        "model": model,
        "rescoring": job,
    }
    details = {"version": made.number, "supply": steps, "reason": reason, "digest": city.digest}
    return Answer(body, about=("city", city.id), details=details)


_WORDS = 4  # that are shown of what was looked for
_CANDIDATE = ("rank", "name", "priority", "grade")


class Candidate(Payload):
    """A firm that might fill a gap."""

    id: int
    rank: int = Field(description="Place among all firms that are kept and not vetoed.")
    name: str
    priority: Share
    grade: Grade


class NearCandidate(Payload):
    """A firm of which only a passing word belongs to the segment."""

    id: int
    name: str
    strength: Share


class SegmentGap(Payload):
    """A segment of a chain."""

    id: str = Field(examples=["led.chip"])
    name: str
    position: str
    feeds: list[str] = Field(description="Segments that it feeds.")
    supply: Share = Field(description="How much of it the city has itself.")
    neighbour_supply: Share = Field(description="What partner cities deliver, before the discount.")
    gap: Share
    sought: bool
    anchors: list[str] = Field(description="Firms that are here already.")
    candidates: int = Field(description="Firms that nothing speaks against.")
    best: list[Candidate]
    looked_for: list[str] = Field(
        description="The first words by which makers are known, where nobody works in it."
    )
    nearest: list[NearCandidate] = Field(description="Who comes nearest, where nobody does.")


class ChainGaps(Payload):
    """A chain."""

    id: str
    name: str
    segments: list[SegmentGap]


class Profile(Payload):
    """Which version of the city profile."""

    version: int | None = Field(
        description="1: as its file has it; each change of a supply makes the next. null: another."
    )
    digest: str = Field(description="SHA-256 of its content.")


class GapsAnswer(Payload):
    """The chain graph of the city, as firms are scored by it."""

    city: str
    name: str
    profile: Profile
    neighbour_discount: Share
    chains: list[ChainGaps]


class SmallGap(Payload):
    """A segment, and what the city lacks of it."""

    id: str
    name: str
    gap: Share
    candidates: int


class AnchorHere(Payload):
    """A firm of the profile that is here, and what could be brought to it."""

    name: str
    aliases: list[str]
    segments: list[SmallGap]
    could_supply: list[SmallGap] = Field(
        description="Segments that feed its own and of which much is missing; never its own."
    )


class FirmHere(Payload):
    """A firm of the lists that is here already."""

    id: int
    name: str
    stage: str | None
    segments: list[SmallGap]
    could_grow: list[SmallGap] = Field(
        description="Segments beside its own of which much is missing."
    )


class HereAnswer(Payload):
    """Who is here already: room to grow, and whom they could draw."""

    anchors: list[AnchorHere]
    firms: list[FirmHere]


class SegmentPath(BaseModel):
    """The segment in the address."""

    segment: Slug


class NewSupply(BaseModel):
    """How much of a segment the city has itself."""

    model_config = example({"supply": 0.25, "reason": "The plant was closed in October."})

    supply: Share
    reason: Words


class ChangedProfile(Payload):
    """The version of the profile that the change made."""

    version: int
    digest: str
    supply: dict[str, Share]
    model: str | None = Field(description="The model that scores by it.")
    rescoring: int | None = Field(
        description="Job that scores all firms anew; null if there are none."
    )


def gap_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/gaps`` and what stands under it."""
    api = api_blueprint("gaps", "缺口 What the city lacks")

    @api.get("/gaps", **documented("gaps", GapsAnswer))
    @requires("read")
    def gaps(query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        response = jsonify(gaps_answer(dependencies, dependencies.lang()))
        response.set_etag(dependencies.profiles.current().city.digest)
        return response

    @api.get("/gaps/here", **documented("alreadyHere", HereAnswer))
    @requires("read")
    def here(query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        return jsonify(here_answer(dependencies, dependencies.lang()))

    @api.put("/gaps/<segment>/supply", **documented(
        "changeSupply", ChangedProfile, *BODY, 404, 409, 412, 428, more=CHANGES_PROFILE,
    ))  # fmt: skip
    @requires("administer")
    @written(dependencies.access, "city.supply")
    def change(act: Act, path: SegmentPath, body: NewSupply) -> Answer:
        check_segment(dependencies, path.segment)
        seen = matched_tag(dependencies.profiles.current(act.connection).city.digest)
        supply = {path.segment: body.supply}
        return change_supply(dependencies, act, supply, seen=seen, reason=body.reason)

    return api


def gaps_answer(dependencies: Dependencies, lang: Lang) -> dict[str, Any]:
    """Return the chain graph as `GapsAnswer` describes it."""
    city = dependencies.scorer().city
    with dependencies.database.read() as connection:
        firms = candidates(connection, city.segments)
        near = nearest(connection, [key for key, there in firms.items() if not there.number])
        version = dependencies.profiles.current(connection).number_of(city)
    return {
        "city": city.id,
        "name": city.name.pick(lang),
        "neighbour_discount": city.neighbour_discount,
        "chains": [
            {
                "id": chain.id, "name": chain.name.pick(lang),
                "segments": [
                    _segment(city, of.id, firms[of.id], near.get(of.id), lang)
                    for of in chain.segments
                ],
            }
            for chain in city.chains
        ],
        "profile": {"version": version, "digest": city.digest},
    }  # fmt: skip


def here_answer(dependencies: Dependencies, lang: Lang) -> dict[str, Any]:
    """Return who is here already as `HereAnswer` describes it."""
    city = dependencies.scorer().city
    with dependencies.database.read() as connection:
        there = firms_here(connection)
        numbers = {key: one.number for key, one in candidates(connection, city.segments).items()}

    def told(keys: Iterable[str], *, missing: bool = False) -> list[dict[str, Any]]:
        return [
            {
                "id": key, "name": city.segments[key].name.pick(lang), "gap": city.gap(key),
                "candidates": numbers[key],
            }
            for key in keys
            if key in city.segments and not (missing and city.gap(key) < SIZEABLE_GAP)
        ]  # fmt: skip

    def feeding(segments: Sequence[str]) -> list[str]:
        upstream = {key for one in segments for key in city.upstream_of(one)}
        return [key for key in city.segments if key in upstream.difference(segments)]

    return {
        "anchors": [
            {
                "name": anchor.label.pick(lang), "aliases": list(anchor.aliases),
                "segments": told(anchor.segments),
                "could_supply": told(feeding(anchor.segments), missing=True),
            }
            for anchor in city.anchors
            if anchor.segments
        ],
        "firms": [
            {
                "id": firm.firm_id, "name": firm.name, "stage": firm.stage,
                "segments": told(firm.segments),
                "could_grow": told(city.beside(firm.segments), missing=True),
            }
            for firm in there
        ],
    }  # fmt: skip


def _segment(
    city: City, key: str, firms: Candidates, near: Sequence[Near] | None, lang: Lang
) -> dict[str, Any]:
    segment = city.segments[key]
    return {
        "id": key,
        "name": segment.name.pick(lang),
        "position": segment.position,
        "feeds": list(segment.feeds),
        "supply": segment.supply,
        "neighbour_supply": city.neighbour_supply(key),
        "gap": city.gap(key),
        "sought": segment.sought,
        "anchors": [anchor.label.pick(lang) for anchor in city.anchors_of(key)],
        "candidates": firms.number,
        "best": [
            {"id": row["firm_id"], **{name: row[name] for name in _CANDIDATE}}
            for row in firms.best
        ],
        "looked_for": list(segment.makes[:_WORDS]) if near is not None else [],
        "nearest": [
            {"id": firm.firm_id, "name": firm.name, "strength": firm.strength}
            for firm in near or ()
        ],
    }  # fmt: skip
