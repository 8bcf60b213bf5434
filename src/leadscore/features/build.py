"""Turns the table of firms into X, the table of features: one scikit-learn transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from leadscore.city.matching import Matcher
from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE, CATEGORIES
from leadscore.features.company import business_text, company_features
from leadscore.features.fitting import best_per_firm, segment_facts, with_fit
from leadscore.features.origin import origin_features
from leadscore.lists.blank import blank_firms

# A gap that is worth naming, and a match strong enough to count as filling it.
_SIZEABLE_GAP = 0.45
_GOOD_STRENGTH = 0.3


@dataclass(frozen=True, slots=True)
class Measured:
    """What `FirmFeatures.measure` found out about n firms.

    Attributes
    ----------
    X
        n x 35 features in the order of the catalogue; numbers are float64, levels are text.
    fits
        The matches with ``gap`` and ``fit``, any number of rows a firm.
    best
        n rows: the best match of each firm (``segment, role, strength, words, gap, fit``).
    """

    X: pd.DataFrame
    fits: pd.DataFrame
    best: pd.DataFrame


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

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the profile only; the code that loads it compiles it anew."""
        state = dict(super().__getstate__())
        return {key: value for key, value in state.items() if not key.endswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore and compile."""
        super().__setstate__(state)
        self._compile()

    def transform(self, firms: pd.DataFrame) -> pd.DataFrame:
        """Return X (see `Measured`) for the canonical table of firms."""
        return self.measure(firms).X

    def measure(self, firms: pd.DataFrame) -> Measured:
        """Match the firms and return X together with the matches behind it.

        Parameters
        ----------
        firms
            n rows of canonical columns; a missing column counts as all missing. The column
            ``as_of`` (datetime) says when the fields were known; without it the age is missing.
        """
        firms = _complete(firms)
        fits = with_fit(self.matcher_.match(firms), self.city, self.facts_)
        best = best_per_firm(fits, len(firms))
        columns = {
            **company_features(firms),
            **origin_features(firms, self.city),
            **self._chain_features(firms, fits, best),
        }
        raw = pd.DataFrame({key: np.asarray(columns[key]) for key in CATALOGUE})
        X = raw.astype({key: "str" if key in CATEGORIES else "float64" for key in CATALOGUE})
        return Measured(X, fits, best)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:  # noqa: ARG002
        """Return the names of the columns of X."""
        return np.array(list(CATALOGUE), dtype=object)

    def _chain_features(
        self, firms: pd.DataFrame, fits: pd.DataFrame, best: pd.DataFrame
    ) -> dict[str, pd.Series]:
        """Return the features of the best segment and of the graph around it."""
        met = self.facts_.reindex(best["segment"]).set_axis(best.index)
        strongest = fits.groupby("firm")["strength"].max().reindex(best.index).fillna(0.0)
        speaks = business_text(firms).ne("") | best["segment"].notna()
        solid = fits[(fits["gap"] >= _SIZEABLE_GAP) & (fits["strength"] >= _GOOD_STRENGTH)]
        gaps = solid.groupby("firm").size().reindex(best.index, fill_value=0).astype(float)
        return {
            "chain": met["chain"].mask(met["chain"].isna() & speaks, "none"),
            "position": met["position"],
            "role": best["role"],
            "anchor_buyers": met["anchor_buyers"],
            "anchor_suppliers": met["anchor_suppliers"],
            "steps_to_strength": met["steps_to_strength"],
            "gap_filled": best["fit"].where(best["segment"].notna()),
            "match_strength": strongest.where(speaks),
            "neighbour_supply": met["neighbour_supply"],
            "gaps_matched": gaps.where(speaks),
            "sought": met["sought"],
        }


def _complete(firms: pd.DataFrame) -> pd.DataFrame:
    """Return the firms with every canonical column and ``as_of``, numbered from 0."""
    whole = blank_firms(len(firms))
    given = {column: firms[column].array for column in firms.columns if column in whole.columns}
    whole = whole.assign(**given)
    whole["as_of"] = firms["as_of"].array if "as_of" in firms.columns else np.datetime64("NaT")
    dated: pd.DataFrame = whole.astype({"as_of": "datetime64[us]"})
    return dated
