"""What became of firms: entries of which none ever changes, and how far each firm has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from leadscore.learning.history import EVENTS, firm_keys
from leadscore.lists.dedupe import normal_name_of
from leadscore.store.database import (
    METADATA,
    Moment,
    Number,
    append_only,
    in_parts,
    one_of_some,
    plain_values,
    quick,
    read_frame,
    rows_of_some,
    storable_text,
    take_turns,
)
from leadscore.store.firms import FIRMS, Firm

outcomes = append_only(
    sa.Table(
        "outcomes",
        METADATA,
        sa.Column("entry", Number, primary_key=True, autoincrement=False),
        sa.Column("firm_id", Number, index=True),
        sa.Column("credit_code", sa.Text, index=True),
        sa.Column("name", sa.Text, index=True),
        sa.Column("former_names", sa.Text),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("recorded", Moment, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("sheet", sa.Text),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.CheckConstraint("credit_code IS NOT NULL OR name IS NOT NULL", name="firm_is_named"),
    )
)
"""``firm_id`` is filled where an entry was made for a firm of the store; otherwise the code or the
name says which it is, and learning links them (see `leadscore.learning.history`)."""

# Put together once: they are run with every outcome.
_LAST = sa.select(sa.func.max(outcomes.c.entry))
_ADD = outcomes.insert()

_GIVEN = tuple(name for name in EVENTS if name not in ("entry", "firm", "recorded", "source"))
_KEPT = {name: dtype for name, dtype in EVENTS.items() if name != "firm"}


def append_entries(
    connection: Connection, entries: Sequence[Mapping[str, Any]], *, source: str, actor: str,
    now: datetime, firm_id: int | None = None,
) -> range:  # fmt: skip
    """Add entries and return their numbers, which leave no gap whoever else writes.

    The entries have the columns of `EVENTS` except ``entry``, ``firm``, ``recorded`` and
    ``source``, such as the name of a file; ``firm_id`` is the firm of the store that all of them
    are about, if they are about one. Others who append wait until the transaction ends.
    """
    take_turns(connection, outcomes)
    first = (connection.scalar(_LAST) or 0) + 1
    numbers = range(first, first + len(entries))
    same = {
        "firm_id": firm_id, "recorded": now, "recorded_by": actor, "source": storable_text(source)
    }  # fmt: skip
    rows = [
        {**entry, **same, "entry": number} for number, entry in zip(numbers, entries, strict=True)
    ]
    if rows:
        connection.execute(_ADD, rows)
    return numbers


def entries_of(events: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of a table as `append_entries` takes them."""
    columns = [plain_values(events[name]) for name in _GIVEN]
    return [dict(zip(_GIVEN, row, strict=True)) for row in zip(*columns, strict=True)]


def read_outcomes(connection: Connection) -> pd.DataFrame:
    """Return every entry ever, in the order of recording; the columns are `EVENTS`."""
    columns = [quick(outcomes.c[name]) for name in _KEPT]
    table = read_frame(connection, sa.select(*columns).order_by(outcomes.c.entry), _KEPT)
    table["firm"] = firm_keys(table)[0]
    return table[list(EVENTS)]


# Put together once: they are run with every act of an officer.
_FROM_FILE = outcomes.c.firm_id.is_(None)
_NAMELESS = _FROM_FILE & outcomes.c.credit_code.is_(None)
_ENTRIES = sa.select(
    *(
        column
        for column in outcomes.c
        if column.name not in ("former_names", "sheet", "row", "file")
    )
)
_OF_FIRMS = _ENTRIES.where(
    outcomes.c.firm_id.in_(one_of_some())
    | _FROM_FILE & outcomes.c.credit_code.in_(sa.bindparam("codes", expanding=True))
)
_BY_NAME = _ENTRIES.where(outcomes.c.name.in_(one_of_some()), _NAMELESS)
_NAMES = sa.select(outcomes.c.name).where(_NAMELESS).distinct()


@dataclass(frozen=True, slots=True)
class Entry:
    """An outcome of a firm.

    It is not in force if it was withdrawn, replaced by a later one of its stage, or is itself what
    withdraws one.
    """

    entry: int
    stage: str
    day: date
    reason: str | None
    withdrawn: bool
    recorded: datetime
    recorded_by: str
    source: str
    in_force: bool


def outcomes_of(connection: Connection, firms: Iterable[Firm]) -> dict[int, list[Entry]]:
    """Return the outcomes of firms, by their numbers, in the order of recording.

    An entry belongs to the firm that it was made for; one that came in a file to the firm that has
    its code, or, if it gives none, its name.
    """
    firms, owners = list(firms), dict[str, int]()
    rows_of: dict[int, dict[int, Row[Any]]] = {}
    for some in in_parts(firms):
        codes = {firm.credit_code: firm.id for firm in some if firm.credit_code}
        ids = [firm.id for firm in some]
        for row in connection.execute(_OF_FIRMS, {"some": ids, "codes": list(codes)}):
            owner = codes[row.credit_code] if row.firm_id is None else row.firm_id
            rows_of.setdefault(owner, {})[row.entry] = row
    for firm in firms:
        owners.setdefault(firm.name_key, firm.id)
    keys = ((name, normal_name_of(name)) for name in connection.scalars(_NAMES))
    names = {name: owners[key] for name, key in keys if key in owners}
    for row in rows_of_some(connection, _BY_NAME, names):
        rows_of.setdefault(names[row.name], {})[row.entry] = row
    return {
        firm: _judged([rows[entry] for entry in sorted(rows)]) for firm, rows in rows_of.items()
    }


def stage_of(entries: Sequence[Entry], listed: str | None) -> str | None:
    """Return the stage of a firm: that of the latest day in force, else what its list says."""
    held = [entry for entry in entries if entry.in_force]
    if not held:
        return listed
    return max(held, key=lambda entry: (entry.day, entry.entry)).stage


def firms_with_outcomes(connection: Connection) -> list[int]:
    """Return the numbers of all firms that any outcome is about, as after a file of outcomes."""
    kept = outcomes.c
    numbers = set(connection.scalars(sa.select(kept.firm_id).where(kept.firm_id.is_not(None))))
    codes = sa.select(kept.credit_code).where(kept.credit_code.is_not(None))
    numbers.update(connection.scalars(sa.select(FIRMS.c.id).where(FIRMS.c.credit_code.in_(codes))))
    named = sa.select(FIRMS.c.id).where(FIRMS.c.name_key.in_(one_of_some()))
    keys = {normal_name_of(name) for name in connection.scalars(_NAMES)}
    numbers.update(row[0] for row in rows_of_some(connection, named, keys))
    return sorted(numbers)


def _judged(rows: Sequence[Row[Any]]) -> list[Entry]:
    """Tell of each entry whether it is in force: of each stage the latest, unless it withdraws."""
    latest = {row.stage: row.entry for row in rows}
    return [
        Entry(
            row.entry, row.stage, row.day, row.reason, row.withdrawn, row.recorded,
            row.recorded_by, row.source,
            in_force=not row.withdrawn and latest[row.stage] == row.entry,
        )
        for row in rows
    ]  # fmt: skip
