"""Finds out who calls: a user with a session, a program with a key, or nobody that we know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from flask import Request, g

from leadscore.store.access import api_keys, sessions
from leadscore.store.access.attempts import Lockout
from leadscore.store.access.sessions import Limits
from leadscore.store.access.users import Role
from leadscore.store.auditing.trail import AuditTrail
from leadscore.store.engine.database import Database
from leadscore.web.access.cookies import session_secret
from leadscore.web.access.oidc.id_tokens import is_installed
from leadscore.web.access.oidc.provider import Provider
from leadscore.web.access.permissions import PERMISSIONS, Permission
from leadscore.web.access.refusals import bad_key, forbidden, unknown

_SCHEME = "bearer"


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
    provider
        Through whom one may log in but by a password; None if through nobody.
    demo
        Whether somebody unknown is the administrator ``demo``.
    """

    database: Database
    trail: AuditTrail
    clock: Callable[[], datetime]
    limits: Limits = field(default_factory=Limits)
    lockout: Lockout = field(default_factory=Lockout)
    provider: Provider | None = None
    demo: bool = False

    @property
    def oidc_offered(self) -> bool:
        """Whether a page may offer ``/api/v1/oidc/start``: it is set up, and installed."""
        return self.provider is not None and is_installed()


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls.

    Attributes
    ----------
    actor
        The user's name, ``key:`` and the key's name, or ``demo``.
    role
        As what they act.
    session
        The secret of the session; None for programs.
    """

    actor: str
    role: Role
    session: str | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether the role has a permission."""
        return permission in PERMISSIONS[self.role]


DEMO = Caller("demo", "administrator")


def caller() -> Caller:
    """Return who makes the current request.

    Raises
    ------
    UnauthorizedError
        If the route is public and nobody was asked for.
    """
    found: Caller | None = g.get("leadscore_caller")
    if found is None:
        raise unknown()
    return found


def check_may(permission: Permission) -> Caller:
    """Return who makes the current request, or refuse: for views where the body decides.

    Raises
    ------
    ForbiddenError
        If the caller lacks the permission.
    """
    found = caller()
    if not found.may(permission):
        raise forbidden(permission)
    return found


def authenticate(request: Request, access: Access) -> Caller | None:
    """Return who calls, or None if they don't say; a key beats a session.

    Raises
    ------
    UnauthorizedError
        If a key is shown that is worth nothing.
    """
    now = access.clock()
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        return _key_holder(authorization, access, now)
    secret = session_secret(request)
    found = _session_holder(secret, access, now) if secret else None
    return found or (DEMO if access.demo else None)


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


def _session_holder(secret: str, access: Access, now: datetime) -> Caller | None:
    with access.database.read() as connection:
        session = sessions.find(connection, secret, now=now, limits=access.limits)
    if session is None:
        return None
    if session.stale:
        with access.database.write() as connection:
            sessions.touch(connection, secret, now=now)
    return Caller(session.user, session.role, secret)
