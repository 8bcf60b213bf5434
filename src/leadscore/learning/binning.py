"""Columns of any table as numbers or coded texts, and the bins and levels chosen for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Column: TypeAlias = "pd.Series[Any] | NDArray[Any]"
Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Truths: TypeAlias = NDArray[np.bool_]

_NUMBERS = frozenset({"integer", "floating", "mixed-integer-float", "boolean", "decimal"})
_NOT_NUMBERS = "Column {0!r} is a feature of numbers, but holds {1!r}."


class CodedTexts(NamedTuple):
    """A column of texts as positions in the list of its own distinct texts.

    Attributes
    ----------
    codes
        Shape (n,); -1 where the value is missing.
    texts
        The texts that the codes stand for. A text may stand twice, once for each way in which
        the column wrote it (``1`` and ``"1"``).
    """

    codes: Codes
    texts: list[str]


def columns_of(X: pd.DataFrame | NDArray[Any]) -> list[Column]:
    """Return the columns of a frame, or of an array of shape (n, p), in their order."""
    if isinstance(X, pd.DataFrame):
        return [column for _, column in X.items()]
    return [X[:, j] for j in range(X.shape[1])]


def holds_numbers(column: Column, name: str) -> bool:
    """Tell whether a column is a feature of numbers (or truth values) or one of texts.

    A column of objects holds numbers if each of its present values is one; without any present
    value it counts as texts, because a table of levels can take in whatever comes later.

    Raises
    ------
    TypeError
        For dates, durations and complex numbers, which have no single honest reading.
    """
    dtype = column.dtype
    if pd.api.types.is_complex_dtype(dtype) or not (
        pd.api.types.is_numeric_dtype(dtype)
        or pd.api.types.is_string_dtype(dtype)
        or pd.api.types.is_object_dtype(dtype)
        or isinstance(dtype, pd.CategoricalDtype)
    ):
        msg = f"Column {name!r} has dtype {dtype}; make it a column of numbers or of texts first."
        raise TypeError(msg)
    if pd.api.types.is_object_dtype(dtype):
        return pd.api.types.infer_dtype(column, skipna=True) in _NUMBERS
    return pd.api.types.is_numeric_dtype(dtype)


def numbers(column: Column, name: str) -> Floats:
    """Return a column as floats of shape (n,), NaN where a value is missing.

    Raises
    ------
    ValueError
        If a present value is not a number.
    """
    if isinstance(column, np.ndarray) and column.dtype != object:
        if column.dtype.kind in "biuf":
            return column.astype(np.float64, copy=False)
    elif pd.api.types.is_numeric_dtype(column.dtype) or holds_numbers(column, name):
        return pd.Series(column).to_numpy(dtype=np.float64, na_value=np.nan)
    if bool(pd.isna(column).all()):  # a column that a list lacks may be of any dtype
        return np.full(len(column), np.nan)
    return np.array([number_of(value, name) for value in column], dtype=np.float64)


def number_of(value: object, name: str) -> float:
    """Return a single value as `numbers` would: NaN if it is missing."""
    if is_missing(value):
        return np.nan
    if isinstance(value, str) or not hasattr(value, "__float__"):
        shown = str(value) if isinstance(value, str) else value
        raise ValueError(_NOT_NUMBERS.format(name, shown))
    return float(value)


def coded_texts(column: Column) -> CodedTexts:
    """Return a column as codes; what is not a text counts as the text that writes it."""
    if isinstance(column, pd.Series) and isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy().astype(np.intp)
        return CodedTexts(codes, [text_of(value) for value in column.cat.categories])
    try:
        codes, distinct = pd.factorize(column)
    except TypeError:  # values that can't be hashed, such as lists
        missing = pd.isna(pd.Series(column)).to_numpy()
        written = pd.Series([text_of(value) for value in column], dtype=object)
        codes, distinct = pd.factorize(written.mask(missing))
    return CodedTexts(codes.astype(np.intp, copy=False), [text_of(value) for value in distinct])


def text_of(value: object) -> str:
    """Return the text of a level; equal numbers have equal texts, whatever their type.

    >>> text_of("LED"), text_of(3), text_of(3.0), text_of(True), text_of(0.5)
    ('LED', '3', '3', '1', '0.5')
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value)


def is_missing(value: object) -> bool:
    """Tell whether a single value is None, NaN, NaT or pandas' NA."""
    return value is None or value is pd.NA or value != value


# Below this number of rows, fewer bins than allowed tell as much and cost less (measured at
# 25 to 800 rows: no difference in log loss beyond 0.0005).
_FEWEST_BINS = 16
# Values outside these quantiles count as lying at them, so that one absurd amount of capital
# can't squeeze all others into one place.
_LOW, _HIGH = 0.05, 0.95
_FINEST = 16  # how many times more quantiles than bins may be asked for


@dataclass(frozen=True)
class DistinctValues:
    """The distinct present values of a feature of numbers.

    Attributes
    ----------
    values
        Shape (m,), finite and rising. Infinities count as the outermost finite value.
    weights
        Shape (m,), the summed weights of the rows that hold each value.
    """

    values: Floats
    weights: Floats

    @property
    def total(self) -> float:
        """Weight of all rows with a present value."""
        return float(self.weights.sum())


def distinct_values(x: Floats, weight: Floats) -> DistinctValues:
    """Count the distinct values of ``x``, shape (n,), so that the order of rows is of no account.

    Weights are summed in an order that is given by the values and weights alone, because sums
    of floats differ with their order, and a bin edge may hang on the last bit.
    """
    finite = x[np.isfinite(x)]
    if not len(finite):
        return DistinctValues(finite, finite)
    present = ~np.isnan(x)
    x, weight = np.clip(x[present], finite.min(), finite.max()), weight[present]
    order = np.lexsort((weight, x)) if np.ptp(weight) > 0 else np.argsort(x)
    x, weight = x[order], weight[order]
    starts = np.flatnonzero(np.append(True, x[1:] != x[:-1]))
    return DistinctValues(x[starts], np.add.reduceat(weight, starts))


def numeric_edges(data: DistinctValues, prior_edges: Floats, max_bins: int) -> Floats:
    """Join the prior's edges with edges between the data's values.

    With few distinct values an edge goes between each two of them, else at quantiles. Where an
    edge of the prior parts two values already, none is added.

    Parameters
    ----------
    data
        The present values.
    prior_edges
        Shape (k,); all of them are kept.
    max_bins
        Bound on the number of bins, unless the prior alone has more.

    Returns
    -------
    Shape (k + added,), rising.
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
    """Return at most ``count`` gaps that part the weight evenly.

    A value that many rows share swallows several quantiles, so as many quantiles are asked for
    as it takes to use up the count.
    """
    below = np.cumsum(data.weights)[:-1]  # the weight below the gap after each value
    gaps = _nearest_gaps(below, data.total, count)
    enough, too_many = count, _FINEST * count
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        found = _nearest_gaps(below, data.total, middle)
        if len(found) <= count:
            enough, gaps = middle, found
        else:
            too_many = middle
    return gaps


def _nearest_gaps(below: Floats, total: float, count: int) -> Codes:
    wanted = total * np.arange(1, count + 1) / (count + 1)
    after = np.minimum(np.searchsorted(below, wanted), len(below) - 1)
    before = np.maximum(after - 1, 0)
    return np.unique(np.where(wanted - below[before] <= below[after] - wanted, before, after))


def _simplest_between(left: float, right: float) -> float:
    """Return the number with the fewest digits that is above left and not above right."""
    middle = left / 2.0 + right / 2.0
    rounded = (float(f"{x:.{digits}g}") for digits in range(1, 18) for x in (middle, right))
    return next(number for number in rounded if left < number <= right)  # right itself at last


def positions(data: DistinctValues, edges: Floats) -> Floats:
    """Return where each bin lies between the low and the high end of its feature.

    The mean of two places: by rank (the share of the weight below the bin's middle) and by value
    (between the 5 % and the 95 % quantile). Ranks alone lose what is linear in the value, values
    alone are at the mercy of long tails; on five data sets at 25 to 200 rows the mean of both
    had a lower log loss than either.

    Returns
    -------
    Shape (number of edges + 1,), 0..1, never falling.
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
    """Return the prior's levels, then the others of enough weight, sorted.

    Parameters
    ----------
    column
        The coded texts of n rows.
    weight
        Shape (n,).
    prior_levels
        Kept, however rare.
    rare_count
        A level of less weight than this gets no entry of its own.
    """
    seen = summed_by_text(column, weight)
    known = set(prior_levels)
    # Sums of fractional weights may miss the bound by a rounding.
    enough = rare_count * (1.0 - 1e-9)
    return (*prior_levels, *sorted(t for t, w in seen.items() if w >= enough and t not in known))


def summed_by_text(column: CodedTexts, weight: Floats) -> dict[str, float]:
    """Return the summed weight of the rows, shape (n,), that hold each text."""
    weights = np.bincount(column.codes + 1, weight, len(column.texts) + 1)[1:]
    seen: dict[str, float] = {}
    for text, rows in zip(column.texts, weights.tolist(), strict=True):
        seen[text] = seen.get(text, 0.0) + rows
    return seen
