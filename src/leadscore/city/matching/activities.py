"""What a firm does, by the verbs of its texts: it makes, designs, builds, trades or serves."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import Final

from leadscore.city.matching.text import BEGIN, NOWHERE, BusinessText
from leadscore.city.matching.vocabulary import VERBS

MAKING, DESIGNING, BUILDING, TRADING, SERVING = 1, 2, 4, 8, 16
"""Business activities, as bits; who only develops a product designs it."""
JOINED: Final = 2
"""Verbs are one group if no more characters than this part them: 研发、生产以及销售."""
_ACTIVITY: Final = dict(
    zip(VERBS, (MAKING, DESIGNING, DESIGNING, BUILDING, TRADING, SERVING), strict=True)
)


def activities(text: BusinessText) -> int:
    """Return the bits of all that a text says is done, whatever it is done with."""
    done = 0
    for group, activity in _ACTIVITY.items():
        for _, begin, _ in text.groups.get(group, ()):
            if not text.negated(begin):
                done |= activity
    return done


class Verbs:
    """The verbs of a text that mentions products, in groups: "研发、生产和销售" is one.

    Attributes
    ----------
    leading, trailing
        Begin, end and bits of the groups that open a phrase, as in "生产锂电池" and "销售：灯具",
        and of those that end one, as in "锂电池的生产". What is not done counts for nothing:
        不含生产加工.
    """

    def __init__(self, text: BusinessText) -> None:
        self._text, groups = text, text.groups
        self._cues = [cue for group in VERBS if group in groups for cue in groups[group]]
        self._cues.sort(key=BEGIN)
        self.leading: list[tuple[int, int, int]] = []
        self.trailing: list[tuple[int, int, int]] = []
        if self._cues:
            self._group()

    def next_begin(self, position: int) -> int:
        """Return where the first verb at or after a position begins, or `NOWHERE`."""
        at = bisect_left(self._cues, position, key=BEGIN)
        return self._cues[at][1] if at < len(self._cues) else NOWHERE

    def governing(self, begin: int, after: int) -> int:
        """Return the bits of the verbs that govern a product, 0 where none does.

        A group that ends a phrase of the same clause governs, else the last one of the sentence
        that opens one. Serving counts only as the end of the product's own item or after 的:
        "锂电池维护", "灯具、电器的维修", but not "锂电池、灯具及服务".

        Parameters
        ----------
        begin, after
            Where the product, and where what follows it begins.
        """
        text, leading, trailing = self._text, self.leading, self.trailing
        governing, listing = 0, False
        at = bisect_left(leading, (begin,)) - 1
        while at >= 0 and leading[at][1] > begin:
            at -= 1
        if at >= 0:
            _, end, bits = leading[at]
            if text.sentences.find(1, end, begin + 1) < 0:
                governing = bits
                # "制造、销售：灯具、锂电池的研发": what stands before the colon holds for all.
                listing = text.lower[end] == ":"
        at = bisect_left(trailing, (after,))
        if at == len(trailing):
            return governing & ~SERVING
        place, _, bits = trailing[at]
        if text.clauses.find(1, after, place + 1) >= 0:
            return governing & ~SERVING
        opening = bisect_left(leading, (after,))
        # A phrase that another group opens is no longer the product's.
        if opening < len(leading) and leading[opening][0] <= place:
            return governing & ~SERVING
        governing = bits | (governing if listing else 0)
        if text.breaks.find(1, after, place + 1) < 0:
            return governing
        return governing if place in self._owned else governing & ~SERVING

    @cached_property
    def _owned(self) -> set[int]:
        """Where what 的 joins to a noun begins."""
        return {end for _, _, end in self._text.groups.get("possessive", ())}

    def _group(self) -> None:
        text, verbs, group_of = self._text, self._cues, self._text.vocabulary.groups
        if text.negations:
            verbs = [verb for verb in verbs if not text.negated(verb[1])]
        intros = {end for _, _, end in text.groups.get("intro", ())}
        current, last = self.trailing, 0
        for number, begin, end in verbs:
            activity = _ACTIVITY[group_of[number]]
            if last and begin - last <= JOINED + 2 and not self._apart(last, begin):
                first, _, bits = current[-1]
                current[-1] = first, end, bits | activity
            else:
                opens = text.breaks[begin - 1] or begin in intros
                current = self.leading if opens else self.trailing
                current.append((begin, end, activity))
            last = end

    def _apart(self, end: int, begin: int) -> bool:
        """Do two verbs, one ending and the next beginning here, stand in different groups?"""
        text, reach = self._text, JOINED
        if text.sentences.find(1, end, begin + 1) >= 0:
            return True
        if begin - end > reach and text.breaks[end] and text.breaks[begin - 1]:
            # "研发、印制、生产": a verb that is not known, between two that are.
            at = bisect_left(text.words, (end,))
            reach += 2 * (at == bisect_left(text.words, (begin,)))
        return begin - end > reach
