"""Puts files and folders in place wholly or not at all, whoever writes, whenever power fails."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path


def place_folder(path: Path, files: Mapping[str, bytes]) -> bool:
    """Write a folder of files beside its place, sync it, and rename it into place.

    Returns
    -------
    False if something is there already, which is then as it was: of two writers the first wins.

    Raises
    ------
    OSError
        If the system refuses; nothing is left behind.
    """
    part = _beside(path)
    part.mkdir(parents=True)
    try:
        for name, content in files.items():
            _write(part / name, content)
        _sync(part)
        try:
            part.rename(path)
        except OSError as error:
            # POSIX says that the folder in place isn't empty, Windows that it exists.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return False
        _sync(path.parent)
        return True
    finally:
        shutil.rmtree(part, ignore_errors=True)


def place_file(path: Path, content: bytes) -> None:
    """Write a file beside its place, sync it, and let it take the place of what is there.

    Raises
    ------
    OSError
        If the system refuses; what was there is as it was, and nothing else is left behind.
    """
    part = _beside(path)
    try:
        _write(part, content)
        part.replace(path)
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make a renaming in a folder outlast a loss of power, where folders can be opened."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
