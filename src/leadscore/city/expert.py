"""The expert card: points per feature that people wrote, the day-one model of a city."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from leadscore.city.values import Chance, Label, Name, Number, Part, mistake


class NumericPoints(Part):
    """Points of a numeric feature, one for each interval between edges.

    Attributes
    ----------
    edges
        Strictly ascending, in the unit of the feature; at least one. An edge itself belongs to
        the interval above it.
    points
        One more than edges; 20 points double the odds.
    unknown
        Points where the value is missing.
    why
        The reason the experts gave.
    """

    edges: Annotated[tuple[Number, ...], Field(min_length=1)]
    points: tuple[Number, ...]
    unknown: Number
    why: Name

    @field_validator("edges")
    @classmethod
    def _ascend(cls, edges: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in pairwise(edges)):
            raise mistake("严格递增的数", "numbers in strictly ascending order")
        return edges

    @field_validator("points")
    @classmethod
    def _match(cls, points: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        edges = info.data.get("edges")
        if edges is not None and len(points) != len(edges) + 1:
            wanted = len(edges) + 1
            raise mistake(
                f"{wanted} 个分值（比 edges 多一个），现有 {len(points)} 个",
                f"{wanted} points (one more than edges), there are {len(points)}",
            )
        return points


class LevelPoints(Part):
    """Points of a feature with named levels.

    Attributes
    ----------
    levels
        Points by level.
    other
        Points of a level that is not listed.
    unknown
        Points where the value is missing.
    why
        The reason the experts gave.
    """

    levels: Annotated[dict[Label, Number], Field(min_length=1)]
    other: Number
    unknown: Number
    why: Name


def _shape(value: Any) -> str:
    if isinstance(value, LevelPoints) or (isinstance(value, dict) and "levels" in value):
        return LevelPoints.__name__
    return NumericPoints.__name__


Points = Annotated[
    Annotated[NumericPoints, Tag(NumericPoints.__name__)]
    | Annotated[LevelPoints, Tag(LevelPoints.__name__)],
    Discriminator(_shape),
]


class ExpertCard(Part):
    """What experts believe before any outcome is known.

    Attributes
    ----------
    base_likelihood
        Chance, between 0 and 1, of a firm whose every feature gets 0 points.
    features
        Points by the name of the feature, written as ``[card.feature.NAME]``.
    """

    base_likelihood: Chance
    features: Annotated[dict[Label, Points], Field(min_length=1, alias="feature")]
