"""What became of firms: entries numbered in the order of recording, of which none ever changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    Integer,
    Table,
    Text,
    func,
    select,
)

from leadscore.learning.outcomes.history import EVENTS
from leadscore.learning.outcomes.linking import firm_keys
from leadscore.store.engine.appending import append_only
from leadscore.store.engine.database import take_turns
from leadscore.store.engine.metadata import METADATA, Moment, Number
from leadscore.store.engine.texts import storable_text
from leadscore.store.engine.values import plain_values, quick, read_frame

outcomes = append_only(
    Table(
        "outcomes",
        METADATA,
        Column("entry", Number, primary_key=True, autoincrement=False),
        Column("firm_id", Number, index=True),
        Column("credit_code", Text, index=True),
        Column("name", Text, index=True),
        Column("former_names", Text),
        Column("stage", Text, nullable=False),
        Column("day", Date, nullable=False),
        Column("reason", Text),
        Column("withdrawn", Boolean, nullable=False),
        Column("recorded", Moment, nullable=False),
        Column("recorded_by", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("sheet", Text),
        Column("row", Integer, nullable=False),
        Column("file", Text, nullable=False),
        CheckConstraint("credit_code IS NOT NULL OR name IS NOT NULL", name="firm_is_named"),
    )
)
"""``firm_id`` is filled where an entry was made for a firm of the store; otherwise the code or the
name says which it is, and learning links them (see `leadscore.learning.outcomes.linking`)."""

# Put together once: they are run with every outcome.
_LAST = select(func.max(outcomes.c.entry))
_ADD = outcomes.insert()

_GIVEN = tuple(name for name in EVENTS if name not in ("entry", "firm", "recorded", "source"))
_KEPT = {name: dtype for name, dtype in EVENTS.items() if name != "firm"}


def append_entries(
    connection: Connection,
    entries: Sequence[Mapping[str, Any]],
    *,
    source: str,
    actor: str,
    now: datetime,
    firm_id: int | None = None,
) -> range:
    """Add entries and return their numbers, which leave no gap whoever else writes.

    Parameters
    ----------
    connection
        Within a write transaction; others who append wait until it ends.
    entries
        Each with the columns of `EVENTS` except ``entry``, ``firm``, ``recorded`` and ``source``.
    source
        Where they come from, such as the name of a file.
    actor
        Who records them.
    now
        When they are recorded; with a time zone.
    firm_id
        The firm of the store that all of them are about, if they are about one.
    """
    take_turns(connection, outcomes)
    first = (connection.scalar(_LAST) or 0) + 1
    numbers = range(first, first + len(entries))
    same = {
        "firm_id": firm_id, "recorded": now, "recorded_by": actor, "source": storable_text(source)
    }  # fmt: skip
    if entries:
        rows = [
            {**entry, **same, "entry": number}
            for number, entry in zip(numbers, entries, strict=True)
        ]
        connection.execute(_ADD, rows)
    return numbers


def entries_of(events: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of a table as `append_entries` takes them."""
    columns = [plain_values(events[name]) for name in _GIVEN]
    return [dict(zip(_GIVEN, row, strict=True)) for row in zip(*columns, strict=True)]


def read_outcomes(connection: Connection) -> pd.DataFrame:
    """Return every entry ever, in the order of recording; the columns are `EVENTS`."""
    columns = [quick(outcomes.c[name]) for name in _KEPT]
    table = read_frame(connection, select(*columns).order_by(outcomes.c.entry), _KEPT)
    table["firm"] = firm_keys(table)[0]
    return table[list(EVENTS)]
