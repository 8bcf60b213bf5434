"""Two runs may write to one file at the same moment: each waits for its turn, on any system."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from leadscore.language import Text
from leadscore.store.faults import StoreError

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _leave(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _leave(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


PATIENCE_SECONDS = 10.0
"""Longer than any import holds the lock."""
_PAUSE_SECONDS = 0.02

_BUSY = Text(
    zh="另一个 leadscore 正在写 {folder}，等了 {seconds:.0f} 秒。请等它结束后再做一次。",
    en="another leadscore has been writing to {folder} for {seconds:.0f} seconds. Wait until it "
    "has ended, then do it again.",
)


@contextlib.contextmanager
def exclusive(path: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold a lock as long as the block runs; the system frees it if the process dies.

    Parameters
    ----------
    path
        File that stands for what is locked; made if it is not there, never removed.
    patience_seconds
        How long to wait for others.

    Raises
    ------
    StoreError
        If somebody else holds it all that time.
    OSError
        If the file can't be opened.
    """
    until = time.monotonic() + patience_seconds
    with path.open("ab") as file:
        while True:
            try:
                _take(file)
                break
            except (BlockingIOError, PermissionError):
                if time.monotonic() >= until:
                    message = _BUSY.format(folder=path.parent, seconds=patience_seconds)
                    raise StoreError(message) from None
                time.sleep(_PAUSE_SECONDS)
        try:
            yield
        finally:
            _leave(file)


@contextlib.contextmanager
def undisturbed(path: Path) -> Iterator[None]:
    """Hold the lock while something is read, where there is one and it may be held.

    What nobody may write to, or nobody ever wrote to, is read without.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(exclusive(path))
        yield
