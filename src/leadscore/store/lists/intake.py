"""Takes a list in: from the file to firms that are linked, merged, scored and placed, in bulk.

Everything is worked out first; then all of it is written in one transaction. What is stopped or
breaks on the way leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from leadscore.errors import LeadscoreError
from leadscore.language import Text
from leadscore.lists.cleaning import CleanList
from leadscore.lists.problems import Problem
from leadscore.ranking.scoring import Scorer
from leadscore.ranking.walk import Counts
from leadscore.store.engine.database import Database
from leadscore.store.engine.values import plain_values
from leadscore.store.faults import StoreError
from leadscore.store.firms.firms import next_firm_id
from leadscore.store.firms.linking import Linked, link, unchanged
from leadscore.store.firms.merging import Origins, Record, firms_frame, merged, origin
from leadscore.store.firms.records import Records, field_records
from leadscore.store.firms.writing import write_firms
from leadscore.store.lists.lists import (
    LIST_FIRMS,
    KeptList,
    counts_dict,
    end_list,
    file_of,
    keep_problems,
    read_kept_list,
    set_state,
)
from leadscore.store.lists.reading import read_uploaded
from leadscore.store.ranking.score_rows import ScoredFirms
from leadscore.store.ranking.scored_firms import score_firms, write_scores

Progress = Callable[[float, Text], object]

_READ, _SCORED = 0.15, 0.8  # of all the work, once the file is read and its firms are scored
_LOOKS = 5

_READING = Text(zh="读取名单", en="reading the list")
_SCORING = Text(zh="评分：{done} / {all} 家", en="scoring: {done} of {all} firms")
_BUSY = Text(
    zh="名单里的企业一再被别人同时修改，没有写入。请稍后再提交一次。",
    en="others kept changing firms of this list at the same time, and nothing was stored. Hand it "
    "in again later.",
)
_WRITING = Text(zh="写入 {all} 家企业", en="storing {all} firms")


@dataclass(frozen=True, eq=False)
class _Prepared:
    """What is to be written, if the store is still as it was."""

    linked: Linked
    said: Records
    records: list[Record]
    origins: list[Origins]
    scored: ScoredFirms


def take_in_list(
    database: Database,
    list_id: int,
    *,
    scorer: Scorer,
    now: datetime,
    today: date,
    progress: Progress = lambda _fraction, _words: None,
    check: Callable[[], object] = lambda: None,
) -> Counts:
    """Read, link, merge, score and keep the firms of a list that was handed in.

    A list that was taken in already is left as it is.

    Parameters
    ----------
    database
        With the tables of the store.
    list_id
        A list of `leadscore.store.lists.lists`.
    scorer
        The champion.
    now
        When; with a time zone.
    today
        Day as of which the firms are scored.
    progress
        Told how far the work is, 0..1; it may raise to end it.
    check
        Called often while everything is written; it may raise to end it, and must not write.

    Raises
    ------
    ListError
        If the file can't be read as a list. The list is kept as failed.
    """
    try:
        with database.write() as connection:
            kept, content = read_kept_list(connection, list_id), file_of(connection, list_id)
            if content is None:
                return Counts(**(kept.counts or counts_dict(Counts(0, 0, 0, 0))))
            set_state(connection, list_id, "reading")
        progress(0.0, _READING)
        clean = read_uploaded(content, kept.file_name, kept.mapping, today=today)
        with database.write() as connection:
            set_state(connection, list_id, "scoring")
        for _ in range(_LOOKS):
            prepared = _prepared(database, kept, clean, scorer, today, now, progress)
            progress(_SCORED, _WRITING.format(all=len(prepared.records)))
            counts = _written(database, kept, clean, prepared, now, check)
            if counts:
                return counts
        raise StoreError(_BUSY)
    except LeadscoreError as error:
        words = {"code": error.code, "zh": error.render("zh"), "en": error.render("en")}
        with database.write() as connection:
            end_list(connection, list_id, "failed", error=words)
        raise


def _prepared(
    database: Database, kept: KeptList, clean: CleanList, scorer: Scorer, today: date,
    now: datetime, progress: Progress,
) -> _Prepared:  # fmt: skip
    """Work out what is to be kept, as the store is now; nothing is written."""
    with database.read() as connection:
        linked = link(connection, clean)
    said = field_records(linked.firms)
    rows = linked.firms["row"].tolist()
    both = [
        merged(firm, fields, origin(kept.id, row, at=now, as_of=kept.as_of))
        for firm, (_, fields), row in zip(linked.known, said, rows, strict=True)
    ]
    records = [record for record, _ in both]
    firms = firms_frame(records)
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        share = done / max(len(firms), 1)
        words = _SCORING.format(done=done, all=len(firms))
        progress(_READ + (_SCORED - _READ) * share, words)

    scored = score_firms(firms, scorer, as_of=today, progress=tell)
    return _Prepared(linked, said, records, [origins for _, origins in both], scored)


def _written(
    database: Database, kept: KeptList, clean: CleanList, prepared: _Prepared, now: datetime,
    check: Callable[[], object],
) -> Counts | None:  # fmt: skip
    """Write it all in one transaction; None if somebody else has changed a firm meanwhile."""
    linked = prepared.linked
    with database.write() as connection:
        first = next_firm_id(connection)
        if not unchanged(linked, link(connection, clean)):
            return None
        check()
        firms = write_firms(connection, linked.known, prepared.records, prepared.origins,
                            first=first, now=now)  # fmt: skip
        check()
        seen = {firm.id: (kept.id, row) for firm, row in
                zip(firms, linked.firms["row"].tolist(), strict=True)}  # fmt: skip
        vetoed = write_scores(connection, firms, prepared.scored, seen, now=now,
                                 source=kept.file_name, check=check)  # fmt: skip
        _write_members(connection, kept, linked, [firm.id for firm in firms], prepared)
        problems = _in_order(clean, linked)
        keep_problems(connection, kept.id, problems)
        counts = _counts(clean.rows_in, vetoed, problems)
        check()
        end_list(
            connection, kept.id, "done", counts=counts_dict(counts), model=prepared.scored.model,
            notices=[{"zh": notice.zh, "en": notice.en} for notice in clean.notices],
        )  # fmt: skip
    return counts


def _write_members(
    connection: Connection, kept: KeptList, linked: Linked, ids: list[int], prepared: _Prepared
) -> None:
    rows = [
        {"list_id": kept.id, "firm_id": firm_id, "row": row, "sheet": sheet,
         "said": None if fields == record else fields}
        for firm_id, row, sheet, (_, fields), record in zip(
            ids, linked.firms["row"].tolist(), plain_values(linked.firms["sheet"]), prepared.said,
            prepared.records, strict=True,
        )
    ]  # fmt: skip
    if rows:
        connection.execute(LIST_FIRMS.insert(), rows)


def _in_order(clean: CleanList, linked: Linked) -> list[Problem]:
    """Return all problems by sheet and row, as the list has them."""
    sheets = [problem.sheet for problem in (*clean.problems, *linked.problems)]
    order = {sheet: place for place, sheet in enumerate(dict.fromkeys(sheets))}
    both = (*clean.problems, *linked.problems)
    return sorted(both, key=lambda problem: (order[problem.sheet], problem.row or -1))


def _counts(rows: int, vetoed: list[bool], problems: list[Problem]) -> Counts:
    set_aside = sum(problem.set_aside for problem in problems)
    return Counts(rows, len(vetoed) - sum(vetoed), sum(vetoed), set_aside)
