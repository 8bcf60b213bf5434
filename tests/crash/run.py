"""Kill a service and its commands again and again, and print what became of their acts.

``make crash`` runs 500 kills: half of them at the named points of ``tests/crash/points``, half at
random moments, on SQLite and on a PostgreSQL that is started for it. Exit code 1 if an act was done
twice, stands without its audit record, or was acknowledged and lost, or anything else was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

from sqlalchemy import create_engine, text
from tests.crash.office import Killed, Office, Point
from tests.crash.test_crash import BACKUPS, JOBS, REQUESTS, RESTORES
from tests.postgresql import running_server

from leadscore.store.database import Database
from leadscore.store.migrations import migrate

DATABASES = ("sqlite", "postgresql")
_LONGEST_SECONDS = {"import": 2.0, "retrain": 4.0, "backup": 1.5, "restore": 2.0}


@contextlib.contextmanager
def fresh(kind: str, folder: Path) -> Iterator[Database]:
    """Give a new database of a kind."""
    with contextlib.ExitStack() as stack:
        if kind == "sqlite":
            database = Database(folder / "leadscore.sqlite3")
        else:
            url = stack.enter_context(running_server())
            engine = create_engine(url, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.execute(text("CREATE DATABASE crash"))
            engine.dispose()
            database = Database(url.set(database="crash"))
        migrate(database)
        yield database
        database.close()


def kills(office: Office, chance: random.Random) -> Iterator[Callable[[], Killed]]:
    """Yield ways to kill, for ever: each act at its points and at as many random moments."""
    kind = office.database.dialect

    def moment(act: str) -> float:
        return chance.uniform(0.0, 1.5 * office.seconds.get(act, 0.1))

    def awake(act: str, die: Point | float) -> Killed:
        office.end()
        office.asleep = False
        try:
            return office.job(act, die)
        finally:
            office.end()
            office.asleep = True

    while True:
        for act, point in REQUESTS:
            yield lambda act=act, point=point: office.over_http(act, point)  # type: ignore[misc]
            yield lambda act=act: office.over_http(act, moment(act))  # type: ignore[misc]
        for act, point in JOBS:
            yield lambda act=act, point=point: awake(act, point)  # type: ignore[misc]
            yield lambda act=act: awake(act, chance.uniform(0, _LONGEST_SECONDS[act]))  # type: ignore[misc]
        for point in BACKUPS:
            yield lambda point=point: office.backup(point)  # type: ignore[misc]
            yield lambda: office.backup(chance.uniform(0, _LONGEST_SECONDS["backup"]))
        for point in RESTORES[kind]:
            yield lambda point=point: office.restore(point)  # type: ignore[misc]
            yield lambda: office.restore(chance.uniform(0, _LONGEST_SECONDS["restore"]))


def on(kind: str, wanted: int, seed: int, taken: list[tuple[str, Killed]]) -> None:
    """Kill so often on one kind of database."""
    with (
        tempfile.TemporaryDirectory(prefix="leadscore-crash-") as name,
        fresh(kind, Path(name)) as database,
    ):
        office = Office(Path(name), database)
        try:
            died = 0
            for _number, kill in enumerate(kills(office, random.Random(seed))):  # noqa: S311
                killed = kill()
                died += killed.died
                taken.append((kind, killed))
                if killed.wrong:
                    print(f"{kind} (seed {seed}): {killed}", flush=True)
                if died >= wanted:
                    return
        finally:
            office.end()


def table(taken: list[tuple[str, Killed]]) -> str:
    """Return the sums, act by act."""
    heads = ("act", "database", "kills", "twice", "no audit", "lost", "wrong", "first", "again")
    lines = ["".join(f"{head:<14}" for head in heads)]
    groups = sorted({(killed.act, kind) for kind, killed in taken})
    for act, kind in [*groups, ("all", "both")]:
        of = [k for d, k in taken if act == "all" or (k.act, d) == (act, kind)]
        statuses = (
            " ".join(f"{status or '-'}:{count}" for status, count in Counter(values).items())
            for values in ([k.status for k in of], [k.again for k in of])
        )
        sums = (
            sum(k.died for k in of), sum(k.twice for k in of), sum(k.without_audit for k in of),
            sum(k.lost for k in of), sum(bool(k.wrong) for k in of),
        )  # fmt: skip
        lines.append("".join(f"{value!s:<14}" for value in (act, kind, *sums, *statuses)))
    return "\n".join(lines)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    taken: list[tuple[str, Killed]] = []
    half = -(-asked.kills // 2)
    threads = [Thread(target=on, args=(kind, half, asked.seed, taken)) for kind in DATABASES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(table(taken))
    bad = [k for _, k in taken if k.twice or k.without_audit or k.lost or k.wrong]
    return 1 if bad or sum(k.died for _, k in taken) < asked.kills else 0


if __name__ == "__main__":
    sys.exit(main())
