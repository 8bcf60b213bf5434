"""A database is brought to this program's tables once, and never by a program older than it."""

from __future__ import annotations

import importlib
import multiprocessing
import pkgutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table, create_engine, delete, inspect, select, text, update
from sqlalchemy.engine import URL
from tests.kept_lists import BLADES, NOW, code, take_in

from leadscore import store
from leadscore.store.current_ranking import STANDINGS, refresh
from leadscore.store.database import METADATA, Database, StoreError, sqlite_url
from leadscore.store.facets import how_many
from leadscore.store.lists import LIST_FIRMS
from leadscore.store.migrations import migrate
from leadscore.store.outcomes import append_entries
from leadscore.store.pursuits import PURSUITS
from leadscore.store.ranking import RankingFilter

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
        assert how_many(connection, RankingFilter.of(text="叶片 研发")) == 2
    database.close()


def test_who_was_courted_before_gets_a_rank_and_a_pursuit(blank_url: URL) -> None:
    database = Database(blank_url)
    migrate(database)
    take_in(
        database, {"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES},
        {"name": "乙有限公司", "main_business": BLADES}, {"name": "丙有限公司", "stage": "洽谈"},
        {"name": "丁有限公司", "stage": "投产"},
    )  # fmt: skip
    same = {"former_names": None, "withdrawn": False, "sheet": None, "row": 2, "file": "f" * 64}
    first = {"credit_code": code(1), "name": None} | same
    other = {"credit_code": None, "name": "乙 有限责任公司"} | same
    told: list[dict[str, Any]] = [
        first | {"stage": "contacted", "day": date(2025, 1, 5), "reason": None},
        first | {"stage": "lost", "day": date(2025, 3, 1), "reason": "地价"},
        first | {"stage": "visited", "day": date(2026, 2, 1), "reason": None},
        other | {"stage": "contacted", "day": date(2026, 9, 1), "reason": None},
        other | {"stage": "lost", "day": date.today(), "reason": "资金"},
    ]
    with database.write() as connection:
        append_entries(connection, told, source="跟进.csv", actor="cli", now=NOW)
        refresh(connection, [1, 2, 3, 4], now=datetime.now(UTC))
    after, opened = _placed(database), _spans(database)
    with database.write() as connection:  # as the program before had it
        connection.execute(update(STANDINGS).values(pursuit_id=None))
        connection.execute(delete(PURSUITS))
        for firm, veto in {1: "in_pursuit", 2: None, 3: "in_pursuit", 4: "in_pursuit"}.items():
            key = bytes([veto is not None])
            for table in (STANDINGS, LIST_FIRMS):
                rest = bytes(_keys(database, table)[firm][1:])
                values: dict[str, Any] = {"order_key": key + rest}
                if table is STANDINGS:
                    values |= {"veto": veto, "vetoed": veto is not None}
                connection.execute(update(table).where(table.c.firm_id == firm).values(values))
    assert _placed(database) != after
    kept = _rows(database) | {"generation": [], "stages": []}  # that version fills them itself
    database = _at_version(blank_url, "0007", kept, database)
    assert migrate(database)
    assert _placed(database) == after
    assert [veto for _, veto, *_ in after.values()] == [None, "resting", None, "already_here"]
    assert after["乙有限公司"][-1] == "资金"
    assert _spans(database) == opened
    assert [(firm, closed) for firm, _, closed in opened] == [
        (1, date(2025, 3, 1)), (1, None), (2, date.today()),
    ]  # fmt: skip
    assert _keys(database, STANDINGS) == _keys(database, LIST_FIRMS)
    database.close()


def _placed(database: Database) -> dict[str, tuple[Any, ...]]:
    at = STANDINGS.c
    with database.read() as connection:
        rows = connection.execute(select(STANDINGS).order_by(at.firm_id)).all()
    return {
        row.name: (row.stage, row.veto, row.vetoed, bytes(row.order_key), row.rests_until,
                   row.rest_reason)
        for row in rows
    }  # fmt: skip


def _spans(database: Database) -> list[tuple[int, date, date | None]]:
    at = PURSUITS.c
    query = select(at.firm_id, at.opened, at.closed).order_by(at.firm_id, at.opened)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


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
