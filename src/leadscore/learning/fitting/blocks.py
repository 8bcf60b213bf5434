"""Turns each feature into what a fit needs: codes of its rows, its prior, and its free numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadscore.learning.tables.binning import distinct_values, levels_of, numeric_edges, positions
from leadscore.learning.tables.columns import Codes, Column, Floats, coded_texts, numbers
from leadscore.learning.tables.lookup import bin_codes
from leadscore.learning.tables.scorecard import CategoricalTable, NumericTable, Table

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
