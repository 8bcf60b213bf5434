"""What an evaluation of forecasts holds, as a manifest keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

LEVEL = 0.9
"""Every interval of an evaluation holds the middle 90 % of the resamples."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure with its 90 % bootstrap interval; None where it can't be told.

    A single end is None where the resamples don't bound it, as the slope of forecasts that part
    the outcomes of many resamples without overlap.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Top:
    """The best-ranked ``share`` of the pursuits.

    How many they are, their lift over as many drawn by lot, and which share of the positives they
    hold.
    """

    share: float
    n: int
    lift: Measure
    captured: Measure


@dataclass(frozen=True, slots=True)
class Band:
    """Pursuits with forecasts close together, from ``lowest`` to ``highest``.

    Weighted means of forecasts and outcomes, with the 90 % interval of the observed share (Wilson
    1927, with Kish's effective number of pursuits where weights differ).
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
    """Forecasts held against n outcomes, in all and by group (names sorted).

    ``measures`` go by the names of `leadscore.learning.metrics.MEASURES`.
    """

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
