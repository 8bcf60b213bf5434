"""The features of firms as a scikit-learn transformer, for pipelines that fit or compare models.

A module of its own, since scoring measures firms without importing scikit-learn.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE
from leadscore.features.extract import FeatureExtractor


class FirmFeatures(TransformerMixin, BaseEstimator):
    """Firms in, features out: `FeatureExtractor` for a scikit-learn ``Pipeline``.

    It learns nothing from the firms it is fitted on, so a firm's features never depend on the list
    in which it stands.
    """

    def __init__(self, city: City) -> None:
        self.city = city

    def fit(self, firms: pd.DataFrame, y: object = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        """Compile the profile's words and graph; the firms are not looked at."""
        self.extractor_ = FeatureExtractor(self.city)
        return self

    def transform(self, firms: pd.DataFrame) -> pd.DataFrame:
        """Return X; see `FeatureExtractor.transform`."""
        return self.extractor_.transform(firms)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray[Any, Any]:  # noqa: ARG002
        """Return the names of the columns of X."""
        return np.array(list(CATALOGUE), dtype=object)
