"""Takes the audit's last mark along when a backup is put back on purpose, and notes that it was."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from leadscore.store.auditing.trail import AuditTrail, Record
from leadscore.store.engine.database import Database
from leadscore.store.faults import refusals

ACTION = "database.restore"


def note_restore(
    database: Database, trail: AuditTrail, file: Path, *, actor: str, now: datetime
) -> int:
    """Continue the audit of a backup that was put back, and let the file beside the key follow.

    The record tells up to which record the audit went before: what came after the backup is lost
    from the database, and this is what remains of it. A file that was tampered with stays as it
    is, for `check.verify` to find.

    Parameters
    ----------
    database, trail
        The database into which the backup was put, and its audit.
    file
        The backup.
    actor
        Who has put it back.
    now
        When.

    Returns
    -------
    How many records are lost.

    Raises
    ------
    StoreError
        If the audit of the backup was tampered with, or its key is missing or another one.
    """
    with database.write() as connection:
        last = trail.last(connection)
        anchored = _anchored(trail)
        lost = max(0, anchored - last.sequence) if anchored is not None else 0
        details: dict[str, Any] = {"file": file.name, "records": last.sequence}
        if not last.continues:
            details["records_before"] = anchored
        record = Record(actor, "administrator", ACTION, "database", None, details=details)
        mark = trail.append(connection, record, now)
    if last.continues:
        trail.publish(mark)
    elif anchored is not None:
        with refusals(trail.anchor.path.parent):
            trail.anchor.replace(mark.sequence, mark.mac)
    return lost


def _anchored(trail: AuditTrail) -> int | None:
    """Return the number of the last record by the file, or None if that can't be told."""
    try:
        found = trail.anchor.read()
    except (OSError, ValueError):
        return None
    return None if found is None else found[0]
