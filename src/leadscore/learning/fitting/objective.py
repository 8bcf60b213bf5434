"""The penalised likelihood of a card, by look-ups and counts and never by a design matrix."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np

from leadscore.learning.fitting.blocks import Block
from leadscore.learning.fitting.joined import entries_of_rows
from leadscore.learning.fitting.layout import Layout
from leadscore.learning.fitting.penalty import Penalty
from leadscore.learning.fitting.strength import words
from leadscore.learning.fitting.widths import Widths
from leadscore.learning.tables.columns import Floats
from leadscore.learning.tables.logistic import probability
from leadscore.learning.tables.pairtables import PairTable
from leadscore.learning.tables.scorecard import Scorecard


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
        self._rows = entries_of_rows(blocks, self.layout.spans, len(target))
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
        fitted = [block.fitted_table(entries[span]) for block, span in spans]
        pairs = tuple(table for table in fitted if isinstance(table, PairTable))
        tables = tuple(table for table in fitted if not isinstance(table, PairTable))
        return Scorecard(self._intercept + float(vector[0]), tables, pairs)

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
