"""What an evaluation of forecasts holds, as a manifest keeps it, and what a gate may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

LEVEL = 0.9
"""Every interval of an evaluation holds the middle 90 % of the resamples."""

GateState = Literal["passed", "failed", "not_measured"]
"""What a gate says of a challenger; where nothing could be measured it is not passed."""

MARKS: Mapping[GateState, str] = {"passed": "✓", "failed": "✗", "not_measured": "–"}
"""The sign before the sentence of a gate; it says what a colour says."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure with its 90 % bootstrap interval; None where it can't be told.

    A single end is None where the resamples don't bound it, as they don't without overlap.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Top:
    """The best-ranked ``share``: its lift over as many by lot, and its part of the positives."""

    share: float
    n: int
    lift: Measure
    captured: Measure


@dataclass(frozen=True, slots=True)
class Band:
    """Pursuits with forecasts close together: weighted means of forecasts and outcomes.

    The 90 % interval of the observed share is Wilson's (1927), with Kish's effective number.
    """

    lowest: Annotated[float, Field(alias="from")]
    highest: Annotated[float, Field(alias="to")]
    n: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Forecasts held against n outcomes, by the names of `metrics.MEASURES`, and each group's."""

    n: int
    positives: int
    weight: float
    level: float = LEVEL
    measures: dict[str, Measure]
    top: tuple[Top, ...]
    reliability: tuple[Band, ...]
    groups: dict[str, Evaluation] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain: dict[str, Any] = TypeAdapter(Evaluation).dump_python(
            self, by_alias=True, mode="json"
        )
        return plain
