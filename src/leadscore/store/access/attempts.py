"""Counts failed log-ins by name, also by names that nobody has, and locks a name for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Integer, String, Table, delete, select, update

from leadscore.store.access.tokens import digest
from leadscore.store.engine.metadata import METADATA, Moment
from leadscore.store.engine.unless_there import insert_unless_there

ATTEMPTS = Table(
    "attempts",
    METADATA,
    # The name is not kept: people type a password where their name should be.
    Column("name_hash", String(64), primary_key=True),
    Column("failed", Integer, nullable=False),
    Column("last_at", Moment, nullable=False, index=True),
    Column("locked_until", Moment),
)
"""Log-ins that failed since the last one that didn't."""

_FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lockout:
    """How a name is locked.

    Attributes
    ----------
    free
        Failures in a row before it is; at least 1.
    first, longest
        For how long then; twice as long by each further failure, and at most.
    """

    free: int = 5
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)


def begin(connection: Connection, name: str, now: datetime, lockout: Lockout) -> datetime | None:
    """Count an attempt as failed until `succeed` says otherwise, unless the name is locked.

    Counting comes before checking, so that attempts at the same moment can't share a count.

    Returns
    -------
    Until when the name is locked; None if the password may be checked.
    """
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.last_at < now - _FORGOTTEN))
    mine = ATTEMPTS.c.name_hash == digest(name)
    values = {"name_hash": digest(name), "failed": 0, "last_at": now}
    insert_unless_there(connection, ATTEMPTS, values)
    row = connection.execute(select(ATTEMPTS).where(mine).with_for_update()).one()
    if row.locked_until is not None and row.locked_until > now:
        locked: datetime = row.locked_until
        return locked
    failed = row.failed + 1
    until = now + _lock_after(failed, lockout) if failed >= lockout.free else None
    counted = {"failed": failed, "last_at": now, "locked_until": until}
    connection.execute(update(ATTEMPTS).where(mine).values(counted))
    return None


def succeed(connection: Connection, name: str) -> None:
    """Forget the failures of a name."""
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.name_hash == digest(name)))


def _lock_after(failed: int, lockout: Lockout) -> timedelta:
    """Return for how long a name is locked by its latest failure.

    >>> [_lock_after(failed, Lockout()).total_seconds() / 60 for failed in (5, 6, 9, 11, 5000)]
    [1.0, 2.0, 16.0, 60.0, 60.0]
    """
    doublings = min(failed - lockout.free, 16)
    return min(lockout.first * (1 << doublings), lockout.longest)
