"""Stands before every route, and lets people in: by password, one-time link or proxy."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import replace
from datetime import datetime

from flask import Flask, Response, after_this_request, g, request
from sqlalchemy import Connection

from leadscore.errors import Detail
from leadscore.store import api_keys, sessions, users
from leadscore.store.audit import AuditTrail, Record
from leadscore.store.database import Database
from leadscore.store.sessions import (
    check_password,
    count_attempt,
    forget_attempts,
    hash_password,
    matches,
)
from leadscore.store.users import A_NAME, BY, admit, folded, link_owner, use_link
from leadscore.text import room_words
from leadscore.web.auth import (
    CSRF_FIELD,
    CSRF_HEADER,
    DEMO,
    Access,
    Caller,
    ForbiddenError,
    ForgedRequestError,
    UnauthorizedError,
    bad_key,
    cross_site,
    csrf_token,
    declared,
    forbidden,
    give,
    is_file_form,
    locked,
    no_csrf_token,
    session_secret,
    undeclared,
)
from leadscore.web.errors import REFUSALS, InvalidRequestError, store_refusals
from leadscore.web.proxies import ProxyUser, proxy_user

WORDS = room_words("web")

FIRST_ADMINISTRATOR = "admin"
"""Name of the user whom the first start invites."""


def link_path(token: str) -> str:
    """Return the path of a one-time link.

    The secret stands behind the ``#``, which browsers send to nobody: it gets into no log.
    """
    return f"/password#{token}"


def first_administrator_link(database: Database, trail: AuditTrail, now: datetime) -> str | None:
    """Return the path of a link for the first administrator, or None where it isn't needed.

    It is as long as there is no user, or only that one, who has not used the link yet. Each call
    makes a new link, and the one before is dead.
    """
    with database.write() as connection:
        found = users.everybody(connection)
        if not found:
            token = users.add(connection, FIRST_ADMINISTRATOR, "administrator", by="cli", now=now)
        elif [(user.name, user.state) for user in found] == [(FIRST_ADMINISTRATOR, "invited")]:
            token = users.renew_link(connection, FIRST_ADMINISTRATOR, now=now)
        else:
            return None
        record = Record("cli", "administrator", "user.link", "user", FIRST_ADMINISTRATOR)
        trail.append(connection, record, now)
    return link_path(token)


def log_in(
    access: Access, name: str, password: str, *, address: str | None, secret: str | None
) -> Caller:
    """Return the caller with a new session; the one that the browser had has ended."""
    now, name = access.clock(), users.folded(name)
    kept = _begin_attempt(access, name, now)
    # Outside of any transaction: it takes long, on purpose, and others want to write.
    right = matches(kept, password)
    found = _begin(access, name, kept, now, secret, address) if right else None
    if found is None:
        _note_failure(access, name, now, address)
        raise UnauthorizedError(WORDS["auth.wrong"])
    return found


def _begin_attempt(access: Access, name: str, now: datetime) -> str | None:
    with access.database.write() as connection:
        locked_until = count_attempt(connection, name, now, access.lockout)
        kept = users.password_of(connection, name)
    if locked_until is not None:
        raise locked(locked_until - now)
    return kept


def _begin(
    access: Access,
    name: str,
    kept: str | None,
    now: datetime,
    secret: str | None,
    address: str | None,
) -> Caller | None:
    with access.database.write() as connection:
        if users.password_of(connection, name) != kept:
            return None
        forget_attempts(connection, name)
        new = _begin_session(access, connection, name, now=now, secret=secret)
        record = Record(name, new.role, "session.begin", "user", name, address)
        access.trail.append(connection, record, now)
    return new


def _begin_session(
    access: Access, connection: Connection, name: str, *, now: datetime, secret: str | None
) -> Caller:
    # The session whose secret the browser had ends.
    if secret is not None:
        sessions.end(connection, secret)
    new = sessions.begin(connection, name, now=now, limits=access.limits)
    return Caller(name, users.get(connection, name).role, new)


def let_in(access: Access, named: ProxyUser, *, address: str | None, secret: str | None) -> Caller:
    """Return the user whom the office's proxy names with a new session."""
    now, details = access.clock(), {"by": "proxy"}
    try:
        name = users.canonical_name(named.name or "")
    except users.BadNameError:
        _note_proxy_refusal(access, None, now, address)
        wanted = WORDS["auth.one_name"].format(name=A_NAME)
        raise ForbiddenError(
            WORDS["auth.no_name"], [Detail("LEADSCORE_PROXY_USER_HEADER", "…", wanted)]
        ) from None
    with store_refusals(), access.database.write() as connection:
        # The first start invites an administrator: nobody is that by being called so elsewhere.
        admitted = name != FIRST_ADMINISTRATOR and admit(
            connection, name, named.role, follows_groups=named.follows_groups, now=now
        )
        if admitted:
            new = _begin_session(access, connection, name, now=now, secret=secret)
            if admitted.change is not None:
                change = Record(
                    BY, "-", admitted.change, "user", name, address,
                    details={"role": admitted.role, **details},
                )  # fmt: skip
                access.trail.append(connection, change, now)
            begun = Record(name, new.role, "session.begin", "user", name, address, details=details)
            access.trail.append(connection, begun, now)
    if not admitted:
        _note_proxy_refusal(access, name, now, address)
        raise ForbiddenError(WORDS["auth.not_let_in"])
    return replace(new, by_proxy=True)


def _note_proxy_refusal(
    access: Access, name: str | None, now: datetime, address: str | None
) -> None:
    record = Record(
        "anonymous", "-", "session.begin", "user" if name else None, name, address, "refused",
        details={"by": "proxy"},
    )  # fmt: skip
    with access.database.write() as connection:
        access.trail.append(connection, record, now)


def _note_failure(access: Access, name: str, now: datetime, address: str | None) -> None:
    with access.database.write() as connection:
        access.trail.append(connection, _failure(connection, name, address), now)


def _failure(connection: Connection, name: str, address: str | None) -> Record:
    try:
        user = users.get(connection, name)
    except users.UnknownNameError:
        return Record("anonymous", "-", "session.begin", None, None, address, "refused")
    return Record("anonymous", "-", "session.begin", "user", user.name, address, "refused")


def change_password(
    access: Access, found: Caller, present: str, password: str, *, address: str | None
) -> None:
    """Give the user who is logged in another password; their other sessions end."""
    if found.session is None or found.by_proxy:
        raise InvalidRequestError(WORDS["auth.no_password"])
    now, name = access.clock(), found.actor
    with store_refusals():
        check_password(password, name)
    kept = _begin_attempt(access, name, now)
    if kept is not None and matches(kept, present):
        new = hash_password(password)
        with access.database.write() as connection:
            done = users.replace_password(connection, name, kept, new, now=now)
            if done:
                forget_attempts(connection, name)
                sessions.end_others(connection, name, keep=found.session)
                record = Record(name, found.role, "password.change", "user", name, address)
                access.trail.append(connection, record, now)
        if done:
            return
    refused = Record(name, found.role, "password.change", "user", name, address, "refused")
    with access.database.write() as connection:
        access.trail.append(connection, refused, now)
    raise InvalidRequestError(
        WORDS["auth.wrong_present"], [Detail("present", "…", WORDS["auth.present"])]
    )


def set_password(access: Access, token: str, password: str, *, address: str | None) -> str:
    """Set the password of the owner of a one-time link, and return their name.

    All their sessions end.

    Raises
    ------
    NothingThereError
        If the link is dead.
    UnacceptableError
        If the password is too easy to guess.
    """
    now = access.clock()
    with store_refusals():
        with access.database.read() as connection:
            name = link_owner(connection, token, now=now, lock=False)
        check_password(password, name)
        kept = hash_password(password)
        with access.database.write() as connection:
            name = use_link(connection, token, kept, now=now)
            sessions.end_all(connection, name)
            forget_attempts(connection, name)
            role = users.get(connection, name).role
            record = Record(name, role, "password.set", "user", name, address)
            access.trail.append(connection, record, now)
    return name


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
        (`leadscore.web.auth.requires`).
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
        raise UnauthorizedError(REFUSALS[401][1])
    if permission is None or not found.may(permission):
        _note_refusal(access, found)
        raise forbidden(permission or "-")
    if found.session is not None and request.method not in _SAFE:
        _check_csrf(found.session, with_file=is_file_form(app, request.endpoint))
    g.leadscore_caller = found


def _authenticate(access: Access) -> Caller | None:
    #  A key goes before a session by password, and that before what the office's proxy says.
    now = access.clock()
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        return _key_holder(authorization, access, now)
    secret = session_secret(request)
    session = (
        sessions.find(access.database, secret, now=now, limits=access.limits) if secret else None
    )
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
    holder = api_keys.find(access.database, token, now=now)
    if holder is None:
        raise bad_key()
    if holder.stale:
        with access.database.write() as connection:
            api_keys.touch(connection, holder.name, now=now)
    return Caller(f"key:{holder.name}", holder.role)


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
    #  The session is worth nothing without the header, nor where that names somebody else.
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
    #  Browsers say where a request comes from in Sec-Fetch-Site or Origin, and no page can change
    # that. Programs send neither.
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN:
        raise cross_site("Sec-Fetch-Site", site)
    origin = request.headers.get("Origin")
    if origin == "null" and site == "same-origin":
        return  # so browsers write the origin of a form whose page sends no referrer, as ours
    # A proxy may speak HTTPS in front of us while we speak HTTP; never the other way round.
    schemes = (request.scheme, "https")
    if origin is not None and origin not in {f"{scheme}://{request.host}" for scheme in schemes}:
        raise cross_site("Origin", origin)


def _check_loopback() -> None:
    #  A page elsewhere can let its own name lead here, and then speak to us as if it were ours.
    host = request.host
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host
    if name.partition(":")[0] not in _LOOPBACK and name not in _LOOPBACK:
        raise ForgedRequestError(
            WORDS["auth.another_host"], [Detail("Host", host, WORDS["auth.loopback"])]
        )


def _check_csrf(secret: str, *, with_file: bool) -> None:
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
