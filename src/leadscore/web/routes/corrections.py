"""The routes of what officers correct: each correction enters the firm's score at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from leadscore.lists.corrections import COLUMNS, JUDGED
from leadscore.store.corrections import correct, take_back
from leadscore.store.facts import all_facts_of, facts_of
from leadscore.store.firms import Firm, read_firm
from leadscore.text import room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import invalid, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import Payload, api_blueprint, example
from leadscore.web.routes.firms import (
    AS_SEEN,
    OVERRIDDEN,
    FirmAnswer,
    changed_firm,
    matched_version,
)
from leadscore.web.routes.payloads import (
    BODY,
    CHANGES,
    CorrectionAnswer,
    Grade,
    LangOnly,
    Number,
    NumberPath,
    Role,
    Slug,
    Words,
    correction_answer,
    documented,
)

WORDS = room_words("web")

_Text = Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]


class NewCorrection(BaseModel):
    """What is to count, and why."""

    model_config = example({
        "field": "segments", "value": ["wind.blades"], "reason": "Seen on a visit."
    })  # fmt: skip

    field: Literal[(*JUDGED, *COLUMNS)]  # type: ignore[valid-type]
    value: _Text | int | float | list[Slug] | None = Field(
        description="一列按名单的写法，null 为不详；segments 是编号列表，可为空；reason 是特征编号"
        " Of a column as a list would write it, null if it is not known; of `segments` a list of "
        "ids, perhaps empty; of `reason` the id of the feature."
    )
    reason: Words


class NewOverride(BaseModel):
    """What is to count instead of the machine's values; what isn't named stays the machine's."""

    model_config = example({"grade": "A", "reason": "The owner wants to come."})

    grade: Grade | None = None
    segment: Slug | None = None
    role: Role | None = None
    reason: Words


class CorrectionsAnswer(Payload):
    """What was corrected of a firm."""

    corrections: list[CorrectionAnswer]


class CorrectionPath(NumberPath):
    """The numbers of a firm and of one of its corrections."""

    number: Number


_CORRECTED = {before: now for now, before in OVERRIDDEN.items()}


def correction_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/firms/<id>/corrections``, and ``override``, as some were called before."""
    api = api_blueprint("corrections", "企业 Firms", tag="firms")

    @api.get("/firms/<int:id>/corrections", **documented("corrections", CorrectionsAnswer, 404))
    @requires("read")
    def corrections(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        wording, lang = dependencies.scorer().wording, dependencies.lang()
        with store_refusals(), dependencies.database.read() as connection:
            read_firm(connection, path.id)
            facts = all_facts_of(connection, path.id)
        return jsonify(corrections=[correction_answer(fact, wording, lang) for fact in facts])

    @api.post("/firms/<int:id>/corrections", **documented(
        "addCorrection", FirmAnswer, *BODY, 404, 412, 428, more=CHANGES,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.correct")
    def add_correction(act: Act, path: NumberPath, body: NewCorrection) -> Answer:
        firm = correct(
            act.connection, path.id, {body.field: body.value}, body.reason,
            version=matched_version(act.connection, path.id), scorer=dependencies.scorer(),
            actor=act.actor, now=act.now, today=dependencies.today(),
        )  # fmt: skip
        return changed_firm(dependencies, act, firm, field=body.field)

    @api.delete("/firms/<int:id>/corrections/<int:number>", **documented(
        "dropCorrection", FirmAnswer, 404, 412, 428, more=CHANGES,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.correct.drop")
    def drop_correction(act: Act, path: CorrectionPath) -> Answer:
        firm = take_back(
            act.connection, path.id, [path.number],
            version=matched_version(act.connection, path.id), scorer=dependencies.scorer(),
            actor=act.actor, now=act.now, today=dependencies.today(),
        )  # fmt: skip
        return changed_firm(dependencies, act, firm, correction=path.number)

    @api.put("/firms/<int:id>/override", **documented(
        "override", FirmAnswer, *BODY, 404, 412, 428, more=CHANGES, links=AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.override")
    def override(act: Act, path: NumberPath, body: NewOverride) -> Answer:
        values = body.model_dump(include={"grade", "segment", "role"}, exclude_none=True)
        _check_values(dependencies, values)
        version = matched_version(act.connection, path.id)
        firm = drop(act, path.id, version, kept={_CORRECTED[name] for name in values})
        said = {_CORRECTED[name]: value for name, value in values.items()}
        if "segments" in said:
            said["segments"] = [said["segments"]]
        firm = correct(
            act.connection, path.id, said, body.reason, version=firm.version,
            scorer=dependencies.scorer(), actor=act.actor, now=act.now, today=dependencies.today(),
        )  # fmt: skip
        return changed_firm(dependencies, act, firm, **values)

    def drop(act: Act, firm_id: int, version: int, *, kept: Collection[str] = ()) -> Firm:
        facts = facts_of(act.connection, [firm_id]).get(firm_id, [])
        numbers = [fact.id for fact in facts if fact.field in OVERRIDDEN.keys() - kept]
        return take_back(
            act.connection, firm_id, numbers, version=version, scorer=dependencies.scorer(),
            actor=act.actor, now=act.now, today=dependencies.today(),
        )  # fmt: skip

    @api.delete("/firms/<int:id>/override", **documented(
        "dropOverride", FirmAnswer, 404, 412, 428, more=CHANGES, links=AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.override.drop")
    def drop_override(act: Act, path: NumberPath) -> Answer:
        version = matched_version(act.connection, path.id)
        return changed_firm(dependencies, act, drop(act, path.id, version))

    return api


def _check_values(dependencies: Dependencies, values: dict[str, str]) -> None:
    segment = values.get("segment")
    if not values:
        raise invalid("$", "∅", WORDS["firms.something"])
    if segment is not None and segment not in dependencies.scorer().city.segments:
        raise invalid("segment", segment, WORDS["firms.a_segment"])
