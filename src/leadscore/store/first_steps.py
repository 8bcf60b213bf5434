"""What an office has done of its first steps, as the store itself tells."""

from __future__ import annotations

from dataclasses import dataclass, fields

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.store.audit import AUDIT
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.lists import LISTS
from leadscore.store.outcomes import outcomes
from leadscore.store.profiles import CHOSEN_PROFILES

_LOOKED = ("firm.", "ranking.", "shortlist.", "view.", "pursuit.")
"""How the acts in the audit begin by which somebody works with a ranking."""


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Which of the first steps are done."""

    city: bool  # a profile was chosen
    list: bool  # a list was taken in
    ranking: bool  # somebody has worked with a firm of it
    outcome: bool  # it is known how far a firm has come

    @property
    def all_done(self) -> bool:
        """Tell whether none is left."""
        return self.city and self.list and self.ranking and self.outcome

    @property
    def next(self) -> str | None:
        """The first one that isn't done."""
        return next((each.name for each in fields(self) if not getattr(self, each.name)), None)


def first_steps(connection: Connection, *, named: bool) -> FirstSteps:
    """Return what is done; the city is, too, if settings or command have ``named`` its profile."""

    def any_of(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        return sa.exists(sa.select(sa.literal(1)).select_from(table).where(*where))

    looked = sa.or_(*(AUDIT.c.action.startswith(start, autoescape=True) for start in _LOOKED))
    row = connection.execute(
        sa.select(
            any_of(CHOSEN_PROFILES).label("city"),
            any_of(LISTS, LISTS.c.state == "done", LISTS.c.undone_at.is_(None)).label("list"),
            any_of(AUDIT, looked, AUDIT.c.actor != "cli").label("ranking"),
            any_of(outcomes).label("outcome"),
        )
    ).one()
    outcome = bool(row.outcome)
    ranking = bool(row.list) and (bool(row.ranking) or outcome)
    return FirstSteps(named or bool(row.city), bool(row.list), ranking, outcome)


def best_firm(connection: Connection) -> tuple[int, str] | None:
    """Return number and name of the firm that is ranked first; None if none is."""
    at = STANDINGS.c
    query = sa.select(at.firm_id, at.name).where(at.vetoed.is_(False)).order_by(at.order_key)
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else (row.firm_id, row.name)
