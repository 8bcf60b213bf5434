"""Scores firms of the store and keeps what came of it: snapshots, scores and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Connection

from leadscore.ranking.scoring import Scorer
from leadscore.store.engine.database import Database
from leadscore.store.firms.firms import Firm, count_up, every_firm, read_firms
from leadscore.store.firms.merging import firms_frame
from leadscore.store.firms.records import field_records
from leadscore.store.firms.snapshots import keep_records
from leadscore.store.ranking.score_rows import ScoredFirms
from leadscore.store.ranking.scores import append_scores
from leadscore.store.ranking.standings import last_seen, place_firms

_WRITTEN_AT_ONCE = 2_000


def score_firms(
    firms: pd.DataFrame,
    scorer: Scorer,
    *,
    as_of: date,
    progress: Callable[[int], object] = lambda _: None,
) -> ScoredFirms:
    """Score firms; see `Scorer.score`."""
    scores = scorer.score(firms, as_of=as_of, progress=progress)
    return ScoredFirms(field_records(firms), scores, scorer, as_of)


def write_scores(
    connection: Connection,
    firms: Sequence[Firm],
    scored: ScoredFirms,
    seen: Mapping[int, tuple[int | None, int | None]],
    *,
    source: str,
    now: datetime,
    check: Callable[[], object] = lambda: None,
) -> list[bool]:
    """Keep scores, and what they rest on; return for each firm whether it is vetoed now.

    Parameters
    ----------
    connection
        Within a write transaction.
    firms
        As they are kept, in the order of the scores.
    scored
        Their scores.
    seen
        By the number of the firm: list and row where it was last seen.
    source
        Where the firms are from, for the snapshots.
    now
        When; with a time zone.
    check
        Called between the steps; it may raise.
    """
    vetoed: list[bool] = []
    for start in range(0, len(firms), _WRITTEN_AT_ONCE):
        check()
        stop = start + _WRITTEN_AT_ONCE
        some = firms[start:stop]
        snapshots = keep_records(
            connection, scored.records[start:stop], as_of=scored.as_of, model=scored.model,
            source=source, now=now, firm_ids=[firm.id for firm in some],
        )  # fmt: skip
        rows = [
            {**row, "scored_at": now, "firm_id": firm.id, "snapshot_id": snapshot}
            for row, firm, snapshot in zip(scored.rows(start, stop), some, snapshots, strict=True)
        ]
        ids = append_scores(connection, rows)
        scores = {row["firm_id"]: row | {"id": id_} for id_, row in zip(ids, rows, strict=True)}
        vetoed += [row["vetoed"] for row in place_firms(connection, some, scores, seen)]
    return vetoed


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

    Each part is kept for itself, so that others can write in between and a stop loses little; a
    firm that has changed meanwhile was scored by whoever changed it.

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
        Firms in a part.
    progress
        Called with the number of firms scored since the last call; it may raise.
    """
    count, last = 0, 0
    while True:
        with database.read() as connection:
            firms = next(every_firm(connection, at_once, after=last), [])
        if not firms:
            return count
        last = firms[-1].id
        scored = _scored(firms, scorer, today)
        with database.write() as connection:
            same = _unchanged(connection, firms)
            if len(same) < len(firms):
                scored = _scored(same, scorer, today)
            numbers = [firm.id for firm in same]
            seen = last_seen(connection, numbers)
            write_scores(connection, same, scored, seen, source="store", now=clock())
            count_up(connection, numbers, now=clock())
        count += len(firms)
        progress(len(firms))


def _unchanged(connection: Connection, firms: Sequence[Firm]) -> list[Firm]:
    """Return the firms of which nothing that is scored has changed, as they are kept by now."""
    present = read_firms(connection, [firm.id for firm in firms])
    return [present[firm.id] for firm in firms if present[firm.id].record == firm.record]


def _scored(firms: Sequence[Firm], scorer: Scorer, today: date) -> ScoredFirms:
    return score_firms(firms_frame([dict(firm.record) for firm in firms]), scorer, as_of=today)
