"""Facts: what somebody knows of a firm beside its lists, each dated, and none ever overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import sqlalchemy as sa

from leadscore.store.database import METADATA, Id, Json, Number, columns_of


@dataclass(frozen=True, slots=True)
class Fact:
    """What a field of a firm is from a day on, who said so and on what ground.

    The field is a canonical column, or what an officer may correct (``segments``, ``role``,
    ``grade``). A list that brought it is named by ``list_id``: undoing its import withdraws it. One
    that is ``withdrawn`` counts no longer and stays.
    """

    id: Id
    firm_id: Annotated[int, Number, sa.ForeignKey("firms.id"), {"index": True}]
    field: str
    value: Annotated[str | float | None, Json]
    valid_from: date
    recorded_at: datetime
    recorded_by: str
    source: str
    reason: str | None
    list_id: Annotated[int | None, Number, sa.ForeignKey("lists.id"), {"index": True}]
    withdrawn_at: datetime | None
    withdrawn_by: str | None


FACTS = sa.Table("facts", METADATA, *columns_of(Fact))
