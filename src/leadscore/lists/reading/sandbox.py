"""Sandboxed parsers: a hostile file may crash a parser of binary formats, so it runs in a child."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Self

from leadscore.lists.reading.table import refuse
from leadscore.text import Text, room_words

WORDS = room_words("lists")

TIME_LIMIT_SECONDS = 120.0
"""The largest workbook that is let in takes some 10 seconds on a slow machine."""
MEMORY_LIMIT_BYTES = 2 << 30
"""Address space of a child: the largest workbook that is let in needs some 1.2 GB."""
GRACE_SECONDS = 1.0
"""Time that a child has to end by itself when nobody listens any more."""


class Child:
    """A script run by this Python with an output to read, ended at the latest with its context.

    The script imports nothing of this package, so that it starts fast. The source is the name of
    the list, for messages.
    """

    def __init__(
        self, script: Path, *arguments: str, source: str, seconds: float = TIME_LIMIT_SECONDS
    ) -> None:
        self._source, self._seconds = source, seconds
        self._complaint: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self._process = subprocess.Popen(  # noqa: S603 (our own script, no shell)
            [sys.executable, "-P", str(script), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaint,
        )
        if self._process.stdout is None:
            raise AssertionError("a pipe was asked for")
        self.output: IO[bytes] = self._process.stdout
        self._late = threading.Event()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        self._late.set()
        self._process.kill()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, whatever it does, and close what belongs to it."""
        self._timer.cancel()
        self.output.close()
        try:
            # A child that has said its last word, or finds nobody listening, ends by itself.
            self._process.wait(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaint.close()

    def check(self) -> None:
        """Wait for the end; raise `ListError` if the file was too much for the child.

        Raises
        ------
        RuntimeError
            If the child failed by a fault of ours.
        """
        code = self._process.wait()
        if code == 0:
            return
        if code == 1:
            self._complaint.seek(0)
            raise RuntimeError(self._complaint.read().decode(errors="replace"))
        if self._late.is_set():
            what = WORDS["sandbox.time"]
            limit = WORDS["sandbox.seconds"].format(n=f"{self._seconds:.0f}")
        else:
            what = WORDS["sandbox.memory"]
            limit = Text(*2 * [f"{MEMORY_LIMIT_BYTES >> 30} GB"])
        wanted = WORDS["sandbox.at_most"].format(limit=limit)
        raise refuse(WORDS["sandbox.too_much"], self._source, f"> {limit.en}", wanted, what=what)
