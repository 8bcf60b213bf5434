"""The words to look for in business texts: a city's products, and the cue words around them."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, NamedTuple

from ahocorasick_rs import AhoCorasick

from leadscore.city.profile import Segment, Use
from leadscore.files import shipped

# Groups of nouns that end a compound and make something else of the product before them.
HEADS: Final = ("equipment", "materials", "parts", "software")
VERBS: Final = ("making", "developing", "designing", "building", "trading", "serving")
GROUPS: Final = (
    *HEADS,
    *("integration", "service", "audience", "fields", "bodies"),
    *VERBS,
    *("application", "supplied", "uses", "past", "negation", "exception", "recipient", "providing"),
    *("connective", "and_others", "meant_for", "plant", "possessive", "filler", "suffix", "intro"),
    *("formula", "intact"),
)
"""Every list of cue words in ``lexicon.toml``; what each is for is said there, beside it."""

_ABOUT: Final = 0.3  # from this share of products that end with such nouns on it is about them
LATIN: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")

BREAK, ROMAN, VERB, PLAIN, SILENT, SOFT, SUFFIX, JOINT = (1 << bit for bit in range(8))
"""What a character of a text is, as bits: it ends an item, it is Latin, it is part of a cue."""
_BITS_OF: Final[dict[str, int]] = {
    # Verbs and words without meaning of their own are no nouns.
    **dict.fromkeys(VERBS, VERB | SILENT),
    **dict.fromkeys(("possessive", "and_others", "audience", "fields", "recipient"), PLAIN),
    **dict.fromkeys(("providing", "application", "supplied", "uses", "past", "intact"), PLAIN),
    **dict.fromkeys(("negation", "exception"), PLAIN),
    # An item that is made of silent words only says nothing of a business.
    "intro": PLAIN | SILENT,
    "formula": SILENT,
    # Soft words may stand between a product and what it is for: 锂电池产品用铜箔.
    "filler": PLAIN | SILENT | SOFT,
    "suffix": SUFFIX | SILENT | SOFT,
    "plant": SOFT,
    # 和 and 及 part the items that they join.
    "connective": PLAIN | JOINT | BREAK,
}

Hit = tuple[int, int, int]
"""Number of a word, and where it begins and ends in a text."""


def in_nfkc(text: str) -> str:
    """Return ``text`` in NFKC, without the one letter whose lower case is longer than itself: İ.

    Nearly all that NFKC changes in Chinese business texts is full-width punctuation. Once that is
    replaced, most texts are known to be in NFKC at a glance: ten times as quick.
    """
    if not unicodedata.is_normalized("NFKC", text):
        for wide, narrow in _WIDE:
            text = text.replace(wide, narrow)
        text = unicodedata.normalize("NFKC", text)
    return text.replace("İ", "I")


_WIDE: Final = [(wide, unicodedata.normalize("NFKC", wide)) for wide in "，；：（）？！％"]


def normal_form(text: str) -> str:
    """Return ``text`` as it is matched: NFKC, lower case, as long as its NFKC form.

    >>> normal_form("ＬＥＤ（发光二极管）")
    'led(发光二极管)'
    """
    return in_nfkc(text).lower()


Lexicon = Mapping[str, tuple[str, ...]]
"""Cue words, in normal form, that tell a maker from a supplier, a trader or a mere mention, for any
city: of each group of `GROUPS`, and no word in two of them."""


def load_lexicon() -> Lexicon:
    """Read the shipped cue words.

    Raises ValueError if a group is missing or unknown, or a word stands in two groups.
    """
    path = shipped("lexicon.toml")
    with path.open("rb") as file:
        tables = tomllib.load(file)
    groups = {
        name: tuple(normal_form(word) for word in words)
        for table in tables.values()
        for name, words in table.items()
    }
    if set(groups) != set(GROUPS):
        raise ValueError(f"{path}: groups missing or unknown: {set(groups) ^ set(GROUPS)}")
    owner: dict[str, str] = {}
    for name, words in groups.items():
        for word in words:
            if owner.setdefault(word, name) != name:
                raise ValueError(f"{path}: {word} stands in {owner[word]} and in {name}")
    return groups


class Kind(IntEnum):
    """What a word of the profile is to its segment."""

    MAKES = 0
    HINT = 1
    EXCLUDE = 2


class Meaning(NamedTuple):
    """What a word of the profile means for one segment."""

    segment: int  # position of the segment in `Vocabulary.segments`
    kind: Kind
    supply: str | None
    """``materials`` or ``equipment`` for the words that the profile lists as such, ``material`` for
    others that end like one (偏光片) in a segment that is not about materials."""


@dataclass(frozen=True, slots=True)
class WordList:
    """Words in normal form, each once, and the automaton that finds them all in one pass.

    May be pickled and copied; the automaton is built anew on first use.
    """

    words: tuple[str, ...]
    _latin: dict[int, tuple[bool, bool]] = field(init=False, repr=False, compare=False)
    _built: list[AhoCorasick] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Note the words that begin or end with a Latin letter or a digit."""
        edges = {
            number: (word[0] in LATIN, word[-1] in LATIN) for number, word in enumerate(self.words)
        }
        object.__setattr__(self, "_latin", {n: edge for n, edge in edges.items() if any(edge)})

    def find(self, lower: str) -> list[Hit]:
        """Return all words in a text, by rising end, overlapping ones too.

        A Latin word must stand free: not the led in oled. The text must begin and end with a
        character that is none of `LATIN`.
        """
        if not self._built:
            # Two threads that ask first build it twice, and either may be kept.
            self._built.append(AhoCorasick(list(self.words), store_patterns=False))
        hits: list[Hit] = self._built[0].find_matches_as_indexes(lower, overlapping=True)
        latin = self._latin
        if not hits or not latin:
            return hits
        return [hit for hit in hits if hit[0] not in latin or self._free(lower, *hit)]

    def _free(self, lower: str, number: int, begin: int, end: int) -> bool:
        first, last = self._latin[number]
        return not (first and lower[begin - 1] in LATIN) and not (last and lower[end] in LATIN)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the automaton behind: it can't be pickled."""
        return WordList, (self.words,)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a city's segments, and the cue words.

    They are looked for apart: a text without any word of a segment, as most are, is never searched
    for cues.
    """

    segments: tuple[str, ...]  # ids
    products: WordList  # the words of all segments
    meanings: tuple[tuple[Meaning, ...], ...]  # of each; one word may serve several segments
    cues: WordList
    groups: tuple[str, ...]  # the one of `GROUPS` to which each cue belongs
    singles: int  # from this cue on they have a single character
    stamps: tuple[bytes, ...]  # what each cue makes of its characters, a byte of bits for each
    # For each group of `HEADS` and each segment whether that is what the segment is about: the many
    # 材料 and 膜 of a segment of materials are its products, not materials for them.
    about: dict[str, tuple[bool, ...]]
    # Pairs of a segment and a noun that names no mere supply in it: 芯片 in one whose words hold
    # both 传感器 and 传感器芯片.
    own_heads: frozenset[tuple[int, str]]
    uses: tuple[tuple[Use, ...], ...]  # of each segment: what its products are wanted for
    _known: frozenset[str]

    def is_compound(self, first: int, second: int) -> bool:
        """Do two products, one behind the other, make a third: 手机 and 摄像头?"""
        words = self.products.words
        return words[first] + words[second] in self._known


def compile_words(segments: Mapping[str, Segment], lexicon: Lexicon) -> Vocabulary:
    """Compile the words of all segments and the cue words."""
    cues = {word: group for group in GROUPS for word in lexicon[group] if len(word) > 1}
    singles = len(cues)
    cues |= {word: group for group in GROUPS for word in lexicon[group] if len(word) == 1}
    about = {head: _about(segments, lexicon[head]) for head in HEADS}
    meanings: dict[str, list[Meaning]] = {}
    for position, segment in enumerate(segments.values()):
        for word, (kind, supply) in _own_words(segment).items():
            if word.endswith(lexicon["materials"]) and not about["materials"][position]:
                supply = supply or "material"
            meanings.setdefault(word, []).append(Meaning(position, kind, supply))
    bits = ((word, _BITS_OF.get(group)) for word, group in cues.items())
    return Vocabulary(
        segments=tuple(segments), products=WordList(tuple(meanings)),
        meanings=tuple(map(tuple, meanings.values())), cues=WordList(tuple(cues)),
        groups=tuple(cues.values()), singles=singles,
        stamps=tuple(bytes([stamp]) * len(word) if stamp else b"" for word, stamp in bits),
        about=about, own_heads=_own_heads(segments, lexicon),
        uses=tuple(segment.uses for segment in segments.values()), _known=frozenset(meanings),
    )  # fmt: skip


def _own_words(segment: Segment) -> dict[str, tuple[Kind, str | None]]:
    kinds: dict[str, tuple[Kind, str | None]] = {}
    for kind, supply, words in (
        (Kind.EXCLUDE, None, segment.excludes), (Kind.MAKES, "materials", segment.materials),
        (Kind.MAKES, "equipment", segment.equipment), (Kind.MAKES, None, segment.makes),
        (Kind.HINT, None, segment.hints),
    ):  # fmt: skip
        for word in filter(None, map(normal_form, words)):
            kinds.setdefault(word, (kind, supply))
    return kinds


def _about(segments: Mapping[str, Segment], heads: tuple[str, ...]) -> tuple[bool, ...]:
    ends = [[normal_form(w).endswith(heads) for w in s.makes] for s in segments.values()]
    return tuple(sum(found) >= _ABOUT * len(found) for found in ends)


def _own_heads(segments: Mapping[str, Segment], lexicon: Lexicon) -> frozenset[tuple[int, str]]:
    nouns = [*lexicon["materials"], *lexicon["parts"]]
    pairs = []
    for position, segment in enumerate(segments.values()):
        own = {normal_form(word) for word in (*segment.makes, *segment.hints)}
        pairs += [(position, noun) for word in own for noun in nouns if word + noun in own]
    return frozenset(pairs)
