"""Stands before every route: who calls, may they, and is it really they who ask?"""

from __future__ import annotations

import hmac
import ipaddress
from datetime import datetime

from flask import Flask, Response, after_this_request, g, request

from leadscore.store.access import api_keys, sessions
from leadscore.store.access.users import folded
from leadscore.store.auditing.trail import Record
from leadscore.web.access.callers import DEMO, Access, Caller
from leadscore.web.access.cookies import (
    CSRF_FIELD,
    CSRF_HEADER,
    csrf_token,
    give,
    session_secret,
)
from leadscore.web.access.permissions import declared, is_file_form, undeclared
from leadscore.web.access.proxies import ProxyUser, proxy_user
from leadscore.web.access.refusals import (
    another_host,
    bad_key,
    cross_site,
    forbidden,
    no_csrf_token,
    unknown,
)
from leadscore.web.access.signing_in import let_in

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, from wherever they come."""
_OWN = frozenset({"same-origin", "none"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_SCHEME = "bearer"


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
    _check_origin()
    if access.demo:
        _check_loopback()
    if request.endpoint is None:  # nothing is at this address, or not for this method
        return
    permission = declared(app, request.endpoint)
    if permission == "public":
        return
    found = _authenticate(access)
    if found is None:
        raise unknown()
    if permission is None or not found.may(permission):
        _note_refusal(access, found)
        raise forbidden(permission or "-")
    if found.session is not None and request.method not in _SAFE:
        _check_csrf(found.session, with_file=is_file_form(app, request.endpoint))
    g.leadscore_caller = found


def _authenticate(access: Access) -> Caller | None:
    """Return who calls, or None if they don't say.

    A key goes before a session by password, and that before what the office's proxy says.

    Raises
    ------
    UnauthorizedError
        If a key is shown that is worth nothing.
    ForbiddenError
        If the proxy names somebody who may not come in.
    """
    now = access.clock()
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        return _key_holder(authorization, access, now)
    secret = session_secret(request)
    session = _session(secret, access, now) if secret else None
    if secret and session and session.by_password:
        return _session_holder(secret, session, access, now)
    if access.demo:
        return DEMO
    named = proxy_user(request.environ)
    return None if named is None else _named_by_proxy(named, secret, session, access, now)


def _key_holder(authorization: str, access: Access, now: datetime) -> Caller:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != _SCHEME or not token.startswith(api_keys.PREFIX):
        raise bad_key()
    with access.database.read() as connection:
        holder = api_keys.find(connection, token, now=now)
    if holder is None:
        raise bad_key()
    if holder.stale:
        with access.database.write() as connection:
            api_keys.touch(connection, holder.name, now=now)
    return Caller(f"key:{holder.name}", holder.role)


def _session(secret: str, access: Access, now: datetime) -> sessions.Session | None:
    with access.database.read() as connection:
        return sessions.find(connection, secret, now=now, limits=access.limits)


def _session_holder(
    secret: str, session: sessions.Session, access: Access, now: datetime
) -> Caller:
    if session.stale:
        with access.database.write() as connection:
            sessions.touch(connection, secret, now=now)
    return Caller(session.user, session.role, secret, by_proxy=not session.by_password)


def _named_by_proxy(
    named: ProxyUser,
    secret: str | None,
    session: sessions.Session | None,
    access: Access,
    now: datetime,
) -> Caller:
    """Return the user whom the proxy names, with a session for the token against forged requests.

    The session is worth nothing without the header, nor where that names somebody else.
    """
    if secret and session and session.user == folded(named.name or ""):
        follows = named.follows_groups and session.by_group
        if not follows or session.role == named.role:
            return _session_holder(secret, session, access, now)
    if request.method not in _SAFE:  # a browser has no token yet
        raise no_csrf_token(CSRF_HEADER)
    found = let_in(access, named, address=request.remote_addr, secret=secret)

    @after_this_request
    def keep(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        if found.session is not None:
            give(request, response, found.session)
        return response

    return found


def _check_origin() -> None:
    """Refuse an unsafe method that a page of another site has caused.

    Browsers say where a request comes from in Sec-Fetch-Site or Origin, and no page can change
    that. Programs send neither.

    Raises
    ------
    ForgedRequestError
        If it comes from elsewhere, also from another port or a neighbouring name.
    """
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN:
        raise cross_site("Sec-Fetch-Site", site)
    origin = request.headers.get("Origin")
    if origin == "null" and site == "same-origin":
        return  # so browsers write the origin of a form whose page sends no referrer, as ours
    # A proxy may speak HTTPS in front of us while we speak HTTP; never the other way round.
    own = {f"{request.scheme}://{request.host}", f"https://{request.host}"}
    if origin is not None and origin not in own:
        raise cross_site("Origin", origin)


def _check_loopback() -> None:
    """Refuse a request under any other name than this machine's own.

    A page elsewhere can let its own name lead here, and then speak to us as if it were ours.

    Raises
    ------
    ForgedRequestError
        If the name is another one.
    """
    host = request.host
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host
    if name.partition(":")[0] not in _LOOPBACK and name not in _LOOPBACK:
        raise another_host(host)


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
