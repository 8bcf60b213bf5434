"""The routes of acts on many firms at once: what is selected, what is done, and what came of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from leadscore.store import bulk
from leadscore.store.board import owners
from leadscore.store.ranking import LONGEST_PAGE
from leadscore.text import Lang, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import invalid, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import Payload, api_blueprint, example
from leadscore.web.routes.payloads import (
    BODY,
    WRITES,
    LangOnly,
    Moment,
    Number,
    NumberPath,
    Stage,
    Words,
    documented,
    moment,
)
from leadscore.web.routes.ranking import RankingConditions

WORDS = room_words("web")

_Kind = Literal["stage", "owner", "exclude", "include", "add", "remove", "undo"]


class NewSelection(RankingConditions):
    """Which firms are to be selected: all that the filter holds now."""

    model_config = example({"grade": ["A", "B"], "veto": "no"})


class SelectionAnswer(Payload):
    """What was selected; firms that come later are not among them."""

    id: int
    made_at: Moment
    total: int


class NewBulkAct(BaseModel):
    """What is to be done with a selection, or with some firms."""

    model_config = example(
        {"kind": "stage", "selection": 1, "stage": "visited", "day": "2026-11-20"}
    )

    kind: bulk.BulkKind = Field(
        description="stage 阶段，owner 负责人，exclude 排除，include 取消排除，add/remove 加入/移出"
        "备选名单。 What is done: a stage, an owner, an exclusion or its end, a shortlist."
    )
    selection: Number | None = Field(default=None, description="Number of a selection.")
    firms: Annotated[list[Number], Field(min_length=1, max_length=LONGEST_PAGE)] | None = None
    stage: Stage | None = Field(default=None, description="With `stage`.")
    day: Annotated[date | None, Field(strict=False)] = Field(
        default=None, description="With `stage`."
    )
    reason: Words | None = Field(
        default=None, description="With `exclude`, and with the stage `lost`."
    )
    owner: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")] | None = (
        Field(default=None, description="With `owner`; none takes the firms out of every hand.")
    )
    shortlist: Number | None = Field(default=None, description="With `add` and `remove`.")


class BulkCounts(Payload):
    """How many firms have which result."""

    done: int
    same: int = Field(description="Was so already.")
    changed: int = Field(description="Has changed since it was selected, and was left alone.")
    refused: int
    pending: int


class LeftFirm(Payload):
    """A firm with which it was not done."""

    firm_id: int
    name: str
    result: Literal["changed", "refused"]
    why: str | None


class BulkActAnswer(Payload):
    """An act on many firms, and what came of it."""

    id: int
    kind: _Kind
    arguments: dict[str, str | int | None]
    total: int
    counts: BulkCounts
    left: list[LeftFirm] = Field(description="The first hundred.")
    by: str
    at: Moment
    ended_at: Moment | None
    job_id: int | None = Field(description="The job that does it, if it is not done at once.")
    undoes: int | None
    undone_by: int | None


_LINKS = {"readBulkAct.id": "/id", "undoBulkAct.id": "/id"}


def bulk_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/selections`` and ``/api/v1/bulk``."""
    api = api_blueprint("bulk", "批量操作 Many firms at once")
    access = dependencies.access

    @api.post("/selections", **documented(
        "addSelection", SelectionAnswer, *BODY, status=201, more=WRITES,
    ))  # fmt: skip
    @requires("record")
    @written(access, "selection.add")
    def add_selection(act: Act, body: NewSelection) -> Answer:
        selection = bulk.select_firms(act.connection, body.asked(), owner=act.actor, now=act.now)
        answer = {"id": selection.id, "total": selection.total}
        return Answer(
            answer | {"made_at": moment(selection.made_at)}, 201,
            about=("selection", str(selection.id)), details={"firms": selection.total},
        )  # fmt: skip

    @api.post("/bulk", **documented(
        "addBulkAct", BulkActAnswer, *BODY, 404, 429, status=201, more=WRITES, links=_LINKS,
    ))  # fmt: skip
    @requires("record")
    @written(access, "bulk.act")
    def add_act(act: Act, body: NewBulkAct) -> Answer:
        arguments = body.model_dump(
            mode="json", include={"stage", "day", "reason", "owner", "shortlist"}
        )
        done = begun(
            dependencies, act, body.kind, arguments, selection=body.selection,
            firms=body.firms or (),
        )  # fmt: skip
        return _answered(dependencies, act, done, 201)

    @api.get("/bulk/<int:id>", **documented("readBulkAct", BulkActAnswer, 404, links=_LINKS))
    @requires("read")
    def read_act(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            act = bulk.read_act(connection, path.id)
            return jsonify(bulk_answer(connection, act, dependencies.lang()))

    @api.post("/bulk/<int:id>/undo", **documented(
        "undoBulkAct", BulkActAnswer, 404, 409, 429, status=201, more=WRITES,
        links={"readBulkAct.id": "/id"},
    ))  # fmt: skip
    @requires("record")
    @written(access, "bulk.undo")
    def undo(act: Act, path: NumberPath) -> Answer:
        done = bulk.undo_act(
            act.connection, path.id, by=act.actor, now=act.now, today=dependencies.today()
        )
        return _answered(dependencies, act, done, 201)

    return api


def begun(
    dependencies: Dependencies, act: Act, kind: bulk.BulkKind, arguments: dict[str, Any], *,
    selection: int | None, firms: Any = (),
) -> bulk.BulkAct:  # fmt: skip
    """Begin an act on many firms; raises `InvalidRequestError` where its owner is nobody here."""
    wanted = {
        "stage": ("stage", "day", "reason"), "owner": ("owner",), "exclude": ("reason",),
        "include": (), "add": ("shortlist",), "remove": ("shortlist",),
    }[kind]  # fmt: skip
    owner = arguments.get("owner")
    if kind == "owner" and owner not in {None, act.actor, *owners(act.connection)}:
        raise invalid("owner", str(owner), WORDS["pursuits.an_owner"])
    if (selection is None) == (not firms):
        raise invalid("selection", str(selection), WORDS["bulk.either"])
    return bulk.begin_act(
        act.connection, kind, {name: arguments.get(name) for name in wanted}, by=act.actor,
        now=act.now, today=dependencies.today(), selection=selection, firms=firms,
    )  # fmt: skip


def noted_act(connection: Connection, act: bulk.BulkAct) -> dict[str, Any]:
    """Return what the audit keeps of an act: what was asked for, and what came of it by now."""
    counts = {name or "pending": many for name, many in bulk.counts_of(connection, act.id).items()}
    return {"act": act.id, "kind": act.kind, **act.arguments, "firms": act.total, **counts}


def bulk_answer(connection: Connection, act: bulk.BulkAct, lang: Lang) -> dict[str, Any]:
    """Return an act and what came of it as the answers show it."""
    counts = bulk.counts_of(connection, act.id)
    same = ("id", "kind", "total", "by", "job_id", "undoes")
    return {name: getattr(act, name) for name in same} | {
        "arguments": dict(act.arguments),
        "counts": {
            name: counts.get(None if name == "pending" else name, 0)
            for name in BulkCounts.model_fields
        },
        "left": [
            {
                "firm_id": row.firm_id, "name": row.name, "result": row.result,
                "why": row.why and row.why[lang],
            }
            for row in bulk.firms_of_act(connection, act.id, ("changed", "refused"))
        ],
        "at": moment(act.at),
        "ended_at": moment(act.ended_at),
        "undone_by": bulk.undone_by(connection, act.id),
    }  # fmt: skip


def _answered(dependencies: Dependencies, act: Act, done: bulk.BulkAct, status: int) -> Answer:
    answer = bulk_answer(act.connection, done, dependencies.lang())
    details = noted_act(act.connection, done)
    return Answer(answer, status, about=("firms", str(done.total)), details=details)
