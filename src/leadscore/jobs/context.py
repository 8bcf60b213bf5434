"""What a job is given to work with: the database, a way to tell how far it is, a way to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadscore.language import Text
from leadscore.store.engine.database import Database
from leadscore.store.jobs.claims import Claim, Held, beat

Clock = Callable[[], datetime]

_REST = 0.5  # seconds between two reports of progress; what is told in between is left out


class Stopped(BaseException):
    """Raised within a job that is to end early; no error, and not to be caught on the way out.

    Parameters
    ----------
    why
        ``cancel``: somebody wants it stopped; ``lost``: another worker has it; ``stop``: the
        worker is being stopped.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes
    ----------
    run
        Does it: takes the context and the payload, returns plain values that are kept.
    exclusive
        True if only one job of the kind may run at a time.
    """

    run: Callable[[JobContext, Mapping[str, Any]], Mapping[str, Any]]
    exclusive: bool = False


class JobContext:
    """What a job is given.

    Parameters
    ----------
    database
        The database of the store.
    held
        The claim of the job.
    clock
        Returns the time, with a zone.
    stopping
        Set when the worker is to stop.
    """

    def __init__(
        self,
        database: Database,
        held: Held,
        clock: Clock,
        stopping: threading.Event,
    ) -> None:
        self.database = database
        self.held = held
        self.clock = clock
        self._stopping = stopping
        self._told = float("-inf")
        self._last: tuple[float, Text] | None = None
        self._claim: Claim = "holds"

    def progress(self, fraction: float, words: Text) -> None:
        """Tell how far the work is, 0..1, and what is being done.

        Raises
        ------
        Stopped
            As `check_cancelled`.
        """
        self.check_cancelled()
        self.note(fraction, words)
        if time.monotonic() - self._told < _REST:
            return  # the next sign of life tells it
        self.beat()
        self._told = time.monotonic()
        self.check_cancelled()

    def note(self, fraction: float, words: Text) -> None:
        """Tell the same with the next sign of life: for where nothing may be written meanwhile."""
        self._last = min(max(fraction, 0.0), 1.0), words

    def check_cancelled(self) -> None:
        """Go on only if the work is still wanted; costs nothing, so ask often.

        Raises
        ------
        Stopped
            If the job was cancelled, has been given to another worker, or the worker is to stop.
        """
        if self._claim != "holds":
            raise Stopped(self._claim)
        if self._stopping.is_set():
            raise Stopped("stop")

    def beat(self) -> None:
        """Say that the worker lives and how far it is; learn whether the work is still wanted."""
        fraction, words = self._last or (None, None)
        with self.database.write() as connection:
            found = beat(connection, self.held, now=self.clock(), progress=fraction, words=words)
        if found != "holds":
            self._claim = found
