"""The password that a user who is logged in puts in the place of the one that they have."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from leadscore.store.access.users import USERS


def replace_password(
    connection: Connection, name: str, before: str | None, after: str, *, now: datetime
) -> bool:
    """Keep another password of an active user, and let a link that is still open be dead.

    Parameters
    ----------
    connection
        Within the caller's transaction.
    name
        Who it is.
    before, after
        What was kept when the present password was checked, and what is to be.
    now
        When.

    Returns
    -------
    False if somebody has changed the password meanwhile, or disabled the user: nothing is changed.
    """
    mine = (USERS.c.name == name) & (USERS.c.password == before) & (USERS.c.state == "active")
    values = {
        "password": after, "password_set_at": now, "link_hash": None, "link_until": None,
    }  # fmt: skip
    return connection.execute(update(USERS).where(mine).values(values)).rowcount == 1
