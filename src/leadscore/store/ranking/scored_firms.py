"""Scores firms of the store and keeps what came of it: snapshots, scores and where they stand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from leadscore.lists.cleaning import records_of
from leadscore.ranking.score import FirmScore, Scorer
from leadscore.store.engine.database import Database
from leadscore.store.firms.firms import Firm, count_up, next_firms, read_firms
from leadscore.store.firms.merging import firms_frame
from leadscore.store.firms.records import Records, field_records
from leadscore.store.firms.snapshots import keep_records
from leadscore.store.ranking.scores import append_scores
from leadscore.store.ranking.standings import last_seen, place_firms

WRITTEN_AT_ONCE = 100
"""Firms that are written in one transaction where many are: on SQLite others wait meanwhile."""
PAUSE_SECONDS = 0.01
"""Between two such transactions: longer than those who wait look away."""


@dataclass(frozen=True, eq=False)
class ScoredFirms:
    """Scores of n firms, ready to be kept.

    Attributes
    ----------
    records
        What was known of each firm when it was scored, with its digest.
    scores
        Of the same firms in the same order.
    scorer
        What scored them.
    as_of
        The day as of which they were scored.
    """

    records: Records
    scores: Sequence[FirmScore]
    scorer: Scorer
    as_of: date

    def __len__(self) -> int:
        """Return the number of firms."""
        return len(self.scores)

    @property
    def model(self) -> str:
        """Version of the model that scored."""
        return self.scorer.model

    def rows(self, start: int, stop: int) -> list[dict[str, Any]]:
        """Return what the scores tell of the rows of `scores.SCORES`, for some of the firms."""
        same = {"model": self.model, "as_of": self.as_of}
        return [{**same, **_row(score)} for score in self.scores[start:stop]]


def _row(score: FirmScore) -> dict[str, Any]:
    best = score.best
    return {
        "base_points": score.base_points,
        "likelihood": score.likelihood,
        "fit": score.fit,
        "priority": score.priority,
        "grade": score.grade,
        "segment": best and best.segment,
        "role": best and best.role,
        "veto": score.veto,
        "words": best and best.words,
        "segments": score.segments(),
        "points": {name: points for name, points in score.points.items() if points},
        "values": {name: value for name, value in score.values.items() if value is not None},
        "reasons": [
            {"feature": name, "points": score.points[name]} for name in score.main_features()
        ],
    }


def score_firms(
    firms: pd.DataFrame,
    scorer: Scorer,
    *,
    as_of: date,
    progress: Callable[[int], object] = lambda _: None,
) -> ScoredFirms:
    """Score firms; see `Scorer.score`."""
    scores = scorer.score(records_of(firms), as_of=as_of, progress=progress)
    return ScoredFirms(field_records(firms), scores, scorer, as_of)


def write_scores(
    connection: Connection,
    firms: Sequence[Firm],
    scored: ScoredFirms,
    seen: Mapping[int, tuple[int | None, int | None]],
    *,
    source: str,
    now: datetime,
    start: int = 0,
) -> None:
    """Keep scores, and what they rest on, and where the firms stand by them.

    Parameters
    ----------
    connection
        Within a write transaction.
    firms
        As they are kept, in the order of the scores.
    scored
        Their scores, perhaps with those of others.
    seen
        By the number of the firm: list and row where it was last seen.
    source
        Where the firms are from, for the snapshots.
    now
        When; with a time zone.
    start
        Which of the scores is that of the first firm.
    """
    stop = start + len(firms)
    snapshots = keep_records(
        connection, scored.records[start:stop], as_of=scored.as_of, model=scored.model,
        source=source, now=now, firm_ids=[firm.id for firm in firms],
    )  # fmt: skip
    rows = [
        {**row, "scored_at": now, "firm_id": firm.id, "snapshot_id": snapshot}
        for row, firm, snapshot in zip(scored.rows(start, stop), firms, snapshots, strict=True)
    ]
    ids = append_scores(connection, rows)
    scores = {row["firm_id"]: row | {"id": id_} for id_, row in zip(ids, rows, strict=True)}
    place_firms(connection, firms, scores, seen)


def rescore(
    database: Database,
    *,
    scorer: Scorer,
    today: date,
    clock: Callable[[], datetime],
    at_once: int = 2_000,
    progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Score every firm anew, as when another model has become the champion; return how many.

    So many firms at a time are kept as others need not wait for, and a stop loses little; a firm
    that has changed meanwhile was scored by whoever changed it.

    Parameters
    ----------
    database
        With the tables of the store.
    scorer
        The champion.
    today
        Day as of which the firms are scored.
    clock
        Returns the time, with a zone.
    at_once
        Firms that are read and scored together.
    progress
        Called with the number of firms scored since the last call; it may raise.
    """
    count, last = 0, 0
    while True:
        with database.read() as connection:
            firms = next_firms(connection, last, at_once)
        if not firms:
            return count
        last = firms[-1].id
        scored = _scored(firms, scorer, today)
        for start in range(0, len(firms), WRITTEN_AT_ONCE):
            some = firms[start : start + WRITTEN_AT_ONCE]
            with database.write() as connection:
                _write_anew(connection, some, scored, start, now=clock())
            count += len(some)
            progress(len(some))
            time.sleep(PAUSE_SECONDS)


def _write_anew(
    connection: Connection, firms: Sequence[Firm], scored: ScoredFirms, start: int, *, now: datetime
) -> None:
    """Keep the new scores of firms, except of those that have changed since they were read."""
    same = _unchanged(connection, firms)
    if len(same) < len(firms):
        scored, start = _scored(same, scored.scorer, scored.as_of), 0
    numbers = [firm.id for firm in same]
    seen = last_seen(connection, numbers)
    write_scores(connection, same, scored, seen, source="store", now=now, start=start)
    count_up(connection, numbers, now=now)


def _unchanged(connection: Connection, firms: Sequence[Firm]) -> list[Firm]:
    """Return the firms of which nothing that is scored has changed, as they are kept by now."""
    present = read_firms(connection, [firm.id for firm in firms])
    return [present[firm.id] for firm in firms if present[firm.id].record == firm.record]


def _scored(firms: Sequence[Firm], scorer: Scorer, today: date) -> ScoredFirms:
    return score_firms(firms_frame([dict(firm.record) for firm in firms]), scorer, as_of=today)
