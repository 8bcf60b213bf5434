"""How one firm is tied to each product that its texts mention: `deeds` and `roles` without arrays.

Every method answers for one mention what the array method of the same name answers for all; what
each is about is said there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final

from leadscore.city.context import HEAD_REACH
from leadscore.city.deeds import MAKING, TRADING
from leadscore.city.one_text import Surroundings
from leadscore.city.one_verbs import Verbs
from leadscore.city.one_words import Cues, Mention
from leadscore.city.purposes import FIELD_REACH, FIELDS, LIST_REACH, NOUN_REACH
from leadscore.city.roles import BY_NAME, DEEDS, TRAIL_REACH, Tie
from leadscore.city.spans import NOWHERE


class Ties:
    """Judges the mentions of one firm.

    Parameters
    ----------
    around
        Its texts.
    of_name
        For each text whether it is the firm's name.
    """

    def __init__(self, around: Surroundings, of_name: list[bool]) -> None:
        self.around, self._of_name, self._cues = around, of_name, around.cues
        self._about = around.book.about
        self._verbs = Verbs(around, of_name)

    def judged(self) -> list[Tie]:
        """Return the tie of each mention."""
        around = self.around
        ties = [self._tie(mention) for mention in around.mentions]
        ties = self._joined(ties)
        done, by_name = self._verbs.of_texts()
        for at, mention in enumerate(around.mentions):
            if self._of_name[around.text_at(mention.begin)] and ties[at] == Tie.MAKER:
                ties[at] = Tie.FIELD if self.in_a_field(mention) else _tie_by_name(done)
            if ties[at] == Tie.DESIGN and by_name & TRADING:
                ties[at] = Tie.TRADE
        return ties

    def in_a_field(self, mention: Mention) -> bool:
        """Is the product named as the firm's own field?"""
        followed_by = self.around.followed_by
        return any(followed_by(group, mention.after, TRAIL_REACH) for group in _FIELD_WORDS)

    def at_plant(self, mention: Mention) -> bool:
        """Is it the plants of customers that are named?"""
        around, end = self.around, mention.after
        if self._cues["plant"].next_begin(end) != end:
            return False
        after = min(end + 1, around.length - 1)
        return around.sentence[end] == around.sentence[after]

    def _tie(self, mention: Mention) -> Tie:
        """Judge one mention by the first rule that holds; `tie_of_each` has them from the last."""
        for tie, holds in self._rules:
            if holds(mention):
                return tie
        done = self._verbs.governing(mention)
        tie = Tie.MAKER
        if not done & MAKING:
            for bit, deed in DEEDS:
                if done & bit:
                    tie = deed
        return Tie.NAMED_MATERIAL if tie == Tie.MAKER and mention.material else tie

    @cached_property
    def _rules(self) -> tuple[tuple[Tie, Callable[[Mention], bool]], ...]:
        return (
            (Tie.NOT, self._ruled_out),
            (Tie.ASIDE, self._aside),
            (Tie.EQUIPMENT, self._machines_beside),
            (Tie.FIELD, self._for_a_field),
            (Tie.EQUIPMENT, self._machines),
            (Tie.MATERIALS, self._mere_parts),
            (Tie.KNOWHOW, lambda mention: self._supply(mention, "software")),
            (Tie.INTEGRATION, lambda mention: self._followed_by("integration", mention)),
            (Tie.SERVICE, lambda mention: self._followed_by("service", mention)),
            (Tie.MATERIALS, self._for_something_else),
        )

    def _followed_by(self, group: str, mention: Mention) -> bool:
        return self.around.followed_by(group, mention.after)

    def _is_about(self, head: str, mention: Mention) -> bool:
        return self._about[head][mention.segment]

    def _ruled_out(self, mention: Mention) -> bool:
        return self.around.negated(mention.begin) or self._followed_by("exception", mention)

    def _aside(self, mention: Mention) -> bool:
        opening = self._cues["past"].last_end(mention.begin)
        return self._followed_by("bodies", mention) or self.around.in_scope(opening, mention.begin)

    def _machines_beside(self, mention: Mention) -> bool:
        """Are machines named for what is mentioned, whatever it is for?"""
        machine = self._followed_by("equipment", mention)
        if not self._is_about("equipment", mention):
            if machine and self.around.belongs_to(mention.after):
                return True
            if self._goes_into(mention, after="equipment"):
                return True
        return self._machines_for_a_field(mention) or self._machines_for_a_plant(mention)

    def _machines_for_a_field(self, mention: Mention) -> bool:
        start = self._listed(mention)
        if not start:
            return False
        place = self._cues["equipment"].next_begin(start)
        owned = self._cues["possessive"].next_begin(start) < place
        return owned and self.around.followed_by("equipment", start)

    def _machines_for_a_plant(self, mention: Mention) -> bool:
        around = self.around
        start = self._cues["and_others"].next_end(mention.after)
        return (
            around.same(around.clause, start - 1, mention.after - 1)
            and around.followed_by("equipment", start)
            and not self._is_about("equipment", mention)
            and (self._modifies(mention) or self._for_use(mention) or self.at_plant(mention))
        )

    def _for_a_field(self, mention: Mention) -> bool:
        if any(self._listed_for(group, mention) for group in FIELDS):
            return True
        if (
            self.at_plant(mention)
            and not self._for_use(mention)
            and not self._followed_by("equipment", mention)
        ):
            return True
        return self._among_fields(mention) or self._goes_into(mention) or self._served(mention)

    def _machines(self, mention: Mention) -> bool:
        if self._is_about("equipment", mention):
            return False
        if self._followed_by("equipment", mention) and not self._names_own_kind(mention):
            return True
        start = self._listed(mention)
        return bool(start) and self.around.followed_by("equipment", start)

    def _mere_parts(self, mention: Mention) -> bool:
        return self._supply(mention, "materials") or self._supply(mention, "parts")

    def _supply(self, mention: Mention, head: str) -> bool:
        return (
            self._followed_by(head, mention)
            and not self._is_about(head, mention)
            and not self._names_own_kind(mention)
        )

    def _for_something_else(self, mention: Mention) -> bool:
        start = self._listed(mention)
        if start and self.around.belongs_to(start, bare=False):
            return True
        if self._for_use(mention) or self._shares(mention, self._one_noun):
            return True
        if self._shares_noun(mention):
            return True
        return self._modifies(mention) and not self._names_own_kind(mention)

    def _names_own_kind(self, mention: Mention) -> bool:
        if not mention.own_head:
            return False
        around, end = self.around, mention.after
        place = min(self._cues[head].next_begin(end) for head in ("materials", "parts"))
        if place - end > HEAD_REACH or not around.same(around.item, place, end - 1):
            return False
        return around.nouns_before[place] == around.nouns_before[end]

    def _modifies(self, mention: Mention) -> bool:
        around, end = self.around, mention.after
        if around.noun[end] or (around.latin[end] and end in self._begins):
            return True
        return around.belongs_to(end)

    def _listed(self, mention: Mention) -> int:
        """Return from where the list is named in which the mention stands, 0 if in none."""
        around, end = self.around, mention.after
        after = self._cues["and_others"].next_end(end)
        if after == NOWHERE or not around.same(around.clause, after - 1, end - 1):
            return 0
        if around.verbs.next_begin(end) < after or self._modifies(mention):
            return 0
        return after

    def _for_use(self, mention: Mention) -> bool:
        place, soft = mention.after, self._soft
        while place < self.around.length and soft[place]:
            place += 1
        return place in self._meant or self._shares(mention, self._meant)

    def _shares_noun(self, mention: Mention) -> bool:
        around, end = self.around, mention.after
        item = around.item[end]
        if around.item_start[item] != end or not self._joint[end] or not self._bare(mention):
            return False
        first, last = bisect_left(around.begins, end), len(around.mentions) - 1
        for step in range(NOUN_REACH):
            other = around.mentions[min(first + step, last)]
            if (
                around.item[other.begin] == item
                and other.segment != mention.segment
                and other.begin - end > 1
                and around.compound(mention.word, other.word)
            ):
                return True
        return False

    def _joined(self, ties: list[Tie]) -> list[Tie]:
        """Make equipment of what stands bare before other equipment of its segment."""
        around, judged = self.around, ties.copy()
        layers: dict[int, Mention] = {}
        for mention in around.mentions:
            before = layers.get(mention.segment)
            layers[mention.segment] = mention
            if before is None or ties[mention.number] != Tie.EQUIPMENT:
                continue
            if (
                ties[before.number] <= Tie.SERVICE
                and before.word != mention.word
                and mention.begin - before.after == 1
                and self._bare(before)
                and around.text_at(before.begin) == around.text_at(mention.begin)
            ):
                judged[before.number] = Tie.EQUIPMENT
        return judged

    def _listed_for(self, group: str, mention: Mention) -> bool:
        start = self._listed(mention)
        if not start:
            return False
        around, place = self.around, self._cues[group].next_begin(start)
        return (
            place - start <= FIELD_REACH
            and around.same(around.clause, place, start - 1)
            and self._cues["application"].next_begin(start) > place
            and around.verbs.next_begin(mention.after) > place
        )

    def _among_fields(self, mention: Mention) -> bool:
        around, end = self.around, mention.after
        place = min(self._cues[group].next_begin(end) for group in ("fields", "uses"))
        return (
            around.same(around.clause, place, end - 1)
            and place in self._ends
            and around.verbs.next_begin(end) > place
            and self._cues["possessive"].next_begin(end) > place
            and not around.same(around.item, place, end - 1)
            and not self._modifies(mention)
        )

    def _goes_into(self, mention: Mention, after: str | None = None) -> bool:
        around, begin = self.around, mention.begin
        spans, supplied, named = self._openings[after]
        start = supplied.last_end(begin)
        if around.in_scope(start, begin):
            verbs = around.verbs_before
            if verbs[start] == verbs[begin]:
                return True
        opening = max(each.last_end(begin) for each in spans)
        if not around.in_scope(opening, begin):
            return False
        at = bisect_right(named, begin)
        return not at or named[at - 1] <= opening

    def _served(self, mention: Mention) -> bool:
        around, begin = self.around, mention.begin
        if not around.in_scope(self._recipients.last_end(begin), begin):
            return False
        offer = min(self._cues[g].next_begin(mention.after) for g in ("providing", "supplied"))
        return around.same(around.clause, offer, begin)

    def _bare(self, mention: Mention) -> bool:
        breaks = self.around.breaks
        return bool(breaks[mention.begin - 1] and breaks[mention.after])

    def _shares(self, mention: Mention, places: frozenset[int]) -> bool:
        """Stands the mention bare in a list whose last item goes on with one of the places?"""
        if not places or not self._bare(mention):
            return False
        around, last = self.around, self._last_items(places)
        starts, verbs = around.item_start, around.verbs_before
        own, item = around.clause[mention.begin], around.item[mention.after]
        for _ in range(LIST_REACH):
            if item >= len(starts) or around.clause[starts[item]] != own:
                return False
            if item in last:
                return True
            following = starts[item + 1] if item + 1 < len(starts) else around.length
            if verbs[following] != verbs[starts[item]]:
                return False
            item += 1
        return False

    def _last_items(self, places: Iterable[int]) -> set[int]:
        around = self.around
        starts, verbs = around.item_start, around.verbs_before
        found = set()
        for place in places:
            item = around.item[place]
            if place > starts[item] + 1 and verbs[place] == verbs[starts[item]]:
                found.add(item)
        return found

    def _limited(self, cues: Cues, after: str | None) -> Cues:
        if after is None:
            return cues
        around, ends = self.around, set(self._cues[after].end)
        kept = [
            (begin, end)
            for begin, end in zip(cues.begin, cues.end, strict=True)
            if begin - 1 in ends
            and around.breaks[begin - 1]
            and around.text_at(begin) == around.text_at(max(begin - 2, 0))
        ]
        return Cues([begin for begin, _ in kept], [end for _, end in kept])

    @cached_property
    def _openings(self) -> dict[str | None, tuple[tuple[Cues, Cues], Cues, list[int]]]:
        """What opens a list of fields, what supplies, and where such a list is named."""
        owned = set(self._cues["possessive"].begin)
        named = sorted(end for group in FIELDS for end in self._cues[group].end if end in owned)
        found: dict[str | None, tuple[tuple[Cues, Cues], Cues, list[int]]] = {}
        for after in (None, "equipment"):
            first, second, supplied = (
                self._limited(self._cues[group], after)
                for group in ("application", "uses", "supplied")
            )
            found[after] = (first, second), self._opening(supplied, lambda _: False), named
        return found

    def _opening(self, cues: Cues, also: Callable[[int], bool]) -> Cues:
        """Keep the cues that open an item, or are as long as asked."""
        breaks = self.around.breaks
        kept = [
            (begin, end)
            for begin, end in zip(cues.begin, cues.end, strict=True)
            if breaks[begin - 1] or also(end - begin)
        ]
        return Cues([begin for begin, _ in kept], [end for _, end in kept])

    @cached_property
    def _recipients(self) -> Cues:
        return self._opening(self._cues["recipient"], lambda length: length > 1)

    @cached_property
    def _meant(self) -> frozenset[int]:
        return frozenset((*self._cues["meant_for"].begin, *self._cues["supplied"].begin))

    @cached_property
    def _soft(self) -> bytearray:
        return self.around.covered("filler", "suffix", "plant")

    @cached_property
    def _joint(self) -> bytearray:
        return self.around.covered("connective")

    @cached_property
    def _one_noun(self) -> frozenset[int]:
        """Where 的 stands behind the last of several that belong to one noun."""
        around = self.around
        return frozenset(
            place
            for place in self._cues["possessive"].begin
            if self._joint[around.item_start[around.item[place]]] and around.noun[place + 1]
        )

    @cached_property
    def _begins(self) -> frozenset[int]:
        return frozenset(self.around.begins)

    @cached_property
    def _ends(self) -> frozenset[int]:
        return frozenset(mention.after for mention in self.around.mentions)


_FIELD_WORDS: Final = ("audience", "fields")


def _tie_by_name(done: int) -> Tie:
    """Return the tie of a firm to what its name mentions, by what its texts say it does."""
    if not done & MAKING:
        for bit, deed in BY_NAME:
            if done & bit:
                return deed
    return Tie.NAMED
