"""The gates between a challenger and the service: leaks, sample size, improvement."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd

from leadscore.learning.binning import Floats, Truths, coded_texts, holds_numbers, numbers
from leadscore.learning.comparison import (
    Bounds,
    Decision,
    Figure,
    Gate,
    Pursuits,
    Trial,
    feature_name,
    listed,
)
from leadscore.learning.drift import same_kind, stable
from leadscore.learning.evaluation import (
    COMPARED,
    Comparison,
    Difference,
    Measure,
    compared,
    evaluate,
    luck_of_order,
    told,
)
from leadscore.learning.scorecard import NumericTable, log_odds_to_points
from leadscore.numbers import share as percent
from leadscore.text import Text, room_words

WORDS = room_words("learning")


_TELLING_VALUES = 3  # known values that hardly two firms share
_SMALL = 100.0  # whole numbers below it are shared by many firms


def not_leaked(trial: Trial, bounds: Bounds) -> Gate:
    """Nothing may tell the outcome too well to have been known before it.

    Named are a feature that alone parts the outcomes nearly without overlap, one that is known
    with one kind of outcome only, one that is known only where there is an outcome, and the
    challenger itself if it is nearly never wrong.
    """
    faults: dict[str, tuple[Text, float]] = {}
    for side, pursuits in (
        (WORDS["learning_gates.training"], trial.training),
        (WORDS["learning_gates.later"], trial.later),
    ):
        for name, sentence, figure in _leaks(side, pursuits, bounds):
            faults.setdefault(name, (sentence, figure))
    y, challenger = trial.later.outcomes, np.asarray(trial.challenger, dtype=np.float64)
    known = trial.later.known
    figures: dict[str, Figure] = {"bound": bounds.telling_auc, "challenger_auc": None}
    if min(trial.later.counts) >= bounds.telling_each:
        score = _auc(pd.Series(challenger[known]), y[known])
        figures["challenger_auc"] = score
        if score > bounds.telling_auc:
            sentence = WORDS["learning_gates.challenger"].format(
                auc=f"{score:.3f}", bound=f"{bounds.telling_auc:g}"
            )
            faults["challenger"] = (sentence, score)
    figures["faults"] = len(faults)
    if not faults:
        return Gate("leak", True, WORDS["learning_gates.none_leaks"], figures)
    first, (_, figure) = next(iter(faults.items()))
    figures |= {"feature": first, "figure": figure}
    return Gate("leak", False, listed([sentence for sentence, _ in faults.values()]), figures)


def _leaks(side: Text, pursuits: Pursuits, bounds: Bounds) -> Iterator[tuple[str, Text, float]]:
    known, y = pursuits.known, pursuits.outcomes
    y = y[known]
    enough = min(pursuits.counts) >= bounds.telling_each
    for name, column in pursuits.X.items():
        key, filled = str(name), column.notna().to_numpy()
        places = {"name": feature_name(key), "side": side}
        chance = _one_outcome_only(y, filled[known])
        if chance < bounds.chance:
            yield (
                key,
                WORDS["learning_gates.one_outcome"].format(
                    count=int(filled[known].sum()), **places
                ),
                chance,
            )
            continue
        share = float(filled[known].mean()) if known.any() else 0.0
        waiting = filled[~known]
        if not waiting.any() and (1.0 - share) ** len(waiting) < bounds.chance:
            yield (
                key,
                WORDS["learning_gates.afterwards"].format(share=percent(share), **places),
                share,
            )
            continue
        if enough:
            auc = telling(column[known], key, y)
            if auc > bounds.telling_auc:
                yield key, WORDS["learning_gates.alone"].format(auc=f"{auc:.3f}", **places), auc


def _one_outcome_only(y: Floats, filled: Truths) -> float:
    """Return the chance that a feature is known with one kind of outcome only, or 1 if it isn't."""
    with_it = y[filled]
    if not len(with_it) or np.ptp(with_it) > 0:
        return 1.0
    return float((y == with_it[0]).mean()) ** len(with_it)


def telling(column: pd.Series, name: str, y: Floats) -> float:
    """Return how well a feature alone parts the outcomes, as an AUC.

    Numbers are taken in either order, with the missing ones at either end. A level stands for the
    share of positives among the other rows that have it, so that a level of one row tells
    nothing.
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


def separate(trial: Trial) -> Gate:
    """No firm may stand both in what was learned from and in what is tested on.

    The same key counts, and so do rows that agree in every feature, with a few values among them
    that hardly two firms share: the same pursuit entered under two keys.
    """
    training, later = (_fingerprints(p) for p in (trial.training, trial.later))
    keys = set(training.index) & set(later.index)
    known = training.dropna()
    others = later[~later.index.isin(keys)].dropna()
    twins = int(others.isin(set(known)).sum())
    figures: dict[str, Figure] = {"firms": len(keys), "twins": twins}
    if not keys and not twins:
        return Gate("separate", True, WORDS["learning_gates.separate"], figures)
    return Gate("separate", False, WORDS["learning_gates.shared"].format(**figures), figures)


def _fingerprints(pursuits: Pursuits) -> pd.Series:
    """Return a number for each row of features, by firm; missing where the row tells too little."""
    X = pursuits.X
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
    firms = pd.Index([str(firm) for firm in pursuits.firm])
    return prints.astype("UInt64").set_axis(firms).where(known >= _TELLING_VALUES)


MEASURE_NAMES = {
    "log_loss": WORDS["learning_gates.measure_names_log_loss"],
    "auc": WORDS["learning_gates.measure_names_auc"],
    "average_precision": WORDS["learning_gates.measure_names_average_precision"],
    "brier": WORDS["learning_gates.measure_names_brier"],
    "lift_20": WORDS["learning_gates.measure_names_lift_20"],
}


def enough(trial: Trial, bounds: Bounds) -> Gate:
    """Both outcomes must be there to learn from, and enough of them to compare on."""
    missed, reached = trial.later.counts
    training_missed, training_reached = trial.training.counts
    figures: dict[str, Figure] = {
        "later": missed + reached,
        "later_positive": reached,
        "training": training_missed + training_reached,
        "training_positive": training_reached,
        "least": bounds.least_later,
        "each": bounds.least_each,
    }
    places = {"missed": missed, "training_missed": training_missed, **figures}
    if min(training_missed, training_reached) < bounds.least_training_each:
        return Gate("enough", False, WORDS["learning_gates.one_class"].format(**places), figures)
    if missed + reached < bounds.least_later or min(missed, reached) < bounds.least_each:
        return Gate("enough", False, WORDS["learning_gates.too_few"].format(**places), figures)
    return Gate("enough", True, WORDS["learning_gates.enough"].format(**places), figures)


def not_worse(found: Comparison) -> Gate:
    """Its log loss must not be worse than the champion's by more than noise.

    Worse beyond noise means: worse in 95 of 100 resamples of the later pursuits, on which both
    are measured.
    """
    loss = found.differences["log_loss"]
    figures = _figures(loss)
    if math.isnan(loss.better):
        return Gate("log_loss", False, WORDS["learning_gates.no_loss"], figures)
    passed = not loss.high < 0
    sentence = (
        WORDS["learning_gates.worse"]
        if not passed
        else WORDS["learning_gates.not_worse"]
        if loss.better < 0
        else WORDS["learning_gates.loss_better"]
    )
    return Gate("log_loss", passed, sentence.format(**_shown(loss)), figures)


def better(found: Comparison, bounds: Bounds) -> Gate:
    """It must be better in a named measure, by more than luck explains.

    Measured on simulated forecasts, 300 each, with luck bounded at 0.15: of challengers as good
    as the champion 13 to 16 % get through here, of worse ones (an AUC lower by 0.04) 6 % on 50
    later pursuits, 3 % on 250 and none on 1,000; of those better by 0.06 to 0.13 in AUC, or that
    know the base rate that the champion misjudges, 30 to 48 %, 69 to 93 % and 98 to 100 %.
    """
    figures: dict[str, Figure] = {"measure": found.best, "luck": found.luck, "bound": bounds.luck}
    for name in COMPARED:
        figures[name] = told(found.differences[name].better)
    if found.best is None:
        return Gate("better", False, WORDS["learning_gates.no_difference"], figures)
    passed = found.luck <= bounds.luck and found.differences[found.best].better > 0
    sentence = (
        WORDS["learning_gates.better"] if passed else WORDS["learning_gates.not_better"]
    ).format(
        measure=MEASURE_NAMES[found.best],
        luck=f"{100 * found.luck:.0f}" if found.luck >= 0.01 else "<1",
        bound=f"{100 * bounds.luck:.0f}",
        **_shown(found.differences[found.best]),
    )
    return Gate("better", passed, sentence, figures)


def ordered(auc: float, luck: float, bounds: Bounds) -> Gate:
    """It must tell those who land from those who don't, beyond doubt.

    What it may have learned besides, such as the base rate, is of no use to whoever asks which of
    two firms to court. Outcomes that were often noted wrongly teach little else.

    Parameters
    ----------
    auc
        The challenger's; NaN if it can't be told.
    luck
        See `leadscore.learning.evaluation.luck_of_order`.
    bounds
        Where the gate closes.
    """
    figures: dict[str, Figure] = {"auc": told(auc), "luck": luck, "bound": bounds.order_luck}
    if math.isnan(auc):
        return Gate("order", False, WORDS["learning_gates.no_order"], figures)
    passed = luck <= bounds.order_luck
    sentence = WORDS["learning_gates.ordered"] if passed else WORDS["learning_gates.hardly_ordered"]
    shown = sentence.format(
        auc=f"{auc:.3f}",
        luck=f"{100 * luck:.0f}" if luck >= 0.01 else "<1",
        bound=f"{100 * bounds.order_luck:g}",
    )
    return Gate("order", passed, shown, figures)


def calibrated(slope: Measure, bounds: Bounds) -> Gate:
    """Its calibration slope must lie within bounds, as far as the later pursuits can tell.

    With few pursuits the slope is known only roughly, so it is outside only if its whole
    interval is; a slope of 0 or below is never inside.
    """
    low, high = bounds.slope
    figures: dict[str, Figure] = {
        "slope": slope.value,
        "low": slope.low,
        "high": slope.high,
        "least": low,
        "most": high,
    }
    if slope.value is None:
        return Gate("calibration", False, WORDS["learning_gates.no_slope"], figures)
    within = (slope.high is None or slope.high >= low) and (slope.low is None or slope.low <= high)
    passed = within and slope.value > 0
    if low <= slope.value <= high:
        sentence = WORDS["learning_gates.calibrated"]
    elif passed:
        sentence = WORDS["learning_gates.uncertain"]
    else:
        sentence = (
            WORDS["learning_gates.too_extreme"]
            if slope.value < low
            else WORDS["learning_gates.too_timid"]
        )
    shown = {
        "slope": f"{slope.value:.2f}",
        "low": "-∞" if slope.low is None else f"{slope.low:.2f}",
        "high": "∞" if slope.high is None else f"{slope.high:.2f}",
        "least": f"{low:g}",
        "most": f"{high:g}",
    }
    return Gate("calibration", passed, sentence.format(**shown), figures)


def _figures(difference: Difference) -> dict[str, Figure]:
    return {name: told(value) for name, value in vars(difference).items()}


def _shown(difference: Difference) -> dict[str, str]:
    return {
        "challenger": f"{difference.challenger:.3f}",
        "champion": f"{difference.champion:.3f}",
        "by": f"{abs(difference.better):.3f}",
    }


_ROUNDING = 1e-9  # log-odds


def decide(
    trial: Trial,
    *,
    bounds: Bounds | None = None,
    overruled: str | None = None,
    n_bootstrap: int = 1_000,
    seed: int = 0,
) -> Decision:
    """Hold the challenger against every gate; it is promoted if it passes them all.

    Measured on simulated pursuits, 200 runs each, against experts who are half right: a sound
    challenger is promoted in 98 % of cases with 250 later pursuits, in 72 % with 100 and in 46 %
    with 50 (the experts serve on meanwhile); one taught by labels of which 30 % are flipped,
    never; the champion with noise added to its log-odds, in at most 7 %. `benchmarks/gates.py`
    measures the same through the whole walk.

    Parameters
    ----------
    trial
        Both models' forecasts, and the data behind them.
    bounds
        Where each gate closes; by default `Bounds()`.
    overruled
        The reason of a person who promotes it whatever the gates say.
    n_bootstrap, seed
        Number of resamples behind the judgements of noise, and where their draws start.

    Raises
    ------
    UsageError
        If the reason is blank.
    ValueError
        If columns differ in length or a forecast is not 0..1.
    """
    bounds = bounds or Bounds()
    known = trial.verdicts()
    found = compared(known, n_bootstrap, seed)
    own = evaluate(
        known.y, known.forecasts[0], weight=known.weight, n_bootstrap=n_bootstrap, seed=seed
    )
    gates = (
        enough(trial, bounds),
        separate(trial),
        not_leaked(trial, bounds),
        same_kind(trial, bounds),
        not_worse(found),
        better(found, bounds),
        ordered(
            found.differences["auc"].challenger, luck_of_order(known, n_bootstrap, seed), bounds
        ),
        calibrated(own.measures["calibration_slope"], bounds),
        stable(trial, bounds),
        _directed(trial),
    )
    return Decision(gates, overruled)


def _directed(trial: Trial) -> Gate:
    """No feature of the card that would serve may run against its direction."""
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
            fault = WORDS["learning_gates.rises"] if sign < 0 else WORDS["learning_gates.falls"]
            faults.append(
                fault.format(name=feature_name(name), points=f"{points:.1f}", edge=f"{edge:g}")
            )
    figures["against"] = len(faults)
    sentence = listed(faults) if faults else WORDS["learning_gates.kept"].format(count=len(wanted))
    return Gate("directions", not faults, sentence, figures)
