"""Speaks to the terminal: in any encoding, to a pipe that nobody reads, on a disk that is full."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import sys
from collections.abc import Callable
from typing import IO, Any, Self

import click

from leadscore.errors import OutputError
from leadscore.language import Lang, Text

_SCORING = Text(zh="评分", en="scoring")
_UNSHOWN = Text(
    zh="标准输出写不进去（{reason}）；已写出的文件完好。请换一个去处，或不要重定向。",
    en="standard output takes no more ({reason}); files that were written are whole. "
    "Send it elsewhere, or don't redirect it.",
)
_FULL = Text(zh="磁盘已满", en="the disk is full")
# What Windows says where others say "broken pipe".
_GONE = frozenset({errno.EPIPE, errno.EINVAL})


class Unheard(Exception):  # noqa: N818 - nothing is wrong: the reader has had enough
    """Whoever read our output, such as ``head``, has closed it."""


def accept_any_text() -> None:
    """Let what the terminal's encoding lacks become a question mark instead of a crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str) -> None:
    """Print a result to standard output.

    Raises
    ------
    Unheard
        If nobody reads it any more.
    OutputError
        If it can't be written.
    """
    try:
        click.echo(text)
    except OSError as error:
        _silence(sys.stdout)
        if error.errno in _GONE:
            raise Unheard from error
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        reason = _FULL if full else errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise OutputError(_UNSHOWN.format(reason=reason)) from error


def tell(text: str) -> None:
    """Print a notice to standard error; a run does not fail because nobody can read it."""
    try:
        click.echo(text, err=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: IO[str]) -> None:
    """Send the rest nowhere, lest Python complain of it when it closes the stream."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def is_terminal(stream: IO[str] | None) -> bool:
    """Tell whether somebody looks at the stream."""
    return stream is not None and stream.isatty()


def columns(otherwise: int) -> int:
    """Return how wide the terminal is, or ``otherwise`` where the output goes elsewhere."""
    if not is_terminal(sys.stdout):
        return otherwise
    return shutil.get_terminal_size((otherwise, 24)).columns


class Progress:
    """A progress bar on standard error, for long work that somebody watches.

    Parameters
    ----------
    lang
        Language of its label.
    shown_from
        Number of steps from which on the work is long.
    """

    def __init__(self, lang: Lang, shown_from: int) -> None:
        self._lang, self._shown_from = lang, shown_from
        self._bar: Any = None

    def start(self, steps: int) -> Callable[[int], object]:
        """Show the bar, and return what to call with the number of steps done since the last call.

        It shows nothing where the work is short or nobody watches.
        """
        if steps < self._shown_from or not is_terminal(sys.stderr):
            return lambda _: None
        self._bar = click.progressbar(
            length=steps, label=_SCORING.pick(self._lang), file=sys.stderr
        )
        self._bar.__enter__()
        update: Callable[[int], object] = self._bar.update
        return update

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the bar's line."""
        if self._bar is not None:
            self._bar.__exit__(*error)
