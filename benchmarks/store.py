"""Measures the store: seconds to take a list in, milliseconds for pages of a large ranking.

Makes firms out of the canonical columns and a city profile, takes them in as one list, the same
list again, and asks for pages; says how long others waited who wrote while the list was stored,
beside a long reader, a ``ranking.csv`` that nobody reads, a backup and an export, and how long 8
processes take for 500 outcomes each. With ``--waits`` it says only how long who wrote waited beside
those four. Usage: ``python benchmarks/store.py [--firms N]
[--runs N] [--profile] [--waits] [address of an empty database]``.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import multiprocessing
import pstats
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sqlalchemy.engine import URL

from leadscore.city import City, load_city
from leadscore.jobs.tasks import EXPORT, JobDependencies, all_kinds
from leadscore.jobs.worker import Worker
from leadscore.learning.expert import fit_expert
from leadscore.learning.training_data import Rules
from leadscore.lists.values.codes import ALPHABET, is_valid_code
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.store.acts import enter_outcome
from leadscore.store.audit import AuditTrail
from leadscore.store.backups import back_up
from leadscore.store.database import Database
from leadscore.store.facets import facets
from leadscore.store.jobs import request_cancel, submit
from leadscore.store.list_import import take_in_list
from leadscore.store.lists import add_list
from leadscore.store.migrations import migrate
from leadscore.store.profiles import Profiles
from leadscore.store.ranking import RankingFilter, ranking_page, whole_ranking
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.app import create_app
from leadscore.web.auth import Access
from leadscore.web.serve import serve

HERE = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
TODAY = date(2026, 11, 24)
PLACES = ("广东省 深圳市", "广东省 东莞市", "江苏省 苏州市", "浙江省 杭州市", "湖北省 武汉市",
          "上海市 上海市", "四川省 成都市", "福建省 厦门市")  # fmt: skip


def credit_code(number: int) -> str:
    """Return a valid code for each number."""
    body = f"91440300{number:09d}"
    return next(body + mark for mark in ALPHABET if is_valid_code(body + mark))


def firms(count: int, city: City, seed: int = 7) -> pd.DataFrame:
    """Return invented firms: half of them work in a segment of the city, by its own name."""
    random = np.random.default_rng(seed)
    names = np.array([segment.name.zh for segment in city.segments.values()])
    trades = np.array(["面包、糕点的生产和销售", "道路货物运输", "房屋租赁", "软件开发"])
    works = random.random(count) < 0.5
    business = np.where(works, names[random.integers(0, len(names), count)] + "的研发、生产和销售",
                        trades[random.integers(0, len(trades), count)])  # fmt: skip
    places = pd.Series(np.array(PLACES)[random.integers(0, len(PLACES), count)]).str.split(" ")
    founded = pd.Timestamp("1995-01-01") + pd.to_timedelta(random.integers(0, 11_000, count), "D")
    return pd.DataFrame(
        {
            "name": [f"第{number}号{places[number][1][:2]}科技有限公司" for number in range(count)],
            "credit_code": [credit_code(number) for number in range(count)],
            "province": places.str[0], "city": places.str[1], "main_business": business,
            "business_scope": business + "；技术开发、技术咨询；货物进出口。" * 6,
            "registered_capital_cny": np.round(10 ** random.uniform(5.5, 9, count)),
            "founded_on": founded.strftime("%Y-%m-%d"),
            "staff": random.integers(3, 3_000, count),
            "patents": random.poisson(8, count),
            "status": np.where(random.random(count) < 0.03, "注销", "在业"),
        }
    )  # fmt: skip


def take_in(url: URL, content: bytes, scorer: Scorer) -> tuple[float, float, float]:
    """Take a list in; return the seconds of reading, and of scoring and storing: wall and CPU."""
    database = Database(url)
    with database.write() as connection:
        number = add_list(connection, file_name="invented.csv", content=content, mapping={},
                          as_of=TODAY, actor="benchmark", now=NOW)  # fmt: skip
    start, moments = time.perf_counter(), list[tuple[float, float]]()

    def progress(fraction: float, _words: object) -> None:
        if fraction >= 0.15:
            moments.append((time.perf_counter(), time.process_time()))

    take_in_list(database, number, scorer=scorer, now=NOW, today=TODAY, progress=progress)
    wall, spent = moments[0]
    return wall - start, time.perf_counter() - wall, time.process_time() - spent


class Writer:
    """Another process that writes ten times a second until the block ends, as officers do."""

    def __init__(self, url: URL) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._ended = spawn.Event()
        self._ours, theirs = spawn.Pipe()
        self._process = spawn.Process(target=write_until, args=(url, self._ended, theirs))
        self.count, self.longest_ms = 0, 0.0

    def __enter__(self) -> Self:
        """Wait until it has begun."""
        self._process.start()
        self._ours.recv()
        return self

    def __exit__(self, *_error: object) -> None:
        """End it, and learn how long it waited."""
        self._ended.set()
        self.count, self.longest_ms = self._ours.recv()
        self._process.join()


def write_until(url: URL, ended: Event, pipe: Connection) -> None:
    """Ask for a job ten times a second and cancel it; send how often, and the longest wait."""
    database, waits = Database(url), list[float]()
    pipe.send("begun")
    while not ended.wait(0.1):
        start = time.perf_counter()
        with database.write() as connection:
            number = submit(connection, "none", {}, by="benchmark", now=NOW)
            request_cancel(connection, number, now=NOW)
        waits.append((time.perf_counter() - start) * 1e3)
    pipe.send((len(waits), max(waits, default=0.0)))
    database.close()


def median_ms(deed: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return the median and the largest of some runs, in milliseconds; one more goes before."""
    deed()
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        deed()
        found.append((time.perf_counter() - start) * 1e3)
    return statistics.median(found), max(found)


def shown(figures: tuple[float, float]) -> str:
    """Return median and maximum."""
    return "{:8.1f} {:8.1f} ms".format(*figures)


def measure_pages(database: Database, city: City, count: int, runs: int) -> None:
    """Print how long pages take."""
    segment = next(iter(city.segments))
    asked: dict[str, Callable[[], RankingFilter]] = {
        "first page": RankingFilter,
        "segment": lambda: RankingFilter.of(segment=segment),
        "chain, grade": lambda: RankingFilter.of(chain=segment.partition(".")[0], grade="AB"),
        "region 4403": lambda: RankingFilter.of(region="4403"),
        "list": lambda: RankingFilter.of(list_id=1),
        "vetoed": lambda: RankingFilter.of(veto="yes"),
        "text, frequent": lambda: RankingFilter.of(text="研发"),
        "text, one firm": lambda: RankingFilter.of(text=f"第{count // 2}号"),
        "text, none": lambda: RankingFilter.of(text="不存在"),
    }
    for name, make in asked.items():

        def page(make: Callable[[], RankingFilter] = make) -> None:
            with database.read() as connection:
                ranking_page(connection, make())

        print(f"  {name:28} {shown(median_ms(page, runs))}")
    for sort in ("-likelihood", "-fit", "name", "priority"):

        def ordered(sort: str = sort) -> None:
            with database.read() as connection:
                ranking_page(connection, RankingFilter(), sort=sort)  # type: ignore[arg-type]

        print(f"  {'by ' + sort:28} {shown(median_ms(ordered, runs))}")
    with database.read() as connection:
        cursor = None
        for _ in range(20):
            cursor = ranking_page(connection, RankingFilter(), after=cursor, limit=500).next

    def deep() -> None:
        with database.read() as connection:
            ranking_page(connection, RankingFilter(), after=cursor)

    def counted() -> None:
        with database.read() as connection:
            facets(connection, RankingFilter())

    print(f"  {'page after 10,000 firms':28} {shown(median_ms(deep, runs))}")
    print(f"  {'counts of all facets':28} {shown(median_ms(counted, runs))}")


def outcomes(url: URL, who: str, count: int) -> list[float]:
    """Enter so many outcomes, and return how many milliseconds each took."""
    database, waits = Database(url), list[float]()
    for at in range(count):
        start = time.perf_counter()
        with database.write() as connection:
            enter_outcome(
                connection, 1 + at % 100, stage="visited", day=TODAY, reason=f"{who} {at}",
                withdrawn=False, actor=who, now=NOW, today=TODAY,
            )  # fmt: skip
        waits.append((time.perf_counter() - start) * 1e3)
    database.close()
    return waits


def measure_writers(database: Database, content: bytes, scorer: Scorer) -> None:
    """Print how 8 processes write at once, and how one does while a list is taken in."""
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        pool.starmap(outcomes, [(database.url, "nobody", 0)] * 8, chunksize=1)  # all have begun
        start = time.perf_counter()
        asked = [(database.url, f"officer {who}", 500) for who in range(8)]
        waits = [wait for each in pool.starmap(outcomes, asked, chunksize=1) for wait in each]
        took = time.perf_counter() - start
        print(f"  8 x 500 outcomes: {took:.1f} s, the longest {max(waits):,.0f} ms")
        taking, waits = pool.apply_async(take_in, (database.url, content, scorer)), []
        while not taking.ready():
            waits += outcomes(database.url, f"number {len(waits)}", 10)
        print(f"  {len(waits):,} outcomes while a list is taken in: the longest "
              f"{max(waits):,.0f} ms")  # fmt: skip


_READER_SECONDS = 10.0


def read_long(url: URL) -> None:
    """Go through the whole ranking within one transaction, and keep it open for some seconds."""
    database, until = Database(url), time.monotonic() + _READER_SECONDS
    with database.read() as connection:
        for _ in whole_ranking(connection, RankingFilter()):
            pass
        while time.monotonic() < until:
            ranking_page(connection, RankingFilter())
            time.sleep(0.1)
    database.close()


def leave_unread(url: URL, folder: Path, port: int) -> None:
    """Serve, ask for ``ranking.csv``, and read no byte of it for some seconds."""
    database = Database(url)
    trail, city = AuditTrail(folder / "keys" / "audit.key"), load_nanchang()
    access = Access(database, trail, lambda: datetime.now(UTC), demo=True)
    registry = ModelRegistry(folder / "models", folder / "keys" / "models.key")
    scorer, profiles = Scorer(fit_expert(city), "benchmark"), Profiles(lambda: city, database)
    scoring = CurrentScoring(lambda: scorer, registry, profiles, database)
    app = create_app(Dependencies(scoring, registry, date.today, access, profiles))
    serving = threading.Thread(
        target=serve, args=(app,), kwargs={"host": "127.0.0.1", "port": port, "threads": 4},
        daemon=True,
    )  # fmt: skip
    serving.start()
    until = time.monotonic() + 60
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), timeout=600)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            break
    client.sendall(b"GET /api/v1/ranking.csv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    client.recv(1)  # it has been read from the database, and is being sent
    time.sleep(_READER_SECONDS)
    client.close()


def export(url: URL, folder: Path) -> None:
    """Write the workbook that the job of an export writes."""
    database, city = Database(url), load_nanchang()
    registry = ModelRegistry(folder / "models", folder / "keys" / "models.key")
    scorer = Scorer(fit_expert(city), "benchmark")
    with database.write() as connection:
        submit(connection, EXPORT, {"format": "xlsx"}, by="benchmark", now=NOW)
    place = JobDependencies(
        lambda: city, lambda: scorer, registry, Rules, folder / "exports",
        AuditTrail(folder / "keys" / "audit.key"), lambda: datetime.now(UTC),
    )  # fmt: skip
    worker = Worker("benchmark", database, all_kinds(place), place.clock, threading.Event())
    worker.do_one()
    database.close()


def make_backup(url: URL, models: Path, file: Path) -> None:
    """Make a backup."""
    database = Database(url)
    back_up(database, models, file)
    database.close()


def measure_waits(database: Database) -> None:
    """Print how long one process that writes waits at most beside others that read."""
    with tempfile.TemporaryDirectory() as named, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port, folder = probe.getsockname()[1], Path(named)
        probe.close()
        beside: dict[str, tuple[Callable[..., None], tuple[Any, ...]]] = {
            "nobody": (time.sleep, (3.0,)),
            "a long reader": (read_long, (database.url,)),
            "an unread ranking.csv": (leave_unread, (database.url, folder, port)),
            "a backup": (make_backup, (database.url, folder / "models", folder / "backup")),
            "an export": (export, (database.url, folder)),
        }
        for name, (deed, arguments) in beside.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                pool.apply(outcomes, (database.url, "nobody", 0))  # it has begun
                start, going, waits = time.perf_counter(), pool.apply_async(deed, arguments), []
                while not going.ready():
                    waits += outcomes(database.url, f"{name} {len(waits)}", 10)
                going.get()
                took = time.perf_counter() - start
            print(f"  {len(waits):,} outcomes in {took:.1f} s beside {name}: the longest "
                  f"{max(waits):,.0f} ms")  # fmt: skip


def load_nanchang() -> City:
    return load_city(HERE / "data" / "cities" / "nanchang.toml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firms", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("address", nargs="?", help="an empty database; SQLite if none is given")
    parser.add_argument("--waits", action="store_true", help="measure only those beside readers")
    parser.add_argument("--profile", action="store_true", help="say where taking in spends time")
    options = parser.parse_args()
    city = load_nanchang()
    scorer = Scorer(fit_expert(city), "benchmark")
    table = firms(options.firms, city)
    content = table.to_csv(index=False).encode()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(options.address or Path(folder) / "store.sqlite3")
        migrate(database)
        print(f"{database.dialect}, {options.firms:,} firms")
        profile = cProfile.Profile()
        for what in ("take in, new firms", "take in again, all known")[: 1 if options.waits else 2]:
            if options.profile:
                profile.enable()
            with Writer(database.url) as writer:
                read, stored, spent = take_in(database.url, content, scorer)
            profile.disable()
            print(f"  {what:28} {read + stored:8.1f} s, of them {stored:.1f} s to score and store "
                  f"(CPU of this process: {spent:.1f} s); a writer beside wrote {writer.count:,} "
                  f"times and waited for {writer.longest_ms:,.0f} ms at most")  # fmt: skip
            if options.profile:
                told = io.StringIO()
                pstats.Stats(profile, stream=told).sort_stats("tottime").print_stats(40)
                print(told.getvalue())
        measure_waits(database)
        if not options.waits:
            measure_writers(database, content, scorer)
            measure_pages(database, city, options.firms, options.runs)
        database.close()


if __name__ == "__main__":
    main()
