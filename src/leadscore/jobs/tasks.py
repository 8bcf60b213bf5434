"""What jobs do: take a list in, score all firms anew, retrain, write a workbook to be fetched."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Connection

from leadscore.errors import Detail, LeadscoreError, ModelError
from leadscore.files import make_folder
from leadscore.jobs.worker import Clock, JobContext, Kind, Payload
from leadscore.lists.outcomes import Instructions
from leadscore.lists.reading.table import release_memory
from leadscore.lists.writing import write_ranking
from leadscore.store.acts import Intake, take_in
from leadscore.store.audit import AuditTrail, Record
from leadscore.store.bulk import BULK_JOB, counts_of, go_on, read_act
from leadscore.store.champions import CHAMPIONS, champion_line, promote
from leadscore.store.database import Database, refusals, take_turns
from leadscore.store.facets import how_many
from leadscore.store.firms import count_firms
from leadscore.store.jobs import read_job, submit
from leadscore.store.ledgers import (
    ask_for_ledger,
    content_of,
    end_ledger,
    names_of_place,
    read_ledger,
)
from leadscore.store.list_import import as_file, take_in_list
from leadscore.store.list_undo import Undoing, ask_undo, undo_portion, undone_counts
from leadscore.store.lists import add_list, count_members, name_job, read_kept_list
from leadscore.store.models import RESCORE, mirror, sync_models
from leadscore.store.outcomes import read_outcomes
from leadscore.store.ranking import RankingFilter, written_parts
from leadscore.store.scoring import Portions, rescore
from leadscore.store.snapshots import read_dated_facts, read_snapshots
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    from leadscore.city.profile import City
    from leadscore.learning.retrain import Retraining
    from leadscore.learning.training_data import Rules
    from leadscore.ranking.score import Scorer
    from leadscore.registry.models import ModelRegistry

WORDS = room_words("jobs")

RETRAIN, IMPORT_LIST, UNDO_LIST, EXPORT = "retrain", "import_list", "undo_list", "export"
IMPORT_OUTCOMES = "import_outcomes"


@dataclass(frozen=True)
class JobDependencies:
    """What jobs work with, beside the database.

    ``city`` and ``scorer`` open the profile and the champion anew for each job, so that a changed
    one counts from the next job on; ``rules`` are what a retraining forecasts, asked late, because
    they take a second to import; ``exports`` is the folder of the files that exports write;
    ``trail`` is the audit, for what a job changes.
    """

    city: Callable[[], City]
    scorer: Callable[[], Scorer]
    registry: ModelRegistry
    rules: Callable[[], Rules]
    exports: Path
    trail: AuditTrail
    clock: Clock = field(repr=False)


def all_kinds(dependencies: JobDependencies) -> dict[str, Kind]:
    """Return what a worker can do, by name."""
    return {
        RETRAIN: Kind(partial(_retrain, dependencies=dependencies), exclusive=True),
        RESCORE: Kind(partial(_rescore, dependencies=dependencies), exclusive=True),
        IMPORT_LIST: Kind(partial(_import_list, dependencies=dependencies)),
        UNDO_LIST: Kind(partial(_undo_list, dependencies=dependencies)),
        IMPORT_OUTCOMES: Kind(partial(_import_outcomes, dependencies=dependencies)),
        EXPORT: Kind(partial(_export, dependencies=dependencies)),
        BULK_JOB: Kind(partial(_bulk, dependencies=dependencies)),
    }


def submit_list(
    connection: Connection, *, file_name: str, content: bytes, mapping: Mapping[str, str],
    as_of: date, actor: str, now: datetime,
) -> tuple[int, int]:  # fmt: skip
    """Keep a file as a list, ask for the job that takes it in, and return the numbers of both.

    Arguments are as of `leadscore.store.lists.add_list`.
    """
    number = add_list(
        connection, file_name=file_name, content=content, mapping=mapping, as_of=as_of,
        actor=actor, now=now,
    )  # fmt: skip
    job = submit(connection, IMPORT_LIST, {"list_id": number}, by=actor, now=now)
    name_job(connection, number, job)
    return number, job


def _import_list(context: JobContext, payload: Payload, dependencies: JobDependencies) -> Payload:
    now = dependencies.clock()
    try:
        counts = take_in_list(
            context.database, payload["list_id"], scorer=dependencies.scorer(), now=now,
            today=now.astimezone().date(), progress=context.progress, check=context.check_cancelled,
        )  # fmt: skip
    finally:
        release_memory()
    return {"list_id": payload["list_id"], **asdict(counts)}


def submit_undo(connection: Connection, list_id: int, *, actor: str, now: datetime) -> int:
    """Undo the import of a list, ask for the job that does it, and return its number.

    One that was interrupted may be asked for again; raises as `leadscore.store.list_undo.ask_undo`.
    """
    ask_undo(connection, list_id, actor=actor, now=now)
    job = submit(connection, UNDO_LIST, {"list_id": list_id}, by=actor, now=now)
    name_job(connection, list_id, job)
    return job


def _undo_list(context: JobContext, payload: Payload, dependencies: JobDependencies) -> Payload:
    number = payload["list_id"]
    done = take_list_back(
        context.database, number, scorer=dependencies.scorer(), trail=dependencies.trail,
        clock=dependencies.clock, progress=context.progress, check=context.check_cancelled,
    )  # fmt: skip
    return {"list_id": number, **done._asdict()}


def take_list_back(
    database: Database, list_id: int, *, scorer: Scorer, trail: AuditTrail, clock: Clock,
    progress: Callable[[float, Text], object] = lambda _fraction, _words: None,
    check: Callable[[], object] = lambda: None,
) -> Undoing:  # fmt: skip
    """Take back what an undone list has brought, a portion at a time, each with its audit record.

    What was taken back stays so if this ends before its time; then it goes on where it was.
    Returns what has become of all firms of the list.
    """
    portions = Portions(database)
    with database.read() as connection:
        by = read_kept_list(connection, list_id).undone_by or "-"
        total = count_members(connection, list_id)
    left = total
    while True:
        words = WORDS["tasks.undoing"].format(done=total - left, all=total)
        progress((total - left) / max(total, 1), words)
        now, size = clock(), portions.size
        with portions.write(size) as connection:
            check()
            portion = undo_portion(
                connection, list_id, size, scorer=scorer, today=now.astimezone().date(), now=now
            )
            done = portion or undone_counts(read_kept_list(connection, list_id))
            action = "list.undo.portion" if portion else "list.undone"
            about, details = ("list", str(list_id)), done._asdict()
            trail.append(connection, Record(by, "-", action, *about, details=details), now)
            left = count_members(connection, list_id)
        if portion is None:
            return done


def submit_ledger(
    connection: Connection, ledger_id: int, said: Mapping[str, Any], *, actor: str, role: str,
    now: datetime,
) -> int:  # fmt: skip
    """Ask for the job that imports a ledger as it was said to be read, and return its number.

    ``said`` may have ``mapping`` and ``stages`` (see `leadscore.lists.outcomes.Instructions`),
    ``remembered`` and ``skip_rows`` (see `leadscore.store.acts.take_in`).
    """
    payload = {"ledger_id": ledger_id, "role": role}
    job = submit(connection, IMPORT_OUTCOMES, payload, by=actor, now=now)
    ask_for_ledger(connection, ledger_id, job, said)
    return job


def _import_outcomes(
    context: JobContext, payload: Payload, dependencies: JobDependencies
) -> Payload:
    number, now = payload["ledger_id"], dependencies.clock()
    with context.database.read() as connection:
        ledger = read_ledger(connection, number)
        content = content_of(connection, number)
    if content is None:  # the job was begun twice, and had done its work the first time
        return {"ledger_id": number, **(ledger.counts or {})}
    context.progress(0.1, WORDS["tasks.reading_ledger"])
    said = Instructions(
        ledger.said.get("mapping", {}), ledger.said.get("stages", {}),
        here=names_of_place(dependencies.city()),
    )  # fmt: skip

    def settle(connection: Connection, intake: Intake) -> None:
        context.check_cancelled()
        notices = [asdict(notice) for notice in intake.notices]
        end_ledger(
            connection, number, "done", intake.problems, counts=intake.tally, notices=notices
        )

    try:
        with as_file(content, ledger.file_name) as path:
            intake = take_in(
                path, context.database, today=now.astimezone().date(), now=now,
                actor=ledger.uploaded_by, role=payload["role"], trail=dependencies.trail,
                said=said, remembered=bool(ledger.said.get("remembered", True)),
                skip_rows=bool(ledger.said.get("skip_rows", False)), settle=settle,
            )  # fmt: skip
    except LeadscoreError as error:
        text = {"zh": error.render("zh"), "en": error.render("en")}
        with context.database.write() as connection:
            end_ledger(connection, number, "failed", error={"code": error.code, **text})
        raise
    finally:
        release_memory()
    return {"ledger_id": number, **intake.tally}


def _rescore(context: JobContext, _: Payload, dependencies: JobDependencies) -> Payload:
    with context.database.read() as connection:
        total = count_firms(connection)
    done = 0

    def scored(more: int) -> None:
        nonlocal done
        context.check_cancelled()
        done += more
        words = WORDS["tasks.scoring"].format(done=done, all=total)
        context.progress(min(done / max(total, 1), 1.0), words)

    scorer, clock = dependencies.scorer(), dependencies.clock
    today = clock().astimezone().date()
    count = rescore(context.database, scorer=scorer, today=today, clock=clock, progress=scored)
    with context.database.write() as connection:  # opening the champion may have made a version
        mirror(connection, dependencies.registry, scorer.city.id, now=clock())
    return {"firms": count, "model": scorer.model}


def _bulk(context: JobContext, payload: Payload, dependencies: JobDependencies) -> Payload:
    """Do an act on many firms, a portion at a time, each with its audit record.

    What was done stays done if the job is cancelled; one that was interrupted goes on.
    """
    number = payload["act"]
    with context.database.read() as connection:
        act = read_act(connection, number)
    while True:
        context.check_cancelled()
        now = dependencies.clock()
        with context.database.write() as connection:
            portion = go_on(connection, number, now=now, today=now.astimezone().date())
            if portion is not None:
                about, details = ("firms", str(sum(portion.values()))), {"act": number, **portion}
                record = Record(act.by, "-", "bulk.portion", *about, details=details)
                dependencies.trail.append(connection, record, now)
            counts = counts_of(connection, number)
        done = act.total - counts.get(None, 0)
        words = WORDS["tasks.bulk"].format(done=done, all=act.total)
        context.progress(done / max(act.total, 1), words)
        if portion is None or done >= act.total:
            return {"act": number, **{str(name): many for name, many in counts.items()}}


_STAGES = 7  # that a retraining tells of: reading, then six of its own


def _retrain(context: JobContext, payload: Payload, dependencies: JobDependencies) -> Payload:
    """Learn from outcomes, and let a better model serve from then on.

    The payload may have ``as_of`` (ISO date or None: today), ``dry_run`` (bool),
    ``assume_unchanging`` (bool, see `leadscore.learning.training_data.Rules`) and
    ``promote_anyway`` (the reason of a person who overrules the gates, or None). It can be
    cancelled between two stages, the last time before the challenger is saved. Returns ``version``,
    ``champion`` (what served until now), ``serves`` (what serves from now on), ``promoted``,
    ``dry_run``, ``decision`` as `leadscore.learning.comparison.Decision.to_dict` gives it, and the
    sentences ``preface`` and ``upshot`` {zh, en}.
    """
    # Imported late: other tasks, and the routes of exports, need no fitting.
    from leadscore.learning.retrain import retrain

    stage = 0

    def begin(words: Text) -> None:
        nonlocal stage
        context.progress(stage / _STAGES, words)
        stage += 1

    begin(WORDS["tasks.reading_history"])
    now = dependencies.clock()
    city, registry = dependencies.city(), dependencies.registry
    with context.database.read() as connection:
        events, snapshots = read_outcomes(connection, merged=True), read_snapshots(connection)
        facts = read_dated_facts(connection)
        line = champion_line(connection, city.id)
    as_of, notices = payload.get("as_of"), list[Text]()
    done = retrain(
        city, events, snapshots, registry, line,
        as_of=date.fromisoformat(as_of) if as_of else now.astimezone().date(), now=now,
        rules=replace(
            dependencies.rules(), assume_unchanging=bool(payload.get("assume_unchanging", False))
        ),
        facts=facts, dry_run=bool(payload.get("dry_run", False)),
        overrule=payload.get("promote_anyway"), progress=begin, notify=notices.append,
    )  # fmt: skip
    result = {
        "version": done.version, "champion": done.champion, "serves": done.serves,
        "promoted": done.decision.promoted, "dry_run": done.dry_run,
        "decision": done.decision.to_dict(),
        "preface": [asdict(text) for text in (*notices, *done.preface)],
        "upshot": asdict(done.upshot),
    }  # fmt: skip
    with context.database.write() as connection:
        by = read_job(connection, context.held.id).submitted_by
        context.finish(connection, result)
        settle_retraining(
            connection, done, registry, city.id, line, trail=dependencies.trail, by=by, now=now
        )
    return result


def settle_retraining(
    connection: Connection, done: Retraining, registry: ModelRegistry, city_id: str,
    line: Sequence[str], *, trail: AuditTrail, by: str, now: datetime,
) -> int | None:  # fmt: skip
    """Let the challenger serve if it has earned it, with its audit record; see `sync_models`.

    ``line`` is that of the champions that it was compared with: where another one serves by now,
    it is not promoted, and a `ModelError` says so.
    """
    if done.dry_run:
        return None
    if done.decision.promoted:
        take_turns(connection, CHAMPIONS)
        if champion_line(connection, city_id) not in (list(line), [done.version, *line]):
            raise ModelError(WORDS["tasks.champion_changed"].format(version=done.version))
        promote(
            connection, registry, city_id, done.version, act="trained", by=by, now=now,
            reason=done.decision.overruled,
        )  # fmt: skip
    details = {"promoted": done.decision.promoted, "serves": done.serves}
    about = ("model", done.version)
    trail.append(connection, Record(by, "-", "model.retrain", *about, details=details), now)
    return sync_models(connection, registry, city_id, done.serves, by=by, now=now)


KEPT = timedelta(days=7)
"""How long an export can be fetched."""

# Earlier versions wrote CSV, too: those files go with their week.
_NAME = re.compile(r"export-\d{1,19}\.(csv|xlsx)")
_READ = 0.8  # of all the work, once the ranking is read


class ExportGoneError(LeadscoreError):
    """An export that was possible, or was there, and is no more."""

    code = "gone"


def check_format(payload: Payload) -> None:
    """Refuse what asks for CSV, as is meant where no format is named, by an `ExportGoneError`."""
    if (kind := payload.get("format", "csv")) != "xlsx":
        wanted = [Detail("format", kind, WORDS["tasks.xlsx"])]
        raise ExportGoneError(WORDS["tasks.csv_streams"], wanted)


def _export(context: JobContext, payload: Payload, dependencies: JobDependencies) -> Payload:
    """Write the ranking; exports that are too old are removed first.

    The payload has ``format`` (``xlsx``), and perhaps ``filter`` (fields of `RankingFilter`),
    ``sort`` and ``lang``. Returns ``file`` (its name in the folder), ``rows``, and ``expires_at``
    (ISO). Raises `ExportGoneError` for CSV, `OutputError` or `StoreError` if the file can't be
    written.
    """
    check_format(payload)
    now, folder = context.clock(), dependencies.exports
    scorer = dependencies.scorer()
    with refusals(folder):
        make_folder(folder)
    remove_expired(folder, now=now)
    asked, lang = RankingFilter.of(**payload.get("filter", {})), payload.get("lang", "zh")
    parts: list[pd.DataFrame] = []
    with context.database.read() as connection:
        total, done = how_many(connection, asked), 0
        sort = payload.get("sort", "-priority")
        for firms, table in written_parts(connection, asked, scorer, lang, sort=sort):
            parts.append(table)
            done += len(firms)
            words = WORDS["tasks.reading"].format(done=done, all=total)
            context.progress(_READ * done / max(total, 1), words)
    context.progress(_READ, WORDS["tasks.writing"])
    table = pd.concat(parts, ignore_index=True)
    name = f"export-{context.held.id}.xlsx"
    write_ranking(table, folder / name, lang=lang)
    return {"file": name, "rows": len(table), "expires_at": (now + KEPT).isoformat()}


def export_file(folder: Path, name: str, *, now: datetime) -> Path | None:
    """Return the path of an export, or None if there is none such, or not any more."""
    path = folder / name
    there = _NAME.fullmatch(name) and path.is_file() and not _expired(path, now)
    return path if there else None


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
