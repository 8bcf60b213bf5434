"""A measured value with its interval, and two of them side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leadscore.learning.modelpage import numbers
from leadscore.text import Text, room_words

WORDS = room_words("learning")


CHALLENGER = WORDS["figures.challenger"]
CHAMPION = WORDS["figures.champion"]
AHEAD = WORDS["figures.ahead"]
BETTER = CHALLENGER
WORSE = CHAMPION
LEVEL = WORDS["figures.level"]

_UNBOUNDED = "…"  # an end that the resamples do not bound

Goal = Literal["high", "low", "zero", "one"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with the ends of its interval; None where it is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, plain: object) -> Figure:
        """Read ``{"value", "low", "high"}`` as an evaluation writes it."""
        if not isinstance(plain, Mapping):
            return cls(None)
        return cls(*(finite(plain.get(key)) for key in ("value", "low", "high")))

    def shown(self, decimals: int, minus: str, *, percent: bool = False) -> tuple[str, str]:
        """Return value and interval as texts."""
        texts = [
            numbers.percent(end) if percent and end is not None else numbers.measure(end, decimals)
            for end in (self.value, self.low, self.high)
        ]
        value, low, high = (text.replace("-", minus) for text in texts)
        if self.low is None and self.high is None:
            return value, ""
        ends = (_UNBOUNDED if end == numbers.NOTHING else end for end in (low, high))
        return value, f"[{', '.join(ends)}]"


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure of both models.

    Attributes
    ----------
    id
        Name of the measure in an evaluation, or of its share and kind.
    name, says
        What it is called, and what it tells, in the language.
    challenger, champion
        The figures.
    goal
        Where the best value lies.
    decimals, percent
        How it is written.
    """

    id: str
    name: str
    says: str
    challenger: Figure
    champion: Figure
    goal: Goal
    decimals: int = 3
    percent: bool = False

    @property
    def outcome(self) -> Text | None:
        """Which of the two is nearer the goal, as they are written; None if either is missing."""
        ours, theirs = self.challenger.value, self.champion.value
        if ours is None or theirs is None:
            return None
        digits = self.decimals + 2 * self.percent
        far = [round(self._far(value), digits) for value in (ours, theirs)]
        if far[0] == far[1]:
            return LEVEL
        return BETTER if far[0] < far[1] else WORSE

    def _far(self, value: float) -> float:
        distances = {"high": -value, "low": value, "one": abs(value - 1.0), "zero": abs(value)}
        return distances[self.goal]


def finite(value: object) -> float | None:
    """Return a finite number, or None for what is missing or no number."""
    return None if numbers.measure(value) == numbers.NOTHING else float(str(value))
