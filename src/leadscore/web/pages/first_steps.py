"""The first steps of an office: its city, a list, the ranking, what became of a first firm."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from leadscore.city.loading import parse_city
from leadscore.city.profile import STRONG, City
from leadscore.errors import CityError
from leadscore.files import shipped
from leadscore.jobs.tasks import submit_list
from leadscore.learning.expert import expert_scorecard
from leadscore.store.first_steps import best_firm
from leadscore.store.profiles import choose_profile
from leadscore.text import shown as shown_text
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires, takes_file
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.shell import TRANSLATIONS
from leadscore.web.routes.models import serve_by_now

MOST_PROFILE = 1_000_000
"""Characters of a profile; that of a city of eight chains has 100,000."""
_GAP = 0.5


def first_step_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/start``, where a profile is looked at before it is taken."""

    def shown(status: int = 200, **checked: Any) -> Response:
        known = {"text": "", "mistakes": None, "profile": None} | checked
        with dependencies.database.read() as connection:
            firm = best_firm(connection)
        return shell.page(
            dependencies, "start.html", title=TRANSLATIONS["start.title"], status=status,
            steps=shell.steps_done(dependencies), firm=firm, named=dependencies.profiles.named,
            city=profile_facts(dependencies.profiles.current().city), most=MOST_PROFILE, **known,
        )  # fmt: skip

    @pages.get("/start")
    @requires("read")
    def start() -> Response:
        return shown()

    @pages.post("/start/city/check")
    @requires("administer")
    @takes_file
    def check_city() -> Response:
        text, source = _profile_text()
        try:
            city = _checked(text, source)
        except CityError as error:
            return shown(422, text=text, mistakes=error)
        return shown(text=text, profile=profile_facts(city))

    @pages.post("/start/city")
    @requires("administer")
    @written(dependencies.access, "city.choose")
    def choose_city(act: Act) -> Answer:
        if dependencies.profiles.named:
            raise InvalidRequestError(TRANSLATIONS["start.named"])
        text = request.form.get("profile", "").replace("\r\n", "\n")
        if not text:
            text = shipped_profile()
        try:
            city = _checked(text)
        except CityError as error:
            raise InvalidRequestError(error.message, error.details) from error
        choose_profile(act.connection, text, by=act.actor, at=act.now)
        serve_by_now(dependencies, act)
        about = ("city", city.id)
        return shell.done("/start", *about, say="start.chosen", digest=city.digest)

    @pages.post("/start/sample")
    @requires("record")
    @written(dependencies.access, "list.add")
    def take_sample(act: Act) -> Answer:
        sample = shipped("samples", "electronics.csv")
        with store_refusals():
            number, _ = submit_list(
                act.connection, file_name=sample.name, content=sample.read_bytes(), mapping={},
                as_of=dependencies.today(), actor=act.actor, now=act.now,
            )  # fmt: skip
        return shell.done(f"/imports/{number}", "list", number)


def shipped_profile() -> str:
    """Return the text of the profile that comes with the program."""
    (path,) = sorted(shipped("cities").glob("*.toml"))
    return path.read_text(encoding="utf-8")


def _checked(text: str, source: str = "profile") -> City:
    # As `leadscore city check` does.
    city = parse_city(text, source=source)
    expert_scorecard(city)
    return city


def _profile_text() -> tuple[str, str]:
    # What stands in it, and what its errors call it.
    file = request.files.get("file")
    source = shown_text(file.filename) if file and file.filename else "profile"
    if file is None or not file.filename:
        text = request.form.get("profile", "")
    else:
        try:
            text = file.read(4 * MOST_PROFILE).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidRequestError(TRANSLATIONS["start.no_utf8"]) from None
    if not text.strip():
        raise InvalidRequestError(TRANSLATIONS["start.no_profile"])
    if len(text) > MOST_PROFILE:
        raise InvalidRequestError(TRANSLATIONS["start.too_long"].format(most=MOST_PROFILE))
    return text.replace("\r\n", "\n"), source


def profile_facts(city: City) -> dict[str, Any]:
    """Return what a page says of a profile: its chains, and how many segments, gaps, strengths."""
    return {
        "id": city.id,
        "name": city.name,
        "chains": [
            {
                "name": chain.name,
                "segments": len(chain.segments),
                "gaps": sum(city.gap(segment.id) >= _GAP for segment in chain.segments),
                "strengths": sum(segment.supply >= STRONG for segment in chain.segments),
            }
            for chain in city.chains
        ],
        "anchors": len(city.anchors),
        "regions": len(city.target_regions),
    }
