"""Who comes in on the word of a provider: users that there are, and those whom a group brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from leadscore.store.access import users
from leadscore.store.access.users import USERS, Role
from leadscore.store.engine.unless_there import insert_unless_there

BY = "oidc:provider"
"""As whose doing a user is kept whom a group has brought; no user and no key has such a name."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who comes in.

    Attributes
    ----------
    name, role
        Of the user.
    change
        What has changed with the user by that, as the audit calls it; None if nothing has.
    """

    name: str
    role: Role
    change: str | None = None


def admit(
    connection: Connection, name: str, mapped: Role | None, *, now: datetime
) -> Admitted | None:
    """Let a user in whom a provider vouches for.

    A user whom an administrator has made keeps the role that they gave, whatever the provider
    says; an invited one needs their link no more. One whom a group has brought has the role of
    their group at each log-in, and none without a group.

    Parameters
    ----------
    connection
        Within the caller's transaction.
    name
        As the provider says it.
    mapped
        The role of the user's group; None if none of their groups has one.
    now
        When.

    Returns
    -------
    None if they may not come in.

    Raises
    ------
    BadNameError
        If the name can't be one here.
    ConflictError
        If the group would take the role from the last administrator.
    """
    kept = users.canonical_name(name)
    query = select(USERS.c.role, USERS.c.state, USERS.c.created_by).where(USERS.c.name == kept)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None if mapped is None else _bring(connection, kept, mapped, now)
    if row.state == "disabled":
        return None
    change = None
    if row.created_by == BY:
        if mapped is None:
            return None
        if mapped != row.role:
            users.change(connection, kept, role=mapped)
            change = "user.change"
    if row.state == "invited":
        values = {"state": "active", "link_hash": None, "link_until": None}
        invited = (USERS.c.name == kept) & (USERS.c.state == "invited")
        connection.execute(update(USERS).where(invited).values(values))
    user = users.get(connection, kept)
    return Admitted(kept, user.role, change) if user.state == "active" else None


def _bring(connection: Connection, name: str, role: Role, now: datetime) -> Admitted | None:
    values = {
        "name": name, "role": role, "state": "active", "created_at": now, "created_by": BY,
    }  # fmt: skip
    if insert_unless_there(connection, USERS, values):
        return Admitted(name, role, "user.add")
    return admit(connection, name, role, now=now)  # they came at the same moment
