"""One business text: the products and cue words in it, its clauses, and what the firm does."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from typing import Final

from leadscore.city.matching.vocabulary import (
    BREAK,
    JOINT,
    LATIN,
    PLAIN,
    ROMAN,
    SILENT,
    SOFT,
    SUFFIX,
    VERB,
    VERBS,
    Hit,
    Kind,
    Meaning,
    Vocabulary,
    in_nfkc,
)

SCOPE_REACH: Final = 60
"""How many characters a phrase such as "used in" governs, within its clause."""

_ENDS_ITEM: Final = frozenset("、/+&()[]|·-—~ \t\"'“”‘’《》〈〉【】「」『』")
_ENDS_SENTENCE: Final = frozenset("。;!?.\n\r*〓…\N{REPLACEMENT CHARACTER}")
_ENDS_CLAUSE: Final = _ENDS_SENTENCE | {",", ":"}
_BREAKS: Final = _ENDS_ITEM | _ENDS_CLAUSE
_INSIDE_LATIN: Final = re.compile(r"[-/ +&'.](?<=[0-9a-z].)(?=[0-9a-z])")
"""What ends nothing between Latin letters: "TFT-LCD", "Mini/Micro LED", "Type C", "1.5"."""

_EXCLUDE: Final = Kind.EXCLUDE
NOWHERE: Final = 1 << 40
"""A position that no text has."""

# Every character that ends something or is Latin as one byte, its code, any other as `_OTHER`: from
# there on `bytes.translate` tells what each is, a hundred times as quick as looking each up. The
# codec writes "?" for what it does not know, so that a question mark has to go by another name.
_OTHER: Final = 255
_CODED: Final = "\0" + "".join(sorted((LATIN | _BREAKS) - {"?"}))
_CODEC: Final = codecs.charmap_build(_CODED.ljust(_OTHER, "\ufffe") + "?")


def _coded(characters: Collection[str], bit: int) -> bytes:
    return bytes(bit * (each in characters) for each in _CODED).ljust(256, b"\0")


def _having(bits: int) -> bytes:
    return bytes(bool(each & bits) for each in range(256))


_WHAT: Final = bytes(map(int.__or__, _coded(_BREAKS, BREAK), _coded(LATIN, ROMAN)))
_CLAUSES: Final = _coded(_ENDS_CLAUSE, 1)
_CLAUSES_OF_LISTS: Final = _coded(_ENDS_CLAUSE - {","}, 1)
_SENTENCES: Final = _coded(_ENDS_SENTENCE, 1)
_IS_BREAK, _IS_VERB, _IS_SOFT = map(_having, (BREAK, VERB, SOFT))
_NO_NOUN: Final = BREAK | ROMAN | VERB | PLAIN
_IS_NOUN: Final = bytes(not each & (_NO_NOUN | SUFFIX) for each in range(256))
_SAYS_NOTHING: Final = bytes(each for each in range(256) if each & SILENT and not each & BREAK)

_NO_CUE: Final[Hit] = (0, NOWHERE, NOWHERE)
BEGIN: Final = itemgetter(1)
Word = tuple[int, int, int, Meaning]
"""A word of a segment in a text: where it begins and ends, its number, and what it means."""


class BusinessText:
    """A text with all that is found in it, of which the attributes below ``words`` need `lay_out`.

    A place in the text is one less than a place here: it stands between two line ends.
    """

    __slots__ = (
        *("_bits", "_hits", "begins", "breaks", "cased", "clauses", "cues", "groups", "lower"),
        *("negations", "nouns", "sentences", "soft", "verbs", "vocabulary", "words"),
    )
    cased: str  # in NFKC
    lower: str  # in normal form, equally long
    # By rising begin. Of a segment's own words the longest counts; an exclude silences what
    # overlaps with it, unless it lies within a longer word.
    words: list[Word]
    # By rising begin and end. Whatever their group, the longest counts, and a cue of one character
    # counts only outside any longer word.
    cues: list[Hit]
    begins: list[int]  # of each cue
    groups: Mapping[str, list[Hit]]  # the cues of each group that occurs
    negations: list[tuple[int, int]]  # first and last position that each "without" governs
    # For each character 1 if it ends a clause, a sentence, or an item of a list. In a text without
    # ``、`` commas separate the items of lists, as many data vendors write them; elsewhere they end
    # a clause. Of a text without words of segments, as most are, only the clauses are there.
    clauses: bytearray
    sentences: bytearray
    breaks: bytearray
    # For each character 1 if it is neither a break, nor Latin, nor part of a verb or of a word
    # without meaning of its own; if it is part of a verb; or of a word that may stand between a
    # product and what it is for.
    nouns: bytearray
    verbs: bytearray
    soft: bytearray

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.cased = "\n" + in_nfkc(text).replace("\n", " ") + "\n"
        self.lower = self.cased.lower()
        self._hits = vocabulary.products.find(self.lower)
        self.words = _segment_words(self._hits, vocabulary.meanings) if self._hits else []

    def lay_out(self) -> None:
        """Find the cues, and what each character is."""
        lower = self.lower
        codes = bytearray(codecs.charmap_encode(lower.replace("?", "!"), "replace", _CODEC)[0])
        for inside in _INSIDE_LATIN.finditer(lower):
            codes[inside.start()] = _OTHER
        self.clauses = codes.translate(_CLAUSES if "、" in lower else _CLAUSES_OF_LISTS)
        self._find_cues()
        if self.words:
            self.sentences = codes.translate(_SENTENCES)
            self._bits = bits = codes.translate(_WHAT)
            self._stamp_cues()
            self.breaks = bits.translate(_IS_BREAK)
            self.verbs = bits.translate(_IS_VERB)
            self.soft = bits.translate(_IS_SOFT)
            self.nouns = self._find_nouns()

    def content_items(self) -> list[int]:
        """Return how many items that say something stand ahead of each item, and at last in all.

        The item of a character is its number of breaks up to there.
        """
        letters = self._bits.translate(_IS_BREAK, _SAYS_NOTHING).split(b"\1")
        # A single character that is left over says nothing.
        content = [len(item) > 1 for item in letters]
        for _, begin, _ in self.groups.get("formula", ()):
            content[self.breaks.count(1, 0, begin + 1)] = False
        return [0, *accumulate(content)]

    def cues_of(self, *groups: str) -> list[Hit]:
        """Return the cues of some groups, each by rising begin."""
        return [cue for group in groups if group in self.groups for cue in self.groups[group]]

    def next_cue(self, group: str, position: int) -> Hit:
        """Return the first cue of a group at or after a position, or one at `NOWHERE`."""
        cues = self.groups.get(group)
        if not cues or cues[-1][1] < position:
            return _NO_CUE
        return cues[bisect_left(cues, position, key=BEGIN)]

    def joint(self, place: int) -> bool:
        """Is the character part of a connective?"""
        return bool(self._bits[place] & JOINT)

    def negated(self, position: int) -> bool:
        """Does "without" govern a position: 不含生产加工?"""
        at = bisect_right(self.negations, (position, NOWHERE)) - 1
        return at >= 0 and position <= self.negations[at][1]

    def _find_negations(self, cues: Sequence[Hit]) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        for _, _, end in cues:
            last = end + SCOPE_REACH
            close = self.lower.find(")", end + 1, last)
            if close >= 0:
                last = close
            stop = self.clauses.find(1, end, last + 1)
            if stop >= 0:
                last = stop - 1
            if spans:
                spans[-1] = spans[-1][0], min(spans[-1][1], end - 1)
            spans.append((end, last))
        return spans

    def in_scope(self, opening: int, position: int) -> bool:
        """Reaches a phrase that ends at ``opening`` as far as a position, within its clause?"""
        if opening < 0 or position - opening > SCOPE_REACH:
            return False
        return self.clauses.find(1, opening, position + 1) < 0

    def _find_cues(self) -> None:
        vocabulary = self.vocabulary
        in_words = bytearray(len(self.lower))
        for _, begin, end in self._hits:
            in_words[begin:end] = b"\1" * (end - begin)
        cues: list[Hit] = []
        add, singles = cues.append, vocabulary.singles
        last_begin = last_end = -1
        for hit in vocabulary.cues.find(self.lower):
            number, begin, end = hit
            if number >= singles and in_words[begin]:
                continue
            # Hits come by rising end, so that what begins no earlier than a later one is within it.
            if begin <= last_begin:
                while cues and cues[-1][1] >= begin:
                    cues.pop()
            elif end == last_end:
                continue
            add(hit)
            last_begin, last_end = begin, end
        self.cues = cues
        self.begins = [begin for _, begin, _ in cues]
        groups: defaultdict[str, list[Hit]] = defaultdict(list)
        group_of = vocabulary.groups
        for hit in cues:
            groups[group_of[hit[0]]].append(hit)
        self.groups = groups
        self.negations = self._find_negations(groups["negation"]) if "negation" in groups else []

    def _stamp_cues(self) -> None:
        bits, stamps, reach = self._bits, self.vocabulary.stamps, 0
        for number, begin, end in self.cues:
            stamp = stamps[number]
            if stamp:
                if begin < reach:
                    for place in range(begin, end):
                        bits[place] |= stamp[0]
                else:
                    bits[begin:end] = stamp
            reach = end
        long = [hit for hit in self.groups.get("connective", ()) if hit[2] - hit[1] > 1]
        if long:
            # 以及 may reach into the name of a product, which it does not part.
            named = {place for begin, end, _, _ in self.words for place in range(begin, end)}
            for _, begin, end in long:
                for place in named.intersection(range(begin, end)):
                    bits[place] &= ~BREAK

    def _find_nouns(self) -> bytearray:
        bits, nouns = self._bits, self._bits.translate(_IS_NOUN)
        # A suffix that a noun follows is part of it: 显示屏 + 管 is nothing new, 锂电池 + 管理 is.
        for _, begin, end in self.groups.get("suffix", ()):
            for place in range(begin, end):
                if nouns[place + 1] and not bits[place] & _NO_NOUN:
                    nouns[place] = 1
        return nouns

    def ends_of_words(self) -> list[int]:
        """Return where what follows each word begins.

        Words of one segment that overlap or touch end together ("LED照明" and "照明灯具" in
        "LED照明灯具"), and a remark in brackets is skipped ("智能手机(含折叠屏手机)中框": both
        belong to 中框).
        """
        ends = [0] * len(self.words)
        following: dict[int, tuple[int, int]] = {}
        for number in range(len(ends) - 1, -1, -1):
            begin, end, _, (segment, _, _) = self.words[number]
            next_begin, run_end = following.get(segment, (NOWHERE, 0))
            if next_begin > end:
                run_end = end
            ends[number] = run_end
            following[segment] = begin, run_end
        return [self._beyond_remark(end) for end in ends]

    def _beyond_remark(self, end: int) -> int:
        lower = self.lower
        if lower[end] == ")":
            return end + 1
        if lower[end] != "(":
            return end
        close = lower.find(")", end, end + SCOPE_REACH + 1)
        remark = close >= 0 and self.sentences.find(1, end + 1, close + 1) < 0
        return close + 1 if remark else end


def last_end(cues: Sequence[Hit], position: int) -> int:
    """Return where the last of some cues up to a position ends, -1 if there is none."""
    at = bisect_left(cues, position, key=BEGIN) - 1
    while at >= 0 and cues[at][2] > position:
        at -= 1
    return cues[at][2] if at >= 0 else -1


def _segment_words(hits: Sequence[Hit], meanings: Sequence[Sequence[Meaning]]) -> list[Word]:
    layers: dict[int, list[Word]] = {}
    for number, begin, end in hits:
        for meaning in meanings[number]:
            outer = layers.setdefault(meaning.segment, [])
            if outer and outer[-1][1] == end and outer[-1][0] < begin:
                continue
            while outer and outer[-1][0] >= begin:
                outer.pop()
            outer.append((begin, end, number, meaning))
    words: list[Word] = []
    for outer in layers.values():
        silent = [word[3].kind is _EXCLUDE for word in outer]
        if not any(silent):
            words += outer
            continue
        for at, word in enumerate(outer):
            before = at > 0 and silent[at - 1] and word[0] < outer[at - 1][1]
            behind = at + 1 < len(outer) and silent[at + 1] and outer[at + 1][0] < word[1]
            if not (silent[at] or before or behind):
                words.append(word)
    words.sort(key=_place)
    return words


def _place(word: Word) -> tuple[int, int]:
    return word[0], word[3].segment


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
        and of those that end one, as in "锂电池的生产". What is not done (不含生产加工) counts for
        nothing.
    """

    def __init__(self, text: BusinessText) -> None:
        self._text = text
        self._cues = sorted(text.cues_of(*VERBS), key=BEGIN)
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
        text, reach = self._text, JOINED
        if text.sentences.find(1, end, begin + 1) >= 0:
            return True
        if begin - end > reach and text.breaks[end] and text.breaks[begin - 1]:
            # "研发、印制、生产": a verb that is not known, between two that are.
            at = bisect_left(text.words, (end,))
            reach += 2 * (at == bisect_left(text.words, (begin,)))
        return begin - end > reach
