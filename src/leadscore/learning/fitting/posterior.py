"""What is known of a fitted card's entries: how far each may be off, and all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from leadscore.learning.fitting.curvature import Curvature
from leadscore.learning.fitting.objective import Objective
from leadscore.learning.tables.columns import Codes, Floats

_CHUNK = 4096
_ROUNDING = 1e-6  # relative, of float32


@dataclass(frozen=True, eq=False)
class Posterior:
    """The covariance of a card's entries, by the curvature at its optimum (Laplace).

    Attributes
    ----------
    covariance
        Shape (1 + number of entries, the same), of the intercept and then of all tables' entries
        in their order. As float32, for nobody reads the eighth digit of a doubt.
    starts
        Shape (number of tables,): where the entries of each table begin.
    """

    covariance: npt.NDArray[np.float32]
    starts: Codes

    def deviations(self, codes: Sequence[Codes], n: int) -> Floats:
        """Return the standard deviation of the log-odds of n rows, shape (n,).

        Parameters
        ----------
        codes
            For each table, which of its entries each row gets, shape (n,).
        """
        variance = np.empty(n)
        places = [start + code for start, code in zip(self.starts, codes, strict=True)]
        flat, size = self.covariance.ravel(), len(self.covariance)
        for begin in range(0, n, _CHUNK):
            rows = [place[begin : begin + _CHUNK] for place in places]
            total = np.full(len(variance[begin : begin + _CHUNK]), float(flat[0]))
            for i, row in enumerate(rows):
                total += flat[row * (size + 1)]
                total += 2.0 * flat[row]
                for other in rows[:i]:
                    total += 2.0 * flat[row * size + other]
            variance[begin : begin + _CHUNK] = total
        return np.sqrt(np.maximum(variance, 0.0))

    def entry_deviations(self) -> Floats:
        """Return the standard deviation of the intercept and of each entry."""
        deviations: Floats = np.sqrt(np.maximum(np.diag(self.covariance).astype(np.float64), 0.0))
        return deviations

    def draws(self, n: int, random: np.random.Generator) -> Iterator[Floats]:
        """Yield n plausible changes of the intercept and all entries."""
        values, vectors = np.linalg.eigh(self.covariance.astype(np.float64))
        root = vectors * np.sqrt(np.maximum(values, values[-1] * _ROUNDING))
        for _ in range(n):
            yield root @ random.standard_normal(len(values))


def posterior_at(objective: Objective, vector: Floats) -> Posterior:
    """Return what is known at an optimum.

    A known direction is passed over, which errs on the wide side.
    """
    layout = objective.layout
    real = np.flatnonzero(np.append(np.ones(layout.n_single, dtype=bool), layout.real))
    curvature = Curvature(objective, objective.log_odds(vector)).matrix()
    inverse = np.zeros_like(curvature)
    inverse[np.ix_(real, real)] = _inverse(curvature[np.ix_(real, real)])
    # From numbers to entries, once for the columns and once for the rows.
    covariance = layout.spread(layout.spread(inverse).T)
    starts = np.array([1 + span.start for span in layout.spans], dtype=np.intp)
    return Posterior(covariance.astype(np.float32), starts)


def _inverse(matrix: Floats) -> Floats:
    """Invert a symmetric positive matrix, in half the time of one of which nothing is known."""
    root, _ = lapack.dpotrf(matrix, lower=True, overwrite_a=True)
    lower, failed = lapack.dpotri(root, lower=True, overwrite_c=True)
    if failed:
        raise np.linalg.LinAlgError("the curvature is not positive")
    inverse: Floats = np.tril(lower) + np.tril(lower, -1).T
    return inverse
