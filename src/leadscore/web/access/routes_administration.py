"""The administrators' routes: who the users are, and which programs have keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from leadscore.store.access import api_keys, sessions, users
from leadscore.web.access.callers import Access
from leadscore.web.access.links import link_path
from leadscore.web.access.payloads import (
    Invitation,
    KeyAnswer,
    KeysAnswer,
    MadeKey,
    NamedPath,
    NewKey,
    NewUser,
    UserAnswer,
    UserChange,
    UsersAnswer,
)
from leadscore.web.access.permissions import requires
from leadscore.web.access.routes_session import SECURED, refuse_unknown_language
from leadscore.web.documentation import LANGUAGE_PARAMETERS, refusals
from leadscore.web.idempotent import IDEMPOTENCY_PARAMETER, Act, Answer, written

_TAG = Tag(name="administration", description="用户与密钥 Users and keys")
_READS = {"x-more-parameters": LANGUAGE_PARAMETERS}
_WRITES = {"x-more-parameters": [*LANGUAGE_PARAMETERS, IDEMPOTENCY_PARAMETER]}


def user_routes(access: Access) -> APIBlueprint:
    """Return ``/api/v1/users``."""
    api = APIBlueprint(
        "users", __name__, url_prefix="/api/v1", abp_tags=[_TAG], abp_security=SECURED
    )
    api.before_request(refuse_unknown_language)

    @api.get(
        "/users",
        operation_id="listUsers",
        summary="列出用户 List users",
        openapi_extensions=_READS,
        responses={200: UsersAnswer, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("administer")
    def list_users() -> Response:
        with access.database.read() as connection:
            found = users.everybody(connection)
        return jsonify({"users": [_user(user) for user in found]})

    @api.post(
        "/users",
        operation_id="addUser",
        summary="邀请用户 Invite a user",
        openapi_extensions=_WRITES,
        responses={201: Invitation, **refusals(400, 401, 403, 409, 413, 415, 422, 431, 500)},
    )
    @requires("administer")
    @written(access, "user.add")
    def add_user(act: Act, body: NewUser) -> Answer:
        token = users.add(act.connection, body.name, body.role, by=act.actor, now=act.now)
        user = users.get(act.connection, body.name)
        return _invitation(user, token, 201)

    @api.patch(
        "/users/<name>",
        operation_id="changeUser",
        summary="改任或停用 Change or disable a user",
        openapi_extensions=_WRITES,
        responses={200: UserAnswer, **refusals(400, 401, 403, 404, 409, 413, 415, 422, 431, 500)},
    )
    @requires("administer")
    @written(access, "user.change")
    def change_user(act: Act, path: NamedPath, body: UserChange) -> Answer:
        user = users.change(act.connection, path.name, role=body.role, disabled=body.disabled)
        if user.state == "disabled":
            sessions.end_all(act.connection, user.name)
        changes = body.model_dump(exclude_none=True)
        return Answer(_user(user), about=("user", user.name), details=changes)

    @api.post(
        "/users/<name>/link",
        operation_id="renewLink",
        summary="给出新的一次性链接 Give a new one-time link",
        openapi_extensions=_WRITES,
        responses={200: Invitation, **refusals(401, 403, 404, 409, 422, 431, 500)},
    )
    @requires("administer")
    @written(access, "user.link")
    def renew_link(act: Act, path: NamedPath) -> Answer:
        token = users.renew_link(act.connection, path.name, now=act.now)
        return _invitation(users.get(act.connection, path.name), token, 200)

    return api


def key_routes(access: Access) -> APIBlueprint:
    """Return ``/api/v1/keys``."""
    api = APIBlueprint(
        "keys", __name__, url_prefix="/api/v1", abp_tags=[_TAG], abp_security=SECURED
    )
    api.before_request(refuse_unknown_language)

    @api.get(
        "/keys",
        operation_id="listKeys",
        summary="列出密钥 List keys",
        openapi_extensions=_READS,
        responses={200: KeysAnswer, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("administer")
    def list_keys() -> Response:
        with access.database.read() as connection:
            found = api_keys.all_keys(connection)
        return jsonify({"keys": [_key(key) for key in found]})

    @api.post(
        "/keys",
        operation_id="addKey",
        summary="生成密钥 Make a key",
        openapi_extensions=_WRITES,
        responses={201: MadeKey, **refusals(400, 401, 403, 409, 413, 415, 422, 431, 500)},
    )
    @requires("administer")
    @written(access, "key.add")
    def add_key(act: Act, body: NewKey) -> Answer:
        secret = api_keys.add(
            act.connection, body.name, body.role, by=act.actor, now=act.now, days=body.days
        )
        key = _key(api_keys.get(act.connection, body.name))
        return Answer(
            {"key": key, "secret": secret},
            201,
            about=("key", key["name"]),
            details={"role": body.role, "days": body.days},
            body_again={"key": key, "secret": None},
        )

    @api.delete(
        "/keys/<name>",
        operation_id="revokeKey",
        summary="撤销密钥 Revoke a key",
        openapi_extensions=_WRITES,
        responses={200: KeyAnswer, **refusals(401, 403, 404, 422, 431, 500)},
    )
    @requires("administer")
    @written(access, "key.revoke")
    def revoke_key(act: Act, path: NamedPath) -> Answer:
        key = api_keys.revoke(act.connection, path.name, now=act.now)
        return Answer(_key(key), about=("key", key.name))

    return api


def _invitation(user: users.User, token: str, status: int) -> Answer:
    shown = _user(user)
    return Answer(
        {"user": shown, "link": link_path(token)},
        status,
        about=("user", user.name),
        details={"role": user.role},
        body_again={"user": shown, "link": None},
    )


def _user(user: users.User) -> dict[str, Any]:
    return {
        "name": user.name,
        "role": user.role,
        "state": user.state,
        "created_at": _moment(user.created_at),
        "link_until": _moment(user.link_until),
    }


def _key(key: api_keys.ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "role": key.role,
        "created_at": _moment(key.created_at),
        "created_by": key.created_by,
        "expires_at": _moment(key.expires_at),
        "revoked_at": _moment(key.revoked_at),
        "last_used": _moment(key.last_used),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
