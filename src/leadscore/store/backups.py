"""Backups: copies of the database made and put back."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import MetaData, Table, inspect, select
from sqlalchemy.engine import URL

from leadscore.store.database import (
    Database,
    StoreError,
    database_refusals,
    known_versions,
    migrate,
    refusals,
)
from leadscore.text import room_words

WORDS = room_words("store")

_MARKS = {"sqlite": b"SQLite format 3\0", "postgresql": b"PGDMP"}
_VERSION = "alembic_version"


def back_up(database: Database, file: Path) -> None:
    """Write all of a database to a file that appears when it is whole, readable by its owner only.

    Others may read and write meanwhile; what they commit after the beginning may be missing. Raises
    `StoreError` if the file is there already, or something refuses.
    """
    if file.exists():
        raise StoreError(WORDS["backups.there"].format(file=file))
    part = file.with_name(f"{file.name}.part")
    with refusals(file.parent):
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        part.chmod(0o600)
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

    The database may be blank; ``file`` is as `back_up` wrote it, from a database of the same kind.
    Raises `StoreError` if the database holds data and ``replace`` is not given, the file is no
    backup or made by a newer program, or something refuses.
    """
    with refusals(file.parent), file.open("rb") as opened:
        if not opened.read(16).startswith(_MARKS[database.dialect]):
            raise StoreError(WORDS["backups.no_backup"].format(file=file, dialect=database.dialect))
    if not replace and (tables := _filled(database)):
        message = WORDS["backups.not_empty"].format(where=database.shown, tables=", ".join(tables))
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
    with database.read() as connection:
        return [
            name
            for name in inspect(connection).get_table_names()
            if name != _VERSION
            and connection.execute(select(1).select_from(Table(name, MetaData())).limit(1)).first()
        ]


@contextlib.contextmanager
def _sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    with (
        database_refusals(str(path)),
        contextlib.closing(sqlite3.connect(path, timeout=30)) as found,
    ):
        yield found


def _check(source: sqlite3.Connection, file: Path) -> None:
    wrong = WORDS["backups.no_backup"].format(file=file, dialect="sqlite")
    try:
        sound = source.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        (found,) = source.execute(f"SELECT version_num FROM {_VERSION}").fetchone()  # noqa: S608
    except (sqlite3.DatabaseError, TypeError):
        raise StoreError(wrong) from None
    if not sound:
        raise StoreError(wrong)
    if found not in known_versions():
        raise StoreError(WORDS["backups.newer_backup"].format(file=file, found=found))


def _run(database: Database, program: str, *arguments: str) -> None:
    # It gets the password where no list of processes shows it.
    command = shutil.which(program)
    if command is None:
        raise StoreError(WORDS["backups.no_program"].format(program=program))
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
        message = WORDS["backups.failed"].format(
            program=program, where=database.shown, reason=reason
        )
        raise StoreError(message)
