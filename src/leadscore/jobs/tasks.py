"""What jobs do: take a list in, score all firms anew, retrain, write a workbook to be fetched."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Connection, column, select, table

from leadscore.errors import Detail, LeadscoreError
from leadscore.jobs.kinds import RESCORE, JobContext, Workplace
from leadscore.lists.writing import write_ranking
from leadscore.ranking.reasons import Wording
from leadscore.store.errors import refusals
from leadscore.store.filters import RankingFilter
from leadscore.store.firms import count_firms
from leadscore.store.jobs import list_jobs, submit
from leadscore.store.list_import import take_in_list
from leadscore.store.lists import counts_dict
from leadscore.store.models import mirror
from leadscore.store.outcomes import read_outcomes
from leadscore.store.ranking import how_many, written_parts
from leadscore.store.scoring import rescore as score_anew
from leadscore.store.snapshots import read_snapshots
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    from leadscore.registry.models import Shelf

WORDS = room_words("jobs")


# Named only: the module of that table brings pandas along, which a command that turns back to
# another model must not wait for.
_STANDINGS = table("standings", column("firm_id"), column("model"))


def tell_store(
    connection: Connection, shelf: Shelf, city_id: str, *, by: str, now: datetime
) -> int | None:
    """Mirror the models, and return the number of the job that scores all firms by the champion.

    A job of that kind that waits already is the one: it asks for the champion when it begins.

    Parameters
    ----------
    connection
        Within a write transaction, begun before or after the champion was changed.
    shelf
        Where the champion is named.
    city_id
        The city.
    by
        Who asks for the job.
    now
        When; with a time zone.

    Returns
    -------
    None if every firm that is kept has its score by the champion.
    """
    champion = mirror(connection, shelf, city_id, now=now)
    if champion is None:
        return None
    others = select(_STANDINGS.c.firm_id).where(_STANDINGS.c.model != champion).limit(1)
    if connection.scalar(others) is None:
        return None
    waiting = list_jobs(connection, states=["waiting"], kinds=[RESCORE], limit=1)
    return waiting[0].id if waiting else submit(connection, RESCORE, {}, by=by, now=now)


def import_list(
    context: JobContext, payload: Mapping[str, Any], workplace: Workplace
) -> Mapping[str, Any]:
    """Read, score and keep a list by the champion.

    Parameters
    ----------
    context
        Of the job.
    payload
        ``list_id``: a list that waits.
    workplace
        Whose champion scores.

    Returns
    -------
    Mapping
        ``list_id`` and where its rows went: ``rows``, ``ranked``, ``vetoed``, ``set_aside``.
    """
    now = workplace.clock()
    counts = take_in_list(
        context.database,
        payload["list_id"],
        scorer=workplace.scorer(),
        now=now,
        today=now.astimezone().date(),
        progress=context.progress,
        check=context.check_cancelled,
    )
    return {"list_id": payload["list_id"], **counts_dict(counts)}


def rescore(
    context: JobContext,
    payload: Mapping[str, Any],  # noqa: ARG001 (every kind is given one)
    workplace: Workplace,
) -> Mapping[str, Any]:
    """Score every firm by the champion.

    Parameters
    ----------
    context
        Of the job.
    payload
        Nothing.
    workplace
        Whose champion scores.

    Returns
    -------
    Mapping
        ``firms``, how many were scored, and ``model``, by which.
    """
    with context.database.read() as connection:
        total = count_firms(connection)
    done = 0

    def told(more: int) -> None:
        nonlocal done
        context.check_cancelled()
        done += more
        context.progress(
            min(done / max(total, 1), 1.0), WORDS["tasks.scoring"].format(done=done, all=total)
        )

    scorer = workplace.scorer()
    count = score_anew(
        context.database,
        scorer=scorer,
        today=workplace.clock().astimezone().date(),
        clock=workplace.clock,
        progress=told,
    )
    with context.database.write() as connection:  # opening the champion may have made a version
        mirror(connection, workplace.shelf, scorer.city.id, now=workplace.clock())
    return {"firms": count, "model": scorer.model}


_STAGES = 7
"""Stages that a retraining tells of: reading, then six of its own."""


def retrain(
    context: JobContext, payload: Mapping[str, Any], workplace: Workplace
) -> Mapping[str, Any]:
    """Learn from outcomes, and let a better model serve from then on.

    It can be cancelled between two stages, the last time before the challenger is saved.

    Parameters
    ----------
    context
        Of the job.
    payload
        ``as_of`` (ISO date or None: today), ``dry_run`` (bool) and ``promote_anyway`` (the reason
        of a person who overrules the gates, or None); each may be missing.
    workplace
        The city, the shelf, and what is forecast.

    Returns
    -------
    Mapping
        ``version``, ``champion`` (what served until now), ``serves`` (what serves from now on),
        ``promoted``, ``dry_run``, ``decision`` as
        `leadscore.learning.comparison.Decision.to_dict` gives it, and the
        sentences ``preface`` and ``upshot`` {zh, en}.
    """
    # Imported late: other tasks, and the routes of exports, need no fitting.
    from leadscore.learning.retrain import retrain as walk

    stage = 0

    def told(words: Text) -> None:
        nonlocal stage
        context.progress(stage / _STAGES, words)
        stage += 1

    told(WORDS["tasks.reading_history"])
    now = workplace.clock()
    with context.database.read() as connection:
        events, snapshots = read_outcomes(connection), read_snapshots(connection)
    as_of = payload.get("as_of")
    notices: list[Text] = []
    city = workplace.city()
    done = walk(
        city,
        events,
        snapshots,
        workplace.shelf,
        as_of=date.fromisoformat(as_of) if as_of else now.astimezone().date(),
        now=now,
        rules=workplace.rules(),
        dry_run=bool(payload.get("dry_run", False)),
        overrule=payload.get("promote_anyway"),
        progress=told,
        notify=notices.append,
    )
    with context.database.write() as connection:
        tell_store(connection, workplace.shelf, city.id, by="job", now=now)
    return {
        "version": done.version,
        "champion": done.champion,
        "serves": done.serves,
        "promoted": done.decision.promoted,
        "dry_run": done.dry_run,
        "decision": done.decision.to_dict(),
        "preface": [_both(text) for text in (*notices, *done.preface)],
        "upshot": _both(done.upshot),
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


KEPT = timedelta(days=7)
"""How long an export can be fetched."""

# Earlier versions wrote CSV, too: those files go with their week.
_NAME = re.compile(r"export-\d{1,19}\.(csv|xlsx)")
_READ = 0.8  # of all the work, once the ranking is read


class ExportGoneError(LeadscoreError):
    """An export that was possible, or was there, and is no more."""

    code = "gone"


def check_format(payload: Mapping[str, Any]) -> None:
    """Refuse what asks for CSV, as is meant where no format is named.

    Raises
    ------
    ExportGoneError
        Naming the route that sends it.
    """
    kind = payload.get("format", "csv")
    if kind != "xlsx":
        raise ExportGoneError(
            WORDS["tasks.csv_streams"], [Detail("format", kind, WORDS["tasks.xlsx"])]
        )


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
    ExportGoneError
        As `check_format`.
    OutputError, StoreError
        If the file can't be written.
    """
    check_format(payload)
    now, folder = context.clock(), workplace.exports
    wording = Wording(workplace.city())
    with refusals(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    remove_expired(folder, now=now)
    asked, lang = RankingFilter(**payload.get("filter", {})), payload.get("lang", "zh")
    parts: list[pd.DataFrame] = []
    with context.database.read() as connection:
        total, done = how_many(connection, asked), 0
        sort = payload.get("sort", "-priority")
        for firms, table in written_parts(connection, asked, wording, lang, sort=sort):
            context.check_cancelled()
            parts.append(table)
            done += len(firms)
            # SQLite takes no sign of life while it reads; the next one tells this.
            context.note(
                _READ * done / max(total, 1), WORDS["tasks.reading"].format(done=done, all=total)
            )
    context.progress(_READ, WORDS["tasks.writing"])
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
