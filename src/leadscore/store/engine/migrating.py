"""Brings a database to the tables of this program, once, however many start at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from leadscore.language import Text
from leadscore.store.engine.database import Database
from leadscore.store.faults import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")
"""Folder of the migrations, each a file of ``versions``."""

_LOCK = 0x6C656164
"""Number of the lock that migrations of one PostgreSQL database take: ``lead`` in ASCII."""
_IN_TURN = threading.Lock()  # Alembic keeps what is being migrated per process, not per thread

_NEWER = Text(
    zh="数据库 {where} 的版本（{found}）比这个程序新。请升级 leadscore，或换用别的数据库。",
    en="the database {where} (version {found}) is newer than this program. Upgrade leadscore, or "
    "name another database.",
)


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
