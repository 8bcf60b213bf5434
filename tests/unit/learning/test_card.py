"""What the card promises to whoever fits it: prior, missing values, levels, classes, sums."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from leadscore.learning import AdditiveCard
from leadscore.learning.scorecard import CategoricalTable, NumericTable, Scorecard

PRIOR = Scorecard(
    -1.3,
    (
        NumericTable("staff", np.array([20.0, 100.0]), np.array([-0.51, 0.13, 0.77]), -0.2),
        CategoricalTable("role", ("maker", "trade"), np.array([0.9, -1.1]), 0.05, -0.3),
        NumericTable("listed", np.array([0.5]), np.array([0.0, 0.4]), 0.0),
    ),
)

WIDTHS = ("trend_width", "step_width", "level_width", "unknown_width")


def firms(n, seed=0):
    random = np.random.default_rng(seed)
    staff = random.lognormal(4, 1.5, n).round()
    role = random.choice(["maker", "trade", "serves", "designs"], n)
    listed = random.random(n) < 0.2
    log_odds = -1.0 + 0.5 * (staff > 100) + 1.2 * (role == "maker") - 0.8 * (role == "trade")
    X = pd.DataFrame({"staff": staff, "role": pd.Series(role, dtype="str"), "listed": listed})
    X.loc[random.random(n) < 0.1, "staff"] = np.nan
    X.loc[random.random(n) < 0.1, "role"] = np.nan
    return X, (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)


def test_with_no_outcomes_the_card_is_the_experts_to_the_last_bit():
    X, y = firms(0)
    card = AdditiveCard(prior=PRIOR, directions={"staff": 1}).fit(X, y)
    assert card.scorecard_ == PRIOR
    assert card.intercept_ == PRIOR.intercept
    assert card.n_iter_ == 0
    assert card.classes_.tolist() == [0, 1]
    full, _ = firms(50)
    np.testing.assert_array_equal(card.decision_function(full), PRIOR.decision(full))


@pytest.mark.parametrize("y", [[], np.empty(0, dtype=np.int64), pd.Series([], dtype="float64")])
def test_no_outcomes_may_come_in_any_shape(y):
    assert AdditiveCard(prior=PRIOR).fit(firms(0)[0], y).scorecard_ == PRIOR


def test_rows_that_do_not_count_are_no_outcomes():
    X, y = firms(30)
    assert AdditiveCard(prior=PRIOR).fit(X, y, np.zeros(30)).scorecard_ == PRIOR


def test_tables_follow_the_columns_and_unlisted_columns_start_at_zero():
    X, y = firms(0)
    X = X.assign(event=pd.Series([], dtype="str"), age=pd.Series([], dtype=float))[
        ["age", "role", "event", "listed", "staff"]
    ]
    card = AdditiveCard(prior=PRIOR).fit(X, y).scorecard_
    assert card.features == ("age", "role", "event", "listed", "staff")
    assert card.tables[0] == NumericTable("age", [], [0.0], 0.0)
    assert card.tables[2] == CategoricalTable("event", (), [], 0.0, 0.0)
    assert card.tables[4] == PRIOR.tables[0]


def test_without_a_prior_no_rows_are_an_error():
    X, y = firms(0)
    with pytest.raises(ValueError, match="0 sample"):
        AdditiveCard().fit(X, y)


def test_columns_that_only_the_prior_knows_are_named():
    X, y = firms(20)
    with pytest.raises(ValueError, match="columns that are not there: role, listed"):
        AdditiveCard(prior=PRIOR).fit(X[["staff"]], y)


def test_what_the_data_cannot_tell_stays_as_the_experts_said():
    X, y = firms(40)
    X = X.assign(staff=np.nan, role=X["role"].fillna("maker"))
    card = AdditiveCard(prior=PRIOR, prior_strength=None).fit(X, y).scorecard_
    np.testing.assert_array_equal(card.tables[0].values, PRIOR.tables[0].values)
    assert card.tables[0].unknown != PRIOR.tables[0].unknown
    assert card.tables[1].unknown == PRIOR.tables[1].unknown


def test_few_outcomes_move_the_experts_little_and_many_as_far_as_they_should():
    distances = []
    truth = np.array([1.2, -0.8, 0.0, 0.0])
    levels = pd.DataFrame(
        {"staff": 50.0, "role": ["maker", "trade", "serves", "designs"], "listed": False}
    )
    for n in (5, 50, 20_000):
        card = AdditiveCard(prior=PRIOR).fit(*firms(n))
        added = card.contributions(levels)[:, 1]
        distances.append(np.abs((added - added[2]) - truth).max())
        if n == 5:
            assert np.abs(card.contributions(levels) - PRIOR.lookup(levels)).max() < 0.4
    assert distances[2] < 0.15


def test_one_more_outcome_of_each_kind_moves_the_score_its_way():
    X, y = firms(30)
    firm = X.iloc[[3]]
    scores = [
        AdditiveCard(prior=PRIOR)
        .fit(pd.concat([X, firm]), np.append(y, became))
        .decision_function(firm)[0]
        for became in (0, 1)
    ]
    without = AdditiveCard(prior=PRIOR).fit(X, y).decision_function(firm)[0]
    assert scores[0] < without < scores[1]


@pytest.mark.parametrize("prior", [None, PRIOR], ids=["no-prior", "prior"])
@pytest.mark.parametrize("became", [0, 1])
def test_one_class_alone_gives_finite_scores_that_lean_its_way(prior, became):
    X, _ = firms(12)
    card = AdditiveCard(prior=prior).fit(X, np.full(12, became))
    assert card.classes_.tolist() == [0, 1]
    proba = card.predict_proba(X)
    assert ((proba > 0) & (proba < 1)).all()
    if prior is None:
        assert (card.predict(X) == became).all()
    else:
        moved = card.decision_function(X) - PRIOR.decision(X)
        assert np.sign(moved.mean()) == (1 if became else -1)


def test_one_class_that_has_no_counterpart_is_refused():
    X, _ = firms(12)
    with pytest.raises(ValueError, match=r"With one class only, label it 0 or 1, not .*'lost'"):
        AdditiveCard().fit(X, ["lost"] * 12)


def test_a_row_without_weight_still_names_the_other_class():
    X, _ = firms(12)
    labels = np.where(np.arange(12) == 0, "lost", "signed")
    card = AdditiveCard().fit(X, labels, (labels == "signed").astype(float))
    assert card.classes_.tolist() == ["lost", "signed"]
    assert (card.predict(X) == "signed").all()


def test_labels_may_be_texts_and_truth_values():
    X, y = firms(300)
    scores = AdditiveCard().fit(X, y).decision_function(X)
    texts = AdditiveCard().fit(X, np.where(y == 1, "signed", "lost"))
    truths = AdditiveCard().fit(X, y == 1)
    np.testing.assert_array_equal(texts.decision_function(X), scores)
    np.testing.assert_array_equal(truths.decision_function(X), scores)
    assert set(texts.predict(X)) == {"lost", "signed"}
    assert truths.predict(X).dtype == bool


def test_three_classes_are_refused():
    X, _ = firms(30)
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        AdditiveCard().fit(X, np.arange(30) % 3)


def test_contributions_and_intercept_sum_to_the_score():
    X, y = firms(500)
    card = AdditiveCard(prior=PRIOR).fit(X, y)
    for rows in (X, X.iloc[:3]):
        added = card.contributions(rows)
        assert added.shape == rows.shape
        np.testing.assert_array_equal(card.scorecard_.total(added), card.decision_function(rows))
        sums = card.intercept_ + added.sum(axis=1)
        np.testing.assert_allclose(sums, card.decision_function(rows), rtol=0, atol=1e-12)


def test_both_probabilities_are_exact_near_their_ends():
    card = AdditiveCard(prior=Scorecard(-60.0, ())).fit(np.empty((0, 1)), [])
    no, yes = card.predict_proba(np.zeros((1, 1)))[0]
    assert yes == pytest.approx(np.exp(-60.0), rel=1e-12)
    assert no == 1.0


def test_missing_values_have_an_entry_of_their_own():
    random = np.random.default_rng(0)
    size = random.normal(size=2_000)
    y = (random.random(2_000) < np.where(size < -0.5, 0.9, 0.2)).astype(int)
    X = pd.DataFrame({"size": np.where(size < -0.5, np.nan, size)})
    card = AdditiveCard().fit(X, y)
    missing, present = card.predict_proba(pd.DataFrame({"size": [np.nan, 1.0]}))[:, 1]
    assert missing == pytest.approx(0.9, abs=0.05)
    assert present == pytest.approx(0.2, abs=0.06)


def test_levels_unseen_at_fit_score_as_the_others():
    X, y = firms(400)
    X.loc[:1, "role"] = ["once", "only"]
    card = AdditiveCard(prior=PRIOR).fit(X, y)
    table = card.scorecard_.tables[1]
    assert table.levels == ("maker", "trade", "designs", "serves")
    new = X.iloc[:1].assign(role="never seen")
    assert card.contributions(new)[0, 1] == table.other


def test_infinite_values_are_learnt_from_like_the_outermost():
    X, y = firms(200)
    largest = X["staff"].max()
    infinite = X.replace({"staff": {largest: np.inf}})
    one, other = AdditiveCard().fit(X, y), AdditiveCard().fit(infinite, y)
    assert np.isfinite(other.decision_function(infinite)).all()
    assert np.isfinite(one.decision_function(infinite)).all()


@pytest.mark.parametrize(
    "dtypes",
    [
        {"staff": "Int64", "role": "category", "listed": "boolean"},
        {"staff": "Float64", "role": "object", "listed": "int8"},
        {"staff": "object", "role": "string", "listed": "object"},
        {"staff": "float32", "role": "str", "listed": "float64"},
    ],
    ids=str,
)
def test_the_dtype_of_a_column_is_of_no_account(dtypes):
    X, y = firms(200)
    expected = AdditiveCard(prior=PRIOR).fit(X, y)
    card = AdditiveCard(prior=PRIOR).fit(X.astype(dtypes), y)
    assert card.scorecard_ == expected.scorecard_
    np.testing.assert_array_equal(
        card.decision_function(X), expected.decision_function(X.astype(dtypes))
    )


def test_an_array_of_objects_is_read_column_by_column():
    X, y = firms(100)
    card = AdditiveCard().fit(X.to_numpy(dtype=object), y)
    named = AdditiveCard().fit(X, y)
    assert card.scorecard_.features == ("x0", "x1", "x2")
    objects = X.to_numpy(dtype=object)
    np.testing.assert_array_equal(card.decision_function(objects), named.decision_function(X))
    np.testing.assert_array_equal(card.contributions(objects), named.contributions(X))


def test_texts_where_numbers_were_learnt_are_refused():
    card = AdditiveCard().fit(np.arange(20.0).reshape(10, 2), [0, 1] * 5)
    with pytest.raises(ValueError, match="'x0' is a feature of numbers, but holds 'many'"):
        card.predict(np.array([["many", "few"]]))


def test_columns_that_say_nothing_change_nothing():
    X, y = firms(100)
    more = X.assign(empty=np.nan, none=None, same=7.0)
    card, expected = AdditiveCard().fit(more, y), AdditiveCard().fit(X, y)
    known = card.contributions(more)[:, 3:]
    np.testing.assert_array_equal(known - known[0], 0.0)
    np.testing.assert_allclose(
        card.decision_function(more), expected.decision_function(X), atol=0.3
    )


def test_other_columns_than_at_fit_are_refused():
    X, y = firms(50)
    card = AdditiveCard().fit(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        card.predict(X[["role", "staff", "listed"]])


@pytest.mark.parametrize(
    ("directions", "message"),
    [
        ({"stuff": 1}, "not 1 for 'stuff'"),
        ({"staff": 2}, "not 2 for 'staff'"),
        ({"role": 1}, "'role' is a feature of texts"),
        ({"staff": -1}, r"prior of 'staff' runs against its direction -1 at the edge 20\.0"),
    ],
)
@pytest.mark.parametrize("n", [0, 50])
def test_a_direction_that_cannot_hold_is_refused(directions, message, n):
    X, y = firms(n)
    with pytest.raises(ValueError, match=message):
        AdditiveCard(prior=PRIOR, directions=directions).fit(X, y)


@pytest.mark.parametrize(
    "setting",
    [
        {"step_width": 0.0},
        {"trend_width": -1.0},
        {"level_width": np.inf},
        {"unknown_width": np.nan},
        {"max_bins": 1},
        {"max_iter": 0},
        {"tol": -1e-9},
    ],
    ids=str,
)
def test_a_setting_out_of_range_is_named(setting):
    X, y = firms(20)
    with pytest.raises(ValueError, match=f"{next(iter(setting))} must be finite and at least"):
        AdditiveCard(**setting).fit(X, y)


def test_wider_priors_let_the_data_speak_louder():
    X, y = firms(60)
    fits = [
        AdditiveCard(
            prior=PRIOR, prior_strength=None, choose_widths=False, **dict.fromkeys(WIDTHS, width)
        ).fit(X, y)
        for width in (0.01, 0.3, 3.0)
    ]
    moved = [np.abs(card.contributions(X) - PRIOR.lookup(X)).max() for card in fits]
    assert moved[0] < 0.05 < moved[1] < moved[2]


def test_the_number_of_threads_changes_nothing():
    X, y = firms(3_000)
    scores = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            scores.append(AdditiveCard().fit(X, y).decision_function(X))
    assert np.abs(scores[0] - scores[1]).max() <= 1e-8


def test_the_same_fit_gives_the_same_bytes():
    X, y = firms(300)
    card = AdditiveCard(prior=PRIOR, directions={"staff": 1}).fit(X, y)
    again = clone(card).fit(X.copy(), y.copy())
    saved = pickle.dumps(card)
    card.predict(X)
    assert pickle.dumps(card) == saved == pickle.dumps(again)
    loaded = pickle.loads(saved)  # noqa: S301 (our own bytes of a moment ago)
    np.testing.assert_array_equal(loaded.decision_function(X), card.decision_function(X))


def test_fitting_changes_neither_the_data_nor_the_settings():
    X, y = firms(100)
    before, weight = X.copy(), np.ones(100)
    prior = pickle.dumps(PRIOR)
    AdditiveCard(prior=PRIOR).fit(X, y, weight)
    pd.testing.assert_frame_equal(X, before)
    assert (weight == 1).all()
    assert pickle.dumps(PRIOR) == prior


def test_it_beats_penalised_regression_on_a_public_data_set():
    X, y = load_breast_cancer(return_X_y=True)
    regression = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    ours, theirs = (
        log_loss(y, cross_val_predict(model, X, y, cv=5, method="predict_proba"))
        for model in (AdditiveCard(), regression)
    )
    assert ours < theirs
