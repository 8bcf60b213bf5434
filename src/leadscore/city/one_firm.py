"""One firm's strengths in the segments that its texts mention: `strength` without arrays.

The formula is that of `leadscore.city.strength.firm_strengths`; sums and powers go through numpy in
the same order, so that a firm gets the same number to the last bit, alone or in a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from leadscore.city.arrays import FloatArray
from leadscore.city.evidence import JOINT, MOST_WORDS
from leadscore.city.one_text import Surroundings
from leadscore.city.one_ties import Ties
from leadscore.city.one_words import Mention, WordBook
from leadscore.city.roles import OWN_PRODUCT, ROLE_OF, Tie
from leadscore.city.strength import PASSING, Weights
from leadscore.city.values import ROLES
from leadscore.city.vocabulary import Kind, Vocabulary

_ROLES: Final = [ROLES.index(name) for name in ROLE_OF]
_OWN: Final = frozenset(OWN_PRODUCT)
_PASSING: Final = frozenset(PASSING)
_Key = tuple[int, int, int]
"""Text, segment, and twice the tie, plus one for a hint."""

Strength = tuple[int, int, float, str]
"""Segment, position of the role in `ROLES`, strength 0..1, and the words that were found."""


class FirmReader:
    """Reads the texts of one firm at a time.

    Parameters
    ----------
    words
        What is looked for.
    weights
        Constants of the strength.
    """

    def __init__(self, words: Vocabulary, weights: Weights) -> None:
        self._words, self._weights, self._book = words, weights, WordBook.of(words)
        self._reach = [weights.reach[tie] for tie in Tie]
        self._spoken = list(self._reach)
        self._spoken[Tie.DESIGN] *= weights.design_beside_making

    def strengths(self, texts: Mapping[str, str]) -> list[Strength]:
        """Return the strengths of a firm by segment.

        Parameters
        ----------
        texts
            By the name of the column; in the order of `Weights.columns`.
        """
        if not texts:
            return []
        around = Surroundings(list(texts.values()), self._words, self._book)
        if not around.mentions:
            return []
        ties = Ties(around, [name == "name" for name in texts])
        tie_of = ties.judged()
        ahead, items = around.content_items()
        best: dict[_Key, dict[int, float]] = {}
        weighed = []
        for mention, tie in zip(around.mentions, tie_of, strict=True):
            if not self._reach[tie]:
                continue
            hint = mention.kind == Kind.HINT and not ties.at_plant(mention)
            weight = self._weight(mention, tie, ties, hint=hint) / (
                1.0 + ahead[mention.number] / self._weights.decay
            )
            weighed.append((mention, weight * self._reach[tie]))
            key = (around.text_at(mention.begin), mention.segment, 2 * tie + hint)
            of_items = best.setdefault(key, {})
            item = around.item[mention.begin]
            of_items[item] = max(of_items.get(item, 0.0), weight)
        strengths = self._combined(best, items, list(texts))
        quoted = _quoted(around, weighed)
        return [(*each, quoted[each[0]]) for each in strengths]

    def _weight(self, mention: Mention, tie: Tie, ties: Ties, *, hint: bool) -> float:
        word = self._weights.hint if hint else 1.0
        in_field = tie == Tie.MAKER and ties.in_a_field(mention)
        return word * self._weights.in_field if in_field else word

    def _combined(
        self, best: Mapping[_Key, Mapping[int, float]], items: Sequence[int], columns: Sequence[str]
    ) -> list[tuple[int, int, float]]:
        weights, keys = self._weights, sorted(best)
        evidence = np.array([_sum([best[key][i] for i in sorted(best[key])]) for key in keys])
        counted = np.array([items[text] for text, _, _ in keys], dtype=np.int64)
        length = weights.decay * np.log1p(counted / weights.decay)
        evidence = evidence / np.maximum(length, 1.0) ** weights.dilution
        belief = np.array([weights.columns[columns[text]] for text, _, _ in keys])
        filled: FloatArray = belief * -np.expm1(-weights.saturation * evidence)
        doubts = self._doubts(keys, filled.tolist(), self._reach)
        say = [weights.say[columns[text]] for text, _, _ in keys]
        said = [each * how for each, how in zip(filled.tolist(), say, strict=True)]
        unsaid = self._doubts(keys, said, self._spoken)
        return [
            (segment, *self._joined(doubts[segment], unsaid[segment])) for segment in sorted(doubts)
        ]

    def _doubts(
        self, keys: Sequence[_Key], filled: Sequence[float], reach: Sequence[float]
    ) -> dict[int, dict[int, float]]:
        """Return one minus what each tie claims, by segment and tie."""
        open_: dict[tuple[int, int], float] = {}
        for (_, segment, kind), share in zip(keys, filled, strict=True):
            open_[segment, kind] = open_.get((segment, kind), 1.0) * (1.0 - share)
        doubts: dict[int, dict[int, float]] = {}
        for segment, kind in sorted(open_):
            claim = reach[kind // 2] * (self._weights.hint_reach if kind % 2 else 1.0)
            claim *= 1.0 - open_[segment, kind]
            ties = doubts.setdefault(segment, {})
            ties[kind // 2] = ties.get(kind // 2, 1.0) * (1.0 - claim)
        return doubts

    def _joined(
        self, doubts: Mapping[int, float], unsaid: Mapping[int, float]
    ) -> tuple[int, float]:
        """Return the role of a firm in a segment, and its strength."""
        joint = 1.0
        for tie, doubt in doubts.items():
            joint *= doubt if tie in _OWN else 1.0
        role = min(unsaid, key=lambda tie: (unsaid[tie], tie))
        bound = 1.0 if role in _PASSING else self._reach[role]
        return _ROLES[role], min(1.0 - min(*doubts.values(), joint), bound)


def _sum(values: list[float]) -> float:
    """Add as `numpy.add.reduceat` does, which pairs long rows of numbers."""
    return float(np.add.reduceat(values, [0])[0]) if len(values) > 2 else sum(values)


def _quoted(around: Surroundings, weighed: list[tuple[Mention, float]]) -> dict[int, str]:
    """Return for each segment the words that were found; see `leadscore.city.evidence`."""
    found: dict[int, dict[str, str]] = {}
    for mention, _ in sorted(weighed, key=lambda each: (-each[1], each[0].number)):
        words = found.setdefault(mention.segment, {})
        if len(words) < MOST_WORDS:
            place = slice(mention.begin, mention.end)
            words.setdefault(around.lower[place], around.cased[place])
    return {segment: JOINT.join(words.values()) for segment, words in found.items()}
