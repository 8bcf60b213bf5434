"""A service as an office runs it: users log in, and a SIMULATED history stands behind the model."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.commands import called, variables, warm_command
from tests.simulation import of_wrong_experts

from leadscore.lists.dedupe import load_list
from leadscore.store.migrations import open_store
from leadscore.store.snapshots import SqlSnapshots

PASSWORD = "orange lantern over the lake"  # noqa: S105 (the tests' own)
_START_SECONDS = 120


@dataclass(frozen=True)
class Office:
    """A running service.

    Attributes
    ----------
    address
        Where it listens.
    link
        Path of the one-time link of the first administrator.
    """

    address: str
    link: str


@contextlib.contextmanager
def running(home: Path) -> Iterator[Office]:
    """Start a service with its worker over a home, and stop it in the end."""
    log = home / "serve.log"
    home.mkdir(parents=True, exist_ok=True)
    command = [*warm_command(), "serve", "--port", "0", "--lang", "en"]
    with log.open("w") as stream:
        process = subprocess.Popen(command, env=variables(home), stderr=stream, stdout=stream)
    try:
        yield Office(
            _told(process, log, r"listens on (http://\S+)"), _told(process, log, r"(/password#\S+)")
        )
    finally:
        process.terminate()
        process.wait(timeout=30)


def remember(home: Path) -> date:
    """Put a SIMULATED history into a home, and return the day on which it ends."""
    history = of_wrong_experts()
    lists, outcomes = history.write(home / "papers")
    database = open_store(home / "leadscore.sqlite3")
    store = SqlSnapshots(database)
    for path, (day, _) in zip(lists, history.lists, strict=True):
        firms = load_list(path, today=day).firms
        now = datetime(2026, 1, 1, tzinfo=UTC)
        store.keep(firms, as_of=day, model="expert", source=path.name, now=now)
    database.close()
    done = called("outcomes", "import", outcomes, home=home)
    assert done.returncode == 0, done.stderr
    return history.until


def come_in(page: Page, name: str = "admin") -> None:
    """Log in as somebody who has `PASSWORD`."""
    page.goto("/login")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.locator(".door button").click()
    expect(page.locator(".who")).to_have_text(name)


def set_password(page: Page, link: str) -> None:
    """Follow a one-time link, and choose `PASSWORD`."""
    page.goto(link)
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.locator(".door button").click()
    expect(page.locator("h1")).to_have_text(re.compile("Log in|登录"))


def _told(process: subprocess.Popen[bytes], log: Path, pattern: str) -> str:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        found = re.search(pattern, log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"the service did not start:\n{log.read_text()}")
