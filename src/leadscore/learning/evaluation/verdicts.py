"""Takes in outcomes and the forecasts held against them: checked, and in an order of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from leadscore.learning.tables.columns import Codes, Floats


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Pursuits with a known outcome, in an order that the order of the rows can't change.

    Attributes
    ----------
    y
        Shape (n,), 0 or 1.
    weight
        Shape (n,), positive.
    forecasts
        One or more of shape (n,), 0..1.
    rows
        Shape (n,), the row that each came from.
    """

    y: Floats
    weight: Floats
    forecasts: tuple[Floats, ...]
    rows: Codes

    def __len__(self) -> int:
        """Return the number of pursuits."""
        return len(self.y)

    def part(self, rows: Codes) -> Self:
        """Return some of the pursuits, given by their places here, rising."""
        forecasts = tuple(p[rows] for p in self.forecasts)
        return replace(
            self,
            y=self.y[rows],
            weight=self.weight[rows],
            forecasts=forecasts,
            rows=self.rows[rows],
        )

    @classmethod
    def of(cls, y: ArrayLike, weight: ArrayLike | None, *forecasts: ArrayLike) -> Self:
        """Check and sort; pursuits whose outcome is missing or whose weight is 0 are left out.

        Raises
        ------
        ValueError
            If lengths differ, an outcome is neither 0, 1 nor missing, a forecast is not 0..1, or
            a weight is negative or not finite.
        """
        given = np.asarray(y, dtype=np.float64)
        weights = np.ones(len(given)) if weight is None else np.asarray(weight, dtype=np.float64)
        columns = [np.asarray(p, dtype=np.float64) for p in forecasts]
        if any(column.shape != (len(given),) for column in (given, weights, *columns)):
            msg = "Outcomes, weights and forecasts must be columns of the same length."
            raise ValueError(msg)
        if not (np.isnan(given) | (given == 0) | (given == 1)).all():
            msg = "An outcome is 0, 1 or missing."
            raise ValueError(msg)
        if not (np.isfinite(weights) & (weights >= 0)).all():
            msg = "A weight is finite and not negative."
            raise ValueError(msg)
        rows = np.flatnonzero(~np.isnan(given) & (weights > 0))
        given, weights, columns = given[rows], weights[rows], [p[rows] for p in columns]
        if not all(((p >= 0) & (p <= 1)).all() for p in columns):
            msg = "A forecast lies within 0..1."
            raise ValueError(msg)
        order = np.lexsort((weights, given, *columns))
        return cls(given[order], weights[order], tuple(p[order] for p in columns), rows[order])
