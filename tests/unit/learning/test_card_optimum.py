"""The fitted card is the optimum of the problem as stated, checked by other arithmetic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.learning import AdditiveCard
from leadscore.learning.layout import distinct_values, positions
from leadscore.learning.scorecard import CategoricalTable, NumericTable, Scorecard

PRIOR = Scorecard(
    -0.7,
    (
        NumericTable("size", np.array([-0.5, 0.5]), np.array([-0.4, 0.0, 0.3]), -0.2),
        NumericTable("age", np.array([0.0]), np.array([0.2, 0.1]), 0.0),
        CategoricalTable("role", ("a", "b"), np.array([0.5, -0.5]), 0.1, -0.1),
    ),
)


WIDTHS = {f"{name}_width": 1.0 for name in ("trend", "step", "level", "unknown", "intercept")}
AS_GIVEN = {**WIDTHS, "prior_strength": None, "choose_widths": False}


def firms(n, seed, twins=False):
    random = np.random.default_rng(seed)
    size, age = random.normal(size=n), random.exponential(size=n).round(1)
    role = random.choice(np.array(["a", "b", "c", "d", None], dtype=object), n)
    log_odds = np.sin(2 * size) - age + (role == "a")
    X = pd.DataFrame({"size": size, "age": age, "role": pd.Series(role, dtype="str")})
    X.loc[random.random(n) < 0.1, ["size"]] = np.nan
    if twins:
        X["twin"] = X["size"] + 1e-9 * random.normal(size=n)
        X["triplet"] = -X["size"]
    return X, (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)


def walked(x, weight, table, prior):
    """Return the deviation from the prior in the bins, and its covariance by bin."""
    data = distinct_values(x, weight)
    distances = np.maximum(np.diff(positions(data, table.edges)), 1e-3)
    lower_ends = np.append(-np.inf, table.edges)
    expected = prior.values[np.searchsorted(prior.edges, lower_ends, side="right")]
    covariance = np.diag(distances) + np.outer(distances, distances)
    return table.values - expected, covariance


def objective(card, X, y, weight, prior):
    """Compute the objective from the tables alone, by dense algebra; all widths are 1."""
    log_odds = card.decision(X)
    value = weight @ (np.logaddexp(0, log_odds) - y * log_odds)
    value += (card.intercept - prior.intercept) ** 2 / 2
    for table, before in zip(card.tables, prior.tables, strict=True):
        value += (table.unknown - before.unknown) ** 2 / 2
        if isinstance(table, NumericTable):
            deviation, covariance = walked(X[table.feature].to_numpy(), weight, table, before)
            steps = np.diff(deviation)
            value += steps @ np.linalg.solve(covariance, steps) / 2
        else:
            at = {level: i for i, level in enumerate(before.levels)}
            expected = [before.values[at[v]] if v in at else before.other for v in table.levels]
            value += ((table.values - expected) ** 2).sum() / 2 + (
                table.other - before.other
            ) ** 2 / 2
    return value


def moved(card, which, entry, amount, anchors):
    """Move one free number: an entry, or with it all bins on its side of the anchor."""
    tables = list(card.tables)
    table = tables[which]
    values, others = table.values.copy(), {"unknown": table.unknown}
    if isinstance(table, CategoricalTable):
        others["other"] = table.other
    if isinstance(entry, str):
        others[entry] += amount
    elif isinstance(table, CategoricalTable):
        values[entry] += amount
    elif entry >= anchors[which]:  # the step between bins entry and entry + 1
        values[entry + 1 :] += amount
    else:
        values[: entry + 1] -= amount
    key = table.edges if isinstance(table, NumericTable) else table.levels
    tables[which] = type(table)(table.feature, key, values, **others)
    return Scorecard(card.intercept, tuple(tables))


def free_numbers(card):
    for which, table in enumerate(card.tables):
        yield which, "unknown"
        if isinstance(table, CategoricalTable):
            yield which, "other"
            yield from ((which, level) for level in range(len(table.levels)))
        else:
            yield from ((which, step) for step in range(len(table.edges)))


def anchors_of(card, X, weight):
    """Return the bin that holds the median, for each feature of numbers."""
    found = []
    for table in card.tables:
        anchor = None
        if isinstance(table, NumericTable):
            data = distinct_values(X[table.feature].to_numpy(), weight)
            half = np.searchsorted(np.cumsum(data.weights), data.total / 2)
            anchor = np.searchsorted(table.edges, data.values[half], side="right")
        found.append(anchor)
    return found


def fitted(n, seed, directions):
    X, y = firms(n, seed)
    weight = np.random.default_rng(seed).integers(1, 4, n).astype(float)
    card = AdditiveCard(prior=PRIOR, directions=directions, **AS_GIVEN).fit(X, y, weight)
    return card.scorecard_, X, y, weight


@pytest.mark.parametrize("directions", [{}, {"size": 1, "age": -1}, {"age": -1}])
@pytest.mark.parametrize(("n", "seed"), [(3, 0), (40, 1), (300, 2)])
def test_no_single_number_can_be_changed_for_the_better(n, seed, directions):
    card, X, y, weight = fitted(n, seed, directions)
    best = objective(card, X, y, weight, PRIOR)
    anchors = anchors_of(card, X, weight)
    tried = 0
    for which, entry in free_numbers(card):
        table = card.tables[which]
        direction = 0 if isinstance(entry, str) else directions.get(table.feature, 0)
        for amount in (1e-3, -1e-3):
            step = table.values[entry + 1] - table.values[entry] if direction else 0.0
            if direction * (step + amount) < 0:
                continue  # against the direction
            changed = moved(card, which, entry, amount, anchors)
            assert objective(changed, X, y, weight, PRIOR) > best
            tried += 1
    assert tried > 20


@pytest.mark.parametrize("directions", [{}, {"size": 1}])
def test_the_slopes_vanish_at_the_optimum(directions):
    card, X, y, weight = fitted(300, 5, directions)
    anchors = anchors_of(card, X, weight)

    def slope(change):
        up, down = (objective(change(by), X, y, weight, PRIOR) for by in (1e-4, -1e-4))
        return (up - down) / 2e-4

    slopes = [slope(lambda by: Scorecard(card.intercept + by, card.tables))]
    for which, entry in free_numbers(card):
        if isinstance(entry, str) or card.tables[which].feature not in directions:
            slopes.append(slope(lambda by, w=which, e=entry: moved(card, w, e, by, anchors)))
    assert len(slopes) > 20
    np.testing.assert_allclose(slopes, 0, atol=1e-6)


@given(st.integers(1, 400), st.integers(0, 10**6), st.booleans(), st.booleans())
def test_shuffled_rows_give_the_same_scores(n, seed, bounded, twins):
    X, y = firms(n, seed, twins)
    directions = {"size": 1, "age": -1} if bounded else None
    weight = np.random.default_rng(seed).random(n) + 0.1
    order = np.random.default_rng(seed + 1).permutation(n)
    one = AdditiveCard(directions=directions).fit(X, y, weight)
    other = AdditiveCard(directions=directions).fit(X.iloc[order], y[order], weight[order])
    grid, _ = firms(200, seed + 2, twins)
    difference = one.decision_function(grid) - other.decision_function(grid)
    assert np.abs(difference).max() <= 1e-8


@given(st.integers(1, 120), st.integers(0, 10**6), st.booleans())
def test_a_row_of_weight_two_is_the_row_twice_and_one_of_weight_zero_absent(n, seed, bounded):
    X, y = firms(n, seed)
    directions = {"size": -1, "age": 1} if bounded else None
    weight = np.random.default_rng(seed).integers(0, 4, n)
    weight[0] = 1
    rows = np.repeat(np.arange(n), weight)
    one = AdditiveCard(directions=directions).fit(X, y, weight)
    other = AdditiveCard(directions=directions).fit(X.iloc[rows], y[rows])
    for table, repeated in zip(one.scorecard_.tables, other.scorecard_.tables, strict=True):
        assert getattr(table, "edges", None) is None or np.array_equal(table.edges, repeated.edges)
        assert getattr(table, "levels", None) == getattr(repeated, "levels", None)
    difference = one.decision_function(X) - other.decision_function(X)
    assert np.abs(difference).max() <= 1e-8


@given(
    st.integers(2, 400),
    st.integers(0, 10**6),
    st.sampled_from([1, -1]),
    st.sampled_from([0.05, 1.0, 20.0]),
)
def test_a_feature_with_a_direction_never_scores_backwards(n, seed, direction, width):
    X, y = firms(n, seed)
    card = AdditiveCard(directions={"size": direction}, step_width=width, trend_width=width)
    table = card.fit(X, y).scorecard_.tables[0]
    assert (np.diff(table.values) * direction >= 0).all()


@pytest.mark.parametrize("n", [60, 4_000])
def test_features_that_say_the_same_do_not_keep_the_optimum_from_being_found(n):
    X, y = firms(n, 8, twins=True)
    wide = {"step_width": 10.0, "trend_width": 10.0}
    one = AdditiveCard(**wide).fit(X, y)
    other = AdditiveCard(**wide).fit(X[::-1], y[::-1])
    assert one.n_iter_ < 20
    difference = one.decision_function(X) - other.decision_function(X)
    assert np.abs(difference).max() <= 1e-8


@pytest.mark.parametrize("seed", range(4))
def test_wide_priors_over_features_that_hang_together_still_have_one_optimum(seed):
    random = np.random.default_rng(seed)
    causes = random.normal(size=(100, 3))
    X = causes @ random.normal(size=(3, 7)) + 0.1 * random.normal(size=(100, 7))
    y = (random.random(100) < 1 / (1 + np.exp(-5 * np.sin(X[:, 0]) - X.mean(axis=1)))).astype(int)
    directions = {f"x{j}": int(random.choice([-1, 1])) for j in range(7)}
    settings = {"directions": directions, "step_width": 80.0, "trend_width": 80.0}
    one = AdditiveCard(**settings).fit(X, y)
    other = AdditiveCard(**settings).fit(X[::-1], y[::-1])
    for table in one.scorecard_.tables:
        assert (np.diff(table.values) * directions[table.feature] >= 0).all()
    difference = one.decision_function(X) - other.decision_function(X)
    assert np.abs(difference).max() <= 1e-8


def test_finer_bins_mean_the_same_prior():
    X, y = firms(3_000, 11)
    coarse, fine = (AdditiveCard(max_bins=bins).fit(X, y) for bins in (24, 96))
    difference = coarse.decision_function(X) - fine.decision_function(X)
    assert np.sqrt(np.mean(difference**2)) < 0.1


def test_more_numbers_than_a_matrix_may_have_are_fitted_without_one():
    random = np.random.default_rng(0)
    X = random.normal(size=(1_200, 45))
    y = (random.random(1_200) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    one, other = AdditiveCard().fit(X, y), AdditiveCard().fit(X[::-1], y[::-1])
    difference = one.decision_function(X) - other.decision_function(X)
    assert np.abs(difference).max() <= 1e-8


def test_a_search_cut_short_says_so():
    X, y = firms(200, 3)
    with pytest.warns(UserWarning, match="standard deviations away"):
        AdditiveCard(max_iter=1).fit(X, y)
