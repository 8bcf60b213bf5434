"""Answers that were given to writes: who asks again with the same key gets the same answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from leadscore.errors import Detail
from leadscore.store.database import METADATA, Moment, StoreError, columns_of, insert_unless_there
from leadscore.text import room_words

WORDS = room_words("store")

_KEPT = timedelta(hours=24)  # for which an answer can be asked for again


class ReusedKeyError(StoreError):
    """A key that came before with another body."""

    code = "reused_idempotency_key"


class Asked(NamedTuple):
    """What tells a request from others: who, method and path, the key, SHA-256 of the body."""

    actor: Annotated[str, sa.String(100), {"primary_key": True}]
    route: Annotated[str, sa.String(300), {"primary_key": True}]
    key: Annotated[str, sa.String(255), {"primary_key": True}]
    body_sha256: Annotated[str, sa.String(64)]


class Given(NamedTuple):
    """An answer as it went over the line."""

    status: int
    headers: Mapping[str, str]
    body: bytes


IDEMPOTENCY = sa.Table(
    "idempotency",
    METADATA,
    *columns_of(Asked),
    # What was given is missing only within its transaction.
    sa.Column("status", sa.Integer),
    sa.Column("headers", sa.Text),
    sa.Column("body", sa.LargeBinary),
    sa.Column("created_at", Moment, nullable=False, index=True),
)


def begin(connection: Connection, asked: Asked, now: datetime) -> Given | None:
    """Take the key for this transaction; if it was used before, return the answer of then.

    Of requests with one key at the same moment the first goes on and the others wait for it here;
    if it fails, the next goes on. Raises `ReusedKeyError` if it came with another body.
    """
    connection.execute(sa.delete(IDEMPOTENCY).where(IDEMPOTENCY.c.created_at < now - _KEPT))
    if insert_unless_there(connection, IDEMPOTENCY, asked._asdict() | {"created_at": now}):
        return None
    row = connection.execute(sa.select(IDEMPOTENCY).where(*_mine(asked)).with_for_update()).one()
    if row.body_sha256 != asked.body_sha256:
        detail = Detail("Idempotency-Key", asked.key, WORDS["idempotency.new_key"])
        raise ReusedKeyError(WORDS["idempotency.other_body"], [detail])
    return Given(row.status, json.loads(row.headers), row.body)


def finish(connection: Connection, asked: Asked, given: Given) -> None:
    """Keep the answer, in the transaction of what was done."""
    headers = json.dumps(dict(given.headers))
    values = {"status": given.status, "headers": headers, "body": given.body}
    connection.execute(sa.update(IDEMPOTENCY).where(*_mine(asked)).values(values))


def _mine(asked: Asked) -> list[ColumnElement[bool]]:
    return [IDEMPOTENCY.c[name] == getattr(asked, name) for name in ("actor", "route", "key")]
