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
from leadscore.text import Text

_TELLING_VALUES = 3  # known values that hardly two firms share
_SMALL = 100.0  # whole numbers below it are shared by many firms


def not_leaked(trial: Trial, bounds: Bounds) -> Gate:
    """Nothing may tell the outcome too well to have been known before it.

    Named are a feature that alone parts the outcomes nearly without overlap, one that is known
    with one kind of outcome only, one that is known only where there is an outcome, and the
    challenger itself if it is nearly never wrong.
    """
    faults: dict[str, tuple[Text, float]] = {}
    for side, pursuits in ((_TRAINING, trial.training), (_LATER, trial.later)):
        for name, sentence, figure in _leaks(side, pursuits, bounds):
            faults.setdefault(name, (sentence, figure))
    y, challenger = trial.later.outcomes, np.asarray(trial.challenger, dtype=np.float64)
    known = trial.later.known
    figures: dict[str, Figure] = {"bound": bounds.telling_auc, "challenger_auc": None}
    if min(trial.later.counts) >= bounds.telling_each:
        score = _auc(pd.Series(challenger[known]), y[known])
        figures["challenger_auc"] = score
        if score > bounds.telling_auc:
            sentence = _CHALLENGER.format(auc=f"{score:.3f}", bound=f"{bounds.telling_auc:g}")
            faults["challenger"] = (sentence, score)
    figures["faults"] = len(faults)
    if not faults:
        return Gate("leak", True, _NONE_LEAKS, figures)
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
            yield key, _ONE_OUTCOME.format(count=int(filled[known].sum()), **places), chance
            continue
        share = float(filled[known].mean()) if known.any() else 0.0
        waiting = filled[~known]
        if not waiting.any() and (1.0 - share) ** len(waiting) < bounds.chance:
            yield key, _AFTERWARDS.format(share=f"{share:.0%}", **places), share
            continue
        if enough:
            auc = telling(column[known], key, y)
            if auc > bounds.telling_auc:
                yield key, _ALONE.format(auc=f"{auc:.3f}", **places), auc


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
        return Gate("separate", True, _SEPARATE, figures)
    return Gate("separate", False, _SHARED.format(**figures), figures)


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


_TRAINING = Text(zh="训练用的跟进", en="the pursuits learned from")
_LATER = Text(zh="后续跟进", en="the later pursuits")
_NONE_LEAKS = Text(
    zh="没有哪项特征单独就泄露了结果，候选模型也没有准得不像真的。",
    en="No feature alone gives the outcome away, nor is the challenger too good to be true.",
)
_CHALLENGER = Text(
    zh="候选模型准得不像真的：在后续跟进上 AUC 为{auc}（超过{bound}）；特征中很可能混入了结果。",
    en="The challenger is too good to be true: its AUC on the later pursuits is {auc} (above "
    "{bound}); some feature is likely to hold the outcome.",
)
_ALONE = Text(
    zh="{name}单独一项就几乎把{side}的结果完全分开（AUC {auc}），很可能是结果出来之后才填写的；"
    "请核实或去掉。",
    en="{name} alone nearly parts the outcomes of {side} (AUC {auc}) and was probably filled in "
    "after the outcome; check it or leave it out.",
)
_ONE_OUTCOME = Text(
    zh="{name}在{side}中有{count}家已知，而这些企业的结果全都相同，很可能是结果出来之后才填写的；"
    "请核实或去掉。",
    en="{name} is known for {count} of {side}, all with the same outcome, and was probably filled "
    "in after the outcome; check it or leave it out.",
)
_AFTERWARDS = Text(
    zh="{name}在{side}中只有结果已知的企业才有（其中{share}已知），很可能是结果出来之后才填写的；"
    "请核实或去掉。",
    en="{name} is known only where the outcome is ({share} of those in {side}) and was probably "
    "filled in after the outcome; check it or leave it out.",
)
_SEPARATE = Text(
    zh="训练用的跟进与后续跟进没有相同的企业。",
    en="No firm stands both in what was learned from and in what is tested on.",
)
_SHARED = Text(
    zh="训练用的跟进与后续跟进有{firms}家企业相同，另有{twins}家各项特征完全一致；"
    "同一跟进不能既用来学习又用来检验。",
    en="{firms} firm(s) stand both in what was learned from and in what is tested on, and {twins} "
    "more agree in every feature; a pursuit can't be learned from and tested on.",
)


MEASURE_NAMES = {
    "log_loss": Text(zh="对数损失", en="log loss"),
    "auc": Text(zh="AUC", en="AUC"),
    "average_precision": Text(zh="平均精确率", en="average precision"),
    "brier": Text(zh="Brier 分数", en="Brier score"),
    "lift_20": Text(zh="前20%的提升度", en="lift in the top 20 %"),
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
        return Gate("enough", False, _ONE_CLASS.format(**places), figures)
    if missed + reached < bounds.least_later or min(missed, reached) < bounds.least_each:
        return Gate("enough", False, _TOO_FEW.format(**places), figures)
    return Gate("enough", True, _ENOUGH.format(**places), figures)


def not_worse(found: Comparison) -> Gate:
    """Its log loss must not be worse than the champion's by more than noise.

    Worse beyond noise means: worse in 95 of 100 resamples of the later pursuits, on which both
    are measured.
    """
    loss = found.differences["log_loss"]
    figures = _figures(loss)
    if math.isnan(loss.better):
        return Gate("log_loss", False, _NO_LOSS, figures)
    passed = not loss.high < 0
    sentence = _WORSE if not passed else _NOT_WORSE if loss.better < 0 else _LOSS_BETTER
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
        return Gate("better", False, _NO_DIFFERENCE, figures)
    passed = found.luck <= bounds.luck and found.differences[found.best].better > 0
    sentence = (_BETTER if passed else _NOT_BETTER).format(
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
        return Gate("order", False, _NO_ORDER, figures)
    passed = luck <= bounds.order_luck
    sentence = _ORDERED if passed else _HARDLY_ORDERED
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
        return Gate("calibration", False, _NO_SLOPE, figures)
    within = (slope.high is None or slope.high >= low) and (slope.low is None or slope.low <= high)
    passed = within and slope.value > 0
    if low <= slope.value <= high:
        sentence = _CALIBRATED
    elif passed:
        sentence = _UNCERTAIN
    else:
        sentence = _TOO_EXTREME if slope.value < low else _TOO_TIMID
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


_ENOUGH = Text(
    zh="后续跟进中有{later}家结果已知，其中达成{later_positive}家、未达成{missed}家，足以比较"
    "（至少{least}家，两种结果各至少{each}家）；训练用了{training}家，其中达成{training_positive}家。",
    en="{later} later pursuits have a known outcome, {later_positive} reached the target and "
    "{missed} did not: enough to compare (at least {least}, {each} of either); {training} were "
    "learned from, of which {training_positive} reached it.",
)
_TOO_FEW = Text(
    zh="后续跟进中只有{later}家结果已知，其中达成{later_positive}家、未达成{missed}家，不足以比较"
    "（至少{least}家，两种结果各至少{each}家）。",
    en="Only {later} later pursuits have a known outcome, {later_positive} reached the target and "
    "{missed} did not: too few to compare (at least {least}, {each} of either).",
)
_ONE_CLASS = Text(
    zh="训练数据只有一种结果：达成{training_positive}家、未达成{training_missed}家，无从学习差别。",
    en="The training data hold one kind of outcome only ({training_positive} reached the target, "
    "{training_missed} did not): there is no difference to learn.",
)
_NO_LOSS = Text(
    zh="没有结果已知的后续跟进，无法比较对数损失。",
    en="No later pursuit has a known outcome, so the log losses can't be compared.",
)
_LOSS_BETTER = Text(
    zh="候选模型的对数损失{challenger}不高于现役模型的{champion}（低{by}）。",
    en="The challenger's log loss is {challenger}, not above the champion's {champion} "
    "(lower by {by}).",
)
_NOT_WORSE = Text(
    zh="候选模型的对数损失{challenger}高于现役模型的{champion}（高{by}），但未超出偶然的波动。",
    en="The challenger's log loss is {challenger}, above the champion's {champion} by {by}, "
    "but by no more than noise.",
)
_WORSE = Text(
    zh="候选模型的对数损失{challenger}比现役模型的{champion}差{by}，超出偶然的波动。",
    en="The challenger's log loss of {challenger} is worse than the champion's {champion} by {by}, "
    "which is more than noise.",
)
_BETTER = Text(
    zh="候选模型的{measure}更好：{challenger}，现役模型为{champion}，相差{by}；"
    "纯属偶然的情形100次中约{luck}次（允许至{bound}次）。",
    en="The challenger is better in {measure}: {challenger} against {champion}, by {by}; luck "
    "alone would show as much in {luck} of 100 cases (at most {bound}).",
)
_NOT_BETTER = Text(
    zh="候选模型没有一项指标确实更好；最接近的是{measure}：{challenger}，现役模型为{champion}，"
    "这样的差别100次中有{luck}次纯属偶然（允许至{bound}次）。",
    en="The challenger is clearly better in no measure; the nearest is {measure}, {challenger} "
    "against {champion}: luck alone would show as much in {luck} of 100 cases (at most {bound}).",
)
_NO_DIFFERENCE = Text(
    zh="两个模型在后续跟进上分不出高下，候选模型没有一项指标更好。",
    en="The later pursuits show no difference between the two models, so the challenger is better "
    "in no measure.",
)
_ORDERED = Text(
    zh="候选模型分得清哪些企业会落地：AUC为{auc}；随意排列也能达到的情形100次中约{luck}次"
    "（允许至{bound}次）。",
    en="The challenger tells who lands from who doesn't: its AUC is {auc}, and firms in no order "
    "at all would reach as much in {luck} of 100 cases (at most {bound}).",
)
_HARDLY_ORDERED = Text(
    zh="候选模型几乎分不清哪些企业会落地：AUC为{auc}；随意排列也能达到的情形100次中约{luck}次"
    "（允许至{bound}次）。可学的太少，或者不少结果记错了，请核对结果是怎样登记的。",
    en="The challenger hardly tells who lands from who doesn't: its AUC is {auc}, and firms in no "
    "order at all would reach as much in {luck} of 100 cases (at most {bound}). There is too "
    "little to learn, or many outcomes were noted wrongly: check how they were recorded.",
)
_NO_ORDER = Text(
    zh="后续跟进只有一种结果，无法判断候选模型是否分得清哪些企业会落地。",
    en="The later pursuits have one kind of outcome only, so whether the challenger tells who "
    "lands from who doesn't can't be judged.",
)
_NO_SLOPE = Text(
    zh="候选模型的校准斜率无法得出：后续跟进只有一种结果，或预测全都相同，或把两种结果完全分开。",
    en="The challenger's calibration slope can't be told: the later pursuits have one kind of "
    "outcome only, or the forecasts are all the same or part the outcomes without overlap.",
)
_CALIBRATED = Text(
    zh="候选模型的校准斜率为{slope}（区间{low}至{high}），在允许的{least}至{most}之内。",
    en="The challenger's calibration slope is {slope} ({low} to {high}), within {least} to {most}.",
)
_UNCERTAIN = Text(
    zh="候选模型的校准斜率为{slope}，在{least}至{most}之外，但结果太少，尚不能断定（区间{low}至{high}）。",
    en="The challenger's calibration slope is {slope}, outside {least} to {most}, but so few "
    "outcomes can't tell ({low} to {high}).",
)
_TOO_EXTREME = Text(
    zh="候选模型的预测过于极端：校准斜率为{slope}（区间{low}至{high}），应在{least}至{most}之间。",
    en="The challenger's forecasts are too extreme: its calibration slope is {slope} "
    "({low} to {high}), outside {least} to {most}.",
)
_TOO_TIMID = Text(
    zh="候选模型的预测过于保守：校准斜率为{slope}（区间{low}至{high}），应在{least}至{most}之间。",
    en="The challenger's forecasts are too timid: its calibration slope is {slope} "
    "({low} to {high}), outside {least} to {most}.",
)


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
            fault = _RISES if sign < 0 else _FALLS
            faults.append(
                fault.format(name=feature_name(name), points=f"{points:.1f}", edge=f"{edge:g}")
            )
    figures["against"] = len(faults)
    sentence = listed(faults) if faults else _KEPT.format(count=len(wanted))
    return Gate("directions", not faults, sentence, figures)


_KEPT = Text(
    zh="{count}项有既定方向的特征都没有反向。",
    en="None of the {count} features with a known direction runs against it.",
)
_FALLS = Text(
    zh="{name}应越高越有利，候选模型却在{edge}处降了{points}分。",
    en="{name} should never lower the score as it rises, but the challenger drops {points} points "
    "at {edge}.",
)
_RISES = Text(
    zh="{name}应越高越不利，候选模型却在{edge}处升了{points}分。",
    en="{name} should never lift the score as it rises, but the challenger gains {points} points "
    "at {edge}.",
)
