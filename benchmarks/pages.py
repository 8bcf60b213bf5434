"""Measures the ranking's first page with many firms: server, bytes, and a usable table in Chromium.

Makes a store of invented firms (those of `store.py`), serves it in a process of its own, open to
everybody on this machine, and asks for pages: over a connection that is kept open, and with a
browser that has nothing in its cache. Beside the clock it prints the processor time of the server,
and of what serves it in PostgreSQL, which tells more where other programs want the processor too.

Usage: ``python benchmarks/pages.py [--firms N] [--runs N] [--home FOLDER] [--address URL]
[--before FOLDER] [--no-browser]``; a folder keeps the store for another run, ``--address`` is an
empty database of PostgreSQL on this machine, or one that was filled so. ``--before`` is the ``src``
of an earlier revision, which answers the same questions from the same store in turns.
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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Response, sync_playwright
from sqlalchemy import select, text
from sqlalchemy.engine import URL

from leadscore.store.database import Database
from leadscore.store.migrations import open_store

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
    "two characters, half of the firms": "/ranking?text=研发",
    "two characters, an eighth": "/ranking?text=面包",
    "two characters, none": "/ranking?text=稀土",
    "one character, half": "/ranking?text=研",
    "a word of all firms": "/ranking?text=科技有限公司",
    "a word of half of them": "/ranking?text=研发、生产和销售",
    "two words": "/ranking?text=深圳 研发",
    "a word of one firm": "/ranking?text=第50000号",
    "half, grades A and B": "/ranking?text=研发&grade=AB",
    "half, by fit": "/ranking?text=研发&sort=-fit",
    "half, API with its counts": "/api/v1/ranking?text=研发&counts=true",
    "four filters": "/ranking?grade=AB&chain=led&region=广东省&veto=no",
    "two chains": "/ranking?chain=led&chain=vr",
    "two chains, three provinces": "/ranking?chain=led&chain=vr&region=广东省&region=江苏省"
    "&region=浙江省",
    "four filters of several values": "/ranking?grade=B&grade=C&chain=led&chain=none&role=maker"
    "&role=trade&veto=no&veto=already_here",
    "two chains, by fit": "/ranking?chain=led&chain=vr&sort=-fit",
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
    database: Database

    @property
    def address(self) -> str:
        """What stands before a path."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used, with what PostgreSQL did for anybody."""
        processes = [self.process]
        if self.database.dialect == "postgresql":
            with self.database.read() as connection:
                query = text("SELECT pid FROM pg_stat_activity WHERE pid != pg_backend_pid()")
                processes += connection.scalars(query)
        return sum(map(_cpu_seconds, processes))


def _cpu_seconds(process: int) -> float:
    # To the nanosecond, of all threads that live: ticks of a hundredth are too coarse for a page.
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def fill(home: Path, url: URL, count: int) -> None:
    """Take a list of so many invented firms into a store, unless it has one."""
    from leadscore.city.loading import load_city
    from leadscore.registry.models import ModelRegistry
    from leadscore.startup import champion_scorer
    from leadscore.store.lists import LISTS
    from store import firms, take_in

    database = open_store(url.render_as_string(hide_password=False))
    with database.read() as connection:
        filled = connection.scalar(select(LISTS.c.id).limit(1))
    if not filled:
        city = load_city(CITY)
        scorer = champion_scorer(
            city, ModelRegistry(home / "models", home / "key"), now=datetime.now(UTC)
        )
        content = firms(count, city).to_csv(index=False).encode()
        scored, stored, _ = take_in(database.url, content, scorer)
        print(f"{count:,} firms: {scored:.0f} s to read and score, {stored:.0f} s to store\n")
        if database.dialect == "postgresql":  # as it does by itself within a minute
            with database.engine.connect() as connection:
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                alone.execute(text("VACUUM ANALYZE"))
    database.close()


def serve(home: Path, address: str) -> None:
    """Serve a store, and the models of a folder, on a free port, told on standard output."""
    from waitress.server import create_server

    from leadscore.city.loading import load_city
    from leadscore.registry.models import ModelRegistry
    from leadscore.startup import champion_scorer
    from leadscore.store.audit import AuditTrail
    from leadscore.store.profiles import Profiles
    from leadscore.web.api import CurrentScoring, Dependencies
    from leadscore.web.app import create_app
    from leadscore.web.auth import Access

    registry = ModelRegistry(home / "models", home / "key")
    city = load_city(CITY)
    scorer = champion_scorer(city, registry, now=datetime.now(UTC))
    database, trail = open_store(address), AuditTrail(home / "audit.key")
    access = Access(database, trail, lambda: datetime.now(UTC), demo=True)
    profiles = Profiles(lambda: city, database)
    scoring = CurrentScoring(lambda: scorer, registry, profiles, database)
    app = create_app(Dependencies(scoring, registry, lambda: TODAY, access, profiles))
    server = create_server(app, host="127.0.0.1", port=0, threads=4, asyncore_use_poll=True)
    print(server.effective_port, flush=True)
    server.run()


@contextmanager
def served(home: Path, url: URL, source: Path) -> Iterator[Server]:
    """Run a server of the program in a folder of sources, in a process of its own."""
    address = url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(home), "--address", address],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(source)},
    )  # fmt: skip
    database = Database(url)
    try:
        told = process.stdout.readline() if process.stdout else b""
        yield Server(int(told), process.pid, database)
    finally:
        process.terminate()
        process.wait()
        database.close()


def measure_server(servers: dict[str, Server], runs: int) -> None:
    """Print how long each server takes for each page, in turns, and how many bytes the page has."""
    connections = {
        name: http.client.HTTPConnection("127.0.0.1", server.port)
        for name, server in servers.items()
    }
    print("| page | program | first ms | median ms | slowest ms | median CPU ms | KB |")
    print("|---|---|---|---|---|---|---|")
    for page, path in PAGES.items():
        took = {name: list[float]() for name in servers}
        used = {name: list[float]() for name in servers}
        size = dict[str, int]()
        for _ in range(runs + 1):
            for name, server in servers.items():
                before, start = server.cpu_seconds(), time.perf_counter()
                connections[name].request("GET", quote(path, safe="/?=&"))
                answer = connections[name].getresponse()
                size[name] = len(answer.read())
                took[name].append((time.perf_counter() - start) * 1e3)
                used[name].append((server.cpu_seconds() - before) * 1e3)
                if answer.status != 200:
                    sys.exit(f"{path}: {answer.status}")
        for name in servers:
            first, *rest = took[name]
            print(f"| {page} | {name} | {first:.0f} | {statistics.median(rest):.0f} "
                  f"| {max(rest):.0f} | {statistics.median(used[name][1:]):.0f} "
                  f"| {size[name] / 1e3:.0f} |", flush=True)  # fmt: skip
    for connection in connections.values():
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
    parser.add_argument("--home", type=Path, help="keeps models and SQLite for another run")
    parser.add_argument("--address", help="a database of PostgreSQL in place of SQLite")
    parser.add_argument("--before", type=Path, help="sources of an earlier program")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.address)
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = options.home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        url = Database(options.address or home / "leadscore.sqlite3").url
        fill(home, url, options.firms)
        sources = {"before": options.before} if options.before else {}
        servers = {
            name: stack.enter_context(served(home, url, source))
            for name, source in {**sources, "now": HERE / "src"}.items()
        }
        measure_server(servers, options.runs)
        if not options.no_browser:
            measure_browser(servers["now"], max(options.runs // 2, 1))


if __name__ == "__main__":
    main()
