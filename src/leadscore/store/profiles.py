"""The versions of city profiles: what administrators changed, in the order of the changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.city.profile import City, Supplies
from leadscore.city.versions import Change, ProfileVersion, changed_version, current_version
from leadscore.store.champions import CHAMPIONS
from leadscore.store.database import (
    APPEND_ONLY,
    METADATA,
    Database,
    Json,
    Moment,
    insert_rows,
    take_turns,
)

PROFILE_VERSIONS = sa.Table(
    "profile_versions",
    METADATA,
    sa.Column("city", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("supply", Json, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("rests_on", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    info=APPEND_ONLY,
)
"""Rows are `leadscore.city.versions.Change`."""


def changes_of(connection: Connection, city_id: str) -> tuple[Change, ...]:
    """Return every change to a city's profile, the oldest first."""
    query = sa.select(PROFILE_VERSIONS).where(PROFILE_VERSIONS.c.city == city_id)
    rows = connection.execute(query.order_by(PROFILE_VERSIONS.c.number))
    return tuple(Change.model_validate(row._asdict()) for row in rows)


def add_changes(connection: Connection, changes: tuple[Change, ...]) -> None:
    """Add changes to a profile, as they were made or taken over."""
    insert_rows(connection, PROFILE_VERSIONS, [_row(change) for change in changes])


def _row(change: Change) -> Mapping[str, Any]:
    supply = {segment: step.model_dump() for segment, step in change.supply.items()}
    return dict(change) | {"supply": supply}


class Profiles:
    """A city's profile, which ``load`` reads, with its versions in the database."""

    def __init__(self, load: Callable[[], City], database: Database) -> None:
        self._load, self._database = load, database
        self._last: tuple[City, ProfileVersion] | None = None

    def current(self, connection: Connection | None = None) -> ProfileVersion:
        """Return the profile as it counts now, or within a transaction.

        Raises CityError if the file of the profile can't be read; StoreError.
        """
        file = self._load()
        if connection is None:
            with self._database.read() as connection:
                changes = changes_of(connection, file.id)
        else:
            changes = changes_of(connection, file.id)
        last = self._last
        if last is None or last[0] is not file or last[1].changes != changes:
            last = self._last = file, current_version(file, changes)
        return last[1]

    def change(
        self, connection: Connection, supply: Supplies, *, seen: str, by: str, at: datetime,
        reason: str,
    ) -> ProfileVersion:  # fmt: skip
        """Keep another supply of some segments as a new version; see `changed_version`."""
        # With those who change the champion too: who serves hangs on both.
        take_turns(connection, CHAMPIONS)
        made = changed_version(
            self.current(connection), supply, seen=seen, by=by, at=at, reason=reason
        )
        add_changes(connection, made.changes[-1:])
        return made
