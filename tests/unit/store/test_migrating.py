"""A database is brought to this program's tables once, and never by a program older than it."""

from __future__ import annotations

import importlib
import multiprocessing
import pkgutil
from collections.abc import Iterator
from multiprocessing.pool import Pool
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import URL

from leadscore import store
from leadscore.store.engine.database import Database, sqlite_url
from leadscore.store.engine.metadata import METADATA
from leadscore.store.engine.migrating import migrate
from leadscore.store.faults import StoreError

for module in pkgutil.walk_packages(store.__path__, "leadscore.store."):
    if ".migrations" not in module.name:
        importlib.import_module(module.name)  # each adds its tables


def test_a_migrated_database_needs_no_more(database: Database) -> None:
    assert not migrate(database)
    with database.read() as connection:
        assert "alembic_version" in inspect(connection).get_table_names()


def test_a_database_newer_than_the_program_is_left_alone(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer than this program") as caught:
        migrate(database)
    assert "9999" in caught.value.message.zh


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "blank.sqlite3")
        return
    url: URL = request.getfixturevalue("postgresql_url")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE blank"))
        yield url.set(database="blank")
        connection.execute(text("DROP DATABASE blank WITH (FORCE)"))
    engine.dispose()


def _migrate(url: URL) -> bool:
    database = Database(url)
    try:
        return migrate(database)
    finally:
        database.close()


def test_the_migrations_make_the_tables_that_the_program_knows(blank_url: URL) -> None:
    database = Database(blank_url)
    migrate(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    database.close()


@pytest.mark.parametrize("name", [name for name, t in METADATA.tables.items() if t.info])
def test_tables_that_only_grow_have_their_triggers(database: Database, name: str) -> None:
    of_sqlite = text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :n")
    of_postgresql = text(
        "SELECT count(DISTINCT event_manipulation) FROM information_schema.triggers"
        " WHERE event_object_table = :n"
    )
    query = of_sqlite if database.dialect == "sqlite" else of_postgresql
    with database.read() as connection:
        assert connection.scalar(query, {"n": name}) == 2


@pytest.fixture(scope="module")
def four() -> Iterator[Pool]:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        yield pool


def test_of_many_that_start_at_once_one_makes_the_tables(four: Pool, blank_url: URL) -> None:
    made = four.map(_migrate, [blank_url] * 8, chunksize=1)
    assert sorted(made) == [False] * 7 + [True]
