"""The one-time links by which people set their password, and the one for the first of them."""

from __future__ import annotations

from datetime import datetime

from leadscore.store.access import users
from leadscore.store.auditing.trail import AuditTrail, Record
from leadscore.store.engine.database import Database

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
