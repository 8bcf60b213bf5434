"""Who serves, as tests set it up and look at it: rows of a real database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.kept_lists import NOW

from leadscore.registry.models import ModelRegistry
from leadscore.store import champions
from leadscore.store.champions import Act, Promotion
from leadscore.store.database import Database


def promote(
    database: Database, registry: ModelRegistry, version: str, *, city: str = "lakeport",
    act: Act = "trained", reason: str | None = None, now: datetime = NOW,
) -> bool:  # fmt: skip
    """Let a version serve."""
    with database.write() as connection:
        return champions.promote(
            connection, registry, city, version, act=act, by="wang", now=now, reason=reason
        )


def back(
    database: Database, registry: ModelRegistry, *, city: str = "lakeport", expert: Any = None,
    **more: Any,
) -> str:  # fmt: skip
    """Go back to the champion before; without ``expert`` there must be one."""
    with database.write() as connection:
        return champions.roll_back(
            connection, registry, city, by="wang", now=NOW, expert=expert, **more
        )


def line(database: Database, city: str = "lakeport") -> Sequence[str]:
    """Return the champion and those before it."""
    with database.read() as connection:
        return champions.champion_line(connection, city)


def champion(database: Database, city: str = "lakeport") -> str | None:
    """Return the champion, None if none was ever promoted."""
    return next(iter(line(database, city)), None)


def history(database: Database, city: str = "lakeport") -> list[Promotion]:
    """Return every change of champion."""
    with database.read() as connection:
        return champions.history(connection, city)
