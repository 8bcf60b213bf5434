"""The database of the store: SQLite in the home folder or PostgreSQL by its address.

What is read is read in a transaction of its own; what is written is written in one that no other
writer can come between. On SQLite this takes ``BEGIN IMMEDIATE``: a transaction that reads first
and writes later may find that another has written meanwhile, and fails.
"""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import time
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import URL, make_url

from leadscore.store.engine.refusals import database_refusals

PATIENCE_SECONDS = 30.0
"""How long a writer waits for another one on SQLite before it gives up."""
_PAUSE_SECONDS = (0.0005, 0.004)

_IMMEDIATE = "leadscore_immediate"
_SOUND_WAL = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""From these versions on, each within its series, SQLite no longer loses what a reset log held."""


def sqlite_url(path: Path) -> URL:
    """Return the address of a SQLite file."""
    return URL.create("sqlite+pysqlite", database=str(path))


class Database:
    """A pool of connections; safe to share between threads, not between processes.

    Parameters
    ----------
    address
        File of SQLite, or a URL as SQLAlchemy takes it: ``sqlite:///...`` or ``postgresql://...``,
        which is read by psycopg.
    patience_seconds
        How long a writer waits for others on SQLite.
    """

    def __init__(
        self, address: Path | URL | str, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        url = sqlite_url(address) if isinstance(address, Path) else make_url(address)
        self.url = _with_driver(url)
        self.engine = _engine(self.url, patience_seconds)
        self._reading = self.engine
        if self.dialect == "postgresql":
            self._reading = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._writing = self.engine.execution_options(**{_IMMEDIATE: True})

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @property
    def path(self) -> Path | None:
        """The file of SQLite; None on PostgreSQL."""
        return Path(self.url.database or "") if self.dialect == "sqlite" else None

    @cached_property
    def shown(self) -> str:
        """The address for people to read: the path of the file, or the URL without its password."""
        return str(self.path or self.url.render_as_string(hide_password=True))

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection within a transaction that sees one state of all tables.

        Raises
        ------
        StoreError
            If the database refuses, here or where the block asks it for something.
        """
        with database_refusals(self.shown), self._reading.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection within a transaction that is committed unless the block fails.

        Raises
        ------
        StoreError
            If the database refuses, here or where the block asks it for something.
        """
        with database_refusals(self.shown), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections that are not in use."""
        self.engine.dispose()


def take_turns(connection: Connection, table: Table) -> None:
    """Wait until nobody else writes to a table, and keep others waiting until the transaction ends.

    On SQLite a writer is alone anyway. Who reads is never kept waiting.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE')


def _with_driver(url: URL) -> URL:
    drivers = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
    drivers["sqlite"] = "sqlite+pysqlite"
    url = url.set(drivername=drivers.get(url.drivername, url.drivername))
    if url.get_backend_name() == "sqlite" and url.database:
        url = url.set(database=str(Path(url.database).expanduser()))
    return url


def _engine(url: URL, patience_seconds: float) -> Engine:
    dump = partial(json.dumps, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if url.get_backend_name() != "sqlite":
        return create_engine(url, json_serializer=dump, pool_pre_ping=True)
    arguments = {"timeout": patience_seconds, "check_same_thread": False, "isolation_level": None}
    engine = create_engine(url, json_serializer=dump, connect_args=arguments)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", partial(_begin, patience_seconds=patience_seconds))
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    """Set what SQLite keeps per connection: safe against loss of power, and strict about keys."""
    mode = "WAL" if wal_is_sound(sqlite3.sqlite_version_info) else "DELETE"
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # So that INSERT OR REPLACE, too, meets the triggers of a table that only grows.
    connection.execute("PRAGMA recursive_triggers = ON")


def _begin(connection: Connection, *, patience_seconds: float) -> None:
    if not connection.get_execution_options().get(_IMMEDIATE, False):
        connection.exec_driver_sql("BEGIN")
        return
    # SQLite's own way to wait sleeps ever longer, so that the file is often free and nobody there:
    # with 8 writers on a disk, a write took 16 ms that takes 6 so, and one waited for 4 s.
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        if not _begun(driver, patience_seconds):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # to say why not
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(patience_seconds * 1000)}")


def _begun(driver: sqlite3.Connection, patience_seconds: float) -> bool:
    until = time.monotonic() + patience_seconds
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                return False
        else:
            return True
        time.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - nobody gains by guessing it


def wal_is_sound(version: tuple[int, ...]) -> bool:
    """Tell whether this SQLite may use a write-ahead log (see https://sqlite.org/wal.html).

    >>> wal_is_sound((3, 40, 1)), wal_is_sound((3, 44, 6)), wal_is_sound((3, 51, 2))
    (False, True, False)
    """
    series: dict[tuple[int, ...], tuple[int, ...]] = {each[:2]: each for each in _SOUND_WAL}
    newest = _SOUND_WAL[-1]
    return version >= newest or version >= series.get(version[:2], newest)
