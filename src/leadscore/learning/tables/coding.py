"""Codes the values of features as small whole numbers, one for each bin or level.

A learner that sees codes instead of values can part them only where a table has an edge. Whether
it puts a value that lies exactly on a threshold left or right is then of no account, nor are
infinities and rare levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from leadscore.learning.tables.binning import distinct_values, levels_of, numeric_edges
from leadscore.learning.tables.columns import (
    CodedTexts,
    Codes,
    Column,
    Floats,
    coded_texts,
    holds_numbers,
    numbers,
)
from leadscore.learning.tables.lookup import bin_codes
from leadscore.learning.tables.scorecard import CategoricalTable, NumericTable

MOST_CODES = 255
"""Most codes of a feature beside that of missing values: what scikit-learn's trees can take."""


@dataclass(frozen=True)
class NumericCoding:
    """The bins of a feature of numbers, then a code for missing values.

    Attributes
    ----------
    feature
        Name of the column.
    edges
        Shape (k,), finite and rising; a value at an edge is in the upper bin.
    """

    feature: str
    edges: Floats

    @property
    def n_codes(self) -> int:
        """Number of codes, that of missing values included."""
        return len(self.edges) + 2

    def codes(self, column: Column) -> Codes:
        """Return the code of each value, shape (n,)."""
        return bin_codes(numbers(column, self.feature), self.edges)

    def table(self, entries: Floats) -> NumericTable:
        """Return the table of the codes' entries; neighbours with one value become one bin."""
        values, unknown = entries[:-1], float(entries[-1])
        differs = values[1:] != values[:-1]
        first = np.append(True, differs)
        return NumericTable(self.feature, self.edges[differs], values[first], unknown)


@dataclass(frozen=True)
class LevelCoding:
    """The levels of a feature of texts, then a code for all others, then one for missing values.

    Attributes
    ----------
    feature
        Name of the column.
    levels
        The texts with a code of their own.
    """

    feature: str
    levels: tuple[str, ...]

    @property
    def n_codes(self) -> int:
        """Number of codes, those of other levels and of missing values included."""
        return len(self.levels) + 2

    def codes(self, column: Column) -> Codes:
        """Return the code of each value, shape (n,)."""
        coded = coded_texts(column)
        own = {level: code for code, level in enumerate(self.levels)}
        other, unknown = len(self.levels), len(self.levels) + 1
        by_text = [own.get(text, other) for text in coded.texts]
        return np.array([*by_text, unknown], dtype=np.intp)[coded.codes]

    def table(self, entries: Floats) -> CategoricalTable:
        """Return the table of the codes' entries."""
        *values, other, unknown = entries.tolist()
        return CategoricalTable(self.feature, self.levels, np.array(values), other, unknown)


Coding: TypeAlias = NumericCoding | LevelCoding


def choose_coding(
    name: str,
    column: Column,
    weight: Floats,
    *,
    as_numbers: bool,
    max_bins: int,
    rare_count: float,
) -> Coding:
    """Choose the bins or levels of a feature from the data; the order of rows is of no account.

    Parameters
    ----------
    name
        Name of the feature.
    column
        Its n values.
    weight
        Shape (n,), positive.
    as_numbers
        Whether it must be a feature of numbers. Else that is so if it holds any.
    max_bins
        Most bins of a feature of numbers; few rows make fewer.
    rare_count
        A level of less weight than this joins the others, and so do the lightest of too many.

    Raises
    ------
    ValueError
        If a feature that must be one of numbers holds something else.
    """
    if as_numbers or holds_numbers(column, name):
        found = distinct_values(numbers(column, name), weight)
        return NumericCoding(name, numeric_edges(found, np.empty(0), max_bins))
    texts = coded_texts(column)
    levels = levels_of(texts, weight, (), rare_count)
    return LevelCoding(name, _heaviest(levels, texts, weight, MOST_CODES - 1))


def _heaviest(
    levels: tuple[str, ...], column: CodedTexts, weight: Floats, most: int
) -> tuple[str, ...]:
    """Return at most so many levels, those of most weight, the first of equals, still sorted."""
    if len(levels) <= most:
        return levels
    mass = dict.fromkeys(levels, 0.0)
    weights = np.bincount(column.codes + 1, weight, len(column.texts) + 1)[1:]
    for text, rows in zip(column.texts, weights.tolist(), strict=True):
        if text in mass:
            mass[text] += rows
    # Sums of fractional weights differ in their last bits with the order of rows.
    ranked = sorted(levels, key=lambda level: (-round(mass[level], 6), level))
    return tuple(sorted(ranked[:most]))
