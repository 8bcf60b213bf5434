"""Makes text from lists harmless for a terminal."""

from __future__ import annotations

import re
import unicodedata

# Terminal commands: CSI, OSC and other strings up to their end, then any other escape.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-~]?"
)
_DROPPED = {"Cf", "Cc"}


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
