"""Takes a list in: from the file to firms that are linked, merged, scored and placed.

Everything is worked out first; then it is written, some firms a transaction, so that officers can
write meanwhile. What is stopped on the way keeps the firms that were stored by then, and goes on
from there when it is taken in again; a firm is there with all that is kept of it, or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime

from leadscore.errors import LeadscoreError
from leadscore.language import Text
from leadscore.lists.cleaning import CleanList
from leadscore.ranking.scoring import Scorer
from leadscore.ranking.walk import Counts
from leadscore.store.engine.database import Database
from leadscore.store.faults import StoreError
from leadscore.store.lists.failed_rows import failed_rows, keep_failed_rows
from leadscore.store.lists.lists import (
    KeptList,
    counts_dict,
    end_list,
    file_of,
    read_kept_list,
    set_state,
)
from leadscore.store.lists.looking import Look, look
from leadscore.store.lists.reading import read_uploaded
from leadscore.store.lists.storing import end_of_list, store_part
from leadscore.store.ranking.scored_firms import PAUSE_SECONDS, WRITTEN_AT_ONCE

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
