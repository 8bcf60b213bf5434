"""Plans of visits: whom an office means to visit in a period, under its capacity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from leadscore.store.database import METADATA, Id, columns_of


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


PLANS = sa.Table("plans", METADATA, *columns_of(Plan))
