"""A list is being taken in when the worker, or the whole service, is killed: it goes on at once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from sqlalchemy import func, select
from tests.commands import variables
from tests.kept_lists import BLADES, TODAY, as_csv, code

from leadscore.jobs.tasks import submit_list
from leadscore.store.current_ranking import SCORES, STANDINGS
from leadscore.store.database import Database
from leadscore.store.firms import FIRMS
from leadscore.store.jobs import Job, read_job
from leadscore.store.lists import LIST_FIRMS, read_kept_list
from leadscore.store.migrations import migrate

CITY = Path(__file__).parents[1] / "cities" / "lakeport.toml"
MANY = 6_000
DEADLINE = 100.0
"""Seconds after which a test that waits has failed."""
GOES_ON_SECONDS = 5.0
"""From the kill, or the start, until a list goes on, or the service is ready."""
BUSY = 4.0
"""How much longer that may take on the clock where other tests want the same two cores; what the
worker spends of processor time until then is bounded by the seconds themselves."""


def until(happened: Callable[[], Any]) -> Any:
    end = time.monotonic() + DEADLINE
    while not (value := happened()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)
    return value


@contextmanager
def serving(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service as it is run, in a process group of its own."""
    words = [sys.executable, "-c", "from leadscore.cli import main; main()"]
    words += ["serve", "--port", "0", "--city", str(CITY)]
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            words, env=variables(home), stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(DEADLINE)


def worker_of(server: int) -> int:
    """Return the process of the worker beside a server."""
    listed = subprocess.run(
        ["ps", "ww", "-o", "pid=,args=", "--ppid", str(server)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "spawn_main" in listed.stdout, listed
    (number,) = [line.split()[0] for line in listed.stdout.splitlines() if "spawn_main" in line]
    return int(number)


def processor_seconds(process: int) -> float:
    """Return what a process has spent of the processor since its start."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_ready(home: Path) -> bool:
    """Tell whether the service that logs into a home was started and says that it is ready."""
    ports = re.findall(r"http://127\.0\.0\.1:(\d+) ", (home / "log").read_text("utf-8"))
    if len(ports) < 2:  # the first one was killed
        return False
    with urlopen(f"http://127.0.0.1:{ports[-1]}/readyz", timeout=DEADLINE) as answer:
        return bool(json.load(answer)["status"] == "ready")


def count(database: Database, query: object) -> int:
    with database.read() as connection:
        return connection.scalar(query) or 0  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("killed", ["worker", "service"])
def test_a_list_goes_on_and_nothing_is_stored_twice(tmp_path: Path, killed: str) -> None:
    database = Database(tmp_path / "leadscore.sqlite3")
    migrate(database)
    rows = [
        {"name": f"第{number}号有限公司", "credit_code": code(number), "main_business": BLADES}
        for number in range(1, MANY + 1)
    ]
    with database.write() as connection:
        number, job_id = submit_list(
            connection, file_name="a.csv", content=as_csv(*rows), mapping={}, as_of=TODAY,
            actor="li.na", now=datetime.now(UTC),
        )  # fmt: skip
    members = select(func.count()).select_from(LIST_FIRMS).where(LIST_FIRMS.c.list_id == number)

    def job() -> Job:
        with database.read() as connection:
            return read_job(connection, job_id)

    with serving(tmp_path) as server:
        until(lambda: count(database, members) or server.poll() is not None)
        if killed == "worker":
            os.kill(worker_of(server.pid), signal.SIGKILL)
        else:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        stored, at = count(database, members), time.monotonic()
        assert 0 < stored < MANY
        if killed == "worker":
            until(lambda: count(database, members) > stored)
            went_on_s, spent_s = time.monotonic() - at, processor_seconds(worker_of(server.pid))
            until(lambda: job().ended_at)
    if killed == "service":
        at = time.monotonic()
        with serving(tmp_path) as server:
            until(lambda: is_ready(tmp_path))
            ready_s = time.monotonic() - at
            until(lambda: count(database, members) > stored)
            went_on_s, spent_s = time.monotonic() - at, processor_seconds(worker_of(server.pid))
            until(lambda: job().ended_at)
        assert ready_s < GOES_ON_SECONDS * BUSY
    assert job().attempts == 2
    assert job().state == "done"
    with database.read() as connection:
        kept = read_kept_list(connection, number)
    assert kept.counts == {"rows": MANY, "ranked": MANY, "vetoed": 0, "set_aside": 0}
    for table in (FIRMS, LIST_FIRMS, SCORES, STANDINGS):
        assert count(database, select(func.count()).select_from(table)) == MANY
    database.close()
    assert went_on_s < GOES_ON_SECONDS * BUSY
    assert spent_s < GOES_ON_SECONDS
