"""Finds the words of a vocabulary in a document: mentions of segments, and cues around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from leadscore.city.document import Document
from leadscore.city.lexicon import GROUPS
from leadscore.city.vocabulary import BoolArray, IntArray, Kind, Vocabulary

NOWHERE: Final = 1 << 40
"""A position that no document has."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Places of a document, by rising ``begin``; ``end`` is exclusive."""

    begin: IntArray
    end: IntArray

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.begin)

    def next_begin(self, position: IntArray) -> IntArray:
        """Return where the first span at or after each position begins, or `NOWHERE`."""
        return np.append(self.begin, NOWHERE)[np.searchsorted(self.begin, position)]

    def last_end(self, position: IntArray) -> IntArray:
        """Return where the last span up to each position ends, or `-NOWHERE`."""
        ends = np.sort(self.end)
        return np.append(-NOWHERE, ends)[np.searchsorted(ends, position, side="right")]

    def cover(self, length: int) -> BoolArray:
        """Return for each of ``length`` characters whether a span covers it."""
        steps = np.bincount(self.begin, minlength=length + 1).astype(np.int64)
        steps -= np.bincount(self.end, minlength=length + 1)
        return np.cumsum(steps[:length]) > 0


@dataclass(frozen=True, slots=True)
class Mentions:
    """What was found, ready to be judged.

    Attributes
    ----------
    spans, segment, kind
        Mentions of segments: where, which one, and whether by a `Kind.MAKES` or `Kind.HINT`.
    material
        True where the word itself names a material for the segment; see `Vocabulary`.
    cues
        For each group of `GROUPS` the places of its words.
    """

    spans: Spans
    segment: IntArray
    kind: IntArray
    material: BoolArray
    cues: dict[str, Spans]


def find_mentions(document: Document, vocabulary: Vocabulary) -> Mentions:
    """Run the automaton over the document once and sort out what overlaps.

    Of a segment's own words the longest counts; an exclude silences what lies within it.
    Of the cue words, whatever their group, the longest counts, and a cue of one character
    counts only outside any longer word.
    """
    found = vocabulary.automaton.find_matches_as_indexes(document.lower, overlapping=True)
    pattern, begin, end = np.array(found, dtype=np.int64).reshape(-1, 3).T
    free = ~(vocabulary.latin_start[pattern] & document.latin[begin - 1])
    free &= ~(vocabulary.latin_end[pattern] & document.latin[end])
    pattern, begin, end = pattern[free], begin[free], end[free]
    taken = Spans(begin, end).cover(len(document.codes))

    times = vocabulary.count[pattern]
    hit = np.repeat(np.arange(len(pattern)), times)
    nth = np.arange(len(hit)) - np.repeat(np.cumsum(times) - times, times)
    meaning = vocabulary.first[pattern[hit]] + nth
    segment, kind = vocabulary.segment[meaning], vocabulary.kind[meaning]
    begin, end = begin[hit], end[hit]

    own = np.flatnonzero(segment >= 0)
    own = own[_outermost(begin[own], end[own], segment[own])]
    own = own[kind[own] != Kind.EXCLUDE]
    cue = np.flatnonzero(segment < 0)
    cue = cue[_outermost(begin[cue], end[cue], segment[cue])]
    return Mentions(
        spans=Spans(begin[own], end[own]),
        segment=segment[own],
        kind=kind[own],
        material=vocabulary.material[meaning[own]],
        cues=_by_group(Spans(begin[cue], end[cue]), kind[cue], document, vocabulary, taken),
    )


def _outermost(begin: IntArray, end: IntArray, layer: IntArray) -> IntArray:
    """Return, by rising begin, the spans that do not lie within another one of their layer."""
    order = np.lexsort((-end, begin, layer))
    # Each layer is moved beyond the end of the one before, so that one running maximum serves all.
    shift = (layer[order] - layer.min(initial=0)) * (end.max(initial=0) + 1)
    reach = end[order] + shift
    outer = order[reach > np.append(-1, np.maximum.accumulate(reach)[:-1])[: len(reach)]]
    return outer[np.argsort(begin[outer], kind="stable")]


def _by_group(
    cues: Spans, group: IntArray, document: Document, vocabulary: Vocabulary, taken: BoolArray
) -> dict[str, Spans]:
    single = vocabulary.single[document.codes]
    places = np.flatnonzero((single >= 0) & ~taken)
    begin = np.concatenate([cues.begin, places])
    end = np.concatenate([cues.end, places + 1])
    group = np.concatenate([group, single[places]])
    order = np.lexsort((begin, group))
    begin, end, group = begin[order], end[order], group[order]
    edge = np.searchsorted(group, np.arange(len(GROUPS) + 1))
    return {
        name: Spans(begin[edge[i] : edge[i + 1]], end[edge[i] : edge[i + 1]])
        for i, name in enumerate(GROUPS)
    }
