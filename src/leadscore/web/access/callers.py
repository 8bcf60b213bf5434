"""Who calls: a user with a session, a program with a key, or nobody that we know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from flask import g

from leadscore.store.access.attempts import Lockout
from leadscore.store.access.sessions import Limits
from leadscore.store.access.users import Role
from leadscore.store.auditing.trail import AuditTrail
from leadscore.store.engine.database import Database
from leadscore.web.access.permissions import PERMISSIONS, Permission
from leadscore.web.access.refusals import forbidden, unknown


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
    """Whoever calls.

    Attributes
    ----------
    actor
        The user's name, ``key:`` and the key's name, or ``demo``.
    role
        As what they act.
    session
        The secret of the session; None for programs.
    by_proxy
        Whether the office's proxy has said who it is; such users have no password here.
    """

    actor: str
    role: Role
    session: str | None = None
    by_proxy: bool = False

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
