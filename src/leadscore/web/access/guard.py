"""Stands before every route: who calls, may they, and is it really they who ask?"""

from __future__ import annotations

import hmac
import ipaddress

from flask import Flask, Response, g, request

from leadscore.store.auditing.trail import Record
from leadscore.web.access.callers import Access, Caller, authenticate
from leadscore.web.access.cookies import CSRF_FIELD, CSRF_HEADER, csrf_token
from leadscore.web.access.origins import SAFE, check_loopback, check_origin
from leadscore.web.access.permissions import declared, is_file_form, undeclared
from leadscore.web.access.refusals import forbidden, no_csrf_token, unknown


def protect(app: Flask, access: Access, *, host: str) -> None:
    """Let nobody reach a route of the application who may not; call it when all are registered.

    Parameters
    ----------
    app
        The application; every route of it must say whom it is for
        (`leadscore.web.access.permissions.requires`).
    access
        Who is known.
    host
        Where the server listens.

    Raises
    ------
    ValueError
        If a route doesn't say, or a demonstration would be reached from other machines.
    """
    silent = undeclared(app)
    if silent:
        msg = f"routes that don't say who may call them: {', '.join(silent)}"
        raise ValueError(msg)
    if access.demo and not is_loopback(host):
        msg = f"a demonstration, in which everybody may do everything, can't listen on {host}"
        raise ValueError(msg)
    app.before_request(lambda: _guard(app, access))
    app.after_request(_challenge)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.7")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _guard(app: Flask, access: Access) -> None:
    check_origin(request)
    if access.demo:
        check_loopback(request)
    if request.endpoint is None:  # nothing is at this address, or not for this method
        return
    permission = declared(app, request.endpoint)
    if permission == "public":
        return
    found = authenticate(request, access)
    if found is None:
        raise unknown()
    if permission is None or not found.may(permission):
        _note_refusal(access, found)
        raise forbidden(permission or "-")
    if found.session is not None and request.method not in SAFE:
        _check_csrf(found.session, with_file=is_file_form(app, request.endpoint))
    g.leadscore_caller = found


def _check_csrf(secret: str, *, with_file: bool) -> None:
    """Refuse a browser's request that lacks the token which only our own pages are given."""
    shown = request.headers.get(CSRF_HEADER) or _token_in_form(with_file=with_file)
    if not hmac.compare_digest(shown.encode("utf-8", "replace"), csrf_token(secret).encode()):
        raise no_csrf_token(CSRF_HEADER)


def _token_in_form(*, with_file: bool) -> str:
    if with_file and request.mimetype == "multipart/form-data":
        return request.form.get(CSRF_FIELD, "")
    if request.mimetype != "application/x-www-form-urlencoded":
        return ""
    request.get_data(cache=True)  # read before the form, which else would leave nothing of it
    return request.form.get(CSRF_FIELD, "")


def _note_refusal(access: Access, found: Caller) -> None:
    rule = request.url_rule.rule if request.url_rule else request.path
    record = Record(
        found.actor, found.role, "access", "route", f"{request.method} {rule}",
        request.remote_addr, "refused",
    )  # fmt: skip
    with access.database.write() as connection:
        access.trail.append(connection, record, access.clock())


def _challenge(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="leadscore"'
    return response
