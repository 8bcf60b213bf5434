"""How a firm is related to a product that its text mentions: makes it, sells it, supplies it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import cached_property
from typing import Final, NamedTuple

from leadscore.city.matching.text import (
    BEGIN,
    BUILDING,
    DESIGNING,
    MAKING,
    NOWHERE,
    SERVING,
    TRADING,
    BusinessText,
    Verbs,
    Word,
    activities,
    last_end,
)
from leadscore.city.matching.vocabulary import HEADS, LATIN, Hit, Kind

# How many characters after a product the noun that it belongs to may begin; "field" or "industry"
# may follow (照明领域); and after 等 the fields may be named (手机等消费电子以及汽车电子应用领域).
_HEAD_REACH, _TRAIL_REACH, _FIELD_REACH = 12, 6, 20
# How many products of the next item are looked at for a noun that two items share, and how many
# items on the word may stand that a whole list shares: 路灯、射灯、台灯用电源.
_NOUN_REACH, _LIST_REACH = 4, 4
_FIELDS: Final = ("fields", "uses", "audience")  # those to whom, or where, products go


class Relation(IntEnum):
    """How a firm is related to a product: of equally strong relations the first gives the role."""

    MAKER = 0
    DESIGN = 1
    INTEGRATION = 2
    TRADE = 3
    SERVICE = 4
    EQUIPMENT = 5
    MATERIALS = 6
    FIELD = 7  # the firm sells into a field, or to those who work in it
    ASIDE = 8  # a body, a prize, a certificate, or the past: 照明协会
    NOT = 9  # ruled out: 不含锂电池
    NAMED_MATERIAL = 10  # the product is itself a material for its segment: 偏光片
    KNOWHOW = 11  # software around the product
    NAMED = 12  # the firm is named after the product; see `by_name`
    NAMED_EQUIPMENT = 13  # the product is itself a machine for its segment: 锂电卷绕机


# By themselves: to look a member up in its class takes longer than many a rule here.
MAKER, DESIGN, INTEGRATION, TRADE, SERVICE, EQUIPMENT, MATERIALS, FIELD, ASIDE, *_others = Relation
NOT, NAMED_MATERIAL, KNOWHOW, NAMED, NAMED_EQUIPMENT = _others
_HINT: Final = Kind.HINT

_BUILT, _DESIGNED, _TRADED = (BUILDING, INTEGRATION), (DESIGNING, DESIGN), (TRADING, TRADE)
_SERVED: Final = (SERVING, SERVICE)
# What a firm is that does this with a product and doesn't make it; earlier ones outrank.
_ACTIVITY_ALONE: Final = (_BUILT, _DESIGNED, _TRADED, _SERVED)
# The same for what only a firm's name mentions.
_ACTIVITY_OF_NAMED: Final = (_TRADED, _BUILT, _DESIGNED, _SERVED)


class Judged(NamedTuple):
    """What a text says of the products in it."""

    mentions: list[Mentioned]  # each product with what the text says of it, by its place
    items: int  # how many items of the text say something
    activities: int  # bits of all verbs of the text, whatever they govern


Mentioned = tuple[int, int, int, Relation, bool, bool, int, int]
"""A product in a text: where it begins, its number and its segment in the vocabulary, the relation,
whether it is but a hint, whether it is named as the firm's own field, the number of its item, and
how many items ahead of that say something."""


def judge(text: BusinessText, *, is_name: bool) -> Judged:
    """Judge all products in a text."""
    reading = _Reading(text)
    ahead = text.content_items()
    mentions: list[_Mention] = []
    for word, after in zip(text.words, reading.afters, strict=True):
        mentions.append(_Mention(reading, word, after, mentions[-1] if mentions else None))
    relations = [mention.relation() for mention in mentions]
    if EQUIPMENT in relations:
        relations = _share_machines(mentions, relations)
    judged: list[Mentioned] = []
    item = known = 0
    for mention, relation in zip(mentions, relations, strict=True):
        in_field = relation is MAKER and mention.in_a_field()
        if is_name and relation is MAKER:
            relation, in_field = FIELD if in_field else NAMED, False
        # Who names the plants of a product means it, however weak the word: 电池厂用涂布机.
        hint = mention.kind is _HINT and not mention.at_plant()
        begin = mention.begin
        item, known = item + text.breaks.count(1, known, begin + 1), begin + 1
        judged.append(
            (begin, mention.word, mention.segment, relation, hint, in_field, item, ahead[item])
        )
    return Judged(judged, ahead[-1], activities(text))


def by_name(done: int) -> Relation:
    """Return how a firm is related to what its name mentions, by what its texts say it does.

    >>> by_name(TRADING).name, by_name(TRADING | MAKING).name, by_name(0).name
    ('TRADE', 'NAMED', 'NAMED')
    """
    return _alone(done, _ACTIVITY_OF_NAMED, NAMED)


def _alone(done: int, order: Sequence[tuple[int, Relation]], maker: Relation) -> Relation:
    if not done & MAKING:
        for activity, relation in order:
            if done & activity:
                return relation
    return maker


class _Reading:
    def __init__(self, text: BusinessText) -> None:
        self.text = text
        groups, breaks = text.groups, text.breaks
        self.begins = [begin for begin, _, _, _ in text.words]
        self.afters = text.ends_of_words()
        self.verbs = Verbs(text)
        # Where 用 and the like stand, and 配套 behind a product.
        self.meant = {begin for _, begin, _ in text.cues_of("meant_for", "supplied")}
        self.meant_items = self._last_items(self.meant) if self.meant else set()
        # Openings of lists of fields, of those supplied, and such that follow machines.
        lists = sorted(text.cues_of("application", "uses"), key=BEGIN)
        supplied = [cue for cue in groups.get("supplied", ()) if breaks[cue[1] - 1]]
        self.openings = lists, supplied
        self.opens = bool(lists or supplied)
        self.openings_for_machines: tuple[list[Hit], list[Hit]] = [], []
        if self.opens and "equipment" in groups:
            # 贴合设备，供手机屏厂
            machines = {end for _, _, end in groups["equipment"]}
            self.openings_for_machines = (
                [cue for cue in lists if cue[1] - 1 in machines and breaks[cue[1] - 1]],
                [cue for cue in supplied if cue[1] - 1 in machines],
            )
        self.machines_open = any(self.openings_for_machines)
        self.fields = sorted(begin for _, begin, _ in text.cues_of("fields", "uses"))
        self.ends = set(self.afters) if self.fields else set()
        self.recipients = [
            cue for cue in groups.get("recipient", ()) if breaks[cue[1] - 1] or cue[2] - cue[1] > 1
        ]
        # A list of fields ends where it is named and a noun follows: 用于手机、汽车等领域的连接器.
        self.closings: list[int] = []
        if lists and "possessive" in groups:
            owners = {begin for _, begin, _ in groups["possessive"]}
            self.closings = sorted(end for _, _, end in text.cues_of(*_FIELDS) if end in owners)

    @cached_property
    def owning_items(self) -> set[int]:
        """Where the last of several begins that belong to one noun: 手机、汽车和家电的系统."""
        text = self.text
        return self._last_items(
            begin
            for _, begin, _ in text.groups.get("possessive", ())
            if text.nouns[begin + 1] and text.joint(text.breaks.rfind(1, 0, begin + 1))
        )

    def _last_items(self, places: Iterable[int]) -> set[int]:
        text = self.text
        starts = set()
        for place in places:
            start = text.breaks.rfind(1, 0, place + 1)
            if place > start + 1 and text.verbs.find(1, start, place) < 0:
                starts.add(start)
        return starts


def _share_machines(mentions: Sequence[_Mention], relations: list[Relation]) -> list[Relation]:
    # What stands bare before equipment of its segment is equipment, too: PCB、FPC设备.
    shared = relations.copy()
    last: dict[int, int] = {}
    for number, mention in enumerate(mentions):
        before = last.get(mention.segment)
        last[mention.segment] = number
        if before is None or relations[number] is not EQUIPMENT:
            continue
        other = mentions[before]
        if (
            relations[before] <= SERVICE
            and other.word != mention.word
            and mention.begin - other.after == 1
            and other.bare()
        ):
            shared[before] = EQUIPMENT
    return shared


class _Mention:
    # A product in a text, and what stands around it; each question about it is a method. What
    # follows it begins ``after`` it, see `BusinessText.ends_of_words`; ``near`` is where the first
    # cue of each group behind it, within its item and `_HEAD_REACH`, begins. It ``modifies`` a noun
    # of its own in 手机天线, 手机的天线, 手机产品的天线. ``listed`` is where the list is named in
    # which it stands, behind 等, or 0: in "手机、平板电脑等产品的天线" the phones are listed, and
    # what follows 等 says for what.

    __slots__ = (
        *("after", "begin", "end", "kind", "listed", "modifies", "near", "reading"),
        *("segment", "supply", "text", "word"),
    )

    def __init__(self, reading: _Reading, word: Word, after: int, before: _Mention | None) -> None:
        self.reading = reading
        self.text = reading.text
        self.begin, self.end, self.word, (self.segment, self.kind, self.supply) = word
        self.after = after
        self.near: dict[str, int] = {}
        self.modifies, self.listed = False, 0
        if before is not None and before.after == after:
            # One word often names products of several segments.
            self.near, self.modifies, self.listed = before.near, before.modifies, before.listed
        else:
            self._look_behind()

    def _look_behind(self) -> None:
        text, after, begins = self.text, self.after, self.text.begins
        at, known = bisect_left(begins, after), len(begins)
        stop = after + _HEAD_REACH + 1
        if at < known and begins[at] < stop:
            item_end = text.breaks.find(1, after, stop)
            stop = stop if item_end < 0 else item_end
            near, group_of = self.near, text.vocabulary.groups
            while at < known and begins[at] < stop:
                group = group_of[text.cues[at][0]]
                if group not in near:
                    near[group] = begins[at]
                at += 1
        # A Latin word may name the product itself, unless it is another product: 手机AMOLED面板.
        self.modifies = bool(
            text.nouns[after]
            or ("possessive" in self.near and self._belongs_to_noun())
            or (text.lower[after] in LATIN and self._product_at(after))
        )
        if not self.modifies and "and_others" in text.groups:
            self.listed = self._list_end()

    def relation(self) -> Relation:
        """Return the relation that the text speaks for: the first rule that holds.

        1. What is ruled out.
        2. Bodies, prizes, certificates and the past, which say little.
        3. What machines are made for, wherever they stand: "用于锂电池的卷绕机",
           "贴合设备，供手机屏厂", "锂电池、光伏等行业的自动化设备", "电池厂用涂布等设备".
        4. What the firm's own product is for: "used in", "for … we provide", "customers include",
           "… and other fields".
        5. The noun at the end of its compound, or of the list that it stands in, as in
           "手机、电脑等产品的天线": equipment, material, part or software for it, works or services
           around it.
        6. Any other noun that it belongs to, and what it is meant for, as in "手机、电脑用天线".
        7. The verbs that govern it: making, else building, else designing, trading, serving.
        """
        if self.ruled_out():
            return NOT
        if self.is_aside():
            return ASIDE
        if self.machines_are_named():
            return EQUIPMENT
        if self.is_a_field():
            return FIELD
        supply = self._by_head()
        if supply is not None:
            return supply
        if self.is_for_something_else():
            return MATERIALS
        return self._by_activity()

    def ruled_out(self) -> bool:
        """Is the mention what is not done: 不含锂电池, 锂电池除外?"""
        text = self.text
        return "exception" in self.near or (bool(text.negations) and text.negated(self.begin))

    def is_aside(self) -> bool:
        """Does it name a body or a prize, or what was: 照明协会, 前身为照明厂?"""
        if "bodies" in self.near:
            return True
        past = self.text.groups.get("past", ())
        return bool(past) and self._in_scope(last_end(past, self.begin))

    def machines_are_named(self) -> bool:
        about = self.text.vocabulary.about["equipment"][self.segment]
        if not about:
            # "用于锂电池的卷绕机": here the battery isn't where the firm's own product goes.
            if "equipment" in self.near and self._belongs_to_noun():
                return True
            if self.reading.machines_open and self._goes_into(self.reading.openings_for_machines):
                return True
        if "equipment" not in self.text.groups or "and_others" not in self.text.groups:
            return False
        if self.listed and self._equipment_behind(self.listed):
            # "锂电池、光伏等行业的自动化设备"
            _, owned, _ = self.text.next_cue("possessive", self.listed)
            if owned < self.text.next_cue("equipment", self.listed)[1]:
                return True
        if about:
            return False
        # "面板绑定、贴合等设备", "电池厂用涂布等设备"
        after = self.after
        _, _, start = self.text.next_cue("and_others", after)
        return (
            self._in_clause(start - 1)
            and self._equipment_behind(start)
            and (self.modifies or self.is_for_use() or self.at_plant())
        )

    def is_a_field(self) -> bool:
        reading = self.reading
        if self.listed and any(map(self._listed_as, _FIELDS)):
            return True
        plant = "plant" in self.near and self.at_plant()
        if plant and "equipment" not in self.near and not self.is_for_use():
            return True
        return (
            (bool(reading.fields) and self._among_fields())
            or (reading.opens and self._goes_into(reading.openings))
            or (bool(reading.recipients) and self._is_served())
        )

    def names_own_kind(self) -> bool:
        """Is the noun after it what such products are called: 传感器的芯片 where those are made?"""
        near, text = self.near, self.text
        if "materials" not in near and "parts" not in near:
            return False
        place = min(near.get(head, NOWHERE) for head in ("materials", "parts"))
        if text.nouns.find(1, self.after, place) >= 0:
            return False
        # The next head, whatever it is, and be it in a remark: 传感器(含芯片).
        _, begin, end = min((text.next_cue(head, self.end) for head in HEADS), key=BEGIN)
        return (self.segment, text.lower[begin:end]) in text.vocabulary.own_heads

    def is_for_something_else(self) -> bool:
        text, start = self.text, self.listed
        if self.modifies and not self.names_own_kind():
            return True
        if start:
            _, place, _ = text.next_cue("possessive", start)
            if self._reaches(start, place) and text.nouns[place + 1]:
                return True
        reading = self.reading
        return (bool(reading.meant) and self.is_for_use()) or (
            self.bare() and (self._shares(reading.owning_items) or self._shares_noun())
        )

    def is_for_use(self) -> bool:
        """Is it followed by 用, "meant for", as in 锂电池用铜箔 or 手机、平板用线路板?"""
        reading = self.reading
        if not reading.meant:
            return False
        place = self.text.soft.find(0, self.after)
        return place in reading.meant or self._shares(reading.meant_items)

    def at_plant(self) -> bool:
        """Is it the plants of customers that are named: 面板厂检测系统, 电池厂用涂布机?"""
        after = self.after
        return self.near.get("plant") == after and not self.text.sentences[after + 1]

    def in_a_field(self) -> bool:
        """Is the product named as the firm's own field: 专注于照明领域?"""
        last = self.after + _TRAIL_REACH
        return any(self.near.get(group, NOWHERE) <= last for group in ("audience", "fields"))

    def bare(self) -> bool:
        breaks = self.text.breaks
        return bool(breaks[self.begin - 1] and breaks[self.after])

    def _in_scope(self, opening: int) -> bool:
        return self.text.in_scope(opening, self.begin)

    def _in_clause(self, place: int) -> bool:
        return place < NOWHERE - 1 and self.text.clauses.find(1, self.after, place + 1) < 0

    def _reaches(self, start: int, place: int) -> bool:
        return place - start <= _HEAD_REACH and self.text.breaks.find(1, start, place + 1) < 0

    def _equipment_behind(self, start: int) -> bool:
        return self._reaches(start, self.text.next_cue("equipment", start)[1])

    def _belongs_to_noun(self) -> bool:
        """Does 的 and a noun follow it, past words without meaning only?"""
        text, place = self.text, self.near.get("possessive")
        if place is None or not text.nouns[place + 1]:
            return False
        return text.nouns.find(1, self.after, place) < 0

    def _product_at(self, place: int) -> bool:
        begins = self.reading.begins
        at = bisect_left(begins, place)
        return at < len(begins) and begins[at] == place

    def _list_end(self) -> int:
        if self.modifies or "and_others" not in self.text.groups:
            return 0
        _, _, end = self.text.next_cue("and_others", self.after)
        listed = self._in_clause(end - 1) and self.reading.verbs.next_begin(self.after) >= end
        return end if listed else 0

    def _listed_as(self, group: str) -> bool:
        """Is the list named as such: 手机、汽车等领域?"""
        text, start = self.text, self.listed
        _, place, _ = text.next_cue(group, start)
        return (
            place - start <= _FIELD_REACH
            and text.clauses.find(1, start, place + 1) < 0
            # "等产品，用于汽车领域" names no list.
            and text.next_cue("application", start)[1] > place
            and self.reading.verbs.next_begin(self.after) > place
        )

    def _among_fields(self) -> bool:
        """Is the mention one of a list of fields: 半导体、平板显示、LED行业?"""
        text, after, fields = self.text, self.after, self.reading.fields
        at = bisect_left(fields, after)
        if at == len(fields):
            return False
        place = fields[at]
        return (
            # The last of the list is a product itself: not "电梯部件和其他领域的…".
            place in self.reading.ends
            and self._in_clause(place)
            and text.breaks.find(1, after, place + 1) >= 0
            and not self.modifies
            and self.reading.verbs.next_begin(self.after) > place
            and text.next_cue("possessive", after)[1] > place
        )

    def _goes_into(self, openings: tuple[list[Hit], list[Hit]]) -> bool:
        lists, supplied = openings
        begin = self.begin
        if supplied:
            start = last_end(supplied, begin)
            if self._in_scope(start) and self.text.verbs.find(1, start, begin) < 0:
                return True
        if not lists:
            return False
        start = last_end(lists, begin)
        if not self._in_scope(start):
            return False
        at = bisect_right(self.reading.closings, begin)
        return not at or self.reading.closings[at - 1] <= start

    def _is_served(self) -> bool:
        """Is it the one who is served, between 为 and 提供 or 配套?"""
        text, begin = self.text, self.begin
        recipients = self.reading.recipients
        if not self._in_scope(last_end(recipients, begin)):
            return False
        offer = min(text.next_cue(group, self.after)[1] for group in ("providing", "supplied"))
        return offer < NOWHERE and text.clauses.find(1, begin + 1, offer + 1) < 0

    def _shares(self, items: set[int]) -> bool:
        if not items or not self.bare():
            return False
        text, start = self.text, self.after
        stop = text.clauses.find(1, self.begin + 1)
        for _ in range(_LIST_REACH):
            if start >= stop:
                return False
            if start in items:
                return True
            following = text.breaks.find(1, start + 1)
            if text.verbs.find(1, start, following) >= 0:
                return False
            start = following
        return False

    def _shares_noun(self) -> bool:
        # As in 手机及车载摄像头, if the vocabulary knows it with the noun of the other, 手机摄像头.
        text, after = self.text, self.after
        if not text.joint(after):
            return False
        stop = text.breaks.find(1, after + 1)
        first = bisect_left(self.reading.begins, after)
        return any(
            after + 1 < begin < stop
            and meaning.segment != self.segment
            and text.vocabulary.is_compound(self.word, word)
            for begin, _, word, meaning in text.words[first : first + _NOUN_REACH]
        )

    def _by_head(self) -> Relation | None:
        near, about = self.near, self.text.vocabulary.about
        machines_listed = self.listed and self._equipment_behind(self.listed)
        # After 等 other nouns may as well name what was listed; equipment does not.
        if machines_listed and not about["equipment"][self.segment]:
            return EQUIPMENT
        if (supply := self._supply_behind()) is not None:
            return supply
        if not near:
            return None
        for head, relation in _SUPPLIES:
            if head in near and not about[head][self.segment] and not self.names_own_kind():
                return relation
        if "integration" in near:
            return INTEGRATION
        return SERVICE if "service" in near else None

    def _supply_behind(self) -> Relation | None:
        """Does a word follow that names a supply of its segment: 锂电池正极材料?"""
        begins, words = self.reading.begins, self.text.words
        for at in range(bisect_left(begins, self.begin), len(words)):
            begin, end, _, (segment, _, supply) = words[at]
            if begin > self.end:
                break
            # It may as well overlap: 储能锂电池 and 锂电池结构件 in 储能锂电池结构件.
            if end > self.end and supply and segment == self.segment and not self.supply:
                return EQUIPMENT if supply == "equipment" else MATERIALS
        return None

    def _by_activity(self) -> Relation:
        done = self.reading.verbs.governing(self.begin, self.after)
        return _alone(done, _ACTIVITY_ALONE, _NAMED_SUPPLY[self.supply])


_NAMED_SUPPLY: Final = {
    None: MAKER, "material": NAMED_MATERIAL, "materials": NAMED_MATERIAL,
    "equipment": NAMED_EQUIPMENT,
}  # fmt: skip
_SUPPLY_OF: Final = {"materials": MATERIALS, "equipment": EQUIPMENT}
_SUPPLIES: Final = (
    *(("equipment", EQUIPMENT), ("materials", MATERIALS), ("parts", MATERIALS)),
    ("software", KNOWHOW),
)
