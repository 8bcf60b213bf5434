"""Where an officer knows better than the machine: what counts instead, why, and who says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.store.database import METADATA, Json, Moment, Number, in_parts, one_of_some

OVERRIDES = sa.Table(
    "overrides",
    METADATA,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("values", Json, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
"""``values`` has ``grade``, ``segment`` and ``role``, as far as they are overridden."""

FIELDS = ("grade", "segment", "role")
"""What may be overridden. A likelihood may not: it is a measured frequency, not an opinion."""

EXCLUSIONS = sa.Table(
    "exclusions",
    METADATA,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
"""Firms that are not to be courted."""


@dataclass(frozen=True, slots=True)
class Override:
    """What counts instead of the machine's values."""

    values: Mapping[str, str]
    reason: str
    by: str
    at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Exclusion:
    """That a firm is not to be courted, and why."""

    reason: str
    by: str
    at: datetime


def overrides_of(connection: Connection, firm_ids: Collection[int]) -> dict[int, Override]:
    """Return the overrides of firms, by their numbers."""
    return {
        row.firm_id: Override(row._mapping["values"], row.reason, row.by, row.at, row.version)  # noqa: SLF001
        for row in _rows(connection, OVERRIDES, firm_ids)
    }


def exclusions_of(connection: Connection, firm_ids: Collection[int]) -> dict[int, Exclusion]:
    """Return which of the firms are not to be courted, by their numbers."""
    return {
        row.firm_id: Exclusion(row.reason, row.by, row.at)
        for row in _rows(connection, EXCLUSIONS, firm_ids)
    }


def keep_override(
    connection: Connection, firm_id: int, values: Mapping[str, str], reason: str, *,
    actor: str, now: datetime,
) -> None:  # fmt: skip
    """Keep what counts from now on, in the place of whatever was kept before."""
    before = overrides_of(connection, [firm_id]).get(firm_id)
    version = before.version + 1 if before else 1
    connection.execute(sa.delete(OVERRIDES).where(OVERRIDES.c.firm_id == firm_id))
    row = {"firm_id": firm_id, "values": dict(values), "reason": reason, "by": actor, "at": now}
    connection.execute(OVERRIDES.insert(), [row | {"version": version}])


def keep_exclusion(
    connection: Connection, firm_id: int, reason: str, *, actor: str, now: datetime
) -> None:
    """Keep that a firm is not to be courted."""
    connection.execute(sa.delete(EXCLUSIONS).where(EXCLUSIONS.c.firm_id == firm_id))
    row = {"firm_id": firm_id, "reason": reason, "by": actor, "at": now}
    connection.execute(EXCLUSIONS.insert(), [row])


def drop_override(connection: Connection, firm_id: int) -> bool:
    """Let the machine's values count again; tell whether anything was kept."""
    gone = connection.execute(sa.delete(OVERRIDES).where(OVERRIDES.c.firm_id == firm_id))
    return gone.rowcount > 0


def drop_exclusion(connection: Connection, firm_id: int) -> bool:
    """Let a firm be courted again; tell whether it was not to be."""
    gone = connection.execute(sa.delete(EXCLUSIONS).where(EXCLUSIONS.c.firm_id == firm_id))
    return gone.rowcount > 0


_OF_FIRMS = {
    table.name: sa.select(table).where(table.c.firm_id.in_(one_of_some()))
    for table in (OVERRIDES, EXCLUSIONS)
}


def _rows(connection: Connection, table: sa.Table, firm_ids: Collection[int]) -> list[Any]:
    return [
        row
        for some in in_parts(firm_ids)
        for row in connection.execute(_OF_FIRMS[table.name], {"some": some})
    ]
