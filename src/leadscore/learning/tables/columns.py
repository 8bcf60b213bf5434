"""Reads one column of any table as numbers or as coded texts, so that no dtype gets further in."""

from __future__ import annotations

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
