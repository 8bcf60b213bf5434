"""Who calls, what may they, and how people come in: by password, one-time link or proxy."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import logging
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar

from flask import Flask, Request, Response, after_this_request, g, request
from sqlalchemy import Connection

from leadscore.errors import Detail
from leadscore.store import api_keys, sessions, users
from leadscore.store.audit import AuditTrail, Record
from leadscore.store.database import Database, UnavailableError
from leadscore.store.sessions import (
    Limits,
    Lockout,
    PasswordTurns,
    check_password,
    forget_attempts,
    know_address,
    matches,
)
from leadscore.store.users import (
    A_NAME,
    BY,
    FIRST_ADMINISTRATOR,
    Role,
    folded,
    provision_user,
)
from leadscore.text import Text, room_words
from leadscore.web.errors import REFUSALS, InvalidRequestError, RequestError, store_refusals
from leadscore.web.proxies import ProxyUser, client_of, proxy_user

WORDS = room_words("web")
_log = logging.getLogger(__name__)

Permission = Literal["public", "signed_in", "read", "score", "record", "administer", "audit"]

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset({"signed_in", "read", "score"}),
    "officer": frozenset({"signed_in", "read", "score", "record"}),
    "administrator": frozenset({"signed_in", "read", "score", "record", "administer", "audit"}),
    "auditor": frozenset({"signed_in", "read", "score", "audit"}),
}
"""``score`` keeps nothing; ``record`` is every other writing; ``administer`` concerns users, keys
and models; ``audit`` is to read the audit. ``public`` and ``signed_in`` are what a route may ask
for: nothing, or just to be known."""

_DECLARED = "leadscore_permission"
_TAKES_FILE = "leadscore_takes_file"
_ELSEWHERE = "leadscore.permissions"
_View = TypeVar("_View", bound=Callable[..., Any])


def requires(permission: Permission) -> Callable[[_View], _View]:
    """Declare what one must be permitted to call a view; stands under the line of its route."""

    def declare(view: _View) -> _View:
        setattr(view, _DECLARED, permission)
        return view

    return declare


def takes_file(view: _View) -> _View:
    """Declare that a view takes a form with a file, which may be large and holds the token."""
    setattr(view, _TAKES_FILE, True)
    return view


def is_file_form(app: Flask, endpoint: str | None) -> bool:
    """Tell whether a route takes a form with a file."""
    return hasattr(app.view_functions.get(endpoint or ""), _TAKES_FILE)


def declare_under(app: Flask, prefix: str, permission: Permission) -> None:
    """Declare the permission of all routes under a prefix whose views are not ours to mark."""
    under = [rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith(prefix)]
    app.extensions.setdefault(_ELSEWHERE, {}).update(dict.fromkeys(under, permission))


def declared(app: Flask, endpoint: str) -> Permission | None:
    """Return the permission that a route asks for, or None if it doesn't say."""
    elsewhere = app.extensions.get(_ELSEWHERE, {}).get(endpoint)
    view = app.view_functions.get(endpoint)
    permission: Permission | None = elsewhere or getattr(view, _DECLARED, None)
    return permission


def undeclared(app: Flask) -> list[str]:
    """Return the addresses of all routes that don't say who may call them."""
    return sorted(
        rule.rule for rule in app.url_map.iter_rules() if declared(app, rule.endpoint) is None
    )


class UnauthorizedError(RequestError):
    """Somebody whom we don't know."""

    code = "unauthorized"
    status = 401


class ForbiddenError(RequestError):
    """Somebody whom we know, and who may not."""

    code = "forbidden"
    status = 403


class ForgedRequestError(RequestError):
    """A request that a page elsewhere may have made in somebody's name."""

    code = "forged_request"
    status = 403


class TooManyAttemptsError(RequestError):
    """An address from which too many log-ins failed."""

    code = "too_many_attempts"
    status = 429


class BusyError(RequestError):
    """A password that can't be checked at once, since others are."""

    code = "busy"
    status = 503


def _bad_key() -> UnauthorizedError:
    return UnauthorizedError(
        WORDS["auth.bad_key"], [Detail("Authorization", "…", WORDS["auth.bearer"])]
    )


def _forbidden(permission: str) -> ForbiddenError:
    return ForbiddenError(REFUSALS[403][1], [Detail("role", "…", Text(permission, permission))])


def _cross_site(header: str, got: str) -> ForgedRequestError:
    return ForgedRequestError(WORDS["auth.cross"], [Detail(header, got, WORDS["auth.own"])])


def _no_csrf_token() -> ForgedRequestError:
    return ForgedRequestError(
        WORDS["auth.no_token"], [Detail(CSRF_HEADER, "…", WORDS["auth.token"])]
    )


def _say_when(seconds: int) -> None:
    @after_this_request
    def say_when(response: Response) -> Response:
        response.headers["Retry-After"] = str(seconds)
        return response


def _locked(remaining: timedelta) -> TooManyAttemptsError:
    seconds = max(1, math.ceil(remaining.total_seconds()))
    _say_when(seconds)
    return TooManyAttemptsError(WORDS["auth.locked"].format(seconds=seconds))


@contextlib.contextmanager
def _password_turn(access: Access) -> Iterator[None]:
    with access.turns.turn() as mine:
        if not mine:
            _say_when(1)
            raise BusyError(WORDS["auth.busy"])
        yield


_MOST_OWED = 1_000


@dataclass(frozen=True, slots=True)
class Access:
    """What is needed to know and to note who does what; shared by all threads."""

    database: Database  # with users, keys and sessions
    trail: AuditTrail
    clock: Callable[[], datetime]  # the time, with its zone
    limits: Limits = field(default_factory=Limits)
    lockout: Lockout = field(default_factory=Lockout)
    turns: PasswordTurns = field(default_factory=PasswordTurns)
    demo: bool = False  # whether somebody unknown is the administrator ``demo``
    owed: deque[tuple[Record, datetime]] = field(default_factory=deque, repr=False)
    recent: api_keys.Recent = field(default_factory=api_keys.Recent, repr=False)

    def note(self, record: Record, now: datetime | None = None) -> None:
        """Put a record of what changed nothing into the audit, in a transaction of its own.

        While the database can't be written it is owed, up to a thousand, and the log says so; in
        the audit it gets the moment at which it was made.
        """
        noted = record, now or self.clock()
        if len(self.owed) >= _MOST_OWED:
            with self.database.write() as connection:
                self.trail.append(connection, *noted)
            return
        self.owed.append(noted)
        if not self.settle():
            _log.warning("%s records are owed to the audit: %s", len(self.owed), record.action)

    def settle(self) -> bool:
        """Put into the audit what is owed to it, and tell whether that could be done at once."""
        owed, settled = list[tuple[Record, datetime]](), False
        with contextlib.suppress(IndexError):  # another thread may take some, too
            while True:
                owed.append(self.owed.popleft())

        def add(connection: Connection) -> None:
            for record, now in owed:
                self.trail.append(connection, record, now)

        try:
            settled = not owed or self.database.note(add)
        finally:
            if not settled:
                self.owed.extendleft(reversed(owed))
        return settled


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls."""

    actor: str  # the user's name, `key:` and the key's name, or `demo`
    role: Role
    session: str | None = None  # its secret; programs have none
    by_proxy: bool = False  # the office's proxy has said who it is: there is no password here
    generation: int | None = None  # of the database when it was asked who this is

    def may(self, permission: Permission) -> bool:
        """Tell whether the role has a permission."""
        return permission in PERMISSIONS[self.role]


DEMO = Caller("demo", "administrator")


def current_caller() -> Caller | None:
    """Return who makes the current request, as far as that is known."""
    who: Caller | None = g.get("leadscore_caller")
    return who


def caller() -> Caller:
    """Return who makes the current request."""
    who = current_caller()
    if who is None:
        raise UnauthorizedError(REFUSALS[401][1])
    return who


def check_may(permission: Permission) -> Caller:
    """Return who makes the current request, or refuse: for views where the body decides."""
    who = caller()
    if not who.may(permission):
        raise _forbidden(permission)
    return who


CSRF_HEADER = "X-CSRF-Token"  # where a page sends the token that it was given
CSRF_FIELD = "csrf_token"  # field of a form that holds the token where no script sends the header


def session_secret(request: Request) -> str | None:
    """Return the secret that a browser shows, if it shows one."""
    return request.cookies.get(_name(request))


def give(request: Request, response: Response, secret: str) -> None:
    """Let the browser keep a secret until it is closed; no script can read it."""
    response.set_cookie(
        _name(request), secret, path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def take_back(request: Request, response: Response) -> None:
    """Let the browser forget the secret."""
    response.delete_cookie(
        _name(request), path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def csrf_token(secret: str) -> str:
    """Return the token of a session: only who was given it by us, or knows the secret, has it."""
    return hashlib.sha256(b"leadscore csrf\0" + secret.encode("utf-8", "replace")).hexdigest()


def _name(request: Request) -> str:
    # With that prefix browsers take it from no other host and send it over nothing but HTTPS.
    return "__Host-leadscore" if request.is_secure else "leadscore"


def link_path(token: str) -> str:
    """Return the path of a one-time link."""
    return f"/password#{token}"  # browsers send what is behind the # to nobody: no log has it


def log_in(
    access: Access, name: str, password: str, *, address: str | None, secret: str | None
) -> Caller:
    """Return the caller with a new session; the one that the browser had has ended."""
    now, name, client = access.clock(), folded(name), client_of(address)
    _check_wait(access, name, client, now)
    # Outside of any transaction: it takes long, on purpose, and others want to write.
    with _password_turn(access):
        password_hash = _begin_attempt(access, name, client, now)
        right = matches(password_hash, password)
    with access.database.write() as connection:
        if right and users.password_of(connection, name) == password_hash:
            know_address(connection, name, client, now, access.lockout)
            return _begin_session(access, connection, name, now, address, secret)
        about: tuple[str | None, str | None] = None, None
        with contextlib.suppress(users.UnknownNameError):
            about = "user", users.get(connection, name).name
        record = Record("anonymous", "-", "session.begin", *about, address, "refused")
        access.trail.append(connection, record, now)
    raise UnauthorizedError(WORDS["auth.wrong"])


def _check_wait(access: Access, name: str, client: str, now: datetime) -> None:
    # Without writing, for who guesses goes on asking.
    with access.database.read() as connection:
        wait = sessions.waits_until(connection, name, client, now)
    if wait is not None:
        raise _locked(wait - now)


def _begin_attempt(access: Access, name: str, client: str, now: datetime) -> str | None:
    with access.database.write() as connection:
        wait = sessions.count_attempt(connection, name, client, now, access.lockout)
        password_hash = users.password_of(connection, name)
    if wait is not None:
        raise _locked(wait - now)
    return password_hash


def _begin_session(
    access: Access, connection: Connection, name: str, now: datetime, address: str | None,
    secret: str | None, **details: str,
) -> Caller:  # fmt: skip
    # The session whose secret the browser had ends.
    if secret is not None:
        sessions.end(connection, secret)
    new = sessions.begin(connection, name, now=now, limits=access.limits)
    role = users.get(connection, name).role
    record = Record(name, role, "session.begin", "user", name, address, details=details)
    access.trail.append(connection, record, now)
    return Caller(name, role, new)


def _let_in(access: Access, named: ProxyUser, now: datetime, secret: str | None) -> Caller:
    # The user whom the office's proxy names, with a new session.
    details, address = {"by": "proxy"}, request.remote_addr

    def refused(name: str | None) -> Record:
        kind = "user" if name else None
        return Record("anonymous", "-", "session.begin", kind, name, address, "refused", details)

    try:
        name = users.canonical_name(named.name or "")
    except users.BadNameError:
        access.note(refused(None), now)
        wanted = WORDS["auth.one_name"].format(name=A_NAME)
        raise ForbiddenError(
            WORDS["auth.no_name"], [Detail("LEADSCORE_PROXY_USER_HEADER", "…", wanted)]
        ) from None
    with store_refusals(), access.database.write() as connection:
        # The first start invites an administrator: nobody is that by being called so elsewhere.
        admitted = name != FIRST_ADMINISTRATOR and provision_user(
            connection, name, named.role, follows_groups=named.follows_groups, now=now
        )
        if admitted:
            if admitted.change is not None:
                role = {"role": admitted.role}
                change = Record(
                    BY, "-", admitted.change, "user", name, address, details=role | details
                )
                access.trail.append(connection, change, now)
            new = _begin_session(access, connection, name, now, address, secret, **details)
    if not admitted:
        access.note(refused(name), now)
        raise ForbiddenError(WORDS["auth.not_let_in"])
    return replace(new, by_proxy=True)


def change_password(
    access: Access, who: Caller, present: str, password: str, *, address: str | None
) -> None:
    """Give the user who is logged in another password; their other sessions end.

    Raises InvalidRequestError, which says what is wrong with either password.
    """
    if who.session is None or who.by_proxy:
        raise InvalidRequestError(WORDS["auth.no_password"])
    now, name, client = access.clock(), who.actor, client_of(address)
    with store_refusals():
        check_password(password, name)
    _check_wait(access, name, client, now)
    with _password_turn(access):
        password_hash = _begin_attempt(access, name, client, now)
        right = password_hash is not None and matches(password_hash, present)
        new = sessions.hash_password(password) if right else ""
    if right and password == present:
        with store_refusals():
            raise sessions.same_as_before()
    if right:
        with access.database.write() as connection:
            done = users.replace_password(connection, name, password_hash, new, now=now)
            if done:
                know_address(connection, name, client, now, access.lockout)
                sessions.end_others(connection, name, keep=who.session)
                record = Record(name, who.role, "password.change", "user", name, address)
                access.trail.append(connection, record, now)
        if done:
            return
    access.note(Record(name, who.role, "password.change", "user", name, address, "refused"), now)
    raise InvalidRequestError(
        WORDS["auth.wrong_present"], [Detail("present", "…", WORDS["auth.present"])]
    )


def set_password(access: Access, token: str, password: str, *, address: str | None) -> str:
    """Set the password of the owner of a one-time link, end all their sessions, return their name.

    Raises NothingThereError for a dead link, InvalidRequestError for a password easy to guess.
    """
    now = access.clock()
    with store_refusals():
        with access.database.read() as connection:
            name = users.link_owner(connection, token, now=now, lock=False)
            before = users.last_password_of(connection, name)
        check_password(password, name)
        with _password_turn(access):
            if before is not None and matches(before, password):
                raise sessions.same_as_before()
            password_hash = sessions.hash_password(password)
        with access.database.write() as connection:
            name = users.use_link(connection, token, password_hash, now=now)
            sessions.end_all(connection, name)
            forget_attempts(connection, name)
            # Who had the link may come in from there, whatever others guess meanwhile.
            know_address(connection, name, client_of(address), now, access.lockout)
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

    Raises ValueError if a route doesn't say whom it is for (`requires`), or a demonstration would
    be reached from other machines: ``host`` is where the server listens.
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
    endpoint = request.endpoint
    if endpoint is None:  # nothing is at this address, or not for this method
        return
    permission = declared(app, endpoint)
    if permission == "public":
        return
    who = _authenticate(access)
    if access.owed:
        access.settle()
    if who is None:
        raise UnauthorizedError(REFUSALS[401][1])
    if permission is None or not who.may(permission):
        rule = request.url_rule.rule if request.url_rule else request.path
        access.note(
            Record(
                who.actor, who.role, "access", "route", f"{request.method} {rule}",
                request.remote_addr, "refused",
            )
        )  # fmt: skip
        raise _forbidden(permission or "-")
    if who.session is not None and request.method not in _SAFE:
        _check_csrf(who.session, with_file=is_file_form(app, endpoint))
    g.leadscore_caller = who


def _authenticate(access: Access) -> Caller | None:
    # A key goes before a session by password, and that before what the office's proxy says.
    now = access.clock()
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        return _key_holder(authorization, access, now)
    secret = session_secret(request)
    session = secret and sessions.find(access.database, secret, now=now, limits=access.limits)
    if secret and session and session.by_password:
        return _session_holder(secret, session, access, now)
    if access.demo:
        return DEMO
    named = proxy_user(request.environ)
    return None if named is None else _named_by_proxy(named, secret, session or None, access, now)


def _key_holder(authorization: str, access: Access, now: datetime) -> Caller:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != _SCHEME or not token.startswith(api_keys.PREFIX):
        raise _bad_key()
    try:
        holder = api_keys.find(access.database, token, now=now)
    except UnavailableError:
        recent = access.recent.holder(token)
        if recent is None:
            raise
        return Caller(f"key:{recent.name}", recent.role)
    else:
        access.recent.remember(token, holder)
        if holder and holder.stale:
            access.database.note(partial(api_keys.touch, name=holder.name, now=now))
    if holder is None:
        raise _bad_key()
    return Caller(f"key:{holder.name}", holder.role, generation=holder.generation)


def _session_holder(
    secret: str, session: sessions.Session, access: Access, now: datetime
) -> Caller:
    if session.stale:
        access.database.note(partial(sessions.touch, token=secret, now=now))
    return Caller(session.user, session.role, secret, not session.by_password, session.generation)


def _named_by_proxy(
    named: ProxyUser, secret: str | None, session: sessions.Session | None, access: Access,
    now: datetime,
) -> Caller:  # fmt: skip
    # The session is worth nothing without the header, nor where that names somebody else.
    if secret and session and session.user == folded(named.name or ""):
        follows = named.follows_groups and session.by_group
        if not follows or session.role == named.role:
            return _session_holder(secret, session, access, now)
    if request.method not in _SAFE:  # a browser has no token yet
        raise _no_csrf_token()
    who = _let_in(access, named, now, secret)

    @after_this_request
    def keep(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        if who.session is not None:
            give(request, response, who.session)
        return response

    return who


def _check_origin() -> None:
    # Browsers say where a request comes from in Sec-Fetch-Site or Origin, and no page can change
    # that. Programs send neither.
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN:
        raise _cross_site("Sec-Fetch-Site", site)
    origin = request.headers.get("Origin")
    if origin is None or (origin == "null" and site == "same-origin"):
        return  # so browsers write the origin of a form whose page sends no referrer, as ours
    # A proxy may speak HTTPS in front of us while we speak HTTP; never the other way round.
    schemes = (request.scheme, "https")
    if origin not in {f"{scheme}://{request.host}" for scheme in schemes}:
        raise _cross_site("Origin", origin)


def _check_loopback() -> None:
    # A page elsewhere can let its own name lead here, and then speak to us as if it were ours.
    host = request.host
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host
    if name.partition(":")[0] not in _LOOPBACK and name not in _LOOPBACK:
        raise ForgedRequestError(
            WORDS["auth.another_host"], [Detail("Host", host, WORDS["auth.loopback"])]
        )


def _check_csrf(secret: str, *, with_file: bool) -> None:
    shown = request.headers.get(CSRF_HEADER) or _token_in_form(with_file=with_file)
    if not hmac.compare_digest(shown.encode("utf-8", "replace"), csrf_token(secret).encode()):
        raise _no_csrf_token()


def _token_in_form(*, with_file: bool) -> str:
    if with_file and request.mimetype == "multipart/form-data":
        return request.form.get(CSRF_FIELD, "")
    if request.mimetype != "application/x-www-form-urlencoded":
        return ""
    request.get_data(cache=True)  # read before the form, which else would leave nothing of it
    return request.form.get(CSRF_FIELD, "")


def _challenge(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="leadscore"'
    return response
