"""Lists a card entry by entry: what each is worth, how sure that is, and what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from leadscore.learning.tables.columns import Floats
from leadscore.learning.tables.pairtables import Axis, NumericAxis, PairTable, axis_of
from leadscore.learning.tables.scorecard import (
    NumericTable,
    Scorecard,
    Table,
    log_odds_to_points,
)

TOGETHER = " × "
OTHER, UNKNOWN = "other", "unknown"


class _Row(NamedTuple):
    feature: str
    kind: str
    entry: str
    low: float
    high: float
    log_odds: float


def card_frame(
    card: Scorecard, deviations: Floats, counts: Floats, positives: Floats, level: float
) -> pd.DataFrame:
    """Return one row for the intercept and one for each entry of each table.

    Parameters
    ----------
    card
        The card.
    deviations, counts, positives
        For the intercept and each entry, in the order of the tables: standard deviation of the
        log-odds, weight of the rows, and of those that were positive.
    level
        Share of the posterior within the bands, 0..1.
    """
    rows = [_Row("", "intercept", "", np.nan, np.nan, card.intercept)]
    for table in (*card.tables, *card.pairs):
        rows.extend(_rows(table))
    frame = pd.DataFrame(rows)
    half = norm.ppf(0.5 + level / 2.0) * deviations
    frame["points"] = log_odds_to_points(frame["log_odds"].to_numpy())
    frame["points_low"] = log_odds_to_points(frame["log_odds"].to_numpy() - half)
    frame["points_high"] = log_odds_to_points(frame["log_odds"].to_numpy() + half)
    return frame.assign(count=counts, positives=positives)


def entries_of(table: Table | PairTable) -> Floats:
    """Return the log-odds of a table's entries, those of other and unknown last."""
    if isinstance(table, PairTable):
        return table.values.ravel()
    last = [table.unknown] if isinstance(table, NumericTable) else [table.other, table.unknown]
    return np.append(table.values, last)


def with_entries(table: Table | PairTable, entries: Floats) -> Table | PairTable:
    """Return the same table with other log-odds, in the order of `entries_of`."""
    if isinstance(table, PairTable):
        return replace(table, values=entries)
    if isinstance(table, NumericTable):
        return replace(table, values=entries[:-1], unknown=float(entries[-1]))
    return replace(table, values=entries[:-2], other=float(entries[-2]), unknown=float(entries[-1]))


def _rows(table: Table | PairTable) -> Iterator[_Row]:
    if isinstance(table, PairTable):
        places = [
            f"{first}{TOGETHER}{second}"
            for first in _names(table.first)
            for second in _names(table.second)
        ]
        kind, lows, highs = "pair", np.full(len(places), np.nan), np.full(len(places), np.nan)
    else:
        places = _names(axis_of(table))
        kind, lows, highs = (
            "categorical",
            np.full(len(places), np.nan),
            np.full(len(places), np.nan),
        )
        if isinstance(table, NumericTable):
            kind = "numeric"
            lows[1:-1], highs[:-2] = table.edges, table.edges
    values = entries_of(table)
    for place, low, high, value in zip(places, lows, highs, values, strict=True):
        yield _Row(table.feature, kind, place, float(low), float(high), float(value))


def _names(axis: Axis) -> list[str]:
    if not isinstance(axis, NumericAxis):
        return [*axis.levels, OTHER, UNKNOWN]
    edges = [f"{edge:.12g}" for edge in axis.edges.tolist()]
    if not edges:
        return ["any", UNKNOWN]
    between = [f"{low}–{high}" for low, high in pairwise(edges)]
    return [f"< {edges[0]}", *between, f"≥ {edges[-1]}", UNKNOWN]
