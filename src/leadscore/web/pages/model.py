"""The models: the one that serves, its challengers, and what administrators may do with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from leadscore.errors import LeadscoreError
from leadscore.jobs.tasks import RETRAIN
from leadscore.registry.manifest import Manifest
from leadscore.report import ModelSections, model_sections
from leadscore.store.jobs import list_jobs
from leadscore.store.models import MirroredModel, mirrored, read_model
from leadscore.text import Lang
from leadscore.web.auth import caller, requires
from leadscore.web.errors import UnacceptableError, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.administration import job_line
from leadscore.web.pages.shell import Site, by_htmx, remark
from leadscore.web.routes.backing import Backing
from leadscore.web.routes.models import ask_for_retraining, go_back, promote_model


def champion_of(backing: Backing, models: Sequence[MirroredModel]) -> str:
    """Return the version that serves: as the shelf says, else what scores at the moment."""
    try:
        named = backing.shelf.champion(backing.scorer().city.id)
    except LeadscoreError:  # the pointer is damaged; whoever serves says so
        named = None
    mirrored = next((each.version for each in models if each.state == "champion"), None)
    return named or mirrored or backing.scorer().model


def manifest_of(backing: Backing, models: Sequence[MirroredModel], version: str) -> Manifest:
    """Return what is known of a version that serves: at least its card."""
    kept = next((each.manifest for each in models if each.version == version), None)
    if kept is not None:
        return kept
    try:
        return backing.shelf.manifest(version)
    except LeadscoreError:
        scorer = backing.scorer()
        card = scorer.card.scorecard.to_dict()
        return Manifest.of(
            {"version": scorer.model, "city": {"id": scorer.city.id}, "scorecard": card}
        )


def told_sections(backing: Backing, manifest: Manifest | None, lang: Lang) -> ModelSections | None:
    """Return what a manifest tells, or None where it can't be read any more."""
    if manifest is None:
        return None
    try:
        return model_sections(manifest.content, lang, backing.scorer().city)
    except LeadscoreError:
        return None


def failed_sentences(model: MirroredModel, lang: Lang) -> list[str]:
    """Return what the gates say that a model failed."""
    decision = model.manifest.decision if model.manifest else None
    if decision is None or decision.promoted is not False:
        return []
    return [gate.sentence.pick(lang) for gate in decision.failed]


def before_champion(backing: Backing, models: Sequence[MirroredModel], champion: str) -> str | None:
    """Return the version to which one can go back; "" stands for the experts', None for none."""
    usable = {each.version for each in models if each.state in ("shelved", "champion")}
    try:
        served = backing.shelf.line(backing.scorer().city.id)
    except LeadscoreError:
        return None
    before = next((version for version in served[1:] if version in usable), None)
    if before is not None:
        return before
    mine = next((each for each in models if each.version == champion), None)
    return "" if mine and mine.manifest and mine.manifest.kind == "trained" else None


def _last_retraining(connection: Connection, lang: Lang) -> dict[str, Any] | None:
    job = next(iter(list_jobs(connection, kinds=[RETRAIN], limit=1)), None)
    return job_line(job, caller(), lang) if job else None


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
            retraining = _last_retraining(connection, lang)
        champion = champion_of(backing, models)
        manifest = manifest_of(backing, models, champion)
        newest = models[0] if models and models[0].state != "champion" else None
        return shell.page(
            site, "model.html", title=site.words["model.title"].pick(lang), version=champion,
            sections=told_sections(backing, manifest, lang), models=models, retraining=retraining,
            before=before_champion(backing, models, champion), challenger=newest,
            failed=failed_sentences(newest, lang) if newest else [],
        )  # fmt: skip

    @pages.get("/model/retraining")
    @requires("read")
    def retraining() -> Response:
        with backing.database.read() as connection:
            found = _last_retraining(connection, site.lang())
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
            mirrored=found, failed=failed_sentences(found, lang),
            sections=told_sections(backing, found.manifest, lang),
            champion=champion_of(backing, models),
        )  # fmt: skip


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
