"""Who comes in on the word of the office's proxy: invited users, and those whom a group brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from leadscore.store.access import users
from leadscore.store.access.users import USERS, Role
from leadscore.store.engine.unless_there import insert_unless_there

BY = "proxy:header"
"""As whose doing a user is kept whom a group has brought; no user and no key has such a name."""
BROUGHT = frozenset({BY, "oidc:provider"})
"""The same, also as it was called while leadscore asked a provider itself."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who comes in.

    Attributes
    ----------
    role
        Of the user.
    change
        What has changed with the user by that, as the audit calls it; None if nothing has.
    """

    role: Role
    change: str | None = None


def admit(
    connection: Connection, name: str, mapped: Role | None, *, follows_groups: bool, now: datetime
) -> Admitted | None:
    """Let a user in whom the proxy vouches for.

    Who has a password is not let in: that name is opened by the password alone, whatever others
    are called at the office's log-in. A user whom an administrator has invited keeps the role that
    they gave, whatever the groups; they need their link no more. One whom a group has brought has
    the role of their group, and no way in without one.

    Parameters
    ----------
    connection
        Within the caller's transaction.
    name
        As `users.canonical_name` has it.
    mapped
        The role of the user's group; None if none of their groups has one.
    follows_groups
        Whether groups have roles at all; where they have none, everybody keeps the role that they
        have here.
    now
        When.

    Returns
    -------
    None if they may not come in.

    Raises
    ------
    ConflictError
        If the group would take the role from the last administrator.
    """
    query = select(USERS.c.role, USERS.c.state, USERS.c.created_by, USERS.c.password)
    row = connection.execute(query.where(USERS.c.name == name).with_for_update()).one_or_none()
    if row is None:
        return None if mapped is None else _bring(connection, name, mapped, now)
    if row.state == "disabled" or row.password is not None:
        return None
    change = None
    if follows_groups and row.created_by in BROUGHT:
        if mapped is None:
            return None
        if mapped != row.role:
            users.change(connection, name, role=mapped)
            change = "user.change"
    if row.state == "invited":
        values = {"state": "active", "link_hash": None, "link_until": None}
        invited = (USERS.c.name == name) & (USERS.c.state == "invited")
        connection.execute(update(USERS).where(invited).values(values))
    user = users.get(connection, name)
    return Admitted(user.role, change) if user.state == "active" else None


def _bring(connection: Connection, name: str, role: Role, now: datetime) -> Admitted | None:
    values = {
        "name": name, "role": role, "state": "active", "created_at": now, "created_by": BY,
    }  # fmt: skip
    if insert_unless_there(connection, USERS, values):
        return Admitted(role, "user.add")
    # They came at the same moment by another request.
    return admit(connection, name, role, follows_groups=True, now=now)
