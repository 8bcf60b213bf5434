"""Opens a database, and brings it to the tables of this program."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from leadscore.files import make_folder
from leadscore.store.database import PATIENCE_SECONDS, WORDS, Database, StoreError, refusals

_MIGRATIONS = Path(__file__).parent
_LOCK = 0x6C656164  # that migrations of one PostgreSQL database take: ``lead`` in ASCII
_IN_TURN = threading.Lock()  # Alembic keeps what is being migrated per process, not per thread


def migrate(
    database: Database, to: str = "head", *, before: Callable[[Database], object] = lambda _: None
) -> bool:
    """Run the migrations that a database lacks, all or none, and tell whether there were any.

    ``before`` is called first with a database that has tables of an earlier program.
    """
    scripts = ScriptDirectory(str(_MIGRATIONS))
    with database.read() as connection:
        present = _versions(connection)
    if present == scripts.get_heads():
        return False
    if present:
        before(database)
    with _IN_TURN, database.transaction() as connection:
        if database.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        present = _versions(connection)
        if not known_versions().issuperset(present):
            found = ", ".join(present)
            raise StoreError(WORDS["database.newer"].format(where=database.shown, found=found))

        def lacking(versions: Iterable[str], _context: MigrationContext) -> list[MigrationStep]:
            newest_first = scripts.iterate_revisions(to, tuple(versions) or "base")
            return [
                MigrationStep.upgrade_from_script(scripts.revision_map, script)
                for script in reversed(list(newest_first))
            ]

        context = MigrationContext.configure(connection, opts={"fn": lacking})
        with Operations.context(context):
            context.run_migrations()
        return present != scripts.get_heads()


def is_current(database: Database) -> bool:
    """Tell whether a database has the tables of this program."""
    with database.read() as connection:
        return _versions(connection) == ScriptDirectory(str(_MIGRATIONS)).get_heads()


def known_versions() -> set[str]:
    """Return the versions of a database that this program can use."""
    return {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}


def _versions(connection: Connection) -> list[str]:
    return list(MigrationContext.configure(connection).get_current_heads())


def open_store(
    address: Path | str, *, before_migration: Callable[[Database], object] = lambda _: None
) -> Database:
    """Return the database of a SQLite file or a URL, with all its tables; raises `StoreError`.

    ``before_migration`` is called with one that has tables of an earlier program.
    """
    database = connect(address)
    try:
        migrate(database, before=before_migration)
    except BaseException:
        database.close()
        raise
    return database


def connect(address: Path | str, *, patience_seconds: float = PATIENCE_SECONDS) -> Database:
    """Return a database as it is; a file of SQLite is made, its owner's alone, if there is none."""
    try:
        database = Database(address, patience_seconds=patience_seconds)
    except ModuleNotFoundError as error:
        raise StoreError(WORDS["database.no_driver"]) from error
    if database.path:
        with refusals(database.path.parent):
            make_folder(database.path.parent)
            if not database.path.exists():
                os.close(os.open(database.path, os.O_CREAT | os.O_WRONLY, 0o600))
    return database
