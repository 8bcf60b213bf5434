"""For whom, or for what, a product is named: those who use it, and the nouns that it serves."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np

from leadscore.city.arrays import BoolArray, IntArray
from leadscore.city.context import Context
from leadscore.city.spans import NOWHERE, Spans, pick

FIELD_REACH: Final = 20
"""How many characters after 等 the fields may be named: 手机等消费电子以及汽车电子应用领域."""
NOUN_REACH: Final = 4
"""How many products of the next item are looked at for a noun that two items share."""
LIST_REACH: Final = 4
"""How many items on the word may stand that a whole list shares: 路灯、射灯、台灯用电源."""
FIELDS: Final = ("fields", "uses", "audience")
"""Groups that name those to whom, or fields in which, products go."""


class Purposes(Context):
    """The surroundings of all mentions, and what each is named for."""

    @cached_property
    def for_use(self) -> BoolArray:
        """Is the mention followed by 用, "meant for", as in 锂电池用铜箔 or 手机、平板用线路板?"""
        solid = np.flatnonzero(~self._covered("filler", "suffix", "plant"))
        place = pick(solid, np.searchsorted(solid, self.end), NOWHERE)
        meant: BoolArray = np.isin(place, self._meant)
        return meant | self._shares(self._meant)

    def at_plant(self) -> BoolArray:
        """Is it the plants of customers that are named: 面板厂检测系统, 电池厂用涂布机?"""
        plant: BoolArray = np.isin(self.end, self.cues["plant"].begin)
        after = np.minimum(self.end + 1, len(self.sentence) - 1)
        meant: BoolArray = plant & (self.sentence[self.end] == self.sentence[after])
        return meant

    def for_one_noun(self) -> BoolArray:
        """Does it belong, with others beside it, to one noun: 手机、汽车和家电的操作系统?"""
        possessive = self.cues["possessive"].begin
        joined = self._covered("connective")[self._item_start[self.item[possessive]]]
        return self._shares(possessive[joined & self._noun[possessive + 1]])

    def shares_noun(self) -> BoolArray:
        """Does it share the noun of the item that is joined to it: 手机及车载摄像头?

        It does if the vocabulary knows it with that noun, 手机摄像头.
        """
        start, joint = self._item_start[self.item[self.end]], self._covered("connective")
        bare = self._bare & joint[self.end] & (start == self.end)
        first = np.searchsorted(self.begin, self.end)
        found = np.zeros(len(bare), dtype=np.bool_)
        for step in range(NOUN_REACH):
            other = np.minimum(first + step, len(bare) - 1)
            same = (self.item[self.begin[other]] == self.item[self.end]) & bare
            same &= (self.segment[other] != self.segment) & (self.begin[other] - self.end > 1)
            found |= same & self._known(self.word, self.word[other])
        return found

    def joins(self, tie: BoolArray) -> BoolArray:
        """Does it stand bare before another product of its segment with the tie: PCB、FPC设备?"""
        order = np.lexsort((self.begin, self.segment))
        now, following = order[:-1], order[1:]
        near = self.segment[now] == self.segment[following]
        near &= self.word[now] != self.word[following]
        near &= self._bare[now] & (self.begin[following] - self.end[now] == 1)
        text_at = self.document.text_at
        near &= text_at(self.begin[now]) == text_at(self.begin[following])
        result = np.zeros(len(tie), dtype=np.bool_)
        result[now] = near & tie[following]
        return result

    def listed_for(self, group: str) -> BoolArray:
        """Is the mention in a list that 等 closes and the group names: 手机、汽车等领域?"""
        listed, start = self.listed
        place = self.cues[group].next_begin(start)
        near = (place - start <= FIELD_REACH) & self.same(self.clause, place, start - 1)
        # "等产品，用于汽车领域" names no list.
        near &= self.cues["application"].next_begin(start) > place
        return listed & near & (self._next_verb > place)

    def among_fields(self) -> BoolArray:
        """Is the mention one of a list of fields: 半导体、平板显示、LED行业?"""
        place = np.minimum(*(self.cues[group].next_begin(self.end) for group in ("fields", "uses")))
        inside = self.same(self.clause, place, self.end - 1) & (self._next_verb > place)
        inside &= self.cues["possessive"].next_begin(self.end) > place
        later = ~self.same(self.item, place, self.end - 1)
        # The last of the list is a product itself: not "电梯部件和其他领域的…".
        return inside & later & np.isin(place, self.end) & ~self.modifies

    def goes_into(self, after: str | None = None) -> BoolArray:
        """Does the mention stand in the list of fields that "used in" or "customers include" opens?

        The list ends where it is named and a noun follows: 用于手机、汽车等领域的连接器. Openings
        may be limited to those just after a cue of a group: 贴合设备，供手机屏厂.
        """
        spans = [self._limited(self.cues[group], after) for group in ("application", "uses")]
        opening = np.maximum(*(each.last_end(self.begin) for each in spans))
        named = np.sort(np.concatenate([self.cues[group].end for group in FIELDS]))
        named = named[np.isin(named, self.cues["possessive"].begin)]
        closing = pick(named, np.searchsorted(named, self.begin, side="right") - 1, -NOWHERE)
        supplied = self._limited(self.cues["supplied"], after)
        opens = self.breaks[supplied.begin - 1]
        start = Spans(supplied.begin[opens], supplied.end[opens]).last_end(self.begin)
        near = self._in_scope(start)
        near &= self._verbs_before[np.where(near, start, 0)] == self._verbs_before[self.begin]
        return near | (self._in_scope(opening) & (closing <= opening))

    def served(self) -> BoolArray:
        """Is the mention the one who is served, between 为 and 提供 or 配套?"""
        whom = self.cues["recipient"]
        opening = self.breaks[whom.begin - 1] | (whom.end - whom.begin > 1)
        place = Spans(whom.begin[opening], whom.end[opening]).last_end(self.begin)
        offer = np.minimum(
            *(self.cues[group].next_begin(self.end) for group in ("providing", "supplied"))
        )
        return self._in_scope(place) & self.same(self.clause, offer, self.begin)

    def _shares(self, place: IntArray) -> BoolArray:
        """Does the mention stand bare in a list whose last item goes on with one of the places?"""
        start = self._item_start
        verbs = self._verbs_before
        item = self.item[place]
        fits = (place > start[item] + 1) & (verbs[place] == verbs[start[item]])
        last = np.zeros(len(start) + 1, dtype=np.bool_)
        last[item[fits]] = True
        idle = np.append(verbs[np.append(start[1:], len(self.item))] == verbs[start], False)
        clause = np.append(self.clause[start], -1)
        found = np.zeros(len(self.begin), dtype=np.bool_)
        alive, now = self._bare.copy(), self.item[self.end] - 1
        own = self.clause[self.begin]
        for _ in range(LIST_REACH):
            now = np.minimum(now + 1, len(start))
            alive &= clause[now] == own
            found |= alive & last[now]
            alive &= idle[now] & ~last[now]
        return found

    def _limited(self, spans: Spans, after: str | None) -> Spans:
        """Keep the spans whose clause follows the end of a cue of the group, if one is given."""
        if after is None:
            return spans
        cue = np.zeros(len(self.document.codes) + 1, dtype=np.bool_)
        cue[self.cues[after].end] = True
        kept = cue[spans.begin - 1] & self.breaks[spans.begin - 1]
        # What the text of another firm ends with says nothing of this one.
        text_at = self.document.text_at
        kept &= text_at(spans.begin) == text_at(np.maximum(spans.begin - 2, 0))
        return Spans(spans.begin[kept], spans.end[kept])

    @cached_property
    def _meant(self) -> IntArray:
        """Where 用 and the like stand, and 配套 behind a product."""
        return np.concatenate([self.cues[group].begin for group in ("meant_for", "supplied")])
