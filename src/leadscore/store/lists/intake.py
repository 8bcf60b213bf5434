"""Takes a list in: from the file to firms that are linked, merged, scored and placed.

Everything is worked out first; then it is written, some firms a transaction, so that officers can
write meanwhile. What is stopped on the way keeps the firms that were stored by then, and goes on
from there when it is taken in again; a firm is there with all that is kept of it, or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from sqlalchemy import Connection, bindparam, func, select

from leadscore.errors import LeadscoreError
from leadscore.language import Text
from leadscore.lists.cleaning import CleanList
from leadscore.lists.problems import Problem, shown
from leadscore.ranking.score import Scorer
from leadscore.ranking.walk import Counts
from leadscore.store.engine.database import Database
from leadscore.store.engine.values import plain_values
from leadscore.store.faults import StoreError
from leadscore.store.firms.firms import Firm, next_firm_id
from leadscore.store.firms.linking import Linked, as_seen, link
from leadscore.store.firms.merging import Origins, Record, all_merged, firms_frame
from leadscore.store.firms.records import Records, field_records
from leadscore.store.firms.writing import write_firms
from leadscore.store.lists.failed_rows import failed_rows, keep_failed_rows
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
from leadscore.store.ranking.scored_firms import (
    PAUSE_SECONDS,
    WRITTEN_AT_ONCE,
    ScoredFirms,
    score_firms,
    write_scores,
)
from leadscore.store.ranking.standings import STANDINGS

_TWICE = Text(
    zh="每家企业一行；此行的企业（编号 {id}）刚由本名单的另一行写入",
    en="each firm once; another row of the list was stored as this firm, number {id}",
)

_ADD_MEMBER = LIST_FIRMS.insert().values(
    order_key=select(STANDINGS.c.order_key)
    .where(STANDINGS.c.firm_id == bindparam("placed"))
    .scalar_subquery()
)


@dataclass(frozen=True, eq=False)
class Look:
    """What is to be written, if the store is still as it was.

    Attributes
    ----------
    linked
        The rows that aren't stored yet, and which firms they are.
    said
        What the list says of each.
    records, origins
        What is known of each once it has, and where each field is from.
    scored
        Their scores.
    """

    linked: Linked
    said: Records
    records: list[Record]
    origins: list[Origins]
    scored: ScoredFirms

    def __len__(self) -> int:
        """Return how many firms are yet to be stored."""
        return len(self.records)


def look(
    database: Database,
    kept: KeptList,
    clean: CleanList,
    *,
    scorer: Scorer,
    today: date,
    now: datetime,
    progress: Callable[[int, int], object],
) -> Look:
    """Link, merge and score the rows of a list that are not stored yet.

    Parameters
    ----------
    database
        With the tables of the store.
    kept
        The list.
    clean
        What it says.
    scorer
        The champion.
    today, now
        Day as of which the firms are scored, and when.
    progress
        Told how many firms are scored, and how many there are.
    """
    with database.read() as connection:
        linked = _lacking(connection, kept.id, link(connection, clean))
    said = field_records(linked.firms)
    records, origins = all_merged(
        linked.known, (fields for _, fields in said), linked.firms["row"].tolist(),
        list_id=kept.id, at=now, as_of=kept.as_of,
    )  # fmt: skip
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress(done, len(records))

    scored = score_firms(firms_frame(records), scorer, as_of=today, progress=tell)
    return Look(linked, said, records, origins, scored)


def _lacking(connection: Connection, list_id: int, linked: Linked) -> Linked:
    """Leave out the rows that are stored already, by a worker that was stopped or before others."""
    query = select(LIST_FIRMS.c.sheet, LIST_FIRMS.c.row, LIST_FIRMS.c.firm_id)
    members = connection.execute(query.where(LIST_FIRMS.c.list_id == list_id)).all()
    if not members:
        return linked
    stored = {(member.sheet, member.row) for member in members}
    firms = {member.firm_id for member in members}
    rows, names = linked.firms["row"].tolist(), plain_values(linked.firms["name"])
    places = list(zip(plain_values(linked.firms["sheet"]), rows, strict=True))
    left, problems = [], list(linked.problems)
    for at, (place, firm) in enumerate(zip(places, linked.known, strict=True)):
        if place in stored:
            continue
        if firm is None or firm.id not in firms:
            left.append(at)
            continue
        (sheet, row), wanted = place, _TWICE.format(id=firm.id)
        found = shown(names[at])
        problems.append(Problem(row, None, found, wanted, "repeat", sheet, set_aside=True))
    return replace(
        linked,
        firms=linked.firms.iloc[np.array(left, dtype=np.int64)].reset_index(drop=True),
        known=[linked.known[at] for at in left],
        problems=problems,
    )


def store_part(
    database: Database,
    kept: KeptList,
    look: Look,
    part: slice,
    ours: set[int],
    *,
    now: datetime,
    check: Callable[[], object],
) -> bool:
    """Store some firms in one transaction; False if somebody else has changed one meanwhile.

    Parameters
    ----------
    database
        With the tables of the store.
    kept
        The list.
    look
        What is to be stored.
    part
        Which of its firms.
    ours
        Numbers of the firms that were stored since the look; those of the part are added.
    now
        When; with a time zone.
    check
        Called between the steps; it may raise, and then nothing of the part is stored.
    """
    rows, known = look.linked.firms.iloc[part], look.linked.known[part]
    with database.write() as connection:
        first = next_firm_id(connection)
        if not as_seen(connection, look.linked, part, ours):
            return False
        check()
        firms = write_firms(connection, known, look.records[part], look.origins[part],
                            first=first, now=now)  # fmt: skip
        check()
        seen = {firm.id: (kept.id, row) for firm, row in
                zip(firms, rows["row"].tolist(), strict=True)}  # fmt: skip
        write_scores(connection, firms, look.scored, seen, start=part.start, now=now,
                     source=kept.file_name)  # fmt: skip
        _write_members(connection, kept, look, part, firms)
        check()
    ours.update(firm.id for firm in firms)
    return True


def end_of_list(database: Database, kept: KeptList, clean: CleanList, look: Look) -> Counts:
    """Keep what was wrong with a list of which all firms are stored, and where its rows went."""
    problems = _in_order(clean, look.linked.problems)
    with database.write() as connection:
        counts = _counts(connection, kept.id, clean.rows_in)
        keep_problems(connection, kept.id, problems)
        end_list(
            connection, kept.id, "done", counts=counts_dict(counts), model=look.scored.model,
            notices=[{"zh": notice.zh, "en": notice.en} for notice in clean.notices],
        )  # fmt: skip
    return counts


def _write_members(
    connection: Connection, kept: KeptList, look: Look, part: slice, firms: list[Firm]
) -> None:
    rows = look.linked.firms.iloc[part]
    members = [
        {"list_id": kept.id, "firm_id": firm.id, "placed": firm.id, "row": row, "sheet": sheet,
         "said": None if fields == record else fields}
        for firm, row, sheet, (_, fields), record in zip(
            firms, rows["row"].tolist(), plain_values(rows["sheet"]), look.said[part],
            look.records[part], strict=True,
        )
    ]  # fmt: skip
    connection.execute(_ADD_MEMBER, members)


def _in_order(clean: CleanList, found: list[Problem]) -> list[Problem]:
    """Return all problems by sheet and row, as the list has them."""
    both = (*clean.problems, *found)
    order = {sheet: place for place, sheet in enumerate(dict.fromkeys(p.sheet for p in both))}
    return sorted(both, key=lambda problem: (order[problem.sheet], problem.row or -1))


def _counts(connection: Connection, list_id: int, rows: int) -> Counts:
    """Return where the rows went: what is stored stands in the ranking, the rest was set aside."""
    members = LIST_FIRMS.join(STANDINGS, STANDINGS.c.firm_id == LIST_FIRMS.c.firm_id)
    query = select(STANDINGS.c.vetoed, func.count()).select_from(members)
    grouped = query.where(LIST_FIRMS.c.list_id == list_id).group_by(STANDINGS.c.vetoed)
    stored = {row[0]: row[1] for row in connection.execute(grouped)}
    ranked, vetoed = stored.get(False, 0), stored.get(True, 0)
    return Counts(rows, ranked, vetoed, rows - ranked - vetoed)


Progress = Callable[[float, Text], object]

_READ, _SCORED = 0.15, 0.8  # of all the work, once the file is read and its firms are scored
_LOOKS = 5
"""Looks in vain, one after the other, at a list of which others keep changing the firms."""

_READING = Text(zh="读取名单", en="reading the list")
_SCORING = Text(zh="评分：{done} / {all} 家", en="scoring: {done} of {all} firms")
_STORING = Text(zh="写入：{done} / {all} 家", en="storing: {done} of {all} firms")
_BUSY = Text(
    zh="名单里的企业一再被别人同时修改，没有写完。已写入的保留；请稍后再提交一次。",
    en="others kept changing firms of this list at the same time, and not all of it was stored. "
    "What was stored stays; hand it in again later.",
)


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
        Called often while firms are stored; it may raise to end it, and must not write.

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
        read = read_uploaded(content, kept.file_name, kept.mapping, today=today)
        with database.write() as connection:
            set_state(connection, list_id, "scoring")
            keep_failed_rows(connection, list_id, failed_rows(read))
        last = _stored(database, kept, read.clean, scorer, today, now, progress, check)
        return end_of_list(database, kept, read.clean, last)
    except LeadscoreError as error:
        words = {"code": error.code, "zh": error.render("zh"), "en": error.render("en")}
        with database.write() as connection:
            end_list(connection, list_id, "failed", error=words)
        raise


def _stored(
    database: Database, kept: KeptList, clean: CleanList, scorer: Scorer, today: date,
    now: datetime, progress: Progress, check: Callable[[], object],
) -> Look:  # fmt: skip
    """Store all firms of a list; return the last look at it."""

    def scored(done: int, all_: int) -> None:
        share = _READ + (_SCORED - _READ) * done / max(all_, 1)
        progress(share, _SCORING.format(done=done, all=all_))

    in_vain = 0
    while in_vain < _LOOKS:
        found = look(database, kept, clean, scorer=scorer, today=today, now=now, progress=scored)
        ours: set[int] = set()
        for start in range(0, len(found), WRITTEN_AT_ONCE):
            share = _SCORED + (1 - _SCORED) * start / len(found)
            progress(share, _STORING.format(done=start, all=len(found)))
            part = slice(start, start + WRITTEN_AT_ONCE)
            if not store_part(database, kept, found, part, ours, now=now, check=check):
                break
            time.sleep(PAUSE_SECONDS)
        if len(ours) == len(found):
            return found
        in_vain = 0 if ours else in_vain + 1
    raise StoreError(_BUSY)
