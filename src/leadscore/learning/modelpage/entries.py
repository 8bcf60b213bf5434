"""The entries of a card as its manifest keeps them: one table per feature, the weightiest first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from leadscore.learning.scorecard import NumericTable, Scorecard, Table, log_odds_to_points

Part = Literal["band", "level", "other", "unknown"]
Kind = Literal["numeric", "categorical"]

_SLIGHT = 1e-9


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a feature's table.

    Attributes
    ----------
    part
        A band of numbers, a level, all other levels, or missing values.
    text
        The level as the data write it, or what the table calls the entry.
    low, high
        Ends of a band in the feature's unit, the first inside; None where it has no end.
    points
        What it adds, 20 points to a doubling of the odds.
    points_low, points_high
        The 90 % band; None where none is known, as for experts.
    count, positives
        Weight of the outcomes behind it, and of those that reached the target; None if unknown.
    """

    part: Part
    text: str
    points: float
    low: float | None = None
    high: float | None = None
    points_low: float | None = None
    points_high: float | None = None
    count: float | None = None
    positives: float | None = None


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """What one feature adds; what a pair of them adds in a card of an earlier program."""

    feature: str
    kind: Kind
    entries: tuple[Entry, ...]

    @property
    def reach(self) -> float:
        """Points between its best and its worst entry: how much it can matter."""
        points = [entry.points for entry in self.entries]
        return max(points) - min(points)

    @property
    def known(self) -> tuple[Entry, ...]:
        """The entries but for that of missing values, as they stand."""
        return tuple(entry for entry in self.entries if entry.part != "unknown")

    @property
    def unknown(self) -> Entry | None:
        """The entry of missing values."""
        return next((entry for entry in self.entries if entry.part == "unknown"), None)

    @property
    def edges(self) -> tuple[float, ...]:
        """Where the bands of a numeric feature meet."""
        return tuple(entry.high for entry in self.entries if entry.high is not None)


@dataclass(frozen=True, slots=True)
class CardTables:
    """A whole card.

    Attributes
    ----------
    base
        Log-odds before any feature is known.
    features
        Those that add something, by falling `FeatureTable.reach`, then as the card has them.
    silent
        Features that are worth 0 whatever their value.
    """

    base: float
    features: tuple[FeatureTable, ...]
    silent: tuple[str, ...]

    @property
    def base_points(self) -> float:
        """The base in points."""
        return log_odds_to_points(self.base)

    @property
    def whole(self) -> bool:
        """Tell whether all points are whole numbers, as people write them."""
        points = (entry.points for table in self.features for entry in table.entries)
        return all(abs(point - round(point)) < 1e-6 for point in points)


def card_tables(manifest: Mapping[str, Any]) -> CardTables:
    """Read a card from its ``table`` of records, or where there is none from its ``scorecard``.

    Raises
    ------
    ModelError
        If the scorecard is needed and is not one.
    """
    scorecard = manifest.get("scorecard")
    base, tables = 0.0, []
    if records := manifest.get("table"):
        tables = list(_recorded(records))
        starts = [_number(r.get("log_odds")) for r in records if r.get("kind") == "intercept"]
        base = next((start for start in starts if start is not None), math.nan)
    if not tables or math.isnan(base):
        card = Scorecard.from_dict(scorecard if isinstance(scorecard, Mapping) else {})
        base = card.intercept
        tables = tables or [_compiled(table) for table in card.tables]
    order = sorted(tables, key=lambda table: -round(table.reach, 6))
    return CardTables(
        base,
        tuple(table for table in order if not _silent(table)),
        tuple(table.feature for table in tables if _silent(table)),
    )


def _silent(table: FeatureTable) -> bool:
    return all(abs(entry.points) < _SLIGHT for entry in table.entries)


def _recorded(records: Sequence[Mapping[str, Any]]) -> Iterator[FeatureTable]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        if record.get("kind") != "intercept":
            grouped.setdefault(str(record.get("feature")), []).append(record)
    for feature, rows in grouped.items():
        kind = _kind(rows[0].get("kind"))
        parts = _parts(kind, [str(row.get("entry")) for row in rows])
        entries = tuple(_entry(row, part) for row, part in zip(rows, parts, strict=True))
        yield FeatureTable(feature, kind, entries)


def _kind(value: object) -> Kind:
    return "numeric" if value == "numeric" else "categorical"


def _parts(kind: Kind, texts: list[str]) -> list[Part]:
    """Tell what each entry is; a level may itself be called "other", so the last of them counts."""
    parts: list[Part] = ["band" if kind == "numeric" else "level"] * len(texts)
    for name in ("other", "unknown") if kind == "categorical" else ("unknown",):
        if name in texts:
            last = len(texts) - 1 - texts[::-1].index(name)
            parts[last] = "other" if name == "other" else "unknown"
    return parts


def _entry(row: Mapping[str, Any], part: Part) -> Entry:
    points = _number(row.get("points"))
    if points is None:
        points = log_odds_to_points(_number(row.get("log_odds")) or 0.0)
    low, high = _number(row.get("low")), _number(row.get("high"))
    rest = {
        name: _number(row.get(name)) for name in ("points_low", "points_high", "count", "positives")
    }
    ends = {"low": low, "high": high} if part == "band" else {}
    return Entry(part, str(row.get("entry")), points, **ends, **rest)


def _compiled(table: Table) -> FeatureTable:
    points = [float(log_odds_to_points(float(value))) for value in table.values]
    unknown = Entry("unknown", "unknown", log_odds_to_points(table.unknown))
    if isinstance(table, NumericTable):
        ends: Iterable[tuple[float | None, float | None]]
        ends = pairwise([None, *table.edges.tolist(), None])
        bands = [
            Entry("band", "", p, low, high) for p, (low, high) in zip(points, ends, strict=True)
        ]
        return FeatureTable(table.feature, "numeric", (*bands, unknown))
    levels = [Entry("level", t, p) for t, p in zip(table.levels, points, strict=True)]
    other = Entry("other", "other", log_odds_to_points(table.other))
    return FeatureTable(table.feature, "categorical", (*levels, other, unknown))


def _number(value: object) -> float | None:
    """Return a finite number, or None for what is missing, infinite or no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
