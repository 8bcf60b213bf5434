"""Keys by which programs call the service."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple

from sqlalchemy import Column, Connection, String, Table, bindparam, select, update

from leadscore.store.database import (
    METADATA,
    Database,
    columns_of,
    current_generation,
    digest,
    insert_unless_there,
    new_token,
    storable_text,
)
from leadscore.store.users import (
    USERS,
    ConflictError,
    Role,
    UnknownNameError,
    canonical_name,
    folded,
)
from leadscore.text import room_words, shown

WORDS = room_words("store")

PREFIX = "ls_"
"""How every key begins, so that scanners for lost secrets can know it."""
DAYS = 365
MOST_DAYS = 3 * 365
"""For how long a key is good: if nothing is said, and at most."""
_SHOWN = 8
_COARSE = timedelta(hours=1)


KeyState = Literal["active", "suspended", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class _Kept:
    name: Annotated[str, String(64), {"primary_key": True}]
    prefix: Annotated[str, String(12)]
    role: Annotated[Role, String(20)]
    created_at: datetime
    created_by: Annotated[str, String(100)]
    expires_at: datetime
    revoked_at: datetime | None
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKey(_Kept):
    """A key as others may see it; ``prefix`` is its beginning, ``last_used`` right to the hour.

    A revoked key stays, so that its name in the audit means only it. ``vouched`` unless a user has
    made it who is no active administrator now.
    """

    vouched: bool

    def state(self, now: datetime) -> KeyState:
        """Return what the key is worth."""
        if self.revoked_at:
            return "revoked"
        if self.expires_at <= now:
            return "expired"
        return "active" if self.vouched else "suspended"


API_KEYS = Table(
    "api_keys",
    METADATA,
    *columns_of(_Kept),
    Column("hash", String(64), nullable=False, unique=True),
)
# No user has a name of who is none: `cli`, `demo`, or `key:` and the name of a key.
_BY_USER = API_KEYS.outerjoin(USERS, USERS.c.name == API_KEYS.c.created_by)
_VOUCHED = USERS.c.name.is_(None) | (
    (USERS.c.state == "active") & (USERS.c.role == "administrator")
)
# Put together once: it is asked with every request of a program.
_HOLDER = (
    select(
        API_KEYS.c.name,
        API_KEYS.c.role,
        API_KEYS.c.last_used,
        current_generation.label("generation"),
    )
    .select_from(_BY_USER)
    .where(
        API_KEYS.c.hash == bindparam("shown"),
        API_KEYS.c.revoked_at.is_(None),
        API_KEYS.c.expires_at > bindparam("now"),
        _VOUCHED,
    )
)
_KEYS = select(
    *(column for column in API_KEYS.c if column.name != "hash"), _VOUCHED.label("vouched")
).select_from(_BY_USER)


class Holder(NamedTuple):
    """Whoever has shown a key that is good; ``stale`` if `touch` should note it."""

    name: str
    role: Role
    stale: bool
    generation: int  # of the database when it was asked


def add(
    connection: Connection, name: str, role: Role, *, by: str, now: datetime, days: int = DAYS
) -> str:
    """Make a key and return it this once; raises `BadNameError` or `ConflictError`."""
    kept = canonical_name(name)
    token = new_token(PREFIX)
    values = {
        "name": kept, "hash": digest(token), "prefix": token[:_SHOWN], "role": role,
        "created_at": now, "created_by": by, "expires_at": now + timedelta(days=days),
    }  # fmt: skip
    if not insert_unless_there(connection, API_KEYS, values):
        raise ConflictError(WORDS["api_keys.taken"].format(name=kept))
    return token


def find(database: Database, token: str, *, now: datetime) -> Holder | None:
    """Return whose key it is, unless it was revoked, has expired or never was, or is suspended."""
    row = database.look_up(_HOLDER, {"shown": digest(token), "now": now})
    if row is None:
        return None
    stale = row["last_used"] is None or now - row["last_used"] >= _COARSE
    return Holder(row["name"], row["role"], stale, row["generation"])


def touch(connection: Connection, name: str, *, now: datetime) -> None:
    """Note that a key was used: once an hour is often enough."""
    connection.execute(update(API_KEYS).where(API_KEYS.c.name == name).values(last_used=now))


def revoke(connection: Connection, name: str, *, now: datetime) -> ApiKey:
    """Let a key be worth nothing from now on, and return it; raises `UnknownNameError`."""
    valid = (API_KEYS.c.name == storable_text(folded(name))) & API_KEYS.c.revoked_at.is_(None)
    unrevoked = update(API_KEYS).where(valid)
    connection.execute(unrevoked.values(revoked_at=now))
    return get(connection, name)


def get(connection: Connection, name: str) -> ApiKey:
    """Return a key; raises `UnknownNameError`."""
    mine = API_KEYS.c.name == storable_text(folded(name))
    row = connection.execute(_KEYS.where(mine)).one_or_none()
    if row is None:
        raise UnknownNameError(WORDS["api_keys.unknown"].format(name=shown(name)))
    return ApiKey(**row._asdict())


def all_keys(connection: Connection) -> Sequence[ApiKey]:
    """Return all keys by name, also those that are worth nothing any more."""
    return [ApiKey(**row._asdict()) for row in connection.execute(_KEYS.order_by(API_KEYS.c.name))]


_MOST_RECENT = 1_000
_RECENT_SECONDS = 600.0


class Recent:
    """The holders of keys that were good a short while ago, for when the database can't be asked.

    A key that is revoked meanwhile is still good here for ten minutes at most, and only for as long
    as nobody could learn of it: see docs/decisions.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._holders: dict[str, tuple[float, Holder]] = {}

    def remember(self, token: str, holder: Holder | None) -> None:
        """Keep what the database said of a key; the oldest of too many are forgotten."""
        shown = digest(token)
        self._holders.pop(shown, None)
        if holder is not None:
            self._holders[shown] = self._clock(), holder
            if len(self._holders) > _MOST_RECENT:
                self._holders.pop(next(iter(self._holders), ""), None)

    def holder(self, token: str) -> Holder | None:
        """Return the holder of a key that was good in the last ten minutes."""
        since, holder = self._holders.get(digest(token), (-math.inf, None))
        return holder if self._clock() - since < _RECENT_SECONDS else None
