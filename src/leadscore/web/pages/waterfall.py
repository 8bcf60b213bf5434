"""A score as a waterfall, and the interval in which the likelihood plausibly lies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadscore.features.catalogue import CATALOGUE
from leadscore.ranking.reasons import Wording, kept_facts, meaning_of
from leadscore.ranking.score import Scorer
from leadscore.store.current_ranking import Score
from leadscore.store.firms import Firm
from leadscore.text import Lang

Interval = tuple[float, float]

_SAYS_NOTHING = 0.95
"""An interval as wide as this leaves everything open, as before any outcome is known."""


def intervals(
    scorer: Scorer, scored: Sequence[tuple[str, Mapping[str, float | str]]]
) -> list[Interval | None]:
    """Return for each score the 90 % interval of its likelihood, its ends in 0..1.

    None for a score by another model, and where the model can't tell: before any outcome is known,
    the interval would be all there is.
    """
    found: list[Interval | None] = [None] * len(scored)
    own = [place for place, (model, _) in enumerate(scored) if model == scorer.model]
    if not own:
        return found
    try:
        features = scorer.card.scorecard.features
        rows = [[scored[place][1].get(name) for name in features] for place in own]
        ends = scorer.card.record_intervals(rows)
    except ValueError:  # no posterior was kept: many tables, or a card of an earlier program
        return found
    for place, (low, high) in zip(own, ends.tolist(), strict=True):
        found[place] = (low, high) if high - low < _SAYS_NOTHING else None
    return found


_SHOWN_POINTS = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one feature does to the score."""

    text: str  # the reason in words
    meaning: str  # what the feature measures, and the firm's value; "" where there is none
    value: str
    points: float
    start: float  # of its bar, in percent of the picture
    width: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A score, taken apart; all points and ``base`` add up to ``total``."""

    base: float
    total: float
    base_at: float  # in percent of the picture
    total_at: float
    steps: Sequence[Step]  # the weightiest first
    small: Sequence[Step]  # those of less than a point each
    rest: Step | None  # their points together, and their one bar


def waterfall(score: Score, firm: Firm, wording: Wording, lang: Lang) -> Waterfall:
    """Return a score of a firm as a picture is drawn of it."""
    points = {name: each for name, each in score.points.items() if each}
    order = sorted(points, key=lambda name: -abs(points[name]))
    large = [name for name in order if abs(points[name]) >= _SHOWN_POINTS]
    small = order[len(large) :]
    moves = [points[name] for name in large]
    if small:
        moves.append(math.fsum(points[name] for name in small))
    ends = [score.base_points]
    for move in moves:
        ends.append(ends[-1] + move)
    scale = _Scale.over(ends)
    words = _Words(wording, score, firm, lang)
    bars = [scale.bar(ends[place], ends[place + 1]) for place in range(len(moves))]
    steps = [words.step(name, points[name], *bar) for name, bar in zip(large, bars, strict=False)]
    return Waterfall(
        score.base_points,
        score.total_points,
        scale.at(score.base_points),
        scale.at(ends[-1]),
        steps,
        [words.step(name, points[name], 0.0, 0.0) for name in small],
        Step("", "", "", moves[-1], *bars[-1]) if small else None,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float]) -> _Scale:
        return cls(min(values), max(max(values), min(values) + 1.0))

    def at(self, value: float) -> float:
        return round(100.0 * (value - self.low) / (self.high - self.low), 2)

    def bar(self, one: float, other: float) -> tuple[float, float]:
        start, end = sorted((self.at(one), self.at(other)))
        return start, max(round(end - start, 2), 0.4)


class _Words:
    """Words the features of one score; those of a model or a city of old by their meaning alone."""

    def __init__(self, wording: Wording, score: Score, firm: Firm, lang: Lang) -> None:
        self._wording, self._values, self._lang = wording, score.values, lang
        self._facts = kept_facts(score.worded_from(firm.record))

    def step(self, feature: str, points: float, start: float, width: float) -> Step:
        wording, lang = self._wording, self._lang
        value = self._values.get(feature)
        text = wording.kept_text(feature, value, points, self._facts, lang)
        shown = wording.value(feature, value, lang) if feature in CATALOGUE else ""
        meaning = meaning_of(feature, lang) if feature in CATALOGUE else ""
        return Step(text, meaning, shown, points, start, width)
