"""What the store refuses, and what the database says, as errors in words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from leadscore import validation
from leadscore.errors import LeadscoreError
from leadscore.text import Text, room_words

WORDS = room_words("store")


class StoreError(LeadscoreError):
    """Something that could not be kept, or can't be read any more."""

    code: ClassVar[str] = "unusable_store"


def refusals(folder: Path) -> AbstractContextManager[None]:
    """Turn what the operating system refuses into a `StoreError`."""
    return validation.refusals(StoreError, WORDS["errors.the_folder"].format(folder=folder))


_BUSY = WORDS["errors.busy"]
_DAMAGED = WORDS["errors.damaged"]
_DATABASE_DENIED = WORDS["errors.database_denied"]
_AWAY = WORDS["errors.away"]
_TURNED_AWAY = WORDS["errors.turned_away"]
_SQLITE = {
    "BUSY": _BUSY,
    "LOCKED": _BUSY,
    "FULL": WORDS["errors.database_full"],
    "NOTADB": _DAMAGED,
    "CORRUPT": _DAMAGED,
    "READONLY": _DATABASE_DENIED,
    "CANTOPEN": _DATABASE_DENIED,
    "PERM": _DATABASE_DENIED,
    "AUTH": _DATABASE_DENIED,
    "IOERR": _DATABASE_DENIED,
}
"""By the first word of the name of SQLite's code, see https://sqlite.org/rescode.html."""

_POSTGRESQL = {
    "08": _AWAY,
    "57P": _AWAY,
    "28": _TURNED_AWAY,
    "3D": _TURNED_AWAY,
    "42501": _DATABASE_DENIED,
    "25006": _DATABASE_DENIED,
    "53100": WORDS["errors.database_full"],
    "53": _BUSY,
    "40": _BUSY,
    "55P": _BUSY,
    "XX": _DAMAGED,
}
"""By how the SQLSTATE begins, the more exact first."""


@contextlib.contextmanager
def database_refusals(where: str) -> Iterator[None]:
    """Turn what a database refuses for reasons outside the program into a `StoreError`.

    A constraint that does not hold, and SQL that is wrong, pass through as they are.

    Parameters
    ----------
    where
        Address of the database as people may see it.
    """
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        message = _sqlite(error.orig) or _postgresql(error)
        if message is None:
            raise
        reason = str(error.orig).strip().partition("\n")[0]
        raise StoreError(message.format(where=where, reason=reason)) from error


@contextlib.contextmanager
def sqlite_refusals(where: str) -> Iterator[None]:
    """Turn what SQLite itself refuses, without SQLAlchemy between, into a `StoreError`."""
    try:
        yield
    except sqlite3.Error as error:
        message = _sqlite(error)
        if message is None:
            raise
        raise StoreError(message.format(where=where, reason=str(error))) from error


def _sqlite(error: Any) -> Text | None:
    words = getattr(error, "sqlite_errorname", "").split("_")
    return _SQLITE.get(words[1]) if len(words) > 1 else None


def _postgresql(error: DBAPIError) -> Text | None:
    state = getattr(error.orig, "sqlstate", None)
    if state:
        known = (_POSTGRESQL[start] for start in _POSTGRESQL if state.startswith(start))
        return next(known, None)
    if not hasattr(error.orig, "sqlstate"):
        return None
    if not error.connection_invalidated and error.statement:
        return None
    # Where the server did answer, its word follows, behind a colon and two spaces.
    return _TURNED_AWAY if ":  " in str(error.orig) else _AWAY
