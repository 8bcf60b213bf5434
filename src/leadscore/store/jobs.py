"""The jobs: work that takes longer than a request, who does which, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row

from leadscore.errors import LeadscoreError
from leadscore.store.database import METADATA, Id, StoreError, columns_of, insert_row, storable_text
from leadscore.text import Text, room_words

WORDS = room_words("store")

State = Literal["waiting", "running", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
OPEN: tuple[State, ...] = ("waiting", "running")
"""States of a job that is still to end."""

LONGEST_PAGE = 500
"""Jobs that are listed at once."""


class UnknownJobError(StoreError):
    """A number that no job has."""

    code = "unknown_job"


MOST_WAITING = 50
"""Jobs of one person that may wait at the same moment."""


class TooManyJobsError(StoreError):
    """A job too many of somebody whose others still wait."""

    code = "too_many_jobs"


class EndedJobError(StoreError):
    """A job that can't be cancelled because it has ended."""

    code = "ended_job"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands.

    ``progress`` is 0..1; ``words`` say what is being done, None if nothing was said of it yet;
    ``result`` is None unless done, ``error`` (``code``, ``message`` {zh, en} and ``details``) None
    unless failed; ``attempts`` counts how often it was begun.
    """

    id: Id
    kind: Annotated[str, sa.String(40)]
    payload: Mapping[str, Any]
    state: Annotated[State, sa.String(10)]
    progress: float
    words: Text | None
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    submitted_by: Annotated[str, sa.String(100)]
    submitted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    worker: Annotated[str | None, sa.String(100)]
    heartbeat_at: datetime | None
    cancel_requested: bool


JOBS = sa.Table(
    "jobs",
    METADATA,
    *columns_of(Job),
    sa.Index("ix_jobs_state_id", "state", "id"),
    sa.Index("ix_jobs_submitted_by_started_at", "submitted_by", "started_at"),
)


@dataclass(frozen=True, slots=True)
class QueueState:
    """How the queue is: jobs by state, and since when the oldest one waits."""

    counts: Mapping[State, int]
    waiting_since: datetime | None
    last_beat: datetime | None


def submit(
    connection: Connection, kind: str, payload: Mapping[str, Any], *, by: str, now: datetime,
    most: int | None = MOST_WAITING,
) -> int:  # fmt: skip
    """Ask for a job within the caller's transaction, and return its number.

    Raises `TooManyJobsError` if ``most`` jobs of this person wait already; None where the program
    itself wants the job.
    """
    if most is not None:
        query = sa.select(sa.func.count()).select_from(JOBS)
        query = query.where(JOBS.c.state == "waiting", JOBS.c.submitted_by == by)
        if (count := connection.scalar(query) or 0) >= most:
            raise TooManyJobsError(WORDS["jobs.too_many"].format(by=by, count=count, most=most))
    values = {
        "kind": kind, "payload": dict(payload), "state": "waiting", "progress": 0.0,
        "submitted_by": by, "submitted_at": now, "attempts": 0, "cancel_requested": False,
    }  # fmt: skip
    return insert_row(connection, JOBS, values)


def read_job(connection: Connection, number: int, *, lock: bool = False) -> Job:
    """Return a job, locked if asked for; raises `UnknownJobError`."""
    query = sa.select(JOBS).where(JOBS.c.id == number)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UnknownJobError(WORDS["jobs.unknown"].format(id=number))
    return _job(row)


def open_jobs(connection: Connection, kind: str) -> Sequence[Job]:
    """Return the jobs of a kind that wait or run, the newest first."""
    return list_jobs(connection, states=OPEN, kinds=[kind])


def list_jobs(
    connection: Connection, *, states: Collection[State] = (), kinds: Collection[str] = (),
    before: int | None = None, limit: int = 50,
) -> Sequence[Job]:  # fmt: skip
    """Return at most `LONGEST_PAGE` jobs of these states and kinds, all if empty, the newest first.

    ``before`` is the number of the last job of the page before.
    """
    query = sa.select(JOBS).order_by(JOBS.c.id.desc()).limit(min(limit, LONGEST_PAGE))
    if states:
        query = query.where(JOBS.c.state.in_(states))
    if kinds:
        query = query.where(JOBS.c.kind.in_(kinds))
    if before is not None:
        query = query.where(JOBS.c.id < before)
    return [_job(row) for row in connection.execute(query)]


def request_cancel(connection: Connection, number: int, *, now: datetime) -> Job:
    """Cancel a job that waits, or ask the worker of one to stop; raises `EndedJobError`."""
    job = read_job(connection, number, lock=True)
    if job.state in ("done", "failed"):
        raise EndedJobError(WORDS["jobs.ended"].format(id=number, state=job.state))
    if job.state == "cancelled":
        return job
    values: dict[str, Any] = {"cancel_requested": True}
    if job.state == "waiting":
        values |= {"state": "cancelled", "ended_at": now}
    connection.execute(sa.update(JOBS).where(JOBS.c.id == number).values(values))
    return read_job(connection, number)


def queue_state(connection: Connection) -> QueueState:
    """Return how many jobs there are by state, and since when the oldest one waits."""
    rows = connection.execute(sa.select(JOBS.c.state, sa.func.count()).group_by(JOBS.c.state))
    found = {row[0]: row[1] for row in rows}
    waiting = sa.select(JOBS.c.submitted_at).where(JOBS.c.state == "waiting").order_by(JOBS.c.id)
    beats = sa.select(sa.func.max(JOBS.c.heartbeat_at)).where(JOBS.c.state == "running")
    return QueueState(
        counts={state: found.get(state, 0) for state in STATES},
        waiting_since=connection.scalar(waiting.limit(1)),
        last_beat=connection.scalar(beats),
    )


def _job(row: Row[Any]) -> Job:
    return Job(**row._asdict() | {"words": row.words and Text(**row.words)})


_MOST_ATTEMPTS = 3  # of a job whose worker dies
_LOCK = 0x6A6F6273  # that claims of exclusive jobs take on PostgreSQL: ``jobs`` in ASCII

Claim = Literal["holds", "cancel", "lost"]


@dataclass(frozen=True, slots=True)
class Held:
    """A claim: which job, in whose hands, at which attempt."""

    id: int
    worker: str
    attempt: int


_BEGUN = JOBS.alias("begun")
_LAST_TURN = (
    sa.select(sa.func.max(_BEGUN.c.started_at))
    .where(_BEGUN.c.submitted_by == JOBS.c.submitted_by)
    .scalar_subquery()
)


def any_open(connection: Connection) -> bool:
    """Tell whether a job waits, or is in somebody's hands."""
    unfinished = sa.select(JOBS.c.id).where(JOBS.c.state.in_(("waiting", "running"))).limit(1)
    return connection.scalar(unfinished) is not None


def claim(
    connection: Connection, *, worker: str, kinds: Collection[str], exclusive: Collection[str],
    now: datetime,
) -> Job | None:  # fmt: skip
    """Take the next job of these kinds that waits, and return it; None if there is nothing to do.

    What was begun and interrupted goes on first; then it is the turn of whose last job was begun
    the longest ago, with the oldest of theirs: many jobs of one person hold up nobody else. Only
    one job of an exclusive kind runs at a time. A write transaction excludes other workers on
    SQLite; on PostgreSQL they pass over the row that is locked here.
    """
    able = set(kinds)
    while able:
        found = connection.execute(
            sa.select(JOBS.c.id, JOBS.c.kind)
            .where(JOBS.c.state == "waiting", JOBS.c.kind.in_(able))
            .order_by(JOBS.c.started_at.is_(None), sa.nulls_first(_LAST_TURN), JOBS.c.id)
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
    # On PostgreSQL none begins until the transaction ends.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    running = sa.select(JOBS.c.id).where(JOBS.c.state == "running", JOBS.c.kind == kind)
    return connection.scalar(running.limit(1)) is None


def _begin(connection: Connection, number: int, worker: str, now: datetime) -> Job:
    begun = (
        sa.update(JOBS)
        .where(JOBS.c.id == number)
        .values(
            state="running", worker=worker, attempts=JOBS.c.attempts + 1,
            started_at=now, heartbeat_at=now, progress=0.0, words=None,
        )
        .returning(*JOBS.c)
    )  # fmt: skip
    return _job(connection.execute(begun).one())


def beat(
    connection: Connection, held: Held, *, now: datetime, progress: float | None = None,
    words: Text | None = None,
) -> Claim:  # fmt: skip
    """Say that the work goes on; return ``cancel`` or ``lost`` if it is no longer wanted."""
    told = {"progress": progress, "words": words and asdict(words)}
    values = {"heartbeat_at": now} | {name: each for name, each in told.items() if each is not None}
    beaten = sa.update(JOBS).where(*_still(held)).values(values).returning(JOBS.c.cancel_requested)
    cancel = connection.execute(beaten).scalar_one_or_none()
    return "lost" if cancel is None else "cancel" if cancel else "holds"


def finish(connection: Connection, held: Held, result: Mapping[str, Any], *, now: datetime) -> bool:
    """Keep what came of a job; False if it is no longer this worker's, and nothing was kept."""
    return _end(connection, held, now, state="done", progress=1.0, result=dict(result), error=None)


def fail(connection: Connection, held: Held, error: LeadscoreError, *, now: datetime) -> bool:
    """Keep why a job failed; False if it is no longer this worker's."""
    return _end(connection, held, now, state="failed", error=_error_record(error))


def cancelled(connection: Connection, held: Held, *, now: datetime) -> bool:
    """Note that a job was stopped as somebody wished; False if it is no longer this worker's."""
    return _end(connection, held, now, state="cancelled")


def put_back(connection: Connection, held: Held) -> bool:
    """Let a job wait again because its worker is being stopped; the attempt doesn't count."""
    values = {
        "state": "waiting", "worker": None, "heartbeat_at": None, "progress": 0.0, "words": None,
        "attempts": held.attempt - 1,
    }  # fmt: skip
    return connection.execute(sa.update(JOBS).where(*_still(held)).values(values)).rowcount == 1


def requeue_lost(
    connection: Connection, *, now: datetime, silent: timedelta, dead: Collection[str] = ()
) -> list[int]:
    """Let jobs wait again whose worker is dead, and return their numbers.

    A worker that hasn't been heard of for as long as ``silent`` is dead, and so are those that are
    known to be ``dead``, however recently they were heard of. A job that was begun `_MOST_ATTEMPTS`
    times fails and says so; one that was to be cancelled is.
    """
    gone = sa.or_(JOBS.c.heartbeat_at < now - silent, JOBS.c.worker.in_(dead))
    rows = connection.execute(
        sa.select(JOBS.c.id, JOBS.c.worker, JOBS.c.attempts, JOBS.c.cancel_requested)
        .where(JOBS.c.state == "running", gone)
        .order_by(JOBS.c.id)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        held = Held(row.id, row.worker, row.attempts)
        if row.cancel_requested:
            cancelled(connection, held, now=now)
        elif row.attempts >= _MOST_ATTEMPTS:
            lost = LostWorkerError(WORDS["jobs.lost"].format(times=row.attempts))
            fail(connection, held, lost, now=now)
        else:
            waiting = {"state": "waiting", "worker": None, "heartbeat_at": None}
            connection.execute(sa.update(JOBS).where(*_still(held)).values(waiting))
    return [row.id for row in rows]


class LostWorkerError(LeadscoreError):
    """A job whose worker died whenever it was tried."""

    code = "worker_lost"


def _error_record(error: LeadscoreError) -> dict[str, Any]:
    details = [
        {"where": storable_text(detail.where), "got": storable_text(detail.got),
         "wanted": asdict(detail.wanted)}
        for detail in error.details
    ]  # fmt: skip
    return {"code": error.code, "message": asdict(error.message), "details": details}


def _still(held: Held) -> tuple[ColumnElement[bool], ...]:
    return (
        JOBS.c.id == held.id,
        JOBS.c.state == "running",
        JOBS.c.worker == held.worker,
        JOBS.c.attempts == held.attempt,
    )


def _end(connection: Connection, held: Held, now: datetime, **values: Any) -> bool:
    ended = sa.update(JOBS).where(*_still(held)).values(ended_at=now, heartbeat_at=now, **values)
    return connection.execute(ended).rowcount == 1
