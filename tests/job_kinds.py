"""Jobs that tests ask for, and worker processes that do them; a module, so that it can be spawned.

Each leaves a line in a file: what was really done is seen there, not in the table of jobs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from leadscore.errors import ListError
from leadscore.jobs.worker import JobContext, Kind, Timings, work
from leadscore.store.database import Database
from leadscore.text import Text

QUICK = Timings(look=0.05, beat=0.1, lost=60.0, grace=0.3)
DEADLINE = 60.0
"""Seconds after which a test that waits has failed."""


def now() -> datetime:
    return datetime.now(UTC)


def note(payload: Mapping[str, Any], what: str) -> None:
    with Path(payload["file"]).open("a", encoding="utf-8") as file:
        file.write(f"{what}\n")


def noted(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def quick(context: JobContext, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    note(payload, f"{context.held.id}")
    return {"twice": 2 * payload["number"]}


def patient(context: JobContext, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Wait until a file is there; the first attempts are noted with the worker's process."""
    note(payload, f"{os.getpid()}")
    until = time.monotonic() + DEADLINE
    while not Path(payload["until"]).exists():
        context.progress(0.25, Text(zh="等待", en="waiting"))
        time.sleep(0.02)
        assert time.monotonic() < until
    note(payload, "end")
    return {}


def deaf(context: JobContext, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Wait without ever asking whether to go on."""
    note(payload, f"{os.getpid()}")
    until = time.monotonic() + DEADLINE
    while not Path(payload["until"]).exists():
        time.sleep(0.02)
        assert time.monotonic() < until
    return {"attempt": context.held.attempt}


def refused(_context: JobContext, _payload: Mapping[str, Any]) -> Mapping[str, Any]:
    raise ListError(Text(zh="不是名单", en="no list"))


def broken(_context: JobContext, _payload: Mapping[str, Any]) -> Mapping[str, Any]:
    raise KeyError("secret")


def unstorable(_context: JobContext, _payload: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"number": float("nan")}


KINDS = {
    "quick": Kind(quick),
    "patient": Kind(patient),
    "alone": Kind(patient, exclusive=True),
    "deaf": Kind(deaf),
    "refused": Kind(refused),
    "broken": Kind(broken),
    "unstorable": Kind(unstorable),
}


def process(name: str, lifeline: Connection, url: str) -> None:
    work(Database(url), KINDS, now, name=name, lifeline=lifeline, pace=QUICK)


def until_empty(name: str, url: str) -> None:
    """Do jobs until none waits."""
    import threading

    from leadscore.jobs.worker import Worker

    database = Database(url)
    worker = Worker(name, database, KINDS, now, threading.Event(), QUICK)
    while worker.do_one():
        pass
    database.close()


def serve_like(url: str) -> None:
    """Be a server that has a worker, until killed."""
    from leadscore.jobs.worker import Supervisor

    with Supervisor(process, (url,), Database(url), now):
        time.sleep(DEADLINE)
