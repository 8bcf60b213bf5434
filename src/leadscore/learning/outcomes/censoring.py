"""Whoever is watched for a short time is seen to end early or not at all: weights make up for it.

The inverse probability of censoring weighs a label that is known after T days by 1 / G(T-), where
G is the Kaplan-Meier estimate of how long pursuits are watched (Robins & Rotnitzky 1992; Graf,
Schmoor, Sauerbrei & Schumacher, Statistics in Medicine 18, 1999, 2529-2545).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST_WEIGHT = 20.0
"""No label counts for more pursuits than this: beyond, a single one could sway a model."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of n pursuits.

    Attributes
    ----------
    values
        At least 1 where the label is known, 0 elsewhere.
    capped
        How many were cut to `MOST_WEIGHT`.
    """

    values: Floats
    capped: int


def censoring_weights(days: Floats, known: Mask) -> Weights:
    """Return the weight of each pursuit.

    At equal days a label comes before the end of watching, so that a pursuit whose label falls on
    the last day that it is watched was watched long enough. As long as nothing is cut and the last
    day of all brings a label, the weights add up to n.

    Parameters
    ----------
    days
        Days until the label is known, or until now where it is not; at least 0.
    known
        Where it is known.

    >>> censoring_weights(
    ...     np.array([1.0, 2.0, 3.0, 3.0]), np.array([True, False, True, True])
    ... ).values
    array([1. , 0. , 1.5, 1.5])
    """
    if not len(days):
        return Weights(np.zeros(0), 0)
    moments, at = np.unique(days, return_inverse=True)
    labels = np.bincount(at, weights=known, minlength=len(moments))
    ends = np.bincount(at, weights=~known, minlength=len(moments))
    watched = len(days) - np.r_[0.0, np.cumsum(labels + ends)[:-1]] - labels
    stay = 1.0 - np.divide(ends, watched, out=np.zeros_like(ends), where=watched > 0)
    # Watched beyond all earlier moments: the product up to, and without, this one.
    still = np.r_[1.0, np.cumprod(stay)[:-1]][at]
    raw = np.divide(1.0, still, out=np.zeros_like(still), where=known)
    over = raw > MOST_WEIGHT
    return Weights(np.where(over, MOST_WEIGHT, raw), int(over.sum()))
