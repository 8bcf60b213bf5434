"""The compiled card: an intercept and one table per feature, so that scoring is look-ups only."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray

from leadscore.errors import Detail, ModelError
from leadscore.text import room_words

WORDS = room_words("learning")


Column: TypeAlias = "pd.Series[Any] | NDArray[Any]"
Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Truths: TypeAlias = NDArray[np.bool_]

_NUMBERS = frozenset({"integer", "floating", "mixed-integer-float", "boolean", "decimal"})


class CodedTexts(NamedTuple):
    """A column as positions in its texts, -1 where missing; a text may stand twice (1, "1")."""

    codes: Codes
    texts: list[str]


def columns_of(X: pd.DataFrame | NDArray[Any]) -> list[Column]:
    """Return the columns of a frame, or of an array of shape (n, p), in their order."""
    if isinstance(X, pd.DataFrame):
        return [column for _, column in X.items()]
    return [X[:, j] for j in range(X.shape[1])]


def holds_numbers(column: Column, name: str) -> bool:
    """Tell whether a column is a feature of numbers (or truth values) or one of texts.

    A column of objects holds numbers if each of its present values is one; without any present
    value it counts as texts, because a table of levels can take in whatever comes later. Dates,
    durations and complex numbers, which have no single honest reading, are a TypeError.
    """
    dtype = column.dtype
    if pd.api.types.is_complex_dtype(dtype) or not (
        pd.api.types.is_numeric_dtype(dtype)
        or pd.api.types.is_string_dtype(dtype)
        or pd.api.types.is_object_dtype(dtype)
        or isinstance(dtype, pd.CategoricalDtype)
    ):
        msg = f"Column {name!r} has dtype {dtype}; make it a column of numbers or of texts first."
        raise TypeError(msg)
    if pd.api.types.is_object_dtype(dtype):
        return pd.api.types.infer_dtype(column, skipna=True) in _NUMBERS
    return pd.api.types.is_numeric_dtype(dtype)


def numbers(column: Column, name: str) -> Floats:
    """Return a column as floats, NaN where a value is missing; a ValueError if one is no number."""
    if isinstance(column, np.ndarray) and column.dtype != object:
        if column.dtype.kind in "biuf":
            return column.astype(np.float64, copy=False)
    elif pd.api.types.is_numeric_dtype(column.dtype) or holds_numbers(column, name):
        return pd.Series(column).to_numpy(dtype=np.float64, na_value=np.nan)
    if bool(pd.isna(column).all()):  # a column that a list lacks may be of any dtype
        return np.full(len(column), np.nan)
    return np.array([number_of(value, name) for value in column], dtype=np.float64)


def number_of(value: object, name: str) -> float:
    """Return a single value as `numbers` would: NaN if it is missing."""
    if _is_missing(value):
        return np.nan
    if isinstance(value, str) or not hasattr(value, "__float__"):
        shown = str(value) if isinstance(value, str) else value
        msg = f"Column {name!r} is a feature of numbers, but holds {shown!r}."
        raise ValueError(msg)
    return float(value)


def coded_texts(column: Column) -> CodedTexts:
    """Return a column as codes; what is not a text counts as the text that writes it."""
    if isinstance(column, pd.Series) and isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy().astype(np.intp)
        return CodedTexts(codes, [text_of(value) for value in column.cat.categories])
    try:
        codes, distinct = pd.factorize(column)
    except TypeError:  # values that can't be hashed, such as lists
        missing = pd.isna(pd.Series(column)).to_numpy()
        written = pd.Series([text_of(value) for value in column], dtype=object)
        codes, distinct = pd.factorize(written.mask(missing))
    return CodedTexts(codes.astype(np.intp, copy=False), [text_of(value) for value in distinct])


def text_of(value: object) -> str:
    """Return the text of a level; equal numbers have equal texts, whatever their type.

    >>> text_of("LED"), text_of(3), text_of(3.0), text_of(True), text_of(0.5)
    ('LED', '3', '3', '1', '0.5')
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value)


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value != value


_BLOCK = 8192  # numbers, which with their positions and one temporary fit into the first caches


def bin_codes(x: Floats, edges: Floats) -> Codes:
    """Return the bin of each number, 0..k: how many of k rising edges lie at or below it.

    NaN gets k + 1.

    >>> bin_codes(np.array([-np.inf, 1.0, 1.5, np.inf, np.nan]), np.array([1.0, 2.0])).tolist()
    [0, 1, 1, 2, 3]
    """
    # A search without branches, three times as quick as that of numpy.
    k = len(edges)
    size = 1 << k.bit_length()  # a power of two above k
    padded = np.append(edges, np.full(size - k, np.inf))
    codes = np.empty(len(x), dtype=np.intp)
    for start in range(0, len(x), _BLOCK):
        block, at = x[start : start + _BLOCK], codes[start : start + _BLOCK]
        at[:] = 0
        step = size >> 1
        while step:
            at += (block >= padded[step - 1 :][at]) * step
            step >>= 1
        np.minimum(at, k, out=at)  # infinity passes the padding
        at[np.isnan(block)] = k + 1
    return codes


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

    The bin of a value is the number of edges at or below it, so infinities fall into the outer
    bins: k edges, finite and rising, part k + 1 ``values``. ``unknown`` is that of a missing value.
    """

    feature: str
    edges: Floats
    values: Floats
    unknown: float

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what can't be looked up."""
        edges, values = _frozen_floats(self.edges), _frozen_floats(self.values)
        _require(np.isfinite(edges).all(), self.feature, "finite edges")
        _require(bool((edges[1:] > edges[:-1]).all()), self.feature, "edges that rise")
        _require(len(values) == len(edges) + 1, self.feature, "one value more than edges")
        _require(_finite(values, self.unknown), self.feature, "finite log-odds")
        vars(self).update(edges=edges, values=values, unknown=float(self.unknown))

    @cached_property
    def entries(self) -> Floats:
        """All log-odds by their code: each bin's, then that of a missing value."""
        return _frozen_floats(np.append(self.values, self.unknown))

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
        """Return the log-odds of each row, shape (n,)."""
        return self.entries[self.codes(column)]

    @cached_property
    def _edges(self) -> list[float]:
        return list(self.edges.tolist())


@dataclass(frozen=True, eq=False)
class CategoricalTable(Plain):
    """Log-odds of one feature of texts, one of ``values`` for each of the distinct ``levels``.

    ``other`` is that of a level that was rare or never seen, ``unknown`` that of a missing value.
    """

    feature: str
    levels: tuple[str, ...]
    values: Floats
    other: float
    unknown: float

    def __post_init__(self) -> None:
        """Freeze the array and refuse what can't be looked up."""
        levels, values = tuple(self.levels), _frozen_floats(self.values)
        _require(all(isinstance(level, str) for level in levels), self.feature, "levels as texts")
        _require(len(set(levels)) == len(levels), self.feature, "levels that differ")
        _require(len(values) == len(levels), self.feature, "one value for each level")
        _require(_finite(values, self.other, self.unknown), self.feature, "finite log-odds")
        other, unknown = float(self.other), float(self.unknown)
        vars(self).update(levels=levels, values=values, other=other, unknown=unknown)

    @cached_property
    def entries(self) -> Floats:
        """All log-odds by their code: each level's, that of others, that of a missing value."""
        return _frozen_floats(np.append(self.values, [self.other, self.unknown]))

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
        if _is_missing(value):
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

    None is fitted any more (decision 27); a kept card goes on to be looked up. Of the two tables
    only the codes count; ``values`` have the shape (codes of the first, codes of the second).
    """

    first: NumericTable | CategoricalTable
    second: NumericTable | CategoricalTable
    values: Floats

    def __post_init__(self) -> None:
        """Refuse what can't be looked up."""
        shape = len(self.first.entries), len(self.second.entries)
        _require(np.shape(self.values) == shape, self.feature, "one value for each two codes")
        _require(_finite(self.values), self.feature, "finite log-odds")

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
        plain: dict[str, Any] = {}
        for name, table in (("first", self.first), ("second", self.second)):
            keys = ("feature", "edges" if isinstance(table, NumericTable) else "levels")
            plain[name] = {key: value for key, value in table.to_dict().items() if key in keys}
        return {**plain, "values": self.values.tolist()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PairTable:
        """Build a table from what `to_dict` returned."""
        values = np.array(plain["values"], dtype=np.float64)
        return cls(_for_codes(**plain["first"]), _for_codes(**plain["second"]), values)


def _for_codes(
    feature: str, edges: list[float] | None = None, levels: tuple[str, ...] = ()
) -> NumericTable | CategoricalTable:
    if edges is not None:
        return NumericTable(feature, np.array(edges, float), np.zeros(len(edges) + 1), 0.0)
    return CategoricalTable(feature, levels, np.zeros(len(levels)), 0.0, 0.0)


def _frozen_floats(values: npt.ArrayLike) -> Floats:
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "biuf":
        msg = f"Numbers were wanted, not {given.dtype}."
        raise ValueError(msg)
    copy = given.reshape(-1).astype(np.float64)
    copy.flags.writeable = False
    return copy


def _finite(*values: npt.ArrayLike) -> bool:
    return all(bool(np.isfinite(_frozen_floats(value)).all()) for value in values)


def _require(holds: object, where: str, wanted: str) -> None:
    if not holds:
        msg = f"The table {where!r} needs {wanted}."
        raise ValueError(msg)


POINTS_PER_DOUBLING = 20.0
POINTS_PER_LOG_ODDS = POINTS_PER_DOUBLING / math.log(2.0)
SCHEMA = 1

Table: TypeAlias = NumericTable | CategoricalTable
_Number = TypeVar("_Number", float, Floats)

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

    The tables stand in the order of the columns of `lookup`; those of ``pairs``, in cards of
    earlier programs, follow. Looking up changes nothing, so that threads may share a card.
    """

    intercept: float
    tables: tuple[Table, ...]
    pairs: tuple[PairTable, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two tables for one feature, and pairs of features without a table."""
        tables, pairs = tuple(self.tables), tuple(self.pairs)
        names = {table.feature for table in tables}
        paired = {name for pair in pairs for name in pair.features}
        _require(paired <= names, "scorecard", "a table for each feature of a pair")
        _require(len(names) == len(tables), "scorecard", "features that differ")
        _require(_finite(self.intercept), "scorecard", "a finite intercept")
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
        place = {name: j for j, name in enumerate(self.features)}
        return tuple(
            (pair, place[pair.features[0]], place[pair.features[1]]) for pair in self.pairs
        )

    def lookup(self, X: pd.DataFrame) -> Floats:
        """Return what each table and then each pair adds, in log-odds: one column for each.

        Columns are found by name and others ignored. A missing value gets the entry of the
        unknown, a level without an entry that of the others. A ValueError if a column is absent or
        stands there twice, or a feature of numbers holds a text.
        """
        return self.lookup_columns(self._columns(X), len(X))

    def lookup_columns(self, columns: Iterable[Column], n: int) -> Floats:
        """Do as `lookup`, on columns of length ``n`` in the order of the tables."""
        given = list(columns)
        added = np.empty((n, len(self.names)), order="F")
        for j, (table, column) in enumerate(zip(self.tables, given, strict=True)):
            added[:, j] = table.lookup(column)
        for j, (pair, one, other) in enumerate(self._paired, start=len(self.tables)):
            added[:, j] = pair.lookup(given[one], given[other])
        return added

    def lookup_record(self, values: Sequence[object]) -> list[float]:
        """Do as `lookup` for one row, as values in the order of the tables; no frame is made."""
        coded = zip(self._coders, values, strict=True)
        # The last entry of every table is that of a missing value.
        added = [entries[-1 if value is None else code(value)] for (code, entries), value in coded]
        added += [pair.lookup_value(values[i], values[j]) for pair, i, j in self._paired]
        return added

    @cached_property
    def _coders(self) -> list[tuple[Callable[[object], int], list[float]]]:
        return [(table.code, table.entries.tolist()) for table in self.tables]

    def decision(self, X: pd.DataFrame) -> Floats:
        """Return the log-odds of each row, shape (n,): intercept plus the sum of `lookup`."""
        return self.total(self.lookup(X))

    def total(self, added: Floats) -> Floats:
        """Add the intercept and what `lookup` returned, always in the order of the tables.

        A fixed order makes a firm's score the same to the last bit, alone or in a list.
        """
        total = np.full(len(added), self.intercept)
        for column in added.T:
            total += column
        return total

    def _columns(self, X: pd.DataFrame) -> list[Column]:
        names = list(self.features)
        if absent := [name for name in names if name not in X.columns]:
            msg = f"The card needs columns that are not there: {', '.join(absent)}."
            raise ValueError(msg)
        chosen = X.loc[:, names]
        if chosen.shape[1] != len(names):
            twice = sorted(set(X.columns[X.columns.duplicated()]) & set(names))
            msg = f"The card needs each column once; these stand there twice: {', '.join(twice)}."
            raise ValueError(msg)
        return columns_of(chosen)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain JSON values; `from_dict` gives it back to the last bit."""
        tables = [{"kind": _KIND_OF[type(t)], **t.to_dict()} for t in self.tables]
        plain = {"schema": SCHEMA, "intercept": self.intercept, "tables": tables}
        return {**plain, "pairs": [pair.to_dict() for pair in self.pairs]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scorecard:
        """Build a card from what `to_dict` returned; a ModelError if it is none."""
        try:
            _require(data["schema"] == SCHEMA, "scorecard", f"schema {SCHEMA}")
            plains = [dict(plain) for plain in data["tables"]]
            tables = tuple(_KINDS[plain.pop("kind")](**plain) for plain in plains)
            pairs = tuple(PairTable.from_dict(plain) for plain in data.get("pairs", ()))
            return cls(data["intercept"], tables, pairs)
        except (KeyError, TypeError, ValueError) as error:
            got = f"{type(error).__name__}: {error}"
            detail = Detail("scorecard", got, WORDS["scorecard.a_card"])
            raise ModelError(WORDS["scorecard.no_card"], [detail]) from error


_KINDS: dict[str, type[Table]] = {"numeric": NumericTable, "categorical": CategoricalTable}
_KIND_OF = {kind: name for name, kind in _KINDS.items()}


_ROUNDING = 1e-9  # points; what a mean of one number a thousand times over may be beside it


@dataclass(frozen=True, eq=False)
class PointsCard:
    """A scorecard in points, counted from those of an average firm; 20 points double the odds.

    ``usual`` are the points of the average firm, by name, 0 where it is silent. Base and points add
    up to the log-odds, wherever they are counted from.
    """

    scorecard: Scorecard
    usual: Mapping[str, float]

    @cached_property
    def base(self) -> float:
        """Points of the average firm itself."""
        intercept = log_odds_to_points(self.scorecard.intercept)
        return math.fsum((intercept, *self._usual))

    def points(self, added: Sequence[float]) -> dict[str, float]:
        """Return the points of a firm by name, given what `Scorecard.lookup_record` returned."""
        named = zip(self.scorecard.names, added, self._usual, strict=True)
        return {name: _unlike(log_odds_to_points(at), usual) for name, at, usual in named}

    @cached_property
    def _usual(self) -> list[float]:
        return [self.usual.get(name, 0.0) for name in self.scorecard.names]


def _unlike(points: float, usual: float) -> float:
    difference = points - usual
    return difference if abs(difference) > _ROUNDING else 0.0


def card_frame(card: Scorecard, doubt: Floats, counts: Floats, positives: Floats) -> pd.DataFrame:
    """Return one row for the intercept and one for each entry of each table; pairs are left out.

    For each of these rows ``doubt`` says by how much its log-odds may be off to either side,
    ``counts`` and ``positives`` the weight of the firms behind it and of those that were positive.
    """
    rows = [("", "intercept", "", math.nan, math.nan, card.intercept)]
    for table in card.tables:
        rows += _rows(table)
    names = ["feature", "kind", "entry", "low", "high", "log_odds"]
    frame = pd.DataFrame(rows, columns=names)
    log_odds = frame["log_odds"].to_numpy()
    return frame.assign(
        points=log_odds_to_points(log_odds), points_low=log_odds_to_points(log_odds - doubt),
        points_high=log_odds_to_points(log_odds + doubt), count=counts, positives=positives,
    )  # fmt: skip


def records_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a `card_frame` as plain JSON values, None where one is missing."""
    plain: list[Any] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return plain


def _rows(table: Table) -> list[tuple[str, str, str, float, float, float]]:
    # Feature, kind, entry, low and high end, log-odds.
    if isinstance(table, NumericTable):
        kind, edges = "numeric", table.edges.tolist()
        lows, highs = [math.nan, *edges, math.nan], [*edges, math.nan, math.nan]
        shown = [f"{edge:.12g}" for edge in edges]
        between = [f"{low}–{high}" for low, high in pairwise(shown)]
        bands = [f"< {shown[0]}", *between, f"≥ {shown[-1]}"] if shown else ["any"]
        names = [*bands, "unknown"]
    else:
        kind, names = "categorical", [*table.levels, "other", "unknown"]
        lows = highs = [math.nan] * len(names)
    entries = zip(names, lows, highs, table.entries.tolist(), strict=True)
    return [(table.feature, kind, *entry) for entry in entries]


def with_entries(table: Table, entries: Floats) -> Table:
    """Return the same table with other log-odds, in the order of its codes."""
    if isinstance(table, NumericTable):
        return replace(table, values=entries[:-1], unknown=float(entries[-1]))
    return replace(table, values=entries[:-2], other=float(entries[-2]), unknown=float(entries[-1]))
