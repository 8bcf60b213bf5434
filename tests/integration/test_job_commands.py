"""The commands for jobs, as a user types them."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Done, called, typed, variables, warm_command

from leadscore.store.database import Database
from leadscore.store.jobs import Job, read_job, submit
from leadscore.store.migrations import open_store

DEADLINE = 60.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    open_store(tmp_path / "leadscore.sqlite3").close()
    return tmp_path


def database_of(home: Path) -> Database:
    return Database(home / "leadscore.sqlite3")


def leadscore(home: Path, *arguments: object, by: Callable[..., Done] = called) -> Done:
    return by(*arguments, home=home, LEADSCORE_LANG="en")


def ask(home: Path, kind: str, **payload: Any) -> int:
    with database_of(home).write() as connection:
        return submit(connection, kind, payload, by="wang", now=datetime.now(UTC))


def read(home: Path, number: int) -> Job:
    with database_of(home).read() as connection:
        return read_job(connection, number)


def test_jobs_are_listed_and_cancelled(home: Path) -> None:
    assert leadscore(home, "jobs", "list").stdout == "There are no jobs.\n"
    number = ask(home, "retrain")
    done = leadscore(home, "jobs", "cancel", number)
    assert (done.returncode, done.stdout) == (0, f"job {number} is cancelled.\n")
    listed = leadscore(home, "jobs", "list", "--lang", "zh", by=typed).stdout.splitlines()
    assert listed[0].startswith("编号")
    assert "已取消" in listed[1]
    assert read(home, number).state == "cancelled"


def test_cancelling_what_is_not_there_says_so(home: Path) -> None:
    done = leadscore(home, "jobs", "cancel", 7, by=typed)
    assert (done.returncode, done.stderr) == (2, "there is no job 7\n")


@pytest.mark.measured
def test_a_worker_alone_does_jobs_until_it_is_told_to_stop(home: Path) -> None:
    number = ask(home, "export", format="xlsx")
    with subprocess.Popen(
        [*warm_command(), "worker"],
        env=variables(home, LEADSCORE_LANG="en"),
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        until = time.monotonic() + DEADLINE
        while not read(home, number).ended_at and time.monotonic() < until:
            time.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        _, told = worker.communicate(timeout=DEADLINE)
    job = read(home, number)
    assert (job.state, job.result and job.result["rows"]) == ("done", 0)
    assert (home / "exports" / f"export-{number}.xlsx").is_file()
    assert worker.returncode == 0
    lines = told.splitlines()
    assert lines[0].startswith("waiting for jobs")
    assert lines[-1] == "the worker has stopped"
    assert all(line.startswith("{") for line in lines[1:-1])
