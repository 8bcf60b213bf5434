"""Plans of visits: whom an office means to visit in a period, and what became of each visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import sqlalchemy as sa

from leadscore.store.database import METADATA, Id, Number, columns_of


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan for a city and a period, made by a model under a version of the city's profile.

    ``capacity`` says how many visits there may be, whatever it is counted by.
    """

    id: Id
    city: str
    name: str
    starts: date
    ends: date
    capacity: Mapping[str, int]
    model: str
    profile: int
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that was planned, or made without a plan; ``position`` is its place in the plan."""

    id: Id
    plan_id: Annotated[int | None, Number, sa.ForeignKey("plans.id"), {"index": True}]
    firm_id: Annotated[int, Number, sa.ForeignKey("firms.id"), {"index": True}]
    pursuit_id: Annotated[int | None, Number, sa.ForeignKey("pursuits.id")]
    position: int | None
    planned_on: date | None
    made_on: date | None
    officer: str | None
    note: str | None
    recorded_by: str
    recorded_at: datetime


PLANS, VISITS = (
    sa.Table(name, METADATA, *columns_of(row)) for name, row in (("plans", Plan), ("visits", Visit))
)
