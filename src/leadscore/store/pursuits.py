"""Pursuits: a firm from first contact to its end, its notes, visits and plans, and the stages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.store.database import (
    METADATA,
    Id,
    Number,
    StoreError,
    columns_of,
    insert_row,
    one_of_some,
    rows_of_some,
)
from leadscore.text import room_words

WORDS = room_words("store")


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
_OF_FIRMS = sa.select(PURSUITS).where(PURSUITS.c.firm_id.in_(one_of_some()))
_OF_FIRMS = _OF_FIRMS.order_by(PURSUITS.c.firm_id, PURSUITS.c.opened, PURSUITS.c.id)


def pursuits_of(connection: Connection, firm_ids: Collection[int]) -> dict[int, list[Pursuit]]:
    """Return the pursuits of firms, by their numbers, the oldest first."""
    pursuits: dict[int, list[Pursuit]] = {}
    for row in rows_of_some(connection, _OF_FIRMS, firm_ids):
        pursuits.setdefault(row.firm_id, []).append(Pursuit(*row))
    return pursuits


def pursuit_on(pursuits: Sequence[Pursuit], day: date) -> int | None:
    """Return the number of the pursuit in which something was on a day; None if there is none.

    What was before the first one belongs to that.
    """
    begun = [pursuit.id for pursuit in pursuits if pursuit.opened <= day]
    return begun[-1] if begun else pursuits[0].id if pursuits else None


def open_pursuit(
    connection: Connection, firm_id: int, opened: date, *, by: str, now: datetime, **known: Any
) -> int:
    """Begin a pursuit, and return its number; ``known`` are fields of `Pursuit` at its opening."""
    row = {
        "firm_id": firm_id,
        "opened": opened,
        "recorded_by": by,
        "recorded_at": now,
        "version": 1,
    }
    return insert_row(connection, PURSUITS, row | known)


def close_pursuit(
    connection: Connection, pursuit_id: int, closed: date | None, reason: str | None
) -> None:
    """Say when and why a pursuit ended; None for one that goes on."""
    same = sa.update(PURSUITS).where(PURSUITS.c.id == pursuit_id)
    connection.execute(same.values(closed=closed, reason=reason, version=PURSUITS.c.version + 1))


def change_pursuit(connection: Connection, pursuit_id: int, **fields: Any) -> None:
    """Say who has a pursuit in hand, or what comes next and when: fields of `Pursuit`."""
    same = sa.update(PURSUITS).where(PURSUITS.c.id == pursuit_id)
    connection.execute(same.values(**fields, version=PURSUITS.c.version + 1))


def terminal_stages(connection: Connection) -> frozenset[str]:
    """Return the stages that end a pursuit."""
    return frozenset(connection.scalars(sa.select(STAGES.c.id).where(STAGES.c.terminal)))


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


Channel = Literal["call", "message", "meeting", "visit", "note"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)


@dataclass(frozen=True, slots=True)
class Note:
    """What was said or heard on a day, without a stage; no persons need to be named in it."""

    id: Id
    firm_id: Annotated[int, Number, sa.ForeignKey("firms.id"), {"index": True}]
    pursuit_id: Annotated[int | None, Number, sa.ForeignKey("pursuits.id")]
    day: date
    channel: Channel
    text: str
    by: str
    at: Annotated[datetime, {"index": True}]


NOTES = sa.Table("notes", METADATA, *columns_of(Note))


class UnknownNoteError(StoreError):
    """A number that no note of the firm has, or not for who asks."""

    code = "unknown_note"


def notes_of(connection: Connection, firm_id: int) -> list[Note]:
    """Return the notes on a firm, the latest day first."""
    query = sa.select(NOTES).where(NOTES.c.firm_id == firm_id)
    rows = connection.execute(query.order_by(NOTES.c.day.desc(), NOTES.c.id.desc()))
    return [Note(*row) for row in rows]


def add_note(
    connection: Connection, firm_id: int, *, day: date, channel: Channel, text: str,
    pursuit_id: int | None, by: str, now: datetime,
) -> Note:  # fmt: skip
    """Keep a note on a firm, and return it."""
    row = {
        "firm_id": firm_id, "pursuit_id": pursuit_id, "day": day, "channel": channel, "text": text,
        "by": by, "at": now,
    }  # fmt: skip
    return Note(id=insert_row(connection, NOTES, row), **row)  # type: ignore[arg-type]


def drop_note(connection: Connection, firm_id: int, note_id: int) -> None:
    """Forget a note; raises `UnknownNoteError`."""
    same = (NOTES.c.id == note_id) & (NOTES.c.firm_id == firm_id)
    if connection.execute(sa.delete(NOTES).where(same)).rowcount == 0:
        raise UnknownNoteError(WORDS["pursuits.unknown_note"].format(id=note_id))


def drop_notes_before(connection: Connection, moment: datetime) -> int:
    """Forget the notes that were written before a moment, and return how many those were."""
    return connection.execute(sa.delete(NOTES).where(NOTES.c.at < moment)).rowcount
