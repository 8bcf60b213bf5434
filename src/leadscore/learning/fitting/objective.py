"""The penalised likelihood of a card, by look-ups and counts and never by a design matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from typing import NamedTuple, Protocol, Self

import numpy as np
from scipy.sparse import csr_array

from leadscore.learning.fitting.blocks import Block
from leadscore.learning.fitting.layout import Layout
from leadscore.learning.fitting.penalty import Penalty
from leadscore.learning.fitting.strength import words
from leadscore.learning.fitting.widths import Widths
from leadscore.learning.tables.columns import Codes, Floats
from leadscore.learning.tables.scorecard import Scorecard, probability

# A table of this many sums stays in the processor's caches. It is summed up anew each time, so
# there must be several rows for each of its entries.
_MOST_ENTRIES = 8192
_ROWS_PER_ENTRY = 4
# Fewer rows hardly share combinations. Measured with some thirty features, a sparse matrix is seven
# times as quick with 760 rows, twice with 3,000, and as quick with 7,000.
_FEW_ROWS = 8192


class Objective:
    """Minus the log of likelihood times prior, as a function of a `Layout`'s vector.

    Parameters
    ----------
    blocks
        One per feature.
    target
        Shape (n,), 0 or 1.
    weight
        Shape (n,), positive.
    intercept
        The prior's intercept.
    widths
        Widths of the prior.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        target: Floats,
        weight: Floats,
        intercept: float,
        widths: Widths,
    ) -> None:
        self.layout = Layout(blocks)
        said = words(self.layout, blocks, weight) if widths.doubt else None
        self.penalty = Penalty(self.layout, blocks, widths, said)
        self._blocks, self._target, self._weight = blocks, target, weight
        self._rows = _entries_of_rows(blocks, self.layout.spans, len(target))
        self._intercept, self._against = intercept, 1.0 - 2.0 * target
        self._prior = np.concatenate([np.empty(0), *(block.entries for block in blocks)])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self._target)

    def entries(self, vector: Floats) -> Floats:
        """Return the entries of all tables at a vector."""
        return self._prior + self.layout.entries(vector)

    def under(self, widths: Widths) -> Self:
        """Return the same objective under other widths of the prior; doubt stays doubt, or none."""
        other = copy(self)
        other.penalty = Penalty(self.layout, self._blocks, widths, self.penalty.words)
        return other

    def scorecard(self, vector: Floats) -> Scorecard:
        """Return the card at a vector."""
        entries = self.entries(vector)
        spans = zip(self._blocks, self.layout.spans, strict=True)
        tables = tuple(block.fitted_table(entries[span]) for block, span in spans)
        return Scorecard(self._intercept + float(vector[0]), tables)

    def log_odds(self, vector: Floats) -> Floats:
        """Return the score of each row at a vector, shape (n,)."""
        return self.look_up(self._intercept + float(vector[0]), self.entries(vector))

    def value(self, vector: Floats, log_odds: Floats) -> float:
        """Return the objective, a sum over rows."""
        losses = np.logaddexp(0.0, self._against * log_odds)
        return float(self._weight @ losses + vector @ self.penalty.product(vector) / 2.0)

    def gradient(self, vector: Floats, log_odds: Floats) -> Floats:
        """Return the slope of the objective, shape of the vector."""
        return self.count(self.slopes(log_odds)) + self.penalty.product(vector)

    def slopes(self, log_odds: Floats) -> Floats:
        """Return the derivative of the loss of each row by its score, shape (n,)."""
        return self._weight * (probability(log_odds) - self._target)

    def certainty(self, log_odds: Floats) -> Floats:
        """Return the second derivative of the loss of each row by its score, shape (n,)."""
        p = probability(log_odds)
        return self._weight * p * (1.0 - p)

    def look_up(self, start: float, entries: Floats) -> Floats:
        """Return the sum of a start and each row's entries, shape (n,)."""
        return self._rows.look_up(start, entries)

    def count_entries(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts, shape (n,), by entry."""
        return self._rows.count(amounts)

    def count_pairs(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts by pair of entries, a symmetric matrix."""
        n_entries = len(self._prior)
        sums = np.zeros((n_entries, n_entries))
        for i, (block, span) in enumerate(zip(self._blocks, self.layout.spans, strict=True)):
            n = len(block.entries)
            sums[span, span] = np.diag(np.bincount(block.codes, amounts, n))
            for other, beside in zip(self._blocks[:i], self.layout.spans[:i], strict=True):
                m = len(other.entries)
                pairs = np.bincount(block.codes * m + other.codes, amounts, n * m).reshape(n, m)
                sums[span, beside], sums[beside, span] = pairs, pairs.T
        return sums

    def count(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts, shape (n,), by number of the vector."""
        return self.layout.gather(float(amounts.sum()), self.count_entries(amounts))


class _Group(NamedTuple):
    spans: tuple[slice, ...]
    shape: tuple[int, ...]
    codes: Codes


class _EntriesOfRows(Protocol):
    """Which entry of each feature each of n rows has."""

    def look_up(self, start: float, entries: Floats) -> Floats:
        """Return the sum of a start and each row's entries, shape (n,)."""

    def count(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts, shape (n,), by entry."""


def _entries_of_rows(
    blocks: Sequence[Block], spans: Sequence[slice], n_rows: int
) -> _EntriesOfRows:
    """Return the entries of the rows in the form that is quick for so many.

    Parameters
    ----------
    blocks
        One per feature.
    spans
        Where the entries of each stand among all entries.
    n_rows
        Number of rows.
    """
    form = _FewRows if n_rows < _FEW_ROWS else _JoinedBlocks
    return form(blocks, spans, n_rows)


class _FewRows:
    """A sparse matrix with a one for each row and each of its entries."""

    def __init__(self, blocks: Sequence[Block], spans: Sequence[slice], n_rows: int) -> None:
        n_entries = spans[-1].stop if spans else 0
        codes = [block.codes + span.start for block, span in zip(blocks, spans, strict=True)]
        columns = np.array(codes, dtype=np.intp).reshape(len(blocks), n_rows).T.ravel()
        ends = len(blocks) * np.arange(n_rows + 1)
        ones = np.ones(len(columns))
        self._of_row = csr_array((ones, columns, ends), shape=(n_rows, n_entries))
        self._of_entry = self._of_row.T.tocsr()

    def look_up(self, start: float, entries: Floats) -> Floats:
        """See `_EntriesOfRows`."""
        total: Floats = start + self._of_row @ entries
        return total

    def count(self, amounts: Floats) -> Floats:
        """See `_EntriesOfRows`."""
        sums: Floats = self._of_entry @ amounts
        return sums


class _JoinedBlocks:
    """The rows of all features, by combinations of entries where those are few.

    Two features of 65 entries have 4,225 combinations. Adding up those takes no time beside
    looking up 100,000 rows twice.
    """

    def __init__(self, blocks: Sequence[Block], spans: Sequence[slice], n_rows: int) -> None:
        most = min(_MOST_ENTRIES, n_rows // _ROWS_PER_ENTRY)
        self._n_rows, self._n_entries = n_rows, spans[-1].stop if spans else 0
        self._groups = [
            _Group(
                tuple(spans[i] for i in members),
                tuple(len(blocks[i].entries) for i in members),
                _combined([blocks[i] for i in members]),
            )
            for members in _packed([len(block.entries) for block in blocks], most)
        ]

    def look_up(self, start: float, entries: Floats) -> Floats:
        """See `_EntriesOfRows`."""
        total = np.full(self._n_rows, start)
        for spans, _, codes in self._groups:
            table = entries[spans[0]]
            for span in spans[1:]:
                table = np.add.outer(table, entries[span])
            total += table.ravel()[codes]
        return total

    def count(self, amounts: Floats) -> Floats:
        """See `_EntriesOfRows`."""
        sums = np.empty(self._n_entries)
        for spans, shape, codes in self._groups:
            table = np.bincount(codes, amounts, math.prod(shape)).reshape(shape)
            for axis, span in enumerate(spans):
                others = tuple(a for a in range(len(shape)) if a != axis)
                sums[span] = table.sum(axis=others)
        return sums


def _packed(sizes: Sequence[int], most: int) -> list[list[int]]:
    """Group numbers so that the product of their sizes is at most ``most``, the largest first."""
    groups: list[list[int]] = []
    products: list[int] = []
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        room = next((g for g, p in enumerate(products) if p * sizes[i] <= most), None)
        if room is None:
            groups.append([i])
            products.append(sizes[i])
        else:
            groups[room].append(i)
            products[room] *= sizes[i]
    return groups


def _combined(blocks: Sequence[Block]) -> Codes:
    codes = blocks[0].codes
    for block in blocks[1:]:
        codes = codes * len(block.entries) + block.codes
    return codes
