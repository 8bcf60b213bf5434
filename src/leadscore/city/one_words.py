"""What is looked for in the texts of one firm, and what is found, as plain lists and sets."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from leadscore.city.lexicon import GROUPS
from leadscore.city.spans import NOWHERE
from leadscore.city.vocabulary import Vocabulary


class Meaning(NamedTuple):
    """What one pattern of the vocabulary means; see `Vocabulary`."""

    segment: int
    kind: int
    material: bool


@dataclass(frozen=True, slots=True)
class WordBook:
    """A vocabulary as plain lists and sets, which are quicker to ask one thing than arrays."""

    meanings: list[list[Meaning]]
    latin_start: list[bool]
    latin_end: list[bool]
    single: dict[str, str]
    singles: re.Pattern[str]
    about: dict[str, list[bool]]
    own_heads: frozenset[int]
    compounds: frozenset[int]

    @classmethod
    def of(cls, words: Vocabulary) -> WordBook:
        """Lay out a vocabulary."""
        flat = list(
            map(
                Meaning,
                words.segment.tolist(),
                words.kind.tolist(),
                words.material.tolist(),
            )
        )
        single = {
            chr(code): GROUPS[group]
            for code, group in enumerate(words.single.tolist())
            if group >= 0
        }
        edges = zip(words.first.tolist(), words.count.tolist(), strict=True)
        return cls(
            meanings=[flat[first : first + count] for first, count in edges],
            latin_start=words.latin_start.tolist(),
            latin_end=words.latin_end.tolist(),
            single=single,
            singles=re.compile("[" + re.escape("".join(single)) + "]" if single else "(?!)"),
            about={head: found.tolist() for head, found in words.about.items()},
            own_heads=frozenset(words.own_heads.tolist()),
            compounds=frozenset(words.compounds.tolist()),
        )


class Cues:
    """Places of the words of one group, or of several; see `leadscore.city.spans.Spans`."""

    __slots__ = ("begin", "end")

    def __init__(self, begin: Sequence[int] = (), end: Sequence[int] = ()) -> None:
        self.begin, self.end = begin, end

    def next_begin(self, position: int) -> int:
        """Return where the first one at or after a position begins, or `NOWHERE`."""
        at = bisect_left(self.begin, position)
        return self.begin[at] if at < len(self.begin) else NOWHERE

    def next_end(self, position: int) -> int:
        """Return where that first one ends, or `NOWHERE`."""
        at = bisect_left(self.begin, position)
        return self.end[at] if at < len(self.end) else NOWHERE

    def last_end(self, position: int) -> int:
        """Return where the last one up to a position ends, or `-NOWHERE`."""
        at = bisect_right(self.end, position)
        return self.end[at - 1] if at else -NOWHERE


NO_CUES: Final = Cues()


class Mention(NamedTuple):
    """One word of a segment in the texts; see `leadscore.city.mentions.Mentions`.

    ``after`` is where what follows it begins, as `leadscore.city.context.Context.end` has it.
    """

    number: int
    begin: int
    end: int
    after: int
    segment: int
    kind: int
    word: int
    material: bool
    own_head: bool


Hit = tuple[int, int, int, Meaning]
"""Begin, end, pattern and one meaning of a word that was found."""


def outermost_hits(hits: Sequence[Hit]) -> list[Hit]:
    """Return, by place, the hits that do not lie within another one."""
    kept, reach = [], -1
    for hit in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if hit[1] > reach:
            kept.append(hit)
            reach = hit[1]
    return kept
