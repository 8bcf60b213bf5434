"""The second derivative of a card's objective at one point, for steps towards its minimum."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import nnls

from leadscore.learning.fitting.objective import Objective
from leadscore.learning.tables.columns import Floats, Truths

_LARGEST_MATRIX = 2500  # 50 MB
_PATIENT = 10_000  # far more than least squares of some dozen numbers ever take


class Curvature:
    """The second derivative, never written out but for its blocks on the diagonal.

    A block is a single number of the vector, or the steps of one feature.

    Parameters
    ----------
    objective
        What is differentiated.
    log_odds
        Shape (n,), the scores of the rows at the point.
    """

    def __init__(self, objective: Objective, log_odds: Floats) -> None:
        self._objective, self._layout = objective, objective.layout
        self._certainty = objective.certainty(log_odds)
        layout, penalty = objective.layout, objective.penalty
        entries = objective.count_entries(self._certainty)
        single = layout.gather(float(self._certainty.sum()), entries)[: layout.n_single]
        self._single = single + penalty.diagonal[: layout.n_single]
        # Two steps on the same side of the anchor both move what the farther of them moves.
        reach = layout.reach(entries)
        same_side = layout.right[:, :, None] == layout.right[:, None, :]
        shared = np.minimum(reach[:, :, None], reach[:, None, :]) * same_side
        self._blocks = shared + penalty.step_blocks

    def product(self, vector: Floats) -> Floats:
        """Multiply a vector by the second derivative."""
        objective = self._objective
        moved = objective.look_up(float(vector[0]), self._layout.entries(vector))
        return objective.count(self._certainty * moved) + objective.penalty.product(vector)

    @cached_property
    def patience(self) -> float:
        """How many products cost as much as writing the matrix out and solving with it once.

        Measured on one core: nanoseconds per row and feature, per row and pair of features, per
        element of the matrix, and per multiplication of its factorisation.
        """
        n, p, size = len(self._certainty), len(self._layout.spans), self._layout.size
        if size > _LARGEST_MATRIX:
            return math.inf
        product = 1.0 * n * p + 2e5
        return (0.7 * n * p**2 + 20.0 * size**2 + size**3 / 30.0) / product

    def matrix(self) -> Floats:
        """Return the second derivative written out, shape (size, size)."""
        objective, layout = self._objective, self._layout
        pairs = objective.count_pairs(self._certainty)
        single = objective.count_entries(self._certainty)
        rows = layout.gather(single, pairs)
        first = layout.gather(float(self._certainty.sum()), single)
        return layout.gather(first, np.ascontiguousarray(rows.T)) + objective.penalty.matrix()

    def solve(self, vector: Floats, free: Truths) -> Floats:
        """Divide a vector by the second derivative among the free numbers; others become zero."""
        real = np.append(np.ones(self._layout.n_single, dtype=bool), self._layout.real)
        chosen = np.flatnonzero(free & real)
        result = np.zeros_like(vector)
        factor = cho_factor(self.matrix()[np.ix_(chosen, chosen)], overwrite_a=True)
        result[chosen] = cho_solve(factor, vector[chosen])
        return result

    def divider(self, free: Truths) -> Callable[[Floats], Floats]:
        """Return a function that about divides a vector; what isn't free becomes zero.

        It divides by each block, and adds the division among the vectors that move all rows
        alike: what one feature of texts adds to every row another can take away, which no block
        knows by itself.
        """
        n_single = self._layout.n_single
        single = free[:n_single] / self._single
        chosen = free[n_single:].reshape(self._layout.real.shape)
        blocks = self._blocks * (chosen[:, :, None] & chosen[:, None, :])
        diagonal = np.arange(chosen.shape[1])
        blocks[:, diagonal, diagonal] += ~chosen
        inverse = np.linalg.inv(blocks) * chosen[:, :, None]
        together = self._layout.together
        held = np.diag(together @ self._objective.penalty.diagonal)
        alike = np.linalg.inv(held + float(self._certainty.sum()))

        def divide(vector: Floats) -> Floats:
            steps = inverse @ self._layout.steps(vector)[:, :, None]
            apart = np.concatenate([single * vector[:n_single], steps.ravel()])
            return apart + (alike @ (together @ vector)) @ together

        return divide

    def at_bounds(self, vector: Floats, slope: Floats) -> Truths:
        """Tell which numbers the minimum has at a bound, as far as each feature alone can tell.

        Steps of one feature hang together tightly, those of different features loosely. So the
        quadratic model of each bounded feature is minimised exactly, as non-negative least
        squares, and its bounds tell those of the whole.
        """
        layout = self._layout
        pressed = np.zeros(layout.size, dtype=bool)
        sides, bounds = layout.steps(layout.sides), layout.steps(layout.bounds)
        for row in np.flatnonzero(sides.any(axis=1)):
            real = layout.real[row]
            side, block = sides[row, real], self._blocks[row][np.ix_(real, real)]
            to_bound = layout.steps(vector)[row, real] - bounds[row, real]
            rise = side * (layout.steps(slope)[row, real] - block @ to_bound)
            root = np.linalg.cholesky(block)
            moved, _ = nnls(root.T, solve_triangular(root, -rise, lower=True), maxiter=_PATIENT)
            layout.steps(pressed)[row, real] = moved == 0.0
        return pressed
