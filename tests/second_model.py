"""Models beside the experts', for tests in which another one is to serve."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tests.kept_lists import NOW, lakeport

from leadscore.city import City
from leadscore.features.extract import FeatureExtractor, features_frame
from leadscore.learning import AdditiveCard
from leadscore.learning.expert import expert_model, expert_scorecard
from leadscore.learning.model import Model
from leadscore.learning.scorecard import Scorecard
from leadscore.registry.models import ModelRegistry

OTHER = "lakeport-20260101-0123456789"
EXPERT, FIRST, SECOND, THIRD = (
    f"somewhere-{name}" for name in ("expert-0", "20260101-1", "20260201-2", "20260301-3")
)
"""The versions of `registry_of_four`."""


@cache
def somewhere() -> City:
    """Return the invented city under another id."""
    plain = lakeport().model_dump(mode="json", by_alias=True)
    return City.model_validate(plain | {"city": plain["city"] | {"id": "somewhere"}})


def another(city: City, more: float = 1.0) -> Model:
    """Return the experts' model with so much more log-odds for every firm."""
    known = expert_scorecard(city)
    card = AdditiveCard(prior=Scorecard(known.intercept + more, known.tables))
    return Model(FeatureExtractor(city), card.fit(features_frame([]), np.empty(0)).fitted())


def save_another(registry: ModelRegistry) -> str:
    """Keep a model that the experts didn't make, as a training does; return its version."""
    registry.save(OTHER, another(lakeport()), {
        "kind": "trained", "created": NOW, "as_of": "2026-01-01", "measures": {},
        "outcomes": {"known": 40, "positive": 9, "left_out": {}},
        "decision": {"promoted": True, "gates": [], "overruled": None},
    })  # fmt: skip
    return OTHER


def shelf_of_two(folder: Path) -> ModelRegistry:
    """Return a registry with this model beside the experts'."""
    registry = ModelRegistry(folder / "models", folder / "key")
    expert_model(lakeport(), registry, NOW)
    save_another(registry)
    return registry


def said(**changes: Any) -> dict[str, Any]:
    """Return what a training says of a model."""
    return {"kind": "trained", "created": NOW, **changes}


def registry_of_four(folder: Path) -> ModelRegistry:
    """Return a registry with four versions, saved an hour apart, none of them champion."""
    registry = ModelRegistry(folder / "models", folder / "key")
    for hours, version in enumerate((EXPERT, FIRST, SECOND, THIRD)):
        created = NOW + timedelta(hours=hours)
        registry.save(version, another(somewhere(), hours), said(created=created))
    return registry


def spoil(registry: ModelRegistry, version: str) -> None:
    """Damage a version."""
    (registry.folder / version / "card.npz").write_bytes(b"junk")
