"""Which verbs govern a mention in the texts of one firm: `deeds` without arrays."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property

from leadscore.city.deeds import BITS, JOINED, SERVING
from leadscore.city.one_text import Surroundings
from leadscore.city.one_words import Mention
from leadscore.city.spans import NOWHERE


class Verbs:
    """The verbs of one firm's texts, in groups.

    Parameters
    ----------
    around
        The texts.
    of_name
        For each text whether it is the firm's name.
    """

    def __init__(self, around: Surroundings, of_name: list[bool]) -> None:
        self.around, self._of_name, self._cues = around, of_name, around.cues

    def governing(self, mention: Mention) -> int:
        """Return the bits of the verbs that govern a mention, 0 where none does."""
        around, begin, end = self.around, mention.begin, mention.after
        trail, lead = self._trailing, self._leading
        ahead = bisect_left(trail[0], end)
        place = trail[0][ahead] if ahead < len(trail[0]) else NOWHERE
        opening = bisect_left(lead[0], end)
        trails = around.same(around.clause, place, end - 1) and (
            place < (lead[0][opening] if opening < len(lead[0]) else NOWHERE)
        )
        behind = bisect_right(lead[1], begin) - 1
        governing, listing = 0, False
        if behind >= 0 and around.same(around.sentence, lead[1][behind] - 1, begin):
            governing = lead[2][behind]
            listing = around.lower[lead[1][behind]] == ":"
        if not trails:
            return governing & ~SERVING
        governing = trail[2][ahead] | (governing if listing else 0)
        near = around.same(around.item, place, end - 1)
        near = near or place in self._cues["possessive"].end
        return governing if near else governing & ~SERVING

    def of_texts(self) -> tuple[int, int]:
        """Return the bits of all verbs of the firm's texts, and of its name."""
        done = by_name = 0
        for begins, _, bits in (self._trailing, self._leading):
            for begin, bit in zip(begins, bits, strict=True):
                if self._of_name[self.around.text_at(begin)]:
                    by_name |= bit
                else:
                    done |= bit
        return done, by_name

    @cached_property
    def _trailing(self) -> tuple[list[int], list[int], list[int]]:
        return self._groups(leading=False)

    @cached_property
    def _leading(self) -> tuple[list[int], list[int], list[int]]:
        return self._groups(leading=True)

    def _groups(self, *, leading: bool) -> tuple[list[int], list[int], list[int]]:
        """Return begin, end and bits of the groups of verbs that open a phrase, or that end one."""
        kept = [group for group in self._verb_groups if group[3] == leading]
        return [g[0] for g in kept], [g[1] for g in kept], [g[2] for g in kept]

    @cached_property
    def _verb_groups(self) -> list[tuple[int, int, int, bool]]:
        around = self.around
        verbs = sorted(
            (begin, end, bit)
            for group, bit in BITS.items()
            for begin, end in zip(self._cues[group].begin, self._cues[group].end, strict=True)
            if not around.negated(begin)
        )
        intros, found = self._cues["intro"].end, list[tuple[int, int, int, bool]]()
        last = 0
        for begin, end, bit in verbs:
            if found and not self._apart(last, begin):
                first, _, bits, opens = found[-1]
                found[-1] = first, end, bits | bit, opens
            else:
                found.append((begin, end, bit, bool(around.breaks[begin - 1]) or begin in intros))
            last = end
        return found

    def _apart(self, end: int, begin: int) -> bool:
        """Do two verbs, one ending and the next beginning here, stand in different groups?"""
        around, reach = self.around, JOINED
        if around.sentence[begin] != around.sentence[end - 1]:
            return True
        if begin - end <= reach:
            return False
        if around.breaks[end] and around.breaks[begin - 1]:
            at = bisect_left(around.begins, end)
            # A verb that is not known, between two that are.
            reach += 2 * (at == bisect_left(around.begins, begin))
        return begin - end > reach
