"""Measures the endpoint that scores firms, beside a plain Flask application and a naive endpoint.

Starts each server as a process of its own, asks it over loopback from four connections that are
kept open, and prints medians over the rounds as Markdown:

* ``score``: ``POST /api/v1/score`` with an API key, another firm in every request (a row of the
  sample list whose business scope goes on with those of two other rows);
* ``nothing``: the same application with an endpoint that asks who serves and answers a constant,
  so that its distance from ``plain`` is what a request costs us before anything is scored: key,
  champion, metrics, log line, headers;
* ``plain``: a Flask application with one empty route, which gets the same requests;
* ``bare``: the same on waitress as it comes, where ``plain`` has the settings of our server;
* ``trees`` and ``numbers``: a naive Flask application that makes a `DataFrame` and asks fitted
  trees, on one thread, which is their quickest. It is given for nothing what scoring has to work
  out, the features of a firm; or as many plain numbers.

All on waitress with four threads and with one, and ours and the plain one on granian with two
processes if it is installed (``pip install granian``; it is no dependency). Stops by itself.

Usage: ``python benchmarks/serving.py [--rounds N] [--seconds S]``
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
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
from contextlib import ExitStack, contextmanager
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
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
SERVERS = {"waitress-4": "waitress, 4 threads", "waitress-1": "waitress, 1 thread"}
if importlib.util.find_spec("granian"):
    SERVERS["granian-2"] = "granian, 2 processes"


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


def scoring_app(home: Path) -> Any:
    """Return the service over a home folder, with an endpoint beside it that scores nothing."""
    from flask import Response, jsonify

    from leadscore.city.loading import load_city
    from leadscore.logs import log_to_stderr
    from leadscore.registry.models import ModelRegistry
    from leadscore.startup import champion_scorer
    from leadscore.store.audit import AuditTrail
    from leadscore.store.database import Database, sqlite_url
    from leadscore.store.profiles import Profiles
    from leadscore.web.api import CurrentScoring, Dependencies
    from leadscore.web.app import create_app
    from leadscore.web.auth import Access, requires

    log_to_stderr()  # a line a request, as the command has it; the reader throws them away
    registry = ModelRegistry(home / "models", home / "key")
    city = load_city(next(CITIES.glob("*.toml")))
    scorer = champion_scorer(city, registry, now=datetime.now(UTC))
    database = Database(sqlite_url(home / "leadscore.sqlite3"))
    access = Access(database, AuditTrail(home / "audit.key"), lambda: datetime.now(UTC))
    profiles = Profiles(lambda: city, database)
    scoring = CurrentScoring(lambda: scorer, registry, profiles, database)
    app = create_app(Dependencies(scoring, registry, lambda: TODAY, access, profiles))

    @requires("score")
    def nothing() -> Response:
        scoring.scorer()
        return jsonify({"status": "ok"})

    app.add_url_rule("/nothing", view_func=nothing, methods=["POST"])
    return app


def new_home(home: Path) -> str:
    """Make the database of a home folder, and return a key by which programs call the service."""
    from leadscore.store.api_keys import add
    from leadscore.store.database import Database, sqlite_url
    from leadscore.store.migrations import migrate

    database = Database(sqlite_url(home / "leadscore.sqlite3"))
    migrate(database)
    with database.write() as connection:
        key = add(connection, "benchmark", "viewer", by="benchmark", now=datetime.now(UTC))
    database.close()
    return key


def plain_app() -> Any:
    """Return a plain Flask application with one route that does nothing."""
    from flask import Flask

    app = Flask(__name__)

    @app.post("/")
    def nothing() -> dict[str, str]:
        return {"status": "ok"}

    return app


def measured_firms() -> Any:
    """Return the features of the sample list that tell firms apart, as trees want them: a frame of
    numbers and categories."""
    from leadscore.city.loading import load_city
    from leadscore.features.build import FirmFeatures
    from leadscore.features.catalogue import CATEGORIES
    from leadscore.lists.cleaning import clean
    from leadscore.lists.reading import from_records

    features = FirmFeatures(load_city(next(CITIES.glob("*.toml"))))
    X = features.fit(None).transform(clean(from_records(firms()), today=TODAY).firms)
    X = X.loc[:, X.nunique() > 1]
    return X.astype({name: "category" for name in CATEGORIES if name in X})


def naive_app() -> Any:
    """Return a plain Flask application: JSON, a frame, boosted trees, JSON.

    It is given for nothing what scoring has to work out: the features of a firm. ``/trees`` takes
    them as they are, ``/numbers`` as many numbers as the card has features.
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
        "numbers": pd.DataFrame(random.normal(size=(KNOWN, FEATURES)), columns=names),
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


def application(name: str, home: Path) -> Any:
    """Return one of the applications."""
    makers = {"plain": plain_app, "bare": plain_app, "naive": naive_app}
    return scoring_app(home) if name == "ours" else makers[name]()


def granian_app() -> Any:
    """Return the application that the environment names, in each process of granian."""
    return application(os.environ["BENCHMARK_APP"], Path(os.environ["BENCHMARK_HOME"]))


def serve(name: str, server: str, home: Path) -> None:
    """Serve an application on a free port, told on standard output, until the process is ended."""
    kind, _, number = server.partition("-")
    if kind == "granian":
        from granian import Granian

        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        os.environ |= {"BENCHMARK_APP": name, "BENCHMARK_HOME": str(home)}
        granian = Granian(
            f"{Path(__file__).stem}:granian_app", port=port, interface="wsgi", factory=True,
            workers=int(number), blocking_threads=1, working_dir=Path(__file__).parent,
            log_enabled=False,
        )  # fmt: skip
        print(port, flush=True)
        granian.serve()
        return
    from leadscore.web.serve import Limits, _listen, _server

    app = application(name, home)
    app.default_lang = "en"
    listening = _listen("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    if name == "bare":
        from waitress import serve as serve_as_it_comes

        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        serve_as_it_comes(app, sockets=[listening], threads=int(number))
    else:
        _server(app, listening, int(number), Limits()).run()


@dataclass(frozen=True)
class Server:
    """Where a server listens, and the process that it is."""

    port: int
    process: int

    def cpu_seconds(self) -> float:
        """Return the processor time that it and its processes have used; it tells more than the
        clock where other programs want the processor too."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:  # ended meanwhile
                continue
            if self.process in {int(path.parent.name), int(fields[1])}:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Round:
    """What one round of requests to one endpoint took."""

    rate: float
    latencies: list[float]
    cpu: float


@contextmanager
def served(name: str, server: str, home: Path) -> Iterator[Server]:
    """Run a server in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", name, server, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        port = int(process.stdout.readline()) if process.stdout else 0
        _wait_for(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("a server did not start")


def request(path: str, body: object, key: str) -> bytes:
    """Return a whole request as it goes over the wire."""
    content = json.dumps(body, ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(content)}\r\n\r\n"
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
        length = LENGTH.search(answer[:end])
        if not answer.startswith(b"HTTP/1.1 200") or length is None:
            sys.exit(f"refused: {answer[:500]!r}")
        parts, left = [answer[end + 4 :]], int(length[1]) - len(answer) + end + 4
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


def beside_a_long_one(server: Server, messages: Callable[[], bytes], long: bytes) -> list[float]:
    """Return how long single firms wait while somebody else asks for a thousand of them."""
    latencies: list[float] = []
    ended = threading.Event()

    def ask_for_many() -> None:
        connection = Connection(server.port)
        for _ in range(3):
            connection.ask(long)
        connection.close()
        ended.set()

    other = threading.Thread(target=ask_for_many)
    connection = Connection(server.port)
    other.start()
    while not ended.is_set():
        sent = time.perf_counter()
        connection.ask(messages())
        latencies.append(time.perf_counter() - sent)
    other.join()
    connection.close()
    return latencies


def prepared(path: str, bodies: Iterator[object], count: int, key: str) -> Callable[[], bytes]:
    """Return what gives one request after the other; they are written before the clock starts."""
    messages = itertools.cycle([request(path, next(bodies), key) for _ in range(count)])
    return lambda: next(messages)


def measure(rounds: int, seconds: float) -> None:
    """Print throughput, latency and processor time of the endpoints on each server."""
    new = different_firms()
    numbers = [{f"x{number}": number / 7 for number in range(FEATURES)}]
    features = json.loads(measured_firms().iloc[:1].to_json(orient="records"))
    ratios, long_ones = [], []
    print("| server | endpoint | requests/s | slowest, fastest round | p50 ms | p99 ms "
          "| server CPU ms |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for server, title in SERVERS.items():
        results: dict[str, list[Round]] = {}
        beside: list[float] = []
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            key = new_home(home)
            names = (
                ("ours", "plain")
                if server.startswith("granian")
                else ("ours", "plain", "bare", "naive")
            )
            at = {name: stack.enter_context(served(name, server, home)) for name in names}
            for turn in range(rounds + 1):
                one = prepared("/api/v1/score", ({"firms": [firm]} for firm in new), 3_000, key)
                none = prepared("/nothing", ({"firms": [firm]} for firm in new), 500, key)
                same = prepared("/", ({"firms": [firm]} for firm in new), 500, key)
                mixed = prepared("/trees", itertools.repeat({"firms": features}), 1, key)
                vector = prepared("/numbers", itertools.repeat({"firms": numbers}), 1, key)
                answers = {
                    "score": ask_for(at["ours"], one, seconds),
                    "nothing": ask_for(at["ours"], none, seconds),
                    "plain": ask_for(at["plain"], same, seconds),
                }
                if "naive" in at:
                    answers["bare"] = ask_for(at["bare"], same, seconds)
                    answers["trees"] = ask_for(at["naive"], mixed, seconds)
                    answers["numbers"] = ask_for(at["naive"], vector, seconds)
                if turn:  # the first round only warms up
                    for name, answer in answers.items():
                        results.setdefault(name, []).append(answer)
            many = {"firms": list(itertools.islice(new, 1_000))}
            beside = beside_a_long_one(at["ours"], one, request("/api/v1/score", many, key))
        for name, each in results.items():
            print(f"| {title} | {name} | {_row(each)} |", flush=True)
        ratios += [
            f"{title}: score has {_ratio(results['score'], peer, 'rate'):.1%} of the requests/s of "
            f"{name}, and by CPU {1 / _ratio(results['score'], peer, 'cpu'):.1%}."
            for name, peer in results.items()
            if name not in {"score", "nothing"}
        ]
        beside.sort()
        median = beside[len(beside) // 2] * 1e3
        long_ones.append(
            f"{title}: beside 1,000 firms in a request, one firm waits {median:.0f}"
            f" ms at the median, {beside[-1] * 1e3:.0f} at most."
        )
    print("", *ratios, *long_ones, sep="\n")


def _row(rounds: list[Round]) -> str:
    rates = [one.rate for one in rounds]
    latencies = sorted(itertools.chain.from_iterable(one.latencies for one in rounds))
    p50, p99 = (latencies[int(len(latencies) * share)] * 1e3 for share in (0.5, 0.99))
    cpu = statistics.median(one.cpu for one in rounds) * 1e3
    return (
        f"{statistics.median(rates):,.0f} | {min(rates):,.0f}, {max(rates):,.0f} "
        f"| {p50:.2f} | {p99:.2f} | {cpu:.2f}"
    )


def _ratio(ours: list[Round], peer: list[Round], of: str) -> float:
    return statistics.median(
        getattr(one, of) / getattr(two, of) for one, two in zip(ours, peer, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        name, server, home = options.serve
        serve(name, server, Path(home))
        return
    measure(options.rounds, options.seconds)


if __name__ == "__main__":
    main()
