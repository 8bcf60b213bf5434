"""Who is logged in: sessions that end by themselves, by logging out, or by a changed password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from leadscore.store.access.admission import BROUGHT
from leadscore.store.access.tokens import digest, new_token
from leadscore.store.access.users import USERS, Role
from leadscore.store.engine.metadata import METADATA, Moment

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id_hash", String(64), primary_key=True),
    Column("user", String(64), ForeignKey(USERS.c.name), nullable=False, index=True),
    Column("created_at", Moment, nullable=False, index=True),
    Column("seen_at", Moment, nullable=False),
)
"""One row a browser that is logged in; the secret itself only the browser has."""

_COARSE = timedelta(minutes=1)

# Put together once: it is asked with every request of a browser.
_SESSION = (
    select(
        SESSIONS.c.user,
        SESSIONS.c.seen_at,
        USERS.c.role,
        USERS.c.created_by,
        USERS.c.password.is_not(None).label("by_password"),
    )
    .join(USERS, USERS.c.name == SESSIONS.c.user)
    .where(
        SESSIONS.c.id_hash == bindparam("shown"),
        SESSIONS.c.seen_at > bindparam("idle"),
        SESSIONS.c.created_at > bindparam("absolute"),
        USERS.c.state == "active",
    )
)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a session ends by itself: after silence, and whatever happens."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds.

    Attributes
    ----------
    user, role
        Whose it is.
    stale
        Whether `touch` should note that it was used.
    by_password
        Whether the user has a password; who has none comes in by the office's proxy alone.
    by_group
        Whether a group at the office's log-in has brought the user here.
    """

    user: str
    role: Role
    stale: bool
    by_password: bool
    by_group: bool


def begin(connection: Connection, user: str, *, now: datetime, limits: Limits) -> str:
    """Log a user in, and return the secret of the new session; what has ended is removed."""
    connection.execute(
        delete(SESSIONS).where(
            (SESSIONS.c.seen_at <= now - limits.idle)
            | (SESSIONS.c.created_at <= now - limits.absolute)
        )
    )
    token = new_token()
    values = {"id_hash": digest(token), "user": user, "created_at": now, "seen_at": now}
    connection.execute(insert(SESSIONS).values(values))
    return token


def find(connection: Connection, token: str, *, now: datetime, limits: Limits) -> Session | None:
    """Return the session of a secret, unless it has ended or its user may not log in any more."""
    shown = {
        "shown": digest(token), "idle": now - limits.idle, "absolute": now - limits.absolute,
    }  # fmt: skip
    row = connection.execute(_SESSION, shown).one_or_none()
    if row is None:
        return None
    return Session(
        row.user, row.role, now - row.seen_at >= _COARSE, bool(row.by_password),
        row.created_by in BROUGHT,
    )  # fmt: skip


def touch(connection: Connection, token: str, *, now: datetime) -> None:
    """Note that a session was used: once a minute is often enough."""
    mine = SESSIONS.c.id_hash == digest(token)
    connection.execute(update(SESSIONS).where(mine).values(seen_at=now))


def end(connection: Connection, token: str) -> None:
    """Log out: the secret is worth nothing any more."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.id_hash == digest(token)))


def end_all(connection: Connection, user: str) -> None:
    """End all sessions of a user."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.user == user))


def end_others(connection: Connection, user: str, *, keep: str) -> None:
    """End all sessions of a user but the one with this secret."""
    others = (SESSIONS.c.user == user) & (SESSIONS.c.id_hash != digest(keep))
    connection.execute(delete(SESSIONS).where(others))
