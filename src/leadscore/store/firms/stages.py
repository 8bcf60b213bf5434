"""How far the firms have come, by the outcomes that are in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from leadscore.lists.sameness.firm_names import normal_name_of
from leadscore.store.engine.parts import in_parts, one_of_some
from leadscore.store.firms.firms import FIRMS, Firm
from leadscore.store.firms.outcomes import outcomes

_COLUMNS = (
    "entry", "firm_id", "credit_code", "name", "stage", "day", "reason", "withdrawn", "recorded",
    "recorded_by", "source",
)  # fmt: skip
# Put together once: they are run with every act of an officer.
_FROM_FILE = outcomes.c.firm_id.is_(None)
_NAMELESS = _FROM_FILE & outcomes.c.credit_code.is_(None)
_ENTRIES = select(*(outcomes.c[name] for name in _COLUMNS))
_OF_FIRMS = _ENTRIES.where(
    outcomes.c.firm_id.in_(one_of_some())
    | _FROM_FILE & outcomes.c.credit_code.in_(bindparam("codes", expanding=True))
)
_BY_NAME = _ENTRIES.where(outcomes.c.name.in_(one_of_some()), _NAMELESS)
_NAMES = select(outcomes.c.name).where(_NAMELESS).distinct()


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
    found: dict[int, dict[int, Row[Any]]] = {}
    for some in in_parts(asked):
        codes = {firm.credit_code: firm.id for firm in some if firm.credit_code}
        ids = [firm.id for firm in some]
        for row in connection.execute(_OF_FIRMS, {"some": ids, "codes": list(codes)}):
            owner = codes[row.credit_code] if row.firm_id is None else row.firm_id
            found.setdefault(owner, {})[row.entry] = row
    names = _names(connection, asked)
    for some_names in in_parts(names):
        for row in connection.execute(_BY_NAME, {"some": some_names}):
            found.setdefault(names[row.name], {})[row.entry] = row
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


def _names(connection: Connection, firms: Sequence[Firm]) -> dict[Any, int]:
    """Return the firm of each name under which outcomes without a code were entered."""
    owners: dict[str, int] = {}
    for firm in firms:
        owners.setdefault(firm.name_key, firm.id)
    names = connection.scalars(_NAMES)
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
