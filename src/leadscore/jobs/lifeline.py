"""Tells a worker process that it is to stop: a signal, its parent's word, or its parent's death.

The parent holds one end of a pipe and the child the other. When the parent closes its end, or
dies in whatever way, the child's end becomes readable: this also works where there are no signals.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from multiprocessing.connection import Connection
from types import FrameType


def stop_on_signals(stopping: threading.Event, *, of_terminal: bool) -> None:
    """Set an event when the operating system wants this process to end; main thread only.

    Parameters
    ----------
    stopping
        What is set.
    of_terminal
        False for a child: Ctrl-C reaches all processes of a terminal, and the parent decides.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop if of_terminal else signal.SIG_IGN)


def stop_with_parent(stopping: threading.Event, lifeline: Connection) -> None:
    """Set an event when the other end of the pipe is closed."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            lifeline.poll(None)
        stopping.set()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
