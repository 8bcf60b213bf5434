"""The routes of large exports: a job writes a workbook, to be fetched for a week."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC
from typing import Literal

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import Field

from leadscore.errors import Detail
from leadscore.jobs.kinds import EXPORT
from leadscore.jobs.tasks import ExportGoneError, check_format, export_file
from leadscore.language import Text
from leadscore.store.jobs.jobs import Job, read_job, submit
from leadscore.web.access.permissions import requires
from leadscore.web.documentation import SECURED, leads_to, refusals
from leadscore.web.errors import REFUSALS, GoneError
from leadscore.web.idempotent import Act, Answer, noted, written
from leadscore.web.routes.backing import READS_QUERY, WRITES, Backing
from leadscore.web.routes.files import XLSX, described, file_answer, sent_file
from leadscore.web.routes.payloads import JobAsked, LangOnly, NumberPath, example
from leadscore.web.routes.ranking_payloads import RankingConditions
from leadscore.web.store_refusals import ContradictionError, NothingThereError, store_refusals

_TAG = Tag(name="ranking", description="排名 The ranking")
_AN_EXPORT = Text(zh="导出任务的编号", en="the number of a job that exports")
_NOT_YET = Text(zh="文件还没有写好", en="the file isn't written yet")
_DONE = Text(zh="已完成的任务", en="a job that is done")
_WITHIN_A_WEEK = Text(zh="一周之内的导出；请重新导出", en="an export of this week; export again")


class NewExport(RankingConditions):
    """Which firms, in which order, and how they are written."""

    model_config = example({"grade": "AB", "format": "xlsx", "lang": "zh"})

    format: Literal["csv", "xlsx"] = Field(
        default="csv",
        description="xlsx；csv（缺省）答 410，请用 GET /ranking.csv。 xlsx; csv, which is meant if "
        "it is missing, is answered 410: use GET /ranking.csv.",
    )
    lang: Literal["zh", "en"] | None = Field(
        default=None,
        description="文件的语言，缺省同回答 Of the file; that of the answer if missing.",
    )


def export_routes(backing: Backing) -> APIBlueprint:
    """Return ``/api/v1/exports``."""
    api = APIBlueprint(
        "exports", __name__, url_prefix="/api/v1", abp_tags=[_TAG], abp_security=SECURED
    )

    @api.post(
        "/exports",
        operation_id="addExport",
        summary="导出排名 Export the ranking",
        description="后台任务写出工作簿，一周内可用 GET /exports/{id} 取回。 A job writes "
        "the workbook, which GET /exports/{id} gives for a week.",
        openapi_extensions=WRITES
        | leads_to(
            202,
            ("readJob", {"id": "$response.body#/job_id"}),
            ("exportFile", {"id": "$response.body#/job_id"}),
        ),
        responses={202: JobAsked, **refusals(400, 401, 403, 410, 413, 415, 422, 431, 500)},
    )
    @requires("read")
    @written(backing.access, "ranking.export")
    def add_export(act: Act, body: NewExport) -> Answer:
        payload = {
            "filter": body.asked().told(),
            "sort": body.sort,
            "format": body.format,
            "lang": body.lang or backing.lang(),
        }
        with _gone():
            check_format(payload)
        job = submit(act.connection, EXPORT, payload, by=act.actor, now=act.now)
        details = {"format": body.format}
        return Answer({"job_id": job}, 202, about=("job", str(job)), details=details)

    @api.get(
        "/exports/<int:id>",
        operation_id="exportFile",
        summary="取回导出的文件 Fetch what was exported",
        description="编号即任务编号。 The number is that of the job.",
        openapi_extensions=READS_QUERY,
        responses={200: described(XLSX), **refusals(401, 403, 404, 409, 410, 422, 431, 500)},
    )
    @requires("read")
    def fetch(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), backing.database.read() as connection:
            name = _file_name(read_job(connection, path.id))
        file = export_file(backing.exports, name, now=backing.access.clock().astimezone(UTC))
        if file is None:
            raise GoneError(REFUSALS[410][1], [Detail("id", str(path.id), _WITHIN_A_WEEK)])
        noted(backing.access, "export.fetch", ("job", str(path.id)))
        return file_answer(sent_file(file), f"ranking-{path.id}.xlsx", XLSX)

    return api


def _file_name(job: Job) -> str:
    """Return the name of the file that a job has written, or refuse."""
    number = str(job.id)
    if job.kind != EXPORT:
        raise NothingThereError(REFUSALS[404][1], [Detail("id", number, _AN_EXPORT)])
    with _gone():
        check_format(job.payload)
    if job.state != "done" or job.result is None:
        raise ContradictionError(_NOT_YET, [Detail("id", f"{number} ({job.state})", _DONE)])
    return str(job.result["file"])


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    """Give what no job writes any more its status."""
    try:
        yield
    except ExportGoneError as error:
        raise GoneError(error.message, error.details) from error
