"""Who does which job: each job has one worker at a time, and none is lost with its worker.

A claim carries the number of the attempt. A worker that was given up for lost and comes back finds
that its claim holds no longer, and can't write over what another one has done meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from leadscore.errors import Detail, LeadscoreError
from leadscore.language import Text
from leadscore.store.engine.texts import storable_text
from leadscore.store.jobs.jobs import JOBS, Job, job_of

MOST_ATTEMPTS = 3
"""How often a job is begun whose worker dies."""

_LOCK = 0x6A6F6273
"""Number of the lock that claims of exclusive jobs take on PostgreSQL: ``jobs`` in ASCII."""

_LOST = Text(
    zh="执行任务的进程中断了 {times} 次，不再重试。原因请查看服务日志；问题排除后请重新提交。",
    en="the worker of this job died {times} times, and it is not tried again. Look in the log of "
    "the service for the reason, mend it, and ask for the job anew.",
)

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
            fail(connection, held, LostWorkerError(_LOST.format(times=row.attempts)), now=now)
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
