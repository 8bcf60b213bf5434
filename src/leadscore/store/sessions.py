"""Sessions, passwords, and the throttling of logins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy import Connection
from werkzeug.security import check_password_hash, generate_password_hash

from leadscore.errors import Detail
from leadscore.store.database import (
    METADATA,
    Database,
    Moment,
    StoreError,
    current_generation,
    digest,
    insert_unless_there,
    new_token,
)
from leadscore.store.users import BROUGHT, USERS, Role
from leadscore.text import Text, room_words

WORDS = room_words("store")

SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("id_hash", sa.String(64), primary_key=True),
    sa.Column("user", sa.String(64), sa.ForeignKey(USERS.c.name), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False, index=True),
    sa.Column("seen_at", Moment, nullable=False),
)
"""One row a browser that is logged in; the secret itself only the browser has."""

_COARSE = timedelta(minutes=1)

# Put together once: it is asked with every request of a browser.
_SESSION = (
    sa.select(
        SESSIONS.c.user,
        SESSIONS.c.seen_at,
        USERS.c.role,
        USERS.c.created_by,
        USERS.c.password.is_not(None).label("by_password"),
        current_generation.label("generation"),
    )
    .join(USERS, USERS.c.name == SESSIONS.c.user)
    .where(
        SESSIONS.c.id_hash == sa.bindparam("shown"),
        SESSIONS.c.seen_at > sa.bindparam("idle"),
        SESSIONS.c.created_at > sa.bindparam("absolute"),
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
    """A session that holds; ``stale`` if `touch` should note that it was used.

    Who has no password comes in by the office's proxy alone; ``by_group`` if a group at the
    office's log-in has brought the user here.
    """

    user: str
    role: Role
    stale: bool
    by_password: bool
    by_group: bool
    generation: int  # of the database when it was asked


def begin(connection: Connection, user: str, *, now: datetime, limits: Limits) -> str:
    """Log a user in, and return the secret of the new session; what has ended is removed."""
    silent = SESSIONS.c.seen_at <= now - limits.idle
    old = SESSIONS.c.created_at <= now - limits.absolute
    connection.execute(sa.delete(SESSIONS).where(silent | old))
    token = new_token()
    values = {"id_hash": digest(token), "user": user, "created_at": now, "seen_at": now}
    connection.execute(sa.insert(SESSIONS).values(values))
    return token


def find(database: Database, token: str, *, now: datetime, limits: Limits) -> Session | None:
    """Return the session of a secret, unless it has ended or its user may not log in any more."""
    shown = {
        "shown": digest(token), "idle": now - limits.idle, "absolute": now - limits.absolute,
    }  # fmt: skip
    row = database.look_up(_SESSION, shown)
    if row is None:
        return None
    return Session(
        row["user"], row["role"], now - row["seen_at"] >= _COARSE, row["by_password"],
        row["created_by"] in BROUGHT, row["generation"],
    )  # fmt: skip


def touch(connection: Connection, token: str, *, now: datetime) -> None:
    """Note that a session was used: once a minute is often enough."""
    mine = SESSIONS.c.id_hash == digest(token)
    connection.execute(sa.update(SESSIONS).where(mine).values(seen_at=now))


def end(connection: Connection, token: str) -> None:
    """Log out: the secret is worth nothing any more."""
    connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.id_hash == digest(token)))


def end_all(connection: Connection, user: str) -> None:
    """End all sessions of a user."""
    connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.user == user))


def end_others(connection: Connection, user: str, *, keep: str) -> None:
    """End all sessions of a user but the one with this secret."""
    others = (SESSIONS.c.user == user) & (SESSIONS.c.id_hash != digest(keep))
    connection.execute(sa.delete(SESSIONS).where(others))


ATTEMPTS = sa.Table(
    "attempts",
    METADATA,
    # The name is not kept: people type a password where their name should be.
    sa.Column("name_hash", sa.String(64), primary_key=True),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("last_at", Moment, nullable=False, index=True),
    sa.Column("locked_until", Moment),
)
"""Log-ins that failed since the last one that didn't."""

_FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lockout:
    """How a name is locked: after ``free`` failures in a row, at least 1.

    It is for as long as ``first``, twice as long by each further failure, and at most ``longest``.
    """

    free: int = 5
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)


def count_attempt(
    connection: Connection, name: str, now: datetime, lockout: Lockout
) -> datetime | None:
    """Count an attempt as failed, unless the name is locked; return until when that is.

    Counting comes before checking, so that attempts at the same moment can't share a count.
    """
    connection.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.last_at < now - _FORGOTTEN))
    mine = ATTEMPTS.c.name_hash == digest(name)
    values = {"name_hash": digest(name), "failed": 0, "last_at": now}
    insert_unless_there(connection, ATTEMPTS, values)
    row = connection.execute(sa.select(ATTEMPTS).where(mine).with_for_update()).one()
    locked: datetime | None = row.locked_until
    if locked is not None and locked > now:
        return locked
    failed = row.failed + 1
    until = now + _lock_after(failed, lockout) if failed >= lockout.free else None
    counted = {"failed": failed, "last_at": now, "locked_until": until}
    connection.execute(sa.update(ATTEMPTS).where(mine).values(counted))
    return None


def forget_attempts(connection: Connection, name: str) -> None:
    """Forget the failures of a name."""
    connection.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.name_hash == digest(name)))


def _lock_after(failed: int, lockout: Lockout) -> timedelta:
    """Return for how long a name is locked by its latest failure.

    >>> [_lock_after(failed, Lockout()).total_seconds() / 60 for failed in (5, 6, 9, 11, 5000)]
    [1.0, 2.0, 16.0, 60.0, 60.0]
    """
    doublings = min(failed - lockout.free, 16)
    return min(lockout.first * (1 << doublings), lockout.longest)


_SHORTEST, _LONGEST = 12, 200  # characters of a password

# What attackers try first among those that are long enough, written without their digits' tail.
_COMMON = (
    "password", "passw0rd", "p@ssw0rd", "qwertyuiop", "qwerty", "1q2w3e4r5t6y", "1qaz2wsx3edc",
    "administrator", "admin", "letmein", "iloveyou", "welcome", "abcdefghijkl", "abc123abc123",
    "qwertyuiopasdfghjkl", "zxcvbnm", "asdfghjkl", "woaini", "wodemima", "leadscore", "changeme",
    "a1b2c3d4e5f6", "zhaoshang", "correcthorsebatterystaple",
)  # fmt: skip


class PasswordError(StoreError):
    """A password that is too easy to guess."""

    code = "weak_password"


def check_password(password: str, name: str) -> None:
    """Refuse a password that guessers would find by a `PasswordError`, which does not show it."""
    plain = password.casefold()
    wanted: Text | None = None
    if not _SHORTEST <= len(password) <= _LONGEST:
        wanted = WORDS["sessions.length"].format(shortest=_SHORTEST, longest=_LONGEST)
    elif name.casefold() in plain and len(name) >= 3:
        wanted = WORDS["sessions.not_name"]
    elif _is_common(plain):
        wanted = WORDS["sessions.not_common"]
    if wanted is not None:
        raise PasswordError(WORDS["sessions.refused"], [Detail("password", "…", wanted)])


def _is_common(plain: str) -> bool:
    letters = plain.strip("0123456789!@#$%^&*._-+= ")
    steps = {ord(later) - ord(earlier) for earlier, later in pairwise(plain)}
    return letters in _COMMON or not letters or len(set(plain)) < 5 or len(steps) == 1


def hash_password(password: str) -> str:
    """Return what is kept of a password; takes some 50 ms and 32 MB, on purpose."""
    return generate_password_hash(password, "scrypt")


def matches(kept: str | None, password: str) -> bool:
    """Tell whether a password is the one that is kept; takes as long where none is kept."""
    same = check_password_hash(kept or _nobodys(), password[:_LONGEST])
    return same and kept is not None


@cache
def _nobodys() -> str:
    return hash_password("nobody's password")
