"""The champion of day one: the expert card as a fitted pipeline on the shelf."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

import numpy as np
import sklearn
from sklearn.pipeline import Pipeline

from leadscore.city.profile import City
from leadscore.features.build import FirmFeatures
from leadscore.features.catalogue import DIRECTIONS
from leadscore.language import Text
from leadscore.learning.card import AdditiveCard
from leadscore.learning.expert import expert_scorecard
from leadscore.learning.shelf import Shelf
from leadscore.lists.blank import blank_firms
from leadscore.ranking.scoring import Scorer
from leadscore.shipped import fingerprint

_TABLES = ("lexicon.toml", "rates.toml", "codes/divisions.csv")


def expert_pipeline(city: City) -> Pipeline:
    """Return the pipeline fitted on no outcomes at all: its card is the expert card exactly."""
    card = AdditiveCard(prior=expert_scorecard(city), directions=DIRECTIONS)
    pipeline = Pipeline([("features", FirmFeatures(city)), ("card", card)])
    return pipeline.fit(blank_firms(0), np.empty(0, dtype=np.int64))


def expert_version(city: City) -> str:
    """Return the name of the expert model: the same name always gives the same scores.

    It changes with the profile, with the code and the shipped tables that turn a firm into a
    score, and with scikit-learn; it is the same on every machine.
    """
    made_by = fingerprint(("city", "features", "learning", "lists"), _TABLES)
    ground = f"{city.digest}|{made_by}|{sklearn.__version__}"
    return f"{city.id}-expert-{hashlib.sha256(ground.encode()).hexdigest()[:10]}"


def day_one_scorer(
    city: City, shelf: Shelf, *, now: datetime, notify: Callable[[Text], object] | None = None
) -> Scorer:
    """Return the scorer of the city's expert card, building and shelving the model on first use.

    ``notify`` is told when a damaged model was set aside; by default a warning is logged.

    Raises
    ------
    CityError
        If the card in the profile has mistakes.
    ModelError
        If the shelf can't be written or the saved model must not be used.
    """
    version = expert_version(city)

    def build() -> tuple[Pipeline, dict[str, object]]:
        pipeline = expert_pipeline(city)
        scorecard = pipeline.named_steps["card"].scorecard_
        manifest = {
            "kind": "expert",
            "city": {"id": city.id, "digest": city.digest},
            "created": now.isoformat(),
            "outcomes": 0,
            "scorecard": scorecard.to_dict(),
        }
        return pipeline, manifest

    told = {} if notify is None else {"notify": notify}
    pipeline = shelf.ensure(version, build, **told)
    champion = shelf.champion(city.id)
    if champion is None or (champion != version and champion.startswith(f"{city.id}-expert-")):
        shelf.promote(city.id, version)
    return Scorer(pipeline, version)
