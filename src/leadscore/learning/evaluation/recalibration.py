"""Calibration slope and intercept: what one would have to do to the log-odds to set them right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from leadscore.learning.tables.columns import Floats

_MOST_STEPS = 100
_LONGEST_STEP = 2.0  # in units of the spread of the log-odds; keeps Newton from overshooting
_TOLERANCE = 1e-9
_ALIKE = 1e-9  # log-odds no further apart than this are the same but for rounding
_TINY = float(np.finfo(float).tiny)


def recalibrated(mass: Floats, log_odds: Floats) -> tuple[Floats, Floats]:
    """Fit the outcomes on the log-odds of the forecasts (Cox 1958), for r weightings at once.

    Parameters
    ----------
    mass
        Shape (r, 2, c): weight of negatives and positives in each cell.
    log_odds
        Shape (c,), finite, never falling.

    Returns
    -------
    slope
        Shape (r,), from ``a + b * log_odds``; 1 is ideal, below 1 means forecasts too extreme.
        Infinite where the forecasts part the outcomes without overlap (the sign tells whether
        the right way round), NaN where a class is absent or all forecasts are the same.
    intercept
        Shape (r,), from ``a + log_odds`` (calibration in the large); 0 is ideal, below 0 means
        forecasts too high. NaN where a class is absent.
    """
    intercept = np.full(len(mass), np.nan)
    both = (mass.sum(axis=2) > 0).all(axis=1)
    intercept[both] = _offset(mass[both], log_odds)
    slope = np.where(both, _without_overlap(mass, log_odds), np.nan)
    overlap = slope == 0
    slope[overlap] = _slope(mass[overlap], log_odds)
    return slope, intercept


def _without_overlap(mass: Floats, log_odds: Floats) -> Floats:
    """Return the slope where none can be fitted, and 0 where one can; both classes are present."""
    present: NDArray[np.bool_] = mass > 0
    low = log_odds[np.argmax(present, axis=2)]
    high = log_odds[len(log_odds) - 1 - np.argmax(present[:, :, ::-1], axis=2)]
    right, wrong = high[:, 0] <= low[:, 1], high[:, 1] <= low[:, 0]
    return np.select([right & wrong, right, wrong], [np.nan, np.inf, -np.inf], 0.0)


def _offset(mass: Floats, log_odds: Floats) -> Floats:
    """Return the shift that makes the mean forecast the mean outcome: Newton within a bracket."""
    total, positives = mass.sum(axis=1), mass[:, 1].sum(axis=1)
    wanted = logit(positives / total.sum(axis=1))
    low, high = wanted - log_odds[-1], wanted - log_odds[0]
    middle = (low + high) / 2.0
    # Resamples differ little from all of them together, so that is where the search starts.
    start = _offset(mass.mean(axis=0, keepdims=True), log_odds) if len(mass) > 1 else middle
    shift = np.clip(start, low, high)
    for _ in range(_MOST_STEPS):
        p = expit(shift[:, None] + log_odds)
        expected = total * p
        excess = expected.sum(axis=1) - positives
        expected *= 1.0 - p
        low, high = np.where(excess < 0, shift, low), np.where(excess > 0, shift, high)
        newton = shift - excess / np.maximum(expected.sum(axis=1), _TINY)
        inside = (newton >= low) & (newton <= high)
        following = np.where(inside, newton, (low + high) / 2.0)
        done = np.abs(following - shift) < _TOLERANCE
        shift = following
        if done.all():
            break
    return shift


def _slope(mass: Floats, log_odds: Floats) -> Floats:
    """Return the slope of each weighting; NaN where the search does not settle."""
    middle, spread = float(log_odds.mean()), float(log_odds.std())
    if not len(mass) or spread < _ALIKE:
        return np.full(len(mass), np.nan)
    x = (log_odds - middle) / spread
    powers = np.stack([np.ones_like(x), x, x * x], axis=1)
    total, positive = mass.sum(axis=1), mass[:, 1]
    whole = np.array([[logit(positive.sum() / total.sum()), 0.0]])
    if len(mass) > 1:
        together = total.sum(axis=0, keepdims=True), positive.sum(axis=0, keepdims=True)
        whole = np.nan_to_num(_line(*together, powers, whole))
    slope: Floats = _line(total, positive, powers, np.repeat(whole, len(mass), axis=0))[:, 1]
    return slope / float(spread)


def _line(total: Floats, positive: Floats, powers: Floats, start: Floats) -> Floats:
    """Return level and slope, shape (r, 2), by Newton steps of bounded length."""
    found = start.copy()
    searching = np.arange(len(found))
    wanted = positive @ powers[:, :2]
    for _ in range(_MOST_STEPS):
        if not len(searching):
            break
        p = expit(found[searching] @ powers[:, :2].T)
        expected = total if len(searching) == len(total) else total[searching]
        expected = expected * p
        gradient = wanted[searching] - expected @ powers[:, :2]
        expected *= 1.0 - p
        flat, mixed, steep = (expected @ powers).T
        determinant = np.maximum(flat * steep - mixed**2, _TINY)
        across = steep * gradient[:, 0] - mixed * gradient[:, 1]
        along = flat * gradient[:, 1] - mixed * gradient[:, 0]
        step = np.stack([across, along], axis=1) / determinant[:, None]
        length = np.abs(step).max(axis=1, keepdims=True)
        found[searching] += step * (_LONGEST_STEP / np.maximum(length, _LONGEST_STEP))
        searching = searching[length[:, 0] > _TOLERANCE]
    found[searching] = np.nan
    return found
