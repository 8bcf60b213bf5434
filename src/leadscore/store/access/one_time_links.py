"""The links by which users set their password: they work once, for a day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from leadscore.language import Text
from leadscore.store.access.tokens import digest
from leadscore.store.access.users import USERS
from leadscore.store.faults import StoreError

_DEAD_LINK = Text(
    zh="这个链接已失效：已用过、已过期或已换新。请向管理员要一个新的。",
    en="this link is dead: used, expired or replaced. Ask an administrator for a new one.",
)


class LinkError(StoreError):
    """A one-time link that can't be used, or not any more."""

    code = "dead_link"


def link_owner(connection: Connection, token: str, *, now: datetime, lock: bool = True) -> str:
    """Return whose link it is; with ``lock`` nobody else uses it until the transaction ends.

    Raises
    ------
    LinkError
        If it was used, replaced, has expired or never was.
    """
    columns = select(USERS.c.name, USERS.c.link_until, USERS.c.state)
    query = columns.where(USERS.c.link_hash == digest(token))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None or row.link_until <= now or row.state == "disabled":
        raise LinkError(_DEAD_LINK)
    name: str = row.name
    return name


def use_link(connection: Connection, token: str, password_hash: str, *, now: datetime) -> str:
    """Set the password of the link's owner, who is active from then on; return who that is.

    Raises
    ------
    LinkError
        As `link_owner`.
    """
    name = link_owner(connection, token, now=now)
    values = {
        "password": password_hash, "password_set_at": now, "state": "active",
        "link_hash": None, "link_until": None,
    }  # fmt: skip
    connection.execute(update(USERS).where(USERS.c.name == name).values(values))
    return name
