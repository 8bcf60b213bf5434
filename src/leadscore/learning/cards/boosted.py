"""The second family: boosted trees of one feature each, averaged and compiled into a scorecard."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from leadscore.learning.cards.additive import AdditiveModel
from leadscore.learning.cards.bagging import BaggedTrees, Design, Rows, split_into_bags
from leadscore.learning.cards.door import Features, checked_features, checked_outcomes
from leadscore.learning.tables.coding import MOST_CODES, Coding, choose_coding
from leadscore.learning.tables.columns import Column, Floats
from leadscore.learning.tables.compiling import compile_scorecard


class BoostedCard(AdditiveModel):
    """Boosted trees without interactions, compiled into one table per feature.

    The trees are scikit-learn's (`HistGradientBoostingClassifier`), each of one feature only, so
    that their sum is a scorecard and scoring needs no tree. Several bags of them are averaged;
    each leaves out another share of the rows, and on these shares together the number of trees is
    chosen. A feature of texts is split by any group of its levels; missing values are a group of
    their own. For few rows `AdditiveCard` is the better choice, and it alone knows a prior: trees
    start from the base rate.

    Parameters
    ----------
    directions
        1 for a feature of numbers along which the log-odds must not fall, -1 for one along which
        they must not rise. Missing values are outside the direction.
    n_bags
        Number of bags, of which each leaves out the n-th part of the rows. Fewer if a class has
        fewer rows.
    learning_rate, max_iter, max_leaf_nodes, min_samples_leaf, l2
        As those of scikit-learn's trees (``l2_regularization``). ``max_iter`` bounds the number
        of trees of a bag.
    max_bins
        Most bins of a feature of numbers, up to 255; few rows make fewer.
    rare_count
        A level of less weight than this joins the others, and so do the lightest of more than
        254.
    random_state
        Seed of the shares. The same seed and rows, in whatever order, give the same scorecard
        to the last bit. Trees grow on one thread.

    Attributes
    ----------
    scorecard_ : Scorecard
        The tables, in the order of the columns. The mean of each over the rows is zero. What no
        row had, such as a missing value where none was missing, adds zero.
    intercept_ : float
        Mean log-odds of the rows.
    classes_ : ndarray of shape (2,)
        The labels, sorted; scores speak for the second. Labels that are all 0 or all 1 (or
        truth values) stand for [0, 1].
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if they are texts. Else tables are named x0, x1, ...
    n_iter_ : int
        Number of trees of each bag; 0 if none helped, or a class had fewer than 10 rows. The
        card is then the base rate, half a case added to either class.

    Examples
    --------
    >>> import pandas as pd
    >>> firms = pd.DataFrame({"staff": [5, 80, 300, None] * 20, "role": ["trade", "maker"] * 40})
    >>> card = BoostedCard(directions={"staff": 1}).fit(firms, [0, 1, 1, 0] * 20)
    >>> card.predict(firms[:4])
    array([0, 1, 1, 0])
    >>> added = card.contributions(firms)
    >>> bool(np.allclose(card.intercept_ + added.sum(axis=1), card.decision_function(firms)))
    True
    """

    def __init__(
        self,
        *,
        directions: Mapping[str, int] | None = None,
        n_bags: int = 8,
        learning_rate: float = 0.2,
        max_iter: int = 500,
        max_leaf_nodes: int = 4,
        min_samples_leaf: int = 5,
        l2: float = 1.0,
        max_bins: int = 64,
        rare_count: float = 10,
        random_state: int | RandomState | None = 0,
    ) -> None:
        self.directions = directions
        self.n_bags = n_bags
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.l2 = l2
        self.max_bins = max_bins
        self.rare_count = rare_count
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike | None, sample_weight: ArrayLike | None = None) -> Self:
        """Grow the trees and compile them.

        Parameters
        ----------
        X
            Frame of columns of numbers, truth values and texts of any dtype, with missing
            values; or an array of shape (n, p).
        y
            Shape (n,), two labels.
        sample_weight
            Shape (n,), not negative. A row of weight 2 is the row twice, one of weight 0 absent.
            Beyond whole numbers, and beyond 16, a weight counts fully in what a row adds to the
            trees, but not towards ``min_samples_leaf`` and the shares.

        Raises
        ------
        ValueError
            If the labels are not two, a setting is out of range, or a feature with a direction
            holds texts.
        """
        self._check_settings()
        features = checked_features(self, X, reset=True, least_rows=1)
        outcomes = checked_outcomes(features.data, y, sample_weight)
        directions = self._checked_directions(features)
        self.classes_ = outcomes.classes
        counts = outcomes.weight > 0
        columns = [column[counts] for column in features.columns]
        weight = outcomes.weight[counts]
        codings = self._codings(features.names, columns, weight, directions)
        codes = [coding.codes(column) for coding, column in zip(codings, columns, strict=True)]
        rows = Rows(np.column_stack(codes), outcomes.target[counts], weight).spread().sorted()
        trees = BaggedTrees(Design(codings, directions), **self._tree_settings())
        self._grow(trees, rows)
        function = trees.decision if self.n_iter_ else _base_rate(rows)
        self.scorecard_ = compile_scorecard(function, codings, rows.codes, rows.weight)
        self.intercept_ = self.scorecard_.intercept
        return self

    def _grow(self, trees: BaggedTrees, rows: Rows) -> None:
        rng = check_random_state(self.random_state)
        bag = split_into_bags(rows.target, self.n_bags, rng)
        self.n_iter_ = 0
        if bag.max() > 0:
            trees.fit(rows, bag, rng)
            self.n_iter_ = trees.n_iter

    def _codings(
        self, names: list[str], columns: list[Column], weight: Floats, directions: list[int]
    ) -> list[Coding]:
        return [
            choose_coding(
                name,
                column,
                weight,
                as_numbers=direction != 0,
                max_bins=self.max_bins,
                rare_count=self.rare_count,
            )
            for name, column, direction in zip(names, columns, directions, strict=True)
        ]

    def _tree_settings(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "max_iter": self.max_iter,
            "max_leaf_nodes": self.max_leaf_nodes,
            "min_samples_leaf": self.min_samples_leaf,
            "l2_regularization": self.l2,
        }

    def _checked_directions(self, features: Features) -> list[int]:
        """Return the direction of each column."""
        directions = self.directions or {}
        for name, direction in directions.items():
            if name not in features.names or direction not in (-1, 0, 1):
                msg = f"A direction is -1, 0 or 1 for a column, not {direction!r} for {name!r}."
                raise ValueError(msg)
        return [directions.get(name, 0) for name in features.names]

    def _check_settings(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most or value == math.inf:
                msg = f"{name} must be finite, from {least:g} to {most:g}, not {value!r}."
                raise ValueError(msg)


_RANGES = {
    "n_bags": (2, math.inf),
    "learning_rate": (1e-3, 1.0),
    "max_iter": (1, math.inf),
    "max_leaf_nodes": (2, math.inf),
    "min_samples_leaf": (1, math.inf),
    "l2": (0.0, math.inf),
    "max_bins": (2, MOST_CODES),
    "rare_count": (0.0, math.inf),
}


def _base_rate(rows: Rows) -> Any:
    positive = float(rows.weight @ rows.target)
    negative = float(rows.weight.sum()) - positive
    log_odds = math.log((positive + 0.5) / (negative + 0.5))
    return lambda codes: np.full(len(codes), log_odds)
