"""The gates that hold the challenger's forecasts of later pursuits against the champion's."""

from __future__ import annotations

import math

from leadscore.language import Text
from leadscore.learning.evaluation.comparison import COMPARED, Comparison, Difference
from leadscore.learning.evaluation.scoresheet import Measure, told
from leadscore.learning.promotion.decision import Figure, Gate
from leadscore.learning.promotion.trial import Bounds, Trial

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
        See `leadscore.learning.evaluation.comparison.luck_of_order`.
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
