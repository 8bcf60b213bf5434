"""The additive card as a scikit-learn classifier: one table per feature, held by a prior."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning

from leadscore.learning.additive import AdditiveModel
from leadscore.learning.blocks import Widths, check_direction, make_block
from leadscore.learning.columns import Column, holds_numbers
from leadscore.learning.door import Features, Outcomes, checked_features, checked_outcomes
from leadscore.learning.newton import minimise
from leadscore.learning.objective import Objective
from leadscore.learning.tables import CategoricalTable, NumericTable, Scorecard, Table


class AdditiveCard(AdditiveModel):
    """Additive logistic regression on tables, each pulled towards what a prior card says.

    The log-odds of the second class are an intercept plus one table per feature. A feature of
    numbers (truth values among them) has a trend plus steps between bins, a feature of texts an
    entry per level and one for all others, and each an entry for missing values. All are fitted
    at once by penalised maximum likelihood with Gaussian priors around ``prior``. The problem
    is convex: the optimum depends neither on the order of rows nor on a seed.

    With a prior, ``fit`` takes any number of rows; with none it returns the prior itself.

    Parameters
    ----------
    prior
        The card to start from. Features that it does not list start at zero. None: all start at
        zero, and the intercept at the log-odds of the data, half a case added to either class.
    directions
        1 for a feature of numbers along which the log-odds must not fall, -1 for one along which
        they must not rise. Missing values are outside the direction.
    max_bins
        Most bins of a feature of numbers; few rows make fewer. The prior's edges are always
        kept.
    trend_width, step_width, level_width, unknown_width, intercept_width
        How far the data may be expected to move the prior, as standard deviations in log-odds:
        the trend from a feature's low to its high end, the drift of its ends beyond the trend,
        an entry of a level, the entry of missing values, the intercept. A trend width of 0
        leaves steps alone.
    rare_count
        A level of less weight than this, unless the prior lists it, joins the others.
    tol
        The search ends when the optimum is nearer than this, in standard deviations of the
        posterior.
    max_iter
        Most Newton steps.

    Attributes
    ----------
    scorecard_ : Scorecard
        The fitted tables, in the order of the columns.
    intercept_ : float
        Log-odds before any feature is known.
    classes_ : ndarray of shape (2,)
        The labels, sorted; scores speak for the second. Labels that are all 0 or all 1 (or
        truth values) stand for [0, 1].
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if they are texts. Else tables are named x0, x1, ...
    n_iter_ : int
        Newton steps taken; 0 where the prior was returned.

    Examples
    --------
    >>> import pandas as pd
    >>> firms = pd.DataFrame({"staff": [5, 80, 300, None], "role": ["trade", "maker"] * 2})
    >>> card = AdditiveCard(directions={"staff": 1}).fit(firms, [0, 1, 1, 0])
    >>> card.predict(firms)
    array([0, 1, 1, 0])
    >>> added = card.contributions(firms)
    >>> bool(np.allclose(card.intercept_ + added.sum(axis=1), card.decision_function(firms)))
    True
    """

    def __init__(
        self,
        *,
        prior: Scorecard | None = None,
        directions: Mapping[str, int] | None = None,
        max_bins: int = 64,
        trend_width: float = 1.0,
        step_width: float = 1.0,
        level_width: float = 0.5,
        unknown_width: float = 0.5,
        intercept_width: float = 1.0,
        rare_count: float = 2,
        tol: float = 1e-8,
        max_iter: int = 200,
    ) -> None:
        self.prior = prior
        self.directions = directions
        self.max_bins = max_bins
        self.trend_width = trend_width
        self.step_width = step_width
        self.level_width = level_width
        self.unknown_width = unknown_width
        self.intercept_width = intercept_width
        self.rare_count = rare_count
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: Any, y: ArrayLike | None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the tables.

        Parameters
        ----------
        X
            Frame of columns of numbers, truth values and texts of any dtype, with missing
            values; or an array of shape (n, p).
        y
            Shape (n,), two labels.
        sample_weight
            Shape (n,), not negative. A row of weight 2 is the row twice, one of weight 0 absent.

        Raises
        ------
        ValueError
            If a column that the prior lists is absent, the prior runs against a direction, the
            labels are not two, or a setting is out of range.
        """
        widths = self._checked_settings()
        least_rows = 1 if self.prior is None else 0
        features = checked_features(self, X, reset=True, least_rows=least_rows)
        outcomes = checked_outcomes(features.data, y, sample_weight, least_rows=least_rows)
        tables = self._prior_tables(features)
        directions = self._checked_directions(tables)
        self.classes_ = outcomes.classes
        intercept = _base_log_odds(outcomes) if self.prior is None else self.prior.intercept
        self.scorecard_, self.n_iter_ = Scorecard(intercept, tables), 0
        counts = outcomes.weight > 0
        if counts.any():
            columns = [column[counts] for column in features.columns]
            weight = outcomes.weight[counts]
            blocks = [
                make_block(
                    table,
                    column,
                    weight,
                    directions.get(table.feature, 0),
                    self.max_bins,
                    self.rare_count,
                )
                for table, column in zip(tables, columns, strict=True)
            ]
            self._optimise(Objective(blocks, outcomes.target[counts], weight, intercept, widths))
        self.intercept_ = self.scorecard_.intercept
        return self

    def _optimise(self, objective: Objective) -> None:
        minimum = minimise(objective, self.tol, self.max_iter)
        if not minimum.converged:
            msg = (
                f"After {minimum.n_iter} Newton steps the optimum is still {minimum.decrement:.1e} "
                f"standard deviations away, not {self.tol:.1e}; raise max_iter or tol."
            )
            warnings.warn(msg, ConvergenceWarning, stacklevel=3)
        self.scorecard_ = objective.scorecard(minimum.vector)
        self.n_iter_ = minimum.n_iter

    def _prior_tables(self, features: Features) -> tuple[Table, ...]:
        """Return the prior's table of each column, in the order of the columns."""
        listed = {} if self.prior is None else {t.feature: t for t in self.prior.tables}
        absent = [name for name in listed if name not in features.names]
        if absent:
            msg = f"The prior lists columns that are not there: {', '.join(absent)}."
            raise ValueError(msg)
        return tuple(
            listed.get(name) or _zero_table(name, column)
            for name, column in zip(features.names, features.columns, strict=True)
        )

    def _checked_directions(self, tables: tuple[Table, ...]) -> Mapping[str, int]:
        directions = self.directions or {}
        names = {table.feature for table in tables}
        for name, direction in directions.items():
            if name not in names or direction not in (-1, 0, 1):
                msg = f"A direction is -1, 0 or 1 for a column, not {direction!r} for {name!r}."
                raise ValueError(msg)
        for table in tables:
            check_direction(table, directions.get(table.feature, 0))
        return directions

    def _checked_settings(self) -> Widths:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not least <= value < math.inf:
                msg = f"{name} must be finite and at least {least:g}, not {value!r}."
                raise ValueError(msg)
        return Widths(
            trend=self.trend_width,
            step=self.step_width,
            level=self.level_width,
            unknown=self.unknown_width,
            intercept=self.intercept_width,
        )


_TINY = 1e-3  # narrower than this, a prior can't be told from a fixed value
_LEAST = {
    "trend_width": 0.0,
    "step_width": _TINY,
    "level_width": _TINY,
    "unknown_width": _TINY,
    "intercept_width": _TINY,
    "rare_count": 0.0,
    "max_bins": 2,
    "max_iter": 1,
    "tol": 0.0,
}


def _base_log_odds(outcomes: Outcomes) -> float:
    positive = float(outcomes.weight @ outcomes.target)
    negative = float(outcomes.weight.sum()) - positive
    return math.log((positive + 0.5) / (negative + 0.5))


def _zero_table(name: str, column: Column) -> Table:
    if holds_numbers(column, name):
        return NumericTable(name, np.zeros(0), np.zeros(1), 0.0)
    return CategoricalTable(name, (), np.zeros(0), 0.0, 0.0)
