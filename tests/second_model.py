"""A model beside the experts', for tests in which another one is to serve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline
from tests.kept_lists import NOW, lakeport

from leadscore.features.build import FirmFeatures
from leadscore.learning import AdditiveCard
from leadscore.learning.retraining.day_one import ensure_expert
from leadscore.learning.retraining.expert import expert_scorecard
from leadscore.learning.shelf import Shelf
from leadscore.learning.tables.scorecard import Scorecard
from leadscore.lists.blank import blank_firms

OTHER = "lakeport-20260101-0123456789"


def save_another(shelf: Shelf) -> str:
    """Keep a model that the experts didn't make, as a training does; return its version."""
    city, known = lakeport(), expert_scorecard(lakeport())
    card = AdditiveCard(prior=Scorecard(known.intercept + 1, known.tables))
    fitted = Pipeline([("features", FirmFeatures(city)), ("card", card)])
    fitted.fit(blank_firms(0), np.empty(0))
    shelf.save(OTHER, fitted, {
        "kind": "trained", "family": "card", "city": {"id": city.id, "digest": city.digest},
        "created": NOW, "as_of": "2026-01-01", "measures": {},
        "outcomes": {"known": 40, "positive": 9, "left_out": {}},
        "decision": {"promoted": True, "gates": [], "overruled": None},
        "scorecard": fitted.named_steps["card"].scorecard_.to_dict(),
    })  # fmt: skip
    return OTHER


def shelf_of_two(folder: Path) -> Shelf:
    """Return a shelf with this model beside the experts', which serves."""
    shelf = Shelf(folder / "models", folder / "key")
    ensure_expert(lakeport(), shelf, NOW)
    save_another(shelf)
    return shelf
