"""The routes about jobs: how far they are, what came of them, and a way to stop one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from leadscore.errors import Detail
from leadscore.language import Lang, Text
from leadscore.store.jobs.jobs import Job, list_jobs, read_job, request_cancel
from leadscore.web.access.callers import Access, check_may
from leadscore.web.access.permissions import requires
from leadscore.web.api import asked_language
from leadscore.web.asked_language import check_named_language
from leadscore.web.documentation import LANGUAGE_PARAMETERS, SECURED, leads_to, refusals
from leadscore.web.errors import error_body
from leadscore.web.idempotent import IDEMPOTENCY_PARAMETER, Act, Answer, written
from leadscore.web.job_payloads import JobAnswer, JobPath, JobsAnswer, JobsQuery
from leadscore.web.store_refusals import store_refusals

_TAG = Tag(name="jobs", description="后台任务 Work that takes longer than a request")
# `lang` is a field of the query's model.
_READS_PAGES = {"x-more-parameters": LANGUAGE_PARAMETERS[1:]}
_READS = {"x-more-parameters": LANGUAGE_PARAMETERS}
_WRITES = {"x-more-parameters": [*LANGUAGE_PARAMETERS, IDEMPOTENCY_PARAMETER]}


def job_routes(access: Access, default_lang: Lang) -> APIBlueprint:
    """Return ``/api/v1/jobs``.

    Everybody who may read sees all jobs; each may cancel their own, and administrators any.
    """
    api = APIBlueprint(
        "jobs", __name__, url_prefix="/api/v1", abp_tags=[_TAG], abp_security=SECURED
    )
    api.before_request(check_named_language)

    @api.get(
        "/jobs",
        operation_id="listJobs",
        summary="列出任务，新的在前 List jobs, the newest first",
        openapi_extensions=_READS_PAGES
        | leads_to(
            200,
            ("readJob", {"id": "$response.body#/jobs/0/id"}),
            ("cancelJob", {"id": "$response.body#/jobs/0/id"}),
        ),
        responses={200: JobsAnswer, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("read")
    def list_all(query: JobsQuery) -> Response:
        with access.database.read() as connection:
            found = list_jobs(
                connection,
                states=[query.state] if query.state else [],
                kinds=[query.kind] if query.kind else [],
                before=query.before,
                limit=query.limit + 1,
            )
        page, lang = found[: query.limit], asked_language(default_lang)
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
        with store_refusals(), access.database.read() as connection:
            job = read_job(connection, path.id)
        return jsonify(told(job, asked_language(default_lang)))

    @api.post(
        "/jobs/<int:id>/cancel",
        operation_id="cancelJob",
        summary="取消任务 Cancel a job",
        description="等待中的立即取消；进行中的在下一步之前停下。 One that waits is cancelled at "
        "once; one that runs stops before its next step.",
        openapi_extensions=_WRITES,
        responses={200: JobAnswer, **refusals(401, 403, 404, 409, 422, 431, 500)},
    )
    @requires("record")
    @written(access, "job.cancel")
    def cancel(act: Act, path: JobPath) -> Answer:
        job = read_job(act.connection, path.id, lock=True)
        if job.submitted_by != act.actor:
            check_may("administer")
        job = request_cancel(act.connection, path.id, now=act.now)
        answer = told(job, asked_language(default_lang))
        return Answer(answer, about=("job", str(job.id)), details={"kind": job.kind})

    return api


def told(job: Job, lang: Lang) -> dict[str, Any]:
    """Return a job as `JobAnswer` describes it."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "progress": job.progress,
        "words": job.words and job.words.pick(lang),
        "result": job.result,
        "error": job.error and _error(job.error, lang),
        "submitted_by": job.submitted_by,
        "submitted_at": _moment(job.submitted_at),
        "started_at": _moment(job.started_at),
        "ended_at": _moment(job.ended_at),
        "attempts": job.attempts,
        "cancel_requested": job.cancel_requested,
    }


def _error(kept: Mapping[str, Any], lang: Lang) -> object:
    details = [
        Detail(each["where"], each["got"], Text(**each["wanted"])) for each in kept["details"]
    ]
    return error_body(kept["code"], Text(**kept["message"]), details, lang=lang)["error"]


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
