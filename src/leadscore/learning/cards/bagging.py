"""Grows boosted trees of one feature each on coded rows, several times with a share left out.

Each bag leaves out another share of the rows, and together the shares are all rows. So each row's
loss can be taken from a bag that has not seen it, and all bags stop at the iteration at which
the sum of those losses is least. At worst that is iteration 0, the base rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from leadscore.learning.tables.coding import MOST_CODES, Coding, LevelCoding
from leadscore.learning.tables.columns import Codes, Floats

FEWEST_OF_A_CLASS = 10
"""With fewer rows of either class, nothing is grown (trees were then worse than the base rate)."""

# A bag whose loss has not improved for so many iterations stops growing.
_PATIENCE = 20


class Rows(NamedTuple):
    """Coded rows and what became of them.

    Attributes
    ----------
    codes
        Shape (n, number of features).
    target
        Shape (n,), 0 or 1.
    weight
        Shape (n,), positive.
    """

    codes: Codes
    target: Floats
    weight: Floats

    def spread(self) -> Rows:
        """Return the rows with one of weight 2 as two of weight 1, and so on up to 16."""
        copies = np.clip(self.weight, 1.0, _MOST_COPIES).astype(np.intp)
        at = np.repeat(np.arange(len(copies)), copies)
        return Rows(self.codes[at], self.target[at], (self.weight / copies)[at])

    def sorted(self) -> Rows:
        """Return the rows in an order that depends on what they hold and not on how they came.

        The sort is by a hash of the codes. Rows of one hash, target and weight are the same.
        """
        key = self.target.astype(np.uint64)
        for column in self.codes.T:
            key = (key ^ (column.astype(np.uint64) + _ODD)) * _FACTOR
            key ^= key >> np.uint64(32)
        order = np.lexsort((self.weight, key, self.target))
        return Rows(self.codes[order], self.target[order], self.weight[order])


_MOST_COPIES = 16
_ODD, _FACTOR = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1342543DE82EF95)


class Design:
    """What the trees see of coded rows: codes as floats, and missing values as NaN.

    In scikit-learn's trees a direction binds missing values too, where they are split off. A
    feature with a direction therefore has a second column, which tells whether its value is
    missing and is bound by nothing.

    Parameters
    ----------
    codings
        One per feature.
    directions
        -1, 0 or 1 for each.
    """

    def __init__(self, codings: Sequence[Coding], directions: Sequence[int]) -> None:
        self._missing = np.array([coding.n_codes - 1 for coding in codings])
        self._directed = np.flatnonzero(directions)
        free = [0] * len(self._directed)
        self.directions = [*directions, *free]
        texts = [isinstance(coding, LevelCoding) for coding in codings]
        self.categorical = np.array([*texts, *free], dtype=bool)

    def __call__(self, codes: Codes) -> Floats:
        """Return the columns of the trees, shape (n, number of columns)."""
        missing = codes == self._missing
        return np.hstack([np.where(missing, np.nan, codes), missing[:, self._directed]])


def split_into_bags(target: Floats, n_bags: int, rng: RandomState) -> NDArray[np.intp]:
    """Return for each row the bag that leaves it out, shape (n,), drawn apart for each class.

    If a class has too few rows to tell whether trees help, all are in bag 0.
    """
    positive = int(np.count_nonzero(target))
    fewest = min(positive, len(target) - positive)
    bag = np.zeros(len(target), dtype=np.intp)
    if fewest >= FEWEST_OF_A_CLASS:
        n_bags = min(n_bags, fewest)
        for rows in (target == 0.0, target == 1.0):
            bag[rows] = rng.permutation(np.arange(np.count_nonzero(rows)) % n_bags)
    return bag


class BaggedTrees:
    """The mean of boosted trees, each grown without another share of the rows.

    Parameters
    ----------
    design
        What the trees see.
    settings
        Those of `HistGradientBoostingClassifier` that are the caller's to choose.

    Attributes
    ----------
    losses
        Shape (max_iter + 1,), the mean log loss of rows in the bags that left them out.
    n_iter
        The iteration at which it is least; the trees are cut there.
    """

    losses: Floats
    n_iter: int

    def __init__(self, design: Design, **settings: Any) -> None:
        self._design, self._settings = design, settings
        self._models: list[HistGradientBoostingClassifier] = []

    def fit(self, rows: Rows, bag: NDArray[np.intp], rng: RandomState) -> None:
        """Grow the trees of each bag on all rows but its own; ``bag`` has shape (n,)."""
        columns, (_, target, weight) = self._design(rows.codes), rows
        self.losses = np.zeros(self._settings["max_iter"] + 1)
        for number in range(bag.max() + 1):
            out = bag == number
            seen = columns[~out]
            # scikit-learn can't bin a column without any present value; a constant isn't split.
            seen[:, np.isnan(seen).all(axis=0)] = 0.0
            model = self._new_model(rng.randint(2**31 - 1))
            with _one_thread():
                model.fit(
                    seen,
                    target[~out],
                    sample_weight=weight[~out],
                    X_val=columns[out],
                    y_val=target[out],
                    sample_weight_val=weight[out],
                )
            # A bag that stopped growing stays as it is.
            losses = _extended(-model.validation_score_, len(self.losses))
            self.losses += losses * (weight[out].sum() / weight.sum())
            self._models.append(model)
        self.n_iter = int(np.argmin(self.losses))

    def decision(self, codes: Codes) -> Floats:
        """Return the mean log-odds of coded rows, shape (n,); ``n_iter`` must not be 0."""
        columns = self._design(codes)
        total = np.zeros(len(columns))
        with _one_thread():
            for model in self._models:
                at = min(self.n_iter, model.n_iter_) - 1
                total += next(islice(model.staged_decision_function(columns), at, None))
        return total / len(self._models)

    def _new_model(self, seed: int) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            **self._settings,
            max_bins=MOST_CODES,
            categorical_features=self._design.categorical,
            monotonic_cst=self._design.directions,
            interaction_cst="no_interactions",
            early_stopping=True,
            scoring="loss",
            n_iter_no_change=_PATIENCE,
            tol=0.0,
            random_state=seed,
        )


def _extended(values: Floats, length: int) -> Floats:
    return np.append(values, np.full(length - len(values), values[-1]))


def _one_thread() -> threadpool_limits:
    """Return a context in which trees use one thread.

    On two cores with other work to do, a second thread made them slower at every size that was
    measured: 2.3 to 12 times at 1,000 rows, 1.4 to 4.4 times at 100,000.
    """
    return threadpool_limits(1, user_api="openmp")
