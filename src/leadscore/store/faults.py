"""What goes wrong when something is kept, in words with a way out."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from leadscore.errors import LeadscoreError
from leadscore.language import Text

_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})

_NOT_ALLOWED = Text(
    zh="不许读写文件夹 {folder}。请取得权限，或用环境变量 LEADSCORE_HOME 指定另一个文件夹。",
    en="not allowed to read and write in {folder}. Get permission, or name another folder with "
    "LEADSCORE_HOME.",
)
_FULL = Text(
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
        message = _NOT_ALLOWED if number in _DENIED else _FULL if number in _NO_ROOM else _REFUSED
        reason = errno.errorcode.get(number, type(error).__name__)
        raise StoreError(message.format(folder=folder, reason=reason)) from error
