"""What the service writes to its log: one line of JSON per event, and nothing about anybody.

A log is copied, mailed and kept where the rules for the data don't reach. So only fields that are
named here get into it. Of an error the log tells the kind and the places in the code; its message
stays out, because messages quote what they complain of.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import structlog

FIELDS = frozenset({
    "event", "level", "logger", "time", "request", "method", "route", "status", "ms", "actor",
    "error", "job", "kind", "firms", "model",
})  # fmt: skip
"""The fields that a line may have."""

_PACKAGE = Path(__file__).parent
_OURS = "leadscore"
_WITHHELD = "(a message of a library, left out)"
_MOST_FRAMES = 30
_MOST_CAUSES = 5


def log_to_stderr(stream: IO[str] | None = None, *, level: int = logging.INFO) -> None:
    """Send all logs of this process to standard error, as lines of JSON; call it once, at a start.

    Parameters
    ----------
    stream
        Where they go instead.
    level
        The least that is logged of our own; of libraries only warnings are.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_known_words],
            use_get_message=False,
            pass_foreign_args=True,
            processors=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                _without_message,
                _only_known,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(level)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def fault_of(error: BaseException) -> list[dict[str, Any]]:
    """Return an error and its causes, the last one first: ``type`` and ``frames`` of each.

    >>> try:
    ...     int("a secret")
    ... except ValueError as error:
    ...     [(fault["type"], "secret" in str(fault)) for fault in fault_of(error)]
    [('ValueError', False)]
    """
    faults: list[dict[str, Any]] = []
    found: BaseException | None = error
    while found is not None and len(faults) < _MOST_CAUSES:
        kind = type(found)
        name = kind.__qualname__
        if kind.__module__ != "builtins":
            name = f"{kind.__module__}.{name}"
        faults.append({"type": name, "frames": _frames(found.__traceback__)})
        hidden = found.__suppress_context__
        found = found.__cause__ or (None if hidden else found.__context__)
    return faults


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f"{_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _place(file: str) -> str:
    """Return a file by its place in the program, which tells nothing of whose machine it is."""
    path = Path(file)
    if path.is_relative_to(_PACKAGE):
        return (_OURS / path.relative_to(_PACKAGE)).as_posix()
    return "/".join(path.parts[-2:])


def _known_words(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Of a library's record keep what its author wrote, and not what was put into it.

    The places of our own messages are filled with numbers, kinds and versions.
    """
    record: logging.LogRecord = event["_record"]
    places = event.pop("positional_args", ())
    if record.name.partition(".")[0] == _OURS:
        event["event"] = event["event"] % places if places else event["event"]
    elif not places:
        event["event"] = _WITHHELD
    if record.exc_info and record.exc_info[1] is not None:
        event["exc_info"] = record.exc_info
    return event


def _without_message(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = fault_of(error)
    return event


def _only_known(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in event.items() if name in FIELDS}
