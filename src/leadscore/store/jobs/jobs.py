"""The jobs: work that takes longer than a request, who asked for it, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    func,
    insert,
    select,
    update,
)

from leadscore.language import Text
from leadscore.store.engine.metadata import METADATA, Json, Moment, Number
from leadscore.store.faults import StoreError

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

_UNKNOWN = Text(zh="没有编号为 {id} 的任务", en="there is no job {id}")
_ENDED = Text(
    zh="任务 {id} 已经结束（{state}），不能再取消",
    en="job {id} has ended already ({state}) and can't be cancelled",
)


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
        raise EndedJobError(_ENDED.format(id=number, state=job.state))
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
