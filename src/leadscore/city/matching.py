"""Business text and industry class of firms -> the segments that each works in, and as what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from leadscore.city.arrays import BoolArray, IntArray
from leadscore.city.context import Context
from leadscore.city.deeds import TRADING, text_deeds
from leadscore.city.document import Document, join_texts
from leadscore.city.evidence import quoted_words
from leadscore.city.industry import CLASS_COLUMNS, IndustryWitness
from leadscore.city.lexicon import Lexicon, load_lexicon
from leadscore.city.mentions import Mentions, find_mentions
from leadscore.city.one_firm import FirmReader
from leadscore.city.profile import City
from leadscore.city.purposes import Purposes
from leadscore.city.roles import Tie, in_a_field, tie_by_name, tie_of_each
from leadscore.city.strength import (
    Judged,
    Strengths,
    Texts,
    Weights,
    firm_strengths,
    mention_weights,
)
from leadscore.city.vocabulary import Kind, compile_words
from leadscore.city.witnesses import Found, join_witnesses, matches_table

CHUNK_CHARACTERS: Final = 1_000_000
"""How much text is matched at once: memory is bounded by it, not by the list."""


MANY: Final = 12
"""From so many firms on, whole arrays are quicker than one firm after the other."""


@dataclass(frozen=True)
class Matches:
    """What was matched.

    Attributes
    ----------
    table
        One row per firm and segment, by rising ``firm``, then falling ``strength``, then
        ``segment``. Columns: ``firm``, position in the list handed in; ``segment``, its id;
        ``role``, one of `ROLES`; ``strength``, `NOISE`..1, about 1 for a firm whose main
        business this is, 0.3 for a side product, at most 0.5 for one that only supplies those
        who make it (see `Weights`); ``words``, the firm's own words that were found, joined by
        ``、`` (the industry class where no text speaks); ``witness``, ``text``, ``industry``
        or ``both``.
    """

    table: pd.DataFrame


class Matcher:
    """Matches lists of firms against a city's segments.

    May be pickled and copied, and serves several threads at once.

    Parameters
    ----------
    city
        The profile whose segments' words are looked for.
    lexicon
        Cue words; those shipped unless given.
    weights
        Constants of the strength.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> lamps = SimpleNamespace(makes=("灯具",), hints=(), excludes=(), industry=())
    >>> matcher = Matcher(SimpleNamespace(segments={"light.lamps": lamps}))
    >>> firms = pd.DataFrame({"main_business": ["灯具的研发、生产", "灯具生产设备", "灯具批发"]})
    >>> matcher.match(firms).table[["firm", "role", "words"]].values.tolist()
    [[0, 'maker', '灯具'], [1, 'equipment', '灯具'], [2, 'trade', '灯具']]
    """

    def __init__(
        self, city: City, *, lexicon: Lexicon | None = None, weights: Weights | None = None
    ) -> None:
        self._vocabulary = compile_words(city.segments, lexicon or load_lexicon())
        self._industry = IndustryWitness(city.segments)
        self._weights = weights or Weights()
        self._reader = FirmReader(self._vocabulary, self._weights)

    def match(self, firms: pd.DataFrame) -> Matches:
        """Match a list.

        Parameters
        ----------
        firms
            One row per firm, any index. The text columns of `TEXT_COLUMNS` and the class columns
            of `CLASS_COLUMNS` are read where they are there; missing values say nothing.

        Returns
        -------
        Matches
            Never depends on the other firms of the list, nor on their order.
        """
        names = [*self._weights.columns, *CLASS_COLUMNS]
        return Matches(
            matches_table(
                self.find(
                    {name: _values(firms[name]) for name in names if name in firms.columns},
                    len(firms),
                )
            )
        )

    def find(self, columns: Mapping[str, Sequence[str | None]], firms: int) -> Found:
        """Match a list that is given as plain columns; see `match`.

        Parameters
        ----------
        columns
            Values of each firm, None where missing; absent columns say nothing.
        firms
            How many firms there are.
        """
        texts = {name: columns[name] for name in self._weights.columns if name in columns}
        if firms < MANY:
            found, words = self.one_by_one(texts, firms)
        else:
            found, words = self.together(texts, firms)
        classes = self._industry.speaks_for(columns)
        return join_witnesses(self._vocabulary.segments, found, words, classes)

    def one_by_one(
        self, texts: Mapping[str, Sequence[str | None]], firms: int
    ) -> tuple[Strengths, list[str]]:
        """Match firms without arrays: quicker for a few, and the same to the last bit."""
        found = []
        for firm in range(firms):
            own = {name: text for name, of in texts.items() if (text := of[firm]) is not None}
            found += [(firm, *each) for each in self._reader.strengths(own)]
        firm_, segment, role, strength, words = zip(*found, strict=True) if found else [()] * 5
        return Strengths(
            firm=np.array(firm_, dtype=np.int64),
            segment=np.array(segment, dtype=np.int64),
            role=np.array(role, dtype=np.int64),
            strength=np.array(strength, dtype=np.float64),
        ), list(words)

    def together(
        self, texts: Mapping[str, Sequence[str | None]], firms: int
    ) -> tuple[Strengths, list[str]]:
        """Match firms by whole arrays."""
        pieces = [self._match_chunk(texts, rows) for rows in _chunks(texts, firms)]
        found = _laidtogether([piece for piece, _ in pieces])
        return found, [word for _, quoted in pieces for word in quoted]

    def _match_chunk(
        self, texts: Mapping[str, Sequence[str | None]], rows: range
    ) -> tuple[Strengths, list[str]]:
        """Match some rows; also return the words that each entry rests on."""
        joined, owners = self._texts_of(texts, rows)
        document = join_texts(joined)
        mentions = find_mentions(document, self._vocabulary)
        about = {h: found[mentions.segment] for h, found in self._vocabulary.about.items()}
        judged, items = _judge(document, mentions, owners, about)
        strengths = firm_strengths(judged, items, owners, self._weights)
        weight = mention_weights(judged, self._weights) * self._weights.reach_of(judged.tie)
        width = len(self._vocabulary.segments)
        pair = strengths.firm * width + strengths.segment
        owner = np.searchsorted(pair, owners.firm[judged.text] * width + judged.segment)
        owner[weight == 0] = -1
        return strengths, quoted_words(document, mentions, owner, weight, len(pair))

    def _texts_of(
        self, texts: Mapping[str, Sequence[str | None]], rows: range
    ) -> tuple[list[str], Texts]:
        """Return all texts of some rows, and whose they are."""
        found = [
            (text, row, name)
            for name, values in texts.items()
            for row in rows
            if (text := values[row]) is not None
        ]
        columns = [name for _, _, name in found]
        return [text for text, _, _ in found], Texts(
            firm=np.array([row for _, row, _ in found], dtype=np.int64),
            belief=np.array([self._weights.columns[name] for name in columns], dtype=np.float64),
            say=np.array([self._weights.say[name] for name in columns], dtype=np.float64),
            name=np.array([name == "name" for name in columns], dtype=np.bool_),
        )


def _values(column: pd.Series) -> list[str | None]:
    present = column.notna().to_numpy(dtype=bool)
    return [
        str(value) if known else None
        for value, known in zip(column.astype(object), present, strict=True)
    ]


def _chunks(texts: Mapping[str, Sequence[str | None]], firms: int) -> Iterator[range]:
    begin, length = 0, 0
    for row in range(firms):
        length += 1 + sum(len(values[row] or "") for values in texts.values())
        if length > CHUNK_CHARACTERS:
            yield range(begin, row + 1)
            begin, length = row + 1, 0
    if begin < firms:
        yield range(begin, firms)


def _judge(
    document: Document, mentions: Mentions, owners: Texts, about: Mapping[str, BoolArray]
) -> tuple[Judged, IntArray]:
    """Judge all mentions of a document; also return the number of items of each text."""
    context = Purposes(document, mentions)
    ahead, items = context.content_items()
    text = document.text_at(mentions.begin)
    tie = tie_of_each(context, mentions.material, about)
    field = in_a_field(context)
    named = owners.name[text] & (tie == Tie.MAKER)
    done, of_name = _deeds_of_firms(context, owners)
    tie[named] = tie_by_name(done[text[named]])
    tie[named & field] = Tie.FIELD
    tie[(tie == Tie.DESIGN) & (of_name[text] & TRADING > 0)] = Tie.TRADE
    judged = Judged(
        text=text,
        segment=mentions.segment,
        # Who names the plants of a product means it, however weak the word: 电池厂用涂布机.
        hint=(mentions.kind == Kind.HINT) & ~context.at_plant(),
        tie=tie,
        in_field=field,
        item=context.item[mentions.begin],
        ahead=ahead,
    )
    return judged, items


def _deeds_of_firms(context: Context, owners: Texts) -> tuple[IntArray, IntArray]:
    """Return for each text the bits of what the texts of its firm say it does, and of its name."""
    _, firm = np.unique(owners.firm, return_inverse=True)
    deeds = text_deeds(context)
    done, of_name = np.zeros((2, len(firm)), dtype=np.int64)
    for bits, chosen in ((done, ~owners.name), (of_name, owners.name)):
        np.bitwise_or.at(bits, firm[chosen], deeds[chosen])
    return done[firm], of_name[firm]


def _laidtogether(pieces: list[Strengths]) -> Strengths:
    """Lay chunk after chunk; no firm lies in two."""
    none = np.zeros(0, dtype=np.int64)
    return Strengths(
        firm=np.concatenate([none, *(piece.firm for piece in pieces)]),
        segment=np.concatenate([none, *(piece.segment for piece in pieces)]),
        role=np.concatenate([none, *(piece.role for piece in pieces)]),
        strength=np.concatenate([np.zeros(0), *(piece.strength for piece in pieces)]),
    )
