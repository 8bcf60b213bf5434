"""What comes back from a backup equals what went in, and nothing is lost by mistake."""

from __future__ import annotations

import hashlib
import json
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import MetaData, create_engine, text
from sqlalchemy.engine import URL
from tests.kept_lists import blank_events

from leadscore.store.backups import back_up, restore
from leadscore.store.database import Database, StoreError
from leadscore.store.outcomes import append_entries, entries_of, read_outcomes

NONE = Path("no models")
NOW = datetime(2025, 1, 1, 8, 30, tzinfo=UTC)


def record(database: Database, *names: str) -> None:
    entries = blank_events().reindex(range(len(names))).assign(stage="signed", withdrawn=False)
    entries["name"] = pd.Series(names, dtype="str")
    entries["day"] = pd.Timestamp("2024-03-01").as_unit("us")
    entries["row"], entries["file"] = range(len(names)), "f" * 64
    with database.write() as connection:
        append_entries(connection, entries_of(entries), source="x", actor="cli", now=NOW)


def numbers(database: Database) -> list[int]:
    """Return the numbers of all entries."""
    with database.read() as connection:
        return read_outcomes(connection)["entry"].tolist()


def content(database: Database) -> dict[str, str]:
    """Return the digest of all rows of each table."""
    tables = MetaData()
    with database.read() as connection:
        tables.reflect(connection)
        return {
            table.name: hashlib.sha256(
                json.dumps(
                    sorted(str(tuple(row)) for row in connection.execute(table.select()))
                ).encode()
            ).hexdigest()
            for table in tables.sorted_tables
        }


@pytest.fixture
def blank(database: Database, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a second database of the same kind in which nothing is."""
    if database.path:
        other = Database(tmp_path / "other.sqlite3")
        yield other
        other.close()
        return
    url: URL = request.getfixturevalue("postgresql_url")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE other"))
        other = Database(url.set(database="other"))
        yield other
        other.close()
        connection.execute(text("DROP DATABASE other WITH (FORCE)"))
    engine.dispose()


def test_what_comes_back_equals_what_went_in(
    database: Database, blank: Database, tmp_path: Path
) -> None:
    record(database, "甲", "乙'; --", "丙\n丁")
    before, file = content(database), tmp_path / "备份 1.backup"
    back_up(database, NONE, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("*.part")] == []
    restore(blank, NONE, file)
    assert content(blank) == before
    # It works on, and its tables that only grow do only grow.
    record(blank, "戊")
    assert numbers(blank) == [1, 2, 3, 4]
    with pytest.raises(Exception, match="only ever added"), blank.write() as connection:
        connection.execute(text("DELETE FROM outcomes"))


def test_data_that_are_there_are_replaced_only_if_asked(database: Database, tmp_path: Path) -> None:
    record(database, "甲")
    file = tmp_path / "backup"
    back_up(database, NONE, file)
    before = content(database)
    record(database, "乙")
    after = content(database)
    with pytest.raises(StoreError, match=r"outcomes.*--replace"):
        restore(database, NONE, file)
    assert content(database) == after
    restore(database, NONE, file, replace=True)
    assert content(database) == before


def test_no_file_is_overwritten(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("something else", encoding="utf-8")
    with pytest.raises(StoreError, match="was not overwritten"):
        back_up(database, NONE, file)
    assert file.read_text(encoding="utf-8") == "something else"
    with pytest.raises(StoreError, match="none"):
        back_up(database, NONE, tmp_path / "none" / "backup")


def test_a_backup_is_whole_while_others_write(
    database: Database, blank: Database, tmp_path: Path
) -> None:
    record(database, "甲")
    stop = threading.Event()
    written = [1]

    def write() -> None:
        while not stop.is_set():
            record(database, "乙", "丙")
            written[0] += 2

    writer = threading.Thread(target=write)
    writer.start()
    try:
        files = [tmp_path / f"backup {at}" for at in range(3)]
        for file in files:
            back_up(database, NONE, file)
    finally:
        stop.set()
        writer.join()
    restore(blank, NONE, files[-1])
    entries = numbers(blank)
    assert entries == list(range(1, len(entries) + 1))
    assert len(entries) % 2 == 1  # a pair is there whole or not at all
    assert len(numbers(database)) == written[0]


@pytest.mark.parametrize("kind", ["text", "torn", "other", "gone"])
def test_what_is_no_backup_changes_nothing(database: Database, tmp_path: Path, kind: str) -> None:
    record(database, "甲")
    before, file = content(database), tmp_path / "backup"
    back_up(database, NONE, file)
    whole = file.read_bytes()
    other = {"sqlite": b"PGDMP" + b"\0" * 99, "postgresql": b"SQLite format 3\0" + b"\0" * 99}
    bad = {"text": b"hello", "torn": whole[: len(whole) // 2], "other": other[database.dialect]}
    if kind == "gone":
        file.unlink()
    else:
        file.write_bytes(bad[kind])
    with pytest.raises(StoreError):
        restore(database, NONE, file, replace=True)
    assert content(database) == before


def test_a_backup_of_a_newer_program_is_not_taken(database: Database, tmp_path: Path) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    back_up(database, NONE, tmp_path / "backup")
    with pytest.raises(StoreError, match="newer"):
        restore(database, NONE, tmp_path / "backup", replace=True)


def test_without_the_client_programs_they_are_named(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    file = tmp_path / "backup"
    if database.path:
        back_up(database, NONE, file)
        return
    with pytest.raises(StoreError, match="pg_dump was not found"):
        back_up(database, NONE, file)
    assert list(tmp_path.glob("backup*")) == []
