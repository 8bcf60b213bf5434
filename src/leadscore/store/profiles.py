"""City profiles: which one was chosen, and what administrators changed of it since, in order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.city.loading import parse_city
from leadscore.city.profile import City, Supplies
from leadscore.city.versions import Change, ProfileVersion, changed_version, current_version
from leadscore.store.champions import CHAMPIONS
from leadscore.store.database import (
    APPEND_ONLY,
    METADATA,
    Database,
    Json,
    Moment,
    Number,
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


CHOSEN_PROFILES = sa.Table(
    "chosen_profiles",
    METADATA,
    sa.Column("number", Number, primary_key=True),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    info=APPEND_ONLY,
)
"""Profiles as their files were when somebody chose them on a page; the last one counts."""

_CHOSEN: dict[str, City] = {}  # the last one that was read, by its digest


def chosen_profile(connection: Connection) -> City | None:
    """Return the profile that was chosen on a page; None if none was."""
    table = CHOSEN_PROFILES.c
    last = sa.select(table.number, table.digest).order_by(table.number.desc()).limit(1)
    row = connection.execute(last).one_or_none()
    if row is None:
        return None
    city = _CHOSEN.get(row.digest)
    if city is None:
        content = connection.scalar(sa.select(table.content).where(table.number == row.number))
        city = parse_city(content or "")
        _CHOSEN.clear()
        _CHOSEN[row.digest] = city
    return city


def choose_profile(connection: Connection, content: str, *, by: str, at: datetime) -> City:
    """Keep a profile as the one that counts from now on; raises CityError as `parse_city`."""
    city = parse_city(content)
    take_turns(connection, CHAMPIONS)
    digest = hashlib.sha256(content.encode()).hexdigest()
    row = {"city": city.id, "digest": digest, "content": content, "by": by, "at": at}
    insert_rows(connection, CHOSEN_PROFILES, [row])
    return city


class Profiles:
    """A city's profile with its versions in the database.

    It is the one that was chosen on a page, and as long as none was, that which ``load`` reads;
    always the latter if it was ``named`` to the program, by a command or the settings.
    """

    def __init__(self, load: Callable[[], City], database: Database, *, named: bool = True) -> None:
        self._load, self._database, self.named = load, database, named
        self._last: tuple[City, ProfileVersion] | None = None

    def current(self, connection: Connection | None = None) -> ProfileVersion:
        """Return the profile as it counts now, or within a transaction.

        Raises CityError if the file of the profile can't be read; StoreError.
        """
        if connection is None:
            with self._database.read() as connection:
                return self.current(connection)
        file = (None if self.named else chosen_profile(connection)) or self._load()
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
