"""The edge of a worker process: what it works with is opened here, and closed when it ends."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection

from leadscore.jobs.context import Clock, Kind
from leadscore.jobs.lifeline import stop_on_signals, stop_with_parent
from leadscore.jobs.worker import Pace, Worker
from leadscore.store.engine.database import Database


def work(
    database: Database,
    kinds: Mapping[str, Kind],
    clock: Clock,
    *,
    name: str | None = None,
    lifeline: Connection | None = None,
    pace: Pace = Pace(),  # noqa: B008 (frozen)
) -> None:
    """Do jobs until this process is to stop; to be called in its main thread.

    Parameters
    ----------
    database
        The database of the store; closed at the end.
    kinds
        What can be done, by name.
    clock
        Returns the time, with a zone.
    name
        What no other worker is called; by default made from host and process.
    lifeline
        The end of a pipe: the worker stops when the other end is closed. Without one it is a
        worker alone, which Ctrl-C stops.
    pace
        See `Pace`.
    """
    stopping = threading.Event()
    stop_on_signals(stopping, of_terminal=lifeline is None)
    if lifeline is not None:
        stop_with_parent(stopping, lifeline)
    name = name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"[-100:]
    with contextlib.closing(database):
        Worker(name, database, kinds, clock, stopping, pace).run()
