"""The routes of the models: which there are, which serves, and to change that."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from leadscore.errors import CityError, ModelError
from leadscore.jobs.tasks import RETRAIN
from leadscore.learning.champion import current_champion
from leadscore.learning.expert import expert_model
from leadscore.store.champions import champion_line, promote, roll_back
from leadscore.store.jobs import submit
from leadscore.store.learning import marks_of, readiness_of
from leadscore.store.models import MirroredModel, mirrored, read_model, sync_models
from leadscore.text import Lang, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import ContradictionError, invalid, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import Payload, api_blueprint, example
from leadscore.web.routes.payloads import (
    BODY,
    QUERY,
    WRITES,
    Day,
    JobAsked,
    LangOnly,
    LangQuery,
    Moment,
    Words,
    documented,
    moment,
)

if TYPE_CHECKING:
    from leadscore.learning.readiness import Readiness

WORDS = room_words("web")

_MOST_KEPT = 8


def ask_for_retraining(
    act: Act, as_of: date | None, *, assume_unchanging: bool = False
) -> Answer:  # fmt: skip
    """Ask for a job that trains a challenger."""
    payload: dict[str, Any] = {"as_of": as_of and as_of.isoformat()}
    if assume_unchanging:
        payload["assume_unchanging"] = True
    job = submit(act.connection, RETRAIN, payload, by=act.actor, now=act.now)
    return Answer({"job_id": job}, 202, about=("job", str(job)), details=payload)


def promote_model(dependencies: Dependencies, act: Act, version: str, reason: str | None) -> Answer:
    """Let a model serve from now on."""
    read_model(act.connection, version)
    with _contradicting():
        promote(
            act.connection, dependencies.registry, dependencies.scorer().city.id, version,
            act="by_hand", by=act.actor, now=act.now, reason=reason,
        )  # fmt: skip
    return _served(dependencies, act, reason)


def go_back(dependencies: Dependencies, act: Act, reason: str | None) -> Answer:
    """Let the model serve again that served before the champion."""
    city, registry = dependencies.scorer().city, dependencies.registry
    with _contradicting():
        roll_back(
            act.connection, registry, city.id, by=act.actor, now=act.now, reason=reason,
            expert=lambda: expert_model(city, registry, act.now)[0],
        )  # fmt: skip
    return _served(dependencies, act, reason)


@contextlib.contextmanager
def _contradicting() -> Iterator[None]:
    try:
        yield
    except ModelError as error:
        raise ContradictionError(error.message, error.details) from error


def _served(dependencies: Dependencies, act: Act, reason: str | None) -> Answer:
    version, job = serve_by_now(dependencies, act)
    body = {"version": version, "rescoring": job}
    return Answer(body, about=("model", version), details={"reason": reason})


def serve_by_now(dependencies: Dependencies, act: Act) -> tuple[str, int | None]:
    """Return which version serves from now on, and the job that scores all firms by it, if any."""
    registry = dependencies.registry
    try:
        city = dependencies.profiles.current(act.connection).city
    except CityError:  # its file is being edited; going back must be possible all the same
        city = dependencies.scorer().city
    with _contradicting():
        line = champion_line(act.connection, city.id)
        version = current_champion(city, registry, line, now=act.now).version
    job = sync_models(act.connection, registry, city.id, version, by=act.actor, now=act.now)
    return version, job


class VersionPath(BaseModel):
    """The version in the address."""

    version: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class ModelAnswer(Payload):
    """A model."""

    version: str
    kind: str | None
    created_at: Moment
    state: Literal["champion", "shelved", "unusable", "gone"]


class LearningQuery(BaseModel):
    """Under which setting of a retraining."""

    model_config = QUERY

    assume_unchanging: Literal["true", "false"] = Field(
        default="false", description="As of a retraining; the gates count accordingly."
    )
    as_of: Day | None = Field(
        default=None, description="Only what was known on this day; today if missing."
    )
    lang: LangQuery = None


class LearningAnswer(Payload):
    """What a retraining could learn from, and what is missing."""

    as_of: Day
    target: str
    horizon_days: int
    assume_unchanging: bool
    firms: int = Field(description="Firms with any outcome.")
    pursuits: int = Field(description="pursuits = won + lost + open")
    won: int
    lost: int
    open: int
    no_contact: int
    no_snapshot: int
    impossible: int
    usable: int = Field(description="With an outcome and a snapshot from before first contact.")
    usable_won: int
    late: int = Field(description="Whose snapshots are all later than first contact.")
    late_known: int
    assumed: int = Field(description="Of those, what `assume_unchanging` would learn from.")
    assumed_won: int
    learnable: int = Field(description="What a retraining under this setting would learn from.")
    later: int = Field(description="By which a challenger would be judged.")
    later_won: int
    split: Day | None
    years: list[dict[str, int]]
    gates: list[dict[str, Any]] = Field(description="id, name, measurable, needs.")
    shortages: list[dict[str, Any]] = Field(description="id, count, what, ways (action, text).")


def learning_now(
    dependencies: Dependencies, *, assume_unchanging: bool = False, as_of: date | None = None
) -> Readiness:
    """Return what a retraining could learn from what is kept."""
    from leadscore.learning.training_data import Rules  # late: it takes a second to import

    rules = dependencies.rules() if dependencies.rules else Rules()
    rules, day = replace(rules, assume_unchanging=assume_unchanging), as_of or dependencies.today()
    champion, kept = dependencies.scorer().model, dependencies.readiness
    with dependencies.database.read() as connection:
        asked = (rules, day, champion, *marks_of(connection))
        ready = kept.get(asked)
        if ready is None:
            ready = readiness_of(
                connection, dependencies.registry, champion, rules=rules, as_of=day
            )
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            kept[asked] = ready
    return ready


class ModelsAnswer(Payload):
    """All models of the city, the newest first."""

    models: list[ModelAnswer]


class ModelDetails(ModelAnswer):
    """A model with all that its manifest says, the scorecard among it."""

    manifest: dict[str, Any] | None = Field(description="None if it could never be trusted.")


class Retraining(BaseModel):
    """As of when to train."""

    model_config = example({"as_of": "2026-09-30"})

    as_of: Annotated[date, Field(strict=False)] | None = Field(
        default=None, description="Only what was known on this day; today if missing."
    )
    assume_unchanging: bool = Field(
        default=False,
        description="True to learn also from pursuits of which every snapshot is later than first "
        "contact, by founding date, industry and place as known then.",
    )


class Reason(BaseModel):
    """Why another model is to serve."""

    model_config = example({"reason": "The officers checked the list."})

    reason: Words | None = Field(
        default=None, description="Needed to overrule gates that a model has failed."
    )


class Promoted(Payload):
    """The model that serves from now on."""

    version: str
    rescoring: int | None = Field(
        description="Job that scores all firms anew; null if all have their scores by this model."
    )


def model_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/models``."""
    api = api_blueprint("models", "模型 Models")

    @api.get("/models", **documented(
        "models", ModelsAnswer,
        links={"model.version": "/models/0/version", "promote.version": "/models/0/version"},
    ))  # fmt: skip
    @requires("read")
    def models(query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with dependencies.database.read() as connection:
            scorer = dependencies.scorer()
            rows = mirrored(connection, scorer.city.id, scorer.model)
        return jsonify({"models": [_model(row) for row in rows]})

    @api.get("/learning", **documented("learning", LearningAnswer))
    @requires("read")
    def learning(query: LearningQuery) -> Response:
        ready = learning_now(
            dependencies, assume_unchanging=query.assume_unchanging == "true",
            as_of=_day(query.as_of),
        )  # fmt: skip
        return jsonify(_in_one_language(ready.to_dict(), dependencies.lang()))

    @api.get("/models/<version>", **documented("model", ModelDetails, 404))
    @requires("read")
    def model(path: VersionPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            row = read_model(connection, path.version, dependencies.scorer().model)
        return jsonify(_model(row) | {"manifest": row.manifest and row.manifest.content})

    @api.post("/models/retrain", **documented(
        "retrain", JobAsked, *BODY, 409, 429, status=202, more=WRITES,
        links={"readJob.id": "/job_id", "cancelJob.id": "/job_id"},
    ))  # fmt: skip
    @requires("administer")
    @written(dependencies.access, "model.retrain")
    def retrain(act: Act, body: Retraining) -> Answer:
        return ask_for_retraining(act, body.as_of, assume_unchanging=body.assume_unchanging)

    @api.post("/models/<version>/promote", **documented(
        "promote", Promoted, *BODY, 404, 409, more=WRITES, links={"readJob.id": "/rescoring"},
    ))  # fmt: skip
    @requires("administer")
    @written(dependencies.access, "model.promote")
    def promote_version(act: Act, path: VersionPath, body: Reason) -> Answer:
        return promote_model(dependencies, act, path.version, body.reason)

    @api.post("/models/rollback", **documented(
        "rollBack", Promoted, *BODY, 409, more=WRITES, links={"readJob.id": "/rescoring"},
    ))  # fmt: skip
    @requires("administer")
    @written(dependencies.access, "model.rollback")
    def roll_back(act: Act, body: Reason) -> Answer:
        return go_back(dependencies, act, body.reason)

    return api


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise invalid("as_of", text or "", WORDS["lists.a_day"]) from None


def _in_one_language(value: Any, lang: Lang) -> Any:
    # Every text of an answer, as it has it, becomes the one of a language.
    if isinstance(value, dict):
        if value.keys() == {"zh", "en"}:
            return value[lang]
        return {key: _in_one_language(part, lang) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_in_one_language(part, lang) for part in value]
    return value


def _model(model: MirroredModel) -> dict[str, Any]:
    return {
        "version": model.version,
        "kind": model.manifest and model.manifest.kind,
        "created_at": moment(model.created_at),
        "state": model.state,
    }
