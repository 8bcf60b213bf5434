"""How sure the model is stands beside every likelihood, and in words where that is little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.kept_lists import BLADES, BREAD, TODAY, lakeport

from leadscore.learning.expert import fit_expert
from leadscore.lists.cleaning import records_of
from leadscore.lists.columns import blank_firms
from leadscore.ranking.score import Scorer
from leadscore.registry.models import expert_version


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(fit_expert(lakeport()), expert_version(lakeport()))


def test_the_experts_card_says_how_sure_it_is(scorer: Scorer) -> None:
    firms = blank_firms(2).assign(name=["甲有限公司", "乙有限公司"], main_business=[BLADES, BREAD])
    scores = scorer.score(records_of(firms), as_of=TODAY)
    asked = [(scorer.model, score.values) for score in scores]
    for interval, score in zip(scorer.intervals(asked), scores, strict=True):
        assert interval == score.interval
        assert interval is not None
        assert interval[0] < score.likelihood < interval[1]


def test_before_any_outcome_words_say_that_nothing_has_tested_the_experts(scorer: Scorer) -> None:
    words = scorer.certainty((0.05, 0.6))
    assert words is not None
    assert words.zh == "专家估计，尚无本地结果验证"
    assert scorer.certainty((0.2, 0.21)) == words


def test_what_was_learned_says_so_where_little_is_known_and_else_is_silent() -> None:
    learned = expert_with_outcomes()
    assert learned.learned
    little = learned.certainty((0.05, 0.6))
    assert little is not None
    assert "hardly any evidence" in little.en
    assert learned.certainty((0.2, 0.4)) is None


def test_a_model_that_does_not_record_how_sure_it_is_says_so() -> None:
    model = fit_expert(lakeport())
    silent = Scorer(replace(model, card=replace(model.card, posterior=None)), "old")
    firms = blank_firms(1).assign(name=["甲有限公司"], main_business=[BLADES])
    (score,) = silent.score(records_of(firms), as_of=TODAY)
    words = silent.certainty(score.interval)
    assert score.interval is None
    assert words is not None
    assert "retraining" in words.en


def expert_with_outcomes() -> Scorer:
    model = fit_expert(lakeport())
    counts = np.ones_like(model.card.counts)
    return Scorer(replace(model, card=replace(model.card, counts=counts)), "learned")


def test_values_have_the_interval_that_a_table_of_them_has(scorer: Scorer) -> None:
    firms = blank_firms(3).assign(
        name=["甲有限公司", "乙有限公司", "丙有限公司"], main_business=[BLADES, BREAD, None]
    )
    values = [score.values for score in scorer.score(records_of(firms), as_of=TODAY)]
    X = scorer.features.transform(firms.assign(as_of=pd.Timestamp(TODAY)))
    records = [[firm[name] for name in X.columns] for firm in values]
    expected = scorer.card.predict_interval(X)
    np.testing.assert_array_equal(scorer.card.record_intervals(records), expected)


def test_of_another_models_score_nothing_is_said(scorer: Scorer) -> None:
    assert scorer.intervals([("another", {})]) == [None]
    words = scorer.certainty(None)
    assert words is not None
    assert "another model" in words.en
