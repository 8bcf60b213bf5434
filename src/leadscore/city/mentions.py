"""Finds the words of a vocabulary in a document: mentions of segments, and cues around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from leadscore.city.arrays import BoolArray, IntArray
from leadscore.city.document import Document
from leadscore.city.lexicon import GROUPS
from leadscore.city.spans import Spans, covered, outermost, pick
from leadscore.city.vocabulary import HEADS, Kind, Vocabulary

_NOUNS: Final = [GROUPS.index(group) for group in HEADS]


@dataclass(frozen=True, slots=True)
class Mentions:
    """What was found, ready to be judged; arrays run over the mentions of segments.

    Attributes
    ----------
    begin, end
        Where each stands, by rising ``begin``.
    segment, kind
        Which segment is meant, and whether by a `Kind.MAKES` or a `Kind.HINT`.
    word
        Which word of the vocabulary it is.
    material
        True where the word itself names a material for the segment; see `Vocabulary`.
    own_head
        True where the next head noun, wherever it stands, is what products of the segment are
        called.
    compound
        Of two arrays of words tells which pairs make a word that the vocabulary knows.
    cues
        For each group of `GROUPS` the places of its words.
    """

    begin: IntArray
    end: IntArray
    segment: IntArray
    kind: IntArray
    word: IntArray
    material: BoolArray
    own_head: BoolArray
    compound: Callable[[IntArray, IntArray], BoolArray]
    cues: dict[str, Spans]


def find_mentions(document: Document, vocabulary: Vocabulary) -> Mentions:
    """Run the automaton over the document once and sort out what overlaps.

    Of a segment's own words the longest counts; an exclude silences what overlaps with it,
    unless it lies within a longer word. Of the cue words, whatever their group, the longest
    counts, and a cue of one character counts only outside any longer word.
    """
    pattern, begin, end = _free_standing(document, vocabulary)
    taken = covered(begin, end, len(document.codes))

    times = vocabulary.count[pattern]
    hit = np.repeat(np.arange(len(pattern)), times)
    nth = np.arange(len(hit)) - np.repeat(np.cumsum(times) - times, times)
    meaning = vocabulary.first[pattern[hit]] + nth
    segment, kind = vocabulary.segment[meaning], vocabulary.kind[meaning]
    begin, end = begin[hit], end[hit]

    own = np.flatnonzero(segment >= 0)
    own = own[outermost(begin[own], end[own], segment[own])]
    own = own[_unsilenced(begin[own], end[own], segment[own], kind[own])]
    cue = np.flatnonzero(segment < 0)
    cue = cue[outermost(begin[cue], end[cue], segment[cue])]
    nouns = cue[np.isin(kind[cue], _NOUNS)]
    after = np.searchsorted(begin[nouns], end[own])
    noun = pick(pattern[hit[nouns]], after, 0)
    return Mentions(
        begin=begin[own],
        end=end[own],
        segment=segment[own],
        kind=kind[own],
        word=pattern[hit[own]],
        material=vocabulary.material[meaning[own]],
        compound=vocabulary.is_compound,
        own_head=vocabulary.is_own(segment[own], noun),
        cues=_by_group(Spans(begin[cue], end[cue]), kind[cue], document, vocabulary, taken),
    )


def _free_standing(
    document: Document, vocabulary: Vocabulary
) -> tuple[IntArray, IntArray, IntArray]:
    """Return pattern, begin and end of all finds but those that cut a Latin word: led in oled."""
    found = vocabulary.automaton.find_matches_as_indexes(document.lower, overlapping=True)
    pattern, begin, end = np.array(found, dtype=np.int64).reshape(-1, 3).T
    free = ~(vocabulary.latin_start[pattern] & document.latin[begin - 1])
    free &= ~(vocabulary.latin_end[pattern] & document.latin[end])
    return pattern[free], begin[free], end[free]


def _unsilenced(begin: IntArray, end: IntArray, layer: IntArray, kind: IntArray) -> IntArray:
    """Return, by rising begin, the mentions that no exclude of their layer reaches into."""
    order = np.lexsort((begin, layer))
    begin, end, layer = begin[order], end[order], layer[order]
    silent = kind[order] == Kind.EXCLUDE
    touches = (begin[1:] < end[:-1]) & (layer[1:] == layer[:-1])
    free = ~silent
    free[1:] &= ~(touches & silent[:-1])
    free[:-1] &= ~(touches & silent[1:])
    return np.sort(order[free])


def _by_group(
    cues: Spans, group: IntArray, document: Document, vocabulary: Vocabulary, taken: BoolArray
) -> dict[str, Spans]:
    single = vocabulary.single[document.codes]
    places = np.flatnonzero((single >= 0) & ~taken)
    begin = np.concatenate([cues.begin, places])
    end = np.concatenate([cues.end, places + 1])
    group = np.concatenate([group, single[places]])
    order = np.lexsort((begin, group))
    begin, end = begin[order], end[order]
    edge = np.searchsorted(group[order], np.arange(len(GROUPS) + 1))
    return {
        name: Spans(begin[edge[i] : edge[i + 1]], end[edge[i] : edge[i + 1]])
        for i, name in enumerate(GROUPS)
    }
