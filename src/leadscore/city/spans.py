"""Places in a text as pairs of arrays, and the questions that are asked of them by the thousand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from leadscore.city.arrays import BoolArray, IntArray

NOWHERE: Final = 1 << 40
"""A position that no document has."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Places by rising ``begin`` and ``end``, so none lies within another; ends are exclusive."""

    begin: IntArray
    end: IntArray

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.begin)

    def next_begin(self, position: IntArray) -> IntArray:
        """Return where the first span at or after each position begins, or `NOWHERE`."""
        return pick(self.begin, np.searchsorted(self.begin, position), NOWHERE)

    def next_end(self, position: IntArray) -> IntArray:
        """Return where that first span ends, or `NOWHERE`."""
        return pick(self.end, np.searchsorted(self.begin, position), NOWHERE)

    def last_end(self, position: IntArray) -> IntArray:
        """Return where the last span up to each position ends, or `-NOWHERE`."""
        return pick(self.end, np.searchsorted(self.end, position, side="right") - 1, -NOWHERE)


def pick(values: IntArray, index: IntArray, missing: int) -> IntArray:
    """Return ``values[index]``, or ``missing`` where the index is just beyond either end."""
    padded = np.append(values, missing)
    return padded[np.where(index < 0, len(values), index)]


def covered(begin: IntArray, end: IntArray, length: int) -> BoolArray:
    """Return for each of ``length`` characters whether any span covers it; spans may nest."""
    steps = np.bincount(begin, minlength=length + 1) - np.bincount(end, minlength=length + 1)
    result: BoolArray = np.cumsum(steps[:length]) > 0
    return result


def outermost(begin: IntArray, end: IntArray, layer: IntArray) -> IntArray:
    """Return, by rising begin, the spans that do not lie within another one of their layer."""
    order = np.lexsort((-end, begin, layer))
    reach = end[order] + _shift(layer[order], end)
    outer = order[reach > np.append(-1, np.maximum.accumulate(reach)[:-1])[: len(reach)]]
    return outer[np.argsort(begin[outer], kind="stable")]


def run_ends(begin: IntArray, end: IntArray, layer: IntArray) -> IntArray:
    """Return for each span where the unbroken run of spans of its layer ends that it is part of."""
    order = np.lexsort((begin, layer))
    shift = _shift(layer[order], end)
    reach = np.maximum.accumulate(end[order] + shift)
    opens = np.append(True, begin[order][1:] + shift[1:] > reach[:-1])[: len(order)]
    ends = np.empty_like(end)
    if len(order):
        last = np.maximum.reduceat(end[order], np.flatnonzero(opens))
        ends[order] = last[np.cumsum(opens) - 1]
    return ends


def _shift(layer: IntArray, end: IntArray) -> IntArray:
    """Move each layer beyond the end of the one before, so that one running maximum serves all."""
    shift: IntArray = (layer - layer.min(initial=0)) * (end.max(initial=0) + 1)
    return shift
