"""What the pages of the models show: each version in a line, and how a retraining goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from leadscore.errors import LeadscoreError
from leadscore.jobs.kinds import RETRAIN
from leadscore.language import Lang
from leadscore.learning.shelf.manifest import CARD_OF
from leadscore.report import ModelSections, model_sections
from leadscore.store.jobs.jobs import Job, list_jobs
from leadscore.store.models import MirroredModel
from leadscore.web.access.callers import Caller
from leadscore.web.pages.job_states import is_active, may_cancel
from leadscore.web.pages.moments import moment
from leadscore.web.routes.backing import Backing


def champion_of(backing: Backing, models: Sequence[MirroredModel]) -> str:
    """Return the version that serves: as the shelf says, else what scores at the moment."""
    try:
        named = backing.shelf.champion(backing.scorer().city.id)
    except LeadscoreError:  # the pointer is damaged; whoever serves says so
        named = None
    mirrored = next((each.version for each in models if each.state == "champion"), None)
    return named or mirrored or backing.scorer().model


def manifest_of(
    backing: Backing, models: Sequence[MirroredModel], version: str
) -> Mapping[str, Any]:
    """Return what is known of a version that serves: at least its card."""
    kept = next((each.manifest for each in models if each.version == version), None)
    if kept is not None:
        return kept
    try:
        return backing.shelf.manifest(version)
    except LeadscoreError:
        scorer = backing.scorer()
        card = scorer.card.scorecard_.to_dict()
        return {"version": scorer.model, "city": {"id": scorer.city.id}, "scorecard": card}


def told_sections(
    backing: Backing, manifest: Mapping[str, Any] | None, lang: Lang
) -> ModelSections | None:
    """Return what a manifest tells, or None where it can't be read any more."""
    if manifest is None:
        return None
    try:
        return model_sections(manifest, lang, backing.scorer().city)
    except LeadscoreError:
        return None


def line_of(model: MirroredModel, lang: Lang) -> dict[str, Any]:
    """Return a version as a row of the list shows it.

    Returns
    -------
    dict
        ``learned`` is the number of outcomes, None if it isn't known; ``failed`` the number of
        gates that it failed, None if none were asked; ``overruled`` whether a person let it in;
        ``card_of`` the version whose card it has under another supply, if it isn't its own.
    """
    manifest = model.manifest or {}
    outcomes, decision = manifest.get("outcomes"), manifest.get("decision")
    learned: object = outcomes.get("known") if isinstance(outcomes, Mapping) else outcomes
    if manifest.get("kind") == "expert":
        learned = 0
    return {
        "version": model.version,
        "kind": manifest.get("kind"),
        "state": model.state,
        "created": moment(model.created_at, lang),
        "learned": learned if isinstance(learned, int) else None,
        "failed": len(_failed(decision)) if isinstance(decision, Mapping) else None,
        "card_of": manifest.get(CARD_OF),
        "overruled": bool(isinstance(decision, Mapping) and decision.get("overruled")),
    }


def failed_sentences(model: MirroredModel, lang: Lang) -> list[str]:
    """Return what the gates say that a model failed."""
    decision = (model.manifest or {}).get("decision")
    if not isinstance(decision, Mapping) or decision.get("promoted") is not False:
        return []
    return [str(gate["sentence"][lang]) for gate in _failed(decision)]


def _failed(decision: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [gate for gate in decision.get("gates", ()) if not gate.get("passed")]


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
    return "" if mine and (mine.manifest or {}).get("kind") == "trained" else None


def last_retraining(connection: Connection, lang: Lang, found: Caller) -> dict[str, Any] | None:
    """Return the newest retraining as its panel shows it to the caller; None if there was none."""
    job = next(iter(list_jobs(connection, kinds=[RETRAIN], limit=1)), None)
    return None if job is None else _retraining(job, lang, found)


def _retraining(job: Job, lang: Lang, found: Caller) -> dict[str, Any]:
    result = job.result or {}
    decision = result.get("decision") or {}
    return {
        "job": job,
        "active": is_active(job),
        "may_cancel": may_cancel(found, job),
        "words": job.words.pick(lang) if job.words else None,
        "asked": moment(job.submitted_at, lang),
        "ended": moment(job.ended_at, lang) if job.ended_at else None,
        "error": job.error["message"][lang] if job.error else None,
        "preface": [each[lang] for each in result.get("preface", ())],
        "upshot": result["upshot"][lang] if "upshot" in result else None,
        "version": result.get("version"),
        "gates": [
            {"passed": bool(gate["passed"]), "sentence": gate["sentence"][lang]}
            for gate in decision.get("gates", ())
        ],
    }
