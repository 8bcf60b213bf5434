"""Keys by which programs call the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Column, Connection, String, Table, bindparam, select, update

from leadscore.lists.problems import shown
from leadscore.store.database import (
    METADATA,
    Database,
    Moment,
    digest,
    insert_unless_there,
    new_token,
    storable_text,
)
from leadscore.store.users import (
    ConflictError,
    Role,
    UnknownNameError,
    canonical_name,
    folded,
)
from leadscore.text import room_words

WORDS = room_words("store")

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("prefix", String(12), nullable=False),
    Column("role", String(20), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("last_used", Moment),
)
"""A revoked key stays, so that its name in the audit means only it."""

PREFIX = "ls_"
"""How every key begins, so that scanners for lost secrets can know it."""
DAYS = 365
MOST_DAYS = 3 * 365
"""For how long a key is good: if nothing is said, and at most."""
_SHOWN = 8
_COARSE = timedelta(hours=1)

# Put together once: it is asked with every request of a program.
_HOLDER = select(API_KEYS.c.name, API_KEYS.c.role, API_KEYS.c.last_used).where(
    API_KEYS.c.hash == bindparam("shown"),
    API_KEYS.c.revoked_at.is_(None),
    API_KEYS.c.expires_at > bindparam("now"),
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as others may see it; ``prefix`` is its beginning, ``last_used`` right to the hour."""

    name: str
    prefix: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    last_used: datetime | None


_KEYS = select(*(column for column in API_KEYS.c if column.name != "hash"))


class Holder(NamedTuple):
    """Whoever has shown a key that is good; ``stale`` if `touch` should note it."""

    name: str
    role: Role
    stale: bool


def add(
    connection: Connection, name: str, role: Role, *, by: str, now: datetime, days: int = DAYS
) -> str:
    """Make a key and return it; nobody can read it again.

    Raises `BadNameError` if the name can't be one, and `ConflictError` if another key has or had
    it.
    """
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
    """Return whose key it is, unless it was revoked, has expired or never was."""
    row = database.look_up(_HOLDER, {"shown": digest(token), "now": now})
    if row is None:
        return None
    stale = row["last_used"] is None or now - row["last_used"] >= _COARSE
    return Holder(row["name"], row["role"], stale)


def touch(connection: Connection, name: str, *, now: datetime) -> None:
    """Note that a key was used: once an hour is often enough."""
    connection.execute(update(API_KEYS).where(API_KEYS.c.name == name).values(last_used=now))


def revoke(connection: Connection, name: str, *, now: datetime) -> ApiKey:
    """Let a key be worth nothing from now on, and return it; once revoked it stays as it is.

    Raises `UnknownNameError` if there is none of that name.
    """
    valid = (API_KEYS.c.name == storable_text(folded(name))) & API_KEYS.c.revoked_at.is_(None)
    unrevoked = update(API_KEYS).where(valid)
    connection.execute(unrevoked.values(revoked_at=now))
    return get(connection, name)


def get(connection: Connection, name: str) -> ApiKey:
    """Return a key; raises `UnknownNameError` if there is none of that name."""
    mine = API_KEYS.c.name == storable_text(folded(name))
    row = connection.execute(_KEYS.where(mine)).one_or_none()
    if row is None:
        raise UnknownNameError(WORDS["api_keys.unknown"].format(name=shown(name)))
    return ApiKey(**row._asdict())


def all_keys(connection: Connection) -> Sequence[ApiKey]:
    """Return all keys by name, also those that are worth nothing any more."""
    return [ApiKey(**row._asdict()) for row in connection.execute(_KEYS.order_by(API_KEYS.c.name))]
