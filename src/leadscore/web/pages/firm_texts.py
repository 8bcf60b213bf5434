"""What a firm says of itself, with the words marked on which its match with a segment rests."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.city.matching import JOINT
from leadscore.language import Lang
from leadscore.lists.columns import column

COLUMNS = ("main_business", "profile", "business_scope", "chain_node", "industry")
"""Where a firm or its list says what it makes, the most telling first."""

_LONG = 400


@dataclass(frozen=True, slots=True)
class OwnText:
    """What stands in one column.

    Attributes
    ----------
    label
        Of the column.
    parts
        The whole text in pieces, each with whether it is marked.
    long
        Whether it had better be folded.
    """

    label: str
    parts: tuple[tuple[str, bool], ...]
    long: bool

    @property
    def marks(self) -> int:
        """How many words are marked."""
        return sum(marked for _, marked in self.parts)


def own_texts(record: Mapping[str, Any], words: str | None, lang: Lang) -> list[OwnText]:
    """Return what a firm says of itself.

    Parameters
    ----------
    record
        Its canonical columns.
    words
        The words that were found in it, as a score keeps them; None for none.
    lang
        Of the labels.
    """
    quoted = words.split(JOINT) if words else []
    return [
        OwnText(column(name).label.pick(lang), marked(record[name], quoted),
                len(record[name]) > _LONG)
        for name in COLUMNS
        if record.get(name)
    ]  # fmt: skip


def marked(text: str, words: list[str]) -> tuple[tuple[str, bool], ...]:
    """Return a text in pieces, each with whether it is one of the words.

    Words are quoted in NFKC; where that has other places than the text itself, it is shown instead.

    >>> marked("研发风电叶片", ["风电叶片"])
    (('研发', False), ('风电叶片', True))
    """
    normal = unicodedata.normalize("NFKC", text)
    shown = text if len(normal) == len(text) else normal
    if not any(words):
        return ((shown, False),)
    longest_first = sorted(filter(None, words), key=len, reverse=True)
    found = re.finditer("|".join(map(re.escape, longest_first)), normal, re.IGNORECASE)
    parts: list[tuple[str, bool]] = []
    end = 0
    for each in found:
        parts += [(shown[end : each.start()], False), (shown[each.start() : each.end()], True)]
        end = each.end()
    parts.append((shown[end:], False))
    return tuple(part for part in parts if part[0])
