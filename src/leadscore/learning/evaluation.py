"""What an evaluation of forecasts holds, as a manifest keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

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

    lowest: float
    highest: float
    n: int
    predicted: float
    observed: float
    low: float
    high: float


_BAND = {"lowest": "from", "highest": "to"}  # what JSON calls them


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Forecasts held against n outcomes, in all and by group (names sorted).

    ``measures`` go by the names of `leadscore.learning.metrics.MEASURES`.
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
            "measures": {name: asdict(measure) for name, measure in self.measures.items()},
            "top": [asdict(top) for top in self.top],
            "reliability": [
                {_BAND.get(name, name): value for name, value in asdict(band).items()}
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
                Band(**{f.name: band[_BAND.get(f.name, f.name)] for f in fields(Band)})
                for band in data["reliability"]
            ),
            groups={name: cls.from_dict(group) for name, group in data["groups"].items()},
        )
