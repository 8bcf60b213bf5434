"""Pursuits: a firm from first contact to its end, its visits, and the office's own stages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

import sqlalchemy as sa

from leadscore.store.database import METADATA, Id, Number, columns_of
from leadscore.store.plans import PLANS


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a pursuit may come, in the office's words; ``position`` is its place in the order.

    A ``milestone`` (land taken, capital paid in) stands beside the stages and is none of them. A
    ``terminal`` stage ends a pursuit.
    """

    id: Annotated[str, {"primary_key": True}]
    kind: Literal["stage", "milestone"]
    position: int
    zh: str
    en: str
    terminal: bool


STAGES = sa.Table("stages", METADATA, *columns_of(Stage))


@dataclass(frozen=True, slots=True)
class Pursuit:
    """One pursuit of a firm; a lost firm can be pursued again.

    What the office had before it when the pursuit began stays with it: the list, the firm's rank,
    the score and its model, the plan that asked for it, and with what probability (``propensity``,
    0..1) the firm was chosen.
    """

    id: Id
    firm_id: Annotated[int, Number, sa.ForeignKey("firms.id"), {"index": True}]
    opened: date
    closed: date | None
    reason: str | None  # why it was closed
    owner: str | None
    next_step: str | None
    next_step_on: Annotated[date | None, {"index": True}]
    list_id: Annotated[int | None, Number, sa.ForeignKey("lists.id")]
    rank: int | None
    model: str | None
    score_id: Annotated[int | None, Number, sa.ForeignKey("scores.id")]
    plan_id: Annotated[int | None, Number, sa.ForeignKey(PLANS.c.id)]
    propensity: float | None
    recorded_by: str
    recorded_at: datetime
    version: int


PURSUITS = sa.Table("pursuits", METADATA, *columns_of(Pursuit))


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


VISITS = sa.Table("visits", METADATA, *columns_of(Visit))
