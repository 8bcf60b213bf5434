"""The gates on features of another kind on one side, and on scores that jump."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice, permutations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit

from leadscore.learning.binning import Floats, holds_numbers, numbers
from leadscore.learning.comparison import (
    Bounds,
    Figure,
    Gate,
    Trial,
    feature_name,
    feature_value,
    listed,
)
from leadscore.learning.evaluation import told
from leadscore.learning.metrics import SURE
from leadscore.learning.scorecard import CategoricalTable, Table, log_odds_to_points
from leadscore.numbers import share as percent
from leadscore.text import Text, room_words

WORDS = room_words("learning")


_BINS = 10
_FEWEST_IN_BIN = 5
_NO_SPREAD = 1e-6  # log-odds


def population_stability(before: Floats, after: Floats) -> float:
    """Return the population stability index of two samples of numbers; NaN for very few.

    Bins are tenths of ``before`` (fewer for few numbers); half a case is added to each bin, so
    that an empty one counts much but not without bound. 0 is the same distribution, 0.1 a slight
    shift, 0.25 one that needs an explanation.
    """
    bins = min(_BINS, min(len(before), len(after)) // _FEWEST_IN_BIN)
    if bins < 2:
        return math.nan
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins))
    shares = []
    for sample in (before, after):
        counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=len(edges) + 1)
        shares.append((counts + 0.5) / (len(sample) + 0.5 * len(counts)))
    old, new = shares
    return float(((new - old) * np.log(new / old)).sum())


def stable(trial: Trial, bounds: Bounds) -> Gate:
    """Hold the standing list's scores by both models against each other.

    A model that learns may rightly move all scores together (the base rate becomes known) and
    draw them apart (more is known of each firm), so the shift is told in three parts, each with
    its bound: the odds of the typical firm, the spread of the log-odds, and the population
    stability index of the log-odds once mean and spread are made equal. Without a standing
    list the later pursuits stand in for it. Level and spread within their bounds are looked at
    together as well: where a share r of the outcomes is noted as its opposite, a likelihood p is
    learned as r + (1 - 2 r) p, so that all log-odds move towards 0 and towards each other. What
    truly was learned does one or the other, hardly ever both. Where a card that has hardly
    learned yet gives every firm the same score, there is nothing that spread and shape could have
    jumped from.
    """
    standing = trial.standing
    scored = trial if standing is None else standing
    new, old = _log_odds(scored.challenger), _log_odds(scored.champion)
    if not len(new):
        return Gate("stability", False, WORDS["drift.no_firms"], {"firms": 0})
    typical_new, typical_old = float(np.median(new)), float(np.median(old))
    spread_new, spread_old = float(new.std()), float(old.std())
    moved = math.exp(typical_new - typical_old)
    first = trial.champion_outcomes < bounds.settled
    most = bounds.first_odds if first else bounds.odds
    narrowest, widest = bounds.first_spread if first else bounds.spread
    flat = spread_old < _NO_SPREAD
    wider = math.nan if flat else spread_new / spread_old
    psi = math.nan
    if not flat and spread_new >= _NO_SPREAD:
        psi = population_stability((old - old.mean()) / spread_old, (new - new.mean()) / spread_new)
    level_held = 1.0 / most <= moved <= most
    nothing_before = flat and (first or spread_new < _NO_SPREAD)
    spread_held = nothing_before or narrowest <= wider <= widest
    shape_held = math.isnan(psi) or psi < bounds.psi
    nearer_even = abs(typical_old) - abs(typical_new)
    mixed = nearer_even > math.log(bounds.even_odds) and wider < bounds.even_spread
    figures: dict[str, Figure] = {
        "firms": len(new),
        "challenger": float(expit(typical_new)),
        "champion": float(expit(typical_old)),
        "odds": moved,
        "odds_bound": most,
        "spread_challenger": log_odds_to_points(spread_new),
        "spread_champion": log_odds_to_points(spread_old),
        "spread": told(wider),
        "spread_least": narrowest,
        "spread_most": widest,
        "psi": told(psi),
        "psi_raw": told(population_stability(old, new)),
    }
    faults = (not level_held, not spread_held, not shape_held, mixed)
    return Gate("stability", not any(faults), _sentence(figures, faults, trial, bounds), figures)


def _log_odds(p: ArrayLike) -> Floats:
    sure = np.clip(np.asarray(p, dtype=np.float64), SURE, 1.0 - SURE)
    log_odds: Floats = np.log(sure) - np.log1p(-sure)
    return log_odds


def _sentence(
    figures: dict[str, Figure], faults: tuple[bool, ...], trial: Trial, bounds: Bounds
) -> Text:
    def number(name: str, shape: str) -> str:
        value = figures[name]
        return "—" if value is None else format(value, shape)

    places = {
        "list": _LATER if trial.standing is None else WORDS["drift.standing"],
        "firms": figures["firms"],
        "champion": number("champion", ".1%"),
        "challenger": number("challenger", ".1%"),
        "odds": number("odds", ".2g"),
        "most": number("odds_bound", "g"),
        "old": number("spread_champion", ".0f"),
        "new": number("spread_challenger", ".0f"),
        "wider": number("spread", ".2f"),
        "least_spread": number("spread_least", "g"),
        "most_spread": number("spread_most", "g"),
        "psi": number("psi", ".2f"),
        "bound": f"{bounds.psi:g}",
    }
    if any(faults):
        told_of = zip(
            (
                WORDS["drift.level"],
                WORDS["drift.spread"],
                WORDS["drift.shape"],
                WORDS["drift.mixed"],
            ),
            faults,
            strict=True,
        )
        parts = [part for part, fault in told_of if fault]
    else:
        parts = [WORDS["drift.level"], WORDS["drift.spread"], WORDS["drift.shape"]]
    head = WORDS["drift.jumped"] if any(faults) else WORDS["drift.held"]
    zh = "；".join(part.zh for part in parts)
    en = "; ".join(part.en for part in parts)
    return Text(zh=f"{head.zh}{zh}。", en=f"{head.en}{en}.").format(**places)


_LATER = WORDS["drift.later"]


_FEWEST = 10  # known values on a side, below which nothing is said about its range
_SPEAKS = 0.05  # log-odds; a table whose entries lie closer together says next to nothing
_RANGE = (0.01, 0.99)
# Hardly a firm has a capital, a turnover or a project beyond these amounts (CNY): a thousand 亿,
# and a thousand yuan.
_AMOUNT, _PLAUSIBLE = "_cny", (1e3, 1e11)


class _Side:
    """One table of features: how many firms, which share is known, and the sizes of numbers."""

    def __init__(self, name: Text, X: pd.DataFrame) -> None:
        self.name, self.n = name, len(X)
        columns = {str(key): column for key, column in X.items()}
        known = X.notna().to_numpy().sum(axis=0) / max(self.n, 1)
        self.known = dict(zip(columns, known.tolist(), strict=True))
        self.sizes = {
            key: _sizes(column, key)
            for key, column in columns.items()
            if holds_numbers(column, key)
        }


@dataclass(frozen=True)
class _Fault:
    feature: str
    sentence: Text
    figures: dict[str, Figure]


def same_kind(trial: Trial, bounds: Bounds) -> Gate:
    """Each feature must be of one kind in what was learned from, later, and on the standing list.

    Pursued firms differ from those on a list because they were chosen, so a shifted distribution
    is no fault by itself, and no bound on the population stability index could tell choice from
    mistake. What choice does not do: put many firms far outside nearly all values of the other
    side (a factor 10,000 between 元 and 万元 does, in all rows or in a part of them), or leave
    out a feature altogether on one side. Amounts of money that hardly a firm has are no better
    for standing on all sides.
    """
    sides = [
        _Side(_TRAINING, trial.training.X),
        _Side(WORDS["drift.later_pursuits"], trial.later.X),
    ]
    if trial.standing is not None:
        sides.append(_Side(WORDS["drift.standing"], trial.standing.X))
    faults: dict[str, _Fault] = {}
    features = [name for name in sides[0].known if all(name in side.known for side in sides)]
    tables = {table.feature: table for table in trial.scorecard.tables}
    for one, other in combinations(sides, 2):
        for name in features:
            if name not in faults:
                for fault in islice(_faults(name, one, other, tables.get(name), bounds), 1):
                    faults[name] = fault
    for side in sides:
        for fault in _implausible(side, bounds):
            faults.setdefault(fault.feature, fault)
    found = list(faults.values())
    figures: dict[str, Figure] = {"features": len(features), "faults": len(found)}
    if not found:
        return Gate("drift", True, WORDS["drift.same"].format(count=len(features)), figures)
    return Gate("drift", False, listed([f.sentence for f in found]), figures | found[0].figures)


def _faults(
    name: str, one: _Side, other: _Side, table: Table | None, bounds: Bounds
) -> Iterator[_Fault]:
    for side, reference in permutations((one, other)):
        share = reference.known[name]
        unlikely = (1.0 - share) ** side.n < bounds.absent
        if not side.known[name] and unlikely and table is not None and _speaks(table):
            yield _absent(name, side, reference, share)
    if name in one.sizes and name in other.sizes:
        for side, reference in permutations((one, other)):
            fault = _other_unit(name, side, reference, bounds)
            if fault is not None:
                yield fault


def _implausible(side: _Side, bounds: Bounds) -> Iterator[_Fault]:
    """Yield the amounts that a part of the firms can't have: a unit that is wrong everywhere."""
    for name, sizes in side.sizes.items():
        if not name.endswith(_AMOUNT) or len(sizes) < _FEWEST:
            continue
        beyond = (sizes < _PLAUSIBLE[0]) | (sizes > _PLAUSIBLE[1])
        share = float(beyond.mean())
        if int(beyond.sum()) < bounds.beyond_rows or share < bounds.beyond_share:
            continue
        median = float(np.median(sizes[beyond]))
        figures: dict[str, Figure] = {
            "feature": name, "fault": "unit", "median": median, "share": share,
        }  # fmt: skip
        places = {"name": feature_name(name), "side": side.name, "share": percent(share)}
        amount = feature_value(name, median)
        yield _Fault(name, WORDS["drift.implausible"].format(amount=amount, **places), figures)


def _speaks(table: Table) -> bool:
    entries = np.append(table.values, table.unknown)
    if isinstance(table, CategoricalTable):
        entries = np.append(entries, table.other)
    return bool(np.ptp(entries) > _SPEAKS)


def _absent(name: str, side: _Side, reference: _Side, share: float) -> _Fault:
    figures: dict[str, Figure] = {"feature": name, "fault": "absent", "share": share}
    places = {"name": feature_name(name), "side": side.name, "reference": reference.name}
    return _Fault(name, WORDS["drift.absent"].format(share=percent(share), **places), figures)


def _other_unit(name: str, side: _Side, reference: _Side, bounds: Bounds) -> _Fault | None:
    """Return what is wrong if many values of ``side`` lie far outside those of ``reference``."""
    values, usual = (s.sizes[name] for s in (side, reference))
    if min(len(values), len(usual)) < _FEWEST:
        return None
    low, high = np.quantile(usual, _RANGE)
    outside = (values < low / bounds.beyond) | (values > high * bounds.beyond)
    count, share = int(outside.sum()), float(outside.mean())
    if count < bounds.beyond_rows or share < bounds.beyond_share:
        return None
    middle = float(np.median(usual))
    apart = float(np.median(values[outside])) / middle
    if 1.0 / bounds.apart < apart < bounds.apart:
        return None
    median = float(np.median(values))
    figures: dict[str, Figure] = {
        "feature": name,
        "fault": "unit",
        "median": median,
        "other_median": middle,
        "ratio": median / middle,
        "share": share,
        "psi": population_stability(np.log(usual), np.log(values)),
    }
    sentence = WORDS["drift.unit"].format(
        name=feature_name(name),
        side=side.name,
        reference=reference.name,
        share=percent(share),
        median=feature_value(name, median),
        other=feature_value(name, middle),
    )
    return _Fault(name, sentence, figures)


def _sizes(column: pd.Series, name: str) -> Floats:
    """Return the sizes of the values that are known and not 0: a unit changes only those."""
    values = np.abs(numbers(column, name))
    return values[(values > 0) & np.isfinite(values)]


_TRAINING = WORDS["drift.training"]
