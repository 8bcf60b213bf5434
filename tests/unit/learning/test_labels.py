"""What pursuits teach on a day, and that those still open bias nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.kept_lists import blank_events

from leadscore.learning.history import (
    EVENTS,
    LEFT_OUT,
    MOST_WEIGHT,
    censoring_weights,
    effective_weights,
    label_pursuits,
)
from leadscore.learning.training_data import training_set
from leadscore.lists.columns import blank_firms

AS_OF = date(2025, 1, 1)


def history(*entries: tuple[str, str, str]) -> pd.DataFrame:
    """Entries of (firm, stage, day); a stage with a leading minus is withdrawn."""
    frame = pd.DataFrame(entries, columns=["name", "stage", "day"])
    frame["withdrawn"] = frame["stage"].str.startswith("-")
    frame["stage"] = frame["stage"].str.removeprefix("-")
    frame["day"] = pd.to_datetime(frame["day"]).astype("datetime64[us]")
    frame["firm"] = frame["name"]
    frame = frame.assign(entry=range(1, len(frame) + 1), row=2)
    return frame.reindex(columns=list(EVENTS)).astype(EVENTS)


def label_of(*entries: tuple[str, str], as_of: date = AS_OF, **asked: object) -> float:
    events = history(*(("甲", stage, day) for stage, day in entries))
    return float(label_pursuits(events, as_of=as_of, **asked).table["label"].item())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entries", "label"),
    [
        ([("contacted", "2024-01-01"), ("signed", "2024-06-01")], 1.0),
        ([("contacted", "2023-01-01"), ("signed", "2024-01-01")], 1.0),  # the 365th day
        ([("contacted", "2023-01-01"), ("signed", "2024-01-02")], 0.0),
        ([("contacted", "2024-06-01"), ("lost", "2024-07-01")], 0.0),
        ([("contacted", "2024-06-01")], np.nan),
        ([("contacted", "2024-01-02")], 0.0),  # the horizon ends today
        ([("contacted", "2024-01-03")], np.nan),
        ([("contacted", "2024-06-01"), ("paused", "2024-07-01")], np.nan),
        ([("visited", "2024-06-01"), ("producing", "2024-12-01")], 1.0),
        ([("contacted", "2024-06-01"), ("signed", "2024-07-01"), ("lost", "2024-08-01")], 1.0),
        ([("contacted", "2024-06-01"), ("lost", "2024-07-01"), ("-lost", "2024-07-01")], np.nan),
        ([("contacted", "2022-01-01"), ("contacted", "2024-06-01")], np.nan),  # corrected
        ([("visited", "2024-06-01"), ("signed", "2024-07-01"), ("signed", "2025-03-01")], np.nan),
        ([("negotiating", "2024-06-20"), ("signed", "2024-06-01")], 1.0),  # 2024年6月
        ([("contacted", "2024-06-01"), ("signed", "2025-01-02")], np.nan),  # not known yet
    ],
)
def test_the_label_is_what_is_known_on_the_day(
    entries: list[tuple[str, str]], label: float
) -> None:
    assert label_of(*entries) == pytest.approx(label, nan_ok=True)


def test_target_and_horizon_are_choices() -> None:
    entries = [("contacted", "2024-01-01"), ("signed", "2024-03-01"), ("building", "2024-09-01")]
    assert label_of(*entries, target="building") == 1.0
    assert label_of(*entries, target="building", horizon_days=100) == 0.0
    assert np.isnan(label_of(*entries, target="producing", horizon_days=400))


def test_the_order_of_entries_of_different_stages_changes_nothing() -> None:
    entries = [("甲", "contacted", "2024-01-01"), ("乙", "visited", "2024-02-01"),
               ("甲", "signed", "2024-05-01"), ("乙", "lost", "2024-06-01")]  # fmt: skip
    one, other = (
        label_pursuits(history(*each), as_of=AS_OF).table for each in (entries, entries[::-1])
    )
    pd.testing.assert_frame_equal(one, other)


def test_firms_that_teach_nothing_are_counted() -> None:
    events = history(
        ("甲", "signed", "2024-01-01"),
        ("乙", "contacted", "2024-03-05"), ("乙", "signed", "2024-02-01"),
        ("丙", "contacted", "2024-01-01"), ("丙", "lost", "2024-02-05"),
        ("丙", "signed", "2024-03-05"),
        ("丁", "contacted", "2024-01-01"),
    )  # fmt: skip
    labels = label_pursuits(events, as_of=AS_OF)
    assert labels.table["firm"].tolist() == ["丁"]
    assert (labels.without_contact, labels.impossible) == (1, 2)


def test_no_history_is_no_pursuits() -> None:
    labels = label_pursuits(blank_events(), as_of=AS_OF)
    assert len(labels.table) == 0
    assert labels.notices() == ()
    assert labels.table.dtypes.astype(str).tolist() == [
        "str", "datetime64[us]", "float64", "float64", "float64"
    ]  # fmt: skip


def test_without_open_pursuits_every_weight_is_one() -> None:
    days = np.array([3.0, 1.0, 3.0, 365.0])
    assert censoring_weights(days, np.ones(4, dtype=bool))[0].tolist() == [1.0] * 4


def test_where_all_are_open_nothing_is_known() -> None:
    weights, _ = censoring_weights(np.array([3.0, 1.0]), np.zeros(2, dtype=bool))
    assert weights.tolist() == [0.0, 0.0]


def test_a_label_on_the_day_on_which_another_pursuit_ends_comes_first() -> None:
    known = np.array([True, False, True])
    weights, _ = censoring_weights(np.array([2.0, 2.0, 5.0]), known)
    assert weights.tolist() == [1.0, 0.0, 2.0]


def test_the_weights_add_up_to_all_pursuits_if_the_last_is_known() -> None:
    random = np.random.default_rng(3)
    days, known = random.integers(0, 40, 500).astype(float), random.random(500) < 0.6
    known[days == days.max()] = True
    weights, capped = censoring_weights(days, known)
    assert capped == 0
    assert weights.sum() == pytest.approx(500)


def test_outcomes_that_stand_in_for_others_count_as_what_they_are_worth() -> None:
    weight = np.array([1.0, 1.0, 1.0, 9.0])
    worth = effective_weights(weight)
    assert worth.sum() == pytest.approx(12.0**2 / 84.0)
    np.testing.assert_allclose(worth / worth[0], weight)
    np.testing.assert_array_equal(effective_weights(np.ones(7)), np.ones(7))
    assert not len(effective_weights(np.zeros(0)))


def test_a_weight_is_cut_and_said_where_hardly_anybody_was_watched_long_enough() -> None:
    events = history(
        *((f"甲{i}", "contacted", "2024-12-01") for i in range(60)),
        ("乙", "contacted", "2023-01-01"),
    )
    labels = label_pursuits(events, as_of=AS_OF)
    assert labels.table["weight"].max() == MOST_WEIGHT
    assert labels.capped == 1
    assert "20" in labels.notices()[0].zh


def test_it_is_said_when_no_pursuit_is_as_old_as_the_horizon() -> None:
    events = history(("甲", "contacted", "2024-11-01"), ("乙", "contacted", "2024-06-01"),
                     ("乙", "signed", "2024-08-01"))  # fmt: skip
    labels = label_pursuits(events, as_of=AS_OF)
    assert not labels.horizon_seen
    assert "214" in labels.notices()[0].en
    assert labels.table["label"].dropna().tolist() == [1.0]


# -- simulated histories, whose truth is known

HORIZON, PURSUITS, HISTORIES = 365, 600, 200
SIGNING, LOSING = np.array([0.0006, 0.0020]), np.array([0.0024, 0.0010])
"""Hazards a day of two kinds of firms."""


def true_probabilities() -> np.ndarray:
    """Chance of either kind to sign within the horizon, before it is lost."""
    either = SIGNING + LOSING
    return SIGNING / either * -np.expm1(-either * HORIZON)


def simulated(random: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """A history with all that will ever happen, and the kind of each firm."""
    kind = random.integers(0, 2, PURSUITS)
    sign, lose = (
        np.ceil(random.exponential(1 / hazard[kind])).astype(int) for hazard in (SIGNING, LOSING)
    )
    contacted = np.datetime64(AS_OF) - random.integers(0, 700, PURSUITS)
    ended = contacted + np.minimum(sign, lose)
    firms = np.array([f"甲{i:04}" for i in range(PURSUITS)])
    stages = np.where(sign <= lose, "signed", "lost")
    frame = pd.DataFrame(
        {
            "firm": np.r_[firms, firms],
            "stage": np.r_[["contacted"] * PURSUITS, stages],
            "day": np.r_[contacted, ended].astype("datetime64[us]"),
            "withdrawn": False,
        }
    )
    return frame, kind


def off_by(estimates: Iterable[np.ndarray], truth: np.ndarray) -> np.ndarray:
    """How many standard errors the mean of estimates lies from the truth."""
    table = np.array(list(estimates))
    error = table.std(axis=0, ddof=1) / np.sqrt(len(table))
    return (table.mean(axis=0) - truth) / error


def test_open_pursuits_bias_the_naive_labels_but_not_ours() -> None:
    random = np.random.default_rng(20250101)
    dropped, zeros, ours, still_open = [], [], [], []
    for _ in range(HISTORIES):
        events, kind = simulated(random)
        table = label_pursuits(events, as_of=AS_OF, horizon_days=HORIZON).table
        label, weight = table["label"].to_numpy(), table["weight"].to_numpy()
        known, good = ~np.isnan(label), np.nan_to_num(label)
        groups = [kind == 0, kind == 1]
        dropped.append([good[g & known].mean() for g in groups])
        zeros.append([good[g].mean() for g in groups])
        ours.append([np.average(good[g], weights=weight[g]) for g in groups])
        still_open.append(1 - known.mean())
    truth = true_probabilities()
    assert 0.28 < np.mean(still_open) < 0.38
    assert (off_by(dropped, truth) > 5).all()
    assert (off_by(zeros, truth) < -5).all()
    assert (np.abs(off_by(ours, truth)) < 2).all()

    # A logistic regression on the kind has these log-odds as its intercept and their difference
    # as its coefficient.
    def coefficients(p: object) -> np.ndarray:
        odds = np.log(np.asarray(p)) - np.log1p(-np.asarray(p))
        return np.stack([odds[..., 0], odds[..., 1] - odds[..., 0]], axis=-1)

    true = coefficients(truth)
    assert (np.abs(off_by(coefficients(ours), true)) < 2).all()
    assert np.abs(off_by(coefficients(dropped), true)).max() > 5
    assert np.abs(off_by(coefficients(zeros), true)).max() > 5


# -- joined with snapshots


def snapshots(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Snapshots of (name, day, staff)."""
    frame = blank_firms(len(rows))
    frame["name"] = pd.Series([row[0] for row in rows], dtype="str")
    frame["staff"] = [row[2] for row in rows]
    return frame.assign(
        as_of=pd.to_datetime([row[1] for row in rows]).astype("datetime64[us]"),
        kept=pd.Timestamp("2025-01-01", tz="UTC").as_unit("us"),
        model="m",
        source="list.csv",
    )


def test_the_fields_are_those_of_the_latest_snapshot_not_after_first_contact() -> None:
    events = history(
        ("甲公司", "contacted", "2024-03-01"), ("甲公司", "signed", "2024-05-01"),
        ("乙公司", "contacted", "2024-02-01"), ("丙公司", "contacted", "2024-03-01"),
        ("丁公司", "contacted", "2024-03-01"), ("戊公司", "signed", "2024-03-01"),
    )  # fmt: skip
    kept = snapshots(
        ("甲公司", "2024-03-02", 9.0), ("甲公司", "2024-02-28", 3.0), ("甲公司", "2024-01-01", 1.0),
        ("乙公司", "2024-02-01", 5.0), ("丙公司", "2024-03-02", 7.0), ("己公司", "2024-01-01", 8.0),
    )  # fmt: skip
    pursuits = training_set(events, kept, as_of=AS_OF)
    assert pursuits.firm.tolist() == ["乙公司", "甲公司"]
    assert pursuits.firms["staff"].tolist() == [5.0, 3.0]
    assert pursuits.firms["as_of"].dt.strftime("%Y-%m-%d").tolist() == ["2024-02-01", "2024-02-28"]
    assert pursuits.contacted.dt.strftime("%Y-%m-%d").tolist() == ["2024-02-01", "2024-03-01"]
    assert np.isnan(pursuits.y[0])
    assert pursuits.y[1] == 1.0
    assert pursuits.weight[0] == 0.0
    assert pursuits.left_out == {"no_contact": 1, "no_snapshot": 1, "snapshot_after_contact": 1}
    assert set(pursuits.left_out) <= set(LEFT_OUT)


def test_a_snapshot_tells_that_a_name_and_a_code_are_one_firm() -> None:
    code = "91110000600037341L"
    events = history(("旧名公司", "contacted", "2024-03-01"), ("新名公司", "signed", "2024-05-01"))
    kept = snapshots(("新名公司", "2024-01-01", 3.0))
    kept["credit_code"] = pd.Series([code], dtype="str")
    kept["former_names"] = pd.Series(["旧名公司"], dtype="str")
    pursuits = training_set(events, kept, as_of=AS_OF)
    assert pursuits.firm.tolist() == [code]
    assert pursuits.y.tolist() == [1.0]


def test_of_two_snapshots_of_one_day_the_one_kept_last_counts() -> None:
    events = history(("甲公司", "contacted", "2024-03-01"))
    kept = snapshots(("甲公司", "2024-01-01", 1.0), ("甲公司", "2024-01-01", 2.0))
    kept["kept"] = kept["kept"] + pd.to_timedelta([5, 0], unit="D")
    assert training_set(events, kept, as_of=AS_OF).firms["staff"].tolist() == [1.0]


def test_without_snapshots_nothing_is_taught() -> None:
    events = history(("甲公司", "contacted", "2024-03-01"))
    pursuits = training_set(events, snapshots(), as_of=AS_OF)
    assert len(pursuits.firms) == len(pursuits.y) == 0
    assert pursuits.left_out == {"no_snapshot": 1}
