"""Facts: what somebody knows of a firm beside its lists, each dated, and none ever overwritten."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.lists.corrections import Correction, KnownCorrections, corrected, values_of
from leadscore.store.database import (
    METADATA,
    Id,
    Json,
    Number,
    columns_of,
    one_of_some,
    rows_of_some,
)
from leadscore.store.firms import FIRMS


@dataclass(frozen=True, slots=True)
class Fact:
    """What a field of a firm is from a day on, who said so and on what ground.

    The field is a canonical column, or one of `leadscore.lists.corrections.JUDGED`, whose values
    are those of a `Correction`; a value of None is that it is not known. It counts from
    ``valid_from`` on, which is never before the day on which it was recorded: so what was known of
    the firm earlier stays what it was. A list that brought it is named by ``list_id``: undoing its
    import withdraws it. One that is ``withdrawn`` counts no longer and stays.
    """

    id: Id
    firm_id: Annotated[int, Number, sa.ForeignKey("firms.id"), {"index": True}]
    field: str
    value: Annotated[str | float | list[str] | None, Json]
    valid_from: date
    recorded_at: datetime
    recorded_by: str
    source: str
    reason: str | None
    list_id: Annotated[int | None, Number, sa.ForeignKey("lists.id"), {"index": True}]
    withdrawn_at: datetime | None
    withdrawn_by: str | None

    @property
    def correction(self) -> Correction:
        """What counts by it."""
        by, reason = self.recorded_by, self.reason or ""
        return Correction(self.field, self.value, self.valid_from, by, reason)


FACTS = sa.Table("facts", METADATA, *columns_of(Fact))

_STANDING = FACTS.c.withdrawn_at.is_(None)
# Put together once: they are run with every act of an officer.
_OF_SOME = sa.select(FACTS).where(_STANDING, FACTS.c.firm_id.in_(one_of_some()))
_OF_SOME = _OF_SOME.order_by(FACTS.c.id)

Corrections = Mapping[int, Sequence[Correction]]
"""What counts of firms in the place of what their lists say, by their numbers."""


def facts_of(connection: Connection, firm_ids: Collection[int]) -> dict[int, list[Fact]]:
    """Return the facts of firms that count, the oldest first, by the numbers of the firms."""
    facts: dict[int, list[Fact]] = {}
    for row in rows_of_some(connection, _OF_SOME, firm_ids):
        facts.setdefault(row.firm_id, []).append(Fact(*row))
    return facts


def all_facts_of(connection: Connection, firm_id: int) -> list[Fact]:
    """Return every fact of a firm, withdrawn ones among them, the oldest first."""
    query = sa.select(FACTS).where(FACTS.c.firm_id == firm_id).order_by(FACTS.c.id)
    return [Fact(*row) for row in connection.execute(query)]


def corrections_of(
    connection: Connection, firm_ids: Collection[int], *, as_of: date
) -> dict[int, list[Correction]]:
    """Return what counts of firms on a day, by their numbers; a later correction does not."""
    return {
        firm_id: known
        for firm_id, facts in facts_of(connection, firm_ids).items()
        if (known := [fact.correction for fact in facts if fact.valid_from <= as_of])
    }


def with_corrections(
    record: Mapping[str, Any], corrections: Sequence[Correction]
) -> Mapping[str, Any]:
    """Return what is kept of a firm as it counts; the record itself where nobody corrected it."""
    return corrected(record, values_of(corrections)) if corrections else record


def known_corrections(connection: Connection, *, as_of: date) -> KnownCorrections:
    """Return the corrections that count on a day, to be found by what a list says of firms."""
    at = FIRMS.c
    query = (
        sa.select(at.credit_code, at.name_key, FACTS)
        .join_from(FACTS, FIRMS, at.id == FACTS.c.firm_id)
        .where(_STANDING, FACTS.c.valid_from <= as_of)
        .order_by(FACTS.c.id)
    )
    of_firm: dict[int, list[Correction]] = defaultdict(list)
    keys: dict[int, tuple[str | None, str]] = {}
    for code, name, *fact in connection.execute(query):
        one = Fact(*fact)
        of_firm[one.firm_id].append(one.correction)
        keys[one.firm_id] = code, name
    if not keys:
        return KnownCorrections()
    names = sa.select(at.name_key).where(at.name_key.in_(one_of_some()), at.merged_into.is_(None))
    wanted = {name for _, name in keys.values()}
    borne = Counter(row[0] for row in rows_of_some(connection, names, wanted))
    return KnownCorrections(
        {code: tuple(of_firm[firm]) for firm, (code, _) in keys.items() if code},
        {
            name: (code, tuple(of_firm[firm])) if borne[name] <= 1 else (None, ())
            for firm, (code, name) in keys.items()
        },
    )
