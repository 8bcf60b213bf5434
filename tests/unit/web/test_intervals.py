"""How sure the model is of a likelihood is shown where it says something, learned or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.kept_lists import BLADES, BREAD, TODAY, lakeport

from leadscore.learning.expert import fit_expert
from leadscore.lists.cleaning import records_of
from leadscore.lists.columns import blank_firms
from leadscore.ranking.score import Scorer, intervals
from leadscore.registry.models import expert_version


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(fit_expert(lakeport()), expert_version(lakeport()))


def test_the_experts_card_says_how_sure_it_is(scorer: Scorer) -> None:
    firms = blank_firms(2).assign(name=["甲有限公司", "乙有限公司"], main_business=[BLADES, BREAD])
    scores = scorer.score(records_of(firms), as_of=TODAY)
    found = intervals(scorer, [(scorer.model, score.values) for score in scores])
    for interval, score in zip(found, scores, strict=True):
        assert interval is not None
        assert interval[0] < score.likelihood < interval[1]


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
    assert intervals(scorer, [("another", {})]) == [None]
