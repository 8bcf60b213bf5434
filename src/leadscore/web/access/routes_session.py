"""The routes by which people come in and go: log in, log out, who am I, my password."""

from __future__ import annotations

from typing import Any

from flask import Response, after_this_request, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from leadscore.store.access import sessions
from leadscore.store.access.attempts import Lockout
from leadscore.web.access.callers import Access, Caller, caller
from leadscore.web.access.cookies import csrf_token, give, session_secret, take_back
from leadscore.web.access.oidc.routes import add_oidc_routes
from leadscore.web.access.payloads import LogIn, Me, NewPassword, PasswordChange, PasswordSet
from leadscore.web.access.permissions import PERMISSIONS, requires
from leadscore.web.access.signing_in import change_password, log_in, set_password
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
    """Return ``/api/v1/session``, ``/me``, ``/me/password``, ``/password`` and ``/oidc/…``."""
    api = APIBlueprint("session", __name__, url_prefix="/api/v1", abp_tags=[_TAG])
    api.before_request(refuse_unknown_language)
    parameters = {"x-more-parameters": LANGUAGE_PARAMETERS}

    @api.post(
        "/session",
        operation_id="logIn",
        summary="登录 Log in",
        description=_locking(access.lockout),
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

    @api.put(
        "/me/password",
        operation_id="changePassword",
        summary="改自己的密码 Change one's own password",
        description="其他会话随即结束，本会话保留；连错与登录一并计数。 One's other sessions end, "
        "this one stays; failures count with those of logging in. Takes no Idempotency-Key: sent "
        "again, the present password is no longer the present one, and nothing happens twice.",
        security=SECURED,
        openapi_extensions=parameters,
        responses={204: None, **refusals(400, 401, 403, 413, 415, 422, 429, 431, 500)},
    )
    @requires("signed_in")
    def change_password_route(body: PasswordChange) -> tuple[str, int]:
        address = request.remote_addr
        change_password(access, caller(), body.present, body.password, address=address)
        return "", 204

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

    add_oidc_routes(api, access, parameters)
    return api


def _locking(lockout: Lockout) -> str:
    free, first = lockout.free, f"{lockout.first.total_seconds():g}"
    longest = f"{lockout.longest.total_seconds():g}"
    return (
        f"成功则给出会话 cookie。连错 {free} 次锁 {first} 秒，以后加倍，至多 {longest} 秒。 Gives "
        f"the cookie of a session. After {free} failures the name is locked for {first} s, then "
        f"twice as long each time, {longest} s at most."
    )


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
