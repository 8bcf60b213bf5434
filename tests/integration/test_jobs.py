"""Jobs with real worker processes: each done once, none lost, all stopped when asked."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests import job_kinds
from tests.job_kinds import DEADLINE, KINDS, QUICK, noted, now

from leadscore.jobs.worker import BackOff, Supervisor, Worker
from leadscore.store.database import Database
from leadscore.store.jobs import Job, list_jobs, read_job, request_cancel, submit
from leadscore.store.lists import UPLOADS, keep_upload

SPAWN = multiprocessing.get_context("spawn")


def url_of(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def supervised(database: Database) -> Supervisor:
    quick = BackOff(first=0.05, longest=0.1, well=60.0)
    return Supervisor(
        job_kinds.process, (url_of(database),), database, now, back_off=quick, patience=10.0
    )


def ask(database: Database, kind: str, **payload: Any) -> int:
    with database.write() as connection:
        return submit(connection, kind, payload, by="test", now=now())


def read(database: Database, number: int) -> Job:
    with database.read() as connection:
        return read_job(connection, number)


def until(happened: Callable[[], Any]) -> Any:
    """Wait for what other processes do; a test that waits too long has failed."""
    end = time.monotonic() + DEADLINE
    while not (found := happened()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
    return found


def ended(database: Database, number: int) -> Job:
    until(lambda: read(database, number).ended_at)
    return read(database, number)


def here(database: Database) -> Worker:
    return Worker("here", database, KINDS, now, threading.Event(), QUICK)


def test_four_processes_do_each_of_a_thousand_jobs_once(database: Database, tmp_path: Path) -> None:
    file = str(tmp_path / "done")
    with database.write() as connection:
        payloads = ({"file": file, "number": number} for number in range(1000))
        numbers = [
            submit(connection, "quick", each, by="test", now=now(), most=None) for each in payloads
        ]
    workers = [
        SPAWN.Process(target=job_kinds.until_empty, args=(f"worker-{n}", url_of(database)))
        for n in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert Counter(map(int, noted(Path(file)))) == Counter(numbers)
    with database.read() as connection:
        jobs = [
            *list_jobs(connection, states=["done"], limit=500),
            *list_jobs(connection, states=["done"], limit=500, before=numbers[500]),
        ]
    assert sorted(job.id for job in jobs) == numbers
    assert all(job.result == {"twice": 2 * job.payload["number"]} for job in jobs)
    assert {job.attempts for job in jobs} == {1}


@pytest.mark.measured
def test_a_job_whose_worker_is_killed_is_done_by_the_next(
    database: Database, tmp_path: Path
) -> None:
    file, go = tmp_path / "notes", tmp_path / "go"
    with supervised(database):
        number = ask(database, "deaf", file=str(file), until=str(go))
        first = until(lambda: noted(file))[0]
        assert int(first) != os.getpid()
        os.kill(int(first), signal.SIGKILL)
        until(lambda: len(noted(file)) == 2)
        go.touch()
        job = ended(database, number)
    assert (job.state, job.attempts, job.result) == ("done", 2, {"attempt": 2})
    assert noted(file)[1] != first


@pytest.mark.measured
def test_a_running_job_is_cancelled(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    with supervised(database):
        number = ask(database, "patient", file=str(file), until=str(tmp_path / "never"))
        until(lambda: read(database, number).progress)
        assert read(database, number).words
        with database.write() as connection:
            request_cancel(connection, number, now=now())
        assert ended(database, number).state == "cancelled"
    assert "end" not in noted(file)


@pytest.mark.measured
@pytest.mark.parametrize("kind", ["patient", "deaf"])
def test_a_stopped_server_leaves_its_job_for_the_next_one(
    database: Database, tmp_path: Path, kind: str
) -> None:
    file, go = tmp_path / "notes", tmp_path / "go"
    with supervised(database) as supervisor:
        number = ask(database, kind, file=str(file), until=str(go))
        until(lambda: noted(file))
    assert not supervisor.alive
    assert (read(database, number).state, read(database, number).attempts) == ("waiting", 0)
    go.touch()
    with supervised(database):
        assert ended(database, number).state == "done"


@pytest.mark.measured
def test_two_workers_share_the_work_but_not_a_retraining(
    database: Database, tmp_path: Path
) -> None:
    file, go = tmp_path / "notes", tmp_path / "go"
    payload = {"file": str(file), "until": str(go)}
    with supervised(database), supervised(database):
        alone = [ask(database, "alone", **payload) for _ in range(2)]
        beside = ask(database, "quick", file=str(tmp_path / "quick"), number=1)
        assert ended(database, beside).state == "done"
        states = sorted(read(database, number).state for number in alone)
        go.touch()
        done = [ended(database, number) for number in alone]
    assert states == ["running", "waiting"]
    first, second = sorted(done, key=lambda job: job.started_at or now())
    assert first.ended_at is not None
    assert second.started_at is not None
    assert first.ended_at <= second.started_at


def test_a_worker_ends_with_its_parent_however_that_dies(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "notes"
    ask(database, "patient", file=str(file), until=str(tmp_path / "never"))
    parent = SPAWN.Process(target=job_kinds.serve_like, args=(url_of(database),))
    parent.start()
    worker = int(until(lambda: noted(file))[0])
    parent.kill()
    parent.join()
    until(lambda: not _runs(worker))
    with database.read() as connection:
        assert [job.state for job in list_jobs(connection)] == ["waiting"]


def _runs(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_an_error_of_the_asker_is_told_as_it_is(database: Database) -> None:
    number = ask(database, "refused")
    assert here(database).do_one()
    job = read(database, number)
    assert (job.state, job.error and job.error["code"]) == ("failed", "unreadable_list")


@pytest.mark.parametrize("kind", ["broken", "unstorable"])
def test_a_fault_of_ours_is_told_as_ours_and_logged(
    database: Database, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    number = ask(database, kind)
    with caplog.at_level(logging.ERROR, logger="leadscore.jobs"):
        assert here(database).do_one()
    job = read(database, number)
    assert (job.state, job.error and job.error["code"]) == ("failed", "internal_error")
    assert "secret" not in str(job.error)
    assert caplog.records[0].exc_info
    assert not here(database).do_one()


def test_a_worker_lets_files_go_that_nobody_confirmed(database: Database) -> None:
    with database.write() as connection:
        for actor, age in (("li.na", timedelta(days=2)), ("wang", timedelta(hours=2))):
            keep_upload(
                connection, file_name="名单.csv", content=b"x", actor=actor, now=now() - age
            )
    worker = here(database)
    running = threading.Thread(target=worker.run)
    running.start()

    def left() -> list[str]:
        with database.read() as connection:
            return list(
                connection.scalars(select(UPLOADS.c.uploaded_by).where(UPLOADS.c.became.is_(None)))
            )

    until(lambda: left() == ["wang"])
    worker.stopping.set()
    running.join(10)
    assert left() == ["wang"]
