"""Every score that a firm was ever given, with the model and all that it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Float,
    ForeignKey,
    Index,
    Row,
    Table,
    Text,
    func,
    select,
)

from leadscore.language import Text as Words
from leadscore.store.engine.appending import append_only
from leadscore.store.engine.database import take_turns
from leadscore.store.engine.metadata import METADATA, Json, Moment, Number
from leadscore.store.engine.parts import in_parts
from leadscore.store.faults import StoreError

SCORES = append_only(
    Table(
        "scores",
        METADATA,
        Column("id", Number, primary_key=True, autoincrement=False),
        Column("firm_id", Number, ForeignKey("firms.id"), nullable=False),
        Column("snapshot_id", Number, ForeignKey("snapshots.id"), index=True),
        Column("model", Text, nullable=False),
        Column("as_of", Date, nullable=False),
        Column("scored_at", Moment, nullable=False),
        Column("likelihood", Float, nullable=False),
        Column("fit", Float, nullable=False),
        Column("priority", Float, nullable=False),
        Column("grade", Text, nullable=False),
        Column("segment", Text),
        Column("role", Text),
        Column("veto", Text),
        Column("base_points", Float, nullable=False),
        Column("points", Json, nullable=False),
        Column("values", Json, nullable=False),
        Column("reasons", Json, nullable=False),
        Column("segments", Text),
        Column("words", Text),
        Index("ix_scores_firm_id_id", "firm_id", "id"),
    )
)
"""``points`` and ``values`` are by feature, ``points`` also by pair of features (``a × b``); what
adds nothing and what is missing is left out. ``reasons`` are the features of the main ones with
their points (in homes of old also their words then, which nobody reads);
``segments`` is every match as ``id:strength``, joined by ``;``, and ``words`` are those that the
best match rests on."""

_SAME = ("snapshot_id", "firm_id", "likelihood", "priority", "grade", "veto")

_UNKNOWN = Words(zh="这家企业没有编号为 {id} 的评分", en="this firm has no score {id}")


class UnknownScoreError(StoreError):
    """A number that no score of the firm has."""

    code = "unknown_score"


@dataclass(frozen=True, slots=True)
class Score:
    """A score as it was given; the attributes are the columns of `SCORES`."""

    id: int
    firm_id: int
    snapshot_id: int | None
    model: str
    as_of: date
    scored_at: datetime
    likelihood: float
    fit: float
    priority: float
    grade: str
    segment: str | None
    role: str | None
    veto: str | None
    base_points: float
    points: Mapping[str, float]
    values: Mapping[str, float | str]
    reasons: Sequence[Mapping[str, Any]]
    segments: str | None
    words: str | None

    @property
    def total_points(self) -> float:
        """The log-odds of the likelihood, in points."""
        return math.fsum((self.base_points, *self.points.values()))

    def worded_from(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return what words need of the score, beside the firm's record; see `kept_facts`."""
        return {
            "reasons": self.reasons,
            "values": self.values,
            "scored_segment": self.segment,
            "scored_role": self.role,
            "words": self.words,
            "segments": self.segments,
            "record": record,
        }


def append_scores(connection: Connection, rows: list[dict[str, Any]]) -> list[int]:
    """Add scores and return the number of each row's score.

    A firm that has just this score already, of the same snapshot and with the same result, keeps
    it: fields, day and model alone decide a score.
    """
    take_turns(connection, SCORES)
    known = _known(connection, [row["snapshot_id"] for row in rows])
    number = int(connection.scalar(select(func.max(SCORES.c.id))) or 0)
    ids, new = [], []
    for row in rows:
        found = known.get(tuple(row[name] for name in _SAME))
        if found is None:
            found = number = number + 1
            new.append({"id": number, **row})
        ids.append(found)
    if new:
        connection.execute(SCORES.insert(), new)
    return ids


def _known(connection: Connection, snapshots: list[int | None]) -> dict[tuple[Any, ...], int]:
    known: dict[tuple[Any, ...], int] = {}
    for some in in_parts(snapshots):
        query = select(SCORES.c.id, *(SCORES.c[name] for name in _SAME))
        rows = connection.execute(query.where(SCORES.c.snapshot_id.in_(some)))
        known.update((tuple(same), number) for number, *same in rows)
    return known


def read_score(connection: Connection, firm_id: int, score_id: int) -> Score:
    """Return a score of a firm.

    Raises
    ------
    UnknownScoreError
        If the firm has none with this number.
    """
    query = select(SCORES).where(SCORES.c.id == score_id, SCORES.c.firm_id == firm_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownScoreError(_UNKNOWN.format(id=score_id))
    return _score(row)


def score_history(connection: Connection, firm_id: int, *, limit: int = 100) -> list[Score]:
    """Return the scores of a firm, the newest first."""
    query = select(SCORES).where(SCORES.c.firm_id == firm_id)
    return [
        _score(row) for row in connection.execute(query.order_by(SCORES.c.id.desc()).limit(limit))
    ]


def _score(row: Row[Any]) -> Score:
    return Score(**row._mapping)  # noqa: SLF001 (its public name, see SQLAlchemy's documentation)
