"""A database that can't be used says where, why and what to do, and never a password."""

from __future__ import annotations

import multiprocessing
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, ProgrammingError

from leadscore.settings import Settings
from leadscore.startup import open_database
from leadscore.store import sqlite
from leadscore.store.api_keys import Holder, add, find, revoke, touch
from leadscore.store.database import Database, StoreError, sqlite_url
from leadscore.store.migrations import connect, open_store
from leadscore.store.outcomes import outcomes


def refused(address: Path | str) -> str:
    with pytest.raises(StoreError) as caught:
        open_store(address)
    assert caught.value.exit_code == 2
    told = f"{caught.value.message.zh}\n{caught.value.message.en}"
    assert "LEADSCORE_" in told
    return told


def test_the_first_start_makes_folder_and_file_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "数据 home"
    database = open_database(Settings(home=home))
    database.close()
    assert database.path == home / "leadscore.sqlite3"
    assert stat.S_IMODE(database.path.stat().st_mode) & 0o077 == 0
    with database.read() as connection:
        assert connection.execute(outcomes.select()).all() == []
    database.close()


def test_a_url_beats_the_file_of_the_home(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/elsewhere/leads.sqlite3"
    open_database(Settings(home=tmp_path / "home", database=url)).close()
    assert (tmp_path / "elsewhere" / "leads.sqlite3").exists()
    assert not (tmp_path / "home").exists()


def test_postgresql_is_migrated_on_first_start_and_read_at_once(
    database: Database,
) -> None:
    address = database.url.render_as_string(hide_password=False)
    again = open_store(address)
    with again.read() as connection:
        assert connection.execute(outcomes.select()).all() == []
    again.close()


@pytest.mark.parametrize(
    "content", [b"not a database, but a letter" * 99, b"SQLite format 3\0junk"]
)
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "leadscore.sqlite3"
    path.write_bytes(content)
    assert "restore" in refused(path)
    assert path.read_bytes() == content


def test_a_folder_where_the_file_should_be_and_a_file_where_the_folder(tmp_path: Path) -> None:
    (tmp_path / "leadscore.sqlite3").mkdir()
    assert str(tmp_path / "leadscore.sqlite3") in refused(tmp_path / "leadscore.sqlite3")
    (tmp_path / "home").write_text("a file", encoding="utf-8")
    assert str(tmp_path / "home") in refused(tmp_path / "home" / "leadscore.sqlite3")


def test_a_writer_that_waits_too_long_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "leadscore.sqlite3"
    open_store(path).close()
    other = sqlite.connect(str(path), patience_seconds=0.0)
    other.execute("BEGIN IMMEDIATE")
    database = Database(path, patience_seconds=0.05)
    with pytest.raises(StoreError, match="stayed busy"), database.write():
        pass
    with database.read() as connection:
        assert connection.execute(outcomes.select()).all() == []
    other.execute("ROLLBACK")
    with database.write():
        pass
    database.close()
    other.close()


def _fill(database: Database) -> None:
    """Write a megabyte where there is no room for it."""
    with database.write() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        connection.execute(text("CREATE TABLE filling AS SELECT zeroblob(1000000) AS content"))


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    database = open_store(tmp_path / "leadscore.sqlite3")
    with pytest.raises(StoreError, match="Make room"):
        _fill(database)
    database.close()


def _write_where_only_reading_is_allowed(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.execute(text("CREATE TABLE more (content BLOB)"))


def test_a_database_that_may_only_be_read_says_so(tmp_path: Path) -> None:
    database = open_store(tmp_path / "leadscore.sqlite3")
    with pytest.raises(StoreError, match="not allowed"):
        _write_where_only_reading_is_allowed(database)
    database.close()


def test_mistakes_of_ours_are_not_dressed_up(database: Database) -> None:
    with (
        pytest.raises(
            ProgrammingError if database.dialect == "postgresql" else Exception
        ) as caught,
        database.read() as connection,
    ):
        connection.execute(text("SELECT * FROM no_such_table"))
    assert not isinstance(caught.value, StoreError)
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(outcomes.insert(), {"entry": 1})


def test_a_server_that_is_away(postgresql_url: URL) -> None:
    address = postgresql_url.set(port=9).render_as_string(hide_password=False)
    told = refused(address)
    assert "server runs" in told
    assert str(postgresql_url.password) not in told


@pytest.mark.parametrize(
    "other", [{"password": "wrong-Secret"}, {"username": "nobody"}, {"database": "none"}]
)
def test_a_server_that_lets_nobody_in(postgresql_url: URL, other: dict[str, str]) -> None:
    url = postgresql_url.set(**other)  # type: ignore[arg-type]
    told = refused(url.render_as_string(hide_password=False))
    assert "user, password and name" in told
    assert str(url.password) not in told


def _open_without_psycopg(address: str) -> str:
    sys.modules["psycopg"] = None  # type: ignore[assignment]
    try:
        connect(address)
    except StoreError as error:
        return str(error)
    return ""


def test_without_the_driver_the_extra_is_named() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        told = pool.apply(_open_without_psycopg, ("postgresql://user:secret@host/leads",))
    assert "leadscore[postgres]" in told
    assert "secret" not in told


def test_a_tilde_in_a_url_is_the_home_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Database("sqlite:///~/leads.sqlite3").path == tmp_path / "leads.sqlite3"
    assert Database(sqlite_url(tmp_path / "a")).path == tmp_path / "a"


def test_a_look_up_sees_what_was_just_written_and_takes_the_types_of_the_columns(
    database: Database,
) -> None:
    now = datetime(2026, 11, 24, 8, tzinfo=UTC)
    with database.write() as connection:
        key = add(connection, "desk", "viewer", by="li.na", now=now, days=1)

    def seen(*, stale: bool) -> Holder:
        return Holder("desk", "viewer", stale, database.generation())

    assert find(database, key, now=now) == seen(stale=True)
    with database.write() as connection:
        touch(connection, "desk", now=now)
    assert find(database, key, now=now) == seen(stale=False)
    assert find(database, key, now=now + timedelta(hours=1)) == seen(stale=True)
    assert find(database, key, now=now + timedelta(days=1)) is None
    with database.write() as connection:
        revoke(connection, "desk", now=now)
    assert find(database, key, now=now) is None
