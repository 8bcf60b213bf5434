"""Which model scores: the champion of this very moment, or the last one that could be loaded."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.kept_lists import NOW, lakeport
from tests.second_model import OTHER, shelf_of_two

from leadscore.errors import ModelError
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.text import Text
from leadscore.web.api import CurrentScoring

TODAY = date(2026, 11, 24)


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    """Return a registry with two models, of which the experts' serves."""
    return shelf_of_two(tmp_path)


def test_a_champion_scores_from_the_first_request_after_its_promotion(
    registry: ModelRegistry,
) -> None:
    loads: list[str] = []

    def load() -> Scorer:
        scorer = champion_scorer(lakeport(), registry, now=NOW)
        loads.append(scorer.model)
        return scorer

    expert = champion_scorer(lakeport(), registry, now=NOW)
    current = CurrentScoring(expert, registry, load)
    assert current.scorer().model == expert.model
    registry.promote(lakeport().id, OTHER, act="trained", now=NOW)
    assert current.scorer().model == OTHER
    assert current.scorer().model == current.model_state().version == OTHER
    registry.promote(lakeport().id, expert.model, act="by_hand", now=NOW)
    assert current.scorer().model == expert.model
    assert loads == [OTHER, expert.model]


def test_the_model_before_scores_on_where_another_cant_be_loaded(registry: ModelRegistry) -> None:
    tries: list[int] = []

    def load() -> Scorer:
        tries.append(1)
        raise ModelError(Text(zh="坏了", en="it is broken"))

    expert = champion_scorer(lakeport(), registry, now=NOW)
    current = CurrentScoring(expert, registry, load)
    registry.promote(lakeport().id, OTHER, act="trained", now=NOW)
    assert current.scorer() is expert
    assert current.scorer() is expert
    assert current.champion() == OTHER
    assert len(tries) == 1, "what just failed is not tried again with every request"
