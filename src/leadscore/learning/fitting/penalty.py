"""The prior of a card's numbers as a penalty: where they are expected, and how far they may go."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from leadscore.learning.fitting.blocks import Block
from leadscore.learning.fitting.layout import Layout
from leadscore.learning.fitting.widths import Widths
from leadscore.learning.tables.columns import Floats

# Beside a trend, steps a hundred times narrower make no visible difference, but cost the optimum
# its last digits.
_STIFFEST = 100.0


class Penalty:
    """Minus the log of the prior, a quadratic form.

    Each number varies by itself, and some vary together: the covariance is
    ``diag(variance) + shared @ shared.T``. Steps of a feature of numbers have the variance
    step^2 d, where d are the distances of neighbouring bins: a random walk. What they share is
    trend d, a straight line of unknown slope; it needs no number of its own. And all numbers
    share the doubt whether the prior's card, or one of its tables, is too strong or too weak.

    Parameters
    ----------
    layout, blocks
        The vector, and the features that it stands for.
    widths
        Of the prior.
    said
        See `leadscore.learning.fitting.strength.words`; None where there is no doubt.

    Attributes
    ----------
    words
        Shape (any, size of the layout): ``said``.
    diagonal
        Shape (size of the layout,), what holds each number by itself, were nothing shared.
    """

    def __init__(
        self, layout: Layout, blocks: Sequence[Block], widths: Widths, said: Floats | None
    ) -> None:
        self._layout = layout
        self.words = np.zeros((0, layout.size)) if said is None else said
        variance, lines = np.ones(layout.size), []
        variance[0] = widths.intercept**2
        for j, block in enumerate(blocks):
            factor, single, steps = widths.factor(j), layout.single_of(j), layout.steps_of(j)
            if block.steps:
                step = max(widths.step, widths.trend / _STIFFEST)
                variance[steps] = (factor * step) ** 2 * block.steps.distances
                line = np.zeros(layout.size)
                line[steps] = factor * widths.trend * block.steps.distances
                lines.append(line)
            variance[single] = (factor * widths.level) ** 2
            variance[single.stop - 1] = (factor * widths.unknown) ** 2
        self.diagonal = 1.0 / variance
        shared = self._shared = np.vstack([*lines, widths.doubt * self.words])
        # Woodbury: the inverse of the covariance is diag(diagonal) - pulls.T @ pulls.
        held = shared * self.diagonal
        root = np.linalg.cholesky(np.eye(len(shared)) + held @ shared.T)
        self._pulls = solve_triangular(root, held, lower=True)

    def product(self, vector: Floats) -> Floats:
        """Multiply a vector by the second derivative; half of vector x product is the value."""
        product: Floats = self.diagonal * vector - (self._pulls @ vector) @ self._pulls
        return product

    @cached_property
    def step_blocks(self) -> Floats:
        """The second derivative by the steps of each feature, one matrix per feature."""
        n, (rows, width) = len(self._pulls), self._layout.real.shape
        pulls = self._pulls[:, self._layout.n_single :].reshape(n, rows, width)
        blocks: Floats = -(pulls.transpose(1, 2, 0) @ pulls.transpose(1, 0, 2))
        diagonal = np.arange(width)
        blocks[:, diagonal, diagonal] += self._layout.steps(self.diagonal)
        return blocks

    def covariance(self, at: NDArray[np.intp]) -> Floats:
        """Return the prior's covariance of the numbers at some places."""
        shared = self._shared[:, at]
        covariance: Floats = np.diag(1.0 / self.diagonal[at]) + shared.T @ shared
        return covariance

    def matrix(self) -> Floats:
        """Return the whole second derivative."""
        matrix: Floats = np.diag(self.diagonal) - self._pulls.T @ self._pulls
        return matrix
