"""Which model serves a city: its champion under today's supply, or the last good one before it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from leadscore.city.profile import City
from leadscore.errors import ModelError
from leadscore.features.extract import FeatureExtractor
from leadscore.learning.expert import expert_model, fit_expert
from leadscore.learning.model import Model
from leadscore.registry.manifest import ONLY_THE_REGISTRY_KNOWS, Manifest, city_part
from leadscore.registry.models import ModelRegistry, expert_version, log_notice
from leadscore.text import Text, room_words

WORDS = room_words("learning")


@dataclass(frozen=True, eq=False)
class Champion:
    """The model that serves, and its manifest; ``missed`` says why it is not the one named."""

    version: str
    model: Model
    manifest: Manifest
    missed: Text | None = None

    @property
    def outcomes(self) -> int:
        """How many outcomes it learned from."""
        return self.manifest.learned or 0

    @property
    def learned_until(self) -> date | None:
        """The day as of which it learned; None if it learned from no outcome."""
        return self.manifest.as_of if self.outcomes else None


def current_champion(
    city: City, registry: ModelRegistry, line: Sequence[str], *, now: datetime, save: bool = True,
    notify: Callable[[Text], object] = log_notice,
) -> Champion:  # fmt: skip
    """Return the champion under today's supply; the expert model if no trained one serves.

    ``line`` are the champion and those before it, as `leadscore.store.champions` has them. One that
    can't be used is passed over. Without ``save`` no expert model is put into the registry.
    ``notify`` is told when a damaged expert model was built anew. ``now`` is an aware time.

    Raises CityError if the card in the profile has mistakes; ModelError if no model can be built,
    saved or trusted.
    """
    opened, fault = registry.first_usable(
        city, line, lambda named: under_supply(city, registry, named, now)
    )
    if opened is not None:
        version, model, manifest = *opened, registry.manifest(opened[0])
    elif save:
        version, model = expert_model(city, registry, now, notify)
        manifest = registry.manifest(version)
    else:
        version, model, manifest = _unsaved_expert(city, registry)
    missed = None
    if fault is not None:
        reason = Text(zh=fault.render("zh"), en=fault.render("en"))
        missed = WORDS["champion.instead"].format(champion=line[0], version=version, reason=reason)
    return Champion(version, model, manifest, missed)


def _unsaved_expert(city: City, registry: ModelRegistry) -> tuple[str, Model, Manifest]:
    # As it was saved, or as it would be: after an upgrade nobody may have scored by it yet.
    version = expert_version(city)
    with contextlib.suppress(ModelError):
        return version, registry.load(version), registry.manifest(version)
    model = fit_expert(city)
    said = {"version": version, "kind": "expert", "outcomes": 0, "city": city_part(city)}
    said |= {"scorecard": model.card.scorecard.to_dict(), "average": model.card.average}
    return version, model, Manifest.of(said)


def under_supply(
    city: City, registry: ModelRegistry, version: str, now: datetime
) -> tuple[str, Model]:
    """Return a trained model as it serves under today's supply: version and model.

    What a card learned is how much a gap is worth; how wide a gap is, is a fact of the city. Where
    nothing but supply differs from the profile that the card was trained with, it is saved as a
    version of its own, ``VERSION-s1a2b3c4d``; else the model is returned as it is. A ModelError if
    it can't be used, or the registry can't be written.
    """
    name = registry.version_under(city, version)
    if name == version:
        return version, registry.load(version)
    first, manifest = trained_as(registry, version, registry.manifest(version))
    if name == first:
        return first, registry.load(first)
    content = {k: v for k, v in manifest.content.items() if k not in ONLY_THE_REGISTRY_KNOWS}
    content |= {"card_of": first, "created": now.isoformat()}

    def carried() -> tuple[Model, Mapping[str, Any]]:
        return Model(FeatureExtractor(city), registry.load(version).card), content

    return name, registry.ensure(name, carried)


def trained_as(registry: ModelRegistry, version: str, manifest: Manifest) -> tuple[str, Manifest]:
    """Return the version whose card one has, and its manifest; often both are its own."""
    first = manifest.card_of
    return (first, registry.manifest(first)) if first else (version, manifest)
