"""One feature's table of log-odds: a feature of numbers by bin, a feature of texts by level."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from leadscore.learning.tables.columns import (
    Column,
    Floats,
    coded_texts,
    is_missing,
    number_of,
    numbers,
    text_of,
)
from leadscore.learning.tables.lookup import lookup_numbers


class Plain:
    """Equality, copies and pickles by the declared fields alone, never by what was cached."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, in the order of their declaration."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in self.__getstate__().items()
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Put the fields back, arrays read-only as before."""
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        vars(self).update(state)

    def __eq__(self, other: object) -> bool:
        """Compare field by field, arrays bit by bit in value."""
        if type(self) is not type(other):
            return NotImplemented
        names = self.__dataclass_fields__
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)


@dataclass(frozen=True, eq=False)
class NumericTable(Plain):
    """Log-odds of one feature of numbers, constant between edges.

    Attributes
    ----------
    feature
        Name of the column.
    edges
        Shape (k,), finite and rising, in the feature's unit. The bin of a value is the number
        of edges at or below it, so infinities fall into the outer bins.
    values
        Shape (k + 1,), the log-odds of each bin.
    unknown
        The log-odds of a missing value.
    """

    feature: str
    edges: Floats
    values: Floats
    unknown: float

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what can't be looked up."""
        edges, values = frozen_floats(self.edges), frozen_floats(self.values)
        require(np.isfinite(edges).all(), self.feature, "finite edges")
        require(bool((edges[1:] > edges[:-1]).all()), self.feature, "edges that rise")
        require(len(values) == len(edges) + 1, self.feature, "one value more than edges")
        require(finite(values, self.unknown), self.feature, "finite log-odds")
        vars(self).update(edges=edges, values=values, unknown=float(self.unknown))

    def lookup(self, column: Column) -> Floats:
        """Return the log-odds of each row, shape (n,)."""
        x = numbers(column, self.feature)
        return lookup_numbers(x, self.edges, np.append(self.values, self.unknown))

    def lookup_value(self, value: object) -> float:
        """Return the log-odds of a single value, the same that a column of it gets."""
        number = value if type(value) is float else number_of(value, self.feature)
        if number != number:  # NaN
            return self.unknown
        edges, values = self._lists
        return values[bisect_right(edges, number)]

    @cached_property
    def _lists(self) -> tuple[list[float], list[float]]:
        return self.edges.tolist(), self.values.tolist()


@dataclass(frozen=True, eq=False)
class CategoricalTable(Plain):
    """Log-odds of one feature of texts, one entry per level.

    Attributes
    ----------
    feature
        Name of the column.
    levels
        The distinct texts that have an entry of their own.
    values
        Shape (number of levels,), their log-odds.
    other
        The log-odds of a level that was rare or never seen.
    unknown
        The log-odds of a missing value.
    """

    feature: str
    levels: tuple[str, ...]
    values: Floats
    other: float
    unknown: float

    def __post_init__(self) -> None:
        """Freeze the array and refuse what can't be looked up."""
        levels, values = tuple(self.levels), frozen_floats(self.values)
        require(all(isinstance(level, str) for level in levels), self.feature, "levels as texts")
        require(len(set(levels)) == len(levels), self.feature, "levels that differ")
        require(len(values) == len(levels), self.feature, "one value for each level")
        require(finite(values, self.other, self.unknown), self.feature, "finite log-odds")
        other, unknown = float(self.other), float(self.unknown)
        vars(self).update(levels=levels, values=values, other=other, unknown=unknown)

    def lookup(self, column: Column) -> Floats:
        """Return the log-odds of each row, shape (n,)."""
        codes, texts = coded_texts(column)
        entries = [self._by_level.get(text, self.other) for text in texts]
        entries.append(self.unknown)  # the last, where the code -1 of a missing value points
        return np.array(entries)[codes]

    def lookup_value(self, value: object) -> float:
        """Return the log-odds of a single value, the same that a column of it gets."""
        if type(value) is str:
            return self._by_level.get(value, self.other)
        if is_missing(value):
            return self.unknown
        return self._by_level.get(text_of(value), self.other)

    @cached_property
    def _by_level(self) -> dict[str, float]:
        return dict(zip(self.levels, self.values.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class PairTable(Plain):
    """Log-odds of two features together, as cards of earlier programs may have them.

    None is fitted any more (decision 27); a kept card goes on to be looked up.

    Attributes
    ----------
    first, second
        Tables of the two features that give places instead of log-odds.
    values
        Shape (places of the first, places of the second), log-odds.
    """

    first: NumericTable | CategoricalTable
    second: NumericTable | CategoricalTable
    values: Floats

    def __post_init__(self) -> None:
        """Refuse what can't be looked up."""
        shape = tuple(_n_places(axis) for axis in (self.first, self.second))
        require(np.shape(self.values) == shape, self.feature, "one value for each two places")
        require(finite(self.values), self.feature, "finite log-odds")

    @property
    def features(self) -> tuple[str, str]:
        """Names of the two columns."""
        return self.first.feature, self.second.feature

    @property
    def feature(self) -> str:
        """One name for both."""
        return " × ".join(self.features)

    def lookup(self, first: Column, second: Column) -> Floats:
        """Return the log-odds of each row, shape (n,)."""
        places = self.first.lookup(first), self.second.lookup(second)
        rows, columns = (place.astype(np.intp) for place in places)
        return self.values[rows, columns]

    def lookup_value(self, first: object, second: object) -> float:
        """Return the log-odds of a single row, the same that columns of it get."""
        places = self.first.lookup_value(first), self.second.lookup_value(second)
        return float(self.values[int(places[0]), int(places[1])])

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain JSON values; `from_dict` gives it back."""
        axes = {"first": _axis_dict(self.first), "second": _axis_dict(self.second)}
        return {**axes, "values": self.values.tolist()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PairTable:
        """Build a table from what `to_dict` returned."""
        values = np.array(plain["values"], dtype=np.float64)
        return cls(_axis(plain["first"]), _axis(plain["second"]), values)


def _axis(plain: Mapping[str, Any]) -> NumericTable | CategoricalTable:
    """Return a table whose entries are their own places, that of missing values the last."""
    if "edges" in plain:
        n = len(plain["edges"]) + 1.0
        return NumericTable(plain["feature"], plain["edges"], np.arange(n), n)
    n = float(len(plain["levels"]))
    return CategoricalTable(plain["feature"], plain["levels"], np.arange(n), n, n + 1)


def _axis_dict(axis: NumericTable | CategoricalTable) -> dict[str, Any]:
    places = "edges" if isinstance(axis, NumericTable) else "levels"
    return {key: value for key, value in axis.to_dict().items() if key in ("feature", places)}


def _n_places(axis: NumericTable | CategoricalTable) -> int:
    return int(axis.unknown) + 1


def frozen_floats(values: npt.ArrayLike) -> Floats:
    """Return a read-only copy as floats of one dimension."""
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "biuf":
        msg = f"Numbers were wanted, not {given.dtype}."
        raise ValueError(msg)
    copy = given.reshape(-1).astype(np.float64)
    copy.flags.writeable = False
    return copy


def finite(*values: npt.ArrayLike) -> bool:
    """Tell whether every number is neither NaN nor infinite."""
    return all(bool(np.isfinite(frozen_floats(value)).all()) for value in values)


def require(holds: object, where: str, wanted: str) -> None:
    """Raise a ValueError that names the table and what it must have."""
    if not holds:
        msg = f"The table {where!r} needs {wanted}."
        raise ValueError(msg)
