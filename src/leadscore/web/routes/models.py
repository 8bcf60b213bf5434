"""The routes of the models: which there are, which serves, and to change that."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from leadscore.errors import CityError, ModelError
from leadscore.jobs.tasks import RETRAIN
from leadscore.learning.expert import expert_model, follow
from leadscore.registry.models import log_notice
from leadscore.store.jobs import submit
from leadscore.store.models import MirroredModel, mirrored, read_model, sync_models
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import ContradictionError, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import Payload, api_blueprint, leads_to, refusals
from leadscore.web.routes.payloads import (
    READS_QUERY,
    WRITES,
    JobAsked,
    LangOnly,
    Moment,
    Words,
    example,
    moment,
)


def ask_for_retraining(act: Act, as_of: date | None) -> Answer:
    """Ask for a job that trains a challenger."""
    payload = {"as_of": as_of and as_of.isoformat()}
    job = submit(act.connection, RETRAIN, payload, by=act.actor, now=act.now)
    return Answer({"job_id": job}, 202, about=("job", str(job)), details=payload)


def promote_model(dependencies: Dependencies, act: Act, version: str, reason: str | None) -> Answer:
    """Let a model serve from now on."""
    read_model(act.connection, version)
    try:
        dependencies.registry.promote(
            dependencies.scorer().city.id, version, act="by_hand", now=act.now, reason=reason
        )
    except ModelError as error:
        raise ContradictionError(error.message, error.details) from error
    return _served(dependencies, act, version, reason)


def go_back(dependencies: Dependencies, act: Act, reason: str | None) -> Answer:
    """Let the model serve again that served before the champion."""
    city, registry = dependencies.scorer().city, dependencies.registry
    try:
        version = registry.rollback(
            city.id, now=act.now, reason=reason,
            last_resort=lambda: expert_model(city, registry, act.now, log_notice)[0],
        )  # fmt: skip
    except ModelError as error:
        raise ContradictionError(error.message, error.details) from error
    return _served(dependencies, act, version, reason)


def _served(dependencies: Dependencies, act: Act, version: str, reason: str | None) -> Answer:
    city_id = dependencies.scorer().city.id
    try:
        follow(dependencies.profiles.current().city, dependencies.registry, act.now)
    except (CityError, ModelError):
        # The file of the profile is being edited, or no model can be made under today's supply.
        # The model that was chosen serves all the same; whoever opens it next says what is wrong.
        pass
    else:
        version = dependencies.registry.champion(city_id) or version
    job = sync_models(act.connection, dependencies.registry, city_id, by=act.actor, now=act.now)
    body = {"version": version, "rescoring": job}
    return Answer(body, about=("model", version), details={"reason": reason})


_RESCORED = leads_to(200, ("readJob", {"id": "$response.body#/rescoring"}))


class VersionPath(BaseModel):
    """The version in the address."""

    version: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class ModelAnswer(Payload):
    """A model."""

    version: str
    kind: str | None
    created_at: Moment
    state: Literal["champion", "shelved", "unusable", "gone"]


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
    written_statuses = (400, 401, 403, 409, 413, 415, 422, 431, 500)

    @api.get(
        "/models",
        operation_id="models",
        summary="列出模型 List the models",
        openapi_extensions=READS_QUERY
        | leads_to(
            200,
            ("model", {"version": "$response.body#/models/0/version"}),
            ("promote", {"version": "$response.body#/models/0/version"}),
        ),
        responses={200: ModelsAnswer, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("read")
    def models(query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with dependencies.database.read() as connection:
            rows = mirrored(connection, dependencies.scorer().city.id)
        return jsonify({"models": [_model(row) for row in rows]})

    @api.get(
        "/models/<version>",
        operation_id="model",
        summary="一个模型 A model",
        openapi_extensions=READS_QUERY,
        responses={200: ModelDetails, **refusals(401, 403, 404, 422, 431, 500)},
    )
    @requires("read")
    def model(path: VersionPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            row = read_model(connection, path.version)
        return jsonify(_model(row) | {"manifest": row.manifest and row.manifest.content})

    @api.post(
        "/models/retrain",
        operation_id="retrain",
        summary="重新训练 Train a challenger",
        openapi_extensions=WRITES
        | leads_to(
            202,
            ("readJob", {"id": "$response.body#/job_id"}),
            ("cancelJob", {"id": "$response.body#/job_id"}),
        ),
        responses={202: JobAsked, **refusals(*written_statuses)},
    )
    @requires("administer")
    @written(dependencies.access, "model.retrain")
    def retrain(act: Act, body: Retraining) -> Answer:
        return ask_for_retraining(act, body.as_of)

    @api.post(
        "/models/<version>/promote",
        operation_id="promote",
        summary="启用模型 Let a model serve",
        openapi_extensions=WRITES | _RESCORED,
        responses={200: Promoted, **refusals(404, *written_statuses)},
    )
    @requires("administer")
    @written(dependencies.access, "model.promote")
    def promote(act: Act, path: VersionPath, body: Reason) -> Answer:
        return promote_model(dependencies, act, path.version, body.reason)

    @api.post(
        "/models/rollback",
        operation_id="rollBack",
        summary="退回前一个模型 Go back to the model before",
        openapi_extensions=WRITES | _RESCORED,
        responses={200: Promoted, **refusals(*written_statuses)},
    )
    @requires("administer")
    @written(dependencies.access, "model.rollback")
    def roll_back(act: Act, body: Reason) -> Answer:
        return go_back(dependencies, act, body.reason)

    return api


def _model(model: MirroredModel) -> dict[str, Any]:
    return {
        "version": model.version,
        "kind": model.manifest and model.manifest.kind,
        "created_at": moment(model.created_at),
        "state": model.state,
    }
