"""Answers that were given to writes: who asks again with the same key gets the same answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    select,
    update,
)

from leadscore.errors import Detail
from leadscore.store.database import METADATA, Moment, insert_unless_there
from leadscore.store.errors import StoreError
from leadscore.text import room_words

WORDS = room_words("store")


IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    Column("actor", String(100), primary_key=True),
    Column("route", String(300), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    Column("status", Integer),
    Column("headers", Text),
    Column("body", LargeBinary),
    Column("created_at", Moment, nullable=False, index=True),
)
"""One row a write that came with a key; its status is missing only within its transaction."""

KEPT = timedelta(hours=24)
"""How long an answer can be asked for again."""


class ReusedKeyError(StoreError):
    """A key that came before with another body."""

    code = "reused_idempotency_key"


@dataclass(frozen=True, slots=True)
class Asked:
    """What tells a request from others: who, method and path, the key, SHA-256 of the body."""

    actor: str
    route: str
    key: str
    body_sha256: str


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it went over the line."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def begin(connection: Connection, asked: Asked, now: datetime) -> Given | None:
    """Take the key for this transaction; if it was used before, return the answer of then.

    Of requests with one key at the same moment the first goes on and the others wait for it here;
    if it fails, the next goes on.

    Raises
    ------
    ReusedKeyError
        If it came with another body.
    """
    connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.created_at < now - KEPT))
    values = {
        "actor": asked.actor, "route": asked.route, "key": asked.key,
        "body_sha256": asked.body_sha256, "created_at": now,
    }  # fmt: skip
    if insert_unless_there(connection, IDEMPOTENCY, values):
        return None
    row = connection.execute(select(IDEMPOTENCY).where(*_mine(asked)).with_for_update()).one()
    if row.body_sha256 != asked.body_sha256:
        raise ReusedKeyError(
            WORDS["idempotency.other_body"],
            [Detail("Idempotency-Key", asked.key, WORDS["idempotency.new_key"])],
        )
    return Given(row.status, json.loads(row.headers), row.body)


def finish(connection: Connection, asked: Asked, given: Given) -> None:
    """Keep the answer, in the transaction of what was done."""
    headers = json.dumps(dict(given.headers))
    values = {"status": given.status, "headers": headers, "body": given.body}
    connection.execute(update(IDEMPOTENCY).where(*_mine(asked)).values(values))


def _mine(asked: Asked) -> tuple[ColumnElement[bool], ...]:
    return (
        IDEMPOTENCY.c.actor == asked.actor,
        IDEMPOTENCY.c.route == asked.route,
        IDEMPOTENCY.c.key == asked.key,
    )
