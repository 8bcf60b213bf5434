"""Copies of the whole database, taken while others write, and the way back from them."""

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

from leadscore.language import Text
from leadscore.store.engine.database import Database
from leadscore.store.engine.migrating import known_versions, migrate
from leadscore.store.engine.refusals import sqlite_refusals
from leadscore.store.faults import StoreError, refusals

_PRIVATE = 0o600
_MARKS = {"sqlite": b"SQLite format 3\0", "postgresql": b"PGDMP"}
_VERSION = "alembic_version"

_THERE = Text(
    zh="{file} 已经存在，没有覆盖。请另取文件名。",
    en="{file} is there already and was not overwritten. Name another file.",
)
_NOT_EMPTY = Text(
    zh="数据库 {where} 里已有数据（{tables}），没有覆盖。确要用备份替换，请加 --replace；"
    "最好先备份现有数据。",
    en="the database {where} holds data ({tables}) and was not overwritten. --replace puts the "
    "backup in its place; better make a backup of what is there first.",
)
_NO_BACKUP = Text(
    zh="{file} 不是 leadscore 的 {dialect} 数据库备份，或者已损坏。请换一个备份文件。",
    en="{file} is no backup of a database of leadscore on {dialect}, or damaged. Name another.",
)
_NEWER = Text(
    zh="{file} 是更新版本的 leadscore（{found}）所作的备份。请先升级 leadscore。",
    en="{file} was made by a newer leadscore ({found}). Upgrade leadscore first.",
)
_NO_PROGRAM = Text(
    zh="没有找到 {program}。备份和恢复 PostgreSQL 要用它：请安装 PostgreSQL 客户端程序"
    "（Debian：apt-get install postgresql-client），并确认它在 PATH 中。",
    en="{program} was not found. Backups of PostgreSQL need it: install PostgreSQL's client "
    "programs (Debian: apt-get install postgresql-client) and see that they are on PATH.",
)
_FAILED = Text(
    zh="{program} 没有成功，数据库 {where}：{reason}",
    en="{program} did not succeed with the database {where}: {reason}",
)


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
        raise StoreError(_THERE.format(file=file))
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
            raise StoreError(_NO_BACKUP.format(file=file, dialect=database.dialect))
    if not replace and (tables := _filled(database)):
        message = _NOT_EMPTY.format(where=database.shown, tables=", ".join(tables))
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
    wrong = _NO_BACKUP.format(file=file, dialect="sqlite")
    try:
        sound = source.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        (found,) = source.execute(f"SELECT version_num FROM {_VERSION}").fetchone()  # noqa: S608
    except (sqlite3.DatabaseError, TypeError):
        raise StoreError(wrong) from None
    if not sound:
        raise StoreError(wrong)
    if found not in known_versions():
        raise StoreError(_NEWER.format(file=file, found=found))


def _run(database: Database, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL's; it gets the password where no list of processes shows it."""
    command = shutil.which(program)
    if command is None:
        raise StoreError(_NO_PROGRAM.format(program=program))
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
        message = _FAILED.format(program=program, where=database.shown, reason=reason)
        raise StoreError(message)
