"""What the store refuses, and what the database says, as errors in words."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from leadscore.errors import LeadscoreError
from leadscore.text import Text

_DENIED_NUMBERS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})

_NOT_ALLOWED = Text(
    zh="不许读写文件夹 {folder}。请取得权限，或用环境变量 LEADSCORE_HOME 指定另一个文件夹。",
    en="not allowed to read and write in {folder}. Get permission, or name another folder with "
    "LEADSCORE_HOME.",
)
_FOLDER_FULL = Text(
    zh="磁盘已满，{folder} 里写不进去了。请腾出空间后再做一次；已写入的不会重复。",
    en="the disk is full, nothing more goes into {folder}. Make room and do it again; what is "
    "there will not be written twice.",
)
_REFUSED = Text(
    zh="文件夹 {folder} 不能使用（{reason}）。请用环境变量 LEADSCORE_HOME 指定另一个文件夹。",
    en="the folder {folder} can't be used ({reason}). Name another folder with LEADSCORE_HOME.",
)


class StoreError(LeadscoreError):
    """Something that could not be kept, or can't be read any more."""

    code: ClassVar[str] = "unusable_store"


@contextlib.contextmanager
def refusals(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a `StoreError`."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        message = (
            _NOT_ALLOWED
            if number in _DENIED_NUMBERS
            else _FOLDER_FULL
            if number in _NO_ROOM
            else _REFUSED
        )
        reason = errno.errorcode.get(number, type(error).__name__)
        raise StoreError(message.format(folder=folder, reason=reason)) from error


_BUSY = Text(
    zh="数据库 {where} 一直被占用。请等正在写入的 leadscore 结束后再做一次；没有写入任何东西。",
    en="the database {where} stayed busy. Wait until the leadscore that writes to it has ended, "
    "then do it again; nothing was written.",
)
_DATABASE_FULL = Text(
    zh="磁盘已满，数据库 {where} 写不进去了。请腾出空间后再做一次；没有写入任何东西。",
    en="the disk is full, nothing more goes into the database {where}. Make room and do it again; "
    "nothing was written.",
)
_DAMAGED = Text(
    zh="{where} 不是 leadscore 的数据库，或者已损坏（{reason}）。请用 leadscore db restore 从备份"
    "恢复，或用环境变量 LEADSCORE_DATABASE 指定另一个数据库。",
    en="{where} is no database of leadscore, or damaged ({reason}). Restore a backup with "
    "`leadscore db restore`, or name another database with LEADSCORE_DATABASE.",
)
_DATABASE_DENIED = Text(
    zh="不许读写数据库 {where}（{reason}）。请取得权限，或用环境变量 LEADSCORE_DATABASE 指定另一个"
    "数据库。",
    en="not allowed to read and write the database {where} ({reason}). Get permission, or name "
    "another database with LEADSCORE_DATABASE.",
)
_AWAY = Text(
    zh="连不上数据库 {where}（{reason}）。请确认服务器正在运行，并核对环境变量 "
    "LEADSCORE_DATABASE 里的主机和端口。",
    en="no connection to the database {where} ({reason}). See that its server runs, and check host "
    "and port in LEADSCORE_DATABASE.",
)
_TURNED_AWAY = Text(
    zh="数据库服务器不接受 {where}（{reason}）。请核对环境变量 LEADSCORE_DATABASE 里的用户、密码和"
    "数据库名。",
    en="the server of the database refuses {where} ({reason}). Check user, password and name of "
    "the database in LEADSCORE_DATABASE.",
)
_SQLITE = {
    "BUSY": _BUSY,
    "LOCKED": _BUSY,
    "FULL": _DATABASE_FULL,
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
    "53100": _DATABASE_FULL,
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
