"""How good forecasts were: every measure against an oracle, and what must never change it."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from leadscore.learning.metrics import SHARES, SURE, evaluate, recalibrated, wilson
from leadscore.registry.manifest import Manifest


def pursuits(n, seed=0, slope=1.0, ties=False):
    random = np.random.default_rng(seed)
    log_odds = random.normal(-1.0, 1.2, n)
    y = (random.random(n) < expit(slope * log_odds)).astype(float)
    p = expit(log_odds)
    return y, np.round(p, 1) if ties else p, random.uniform(0.5, 3.0, n)


def values(evaluation):
    return {name: measure.value for name, measure in evaluation.measures.items()}


def top_by_hand(y, p, weight, share):
    """Walk down the ranking, tie by tie, until the share of the weight is used up."""
    n = len(y)
    count = max(1, math.floor(share * n + 0.5))
    left, caught = weight.sum() * count / n, 0.0
    for value in np.unique(p)[::-1]:
        tied = p == value
        part = min(1.0, left / weight[tied].sum())
        caught += part * (weight * y)[tied].sum()
        left -= part * weight[tied].sum()
    return count, caught / (weight * y).sum()


cases = st.integers(2, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from([0.0, 1.0]), min_size=n, max_size=n),
        st.lists(st.sampled_from([0.0, 0.01, 0.2, 0.3, 0.5, 0.9, 1.0]), min_size=n, max_size=n),
        st.lists(st.sampled_from([0.5, 1.0, 2.25]), min_size=n, max_size=n),
    )
)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [40, 700])
def test_measures_agree_with_scikit_learn(n, ties):
    y, p, weight = pursuits(n, ties=ties)
    found = values(evaluate(y, p, weight=weight, n_bootstrap=0))
    assert found["auc"] == pytest.approx(roc_auc_score(y, p, sample_weight=weight))
    assert found["average_precision"] == pytest.approx(
        average_precision_score(y, p, sample_weight=weight)
    )
    sure = np.clip(p, SURE, 1 - SURE)
    assert found["log_loss"] == pytest.approx(log_loss(y, sure, sample_weight=weight))
    assert found["brier"] == pytest.approx(brier_score_loss(y, p, sample_weight=weight))


@pytest.mark.parametrize("slope", [-0.5, 0.4, 1.0, 3.0])
def test_the_calibration_slope_is_that_of_a_logistic_regression(slope):
    y, p, weight = pursuits(500, slope=slope)
    found = values(evaluate(y, p, weight=weight, n_bootstrap=0))
    oracle = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000)
    oracle.fit(logit(p)[:, None], y, weight)
    assert found["calibration_slope"] == pytest.approx(oracle.coef_[0, 0], rel=1e-4)


def test_the_calibration_intercept_makes_the_mean_forecast_right():
    y, p, weight = pursuits(300)
    shift = values(evaluate(y, p * 0.3, weight=weight, n_bootstrap=0))["calibration_intercept"]
    assert weight @ expit(logit(p * 0.3) + shift) == pytest.approx(weight @ y)
    assert shift > 0.5


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [4, 25, 333])
def test_lift_and_captured_share_agree_with_a_walk_down_the_ranking(n, ties):
    y, p, weight = pursuits(n, seed=3, ties=ties)
    y[0] = 1.0
    for top in evaluate(y, p, weight=weight, n_bootstrap=0).top:
        count, caught = top_by_hand(y, p, weight, top.share)
        assert top.n == count
        assert top.captured.value == pytest.approx(caught)
        assert top.lift.value == pytest.approx(caught * n / count)


def test_a_tie_at_the_border_is_shared():
    found = evaluate([1, 0, 1, 0], [0.3] * 4, n_bootstrap=0)
    assert [top.lift.value for top in found.top] == [1.0] * 3


@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(case, random):
    y, p, weight = (np.array(column) for column in case)
    order = np.array(random.sample(range(len(y)), len(y)))
    groups = np.where(p > 0.25, "a", "b")
    one = evaluate(y, p, weight=weight, groups=groups, n_bootstrap=20)
    other = evaluate(y[order], p[order], weight=weight[order], groups=groups[order], n_bootstrap=20)
    assert one.to_dict() == other.to_dict()


@given(cases)
def test_measures_are_in_range_or_null_and_survive_json(case):
    found = evaluate(*case[:2], weight=case[2], n_bootstrap=20)
    told = found.to_dict()
    kept = {"measures": {"challenger": json.loads(json.dumps(told, allow_nan=False))}}
    assert Manifest.of(kept).measures == {"challenger": found}
    for name in ("auc", "average_precision", "brier"):
        for end in told["measures"][name].values():
            assert end is None or -1e-12 <= end <= 1 + 1e-12
    assert told["measures"]["log_loss"]["value"] >= 0
    assert sum(band["n"] for band in told["reliability"]) == told["n"] == len(case[0])
    for band in told["reliability"]:
        assert band["from"] - 1e-12 <= band["predicted"] <= band["to"] + 1e-12
        assert band["low"] - 1e-12 <= band["observed"] <= band["high"] + 1e-12
    shares = [top["captured"]["value"] for top in told["top"]]
    assert shares == sorted(shares, key=lambda x: x or 0.0)


@given(cases)
def test_a_weight_of_two_is_the_row_twice(case):
    y, p, _ = (np.array(column) for column in case)
    doubled = evaluate(np.tile(y, 2), np.tile(p, 2), n_bootstrap=0)
    weighed = evaluate(y, p, weight=np.full(len(y), 2.0), n_bootstrap=0)
    for name, value in values(doubled).items():
        assert values(weighed)[name] == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_with_one_kind_of_outcome_only_the_losses_are_told(outcome):
    found = evaluate([outcome] * 30, np.linspace(0.1, 0.6, 30), n_bootstrap=50)
    told = values(found)
    assert told["auc"] is told["calibration_slope"] is told["calibration_intercept"] is None
    assert told["log_loss"] > 0
    assert told["brier"] > 0
    assert found.measures["auc"].low is None
    assert (found.top[0].lift.value is None) == (outcome == 0)


def test_nothing_at_all_is_told_as_nothing():
    found = evaluate([np.nan], [0.2], groups=["a"])
    assert found.n == 0
    assert set(values(found).values()) == {None}
    assert found.groups == {}
    json.dumps(found.to_dict(), allow_nan=False)


def test_forecasts_that_part_the_outcomes_have_no_slope():
    found = evaluate([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5], n_bootstrap=50)
    assert found.measures["calibration_slope"].value is None
    assert found.measures["auc"].value == 1.0


@pytest.mark.parametrize("nearly", [0.0, 1e-17, 1e-13])
def test_constant_forecasts_have_an_intercept_but_no_slope(nearly):
    y = [0, 1, 0, 0] * 10
    found = values(evaluate(y, 0.5 + nearly * np.arange(40), n_bootstrap=20))
    assert found["calibration_slope"] is None
    assert found["calibration_intercept"] == pytest.approx(math.log(1 / 3))


def test_a_slope_without_overlap_is_infinite_and_says_which_way():
    mass = np.array([[[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]])
    slope, _ = recalibrated(mass, np.array([-1.0, 0.0, 1.0]))
    assert slope.tolist() == [math.inf, -math.inf]


def test_unknown_outcomes_and_rows_without_weight_are_left_out():
    y, p, weight = pursuits(60)
    more_y = np.concatenate([y, [np.nan, 1.0]])
    more_p = np.concatenate([p, [np.nan, 0.9]])
    more = evaluate(more_y, more_p, weight=np.concatenate([weight, [1.0, 0.0]]), n_bootstrap=20)
    assert more.to_dict() == evaluate(y, p, weight=weight, n_bootstrap=20).to_dict()


def test_a_group_is_measured_as_if_it_were_alone():
    y, p, weight = pursuits(300)
    chain = np.array(["led", "vr", None] * 100, dtype=object)
    found = evaluate(y, p, weight=weight, groups=chain, n_bootstrap=50)
    assert list(found.groups) == ["led", "vr"]
    led = chain == "led"
    alone = evaluate(y[led], p[led], weight=weight[led], n_bootstrap=50)
    assert found.groups["led"] == alone
    assert len(alone.top) == len(SHARES)


def test_the_seed_fixes_the_intervals():
    y, p, _ = pursuits(100)
    assert evaluate(y, p, seed=1) == evaluate(y, p, seed=1)
    assert evaluate(y, p, seed=1) != evaluate(y, p, seed=2)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    true_auc = evaluate(*pursuits(400_000, seed=99)[:2], n_bootstrap=0).measures["auc"].value
    covered = slopes = 0
    for seed in range(200):
        y, p, _ = pursuits(150, seed=seed)
        measures = evaluate(y, p, n_bootstrap=200).measures
        covered += measures["auc"].low <= true_auc <= measures["auc"].high
        slopes += measures["calibration_slope"].low <= 1.0 <= measures["calibration_slope"].high
    assert 168 <= covered <= 192  # of 200, where 90 % are wanted
    assert 168 <= slopes <= 192


def test_very_many_pursuits_have_the_same_intervals_from_cells_of_neighbours():
    y, p, _ = pursuits(1_000)
    exact = evaluate(y, np.round(p, 2), n_bootstrap=300)
    fine = evaluate(y, p, n_bootstrap=300)
    for name in ("auc", "log_loss", "brier", "calibration_slope"):
        one, other = exact.measures[name], fine.measures[name]
        assert other.low - other.value == pytest.approx(one.low - one.value, rel=0.25, abs=2e-3)
        assert other.low <= other.value <= other.high


def test_a_hundred_thousand_pursuits_take_seconds():
    y, p, weight = pursuits(100_000)
    start = time.process_time()
    found = evaluate(y, p, weight=weight, n_bootstrap=200)
    assert time.process_time() - start < 5.0
    auc = found.measures["auc"]
    assert auc.high - auc.low < 0.01


def test_bands_of_reliability_hold_equal_numbers_and_merge_for_few():
    y, p, _ = pursuits(500)
    bands = evaluate(y, p, n_bootstrap=0).reliability
    assert [band.n for band in bands] == [50] * 10
    assert len(evaluate(y[:35], p[:35], n_bootstrap=0).reliability) == 3
    assert len(evaluate(y[:5], p[:5], n_bootstrap=0).reliability) == 1


def test_wilsons_interval_agrees_with_its_published_example():
    # Newcombe (1998), 15 of 148, level 95 %: 0.0624 to 0.1605.
    assert wilson(15 / 148, 148, level=0.95) == pytest.approx((0.0624, 0.1605), abs=1e-4)


@pytest.mark.parametrize(
    ("y", "p", "weight", "words"),
    [
        ([0.5], [0.1], None, "0, 1 or missing"),
        ([1], [1.1], None, "0..1"),
        ([1], [np.nan], None, "0..1"),
        ([1], [0.5], [-1], "not negative"),
        ([1, 0], [0.5], None, "same length"),
    ],
)
def test_what_is_out_of_range_is_refused(y, p, weight, words):
    with pytest.raises(ValueError, match=words):
        evaluate(y, p, weight=weight)


def test_groups_must_be_as_many_as_outcomes():
    with pytest.raises(ValueError, match="groups"):
        evaluate([1, 0], [0.5, 0.2], groups=["a"])
