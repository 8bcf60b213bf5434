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

from leadscore.learning.binning import (
    Codes,
    Column,
    Floats,
    coded_texts,
    distinct_values,
    levels_of,
    numbers,
    numeric_edges,
    positions,
)
from leadscore.learning.scorecard import (
    CategoricalTable,
    NumericTable,
    Table,
    bin_codes,
    probability,
)


@dataclass(frozen=True)
class Widths:
    """Standard deviations of what the data may change, in log-odds.

    Attributes
    ----------
    trend
        The straight trend of a feature of numbers, from its low to its high end.
    step
        What its two ends may drift apart beyond the trend. A step between neighbouring bins has
        this width times the root of their distance, so that finer bins mean the same prior.
    level
        An entry of a feature of texts.
    unknown
        The entry of a missing value.
    intercept
        The intercept.
    doubt
        By which factor the prior's card may be too strong or too weak, as a whole and again in
        each of its tables; 0 where there is no prior.
    factors
        For each feature, by what its widths (doubt apart) are multiplied; empty: all by 1.
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
    takes up the rest. So a known direction is a bound on each step by itself.

    Attributes
    ----------
    anchor
        Number of the bin that keeps its value.
    distances
        Shape (bins - 1,), how far neighbouring bins lie apart; about 1 in all.
    bounds
        Shape (bins - 1,), the change that makes a step zero: where a direction ends.
    """

    anchor: int
    distances: Floats
    bounds: Floats


@dataclass(frozen=True)
class Block:
    """One feature in a fit.

    Attributes
    ----------
    table
        The prior's table with the entries that the data can tell apart, values unchanged.
    codes
        Shape (n,), which of `entries` each row gets.
    entries
        Shape (number of entries,): the prior's log-odds; of bins, then of the unknown; or of
        levels, then of other and unknown.
    steps
        For a feature of numbers: how its bins are moved. None for a feature of texts.
    direction
        1 if the log-odds must not fall as the feature rises, -1 if they must not rise, else 0.
    """

    table: Table
    codes: Codes
    entries: Floats
    steps: Steps | None
    direction: int = 0

    def fitted_table(self, entries: Floats) -> Table:
        """Return the table with fitted entries, shape (number of entries,)."""
        table = self.table
        if isinstance(table, CategoricalTable):
            values, other, unknown = entries[:-2], float(entries[-2]), float(entries[-1])
            return CategoricalTable(table.feature, table.levels, values, other, unknown)
        values = entries[:-1]
        if self.direction:  # a rounding must not run against the direction either
            values = np.maximum.accumulate(values * self.direction) * self.direction
        return NumericTable(table.feature, table.edges, values, float(entries[-1]))


def check_direction(prior: Table, direction: int) -> None:
    """Refuse a direction that the prior's table runs against, or that a table of levels has.

    Raises
    ------
    ValueError
        Naming the feature, and the edge at which the prior turns.
    """
    if not direction:
        return
    if not isinstance(prior, NumericTable):
        msg = f"Column {prior.feature!r} is a feature of texts, which can't have a direction."
        raise ValueError(msg)  # noqa: TRY004 (the setting is wrong, not a type)
    rising = direction * np.diff(prior.values)
    if (rising < 0).any():
        at = prior.edges[np.argmin(rising)]
        msg = (
            f"The prior of {prior.feature!r} runs against its direction {direction:+d} "
            f"at the edge {at!s}; change the prior or the direction."
        )
        raise ValueError(msg)


def make_block(
    prior: Table, column: Column, weight: Floats, direction: int, max_bins: int, rare_count: float
) -> Block:
    """Refine the prior's table by what the data can tell apart, and code the rows.

    Raises
    ------
    ValueError
        If a feature of numbers holds texts.
    """
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
    one row per feature of numbers, filled up to equal length with numbers that do nothing, so
    that all features are summed up at once.

    Attributes
    ----------
    size
        Length of the vector.
    spans
        For each block, where its entries stand among all entries.
    n_single
        How many numbers come before the steps.
    bounds, sides
        Shape (size,). A number of side 1 must not be below its bound, one of side -1 not above.
        Side 0 has no bound.
    together
        Shape (1 + features of texts, size): vectors that move the score of every row alike, the
        first by the intercept, the others by all entries of one feature of texts.
    real
        Shape of the steps; False for what only fills up.
    distances
        Shape of the steps; how far the bins that they part lie apart.
    right
        Shape of the steps; whether they lie above the anchor of their feature.
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
        self.distances = np.ones((rows, width))
        bounds, sides = np.zeros((rows, width)), np.zeros((rows, width))
        for row, (steps, direction, span) in enumerate(numeric):
            n = len(steps.bounds)
            self._bins[row, : n + 1] = np.arange(span.start, span.start + n + 1)
            self.real[row, :n], self.distances[row, :n] = True, steps.distances
            bounds[row, :n], sides[row, :n] = steps.bounds, direction
        self._anchors = np.array([steps.anchor for steps, *_ in numeric], dtype=np.intp)[:, None]
        self.right = np.arange(width) >= self._anchors
        single = np.ones(self._n_entries + 1, dtype=bool)
        single[self._bins] = False
        self._single = np.flatnonzero(single[:-1])
        self.n_single = 1 + len(self._single)
        places = [1 + np.searchsorted(self._single, [span.start, span.stop]) for span in self.spans]
        self._single_of = [slice(int(start), int(stop)) for start, stop in places]
        starts = self.n_single + width * (np.cumsum([bool(b.steps) for b in blocks]) - 1)
        self._steps_of = [
            slice(int(start), int(start) + len(b.steps.bounds)) if b.steps else slice(0, 0)
            for b, start in zip(blocks, starts, strict=True)
        ]
        self.size = self.n_single + rows * width
        levels = [span for b, span in zip(blocks, self.spans, strict=True) if not b.steps]
        self.together = np.zeros((1 + len(levels), self.size))
        self.together[0, 0] = 1.0
        for row, span in enumerate(levels, start=1):
            start, stop = 1 + np.searchsorted(self._single, [span.start, span.stop])
            self.together[row, start:stop] = 1.0
        self.bounds = np.append(np.zeros(self.n_single), bounds)
        self.sides = np.append(np.zeros(self.n_single), sides)

    def single_of(self, block: int) -> slice:
        """Return where the single entries of a block stand in the vector; the unknown is last."""
        return self._single_of[block]

    def steps_of(self, block: int) -> slice:
        """Return where the steps of a block stand in the vector; nowhere if it has none."""
        return self._steps_of[block]

    def within_bounds(self, vector: Floats) -> Floats:
        """Return the nearest vector within the bounds."""
        beyond = self.sides * (vector - self.bounds) < 0
        return np.where(beyond, self.bounds, vector)

    def steps(self, vector: NDArray[_Entry]) -> NDArray[_Entry]:
        """Return the view of the steps in a vector, shape (features of numbers, most steps)."""
        return vector[self.n_single :].reshape(self.real.shape)

    def entries(self, vector: Floats) -> Floats:
        """Return what a vector adds to each entry, shape (number of all entries,)."""
        added = np.zeros(self._n_entries + 1)
        added[self._single] = vector[1 : self.n_single]
        steps = self.steps(vector)
        bins = np.zeros((len(steps), steps.shape[1] + 1))
        np.cumsum(steps, axis=1, out=bins[:, 1:])
        added[self._bins] = bins - np.take_along_axis(bins, self._anchors, axis=1)
        return added[:-1]

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
        """Turn slopes by the intercept and by the entries into slopes by the vector's numbers.

        Parameters
        ----------
        total
            Shape (...,).
        entries
            Shape (..., number of all entries).

        Returns
        -------
        Shape (..., size).
        """
        before = entries.shape[:-1]
        slopes = np.empty((*before, self.size))
        slopes[..., 0] = total
        slopes[..., 1 : self.n_single] = entries[..., self._single]
        below = self._sums_below(entries)
        steps = (self.right * below[..., -1:] - below[..., :-1]) * self.real
        slopes[..., self.n_single :] = steps.reshape(*before, -1)
        return slopes

    def reach(self, entries: Floats) -> Floats:
        """Return the sum of entries that each step moves, shaped like `steps`.

        A step above the anchor moves all bins above it, one below the anchor all bins below it.
        """
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


def held_by_prior(
    widths: Widths,
    strength: float,
    blocks: Sequence[Block],
    intercept: float,
    weight: Floats,
    heard: Sequence[bool],
) -> Widths:
    """Return widths at which the prior weighs as much as a number of outcomes.

    An outcome tells p (1 - p) about the intercept, and p (1 - p) (score - mean)^2 about how much
    too strong or too weak the card is (its Fisher information); so many times that is the
    precision of the prior, and more of the card's strength. What else may change is narrowed alike.

    Parameters
    ----------
    widths
        The widths without a prior.
    strength
        Number of outcomes, positive.
    blocks, intercept
        The prior.
    weight
        Shape (n,), the weights of the rows; without any, the prior is taken at its intercept.
    heard
        For each feature, whether the prior says anything about it; others are not narrowed.
    """
    score = np.full(max(len(weight), 1), intercept)
    if len(weight):
        for block in blocks:
            score += block.entries[block.codes]
    chance = probability(score)
    told = (weight if len(weight) else np.ones(1)) * chance * (1.0 - chance)
    mean = told @ score / told.sum()
    spread = max(float(told @ (score - mean) ** 2 / told.sum()), _LEAST_SPREAD)
    each = float(told.sum()) / max(float(weight.sum()), 1.0)
    narrower = _SHARE * math.sqrt(_USUAL / strength)
    return replace(
        widths,
        trend=widths.trend * narrower,
        step=widths.step * narrower,
        level=widths.level * narrower,
        unknown=widths.unknown * narrower,
        intercept=1.0 / math.sqrt(strength * each),
        doubt=min(_FIRMER / math.sqrt(strength * each * spread), _MOST_DOUBT),
        factors=tuple(1.0 if listed else 1.0 / narrower for listed in heard),
    )


def words(layout: Layout, blocks: Sequence[Block], weight: Floats) -> Floats:
    """Return what the prior says as vectors: each table that says anything, then all together.

    Each is centred, so that believing it less leaves the mean score of the rows where it is.

    Returns
    -------
    Shape (number of vectors, size of the layout).
    """
    said = []
    for j, block in enumerate(blocks):
        spoken = block.entries - (block.entries[block.steps.anchor] if block.steps else 0.0)
        if not spoken.any():
            continue
        vector = np.zeros(layout.size)
        if len(weight):
            vector[0] = -np.bincount(block.codes, weight, len(spoken)) @ spoken / weight.sum()
        single = layout.single_of(j)
        if block.steps:
            vector[layout.steps_of(j)] = -block.steps.bounds
            vector[single] = spoken[-1]
        else:
            vector[single] = spoken
        said.append(vector)
    return np.array([*said, np.sum(said, axis=0)]) if said else np.zeros((0, layout.size))
