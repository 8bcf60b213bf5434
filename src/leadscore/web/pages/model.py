"""The models: the one that serves, its challengers, and what administrators may do with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from leadscore.errors import LeadscoreError
from leadscore.jobs.tasks import RETRAIN
from leadscore.registry.manifest import GatePart, Manifest
from leadscore.report import ModelSections, model_sections
from leadscore.store.champions import champion_line
from leadscore.store.jobs import list_jobs
from leadscore.store.models import MirroredModel, mirrored, read_model
from leadscore.text import Lang
from leadscore.web.api import Dependencies
from leadscore.web.auth import caller, requires
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.administration import job_line
from leadscore.web.pages.shell import TRANSLATIONS, by_htmx, remark
from leadscore.web.routes.models import (
    ask_for_retraining,
    go_back,
    learning_now,
    promote_model,
)


def _manifest_of(
    dependencies: Dependencies, models: Sequence[MirroredModel], version: str
) -> Manifest:
    kept = next((model.manifest for model in models if model.version == version), None)
    if kept is not None:
        return kept
    try:
        return dependencies.registry.manifest(version)
    except LeadscoreError:
        scorer = dependencies.scorer()
        card = scorer.card.scorecard.to_dict()
        return Manifest.of(
            {"version": scorer.model, "city": {"id": scorer.city.id}, "scorecard": card}
        )


def _sections(
    dependencies: Dependencies, manifest: Manifest | None, lang: Lang
) -> ModelSections | None:
    try:
        city = dependencies.scorer().city
        return model_sections(manifest, lang, city) if manifest else None
    except LeadscoreError:  # it can't be read any more
        return None


def _unpassed(model: MirroredModel) -> tuple[GatePart, ...]:
    decision = model.manifest.decision if model.manifest else None
    if decision is None or decision.promoted is not False:
        return ()
    return decision.unpassed


def _before_champion(
    line: Sequence[str], models: Sequence[MirroredModel], champion: str
) -> str | None:
    # "" stands for the experts' model, None for none.
    usable = {model.version for model in models if model.state in ("shelved", "champion")}
    before = next((version for version in line[1:] if version in usable), None)
    if before is not None:
        return before
    mine = next((model for model in models if model.version == champion), None)
    return "" if mine and mine.manifest and mine.manifest.kind == "trained" else None


def _last_retraining(connection: Connection, lang: Lang) -> dict[str, Any] | None:
    job = next(iter(list_jobs(connection, kinds=[RETRAIN], limit=1)), None)
    return job_line(job, caller(), lang) if job else None


_WAYS = {
    "import_list": "/import", "import_outcomes": "/outcomes", "record": "/ranking",
    "retrain": "/model/learning?assume_unchanging=yes#retrain",
}  # fmt: skip
"""Where each way out of a shortage leads."""


def model_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/model`` and what stands under it."""

    @pages.get("/model")
    @requires("read")
    def model() -> Response:
        lang = dependencies.page_lang()
        with dependencies.database.read() as connection:
            scorer = dependencies.scorer()
            models, champion = mirrored(connection, scorer.city.id, scorer.model), scorer.model
            retraining = _last_retraining(connection, lang)
            line = champion_line(connection, scorer.city.id)
        manifest = _manifest_of(dependencies, models, champion)
        newest = models[0] if models and models[0].state != "champion" else None
        return shell.page(
            dependencies, "model.html", title=TRANSLATIONS["model.title"], version=champion,
            sections=_sections(dependencies, manifest, lang), models=models,
            retraining=retraining, before=_before_champion(line, models, champion),
            challenger=newest, failed=_unpassed(newest) if newest else (),
        )  # fmt: skip

    @pages.get("/model/retraining")
    @requires("read")
    def retraining() -> Response:
        with dependencies.database.read() as connection:
            job = _last_retraining(connection, dependencies.page_lang())
        if by_htmx() and (job is None or not job["active"]):
            # Everything on the page may be another now: the champion, the list, what may be done.
            return Response(status=204, headers={"HX-Refresh": "true"})
        return shell.page(
            dependencies, "model_retraining.html", title=TRANSLATIONS["model.retraining"],
            retraining=job,
        )  # fmt: skip

    @pages.get("/model/learning")
    @requires("read")
    def learning() -> Response:
        assume = request.args.get("assume_unchanging") == "yes"
        with dependencies.database.read() as connection:
            job = _last_retraining(connection, dependencies.page_lang())
        return shell.page(
            dependencies, "model_learning.html", title=TRANSLATIONS["learning.title"],
            ready=learning_now(dependencies, assume_unchanging=assume),
            retraining=job, ways=_WAYS,
        )  # fmt: skip

    @pages.get("/model/<version>")
    @requires("read")
    def one_model(version: str) -> Response:
        lang = dependencies.page_lang()
        with store_refusals(), dependencies.database.read() as connection:
            scorer = dependencies.scorer()
            model = read_model(connection, version, scorer.model)
        return shell.page(
            dependencies, "model_version.html", title=version, version=version,
            mirrored=model, failed=_unpassed(model),
            sections=_sections(dependencies, model.manifest, lang),
            champion=scorer.model,
        )  # fmt: skip

    @pages.post("/model/retrain")
    @requires("administer")
    @written(dependencies.access, "model.retrain")
    def retrain_model(act: Act) -> Answer:
        assume = request.form.get("assume_unchanging") == "yes"
        done = ask_for_retraining(act, _day(), assume_unchanging=assume)
        return shell.done("/model", *done.about, say="model.asked", **done.details)

    @pages.post("/model/rollback")
    @requires("administer")
    @written(dependencies.access, "model.rollback")
    def roll_back(act: Act) -> Answer:
        done = go_back(dependencies, act, _reason())
        return shell.done("/model", *done.about, say="model.went_back", **done.details)

    @pages.post("/model/<version>/promote")
    @requires("administer")
    @written(dependencies.access, "model.promote")
    def promote(act: Act, version: str) -> Answer:
        done = promote_model(dependencies, act, version, _reason())
        return shell.done("/model", *done.about, say="model.promoted", **done.details)


def _reason() -> str | None:
    return remark(TRANSLATIONS["model.reason_wrong"])


def _day() -> date | None:
    asked = request.form.get("as_of", "").strip()
    if not asked:
        return None
    try:
        return date.fromisoformat(asked)
    except ValueError:
        raise InvalidRequestError(TRANSLATIONS["model.day_wrong"]) from None
