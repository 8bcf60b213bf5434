"""The routes by which people come in and go: log in, log out, who am I, set a password."""

from __future__ import annotations

from typing import Any

from flask import Response, after_this_request, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from leadscore.store.access import sessions
from leadscore.web.access.callers import Access, Caller, caller
from leadscore.web.access.cookies import csrf_token, give, session_secret, take_back
from leadscore.web.access.payloads import LogIn, Me, NewPassword, PasswordSet
from leadscore.web.access.permissions import PERMISSIONS, requires
from leadscore.web.access.signing_in import log_in, set_password
from leadscore.web.asked_language import check_named_language
from leadscore.web.documentation import LANGUAGE_PARAMETERS, refusals
from leadscore.web.idempotent import IDEMPOTENCY_PARAMETER, Act, Answer, written

SECURITY_SCHEMES: dict[str, Any] = {
    "key": {"type": "http", "scheme": "bearer", "description": "密钥 An API key, ls_…"},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-leadscore"},
}
"""How one may say who one is, for the description of the service."""
SECURED: list[dict[str, list[Any]]] = [{"key": []}, {"session": []}]
"""What a route that isn't public names in its description."""

_TAG = Tag(name="access", description="登录 Who are you?")


def refuse_unknown_language() -> None:
    """Refuse a request that asks for a language which we don't have."""
    check_named_language(request.args.get("lang"))


def session_routes(access: Access) -> APIBlueprint:
    """Return ``/api/v1/session``, ``/api/v1/me`` and ``/api/v1/password``."""
    api = APIBlueprint("session", __name__, url_prefix="/api/v1", abp_tags=[_TAG])
    api.before_request(refuse_unknown_language)
    parameters = {"x-more-parameters": LANGUAGE_PARAMETERS}

    @api.post(
        "/session",
        operation_id="logIn",
        summary="登录 Log in",
        description="成功则给出会话 cookie。连错 5 次锁 1 分钟，以后加倍，至多 1 小时。 Gives the "
        "cookie of a session. After 5 failures the name is locked for a minute, then twice as long "
        "each time, an hour at most.",
        openapi_extensions=parameters,
        responses={200: Me, **refusals(400, 401, 403, 413, 415, 422, 429, 431, 500)},
    )
    @requires("public")
    def log_in_route(body: LogIn) -> Response:
        secret, address = session_secret(request), request.remote_addr
        found = log_in(access, body.name, body.password, address=address, secret=secret)
        response = jsonify(_me(found))
        if found.session is not None:
            give(request, response, found.session)
        return response

    @api.delete(
        "/session",
        operation_id="logOut",
        summary="退出 Log out",
        security=SECURED,
        openapi_extensions={"x-more-parameters": [*LANGUAGE_PARAMETERS, IDEMPOTENCY_PARAMETER]},
        responses={204: None, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("signed_in")
    @written(access, "session.end")
    def log_out(act: Act) -> Answer:
        if act.caller.session is not None:
            sessions.end(act.connection, act.caller.session)
            after_this_request(_forget)
        return Answer(status=204, about=("user", act.actor))

    @api.get(
        "/me",
        operation_id="me",
        summary="我是谁 Who am I?",
        security=SECURED,
        openapi_extensions=parameters,
        responses={200: Me, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("signed_in")
    def me() -> Response:
        return jsonify(_me(caller()))

    @api.post(
        "/password",
        operation_id="setPassword",
        summary="用一次性链接设密码 Set a password by a one-time link",
        openapi_extensions=parameters,
        responses={200: PasswordSet, **refusals(400, 403, 404, 413, 415, 422, 431, 500)},
    )
    @requires("public")
    def set_password_route(body: NewPassword) -> Response:
        name = set_password(access, body.token, body.password, address=request.remote_addr)
        return jsonify({"name": name})

    return api


def _forget(response: Response) -> Response:
    take_back(request, response)
    return response


def _me(found: Caller) -> dict[str, Any]:
    return {
        "actor": found.actor,
        "role": found.role,
        "permissions": sorted(PERMISSIONS[found.role]),
        "csrf_token": None if found.session is None else csrf_token(found.session),
    }
