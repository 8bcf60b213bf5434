"""Packs the free numbers of all features into one vector, and maps it to entries and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from leadscore.learning.fitting.blocks import Block
from leadscore.learning.tables.columns import Floats

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
