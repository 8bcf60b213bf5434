"""Speaks to the terminal: columns where Chinese is two wide, any encoding, a closed pipe."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import IO, Literal

import click

from leadscore.errors import OutputError
from leadscore.text import Lang, room_words
from leadscore.validation import reason

WORDS = room_words("")


Align = Literal["left", "right", "centre"]
GAP = "  "  # what stands between two columns

# No line starts with the first, none ends with the second.
_CLOSING = frozenset("，。、；：！？）》〕」』】〉”’%％,.;:!?)]}…")
_OPENING = frozenset("（《〔「『【〈“‘([{")
# Terminal commands: CSI, OSC and other strings up to their end, then any other escape.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-~]?"
)


def _char_width(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cc", "Cf", "Zl", "Zp"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def display_width(text: str) -> int:
    """Return how many terminal columns ``text`` takes.

    Wide and full-width characters (Unicode annex 11) take two, combining marks and controls none.
    Ambiguous ones (``…``, ``·``, box drawing) count as one, as terminals draw them by default.

    >>> display_width("屏幕 screen")
    11
    """
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(map(_char_width, text))


def cut(text: str, width: int) -> str:
    """Return ``text``, shortened to at most ``width`` columns and ended by ``…`` if it was longer.

    A wide character is never split: the result may then be one column narrower than asked.

    >>> cut("移动智能终端", 7)
    '移动智…'
    """
    if display_width(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, used = [], 0
    for char in text:
        used += _char_width(char)
        if used > width - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def fit(text: str, width: int, align: Align = "left") -> str:
    """Return ``text`` cut or padded with spaces to exactly ``width`` columns.

    >>> fit("屏幕", 6) + "|" + fit("0.75", 6, "right") + "|"
    '屏幕  |  0.75|'
    """
    short = cut(text, width)
    room = max(width - display_width(short), 0)
    before = {"left": 0, "right": room, "centre": room // 2}[align]
    return " " * before + short + " " * (room - before)


def wrap(text: str, width: int, most: int | None = None) -> list[str]:
    """Break one line of text into lines of at most ``width`` columns.

    Chinese may break between any two characters but for punctuation, other scripts at spaces. What
    is wider than a line is broken by force. Of more than ``most`` lines the last ends with ``…``.

    >>> wrap("制造企业（+12）；gap filled", 12)
    ['制造企业', '（+12）；gap', 'filled']
    """
    lines = [""]
    for piece in _pieces(text, width):
        if display_width((lines[-1] + piece).rstrip()) <= width:
            lines[-1] += piece
        elif len(lines) == most:
            lines[-1] = cut(lines[-1] + piece + "…" * width, width)
            break
        else:
            lines.append(piece)
    return [line.rstrip() for line in lines if line.strip()]


def table(
    rows: Sequence[Sequence[str]], aligns: Sequence[Align] = (), most: int | None = None
) -> list[str]:
    """Return rows, headers among them, as lines: each column is as wide as it needs.

    >>> for line in table([["名称", "角色"], ["li.na", "officer"]]):
    ...     print(line)
    名称   角色
    li.na  officer
    """
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    if most is not None:
        widths[0] = min(widths[0], most)
    return [
        GAP.join(
            fit(cell, width, aligns[at] if at < len(aligns) else "left")
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            if width
        ).rstrip()
        for row in rows
    ]


def _pieces(text: str, width: int) -> Iterator[str]:
    start = used = 0
    for at, char in enumerate(text):
        room = _char_width(char)
        if at > start and (_may_break(text[at - 1], char) or used + room > width):
            yield text[start:at]
            start, used = at, 0
        used += room
    yield text[start:]


def _may_break(before: str, after: str) -> bool:
    if after == " " or after in _CLOSING or before in _OPENING or _char_width(after) == 0:
        return False
    return before == " " or _char_width(before) == 2 or _char_width(after) == 2


def tame(text: str) -> str:
    r"""Return one line without anything that a terminal would obey.

    >>> tame("\x1b[31m深圳\x1b[0m\tX\u202e\n")
    '深圳 X'
    """
    plain = " ".join(_ESCAPES.sub("", text).split())
    if plain.isprintable():
        return plain
    kept = "".join(char for char in plain if unicodedata.category(char) not in ("Cf", "Cc"))
    return kept.encode("utf-8", "replace").decode("utf-8")


def minute(moment: datetime | None) -> str:
    """Return a moment to the minute in the time of this machine, ``-`` for none."""
    return "-" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


class ClosedOutput(Exception):  # noqa: N818 - nothing is wrong: the reader has had enough
    """Whoever read our output, such as ``head``, has closed it."""


def accept_any_text() -> None:
    """Let what the terminal's encoding lacks become a question mark instead of a crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def echo(text: str) -> None:
    """Print a result; `ClosedOutput` if nobody reads any more, `OutputError` if that can't be."""
    try:
        click.echo(text)
    except OSError as error:
        _silence(sys.stdout)
        if error.errno in (errno.EPIPE, errno.EINVAL):  # the latter on Windows
            raise ClosedOutput from error
        raise OutputError(WORDS["terminal.unshown"].format(reason=reason(error))) from error


def echo_err(text: str) -> None:
    """Print a notice to standard error; a run does not fail because nobody can read it."""
    try:
        click.echo(text, err=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: IO[str]) -> None:
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def is_terminal(stream: IO[str] | None) -> bool:
    """Tell whether somebody looks at the stream."""
    return stream is not None and stream.isatty()


def columns(otherwise: int) -> int:
    """Return how wide the terminal is, or ``otherwise`` where the output goes elsewhere."""
    wide = is_terminal(sys.stdout)
    return shutil.get_terminal_size((otherwise, 24)).columns if wide else otherwise


class Progress(contextlib.ExitStack):
    """A progress bar on standard error, for work of ``shown_from`` steps or more."""

    def __init__(self, lang: Lang, shown_from: int) -> None:
        super().__init__()
        self._lang, self._shown_from = lang, shown_from

    def start(self, steps: int) -> Callable[[int], object]:
        """Return what to call with the number of steps done since; nothing shows if none watch."""
        if steps < self._shown_from or not is_terminal(sys.stderr):
            return lambda _: None
        label = WORDS["terminal.scoring"].pick(self._lang)
        bar = self.enter_context(click.progressbar(length=steps, label=label, file=sys.stderr))
        return bar.update
