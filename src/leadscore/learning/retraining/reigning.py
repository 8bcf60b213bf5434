"""The champion as a challenger meets it: what serves, and what it has learned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from leadscore.city.profile import City
from leadscore.errors import ModelError
from leadscore.language import Text
from leadscore.learning.outcomes.lessons import measured
from leadscore.learning.retraining.day_one import expert_model, expert_pipeline, expert_version
from leadscore.learning.shelf.shelf import Shelf
from leadscore.learning.shelf.succession import is_expert
from leadscore.learning.tables.columns import Floats

_PASSED_OVER = Text(
    zh="模型“{version}”不能使用，改与它之前的模型比较。原因：{reason}",
    en="the model {version} can't be used; the challenger meets the one before it. "
    "Reason: {reason}",
)


@dataclass(frozen=True, eq=False)
class Champion:
    """The model that serves.

    Attributes
    ----------
    version
        Its name.
    pipeline
        Features and card.
    manifest
        What was written down of it; empty for the expert model.
    """

    version: str
    pipeline: Pipeline
    manifest: Mapping[str, Any]

    @property
    def outcomes(self) -> int:
        """How many outcomes it learned from."""
        return int(self.manifest["outcomes"]["known"]) if self.manifest else 0

    @property
    def learned_until(self) -> date | None:
        """The day as of which it learned; None if it learned from no outcome."""
        return date.fromisoformat(self.manifest["as_of"]) if self.outcomes else None

    def forecasts(self, city: City, firms: pd.DataFrame, X: pd.DataFrame) -> Floats:
        """Return the likelihood of each firm by the champion's own profile.

        Parameters
        ----------
        city
            Today's profile.
        firms
            Canonical columns.
        X
            Their features by today's profile; measured anew if the champion's is another.
        """
        features, card = self.pipeline.named_steps["features"], self.pipeline.named_steps["card"]
        own = X if features.city.digest == city.digest else measured(features, firms)
        p: Floats = card.predict_proba(own)[:, 1]
        return p


def reigning(
    city: City, shelf: Shelf, *, now: datetime, write: bool, notify: Callable[[Text], object]
) -> Champion:
    """Return the champion, or the last good one before it; the expert model if no other serves.

    Parameters
    ----------
    city
        The profile.
    shelf
        Where the models live.
    now
        Aware time at which the expert model is shelved, if it has to be.
    write
        False to leave the shelf as it is.
    notify
        Told of champions that can't be used.

    Raises
    ------
    CityError
        If the card in the profile has mistakes.
    ModelError
        If the shelf can't be read or written.
    """
    for version in shelf.line(city.id):
        if is_expert(city.id, version):
            break
        try:
            return Champion(version, shelf.load(version), shelf.manifest(version))
        except ModelError as fault:
            reason = Text(zh=fault.render("zh"), en=fault.render("en"))
            notify(_PASSED_OVER.format(version=version, reason=reason))
    if not write:
        return Champion(expert_version(city), expert_pipeline(city), {})
    return Champion(*expert_model(city, shelf, now, notify), {})
