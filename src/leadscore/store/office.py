"""What the office has settled for itself: how long a lost firm rests, and its notes."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.store.database import METADATA, Json, Moment, insert_rows

Readers = Literal["all", "owner"]

MOST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class Office:
    """What an administrator has settled.

    A lost firm is left alone for ``rest_months``, with 0 never. Notes are read by everybody, or by
    who wrote them, the owner of the pursuit and administrators (``owner``); they are kept for
    ``notes_months``, with 0 for as long as nobody deletes them.
    """

    rest_months: int = 12
    notes_read_by: Readers = "all"
    notes_months: int = 0


OFFICE = sa.Table(
    "office",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", Json, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
"""One row for each field of `Office` that was ever settled; the others are as the program has it.
"""
_SETTLED = sa.select(OFFICE.c.name, OFFICE.c.value)


def read_office(connection: Connection) -> Office:
    """Return what is settled by now."""
    known = asdict(Office())
    settled: dict[str, Any] = {
        name: value for name, value in connection.execute(_SETTLED) if name in known
    }
    return Office(**{**known, **settled})


def change_office(
    connection: Connection, office: Office, *, actor: str, now: datetime
) -> dict[str, Any]:
    """Settle it otherwise, and return by name what is another now, as it was and as it is."""
    before, after = asdict(read_office(connection)), asdict(office)
    changed = {
        name: {"before": before[name], "after": value}
        for name, value in after.items()
        if value != before[name]
    }
    connection.execute(sa.delete(OFFICE).where(OFFICE.c.name.in_(list(changed))))
    rows = [{"name": name, "value": after[name], "by": actor, "at": now} for name in changed]
    insert_rows(connection, OFFICE, rows)
    return changed


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month, or earlier with a minus, else the last one of it.

    >>> months_after(date(2026, 8, 31), 6), months_after(date(2026, 3, 31), -1)
    (datetime.date(2027, 2, 28), datetime.date(2026, 2, 28))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
