"""What the service writes to its log: one line of JSON per event, and nothing about anybody.

A log is copied, mailed and kept where the rules for the data don't reach. So only fields that are
named here get into it. Of an error the log tells the kind and the places in the code; its message
stays out, because messages quote what they complain of.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

FIELDS = frozenset({
    "event", "level", "logger", "time", "request", "method", "route", "status", "ms", "actor",
    "error", "job", "kind", "firms", "model",
})  # fmt: skip
"""The fields that a line may have."""

_PACKAGE = Path(__file__).parent
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=repr)


def log_to_stderr(stream: IO[str] | None = None, *, level: int = logging.INFO) -> None:
    """Send all logs of this process to standard error, as lines of JSON; call it once, at a start.

    ``level`` is the least that is logged of our own; of libraries only warnings are.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("leadscore").setLevel(level)
    logging.captureWarnings(capture=True)
    # Records need not find out what no line says.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        given = vars(record)
        line = {name: given[name] for name in given if name in FIELDS}
        line |= {
            "event": _known_words(record), "level": record.levelname.lower(),
            "logger": record.name, "time": time,
        }  # fmt: skip
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = fault_of(record.exc_info[1])
        return _ENCODER.encode(line)


def fault_of(error: BaseException) -> list[dict[str, Any]]:
    """Return an error and its causes, the last one first: ``type`` and ``frames`` of each.

    >>> try:
    ...     int("a secret")
    ... except ValueError as error:
    ...     [(fault["type"], "secret" in str(fault)) for fault in fault_of(error)]
    [('ValueError', False)]
    """
    faults: list[dict[str, Any]] = []
    cause: BaseException | None = error
    while cause is not None and len(faults) < 5:
        kind, frames = type(cause), traceback.extract_tb(cause.__traceback__)[-30:]
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        places = [f"{_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        faults.append({"type": f"{module}{kind.__qualname__}", "frames": places})
        hidden = cause.__suppress_context__
        cause = cause.__cause__ or (None if hidden else cause.__context__)
    return faults


def _place(file: str) -> str:
    path = Path(file)
    if path.is_relative_to(_PACKAGE):
        return path.relative_to(_PACKAGE.parent).as_posix()
    return "/".join(path.parts[-2:])


def _known_words(record: logging.LogRecord) -> object:
    # Of a library's record what its author wrote, and not what was put into it; our own messages
    # are filled with numbers, kinds and versions.
    if record.name.partition(".")[0] == "leadscore":
        return record.getMessage()
    return record.msg if record.args else "(a message of a library, left out)"
