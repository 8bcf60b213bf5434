"""Turns the table of firms into X, the table of features: one scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from leadscore.city.matching import Matcher
from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE, CATEGORIES
from leadscore.features.company import business_text, company_features
from leadscore.features.firm import Firm, Value
from leadscore.features.fitting import (
    GOOD_STRENGTH,
    SIZEABLE_GAP,
    Fit,
    best_match,
    fits_of,
    segment_facts,
)
from leadscore.features.origin import Origin
from leadscore.lists.cleaning import records_of


@dataclass(frozen=True, slots=True)
class MeasuredFirm:
    """What was found out about one firm.

    Attributes
    ----------
    values
        Its features in the order of the catalogue, None where missing.
    matches
        Its matches, the strongest first.
    best
        The one that counts; see `leadscore.features.fitting.best_match`.
    """

    values: list[Value]
    matches: list[Fit]
    best: Fit | None


class FirmFeatures(TransformerMixin, BaseEstimator):
    """Firms in, features out; what it needs to know of the place is in the city profile.

    It learns nothing from the firms it is fitted on, so a firm's features never depend on the list
    in which it stands.

    Parameters
    ----------
    city
        The city profile.
    """

    def __init__(self, city: City) -> None:
        self.city = city

    def fit(self, firms: pd.DataFrame, y: object = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        """Compile the profile's words and graph; the firms are not looked at."""
        self._compile()
        return self

    def _compile(self) -> None:
        self.matcher_ = Matcher(self.city)
        self.facts_ = segment_facts(self.city)
        self.origin_ = Origin(self.city)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the profile only; the code that loads it compiles it anew."""
        state = dict(super().__getstate__())
        return {key: value for key, value in state.items() if not key.endswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore and compile."""
        super().__setstate__(state)
        self._compile()

    def transform(self, firms: pd.DataFrame) -> pd.DataFrame:
        """Return X: n x 35 features in the order of the catalogue, numbers and levels.

        Parameters
        ----------
        firms
            n rows of canonical columns; a missing column counts as all missing. The column
            ``as_of`` (datetime) says when the fields were known; without it the age is missing.
        """
        return features_frame([firm.values for firm in self.measure_firms(records_of(firms))])

    def measure_firms(self, firms: Sequence[Firm]) -> list[MeasuredFirm]:
        """Measure firms, each by itself.

        Parameters
        ----------
        firms
            Canonical columns of each, and ``as_of``; see `transform`.
        """
        return [
            self._measured(firm, fits_of(matches, self.facts_, self.city.roles))
            for firm, matches in zip(firms, self.matcher_.match_all(firms), strict=True)
        ]

    def _measured(self, firm: Firm, matches: list[Fit]) -> MeasuredFirm:
        best = best_match(matches)
        features = {
            **company_features(firm),
            **self.origin_.features(firm),
            **self._chain_features(firm, matches, best),
        }
        return MeasuredFirm([features[key] for key in CATALOGUE], matches, best)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:  # noqa: ARG002
        """Return the names of the columns of X."""
        return np.array(list(CATALOGUE), dtype=object)

    def _chain_features(self, firm: Firm, matches: list[Fit], best: Fit | None) -> dict[str, Value]:
        """Return the features of the best segment and of the graph around it."""
        solid = [m for m in matches if m.gap >= SIZEABLE_GAP and m.strength >= GOOD_STRENGTH]
        speaks = best is not None or bool(business_text(firm))
        strength = max((match.strength for match in matches), default=0.0)
        found: dict[str, Value] = {
            "match_strength": strength if speaks else None,
            "gaps_matched": float(len(solid)) if speaks else None,
        }
        if best is None:
            return _NOTHING_MET | found | {"chain": "none" if speaks else None}
        met = self.facts_[best.segment]
        return found | {
            "chain": met.chain,
            "position": met.position,
            "role": best.role,
            "anchor_buyers": met.anchor_buyers,
            "anchor_suppliers": met.anchor_suppliers,
            "steps_to_strength": met.steps_to_strength,
            "gap_filled": best.fit,
            "neighbour_supply": met.neighbour_supply,
            "sought": met.sought,
        }


def features_frame(rows: Sequence[Sequence[Value]]) -> pd.DataFrame:
    """Return features of n firms, each in the order of the catalogue, as X: float64 and text."""
    return pd.DataFrame(
        {
            key: pd.Series(
                [row[place] for row in rows],
                dtype="str" if key in CATEGORIES else "float64",
            )
            for place, key in enumerate(CATALOGUE)
        }
    )


_NOTHING_MET: dict[str, Value] = dict.fromkeys(
    (
        "position", "role", "anchor_buyers", "anchor_suppliers", "steps_to_strength",
        "gap_filled", "neighbour_supply", "sought",
    )
)  # fmt: skip
