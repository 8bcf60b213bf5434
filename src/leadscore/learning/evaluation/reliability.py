"""Holds forecasts against what came of them, band by band."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from leadscore.learning.evaluation.resampling import LEVEL
from leadscore.learning.tables.columns import Floats

_MOST_BANDS = 10
_FEWEST_ROWS = 10  # fewer pursuits than this tell nothing, so a band has at least about so many


@dataclass(frozen=True, slots=True)
class Band:
    """Pursuits with forecasts close together.

    Attributes
    ----------
    lowest, highest
        The band's forecasts, 0..1.
    n
        Number of pursuits.
    predicted, observed
        Weighted means of forecasts and outcomes, 0..1.
    low, high
        90 % interval of the observed share (Wilson 1927, with Kish's effective number of
        pursuits where weights differ).
    """

    lowest: float
    highest: float
    n: int
    predicted: float
    observed: float
    low: float
    high: float


def reliability(y: Floats, p: Floats, weight: Floats) -> tuple[Band, ...]:
    """Return up to ten bands of about equal weight, forecasts rising; equal forecasts share one.

    Parameters
    ----------
    y, p, weight
        Shape (n,) each: outcome 0 or 1, forecast 0..1, positive weight.
    """
    if not len(p):
        return ()
    count = max(1, min(_MOST_BANDS, len(p) // _FEWEST_ROWS))
    values, cell = np.unique(p, return_inverse=True)
    mass = np.bincount(cell, weight, len(values))
    middle = (np.cumsum(mass) - mass / 2.0) / mass.sum()
    band = np.minimum((middle * count).astype(np.intp), count - 1)[cell]
    return tuple(_band(*(column[band == b] for column in (y, p, weight))) for b in np.unique(band))


def _band(y: Floats, p: Floats, weight: Floats) -> Band:
    total = weight.sum()
    observed = float(weight @ y / total)
    low, high = wilson(observed, float(total**2 / (weight @ weight)))
    predicted = float(weight @ p / total)
    return Band(float(p.min()), float(p.max()), len(p), predicted, observed, low, high)


def wilson(share: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's interval for a share of ``n`` cases.

    >>> [round(end, 3) for end in wilson(0.0, 10)]
    [0.0, 0.213]
    """
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    shrunk = 1.0 + z * z / n
    middle = (share + z * z / (2.0 * n)) / shrunk
    half = z * math.sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n)) / shrunk
    return max(0.0, middle - half), min(1.0, middle + half)
