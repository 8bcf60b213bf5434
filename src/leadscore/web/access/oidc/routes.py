"""The two routes of a log-in through a provider: off to it, and back from it."""

from __future__ import annotations

import logging
from typing import Any

from flask import Response, after_this_request, request, url_for
from flask_openapi.blueprint import APIBlueprint

from leadscore.web.access.callers import Access, Caller
from leadscore.web.access.cookies import (
    give,
    give_handshake,
    handshake,
    session_secret,
    take_handshake_back,
)
from leadscore.web.access.oidc.fetching import FetchError
from leadscore.web.access.oidc.handshakes import Handshake, new_handshake
from leadscore.web.access.oidc.id_tokens import TokenError, is_installed
from leadscore.web.access.oidc.letting_in import let_in, note_refusal
from leadscore.web.access.oidc.provider import Provider
from leadscore.web.access.oidc.refusals import (
    down,
    not_begun,
    not_installed,
    not_set_up,
    refused,
    unproved,
)
from leadscore.web.access.payloads import ProviderAnswer
from leadscore.web.access.permissions import requires
from leadscore.web.documentation import refusals

_LOG = logging.getLogger(__name__)


def add_oidc_routes(api: APIBlueprint, access: Access, parameters: dict[str, Any]) -> None:
    """Add ``/oidc/start`` and ``/oidc/callback``; where nothing is set up, they say so.

    Parameters
    ----------
    api
        To which they are added.
    access
        Who is known, and through which provider.
    parameters
        What the description says of all routes' parameters.
    """

    @api.get(
        "/oidc/start",
        operation_id="beginProviderLogIn",
        summary="经身份提供方登录 Log in through a provider (OIDC)",
        description="把浏览器送到身份提供方；须装附加包 oidc 并设置。 Sends the browser to the "
        "provider, where the extra oidc is installed and one is set up.",
        openapi_extensions=parameters,
        responses={302: None, **refusals(404, 422, 431, 500, 501, 503)},
    )
    @requires("public")
    def start() -> Response:
        provider, begun = _offered(access), new_handshake()
        try:
            address = provider.log_in_address(begun, _back(), access.clock())
        except FetchError as error:
            raise _down(provider, error) from error
        response = _redirect(address, 302)
        give_handshake(request, response, begun.secret)
        return response

    @api.get(
        "/oidc/callback",
        operation_id="endProviderLogIn",
        summary="从身份提供方回来 Back from the provider",
        description="身份提供方把浏览器送回这里；成功则给出会话 cookie 并转到首页。 To here the "
        "provider sends the browser back, which gets the cookie of a session and goes on to the "
        "first page.",
        openapi_extensions=parameters,
        responses={303: None, **refusals(401, 403, 404, 409, 422, 431, 500, 501, 503)},
    )
    @requires("public")
    def callback(query: ProviderAnswer) -> Response:
        provider, begun = _offered(access), Handshake(handshake(request) or "")
        if not begun.secret or query.state is None or not begun.answers(query.state):
            raise not_begun()
        after_this_request(_forget)
        try:
            found = _let_in(access, provider, begun, query)
        except TokenError as error:
            _LOG.warning("the provider's answer was not accepted: %s", error)
            note_refusal(access, request.remote_addr)
            raise unproved(str(error)[:200]) from error
        except FetchError as error:
            raise _down(provider, error) from error
        response = _redirect("/", 303)
        if found.session is not None:
            give(request, response, found.session)
        return response


def _let_in(access: Access, provider: Provider, begun: Handshake, query: ProviderAnswer) -> Caller:
    if query.iss is not None and query.iss != provider.registration.issuer:
        msg = "invalid_claim: iss"
        raise TokenError(msg)
    if query.code is None:
        raise refused((query.error or "no code")[:100])
    claims = provider.claims(begun, _back(), query.code, access.clock())
    return let_in(
        access, provider.registration, claims,
        address=request.remote_addr, secret=session_secret(request),
    )  # fmt: skip


def _offered(access: Access) -> Provider:
    if access.provider is None:
        raise not_set_up()
    if not is_installed():
        raise not_installed()
    return access.provider


def _down(provider: Provider, error: FetchError) -> Exception:
    _LOG.warning("the provider can't be used: %s", error)
    return down(provider.registration.issuer, str(error))


def _back() -> str:
    """Return the address of the second route, as the browser reaches it."""
    return url_for("session.callback", _external=True)


def _redirect(address: str, status: int) -> Response:
    response = Response(status=status)
    response.headers["Location"] = address
    response.headers["Cache-Control"] = "no-store"
    return response


def _forget(response: Response) -> Response:
    take_handshake_back(request, response)
    return response
