"""The additive card as a scikit-learn classifier: one table per feature, held by a prior."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)
from threadpoolctl import threadpool_limits

from leadscore.learning.fitting import Minimum, Objective, chosen_widths, minimise, posterior_at
from leadscore.learning.layout import Block, Widths, held_by_prior, make_block
from leadscore.learning.model import MOST_NUMBERS, FittedCard
from leadscore.learning.scorecard import (
    CategoricalTable,
    Column,
    Floats,
    NumericTable,
    Scorecard,
    Table,
    columns_of,
    holds_numbers,
    probability,
)


def _checked_features(
    estimator: BaseEstimator, X: Any, *, reset: bool, least_rows: int = 0
) -> tuple[list[str], pd.DataFrame | NDArray[Any]]:
    # The names of the columns, and a frame as it is or anything else as an array of shape (n, p).
    # Raises what scikit-learn does: too few rows or columns, sparse or complex input, other columns
    # than at fit.
    if isinstance(X, pd.DataFrame):
        X = validate_data(estimator, X, reset=reset, skip_check_array=True)
        for count, what, least in zip(X.shape, ("sample", "feature"), (least_rows, 1), strict=True):
            if count < least:
                msg = (
                    f"Found array with {count} {what}(s) (shape={X.shape}) "
                    f"while a minimum of {least} is required by {type(estimator).__name__}."
                )
                raise ValueError(msg)
    else:
        accepted = {"dtype": None, "ensure_all_finite": False, "ensure_min_samples": least_rows}
        X = validate_data(estimator, X, reset=reset, **accepted)
    if hasattr(estimator, "feature_names_in_"):
        return list(estimator.feature_names_in_), X
    return [f"x{j}" for j in range(X.shape[1])], X


def _checked_outcomes(
    X: pd.DataFrame | NDArray[Any],
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    least_rows: int,
) -> tuple[NDArray[Any], Floats, Floats]:
    # Both labels, 1.0 where a row has the second, and the weights; none need be there if the least
    # number of rows is 0.
    if y is None:
        msg = "The card requires y to be passed, but the target y is None."
        raise ValueError(msg)
    labels = column_or_1d(y, warn=True)
    check_consistent_length(X, labels)
    if not len(labels):
        return np.array([0, 1]), np.empty(0), np.empty(0)
    assert_all_finite(labels, input_name="y")
    weight = _check_sample_weight(
        sample_weight, labels, dtype=np.float64, ensure_non_negative=True,
        allow_all_zero_weights=least_rows == 0,
    )  # fmt: skip
    classes = _two_classes(labels, weight > 0)
    return classes, (labels == classes[1]).astype(np.float64), weight


def _two_classes(labels: NDArray[Any], counts: NDArray[np.bool_]) -> NDArray[Any]:
    check_classification_targets(labels)
    seen = np.unique(labels[counts])
    if len(seen) > 2:
        msg = (
            "Only binary classification is supported. The type of the target "
            f"is {type_of_target(labels)}."
        )
        raise ValueError(msg)
    if len(seen) == 2:
        return seen
    named = np.unique(labels)  # a row without weight still names its class
    if len(named) == 2:
        return named
    zero_one = np.array([0, 1]).astype(labels.dtype)
    if not np.isin(seen, zero_one).all():
        msg = f"With one class only, label it 0 or 1, not {seen[0]!r}: the other has no name."
        raise ValueError(msg)
    return zero_one


class AdditiveCard(ClassifierMixin, BaseEstimator):
    """Additive logistic regression on tables, each pulled towards what a prior card says.

    The log-odds of the second class are an intercept plus one table per feature. A feature of
    numbers (truth values among them) has a trend plus steps between bins, a feature of texts an
    entry per level and one for all others, and each an entry for missing values. All are fitted
    at once by penalised maximum likelihood with Gaussian priors around ``prior``. The problem
    is convex: the optimum depends neither on the order of rows nor on a seed.

    With a prior, ``fit`` takes any number of rows; with none it returns the prior itself. The
    widths say how far the data may move the prior; what is given is where the choice begins, and
    the data choose them by the evidence (`leadscore.learning.fitting`), unless told not
    to.

    Parameters
    ----------
    prior
        The card to start from. Features that it does not list start at zero. None: all start at
        zero, and the intercept at the log-odds of the data, half a case added to either class.
    prior_strength
        For how many outcomes the prior's word counts. The widths are narrowed accordingly for
        the features that the prior lists; the more the outcomes contradict it, the less. None
        leaves the widths as they are.
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
    choose_widths
        Whether the data choose the widths; they expect the given ones.
    rare_count
        A level of less weight than this, unless the prior lists it, joins the others.
    tol, max_iter
        The search ends when the optimum is nearer than ``tol`` standard deviations of the
        posterior, or after so many Newton steps.

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
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if they are texts. Else tables are named x0, x1, ...
    n_iter_ : int
        Newton steps taken; 0 where the prior was returned.
    widths_ : leadscore.learning.layout.Widths
        The widths of the last fit.
    posterior_ : leadscore.learning.model.Posterior or None
        How sure each entry is; None with more than 4,000 free numbers.
    counts_, positives_ : ndarray of shape (1 + number of entries,)
        Weight of the rows, and of those of the second class, in all and behind each entry in
        the order of `to_frame`.

    Examples
    --------
    >>> import pandas as pd
    >>> firms = pd.DataFrame({"staff": [5, 80, 300, None] * 9, "role": ["trade", "maker"] * 18})
    >>> card = AdditiveCard(directions={"staff": 1}).fit(firms, [0, 1, 1, 0] * 9)
    >>> card.predict(firms[:4])
    array([0, 1, 1, 0])
    >>> added = card.contributions(firms)
    >>> bool(np.allclose(card.intercept_ + added.sum(axis=1), card.decision_function(firms)))
    True
    """

    def __init__(
        self,
        *,
        prior: Scorecard | None = None,
        prior_strength: float | None = 50.0,
        directions: Mapping[str, int] | None = None,
        max_bins: int = 64,
        trend_width: float = 1.0,
        step_width: float = 1.0,
        level_width: float = 0.5,
        unknown_width: float = 0.5,
        intercept_width: float = 1.0,
        choose_widths: bool = True,
        rare_count: float = 2,
        tol: float = 1e-8,
        max_iter: int = 200,
    ) -> None:
        self.prior = prior
        self.prior_strength = prior_strength
        self.directions = directions
        self.max_bins = max_bins
        self.trend_width = trend_width
        self.step_width = step_width
        self.level_width = level_width
        self.unknown_width = unknown_width
        self.intercept_width = intercept_width
        self.choose_widths = choose_widths
        self.rare_count = rare_count
        self.tol = tol
        self.max_iter = max_iter

    def fit(
        self,
        X: Any,
        y: ArrayLike | None,
        sample_weight: ArrayLike | None = None,
        stand_ins: ArrayLike | None = None,
    ) -> Self:
        """Fit the tables to n rows of numbers, truth values and texts, and their two labels.

        ``X`` is a frame, with missing values, or an array of shape (n, p). A row of weight 2 is the
        row twice, one of weight 0 absent. ``stand_ins``, shape (n, p), are log-odds that count in
        the place of a cell whatever the table says of it, which learns nothing from it; missing
        where the cell counts. A ValueError if a column that the prior lists is absent, the prior
        runs against a direction, the labels are not two, or a setting is out of range.
        """
        widths = self._checked_settings()
        least_rows = 1 if self.prior is None else 0
        names, X = _checked_features(self, X, reset=True, least_rows=least_rows)
        self.classes_, target, weight = _checked_outcomes(X, y, sample_weight, least_rows)
        columns = columns_of(X)
        tables = self._prior_tables(names, columns)
        self._check_directions(tables)
        counts = weight > 0
        columns = [column[counts] for column in columns]
        instead = None
        if stand_ins is not None:
            instead = np.asarray(stand_ins, dtype=np.float64)[counts]
            by_name = dict(zip(names, instead.T, strict=True))
            instead = np.array([by_name[table.feature] for table in tables]).reshape(
                len(tables), len(instead)
            )
        # The matrices are small: more threads would spend their time waiting for each other.
        with threadpool_limits(limits=1):
            self._solve(tables, columns, target[counts], weight[counts], widths, instead)
        return self

    def _solve(
        self,
        tables: Sequence[Table],
        columns: Sequence[Column],
        target: Floats,
        weight: Floats,
        widths: Widths,
        stand_ins: Floats | None,
    ) -> None:
        offset = 0.0 if stand_ins is None else np.nansum(stand_ins, axis=0)
        asked = [None] * len(tables) if stand_ins is None else [*np.isnan(stand_ins)]
        intercept = _log_odds(target, weight) if self.prior is None else self.prior.intercept

        def blocks_of(max_bins: int) -> list[Block]:
            signs = self.directions or {}
            blocks = [
                make_block(
                    table, column, weight, signs.get(table.feature, 0), max_bins, self.rare_count
                )
                for table, column in zip(tables, columns, strict=True)
            ]
            return [
                block if rows is None or rows.all() else replace(block, asked=rows)
                for block, rows in zip(blocks, asked, strict=True)
            ]

        def objective_of(blocks: Sequence[Block], widths: Widths) -> Objective:
            return Objective(blocks, target, weight, intercept, widths, offset)

        # Widths mean the same whatever the bins, so that few bins are enough to choose them.
        coarse = blocks_of(min(self.max_bins, _COARSE))
        if self.prior is not None and self.prior_strength is not None:
            features = {table.feature for table in self.prior.tables}
            listed = [table.feature in features for table in tables]
            start = intercept + offset if len(target) else intercept
            widths = held_by_prior(widths, self.prior_strength, coarse, start, weight, listed)
        objective = objective_of(coarse, widths)
        wider = widths  # to tell uncertainty by
        if len(target) and self.choose_widths and objective.layout.size <= MOST_NUMBERS:
            widths, wider = chosen_widths(objective, coarse, widths)
        blocks = blocks_of(self.max_bins)
        objective = objective_of(blocks, widths)
        # Without outcomes the prior itself is the optimum.
        optimum = Minimum(np.zeros(objective.layout.size), 0, 0.0, converged=True)
        if len(target):
            optimum = minimise(objective, self.tol, self.max_iter)
        if not optimum.converged:
            msg = (
                f"After {optimum.n_iter} Newton steps the optimum is still {optimum.decrement:.1e} "
                f"standard deviations away, not {self.tol:.1e}; raise max_iter or tol."
            )
            warnings.warn(msg, ConvergenceWarning, stacklevel=3)
        self.scorecard_, self.n_iter_ = objective.scorecard(optimum.vector), optimum.n_iter
        self.intercept_, self.widths_ = self.scorecard_.intercept, widths
        uncertain = objective_of(blocks, wider)
        few = uncertain.layout.size <= MOST_NUMBERS
        self.posterior_ = posterior_at(uncertain, optimum.vector) if few else None
        self.counts_ = _summed(weight, blocks)
        self.positives_ = _summed(weight * target, blocks)

    def decision_function(self, X: Any) -> Floats:
        """Return the log-odds of the second class, shape (n,)."""
        added = self.contributions(X)
        return self.scorecard_.total(added)

    def predict_proba(self, X: Any) -> Floats:
        """Return the probabilities of both classes, shape (n, 2), each 0..1."""
        log_odds = self.decision_function(X)
        return np.column_stack([probability(-log_odds), probability(log_odds)])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likelier label of each row, shape (n,); the first if both are."""
        second = self.decision_function(X) > 0
        return self.classes_[second.astype(np.intp)]

    def contributions(self, X: Any) -> Floats:
        """Return what each column adds to the log-odds, shape (n, n_features_in_).

        `decision_function` is the intercept plus these, added from left to right.
        """
        X = self._checked(X)
        return self.scorecard_.lookup_columns(columns_of(X), len(X))

    def predict_interval(self, X: Any, level: float = 0.9) -> Floats:
        """Return between which probabilities of the second class the truth plausibly lies.

        Lower and upper ends, shape (n, 2), with this share of the posterior between them, by the
        curvature at the optimum; the less was learned about such a row, the wider.
        """
        return self.fitted().predict_interval(self._checked(X), level)

    def sample_cards(self, n: int, random_state: int | None = None) -> list[Scorecard]:
        """Return n plausible cards, drawn from the posterior.

        A known direction holds in each: its draws are moved to the nearest table that keeps it
        (after Dunson and Neelon 2003, Biometrics 59:286).
        """
        return self.fitted().sample_cards(n, random_state)

    def to_frame(self, level: float = 0.9) -> pd.DataFrame:
        """Return the card entry by entry, with bands and with the counts behind them.

        Columns: ``feature``; ``kind`` (intercept, numeric, categorical); ``entry`` (band or level,
        other, unknown); ``low`` and ``high``, the edges of a band, else missing; ``log_odds``;
        ``points`` with the ends of their band ``points_low`` and ``points_high``; ``count`` and
        ``positives``, weights of the rows behind the entry. The intercept holds the points of the
        bin with a feature's median, so that they have no band.
        """
        return self.fitted().to_frame(level)

    def fitted(self) -> FittedCard:
        """Return what was fitted, in plain tables: what a model is saved as and scores by."""
        check_is_fitted(self)
        return FittedCard(
            scorecard=self.scorecard_, classes=self.classes_, directions=self.directions or {},
            posterior=self.posterior_, counts=self.counts_, positives=self.positives_,
        )  # fmt: skip

    def _checked(self, X: Any) -> pd.DataFrame | NDArray[Any]:
        check_is_fitted(self)
        return _checked_features(self, X, reset=False)[1]

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn: two classes only; texts and missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def _prior_tables(self, names: list[str], columns: Sequence[Column]) -> list[Table]:
        # The prior's table of each column, in the order of the columns.
        listed = {} if self.prior is None else {t.feature: t for t in self.prior.tables}
        absent = [name for name in listed if name not in names]
        if absent:
            msg = f"The prior lists columns that are not there: {', '.join(absent)}."
            raise ValueError(msg)
        pairs = zip(names, columns, strict=True)
        return [listed.get(name) or _zero_table(name, column) for name, column in pairs]

    def _check_directions(self, tables: Sequence[Table]) -> None:
        directions = self.directions or {}
        names = {table.feature for table in tables}
        for name, direction in directions.items():
            if name not in names or direction not in (-1, 0, 1):
                msg = f"A direction is -1, 0 or 1 for a column, not {direction!r} for {name!r}."
                raise ValueError(msg)
        for table in tables:
            direction = directions.get(table.feature, 0)
            if not direction:
                continue
            if not isinstance(table, NumericTable):
                name = table.feature
                msg = f"Column {name!r} is a feature of texts, which can't have a direction."
                raise ValueError(msg)  # noqa: TRY004 (the setting is wrong, not a type)
            rising = direction * np.diff(table.values)
            if (rising < 0).any():
                at = table.edges[np.argmin(rising)]
                msg = (
                    f"The prior of {table.feature!r} runs against its direction {direction:+d} "
                    f"at the edge {at!s}; change the prior or the direction."
                )
                raise ValueError(msg)

    def _checked_settings(self) -> Widths:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if name == "prior_strength" and value is None:
                continue
            if not least <= value < math.inf:
                msg = f"{name} must be finite and at least {least:g}, not {value!r}."
                raise ValueError(msg)
        return Widths(
            self.trend_width, self.step_width, self.level_width, self.unknown_width,
            self.intercept_width,
        )  # fmt: skip


_TINY = 1e-3  # narrower than this, a prior can't be told from a fixed value
_LEAST = {
    "trend_width": 0.0, "step_width": _TINY, "level_width": _TINY, "unknown_width": _TINY,
    "intercept_width": _TINY, "rare_count": 0.0, "prior_strength": _TINY, "max_bins": 2,
    "max_iter": 1, "tol": 0.0,
}  # fmt: skip


_COARSE = 16  # bins that are enough to choose widths by


def _summed(amounts: Floats, blocks: Sequence[Block]) -> Floats:
    # The sum of the rows' amounts, in all and then by entry of each feature.
    sums = [block.count(amounts) for block in blocks]
    return np.concatenate([[amounts.sum()], *sums])


def _log_odds(target: Floats, weight: Floats) -> float:
    positive = float(weight @ target)
    return math.log((positive + 0.5) / (float(weight.sum()) - positive + 0.5))


def _zero_table(name: str, column: Column) -> Table:
    if holds_numbers(column, name):
        return NumericTable(name, np.zeros(0), np.zeros(1), 0.0)
    return CategoricalTable(name, (), np.zeros(0), 0.0, 0.0)
