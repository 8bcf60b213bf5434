"""The routes about jobs: how far they are, what came of them, and a way to stop one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from leadscore.errors import Detail
from leadscore.store.jobs import LONGEST_PAGE, Job, State, list_jobs, read_job, request_cancel
from leadscore.text import Lang, Text
from leadscore.web.api import Dependencies
from leadscore.web.auth import check_may, requires
from leadscore.web.errors import check_named_language, error_body, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import (
    LANGUAGE_PARAMETERS,
    STRICT,
    ErrorWords,
    api_blueprint,
    leads_to,
    refusals,
)
from leadscore.web.routes.payloads import QUERY, READS_QUERY, WRITES, LangQuery, Moment, fields_of

_LARGEST = 2**63 - 1
_Number = Annotated[int, Field(ge=1, le=_LARGEST, description="任务编号 Number of the job")]

_EXAMPLE: Any = {
    "id": 17,
    "kind": "retrain",
    "state": "running",
    "progress": 0.43,
    "words": "training the challenger (additive card) on all 212 known outcomes",
    "result": None,
    "error": None,
    "submitted_by": "li.na",
    "submitted_at": "2026-03-02T09:30:00+00:00",
    "started_at": "2026-03-02T09:30:01+00:00",
    "ended_at": None,
    "attempts": 1,
    "cancel_requested": False,
}


class JobPath(BaseModel):
    """Which job."""

    model_config = QUERY

    id: _Number


class JobsQuery(BaseModel):
    """Which jobs, and how many."""

    model_config = QUERY

    state: State | None = Field(None, description="只列这种状态 Only in this state")
    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = Field(
        None, description="只列这一种 Only of this kind", examples=["retrain"]
    )
    before: _Number | None = Field(
        None, description="上一页的 next；只列编号更小的 `next` of the page before"
    )
    limit: int = Field(50, ge=1, le=LONGEST_PAGE, description="至多几项 At most so many")
    lang: LangQuery = None


class JobAnswer(BaseModel):
    """A job as it stands."""

    model_config = ConfigDict(**STRICT, json_schema_extra={"examples": [_EXAMPLE]})

    id: int
    kind: str = Field(description="What is done: import_list, retrain, export.")
    state: State
    progress: float = Field(ge=0, le=1)
    words: str | None = Field(description="What is being done, in words; null if nothing yet.")
    result: dict[str, Any] | None = Field(description="What came of it; null unless done.")
    error: ErrorWords | None = Field(description="Why it failed; null unless failed.")
    submitted_by: str = Field(description="Who asked for it.")
    submitted_at: Moment
    started_at: Moment | None = Field(description="When it was begun for the last time.")
    ended_at: Moment | None
    attempts: int = Field(ge=0, description="How often it was begun.")
    cancel_requested: bool


class JobsAnswer(BaseModel):
    """Jobs, the newest first."""

    model_config = ConfigDict(
        **STRICT, json_schema_extra={"examples": [{"jobs": [_EXAMPLE], "next": None}]}
    )

    jobs: list[JobAnswer]
    next: int | None = Field(description="`before` of the next page; null on the last.")


_READS = {"x-more-parameters": LANGUAGE_PARAMETERS}


def job_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/jobs``.

    Everybody who may read sees all jobs; each may cancel their own, and administrators any.
    """
    api = api_blueprint("jobs", "后台任务 Work that takes longer than a request")
    api.before_request(check_named_language)

    @api.get(
        "/jobs",
        operation_id="listJobs",
        summary="列出任务，新的在前 List jobs, the newest first",
        openapi_extensions=READS_QUERY
        | leads_to(
            200,
            ("readJob", {"id": "$response.body#/jobs/0/id"}),
            ("cancelJob", {"id": "$response.body#/jobs/0/id"}),
        ),
        responses={200: JobsAnswer, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("read")
    def list_all(query: JobsQuery) -> Response:
        with dependencies.database.read() as connection:
            found = list_jobs(
                connection,
                states=[query.state] if query.state else [],
                kinds=[query.kind] if query.kind else [],
                before=query.before,
                limit=query.limit + 1,
            )
        page, lang = found[: query.limit], dependencies.lang()
        following = page[-1].id if len(found) > len(page) else None
        return jsonify({"jobs": [told(job, lang) for job in page], "next": following})

    @api.get(
        "/jobs/<int:id>",
        operation_id="readJob",
        summary="查看任务 Look at a job",
        openapi_extensions=_READS | leads_to(200, ("exportFile", {"id": "$request.path.id"})),
        responses={200: JobAnswer, **refusals(401, 403, 404, 422, 431, 500)},
    )
    @requires("read")
    def read(path: JobPath) -> Response:
        with store_refusals(), dependencies.database.read() as connection:
            job = read_job(connection, path.id)
        return jsonify(told(job, dependencies.lang()))

    @api.post(
        "/jobs/<int:id>/cancel",
        operation_id="cancelJob",
        summary="取消任务 Cancel a job",
        description="等待中的立即取消；进行中的在下一步之前停下。 One that waits is cancelled at "
        "once; one that runs stops before its next step.",
        openapi_extensions=WRITES,
        responses={200: JobAnswer, **refusals(401, 403, 404, 409, 422, 431, 500)},
    )
    @requires("record")
    @written(dependencies.access, "job.cancel")
    def cancel(act: Act, path: JobPath) -> Answer:
        job = read_job(act.connection, path.id, lock=True)
        if job.submitted_by != act.actor:
            check_may("administer")
        job = request_cancel(act.connection, path.id, now=act.now)
        answer = told(job, dependencies.lang())
        return Answer(answer, about=("job", str(job.id)), details={"kind": job.kind})

    return api


def told(job: Job, lang: Lang) -> dict[str, Any]:
    """Return a job as `JobAnswer` describes it."""
    return fields_of(JobAnswer, job) | {
        "words": job.words and job.words.pick(lang),
        "error": job.error and _error(job.error, lang),
    }


def _error(kept: Mapping[str, Any], lang: Lang) -> object:
    details = [
        Detail(each["where"], each["got"], Text(**each["wanted"])) for each in kept["details"]
    ]
    return error_body(kept["code"], Text(**kept["message"]), details, lang=lang)["error"]
