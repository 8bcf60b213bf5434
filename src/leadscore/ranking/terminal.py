"""Makes text from lists harmless for a terminal, and breaks it into lines, Chinese too."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from leadscore.textwidth import cut, display_width

MOST_LINES = 6
"""Lines that one text may take."""

# Terminal commands: CSI, OSC and other strings up to their end, then any other escape.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-~]?"
)
_DROPPED = {"Cf", "Cc"}
# No line starts with the first, none ends with the second.
_CLOSING = frozenset("，。、；：！？）》」』】〉”’%％,.;:!?)]}…")
_OPENING = frozenset("（《「『【〈“‘([{")


def tame(text: str) -> str:
    r"""Return one line without anything that a terminal would obey.

    >>> tame("\x1b[31m深圳\x1b[0m\tX\u202e\n")
    '深圳 X'
    """
    plain = " ".join(_ESCAPES.sub("", text).split())
    if plain.isprintable():
        return plain
    kept = "".join(char for char in plain if unicodedata.category(char) not in _DROPPED)
    return kept.encode("utf-8", "replace").decode("utf-8")


def wrap(text: str, width: int) -> list[str]:
    """Break text into lines of at most ``width`` columns; a very long text is cut.

    Chinese may break between any two characters but for punctuation, other scripts at spaces.

    >>> wrap("制造企业（+12）；gap filled", 12)
    ['制造企业', '（+12）；gap', 'filled']
    """
    lines = [""]
    for piece in _pieces(text, width):
        if display_width((lines[-1] + piece).rstrip()) <= width:
            lines[-1] += piece
        elif len(lines) == MOST_LINES:
            lines[-1] = cut(lines[-1] + piece + "…" * width, width)
            break
        else:
            lines.append(piece)
    return [line.rstrip() for line in lines if line.strip()]


def _pieces(text: str, width: int) -> Iterator[str]:
    """Split text where a line may break, and by force where a piece is wider than a line."""
    start = used = 0
    for at, char in enumerate(text):
        room = display_width(char)
        if at > start and (_may_break(text[at - 1], char) or used + room > width):
            yield text[start:at]
            start, used = at, 0
        used += room
    yield text[start:]


def _may_break(before: str, after: str) -> bool:
    if after == " " or after in _CLOSING or before in _OPENING or display_width(after) == 0:
        return False
    return before == " " or display_width(before) == 2 or display_width(after) == 2
