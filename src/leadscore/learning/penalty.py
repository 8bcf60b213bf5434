"""The prior's pull: how strongly each free number of a fit is held to zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadscore.learning.blocks import Block, Widths
from leadscore.learning.columns import Floats
from leadscore.learning.layout import Layout

# Beside a trend, steps a hundred times narrower make no visible difference, but cost the optimum
# its last digits.
_STIFFEST = 100.0


class Penalty:
    """Minus the log of the prior, a quadratic form.

    Single entries are independent. The changes of a feature's steps have the covariance
    step^2 diag(d) + trend^2 d d', where d are the distances of neighbouring bins: a random walk
    along a straight trend of unknown slope. The likeliest slope is a share of the steps' sum, so
    that the trend needs no number of its own.

    Attributes
    ----------
    diagonal
        Shape (size of the layout,), what holds each number by itself, trends apart.
    """

    def __init__(self, layout: Layout, blocks: Sequence[Block], widths: Widths) -> None:
        self._layout = layout
        single = [np.array([widths.intercept])]
        for block in blocks:
            n_levels = 0 if block.steps else len(block.entries) - 1
            single.append(np.append(np.full(n_levels, widths.level), widths.unknown))
        step, trend = max(widths.step, widths.trend / _STIFFEST) ** 2, widths.trend**2
        steps = np.where(layout.real, step * layout.distances, 1.0)
        self.diagonal = 1.0 / np.concatenate([np.concatenate(single) ** 2, steps.ravel()])
        self._distances = layout.distances * layout.real
        self._share = trend / (step + trend * self._distances.sum(axis=1, keepdims=True))

    def product(self, vector: Floats) -> Floats:
        """Multiply a vector by the second derivative; half of vector x product is the value."""
        rest = vector.copy()
        steps = self._layout.steps(rest)
        slope = self._share * (steps * self._layout.real).sum(axis=1, keepdims=True)
        steps -= slope * self._distances
        return self.diagonal * rest

    def step_blocks(self) -> Floats:
        """Return the second derivative by the steps of each feature, one matrix per feature."""
        real = self._layout.real
        holds = self._layout.steps(self.diagonal)
        pull = self._share * holds * self._distances  # the same for all steps of a feature
        blocks: Floats = -pull[:, :, None] * real[:, None, :]
        diagonal = np.arange(real.shape[1])
        blocks[:, diagonal, diagonal] += holds
        return blocks

    def matrix(self) -> Floats:
        """Return the whole second derivative."""
        n = self._layout.n_single
        matrix = np.diag(self.diagonal)
        for row, block in enumerate(self.step_blocks()):
            at = slice(n + row * len(block), n + (row + 1) * len(block))
            matrix[at, at] = block
        return matrix
