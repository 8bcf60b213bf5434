"""Bins come from the prior and the data, and from nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadscore.learning.layout import distinct_values, levels_of, numeric_edges, positions
from leadscore.learning.scorecard import coded_texts

NONE = np.empty(0)
VALUES = st.lists(
    st.one_of(st.integers(-20, 20).map(float), st.floats(allow_nan=True)), min_size=1, max_size=60
).map(np.array)
PRIOR = st.lists(st.floats(-30, 30), max_size=5, unique=True).map(
    lambda edges: np.unique(np.array(edges, dtype=float))
)


def ones(x):
    return np.ones(len(x))


def bins_of(x, edges):
    return np.searchsorted(edges, x, side="right")


def test_few_values_have_a_bin_each():
    x = np.array([3.0, 1.0, 1.0, 10.0])
    edges = numeric_edges(distinct_values(x, ones(x)), NONE, 64)
    assert bins_of(x, edges).tolist() == [1, 0, 0, 2]


def test_many_values_are_parted_evenly():
    x = np.random.default_rng(0).normal(size=64_000)
    edges = numeric_edges(distinct_values(x, ones(x)), NONE, 64)
    assert len(edges) == 63
    np.testing.assert_allclose(np.bincount(bins_of(x, edges)), 1000, atol=20)


def test_a_value_that_half_the_rows_share_leaves_the_other_bins_to_the_rest():
    rest = np.arange(1.0, 10_001.0)
    x = np.concatenate([np.zeros(10_000), rest])
    edges = numeric_edges(distinct_values(x, ones(x)), NONE, 64)
    assert len(edges) >= 60
    assert bins_of(np.array([0.0, 1.0]), edges).tolist() == [0, 1]


def test_few_rows_make_few_bins():
    x = np.random.default_rng(0).normal(size=100)
    assert len(numeric_edges(distinct_values(x, ones(x)), NONE, 64)) == 19


def test_edges_are_round_where_they_may_be():
    x = np.array([0.0, 1.0, 2.0, 3.0, 4_963_000.0, 5_041_300.0])
    edges = numeric_edges(distinct_values(x, ones(x)), NONE, 64)
    assert edges.tolist() == [0.5, 2.0, 3.0, 2_000_000.0, 5_000_000.0]


def test_no_edge_is_added_where_the_prior_parts_the_data_already():
    x = np.array([1.0, 5.0, 9.0])
    edges = numeric_edges(distinct_values(x, ones(x)), np.array([2.0, 3.0, 100.0]), 64)
    assert edges.tolist() == [2.0, 3.0, 7.0, 100.0]


def test_a_prior_with_more_edges_than_bins_is_kept_whole():
    x = np.arange(50.0)
    prior = np.arange(10.0, 30.0)
    np.testing.assert_array_equal(numeric_edges(distinct_values(x, ones(x)), prior, 8), prior)


@given(VALUES, PRIOR, st.integers(2, 64))
@example(np.array([0.0, 5e-324]), NONE, 2)
def test_edges_hold_what_a_table_needs(x, prior, max_bins):
    edges = numeric_edges(distinct_values(x, ones(x)), prior, max_bins)
    assert np.isfinite(edges).all()
    assert (np.diff(edges) > 0).all()
    assert np.isin(prior, edges).all()
    assert len(edges) < max(max_bins, len(prior) + 1)
    place = positions(distinct_values(x, ones(x)), edges)
    assert len(place) == len(edges) + 1
    assert (np.diff(place) >= -1e-12).all()
    assert place[0] >= 0
    assert place[-1] <= 1 + 1e-12


def test_values_that_differ_by_the_smallest_float_are_placed_by_rank():
    tiny = np.array([0.0, 5e-324])
    place = positions(distinct_values(tiny, ones(tiny)), np.array([5e-324]))
    assert place.tolist() == [0.25, 0.75]


@given(VALUES, st.randoms(use_true_random=False), st.data())
def test_the_order_of_rows_moves_no_edge(x, random, data):
    weight = np.array(data.draw(st.lists(st.floats(0.01, 5), min_size=len(x), max_size=len(x))))
    order = list(range(len(x)))
    random.shuffle(order)
    one = distinct_values(x, weight)
    other = distinct_values(x[order], weight[order])
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.weights, other.weights)


@given(VALUES)
def test_weight_two_is_the_row_twice(x):
    once = distinct_values(x, 2 * ones(x))
    twice = distinct_values(np.repeat(x, 2), np.ones(2 * len(x)))
    np.testing.assert_array_equal(numeric_edges(once, NONE, 20), numeric_edges(twice, NONE, 20))


def test_infinities_count_as_the_outermost_finite_value():
    x = np.array([-np.inf, 1.0, 2.0, np.inf])
    data = distinct_values(x, ones(x))
    assert data.values.tolist() == [1.0, 2.0]
    assert data.weights.tolist() == [2.0, 2.0]
    assert not len(distinct_values(np.array([np.inf, np.nan]), np.ones(2)).values)


def test_values_that_are_neighbours_among_floats_are_parted():
    x = np.array([0.1, np.nextafter(0.1, 1.0)])
    edges = numeric_edges(distinct_values(x, ones(x)), NONE, 64)
    assert bins_of(x, edges).tolist() == [0, 1]
    x = np.array([0.0, 5e-324])
    edges = numeric_edges(distinct_values(x, ones(x)), NONE, 64)
    assert bins_of(x, edges).tolist() == [0, 1]


def test_enormous_values_do_not_overflow():
    x = np.array([-1.7e308, 0.0, 1.7e308])
    data = distinct_values(x, ones(x))
    edges = numeric_edges(data, NONE, 64)
    assert bins_of(x, edges).tolist() == [0, 1, 2]
    np.testing.assert_allclose(positions(data, edges), [1 / 12, 0.5, 11 / 12])


def test_one_absurd_value_does_not_squeeze_the_others_together():
    x = np.append(np.arange(100.0), 1e15)
    data = distinct_values(x, ones(x))
    place = positions(data, numeric_edges(data, NONE, 64))
    assert np.diff(place).max() < 0.1


def test_a_bin_without_data_lies_where_its_edges_are():
    x = np.array([0.0, 10.0])
    place = positions(distinct_values(x, ones(x)), np.array([2.0, 8.0]))
    np.testing.assert_allclose(place, [0.125, 0.5, 0.875])


def test_without_data_bins_are_evenly_spaced():
    place = positions(distinct_values(np.array([np.nan]), np.ones(1)), np.array([1.0, 2.0]))
    assert place.tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("rare_count", "expected"), [(1, ("x", "a", "b", "c")), (2, ("x", "b", "c")), (3, ("x", "c"))]
)
def test_rare_levels_join_the_others_unless_the_prior_lists_them(rare_count, expected):
    column = np.array(["c", "b", "a", "c", "b", "c", None], dtype=object)
    assert levels_of(coded_texts(column), np.ones(7), ("x",), rare_count) == expected


def test_fractional_weights_add_up_to_a_count():
    column = np.array(["a"] * 10, dtype=object)
    assert levels_of(coded_texts(column), np.full(10, 0.1), (), 1) == ("a",)
