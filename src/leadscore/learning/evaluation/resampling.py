"""Draws the same pursuits again and again, so that each measure can say how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from leadscore.learning.evaluation.measures import Cells
from leadscore.learning.tables.columns import Floats

LEVEL = 0.9
"""Every interval of an evaluation holds the middle 90 % of the resamples."""

FINEST = 500
"""With more distinct forecasts than this, resamples work on so many cells of neighbours."""

_AT_ONCE = 250_000  # drawn pursuits held in memory at a time


def resampled(
    rankings: Sequence[Cells], weight: Floats, n_bootstrap: int, seed: int
) -> Iterator[list[Floats]]:
    """Draw n pursuits with replacement, again and again, each with its weight.

    Parameters
    ----------
    rankings
        The same n pursuits, in the same order, sorted into cells by one or more forecasts.
    weight
        Shape (n,), positive.
    n_bootstrap, seed
        How many resamples, and where the draws start.

    Yields
    ------
    For a number of resamples at a time, the masses of each ranking, shape (r, 2, cells).
    """
    random = np.random.default_rng(seed)
    n = len(weight)
    even = bool(np.ptp(weight) == 0)
    at_once = max(1, _AT_ONCE // n)
    for start in range(0, n_bootstrap, at_once):
        r = min(at_once, n_bootstrap - start)
        drawn = random.integers(0, n, (r, n), dtype=np.int32)
        weights = None if even else weight[drawn].ravel()
        yield [_masses(cells, drawn, weights) * (weight[0] if even else 1.0) for cells in rankings]


def reordered(cells: Cells, weight: Floats, n_orders: int, seed: int) -> Iterator[Floats]:
    """Deal the outcomes, each with its weight, out to the pursuits anew, again and again.

    Parameters
    ----------
    cells
        The n pursuits, sorted into cells by a forecast.
    weight
        Shape (n,), positive.
    n_orders, seed
        How many times, and where the draws start.

    Yields
    ------
    For a number of orders at a time, the masses, shape (r, 2, cells).
    """
    random = np.random.default_rng(seed)
    n, count = len(weight), len(cells)
    cell, positive = cells.slot % count, cells.slot // count
    at_once = max(1, _AT_ONCE // n)
    for start in range(0, n_orders, at_once):
        r = min(at_once, n_orders - start)
        dealt = random.permuted(np.tile(np.arange(n), (r, 1)), axis=1)
        slots = cell + count * positive[dealt] + 2 * count * np.arange(r)[:, None]
        mass = np.bincount(slots.ravel(), weight[dealt].ravel(), r * 2 * count)
        yield mass.reshape(r, 2, count).astype(np.float64, copy=False)


def _masses(cells: Cells, drawn: np.ndarray, weights: Floats | None) -> Floats:
    r, size = len(drawn), 2 * len(cells)
    slots = cells.slot[drawn]
    slots += (np.arange(r) * size)[:, None]
    mass: Floats = np.bincount(slots.ravel(), weights, r * size).astype(np.float64, copy=False)
    return mass.reshape(r, 2, len(cells))


def interval(draws: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return the ends between which the middle ``level`` of the draws lies.

    Draws without a value (NaN) are left out; with more than half of them so, both ends are NaN.
    An end may be infinite: the resamples don't bound it.
    """
    told = draws[~np.isnan(draws)]
    if 2 * len(told) <= len(draws):
        return np.nan, np.nan
    ends = np.array([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    low, high = np.quantile(told, ends, method="inverted_cdf").tolist()
    return low, high
