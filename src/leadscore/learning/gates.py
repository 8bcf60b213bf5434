"""The gates between a challenger and the service, from sample size to jumping scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.comparison import (
    MOST_ORDER_P_VALUE,
    Comparison,
    Decision,
    Figure,
    Gate,
    Pursuits,
    calibration_gate,
    discrimination_gate,
    evidence,
    improvement,
    improvement_gate,
    log_loss_gate,
    permutation_p_value,
    promised,
    worded_gate,
)
from leadscore.learning.metrics import (
    evaluate,
    finite_or_none,
    log_odds_of,
    population_stability,
)
from leadscore.learning.scorecard import (
    Floats,
    NumericTable,
    Table,
    Truths,
    coded_texts,
    holds_numbers,
    log_odds_to_points,
    logistic,
    numbers,
)
from leadscore.numbers import share as percent
from leadscore.text import Text, room_words

WORDS = room_words("learning")

# Known outcomes among the later pursuits, and of either kind. Below 20 with 3 of a kind even a
# perfect forecast can't be told from luck by the measures here.
LEAST_LATER, LEAST_EACH = 20, 3
# Outcomes from which on a champion counts as knowing the base rate: with 100, of which 10 reached
# the target, its standard error is half a doubling of the odds.
_SETTLED = 100
# By which factor the odds of the typical firm on the standing list may move, either way: two
# doublings while the champion's base rate is the experts' guess, one doubling once it is settled.
# (5 % may become 17 % at first, but not 32 %.)
_FIRST_ODDS, _ODDS = 4.0, 2.0
# By which factors the spread of the log-odds on the standing list may change, in the same two
# cases. Careful experts spread firms less than outcomes do (measured: they doubled it in
# simulations); of wrong experts' spread a fifth is left at first.
_FIRST_SPREAD, _SPREAD = (0.15, 3.0), (0.5, 2.0)
# The typical odds may not come nearer to even by more than the first factor while the spread falls
# below the second: that is what wrongly noted outcomes look like. Measured (`benchmarks/gates.py`):
# labels of which 30 % are flipped move the odds by 1.7 and more and leave 0.7 of the spread at
# most; of sound challengers that pass all else none does both.
_EVEN_ODDS, _EVEN_SPREAD = 1.5, 0.7
# Population stability index of the standing list's scores once level and spread are taken out: 0.25
# is the usual mark of a shift that needs an explanation.
_MOST_PSI = 0.25
# A feature has another kind of values on one side if this share of its firms, and this number, lie
# further than the factor outside nearly all values of the other side, and the typical one of those
# lies the last factor away from its median. A mistaken unit (10,000) goes far beyond, selection of
# larger firms (below 10) does not.
_BEYOND, _BEYOND_SHARE, _BEYOND_ROWS, _APART = 10.0, 0.05, 3, 50.0
# A feature that is known on one side only is named if chance would do that in less than this share
# of cases.
_ABSENT = 0.001
# A single feature, or the challenger, that parts outcomes better than this on at least so many of
# either kind is too good to be true.
_TELLING_AUC, _TELLING_EACH = 0.98, 5
# A feature that is known with one kind of outcome only is named if chance would do that in less
# than this share of cases.
_CHANCE = 1e-6

_ROUNDING = 1e-9  # log-odds


def decide(
    trial: Comparison, *, overruled: str | None = None, n_bootstrap: int = 1_000, seed: int = 0
) -> Decision:
    """Hold the challenger against every gate; it is promoted if it passes them all.

    Measured on simulated pursuits, 200 runs each, against experts who are half right: a sound
    challenger is promoted in 98 % of cases with 250 later pursuits, in 72 % with 100 and in 46 %
    with 50 (the experts serve on meanwhile); one taught by labels of which 30 % are flipped,
    never; the champion with noise added to its log-odds, in at most 7 %. `benchmarks/gates.py`
    measures the same through the whole pipeline. For ``overruled`` see `Decision`. A ValueError if
    a forecast is not 0..1.
    """
    known = trial.forecasts()
    measured = improvement(known, n_bootstrap, seed)
    own = evaluate(
        known.y, known.forecasts[0], weight=known.weight, n_bootstrap=n_bootstrap, seed=seed
    )
    order_p_value = permutation_p_value(known, n_bootstrap, seed)
    orders = order_p_value <= MOST_ORDER_P_VALUE
    of_champion = 1.0 if orders else permutation_p_value(known, n_bootstrap, seed, which=1)
    later = evidence(known)
    gates = (
        _sample_size(trial), _duplicates(trial), _leakage(trial), _feature_drift(trial),
        log_loss_gate(measured, later.log_ratio, trial.splits),
        improvement_gate(measured, later, promised(*trial.scored), len(known)),
        discrimination_gate(measured.differences["auc"], order_p_value, of_champion),
        calibration_gate(own.measures["calibration_slope"]), _score_stability(trial),
        _directions(trial),
    )  # fmt: skip
    return Decision(gates, overruled)


class Need(NamedTuple):
    """Whether a gate could be measured by what there is, and what it needs."""

    gate: str
    name: Text
    measurable: bool
    needs: Text


def needs(training: tuple[int, int], later: tuple[int, int], sides: Sequence[int]) -> list[Need]:
    """Return what each gate needs before a challenger is trained, in the order of `decide`.

    ``training`` and ``later`` are how many pursuits missed the target and how many reached it,
    among those to learn from and among those to judge by; ``sides`` how many firms are held against
    each other for drift: learned from (without what was assumed), later, on the standing list.
    Calibration can turn out to be unmeasurable all the same, by what is forecast.
    """
    judged, each = sum(later), min(later)
    measurable = {
        "enough": min(training) > 0 and judged >= LEAST_LATER and each >= LEAST_EACH,
        "separate": bool(sum(training) and judged),
        "leak": max(min(training), each) >= _TELLING_EACH,
        "drift": sum(side >= _FEWEST for side in sides) > 1,
        "log_loss": judged > 0, "better": judged > 0, "order": each > 0, "calibration": each > 0,
        "stability": bool(sides[-1] or judged), "directions": True,
    }  # fmt: skip
    places = {
        "least": LEAST_LATER, "each": LEAST_EACH, "telling": _TELLING_EACH, "firms": _FEWEST
    }  # fmt: skip
    return [
        Need(
            gate,
            WORDS[f"gates.names.{gate}"],
            fulfilled,
            WORDS[f"gates.needs.{gate}"].format(**places),
        )
        for gate, fulfilled in measurable.items()
    ]


def _sample_size(trial: Comparison) -> Gate:
    # Both outcomes must be there to learn from, and enough of them to compare on.
    missed, reached = trial.later.counts
    training_missed, training_reached = trial.training.counts
    figures = {
        "later": missed + reached, "later_positive": reached,
        "training": training_missed + training_reached, "training_positive": training_reached,
        "least": LEAST_LATER, "each": LEAST_EACH,
    }  # fmt: skip
    verdict = "enough"
    if not (training_missed and training_reached):  # nothing to part
        verdict = "one_class"
    elif missed + reached < LEAST_LATER or min(missed, reached) < LEAST_EACH:
        verdict = "too_few"
    lacking = max(LEAST_LATER - missed - reached, LEAST_EACH - min(missed, reached))
    places = figures | {"missed": missed, "training_missed": training_missed, "lacking": lacking}
    return worded_gate("enough", verdict == "enough", verdict, figures, **places)


def _duplicates(trial: Comparison) -> Gate:
    # No firm may stand both in what was learned from and in what is tested on. The same key counts,
    # and so do rows that agree in every feature, with a few values among them that hardly two firms
    # share: the same pursuit entered under two keys.
    training, later = (_fingerprints(pursuits) for pursuits in (trial.training, trial.later))
    keys = set(training.index) & set(later.index)
    others = later[~later.index.isin(keys)].dropna()
    figures = {"firms": len(keys), "twins": int(others.isin(set(training.dropna())).sum())}
    if training.empty or later.empty:
        return worded_gate("separate", None, "nobody_to_share", figures)
    passed = not any(figures.values())
    return worded_gate("separate", passed, "separate" if passed else "shared", figures, **figures)


_TELLING_VALUES = 3  # known values that hardly two firms share
_SMALL = 100.0  # whole numbers below it are shared by many firms


def _fingerprints(pursuits: Pursuits) -> pd.Series:
    # A number for each row of features whose outcome counts, by firm; missing where the row tells
    # too little.
    counts = pursuits.known
    X = pursuits.X[counts]
    plain: dict[str, Any] = {}
    known = np.zeros(len(X), dtype=np.intp)
    for name, column in X.items():
        if holds_numbers(column, str(name)):
            values = numbers(column, str(name))
            known += np.isfinite(values) & ((values % 1 != 0) | (np.abs(values) >= _SMALL))
            plain[str(name)] = values
        else:
            plain[str(name)] = column.astype("str").to_numpy()
    prints = pd.util.hash_pandas_object(pd.DataFrame(plain, index=X.index), index=False)
    firms = pd.Index([str(firm) for firm in pursuits.firm])[counts]
    return prints.astype("UInt64").set_axis(firms).where(known >= _TELLING_VALUES)


def _leakage(trial: Comparison) -> Gate:
    # Nothing may tell the outcome too well to have been known before it. Named are a feature that
    # alone parts the outcomes nearly without overlap, one that is known with one kind of outcome
    # only, one that is known only where there is an outcome, and the challenger itself if it is
    # nearly never wrong.
    # What was assumed of firms is a side of its own: all else is unknown there, by rule.
    faults: dict[str, tuple[Text, float]] = {}
    known_before, assumed = trial.training.parted()
    sides = [("training", known_before), ("later_pursuits", trial.later)]
    sides += [("assumed", assumed)] if assumed else []
    for side, pursuits in sides:
        for name, sentence, figure in _leaks(WORDS[f"gates.{side}"], pursuits):
            faults.setdefault(name, (sentence, figure))
    known = trial.later.known
    figures: dict[str, Figure] = {"bound": _TELLING_AUC, "challenger_auc": None}
    if min(trial.later.counts) >= _TELLING_EACH:
        challenger = pd.Series(np.asarray(trial.challenger, dtype=np.float64)[known])
        figures["challenger_auc"] = auc = _auc(challenger, trial.later.outcomes[known])
        if auc > _TELLING_AUC:
            places = {"auc": f"{auc:.3f}", "bound": f"{_TELLING_AUC:g}"}
            faults["challenger"] = (WORDS["gates.challenger"].format(**places), auc)
    figures["faults"] = len(faults)
    if not faults:
        if max(min(pursuits.counts) for _, pursuits in sides) < _TELLING_EACH:
            return worded_gate("leak", None, "leaks_unseen", figures, each=_TELLING_EACH)
        return worded_gate("leak", True, "none_leaks", figures)
    first, (_, figure) = next(iter(faults.items()))
    figures |= {"feature": first, "figure": figure}
    return Gate("leak", "failed", _listed([sentence for sentence, _ in faults.values()]), figures)


def _leaks(side: Text, pursuits: Pursuits) -> Iterator[tuple[str, Text, float]]:
    known = pursuits.known
    y = pursuits.outcomes[known]
    for name, column in pursuits.X.items():
        key, filled = str(name), column.notna().to_numpy()
        places = {"name": _feature_name(key), "side": side}
        chance = _one_outcome_only(y, filled[known])
        share = float(filled[known].mean()) if known.any() else 0.0
        waiting = filled[~known]
        if chance < _CHANCE:
            count = int(filled[known].sum())
            yield key, WORDS["gates.one_outcome"].format(count=count, **places), chance
        elif not waiting.any() and (1.0 - share) ** len(waiting) < _CHANCE:
            yield key, WORDS["gates.afterwards"].format(share=percent(share), **places), share
        elif min(pursuits.counts) >= _TELLING_EACH:
            auc = telling(column[known], key, y)
            if auc > _TELLING_AUC:
                yield key, WORDS["gates.alone"].format(auc=f"{auc:.3f}", **places), auc


def _one_outcome_only(y: Floats, filled: Truths) -> float:
    # The chance that a feature is known with one kind of outcome only, or 1 if it isn't.
    with_it = y[filled]
    if not len(with_it) or np.ptp(with_it) > 0:
        return 1.0
    return float((y == with_it[0]).mean()) ** len(with_it)


def telling(column: pd.Series, name: str, y: Floats) -> float:
    """Return how well a feature alone parts the outcomes, as an AUC.

    Numbers are taken in either order, with the missing ones at either end. A level stands for the
    share of positives among the other rows that have it.
    """
    if holds_numbers(column, name):
        values = pd.Series(numbers(column, name))
        ends = (_auc(values, y, "top"), _auc(values, y, "bottom"))
        return max(*ends, *(1.0 - auc for auc in ends))
    codes = coded_texts(column).codes + 1
    rows, positives = np.bincount(codes)[codes], np.bincount(codes, y)[codes]
    others = np.maximum(rows - 1, 1)
    base = (y.sum() - y) / (len(y) - 1)
    return _auc(pd.Series(np.where(rows > 1, (positives - y) / others, base)), y)


def _auc(values: pd.Series, y: Floats, missing: Literal["top", "bottom"] = "bottom") -> float:
    ranks = values.rank(na_option=missing).to_numpy()
    positives = y.sum()
    above = ranks[y == 1].sum() - positives * (positives + 1) / 2.0
    return float(above / (positives * (len(y) - positives)))


_FEWEST = 10  # known values on a side, below which nothing is said about its range
_SPEAKS = 0.05  # log-odds; a table whose entries lie closer together says next to nothing
_RANGE = (0.01, 0.99)
# Hardly a firm has a capital, a turnover or a project beyond these amounts (CNY): a thousand 亿,
# and a thousand yuan.
_AMOUNT, _PLAUSIBLE = "_cny", (1e3, 1e11)


class _Side:
    # One table of features: how many firms, which share is known, and the sizes of numbers that are
    # known and not 0 (a unit changes only those).
    def __init__(self, name: str, X: pd.DataFrame) -> None:
        self.name, self.n = WORDS[f"gates.{name}"], len(X)
        columns = {str(key): column for key, column in X.items()}
        known = X.notna().to_numpy().sum(axis=0) / max(self.n, 1)
        self.known = dict(zip(columns, known.tolist(), strict=True))
        self.sizes: dict[str, Floats] = {}
        for key, column in columns.items():
            if holds_numbers(column, key):
                sizes = np.abs(numbers(column, key))
                self.sizes[key] = sizes[(sizes > 0) & np.isfinite(sizes)]


_Fault = tuple[Text, dict[str, Figure]]  # a sentence and its figures, the feature among them


def _feature_drift(trial: Comparison) -> Gate:
    # Each feature must be of one kind in what was learned from, later, and on the standing list.
    # Pursued firms differ from those on a list because they were chosen, so a shifted distribution
    # is no fault by itself, and no bound on the population stability index could tell choice from
    # mistake. What choice does not do: put many firms far outside nearly all values of the other
    # side (a factor 10,000 between 元 and 万元 does, in all rows or in a part of them), or leave
    # out a feature altogether on one side. Amounts of money that hardly a firm has are no better
    # for standing on all sides. What was assumed of firms is left out: most features are unknown
    # there by rule.
    known_before, _ = trial.training.parted()
    sides = [_Side("training", known_before.X), _Side("later_pursuits", trial.later.X)]
    if trial.standing is not None:
        sides.append(_Side("standing", trial.standing.X))
    faults: dict[str, _Fault] = {}
    features = [name for name in sides[0].known if all(name in side.known for side in sides)]
    tables = {table.feature: table for table in trial.scorecard.tables}
    for (one, other), name in product(combinations(sides, 2), features):
        for fault in _faults(name, one, other, tables.get(name)):
            faults.setdefault(name, fault)
    for side in sides:
        for fault in _implausible(side):
            faults.setdefault(str(fault[1]["feature"]), fault)
    # Held against each other were those that several sides know, or one of them for certain not.
    filled = [side for side in sides if side.n >= _FEWEST]
    compared = [name for name in features if any(side.known[name] for side in filled)]
    compared = compared if len(filled) > 1 else []
    figures: dict[str, Figure] = {"features": len(compared), "faults": len(faults)}
    if not faults:
        if not compared:
            return worded_gate("drift", None, "sides_too_small", figures, least=_FEWEST)
        return worded_gate("drift", True, "same", figures, count=len(compared))
    figures |= next(iter(faults.values()))[1]
    return Gate("drift", "failed", _listed([sentence for sentence, _ in faults.values()]), figures)


def _faults(name: str, one: _Side, other: _Side, table: Table | None) -> Iterator[_Fault]:
    for side, reference in permutations((one, other)):
        share = reference.known[name]
        unlikely = (1.0 - share) ** side.n < _ABSENT
        speaks = table is not None and np.ptp(table.entries) > _SPEAKS
        if not side.known[name] and unlikely and speaks:
            figures: dict[str, Figure] = {"feature": name, "fault": "absent", "share": share}
            places = {"name": _feature_name(name), "side": side.name, "reference": reference.name}
            sentence = WORDS["gates.absent"].format(share=percent(share), **places)
            yield (sentence, figures)
    if name in one.sizes and name in other.sizes:
        for side, reference in permutations((one, other)):
            if fault := _other_unit(name, side, reference):
                yield fault


def _implausible(side: _Side) -> Iterator[_Fault]:
    # The amounts that a part of the firms can't have: a unit that is wrong everywhere.
    for name, sizes in side.sizes.items():
        if not name.endswith(_AMOUNT) or len(sizes) < _FEWEST:
            continue
        beyond = (sizes < _PLAUSIBLE[0]) | (sizes > _PLAUSIBLE[1])
        share = float(beyond.mean())
        if int(beyond.sum()) < _BEYOND_ROWS or share < _BEYOND_SHARE:
            continue
        median = float(np.median(sizes[beyond]))
        figures: dict[str, Figure] = {
            "feature": name, "fault": "unit", "median": median, "share": share
        }  # fmt: skip
        places = {"name": _feature_name(name), "side": side.name, "share": percent(share)}
        amount = _feature_value(name, median)
        yield (WORDS["gates.implausible"].format(amount=amount, **places), figures)


def _other_unit(name: str, side: _Side, reference: _Side) -> _Fault | None:
    # What is wrong if many values of `side` lie far outside those of `reference`.
    values, usual = side.sizes[name], reference.sizes[name]
    if min(len(values), len(usual)) < _FEWEST:
        return None
    low, high = np.quantile(usual, _RANGE)
    outside = (values < low / _BEYOND) | (values > high * _BEYOND)
    share = float(outside.mean())
    if int(outside.sum()) < _BEYOND_ROWS or share < _BEYOND_SHARE:
        return None
    middle = float(np.median(usual))
    if 1.0 / _APART < float(np.median(values[outside])) / middle < _APART:
        return None
    median = float(np.median(values))
    figures: dict[str, Figure] = {
        "feature": name, "fault": "unit", "median": median, "other_median": middle,
        "ratio": median / middle, "share": share,
        "psi": population_stability(np.log(usual), np.log(values)),
    }  # fmt: skip
    sentence = WORDS["gates.unit"].format(
        name=_feature_name(name), side=side.name, reference=reference.name, share=percent(share),
        median=_feature_value(name, median), other=_feature_value(name, middle),
    )  # fmt: skip
    return (sentence, figures)


_NO_SPREAD = 1e-6  # log-odds


def _score_stability(trial: Comparison) -> Gate:
    # The standing list's scores by both models, held against each other. A model that learns may
    # rightly move all scores together (the base rate becomes known) and draw them apart (more is
    # known of each firm), so the shift is told in three parts, each with its bound: the odds of the
    # typical firm, the spread of the log-odds, and the population stability index of the log-odds
    # once mean and spread are made equal. Without a standing list the later pursuits stand in for
    # it. Level and spread within their bounds are looked at together as well: where a share r of
    # the outcomes is noted as its opposite, a likelihood p is learned as r + (1 - 2 r) p, so that
    # all log-odds move towards 0 and towards each other. What truly was learned does one or the
    # other, hardly ever both. Where a card that has hardly learned yet gives every firm the same
    # score, there is nothing that spread and shape could have jumped from.
    scored = trial.standing or trial
    new, old = log_odds_of(scored.challenger), log_odds_of(scored.champion)
    if not len(new):
        return worded_gate("stability", None, "no_firms", {"firms": 0})
    typical_new, typical_old = float(np.median(new)), float(np.median(old))
    spread_new, spread_old = float(new.std()), float(old.std())
    moved = math.exp(typical_new - typical_old)
    first = trial.champion_outcomes < _SETTLED
    most = _FIRST_ODDS if first else _ODDS
    narrowest, widest = _FIRST_SPREAD if first else _SPREAD
    flat = spread_old < _NO_SPREAD
    wider = math.nan if flat else spread_new / spread_old
    psi = math.nan
    if not flat and spread_new >= _NO_SPREAD:
        psi = population_stability((old - old.mean()) / spread_old, (new - new.mean()) / spread_new)
    nothing_before = flat and (first or spread_new < _NO_SPREAD)
    nearer_even = abs(typical_old) - abs(typical_new)
    faults = {
        "level": not 1.0 / most <= moved <= most,
        "spread": not (nothing_before or narrowest <= wider <= widest),
        "shape": psi >= _MOST_PSI,
        "mixed": nearer_even > math.log(_EVEN_ODDS) and wider < _EVEN_SPREAD,
    }
    figures: dict[str, Figure] = {
        "firms": len(new), "challenger": logistic(typical_new), "champion": logistic(typical_old),
        "odds": moved, "odds_bound": most,
        "spread_challenger": log_odds_to_points(spread_new),
        "spread_champion": log_odds_to_points(spread_old),
        "spread": finite_or_none(wider), "spread_least": narrowest, "spread_most": widest,
        "psi": finite_or_none(psi), "psi_raw": finite_or_none(population_stability(old, new)),
    }  # fmt: skip
    places = {
        "list": WORDS["gates.later" if trial.standing is None else "gates.standing"],
        "firms": len(new), "odds": f"{moved:.2g}", "most": f"{most:g}",
        "champion": f"{figures['champion']:.1%}", "challenger": f"{figures['challenger']:.1%}",
        "old": f"{figures['spread_champion']:.0f}", "new": f"{figures['spread_challenger']:.0f}",
        "wider": "—" if math.isnan(wider) else f"{wider:.2f}",
        "least_spread": f"{narrowest:g}", "most_spread": f"{widest:g}",
        "psi": "—" if math.isnan(psi) else f"{psi:.2f}", "bound": f"{_MOST_PSI:g}",
    }  # fmt: skip
    named = [name for name, fault in faults.items() if fault] or ["level", "spread", "shape"]
    parts = [WORDS[f"gates.{name}"] for name in named]
    head = WORDS["gates.jumped" if any(faults.values()) else "gates.held"]
    zh, en = "；".join(part.zh for part in parts), "; ".join(part.en for part in parts)
    sentence = Text(zh=f"{head.zh}{zh}。", en=f"{head.en}{en}.").format(**places)
    return Gate("stability", "failed" if any(faults.values()) else "passed", sentence, figures)


def _directions(trial: Comparison) -> Gate:
    # No feature of the card that would serve may run against its direction.
    tables = {table.feature: table for table in trial.scorecard.tables}
    wanted = {name: sign for name, sign in trial.directions.items() if sign and name in tables}
    faults: list[Text] = []
    figures: dict[str, Figure] = {"directions": len(wanted)}
    for name, sign in wanted.items():
        table = tables[name]
        if not isinstance(table, NumericTable):
            continue
        steps = sign * np.diff(table.values)
        if (steps < -_ROUNDING).any():
            at = int(np.argmin(steps))
            points = float(log_odds_to_points(-float(steps[at])))
            edge = float(table.edges[at])
            if not faults:
                figures |= {"feature": name, "edge": edge, "points": points}
            places = {"name": _feature_name(name), "points": f"{points:.1f}", "edge": f"{edge:g}"}
            faults.append(WORDS["gates.rises" if sign < 0 else "gates.falls"].format(**places))
    figures["against"] = len(faults)
    if not wanted:
        return worded_gate("directions", None, "no_directions", figures)
    sentence = _listed(faults) if faults else WORDS["gates.kept"].format(count=len(wanted))
    return Gate("directions", "failed" if faults else "passed", sentence, figures)


def _feature_name(key: str) -> Text:
    """Return what a feature measures, or its bare name if the catalogue does not know it.

    >>> _feature_name("registered_capital_cny").en
    '“registered capital in yuan”'
    """
    name = CATALOGUE[key].meaning if key in CATALOGUE else Text(zh=key, en=key)
    return Text(zh=f"“{name.zh}”", en=f"“{name.en}”")


def _feature_value(key: str, value: float) -> Text:
    """Return a value with its unit, or with three digits if the catalogue does not know it.

    >>> _feature_value("registered_capital_cny", 5e7).zh, _feature_value("x", 0.25).zh
    ('5,000万元', '0.25')
    """
    known = CATALOGUE.get(key)
    if known is None:
        return Text(zh=f"{value:.3g}", en=f"{value:.3g}")
    return Text(zh=known.show(value, "zh"), en=known.show(value, "en"))


_MOST_LISTED = 3


def _listed(texts: list[Text]) -> Text:
    # The sentences; of many, the first ones and how many more there are.
    zh = "".join(text.zh for text in texts[:_MOST_LISTED])
    en = " ".join(text.en for text in texts[:_MOST_LISTED])
    more = len(texts) - _MOST_LISTED
    if more > 0:
        zh, en = f"{zh}另有{more}处。", f"{en} There are {more} more."
    return Text(zh=zh, en=en)
