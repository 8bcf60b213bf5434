"""Opens a database: where it is, its tables brought up to date, copies made and put back."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, func, inspect, select
from sqlalchemy.engine import URL

from leadscore.store.database import Database
from leadscore.store.errors import StoreError, refusals, sqlite_refusals
from leadscore.text import room_words

WORDS = room_words("store")


MIGRATIONS = Path(__file__).with_name("migrations")
"""Folder of the migrations, each a file of ``versions``."""

_LOCK = 0x6C656164
"""Number of the lock that migrations of one PostgreSQL database take: ``lead`` in ASCII."""
_IN_TURN = threading.Lock()  # Alembic keeps what is being migrated per process, not per thread

_NEWER = WORDS["opening.newer"]


def migrate(database: Database) -> bool:
    """Run the migrations that a database lacks, all or none, and tell whether there were any.

    Raises
    ------
    StoreError
        If the database knows a migration that this program does not.
    """
    scripts = ScriptDirectory(str(MIGRATIONS))
    with database.read() as connection:
        if _versions(connection) == scripts.get_heads():
            return False
    with _IN_TURN, database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        found = _versions(connection)
        if not known_versions().issuperset(found):
            message = _NEWER.format(where=database.shown, found=", ".join(found))
            raise StoreError(message)
        context = MigrationContext.configure(connection, opts={"fn": _steps(scripts)})
        with Operations.context(context):
            context.run_migrations()
        return found != scripts.get_heads()


def known_versions() -> set[str]:
    """Return the versions of a database that this program can use."""
    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def _versions(connection: Connection) -> list[str]:
    return list(MigrationContext.configure(connection).get_current_heads())


def _steps(scripts: ScriptDirectory) -> Any:
    """Return what gives the migrations from those that a database has to the newest, in order."""

    def lacking(found: Iterable[str], _context: MigrationContext) -> list[MigrationStep]:
        newest_first = scripts.iterate_revisions("head", tuple(found) or "base")
        return [
            MigrationStep.upgrade_from_script(scripts.revision_map, script)
            for script in reversed(list(newest_first))
        ]

    return lacking


def open_store(address: Path | str) -> Database:
    """Return a database that has all tables.

    Parameters
    ----------
    address
        File of SQLite, or a URL as `Database` takes it. A file that is made is its owner's alone.

    Raises
    ------
    StoreError
        If it can't be opened, is damaged, or newer than this program.
    """
    database = connect(address)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def connect(address: Path | str) -> Database:
    """Return a database as it is; a file of SQLite is made if it is not there.

    Raises
    ------
    StoreError
        If the file can't be made, or the driver is not installed.
    """
    try:
        database = Database(address)
    except ModuleNotFoundError as error:
        raise StoreError(WORDS["opening.no_driver"]) from error
    if database.path:
        with refusals(database.path.parent):
            database.path.parent.mkdir(parents=True, exist_ok=True)
            if not database.path.exists():
                os.close(os.open(database.path, os.O_CREAT | os.O_WRONLY, 0o600))
    return database


_PRIVATE = 0o600
_MARKS = {"sqlite": b"SQLite format 3\0", "postgresql": b"PGDMP"}
_VERSION = "alembic_version"


def back_up(database: Database, file: Path) -> None:
    """Write all of a database to a file that only its owner may read.

    Others may read and write meanwhile; what they commit after the beginning may be missing. The
    file appears when it is whole.

    Raises
    ------
    StoreError
        If the file is there already, or something refuses.
    """
    if file.exists():
        raise StoreError(WORDS["opening.there"].format(file=file))
    part = file.with_name(f"{file.name}.part")
    with refusals(file.parent):
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, _PRIVATE))
        part.chmod(_PRIVATE)
        try:
            if database.path:
                with _sqlite(database.path) as source, _sqlite(part) as target:
                    source.backup(target)
                    target.execute("PRAGMA journal_mode = DELETE")  # one file, not two
            else:
                _run(database, "pg_dump", "--format=custom", f"--file={part}")
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)


def restore(database: Database, file: Path, *, replace: bool = False) -> None:
    """Put what a backup holds into a database, all or nothing, and bring it to today's tables.

    Parameters
    ----------
    database
        May be blank.
    file
        As `back_up` wrote it, from a database of the same kind.
    replace
        Whether data that are there may be lost.

    Raises
    ------
    StoreError
        If the database holds data and ``replace`` is not given, the file is no backup or made by a
        newer program, or something refuses.
    """
    with refusals(file.parent), file.open("rb") as opened:
        if not opened.read(16).startswith(_MARKS[database.dialect]):
            raise StoreError(WORDS["opening.no_backup"].format(file=file, dialect=database.dialect))
    if not replace and (tables := _filled(database)):
        message = WORDS["opening.not_empty"].format(where=database.shown, tables=", ".join(tables))
        raise StoreError(message)
    database.close()
    if database.path:
        with _sqlite(file) as source, _sqlite(database.path) as target:
            _check(source, file)
            source.backup(target)
    else:
        _run(
            database, "pg_restore", "--clean", "--if-exists", "--single-transaction",
            "--exit-on-error", str(file),
        )  # fmt: skip
    migrate(database)


def _filled(database: Database) -> list[str]:
    """Return the tables that hold rows."""
    with database.read() as connection:
        names = [name for name in inspect(connection).get_table_names() if name != _VERSION]
        return [
            name
            for name in names
            if connection.execute(select(1).select_from(Table(name, MetaData())).limit(1)).first()
        ]


@contextlib.contextmanager
def _sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    with sqlite_refusals(str(path)), contextlib.closing(sqlite3.connect(path, timeout=30)) as found:
        yield found


def _check(source: sqlite3.Connection, file: Path) -> None:
    wrong = WORDS["opening.no_backup"].format(file=file, dialect="sqlite")
    try:
        sound = source.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        (found,) = source.execute(f"SELECT version_num FROM {_VERSION}").fetchone()  # noqa: S608
    except (sqlite3.DatabaseError, TypeError):
        raise StoreError(wrong) from None
    if not sound:
        raise StoreError(wrong)
    if found not in known_versions():
        raise StoreError(WORDS["opening.newer_backup"].format(file=file, found=found))


def _run(database: Database, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL's; it gets the password where no list of processes shows it."""
    command = shutil.which(program)
    if command is None:
        raise StoreError(WORDS["opening.no_program"].format(program=program))
    url = database.url
    address = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    )
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, and no shell
        [
            command, "--no-password", "--no-owner", "--no-privileges",
            f"--dbname={address.render_as_string()}", *arguments,
        ],
        env={**os.environ, **password}, stdin=subprocess.DEVNULL, capture_output=True,
        encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        reason = done.stderr.strip().partition("\n")[0]
        message = WORDS["opening.failed"].format(
            program=program, where=database.shown, reason=reason
        )
        raise StoreError(message)
