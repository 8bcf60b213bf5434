"""The words of a firm's own text that a match rests on, for the reason shown to people."""

from __future__ import annotations

from typing import Final

import numpy as np

from leadscore.city.arrays import FloatArray, IntArray
from leadscore.city.document import Document
from leadscore.city.mentions import Mentions

MOST_WORDS: Final = 6
"""How many words are kept for a match, the weightiest ones."""
JOINT: Final = "、"


def quoted_words(
    document: Document, mentions: Mentions, owner: IntArray, weight: FloatArray, owners: int
) -> list[str]:
    """Return for each of ``owners`` the words that were found, joined by ``、``.

    Parameters
    ----------
    document, mentions
        Where the words stand; they are quoted as written there, in NFKC.
    owner
        For each word the match that it belongs to, or -1 for none.
    weight
        How much each counts; the heaviest come first, and of equals the first in the text.
    """
    kept = np.flatnonzero(owner >= 0)
    order = kept[np.lexsort((mentions.begin[kept], -weight[kept], owner[kept]))]
    found: list[dict[str, str]] = [{} for _ in range(owners)]
    # Text has to be sliced one word at a time; it is done for what is kept only.
    for who, begin, end in zip(
        owner[order].tolist(),
        mentions.begin[order].tolist(),
        mentions.end[order].tolist(),
        strict=True,
    ):
        words = found[who]
        if len(words) < MOST_WORDS:
            words.setdefault(document.lower[begin:end], document.cased[begin:end])
    return [JOINT.join(words.values()) for words in found]
