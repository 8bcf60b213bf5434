"""Where each mention stands: its item, its clause, and the cue words before and after it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore.city.document import CLAUSE, ITEM, SENTENCE, Document
from leadscore.city.mentions import NOWHERE, Mentions, Spans
from leadscore.city.vocabulary import BoolArray, IntArray

HEAD_REACH: Final = 12
"""How many characters after a product the noun that it belongs to may begin."""
SCOPE_REACH: Final = 60
"""How many characters a phrase such as "used in" governs, within its clause."""

Verb = NDArray[np.uint8]
MAKING, DESIGNING, TRADING, SERVING = 1, 2, 4, 8
"""Bits of what a group of verbs says is done; developing a product counts as making it."""
_VERBS: Final = {
    "making": MAKING,
    "developing": MAKING,
    "designing": DESIGNING,
    "trading": TRADING,
    "serving": SERVING,
}


_PLAIN: Final = (
    *("filler", "possessive", "and_others", "audience", "fields", "recipient", "intro", "providing"),
    *("application", "past", "negation", "connective", "intact"),
)


class Context:
    """The surroundings of all mentions of a document, as one array per question.

    Parameters
    ----------
    document, mentions
        What was found where.
    """

    def __init__(self, document: Document, mentions: Mentions) -> None:
        self.document = document
        self.cues = mentions.cues
        self.begin = mentions.spans.begin
        self.end = _beyond_brackets(_chain_ends(mentions), document)
        self._size = len(document.codes)
        level = document.level.copy()
        joint = self.cues["connective"].cover(self._size) & ~mentions.spans.cover(self._size)
        level[joint & (level == 0)] = ITEM
        self.breaks = level >= ITEM
        self.item = np.cumsum(level >= ITEM)
        self.clause = np.cumsum(level >= CLAUSE)
        self.sentence = np.cumsum(level >= SENTENCE)
        self._verbs = self._covered(*_VERBS)
        # What is neither a break, a verb nor a word without meaning of its own is taken for a noun.
        self._noun = ~(self.breaks | self._verbs | document.latin | self._covered(*_PLAIN))
        self._nouns_before = np.append(0, np.cumsum(self._noun))

    def followed_by(
        self, group: str, reach: int = HEAD_REACH, start: IntArray | None = None
    ) -> BoolArray:
        """Is there a cue of the group after the mention (or ``start``) and within its item?"""
        start = self.end if start is None else start
        place = self.cues[group].next_begin(start)
        return (place - start <= reach) & self._same(self.item, place, start - 1)

    def follows(self, group: str, reach: int = SCOPE_REACH) -> BoolArray:
        """Does a cue of the group stand before the mention and within its clause?"""
        place = self.cues[group].last_end(self.begin)
        return (self.begin - place <= reach) & self._same(self.clause, place - 1, self.begin)

    def for_use(self) -> BoolArray:
        """Is the mention followed by 用, "meant for", as in 锂电池用铜箔 or 显示模组用线路板?"""
        filler = np.append(self._covered("filler"), False)
        solid = np.append(np.flatnonzero(~filler), NOWHERE)
        return np.isin(solid[np.searchsorted(solid, self.end)], self.cues["meant_for"].begin)

    def modifies(self) -> BoolArray:
        """Is a noun of its own what the mention belongs to: 手机天线, 手机的天线, 手机产品的天线?"""
        return self._noun_at(self.end) | self.belongs_to(self.end)

    def listed(self) -> tuple[BoolArray, IntArray]:
        """Is the mention one of a list that 等 closes, and from where is the list named?

        In "手机、平板电脑等产品的天线" the phones are listed, and what follows 等 says for what.
        """
        close = self.cues["and_others"]
        after = np.append(close.end, NOWHERE)[np.searchsorted(close.begin, self.end)]
        inside = self._same(self.clause, after - 1, self.end - 1)
        inside &= self._next_verb(self.end) >= after
        return inside & ~self.modifies(), np.where(inside, after, 0)

    def among_fields(self) -> BoolArray:
        """Is the mention one of a list of fields: 半导体、平板显示、LED行业?"""
        place = self.cues["fields"].next_begin(self.end)
        inside = self._same(self.clause, place, self.end - 1) & (self._next_verb(self.end) > place)
        plain = self.cues["possessive"].next_begin(self.end) > place
        return inside & plain & ~self._same(self.item, place, self.end - 1) & ~self.modifies()

    def belongs_to(self, start: IntArray) -> BoolArray:
        """Does 的 and a noun of its own follow ``start``, with nothing but fillers between?"""
        place = self.cues["possessive"].next_begin(start)
        close = (place - start <= HEAD_REACH) & self._same(self.item, place, start)
        between = self._nouns_before[np.where(close, place, 0)] - self._nouns_before[
            np.where(close, start, 0)
        ]
        return close & (between == 0) & self._noun_at(np.where(close, place + 1, 0))

    def served(self) -> BoolArray:
        """Does the mention stand between 为 and 提供, so that it is the one who is served?"""
        whom = self.cues["recipient"]
        opening = self.breaks[whom.begin - 1] | (whom.end - whom.begin > 1)
        opened = Spans(whom.begin[opening], whom.end[opening])
        place = opened.last_end(self.begin)
        close = (self.begin - place <= SCOPE_REACH) & self._same(
            self.clause, place - 1, self.begin
        )
        return close & self._same(
            self.clause, self.cues["providing"].next_begin(self.end), self.begin
        )

    def deeds(self) -> Verb:
        """Return the bits of the verbs that govern each mention, 0 where none does.

        Verbs that stand together ("研发、生产和销售") are one group. A group is trailing if it
        ends a phrase ("锂电池的生产"), leading if it opens one ("生产锂电池", "销售：灯具").
        A trailing group of the same clause governs, else the last leading one of the sentence.
        """
        begin, end, bits, leading = self._verb_groups()
        trail, lead = np.flatnonzero(~leading), np.flatnonzero(leading)
        padded = np.append(bits, 0)
        after = np.append(trail, len(bits))[np.searchsorted(begin[trail], self.end)]
        before = np.append(lead, len(bits))[np.searchsorted(end[lead], self.begin, "right") - 1]
        next_lead = np.append(begin[lead], NOWHERE)[np.searchsorted(begin[lead], self.end)]
        place = np.append(begin, NOWHERE)[after]
        trails = (place < next_lead) & self._same(self.clause, place, self.end - 1)
        opened = np.append(end, -NOWHERE)[before]
        leads = (opened <= self.begin) & self._same(self.sentence, opened - 1, self.begin)
        return np.where(trails, padded[after], np.where(leads, padded[before], 0)).astype(np.uint8)

    def content_items(self) -> tuple[IntArray, IntArray]:
        """Return the number of items that say something before each mention, and in each text."""
        empty = self._verbs | self.breaks | self._covered("intro", "filler", "formula")
        letters = np.bincount(self.item, weights=~empty, minlength=self.item[-1] + 1)
        formula = self.cues["formula"].begin
        letters[self.item[formula]] = 0
        before = np.append(0, np.cumsum(letters >= 2))  # noqa: PLR2004 - a single character says nothing
        first, last = self.item[self.document.start], self.item[self.document.end - 1]
        text = self.document.text_at(self.begin)
        return before[self.item[self.begin]] - before[first[text]], before[last + 1] - before[first]

    def _covered(self, *groups: str) -> BoolArray:
        return np.logical_or.reduce([self.cues[group].cover(self._size) for group in groups])

    def _noun_at(self, start: IntArray) -> BoolArray:
        """Does a noun of its own begin just there?"""
        return self._noun[np.minimum(start, self._size - 1)]

    def _next_verb(self, start: IntArray) -> IntArray:
        places = np.append(np.flatnonzero(self._verbs), NOWHERE)
        return places[np.searchsorted(places, start)]

    def _same(self, unit: IntArray, one: IntArray, other: IntArray) -> BoolArray:
        """Lie both positions within the document and in one unit?"""
        known = (one >= 0) & (one < self._size)
        return known & (unit[np.where(known, one, 0)] == unit[other])

    def _verb_groups(self) -> tuple[IntArray, IntArray, Verb, BoolArray]:
        """Return begin, end, bits and whether it is leading of each group of verbs."""
        spans = [self.cues[name] for name in _VERBS]
        begin = np.concatenate([s.begin for s in spans])
        end = np.concatenate([s.end for s in spans])
        bits = np.concatenate(
            [np.full(len(s), b, dtype=np.uint8) for s, b in zip(spans, _VERBS.values(), strict=True)]
        )
        order = np.argsort(begin, kind="stable")
        begin, end, bits = begin[order], end[order], bits[order]
        if not len(begin):
            return begin, end, bits, np.zeros(0, dtype=np.bool_)
        apart = (begin[1:] - end[:-1] > 2) | (self.sentence[begin[1:]] != self.sentence[end[:-1]])  # noqa: PLR2004
        head = np.append(0, np.flatnonzero(apart) + 1)
        first = begin[head]
        opens = self.breaks[first - 1] | np.isin(first, self.cues["intro"].end)
        return first, np.maximum.reduceat(end, head), np.bitwise_or.reduceat(bits, head), opens


def _chain_ends(mentions: Mentions) -> IntArray:
    """Return where the unbroken run of words of its segment ends that each mention stands in.

    "LED照明" and "照明灯具" overlap in "LED照明灯具": what follows 灯具 says what either means.
    """
    begin, end, segment = mentions.spans.begin, mentions.spans.end, mentions.segment
    order = np.lexsort((begin, segment))
    # Each segment is moved beyond the one before, so that one running maximum serves all.
    shift = segment[order] * (end.max(initial=0) + 1)
    reach = np.maximum.accumulate(end[order] + shift)
    starts = np.append(True, begin[order][1:] + shift[1:] > reach[:-1])[: len(order)]
    head = np.flatnonzero(starts)
    ends = np.empty_like(end)
    if len(head):
        run = np.cumsum(starts) - 1
        ends[order] = np.maximum.reduceat(end[order], head)[run]
    return ends


def _beyond_brackets(end: IntArray, document: Document) -> IntArray:
    """Return the place after the remark in brackets where one follows: 智能手机(含折叠屏)中框.

    The end of a remark is no end either: 手机 in 智能手机(含折叠屏手机)中框 belongs to 中框 as well.
    """
    opens, closes = (np.flatnonzero(document.codes == ord(c)) for c in "()")
    close = np.append(closes, NOWHERE)[np.searchsorted(closes, end)]
    remark = np.isin(end, opens) & (close - end <= SCOPE_REACH)
    return np.where(remark | (close == end), close + 1, end)
