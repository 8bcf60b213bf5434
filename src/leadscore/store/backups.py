"""Backups: copies of the database with its models, made and put back."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import MetaData, Table, inspect, select, text
from sqlalchemy.engine import URL

from leadscore.files import beside, place_folder, place_new
from leadscore.registry.models import NAME
from leadscore.store import sqlite
from leadscore.store.audit import AuditTrail, Record
from leadscore.store.database import (
    PATIENCE_SECONDS,
    Database,
    StoreError,
    database_refusals,
    refusals,
)
from leadscore.store.homes import is_kept_in_file, kept_in_files
from leadscore.store.migrations import known_versions, migrate
from leadscore.text import room_words

WORDS = room_words("store")

_MARKS = {"sqlite": b"SQLite format 3\0", "postgresql": b"PGDMP"}
_VERSION = "alembic_version"
_NEVER_EMPTY = (_VERSION, "generation", "stages")  # which a migration fills
# What a backup is made of, beside what homes of earlier programs keep in files.
_DATABASE, _MODELS = "database", "models"
_PAGES_AT_ONCE = 1_000
# A table of PostgreSQL beside those that a backup replaces, while one is put back.
_RESTORING = "restoring"
_TABLES = f"to_regclass('{_VERSION}')::oid::bigint"  # another one once they were replaced


def back_up(
    database: Database, home: Path, file: Path, *, before: Callable[[], object] = lambda: None
) -> None:
    """Write all of a database, and the models of a home, to a file that appears when it is whole.

    It is a tar of the database and the folder of models, readable by its owner only; no key is in
    it. Others may read and write meanwhile; what they commit after the beginning may be missing.
    ``before`` is called when all is written, before the file appears. Raises `StoreError` if the
    file is there already, or something refuses.
    """
    if file.exists():
        raise StoreError(WORDS["backups.there"].format(file=file))
    with refusals(file.parent), contextlib.ExitStack() as stack:
        part, copy = (stack.enter_context(beside(file, what)) for what in ("backup", _DATABASE))
        for path in (part, copy):
            os.close(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
            path.chmod(0o600)
        if database.path:
            with _sqlite(database.path) as source, _sqlite(copy) as target:
                _copy(source, target)
                target.execute("PRAGMA journal_mode = DELETE")  # one file, not two
        else:
            without = f"--exclude-table={_RESTORING}"
            _run(database, "pg_dump", "--format=custom", without, f"--file={copy}")
        # The models after the database: every one that it names is there by then.
        with tarfile.open(part, "w") as archive:
            archive.add(copy, _DATABASE)
            models = [path for path in (home / _MODELS).glob("*/*") if path.parent.name[0] != "."]
            for path in sorted([*models, *kept_in_files(home)]):
                if path.is_file():
                    archive.add(path, path.relative_to(home).as_posix())
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        copy.unlink()  # so that whoever dies after the next lines leaves nothing
        before()
        part.replace(file)


def restore(
    database: Database, home: Path, file: Path, *, replace: bool = False,
    trail: AuditTrail | None = None, record: Record | None = None,
) -> None:  # fmt: skip
    """Put what a backup holds into a database, all or nothing, and bring it to today's tables.

    Files that the home lacks are put beside those that are there, of which none is changed. The
    database may be blank; ``file`` is as `back_up` wrote it, from a database of the same kind, or
    as earlier programs did, of the database alone. The audit that comes back gets the ``record``:
    on SQLite nothing comes back without; on PostgreSQL, if this process dies meanwhile, whoever
    opens the database next adds it, see `finish_restoring`. Raises `StoreError` if the database
    holds data and ``replace`` is not given, the file is no backup or made by a newer program, or
    something refuses.
    """
    no_backup = StoreError(WORDS["backups.no_backup"].format(file=file, dialect=database.dialect))
    with refusals(file.parent), contextlib.ExitStack() as stack:
        folder = stack.enter_context(beside(file, "restoring"))
        folder.mkdir(mode=0o700)
        source, archive = folder / _DATABASE, None
        if not file.is_file() or tarfile.is_tarfile(file):
            try:
                archive = stack.enter_context(tarfile.open(file))
                archive.extract(_DATABASE, folder, filter="data")
            except (tarfile.TarError, KeyError, EOFError) as error:
                raise no_backup from error
        else:
            shutil.copyfile(file, source)
        with source.open("rb") as opened:
            if not opened.read(16).startswith(_MARKS[database.dialect]):
                raise no_backup
        if not replace and (tables := _filled(database)):
            places = {"where": database.shown, "tables": ", ".join(tables)}
            raise StoreError(WORDS["backups.not_empty"].format(**places))
        if database.path:
            with _sqlite(source) as kept:
                _check(kept, file)
            with contextlib.closing(Database(source)) as staged:
                migrate(staged)
                if trail and record:
                    with staged.write() as connection:
                        trail.append(connection, record, datetime.now(UTC))
        if archive is not None:  # first, for the database names them
            _put_files(archive, home, no_backup)
        database.close()
        if database.path:
            with _sqlite(source) as kept, _sqlite(database.path) as target:
                _copy(kept, target)
            return
        _restore_postgresql(database, source, record)
    migrate(database)
    if trail:
        finish_restoring(database, trail)


def _restore_postgresql(database: Database, source: Path, record: Record | None) -> None:
    with database.transaction() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {_RESTORING}"))
        if record:
            connection.execute(
                text(f"CREATE TABLE {_RESTORING} AS SELECT :record AS record, {_TABLES} AS before"),
                {"record": json.dumps(asdict(record))},
            )
    try:
        _run(
            database, "pg_restore", "--clean", "--if-exists", "--single-transaction",
            "--exit-on-error", str(source),
        )  # fmt: skip
    except StoreError:
        with database.transaction() as connection:
            connection.execute(text(f"DROP TABLE IF EXISTS {_RESTORING}"))
        raise


def finish_restoring(database: Database, trail: AuditTrail) -> None:
    """Add the record of a backup that was put back to the audit, where that is still to be done.

    Programs of PostgreSQL put a backup back in a transaction of their own.
    """
    if database.path:
        return
    there = text(f"SELECT to_regclass('{_RESTORING}') IS NOT NULL")
    with database.read() as connection:
        if not connection.scalar(there):
            return
    with database.write() as connection:
        connection.execute(text(f"LOCK TABLE {_VERSION} IN SHARE ROW EXCLUSIVE MODE"))
        if connection.scalar(there):
            query = text(f"SELECT record FROM {_RESTORING} WHERE before IS DISTINCT FROM {_TABLES}")  # noqa: S608
            for record in connection.scalars(query).all():
                trail.append(connection, Record(**json.loads(record)), datetime.now(UTC))
                connection.execute(text(f"DROP TABLE {_RESTORING}"))


def _put_files(archive: tarfile.TarFile, home: Path, no_backup: StoreError) -> None:
    versions: dict[str, dict[str, bytes]] = {}
    files: dict[Path, bytes] = {}
    try:
        for member in archive:
            parts = member.name.split("/")
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or "\\" in member.name:
                continue
            if len(parts) == 3 and parts[0] == _MODELS and NAME.fullmatch(parts[1]):
                versions.setdefault(parts[1], {})[parts[2]] = content.read()
            elif is_kept_in_file(parts):
                files[home.joinpath(*parts)] = content.read()
    except (tarfile.TarError, EOFError) as error:
        raise no_backup from error
    with refusals(home):
        for version, parts_of in versions.items():
            place_folder(home / _MODELS / version, parts_of)
        for path, told in files.items():
            place_new(path, told)


def _filled(database: Database) -> list[str]:
    with database.read() as connection:
        return [
            name
            for name in inspect(connection).get_table_names()
            if name not in _NEVER_EMPTY
            and not name.startswith("standing_bigrams")  # an index, which describes itself in rows
            and connection.execute(select(1).select_from(Table(name, MetaData())).limit(1)).first()
        ]


@contextlib.contextmanager
def _sqlite(path: Path) -> Iterator[sqlite.Connection]:
    with (
        database_refusals(str(path)),
        contextlib.closing(
            sqlite.connect(str(path), patience_seconds=PATIENCE_SECONDS)
        ) as connection,
    ):
        yield connection


def _copy(source: sqlite.Connection, target: sqlite.Connection) -> None:
    # In one state of the source, whatever is written into it meanwhile.
    source.execute("BEGIN")
    source.execute("SELECT * FROM sqlite_schema").fetchall()
    with target.backup("main", source, "main") as copying:
        while not copying.done:
            copying.step(_PAGES_AT_ONCE)
    source.rollback()


def _check(source: sqlite.Connection, file: Path) -> None:
    wrong = WORDS["backups.no_backup"].format(file=file, dialect="sqlite")
    try:
        sound = source.execute("PRAGMA integrity_check").get == "ok"
        found = source.execute(f"SELECT version_num FROM {_VERSION}").get  # noqa: S608
    except sqlite.Error:
        raise StoreError(wrong) from None
    if not sound or found is None:
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
