"""Checks what a card is given to learn from once, at the door, as scikit-learn's users expect."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, validate_data

from leadscore.learning.tables.columns import Column, Floats, columns_of


@dataclass(frozen=True)
class Features:
    """What an estimator was given to look at.

    Attributes
    ----------
    names
        What the tables of the columns go by.
    data
        A frame as it came, or an array, of shape (n, number of names).
    """

    names: list[str]
    data: pd.DataFrame | NDArray[Any]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.data)

    @cached_property
    def columns(self) -> list[Column]:
        """The columns in the order of the names."""
        return columns_of(self.data)

    @property
    def frame(self) -> pd.DataFrame | None:
        """The frame, if its columns bear the names."""
        if isinstance(self.data, pd.DataFrame) and list(self.data.columns) == self.names:
            return self.data
        return None


class Outcomes(NamedTuple):
    """What became of the rows.

    Attributes
    ----------
    classes
        Shape (2,): the label that a score speaks against, and the one that it speaks for.
    target
        Shape (n,), 1.0 for the second class, else 0.0.
    weight
        Shape (n,), not negative.
    """

    classes: NDArray[Any]
    target: Floats
    weight: Floats


def checked_features(
    estimator: BaseEstimator, X: Any, *, reset: bool, least_rows: int = 0
) -> Features:
    """Take in a frame as it is, and anything else as an array of shape (n, p).

    Raises
    ------
    ValueError, TypeError
        As scikit-learn does: too few rows or columns, sparse or complex input, other columns
        than at fit.
    """
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
        X = validate_data(
            estimator,
            X,
            reset=reset,
            dtype=None,
            ensure_all_finite=False,
            ensure_min_samples=least_rows,
        )
    if hasattr(estimator, "feature_names_in_"):
        return Features(list(estimator.feature_names_in_), X)
    return Features([f"x{j}" for j in range(X.shape[1])], X)


def checked_outcomes(
    X: pd.DataFrame | NDArray[Any],
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    *,
    least_rows: int = 1,
) -> Outcomes:
    """Turn labels into 0 and 1, and weights into floats.

    Parameters
    ----------
    X
        Shape (n, p), checked.
    y, sample_weight
        As given to ``fit``.
    least_rows
        If 0, it is all right that no row is there or has weight.

    Raises
    ------
    ValueError
        If the labels are not two, or one alone that is neither 0 nor 1; if a weight is negative.
    """
    if y is None:
        msg = "The card requires y to be passed, but the target y is None."
        raise ValueError(msg)
    labels = column_or_1d(y, warn=True)
    check_consistent_length(X, labels)
    if not len(labels):
        return Outcomes(np.array([0, 1]), np.empty(0), np.empty(0))
    assert_all_finite(labels, input_name="y")
    weight = _check_sample_weight(
        sample_weight,
        labels,
        dtype=np.float64,
        ensure_non_negative=True,
        allow_all_zero_weights=least_rows == 0,
    )
    classes = _two_classes(labels, weight > 0)
    return Outcomes(classes, (labels == classes[1]).astype(np.float64), weight)


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
