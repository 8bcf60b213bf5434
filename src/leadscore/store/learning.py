"""What a retraining reads from the store, and what it could learn from it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.errors import ModelError
from leadscore.registry.models import ModelRegistry
from leadscore.store.facts import FACTS
from leadscore.store.outcomes import outcomes, read_outcomes
from leadscore.store.snapshots import read_dated_facts, read_snapshots, snapshots

if TYPE_CHECKING:
    from leadscore.learning.readiness import Readiness
    from leadscore.learning.training_data import Rules


def marks_of(connection: Connection) -> tuple[int | None, ...]:
    """Return what changes whenever there is something else to learn from."""
    facts = FACTS.c
    query = sa.select(
        sa.select(sa.func.max(outcomes.c.entry)).scalar_subquery(),
        sa.select(sa.func.max(snapshots.c.id)).scalar_subquery(),
        sa.select(sa.func.max(facts.id)).scalar_subquery(),
        sa.select(sa.func.count(facts.withdrawn_at)).scalar_subquery(),
    )
    return tuple(connection.execute(query).one())


def readiness_of(
    connection: Connection, registry: ModelRegistry, champion: str, *, rules: Rules, as_of: date
) -> Readiness:
    """Return what could be learned from what is kept, beside a champion that may have learned.

    A champion that can't be read is taken for one that has learned from no outcome.
    """
    # Late, for start-up time: what fits and judges takes a second to import.
    from leadscore.learning.readiness import readiness

    learned_until = None
    try:
        manifest = registry.manifest(champion)
    except ModelError:
        pass
    else:
        learned_until = manifest.as_of if manifest.learned else None
    return readiness(
        read_outcomes(connection, merged=True), read_snapshots(connection), as_of=as_of,
        rules=rules,
        facts=read_dated_facts(connection), learned_until=learned_until,
    )  # fmt: skip
