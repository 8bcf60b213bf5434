"""Says how good forecasts were once the outcomes are known, alone and against others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from leadscore.learning.binning import Floats
from leadscore.learning.metrics import (
    FINEST,
    LEVEL,
    MEASURES,
    Band,
    Cells,
    Verdicts,
    captured,
    discrimination,
    in_cells,
    interval,
    losses,
    measured,
    reliability,
    reordered,
    resampled,
)

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


def told(number: float) -> float | None:
    """Return a number, or None for what is not finite."""
    return float(number) if math.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure with its 90 % bootstrap interval; None where it can't be told.

    A single end is None where the resamples don't bound it, as the slope of forecasts that part
    the outcomes of many resamples without overlap.
    """

    value: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return plain JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Top:
    """What stands in the best-ranked part of the pursuits.

    Attributes
    ----------
    share
        The part, 0..1.
    n
        How many pursuits it is, at least one; fractions of pursuits are rounded.
    lift
        How many times more positives it holds than a part of this size drawn by lot.
    captured
        Which share of all positives it holds.
    """

    share: float
    n: int
    lift: Measure
    captured: Measure


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Forecasts held against outcomes.

    Attributes
    ----------
    n, positives
        Number of pursuits with a known outcome, and of those that reached the target.
    weight
        Sum of their weights.
    measures
        ``auc``, ``average_precision``, ``log_loss`` (nats), ``brier``, ``calibration_slope``,
        ``calibration_intercept``.
    top
        Lift and captured share in the top 10, 20 and 30 %.
    reliability
        Forecast against outcome, band by band.
    groups
        The same for each group, names sorted.
    """

    n: int
    positives: int
    weight: float
    measures: dict[str, Measure]
    top: tuple[Top, ...]
    reliability: tuple[Band, ...]
    groups: dict[str, Evaluation] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` gives the evaluation back."""
        return {
            "n": self.n,
            "positives": self.positives,
            "weight": self.weight,
            "level": LEVEL,
            "measures": {name: measure.to_dict() for name, measure in self.measures.items()},
            "top": [
                {
                    "share": top.share,
                    "n": top.n,
                    "lift": top.lift.to_dict(),
                    "captured": top.captured.to_dict(),
                }
                for top in self.top
            ],
            "reliability": [
                {
                    "from": band.lowest,
                    "to": band.highest,
                    "n": band.n,
                    "predicted": band.predicted,
                    "observed": band.observed,
                    "low": band.low,
                    "high": band.high,
                }
                for band in self.reliability
            ],
            "groups": {name: group.to_dict() for name, group in self.groups.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evaluation:
        """Build an evaluation from what `to_dict` returned."""
        return cls(
            n=data["n"],
            positives=data["positives"],
            weight=data["weight"],
            measures={name: Measure(**plain) for name, plain in data["measures"].items()},
            top=tuple(
                Top(top["share"], top["n"], Measure(**top["lift"]), Measure(**top["captured"]))
                for top in data["top"]
            ),
            reliability=tuple(
                Band(
                    lowest=band["from"],
                    highest=band["to"],
                    **{key: band[key] for key in ("n", "predicted", "observed", "low", "high")},
                )
                for band in data["reliability"]
            ),
            groups={name: cls.from_dict(group) for name, group in data["groups"].items()},
        )


SHARES = (0.1, 0.2, 0.3)
"""The shares of the pursuits, best forecasts first, for which lift is told."""


def evaluate(
    y: ArrayLike,
    p: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_bootstrap: int = 1_000,
    seed: int = 0,
) -> Evaluation:
    """Hold forecasts against outcomes; the order of the rows changes nothing.

    Parameters
    ----------
    y
        Shape (n,), 1 for a pursuit that reached the target, 0 for one that did not. Rows that
        are NaN (unknown yet) are left out.
    p
        Shape (n,), forecasts 0..1.
    weight
        Shape (n,), how many pursuits each stands for (inverse probability of being known).
        Rows of weight 0 are left out. None: 1 each.
    groups
        Shape (n,), a name for each pursuit, such as its chain; missing where it has none.
    n_bootstrap, seed
        Number of resamples behind the intervals, and where their draws start. 0: no intervals.

    Raises
    ------
    ValueError
        If shapes differ, or a value is out of range.
    """
    known = Verdicts.of(y, weight, p)
    whole = _evaluated(known, n_bootstrap, seed)
    if groups is None:
        return whole
    names = pd.Series(np.asarray(groups, dtype=object))
    if len(names) != np.size(y):
        msg = f"There are {len(names)} groups for {np.size(y)} outcomes."
        raise ValueError(msg)
    names = names.iloc[known.rows].reset_index(drop=True)
    parts = {
        str(name): known.part(np.asarray(rows))
        for name, rows in names.groupby(names).indices.items()
    }
    return replace(
        whole,
        groups={name: _evaluated(parts[name], n_bootstrap, seed) for name in sorted(parts)},
    )


def _evaluated(known: Verdicts, n_bootstrap: int, seed: int) -> Evaluation:
    n, y, weight, p = len(known), known.y, known.weight, known.forecasts[0]
    tops = {share: _top_count(share, n) for share in SHARES}
    measures = _intervals(known, tops, n_bootstrap, seed) if n else {}
    unknown = Measure(None, None, None)
    return Evaluation(
        n=n,
        positives=int(y.sum()),
        weight=math.fsum(weight),
        measures={name: measures.get(name, unknown) for name in MEASURES},
        top=tuple(
            Top(
                share,
                count,
                measures.get(f"lift_{share}", unknown),
                measures.get(f"captured_{share}", unknown),
            )
            for share, count in tops.items()
        ),
        reliability=reliability(y, p, weight),
    )


def _top_count(share: float, n: int) -> int:
    """Return how many pursuits a share of them is: rounded, at least one if there is any."""
    return min(n, max(1, math.floor(share * n + 0.5)))


def _intervals(
    known: Verdicts, tops: Mapping[float, int], n_bootstrap: int, seed: int
) -> dict[str, Measure]:
    y, p, n = known.y, known.forecasts[0], len(known)

    def all_measures(mass: Floats, cells: Cells) -> dict[str, Floats]:
        caught = {share: captured(mass, count / n) for share, count in tops.items()}
        return {
            **measured(mass, cells),
            **{f"captured_{share}": found for share, found in caught.items()},
            **{f"lift_{share}": found * n / tops[share] for share, found in caught.items()},
        }

    exact, coarse = in_cells(y, p), in_cells(y, p, FINEST)
    values = all_measures(exact.mass(known.weight), exact)
    # With very many pursuits the resamples work on cells of neighbours: what that does to the
    # measure itself is taken back.
    near = all_measures(coarse.mass(known.weight), coarse)
    draws = [
        all_measures(m, coarse) for (m,) in resampled([coarse], known.weight, n_bootstrap, seed)
    ]
    found = {}
    for name, (value,) in values.items():
        shift = value - near[name][0] if len(exact) > FINEST else 0.0
        together = np.concatenate([draw[name] for draw in draws]) if draws else np.empty(0)
        found[name] = Measure(*(told(x) for x in (value, *interval(together + shift))))
    return found
