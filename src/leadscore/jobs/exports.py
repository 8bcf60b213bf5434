"""Writes the ranking that is kept to a file for people to fetch, which is gone after a week."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import RowMapping

from leadscore.features.catalogue import CATALOGUE
from leadscore.jobs.context import JobContext
from leadscore.language import Lang, Text
from leadscore.lists.writing import write_ranking
from leadscore.ranking.reasons import signed
from leadscore.ranking.vetoes import WORDING
from leadscore.store.faults import refusals
from leadscore.store.ranking.filter import RankingFilter
from leadscore.store.ranking.pages import facets, whole_ranking

KEPT = timedelta(days=7)
"""How long an export can be fetched."""

_NAME = re.compile(r"export-\d{1,19}\.(csv|xlsx)")
_READ = 0.8  # of all the work, once the ranking is read

_READING = Text(zh="读取排名：{done} / {all} 家", en="reading the ranking: {done} of {all} firms")
_WRITING = Text(zh="写入文件", en="writing the file")
_REASON = Text(zh="{text}（{points}）", en="{text} ({points})")
_JOINT = Text(zh="；", en="; ")
_SAME = ("name", "credit_code", "grade", "priority", "likelihood", "fit", "segment", "role")


def export(context: JobContext, payload: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Write the ranking; exports that are too old are removed first.

    Parameters
    ----------
    context
        Of the job.
    payload
        ``filter`` (fields of `RankingFilter`), ``sort``, ``format`` (``csv`` or ``xlsx``) and
        ``lang``; each may be missing.
    folder
        Where the file goes; made if it is not there.

    Returns
    -------
    Mapping
        ``file`` (its name in the folder), ``rows``, and ``expires_at`` (ISO).

    Raises
    ------
    OutputError, StoreError
        If the file can't be written.
    """
    now = context.clock()
    with refusals(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    remove_expired(folder, now=now)
    asked, lang = RankingFilter(**payload.get("filter", {})), payload.get("lang", "zh")
    parts: list[pd.DataFrame] = []
    with context.database.read() as connection:
        total, done = facets(connection, asked).total, 0
        for firms in whole_ranking(connection, asked, sort=payload.get("sort", "-priority")):
            context.check_cancelled()
            parts.append(ranking_part(firms, lang))
            done += len(firms)
            # SQLite takes no sign of life while it reads; the next one tells this.
            context.note(_READ * done / max(total, 1), _READING.format(done=done, all=total))
    context.progress(_READ, _WRITING)
    table = pd.concat(parts or [ranking_part([], lang)], ignore_index=True)
    ranked = table["veto"].isna()
    table.insert(0, "rank", ranked.cumsum().astype("Int64").mask(~ranked))
    name = f"export-{context.held.id}.{payload.get('format', 'csv')}"
    write_ranking(table, folder / name, lang=lang)
    return {"file": name, "rows": len(table), "expires_at": (now + KEPT).isoformat()}


def ranking_part(firms: Sequence[RowMapping], lang: Lang) -> pd.DataFrame:
    """Return firms of the ranking as it is kept as columns of the ranking as it is written."""
    roles = {level: name.pick(lang) for level, name in CATALOGUE["role"].levels.items()}
    columns: dict[str, list[Any]] = {name: [firm[name] for firm in firms] for name in _SAME}
    columns |= {
        "reasons": [_reasons(firm["reasons"], lang) for firm in firms],
        "veto": [firm["veto"] and WORDING[firm["veto"]].pick(lang) for firm in firms],
        "segments": [firm["segments"] for firm in firms],
        "row": [firm["row"] for firm in firms],
        "model": [firm["model"] for firm in firms],
        "role_name": [roles.get(firm["role"]) for firm in firms],
        "matched_words": [firm["words"] for firm in firms],
        "province": [firm["province"] for firm in firms],
        "city": [firm["city"] for firm in firms],
    }
    fractions = dict.fromkeys(("priority", "likelihood", "fit"), "float64")
    types = dict.fromkeys(columns, "str") | fractions | {"row": "Int64"}
    return pd.DataFrame(columns).astype(types)


def _reasons(reasons: Sequence[Mapping[str, Any]], lang: Lang) -> str:
    shape = _REASON.pick(lang)
    return _JOINT.pick(lang).join(
        shape.format(text=reason[lang], points=signed(reason["points"])) for reason in reasons
    )


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
