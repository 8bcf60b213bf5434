"""Peers that choose their own settings by cross-validation on the rows that they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import ParameterGrid, StratifiedKFold


class ChosenLogistic(ClassifierMixin, BaseEstimator):
    """Logistic regression with C chosen by log loss in five folds, or as many as the data allow."""

    def fit(self, X: Any, y: np.ndarray) -> ChosenLogistic:
        """Fit on encoded columns; with one case of a class there is nothing to choose by."""
        rarest = int(np.bincount(y, minlength=2).min())
        if rarest < 2:
            self.model_: Any = LogisticRegression(C=0.1, max_iter=5000)
        else:
            folds = StratifiedKFold(min(5, rarest), shuffle=True, random_state=0)
            self.model_ = LogisticRegressionCV(
                Cs=np.logspace(-3, 2, 11),
                l1_ratios=(0.0,),
                cv=folds,
                scoring="neg_log_loss",
                use_legacy_attributes=False,
                max_iter=5000,
            )
        self.model_.fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the likelihoods of both classes."""
        return self.model_.predict_proba(X)


class TunedTrees:
    """Boosted trees whose settings are chosen by log loss in three inner folds.

    Early stopping finds the number of trees of each setting in each inner fold; the model itself is
    fitted on all rows with the mean of them.
    """

    GRID = ParameterGrid(
        {
            "learning_rate": [0.03, 0.1],
            "max_leaf_nodes": [4, 10, 31],
            "l2_regularization": [0.0, 10.0],
        }
    )

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> TunedTrees:
        """Choose the settings and fit."""
        folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, y))
        trials = [(*self._trial(X, y, folds, setting), setting) for setting in self.GRID]
        _, trees, setting = min(trials, key=lambda trial: trial[0])
        self._model = HistGradientBoostingClassifier(
            max_iter=trees, early_stopping=False, random_state=0, **setting
        ).fit(X, y)
        return self

    def _trial(
        self, X: pd.DataFrame, y: np.ndarray, folds: list[Any], setting: dict[str, Any]
    ) -> tuple[float, int]:
        losses, trees = [], []
        for inner, outer in folds:
            model = HistGradientBoostingClassifier(
                max_iter=2000,
                early_stopping=True,
                n_iter_no_change=20,
                scoring="loss",
                random_state=0,
                **setting,
            )
            model.fit(X.iloc[inner], y[inner], X_val=X.iloc[outer], y_val=y[outer])
            losses.append(-max(model.validation_score_))
            trees.append(int(np.argmax(model.validation_score_)))
        return float(np.mean(losses)), max(1, round(float(np.mean(trees))))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return the likelihoods of both classes."""
        return self._model.predict_proba(X)
