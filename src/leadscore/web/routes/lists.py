"""The routes of lists and of jobs: hand a list in, see what became of it, stop what runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Annotated, Any

from flask import Response, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.file import FileStorage
from pydantic import BaseModel, ConfigDict, Field

from leadscore.errors import Detail
from leadscore.jobs.tasks import submit_list, submit_undo
from leadscore.lists.mapping import checked
from leadscore.lists.writing import write_problems
from leadscore.store import lists as kept
from leadscore.store.jobs import LONGEST_PAGE, Job, list_jobs, read_job, request_cancel
from leadscore.store.jobs import State as JobState
from leadscore.store.list_undo import foreseen
from leadscore.store.lists import State
from leadscore.text import Lang, Text, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import check_may, requires
from leadscore.web.errors import (
    check_named_language,
    error_body,
    invalid,
    store_refusals,
)
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.json import json_kind, parse_json
from leadscore.web.openapi import (
    LANGUAGE_PARAMETERS,
    ErrorWords,
    Payload,
    api_blueprint,
    example,
)
from leadscore.web.routes.payloads import (
    CSV,
    QUERY,
    WRITES,
    Day,
    LangOnly,
    LangQuery,
    Moment,
    Number,
    NumberPath,
    described,
    documented,
    fields_of,
    file_answer,
    written_file,
)

WORDS = room_words("web")


class ListUpload(BaseModel):
    """A list, as a form with a file."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    file: FileStorage = Field(description="xlsx, csv, csv.gz 或 parquet")
    # Texts, both: the framework reads what isn't one as JSON, and less strictly than we do.
    mapping: str = Field(
        default="",
        max_length=20_000,
        description="列名到标准列的对应，JSON 对象；数字的单位写在括号里，只说单位写“(万元)”，单位"
        "不明写“(?)”；空文字或 - 表示不读取；列也可写作“工作表!B3”。 "
        "JSON object: canonical columns, by id or label, by the headers that mean them, with the "
        "unit of their plain numbers in brackets if that is to be said; (万元) alone is a unit for "
        "what the header means anyway, and (?) one that nobody knows. An empty text or - is for a "
        "column that is not to be read. A column may be named by its place: sheet!B3, or sheet!B "
        "where the header is to be found, without a sheet !B3 and !B. Other headers are recognised "
        "as ever.",
        examples=['{"单位": "name", "注资": "registered_capital_cny(万元)"}'],
    )
    as_of: str = Field(
        default="",
        max_length=10,
        description="名单所知的日期，缺省为今天；较早的名单不会覆盖较新的内容。 Day as of which "
        "the list knows its firms, today if missing: an older one never overwrites a newer one.",
        json_schema_extra={"format": "date"},
    )


class ListCounts(Payload):
    """Where the rows went: rows = ranked + vetoed + set_aside."""

    rows: int
    ranked: int
    vetoed: int
    set_aside: int


class ListFault(Payload):
    """Why a list could not be taken in."""

    code: str
    message: str


class ListAnswer(Payload):
    """A list."""

    id: int
    file_name: str
    sha256: str
    uploaded_by: str
    uploaded_at: Moment
    as_of: Day
    state: State
    progress: float = Field(ge=0, le=1)
    counts: ListCounts | None = Field(description="Once it is done.")
    model: str | None = Field(description="Version of the model that scored its firms.")
    mapping: dict[str, str] = Field(
        description="What was said of its columns, in canonical words; empty if nothing.",
        examples=[{"注资": "registered_capital_cny(万元)"}],
    )
    notices: list[str] = Field(description="What to know about the file as a whole.")
    error: ListFault | None = Field(description="Once it has failed.")
    job_id: int | None
    undone_at: Moment | None = Field(description="When its import was undone, if it was.")
    undone_by: str | None
    own_columns: list[str] | None = Field(
        description="Headers that mean nothing to leadscore, whose cells are kept with the firms."
    )


class UndoCounts(Payload):
    """What would become of the firms of a list if its import were undone."""

    gone: int = Field(description="Known from this list alone: they go with it.")
    kept: int = Field(description="Known from it alone, but worked with: they stay as they are.")
    back: int = Field(description="Known otherwise: they go back to what was known without it.")


class ListDetails(ListAnswer):
    """A list, with the number of problems of each kind."""

    problems: dict[str, int] = Field(
        description="By kind; GET /lists/{id}/problems.csv has them all.",
        examples=[{"repeat": 1, "bad_date": 2}],
    )


class ListAccepted(BaseModel):
    """A list that waits to be taken in."""

    model_config = example({"id": 7, "job_id": 12})

    id: int
    job_id: int


class ListsQuery(BaseModel):
    """Which lists, the newest first."""

    model_config = QUERY

    before: Number | None = Field(default=None, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200)
    lang: LangQuery = None


class ListsAnswer(Payload):
    """Some lists, the newest first."""

    lists: list[ListAnswer]
    next: int | None = Field(description="`before` of the next page.")


def list_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/lists``."""
    api = api_blueprint("lists", "名单 Lists of candidate firms")

    @api.post("/lists", **documented(
        "addList", ListAccepted, 400, 413, 429, status=202, more=WRITES,
        links={"list.id": "/id", "listProblems.id": "/id", "readJob.id": "/job_id"},
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "list.add", fingerprint=_fingerprint)
    def add_list(act: Act, form: ListUpload) -> Answer:
        file_name, content = _file()
        number, job = submit_list(
            act.connection, file_name=file_name, content=content, mapping=_mapping(form.mapping),
            as_of=_day(form.as_of) or dependencies.today(), actor=act.actor, now=act.now,
        )  # fmt: skip
        return Answer({"id": number, "job_id": job}, 202, about=("list", str(number)))

    @api.get("/lists", **documented(
        "lists", ListsAnswer, links={"list.id": "/lists/0/id", "listProblems.id": "/lists/0/id"},
    ))  # fmt: skip
    @requires("read")
    def all_lists(query: ListsQuery) -> Response:
        with dependencies.database.read() as connection:
            lists = kept.kept_lists(connection, before=query.before, limit=query.limit + 1)
        shown, lang = lists[: query.limit], dependencies.lang()
        following = shown[-1].id if len(lists) > query.limit else None
        return jsonify({"lists": [_shown(row, lang) for row in shown], "next": following})

    @api.get("/lists/<int:id>", **documented("list", ListDetails, 404))
    @requires("read")
    def one_list(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            row = kept.read_kept_list(connection, path.id)
            problems = kept.count_problems(connection, path.id)
        return jsonify(_shown(row, dependencies.lang()) | {"problems": problems})

    @api.get("/lists/<int:id>/undo", **documented("listUndo", UndoCounts, 404))
    @requires("read")
    def before_undo(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            kept.read_kept_list(connection, path.id)
            counts = foreseen(connection, path.id)
        return jsonify(counts._asdict())

    @api.post("/lists/<int:id>/undo", **documented(
        "undoList", ListAccepted, 404, 409, 429, status=202, more=WRITES,
        links={"list.id": "/id", "readJob.id": "/job_id"},
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "list.undo")
    def undo(act: Act, path: NumberPath) -> Answer:
        job = submit_undo(act.connection, path.id, actor=act.actor, now=act.now)
        return Answer({"id": path.id, "job_id": job}, 202, about=("list", str(path.id)))

    @api.get("/lists/<int:id>/problems.csv", **documented("listProblems", described(CSV), 404))
    @requires("read")
    def problems(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            kept.read_kept_list(connection, path.id)
            rows = kept.problems_of(connection, path.id)
        write = partial(write_problems, rows, lang=dependencies.lang())
        return file_answer(written_file(write, ".csv"), f"problems-{path.id}.csv", CSV)

    return api


def _shown(row: kept.KeptList, lang: Lang) -> dict[str, Any]:
    error, counts = row.error, row.counts
    return fields_of(ListAnswer, row) | {
        "counts": counts and {name: counts.get(name, 0) for name in ListCounts.model_fields},
        "notices": [notice[lang] for notice in row.notices],
        "error": error and {"code": error["code"], "message": error[lang]},
    }


def _file() -> tuple[str, bytes]:
    file = request.files.get("file")
    if file is None:
        raise invalid("file", "∅", WORDS["lists.a_file"])
    file.stream.seek(0)
    return file.filename or "list", file.stream.read()


def _fingerprint() -> bytes:
    name, content = _file()
    fields = sorted(request.form.items(multi=True))
    return json.dumps([name, hashlib.sha256(content).hexdigest(), fields]).encode()


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid("as_of", text, WORDS["lists.a_day"]) from None


def _mapping(text: str) -> dict[str, str]:
    if not text:
        return {}
    mapping = parse_json(text.encode())
    if not isinstance(mapping, dict) or not all(isinstance(to, str) for to in mapping.values()):
        raise invalid("mapping", json_kind(mapping), WORDS["lists.an_object"])
    return checked(mapping)


_JobNumber = Annotated[int, Field(ge=1, le=2**63 - 1, description="任务编号 Number of the job")]

_EXAMPLE: Any = {
    "id": 17, "kind": "retrain", "state": "running", "progress": 0.43,
    "words": "training the challenger (additive card) on all 212 known outcomes",
    "result": None, "error": None, "submitted_by": "li.na",
    "submitted_at": "2026-03-02T09:30:00+00:00", "started_at": "2026-03-02T09:30:01+00:00",
    "ended_at": None, "attempts": 1, "cancel_requested": False,
}  # fmt: skip


class JobPath(BaseModel):
    """Which job."""

    model_config = QUERY

    id: _JobNumber


class JobsQuery(BaseModel):
    """Which jobs, and how many."""

    model_config = QUERY

    state: JobState | None = Field(None, description="只列这种状态 Only in this state")
    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = Field(
        None, description="只列这一种 Only of this kind", examples=["retrain"]
    )
    before: _JobNumber | None = Field(
        None, description="上一页的 next；只列编号更小的 `next` of the page before"
    )
    limit: int = Field(50, ge=1, le=LONGEST_PAGE, description="至多几项 At most so many")
    lang: LangQuery = None


class JobAnswer(BaseModel):
    """A job as it stands."""

    model_config = example(_EXAMPLE)

    id: int
    kind: str = Field(description="What is done: import_list, retrain, export.")
    state: JobState
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

    model_config = example({"jobs": [_EXAMPLE], "next": None})

    jobs: list[JobAnswer]
    next: int | None = Field(description="`before` of the next page; null on the last.")


def job_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/jobs``.

    Everybody who may read sees all jobs; each may cancel their own, and administrators any.
    """
    api = api_blueprint("jobs", "后台任务 Work that takes longer than a request")
    api.before_request(check_named_language)

    @api.get("/jobs", **documented(
        "listJobs", JobsAnswer, links={"readJob.id": "/jobs/0/id", "cancelJob.id": "/jobs/0/id"},
    ))  # fmt: skip
    @requires("read")
    def list_all(query: JobsQuery) -> Response:
        with dependencies.database.read() as connection:
            jobs = list_jobs(
                connection,
                states=[query.state] if query.state else [],
                kinds=[query.kind] if query.kind else [],
                before=query.before,
                limit=query.limit + 1,
            )
        page, lang = jobs[: query.limit], dependencies.lang()
        following = page[-1].id if len(jobs) > len(page) else None
        return jsonify({"jobs": [_job_answer(job, lang) for job in page], "next": following})

    @api.get("/jobs/<int:id>", **documented(
        "readJob", JobAnswer, 404, more=LANGUAGE_PARAMETERS,
        links={"exportFile.id": "$request.path.id"},
    ))  # fmt: skip
    @requires("read")
    def read(path: JobPath) -> Response:
        with store_refusals(), dependencies.database.read() as connection:
            job = read_job(connection, path.id)
        return jsonify(_job_answer(job, dependencies.lang()))

    @api.post("/jobs/<int:id>/cancel", **documented("cancelJob", JobAnswer, 404, 409, more=WRITES))
    @requires("record")
    @written(dependencies.access, "job.cancel")
    def cancel(act: Act, path: JobPath) -> Answer:
        job = read_job(act.connection, path.id, lock=True)
        if job.submitted_by != act.actor:
            check_may("administer")
        job = request_cancel(act.connection, path.id, now=act.now)
        answer = _job_answer(job, dependencies.lang())
        return Answer(answer, about=("job", str(job.id)), details={"kind": job.kind})

    return api


def _job_answer(job: Job, lang: Lang) -> dict[str, Any]:
    return fields_of(JobAnswer, job) | {
        "words": job.words and job.words.pick(lang),
        "error": job.error and _job_error(job.error, lang),
    }


def _job_error(kept: Mapping[str, Any], lang: Lang) -> object:
    details = [
        Detail(place["where"], place["got"], Text(**place["wanted"])) for place in kept["details"]
    ]
    return error_body(kept["code"], Text(**kept["message"]), details, lang=lang)["error"]
