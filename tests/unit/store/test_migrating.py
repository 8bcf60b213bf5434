"""A database is brought to this program's tables once, and never by a program older than it."""

from __future__ import annotations

import importlib
import multiprocessing
import pkgutil
from collections.abc import Iterator
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table, create_engine, inspect, select, text
from sqlalchemy.engine import URL
from tests.kept_lists import BLADES, code, take_in

from leadscore import store
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.database import METADATA, Database, StoreError, sqlite_url
from leadscore.store.lists import LIST_FIRMS
from leadscore.store.migrations import migrate
from leadscore.store.ranking import RankingFilter, how_many

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


def _lacking(connection: Connection) -> list[Any]:
    """Return how a database differs from `METADATA`, but for the index of the search."""

    def known(name: str | None, _kind: str, _parents: Any) -> bool:
        return "bigrams" not in (name or "")

    opts = {"compare_type": True, "include_name": known}
    found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=opts), METADATA)
    return found


def test_the_migrations_make_the_tables_that_the_program_knows(blank_url: URL) -> None:
    database = Database(blank_url)
    migrate(database)
    with database.read() as connection:
        assert _lacking(connection) == []
    database.close()


def test_a_database_of_the_version_before_gets_its_keys(blank_url: URL) -> None:
    database = Database(blank_url)
    migrate(database)
    take_in(
        database,
        {"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES},
        {"name": "𠮷田有限公司", "main_business": BLADES},
        {"name": "丙有限公司", "status": "注销"},
    )
    keys = {table: _keys(database, table) for table in (STANDINGS, LIST_FIRMS)}
    assert len(keys[STANDINGS]) == 3
    assert keys[STANDINGS] == keys[LIST_FIRMS]
    kept = _rows(database)
    database = _at_version(blank_url, "0003", kept, database)
    assert migrate(database)
    assert {table: _keys(database, table) for table in (STANDINGS, LIST_FIRMS)} == keys
    with database.read() as connection:
        assert _lacking(connection) == []
    assert {name: len(rows) for name, rows in _rows(database).items()} == {
        # Versions before knew of no matches: they are kept when a firm is scored anew.
        name: len(rows) if name != "firm_segments" else 0
        for name, rows in kept.items()
    }
    assert database.generation() > 0
    with database.read() as connection:
        assert how_many(connection, RankingFilter(text="叶片 研发")) == 2
    database.close()


def _rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.read() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in METADATA.sorted_tables
        }


def _at_version(
    url: URL, version: str, kept: dict[str, list[dict[str, Any]]], before: Database
) -> Database:
    """Return the database anew, with the tables of an earlier program, and its rows in them."""
    if before.path:
        before.close()
        before.path.unlink()
    else:
        with before.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        before.close()
    database = Database(url)
    migrate(database, version)
    with database.engine.begin() as connection:
        there = inspect(connection)
        for table in METADATA.sorted_tables:
            if rows := kept[table.name] if there.has_table(table.name) else []:
                names = {column["name"] for column in there.get_columns(table.name)}
                known = [{name: row[name] for name in names} for row in rows]
                connection.execute(table.insert(), known)
    return database


def _keys(database: Database, table: Table) -> dict[int, bytes]:
    with database.read() as connection:
        rows = connection.execute(select(table.c.firm_id, table.c.order_key))
        return {row.firm_id: bytes(row.order_key) for row in rows}


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
