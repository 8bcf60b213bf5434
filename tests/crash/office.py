"""A home with a service that is killed, asked again and looked into: what was done, and how often.

The service is `leadscore serve`, the commands are those of the command line, each a process of its
own (forked from a warm interpreter, see ``tests/warm.py``) that dies by SIGKILL: at one of the
points of ``tests/crash/points``, or whenever the test kills it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, func, select
from tests.commands import variables, warm_python
from tests.kept_lists import BLADES, NOW, TODAY, as_csv, code, hand_in, lakeport
from tests.second_model import OTHER, another, save_another

from leadscore.learning.expert import expert_model
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.store import api_keys
from leadscore.store.audit import AUDIT, AuditTrail, verify
from leadscore.store.champions import CHAMPIONS, champion_line
from leadscore.store.database import Database
from leadscore.store.firms import FIRMS
from leadscore.store.jobs import JOBS, Job, list_jobs, read_job
from leadscore.store.list_import import take_in_list
from leadscore.store.lists import LISTS
from leadscore.store.outcomes import outcomes
from leadscore.store.profiles import PROFILE_VERSIONS

POINTS = Path(__file__).with_name("points")
CITY = Path(__file__).parents[1] / "cities" / "lakeport.toml"
THIRD = "lakeport-20260202-0123456789"
BLADE = "wind.blade"
ENOUGH_SECONDS = 30
_RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import points
points.watch()
sys.argv = ["leadscore", *sys.argv[2:]]
from leadscore.cli import main
main()
"""
_BOUNDARY = "a-boundary-of-a-form"
_ROWS = 40
"""Of a list that is handed in."""


@dataclass(frozen=True)
class Point:
    """Where a process is to die; ``count`` says at which time it comes there."""

    name: str
    count: int = 1
    role: str = "main"


@dataclass
class Killed:
    """What came of an act that was done, killed and asked for again with the same key."""

    act: str
    effects: int  # by how much the rows of the act have become more
    records: int  # and the records of the audit
    acknowledged: bool
    status: int | None  # of the answer before the kill, None if there was none
    again: int | None  # and of the one after it; exit codes of commands
    died: bool
    wrong: str = ""

    @property
    def twice(self) -> bool:
        return self.effects > 1

    @property
    def without_audit(self) -> bool:
        return self.records < self.effects

    @property
    def lost(self) -> bool:
        return self.acknowledged and self.effects < 1


@dataclass
class Office:
    """The home; ``database`` is opened beside the service, to look."""

    home: Path
    database: Database
    asleep: bool = True
    city: Path = CITY
    key: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    port: int = 0
    number: int = 0

    def __post_init__(self) -> None:
        registry = self.registry = ModelRegistry(
            self.home / "models", self.home / "keys" / "models.key"
        )
        self.watched()
        expert_model(lakeport(), registry, NOW)
        save_another(registry)
        manifest = registry.manifest(OTHER).content
        known = ("kind", "as_of", "measures", "outcomes", "decision")
        registry.save(
            THIRD, another(lakeport(), 2.0),
            {"created": NOW, **{name: manifest[name] for name in known}},
        )  # fmt: skip
        number = hand_in(self.database, {"name": "甲有限公司", "main_business": BLADES})
        scorer = champion_scorer(lakeport(), registry, now=NOW)
        take_in_list(self.database, number, scorer=scorer, now=NOW, today=TODAY)
        with self.database.write() as connection:
            self.key = api_keys.add(
                connection, "office", "administrator", by="cli", now=datetime.now(UTC)
            )

    def watched(self) -> None:
        """Make the folder by which processes are killed."""
        self.trail = AuditTrail(self.home / "keys" / "audit.key")
        self.crash = self.home / "crash"
        self.crash.mkdir(parents=True)
        self.died = self.crash / "died"

    # -- processes

    def environment(self, role: str) -> dict[str, str]:
        url = self.database.url
        where = {} if self.database.path else {
            "LEADSCORE_DATABASE": url.render_as_string(hide_password=False)
        }  # fmt: skip
        path = os.pathsep.join(filter(None, (str(POINTS), os.environ.get("PYTHONPATH"))))
        return variables(
            self.home, LEADSCORE_LANG="en", LEADSCORE_CITY=str(self.city), PYTHONPATH=path, **where,
            CRASH_FOLDER=str(self.crash), CRASH_ROLE=role,
            CRASH_WORKER="asleep" if self.asleep else "awake",
        )  # fmt: skip

    def command(self, *words: object, role: str = "command") -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*warm_python(), _RUN, str(POINTS), *map(str, words)], text=True, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment(role),
        )  # fmt: skip

    def run(self, *words: object) -> tuple[int, str]:
        with self.command(*words) as process:
            said = process.communicate(timeout=ENOUGH_SECONDS)[0]
            return process.returncode, said

    def serve(self) -> None:
        """Start the service, unless it runs."""
        if self.process is not None and self.process.poll() is None:
            return
        self.process = self.command("serve", "--port", 0, role="main")
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if "http://127.0.0.1:" in line:
                self.port = int(line.split("http://127.0.0.1:")[1].split()[0])
                # Or the pipe fills.
                self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
                self.reader.start()
                return
        raise AssertionError(said)

    def end(self) -> None:
        """Kill the service, if it runs."""
        if self.process is not None:
            self.kill("main")
            self.process.wait(ENOUGH_SECONDS)
            self.reader.join(ENOUGH_SECONDS)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def kill(self, role: str) -> bool:
        """Kill a process that still runs; tell whether it did."""
        try:
            os.kill(int((self.crash / f"{role}.pid").read_text()), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return False
        return True

    @contextlib.contextmanager
    def armed(self, point: Point | None) -> Iterator[None]:
        file = self.crash / "armed"
        if point:
            part = file.with_suffix(".new")
            part.write_text(f"{point.role} {point.name} {point.count}")
            part.rename(file)
        self.died.unlink(missing_ok=True)
        try:
            yield
        finally:
            file.unlink(missing_ok=True)

    # -- requests

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None,
        **headers: str,
    ) -> tuple[int | None, Any, Any]:  # fmt: skip
        """Return status, body and headers of an answer; without a status if none came."""
        given = {"Authorization": f"Bearer {self.key}", **headers}
        if key:
            given["Idempotency-Key"] = key
        if body is not None and not isinstance(body, bytes):
            given["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        with contextlib.closing(
            HTTPConnection("127.0.0.1", self.port, timeout=ENOUGH_SECONDS)
        ) as connection:
            try:
                connection.request(method, f"/api/v1{path}", body, given)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, HTTPException):
                return None, None, {}
        return answer.status, json.loads(content), answer.headers

    # -- what is there

    def count(self, table: Table, *where: Any) -> int:
        with self.database.read() as connection:
            query = select(func.count()).select_from(table).where(*where)
            return int(connection.scalar(query) or 0)

    def records(self, action: str) -> int:
        return self.count(AUDIT, AUDIT.c.action == action)

    def line(self) -> list[str]:
        with self.database.read() as connection:
            return champion_line(connection, "lakeport")

    def faults(self) -> list[str]:
        """Return what is wrong with the whole, as far as it can be told by itself."""
        with self.database.read() as connection:
            fault = verify(connection, self.trail).fault
            promotions = list(connection.execute(select(CHAMPIONS).order_by(CHAMPIONS.c.number)))
            changes = list(connection.scalars(select(PROFILE_VERSIONS.c.number)))
            digests = list(connection.execute(
                select(PROFILE_VERSIONS.c.rests_on, PROFILE_VERSIONS.c.digest)
                .order_by(PROFILE_VERSIONS.c.number)
            ))  # fmt: skip
        wrong = [] if fault is None else [fault.en]
        if [row.number for row in promotions] != list(range(1, len(promotions) + 1)):
            wrong.append("the history of champions has a gap")
        if sorted(changes) != list(range(2, len(changes) + 2)):
            wrong.append("the versions of the profile have a gap")
        if any(before[1] != after[0] for before, after in itertools.pairwise(digests)):
            wrong.append("a version of the profile rests on another than the one before")
        models = self.home / "models"
        there = {path.parent.name for path in models.glob("*/manifest.json")}
        wrong += [f"{row.version} is not there" for row in promotions if row.version not in there]
        return wrong

    # -- acts

    def request(self, act: str) -> tuple[Callable[[str], Any], Table, str]:
        """Return what asks for an act with a key, the table of its effect, and its audit action."""
        self.number += 1
        if act == "promote":
            version = THIRD if self.line()[:1] == [OTHER] else OTHER
            body = {"reason": f"reason {self.number}"}
            path = f"/models/{version}/promote"
            return lambda key: self.ask("POST", path, body, key=key), CHAMPIONS, "model.promote"
        if act == "rollback":
            while len(self.line()) < 3:
                send, *_ = self.request("promote")
                assert send(uuid4().hex)[0] == 200
            path = "/models/rollback"
            return lambda key: self.ask("POST", path, {}, key=key), CHAMPIONS, "model.rollback"
        if act == "supply":
            status, answer, headers = self.ask("GET", "/gaps")
            assert status == 200, answer
            tag = headers["ETag"]
            body = {"supply": (self.number % 89 + 5) / 100, "reason": f"reason {self.number}"}
            path = f"/gaps/{BLADE}/supply"
            return (
                lambda key: self.ask("PUT", path, body, key=key, **{"If-Match": tag}),
                PROFILE_VERSIONS, "city.supply",
            )  # fmt: skip
        if act == "outcome":
            body = {
                "stage": "contacted", "day": "2026-01-01",
                "reason": f"reason {self.number}",
            }  # fmt: skip
            path = "/firms/1/outcomes"
            return lambda key: self.ask("POST", path, body, key=key), outcomes, "outcome.add"
        if act == "import":
            content = _form(f"{self.number}.csv", as_csv(*(
                {"name": f"第{self.number}批{row}号有限公司", "main_business": BLADES,
                 "credit_code": code(self.number * 1000 + row)}
                for row in range(_ROWS)
            )))  # fmt: skip
            kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
            return (
                lambda key: self.ask("POST", "/lists", content, key=key, **kind), LISTS, "list.add",
            )  # fmt: skip
        assert act == "retrain"
        return (
            lambda key: self.ask("POST", "/models/retrain", {}, key=key), JOBS, "model.retrain",
        )  # fmt: skip

    def over_http(self, act: str, die: Point | float) -> Killed:
        """Ask for an act, kill the service at a point or after some seconds, and ask again."""
        self.serve()
        send, table, action = self.request(act)
        key, line = uuid4().hex, self.line()
        rows, records = self.count(table), self.records(action)
        point = die if isinstance(die, Point) else None
        with self.armed(point):
            killer = None
            if isinstance(die, float):
                killer = _after(die, lambda: self.kill("main"))
            status = send(key)[0]
            if killer:
                killer.join()
            else:
                assert self.process is not None
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.2 if status else ENOUGH_SECONDS)
        died = self.process is not None and (killer is not None or self.process.poll() is not None)
        self.end()
        self.serve()
        began = time.monotonic()
        again, answer, _ = send(key)
        self.seconds[act] = max(0.005, time.monotonic() - began)
        third = send(key)
        wrong = [] if third[:2] == (again, answer) else ["the same key got another answer"]
        effects = self.count(table) - rows
        if act == "retrain":  # whose job may have asked for another one
            with self.database.read() as connection:
                asked = list_jobs(connection, kinds=["retrain"], limit=500)
            effects = sum(job.id == answer["job_id"] for job in asked) if answer else 0
        if act == "rollback" and self.line() != line[1:]:
            wrong.append(f"from {line} it went back to {self.line()}")
        records = self.records(action) - records
        wrong += self.faults()
        if again is None or again >= 400:
            wrong.append(f"asked again: {again} {answer}")
        return Killed(
            act, effects, records, status is not None and status < 300, status, again, died,
            "; ".join(wrong),
        )  # fmt: skip

    def job(self, act: str, die: Point | float) -> Killed:
        """Have a worker do an import or a retraining, kill it meanwhile, and see the job's end."""
        assert not self.asleep
        self.serve()
        send, *_ = self.request(act)
        rows, beyond = self.count(FIRMS), self.beyond_jobs()
        with self.armed(die if isinstance(die, Point) else None):
            status, answer, _ = send(uuid4().hex)
            assert status == 202, answer
            number = answer["job_id"]
            if isinstance(die, float):
                self.until(lambda: self.job_of(number).state != "waiting")
                time.sleep(die)
                died = self.kill("worker")
            else:
                self.until(lambda: self.job_of(number).ended_at or self.died.exists())
                died = self.died.exists()
        self.until(lambda: self.job_of(number).ended_at)
        job, wrong = self.job_of(number), self.faults()
        if job.state != "done":
            wrong.append(f"the job ended as {job.state}: {job.error}")
        if act == "import":
            effects, left = divmod(self.count(FIRMS) - rows, _ROWS)
            wrong += [f"{left} firms more or less"] if left else []
            records = 1
        else:
            # Others may have waited, too: each has one record.
            records = effects = 1 + self.beyond_jobs() - beyond
        return Killed(f"{act} job", effects, records, True, 202, 200, died, "; ".join(wrong))

    def beyond_jobs(self) -> int:
        """Return how many more retrainings the audit has than there are jobs that are done."""
        noted = select(func.count()).select_from(AUDIT).where(
            AUDIT.c.action == "model.retrain", AUDIT.c.object_kind == "model"
        )  # fmt: skip
        done = select(func.count()).select_from(JOBS).where(
            JOBS.c.kind == "retrain", JOBS.c.state == "done"
        )  # fmt: skip
        with self.database.read() as connection:
            return int(connection.scalar(noted) or 0) - int(connection.scalar(done) or 0)

    def job_of(self, number: int) -> Job:
        with self.database.read() as connection:
            return read_job(connection, number)

    def until(self, true: Callable[[], object]) -> None:
        until = time.monotonic() + ENOUGH_SECONDS
        while not true():
            assert time.monotonic() < until, "it took too long"
            time.sleep(0.02)

    def backup(self, die: Point | float) -> Killed:
        """Make a backup by the command, kill it, and make it again."""
        self.number += 1
        file, records = self.home / f"{self.number}.backup", self.records("database.backup")
        status, died = self.killed(die, "db", "backup", file)
        self.serve()  # others work meanwhile
        was_there = file.exists()
        again, said = self.run("db", "backup", file)
        wrong = self.faults()
        if again != (2 if was_there else 0):
            wrong.append(f"made again: {again} {said}")
        with tarfile.open(file) as archive:
            names = archive.getnames()
        if "database" not in names or not any(name.endswith("manifest.json") for name in names):
            wrong.append(f"the backup holds {names}")
        left = [path.name for path in self.home.glob("*.part")]
        wrong += [f"{left} are left"] if left else []
        done = self.records("database.backup") - records
        file.unlink()
        return Killed("backup", 1, done, status == 0, status, again, died, "; ".join(wrong))

    def restore(self, die: Point | float) -> Killed:
        """Put a backup back by the command, kill it, and put it back again."""
        self.number += 1
        file = self.home / f"{self.number}.backup"
        self.serve()
        code_, said = self.run("db", "backup", file)
        assert code_ == 0, said
        send, *_ = self.request("outcome")
        kept, records = self.count(outcomes), self.records("database.restore")
        assert send(uuid4().hex)[0] == 201
        self.end()
        status, died = self.killed(die, "db", "restore", file, "--replace")
        # Whoever looks at the audit next sees what was done: all of it, or nothing.
        code_, said = self.run("audit", "verify")
        between, noted = self.count(outcomes), self.records("database.restore") - records
        wrong = [] if code_ == 0 else [said]
        if (between, noted) not in ((kept + 1, 0), (kept, 1)):
            wrong.append(f"after the kill {between - kept} entries and {noted} records")
        again, said = self.run("db", "restore", file, "--replace")
        if again != 0:
            wrong.append(f"put back again: {again} {said}")
        self.run("audit", "verify")
        wrong += self.faults()
        effects = 1 if self.count(outcomes) == kept else 0
        done = self.records("database.restore") - records
        file.unlink()
        wrong += [f"{done} records"] if done != 1 else []
        return Killed("restore", effects, done, status == 0, status, again, died, "; ".join(wrong))

    def killed(self, die: Point | float, *words: object) -> tuple[int | None, bool]:
        """Run a command until it dies; return its exit code, None if it was killed."""
        point = replace(die, role="command") if isinstance(die, Point) else None
        pid = self.crash / "command.pid"
        pid.unlink(missing_ok=True)
        with self.armed(point), self.command(*words) as process:
            killer = None
            if isinstance(die, float):
                self.until(lambda: pid.exists() or process.poll() is not None)
                killer = _after(die, lambda: self.kill("command"))
            process.communicate(timeout=ENOUGH_SECONDS)
            if killer:
                killer.cancel()
                killer.join()
        died = process.returncode == -signal.SIGKILL
        return None if died else process.returncode, died


def _after(seconds: float, act: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


def _form(name: str, content: bytes) -> bytes:
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    )
    return head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
