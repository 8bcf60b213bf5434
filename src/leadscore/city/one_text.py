"""The texts of one firm, read without arrays: where words stand, and what stands around them.

`Surroundings` answers for one firm what `document`, `mentions` and `context` answer for many at
once. Arrays cost a thousand set-ups a firm, which only many firms pay back; for one, plain lists
are ten times as fast. A test holds both forms against each other.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Final

from leadscore.city.context import HEAD_REACH, PLAIN, SCOPE_REACH, VERBS
from leadscore.city.document import CLAUSE, ITEM, LEVELS, SENTENCE
from leadscore.city.lexicon import GROUPS
from leadscore.city.one_words import NO_CUES, Cues, Hit, Mention, WordBook, outermost_hits
from leadscore.city.vocabulary import HEADS, Kind, Vocabulary

_LATIN: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
_JOINING: Final = frozenset("-/ +&'")
_DELIMITER: Final = re.compile("[" + re.escape("".join(LEVELS)) + ".]")
_AT_LEAST: Final = {
    level: bytes(int(each >= level) for each in range(256)) for level in (ITEM, CLAUSE, SENTENCE)
}
_IS_LATIN: Final = bytes(int(chr(code) in _LATIN) for code in range(256))
_INVERTED: Final = bytes(int(code == 0) for code in range(256))
_VERBS_AND_PLAIN: Final = (*VERBS, *PLAIN)
_SILENT: Final = ("intro", "filler", "suffix", "formula", *VERBS)


class Surroundings:
    """One firm's texts with all that is found in them.

    Parameters
    ----------
    texts
        As they stand.
    words
        What is looked for.
    book
        The same, laid out plainly.
    """

    def __init__(self, texts: Sequence[str], words: Vocabulary, book: WordBook) -> None:
        self.book, self._width = book, len(words.patterns)
        clean = [
            unicodedata.normalize("NFKC", text).replace("İ", "I").replace("\n", " ")
            for text in texts
        ]
        self.text_end = list(accumulate(len(text) + 1 for text in clean))
        self.start = [end - len(text) for end, text in zip(self.text_end, clean, strict=True)]
        self.cased = "\n" + "\n".join(clean) + "\n"
        self.lower = self.cased.lower()
        self.length = len(self.lower)
        self.latin = self.lower.encode("latin-1", "replace").translate(_IS_LATIN)
        found = words.automaton.find_matches_as_indexes(self.lower, overlapping=True)
        latin, starts, ends = self.latin, book.latin_start, book.latin_end
        hits = [
            (begin, end, pattern, meaning)
            for pattern, begin, end in found
            if not (starts[pattern] and latin[begin - 1]) and not (ends[pattern] and latin[end])
            for meaning in book.meanings[pattern]
        ]
        cues = outermost_hits([hit for hit in hits if hit[3].segment < 0])
        self.cues = self._by_group(cues, hits)
        own = self._own(hits)
        self._set_levels(own)
        self.mentions = self._mentions(own, cues)
        self.begins = [mention.begin for mention in self.mentions]

    def _by_group(self, cues: Sequence[Hit], hits: Sequence[Hit]) -> dict[str, Cues]:
        spans: dict[str, list[tuple[int, int]]] = {}
        for begin, end, _, meaning in cues:
            spans.setdefault(GROUPS[meaning.kind], []).append((begin, end))
        taken = self._marked((begin, end) for begin, end, _, _ in hits)
        for found in self.book.singles.finditer(self.lower):
            place = found.start()
            if not taken[place]:
                spans.setdefault(self.book.single[found[0]], []).append((place, place + 1))
        groups = dict.fromkeys(GROUPS, NO_CUES)
        for group, places in spans.items():
            places.sort()
            groups[group] = Cues([begin for begin, _ in places], [end for _, end in places])
        return groups

    def _own(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return the words of segments by place: the longest ones that no exclude reaches into."""
        layers: dict[int, list[Hit]] = {}
        for hit in hits:
            if hit[3].segment >= 0:
                layers.setdefault(hit[3].segment, []).append(hit)
        kept: list[Hit] = []
        for layer in layers.values():
            outer = outermost_hits(layer)
            silent = [hit[3].kind == Kind.EXCLUDE for hit in outer]
            for at, hit in enumerate(outer):
                before = at > 0 and silent[at - 1] and hit[0] < outer[at - 1][1]
                behind = at + 1 < len(outer) and silent[at + 1] and outer[at + 1][0] < hit[1]
                if not (silent[at] or before or behind):
                    kept.append(hit)
        return sorted(kept, key=lambda hit: (hit[0], hit[3].segment))

    def _set_levels(self, own: Sequence[Hit]) -> None:
        level = self._delimited()
        joint = self.cues["connective"]
        if joint.begin:
            spared = self._marked((hit[0], hit[1]) for hit in own)
            for begin, end in zip(joint.begin, joint.end, strict=True):
                for place in range(begin, end):
                    if not level[place] and not spared[place]:
                        level[place] = ITEM
        self.breaks = level.translate(_AT_LEAST[ITEM])
        self.item = list(accumulate(self.breaks))
        self.clause = list(accumulate(level.translate(_AT_LEAST[CLAUSE])))
        self.sentence = list(accumulate(level.translate(_AT_LEAST[SENTENCE])))
        self.item_start = [0, *(place for place, new in enumerate(self.breaks) if new)]

    def _delimited(self) -> bytearray:
        """Return what each character ends; see `leadscore.city.document.Document`."""
        level, lower, latin = bytearray(self.length), self.lower, self.latin
        last = self.length - 1
        listing = [
            lower.find("、", *span) < 0 for span in zip(self.start, self.text_end, strict=True)
        ]
        for found in _DELIMITER.finditer(lower):
            place, mark = found.start(), found[0]
            if mark == ".":
                inside = latin[place - 1] and latin[min(place + 1, last)]
                level[place] = 0 if inside else SENTENCE
            elif mark == "," and listing[self.text_at(place)]:
                level[place] = ITEM
            elif mark not in _JOINING or not (latin[place - 1] and latin[place + 1]):
                level[place] = LEVELS[mark]
        return level

    def _mentions(self, own: Sequence[Hit], cues: Sequence[Hit]) -> list[Mention]:
        nouns = [(begin, word) for begin, _, word, each in cues if GROUPS[each.kind] in HEADS]
        places = [begin for begin, _ in nouns]
        after = self._run_ends(own)
        found = []
        for number, (begin, end, word, (segment, kind, material)) in enumerate(own):
            at = bisect_left(places, end)
            noun = nouns[at][1] if at < len(nouns) else 0
            own_head = segment * self._width + noun in self.book.own_heads
            beyond = self._beyond_remark(after[number])
            found.append(
                Mention(number, begin, end, beyond, segment, kind, word, material, own_head)
            )
        return found

    def _run_ends(self, own: Sequence[Hit]) -> list[int]:
        """Return where the unbroken run of words of one segment ends that each is part of."""
        ends = [0] * len(own)
        runs: dict[int, tuple[int, list[int]]] = {}
        for number, (begin, end, _, meaning) in enumerate(own):
            reach, run = runs.get(meaning.segment, (-1, []))
            if begin > reach:
                run = []
            run.append(number)
            reach = max(reach, end)
            runs[meaning.segment] = (reach, run)
            for member in run:
                ends[member] = reach
        return ends

    def _beyond_remark(self, end: int) -> int:
        close = self.lower.find(")", end)
        if close == end:
            return close + 1
        remark = close >= 0 and self.lower[end] == "(" and close - end <= SCOPE_REACH
        return close + 1 if remark and self.sentence[close] == self.sentence[end] else end

    def _marked(self, spans: Iterable[tuple[int, int]]) -> bytearray:
        """Return for each character whether a span covers it."""
        marks = bytearray(self.length + 1)
        for begin, end in spans:
            marks[begin:end] = b"\x01" * (end - begin)
        return marks

    def covered(self, *groups: str) -> bytearray:
        """Return for each character whether a word of the groups covers it."""
        marks = bytearray(self.length + 1)
        for group in groups:
            cues = self.cues[group]
            for begin, end in zip(cues.begin, cues.end, strict=True):
                marks[begin:end] = b"\x01" * (end - begin)
        return marks

    def text_at(self, position: int) -> int:
        """Return the number of the text in which a position lies."""
        return bisect_right(self.start, position) - 1

    def same(self, unit: Sequence[int], one: int, other: int) -> bool:
        """Lie both positions, of which the first may be nowhere, in one unit?"""
        return 0 <= one < self.length and unit[one] == unit[other]

    def compound(self, first: int, second: int) -> bool:
        """Do two patterns, one behind the other, make a third?"""
        return first * self._width + second in self.book.compounds

    def negated(self, position: int) -> bool:
        """Does "without" govern a position?"""
        opening = self.cues["negation"].last_end(position)
        if position - opening > SCOPE_REACH or not self.same(self.clause, opening - 1, position):
            return False
        return self.lower.rfind(")", 0, position) <= opening

    def in_scope(self, opening: int, position: int) -> bool:
        """Reaches a phrase that ends at ``opening`` as far as a position?"""
        near = position - opening <= SCOPE_REACH
        return near and self.same(self.clause, opening - 1, position)

    def followed_by(self, group: str, start: int, reach: int = HEAD_REACH) -> bool:
        """Does a cue of the group stand behind ``start`` and within its item?"""
        cues = self.cues[group].begin
        if not cues or cues[-1] < start:
            return False
        place, item = cues[bisect_left(cues, start)], self.item
        return place - start <= reach and item[place] == item[start - 1]

    def belongs_to(self, start: int, *, bare: bool = True) -> bool:
        """Does 的 and a noun follow ``start`` within its item; if ``bare``, past fillers only?"""
        place = self.cues["possessive"].next_begin(start)
        if place - start > HEAD_REACH or not self.same(self.item, place, start - 1):
            return False
        if bare and self.nouns_before[place] != self.nouns_before[start]:
            return False
        return bool(self.noun[place + 1])

    def content_items(self) -> tuple[list[int], list[int]]:
        """Return how many items say something ahead of each mention, and in each text."""
        silent = self.covered(*_SILENT)
        starts = [*self.item_start[1:], self.length]
        letters = [0, *(silent.count(0, at + 1, to) for at, to in pairwise(starts))]
        for place in self.cues["formula"].begin:
            letters[self.item[place]] = 0
        before = [0, *accumulate(count > 1 for count in letters)]
        first = [before[self.item[place]] for place in self.start]
        ahead = [before[self.item[at]] - first[self.text_at(at)] for at in self.begins]
        last = [before[self.item[end - 1] + 1] for end in self.text_end]
        return ahead, [until - since for until, since in zip(last, first, strict=True)]

    @cached_property
    def noun(self) -> bytearray:
        """What is neither a break, a verb nor a word without meaning of its own."""
        plain, suffixes = self.covered(*_VERBS_AND_PLAIN), self.cues["suffix"]
        taken = int.from_bytes(self.breaks) | int.from_bytes(self.latin)
        taken |= int.from_bytes(plain[: self.length])
        noun = bytearray(taken.to_bytes(self.length).translate(_INVERTED))
        soft = [
            place
            for begin, end in zip(suffixes.begin, suffixes.end, strict=True)
            for place in range(begin, end)
            if noun[place]
        ]
        for place in soft:
            noun[place] = 0
        before_nouns = [place for place in soft if noun[place + 1]]
        for place in before_nouns:
            noun[place] = 1
        return noun

    @cached_property
    def nouns_before(self) -> list[int]:
        """How many nouns' characters stand before each place."""
        return [0, *accumulate(self.noun)]

    @cached_property
    def verbs_before(self) -> list[int]:
        """How many verbs' characters stand before each place."""
        return [0, *accumulate(self.covered(*VERBS)[: self.length])]

    @cached_property
    def verbs(self) -> Cues:
        """Where all verbs stand."""
        spans = sorted(
            span
            for group in VERBS
            for span in zip(self.cues[group].begin, self.cues[group].end, strict=True)
        )
        return Cues([begin for begin, _ in spans], [end for _, end in spans])
