"""All words to look for, a city's products and the cue words, compiled for one pass over a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np
from ahocorasick_rs import AhoCorasick
from numpy.typing import NDArray

from leadscore.city.arrays import BoolArray, IntArray
from leadscore.city.chains import Segment
from leadscore.city.lexicon import GROUPS, Lexicon, normal_form

PLANE: Final = 0x10000
"""Characters beyond the basic plane are no cue and no delimiter."""


HEADS: Final = ("equipment", "materials", "parts", "software")
"""Groups of nouns that end a compound and make something else of the product before them."""
ABOUT: Final = 0.3
"""A segment of which this share of the products end with such nouns is about them."""


class Kind(IntEnum):
    """What a word of the profile is to its segment."""

    MAKES = 0
    HINT = 1
    EXCLUDE = 2


@dataclass(frozen=True)
class Vocabulary:
    """Patterns and what each of them means; one pattern may serve several segments.

    Attributes
    ----------
    segments
        Ids; a meaning names one by its position here.
    patterns
        Words in normal form, each once.
    first, count
        Where the meanings of a pattern lie in the next two, and how many they are.
    segment
        Position of the segment, or -1 for a cue word.
    kind
        A `Kind`, or for a cue word the position of its group in `GROUPS`.
    material
        True for the name of a material in a segment that is not about materials: 偏光片 among the
        words for screens.
    own_heads
        Sorted codes, see `Vocabulary.is_own`, of the nouns that name no mere supply in a segment:
        芯片 in one whose words hold both 传感器 and 传感器芯片.
    compounds
        Sorted codes, see `Vocabulary.is_compound`, of the pairs of words that make a third one.
    about
        For each group of `HEADS` and each segment whether that is what the segment is about: the
        many 材料 and 膜 of a segment of materials are its products, not materials for them.
    latin_start, latin_end
        True where a pattern begins or ends with an ASCII letter or digit: it must stand free there.
    single
        Group of a cue word of one character, by code point; -1 elsewhere.
    """

    segments: tuple[str, ...]
    patterns: tuple[str, ...]
    first: IntArray
    count: IntArray
    segment: IntArray
    kind: IntArray
    material: BoolArray
    own_heads: IntArray
    compounds: IntArray
    about: dict[str, BoolArray]
    latin_start: BoolArray
    latin_end: BoolArray
    single: NDArray[np.int8]
    _built: list[AhoCorasick] = field(default_factory=list, repr=False, compare=False)

    @property
    def automaton(self) -> AhoCorasick:
        """The automaton over `patterns`, built on first use: it can't be pickled.

        Two threads that ask first build it twice, and either may be kept.
        """
        if not self._built:
            self._built.append(AhoCorasick(list(self.patterns), store_patterns=False))
        return self._built[0]

    def is_own(self, segment: IntArray, head: IntArray) -> BoolArray:
        """Is the noun, a pattern, what products of the segment are called?"""
        own: BoolArray = np.isin(segment * len(self.patterns) + head, self.own_heads)
        return own

    def is_compound(self, first: IntArray, second: IntArray) -> BoolArray:
        """Do two patterns, one behind the other, make a third: 手机 and 摄像头?"""
        known: BoolArray = np.isin(first * len(self.patterns) + second, self.compounds)
        return known

    def __getstate__(self) -> dict[str, Any]:
        """Leave the automaton behind."""
        return {**self.__dict__, "_built": []}


def compile_words(segments: Mapping[str, Segment], lexicon: Lexicon) -> Vocabulary:
    """Compile the words of all segments and the cue words."""
    meanings: dict[str, list[tuple[int, int, bool]]] = {}
    single = np.full(PLANE, -1, dtype=np.int8)
    for number, group in enumerate(GROUPS):
        for word in lexicon.groups[group]:
            if len(word) == 1:
                single[ord(word)] = number
            else:
                meanings.setdefault(word, []).append((-1, number, False))
    about = {head: _about(segments, lexicon.groups[head]) for head in HEADS}
    for position, segment in enumerate(segments.values()):
        for word, kind in _own_words(segment):
            material = word.endswith(lexicon.groups["materials"])
            material &= not about["materials"][position]
            meanings.setdefault(word, []).append((position, kind, material))
    patterns = tuple(meanings)
    count = np.array([len(meanings[p]) for p in patterns], dtype=np.int64)
    flat = np.array([m for p in patterns for m in meanings[p]], dtype=np.int64).reshape(-1, 3)
    return Vocabulary(
        segments=tuple(segments),
        patterns=patterns,
        first=np.cumsum(count) - count,
        count=count,
        segment=flat[:, 0],
        kind=flat[:, 1],
        material=flat[:, 2].astype(np.bool_),
        own_heads=_own_heads(segments, lexicon, patterns),
        compounds=_compounds([p for p in patterns if meanings[p][-1][0] >= 0], patterns),
        about=about,
        latin_start=np.array([_latin(p[0]) for p in patterns], dtype=np.bool_),
        latin_end=np.array([_latin(p[-1]) for p in patterns], dtype=np.bool_),
        single=single,
    )


def _own_words(segment: Segment) -> Iterator[tuple[str, Kind]]:
    """Yield each word once; an exclude outranks a make, a make outranks a hint."""
    seen: set[str] = set()
    for kind, listed in (
        (Kind.EXCLUDE, segment.excludes),
        (Kind.MAKES, segment.makes),
        (Kind.HINT, segment.hints),
    ):
        for word in map(normal_form, listed):
            if word and word not in seen:
                seen.add(word)
                yield word, kind


def _about(segments: Mapping[str, Segment], heads: tuple[str, ...]) -> BoolArray:
    """Return for each segment whether many of its products end with one of the nouns."""
    ends = [[normal_form(w).endswith(heads) for w in s.makes] for s in segments.values()]
    return np.array([sum(found) >= ABOUT * len(found) for found in ends], dtype=np.bool_)


def _own_heads(
    segments: Mapping[str, Segment], lexicon: Lexicon, patterns: tuple[str, ...]
) -> IntArray:
    """Return the codes of segments and nouns that only make a word longer: 传感器, 传感器芯片."""
    number = {pattern: i for i, pattern in enumerate(patterns)}
    nouns = [*lexicon.groups["materials"], *lexicon.groups["parts"]]
    found = []
    for position, segment in enumerate(segments.values()):
        own = {normal_form(word) for word in (*segment.makes, *segment.hints)}
        longer = {word + noun: noun for word in own for noun in nouns}
        found += [position * len(patterns) + number[longer[w]] for w in own & longer.keys()]
    return np.array(sorted(found), dtype=np.int64)


def _compounds(products: list[str], patterns: tuple[str, ...]) -> IntArray:
    """Return the codes of pairs of products whose words, joined, are a third."""
    number = {pattern: i for i, pattern in enumerate(patterns)}
    known = set(products)
    pairs = [
        number[word[:cut]] * len(patterns) + number[word[cut:]]
        for word in products
        for cut in range(1, len(word))
        if word[:cut] in known and word[cut:] in known
    ]
    return np.array(sorted(pairs), dtype=np.int64)


def _latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
