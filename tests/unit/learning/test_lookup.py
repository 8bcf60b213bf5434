"""Finding bins agrees with numpy's sorted search, whatever the numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leadscore.learning.scorecard import NumericTable, bin_codes

EDGES = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=70, unique=True).map(
    lambda edges: np.array(sorted(set(edges)), dtype=np.float64)
)


@given(EDGES, st.lists(st.floats(), max_size=50))
def test_bins_are_those_of_a_sorted_search(edges, numbers):
    x = np.array(numbers + edges.tolist(), dtype=np.float64)
    expected = np.searchsorted(np.append(edges, np.nan), x, side="right")
    np.testing.assert_array_equal(bin_codes(x, edges), expected)


@given(EDGES, arrays(np.float64, 20))
def test_entries_are_those_of_the_bins(edges, x):
    entries = np.random.default_rng(0).normal(size=len(edges) + 2)
    table = NumericTable("x", edges, entries[:-1], entries[-1])
    np.testing.assert_array_equal(table.lookup(x), entries[bin_codes(x, edges)])


def test_more_numbers_than_one_block_holds_are_all_found():
    x = np.random.default_rng(1).normal(size=20_001)
    edges = np.linspace(-2, 2, 64)
    np.testing.assert_array_equal(bin_codes(x, edges), np.searchsorted(edges, x, side="right"))


def test_no_numbers_have_no_bins():
    assert bin_codes(np.empty(0), np.array([1.0])).shape == (0,)
