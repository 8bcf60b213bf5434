"""What products are for, as texts say it: motors of vacuum cleaners are no motors of phones."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple, cast

from leadscore.city.matching.vocabulary import WordList, normal_form
from leadscore.city.profile import USES, Use
from leadscore.files import shipped

ANOTHER: Final = 0.5
"""What a match keeps, 0..1, of its strength where all that is said of use is another use."""
# How much a word of use counts: beside the product in its own item, and in its own sentence.
_BESIDE, _NEAR = 3.0, 1.0
_MAINLY = 0.5  # the share of what is said, twice counted, below which another use is the main one
_MOST_WORDS = 2  # how many words are said for a use
JOINT: Final = "、"
"""Stands between words that were found."""


SAID_BELOW: Final = ANOTHER + (1.0 - ANOTHER) * _MAINLY
"""A match that keeps less than this is mainly for another use, which is said."""


class Suiting(NamedTuple):
    """How far what is said of use suits what a segment wants."""

    share: float  # `ANOTHER`..1, what a match keeps of its strength
    words: str | None  # the words for the use that counts most; None where none is said


Said = tuple[Use, str, float]
"""A use that a text speaks of, the word for it, and how much it counts."""


class UseWords:
    """The shipped words for uses, of ``uses.toml``; see `use_words`."""

    def __init__(self) -> None:
        tables = tomllib.loads(shipped("uses.toml").read_text("utf-8"))
        if set(tables) != set(USES):
            raise ValueError(f"uses.toml: missing or unknown: {set(tables) ^ set(USES)}")
        uses: dict[str, Use] = {}
        for use, table in tables.items():
            for word in map(normal_form, table["words"]):
                if uses.setdefault(word, cast("Use", use)) != use:
                    raise ValueError(f"uses.toml: {word} stands in {uses[word]} and in {use}")
        self._words = WordList(tuple(uses))
        self._uses = tuple(uses.values())

    def find(self, lower: str) -> list[tuple[int, int, Use]]:
        """Return begin, end and use of the words in a text in normal form, the longest ones.

        The text begins and ends with a line end.
        """
        spans: list[tuple[int, int, Use]] = []
        for number, begin, end in self._words.find(lower):
            # Hits come by rising end.
            while spans and spans[-1][0] >= begin:
                spans.pop()
            if not spans or spans[-1][1] <= begin:
                spans.append((begin, end, self._uses[number]))
        return spans

    def of(self, text: str) -> set[Use]:
        """Return the uses that a text names.

        >>> sorted(use_words().of("扫地机器人、洗地机")), use_words().of("机关")
        (['appliances'], set())
        """
        return {use for _, _, use in self.find(f"\n{normal_form(text)}\n")}


@cache
def use_words() -> UseWords:
    """Return the shipped words for uses, which are read once."""
    return UseWords()


class UsesOfText:
    """The words for uses in one text, by place."""

    __slots__ = ("_breaks", "_lower", "_sentences", "_spans")

    def __init__(self, lower: str, breaks: bytearray, sentences: bytearray) -> None:
        self._lower, self._breaks, self._sentences = lower, breaks, sentences
        self._spans = use_words().find(lower)

    def beside(self, place: int) -> list[Said]:
        """Return what is said of use in the sentence of a place."""
        if not self._spans:
            return []
        first, stop = self._sentences.rfind(1, 0, place) + 1, self._sentences.find(1, place)
        item, next_item = self._breaks.rfind(1, 0, place) + 1, self._breaks.find(1, place)
        return [
            (use, self._lower[begin:end], _BESIDE if item <= begin < next_item else _NEAR)
            for begin, end, use in self._spans
            if first <= begin < stop
        ]


def suiting(said: Iterable[Said], wanted: Collection[Use], *, named: bool = True) -> Suiting:
    """Return how far what texts say of use suits the uses that a segment wants.

    Where nothing is said, a product that is ``named`` suits, and a mere hint does not.

    >>> said = [("appliances", "吸尘器", 3.0), ("appliances", "家电", 1.0)]
    >>> suiting(said, ["devices"])
    Suiting(share=0.5, words='吸尘器、家电')
    >>> suiting([*said, ("devices", "手机", 4.0)], ["devices"])
    Suiting(share=1.0, words='手机')
    """
    weights: dict[Use, float] = {}
    by_word: dict[Use, dict[str, float]] = {}
    for use, word, weight in said:
        of_use = by_word.setdefault(use, {})
        of_use[word] = of_use.get(word, 0.0) + weight
        weights[use] = weights.get(use, 0.0) + weight
    if not weights:
        return Suiting(1.0 if named else ANOTHER, None)
    own = sum(weight for use, weight in weights.items() if use in wanted)
    # A use that is wanted need not be the only one: half of what is said is all of it.
    share = min(1.0, 2.0 * own / sum(weights.values()))
    candidates = [use for use in weights if (use in wanted) == (share >= _MAINLY)]
    main = min(candidates, key=lambda use: (-weights[use], use))
    heaviest = sorted(by_word[main], key=lambda word: (-by_word[main][word], word))
    return Suiting(ANOTHER + (1.0 - ANOTHER) * share, JOINT.join(heaviest[:_MOST_WORDS]))


def suiting_text(text: str, wanted: Sequence[Use]) -> Suiting:
    """Return the same of a use that an officer has written down; what no list knows suits."""
    uses = use_words().of(text)
    suits = not wanted or not uses or bool(uses.intersection(wanted))
    return Suiting(1.0 if suits else ANOTHER, text)
