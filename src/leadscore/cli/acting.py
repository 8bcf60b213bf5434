"""What commands that change the database share: one transaction with the record of who did it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from leadscore.cli.group import Run, settings_of
from leadscore.language import Lang

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from leadscore.settings import Settings
    from leadscore.store.auditing.trail import AuditTrail
    from leadscore.store.engine.database import Database

ACTOR = "cli"
"""Who does what a command does: whoever may run it here needs no name in the database."""


@dataclass
class Doing:
    """A command at work: what it changes goes into the audit with it.

    Attributes
    ----------
    connection, trail, now
        Within the transaction; the audit; and when.
    about
        Kind and name of what is changed.
    details
        What more the audit tells.
    """

    connection: Connection
    trail: AuditTrail
    now: datetime
    about: tuple[str | None, str | None] = (None, None)
    details: dict[str, Any] = field(default_factory=dict)


def audit_trail(settings: Settings) -> AuditTrail:
    """Return the audit, whose key lies beside that of the models; nothing is touched yet."""
    from leadscore.store.auditing.trail import AuditTrail

    return AuditTrail(settings.home / "keys" / "audit.key")


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Give the database, and close it at the end."""
    from leadscore.startup import open_database

    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def acting(run: Run, lang: Lang | None, action: str) -> Iterator[Doing]:
    """Give a transaction that is committed with its audit record unless the block fails."""
    settings = settings_of(run, lang)
    from leadscore.store.auditing.trail import Record

    trail, now = audit_trail(settings), datetime.now(UTC)
    with opened(settings) as database, database.write() as connection:
        doing = Doing(connection, trail, now)
        yield doing
        record = Record(ACTOR, "administrator", action, *doing.about, details=doing.details)
        trail.append(connection, record, now)
