"""Files put in place wholly or not at all, and the files that the package brings along."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def place_folder(path: Path, files: Mapping[str, bytes]) -> bool:
    """Write a folder of files beside its place, sync it, and rename it into place.

    False if something is there already, which is then as it was: of two writers the first wins.
    Where the system refuses, OSError, and nothing is left behind.
    """
    make_folder(path.parent)
    with beside(path) as part:
        part.mkdir()
        for name, content in files.items():
            _write(part / name, content)
        _sync(part)
        try:
            part.rename(path)
        except OSError as error:
            # POSIX says that the folder in place isn't empty, or that a file or link is there;
            # Windows that something exists.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            return False
        _sync(path.parent)
        return True


def place_secret(path: Path, content: bytes) -> bool:
    """Do as `place_new`, for a file that only its owner may read."""
    return place_new(path, content, mode=0o600)


def place_new(path: Path, content: bytes, *, mode: int = 0o666) -> bool:
    """Write a file wholly, unless one is there, as `place_folder` does; its folder is made."""
    make_folder(path.parent)
    with beside(path) as part:
        _write(part, content, mode)
        try:
            # Neither takes the place of a file that is there; elsewhere a renaming would.
            if os.name == "nt":
                part.rename(path)
            else:
                path.hardlink_to(part)
        except FileExistsError:
            return False
        _sync(path.parent)
        return True


@contextlib.contextmanager
def beside(path: Path, what: str | None = None) -> Iterator[Path]:
    """Give a place beside another for a part of it, where nothing is left at the end.

    What a run that is killed leaves there `remove_leftovers` knows by its name. The part that is
    named by ``what`` always has the same place: the next run takes away what is left of the last.
    """
    token = hashlib.sha256(what.encode()).hexdigest()[:12] if what else secrets.token_hex(6)
    part = path.with_name(f".{path.name}.{token}{_PART}")
    if what:
        _remove(part)
    try:
        yield part
    finally:
        _remove(part)


_PART = ".part"
_LEFT = re.compile(r"\..+[.-][0-9a-f]{12}\.part(-\w+)?")  # of SQLite also its journal
_ANY_PART = re.compile(r".+\.part(-\w+)?")
_OLD_SECONDS = 24 * 60 * 60  # longer than any run writes one part without touching it


def remove_leftovers(folder: Path, *, shared: bool) -> int:
    """Remove the parts that runs have left in a folder that are long dead, and count them.

    Where users keep files too, which is a ``shared`` folder, only those whose names `beside` gave.
    """
    ours, removed, now = _LEFT if shared else _ANY_PART, 0, time.time()
    with contextlib.suppress(OSError):  # who can't look there leaves it to who can
        for path in folder.iterdir():
            if ours.fullmatch(path.name) and now - _touched(path) > _OLD_SECONDS:
                _remove(path)
                removed += not os.path.lexists(path)
    return removed


def _touched(path: Path) -> float:
    paths = [path, *path.rglob("*")] if path.is_dir() and not path.is_symlink() else [path]
    return max(each.lstat().st_mtime for each in paths)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _write(path: Path, content: bytes, mode: int = 0o666) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_PACKAGE = Path(__file__).resolve().parent


def lock(file: IO[Any]) -> bool:
    """Lock an open file until it is closed or this process has ended; False if another has."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def shipped(*parts: str) -> Path:
    """Return the path of a file below ``data/``.

    A wheel carries the folder as ``leadscore/_data``; in a checkout it lies beside ``src``.

    >>> shipped("cities").name
    'cities'
    """
    installed = _PACKAGE / "_data"
    root = installed if installed.is_dir() else _PACKAGE.parents[1] / "data"
    return root.joinpath(*parts)


def document(*parts: str) -> Path:
    """Return the path of a file below ``docs/``, of which a wheel carries the officers' guide.

    >>> document("guide.md").name
    'guide.md'
    """
    installed = _PACKAGE / "_data"
    root = installed if installed.is_dir() else _PACKAGE.parents[1]
    return root.joinpath("docs", *parts)


def fingerprint(packages: Iterable[str], data: Iterable[str]) -> str:
    """Return SHA-256, in hex, of the code of some packages and of some shipped files.

    The same on every machine: line ends and folders do not count.
    """
    files = [file for name in packages for file in sorted((_PACKAGE / name).rglob("*.py"))]
    files += [shipped(*name.split("/")) for name in data]
    content = hashlib.sha256()
    for file in files:
        content.update(file.name.encode() + file.read_bytes().replace(b"\r\n", b"\n"))
    return content.hexdigest()
