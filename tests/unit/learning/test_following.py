"""A trained champion follows the supply of the city, and nothing else of a changed profile."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from tests.kept_lists import BLADES, NOW, lakeport
from tests.second_model import OTHER, shelf_of_two

from leadscore.city import City
from leadscore.city.profile import with_supplies
from leadscore.learning.champion import current_champion, trained_as, under_supply
from leadscore.lists.cleaning import records_of
from leadscore.lists.columns import blank_firms
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry, expert_version
from leadscore.startup import champion_scorer
from leadscore.text import Text

BLADE = "wind.blade"
TODAY = date(2026, 11, 24)


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    """Return a registry with the experts' and a trained model."""
    return shelf_of_two(tmp_path)


def makers() -> pd.DataFrame:
    return blank_firms(1).assign(name="甲有限公司", main_business=BLADES)


def serving(city: City, registry: ModelRegistry, *told: str) -> Scorer:
    """Return what scores where the trained model is champion, told no more than what is named."""
    notices: list[Text] = []
    scorer = champion_scorer(city, registry, [OTHER], now=NOW, notify=notices.append)
    assert len(notices) == len(told)
    assert all(word in notice.en for word, notice in zip(told, notices, strict=True))
    return scorer


def other_supply(supply: float) -> City:
    assert lakeport().supply(BLADE) != supply
    return with_supplies(lakeport(), {BLADE: supply})


def test_a_trained_card_serves_on_under_another_supply(registry: ModelRegistry) -> None:
    before = serving(lakeport(), registry)
    city = other_supply(0.95)
    after = serving(city, registry)
    assert after.model == f"{OTHER}-s{city.digest[:8]}"
    assert after.city == city
    assert after.card.scorecard == before.card.scorecard
    one, other = (each.score(records_of(makers()), as_of=TODAY)[0] for each in (before, after))
    assert other.fit < one.fit
    assert other.likelihood != one.likelihood
    fresh = Scorer(registry.load(after.model), after.model).score(records_of(makers()), as_of=TODAY)
    assert fresh[0].points == other.points


def test_what_was_learned_is_told_of_it_as_of_the_model_whose_card_it_is(
    registry: ModelRegistry,
) -> None:
    city = other_supply(0.95)
    made, _ = under_supply(city, registry, OTHER, NOW)
    manifest, trained = registry.manifest(made), registry.manifest(OTHER)
    assert manifest.card_of == OTHER
    assert City.model_validate(manifest.city.profile) == city
    for key in ("kind", "outcomes", "measures", "decision", "scorecard", "as_of"):
        assert manifest.content[key] == trained.content[key]
    assert trained_as(registry, made, manifest) == (OTHER, trained)
    assert trained_as(registry, OTHER, trained) == (OTHER, trained)


def test_each_supply_has_its_version_of_the_card_and_the_first_its_own_again(
    registry: ModelRegistry,
) -> None:
    for supply in (0.95, 0.55, 0.15):
        city = other_supply(supply)
        model = serving(city, registry).model
        assert serving(city, registry).model == model
        assert under_supply(city, registry, model, NOW)[0] == model
        assert under_supply(lakeport(), registry, model, NOW)[0] == OTHER
        assert registry.manifest(model).card_of == OTHER
    assert serving(lakeport(), registry).model == OTHER


def test_a_profile_that_says_more_than_another_supply_is_not_followed(
    registry: ModelRegistry,
) -> None:
    plain = other_supply(0.95).model_dump(by_alias=True)
    city = City.model_validate(plain | {"roles": plain["roles"] | {"trade": 0.9}})
    assert serving(city, registry, "the city profile has changed since").model == OTHER


def test_an_expert_model_follows_by_another_expert_model(tmp_path: Path) -> None:
    registry, city = ModelRegistry(tmp_path / "models", tmp_path / "key"), other_supply(0.95)
    old = current_champion(lakeport(), registry, (), now=NOW).version
    assert current_champion(city, registry, [old], now=NOW).version == expert_version(city) != old


def test_a_program_that_changed_since_the_training_is_told_of_the_card_too(
    registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadscore.startup.code_fingerprint", lambda: "another")
    city = other_supply(0.95)
    scorer = serving(city, registry, "the program has changed since the model")
    assert scorer.model == f"{OTHER}-s{city.digest[:8]}"
