"""Measures the ranking's first page with many firms: server, bytes, and a usable table in Chromium.

Makes a store of invented firms (those of `store.py`), serves it in a process of its own, open to
everybody on this machine, and asks for pages: over a connection that is kept open, and with a
browser that has nothing in its cache. Beside the clock it prints the server's processor time, which
tells more where other programs want the processor too.

Usage: ``python benchmarks/pages.py [--firms N] [--runs N] [--home FOLDER]``; a folder keeps the
store for another run.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from playwright.sync_api import Browser, Response, sync_playwright

HERE = Path(__file__).resolve().parent.parent
CITY = HERE / "data" / "cities" / "nanchang.toml"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TODAY = date(2026, 11, 24)
PAGES = {
    "first page": "/ranking",
    "grades A and B": "/ranking?grade=AB",
    "a province": "/ranking?region=广东省",
    "text, frequent": "/ranking?text=研发",
    "four filters": "/ranking?grade=AB&chain=led&region=广东省&veto=no",
    "by fit": "/ranking?sort=-fit",
    "with the picture": "/ranking?picture=on",
    "its points": "/ranking/points",
}
USABLE = """() => {
  const rows = document.querySelectorAll("table.firms tbody tr").length;
  return rows > 0 && document.readyState === "complete" && Boolean(window.htmx);
}"""
FILLED = "() => document.querySelector('#picture canvas') !== null"


@dataclass(frozen=True)
class Server:
    """Where a server listens, and the process that it is."""

    port: int
    process: int

    @property
    def address(self) -> str:
        """What stands before a path."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(home: Path, count: int) -> None:
    """Take a list of so many invented firms into the store of a folder, unless it has one."""
    from leadscore.city.loading import load_city
    from leadscore.registry.models import ModelRegistry
    from leadscore.startup import champion_scorer
    from leadscore.store.database import open_store, sqlite_url
    from store import firms, take_in

    path = home / "leadscore.sqlite3"
    if path.exists():
        return
    city = load_city(CITY)
    scorer = champion_scorer(
        city, ModelRegistry(home / "models", home / "key"), now=datetime.now(UTC)
    )
    open_store(path).close()
    content = firms(count, city).to_csv(index=False).encode()
    scored, stored, _ = take_in(sqlite_url(path), content, scorer)
    print(f"{count:,} firms: {scored:.0f} s to read and score, {stored:.0f} s to store\n")


def serve(home: Path) -> None:
    """Serve the store of a folder on a free port, told on standard output, until it is ended."""
    from waitress.server import create_server

    from leadscore.city.loading import load_city
    from leadscore.registry.models import ModelRegistry
    from leadscore.startup import champion_scorer
    from leadscore.store.audit import AuditTrail
    from leadscore.store.database import open_store
    from leadscore.store.profiles import Profiles
    from leadscore.web.api import CurrentScoring, Dependencies
    from leadscore.web.app import create_app
    from leadscore.web.auth import Access

    registry = ModelRegistry(home / "models", home / "key")
    city = load_city(CITY)
    scorer = champion_scorer(city, registry, now=datetime.now(UTC))
    database, trail = open_store(home / "leadscore.sqlite3"), AuditTrail(home / "audit.key")
    access = Access(database, trail, lambda: datetime.now(UTC), demo=True)
    profiles = Profiles(lambda: city, database)
    scoring = CurrentScoring(lambda: scorer, registry, profiles, database)
    app = create_app(Dependencies(scoring, registry, lambda: TODAY, access, profiles))
    server = create_server(app, host="127.0.0.1", port=0, threads=4, asyncore_use_poll=True)
    print(server.effective_port, flush=True)
    server.run()


@contextmanager
def served(home: Path) -> Iterator[Server]:
    """Run a server in a process of its own."""
    command = [sys.executable, __file__, "--serve", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        told = process.stdout.readline() if process.stdout else b""
        yield Server(int(told), process.pid)
    finally:
        process.terminate()
        process.wait()


def measure_server(server: Server, runs: int) -> None:
    """Print how long the server takes for each page, and how many bytes the page has."""
    from urllib.parse import quote

    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    print("| page | first ms | median ms | slowest ms | server CPU ms | KB |")
    print("|---|---|---|---|---|---|")
    for name, path in PAGES.items():
        took, size, used = [], 0, 0.0
        for run in range(runs + 1):
            start, before = time.perf_counter(), server.cpu_seconds()
            connection.request("GET", quote(path, safe="/?=&"), headers={"Accept": "text/html"})
            answer = connection.getresponse()
            size = len(answer.read())
            took.append((time.perf_counter() - start) * 1e3)
            used += (server.cpu_seconds() - before) * 1e3 if run else 0.0
            if answer.status != 200:
                sys.exit(f"{path}: {answer.status}")
        first, rest = took[0], took[1:]
        print(f"| {name} | {first:.0f} | {statistics.median(rest):.0f} | {max(rest):.0f} "
              f"| {used / runs:.0f} | {size / 1e3:.0f} |")  # fmt: skip
    connection.close()


def usable(browser: Browser, address: str, ready: str) -> tuple[float, int]:
    """Return the seconds until a page can be used, and the bytes that it took to get there."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    page, answers = context.new_page(), list[Response]()
    page.on("response", lambda answer: answers.append(answer))
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(ready)
    took = time.perf_counter() - start
    sizes = [answer.request.sizes() for answer in answers]
    context.close()
    return took, sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes)


def measure_browser(server: Server, runs: int) -> None:
    """Print how long Chromium takes until the table can be used, and what is transferred."""
    print("\n| in Chromium, nothing cached | median s | slowest s | KB transferred |")
    print("|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, path, ready in (
            ("first page, table usable", "/ranking", USABLE),
            ("with the picture, table usable", "/ranking?picture=on", USABLE),
            ("with the picture, drawn", "/ranking?picture=on", FILLED),
        ):
            usable(browser, server.address + path, ready)
            found = [usable(browser, server.address + path, ready) for _ in range(runs)]
            took = [seconds for seconds, _ in found]
            size = max(bytes_ for _, bytes_ in found) / 1e3
            print(f"| {name} | {statistics.median(took):.2f} | {max(took):.2f} | {size:.0f} |")
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firms", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--home", type=Path, help="keeps the store for another run")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        fill(home, options.firms)
        with served(home) as server:
            measure_server(server, options.runs)
            measure_browser(server, max(options.runs // 2, 1))


if __name__ == "__main__":
    main()
