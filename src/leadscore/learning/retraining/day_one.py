"""The model of day one: the expert card as a fitted pipeline, built whenever it is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

import numpy as np
from sklearn.pipeline import Pipeline

from leadscore.city.profile import City
from leadscore.features.build import FirmFeatures
from leadscore.features.catalogue import DIRECTIONS
from leadscore.language import Text
from leadscore.learning.cards.card import AdditiveCard
from leadscore.learning.retraining.expert import expert_scorecard
from leadscore.learning.shelf.manifest import code_fingerprint
from leadscore.learning.shelf.shelf import Shelf, log_notice
from leadscore.learning.shelf.succession import is_expert
from leadscore.lists.blank import blank_firms


def new_card(city: City, prior_strength: float = 50.0) -> AdditiveCard:
    """Return a card that isn't fitted yet, and starts from what the city's experts say."""
    prior = expert_scorecard(city)
    return AdditiveCard(prior=prior, prior_strength=prior_strength, directions=DIRECTIONS)


def expert_pipeline(city: City) -> Pipeline:
    """Return the pipeline fitted on no outcomes at all: its card is the expert card exactly."""
    pipeline = Pipeline([("features", FirmFeatures(city)), ("card", new_card(city))])
    return pipeline.fit(blank_firms(0), np.empty(0, dtype=np.int64))


def expert_version(city: City) -> str:
    """Return the name of the expert model: the same name always gives the same scores.

    It changes with the profile, and with the code and the shipped tables that turn a firm into a
    score; it is the same on every machine.
    """
    ground = f"{city.digest}|{code_fingerprint()}"
    return f"{city.id}-expert-{hashlib.sha256(ground.encode()).hexdigest()[:10]}"


def ensure_expert(
    city: City, shelf: Shelf, now: datetime, notify: Callable[[Text], object] = log_notice
) -> str:
    """Do as `expert_model`, and return the version only."""
    return expert_model(city, shelf, now, notify)[0]


def expert_model(
    city: City, shelf: Shelf, now: datetime, notify: Callable[[Text], object] = log_notice
) -> tuple[str, Pipeline]:
    """Return version and pipeline of the city's expert model, shelving it if it isn't there.

    It becomes the champion where none is, or where one of an older profile or program is; it never
    displaces a trained champion.

    Parameters
    ----------
    city
        The profile.
    shelf
        Where the models live.
    now
        Aware time, kept as the time of creation and of promotion.
    notify
        Told when a damaged model was set aside; by default a warning is logged.

    Raises
    ------
    CityError
        If the card in the profile has mistakes.
    ModelError
        If the shelf can't be written, or the key can't be trusted.
    """
    version = expert_version(city)

    def build() -> tuple[Pipeline, dict[str, object]]:
        told = {"kind": "expert", "created": now.isoformat(), "outcomes": 0}
        return expert_pipeline(city), told

    pipeline = shelf.ensure(version, build, notify)
    served = shelf.line(city.id)
    if not served or is_expert(city.id, served[0]):
        shelf.promote(city.id, version, act="expert", now=now)
    return version, pipeline
