"""The auditors' route: what was done, the newest first."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from sqlalchemy import Row

from leadscore.store.auditing.pages import page
from leadscore.web.access.callers import Access
from leadscore.web.access.payloads import AuditAnswer, AuditQuery
from leadscore.web.access.permissions import requires
from leadscore.web.access.routes_session import SECURED
from leadscore.web.documentation import LANGUAGE_PARAMETERS, refusals

_TAG = Tag(name="audit", description="审计 What was done")


def audit_routes(access: Access) -> APIBlueprint:
    """Return ``/api/v1/audit``."""
    api = APIBlueprint("audit", __name__, url_prefix="/api/v1", abp_tags=[_TAG])

    @api.get(
        "/audit",
        operation_id="audit",
        summary="审计记录 What was done, by whom, from where",
        security=SECURED,
        openapi_extensions={"x-more-parameters": LANGUAGE_PARAMETERS[1:]},
        responses={200: AuditAnswer, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("audit")
    def audit(query: AuditQuery) -> Response:
        with access.database.read() as connection:
            rows = page(
                connection,
                before=query.before,
                actor=query.actor,
                action=query.action,
                since=query.since,
                limit=query.limit + 1,
            )
        shown = rows[: query.limit]
        following = shown[-1].sequence if len(rows) > query.limit else None
        return jsonify({"records": [_record(row) for row in shown], "next": following})

    return api


def _record(row: Row[Any]) -> dict[str, Any]:
    return {
        "sequence": row.sequence,
        "at": row.at.isoformat(),
        "actor": row.actor,
        "role": row.role,
        "action": row.action,
        "object_kind": row.object_kind,
        "object_id": row.object_id,
        "address": row.address,
        "result": row.result,
        "details": json.loads(row.details),
    }
