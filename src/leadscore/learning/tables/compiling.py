"""Compiles any additive function of coded features into the tables of a scorecard.

Nothing is asked of the function but its values: where one feature varies and the others stay, the
differences are that feature's table. So no learner's inner parts need be known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from leadscore.learning.tables.coding import Coding
from leadscore.learning.tables.columns import Codes, Floats
from leadscore.learning.tables.scorecard import Scorecard, Table


def compile_scorecard(
    function: Callable[[Codes], Floats], codings: Sequence[Coding], codes: Codes, weight: Floats
) -> Scorecard:
    """Return the scorecard that scores as the function does.

    Each table has a mean of zero over the rows, so the intercept is their mean log-odds. A code
    that none of the rows has (that of missing values where none was missing, that of others where
    all levels were listed) adds zero: what was never seen tells nothing.

    Parameters
    ----------
    function
        From codes of shape (m, number of features) to log-odds of shape (m,); a sum of one term
        per feature.
    codings
        One per feature.
    codes
        Shape (n, number of features), the rows that it was learnt from.
    weight
        Shape (n,), positive.
    """
    base, terms = _take_apart(function, [coding.n_codes for coding in codings])
    tables: list[Table] = []
    for coding, term, column in zip(codings, terms, codes.T, strict=True):
        mass = np.bincount(column, weight, coding.n_codes)
        mean = float(mass @ term) / float(mass.sum())
        base += mean
        tables.append(coding.table(np.where(mass > 0, term - mean, 0.0)))
    return Scorecard(base, tuple(tables))


def _take_apart(
    function: Callable[[Codes], Floats], sizes: Sequence[int]
) -> tuple[float, list[Floats]]:
    """Return the function where all codes are 0, and what each code of each feature adds to it."""
    ends = np.cumsum([1, *sizes])  # row 0 is where all codes are 0
    grid = np.zeros((ends[-1], len(sizes)), dtype=np.intp)
    for j, size in enumerate(sizes):
        grid[ends[j] : ends[j + 1], j] = np.arange(size)
    values = function(grid)
    return float(values[0]), np.split(values - values[0], ends)[1:-1]
