"""A database that is busy, full, read-only or away: what a real server answers, and afterwards."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from tests.commands import called, warm_python
from tests.contract.access_app import Clock
from tests.kept_lists import BLADES, BREAD, TODAY, scorer, take_in
from tests.postgresql import stoppable_server
from tests.service import demonstration

from leadscore.store import api_keys, audit
from leadscore.store.api_keys import Holder, Recent
from leadscore.store.database import Database, UnavailableError
from leadscore.store.migrations import migrate
from leadscore.text import Text

ENOUGH_SECONDS = 30
ROOT = Path(__file__).parents[2]
CITY = ROOT / "tests" / "cities" / "lakeport.toml"
PATIENCE_SECONDS = 0.5

# Root may write everywhere: where the tests are run by root the server gives that up.
HUMBLE = """
import ctypes
import os
import sys

def humble():
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        head, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert libc.capget(head, sets) == 0
        for place in (0, 1):  # effective and permitted: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            sets[place] &= ~0b110
        assert libc.capset(head, sets) == 0
        assert libc.prctl(24, 1) == libc.prctl(24, 2) == 0  # nor has any child
"""

SERVER = (
    HUMBLE
    + """
from datetime import UTC, date, datetime
from pathlib import Path

from tests.kept_lists import profiles, scorer

from leadscore.registry.models import ModelRegistry
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.app import create_app
from leadscore.web.auth import Access
from leadscore.web.serve import serve

if sys.argv[4]:
    humble()

home = Path(sys.argv[2])
database = Database(sys.argv[1], patience_seconds=float(sys.argv[3]))
access = Access(database, AuditTrail(home / "keys" / "audit.key"), lambda: datetime.now(UTC))
registry = ModelRegistry(home / "models", home / "keys" / "models.key")
scoring = CurrentScoring(scorer, registry, profiles(database), database)
app = create_app(
    Dependencies(scoring, registry, date.today, access, profiles(database), exports=home)
)
serve(app, host="127.0.0.1", port=0, threads=4)
"""
)

COMMAND = (
    HUMBLE
    + """
humble()
from leadscore.cli import main

main()
"""
)

HOLDER = """
import sys

from leadscore.store.sqlite import connect

connection = connect(sys.argv[1], patience_seconds=5.0)
connection.execute(sys.argv[2])
rows = connection.execute("SELECT * FROM audit")
rows.fetchone()
print("held", flush=True)
sys.stdin.read()
"""


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes
    seconds: float

    @property
    def message(self) -> str:
        message: str = json.loads(self.body)["error"]["message"]
        return message


@dataclass
class Service:
    """A server in a process of its own, an officer's key, and its database seen from here."""

    database: Database
    key: str
    port: int = 0

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {key or self.key}", "Accept-Language": "en"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        begun = time.monotonic()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=ENOUGH_SECONDS)) as connection:
            connection.request(method, path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        return Answer(answer.status, answer.headers, content, time.monotonic() - begun)

    def write(self, name: str = "丁有限公司") -> Answer:
        """Keep a firm."""
        firms = [{"name": name, "main_business": BLADES * 200}]
        return self.ask("POST", "/api/v1/score", {"firms": firms, "store": True})

    def score(self, key: str | None = None) -> Answer:
        return self.ask("POST", "/api/v1/score", {"firms": [{"name": "甲有限公司"}]}, key)

    def read(self) -> Answer:
        return self.ask("GET", "/api/v1/ranking")

    def file(self) -> Answer:
        """Fetch the ranking as a file, which is noted in the audit."""
        return self.ask("GET", "/api/v1/ranking.csv")

    def ready(self) -> tuple[int, str, list[str]]:
        answer = self.ask("GET", "/readyz")
        told = json.loads(answer.body)
        return answer.status, told["status"], [each["code"] for each in told["because"]]

    def well(self) -> bool:
        return self.ready() == (200, "ready", [])

    def noted(self, action: str) -> int:
        """Count records of the audit."""
        with self.database.read() as connection:
            return len(audit.page(connection, before=None, limit=500, action=action))

    def check_reading_goes_on(self, exports: int) -> None:
        """Read in every way; ``exports`` are in the audit before and can't be added to."""
        assert self.read().status == 200
        answer = self.file()
        assert answer.status == 200
        names = {
            row["name"] for row in csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig")))
        }
        assert {"甲有限公司", "乙有限公司"} <= names
        assert self.score().status == 200
        assert self.noted("ranking.export") == exports


def until(holds: Callable[[], bool]) -> None:
    """Wait for what a service learns by itself; fail after some seconds."""
    end = time.monotonic() + ENOUGH_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def serving(database: Database, home: Path, *, humble: bool = False) -> Iterator[Service]:
    """Serve a database in which two firms are; ``humble``: by somebody who obeys permissions."""
    take_in(
        database,
        {"name": "甲有限公司", "main_business": BLADES},
        {"name": "乙有限公司", "main_business": BREAD},
    )
    with database.write() as connection:
        key = api_keys.add(connection, "office", "officer", by="cli", now=datetime.now(UTC))
    service = Service(database, key)
    address = database.url.render_as_string(hide_password=False)
    if humble and database.path:
        for path in (*database.path.parent.iterdir(), database.path.parent):
            path.chmod(0o555 if path.is_dir() else 0o444)
    command = [
        *warm_python(), SERVER, address, str(home), str(PATIENCE_SECONDS), "humble" * humble
    ]  # fmt: skip
    with running(command) as service.port:
        yield service


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[int]:
    """Run a server, and give its port as soon as it says it."""
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT,
        env=os.environ | environment,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            said = ""
            while "http://127.0.0.1:" not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            yield int(said.split("http://127.0.0.1:")[1].split()[0])
            process.terminate()
            process.wait(ENOUGH_SECONDS)
        finally:
            process.kill()


@contextmanager
def held(path: Path, statement: str) -> Iterator[None]:
    """Let another process begin a transaction in a file, and read in it but not to the end."""
    command = [*warm_python(), HOLDER, str(path), statement]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield
        finally:
            process.kill()


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """Return a fresh database of SQLite in a folder of its own."""
    folder = tmp_path / "database"
    folder.mkdir()
    shutil.copyfile(sqlite_template, folder / "leadscore.sqlite3")
    with closing(Database(folder / "leadscore.sqlite3")) as database:
        yield database


def check_busy(service: Service, exports: int = 0) -> None:
    refused = service.write()
    assert refused.status == 503
    assert "busy" in refused.message
    assert "sqlite3" not in refused.message
    assert 0 < int(refused.headers["Retry-After"]) < 10
    assert refused.seconds < PATIENCE_SECONDS + 5
    service.check_reading_goes_on(exports)
    assert service.ready() == (200, "degraded", ["database_unwritable"])


def check_recovered(service: Service, exports: int = 1) -> None:
    until(service.well)
    assert service.write().status == 200
    assert service.read().status == 200
    until(lambda: service.read().status == 200 and service.noted("ranking.export") == exports)


def test_a_file_that_another_process_writes_to(file: Database, tmp_path: Path) -> None:
    with serving(file, tmp_path) as service:
        assert service.well()
        assert file.path
        with held(file.path, "BEGIN IMMEDIATE"):
            check_busy(service)
        check_recovered(service)


def test_nobody_waits_for_who_reads_and_does_not_end(file: Database, tmp_path: Path) -> None:
    with serving(file, tmp_path) as service:
        assert file.path
        with held(file.path, "BEGIN"):
            assert service.write().status == 200
            assert service.file().status == 200
            assert service.noted("ranking.export") == 1
            assert service.well()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk to be filled")
@pytest.mark.parametrize("megabytes", [1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8])
def test_a_full_disk(sqlite_template: Path, tmp_path: Path, megabytes: float) -> None:
    with small_disk(tmp_path, megabytes) as disk:
        shutil.copyfile(sqlite_template, disk / "leadscore.sqlite3")
        with (
            closing(Database(disk / "leadscore.sqlite3")) as database,
            serving(database, tmp_path) as service,
        ):
            assert service.write().status == 200
            filler = fill(disk)
            refused = [service.write() for _ in range(4)][-1]
            assert refused.status == 507
            assert "disk is full" in refused.message
            assert service.read().status == service.file().status == service.score().status == 200
            assert service.ready() == (200, "degraded", ["database_unwritable"])
            filler.unlink()
            assert service.write().status == 200
            assert service.well()
            until(lambda: service.read().status == 200 and service.noted("ranking.export") == 1)


def test_a_file_that_may_only_be_read(file: Database, tmp_path: Path) -> None:
    assert file.path
    with serving(file, tmp_path, humble=True) as service:
        refused = service.write()
        assert refused.status == 503
        assert "permissions" in refused.message
        service.check_reading_goes_on(0)
        assert service.ready() == (200, "degraded", ["database_unwritable"])
        for path in (file.path.parent, *file.path.parent.iterdir()):
            path.chmod(0o755)
        check_recovered(service)


@contextmanager
def started(home: Path) -> Iterator[Service]:
    """Run the command that serves a home, as somebody who obeys permissions."""
    key = (home / "key").read_text()
    command = [sys.executable, "-c", COMMAND, "serve", "--port", "0", "--city", str(CITY)]
    environment = {"LEADSCORE_HOME": str(home), "LEADSCORE_LANG": "en"}
    with (
        closing(Database(home / "leadscore.sqlite3")) as database,
        running(command, **environment) as port,
    ):
        yield Service(database, key, port)


def furnish(home: Path) -> None:
    """Rank a list in a home, so that it has all that a service needs, and hand out a key."""
    listed = home.parent / "firms.csv"
    listed.write_text(f"企业名称,主营业务\n甲有限公司,{BLADES}\n", encoding="utf-8")
    assert called("rank", listed, "--city", CITY, home=home).returncode == 0
    with closing(Database(home / "leadscore.sqlite3")) as database:
        with database.write() as connection:
            key = api_keys.add(connection, "office", "officer", by="cli", now=datetime.now(UTC))
        take_in(
            database,
            {"name": "甲有限公司", "main_business": BLADES},
            {"name": "乙有限公司", "main_business": BREAD},
        )
    (home / "key").write_text(key)


def check_served_though_unwritable(service: Service, status: int, word: str) -> None:
    assert service.read().status == service.score().status == service.file().status == 200
    refused = service.write()
    assert (refused.status, word in refused.message) == (status, True)
    ready, state, because = service.ready()
    assert (ready, state) == (200, "degraded")
    assert "database_unwritable" in because


def test_a_service_starts_in_a_home_that_may_only_be_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    furnish(home)
    places = [home, *home.rglob("*")]
    before = {path: path.stat().st_mode for path in places}
    for path in places:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        with started(home) as service:
            check_served_though_unwritable(service, 503, "permissions")
            for path, mode in before.items():
                path.chmod(mode)
            until(lambda: service.write().status == 200)
            until(service.well)
    finally:
        for path, mode in before.items():
            path.chmod(mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk to be filled")
def test_a_service_starts_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path, 6) as disk:
        home = disk / "home"
        furnish(home)
        filler = fill(disk)
        with started(home) as service:
            check_served_though_unwritable(service, 507, "disk is full")
            filler.unlink()
            until(lambda: service.write().status == 200)
            until(service.well)


@contextmanager
def small_disk(folder: Path, megabytes: float) -> Iterator[Path]:
    """Mount a disk of some megabytes in memory."""
    disk = folder / "disk"
    disk.mkdir()
    size = f"size={int(megabytes * 1024)}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Write a file until nothing more goes in."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while stream.write(b"\0" * 4096):
            pass
    return filler


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_row_that_another_transaction_has_locked(database: Database, tmp_path: Path) -> None:
    with serving(database, tmp_path) as service:
        with database.transaction() as other:
            other.exec_driver_sql("UPDATE generation SET number = number")
            other.exec_driver_sql("LOCK TABLE audit_head IN EXCLUSIVE MODE")
            check_busy(service)
        check_recovered(service)


def test_a_server_that_was_stopped_and_started(tmp_path: Path) -> None:
    with stoppable_server() as server, closing(Database(server.url)) as database:
        migrate(database)
        with serving(database, tmp_path) as service:
            assert service.score().status == service.write().status == 200
            server.stop()
            for away in (service.read(), service.write(), service.score("ls_unknown")):
                assert away.status == 503
                assert "the database is unavailable" in away.message
                assert make_url(server.url).password not in away.message
                assert away.headers["Retry-After"]
                assert away.seconds < 5
            scored = service.score()
            assert scored.status == 200
            assert json.loads(scored.body)["model"] == "m1"
            assert service.ready() == (503, "degraded", ["database_away"])
            server.start()
            until(lambda: service.read().status == 200)
            assert service.write().status == 200
            assert service.well()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk to be filled")
def test_a_full_disk_of_postgresql(tmp_path: Path) -> None:
    with stoppable_server() as server:
        engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            data = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
            with small_disk(data.parent, 32) as disk:
                os.chown(disk, data.stat().st_uid, -1)
                connection.exec_driver_sql(f"CREATE TABLESPACE small LOCATION '{disk}'")
                connection.exec_driver_sql("CREATE DATABASE small TABLESPACE small")
                with closing(Database(server.url.set(database="small"))) as database:
                    migrate(database)
                    with serving(database, tmp_path) as service:
                        check_full_postgresql(service, disk)
                connection.exec_driver_sql("DROP DATABASE small")
                connection.exec_driver_sql("DROP TABLESPACE small")
        engine.dispose()


def check_full_postgresql(service: Service, disk: Path) -> None:
    assert service.write().status == 200
    filler = fill(disk)
    names = (f"戊{number}有限公司" for number in range(100))
    refused = next(answer for name in names if (answer := service.write(name)).status != 200)
    assert (refused.status, "disk is full" in refused.message) == (507, True)
    assert service.read().status == service.file().status == service.score().status == 200
    assert service.ready() == (200, "degraded", ["database_unwritable"])
    filler.unlink()
    assert service.write("己有限公司").status == 200
    assert service.well()


def test_no_transaction_is_held_while_a_client_reads(database: Database, tmp_path: Path) -> None:
    take_in(database, {"name": "甲有限公司", "main_business": BLADES})
    app = demonstration(scorer(), tmp_path, lambda: TODAY, database=database)
    with app.test_client().get("/api/v1/ranking.csv") as answer:
        assert next(answer.iter_encoded())
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_file_that_finds_no_room(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # /dev/full takes nothing: where it stands for the file that is to be sent, the disk is full.
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "r+b", 0))  # noqa: SIM115, PTH123
    app = demonstration(scorer(), tmp_path, lambda: TODAY, database=database)
    answer = app.test_client().get("/api/v1/ranking.csv", headers={"Accept-Language": "en"})
    assert answer.status_code == 507
    assert "disk is full" in answer.get_json()["error"]["message"]


def test_what_may_be_left_out_is_left_out_at_once(file: Database) -> None:
    assert file.path
    before = file.generation()
    with held(file.path, "BEGIN IMMEDIATE"):
        begun = time.monotonic()
        assert not file.note(lambda connection: connection.exec_driver_sql("DELETE FROM sessions"))
        assert time.monotonic() - begun < 5
        assert file.unwritable() == "busy"
    assert file.note(lambda connection: connection.exec_driver_sql("DELETE FROM sessions"))
    assert file.unwritable() is None
    assert file.generation() == before


def test_a_refusal_keeps_its_reason_on_the_way_out_of_a_process() -> None:
    error = UnavailableError(Text(zh="满", en="full"), why="full")
    assert pickle.loads(pickle.dumps(error)).why == "full"  # noqa: S301 (our own)


def test_good_keys_are_remembered_for_some_minutes_and_not_without_end() -> None:
    clock = Clock()
    recent = Recent(lambda: clock.now.timestamp())
    holder = Holder("office", "officer", stale=False, generation=1)
    for number in range(1_001):
        recent.remember(f"ls_{number}", holder)
    assert recent.holder("ls_0") is None
    assert recent.holder("ls_1000") == holder
    recent.remember("ls_1000", None)
    assert recent.holder("ls_1000") is None
    clock.turn(minutes=11)
    assert recent.holder("ls_999") is None
