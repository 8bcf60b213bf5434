"""A fitted model as it scores: features and card, in plain tables.

A module of its own: scoring imports neither scikit-learn nor scipy, which take most of the start
of a command. `leadscore.learning.AdditiveCard` fits what is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.city.profile import City
from leadscore.features.extract import FeatureExtractor
from leadscore.learning.scorecard import (
    Codes,
    Floats,
    PointsCard,
    Scorecard,
    Table,
    card_frame,
    columns_of,
    probability,
    with_entries,
)
from leadscore.registry.manifest import AverageFirm

MOST_NUMBERS = 4000
"""Free numbers of a card that keeps how sure it is; more take minutes to invert, and hundreds of
MB."""

_CHUNK = 256  # rows, of which all pairs of entries fit into the caches
_ROUNDING = 1e-6  # relative, of float32
_TINY = 1e-3


@dataclass(frozen=True, eq=False)
class Posterior:
    """The covariance of a card's entries, by the curvature at its optimum (Laplace).

    Of the intercept and then of all tables' entries, those of each table from its place in
    ``starts`` on. As float32, for nobody reads the eighth digit of a doubt.
    """

    covariance: npt.NDArray[np.float32]
    starts: Codes

    def deviations(self, codes: Sequence[Codes | list[int]], n: int) -> Floats:
        """Return the standard deviation of the log-odds of n rows, given their codes by table."""
        variance = np.empty(n)
        flat, size = self.covariance.ravel(), len(self.covariance)
        first, second = _pairs(len(codes))
        by_table = np.array(codes, dtype=np.intp).reshape(len(codes), n)
        places = np.ascontiguousarray((by_table.T + self.starts).astype(np.intp))
        for begin in range(0, n, _CHUNK):
            rows = places[begin : begin + _CHUNK]
            own, shared = rows * (size + 1), rows[:, first] * size + rows[:, second]
            covariances = (flat[cells].sum(axis=1, dtype=np.float64) for cells in (rows, shared))
            total = float(flat[0]) + flat[own].sum(axis=1, dtype=np.float64)
            variance[begin : begin + _CHUNK] = total + 2.0 * sum(covariances)
        return np.sqrt(np.maximum(variance, 0.0))

    def draws(self, n: int, random: np.random.Generator) -> Iterator[Floats]:
        """Yield n plausible changes of the intercept and all entries."""
        values, vectors = np.linalg.eigh(self.covariance.astype(np.float64))
        root = vectors * np.sqrt(np.maximum(values, values[-1] * _ROUNDING))
        for _ in range(n):
            yield root @ random.standard_normal(len(values))


@dataclass(frozen=True, eq=False)
class FittedCard:
    """A fitted card: its tables, and how sure each of their entries is.

    A score speaks for the second of ``classes``. ``directions`` are 1 or -1 where the log-odds may
    not fall or rise along a feature. ``posterior`` is None with more than `MOST_NUMBERS` free
    numbers; ``counts`` and ``positives`` are the weight of the rows, and of those of the second
    class, in all and behind each entry. ``average`` is None of a model that was saved by a program
    which counted points from a firm about which every table says 0.
    """

    scorecard: Scorecard
    classes: npt.NDArray[Any]
    directions: Mapping[str, int] = field(default_factory=dict)
    posterior: Posterior | None = None
    counts: Floats = field(default_factory=lambda: np.empty(0))
    positives: Floats = field(default_factory=lambda: np.empty(0))
    average: AverageFirm | None = None

    @cached_property
    def points_card(self) -> PointsCard:
        """The card in points, counted from its average firm."""
        return PointsCard(self.scorecard, self.average.points if self.average else {})

    def predict_interval(self, X: pd.DataFrame | npt.NDArray[Any], level: float = 0.9) -> Floats:
        """See `AdditiveCard.predict_interval`; a frame's columns are found by name."""
        card, n = self.scorecard, len(X)
        named = isinstance(X, pd.DataFrame) and set(card.features) <= set(X)
        columns = columns_of(X[list(card.features)] if named else X)
        codes = [table.codes(column) for table, column in zip(card.tables, columns, strict=True)]
        return self._interval(codes, card.total(card.lookup_columns(columns, n)), level)

    def record_intervals(self, records: Sequence[Sequence[object]], level: float = 0.9) -> Floats:
        """Do as `predict_interval` for few rows, each as values in the order of the tables."""
        card = self.scorecard
        codes = [
            [table.code(values[j]) for values in records] for j, table in enumerate(card.tables)
        ]
        added = np.array([card.lookup_record(values) for values in records])
        return self._interval(codes, card.total(added), level)

    def _interval(
        self, codes: Sequence[Codes | list[int]], log_odds: Floats, level: float
    ) -> Floats:
        if not 0.0 < level < 1.0:
            msg = f"level must lie between 0 and 1, not {level!r}."
            raise ValueError(msg)
        half = _half_width(level) * self._known().deviations(codes, len(log_odds))
        return np.column_stack([probability(log_odds - half), probability(log_odds + half)])

    def sample_cards(self, n: int, random_state: int | None = None) -> list[Scorecard]:
        """Return n plausible cards; see `leadscore.learning.AdditiveCard.sample_cards`."""
        random = np.random.default_rng(random_state)
        return [self._moved(change) for change in self._known().draws(n, random)]

    def to_frame(self, level: float = 0.9) -> pd.DataFrame:
        """Return the card entry by entry; see `leadscore.learning.AdditiveCard.to_frame`."""
        variance = np.diag(self._known().covariance).astype(np.float64)
        doubt = _half_width(level) * np.sqrt(np.maximum(variance, 0.0))
        return card_frame(self.scorecard, doubt, self.counts, self.positives)

    def _known(self) -> Posterior:
        if self.posterior is None:
            msg = (
                f"With more than {MOST_NUMBERS} free numbers a card does not keep how sure it is; "
                "lower max_bins, raise rare_count, or leave columns out."
            )
            raise ValueError(msg)
        return self.posterior

    def _moved(self, change: Floats) -> Scorecard:
        # Late, for start-up time: whoever scores draws no cards.
        from scipy.optimize import isotonic_regression

        card, at = self.scorecard, 1
        moved: list[Table] = []
        for table in card.tables:
            entries = table.entries + change[at : at + len(table.entries)]
            direction = self.directions.get(table.feature, 0)
            if direction:
                weight = self.counts[at : at + len(entries) - 1] + _TINY
                rising = isotonic_regression(direction * entries[:-1], weights=weight).x
                entries[:-1] = direction * rising
            moved.append(with_entries(table, entries))
            at += len(entries)
        return Scorecard(card.intercept + float(change[0]), tuple(moved))


@dataclass(frozen=True, eq=False)
class Model:
    """What scores firms, and what is saved of a training: features, and what they are worth."""

    features: FeatureExtractor
    card: FittedCard

    @property
    def city(self) -> City:
        """The city profile that the features are measured by."""
        return self.features.city

    def decision_function(self, firms: pd.DataFrame) -> Floats:
        """Return the log-odds of n firms, canonical columns and ``as_of``; shape (n,)."""
        return self.card.scorecard.decision(self.features.transform(firms))


@cache
def _pairs(tables: int) -> tuple[Codes, Codes]:
    first, second = np.triu_indices(tables, 1)
    return first, second


@cache
def _half_width(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2.0)
