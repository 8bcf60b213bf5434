"""Backups: copies of the database with its models, made and put back."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import MetaData, Table, inspect, select
from sqlalchemy.engine import URL

from leadscore.files import beside, place_folder
from leadscore.registry.models import NAME
from leadscore.store import sqlite
from leadscore.store.database import (
    PATIENCE_SECONDS,
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
_NEVER_EMPTY = (_VERSION, "generation", "stages")  # which a migration fills
_PAGES_AT_ONCE = 1_000
# What a backup is made of.
_DATABASE, _MODELS = "database", "models"


def back_up(database: Database, models: Path, file: Path) -> None:
    """Write all of a database, and the models, to a file that appears when it is whole.

    It is a tar of the database and the folder of models, readable by its owner only; no key is in
    it. Others may read and write meanwhile; what they commit after the beginning may be missing.
    Raises `StoreError` if the file is there already, or something refuses.
    """
    if file.exists():
        raise StoreError(WORDS["backups.there"].format(file=file))
    with refusals(file.parent), contextlib.ExitStack() as stack:
        part, copy = (stack.enter_context(beside(file)) for _ in range(2))
        for path in (part, copy):
            os.close(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
            path.chmod(0o600)
        if database.path:
            with _sqlite(database.path) as source, _sqlite(copy) as target:
                _copy(source, target)
                target.execute("PRAGMA journal_mode = DELETE")  # one file, not two
        else:
            _run(database, "pg_dump", "--format=custom", f"--file={copy}")
        # The models after the database: every one that it names is there by then.
        with tarfile.open(part, "w") as archive:
            archive.add(copy, _DATABASE)
            for path in sorted(models.glob("*/*")) if models.is_dir() else []:
                if not path.parent.name.startswith(".") and path.is_file():
                    archive.add(path, f"{_MODELS}/{path.relative_to(models).as_posix()}")
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(file)


def restore(database: Database, models: Path, file: Path, *, replace: bool = False) -> None:
    """Put what a backup holds into a database, all or nothing, and bring it to today's tables.

    Models that are lacking are put beside those that are there, of which none is changed. The
    database may be blank; ``file`` is as `back_up` wrote it, from a database of the same kind, or
    as earlier programs did, of the database alone. Raises `StoreError` if the database holds data
    and ``replace`` is not given, the file is no backup or made by a newer program, or something
    refuses.
    """
    no_backup = StoreError(WORDS["backups.no_backup"].format(file=file, dialect=database.dialect))
    with refusals(file.parent), contextlib.ExitStack() as stack:
        source, archive = file, None
        if not file.is_file() or tarfile.is_tarfile(file):
            try:
                archive = stack.enter_context(tarfile.open(file))
                folder = stack.enter_context(beside(file))
                folder.mkdir(mode=0o700)
                archive.extract(_DATABASE, folder, filter="data")
            except (tarfile.TarError, KeyError, EOFError) as error:
                raise no_backup from error
            source = folder / _DATABASE
        with source.open("rb") as opened:
            if not opened.read(16).startswith(_MARKS[database.dialect]):
                raise no_backup
        if not replace and (tables := _filled(database)):
            places = {"where": database.shown, "tables": ", ".join(tables)}
            raise StoreError(WORDS["backups.not_empty"].format(**places))
        if archive is not None:  # first, for the database names them
            _put_models(archive, models, no_backup)
        database.close()
        if database.path:
            with _sqlite(source) as kept, _sqlite(database.path) as target:
                _check(kept, file)
                _copy(kept, target)
        else:
            _run(
                database, "pg_restore", "--clean", "--if-exists", "--single-transaction",
                "--exit-on-error", str(source),
            )  # fmt: skip
    migrate(database)


def _put_models(archive: tarfile.TarFile, models: Path, no_backup: StoreError) -> None:
    versions: dict[str, dict[str, bytes]] = {}
    try:
        for member in archive:
            parts = member.name.split("/")
            if len(parts) == 3 and parts[0] == _MODELS and NAME.fullmatch(parts[1]):
                content = archive.extractfile(member)
                if content is not None and member.isreg() and "\\" not in parts[2]:
                    versions.setdefault(parts[1], {})[parts[2]] = content.read()
    except (tarfile.TarError, EOFError) as error:
        raise no_backup from error
    with refusals(models):
        for version, files in versions.items():
            place_folder(models / version, files)


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
