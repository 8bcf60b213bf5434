"""The compiled card: look-ups, sums, plain JSON."""

from __future__ import annotations

import copy
import json
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.errors import ModelError
from leadscore.learning.scorecard import (
    CategoricalTable,
    NumericTable,
    Scorecard,
    log_odds_to_points,
    points_to_log_odds,
)

STAFF = NumericTable("staff", np.array([20.0, 100.0]), np.array([-0.5, 0.1, 0.7]), -0.2)
ROLE = CategoricalTable("role", ("maker", "trade"), np.array([0.9, -1.1]), 0.05, -0.3)
CARD = Scorecard(-1.2, (STAFF, ROLE))
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def reloaded(card):
    return pickle.loads(pickle.dumps(card))  # noqa: S301 (our own bytes of a moment ago)


def firms(n=200, seed=0):
    random = np.random.default_rng(seed)
    staff = random.choice([5.0, 20.0, 50.0, 100.0, np.inf, -np.inf, np.nan], n)
    role = random.choice(np.array(["maker", "trade", "serves", None], dtype=object), n)
    return pd.DataFrame({"staff": staff, "role": pd.Series(role, dtype="str")})


def test_a_number_is_looked_up_in_its_bin():
    column = pd.Series([-np.inf, 19.9, 20.0, 99.0, 100.0, np.inf, np.nan])
    assert STAFF.lookup(column).tolist() == [-0.5, -0.5, 0.1, 0.1, 0.7, 0.7, -0.2]


def test_a_text_is_looked_up_by_its_level():
    column = pd.Series(["maker", "trade", "serves", None], dtype="str")
    assert ROLE.lookup(column).tolist() == [0.9, -1.1, 0.05, -0.3]


def test_a_score_is_the_intercept_plus_one_entry_per_feature():
    X = pd.DataFrame({"role": ["trade"], "ignored": [1], "staff": [300]})
    assert CARD.lookup(X).tolist() == [[0.7, -1.1]]
    assert CARD.decision(X).tolist() == [-1.2 + 0.7 - 1.1]


def test_a_firm_alone_gets_the_same_bits_as_in_a_list():
    X = firms()
    together = CARD.decision(X)
    for n in (1, 3, 20):
        parts = [CARD.decision(X.iloc[i : i + n]) for i in range(0, len(X), n)]
        np.testing.assert_array_equal(np.concatenate(parts), together)
    np.testing.assert_array_equal(CARD.total(CARD.lookup(X)), together)
    np.testing.assert_array_equal(CARD.total(CARD.lookup(X.iloc[:5])), together[:5])


@pytest.mark.parametrize("dtype", ["object", "category", "str", "string"])
def test_rows_one_by_one_and_columns_agree_for_every_dtype_of_text(dtype):
    X = firms().assign(role=lambda X: X["role"].astype(dtype))
    few = np.concatenate([CARD.lookup(X.iloc[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(few, CARD.lookup(X))


@pytest.mark.parametrize("dtype", ["Int64", "float32", "Float64", "object"])
def test_rows_one_by_one_and_columns_agree_for_every_dtype_of_number(dtype):
    X = firms().replace([np.inf, -np.inf], 7.0).astype({"staff": dtype})
    few = np.concatenate([CARD.lookup(X.iloc[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(few, CARD.lookup(X))


def test_a_record_needs_no_frame():
    assert CARD.lookup_record([None, "maker"]) == [-0.2, 0.9]
    assert CARD.lookup_record([np.int64(20), float("nan")]) == [0.1, -0.3]


def test_a_list_of_nothing_has_no_scores():
    assert CARD.lookup(firms(0)).shape == (0, 2)
    assert CARD.decision(firms(0)).shape == (0,)


def test_a_card_without_tables_says_its_intercept():
    assert Scorecard(-1.0, ()).decision(firms(3)).tolist() == [-1.0] * 3


def test_an_absent_column_is_named():
    with pytest.raises(ValueError, match="columns that are not there: role"):
        CARD.lookup(firms().drop(columns="role"))


def test_a_column_that_stands_twice_is_named():
    X = firms()
    with pytest.raises(ValueError, match="stand there twice: role"):
        CARD.decision(pd.concat([X, X[["role"]]], axis=1))


def test_a_text_in_a_feature_of_numbers_is_refused_alone_and_in_a_list():
    X = pd.DataFrame({"staff": ["many"] * 40, "role": ["maker"] * 40})
    for rows in (X, X.iloc[:1]):
        with pytest.raises(ValueError, match="'staff' is a feature of numbers"):
            CARD.lookup(rows)


@given(st.lists(FINITE, min_size=1, max_size=5, unique=True), st.data())
def test_plain_json_gives_the_card_back_to_the_last_bit(edges, data):
    values = data.draw(st.lists(FINITE, min_size=len(edges) + 1, max_size=len(edges) + 1))
    table = NumericTable("x", np.unique(edges), values[: len(np.unique(edges)) + 1], values[0])
    card = Scorecard(values[-1], (table, ROLE))
    assert Scorecard.from_dict(json.loads(json.dumps(card.to_dict()))) == card


def test_pickles_and_copies_are_equal_and_carry_no_cache():
    fresh = pickle.dumps(CARD)
    CARD.lookup(firms(3))
    CARD.lookup(firms())
    assert pickle.dumps(reloaded(CARD)) == pickle.dumps(CARD) == fresh
    assert copy.deepcopy(CARD) == CARD == copy.copy(CARD)


def test_cards_that_differ_in_one_entry_are_not_equal():
    assert Scorecard(-1.2, (STAFF, ROLE)) == CARD
    assert Scorecard(-1.2, (ROLE, STAFF)) != CARD
    assert Scorecard(-1.2, (STAFF,)) != CARD
    assert CategoricalTable("role", ROLE.levels, ROLE.values, 0.06, -0.3) != ROLE
    assert STAFF != ROLE


@pytest.mark.parametrize("card", [CARD, reloaded(CARD)], ids=["made", "loaded"])
def test_tables_cannot_be_changed(card):
    with pytest.raises(ValueError, match="read-only"):
        card.tables[0].values[0] = 9.0
    with pytest.raises(AttributeError):
        card.intercept = 0.0


def test_the_maker_of_a_table_keeps_his_own_array():
    values = np.zeros(1)
    NumericTable("x", np.empty(0), values, 0.0)
    values[0] = 1.0
    assert values[0] == 1.0


def test_threads_share_a_card():
    X = firms(5_000)
    card = reloaded(CARD)
    parts = [X.iloc[i : i + 7] for i in range(0, 700, 7)]
    with ThreadPoolExecutor(8) as pool:
        found = np.concatenate(list(pool.map(card.decision, parts)))
    np.testing.assert_array_equal(found, CARD.decision(X)[:700])


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: NumericTable("x", [1.0, 1.0], [0.0, 0.0, 0.0], 0.0), "edges that rise"),
        (lambda: NumericTable("x", [math.inf], [0.0, 0.0], 0.0), "finite edges"),
        (lambda: NumericTable("x", [1.0], [0.0], 0.0), "one value more than edges"),
        (lambda: NumericTable("x", [1.0], [0.0, math.nan], 0.0), "finite log-odds"),
        (lambda: NumericTable("x", [], [0.0], math.inf), "finite log-odds"),
        (lambda: CategoricalTable("x", ("a", "a"), [0.0, 0.0], 0.0, 0.0), "levels that differ"),
        (lambda: CategoricalTable("x", (1,), [0.0], 0.0, 0.0), "levels as texts"),
        (lambda: CategoricalTable("x", ("a",), [], 0.0, 0.0), "one value for each level"),
        (lambda: Scorecard(0.0, (STAFF, STAFF)), "features that differ"),
        (lambda: Scorecard(math.nan, ()), "a finite intercept"),
    ],
)
def test_a_table_that_cannot_be_looked_up_cannot_be_made(make, wanted):
    with pytest.raises(ValueError, match=wanted):
        make()


def broken(**changes):
    plain = json.loads(json.dumps(CARD.to_dict()))
    table = plain["tables"][0]
    return {**plain, "tables": [{**table, **changes}]}


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {**CARD.to_dict(), "schema": 2},
        {**CARD.to_dict(), "intercept": "low"},
        {**CARD.to_dict(), "tables": 3},
        broken(kind="tree"),
        broken(values=[0.0]),
        broken(values=["a", "b", "c"]),
        broken(unknown=None),
        broken(more=1),
    ],
)
def test_plain_values_that_are_no_card_are_refused_in_both_languages(plain):
    with pytest.raises(ModelError) as caught:
        Scorecard.from_dict(plain)
    assert "评分卡" in caught.value.render("zh")
    assert "not a valid scorecard" in caught.value.render("en")


@given(st.floats(-1e6, 1e6))
def test_points_and_log_odds_are_one_scale(points):
    assert math.isclose(log_odds_to_points(points_to_log_odds(points)), points, abs_tol=1e-9)
    assert math.isclose(math.exp(points_to_log_odds(20.0)), 2.0)
