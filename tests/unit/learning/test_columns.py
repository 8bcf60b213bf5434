"""Columns of every dtype read as the same numbers and texts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from leadscore.learning.scorecard import coded_texts, holds_numbers, number_of, numbers, text_of

NUMBERS = [1.0, None, 3.0]
TEXTS = ["LED", None, "VR"]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1.0, np.nan, 3.0]),
        pd.Series([1.0, np.nan, 3.0], dtype="float32"),
        pd.Series(NUMBERS, dtype="Int64"),
        pd.Series(NUMBERS, dtype="Float64"),
        pd.Series(NUMBERS, dtype=object),
        pd.Series([Decimal(1), pd.NA, Decimal(3)], dtype=object),
        pd.Series(NUMBERS, dtype="double[pyarrow]"),
        np.array([1.0, np.nan, 3.0]),
        np.array([1, None, 3], dtype=object),
    ],
    ids=lambda column: f"{type(column).__name__}-{column.dtype}",
)
def test_numbers_of_any_dtype_are_floats_with_nan(column):
    assert holds_numbers(column, "staff")
    np.testing.assert_array_equal(numbers(column, "staff"), [1.0, np.nan, 3.0])


@pytest.mark.parametrize("dtype", [bool, "boolean", object])
def test_truth_values_are_numbers(dtype):
    column = pd.Series([True, False], dtype=dtype)
    assert holds_numbers(column, "listed")
    np.testing.assert_array_equal(numbers(column, "listed"), [1.0, 0.0])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(TEXTS, dtype="str"),
        pd.Series(TEXTS, dtype="string"),
        pd.Series(TEXTS, dtype=object),
        pd.Series(TEXTS, dtype="category"),
        pd.Series(["LED", pd.NA, "VR"], dtype=object),
        np.array(TEXTS, dtype=object),
    ],
    ids=lambda column: f"{type(column).__name__}-{column.dtype}",
)
def test_texts_of_any_dtype_have_the_same_codes(column):
    assert not holds_numbers(column, "chain")
    codes, texts = coded_texts(column)
    assert [texts[code] if code >= 0 else None for code in codes] == TEXTS


def test_an_array_of_texts_holds_texts():
    column = np.array(["LED", "VR"])
    assert not holds_numbers(column, "chain")
    codes, texts = coded_texts(column)
    assert [texts[code] for code in codes] == ["LED", "VR"]


def test_a_level_is_the_same_whether_written_as_number_or_text():
    for column in (
        pd.Series([3, 3]),
        pd.Series([3.0, 3.0]),
        pd.Series(["3", "3"]),
        pd.Series([3, "3"], dtype=object),
        pd.Series([3, 3], dtype="category"),
    ):
        codes, texts = coded_texts(column)
        assert {texts[code] for code in codes} == {"3"}


def test_values_that_cannot_be_hashed_are_levels_by_their_text():
    codes, texts = coded_texts(pd.Series([["a"], None, {"b": 1}, ["a"]], dtype=object))
    assert [texts[code] if code >= 0 else None for code in codes] == [
        "['a']",
        None,
        "{'b': 1}",
        "['a']",
    ]


def test_lone_surrogates_are_levels_like_others():
    codes, texts = coded_texts(pd.Series(["\ud800", "a"], dtype=object))
    assert [texts[code] for code in codes] == ["\ud800", "a"]


def test_a_column_without_a_present_value_reads_as_missing_numbers():
    for dtype in ("float64", object, "str", "category"):
        assert np.isnan(numbers(pd.Series([None, None], dtype=dtype), "staff")).all()


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(pd.to_datetime(["2024-01-01"])),
        pd.Series(pd.to_timedelta(["1D"])),
        pd.Series([1j]),
        np.array([datetime(2024, 1, 1)], dtype="datetime64[us]"),
    ],
    ids=["date", "duration", "complex", "array-of-dates"],
)
def test_what_has_no_honest_reading_is_refused_by_name(column):
    with pytest.raises(TypeError, match="'founded_on' has dtype"):
        holds_numbers(column, "founded_on")


def test_a_text_among_numbers_is_refused_by_name():
    with pytest.raises(ValueError, match="'staff' is a feature of numbers, but holds 'many'"):
        numbers(pd.Series([1, "many"], dtype=object), "staff")
    with pytest.raises(ValueError, match="'staff' is a feature of numbers, but holds 'many'"):
        number_of("many", "staff")


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, float("nan")])
def test_a_single_missing_value_is_not_a_number(missing):
    assert np.isnan(number_of(missing, "staff"))


def test_the_text_of_a_text_is_a_plain_text():
    assert type(text_of(np.str_("LED"))) is str
    assert text_of(float("inf")) == "inf"
