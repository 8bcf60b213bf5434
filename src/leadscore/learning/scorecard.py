"""The compiled card: an intercept and one table per feature, so that scoring is look-ups only."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray

from leadscore.errors import Detail, ModelError
from leadscore.learning.binning import (
    Codes,
    Column,
    Floats,
    coded_texts,
    is_missing,
    number_of,
    numbers,
    text_of,
)
from leadscore.text import room_words

WORDS = room_words("learning")


# A block of numbers, its positions and one temporary fit into the first two caches.
_BLOCK = 8192

_Entry = TypeVar("_Entry", np.float64, np.intp)


def bin_codes(x: Floats, edges: Floats) -> Codes:
    """Return the bin of each number: how many edges lie at or below it.

    Parameters
    ----------
    x
        Shape (n,); NaN and infinities are welcome.
    edges
        Shape (k,), finite and rising.

    Returns
    -------
    Shape (n,); 0..k, and k + 1 for NaN.

    >>> bin_codes(np.array([-np.inf, 1.0, 1.5, np.inf, np.nan]), np.array([1.0, 2.0])).tolist()
    [0, 1, 1, 2, 3]
    """
    entries = np.arange(len(edges) + 2)
    return _search(x, edges, entries)


def lookup_numbers(x: Floats, edges: Floats, entries: Floats) -> Floats:
    """Return the entry of each number's bin; ``entries`` has shape (k + 2,), the last for NaN.

    >>> lookup_numbers(np.array([0.5, np.nan]), np.array([1.0]), np.array([-0.2, 0.3, 0.1]))
    array([-0.2,  0.1])
    """
    return _search(x, edges, entries)


def _search(x: Floats, edges: Floats, entries: NDArray[_Entry]) -> NDArray[_Entry]:
    k = len(edges)
    size = 1 << k.bit_length()  # a power of two above k
    padded = np.full(size, np.inf)
    padded[:k] = edges
    places = np.full(size + 1, entries[k])  # infinity passes the padding and lands past bin k
    places[:k] = entries[:k]
    places[size] = entries[k + 1]
    found = np.empty(len(x), dtype=entries.dtype)
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        at = np.zeros(len(block), dtype=np.intp)
        step = size >> 1
        while step:
            at += (block >= padded[step - 1 :][at]) * step
            step >>= 1
        at[np.isnan(block)] = size
        found[start : start + _BLOCK] = places[at]
    return found


class Plain:
    """Equality, copies and pickles by the declared fields alone, never by what was cached."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, in the order of their declaration."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in self.__getstate__().items()
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Put the fields back, arrays read-only as before."""
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        vars(self).update(state)

    def __eq__(self, other: object) -> bool:
        """Compare field by field, arrays bit by bit in value."""
        if type(self) is not type(other):
            return NotImplemented
        names = self.__dataclass_fields__
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)


@dataclass(frozen=True, eq=False)
class NumericTable(Plain):
    """Log-odds of one feature of numbers, constant between edges.

    Attributes
    ----------
    feature
        Name of the column.
    edges
        Shape (k,), finite and rising, in the feature's unit. The bin of a value is the number
        of edges at or below it, so infinities fall into the outer bins.
    values
        Shape (k + 1,), the log-odds of each bin.
    unknown
        The log-odds of a missing value.
    """

    feature: str
    edges: Floats
    values: Floats
    unknown: float

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what can't be looked up."""
        edges, values = frozen_floats(self.edges), frozen_floats(self.values)
        require(np.isfinite(edges).all(), self.feature, "finite edges")
        require(bool((edges[1:] > edges[:-1]).all()), self.feature, "edges that rise")
        require(len(values) == len(edges) + 1, self.feature, "one value more than edges")
        require(finite(values, self.unknown), self.feature, "finite log-odds")
        vars(self).update(edges=edges, values=values, unknown=float(self.unknown))

    @cached_property
    def entries(self) -> Floats:
        """All log-odds by their code: each bin's, then that of a missing value."""
        return frozen_floats(np.append(self.values, self.unknown))

    def codes(self, column: Column) -> Codes:
        """Return the code of each row's entry, shape (n,)."""
        return bin_codes(numbers(column, self.feature), self.edges)

    def code(self, value: object) -> int:
        """Return the code of a single value, the same that a column of it gets."""
        number = value if type(value) is float else number_of(value, self.feature)
        if number != number:  # NaN
            return len(self.values)
        return bisect_right(self._edges, number)

    def lookup(self, column: Column) -> Floats:
        """Return the log-odds of each row, shape (n,): ``entries[codes(column)]`` in one pass."""
        return lookup_numbers(numbers(column, self.feature), self.edges, self.entries)

    @cached_property
    def _edges(self) -> list[float]:
        edges: list[float] = self.edges.tolist()
        return edges


@dataclass(frozen=True, eq=False)
class CategoricalTable(Plain):
    """Log-odds of one feature of texts, one entry per level.

    Attributes
    ----------
    feature
        Name of the column.
    levels
        The distinct texts that have an entry of their own.
    values
        Shape (number of levels,), their log-odds.
    other
        The log-odds of a level that was rare or never seen.
    unknown
        The log-odds of a missing value.
    """

    feature: str
    levels: tuple[str, ...]
    values: Floats
    other: float
    unknown: float

    def __post_init__(self) -> None:
        """Freeze the array and refuse what can't be looked up."""
        levels, values = tuple(self.levels), frozen_floats(self.values)
        require(all(isinstance(level, str) for level in levels), self.feature, "levels as texts")
        require(len(set(levels)) == len(levels), self.feature, "levels that differ")
        require(len(values) == len(levels), self.feature, "one value for each level")
        require(finite(values, self.other, self.unknown), self.feature, "finite log-odds")
        other, unknown = float(self.other), float(self.unknown)
        vars(self).update(levels=levels, values=values, other=other, unknown=unknown)

    @cached_property
    def entries(self) -> Floats:
        """All log-odds by their code: each level's, that of others, that of a missing value."""
        return frozen_floats(np.append(self.values, [self.other, self.unknown]))

    def codes(self, column: Column) -> Codes:
        """Return the code of each row's entry, shape (n,)."""
        codes, texts = coded_texts(column)
        places = [self._by_level.get(text, len(self.levels)) for text in texts]
        places.append(len(self.levels) + 1)  # the last, where the code -1 of a missing value points
        return np.array(places)[codes]

    def code(self, value: object) -> int:
        """Return the code of a single value, the same that a column of it gets."""
        if type(value) is str:
            return self._by_level.get(value, len(self.levels))
        if is_missing(value):
            return len(self.levels) + 1
        return self._by_level.get(text_of(value), len(self.levels))

    def lookup(self, column: Column) -> Floats:
        """Return the log-odds of each row, shape (n,)."""
        return self.entries[self.codes(column)]

    @cached_property
    def _by_level(self) -> dict[str, int]:
        return {level: code for code, level in enumerate(self.levels)}


@dataclass(frozen=True, eq=False)
class PairTable(Plain):
    """Log-odds of two features together, as cards of earlier programs may have them.

    None is fitted any more (decision 27); a kept card goes on to be looked up.

    Attributes
    ----------
    first, second
        Tables of the two features, of which only the codes count.
    values
        Shape (codes of the first, codes of the second), log-odds.
    """

    first: NumericTable | CategoricalTable
    second: NumericTable | CategoricalTable
    values: Floats

    def __post_init__(self) -> None:
        """Refuse what can't be looked up."""
        shape = len(self.first.entries), len(self.second.entries)
        require(np.shape(self.values) == shape, self.feature, "one value for each two codes")
        require(finite(self.values), self.feature, "finite log-odds")

    @property
    def features(self) -> tuple[str, str]:
        """Names of the two columns."""
        return self.first.feature, self.second.feature

    @property
    def feature(self) -> str:
        """One name for both."""
        return " × ".join(self.features)

    def lookup(self, first: Column, second: Column) -> Floats:
        """Return the log-odds of each row, shape (n,)."""
        return self.values[self.first.codes(first), self.second.codes(second)]

    def lookup_value(self, first: object, second: object) -> float:
        """Return the log-odds of a single row, the same that columns of it get."""
        return float(self.values[self.first.code(first), self.second.code(second)])

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain JSON values; `from_dict` gives it back."""
        axes = {"first": _axis_dict(self.first), "second": _axis_dict(self.second)}
        return {**axes, "values": self.values.tolist()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PairTable:
        """Build a table from what `to_dict` returned."""
        values = np.array(plain["values"], dtype=np.float64)
        return cls(_axis(plain["first"]), _axis(plain["second"]), values)


def _axis(plain: Mapping[str, Any]) -> NumericTable | CategoricalTable:
    """Return a table for its codes."""
    if "edges" in plain:
        bins = np.zeros(len(plain["edges"]) + 1)
        return NumericTable(plain["feature"], plain["edges"], bins, 0.0)
    levels = plain["levels"]
    return CategoricalTable(plain["feature"], levels, np.zeros(len(levels)), 0.0, 0.0)


def _axis_dict(axis: NumericTable | CategoricalTable) -> dict[str, Any]:
    places = "edges" if isinstance(axis, NumericTable) else "levels"
    return {key: value for key, value in axis.to_dict().items() if key in ("feature", places)}


def frozen_floats(values: npt.ArrayLike) -> Floats:
    """Return a read-only copy as floats of one dimension."""
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "biuf":
        msg = f"Numbers were wanted, not {given.dtype}."
        raise ValueError(msg)
    copy = given.reshape(-1).astype(np.float64)
    copy.flags.writeable = False
    return copy


def finite(*values: npt.ArrayLike) -> bool:
    """Tell whether every number is neither NaN nor infinite."""
    return all(bool(np.isfinite(frozen_floats(value)).all()) for value in values)


def require(holds: object, where: str, wanted: str) -> None:
    """Raise a ValueError that names the table and what it must have."""
    if not holds:
        msg = f"The table {where!r} needs {wanted}."
        raise ValueError(msg)


POINTS_PER_DOUBLING = 20.0
POINTS_PER_LOG_ODDS = POINTS_PER_DOUBLING / math.log(2.0)
SCHEMA = 1

Table: TypeAlias = NumericTable | CategoricalTable
_Number = TypeVar("_Number", float, Floats)

# Up to so many rows, going row by row through plain lists beats going column by column.
_FEW_ROWS = 16
_LEAST_LOG_ODDS = -709.0  # exp overflows beyond


def log_odds_to_points(log_odds: _Number) -> _Number:
    """Scale log-odds so that 20 points double the odds.

    >>> round(log_odds_to_points(math.log(2.0)), 9)
    20.0
    """
    return log_odds * POINTS_PER_LOG_ODDS


def points_to_log_odds(points: _Number) -> _Number:
    """Scale points back to log-odds.

    >>> round(math.exp(points_to_log_odds(40.0)), 9)
    4.0
    """
    return points * (math.log(2.0) / POINTS_PER_DOUBLING)


def logistic(log_odds: float) -> float:
    """Return the logistic function of one number: the same double as ``scipy.special.expit``.

    >>> logistic(-800.0), logistic(0.0), logistic(800.0)
    (0.0, 0.5, 1.0)
    """
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds > _LEAST_LOG_ODDS else 0.0


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
        coded = zip(self._coders, values, strict=True)
        added = [entries[code(value)] for (code, entries), value in coded]
        added += [pair.lookup_value(values[i], values[j]) for pair, i, j in self._paired]
        return added

    def codes_of(self, values: Sequence[object]) -> list[int]:
        """Return the code of each value's entry, of one row in the order of the tables."""
        return [code(value) for (code, _), value in zip(self._coders, values, strict=True)]

    @cached_property
    def _coders(self) -> list[tuple[Callable[[object], int], list[float]]]:
        return [(table.code, table.entries.tolist()) for table in self.tables]

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
            raise ModelError(
                WORDS["scorecard.no_card"], [Detail("scorecard", got, WORDS["scorecard.a_card"])]
            ) from error


def _table(plain: Mapping[str, Any]) -> Table:
    fields = dict(plain)
    kind: type[Table] = _KINDS[fields.pop("kind")]
    return kind(**fields)


_KINDS: dict[str, type[Table]] = {"numeric": NumericTable, "categorical": CategoricalTable}
_KIND_OF = {kind: name for name, kind in _KINDS.items()}


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


def with_entries(table: Table, entries: Floats) -> Table:
    """Return the same table with other log-odds, in the order of its codes."""
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
    for name, low, high, value in zip(names, lows, highs, table.entries, strict=True):
        yield _Row(table.feature, kind, name, float(low), float(high), float(value))


def _entry_names(table: Table) -> list[str]:
    if not isinstance(table, NumericTable):
        return [*table.levels, "other", "unknown"]
    edges = [f"{edge:.12g}" for edge in table.edges.tolist()]
    if not edges:
        return ["any", "unknown"]
    between = [f"{low}–{high}" for low, high in pairwise(edges)]
    return [f"< {edges[0]}", *between, f"≥ {edges[-1]}", "unknown"]
