"""Measures of challenger and champion, side by side: what each says and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.facts import part
from leadscore.learning.modelpage.figures import Compared, Figure, Goal, finite
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import Text, room_words

WORDS = room_words("learning")


_LEVEL = 0.9  # of the intervals, where the evaluation does not say


@dataclass(frozen=True, slots=True)
class _Measure:
    name: Text
    says: Text
    goal: Goal
    decimals: int = 3


_MEASURES = {
    "auc": _Measure(
        WORDS["measures.measures_auc"],
        WORDS["measures.measures_auc_2"],
        "high",
    ),
    "average_precision": _Measure(
        WORDS["measures.measures_average_precision"],
        WORDS["measures.measures_average_precision_2"],
        "high",
    ),
    "log_loss": _Measure(
        WORDS["measures.measures_log_loss"],
        WORDS["measures.measures_log_loss_2"],
        "low",
    ),
    "brier": _Measure(
        WORDS["measures.measures_brier"],
        WORDS["measures.measures_brier_2"],
        "low",
    ),
    "calibration_slope": _Measure(
        WORDS["measures.measures_calibration_slope"],
        WORDS["measures.measures_calibration_slope_2"],
        "one",
        2,
    ),
    "calibration_intercept": _Measure(
        WORDS["measures.measures_calibration_intercept"],
        WORDS["measures.measures_calibration_intercept_2"],
        "zero",
        2,
    ),
}  # fmt: skip
_LIFT = WORDS["measures.lift"]
_CAPTURED = WORDS["measures.captured"]


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
                f"lift {share}",
                words.say(_LIFT, share=shown),
                words.say(WORDS["measures.lift_says"]),
                Figure.of(row.get("lift")),
                Figure.of(other.get("lift")),
                "high",
                2,
            ),
            Compared(
                f"captured {share}",
                words.say(_CAPTURED, share=shown),
                words.say(WORDS["measures.captured_says"]),
                Figure.of(row.get("captured")),
                Figure.of(other.get("captured")),
                "high",
                1,
                True,
            ),
        ]
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
