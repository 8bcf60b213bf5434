"""Keeps a worker process alive beside the server, and takes it along when the server stops."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import wait
from typing import Any, Self

from leadscore.jobs.context import Clock
from leadscore.store.engine.database import Database
from leadscore.store.faults import StoreError
from leadscore.store.jobs.claims import requeue_lost

_log = logging.getLogger(__name__)

_NOBODY_ELSE = timedelta(days=36_500)  # silence alone tells nothing here


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait before a worker that died is started anew, in seconds.

    Attributes
    ----------
    first, longest
        It doubles from the one to the other.
    well
        A worker that lived so long was well; the next one is started after ``first``.
    """

    first: float = 1.0
    longest: float = 60.0
    well: float = 60.0


class Supervisor:
    """Starts a worker process, and another one whenever it dies.

    Parameters
    ----------
    work
        What the process runs under a name until a lifeline ends: a function of a module, so that
        it can be spawned.
    arguments
        What it is given beside its name and its lifeline; must be picklable.
    database
        Where the jobs of a dead worker are put back.
    clock
        Returns the time, with a zone.
    back_off
        See `BackOff`.
    patience
        Seconds that a worker has to end before it is killed; more than its own grace.
    """

    def __init__(
        self,
        work: Callable[..., object],
        arguments: tuple[Any, ...],
        database: Database,
        clock: Clock,
        *,
        back_off: BackOff = BackOff(),
        patience: float = 15.0,
    ) -> None:
        self._work, self._arguments = work, arguments
        self._database, self._clock = database, clock
        self._back_off, self._patience = back_off, patience
        self._ends = multiprocessing.Pipe(duplex=False)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: Any = None

    @property
    def alive(self) -> bool:
        """Whether there is a worker at this moment."""
        process = self._process
        return process is not None and process.exitcode is None

    def __enter__(self) -> Self:
        """Start the worker."""
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the worker; a job that it does is put back for the next one."""
        self._stopping.set()
        self._ends[1].close()
        if self._thread is not None:
            self._thread.join()
        self._ends[0].close()

    def _supervise(self) -> None:
        pause = self._back_off.first
        while not self._stopping.is_set():
            name = f"{socket.gethostname()}-{secrets.token_hex(4)}"[-100:]
            started = time.monotonic()
            self._live(name)
            if self._stopping.is_set():
                return
            lived = time.monotonic() - started
            pause = self._back_off.first if lived >= self._back_off.well else pause
            _log.error("the worker process died; the next one starts in %.1f s", pause)
            self._stopping.wait(pause)
            pause = min(pause * 2, self._back_off.longest)

    def _live(self, name: str) -> None:
        """See one worker from its start to its end."""
        theirs, ours = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("spawn").Process(
            target=self._work, args=(name, theirs, *self._arguments), name=name
        )  # no daemon: those may not have children, and hostile files are parsed in one
        with contextlib.closing(ours):
            with contextlib.closing(theirs):
                process.start()
            self._process = process
            wait([process.sentinel, self._ends[0]])
        process.join(self._patience)
        if process.exitcode is None:
            process.kill()
            process.join()
        with contextlib.suppress(StoreError), self._database.write() as connection:
            requeue_lost(connection, now=self._clock(), silent=_NOBODY_ELSE, worker=name)
