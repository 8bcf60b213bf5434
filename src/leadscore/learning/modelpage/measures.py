"""Measures of challenger and champion, side by side: what each says and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.facts import part
from leadscore.learning.modelpage.figures import Compared, Figure, Goal, finite
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import Text

_LEVEL = 0.9  # of the intervals, where the evaluation does not say


@dataclass(frozen=True, slots=True)
class _Measure:
    name: Text
    says: Text
    goal: Goal
    decimals: int = 3


_MEASURES = {
    "auc": _Measure(
        Text(zh="AUC", en="AUC"),
        Text(
            zh="一成一败两家企业，成功的那家排在前面的机会；越高越好",
            en="chance that of two firms the one that landed ranks first; higher is better",
        ),
        "high",
    ),
    "average_precision": _Measure(
        Text(zh="平均精确率", en="average precision"),
        Text(
            zh="从上往下数，名单前部的命中率；越高越好",
            en="hit rate along the top of the list; higher is better",
        ),
        "high",
    ),
    "log_loss": _Measure(
        Text(zh="对数损失", en="log loss"),
        Text(
            zh="给出的可能性离结果有多远，过分自信罚得重；越低越好",
            en="how far likelihoods are from outcomes, dear if too sure; lower is better",
        ),
        "low",
    ),
    "brier": _Measure(
        Text(zh="Brier 分", en="Brier score"),
        Text(
            zh="可能性与结果之差的均方；越低越好",
            en="mean square of likelihood less outcome; lower is better",
        ),
        "low",
    ),
    "calibration_slope": _Measure(
        Text(zh="校准斜率", en="calibration slope"),
        Text(
            zh="1 为恰当；小于 1 过分自信，大于 1 过分保守",
            en="1 is right; below 1 too sure of itself, above 1 too timid",
        ),
        "one",
        2,
    ),
    "calibration_intercept": _Measure(
        Text(zh="校准截距", en="calibration intercept"),
        Text(
            zh="0 为恰当；大于 0 总体估低了，小于 0 总体估高了",
            en="0 is right; above 0 likelihoods are too low overall, below 0 too high",
        ),
        "zero",
        2,
    ),
}  # fmt: skip
_LIFT = Text(zh="前 {share} 的提升", en="lift in the top {share}")
_CAPTURED = Text(zh="前 {share} 的捕获率", en="captured by the top {share}")
_LIFT_SAYS = Text(zh="命中率是平均水平的几倍", en="hit rate as a multiple of the average")
_CAPTURED_SAYS = Text(zh="占全部成功企业的比例", en="share of all firms that landed")


@dataclass(frozen=True, slots=True)
class Trial:
    """The evaluations of both models on the same later pursuits."""

    challenger: Mapping[str, Any]
    champion: Mapping[str, Any]

    @property
    def level(self) -> str:
        """How sure the intervals are, as percent."""
        level = self.challenger.get("level")
        return numbers.percent(level) if isinstance(level, float) else numbers.percent(_LEVEL)

    @property
    def rivals(self) -> bool:
        """Tell whether there was a champion to compare with."""
        return bool(self.champion)


def trial(manifest: Mapping[str, Any]) -> Trial | None:
    """Return the evaluations of a manifest, or None if the model was not tried."""
    measures = part(manifest, "measures")
    challenger = part(measures, "challenger")
    return Trial(challenger, part(measures, "champion")) if challenger.get("n") else None


def compared(on: Trial, words: Wording) -> list[Compared]:
    """Return the named measures that either model has."""
    ours, theirs = part(on.challenger, "measures"), part(on.champion, "measures")
    return [
        Compared(
            key, words.say(m.name), words.say(m.says), Figure.of(ours.get(key)),
            Figure.of(theirs.get(key)), m.goal, m.decimals,
        )
        for key, m in _MEASURES.items()
        if key in ours or key in theirs
    ]  # fmt: skip


def compared_tops(on: Trial, words: Wording) -> list[Compared]:
    """Return lift and captured share at the top of the list, one after the other."""
    rows = []
    theirs = {row.get("share"): row for row in tops(on.champion)}
    for row in tops(on.challenger):
        share = row.get("share")
        other = theirs.get(share, {})
        shown = numbers.percent(float(share or 0.0))
        rows += [
            Compared(
                f"lift {share}", words.say(_LIFT, share=shown), words.say(_LIFT_SAYS),
                Figure.of(row.get("lift")), Figure.of(other.get("lift")), "high", 2,
            ),
            Compared(
                f"captured {share}", words.say(_CAPTURED, share=shown), words.say(_CAPTURED_SAYS),
                Figure.of(row.get("captured")), Figure.of(other.get("captured")), "high", 1, True,
            ),
        ]  # fmt: skip
    return rows


def tops(evaluation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what an evaluation says of the top of the list, by rising share."""
    return sorted(_rows(evaluation, "top"), key=lambda row: float(row.get("share") or 0.0))


def reliability(evaluation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the bins of predicted against observed that hold any pursuits."""
    return [
        row
        for row in _rows(evaluation, "reliability")
        if finite(row.get("predicted")) is not None and finite(row.get("observed")) is not None
    ]


def _rows(evaluation: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = evaluation.get(key)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
