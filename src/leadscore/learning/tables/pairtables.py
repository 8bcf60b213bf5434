"""The table of two features together: what a card adds beyond what each adds by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from leadscore.learning.tables.columns import Codes, Column, Floats, coded_texts, numbers
from leadscore.learning.tables.entries import (
    CategoricalTable,
    NumericTable,
    Plain,
    finite,
    frozen_floats,
    require,
)
from leadscore.learning.tables.lookup import bin_codes


@dataclass(frozen=True, eq=False)
class NumericAxis(Plain):
    """Bins of a feature of numbers: those between the edges, then that of missing values.

    Attributes
    ----------
    feature
        Name of the column.
    edges
        Shape (k,), finite and rising.
    """

    feature: str
    edges: Floats

    def __post_init__(self) -> None:
        """Freeze the edges and refuse what can't be looked up."""
        edges = frozen_floats(self.edges)
        require(np.isfinite(edges).all(), self.feature, "finite edges")
        require(bool((edges[1:] > edges[:-1]).all()), self.feature, "edges that rise")
        vars(self).update(edges=edges)

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.edges) + 2

    def codes(self, column: Column) -> Codes:
        """Return the place of each row, shape (n,)."""
        return bin_codes(numbers(column, self.feature), self.edges)

    def code(self, value: object) -> int:
        """Return the place of a single value."""
        return int(self._places.lookup_value(value))

    @cached_property
    def _places(self) -> NumericTable:
        n = len(self.edges)
        return NumericTable(self.feature, self.edges, np.arange(n + 1.0), n + 1.0)


@dataclass(frozen=True, eq=False)
class CategoricalAxis(Plain):
    """Levels of a feature of texts, then all others, then missing values.

    Attributes
    ----------
    feature
        Name of the column.
    levels
        Distinct texts.
    """

    feature: str
    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse levels that can't be looked up."""
        levels = tuple(self.levels)
        require(all(isinstance(level, str) for level in levels), self.feature, "levels as texts")
        require(len(set(levels)) == len(levels), self.feature, "levels that differ")
        vars(self).update(levels=levels)

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.levels) + 2

    def codes(self, column: Column) -> Codes:
        """Return the place of each row, shape (n,)."""
        codes, texts = coded_texts(column)
        others = len(self.levels)
        places = [self._place_of.get(text, others) for text in texts]
        return np.array([*places, others + 1], dtype=np.intp)[codes]

    def code(self, value: object) -> int:
        """Return the place of a single value."""
        return int(self._places.lookup_value(value))

    @cached_property
    def _place_of(self) -> dict[str, int]:
        return {level: i for i, level in enumerate(self.levels)}

    @cached_property
    def _places(self) -> CategoricalTable:
        n = len(self.levels)
        return CategoricalTable(self.feature, self.levels, np.arange(n + 0.0), n + 0.0, n + 1.0)


Axis: TypeAlias = NumericAxis | CategoricalAxis


def axis_of(table: NumericTable | CategoricalTable) -> Axis:
    """Return how a table divides its feature."""
    if isinstance(table, NumericTable):
        return NumericAxis(table.feature, table.edges)
    return CategoricalAxis(table.feature, table.levels)


@dataclass(frozen=True, eq=False)
class PairTable(Plain):
    """Log-odds of two features together.

    Attributes
    ----------
    first, second
        How each is divided.
    values
        Shape (len(first), len(second)), log-odds.
    """

    first: Axis
    second: Axis
    values: Floats

    def __post_init__(self) -> None:
        """Freeze the values and refuse what can't be looked up."""
        shape = (len(self.first), len(self.second))
        values = frozen_floats(self.values)
        require(len(values) == shape[0] * shape[1], self.feature, "one value for each two places")
        require(finite(values), self.feature, "finite log-odds")
        values = values.reshape(shape)
        values.flags.writeable = False
        vars(self).update(values=values)

    @property
    def features(self) -> tuple[str, str]:
        """Names of the two columns."""
        return self.first.feature, self.second.feature

    @property
    def feature(self) -> str:
        """One name for both."""
        return " × ".join(self.features)

    def codes(self, first: Column, second: Column) -> Codes:
        """Return the place of each row among the flattened values, shape (n,)."""
        return self.first.codes(first) * len(self.second) + self.second.codes(second)

    def lookup(self, first: Column, second: Column) -> Floats:
        """Return the log-odds of each row, shape (n,)."""
        return self.values.ravel()[self.codes(first, second)]

    def lookup_value(self, first: object, second: object) -> float:
        """Return the log-odds of a single row, the same that columns of it get."""
        return float(self.values[self.first.code(first), self.second.code(second)])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        values = self.values.tolist()
        return {"first": self.first.to_dict(), "second": self.second.to_dict(), "values": values}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PairTable:
        """Build a table from what `to_dict` returned."""
        return cls(_axis(plain["first"]), _axis(plain["second"]), np.array(plain["values"]))


def _axis(plain: Mapping[str, Any]) -> Axis:
    return NumericAxis(**plain) if "edges" in plain else CategoricalAxis(**plain)
