"""Which model scores: the champion of this very moment, or the last one that could be loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.champions import line, promote
from tests.kept_lists import NOW, lakeport
from tests.second_model import OTHER, shelf_of_two

from leadscore.city import City
from leadscore.city.profile import with_supplies
from leadscore.errors import ModelError
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry, expert_version
from leadscore.startup import champion_scorer
from leadscore.store.database import Database
from leadscore.store.profiles import Profiles
from leadscore.text import Text
from leadscore.web import api
from leadscore.web.api import CurrentScoring

EXPERT = expert_version(lakeport())


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    """Return a registry with two models."""
    return shelf_of_two(tmp_path)


class Service:
    """What scores in a service, and how often a model was loaded for it."""

    def __init__(self, database: Database, registry: ModelRegistry) -> None:
        self.database, self.registry = database, registry
        self.file: Callable[[], City] = lakeport
        self.profiles = Profiles(lambda: self.file(), database)
        self.loads: list[str] = []
        self.broken = False
        self.scoring = CurrentScoring(self.load, registry, self.profiles, database)

    def load(self) -> Scorer:
        if self.broken:
            self.loads.append("broken")
            raise ModelError(Text(zh="坏了", en="it is broken"))
        city = self.profiles.current().city
        scorer = champion_scorer(city, self.registry, line(self.database), now=NOW)
        self.loads.append(scorer.model)
        return scorer

    def model(self) -> str:
        return self.scoring.scorer().model


@pytest.fixture
def service(database: Database, registry: ModelRegistry) -> Service:
    return Service(database, registry)


def test_a_champion_scores_from_the_first_request_after_its_promotion(service: Service) -> None:
    assert service.model() == EXPERT
    promote(service.database, service.registry, OTHER)
    assert service.model() == OTHER
    assert service.model() == service.scoring.model_state().version == OTHER
    promote(service.database, service.registry, EXPERT, act="by_hand")
    assert service.model() == EXPERT
    assert service.loads == [EXPERT, OTHER, EXPERT]


def test_what_others_write_loads_nothing_anew(service: Service) -> None:
    for _ in range(3):
        with service.database.write():
            pass
        assert service.model() == EXPERT
    assert service.loads == [EXPERT]


def test_a_file_of_the_profile_that_was_edited_counts_soon(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_LOOK_AGAIN_AFTER_SECONDS", 0.0)
    other = with_supplies(lakeport(), {"wind.blade": 0.95})
    service.file = lambda: other
    assert service.model() == expert_version(other) != EXPERT


def test_the_model_before_scores_on_where_another_cant_be_loaded(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.broken = True
    promote(service.database, service.registry, OTHER)
    assert service.model() == EXPERT
    assert service.model() == EXPERT
    assert service.loads == [EXPERT, "broken"], "what just failed is not tried with every request"
    assert service.scoring.fault is not None
    assert "it is broken" in service.scoring.fault.en
    service.broken = False
    monkeypatch.setattr(api, "_LOOK_AGAIN_AFTER_SECONDS", 0.0)
    assert service.model() == OTHER
    assert service.scoring.fault is None


def test_without_the_database_the_last_champion_scores_on(tmp_path: Path) -> None:
    from leadscore.store.migrations import open_store

    file = tmp_path / "leadscore.sqlite3"
    service = Service(open_store(file), shelf_of_two(tmp_path))
    assert service.model() == EXPERT
    service.database.close()
    file.write_bytes(b"no database any more" * 1000)
    assert service.model() == EXPERT
