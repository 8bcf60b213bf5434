"""Measures, cuts and breaks text by the columns of a terminal, where Chinese is two wide."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal

Align = Literal["left", "right", "centre"]
_ELLIPSIS = "…"
# No line starts with the first, none ends with the second.
_CLOSING = frozenset("，。、；：！？）》〕」』】〉”’%％,.;:!?)]}…")
_OPENING = frozenset("（《〔「『【〈“‘([{")


def _char_width(char: str) -> int:
    """Return 0 for what takes no room (combining marks, controls), 2 for wide, else 1."""
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
    return "".join(kept) + _ELLIPSIS


def fit(text: str, width: int, align: Align = "left") -> str:
    """Return ``text`` cut or padded with spaces to exactly ``width`` columns.

    Parameters
    ----------
    text
        One line of text.
    width
        Terminal columns, at least 0.
    align
        Where the text stands in its field: ``"left"``, ``"right"`` or ``"centre"``.

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
            lines[-1] = cut(lines[-1] + piece + _ELLIPSIS * width, width)
            break
        else:
            lines.append(piece)
    return [line.rstrip() for line in lines if line.strip()]


def _pieces(text: str, width: int) -> Iterator[str]:
    """Split text where a line may break, and by force where a piece is wider than a line."""
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
