"""Measures of forecasts, for many weightings of the same pursuits at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.learning.evaluation.recalibration import recalibrated
from leadscore.learning.tables.columns import Codes, Floats

SURE = 1e-6
"""Log loss and log-odds take a forecast as at least this and at most 1 minus this, so that one
forecast of exactly 0 or 1 that proves wrong costs 13.8 instead of infinity."""

MEASURES = (
    "auc",
    "average_precision",
    "log_loss",
    "brier",
    "calibration_slope",
    "calibration_intercept",
)
"""Names of the measures that are one number."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Pursuits sorted into cells of equal (or, where there are very many, nearly equal) forecasts.

    Every measure is a function of the weight of the positive and of the negative pursuits in
    each cell, so a resample of the pursuits is nothing but other weights.

    Attributes
    ----------
    slot
        Shape (n,): the cell of each pursuit, plus the number of cells where it is positive.
    log_odds
        Shape (c,), rising: the mean log-odds of each cell's forecasts.
    log_loss, brier
        Shape (2, c): the mean loss of a negative and of a positive pursuit in each cell.
    """

    slot: Codes
    log_odds: Floats
    log_loss: Floats
    brier: Floats

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.log_odds)

    def mass(self, weight: Floats) -> Floats:
        """Return the weight of the negatives and of the positives in each cell, shape (1, 2, c)."""
        mass: Floats = np.bincount(self.slot, weight, 2 * len(self)).astype(np.float64, copy=False)
        return mass.reshape(1, 2, -1)


def in_cells(y: Floats, p: Floats, most: int | None = None) -> Cells:
    """Sort pursuits into cells.

    Parameters
    ----------
    y
        Shape (n,), 0 or 1; ``n`` at least 1.
    p
        Shape (n,), forecasts 0..1.
    most
        With more distinct forecasts than this, neighbours share a cell (cells of equal numbers
        of distinct forecasts). None: never.
    """
    values, cell = np.unique(p, return_inverse=True)
    count = len(values)
    if most is not None and count > most:
        cell, count = cell * most // count, most
    sure = np.clip(p, SURE, 1.0 - SURE)
    log_odds = np.log(sure) - np.log1p(-sure)
    rows = np.bincount(cell, minlength=count)
    losses = (
        np.stack([-np.log1p(-sure), -np.log(sure)]),
        np.stack([p**2, (1.0 - p) ** 2]),
    )

    def mean(column: Floats) -> Floats:
        return np.bincount(cell, column, count) / rows

    log_loss, brier = (np.stack([mean(column) for column in loss]) for loss in losses)
    return Cells(cell + count * (y > 0), mean(log_odds), log_loss, brier)


def discrimination(mass: Floats) -> dict[str, Floats]:
    """Return how well the order of the forecasts parts the outcomes.

    Parameters
    ----------
    mass
        Shape (r, 2, c): for each of r weightings, the weight of negatives and of positives in
        each cell, forecasts rising.

    Returns
    -------
    ``auc`` (the chance that a positive stands above a negative, a tie counts half) and
    ``average_precision`` (precision at each forecast, averaged over the positives), shape (r,),
    0..1; NaN where a class without which they mean nothing is absent.
    """
    negative, positive = mass[:, 0], mass[:, 1]
    negatives, positives = negative.sum(axis=1), positive.sum(axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2.0
    caught = np.cumsum(positive[:, ::-1], axis=1)
    reached = caught + np.cumsum(negative[:, ::-1], axis=1)
    precision = ratio(caught, reached, empty=0.0)
    return {
        "auc": ratio((positive * below).sum(axis=1), positives * negatives),
        "average_precision": ratio((positive[:, ::-1] * precision).sum(axis=1), positives),
    }


def losses(mass: Floats, cells: Cells) -> dict[str, Floats]:
    """Return ``log_loss`` (in nats, see `SURE`) and ``brier``, shape (r,); less is better."""
    total = mass.sum(axis=(1, 2))
    return {
        "log_loss": ratio(np.tensordot(mass, cells.log_loss, 2), total),
        "brier": ratio(np.tensordot(mass, cells.brier, 2), total),
    }


def captured(mass: Floats, share: float) -> Floats:
    """Return the share of the positives that stand in the top ``share`` of the weight.

    Pursuits with equal forecasts at the border are taken in part, each by the same part.

    Returns
    -------
    Shape (r,), 0..1; NaN without a positive.
    """
    positive = mass[:, 1, ::-1]
    total = mass.sum(axis=1)[:, ::-1]
    reached = np.cumsum(total, axis=1)
    wanted = share * reached[:, -1:]
    part = ratio(np.clip(wanted - (reached - total), 0.0, total), total, empty=0.0)
    return ratio((positive * part).sum(axis=1), positive.sum(axis=1))


def measured(mass: Floats, cells: Cells) -> dict[str, Floats]:
    """Return every measure that is one number, each of shape (r,)."""
    slope, intercept = recalibrated(mass, cells.log_odds)
    return {
        **discrimination(mass),
        **losses(mass, cells),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
    }


def ratio(above: Floats, below: Floats, empty: float = np.nan) -> Floats:
    """Divide, with ``empty`` where the divisor is 0."""
    quotient: Floats = np.divide(above, below, out=np.full(np.shape(above), empty), where=below > 0)
    return quotient
