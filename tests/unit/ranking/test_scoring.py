"""Scores: exact sums, the same alone and in a list, in the order of the priority."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadscore.city import City, load_city
from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.retraining.day_one import expert_pipeline
from leadscore.learning.retraining.expert import expert_scorecard
from leadscore.lists.blank import blank_firms
from leadscore.ranking.scoring import Scorer, Scores
from leadscore.ranking.table import ranking_table

TODAY = date(2026, 11, 24)
CONTRACT = [
    "rank", "name", "credit_code", "grade", "priority", "likelihood", "fit", "segment", "role",
    "reasons", "veto", "segments", "row", "model",
]  # fmt: skip
FIRMS = [
    ("甲有限公司", "风电叶片的研发、生产和销售", 3e8, "active", "3101"),
    ("乙有限公司", "医学影像设备的研发、生产和销售，主要产品为CT机", 5e7, "active", "4403"),
    ("丙有限公司", "面包、糕点的生产和销售", 1e6, None, None),
    ("丁有限公司", "风电轴承的销售", 2e6, "active", "1101"),
    ("戊有限公司", None, None, None, None),
    ("己有限公司", "风电叶片的研发、生产和销售", 3e8, "deregistered", "3101"),
]


def firms() -> pd.DataFrame:
    names, business, capital, status, city = zip(*FIRMS, strict=True)
    table = blank_firms(len(FIRMS)).assign(
        name=names, main_business=business, registered_capital_cny=capital, status=status,
        city_code=city, row=range(2, len(FIRMS) + 2), sheet=None,
    )  # fmt: skip
    text = dict.fromkeys(("name", "main_business", "status", "city_code", "sheet"), "str")
    return table.astype({**text, "registered_capital_cny": "float64"})


@pytest.fixture(scope="module")
def lakeport() -> City:
    return load_city(Path(__file__).parents[2] / "cities" / "lakeport.toml")


@pytest.fixture(scope="module")
def scorer(lakeport: City) -> Scorer:
    return Scorer(expert_pipeline(lakeport), "m1")


@pytest.fixture(scope="module")
def scores(scorer: Scorer) -> Scores:
    return scorer.score(firms(), as_of=TODAY)


def test_points_and_base_sum_to_the_log_odds(scores: Scores) -> None:
    log_odds = np.log(scores.likelihood / (1 - scores.likelihood))
    points = scores.points.sum(axis=1) + scores.base_points
    np.testing.assert_allclose(points, log_odds * 20 / math.log(2), atol=1e-9)
    for firm in range(len(scores)):
        said = sum(reason.points for reason in scores.reasons(firm)) + scores.base_points
        assert said == pytest.approx(points[firm], abs=1e-9)


def test_with_no_outcomes_the_card_is_the_experts_card(scorer: Scorer, lakeport: City) -> None:
    assert scorer.card.scorecard_.to_dict() == expert_scorecard(lakeport).to_dict()
    assert list(scorer.card.scorecard_.features) == list(CATALOGUE)


def test_a_firm_scores_the_same_alone_as_in_the_list(scorer: Scorer, scores: Scores) -> None:
    for firm in range(len(FIRMS)):
        alone = scorer.score(firms().iloc[[firm]].reset_index(drop=True), as_of=TODAY)
        assert alone.likelihood[0] == scores.likelihood[firm]
        assert alone.priority[0] == scores.priority[firm]
        assert alone.main_reasons(0) == scores.main_reasons(firm)


def test_shuffling_the_rows_changes_nothing(scorer: Scorer, scores: Scores) -> None:
    order = [4, 2, 0, 5, 1, 3]
    shuffled = scorer.score(firms().iloc[order].reset_index(drop=True), as_of=TODAY)
    np.testing.assert_array_equal(shuffled.priority, scores.priority[order])
    columns = [column for column in CONTRACT if column != "row"]
    one, other = (ranking_table(each, "m1", lang="en")[columns] for each in (scores, shuffled))
    pd.testing.assert_frame_equal(one, other)


def test_scoring_in_chunks_changes_nothing(
    scorer: Scorer, scores: Scores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadscore.ranking.scoring.CHUNK", 2)
    steps: list[int] = []
    chunked = scorer.score(firms(), as_of=TODAY, progress=steps.append)
    assert steps == [2, 2, 2]
    np.testing.assert_array_equal(chunked.priority, scores.priority)
    pd.testing.assert_frame_equal(
        ranking_table(chunked, "m1", lang="zh"), ranking_table(scores, "m1", lang="zh")
    )


def test_scores_stay_in_their_ranges(scores: Scores, lakeport: City) -> None:
    for values in (scores.likelihood, scores.fit, scores.priority):
        assert ((values >= 0) & (values <= 1)).all()
    floor = lakeport.ranking.floor
    expected = scores.likelihood * (floor + (1 - floor) * scores.fit)
    np.testing.assert_allclose(scores.priority, expected)


def test_the_maker_of_what_is_missing_comes_first_and_the_baker_last(scores: Scores) -> None:
    table = ranking_table(scores, "m1", lang="zh")
    assert set(table["name"].tolist()[:2]) == {"甲有限公司", "乙有限公司"}
    assert table["name"].tolist()[-1] == "己有限公司"
    assert table["veto"].tolist()[-1] == "已注销"
    assert table["rank"].tolist()[:5] == [1, 2, 3, 4, 5]
    assert pd.isna(table["rank"].tolist()[-1])


def test_the_written_columns_are_those_of_the_contract(scores: Scores) -> None:
    table = ranking_table(scores, "m1", lang="zh")
    assert list(table.columns[:14]) == CONTRACT
    segments = table.set_index("name")["segments"]
    assert segments["乙有限公司"].startswith("medical.imaging:")
    assert pd.isna(segments["丙有限公司"])
    assert set(table["row"]) == set(range(2, 8))


def test_three_reasons_lift_and_one_lowers(scores: Scores) -> None:
    trader = 3
    reasons = scores.main_reasons(trader)
    assert [reason.points > 0 for reason in reasons] == [True, True, True, False]
    assert reasons[0].points >= reasons[1].points >= reasons[2].points
    assert reasons[-1].points == scores.points[trader].min()
    assert reasons[-1].feature == "role"


def test_an_empty_list_has_an_empty_ranking(scorer: Scorer) -> None:
    none = scorer.score(firms().iloc[:0], as_of=TODAY)
    table = ranking_table(none, "m1", lang="en")
    assert len(table) == 0
    assert list(table.columns[:14]) == CONTRACT
