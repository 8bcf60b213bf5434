"""Writes the ranking to a workbook for people to fetch, which is gone after a week."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from leadscore.errors import Detail, LeadscoreError
from leadscore.jobs.context import JobContext
from leadscore.jobs.kinds import Workplace
from leadscore.language import Text
from leadscore.lists.writing import write_ranking
from leadscore.store.faults import refusals
from leadscore.store.ranking.filter import RankingFilter
from leadscore.store.ranking.pages import how_many
from leadscore.store.ranking.written import written_parts

KEPT = timedelta(days=7)
"""How long an export can be fetched."""

# Earlier versions wrote CSV, too: those files go with their week.
_NAME = re.compile(r"export-\d{1,19}\.(csv|xlsx)")
_READ = 0.8  # of all the work, once the ranking is read

_READING = Text(zh="读取排名：{done} / {all} 家", en="reading the ranking: {done} of {all} firms")
_WRITING = Text(zh="写入文件", en="writing the file")
_CSV_STREAMS = Text(
    zh="CSV 不再由后台任务写出：GET /api/v1/ranking.csv 以同样的筛选和排序直接给出",
    en="no job writes CSV any more: GET /api/v1/ranking.csv sends it at once, with the same "
    "filters and order",
)
_XLSX = Text(zh="xlsx（后台任务写出）", en="xlsx, which a job writes")


class GoneError(LeadscoreError):
    """An export that was possible, or was there, and is no more."""

    code = "gone"


def check_format(payload: Mapping[str, Any]) -> None:
    """Refuse what asks for CSV, as is meant where no format is named.

    Raises
    ------
    GoneError
        Naming the route that sends it.
    """
    kind = payload.get("format", "csv")
    if kind != "xlsx":
        raise GoneError(_CSV_STREAMS, [Detail("format", kind, _XLSX)])


def export(
    context: JobContext, payload: Mapping[str, Any], workplace: Workplace
) -> Mapping[str, Any]:
    """Write the ranking; exports that are too old are removed first.

    Parameters
    ----------
    context
        Of the job.
    payload
        ``format`` (``xlsx``), and, if they are not missing, ``filter`` (fields of
        `RankingFilter`), ``sort`` and ``lang``.
    workplace
        Whose city names the segments, and in whose folder the file goes; made if it is not there.

    Returns
    -------
    Mapping
        ``file`` (its name in the folder), ``rows``, and ``expires_at`` (ISO).

    Raises
    ------
    GoneError
        As `check_format`.
    OutputError, StoreError
        If the file can't be written.
    """
    check_format(payload)
    now, folder, city = context.clock(), workplace.exports, workplace.city()
    with refusals(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    remove_expired(folder, now=now)
    asked, lang = RankingFilter(**payload.get("filter", {})), payload.get("lang", "zh")
    parts: list[pd.DataFrame] = []
    with context.database.read() as connection:
        total, done = how_many(connection, asked), 0
        sort = payload.get("sort", "-priority")
        for firms, table in written_parts(connection, asked, city, lang, sort=sort):
            context.check_cancelled()
            parts.append(table)
            done += len(firms)
            # SQLite takes no sign of life while it reads; the next one tells this.
            context.note(_READ * done / max(total, 1), _READING.format(done=done, all=total))
    context.progress(_READ, _WRITING)
    table = pd.concat(parts, ignore_index=True)
    name = f"export-{context.held.id}.xlsx"
    write_ranking(table, folder / name, lang=lang)
    return {"file": name, "rows": len(table), "expires_at": (now + KEPT).isoformat()}


def export_file(folder: Path, name: str, *, now: datetime) -> Path | None:
    """Return the path of an export, or None if there is none such, or not any more."""
    path = folder / name
    if not _NAME.fullmatch(name) or not path.is_file() or _expired(path, now):
        return None
    return path


def remove_expired(folder: Path, *, now: datetime) -> int:
    """Remove exports that are too old, and return how many those were; nothing else is touched."""
    removed = 0
    for path in folder.glob("export-*"):
        if _NAME.fullmatch(path.name) and _expired(path, now):
            with contextlib.suppress(OSError):
                path.unlink()
                removed += 1
    return removed


def _expired(path: Path, now: datetime) -> bool:
    try:
        written = path.stat().st_mtime
    except OSError:
        return True
    return now.timestamp() - written > KEPT.total_seconds()
