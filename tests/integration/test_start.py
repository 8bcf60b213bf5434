"""What `leadscore serve` says at a start: the link of the administrator, alone and last."""

from __future__ import annotations

import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.commands import typed, variables, warm_command

pytestmark = pytest.mark.measured

ENOUGH_SECONDS = 120.0
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/password#([\w-]{20,})")
PASSWORD = "orange lantern over the lake"  # noqa: S105 (the tests' own)


@contextmanager
def started(home: Path, lang: str, *options: str) -> Iterator[Path]:
    """Run a service whose output goes into a file, and give that once there is an address."""
    home.mkdir(exist_ok=True)
    log = home / "said.log"
    command = [*warm_command(), "serve", "--port", "0", "--lang", lang, *options]
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=variables(home))
    try:
        until = time.monotonic() + ENOUGH_SECONDS
        while not re.search(r"^http://\S+$", log.read_text("utf-8"), re.MULTILINE):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.1)
        yield log
    finally:
        process.terminate()
        process.wait(ENOUGH_SECONDS)


def ready(address: str) -> bool:
    """Tell whether service and worker are both at work."""
    with urllib.request.urlopen(f"{address}/readyz") as answer:  # noqa: S310
        return b'"ready"' in answer.read()


def set_password(address: str, token: str) -> str:
    """Use a link; return the address at which that ends."""
    form = urllib.parse.urlencode({"token": token, "password": PASSWORD}).encode()
    with urllib.request.urlopen(f"{address}/password", form) as answer:  # noqa: S310
        return str(answer.url)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_link_is_the_last_line_also_once_everything_is_at_work(
    tmp_path: Path, lang: str
) -> None:
    with started(tmp_path, lang) as log:
        *before, last = log.read_text("utf-8").splitlines()
        link = LINK.fullmatch(last)
        assert link, last
        assert {"zh": "只能用一次", "en": "it works once"}[lang] in before[-1]
        until = time.monotonic() + ENOUGH_SECONDS
        while not ready(link[1]):
            assert time.monotonic() < until
            time.sleep(0.2)
        # A request is an event; a start says nothing more.
        after = log.read_text("utf-8").splitlines()[len(before) + 1 :]
        assert all('"route": "/readyz"' in line for line in after), after
        assert set_password(*link.groups()).endswith("/login")
    with started(tmp_path, lang, "--demo") as log:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", log.read_text("utf-8").splitlines()[-1])


def test_a_taken_port_costs_the_running_service_no_link(tmp_path: Path) -> None:
    with started(tmp_path, "en") as log:
        link = LINK.fullmatch(log.read_text("utf-8").splitlines()[-1])
        assert link
        port = link[1].rpartition(":")[2]
        second = typed("serve", "--port", port, "--lang", "en", home=tmp_path)
        assert second.returncode == 2
        assert f"can't listen on 127.0.0.1:{port}" in second.stderr
        assert "/password#" not in second.stderr
        assert set_password(*link.groups()).endswith("/login")


def test_another_start_says_another_link_until_somebody_has_come_in(tmp_path: Path) -> None:
    with started(tmp_path, "en") as log:
        first = LINK.search(log.read_text("utf-8"))
    with started(tmp_path, "en") as log:
        second = LINK.search(log.read_text("utf-8"))
        assert first
        assert second
        assert first[2] != second[2]
        with pytest.raises(urllib.error.HTTPError) as dead:
            set_password(second[1], first[2])
        with dead.value as answer:
            assert answer.code == 404
        set_password(*second.groups())
