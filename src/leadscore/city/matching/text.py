"""One business text: the products and cue words in it, and how it falls into clauses and items."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Final

from leadscore.city.matching.vocabulary import (
    LATIN,
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

# What a character is, as bits.
_BREAK, _ROMAN, _VERB, _PLAIN, _SILENT, _SOFT, _SUFFIX, _JOINT = (1 << bit for bit in range(8))
_BITS: Final[dict[str, int]] = {
    # Verbs and words without meaning of their own are no nouns.
    **dict.fromkeys(VERBS, _VERB | _SILENT),
    **dict.fromkeys(
        (
            *("possessive", "and_others", "audience", "fields", "recipient", "providing"),
            *("application", "supplied", "uses", "past", "negation", "exception", "intact"),
        ),
        _PLAIN,
    ),
    # An item that is made of silent words only says nothing of a business.
    "intro": _PLAIN | _SILENT,
    "formula": _SILENT,
    # Soft words may stand between a product and what it is for: 锂电池产品用铜箔.
    "filler": _PLAIN | _SILENT | _SOFT,
    "suffix": _SUFFIX | _SILENT | _SOFT,
    "plant": _SOFT,
    # 和 and 及 part the items that they join.
    "connective": _PLAIN | _JOINT | _BREAK,
}


def _coded(characters: Collection[str], bit: int) -> bytes:
    """Return the table that turns the codes of some characters into a bit, others into 0."""
    return bytes(bit * (each in characters) for each in _CODED).ljust(256, b"\0")


def _having(bits: int) -> bytes:
    """Return the table that turns what has one of some bits into 1, all else into 0."""
    return bytes(bool(each & bits) for each in range(256))


_STAMPS: Final = {group: bytes([bits]) for group, bits in _BITS.items()}
_WHAT: Final = bytes(map(int.__or__, _coded(_BREAKS, _BREAK), _coded(LATIN, _ROMAN)))
_CLAUSES: Final = _coded(_ENDS_CLAUSE, 1)
_CLAUSES_OF_LISTS: Final = _coded(_ENDS_CLAUSE - {","}, 1)
_SENTENCES: Final = _coded(_ENDS_SENTENCE, 1)
_IS_BREAK, _IS_VERB, _IS_SOFT = map(_having, (_BREAK, _VERB, _SOFT))
_NO_NOUN: Final = _BREAK | _ROMAN | _VERB | _PLAIN
_IS_NOUN: Final = bytes(not each & (_NO_NOUN | _SUFFIX) for each in range(256))
_SAYS_NOTHING: Final = bytes(each for each in range(256) if each & _SILENT and not each & _BREAK)


Cue = tuple[int, int, str]
"""A cue word in a text: where it begins and ends, and the group of `GROUPS` to which it belongs."""
_NO_CUE: Final[Cue] = (NOWHERE, NOWHERE, "")
Word = tuple[int, int, int, Meaning]
"""A word of a segment in a text: where it begins and ends, its number, and what it means."""


class BusinessText:
    """A text with all that is found in it.

    Parameters
    ----------
    text
        As it stands.
    vocabulary
        What is looked for.

    Attributes
    ----------
    cased, lower
        The text in NFKC and in normal form, equally long, each between two line ends: a place in
        the text is one less than a place here.
    words
        The words of segments and what they mean, by rising begin. Of a segment's own words the
        longest counts; an exclude silences what overlaps with it, unless it lies within a longer
        word. What follows is there after `lay_out` only: most texts have no such words.
    cues
        Cue words by rising begin and end. Whatever their group, the longest counts, and a cue of
        one character counts only outside any longer word.
    begins
        Where each cue begins.
    groups
        The cues of each group that occurs.
    breaks, clauses, sentences
        For each character 1 if it ends an item of a list, a clause, or a sentence. In a text
        without ``、`` commas separate the items of lists, as many data vendors write them;
        elsewhere they end a clause.
    nouns
        For each character 1 if it is neither a break, nor Latin, nor part of a verb or of a word
        without meaning of its own.
    verbs, soft
        For each character 1 if it is part of a verb, or of a word that may stand between a product
        and what it is for.
    """

    __slots__ = (
        *("_bits", "_hits", "begins", "breaks", "cased", "clauses", "cues", "groups", "lower"),
        *("nouns", "sentences", "soft", "verbs", "vocabulary", "words"),
    )

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
        self.sentences = codes.translate(_SENTENCES)
        self._bits = bits = codes.translate(_WHAT)
        self._place_cues()
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
        for begin, _, _ in self.groups.get("formula", ()):
            content[self.breaks.count(1, 0, begin + 1)] = False
        return [0, *accumulate(content)]

    def next_cue(self, group: str, position: int) -> Cue:
        """Return the first cue of a group at or after a position, or one at `NOWHERE`."""
        cues = self.groups.get(group)
        if not cues or cues[-1][0] < position:
            return _NO_CUE
        return cues[bisect_left(cues, (position,))]

    def joint(self, place: int) -> bool:
        """Is the character part of a connective?"""
        return bool(self._bits[place] & _JOINT)

    def negated(self, position: int) -> bool:
        """Does "without" govern a position: 不含生产加工?"""
        opening = last_end(self.groups.get("negation", ()), position)
        if not self.in_scope(opening, position):
            return False
        # A remark in brackets ends what it rules out.
        return self.lower.rfind(")", opening + 1, position) < 0

    def in_scope(self, opening: int, position: int) -> bool:
        """Reaches a phrase that ends at ``opening`` as far as a position, within its clause?"""
        if opening < 0 or position - opening > SCOPE_REACH:
            return False
        return self.clauses.find(1, opening, position + 1) < 0

    def _place_cues(self) -> None:
        vocabulary, bits = self.vocabulary, self._bits
        in_words = {place for _, begin, end in self._hits for place in range(begin, end)}
        kept: list[Hit] = []
        last = reach = -1
        for hit in vocabulary.cues.find(self.lower):
            number, begin, end = hit
            if number >= vocabulary.singles and begin in in_words:
                continue
            # Hits come by rising end, so that what begins no earlier than a later one is within it.
            if begin <= last:
                while kept and kept[-1][1] >= begin:
                    kept.pop()
            elif end == reach:
                continue
            kept.append(hit)
            last, reach = begin, end
        group_of, reach = vocabulary.groups, 0
        self.begins = [begin for _, begin, _ in kept]
        self.cues = [(begin, end, group_of[number]) for number, begin, end in kept]
        self.groups = groups = dict[str, list[Cue]]()
        for cue in self.cues:
            begin, end, group = cue
            if group in groups:
                groups[group].append(cue)
            else:
                groups[group] = [cue]
            if group in _STAMPS:
                if begin < reach or (group == "connective" and end - begin > 1):
                    self._stamp_each(cue)
                else:
                    bits[begin:end] = _STAMPS[group] * (end - begin)
            reach = end

    def _stamp_each(self, cue: Cue) -> None:
        """Mark a cue that overlaps with the one before, or that may reach into a product's name."""
        begin, end, group = cue
        named = {at for first, last, _, _ in self.words for at in range(first, last)}
        for place in range(begin, end):
            # The name of a product is not parted by a connective.
            self._bits[place] |= _BITS[group] & ~(_BREAK if place in named else 0)

    def _find_nouns(self) -> bytearray:
        bits, nouns = self._bits, self._bits.translate(_IS_NOUN)
        # A suffix that a noun follows is part of it: 显示屏 + 管 is nothing new, 锂电池 + 管理 is.
        for begin, end, _ in self.groups.get("suffix", ()):
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


def last_end(cues: Sequence[Cue], position: int) -> int:
    """Return where the last of some cues up to a position ends, -1 if there is none."""
    at = bisect_left(cues, (position,)) - 1
    while at >= 0 and cues[at][1] > position:
        at -= 1
    return cues[at][1] if at >= 0 else -1


def _segment_words(hits: Sequence[Hit], meanings: Sequence[Sequence[Meaning]]) -> list[Word]:
    """Return the words by place: for each segment the longest ones that no exclude reaches into."""
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
