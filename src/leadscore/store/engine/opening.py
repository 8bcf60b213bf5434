"""Opens the database of a home: made on first start, brought to this program's tables on each."""

from __future__ import annotations

import os
from pathlib import Path

from leadscore.language import Text
from leadscore.store.engine.database import Database
from leadscore.store.engine.migrating import migrate
from leadscore.store.faults import StoreError, refusals

_NO_DRIVER = Text(
    zh="要用 PostgreSQL，还须安装 psycopg：pip install 'leadscore[postgres]'",
    en="to use PostgreSQL, psycopg is needed, too: pip install 'leadscore[postgres]'",
)


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
        raise StoreError(_NO_DRIVER) from error
    if database.path:
        with refusals(database.path.parent):
            database.path.parent.mkdir(parents=True, exist_ok=True)
            if not database.path.exists():
                os.close(os.open(database.path, os.O_CREAT | os.O_WRONLY, 0o600))
    return database
