"""Who calls, and what may they: permissions, callers, session cookies, and what is refused."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from flask import Flask, Request, Response, after_this_request, g

from leadscore.errors import Detail
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.store.sessions import Limits, Lockout
from leadscore.store.users import Role
from leadscore.text import Text, room_words
from leadscore.web.errors import REFUSALS, RequestError

WORDS = room_words("web")


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
    found: Permission | None = elsewhere or getattr(
        app.view_functions.get(endpoint), _DECLARED, None
    )
    return found


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
    """A name under which too many log-ins failed."""

    code = "too_many_attempts"
    status = 429


def bad_key() -> UnauthorizedError:
    """Return the error for a key that is worth nothing; it is not shown."""
    return UnauthorizedError(
        WORDS["auth.bad_key"], [Detail("Authorization", "…", WORDS["auth.bearer"])]
    )


def forbidden(permission: str) -> ForbiddenError:
    """Return the error for a role that lacks a permission."""
    return ForbiddenError(REFUSALS[403][1], [Detail("role", "…", Text(permission, permission))])


def cross_site(header: str, got: str) -> ForgedRequestError:
    """Return the error for a request from a page of another site."""
    return ForgedRequestError(WORDS["auth.cross"], [Detail(header, got, WORDS["auth.own"])])


def no_csrf_token(header: str) -> ForgedRequestError:
    """Return the error for a request of a browser without the token of its session."""
    return ForgedRequestError(WORDS["auth.no_token"], [Detail(header, "…", WORDS["auth.token"])])


def locked(remaining: timedelta) -> TooManyAttemptsError:
    """Return the error for a name that is locked; the answer says for how long."""
    seconds = max(1, math.ceil(remaining.total_seconds()))

    @after_this_request
    def say_when(response: Response) -> Response:
        response.headers["Retry-After"] = str(seconds)
        return response

    return TooManyAttemptsError(WORDS["auth.locked"].format(seconds=seconds))


@dataclass(frozen=True, slots=True)
class Access:
    """What is needed to know and to note who does what; shared by all threads.

    Attributes
    ----------
    database, trail
        Where users, keys and sessions are kept, and the audit.
    clock
        Returns the time, with its zone.
    limits
        When sessions end.
    lockout
        When a name is locked, and for how long.
    demo
        Whether somebody unknown is the administrator ``demo``.
    """

    database: Database
    trail: AuditTrail
    clock: Callable[[], datetime]
    limits: Limits = field(default_factory=Limits)
    lockout: Lockout = field(default_factory=Lockout)
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls."""

    actor: str  # the user's name, `key:` and the key's name, or `demo`
    role: Role
    session: str | None = None  # its secret; programs have none
    by_proxy: bool = False  # the office's proxy has said who it is: there is no password here

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
        raise forbidden(permission)
    return who


_SECURE = "__Host-leadscore"
_PLAIN = "leadscore"
CSRF_HEADER = "X-CSRF-Token"
"""Where a page sends the token that it was given."""
CSRF_FIELD = "csrf_token"
"""Field of a form that holds the token where no script sends the header."""


def session_secret(request: Request) -> str | None:
    """Return the secret that a browser shows, if it shows one."""
    return request.cookies.get(_name(request))


def give(request: Request, response: Response, secret: str) -> None:
    """Let the browser keep a secret until it is closed; no script can read it.

    Over HTTPS the name begins with ``__Host-``: browsers take it from no other host and send it
    over nothing else.
    """
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
    return _SECURE if request.is_secure else _PLAIN
