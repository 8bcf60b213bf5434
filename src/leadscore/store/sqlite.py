"""SQLite as apsw ships it, for SQLAlchemy: its dialect, and how transactions begin and wait."""

from __future__ import annotations

import contextlib
import ctypes
import random
import time
from collections.abc import Mapping
from functools import partial
from itertools import islice
from operator import add
from pathlib import Path
from typing import Any, Literal

import apsw
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import URL

# What follows is what SQLAlchemy looks for in a module of PEP 249.
apilevel, paramstyle, threadsafety = "2.0", "qmark", 2
Error = apsw.Error
Binary = bytes
sqlite_version_info = tuple(int(number) for number in apsw.sqlite_lib_version().split("."))


class Cursor(apsw.Cursor):
    """A cursor of apsw with the rest of PEP 249."""

    arraysize = 1
    description: Any = None
    rowcount = -1

    def execute(self, statement: str, bindings: Any = None, **options: Any) -> Cursor:  # type: ignore[override]
        """Run a statement; its description stays, also where it gave no row."""
        self.description = None
        self.exec_trace = _described
        super().execute(statement, bindings, **options)
        self.rowcount = self.connection.changes()
        return self

    def executemany(self, statement: str, rows: Any, **options: Any) -> Cursor:  # type: ignore[override]
        """Run a statement that gives nothing for each of some rows."""
        self.description = self.exec_trace = None
        before = self.connection.total_changes()
        super().executemany(statement, rows, **options)
        self.rowcount = self.connection.total_changes() - before
        return self

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next rows."""
        return list(islice(self, size or self.arraysize))

    @property
    def lastrowid(self) -> int:
        """The number that the last row was given."""
        return self.connection.last_insert_rowid()

    def close(self, force: bool = True) -> None:
        """Let go what is still to be read."""
        super().close(force)


def _described(cursor: Any, _sql: str, _bindings: Any) -> bool:
    # Only here does apsw describe what a statement that gives no row would give.
    cursor.description = cursor.get_description() or None
    return True


class Connection(apsw.Connection):
    """A connection of apsw with the rest of PEP 249, to which a transaction begins by `BEGIN`."""

    def __init__(self, path: str, *, patience_seconds: float) -> None:
        super().__init__(path)
        self.cursor_factory = Cursor
        self.set_busy_timeout(int(patience_seconds * 1000))

    def commit(self) -> None:
        """End the transaction, if there is one."""
        if self.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction, if there is one."""
        if self.in_transaction:
            self.execute("ROLLBACK")


connect = Connection


class Dialect(SQLiteDialect):
    """SQLAlchemy's SQLite on the driver above."""

    driver = "apsw"
    default_paramstyle = paramstyle
    supports_statement_cache = True
    returns_native_bytes = True
    dbapi_exception_translation_map = {  # noqa: RUF012 (as SQLAlchemy declares it)
        "ConstraintError": "IntegrityError", "Error": "OperationalError",
    }  # fmt: skip

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return this module."""
        import sys

        return sys.modules[__name__]

    def create_connect_args(self, url: URL) -> Any:
        """Return what `connect` is called with."""
        return [str(Path(url.database or "").resolve())], {}

    def _get_server_version_info(self, connection: Any) -> Any:  # noqa: ARG002
        return sqlite_version_info


registry.register("sqlite.apsw", __name__, "Dialect")
NAME = "sqlite+apsw"
"""Of the driver, in the address of a database."""

IMMEDIATE = "leadscore_immediate"
"""Option of a connection whose transactions write."""
PATIENCE = "leadscore_patience"
"""Option of a connection that waits for other writers for another time than usual, in seconds."""

_PAUSE_SECONDS = (0.0005, 0.004)
_LONGEST_LOG_BYTES = 64 * 1024 * 1024  # that stays on the disk once everything is in the database
# Of the log, before whoever commits next brings it into the file himself, and waits for the disk.
_LONGEST_LOG_PAGES = 16_000


def sqlite_url(path: Path) -> URL:
    """Return the address of a SQLite file."""
    return URL.create(NAME, database=str(path))


def sqlite_engine(url: URL, patience_seconds: float, **options: Any) -> sa.Engine:
    """Return an engine of a file; a writer waits for other writers for ``patience_seconds``."""
    arguments = {"patience_seconds": patience_seconds}
    engine = sa.create_engine(url, connect_args=arguments, **options)
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", partial(_begin, patience_seconds=patience_seconds))
    return engine


Unavailability = Literal["busy", "full", "denied", "away", "turned_away", "damaged"]
"""Why a database can't be used."""

# By the name of the code, or the first word of it, see https://sqlite.org/rescode.html. A disk that
# has no room for the index of the log says so by the first one.
_REFUSALS: dict[str, Unavailability] = {
    "IOERR_SHMSIZE": "full", "BUSY": "busy", "LOCKED": "busy", "FULL": "full", "NOTADB": "damaged",
    "CORRUPT": "damaged", "READONLY": "denied", "CANTOPEN": "denied", "PERM": "denied",
    "AUTH": "denied", "IOERR": "denied",
}  # fmt: skip


def refusal(error: object) -> Unavailability | None:
    """Return why SQLite refuses, if an error says so."""
    codes = {**apsw.mapping_result_codes, **apsw.mapping_extended_result_codes}
    code = getattr(error, "extendedresult", None) if isinstance(error, apsw.Error) else None
    name = str(codes.get(code or 0, "")).removeprefix("SQLITE_")
    return _REFUSALS.get(name) or _REFUSALS.get(name.partition("_")[0])


class Prepared:
    """A statement as SQLite's driver takes it, with what SQLAlchemy does to values on the way."""

    def __init__(self, statement: sa.Select[Any], dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        columns = statement.selected_columns
        self._sql, self._given = compiled.string, compiled.params
        self._writers = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        self._readers = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]
        self._names = columns.keys()

    def one(self, connection: Connection, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the row that a statement gives for some values, or None."""
        given = {**self._given, **values}
        bound = [write(given[name]) if write else given[name] for name, write in self._writers]
        row = apsw.Cursor(connection).execute(self._sql, bound).fetchone()
        if row is None:
            return None
        columns = zip(self._names, self._readers, row, strict=True)
        return {name: read(value) if read else value for name, read, value in columns}


def _prepare(connection: Connection, _record: Any) -> None:
    # With a log beside the file nobody who reads is waited for, nor waits. A file of an earlier
    # program is brought to it as soon as nobody else has it open.
    with contextlib.suppress(apsw.BusyError, apsw.ReadOnlyError):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA journal_size_limit = {_LONGEST_LOG_BYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_LOG_PAGES}")
    # It stays when the last one closes it: without it nobody can read where nobody may write.
    stays = ctypes.c_int(1)
    connection.file_control("main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(stays))
    # Safe against loss of power, and strict about keys.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # The words of the search's index, which triggers keep: every two letters side by side.
    connection.create_scalar_function("bigrams", _bigrams, 1, deterministic=True)
    # So that INSERT OR REPLACE, too, meets the triggers of a table that only grows.
    connection.execute("PRAGMA recursive_triggers = ON")


def checkpoint(connection: Connection) -> None:
    """Bring what the log holds into the file; nobody who reads or writes is waited for, nor waits.

    SQLite lets whoever commits at a bad moment do this, and so pay for what others wrote.
    """
    # Somebody does it already; or it can't be done, which is told of where somebody writes.
    with contextlib.suppress(apsw.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _bigrams(*values: Any) -> str:
    (text,) = values
    return " ".join(map(add, text, text[1:] + "\n"))


def _begin(connection: sa.Connection, *, patience_seconds: float) -> None:
    driver: Connection = connection.connection.driver_connection  # type: ignore[assignment]
    options = connection.get_execution_options()
    if not options.get(IMMEDIATE, False):
        driver.execute("BEGIN")
        return
    # SQLite's own way to wait sleeps ever longer, so that the file is often free and nobody there:
    # with 8 writers on a disk, a write took 16 ms that takes 6 so, and one waited for 4 s.
    driver.set_busy_timeout(0)
    try:
        if not _begun(driver, options.get(PATIENCE, patience_seconds)):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # to say why not
    finally:
        driver.set_busy_timeout(int(patience_seconds * 1000))


def _begun(driver: Connection, patience_seconds: float) -> bool:
    until = time.monotonic() + patience_seconds
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            if time.monotonic() > until:
                return False
        except apsw.Error:
            return False
        else:
            return True
        time.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - nobody gains by guessing it
