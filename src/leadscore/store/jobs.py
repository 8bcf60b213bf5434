"""The jobs: work that takes longer than a request, who does which, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    func,
    insert,
    or_,
    select,
    update,
)

from leadscore.errors import Detail, LeadscoreError
from leadscore.store.database import METADATA, Json, Moment, Number, storable_text
from leadscore.store.errors import StoreError
from leadscore.text import Text, room_words

WORDS = room_words("store")


State = Literal["waiting", "running", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
OPEN: tuple[State, ...] = ("waiting", "running")
"""States of a job that is still to end."""

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", Number, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(10), nullable=False),
    Column("progress", Float, nullable=False),
    Column("words", Json),
    Column("result", Json),
    Column("error", Json),
    Column("submitted_by", String(100), nullable=False),
    Column("submitted_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("worker", String(100)),
    Column("heartbeat_at", Moment),
    Column("cancel_requested", Boolean, nullable=False),
    Index("ix_jobs_state_id", "state", "id"),
)
"""One row a job; ``words`` and the message of ``error`` are in both languages."""

LONGEST_PAGE = 500
"""Jobs that are listed at once."""

_UNKNOWN = WORDS["jobs.unknown"]


class UnknownJobError(StoreError):
    """A number that no job has."""

    code = "unknown_job"


class EndedJobError(StoreError):
    """A job that can't be cancelled because it has ended."""

    code = "ended_job"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands.

    Attributes
    ----------
    id
        Its number; who asked first has the lower one.
    kind, payload
        What is to be done, and with what.
    state
        ``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``.
    progress
        0..1.
    words
        What is being done; None if nothing was said of it yet.
    result
        What came of it; None unless done.
    error
        ``code``, ``message`` {zh, en} and ``details``; None unless failed.
    attempts
        How often it was begun.
    worker
        Who does or did it.
    """

    id: int
    kind: str
    payload: Mapping[str, Any]
    state: State
    progress: float
    words: Text | None
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    submitted_by: str
    submitted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    worker: str | None
    heartbeat_at: datetime | None
    cancel_requested: bool


@dataclass(frozen=True, slots=True)
class QueueState:
    """How the queue is: jobs by state, and since when the oldest one waits."""

    counts: Mapping[State, int]
    waiting_since: datetime | None
    last_beat: datetime | None


def submit(
    connection: Connection, kind: str, payload: Mapping[str, Any], *, by: str, now: datetime
) -> int:
    """Ask for a job, and return its number.

    Parameters
    ----------
    connection
        Within the transaction of whatever asks for it: both are there or neither.
    kind
        What is to be done; a worker that doesn't know it leaves it waiting.
    payload
        Plain values.
    by
        Who asks.
    now
        When; with a time zone.
    """
    values = {
        "kind": kind, "payload": dict(payload), "state": "waiting", "progress": 0.0,
        "submitted_by": by, "submitted_at": now, "attempts": 0, "cancel_requested": False,
    }  # fmt: skip
    number: int = connection.execute(insert(JOBS).values(values).returning(JOBS.c.id)).scalar_one()
    return number


def read_job(connection: Connection, number: int, *, lock: bool = False) -> Job:
    """Return a job; with ``lock`` nobody else changes it until the transaction ends.

    Raises
    ------
    UnknownJobError
        If there is none with this number.
    """
    query = select(JOBS).where(JOBS.c.id == number)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UnknownJobError(_UNKNOWN.format(id=number))
    return job_of(row)


def open_jobs(connection: Connection, kind: str) -> Sequence[Job]:
    """Return the jobs of a kind that wait or run, the newest first."""
    return list_jobs(connection, states=OPEN, kinds=[kind])


def list_jobs(
    connection: Connection,
    *,
    states: Collection[State] = (),
    kinds: Collection[str] = (),
    before: int | None = None,
    limit: int = 50,
) -> Sequence[Job]:
    """Return jobs, the newest first.

    Parameters
    ----------
    states, kinds
        Only these; all if empty.
    before
        Only jobs with a lower number: the last one of the page before.
    limit
        At most `LONGEST_PAGE`.
    """
    query = select(JOBS).order_by(JOBS.c.id.desc()).limit(min(limit, LONGEST_PAGE))
    if states:
        query = query.where(JOBS.c.state.in_(states))
    if kinds:
        query = query.where(JOBS.c.kind.in_(kinds))
    if before is not None:
        query = query.where(JOBS.c.id < before)
    return [job_of(row) for row in connection.execute(query)]


def request_cancel(connection: Connection, number: int, *, now: datetime) -> Job:
    """Cancel a job that waits, or ask the worker of a running one to stop; return the job.

    Asking twice changes nothing.

    Raises
    ------
    UnknownJobError
        If there is none with this number.
    EndedJobError
        If it is done or has failed.
    """
    job = read_job(connection, number, lock=True)
    if job.state in ("done", "failed"):
        raise EndedJobError(WORDS["jobs.ended"].format(id=number, state=job.state))
    if job.state == "cancelled":
        return job
    values: dict[str, Any] = {"cancel_requested": True}
    if job.state == "waiting":
        values |= {"state": "cancelled", "ended_at": now}
    connection.execute(update(JOBS).where(JOBS.c.id == number).values(values))
    return read_job(connection, number)


def queue_state(connection: Connection) -> QueueState:
    """Return how many jobs there are by state, and since when the oldest one waits."""
    rows = connection.execute(select(JOBS.c.state, func.count()).group_by(JOBS.c.state))
    found = {row[0]: row[1] for row in rows}
    waiting = select(JOBS.c.submitted_at).where(JOBS.c.state == "waiting").order_by(JOBS.c.id)
    beats = select(func.max(JOBS.c.heartbeat_at)).where(JOBS.c.state == "running")
    return QueueState(
        counts={state: found.get(state, 0) for state in STATES},
        waiting_since=connection.scalar(waiting.limit(1)),
        last_beat=connection.scalar(beats),
    )


def job_of(row: Row[Any]) -> Job:
    """Return the job of a row of `JOBS`."""
    values = dict(row._mapping)  # noqa: SLF001 (its public name, see SQLAlchemy's documentation)
    words = values.pop("words")
    return Job(words=words and Text(zh=words["zh"], en=words["en"]), **values)


MOST_ATTEMPTS = 3
"""How often a job is begun whose worker dies."""

_LOCK = 0x6A6F6273
"""Number of the lock that claims of exclusive jobs take on PostgreSQL: ``jobs`` in ASCII."""


Claim = Literal["holds", "cancel", "lost"]


@dataclass(frozen=True, slots=True)
class Held:
    """A claim: which job, in whose hands, at which attempt."""

    id: int
    worker: str
    attempt: int


def claim(
    connection: Connection,
    *,
    worker: str,
    kinds: Collection[str],
    exclusive: Collection[str],
    now: datetime,
) -> Job | None:
    """Take the oldest job that waits, and return it; None if there is nothing to do.

    Parameters
    ----------
    connection
        Within a write transaction: on SQLite it excludes other workers; on PostgreSQL they pass
        over the row that is locked here.
    worker
        Who takes it.
    kinds
        What the worker can do.
    exclusive
        Kinds of which only one job may run at a time.
    now
        When; with a time zone.
    """
    able = set(kinds)
    while able:
        found = connection.execute(
            select(JOBS.c.id, JOBS.c.kind)
            .where(JOBS.c.state == "waiting", JOBS.c.kind.in_(able))
            .order_by(JOBS.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if found is None:
            return None
        if found.kind not in exclusive or _alone(connection, found.kind):
            return _begin(connection, found.id, worker, now)
        able.remove(found.kind)
    return None


def _alone(connection: Connection, kind: str) -> bool:
    """Tell whether no job of a kind runs; on PostgreSQL none begins until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    running = select(JOBS.c.id).where(JOBS.c.state == "running", JOBS.c.kind == kind)
    return connection.scalar(running.limit(1)) is None


def _begin(connection: Connection, number: int, worker: str, now: datetime) -> Job:
    begun = (
        update(JOBS)
        .where(JOBS.c.id == number)
        .values(
            state="running", worker=worker, attempts=JOBS.c.attempts + 1,
            started_at=now, heartbeat_at=now, progress=0.0, words=None,
        )
        .returning(*JOBS.c)
    )  # fmt: skip
    return job_of(connection.execute(begun).one())


def beat(
    connection: Connection,
    held: Held,
    *,
    now: datetime,
    progress: float | None = None,
    words: Text | None = None,
) -> Claim:
    """Say that the work goes on, and how far it is; return whether it is still wanted.

    Returns
    -------
    Claim
        ``holds``; ``cancel`` if somebody wants it stopped; ``lost`` if it is no longer this
        worker's.
    """
    values: dict[str, Any] = {"heartbeat_at": now}
    if progress is not None:
        values["progress"] = progress
    if words is not None:
        values["words"] = {"zh": words.zh, "en": words.en}
    beaten = update(JOBS).where(*_still(held)).values(values).returning(JOBS.c.cancel_requested)
    cancel = connection.execute(beaten).scalar_one_or_none()
    return "lost" if cancel is None else "cancel" if cancel else "holds"


def finish(connection: Connection, held: Held, result: Mapping[str, Any], *, now: datetime) -> bool:
    """Keep what came of a job; False if it is no longer this worker's, and nothing was kept."""
    return _end(connection, held, now, state="done", progress=1.0, result=dict(result), error=None)


def fail(connection: Connection, held: Held, error: LeadscoreError, *, now: datetime) -> bool:
    """Keep why a job failed; False if it is no longer this worker's."""
    return _end(connection, held, now, state="failed", error=error_record(error))


def cancelled(connection: Connection, held: Held, *, now: datetime) -> bool:
    """Note that a job was stopped as somebody wished; False if it is no longer this worker's."""
    return _end(connection, held, now, state="cancelled")


def put_back(connection: Connection, held: Held) -> bool:
    """Let a job wait again because its worker is being stopped; the attempt doesn't count."""
    values = {
        "state": "waiting", "worker": None, "heartbeat_at": None, "started_at": None,
        "progress": 0.0, "words": None, "attempts": held.attempt - 1,
    }  # fmt: skip
    return connection.execute(update(JOBS).where(*_still(held)).values(values)).rowcount == 1


def requeue_lost(
    connection: Connection,
    *,
    now: datetime,
    silent: timedelta,
    worker: str | None = None,
) -> list[int]:
    """Let jobs wait again whose worker is dead, and return their numbers.

    One that was begun `MOST_ATTEMPTS` times fails and says so; one that was to be cancelled is.

    Parameters
    ----------
    connection
        Within a write transaction.
    now
        Time with a zone.
    silent
        A worker that hasn't been heard of for so long is dead.
    worker
        A worker that is known to be dead, however recently it was heard of.
    """
    dead = JOBS.c.heartbeat_at < now - silent
    rows = connection.execute(
        select(JOBS.c.id, JOBS.c.worker, JOBS.c.attempts, JOBS.c.cancel_requested)
        .where(JOBS.c.state == "running", or_(dead, JOBS.c.worker == worker) if worker else dead)
        .order_by(JOBS.c.id)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        held = Held(row.id, row.worker, row.attempts)
        if row.cancel_requested:
            cancelled(connection, held, now=now)
        elif row.attempts >= MOST_ATTEMPTS:
            fail(
                connection,
                held,
                LostWorkerError(WORDS["jobs.lost"].format(times=row.attempts)),
                now=now,
            )
        else:
            waiting = {"state": "waiting", "worker": None, "heartbeat_at": None}
            connection.execute(update(JOBS).where(*_still(held)).values(waiting))
    return [row.id for row in rows]


class LostWorkerError(LeadscoreError):
    """A job whose worker died whenever it was tried."""

    code = "worker_lost"


def error_record(error: LeadscoreError) -> dict[str, Any]:
    """Return an error as it is kept: code, message in both languages, and the places."""
    return {
        "code": error.code,
        "message": {"zh": error.message.zh, "en": error.message.en},
        "details": [_detail_record(detail) for detail in error.details],
    }


def _detail_record(detail: Detail) -> dict[str, Any]:
    wanted = {"zh": detail.wanted.zh, "en": detail.wanted.en}
    return {
        "where": storable_text(detail.where),
        "got": storable_text(detail.got),
        "wanted": wanted,
    }


def _still(held: Held) -> tuple[ColumnElement[bool], ...]:
    return (
        JOBS.c.id == held.id,
        JOBS.c.state == "running",
        JOBS.c.worker == held.worker,
        JOBS.c.attempts == held.attempt,
    )


def _end(connection: Connection, held: Held, now: datetime, **values: Any) -> bool:
    ended = update(JOBS).where(*_still(held)).values(ended_at=now, heartbeat_at=now, **values)
    return connection.execute(ended).rowcount == 1
