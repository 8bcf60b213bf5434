"""The routes of ledgers: hand a file of outcomes in, and see what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.file import FileStorage
from pydantic import BaseModel, ConfigDict, Field

from leadscore.jobs.tasks import submit_ledger
from leadscore.lists.outcome_columns import read_mapping
from leadscore.lists.outcomes import read_stages
from leadscore.lists.writing import write_problems
from leadscore.store import ledgers as kept
from leadscore.text import Lang, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import invalid, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.json import json_kind, parse_json
from leadscore.web.openapi import Payload, api_blueprint
from leadscore.web.routes.lists import ListAccepted, ListFault
from leadscore.web.routes.payloads import (
    CSV,
    WRITES,
    LangOnly,
    Moment,
    NumberPath,
    described,
    documented,
    fields_of,
    file_answer,
    written_file,
)

WORDS = room_words("web")


class LedgerUpload(BaseModel):
    """A file of outcomes, as a form with a file."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    file: FileStorage = Field(description="xlsx, xls, ods, csv, csv.gz 或 parquet")
    mapping: str = Field(
        default="",
        max_length=20_000,
        description="列名到字段的对应，JSON 对象。 JSON object: by header one of name, "
        "credit_code, former_names, stage, day, reason, note, withdrawn, day: with a stage, or - "
        "for a column that is not to be read. Other headers are recognised as ever.",
        examples=['{"意向企业": "name", "签约": "day:signed"}'],
    )
    stages: str = Field(
        default="",
        max_length=20_000,
        description="阶段用词到阶段的对应，JSON 对象，- 表示不是阶段。 JSON object: by word a "
        "stage, or - if it tells none.",
        examples=['{"过会": "negotiating", "重点": "-"}'],
    )
    skip_rows: str = Field(
        default="",
        max_length=5,
        description="true：略去读不进来的流失行；缺省时有这样的行就不导入。 true to leave out "
        "rows that may tell a loss and can't be taken; else nothing is imported while there are "
        "any.",
    )


class LedgerAnswer(Payload):
    """A ledger that was handed in."""

    id: int
    file_name: str
    sha256: str
    uploaded_by: str
    uploaded_at: Moment
    state: kept.State
    counts: dict[str, int] | None = Field(
        description="Once it is done: read = new + known + set_aside entries; milestones beside; "
        "firms of the file, those won and those lost among them."
    )
    notices: list[str]
    error: ListFault | None = Field(description="Once it has failed.")
    job_id: int | None


def ask_for_import(
    act: Act, ledger: kept.Ledger, said: Mapping[str, Any]
) -> tuple[int, int]:  # fmt: skip
    """Ask for the job that imports a ledger, and return the numbers of both."""
    job = submit_ledger(
        act.connection, ledger.id, said, actor=act.actor, role=act.caller.role, now=act.now
    )
    return ledger.id, job


def outcome_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/outcomes``."""
    api = api_blueprint("outcomes", "进展 Outcomes of firms")

    @api.post("/outcomes", **documented(
        "addLedger", ListAccepted, 400, 413, 429, status=202, more=WRITES,
        links={"ledger.id": "/id", "ledgerProblems.id": "/id", "readJob.id": "/job_id"},
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "outcomes.ask", fingerprint=_fingerprint)
    def add_ledger(act: Act, form: LedgerUpload) -> Answer:
        name, content = _file()
        said = {
            "mapping": read_mapping(_object("mapping", form.mapping)),
            "stages": read_stages(_object("stages", form.stages)),
            "skip_rows": form.skip_rows.lower() in ("true", "yes", "1"),
        }
        token = kept.keep_ledger(
            act.connection, file_name=name, content=content, actor=act.actor, now=act.now
        )
        ledger = kept.waiting_ledger(act.connection, token, actor=act.actor, now=act.now)
        number, job = ask_for_import(act, ledger, said)
        return Answer({"id": number, "job_id": job}, 202, about=("ledger", str(number)))

    @api.get("/outcomes/<int:id>", **documented("ledger", LedgerAnswer, 404))
    @requires("read")
    def one_ledger(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            ledger = kept.read_ledger(connection, path.id)
        return jsonify(_shown(ledger, dependencies.lang()))

    @api.get("/outcomes/<int:id>/problems.csv", **documented(
        "ledgerProblems", described(CSV), 404,
    ))  # fmt: skip
    @requires("read")
    def problems(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            kept.read_ledger(connection, path.id)
            rows = kept.ledger_problems(connection, path.id)
        write = partial(write_problems, rows, lang=dependencies.lang())
        return file_answer(written_file(write, ".csv"), f"problems-{path.id}.csv", CSV)

    return api


def _shown(ledger: kept.Ledger, lang: Lang) -> dict[str, Any]:
    error = ledger.error
    return fields_of(LedgerAnswer, ledger) | {
        "notices": [notice[lang] for notice in ledger.notices],
        "error": error and {"code": error["code"], "message": error[lang]},
    }


def _file() -> tuple[str, bytes]:
    file = request.files.get("file")
    if file is None:
        raise invalid("file", "∅", WORDS["lists.a_file"])
    file.stream.seek(0)
    return file.filename or "ledger", file.stream.read()


def _fingerprint() -> bytes:
    name, content = _file()
    fields = sorted(request.form.items(multi=True))
    return json.dumps([name, hashlib.sha256(content).hexdigest(), fields]).encode()


def _object(name: str, text: str) -> dict[str, str]:
    if not text:
        return {}
    given = parse_json(text.encode())
    if not isinstance(given, dict) or not all(isinstance(to, str) for to in given.values()):
        raise invalid(name, json_kind(given), WORDS["lists.an_object"])
    return given
