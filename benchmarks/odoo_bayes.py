"""The naive Bayes by which Odoo's CRM scores leads, written anew so that it can be measured.

Odoo counts for each value of each field how many leads were won and lost, 0.1 added to either. A
lead's odds are the odds of all leads times the ratio of the value's frequency among the won and
among the lost, over the fields that are set; a value never seen counts nothing. The likelihood is
rounded to a hundredth of a percent and kept within 0.01 and 99.99 percent. Odoo's fields are
categories. Here a number counts by its tenth of the training rows, which is kinder than a value of
its own for each number.

See ``addons/crm/models/crm_lead.py`` in https://github.com/odoo/odoo.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

SMOOTHING = 0.1
TENTHS = np.linspace(0.1, 0.9, 9)


class FrequencyBayes:
    """Frequencies per field among the won and among the lost."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> FrequencyBayes:
        """Count. X has float64 and str columns; y is 0 or 1, both present."""
        self._edges = {c: np.unique(X[c].quantile(TENTHS)) for c in X if X[c].dtype == "float64"}
        won = y.sum() + SMOOTHING
        self._log_odds = float(np.log(won / (len(y) - y.sum() + SMOOTHING)))
        self._weights = {c: self._weight(self._values(X[c]), y) for c in X}
        return self

    def _values(self, column: pd.Series) -> pd.Series:
        edges = self._edges.get(str(column.name))
        if edges is None:
            return column
        tenth = np.searchsorted(edges, column.to_numpy(), side="right")
        return pd.Series(tenth, index=column.index, dtype="float64").where(column.notna())

    def _weight(self, values: pd.Series, y: np.ndarray) -> pd.Series:
        counts = pd.crosstab(values.to_numpy(), y).reindex(columns=[0, 1], fill_value=0) + SMOOTHING
        shares = np.log(counts / counts.sum())
        return shares[1] - shares[0]

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return the likelihoods of both classes, shape (n, 2)."""
        log_odds = np.full(len(X), self._log_odds)
        for name, weight in self._weights.items():
            log_odds += self._values(X[name]).map(weight).fillna(0.0).to_numpy(dtype="float64")
        won = np.clip(np.round(1 / (1 + np.exp(-log_odds)), 4), 0.0001, 0.9999)
        return np.column_stack([1 - won, won])
