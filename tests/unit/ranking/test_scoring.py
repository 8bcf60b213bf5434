"""Scores: exact sums, the same alone and in a list, in the order of the priority."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from leadscore.city import City, load_city
from leadscore.features.build import FirmFeatures
from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.expert import expert_scorecard, fit_expert, new_card
from leadscore.lists.cleaning import records_of
from leadscore.lists.columns import blank_firms
from leadscore.ranking.order import ranking_columns, ranking_table
from leadscore.ranking.score import FirmScore, Scorer
from leadscore.text import Lang

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
    return Scorer(fit_expert(lakeport), "m1")


@pytest.fixture(scope="module")
def scores(scorer: Scorer) -> list[FirmScore]:
    return scorer.score(records_of(firms()), as_of=TODAY)


def table_of(
    scores: list[FirmScore], listed: pd.DataFrame, scorer: Scorer, lang: Lang
) -> pd.DataFrame:
    columns = ranking_columns(scores, scorer, lang)
    return ranking_table(columns, listed, scorer.model).reset_index(drop=True)


def test_points_and_base_sum_to_the_log_odds(scorer: Scorer, scores: list[FirmScore]) -> None:
    for score in scores:
        log_odds = math.log(score.likelihood / (1 - score.likelihood))
        points = sum(score.points.values()) + score.base_points
        assert points == pytest.approx(log_odds * 20 / math.log(2), abs=1e-9)
        reasons = score.reasons(scorer.wording, "en")
        assert sum(r.points for r in reasons) + score.base_points == pytest.approx(points, abs=1e-9)


def test_with_no_outcomes_the_card_is_the_experts_card(scorer: Scorer, lakeport: City) -> None:
    assert scorer.card.scorecard.to_dict() == expert_scorecard(lakeport).to_dict()
    assert list(scorer.card.scorecard.features) == list(CATALOGUE)


def test_a_firm_scores_the_same_alone_as_in_the_list(
    scorer: Scorer, scores: list[FirmScore]
) -> None:
    for firm, score in zip(records_of(firms()), scores, strict=True):
        assert scorer.score([firm], as_of=TODAY) == [score]


def test_what_scikit_learn_says_of_the_table_is_the_likelihood(
    lakeport: City, scores: list[FirmScore]
) -> None:
    pipeline = Pipeline([("features", FirmFeatures(lakeport)), ("card", new_card(lakeport))])
    pipeline.fit(blank_firms(0), np.empty(0, dtype=np.int64))
    known = firms().assign(as_of=pd.Timestamp(TODAY))
    likelihoods = pipeline.predict_proba(known)[:, 1]
    assert likelihoods.tolist() == pytest.approx([s.likelihood for s in scores], abs=1e-15)


def test_shuffling_the_rows_changes_nothing(scorer: Scorer, scores: list[FirmScore]) -> None:
    listed = firms().iloc[[4, 2, 0, 5, 1, 3]].reset_index(drop=True)
    shuffled = scorer.score(records_of(listed), as_of=TODAY)
    columns = [column for column in CONTRACT if column != "row"]
    pd.testing.assert_frame_equal(
        table_of(scores, firms(), scorer, "en")[columns],
        table_of(shuffled, listed, scorer, "en")[columns],
    )


def test_scoring_in_chunks_changes_nothing(
    scorer: Scorer, scores: list[FirmScore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadscore.ranking.score.CHUNK", 2)
    steps: list[int] = []
    assert scorer.score(records_of(firms()), as_of=TODAY, progress=steps.append) == scores
    assert steps == [2, 2, 2]


def test_scores_stay_in_their_ranges(scores: list[FirmScore], lakeport: City) -> None:
    floor = lakeport.ranking.floor
    for score in scores:
        assert min(score.likelihood, score.fit, score.priority) >= 0
        assert max(score.likelihood, score.fit, score.priority) <= 1
        assert score.priority == score.likelihood * (floor + (1.0 - floor) * score.fit)


def test_the_maker_of_what_is_missing_comes_first_and_the_baker_last(
    scorer: Scorer, scores: list[FirmScore]
) -> None:
    table = table_of(scores, firms(), scorer, "zh")
    assert set(table["name"].tolist()[:2]) == {"甲有限公司", "乙有限公司"}
    assert table["name"].tolist()[-1] == "己有限公司"
    assert table["veto"].tolist()[-1] == "已注销"
    assert table["rank"].tolist()[:5] == [1, 2, 3, 4, 5]
    assert pd.isna(table["rank"].tolist()[-1])


def test_the_written_columns_are_those_of_the_contract(
    scorer: Scorer, scores: list[FirmScore]
) -> None:
    table = table_of(scores, firms(), scorer, "zh")
    assert list(table.columns[:14]) == CONTRACT
    segments = table.set_index("name")["segments"]
    assert segments["乙有限公司"].startswith("medical.imaging:")
    assert pd.isna(segments["丙有限公司"])
    assert set(table["row"]) == set(range(2, 8))


def test_three_reasons_lift_and_one_lowers(scorer: Scorer, scores: list[FirmScore]) -> None:
    trader = scores[3]
    reasons = trader.main_reasons(scorer.wording, "zh")
    assert [reason.points > 0 for reason in reasons] == [True, True, True, False]
    assert reasons[0].points >= reasons[1].points >= reasons[2].points
    assert reasons[-1].points == min(trader.points.values())
    assert reasons[-1].feature == "role"


def test_an_empty_list_has_an_empty_ranking(scorer: Scorer) -> None:
    none = firms().iloc[:0]
    table = table_of(scorer.score(records_of(none), as_of=TODAY), none, scorer, "en")
    assert len(table) == 0
    assert list(table.columns[:14]) == CONTRACT
