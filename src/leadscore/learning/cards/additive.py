"""What every additive model can do once it has a scorecard: score, predict, explain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from leadscore.learning.cards.door import Features, checked_features
from leadscore.learning.tables.columns import Floats
from leadscore.learning.tables.logistic import probability
from leadscore.learning.tables.scorecard import Scorecard


class AdditiveModel(ClassifierMixin, BaseEstimator):
    """A classifier of two classes whose log-odds are an intercept plus one table per feature.

    A subclass fits ``scorecard_``, ``intercept_`` and ``classes_``, and takes in its features by
    `leadscore.learning.cards.door.checked_features`.
    """

    scorecard_: Scorecard
    intercept_: float
    classes_: NDArray[Any]

    def decision_function(self, X: Any) -> Floats:
        """Return the log-odds of the second class, shape (n,)."""
        features = self._features(X)
        if features.frame is not None:
            return self.scorecard_.decision(features.frame)
        return self.scorecard_.decision_columns(features.columns, features.n_rows)

    def predict_proba(self, X: Any) -> Floats:
        """Return the probabilities of both classes, shape (n, 2), each 0..1."""
        log_odds = self.decision_function(X)
        return np.column_stack([probability(-log_odds), probability(log_odds)])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likelier label of each row, shape (n,); the first if both are."""
        second = self.decision_function(X) > 0
        return self.classes_[second.astype(np.intp)]

    def contributions(self, X: Any) -> Floats:
        """Return what each column, and then each pair of columns, adds to the log-odds.

        The shape is (n, n_features_in_ + number of pairs).

        `decision_function` is the intercept plus these, added from left to right.
        """
        features = self._features(X)
        if features.frame is not None:
            return self.scorecard_.lookup(features.frame)
        return self.scorecard_.lookup_columns(features.columns, features.n_rows)

    def _features(self, X: Any) -> Features:
        check_is_fitted(self)
        return checked_features(self, X, reset=False)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn: two classes only; texts and missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags
