"""Measures of forecasts against outcomes, with what resampling says of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from leadscore.learning.evaluation import LEVEL, Band, Evaluation, Measure, Top
from leadscore.learning.scorecard import Codes, Floats


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Pursuits with a known outcome, in an order that the order of the rows can't change.

    ``y`` is 0 or 1, ``weight`` positive, each of ``forecasts`` 0..1; ``rows`` are those that they
    came from.
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
        return type(self)(self.y[rows], self.weight[rows], forecasts, self.rows[rows])

    @classmethod
    def of(cls, y: ArrayLike, weight: ArrayLike | None, *forecasts: ArrayLike) -> Self:
        """Check and sort; pursuits whose outcome is missing or whose weight is 0 are left out.

        A ValueError if lengths differ, or a value is out of range.
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


_MOST_STEPS = 100
_LONGEST_STEP = 2.0  # in units of the spread of the log-odds; keeps Newton from overshooting
_TOLERANCE = 1e-9
_ALIKE = 1e-9  # log-odds no further apart than this are the same but for rounding
_TINY = float(np.finfo(float).tiny)


def recalibrated(mass: Floats, log_odds: Floats) -> tuple[Floats, Floats]:
    """Fit the outcomes on the log-odds of the forecasts (Cox 1958), for r weightings at once.

    Of cells with never falling ``log_odds``, shape (c,), ``mass``, shape (r, 2, c), is the weight
    of negatives and positives. Returns the slope b of ``a + b * log_odds`` (1 is ideal, below 1
    means forecasts too extreme; infinite where the forecasts part the outcomes without overlap,
    with the sign of the right way round; NaN where a class is absent or all forecasts are the same)
    and the intercept a of ``a + log_odds`` (0 is ideal, below 0 means forecasts too high; NaN where
    a class is absent).
    """
    intercept = np.full(len(mass), np.nan)
    both = (mass.sum(axis=2) > 0).all(axis=1)
    intercept[both] = _offset(mass[both], log_odds)
    slope = np.where(both, _without_overlap(mass, log_odds), np.nan)
    overlap = slope == 0
    slope[overlap] = _slope(mass[overlap], log_odds)
    return slope, intercept


def _without_overlap(mass: Floats, log_odds: Floats) -> Floats:
    # The slope where none can be fitted, and 0 where one can; both classes are present.
    present: NDArray[np.bool_] = mass > 0
    low = log_odds[np.argmax(present, axis=2)]
    high = log_odds[len(log_odds) - 1 - np.argmax(present[:, :, ::-1], axis=2)]
    right, wrong = high[:, 0] <= low[:, 1], high[:, 1] <= low[:, 0]
    return np.select([right & wrong, right, wrong], [np.nan, np.inf, -np.inf], 0.0)


def _offset(mass: Floats, log_odds: Floats) -> Floats:
    # The shift that makes the mean forecast the mean outcome: Newton within a bracket.
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
    # Level and slope, shape (r, 2), by Newton steps of bounded length; NaN where they don't settle.
    line = start.copy()
    searching = np.arange(len(line))
    wanted = positive @ powers[:, :2]
    for _ in range(_MOST_STEPS):
        if not len(searching):
            break
        p = expit(line[searching] @ powers[:, :2].T)
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
        line[searching] += step * (_LONGEST_STEP / np.maximum(length, _LONGEST_STEP))
        searching = searching[length[:, 0] > _TOLERANCE]
    line[searching] = np.nan
    return line


SURE = 1e-6
"""Log loss and log-odds take a forecast as at least this and at most 1 minus this, so that one
forecast of exactly 0 or 1 that proves wrong costs 13.8 instead of infinity."""


def finite_or_none(number: float) -> float | None:
    """Return a number, or None for what is not finite."""
    return float(number) if math.isfinite(number) else None


def log_odds_of(p: ArrayLike) -> Floats:
    """Return the log-odds of forecasts, none of them surer than `SURE`."""
    sure = np.clip(np.asarray(p, dtype=np.float64), SURE, 1.0 - SURE)
    log_odds: Floats = np.log(sure) - np.log1p(-sure)
    return log_odds


MEASURES = (
    "auc", "average_precision", "log_loss", "brier", "calibration_slope", "calibration_intercept"
)  # fmt: skip
"""Names of the measures that are one number."""


@dataclass(frozen=True, eq=False)
class Ties:
    """Pursuits sorted into cells of equal (or, where there are very many, nearly equal) forecasts.

    Every measure is a function of the weight of the positive and of the negative pursuits in
    each cell, so a resample of the pursuits is nothing but other weights. ``slot`` is the cell of
    each pursuit, plus the number of cells where it is positive; ``log_odds`` the mean of each cell,
    rising; ``log_loss`` and ``brier`` the mean loss of a negative and of a positive pursuit there.
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
        return _masses(self.slot[None], weight, len(self))


def _masses(slots: Codes, weights: Floats | None, count: int) -> Floats:
    # The weight in each slot, for r rows of slots: shape (r, 2, count).
    r = len(slots)
    apart = slots + 2 * count * np.arange(r)[:, None]
    mass: Floats = np.bincount(apart.ravel(), weights, 2 * count * r).astype(float, copy=False)
    return mass.reshape(r, 2, count)


def tied(y: Floats, p: Floats, most: int | None = None) -> Ties:
    """Sort pursuits, at least one, into cells.

    With more distinct forecasts than ``most``, neighbours share a cell (cells of equal numbers of
    distinct forecasts).
    """
    values, cell = np.unique(p, return_inverse=True)
    count = len(values)
    if most is not None and count > most:
        cell, count = cell * most // count, most
    sure = np.clip(p, SURE, 1.0 - SURE)
    rows = np.bincount(cell, minlength=count)
    losses = (np.stack([-np.log1p(-sure), -np.log(sure)]), np.stack([p**2, (1.0 - p) ** 2]))

    def mean(column: Floats) -> Floats:
        return np.bincount(cell, column, count) / rows

    log_loss, brier = (np.stack([mean(column) for column in loss]) for loss in losses)
    return Ties(cell + count * (y > 0), mean(log_odds_of(p)), log_loss, brier)


def discrimination(mass: Floats) -> dict[str, Floats]:
    """Return how well the order of the forecasts parts the outcomes, for each of r weightings.

    ``auc`` (the chance that a positive stands above a negative, a tie counts half) and
    ``average_precision`` (precision at each forecast, averaged over the positives), 0..1; NaN
    where a class without which they mean nothing is absent.
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


def losses(mass: Floats, ties: Ties) -> dict[str, Floats]:
    """Return ``log_loss`` (in nats, see `SURE`) and ``brier``, shape (r,); less is better."""
    total = mass.sum(axis=(1, 2))
    return {
        "log_loss": ratio(np.tensordot(mass, ties.log_loss, 2), total),
        "brier": ratio(np.tensordot(mass, ties.brier, 2), total),
    }


def captured(mass: Floats, share: float) -> Floats:
    """Return the share of the positives that stand in the top ``share`` of the weight; NaN without.

    Pursuits with equal forecasts at the border are taken in part, each by the same part.
    """
    positive = mass[:, 1, ::-1]
    total = mass.sum(axis=1)[:, ::-1]
    reached = np.cumsum(total, axis=1)
    wanted = share * reached[:, -1:]
    part = ratio(np.clip(wanted - (reached - total), 0.0, total), total, empty=0.0)
    return ratio((positive * part).sum(axis=1), positive.sum(axis=1))


def ratio(above: Floats, below: Floats, empty: float = np.nan) -> Floats:
    """Divide, with ``empty`` where the divisor is 0."""
    quotient: Floats = np.divide(above, below, out=np.full(np.shape(above), empty), where=below > 0)
    return quotient


FINEST = 500
"""With more distinct forecasts than this, resamples work on so many cells of neighbours."""

_AT_ONCE = 250_000  # drawn pursuits held in memory at a time


def resampled(
    rankings: Sequence[Ties], weight: Floats, n_bootstrap: int, seed: int
) -> Iterator[list[Floats]]:
    """Draw n pursuits with replacement, again and again, each with its weight.

    Yields, for a number of resamples at a time, the masses of each of the rankings of the same
    pursuits, shape (r, 2, cells).
    """
    random = np.random.default_rng(seed)
    n = len(weight)
    even = bool(np.ptp(weight) == 0)
    at_once = max(1, _AT_ONCE // n)
    for start in range(0, n_bootstrap, at_once):
        r = min(at_once, n_bootstrap - start)
        drawn = random.integers(0, n, (r, n), dtype=np.int32)
        weights = None if even else weight[drawn].ravel()
        masses = (_masses(ties.slot[drawn], weights, len(ties)) for ties in rankings)
        yield [mass * (weight[0] if even else 1.0) for mass in masses]


def reordered(ties: Ties, weight: Floats, n_orders: int, seed: int) -> Iterator[Floats]:
    """Deal the outcomes, each with its weight, out to the pursuits anew, again and again.

    Yields, for a number of orders at a time, the masses, shape (r, 2, cells).
    """
    random = np.random.default_rng(seed)
    n, count = len(weight), len(ties)
    cell, positive = ties.slot % count, ties.slot // count
    at_once = max(1, _AT_ONCE // n)
    for start in range(0, n_orders, at_once):
        r = min(at_once, n_orders - start)
        dealt = random.permuted(np.tile(np.arange(n), (r, 1)), axis=1)
        yield _masses(cell + count * positive[dealt], weight[dealt].ravel(), count)


def interval(draws: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return the ends between which the middle ``level`` of the draws lies.

    Draws without a value (NaN) are left out; with more than half of them so, both ends are NaN.
    An end may be infinite: the resamples don't bound it.
    """
    known = draws[~np.isnan(draws)]
    if 2 * len(known) <= len(draws):
        return np.nan, np.nan
    ends = np.array([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    low, high = np.quantile(known, ends, method="inverted_cdf").tolist()
    return low, high


_MOST_BANDS = 10
_FEWEST_ROWS = 10  # fewer pursuits than this tell nothing, so a band has at least about so many


def reliability(y: Floats, p: Floats, weight: Floats) -> tuple[Band, ...]:
    """Return up to ten bands of about equal weight, forecasts rising; equal forecasts share one."""
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


_BINS = 10
_FEWEST_IN_BIN = 5


def population_stability(before: Floats, after: Floats) -> float:
    """Return the population stability index of two samples of numbers; NaN for very few.

    Bins are tenths of ``before`` (fewer for few numbers); half a case is added to each bin, so
    that an empty one counts much but not without bound. 0 is the same distribution, 0.1 a slight
    shift, 0.25 one that needs an explanation.
    """
    bins = min(_BINS, min(len(before), len(after)) // _FEWEST_IN_BIN)
    if bins < 2:
        return math.nan
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins))
    shares = []
    for sample in (before, after):
        counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=len(edges) + 1)
        shares.append((counts + 0.5) / (len(sample) + 0.5 * len(counts)))
    old, new = shares
    return float(((new - old) * np.log(new / old)).sum())


SHARES = (0.1, 0.2, 0.3)
"""The shares of the pursuits, best forecasts first, for which lift is told."""
_OF_TOP = ("lift", "captured")


def evaluate(
    y: ArrayLike,
    p: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_bootstrap: int = 1_000,
    seed: int = 0,
) -> Evaluation:
    """Hold n forecasts, 0..1, against outcomes; the order of the rows changes nothing.

    An outcome is 1 for a pursuit that reached the target, 0 for one that did not; NaN (unknown) is
    left out, and so is weight 0. The weight says how many pursuits each stands for (inverse
    probability of being known), ``groups`` names one for each pursuit, such as its chain; missing
    where it has none. The intervals are from so many resamples (0: none). A ValueError if shapes
    differ, or a value is out of range.
    """
    known = Forecasts.of(y, weight, p)
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
        whole, groups={name: _evaluated(parts[name], n_bootstrap, seed) for name in sorted(parts)}
    )


def _evaluated(known: Forecasts, n_bootstrap: int, seed: int) -> Evaluation:
    n, y = len(known), known.y
    # Rounded, at least one if there is any.
    tops = {share: min(n, max(1, math.floor(share * n + 0.5))) for share in SHARES}
    measures = _intervals(known, tops, n_bootstrap, seed) if n else {}
    unknown = Measure(None, None, None)
    return Evaluation(
        n=n,
        positives=int(y.sum()),
        weight=math.fsum(known.weight),
        measures={name: measures.get(name, unknown) for name in MEASURES},
        top=tuple(
            Top(share, count, *(measures.get(f"{name}_{share}", unknown) for name in _OF_TOP))
            for share, count in tops.items()
        ),
        reliability=reliability(y, known.forecasts[0], known.weight),
    )


def _intervals(
    known: Forecasts, tops: Mapping[float, int], n_bootstrap: int, seed: int
) -> dict[str, Measure]:
    y, p, n = known.y, known.forecasts[0], len(known)

    def all_measures(mass: Floats, ties: Ties) -> dict[str, Floats]:
        slope, intercept = recalibrated(mass, ties.log_odds)
        measures = discrimination(mass) | losses(mass, ties)
        measures |= {"calibration_slope": slope, "calibration_intercept": intercept}
        for share, count in tops.items():
            measures[f"captured_{share}"] = caught = captured(mass, count / n)
            measures[f"lift_{share}"] = caught * n / count
        return measures

    exact, coarse = tied(y, p), tied(y, p, FINEST)
    values = all_measures(exact.mass(known.weight), exact)
    # With very many pursuits the resamples work on cells of neighbours: what that does to the
    # measure itself is taken back.
    near = all_measures(coarse.mass(known.weight), coarse)
    draws = [
        all_measures(m, coarse) for (m,) in resampled([coarse], known.weight, n_bootstrap, seed)
    ]
    measures = {}
    for name, (value,) in values.items():
        shift = value - near[name][0] if len(exact) > FINEST else 0.0
        together = np.concatenate([draw[name] for draw in draws]) if draws else np.empty(0)
        ends = interval(together + shift)
        measures[name] = Measure(*(finite_or_none(number) for number in (value, *ends)))
    return measures
