"""Many business texts as one, with the places at which items, clauses and sentences end."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore.city.arrays import BoolArray, IntArray
from leadscore.city.vocabulary import PLANE

ITEM, CLAUSE, SENTENCE = 1, 2, 3
"""How much a delimiter ends: an item of a list, a clause, a sentence. 0 ends nothing."""


LEVELS: Final[dict[str, int]] = {
    character: level
    for level, characters in (
        (ITEM, "、/+&()[]|·-—~ \t\"'“”‘’《》〈〉【】「」『』"),
        (CLAUSE, ",:"),
        (SENTENCE, "。;!?\n\r*〓…\N{REPLACEMENT CHARACTER}"),
    )
    for character in characters
}
"""What each delimiter ends."""


def _levels() -> NDArray[np.uint8]:
    table = np.zeros(PLANE, dtype=np.uint8)
    for character, level in LEVELS.items():
        table[ord(character)] = level
    return table


_LEVELS: Final = _levels()


@dataclass(frozen=True, slots=True)
class Document:
    """Texts joined by line ends, and for each character what it is.

    Attributes
    ----------
    cased, lower
        The joined texts in NFKC and in normal form, equally long.
    codes
        Code points of ``lower``, capped at the basic plane.
    latin
        True for ASCII letters and digits.
    level
        What a character ends: 0, `ITEM`, `CLAUSE` or `SENTENCE`.
    start, end
        Where each text lies.
    """

    cased: str
    lower: str
    codes: IntArray
    latin: BoolArray
    level: NDArray[np.uint8]
    start: IntArray
    end: IntArray

    def text_at(self, position: IntArray) -> IntArray:
        """Return the number of the text in which each position lies."""
        return np.searchsorted(self.start, position, side="right") - 1


def join_texts(texts: Sequence[str]) -> Document:
    """Join texts into a document.

    In a text without ``、`` commas separate the items of lists, as many data vendors write them;
    elsewhere they end a clause.
    """
    clean = [unicodedata.normalize("NFKC", t).replace("İ", "I").replace("\n", " ") for t in texts]
    length = np.array([len(t) for t in clean], dtype=np.int64)
    start = np.cumsum(length + 1) - length
    cased = "\n" + "\n".join(clean) + "\n"
    lower = cased.lower()
    raw = np.frombuffer(lower.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = np.minimum(raw, PLANE - 1).astype(np.int64)
    latin = ((codes >= ord("0")) & (codes <= ord("9"))) | (
        (codes >= ord("a")) & (codes <= ord("z"))
    )
    return Document(
        cased=cased,
        lower=lower,
        codes=codes,
        latin=latin,
        level=_delimit(codes, latin, start),
        start=start,
        end=start + length,
    )


def _delimit(codes: IntArray, latin: BoolArray, start: IntArray) -> NDArray[np.uint8]:
    level = _LEVELS[codes]
    inside = np.flatnonzero(latin[:-2] & latin[2:]) + 1
    # "TFT-LCD", "Mini/Micro LED", "Type C": nothing ends inside a Latin word.
    joining = inside[np.isin(codes[inside], [ord(c) for c in "-/ +&'"])]
    level[joining] = 0
    stop = np.flatnonzero(codes == ord("."))
    stop = stop[~(latin[stop - 1] & latin[np.minimum(stop + 1, len(codes) - 1)])]
    level[stop] = SENTENCE
    comma = np.flatnonzero(codes == ord(","))
    pause = np.flatnonzero(codes == ord("、"))
    has_pause = np.zeros(len(start) + 1, dtype=np.bool_)
    has_pause[np.searchsorted(start, pause, side="right")] = True
    level[comma[~has_pause[np.searchsorted(start, comma, side="right")]]] = ITEM
    return level
