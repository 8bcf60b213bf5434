"""Business text and industry class of a list of firms -> the segments each works in, and as what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from leadscore.city.context import Context
from leadscore.city.document import Document, join_texts
from leadscore.city.evidence import quoted_words
from leadscore.city.industry import IndustryWitness
from leadscore.city.lexicon import Lexicon, load_lexicon
from leadscore.city.mentions import Mentions, find_mentions
from leadscore.city.roles import in_a_field, tie_of_each
from leadscore.city.strength import (
    FloatArray,
    Judged,
    Strengths,
    Weights,
    firm_strengths,
    mention_weight,
)
from leadscore.city.values import ROLES
from leadscore.city.vocabulary import IntArray, Kind, compile_words

if TYPE_CHECKING:
    from leadscore.city.profile import City

NOISE: Final = 0.05
"""Matches weaker than this are dropped."""
INDUSTRY_ALONE: Final = 0.3
"""Strength of a match that only the industry class speaks for; it joins text as a second witness."""
_ROLES: Final = np.asarray(ROLES, dtype=object)
_WITNESS: Final = np.asarray(["", "text", "industry", "both"], dtype=object)
CHUNK_CHARACTERS: Final = 1_000_000
"""How much text is matched at once; memory is bounded by it."""


@dataclass(frozen=True)
class Matches:
    """What was matched.

    Attributes
    ----------
    table
        One row per firm and segment, by rising ``firm``, then falling ``strength``, then
        ``segment``. Columns: ``firm``, position in the list handed in; ``segment``, its id;
        ``role``, one of `ROLES`; ``strength``, `NOISE`..1, about 1 for a firm whose main
        business this is, 0.3 for a side product, at most 0.45 for one who supplies those who
        make it; ``words``, the firm's own words that were found, joined by ``、`` (the industry
        class where no text speaks); ``witness``, ``text``, ``industry`` or ``both``.
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
    """

    def __init__(
        self, city: City, *, lexicon: Lexicon | None = None, weights: Weights | None = None
    ) -> None:
        self._vocabulary = compile_words(city.segments, lexicon or load_lexicon())
        self._industry = IndustryWitness(city.segments)
        self._weights = weights or Weights()
        self._names = np.asarray(self._vocabulary.segments, dtype=object)
        self._rank = np.argsort(np.argsort(self._names))

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
        pieces = [self._match_texts(firms, rows) for rows in self._chunks(firms)]
        found = _joined([piece for piece, _ in pieces])
        words = [word for _, quoted in pieces for word in quoted]
        return Matches(self._table(found, words, *self._industry.speaks_for(firms)))

    def _chunks(self, firms: pd.DataFrame) -> Iterator[slice]:
        length = np.ones(len(firms), dtype=np.int64)
        for column in self._columns(firms):
            length += firms[column].str.len().fillna(0).to_numpy(dtype=np.int64)
        chunk = (np.cumsum(length) - length) // CHUNK_CHARACTERS
        edges = np.flatnonzero(np.append(True, chunk[1:] != chunk[:-1])) if len(firms) else []
        for begin, end in zip(edges, [*edges[1:], len(firms)], strict=True):
            yield slice(int(begin), int(end))

    def _columns(self, firms: pd.DataFrame) -> list[str]:
        return [column for column in self._weights.columns if column in firms.columns]

    def _match_texts(self, firms: pd.DataFrame, rows: slice) -> tuple[Strengths, list[str]]:
        texts, firm, belief = self._texts(firms, rows)
        document = join_texts(texts)
        mentions = find_mentions(document, self._vocabulary)
        judged, items = _judge(document, mentions)
        strengths = firm_strengths(judged, items, firm, belief, self._weights)
        weight = mention_weight(judged, self._weights) * np.asarray(self._weights.reach)[judged.tie]
        pair = strengths.firm * len(self._vocabulary.segments) + strengths.segment
        mine = firm[judged.text] * len(self._vocabulary.segments) + judged.segment
        owner = np.where(weight > 0, np.searchsorted(pair, mine), -1)
        return strengths, quoted_words(document, mentions.spans, owner, weight, len(pair))

    def _texts(
        self, firms: pd.DataFrame, rows: slice
    ) -> tuple[list[str], IntArray, FloatArray]:
        """Return all texts of some rows, the firm of each, and the belief in its column."""
        texts: list[str] = []
        firm: list[IntArray] = [np.zeros(0, dtype=np.int64)]
        belief: list[FloatArray] = [np.zeros(0)]
        for column in self._columns(firms):
            values = firms[column].iloc[rows]
            present = np.flatnonzero(values.notna().to_numpy())
            texts += values.iloc[present].tolist()
            firm.append(present + rows.start)
            belief.append(np.full(len(present), self._weights.columns[column]))
        return texts, np.concatenate(firm), np.concatenate(belief)

    def _table(
        self,
        found: Strengths,
        words: list[str],
        firm: IntArray,
        segment: IntArray,
        classes: list[str],
    ) -> pd.DataFrame:
        """Join both witnesses and leave out noise."""
        count = len(self._vocabulary.segments)
        text, industry = found.firm * count + found.segment, firm * count + segment
        pair = np.union1d(text, industry)
        said, classed = np.searchsorted(pair, text), np.searchsorted(pair, industry)
        doubt, role = np.ones(len(pair)), np.zeros(len(pair), dtype=np.int64)
        witness, quoted = np.zeros(len(pair), dtype=np.int64), np.empty(len(pair), dtype=object)
        doubt[said], role[said] = 1.0 - found.strength, found.role
        doubt[classed] *= 1.0 - INDUSTRY_ALONE
        witness[said] += 1
        witness[classed] += 2
        quoted[classed] = classes
        quoted[said] = words
        kept = np.flatnonzero(1.0 - doubt >= NOISE)
        order = kept[np.lexsort((self._rank[pair[kept] % count], doubt[kept], pair[kept] // count))]
        return pd.DataFrame(
            {
                "firm": pair[order] // count,
                "segment": pd.array(self._names[pair[order] % count], dtype="str"),
                "role": pd.array(_ROLES[role[order]], dtype="str"),
                "strength": 1.0 - doubt[order],
                "words": pd.array(quoted[order], dtype="str"),
                "witness": pd.array(_WITNESS[witness[order]], dtype="str"),
            }
        )


def _judge(document: Document, mentions: Mentions) -> tuple[Judged, IntArray]:
    """Judge all mentions of a document; also return the number of items of each text."""
    context = Context(document, mentions)
    before, items = context.content_items()
    judged = Judged(
        text=document.text_at(mentions.spans.begin),
        segment=mentions.segment,
        hint=(mentions.kind == Kind.HINT).astype(np.int64),
        tie=tie_of_each(context, mentions.material).astype(np.int64),
        field=in_a_field(context).astype(np.int64),
        item=context.item[mentions.spans.begin],
        before=before,
    )
    return judged, items


def _joined(pieces: list[Strengths]) -> Strengths:
    """Lay chunk after chunk; a firm lies in one chunk only."""
    none = np.zeros(0, dtype=np.int64)
    return Strengths(
        firm=np.concatenate([none, *(p.firm for p in pieces)]),
        segment=np.concatenate([none, *(p.segment for p in pieces)]),
        role=np.concatenate([none, *(p.role for p in pieces)]),
        strength=np.concatenate([np.zeros(0), *(p.strength for p in pieces)]),
    )
