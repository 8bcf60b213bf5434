"""The routes of one firm: all that is kept of it, and what officers do with it."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from sqlalchemy import Connection

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.store.firms import acts as firm_acts
from leadscore.store.firms.firms import Firm, firm_to_change, read_firm
from leadscore.web.access.permissions import requires
from leadscore.web.documentation import SECURED, leads_to, refusals
from leadscore.web.errors import REFUSALS, InvalidRequestError
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.routes.backing import (
    CHANGES,
    READS_QUERY,
    WRITES,
    Backing,
    etag,
    matched_version,
)
from leadscore.web.routes.firm_payloads import (
    ChangesAnswer,
    ChangesQuery,
    FirmAnswer,
    NewExclusion,
    NewOutcome,
    NewOverride,
    OutcomeAnswer,
)
from leadscore.web.routes.firm_views import changes_answer, firm_answer, outcome_answer
from leadscore.web.routes.payloads import LangOnly, NumberPath
from leadscore.web.store_refusals import store_refusals

_TAG = Tag(name="firms", description="企业 Firms")
_EDITED = (400, 401, 403, 404, 412, 413, 415, 422, 428, 431, 500)
_TAKEN_BACK = (401, 403, 404, 412, 422, 428, 431, 500)
_THIS_FIRM = {"path.id": "$request.path.id"}
_AS_SEEN = _THIS_FIRM | {"header.If-Match": "$response.header.ETag"}
_CHANGEABLE = leads_to(
    200,
    *((name, _AS_SEEN) for name in ("override", "dropOverride", "exclude", "dropExclusion")),
    ("addOutcome", _THIS_FIRM),
    ("changes", _THIS_FIRM),
    headers={"ETag": "企业的版本。 The version of the firm."},
)
"""Where an answer that shows a firm leads."""
_SOMETHING = Text(zh="至少一项：grade、segment、role", en="at least one of grade, segment, role")
_A_SEGMENT = Text(zh="城市画像里的环节", en="a segment of the city profile")


def firm_routes(backing: Backing) -> APIBlueprint:
    """Return ``/api/v1/firms``."""
    api = APIBlueprint(
        "firms", __name__, url_prefix="/api/v1", abp_tags=[_TAG], abp_security=SECURED
    )

    @api.get(
        "/firms/<int:id>",
        operation_id="firm",
        summary="一家企业 A firm",
        description="ETag 供修改时填 If-Match。 The ETag is what a change names in If-Match.",
        openapi_extensions=READS_QUERY | _CHANGEABLE,
        responses={200: FirmAnswer, **refusals(401, 403, 404, 422, 431, 500)},
    )
    @requires("read")
    def firm(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), backing.database.read() as connection:
            found = read_firm(connection, path.id)
            response = jsonify(
                firm_answer(
                    backing.scorer().wording, connection, found, backing.today(), backing.lang()
                )
            )
        response.headers.update(etag(found.version))
        return response

    @api.get(
        "/firms/<int:id>/changes",
        operation_id="changes",
        summary="评分为什么变了 Why did the score change?",
        description="两次评分之差精确拆为数据与模型两部分，逐项相加等于差额。 The difference "
        "between two scores, split exactly into what the data and what another model did; the "
        "parts add up to it.",
        openapi_extensions=READS_QUERY,
        responses={200: ChangesAnswer, **refusals(401, 403, 404, 422, 431, 500)},
    )
    @requires("read")
    def changes(path: NumberPath, query: ChangesQuery) -> Response:
        with store_refusals(), backing.database.read() as connection:
            return jsonify(
                changes_answer(
                    backing.scorer().wording,
                    connection,
                    path.id,
                    query.older,
                    query.newer,
                    backing.lang(),
                )
            )

    @api.post(
        "/firms/<int:id>/outcomes",
        operation_id="addOutcome",
        summary="登记结果 Enter an outcome",
        description="只增不改；同一阶段以最后一条为准。 Only ever added; of one stage the last "
        "entry counts.",
        openapi_extensions=WRITES,
        responses={
            201: OutcomeAnswer,
            **refusals(400, 401, 403, 404, 413, 415, 422, 431, 500),
        },
    )
    @requires("record")
    @written(backing.access, "outcome.add")
    def add_outcome(act: Act, path: NumberPath, body: NewOutcome) -> Answer:
        entry = firm_acts.enter_outcome(
            act.connection, path.id, stage=body.stage, day=body.day, reason=body.reason,
            withdrawn=body.withdrawn, actor=act.actor, now=act.now, today=backing.today(),
        )  # fmt: skip
        details = {"stage": body.stage, "withdrawn": body.withdrawn}
        return Answer(outcome_answer(entry), 201, about=_firm(path.id), details=details)

    @api.put(
        "/firms/<int:id>/override",
        operation_id="override",
        summary="以人工判断为准 Overrule the machine",
        openapi_extensions=CHANGES | _CHANGEABLE,
        responses={200: FirmAnswer, **refusals(*_EDITED)},
    )
    @requires("record")
    @written(backing.access, "firm.override")
    def override(act: Act, path: NumberPath, body: NewOverride) -> Answer:
        values = body.model_dump(include={"grade", "segment", "role"}, exclude_none=True)
        _check_values(backing, values)
        version = _matched(act.connection, path.id)
        firm = firm_acts.override(
            act.connection, path.id, values, body.reason, version=version, actor=act.actor,
            now=act.now,
        )  # fmt: skip
        return _changed(backing, act, firm, **values)

    @api.delete(
        "/firms/<int:id>/override",
        operation_id="dropOverride",
        summary="恢复机器的判断 Back to the machine's values",
        openapi_extensions=CHANGES | _CHANGEABLE,
        responses={200: FirmAnswer, **refusals(*_TAKEN_BACK)},
    )
    @requires("record")
    @written(backing.access, "firm.override.drop")
    def drop_override(act: Act, path: NumberPath) -> Answer:
        version = _matched(act.connection, path.id)
        firm = firm_acts.take_override_back(act.connection, path.id, version=version, now=act.now)
        return _changed(backing, act, firm)

    @api.put(
        "/firms/<int:id>/exclusion",
        operation_id="exclude",
        summary="列入排除名单 Not to be courted",
        openapi_extensions=CHANGES | _CHANGEABLE,
        responses={200: FirmAnswer, **refusals(*_EDITED)},
    )
    @requires("record")
    @written(backing.access, "firm.exclude")
    def exclude(act: Act, path: NumberPath, body: NewExclusion) -> Answer:
        version = _matched(act.connection, path.id)
        firm = firm_acts.exclude(
            act.connection, path.id, body.reason, version=version, actor=act.actor,
            now=act.now,
        )  # fmt: skip
        return _changed(backing, act, firm)

    @api.delete(
        "/firms/<int:id>/exclusion",
        operation_id="dropExclusion",
        summary="移出排除名单 May be courted again",
        openapi_extensions=CHANGES | _CHANGEABLE,
        responses={200: FirmAnswer, **refusals(*_TAKEN_BACK)},
    )
    @requires("record")
    @written(backing.access, "firm.exclude.drop")
    def drop_exclusion(act: Act, path: NumberPath) -> Answer:
        version = _matched(act.connection, path.id)
        firm = firm_acts.take_exclusion_back(act.connection, path.id, version=version, now=act.now)
        return _changed(backing, act, firm)

    return api


def _matched(connection: Connection, firm_id: int) -> int:
    return matched_version(firm_to_change(connection, firm_id).version)


def _changed(backing: Backing, act: Act, firm: Firm, **details: str) -> Answer:
    body = firm_answer(
        backing.scorer().wording, act.connection, firm, backing.today(), backing.lang()
    )
    return Answer(body, 200, etag(firm.version), _firm(firm.id), details)


def _firm(firm_id: int) -> tuple[str, str]:
    return "firm", str(firm_id)


def _check_values(backing: Backing, values: dict[str, str]) -> None:
    """Refuse an override of nothing, and segments that the city doesn't have."""
    message, segment = REFUSALS[422][1], values.get("segment")
    if not values:
        raise InvalidRequestError(message, [Detail("$", "∅", _SOMETHING)])
    if segment is not None and segment not in backing.scorer().city.segments:
        raise InvalidRequestError(message, [Detail("segment", segment, _A_SEGMENT)])
