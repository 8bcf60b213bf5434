"""How far the firms have come, by the outcomes that are in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from leadscore.lists.sameness.firm_names import normal_name_of
from leadscore.store.engine.parts import in_parts
from leadscore.store.firms.firms import FIRMS, Firm
from leadscore.store.firms.outcomes import outcomes

_COLUMNS = (
    "entry", "firm_id", "credit_code", "name", "stage", "day", "reason", "withdrawn", "recorded",
    "recorded_by", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """An outcome of a firm.

    Attributes
    ----------
    in_force
        False if it was withdrawn, replaced by a later one of its stage, or is itself what
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

    Parameters
    ----------
    firms
        Of the store.
    """
    asked = list(firms)
    kept = outcomes.c
    found: dict[int, dict[int, Row[Any]]] = {}

    def take(owners: dict[Any, int], key: str, *where: ColumnElement[bool]) -> None:
        column = kept[key]
        for some in in_parts(owners):
            query = select(*(kept[name] for name in _COLUMNS)).where(column.in_(some), *where)
            for row in connection.execute(query):
                found.setdefault(owners[getattr(row, key)], {})[row.entry] = row

    from_file = kept.firm_id.is_(None)
    take({firm.id: firm.id for firm in asked}, "firm_id")
    take({f.credit_code: f.id for f in asked if f.credit_code}, "credit_code", from_file)
    nameless = from_file & kept.credit_code.is_(None)
    take(_names(connection, asked, nameless), "name", nameless)
    return {firm: _judged([rows[entry] for entry in sorted(rows)]) for firm, rows in found.items()}


def stage_of(entries: Sequence[Entry], listed: str | None) -> str | None:
    """Return the stage of a firm: that of the latest day in force, else what its list says."""
    held = [entry for entry in entries if entry.in_force]
    if not held:
        return listed
    return max(held, key=lambda entry: (entry.day, entry.entry)).stage


def firms_with_outcomes(connection: Connection) -> list[int]:
    """Return the numbers of all firms that any outcome is about, as after a file of outcomes."""
    kept = outcomes.c
    found = set(connection.scalars(select(kept.firm_id).where(kept.firm_id.is_not(None))))
    codes = select(kept.credit_code).where(kept.credit_code.is_not(None))
    found.update(connection.scalars(select(FIRMS.c.id).where(FIRMS.c.credit_code.in_(codes))))
    nameless = kept.firm_id.is_(None) & kept.credit_code.is_(None)
    names = connection.scalars(select(kept.name).where(nameless).distinct())
    for keys in in_parts({normal_name_of(name) for name in names}):
        found.update(connection.scalars(select(FIRMS.c.id).where(FIRMS.c.name_key.in_(keys))))
    return sorted(found)


def _names(
    connection: Connection, firms: Sequence[Firm], nameless: ColumnElement[bool]
) -> dict[Any, int]:
    """Return the firm of each name under which outcomes without a code were entered."""
    owners: dict[str, int] = {}
    for firm in firms:
        owners.setdefault(firm.name_key, firm.id)
    names = connection.scalars(select(outcomes.c.name).where(nameless).distinct())
    keys = ((name, normal_name_of(name)) for name in names)
    return {name: owners[key] for name, key in keys if key in owners}


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
