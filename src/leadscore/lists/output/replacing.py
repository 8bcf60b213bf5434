"""Puts a written file in its place only once it is whole, and says why when it can't."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import IO

from leadscore.errors import OutputError, UsageError
from leadscore.language import Text

FORMATS = (".xlsx", ".csv", ".parquet")
"""The endings of a file that can be written."""

_BAD_ENDING = Text(
    zh="不能写成“{name}”：请让文件名以 .xlsx、.csv 或 .parquet 结尾。",
    en="can't write {name}: let the file's name end in .xlsx, .csv or .parquet.",
)
_SAME = Text(
    zh="{one} 和 {other} 是同一个文件 {path}。请给其中一个换个文件名；什么都没有改动。",
    en="{one} and {other} are the same file, {path}. Name another file for one of them; "
    "nothing was changed.",
)
_NO_FOLDER = Text(
    zh="文件夹 {folder} 不存在。请先建立它，或换一个位置。",
    en="there is no folder {folder}. Make it first, or choose another place.",
)
_IS_FOLDER = Text(
    zh="{path} 是一个文件夹。请给出文件名。", en="{path} is a folder. Give the name of a file."
)
_DENIED = Text(
    zh="不许写 {path}。如果它正在 Excel 里打开，请先关闭；否则请换一个能写的文件夹。",
    en="not allowed to write {path}. If it is open in Excel, close it there; "
    "otherwise choose a folder that you may write to.",
)
_FULL = Text(
    zh="磁盘（或系统临时文件夹）已满，{path} 没有写成；原有文件未动。请腾出空间，或换一个磁盘。",
    en="the disk, or the system's folder for temporary files, is full. {path} was not written; "
    "a file of that name is as it was. "
    "Make room, or choose another disk.",
)
_REFUSED = Text(
    zh="{path} 没有写成（{reason}）；原有的文件未动。请换一个位置或文件名再试。",
    en="{path} was not written ({reason}); a file of that name is as it was. "
    "Try another place or name.",
)
_MESSAGES = {
    errno.ENOENT: _NO_FOLDER,
    errno.ENOTDIR: _NO_FOLDER,
    errno.EISDIR: _IS_FOLDER,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _DENIED,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
}


def check_ranking_path(path: Path) -> None:
    """Raise what writing there would raise, before the work and not after it.

    Raises
    ------
    OutputError
        If the ending is not one of `FORMATS`, or nothing can be written there.
    """
    if path.suffix.lower() not in FORMATS:
        raise OutputError(_BAD_ENDING.format(name=path.name))
    with _refusals(path):
        target = path.resolve()
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if not os.access(target if target.exists() else target.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def check_distinct(files: Mapping[str, Path | None]) -> None:
    """Raise if two of the files that a command names are one, by whatever names and links.

    Parameters
    ----------
    files
        What the command calls each file, and where it is; what was not given is None.

    Raises
    ------
    UsageError
        Naming the two: one of them would overwrite the other, or be taken for what it is not.
    """
    given = [(name, path) for name, path in files.items() if path is not None]
    for (one, here), (other, there) in combinations(given, 2):
        if _same(here, there):
            raise UsageError(_SAME.format(one=one, other=other, path=there))


def _same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):  # one of them is not there yet
        return one.samefile(other)
    here, there = (os.path.normcase(os.path.realpath(path)) for path in (one, other))
    return here == there


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into words with a way out."""
    try:
        yield
    except OSError as error:
        message = _MESSAGES.get(error.errno or 0, _REFUSED)
        raise OutputError(
            message.format(path=path, folder=path.parent, reason=error.strerror or error)
        ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file beside the target, which takes the target's place once it is whole.

    Whatever goes wrong, the target is as it was and nothing else is left behind.

    Raises
    ------
    OutputError
        If the system refuses, whether to open, to write or to replace.
    """
    with _refusals(path):
        target = path.resolve()
        part = target.with_name(f".leadscore-{secrets.token_hex(6)}.part")
        try:
            with part.open("xb") as handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
