"""The models: the one that serves, its challengers, and what administrators may do with them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from leadscore.store.models import MirroredModel, mirrored, read_model
from leadscore.web.access.callers import caller
from leadscore.web.access.permissions import requires
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.form_fields import remark
from leadscore.web.pages.model_view import (
    before_champion,
    champion_of,
    failed_sentences,
    last_retraining,
    line_of,
    manifest_of,
    told_sections,
)
from leadscore.web.pages.site import by_htmx
from leadscore.web.routes.model_acts import ask_for_retraining, go_back, promote_model
from leadscore.web.store_refusals import UnacceptableError, store_refusals

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site


def model_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/model`` and what stands under it."""
    _reading(site, pages)
    _acting(site, pages)


def _reading(site: Site, pages: Blueprint) -> None:
    backing = site.backing

    @pages.get("/model")
    @requires("read")
    def model() -> Response:
        lang = site.lang()
        with backing.database.read() as connection:
            models = mirrored(connection, backing.scorer().city.id)
            retraining = last_retraining(connection, lang, caller())
        champion = champion_of(backing, models)
        before = before_champion(backing, models, champion)
        return shell.page(
            site, "model.html", title=site.words["model.title"].pick(lang),
            version=champion, sections=told_sections(
                backing, manifest_of(backing, models, champion), lang
            ),
            lines=[line_of(each, lang) for each in models], retraining=retraining, before=before,
            challenger=_newest_challenger(models, site),
        )  # fmt: skip

    @pages.get("/model/retraining")
    @requires("read")
    def retraining() -> Response:
        with backing.database.read() as connection:
            found = last_retraining(connection, site.lang(), caller())
        if by_htmx() and (found is None or not found["active"]):
            # Everything on the page may be another now: the champion, the list, what may be done.
            return Response(status=204, headers={"HX-Refresh": "true"})
        return shell.page(
            site, "model_retraining.html", title=site.words["model.retraining"].pick(site.lang()),
            retraining=found,
        )  # fmt: skip

    @pages.get("/model/<version>")
    @requires("read")
    def one_model(version: str) -> Response:
        lang = site.lang()
        with store_refusals(), backing.database.read() as connection:
            found = read_model(connection, version)
            models = mirrored(connection, backing.scorer().city.id)
        return shell.page(
            site, "model_version.html", title=version, version=version,
            line=line_of(found, lang), failed=failed_sentences(found, lang),
            sections=told_sections(backing, found.manifest, lang),
            champion=champion_of(backing, models),
        )  # fmt: skip


def _newest_challenger(models: list[MirroredModel], site: Site) -> dict[str, object] | None:
    """Return the newest version if the gates kept it from serving, to be shown beside."""
    newest = next(iter(models), None)
    if newest is None or newest.state == "champion":
        return None
    sentences = failed_sentences(newest, site.lang())
    return line_of(newest, site.lang()) | {"sentences": sentences} if sentences else None


def _acting(site: Site, pages: Blueprint) -> None:
    backing = site.backing

    @pages.post("/model/retrain")
    @requires("administer")
    @written(backing.access, "model.retrain")
    def retrain_model(act: Act) -> Answer:
        done = ask_for_retraining(act, _day(site))
        return shell.done("/model", say="model.asked", about=done.about, details=done.details)

    @pages.post("/model/rollback")
    @requires("administer")
    @written(backing.access, "model.rollback")
    def roll_back(act: Act) -> Answer:
        done = go_back(backing, act, _reason(site))
        return shell.done("/model", say="model.went_back", about=done.about, details=done.details)

    @pages.post("/model/<version>/promote")
    @requires("administer")
    @written(backing.access, "model.promote")
    def promote(act: Act, version: str) -> Answer:
        done = promote_model(backing, act, version, _reason(site))
        return shell.done("/model", say="model.promoted", about=done.about, details=done.details)


def _reason(site: Site) -> str | None:
    return remark(site.words["model.reason_wrong"])


def _day(site: Site) -> date | None:
    asked = request.form.get("as_of", "").strip()
    if not asked:
        return None
    try:
        return date.fromisoformat(asked)
    except ValueError:
        raise UnacceptableError(site.words["model.day_wrong"]) from None
