"""The gate that finds features of another kind on one side: a wrong unit, an absent column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice, permutations

import numpy as np
import pandas as pd

from leadscore.language import Text
from leadscore.learning.promotion.decision import Figure, Gate
from leadscore.learning.promotion.stability import population_stability
from leadscore.learning.promotion.trial import Bounds, Trial
from leadscore.learning.promotion.wording import feature_name, feature_value, listed
from leadscore.learning.tables.columns import Floats, holds_numbers, numbers
from leadscore.learning.tables.scorecard import CategoricalTable, Table

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
    sides = [_Side(_TRAINING, trial.training.X), _Side(_LATER, trial.later.X)]
    if trial.standing is not None:
        sides.append(_Side(_STANDING, trial.standing.X))
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
        return Gate("drift", True, _SAME.format(count=len(features)), figures)
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
        places = {"name": feature_name(name), "side": side.name, "share": f"{share:.0%}"}
        amount = feature_value(name, median)
        yield _Fault(name, _IMPLAUSIBLE.format(amount=amount, **places), figures)


def _speaks(table: Table) -> bool:
    entries = np.append(table.values, table.unknown)
    if isinstance(table, CategoricalTable):
        entries = np.append(entries, table.other)
    return bool(np.ptp(entries) > _SPEAKS)


def _absent(name: str, side: _Side, reference: _Side, share: float) -> _Fault:
    figures: dict[str, Figure] = {"feature": name, "fault": "absent", "share": share}
    places = {"name": feature_name(name), "side": side.name, "reference": reference.name}
    return _Fault(name, _ABSENT.format(share=f"{share:.0%}", **places), figures)


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
    sentence = _UNIT.format(
        name=feature_name(name),
        side=side.name,
        reference=reference.name,
        share=f"{share:.0%}",
        median=feature_value(name, median),
        other=feature_value(name, middle),
    )
    return _Fault(name, sentence, figures)


def _sizes(column: pd.Series, name: str) -> Floats:
    """Return the sizes of the values that are known and not 0: a unit changes only those."""
    values = np.abs(numbers(column, name))
    return values[(values > 0) & np.isfinite(values)]


_TRAINING = Text(zh="训练用的跟进", en="the pursuits learned from")
_LATER = Text(zh="后续跟进", en="the later pursuits")
_STANDING = Text(zh="在册名单", en="the standing list")
_SAME = Text(
    zh="{count}项特征在训练用的跟进、后续跟进与在册名单中属于同一类取值。",
    en="All {count} features are of the same kind in the pursuits and on the standing list.",
)
_UNIT = Text(
    zh="{name}的量级不一致：{side}中有{share}的企业远在{reference}的取值范围之外"
    "（中位数{median}，{reference}为{other}）；请检查单位（元、万元）。",
    en="{name} has another scale on one side: in {side} {share} of the firms lie far outside the "
    "values of {reference} (medians {median} and {other}); check the unit (元 or 万元).",
)
_IMPLAUSIBLE = Text(
    zh="{name}不可信：{side}中有{share}的企业不在1000元到1000亿元之间（中位数{amount}）；"
    "请检查单位（元、万元）。",
    en="{name} can't be right: in {side} {share} of the firms lie outside CNY 1,000 to 100 billion "
    "(median {amount}); check the unit (元 or 万元).",
)
_ABSENT = Text(
    zh="{name}在{side}中全部缺失，在{reference}中却有{share}的企业已知；请补上这一列，或两边都不用。",
    en="{name} is missing for all of {side}, but known for {share} of {reference}; fill it in, or "
    "leave it out on both sides.",
)
