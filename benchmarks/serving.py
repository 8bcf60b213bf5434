"""Measures the endpoint that scores firms, beside one that does nothing and one with boosted trees.

Starts the servers as processes of their own (waitress, four threads each), asks them by turns over
loopback from four connections that are kept open, and prints medians over the rounds as Markdown.
Every request holds another firm: a row of the sample list whose business scope goes on with those
of two other rows, so that nothing can be answered from memory. Stops by itself.

Usage: ``python benchmarks/serving.py [--rounds N] [--seconds S] [--walks]``; with ``--walks`` it
also measures, without a server, from how many firms on whole columns are quicker.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import logging
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
SAMPLE = HERE / "data" / "samples" / "electronics.csv"
CITIES = HERE / "data" / "cities"
CONNECTIONS = 4
TODAY = date(2026, 11, 24)
FEATURES = 35
KNOWN = 5_000
TREES = ("trees", "trees, one thread", "trees of numbers", "trees of numbers, one thread")
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def firms() -> list[dict[str, str]]:
    """Return the sample list as records of canonical columns."""
    from leadscore.lists.columns import read_heading

    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    headings = {header: read_heading(header) for header in rows[0]}
    return [
        {
            heading.column.name: str(float(text) * heading.unit.times)
            if heading.unit.times
            else text
            for header, text in row.items()
            if text and (heading := headings[header])
        }
        for row in rows
    ]


def different_firms() -> Iterator[dict[str, str]]:
    """Yield ever new firms with full text."""
    rows = firms()
    scopes = [row["business_scope"] for row in rows if "business_scope" in row]
    base = max(rows, key=lambda row: len(row.get("business_scope", "")))
    for number, more in enumerate(itertools.cycle(itertools.permutations(scopes, 2)), 1):
        scope = "；".join((base["business_scope"], *more))
        yield base | {"name": f"{base['name'][:6]}{number}号有限公司", "business_scope": scope}


def scoring_app() -> Any:
    """Return the service, open to everybody, with an endpoint beside it that does nothing."""
    from flask import Response, jsonify

    from leadscore.city.loading import load_city
    from leadscore.city.versions import Profiles
    from leadscore.logs import log_to_stderr
    from leadscore.ranking.champion import champion_scorer
    from leadscore.registry.models import Shelf
    from leadscore.store.audit import AuditTrail
    from leadscore.store.database import Database, migrate, sqlite_url
    from leadscore.web.app import Service, create_app
    from leadscore.web.auth import Access, requires
    from leadscore.web.scoring import CurrentScoring

    log_to_stderr()  # a line a request, as the command has it; the reader throws them away
    home = Path(tempfile.mkdtemp())
    shelf = Shelf(home / "models", home / "key")
    city = load_city(next(CITIES.glob("*.toml")))
    scorer = champion_scorer(city, shelf, now=datetime.now(UTC))
    database = Database(sqlite_url(home / "leadscore.sqlite3"))
    migrate(database)
    trail = AuditTrail(home / "audit.key")
    access = Access(database, trail, lambda: datetime.now(UTC), demo=True)
    scoring = CurrentScoring(scorer, shelf, lambda: scorer, lambda: TODAY)
    app = create_app(Service(scoring, shelf, lambda: TODAY, access, Profiles(lambda: city, home)))

    @requires("public")
    def empty() -> Response:
        return jsonify({"status": "ok"})

    app.add_url_rule("/empty", view_func=empty, methods=["POST"])
    return app


def measured_firms() -> Any:
    """Return the features of the sample list that tell firms apart, as trees want them: a frame of
    numbers and categories."""
    from leadscore.city.loading import load_city
    from leadscore.features.catalogue import CATEGORIES
    from leadscore.features.extract import FirmFeatures
    from leadscore.lists.cleaning import clean
    from leadscore.lists.reading.file import from_records

    features = FirmFeatures(load_city(next(CITIES.glob("*.toml"))))
    X = features.fit(None).transform(clean(from_records(firms()), today=TODAY).firms)
    X = X.loc[:, X.nunique() > 1]
    return X.astype({name: "category" for name in CATEGORIES if name in X})


def trees_app() -> Any:
    """Return a plain Flask application: JSON, a frame, boosted trees, JSON.

    It is given for nothing what scoring has to work out: the features of a firm. ``/trees`` takes
    them as they are, ``/trees-of-numbers`` as many numbers as the card has features.
    """
    import numpy as np
    import pandas as pd
    from flask import Flask, Response, jsonify, request
    from sklearn.ensemble import HistGradientBoostingClassifier

    random = np.random.default_rng(1)
    measured = measured_firms()
    drawn = random.integers(0, len(measured), KNOWN)
    names = [f"x{number}" for number in range(FEATURES)]
    tables = {
        "trees": measured.iloc[drawn].reset_index(drop=True),
        "trees-of-numbers": pd.DataFrame(random.normal(size=(KNOWN, FEATURES)), columns=names),
    }
    outcome = random.random(KNOWN) < 0.3
    app = Flask(__name__)
    for path, table in tables.items():
        model = HistGradientBoostingClassifier(categorical_features="from_dtype")
        model.fit(table, outcome)

        def score(model: Any = model, kinds: Any = table.dtypes) -> Response:
            rows = pd.DataFrame(request.get_json()["firms"], columns=kinds.index).astype(kinds)
            return jsonify({"scores": model.predict_proba(rows)[:, 1].tolist()})

        app.add_url_rule(f"/{path}", path, score, methods=["POST"])
    return app


def serve(name: str) -> None:
    """Serve an application on a free port, told on standard output, until the process is ended."""
    from waitress.server import create_server

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    app = {"leadscore": scoring_app, "trees": trees_app}[name]()
    server = create_server(app, host="127.0.0.1", port=0, threads=4, asyncore_use_poll=True)
    print(server.effective_port, flush=True)
    server.run()


@dataclass(frozen=True)
class Server:
    """Where a server listens, and the process that it is."""

    port: int
    process: int

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used; it tells more than the clock where other
        programs want the processor too."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Round:
    """What one round of requests to one endpoint took."""

    rate: float
    latencies: list[float]
    cpu: float


@contextmanager
def served(name: str, **threads: str) -> Iterator[Server]:
    """Run a server in a process of its own."""
    command = [sys.executable, __file__, "--serve", name]
    environment = os.environ | threads
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    try:
        told = process.stdout.readline() if process.stdout else ""
        yield Server(int(told), process.pid)
    finally:
        process.terminate()
        process.wait()


def request(path: str, body: object) -> bytes:
    """Return a whole request as it goes over the wire."""
    content = json.dumps(body, ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class Connection:
    """A connection that is kept open; leaner than `http.client`, so that the server is measured."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, message: bytes) -> bytes:
        """Send a request and return the body of its answer, which must be 200."""
        self._socket.sendall(message)
        answer = self._socket.recv(1 << 16)
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        found = LENGTH.search(answer[:end])
        if not answer.startswith(b"HTTP/1.1 200") or found is None:
            sys.exit(f"refused: {answer[:500]!r}")
        parts, left = [answer[end + 4 :]], int(found[1]) - len(answer) + end + 4
        while left > 0:
            parts.append(self._more())
            left -= len(parts[-1])
        return b"".join(parts)

    def _more(self) -> bytes:
        part = self._socket.recv(1 << 20)
        if not part:
            sys.exit("the server hung up")
        return part

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def ask_for(server: Server, messages: Callable[[], bytes], seconds: float) -> Round:
    """Ask over all connections for some seconds."""
    until = time.perf_counter() + seconds
    latencies: list[list[float]] = [[] for _ in range(CONNECTIONS)]

    def ask(mine: list[float]) -> None:
        connection = Connection(server.port)
        while time.perf_counter() < until:
            message = messages()
            sent = time.perf_counter()
            connection.ask(message)
            mine.append(time.perf_counter() - sent)
        connection.close()

    start, used = time.perf_counter(), server.cpu_seconds()
    threads = [threading.Thread(target=ask, args=(mine,)) for mine in latencies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, used = time.perf_counter() - start, server.cpu_seconds() - used
    every = list(itertools.chain.from_iterable(latencies))
    return Round(len(every) / took, every, used / len(every))


def prepared(path: str, bodies: Iterator[object], count: int) -> Callable[[], bytes]:
    """Return what gives one request after the other; they are written before the clock starts."""
    messages = itertools.cycle([request(path, next(bodies)) for _ in range(count)])
    return lambda: next(messages)


def measure_endpoints(rounds: int, seconds: float) -> None:
    """Print throughput and latency of the endpoints, and the time for a thousand firms."""
    new = different_firms()
    numbers = [{f"x{number}": number / 7 for number in range(FEATURES)}]
    features = json.loads(measured_firms().iloc[:1].to_json(orient="records"))
    results: dict[str, list[Round]] = {}
    thousand = []
    with (
        served("leadscore") as ours,
        served("trees") as plain,
        served("trees", OMP_NUM_THREADS="1") as single,
    ):
        for turn in range(rounds + 1):
            one = prepared("/api/v1/score", ({"firms": [firm]} for firm in new), 4_000)
            nothing = prepared("/empty", ({"firms": [firm]} for firm in new), 1_000)
            mixed = prepared("/trees", itertools.repeat({"firms": features}), 1)
            vector = prepared("/trees-of-numbers", itertools.repeat({"firms": numbers}), 1)
            found = {
                "empty": ask_for(ours, nothing, seconds),
                "score": ask_for(ours, one, seconds),
                TREES[0]: ask_for(plain, mixed, seconds),
                TREES[1]: ask_for(single, mixed, seconds),
                TREES[2]: ask_for(plain, vector, seconds),
                TREES[3]: ask_for(single, vector, seconds),
            }
            many = request("/api/v1/score", {"firms": list(itertools.islice(new, 1_000))})
            connection, start = Connection(ours.port), time.perf_counter()
            connection.ask(many)
            took = time.perf_counter() - start
            connection.close()
            if turn:  # the first round only warms up
                thousand.append(took)
                for name, each in found.items():
                    results.setdefault(name, []).append(each)
    print("| endpoint | requests/s | slowest, fastest round | p50 ms | p99 ms | server CPU ms |")
    print("|---|---|---|---|---|---|")
    for name, each in results.items():
        rates = [one.rate for one in each]
        every = sorted(itertools.chain.from_iterable(one.latencies for one in each))
        p50, p99 = (every[int(len(every) * share)] * 1e3 for share in (0.5, 0.99))
        cpu = statistics.median(one.cpu for one in each) * 1e3
        print(
            f"| {name} | {statistics.median(rates):,.0f} | {min(rates):,.0f}, {max(rates):,.0f} "
            f"| {p50:.2f} | {p99:.2f} | {cpu:.2f} |"
        )
    print()
    for name in ("empty", *TREES):
        pairs = list(zip(results["score"], results[name], strict=True))
        rate = statistics.median(score.rate / peer.rate for score, peer in pairs)
        cpu = statistics.median(peer.cpu / score.cpu for score, peer in pairs)
        print(f"score / {name}: {rate:.1%} of its requests/s, {cpu:.1%} by CPU (medians).")
    print(f"1,000 firms in one request: {statistics.median(thousand):.2f} s "
          f"({min(thousand):.2f} to {max(thousand):.2f}).")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--serve", choices=("leadscore", "trees"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    measure_endpoints(options.rounds, options.seconds)


if __name__ == "__main__":
    main()
