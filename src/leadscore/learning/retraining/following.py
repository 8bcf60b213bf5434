"""Lets a trained champion follow the profile where only the supply of segments has changed.

How much a gap is worth is what the card learned; how wide each gap is, is a fact of the city. So
the same card goes on under the new facts, at once and without training, as a version of its own: a
version always gives the same scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sklearn.pipeline import Pipeline

from leadscore.city.profile import City
from leadscore.city.supply import differ_in_supply_only
from leadscore.errors import ModelError
from leadscore.features.build import FirmFeatures
from leadscore.learning.retraining.day_one import ensure_expert
from leadscore.learning.shelf.manifest import CARD_OF, ONLY_THE_SHELF_KNOWS, is_under
from leadscore.learning.shelf.shelf import Shelf
from leadscore.learning.shelf.succession import is_expert
from leadscore.lists.blank import blank_firms


def follow(city: City, shelf: Shelf, now: datetime) -> None:
    """Let a changed profile count: by another expert model if one serves, else see `follow_supply`.

    Raises
    ------
    CityError
        If the card in the profile has mistakes.
    ModelError
        If the shelf can't be written, or the key can't be trusted.
    """
    if _trained_champion(city, shelf) is None:
        ensure_expert(city, shelf, now)
    else:
        follow_supply(city, shelf, now)


def follow_supply(city: City, shelf: Shelf, now: datetime) -> None:
    """Let the champion's card serve under today's supply, if nothing but that has changed.

    Nothing happens where no trained model serves, where it knows this profile, or where more than
    supply differs. A champion that can't be used is left for whoever serves to tell.

    Parameters
    ----------
    city
        The profile as it counts now.
    shelf
        Where the models live.
    now
        Aware time of the change.

    Raises
    ------
    ModelError
        If the shelf can't be written.
    """
    champion = _trained_champion(city, shelf)
    if champion is None:
        return
    try:
        manifest = shelf.manifest(champion)
        if is_under(manifest, city):
            return
        pipeline = shelf.load(champion)
        first, manifest = trained_as(shelf, champion, manifest)
    except ModelError:
        return
    if not differ_in_supply_only(pipeline.named_steps["features"].city, city):
        return
    version = first
    if not is_under(manifest, city):
        version = f"{first}-s{city.digest[:8]}"
        shelf.ensure(version, lambda: _under(city, pipeline, first, manifest, now))
    shelf.promote(city.id, version, act="profile", now=now)


def trained_as(shelf: Shelf, version: str, manifest: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the version whose card one has, and its manifest; often both are its own.

    Raises
    ------
    ModelError
        If that version can't be trusted.
    """
    first = manifest.get(CARD_OF)
    return (first, shelf.manifest(first)) if first else (version, manifest)


def _trained_champion(city: City, shelf: Shelf) -> str | None:
    served = next(iter(shelf.line(city.id)), None)
    return None if served is None or is_expert(city.id, served) else served


def _under(
    city: City, pipeline: Pipeline, first: str, manifest: Mapping[str, Any], now: datetime
) -> tuple[Pipeline, dict[str, Any]]:
    features = FirmFeatures(city).fit(blank_firms(0))
    told = {key: value for key, value in manifest.items() if key not in ONLY_THE_SHELF_KNOWS}
    told |= {CARD_OF: first, "created": now.isoformat()}
    return Pipeline([("features", features), ("card", pipeline.named_steps["card"])]), told
