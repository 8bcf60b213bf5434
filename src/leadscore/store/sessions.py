"""Sessions, passwords, and the throttling of logins."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

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

_COARSEST = timedelta(minutes=1)
_STEPS = 20  # in which the silence of a session is measured, or finer

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
        row["user"], row["role"], now - row["seen_at"] >= min(_COARSEST, limits.idle / _STEPS),
        row["by_password"], row["created_by"] in BROUGHT, row["generation"],
    )  # fmt: skip


def touch(connection: Connection, token: str, *, now: datetime) -> None:
    """Note that a session was used, when `find` calls it stale: that is often enough."""
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
    # Neither names nor addresses are kept: people type a password where their name should be.
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("name_hash", sa.String(64), index=True),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("last_at", Moment, nullable=False, index=True),
    sa.Column("wait_until", Moment),
    sa.Column("known_at", Moment, index=True),
)
"""Log-ins that failed: of an address, under a name, and under a name from an address.

Of the last, also when somebody came in so, whose address is known from then on.
"""

_FORGOTTEN = timedelta(days=1)
_KNOWN = timedelta(days=90)
_STRANGERS = 100  # failures under one name before all unknown addresses together are slowed


@dataclass(frozen=True, slots=True)
class Lockout:
    """How an address is slowed: after ``free`` failures, at least 1, under whatever names.

    It is for as long as ``first``, twice as long by each further failure, and at most ``longest``.
    """

    free: int = 5
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)


class _Subjects(NamedTuple):
    address: str
    name: str
    pair: str

    @classmethod
    def of(cls, name: str, address: str) -> _Subjects:
        # No name and no address holds a line break and a NUL.
        return cls(
            digest(f"address\n\0{address}"), digest(f"name\n\0{name}"),
            digest(f"pair\n\0{name}\n\0{address}"),
        )  # fmt: skip


class _Counts(NamedTuple):
    failed: int
    wait_until: datetime | None
    known: bool


def _counts(
    connection: Connection, subjects: _Subjects, now: datetime, *, lock: bool
) -> dict[str, _Counts]:
    # In one order, lest two that share an address and a name wait for each other.
    query = sa.select(ATTEMPTS).where(ATTEMPTS.c.subject.in_(subjects))
    query = query.order_by(ATTEMPTS.c.subject)
    rows = connection.execute(query.with_for_update() if lock else query)
    counts = dict.fromkeys(subjects, _Counts(0, None, known=False))
    for row in rows:
        known = row.known_at is not None and row.known_at > now - _KNOWN
        fresh = row.last_at >= now - _FORGOTTEN
        counts[row.subject] = _Counts(row.failed * fresh, row.wait_until, known)
    return counts


def _wait(counts: Mapping[str, _Counts], subjects: _Subjects, now: datetime) -> datetime | None:
    # Who has come in from an address is only slowed by what was guessed of them from there.
    concerned = [subjects.pair] if counts[subjects.pair].known else subjects
    waits = [counts[subject].wait_until for subject in concerned]
    return max((wait for wait in waits if wait is not None and wait > now), default=None)


def waits_until(connection: Connection, name: str, address: str, now: datetime) -> datetime | None:
    """Return until when nobody may try a name from an address, or None; changes nothing."""
    subjects = _Subjects.of(name, address)
    return _wait(_counts(connection, subjects, now, lock=False), subjects, now)


def count_attempt(
    connection: Connection, name: str, address: str, now: datetime, lockout: Lockout
) -> datetime | None:
    """Count an attempt as failed, unless one must wait; return until when that is.

    Counting comes before checking, so that attempts at the same moment can't share a count.
    """
    old = (ATTEMPTS.c.last_at < now - _FORGOTTEN) & (
        ATTEMPTS.c.known_at.is_(None) | (ATTEMPTS.c.known_at < now - _KNOWN)
    )
    connection.execute(sa.delete(ATTEMPTS).where(old))
    subjects = _Subjects.of(name, address)
    for subject in sorted(subjects):
        owner = None if subject == subjects.address else digest(name)
        values = {"subject": subject, "name_hash": owner, "failed": 0, "last_at": now}
        insert_unless_there(connection, ATTEMPTS, values)
    counts = _counts(connection, subjects, now, lock=True)
    wait = _wait(counts, subjects, now)
    if wait is not None:
        return wait
    for subject in subjects:
        failed = counts[subject].failed + 1
        until = now + _lock_after(failed, lockout) if failed >= lockout.free else None
        if subject == subjects.name:
            until = now + lockout.first if failed >= _STRANGERS else None
        _keep(connection, subject, failed=failed, last_at=now, wait_until=until)
    return None


def know_address(
    connection: Connection, name: str, address: str, now: datetime, lockout: Lockout
) -> None:
    """Note that somebody has come in from an address: what failed there under the name is forgiven.

    What failed there under other names is not, nor what failed elsewhere.
    """
    subjects = _Subjects.of(name, address)
    values = {"subject": subjects.pair, "name_hash": digest(name), "failed": 0, "last_at": now}
    insert_unless_there(connection, ATTEMPTS, values)
    counts = _counts(connection, subjects, now, lock=True)
    forgiven = counts[subjects.pair].failed
    _keep(connection, subjects.pair, failed=0, wait_until=None, known_at=now)
    for subject, free in ((subjects.address, lockout.free), (subjects.name, _STRANGERS)):
        failed = max(0, counts[subject].failed - forgiven)
        waits = counts[subject].wait_until if failed >= free else None
        _keep(connection, subject, failed=failed, wait_until=waits)


def forget_attempts(connection: Connection, name: str) -> None:
    """Forget the failures under a name, wherever they came from; slow addresses stay so."""
    mine = ATTEMPTS.c.name_hash == digest(name)
    connection.execute(sa.update(ATTEMPTS).where(mine).values(failed=0, wait_until=None))


def _keep(connection: Connection, subject: str, **values: Any) -> None:
    connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.subject == subject).values(values))


def _lock_after(failed: int, lockout: Lockout) -> timedelta:
    """Return for how long an address is slowed by its latest failure.

    >>> [_lock_after(failed, Lockout()).total_seconds() / 60 for failed in (5, 6, 9, 11, 5000)]
    [1.0, 2.0, 16.0, 60.0, 60.0]
    """
    doublings = min(failed - lockout.free, 16)
    return min(lockout.first * (1 << doublings), lockout.longest)


_SHORTEST, _LONGEST = 12, 200  # characters of a password
_DIFFERENT = 5

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
    """Refuse a password that guessers would find by a `PasswordError`, which does not show it.

    It says everything that is wrong with it.
    """
    faults = list(_faults(password, name))
    if faults:
        raise _refused(faults)


def same_as_before() -> PasswordError:
    """Return how a password is refused that was to be another one."""
    return _refused([WORDS["sessions.same"]])


def _refused(faults: Sequence[Text]) -> PasswordError:
    why = Text(
        zh="；".join(fault.zh for fault in faults), en="; ".join(fault.en for fault in faults)
    )
    wanted = WORDS["sessions.wanted"].format(shortest=_SHORTEST, longest=_LONGEST)
    message = WORDS["sessions.refused"].format(why=why)
    return PasswordError(message, [Detail("password", "…", wanted)])


def _faults(password: str, name: str) -> Iterator[Text]:
    plain, count = password.casefold(), len(password)
    if count < _SHORTEST:
        yield WORDS["sessions.short"].format(count=count, shortest=_SHORTEST)
    elif count > _LONGEST:
        yield WORDS["sessions.long"].format(count=count, longest=_LONGEST)
    if len(name) >= 3 and name.casefold() in plain:
        yield WORDS["sessions.named"].format(name=name)
    letters = plain.strip("0123456789!@#$%^&*._-+= ")
    steps = {ord(later) - ord(earlier) for earlier, later in pairwise(plain)}
    if letters in _COMMON:
        yield WORDS["sessions.common"]
    elif len(steps) == 1:
        yield WORDS["sessions.sequence"]
    elif not letters:
        yield WORDS["sessions.plain"]
    elif len(set(plain)) < _DIFFERENT:
        yield WORDS["sessions.few"].format(count=len(set(plain)), least=_DIFFERENT)


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


class PasswordTurns:
    """Lets one password be hashed at a time, and few wait for it: others want to be served too.

    ``places`` are for who hashes and who waits, and no wait is longer than ``patience_seconds``.
    Shared by all threads of a service.
    """

    def __init__(self, places: int = 2, patience_seconds: float = 2.0) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._hashing = threading.Lock()
        self._patience_seconds = patience_seconds

    @contextlib.contextmanager
    def turn(self) -> Iterator[bool]:
        """Give whether it is the caller's turn, for as long as the block takes."""
        with contextlib.ExitStack() as stack:
            mine = self._places.acquire(blocking=False)
            if mine:
                stack.callback(self._places.release)
                mine = self._hashing.acquire(timeout=self._patience_seconds)
            if mine:
                stack.callback(self._hashing.release)
            yield mine
