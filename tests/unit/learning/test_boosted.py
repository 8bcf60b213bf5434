"""The boosted card scores as the trees that it was compiled from, and behaves as a card does."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from numpy.random import RandomState
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator
from threadpoolctl import threadpool_info, threadpool_limits

from leadscore.learning.cards.bagging import BaggedTrees, Design, Rows, split_into_bags
from leadscore.learning.cards.boosted import BoostedCard
from leadscore.learning.tables.coding import choose_coding
from leadscore.learning.tables.compiling import compile_scorecard
from leadscore.learning.tables.scorecard import Scorecard

# This one says "skipped" unless an environment variable is set before scikit-learn is imported,
# and it concerns only estimators that claim to take in arrays of other libraries.
_ELSEWHERE = {"check_array_api_input"}

CHECKS = [
    (estimator, check)
    for estimator, check in estimator_checks_generator(BoostedCard(n_bags=3, max_iter=20))
    if check.func.__name__ not in _ELSEWHERE
]


def firms(n, seed=0):
    """Return a frame with every kind of value, and outcomes that depend on it."""
    rng = np.random.default_rng(seed)
    staff = np.exp(rng.normal(4, 1, n)).round()
    capital = rng.normal(size=n)
    role = rng.choice(["maker", "trade", "design", "materials"], n)
    X = pd.DataFrame(
        {
            "staff": staff,
            "capital": capital,
            "role": role,
            "town": [f"town {i}" for i in (rng.pareto(0.6, n) * 3).clip(0, 5000).astype(int)],
            "listed": rng.random(n) < 0.3,
            "age": rng.integers(0, 12, n),
        }
    )
    log_odds = 0.8 * np.log(staff) - 4 + np.sin(2 * capital) + (role == "maker") + X["listed"]
    y = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
    X.loc[rng.random(n) < 0.1, "staff"] = np.nan
    X.loc[rng.random(n) < 0.02, "capital"] = np.inf
    X.loc[rng.random(n) < 0.02, "capital"] = -np.inf
    X.loc[rng.random(n) < 0.1, "role"] = None
    return X, y


def trees_and_rows(X, y, directions):
    """Grow the trees of a boosted card by its parts."""
    weight = np.ones(len(y))
    codings = [
        choose_coding(name, X[name], weight, as_numbers=False, max_bins=40, rare_count=10)
        for name in X
    ]
    codes = np.column_stack([coding.codes(X[coding.feature]) for coding in codings])
    rows = Rows(codes, y.astype(float), weight)
    design = Design(codings, [directions.get(name, 0) for name in X])
    trees = BaggedTrees(
        design,
        learning_rate=0.3,
        max_iter=60,
        max_leaf_nodes=5,
        min_samples_leaf=5,
        l2_regularization=1.0,
    )
    rng = RandomState(0)
    trees.fit(rows, split_into_bags(rows.target, 3, rng), rng)
    return trees, codings, rows


@pytest.mark.parametrize(
    ("estimator", "check"), CHECKS, ids=[check.func.__name__ for _, check in CHECKS]
)
def test_a_check_of_scikit_learn_passes(estimator, check):
    assert check(estimator) is None


@pytest.mark.parametrize("directions", [{}, {"staff": 1, "age": -1}])
def test_the_tables_score_as_the_trees_do(directions):
    X, y = firms(1500)
    trees, codings, rows = trees_and_rows(X, y, directions)
    assert trees.n_iter > 5
    card = compile_scorecard(trees.decision, codings, rows.codes, rows.weight)
    other, _ = firms(1000, seed=1)
    other.loc[::3, "staff"] = codings[0].edges[np.arange(334) % len(codings[0].edges)]
    other.loc[1::3, "staff"] = np.nextafter(other["staff"].shift(), -np.inf)[1::3]
    other.loc[::5, "town"] = "never seen"
    codes = np.column_stack([coding.codes(other[coding.feature]) for coding in codings])
    expected = trees.decision(codes)
    np.testing.assert_allclose(card.decision(other), expected, rtol=0, atol=1e-12)


def test_equal_neighbours_are_one_bin():
    X, y = firms(1500)
    card = BoostedCard(max_iter=10).fit(X, y).scorecard_
    values = card.tables[1].values
    assert 2 < len(values) < 64
    assert (values[1:] != values[:-1]).all()


def test_every_table_is_centred_on_the_rows():
    X, y = firms(1500)
    weight = np.random.default_rng(2).random(1500) * 2
    card = BoostedCard().fit(X, y, weight)
    np.testing.assert_allclose(weight @ card.contributions(X), 0, atol=1e-9)
    mean = np.average(card.decision_function(X), weights=weight)
    assert card.intercept_ == pytest.approx(mean, abs=1e-12)


def test_what_no_row_had_adds_nothing():
    X, y = firms(800)
    X["role"] = X["role"].fillna("trade")
    card = BoostedCard().fit(X, y)
    assert card.scorecard_.tables[5].unknown == 0
    assert card.scorecard_.tables[2].unknown == 0
    assert card.scorecard_.tables[2].other == 0
    assert np.ptp(card.scorecard_.tables[2].values) > 0.1


def test_a_monotone_feature_never_scores_backwards():
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"up": rng.normal(size=900), "down": rng.normal(size=900)})
    y = (rng.random(900) < 1 / (1 + np.exp(2 * np.cos(2 * X["up"]) + X["down"]))).astype(int)
    card = BoostedCard(directions={"up": 1, "down": 1}).fit(X, y)
    up, down = card.scorecard_.tables
    assert len(up.values) > 2
    assert (np.diff(up.values) > 0).all()
    assert len(down.values) == 1


def test_missing_values_are_outside_the_direction():
    rng = np.random.default_rng(4)
    x = rng.integers(0, 5, 2000).astype(float)
    x[::4] = np.nan
    p = np.where(np.isnan(x), 0.05, 0.3 + 0.1 * np.nan_to_num(x))
    y = (rng.random(2000) < p).astype(int)
    for sign in (1, -1):
        X = pd.DataFrame({"x": sign * x})
        (table,) = BoostedCard(directions={"x": sign}).fit(X, y).scorecard_.tables
        assert (sign * np.diff(table.values) > 0).all()
        assert table.unknown < table.values.min() - 1


def test_the_order_of_rows_changes_no_bit():
    X, y = firms(700)
    weight = np.random.default_rng(5).random(700)
    card = BoostedCard(max_iter=30, rare_count=1).fit(X, y, weight).scorecard_
    order = np.random.default_rng(6).permutation(700)
    again = BoostedCard(max_iter=30, rare_count=1).fit(X.iloc[order], y[order], weight[order])
    assert json.dumps(again.scorecard_.to_dict()) == json.dumps(card.to_dict())


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_no_bit(threads):
    X, y = firms(500)
    card = BoostedCard(max_iter=10).fit(X, y).scorecard_
    with threadpool_limits(threads, user_api="openmp"):
        assert BoostedCard(max_iter=10).fit(X, y).scorecard_ == card
        pools = [p for p in threadpool_info() if p["user_api"] == "openmp"]
        assert {pool["num_threads"] for pool in pools} == {threads}


def test_a_seed_is_the_whole_of_chance():
    X, y = firms(700)
    cards = [BoostedCard(max_iter=30, random_state=seed).fit(X, y).scorecard_ for seed in (0, 0, 1)]
    assert cards[0] == cards[1]
    assert cards[0] != cards[2]


def test_more_levels_than_trees_can_take_leave_the_heaviest():
    rng = np.random.default_rng(7)
    town = np.concatenate([np.repeat(np.arange(400), 2), rng.integers(0, 254, 3000)])
    X = pd.DataFrame({"town": [f"t{i:03}" for i in town]})
    y = (rng.random(len(X)) < 0.2 + 0.6 * (town % 2)).astype(int)
    card = BoostedCard(rare_count=0).fit(X, y)
    (table,) = card.scorecard_.tables
    assert table.levels == tuple(f"t{i:03}" for i in range(254))
    assert np.mean(card.predict(X) == y) > 0.75


@pytest.mark.parametrize("n", [1, 2, 19])
def test_few_rows_give_the_base_rate(n):
    X, _ = firms(n)
    y = np.arange(n) % 2 if n < 3 else np.arange(n) == 4
    card = BoostedCard().fit(X, y)
    assert card.n_iter_ == 0
    positive = int(y.sum())
    expected = (positive + 0.5) / (n + 1)
    np.testing.assert_allclose(card.predict_proba(X)[:, 1], expected)


def test_noise_gives_nearly_the_base_rate():
    X, y = firms(400)
    y = np.random.default_rng(8).permutation(y)
    p = BoostedCard().fit(X, y).predict_proba(X)[:, 1]
    assert np.std(p) < 0.1


def test_columns_that_tell_nothing_do_no_harm():
    X, y = firms(300)
    X = X.assign(empty=np.nan, none=None, same="x", infinite=np.inf, lone=np.nan)
    X.loc[7, "lone"] = 3.0
    card = BoostedCard(directions={"none": 1, "empty": 1}).fit(X, y)
    added = card.contributions(X)
    assert (added[:, 6:10] == 0).all()
    assert np.isfinite(added).all()


def test_a_row_of_weight_two_is_the_row_twice():
    X, y = firms(600)
    times = np.random.default_rng(10).integers(0, 4, 600)
    twice = np.repeat(np.arange(600), times)
    card = BoostedCard(max_iter=30).fit(X, y, times)
    assert card.scorecard_ == BoostedCard(max_iter=30).fit(X.iloc[twice], y[twice]).scorecard_


def test_rows_without_weight_are_absent():
    X, y = firms(600)
    weight = (np.arange(600) < 400).astype(float)
    card = BoostedCard(max_iter=30).fit(X, y, weight)
    assert card.scorecard_ == BoostedCard(max_iter=30).fit(X[:400], y[:400]).scorecard_


def test_it_learns_what_is_there_to_learn():
    X, y = firms(4000)
    later, outcome = firms(4000, seed=9)
    card = BoostedCard().fit(X, y)
    p = card.predict_proba(later)[:, 1]
    base = np.full(4000, y.mean())
    loss = [-np.mean(np.log(np.where(outcome == 1, q, 1 - q))) for q in (p, base)]
    assert loss[0] < loss[1] - 0.1


def test_the_scorecard_goes_to_json_and_back():
    X, y = firms(500)
    card = BoostedCard(max_iter=20).fit(X, y).scorecard_
    back = Scorecard.from_dict(json.loads(json.dumps(card.to_dict())))
    assert back == card


@pytest.mark.parametrize(
    "setting",
    [
        {"n_bags": 1},
        {"learning_rate": 0.0},
        {"max_iter": 0},
        {"max_leaf_nodes": 1},
        {"min_samples_leaf": 0},
        {"l2": np.inf},
        {"max_bins": 256},
        {"rare_count": np.nan},
    ],
)
def test_a_setting_out_of_range_is_named(setting):
    X, y = firms(50)
    (name,) = setting
    with pytest.raises(ValueError, match=name):
        clone(BoostedCard(**setting)).fit(X, y)


@pytest.mark.parametrize("directions", [{"absent": 1}, {"staff": 2}])
def test_a_wrong_direction_is_refused(directions):
    X, y = firms(50)
    with pytest.raises(ValueError, match="A direction is"):
        BoostedCard(directions=directions).fit(X, y)


def test_a_feature_of_texts_cannot_have_a_direction():
    X, y = firms(50)
    with pytest.raises(ValueError, match="role"):
        BoostedCard(directions={"role": 1}).fit(X, y)
