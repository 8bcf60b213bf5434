"""The record of forecasts held against outcomes, for programs and as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leadscore.learning.evaluation.reliability import Band
from leadscore.learning.evaluation.resampling import LEVEL


def told(number: float) -> float | None:
    """Return a number, or None for what is not finite."""
    return float(number) if math.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure with its 90 % bootstrap interval; None where it can't be told.

    A single end is None where the resamples don't bound it, as the slope of forecasts that part
    the outcomes of many resamples without overlap.
    """

    value: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return plain JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Top:
    """What stands in the best-ranked part of the pursuits.

    Attributes
    ----------
    share
        The part, 0..1.
    n
        How many pursuits it is, at least one; fractions of pursuits are rounded.
    lift
        How many times more positives it holds than a part of this size drawn by lot.
    captured
        Which share of all positives it holds.
    """

    share: float
    n: int
    lift: Measure
    captured: Measure


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Forecasts held against outcomes.

    Attributes
    ----------
    n, positives
        Number of pursuits with a known outcome, and of those that reached the target.
    weight
        Sum of their weights.
    measures
        ``auc``, ``average_precision``, ``log_loss`` (nats), ``brier``, ``calibration_slope``,
        ``calibration_intercept``.
    top
        Lift and captured share in the top 10, 20 and 30 %.
    reliability
        Forecast against outcome, band by band.
    groups
        The same for each group, names sorted.
    """

    n: int
    positives: int
    weight: float
    measures: dict[str, Measure]
    top: tuple[Top, ...]
    reliability: tuple[Band, ...]
    groups: dict[str, Evaluation] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` gives the evaluation back."""
        return {
            "n": self.n,
            "positives": self.positives,
            "weight": self.weight,
            "level": LEVEL,
            "measures": {name: measure.to_dict() for name, measure in self.measures.items()},
            "top": [
                {
                    "share": top.share,
                    "n": top.n,
                    "lift": top.lift.to_dict(),
                    "captured": top.captured.to_dict(),
                }
                for top in self.top
            ],
            "reliability": [
                {
                    "from": band.lowest,
                    "to": band.highest,
                    "n": band.n,
                    "predicted": band.predicted,
                    "observed": band.observed,
                    "low": band.low,
                    "high": band.high,
                }
                for band in self.reliability
            ],
            "groups": {name: group.to_dict() for name, group in self.groups.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evaluation:
        """Build an evaluation from what `to_dict` returned."""
        return cls(
            n=data["n"],
            positives=data["positives"],
            weight=data["weight"],
            measures={name: Measure(**plain) for name, plain in data["measures"].items()},
            top=tuple(
                Top(top["share"], top["n"], Measure(**top["lift"]), Measure(**top["captured"]))
                for top in data["top"]
            ),
            reliability=tuple(
                Band(
                    lowest=band["from"],
                    highest=band["to"],
                    **{key: band[key] for key in ("n", "predicted", "observed", "low", "high")},
                )
                for band in data["reliability"]
            ),
            groups={name: cls.from_dict(group) for name, group in data["groups"].items()},
        )
