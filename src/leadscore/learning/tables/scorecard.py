"""The compiled card: an intercept and one table per feature, so that scoring is look-ups only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from leadscore.errors import Detail, ModelError
from leadscore.language import Text
from leadscore.learning.tables.columns import Column, Floats
from leadscore.learning.tables.entries import (
    CategoricalTable,
    NumericTable,
    PairTable,
    Plain,
    finite,
    require,
)

__all__ = [
    "POINTS_PER_DOUBLING",
    "CategoricalTable",
    "NumericTable",
    "Scorecard",
    "Table",
    "card_frame",
    "entries_of",
    "log_odds_to_points",
    "points_to_log_odds",
    "probability",
    "with_entries",
]

POINTS_PER_DOUBLING = 20.0
SCHEMA = 1

Table: TypeAlias = NumericTable | CategoricalTable
_Number = TypeVar("_Number", float, Floats)

# Up to so many rows, going row by row through plain lists beats going column by column.
_FEW_ROWS = 16


def log_odds_to_points(log_odds: _Number) -> _Number:
    """Scale log-odds so that 20 points double the odds.

    >>> round(log_odds_to_points(math.log(2.0)), 9)
    20.0
    """
    return log_odds * (POINTS_PER_DOUBLING / math.log(2.0))


def points_to_log_odds(points: _Number) -> _Number:
    """Scale points back to log-odds.

    >>> round(math.exp(points_to_log_odds(40.0)), 9)
    4.0
    """
    return points * (math.log(2.0) / POINTS_PER_DOUBLING)


def probability(log_odds: Floats) -> Floats:
    """Return the logistic function, without overflow and precise near zero.

    >>> probability(np.array([-800.0, 0.0, 800.0]))
    array([0. , 0.5, 1. ])
    """
    return np.exp(-np.logaddexp(0.0, -log_odds))


@dataclass(frozen=True, eq=False)
class Scorecard(Plain):
    """An intercept and one table per feature; a score is their sum, in log-odds.

    Looking up changes nothing, so that threads may share a card.

    Attributes
    ----------
    intercept
        Log-odds before any feature is known.
    tables
        At most one for a feature; their order is the order of the columns of `lookup`.
    pairs
        What two features that have tables add together, in cards of earlier programs; their columns
        follow.
    """

    intercept: float
    tables: tuple[Table, ...]
    pairs: tuple[PairTable, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two tables for one feature, and pairs of features without a table."""
        tables, pairs = tuple(self.tables), tuple(self.pairs)
        names = {table.feature for table in tables}
        paired = {name for pair in pairs for name in pair.features}
        require(paired <= names, "scorecard", "a table for each feature of a pair")
        require(len(names) == len(tables), "scorecard", "features that differ")
        require(finite(self.intercept), "scorecard", "a finite intercept")
        vars(self).update(intercept=float(self.intercept), tables=tables, pairs=pairs)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Names of the features in the order of the tables."""
        return tuple(table.feature for table in self.tables)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the columns of `lookup` are called: features, then pairs of them."""
        return (*self.features, *(pair.feature for pair in self.pairs))

    @cached_property
    def _paired(self) -> tuple[tuple[PairTable, int, int], ...]:
        """The pairs, each with the positions of its two columns."""
        place = {name: j for j, name in enumerate(self.features)}
        return tuple(
            (pair, place[pair.features[0]], place[pair.features[1]]) for pair in self.pairs
        )

    def lookup(self, X: pd.DataFrame) -> Floats:
        """Return what each feature (and then each pair) adds, in log-odds.

        The shape is (n, number of tables + number of pairs).

        Columns are found by name and others ignored. A missing value gets the entry of the
        unknown, a level without an entry that of the others.

        Raises
        ------
        ValueError
            If a column is absent or stands there twice, or a feature of numbers holds a text.
        """
        chosen = self._choose(X)
        if len(X) > _FEW_ROWS:
            return self.lookup_columns([column for _, column in chosen.items()], len(X))
        rows = [self.lookup_record(chosen.iloc[i].tolist()) for i in range(len(X))]
        return np.array(rows, dtype=np.float64).reshape(len(X), len(self.tables) + len(self.pairs))

    def lookup_columns(self, columns: Iterable[Column], n: int) -> Floats:
        """Do as `lookup`, on columns of length ``n`` in the order of the tables."""
        added = np.empty((n, len(self.tables) + len(self.pairs)), order="F")
        for j, values in enumerate(self._added(columns)):
            added[:, j] = values
        return added

    def lookup_record(self, values: Sequence[object]) -> list[float]:
        """Do as `lookup` for one row, given as values in the order of the tables.

        The fast way for a single firm: no frame is made.
        """
        added = [t.lookup_value(value) for t, value in zip(self.tables, values, strict=True)]
        added += [pair.lookup_value(values[i], values[j]) for pair, i, j in self._paired]
        return added

    def decision(self, X: pd.DataFrame) -> Floats:
        """Return the log-odds of each row, shape (n,): intercept plus the sum of `lookup`."""
        if len(X) <= _FEW_ROWS:
            return self.total(self.lookup(X))
        return self.decision_columns([column for _, column in self._choose(X).items()], len(X))

    def decision_columns(self, columns: Iterable[Column], n: int) -> Floats:
        """Do as `decision`, on columns of length ``n`` in the order of the tables."""
        total = np.full(n, self.intercept)
        for values in self._added(columns):
            total += values
        return total

    def _added(self, columns: Iterable[Column]) -> Iterator[Floats]:
        """Yield what each table and then each pair adds to the rows of columns."""
        given = list(columns)
        for table, column in zip(self.tables, given, strict=True):
            yield table.lookup(column)
        for pair, i, j in self._paired:
            yield pair.lookup(given[i], given[j])

    def total(self, added: Floats) -> Floats:
        """Add the intercept and what `lookup` returned, always in the order of the tables.

        A fixed order makes a firm's score the same to the last bit, alone or in a list.
        """
        total = np.full(len(added), self.intercept)
        for column in added.T:
            total += column
        return total

    def _choose(self, X: pd.DataFrame) -> pd.DataFrame:
        names = list(self.features)
        if list(X.columns) == names:
            return X
        absent = [name for name in names if name not in X.columns]
        if absent:
            msg = f"The card needs columns that are not there: {', '.join(absent)}."
            raise ValueError(msg)
        chosen = X.loc[:, names]
        if chosen.shape[1] != len(names):
            twice = sorted(set(X.columns[X.columns.duplicated()]) & set(names))
            msg = f"The card needs each column once; these stand there twice: {', '.join(twice)}."
            raise ValueError(msg)
        return chosen

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain JSON values; `from_dict` gives it back to the last bit."""
        tables = [{"kind": _KIND_OF[type(t)], **t.to_dict()} for t in self.tables]
        plain = {"schema": SCHEMA, "intercept": self.intercept, "tables": tables}
        return {**plain, "pairs": [pair.to_dict() for pair in self.pairs]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scorecard:
        """Build a card from what `to_dict` returned.

        Raises
        ------
        ModelError
            If it is of another schema, lacks a key, or holds what no card can.
        """
        try:
            require(data["schema"] == SCHEMA, "scorecard", f"schema {SCHEMA}")
            tables = tuple(_table(plain) for plain in data["tables"])
            pairs = tuple(PairTable.from_dict(plain) for plain in data.get("pairs", ()))
            return cls(data["intercept"], tables, pairs)
        except (KeyError, TypeError, ValueError) as error:
            got = f"{type(error).__name__}: {error}"
            raise ModelError(_NO_CARD, [Detail("scorecard", got, _A_CARD)]) from error


def _table(plain: Mapping[str, Any]) -> Table:
    fields = dict(plain)
    kind: type[Table] = _KINDS[fields.pop("kind")]
    return kind(**fields)


_KINDS: dict[str, type[Table]] = {"numeric": NumericTable, "categorical": CategoricalTable}
_KIND_OF = {kind: name for name, kind in _KINDS.items()}
_NO_CARD = Text(
    zh="这些数据不是一张完好的评分卡；请换用未损坏的模型文件，或重新生成模型。",
    en="This is not a sound scorecard; use an undamaged model file, or build the model anew.",
)
_A_CARD = Text(zh="本版本写出的评分卡", en="a scorecard as this version writes it")


def card_frame(card: Scorecard, doubt: Floats, counts: Floats, positives: Floats) -> pd.DataFrame:
    """Return one row for the intercept and one for each entry of each table.

    Parameters
    ----------
    card
        The card; of its pairs nothing is listed.
    doubt, counts, positives
        For the intercept and each entry, in the order of the tables: by how much the log-odds may
        be off to either side, weight of the rows, and of those that were positive.
    """
    rows = [_Row("", "intercept", "", np.nan, np.nan, card.intercept)]
    for table in card.tables:
        rows.extend(_rows(table))
    frame = pd.DataFrame(rows)
    frame["points"] = log_odds_to_points(frame["log_odds"].to_numpy())
    frame["points_low"] = log_odds_to_points(frame["log_odds"].to_numpy() - doubt)
    frame["points_high"] = log_odds_to_points(frame["log_odds"].to_numpy() + doubt)
    return frame.assign(count=counts, positives=positives)


def entries_of(table: Table) -> Floats:
    """Return the log-odds of a table's entries, those of other and unknown last."""
    last = [table.unknown] if isinstance(table, NumericTable) else [table.other, table.unknown]
    return np.append(table.values, last)


def with_entries(table: Table, entries: Floats) -> Table:
    """Return the same table with other log-odds, in the order of `entries_of`."""
    if isinstance(table, NumericTable):
        return replace(table, values=entries[:-1], unknown=float(entries[-1]))
    return replace(table, values=entries[:-2], other=float(entries[-2]), unknown=float(entries[-1]))


class _Row(NamedTuple):
    feature: str
    kind: str
    entry: str
    low: float
    high: float
    log_odds: float


def _rows(table: Table) -> Iterator[_Row]:
    names, kind = _entry_names(table), "categorical"
    lows, highs = np.full(len(names), np.nan), np.full(len(names), np.nan)
    if isinstance(table, NumericTable):
        kind, lows[1:-1], highs[:-2] = "numeric", table.edges, table.edges
    for name, low, high, value in zip(names, lows, highs, entries_of(table), strict=True):
        yield _Row(table.feature, kind, name, float(low), float(high), float(value))


def _entry_names(table: Table) -> list[str]:
    if not isinstance(table, NumericTable):
        return [*table.levels, "other", "unknown"]
    edges = [f"{edge:.12g}" for edge in table.edges.tolist()]
    if not edges:
        return ["any", "unknown"]
    between = [f"{low}–{high}" for low, high in pairwise(edges)]
    return [f"< {edges[0]}", *between, f"≥ {edges[-1]}", "unknown"]
