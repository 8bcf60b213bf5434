"""The real application over a real database in a folder, for tests that call it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database, sqlite_url
from leadscore.store.migrations import migrate
from leadscore.store.profiles import Profiles
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.app import Application, create_app
from leadscore.web.auth import Access


def demonstration(
    scorer: Scorer,
    folder: Path,
    today: Callable[[], date],
    *,
    database: Database | None = None,
) -> Application:
    """Return an application in which anybody may do anything; by default over a new SQLite file."""
    if database is None:
        database = Database(sqlite_url(folder / "leadscore.sqlite3"))
        migrate(database)
    access = Access(
        database, AuditTrail(folder / "keys" / "audit.key"), lambda: datetime.now(UTC), demo=True
    )
    registry = ModelRegistry(folder / "models", folder / "keys" / "models.key")
    profiles = Profiles(lambda: scorer.city, database)
    scoring = CurrentScoring(lambda: scorer, registry, profiles, database)
    exports = folder / "exports"
    return create_app(Dependencies(scoring, registry, today, access, profiles, exports=exports))
