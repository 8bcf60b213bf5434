"""What a fit of the card solves for: codes, priors and their widths, packed into one vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from leadscore.learning.scorecard import (
    CategoricalTable,
    CodedTexts,
    Codes,
    Column,
    Floats,
    NumericTable,
    Table,
    bin_codes,
    coded_texts,
    numbers,
    probability,
    with_entries,
)

# Below this number of rows, fewer bins than allowed tell as much and cost less (measured at
# 25 to 800 rows: no difference in log loss beyond 0.0005).
_FEWEST_BINS = 16
# Values outside these quantiles count as lying at them, so that one absurd amount of capital
# can't squeeze all others into one place.
_LOW, _HIGH = 0.05, 0.95
_FINEST = 16  # how many times more quantiles than bins may be asked for


@dataclass(frozen=True)
class DistinctValues:
    """The distinct present values of a feature of numbers, rising, and the weight of each."""

    values: Floats
    weights: Floats

    @property
    def total(self) -> float:
        """Weight of all rows with a present value."""
        return float(self.weights.sum())


def distinct_values(x: Floats, weight: Floats) -> DistinctValues:
    """Count the distinct values of ``x``, shape (n,); infinities as the outermost finite value."""
    finite = x[np.isfinite(x)]
    if not len(finite):
        return DistinctValues(finite, finite)
    present = ~np.isnan(x)
    x, weight = np.clip(x[present], finite.min(), finite.max()), weight[present]
    # Sums of floats differ with their order, and a bin edge may hang on the last bit.
    order = np.lexsort((weight, x)) if np.ptp(weight) > 0 else np.argsort(x)
    x, weight = x[order], weight[order]
    starts = np.flatnonzero(np.append(True, x[1:] != x[:-1]))
    return DistinctValues(x[starts], np.add.reduceat(weight, starts))


def numeric_edges(data: DistinctValues, prior_edges: Floats, max_bins: int) -> Floats:
    """Join the prior's edges, all kept, with edges between the data's values, where none is yet.

    With few distinct values an edge goes between each two of them, else at quantiles.
    """
    values = data.values
    rows = max(data.total, 1.0)
    bins = min(max_bins, max(_FEWEST_BINS, math.ceil(2.0 * math.sqrt(rows))))
    room = bins - 1 - len(prior_edges)
    if room <= 0 or len(values) < 2:
        return prior_edges
    parted = np.zeros(len(values) + 1, dtype=bool)
    parted[np.searchsorted(values, prior_edges)] = True  # between value i - 1 and value i
    gaps = np.flatnonzero(~parted[1:-1])
    if len(gaps) > room:
        gaps = np.intersect1d(gaps, _quantile_gaps(data, room))
    added = [_simplest_between(values[gap], values[gap + 1]) for gap in gaps]
    return np.sort(np.append(prior_edges, added))


def _quantile_gaps(data: DistinctValues, count: int) -> Codes:
    # At most `count` gaps that part the weight evenly. A value that many rows share swallows
    # several quantiles, so as many are asked for as it takes to use up the count.
    below = np.cumsum(data.weights)[:-1]  # the weight below the gap after each value
    gaps = _nearest_gaps(below, data.total, count)
    enough, too_many = count, _FINEST * count
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        nearest = _nearest_gaps(below, data.total, middle)
        if len(nearest) <= count:
            enough, gaps = middle, nearest
        else:
            too_many = middle
    return gaps


def _nearest_gaps(below: Floats, total: float, count: int) -> Codes:
    wanted = total * np.arange(1, count + 1) / (count + 1)
    after = np.minimum(np.searchsorted(below, wanted), len(below) - 1)
    before = np.maximum(after - 1, 0)
    return np.unique(np.where(wanted - below[before] <= below[after] - wanted, before, after))


def _simplest_between(left: float, right: float) -> float:
    # The number with the fewest digits that is above left and not above right.
    middle = left / 2.0 + right / 2.0
    rounded = (float(f"{x:.{digits}g}") for digits in range(1, 18) for x in (middle, right))
    return next(number for number in rounded if left < number <= right)  # right itself at last


def positions(data: DistinctValues, edges: Floats) -> Floats:
    """Return where each bin lies between the low and the high end of its feature, 0..1.

    The mean of two places: by rank (the share of the weight below the bin's middle) and by value
    (between the 5 % and the 95 % quantile). Ranks alone lose what is linear in the value, values
    alone are at the mercy of long tails; on five data sets at 25 to 200 rows the mean of both
    had a lower log loss than either.
    """
    n_bins = len(edges) + 1
    if not len(data.values):
        return np.linspace(0.0, 1.0, n_bins)
    bins = np.searchsorted(edges, data.values, side="right")
    mass = np.bincount(bins, data.weights, n_bins)
    rank = (np.cumsum(mass) - mass / 2.0) / data.total
    low, high = _span(data)
    if low / 2.0 == high / 2.0:  # equal, or so near to 0 that no float lies halfway
        return rank
    # An empty bin lies in the middle between its edges.
    outer = np.concatenate([edges[:1], edges, edges[-1:]])
    place = _scaled((outer[:-1] / 2.0 + outer[1:] / 2.0), low, high)
    sums = np.bincount(bins, data.weights * _scaled(data.values, low, high), n_bins)
    np.divide(sums, mass, out=place, where=mass > 0)
    return (rank + place) / 2.0


def _span(data: DistinctValues) -> tuple[float, float]:
    below = np.cumsum(data.weights)
    ends = np.searchsorted(below, np.array([_LOW, _HIGH]) * below[-1])
    low, high = data.values[ends]
    return (low, high) if low < high else (data.values[0], data.values[-1])


def _scaled(x: Floats, low: float, high: float) -> Floats:
    # Halves first: the distance between two finite floats may be infinite. A value far outside a
    # tiny span may overflow, and is clipped.
    with np.errstate(over="ignore"):
        return np.clip((x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0), 0.0, 1.0)


def levels_of(
    column: CodedTexts, weight: Floats, prior_levels: Sequence[str], rare_count: float
) -> tuple[str, ...]:
    """Return the prior's levels, however rare, then the others of at least this weight, sorted."""
    weights = np.bincount(column.codes + 1, weight, len(column.texts) + 1)[1:]
    seen: dict[str, float] = {}
    for text, rows in zip(column.texts, weights.tolist(), strict=True):
        seen[text] = seen.get(text, 0.0) + rows
    # Sums of fractional weights may miss the bound by a rounding.
    enough = rare_count * (1.0 - 1e-9)
    added = {text for text, rows in seen.items() if rows >= enough}.difference(prior_levels)
    return (*prior_levels, *sorted(added))


@dataclass(frozen=True)
class Widths:
    """Standard deviations of what the data may change, in log-odds.

    The straight ``trend`` of a feature of numbers runs from its low to its high end. A ``step``
    between neighbouring bins has this width times the root of their distance, so that finer bins
    mean the same prior. ``doubt`` is the factor by which the prior's card may be too strong or too
    weak, as a whole and again in each of its tables; 0 without a prior. ``factors`` multiply the
    widths (doubt apart) of each feature; empty: all by 1.
    """

    trend: float
    step: float
    level: float
    unknown: float
    intercept: float
    doubt: float = 0.0
    factors: tuple[float, ...] = ()

    def factor(self, feature: int) -> float:
        """Return by what the widths of a feature are multiplied."""
        return self.factors[feature] if feature < len(self.factors) else 1.0


# Bins that hardly lie apart in the data (an edge of the prior beyond all of it) still differ by
# this much, which leaves the prior's step as good as fixed.
_LEAST_DISTANCE = 1e-3


@dataclass(frozen=True)
class Steps:
    """The free numbers of a feature of numbers: changes to the prior's steps between bins.

    The bin that holds the median is the anchor: it keeps the prior's value, and the intercept
    takes up the rest. So a known direction is a bound on each step by itself. ``distances`` say how
    far neighbouring bins lie apart (about 1 in all), ``bounds`` which change makes a step zero:
    where a direction ends.
    """

    anchor: int
    distances: Floats
    bounds: Floats


@dataclass(frozen=True)
class Block:
    """One feature in a fit: the prior's table with the entries that the data can tell apart.

    ``codes`` say which of ``entries`` (the prior's log-odds; bins or levels, other, unknown) each
    row gets. ``steps`` move the bins of a feature of numbers; None for one of texts. ``asked`` is
    False for rows that get no entry, and from which the table learns nothing; None if all get one.
    """

    table: Table
    codes: Codes
    entries: Floats
    steps: Steps | None
    direction: int = 0
    asked: NDArray[np.bool_] | None = None

    def of_asked(self, amounts: Floats) -> Floats:
        """Return amounts of the rows, 0 for those that get no entry."""
        if self.asked is None:
            return amounts
        of_asked: Floats = np.where(self.asked, amounts, 0.0)
        return of_asked

    def count(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts by entry."""
        return np.bincount(self.codes, self.of_asked(amounts), len(self.entries)).astype(np.float64)

    def fitted_table(self, entries: Floats) -> Table:
        """Return the table with fitted entries."""
        if self.direction:  # a rounding must not run against the direction either
            rising = np.maximum.accumulate(entries[:-1] * self.direction) * self.direction
            entries = np.append(rising, entries[-1])
        return with_entries(self.table, entries)


def make_block(
    prior: Table, column: Column, weight: Floats, direction: int, max_bins: int, rare_count: float
) -> Block:
    """Refine the prior's table by what the data can tell apart, and code the rows."""
    if isinstance(prior, NumericTable):
        return _numeric_block(prior, column, weight, direction, max_bins)
    coded = coded_texts(column)
    levels = levels_of(coded, weight, prior.levels, rare_count)
    place = {level: i for i, level in enumerate(levels)}
    # A level is looked up by its text, or is other; code -1, a missing value, comes last.
    places = [place.get(text, len(levels)) for text in coded.texts] + [len(levels) + 1]
    added = np.full(len(levels) - len(prior.levels), prior.other)
    values = np.append(prior.values, added)
    table = CategoricalTable(prior.feature, levels, values, prior.other, prior.unknown)
    entries = np.append(values, [prior.other, prior.unknown])
    return Block(table, np.array(places, dtype=np.intp)[coded.codes], entries, None)


def _numeric_block(
    prior: NumericTable, column: Column, weight: Floats, direction: int, max_bins: int
) -> Block:
    x = numbers(column, prior.feature)
    data = distinct_values(x, weight)
    edges = numeric_edges(data, prior.edges, max_bins)
    lower_ends = np.append(-np.inf, edges)
    values = prior.values[np.searchsorted(prior.edges, lower_ends, side="right")]
    table = NumericTable(prior.feature, edges, values, prior.unknown)
    entries = np.append(values, prior.unknown)
    place = positions(data, edges)
    distances = np.maximum(np.diff(place), _LEAST_DISTANCE)
    half = np.searchsorted(np.cumsum(data.weights), data.total / 2.0)
    anchor = int(np.searchsorted(edges, data.values[half], side="right")) if data.total else 0
    steps = Steps(anchor, distances, bounds=-np.diff(values))
    return Block(table, bin_codes(x, edges), entries, steps, direction)


_Entry = TypeVar("_Entry", np.float64, np.bool_)


class Layout:
    """The vector of a fit: one intercept, then single entries, then steps between bins.

    Every number is a change to the prior, so the zero vector is the prior itself. Steps stand as
    one row per feature of numbers, filled up to equal length with numbers that do nothing (``real``
    is False there), so that all features are summed up at once; ``right`` are those above the
    anchor. ``n_single`` numbers come before the steps. ``spans`` say where the entries of each
    block stand among all, ``single_of`` (the unknown last) and ``steps_of`` where in the vector. A
    number of side 1 must not be below its bound, one of side -1 not above; side 0: no bound.
    ``together``, shape (1 + features of texts, size), are vectors that move the score of every row
    alike, the first by the intercept, the others by all entries of one feature of texts.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        ends = [0, *accumulate(len(block.entries) for block in blocks)]
        self.spans = [slice(start, stop) for start, stop in pairwise(ends)]
        self._n_entries = ends[-1]
        spans = zip(blocks, self.spans, strict=True)
        numeric = [(b.steps, b.direction, span) for b, span in spans if b.steps]
        rows, width = len(numeric), max((len(steps.bounds) for steps, *_ in numeric), default=0)
        # The bins of each row of steps among the entries; beyond the last bin, a spare entry.
        self._bins = np.full((rows, width + 1), self._n_entries)
        self.real = np.zeros((rows, width), dtype=bool)
        bounds, sides = np.zeros((rows, width)), np.zeros((rows, width))
        for row, (steps, direction, span) in enumerate(numeric):
            n = len(steps.bounds)
            self._bins[row, : n + 1] = np.arange(span.start, span.start + n + 1)
            self.real[row, :n] = True
            bounds[row, :n], sides[row, :n] = steps.bounds, direction
        self._anchors = np.array([steps.anchor for steps, *_ in numeric], dtype=np.intp)[:, None]
        self.right = np.arange(width) >= self._anchors
        single = np.ones(self._n_entries + 1, dtype=bool)
        single[self._bins] = False
        self._single = np.flatnonzero(single[:-1])
        self.n_single = 1 + len(self._single)
        places = [1 + np.searchsorted(self._single, [span.start, span.stop]) for span in self.spans]
        self.single_of = [slice(int(start), int(stop)) for start, stop in places]
        starts = self.n_single + width * (np.cumsum([bool(b.steps) for b in blocks]) - 1)
        self.steps_of = [
            slice(int(start), int(start) + len(b.steps.bounds)) if b.steps else slice(0, 0)
            for b, start in zip(blocks, starts, strict=True)
        ]
        self.size = self.n_single + rows * width
        levels = [at for at, b in zip(self.single_of, blocks, strict=True) if not b.steps]
        self.together = np.zeros((1 + len(levels), self.size))
        self.together[0, 0] = 1.0
        for row, at in enumerate(levels, start=1):
            self.together[row, at] = 1.0
        self.bounds = np.append(np.zeros(self.n_single), bounds)
        self.sides = np.append(np.zeros(self.n_single), sides)

    def steps(self, vector: NDArray[_Entry]) -> NDArray[_Entry]:
        """Return the view of the steps in a vector, shape (features of numbers, most steps)."""
        return vector[self.n_single :].reshape(self.real.shape)

    def entries(self, vector: Floats) -> Floats:
        """Return what a vector adds to each entry, shape (number of all entries,)."""
        return self.spread(vector[:, None])[1:, 0]

    def spread(self, vectors: Floats) -> Floats:
        """Return what vectors, shape (size, m), add to the intercept and each entry."""
        m = vectors.shape[1]
        added = np.zeros((1 + self._n_entries + 1, m))
        added[0] = vectors[0]
        added[1 + self._single] = vectors[1 : self.n_single]
        steps = vectors[self.n_single :].reshape(*self.real.shape, m)
        bins = np.zeros((len(steps), steps.shape[1] + 1, m))
        np.cumsum(steps, axis=1, out=bins[:, 1:])
        added[1 + self._bins] = bins - np.take_along_axis(bins, self._anchors[:, :, None], axis=1)
        return added[:-1]

    def gather(self, total: npt.ArrayLike, entries: Floats) -> Floats:
        """Turn slopes by intercept (...,) and entries (..., n) into slopes by the vector."""
        before = entries.shape[:-1]
        slopes = np.empty((*before, self.size))
        slopes[..., 0] = total
        slopes[..., 1 : self.n_single] = entries[..., self._single]
        below = self._sums_below(entries)
        steps = (self.right * below[..., -1:] - below[..., :-1]) * self.real
        slopes[..., self.n_single :] = steps.reshape(*before, -1)
        return slopes

    def reach(self, entries: Floats) -> Floats:
        """Return the sum of entries that each step moves, on its side of the anchor."""
        below = self._sums_below(entries)
        return np.where(self.right, below[:, -1:] - below[:, :-1], below[:, :-1]) * self.real

    def _sums_below(self, entries: Floats) -> Floats:
        spare = np.zeros((*entries.shape[:-1], 1))
        return np.cumsum(np.concatenate([entries, spare], axis=-1)[..., self._bins], axis=-1)


# With so many outcomes behind the experts' word, what else the data may change has this share of
# its widths without a prior. Measured on learning curves with experts who are right, half right
# and wrong: a fifth more or less changes little, half of it learns too late from wrong experts.
_USUAL, _SHARE = 50.0, 0.12
# What the experts say of the order of firms is held more firmly than the level that they expect:
# measured likewise, right experts lose a third less by it and wrong ones are unlearnt as soon.
_FIRMER = 0.6
_LEAST_SPREAD = 0.1  # variance of the prior's scores; a card that says nothing can't be doubted
_MOST_DOUBT = 1.0
_MOSTLY = 0.5  # of the rows' weight asks for a table that is doubted with the others


def held_by_prior(
    widths: Widths,
    strength: float,
    blocks: Sequence[Block],
    intercept: float | Floats,
    weight: Floats,
    listed: Sequence[bool],
) -> Widths:
    """Return widths at which the prior weighs as much as a number of outcomes.

    An outcome tells p (1 - p) about the intercept, and p (1 - p) (score - mean)^2 about how much
    too strong or too weak the card is (its Fisher information); so many times that is the
    precision of the prior, and more of the card's strength. What else may change is narrowed
    alike, but for features that the prior doesn't list. Without rows the prior is taken at its
    intercept, which may be another one for each row.
    """
    score = np.full(max(len(weight), 1), intercept)
    if len(weight):
        for block in blocks:
            score += block.of_asked(block.entries[block.codes])
    chance = probability(score)
    information = (weight if len(weight) else np.ones(1)) * chance * (1.0 - chance)
    total = information.sum()
    mean = information @ score / total
    spread = max(float(information @ (score - mean) ** 2 / total), _LEAST_SPREAD)
    per_outcome = float(total) / max(float(weight.sum()), 1.0)
    narrower = _SHARE * math.sqrt(_USUAL / strength)
    return replace(
        widths, trend=widths.trend * narrower, step=widths.step * narrower,
        level=widths.level * narrower, unknown=widths.unknown * narrower,
        intercept=1.0 / math.sqrt(strength * per_outcome),
        doubt=min(_FIRMER / math.sqrt(strength * per_outcome * spread), _MOST_DOUBT),
        factors=tuple(1.0 if known else 1.0 / narrower for known in listed),
    )  # fmt: skip


def prior_directions(layout: Layout, blocks: Sequence[Block], weight: Floats) -> Floats:
    """Return what the prior says as vectors: each table that says anything, then all together.

    Each is centred, so that believing it less leaves the mean score of the rows where it is. A
    table that hardly a row asks for can't be centred: it is neither believed nor doubted with the
    others.
    """
    directions, together = [], []
    for j, block in enumerate(blocks):
        levels = block.entries - (block.entries[block.steps.anchor] if block.steps else 0.0)
        asked = 1.0 if block.asked is None else float(weight[block.asked].sum() / weight.sum())
        if not levels.any() or not asked:
            continue
        vector = np.zeros(layout.size)
        if len(weight):
            vector[0] = -block.count(weight) @ levels / weight.sum()
        single = layout.single_of[j]
        if block.steps:
            vector[layout.steps_of[j]] = -block.steps.bounds
            vector[single] = levels[-1]
        else:
            vector[single] = levels
        directions.append(vector)
        if asked >= _MOSTLY:
            together.append(vector)
    if not together:
        return np.array(directions).reshape(len(directions), layout.size)
    return np.array([*directions, np.sum(together, axis=0)])
