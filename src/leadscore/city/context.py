"""Where each mention stands: its item, its clause, and the cue words before and after it."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np

from leadscore.city.arrays import BoolArray, IntArray
from leadscore.city.document import CLAUSE, ITEM, SENTENCE, Document
from leadscore.city.mentions import Mentions
from leadscore.city.spans import NOWHERE, covered, pick, run_ends

HEAD_REACH: Final = 12
"""How many characters after a product the noun that it belongs to may begin."""
SCOPE_REACH: Final = 60
"""How many characters a phrase such as "used in" governs, within its clause."""
VERBS: Final = ("making", "developing", "designing", "building", "trading", "serving")
PLAIN: Final = (
    *("filler", "possessive", "and_others", "audience", "fields", "recipient", "intro"),
    *(
        "providing",
        "application",
        "supplied",
        "uses",
        "past",
        "negation",
        "exception",
        "connective",
        "intact",
    ),
)


class Context:
    """The surroundings of all mentions of a document; each question is answered for all at once.

    Parameters
    ----------
    document, mentions
        What was found where.

    Attributes
    ----------
    begin, end
        Where each mention begins, and where what follows it begins. Words of one segment that
        overlap or touch end together ("LED照明" and "照明灯具" in "LED照明灯具"), and a remark in
        brackets is skipped ("智能手机(含折叠屏手机)中框": both belong to 中框).
    item, clause, sentence
        For each character the number of the unit that it lies in.
    """

    def __init__(self, document: Document, mentions: Mentions) -> None:
        self.document = document
        self.cues = mentions.cues
        self.begin = mentions.begin
        self.segment, self.word, self._own_head = mentions.segment, mentions.word, mentions.own_head
        self._known = mentions.compound
        level = document.level.copy()
        spared = covered(mentions.begin, mentions.end, len(level))
        level[self._covered("connective") & ~spared & (level == 0)] = ITEM
        self.breaks: BoolArray = level >= ITEM
        self.item: IntArray = np.cumsum(self.breaks)
        self.clause: IntArray = np.cumsum(level >= CLAUSE)
        self.sentence: IntArray = np.cumsum(level >= SENTENCE)
        self._item_start: IntArray = np.searchsorted(self.item, np.arange(self.item[-1] + 1))
        self.end = self._beyond_remarks(run_ends(mentions.begin, mentions.end, mentions.segment))

    def follows(self, group: str) -> BoolArray:
        """Does a cue of the group stand before the mention and within its clause?"""
        return self._in_scope(self.cues[group].last_end(self.begin))

    def followed_by(
        self, group: str, reach: int = HEAD_REACH, start: IntArray | None = None
    ) -> BoolArray:
        """Does a cue of the group stand after the mention (or ``start``) and within its item?"""
        start = self.end if start is None else start
        place = self.cues[group].next_begin(start)
        return (place - start <= reach) & self.same(self.item, place, start - 1)

    def names_own_kind(self) -> BoolArray:
        """Is the noun after it what such products are called: 传感器的芯片 where those are made?"""
        place = np.minimum(
            *(self.cues[head].next_begin(self.end) for head in ("materials", "parts"))
        )
        close = (place - self.end <= HEAD_REACH) & self.same(self.item, place, self.end - 1)
        place = np.where(close, place, 0)
        close &= self._nouns_before[place] == self._nouns_before[self.end]
        return close & self._own_head

    @cached_property
    def modifies(self) -> BoolArray:
        """Does the mention belong to a noun of its own: 手机天线, 手机的天线, 手机产品的天线?"""
        # A Latin word may name the product itself, unless it is another product: 手机AMOLED面板.
        other: BoolArray = self.document.latin[self.end] & np.isin(self.end, self.begin)
        other |= self._noun[self.end]
        return other | self.belongs_to(self.end)

    def belongs_to(self, start: IntArray, *, bare: bool = True) -> BoolArray:
        """Does 的 and a noun follow ``start`` within its item; if ``bare``, past fillers only?"""
        place = self.cues["possessive"].next_begin(start)
        close = (place - start <= HEAD_REACH) & self.same(self.item, place, start - 1)
        place, start = np.where(close, place, 0), np.where(close, start, 0)
        if bare:
            close &= self._nouns_before[place] == self._nouns_before[start]
        return close & self._noun[place + 1]

    @cached_property
    def listed(self) -> tuple[BoolArray, IntArray]:
        """Is the mention one of a list that 等 closes, and from where is the list named?

        In "手机、平板电脑等产品的天线" the phones are listed, and what follows 等 says for what.
        """
        after = self.cues["and_others"].next_end(self.end)
        inside = self.same(self.clause, after - 1, self.end - 1) & (self._next_verb >= after)
        return inside & ~self.modifies, np.where(inside, after, 0)

    def ruled_out(self) -> BoolArray:
        """Is the mention what is not done: 不含锂电池, 锂电池除外?"""
        return self.negated(self.begin) | self.followed_by("exception")

    def negated(self, position: IntArray) -> BoolArray:
        """Does "without" govern each position: 不含生产加工?"""
        opening = self.cues["negation"].last_end(position)
        closed = self._last(")", position) > opening
        near = position - opening <= SCOPE_REACH
        return near & self.same(self.clause, opening - 1, position) & ~closed

    def content_items(self) -> tuple[IntArray, IntArray]:
        """Return how many items say something ahead of each mention, and in each text."""
        empty = self.breaks | self._covered("intro", "filler", "suffix", "formula", *VERBS)
        letters = np.bincount(self.item, weights=~empty, minlength=self.item[-1] + 1)
        letters[self.item[self.cues["formula"].begin]] = 0
        # A single character that is left over says nothing.
        before = np.append(0, np.cumsum(letters > 1))
        first, last = self.item[self.document.start], self.item[self.document.end - 1]
        text = self.document.text_at(self.begin)
        return before[self.item[self.begin]] - before[first[text]], before[last + 1] - before[first]

    def same(self, unit: IntArray, one: IntArray, other: IntArray) -> BoolArray:
        """Lie both positions, of which the first may be nowhere, in one unit?"""
        known: BoolArray = (one >= 0) & (one < len(unit))
        known &= unit[np.where(known, one, 0)] == unit[other]
        return known

    def _last(self, character: str, position: IntArray) -> IntArray:
        """Return where the character last stands before each position, or `-NOWHERE`."""
        places = np.flatnonzero(self.document.codes == ord(character))
        return pick(places, np.searchsorted(places, position) - 1, -NOWHERE)

    def _in_scope(self, opening: IntArray) -> BoolArray:
        """Reaches a phrase that ends at ``opening`` as far as the mention?"""
        near = self.begin - opening <= SCOPE_REACH
        return near & self.same(self.clause, opening - 1, self.begin)

    def _covered(self, *groups: str) -> BoolArray:
        begin = np.concatenate([self.cues[group].begin for group in groups])
        end = np.concatenate([self.cues[group].end for group in groups])
        return covered(begin, end, len(self.document.codes))

    def _beyond_remarks(self, end: IntArray) -> IntArray:
        opens, closes = (np.flatnonzero(self.document.codes == ord(c)) for c in "()")
        close = pick(closes, np.searchsorted(closes, end), NOWHERE)
        remark = np.isin(end, opens) & (close - end <= SCOPE_REACH)
        remark &= self.same(self.sentence, close, end)
        return np.where(remark | (close == end), close + 1, end)

    @cached_property
    def _bare(self) -> BoolArray:
        return self.breaks[self.begin - 1] & self.breaks[self.end]

    @cached_property
    def _verbs_before(self) -> IntArray:
        return np.append(0, np.cumsum(self._covered(*VERBS)))

    @cached_property
    def _noun(self) -> BoolArray:
        """What is neither a break, a verb nor a word without meaning of its own."""
        noun: BoolArray = ~(self.breaks | self.document.latin | self._covered(*VERBS, *PLAIN))
        suffix = self._covered("suffix") & noun
        noun &= ~suffix
        noun[:-1] |= suffix[:-1] & noun[1:]
        return noun

    @cached_property
    def _nouns_before(self) -> IntArray:
        return np.append(0, np.cumsum(self._noun))

    @cached_property
    def _next_verb(self) -> IntArray:
        """Where the next verb after each mention stands."""
        place = np.full(len(self.end), NOWHERE)
        for group in VERBS:
            place = np.minimum(place, self.cues[group].next_begin(self.end))
        return place
