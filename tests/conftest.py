"""What tests of every kind share: a fresh database of each sort that the store works on."""

from __future__ import annotations

import copy
import hashlib
import itertools
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import apsw
import flask_openapi.openapi
import flask_openapi.utils
import pytest
from flask import Flask
from hypothesis import settings
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from tests.commands import MEASURING
from tests.postgresql import running_server

from leadscore.store.database import Database, sqlite_url
from leadscore.store.migrations import migrate

_VERSION = pytest.StashKey[str]()
_NUMBERS = itertools.count(1)
_FIRST = ("tests/browser/", "tests/integration/", "tests/contract/")
_TEMPLATE = "template_of_tests"
_RAN_ON = "store contract"
_MEASURING = os.environ.get(MEASURING)

# How many examples a test makes up that says nothing of it: few and always the same with `make
# test`, more and ever others with `make fuzz`.
settings.register_profile("ci", max_examples=15, deadline=None, derandomize=True)
settings.register_profile("fuzz", max_examples=150, deadline=None)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def postgresql_url(request: pytest.FixtureRequest) -> Iterator[URL]:
    """Return the address of a running server's ``postgres`` database."""
    with running_server() as url:
        engine = create_engine(url)
        with engine.connect() as connection:
            version = str(connection.scalar(text("SHOW server_version"))).split()[0]
        engine.dispose()
        request.config.stash[_VERSION] = version
        yield url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: URL) -> str:
    """Return the name of a migrated database, to be cloned."""
    _administer(postgresql_url, f"CREATE DATABASE {_TEMPLATE}")
    _migrated(postgresql_url.set(database=_TEMPLATE))
    return _TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "leadscore.sqlite3"
    _migrated(sqlite_url(path))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a fresh, migrated database; what uses it is tested on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        request.node.user_properties.append((_RAN_ON, f"SQLite {apsw.sqlite_lib_version()}"))
        path = tmp_path / "leadscore.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        database = Database(sqlite_url(path))
        yield database
        database.close()
        return
    url, name = request.getfixturevalue("postgresql_url"), f"test_{next(_NUMBERS)}"
    template = request.getfixturevalue("postgresql_template")
    version = request.config.stash[_VERSION]
    request.node.user_properties.append((_RAN_ON, f"PostgreSQL {version}"))
    _administer(url, f"CREATE DATABASE {name} TEMPLATE {template}")
    database = Database(url.set(database=name))
    yield database
    database.close()
    _administer(url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end what the test starts, though it ends nothing that was started by nohup."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class _CompiledTemplates(BytecodeCache):
    """Keeps what templates were compiled to."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def _once_for_all_applications() -> Iterator[None]:
    """Keep what hundreds of applications would work out alike.

    These are the schemas of the models, the compiled templates, and the hash of a password under
    the salt that it was just hashed with.
    """
    describe = cache(flask_openapi.utils.get_model_schema)

    def described(*args: Any, **kwargs: Any) -> Any:
        return copy.deepcopy(describe(*args, **kwargs))  # whoever asks takes it apart

    with pytest.MonkeyPatch.context() as patch:
        for module in (flask_openapi.utils, flask_openapi.openapi):
            patch.setattr(module, "get_model_schema", described)
        patch.setitem(Flask.jinja_options, "bytecode_cache", _CompiledTemplates())
        patch.setattr(hashlib, "scrypt", lru_cache(maxsize=64)(hashlib.scrypt))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let two workers end together, each having started few servers.

    Workers are given halves of what is collected, and who has done all takes from the end of what
    the other has still to do. So each begins with one of the two tests that take longest, and the
    tests that share a browser or a service are far from where work changes hands.
    """
    items.sort(key=lambda item: [not item.nodeid.startswith(folder) for folder in _FIRST])
    longest = [item for item in items if "test_schemathesis" in item.nodeid]
    for place, item in zip((0, len(items) // 2), longest, strict=False):
        items.remove(item)
        items.insert(place, item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the processes that a test starts measure coverage only where it is marked for that.

    To be measured doubles the time that a process takes to start, and most only repeat what is
    measured in this one.
    """
    if _MEASURING and item.get_closest_marker("measured"):
        os.environ[MEASURING] = _MEASURING
    else:
        os.environ.pop(MEASURING, None)


def _migrated(url: URL) -> None:
    database = Database(url)
    migrate(database)
    database.close()


def _administer(url: URL, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which databases the contract of the store was tested on, and with how many tests."""
    ran = Counter(
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == _RAN_ON
    )
    if ran:
        told = ", ".join(f"{count} tests on {database}" for database, count in sorted(ran.items()))
        terminalreporter.write_line(f"{_RAN_ON}: {told}")
