"""Holds forecasts against luck: two of the same pursuits against each other, and one by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.learning.evaluation.measures import Cells, captured, discrimination, in_cells, losses
from leadscore.learning.evaluation.resampling import FINEST, interval, reordered, resampled
from leadscore.learning.evaluation.verdicts import Verdicts
from leadscore.learning.tables.columns import Floats

LIFT_SHARE = 0.2
COMPARED = ("log_loss", "auc", "average_precision", "brier", "lift_20")
"""The named measures, in one of which a challenger has to be better."""

_BETTER = np.array([-1.0, 1.0, 1.0, -1.0, 1.0])  # the sign of a change for the better


@dataclass(frozen=True)
class Difference:
    """One measure of both; NaN where it can't be told.

    Attributes
    ----------
    challenger, champion
        Its values.
    better
        By how much the challenger is better; below 0, worse.
    low, high
        90 % interval of ``better``, from resamples of the pursuits.
    """

    challenger: float
    champion: float
    better: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Challenger against champion.

    Attributes
    ----------
    differences
        For each measure of `COMPARED`.
    best
        The measure that speaks most clearly for the challenger; None if none can be told.
    luck
        In which share of cases two equally good models would show one that speaks as clearly,
        over all measures together; 1 if none can be told.
    """

    differences: dict[str, Difference]
    best: str | None
    luck: float


def compared(known: Verdicts, n_bootstrap: int, seed: int) -> Comparison:
    """Compare the first forecast of the pursuits, the challenger's, with the second.

    Both are measured on the same resamples, so what is hard or easy for both does not count as
    noise. Each improvement is divided by its standard error over the resamples; the greatest of
    these ratios is held against the greatest that the resamples scatter around the truth (a
    bootstrap max-t test, Westfall & Young 1993), so that five measures are not five chances.
    """
    y, weight = known.y, known.weight
    nothing = np.full((1, 2, len(COMPARED)), np.nan)
    if not len(known):
        return _judged(nothing[0], nothing[0], nothing[:0])
    exact = [in_cells(y, p) for p in known.forecasts]
    coarse = [in_cells(y, p, FINEST) for p in known.forecasts]
    values, near = (
        np.stack([_values(cells.mass(weight), cells)[0] for cells in both])
        for both in (exact, coarse)
    )
    draws = [
        np.stack([_values(m, cells) for m, cells in zip(masses, coarse, strict=True)], axis=1)
        for masses in resampled(coarse, weight, n_bootstrap, seed)
    ]
    return _judged(values, near, np.concatenate(draws) if draws else nothing[:0])


def luck_of_order(known: Verdicts, n_orders: int, seed: int) -> float:
    """Return in which share of cases firms in no order at all would be ordered as well, 0..1.

    A permutation test of the AUC (Fisher 1935) of the first forecast, the challenger's: the
    outcomes are dealt out to the firms anew, each with its weight. 1 if the AUC can't be told.
    """
    if not len(known):
        return 1.0
    cells = in_cells(known.y, known.forecasts[0], FINEST)
    reached = float(discrimination(cells.mass(known.weight))["auc"][0])
    by_luck = [
        discrimination(masses)["auc"] for masses in reordered(cells, known.weight, n_orders, seed)
    ]
    if np.isnan(reached) or not by_luck:
        return 1.0
    # Sums in another order differ in their last digits.
    as_well = int((np.concatenate(by_luck) >= reached - 1e-9).sum())
    return (1.0 + as_well) / (1.0 + n_orders)


def _values(mass: Floats, cells: Cells) -> Floats:
    """Return the named measures, shape (r, measures)."""
    found = {**discrimination(mass), **losses(mass, cells)}
    found["lift_20"] = captured(mass, LIFT_SHARE) / LIFT_SHARE
    return np.stack([found[name] for name in COMPARED], axis=1)


def _judged(values: Floats, near: Floats, draws: Floats) -> Comparison:
    better = (values[0] - values[1]) * _BETTER
    scatter = (draws[:, 0] - draws[:, 1] - (near[0] - near[1])) * _BETTER
    differences = {
        name: Difference(
            float(values[0, i]),
            float(values[1, i]),
            float(better[i]),
            *interval(better[i] + scatter[:, i]),
        )
        for i, name in enumerate(COMPARED)
    }
    sound = scatter[~np.isnan(scatter[:, ~np.isnan(better)]).any(axis=1)]
    error = sound.std(axis=0) if len(sound) else np.zeros(len(COMPARED))
    told = np.flatnonzero((error > 0) & ~np.isnan(better))
    if not len(told):
        return Comparison(differences, None, 1.0)
    ratios = better[told] / error[told]
    by_luck = (sound[:, told] / error[told]).max(axis=1)
    luck = (1.0 + (by_luck >= ratios.max()).sum()) / (1.0 + len(sound))
    return Comparison(differences, COMPARED[told[np.argmax(ratios)]], float(luck))
