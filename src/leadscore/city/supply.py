"""What changes when a city has more or less of a segment: the supply, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.city.profile import City

Supplies = Mapping[str, float]
"""Supply, 0..1, by the full id of a segment."""


def supplies(city: City) -> dict[str, float]:
    """Return the supply of every segment, in the order of the profile."""
    return {segment.id: segment.supply for segment in city.segments.values()}


def with_supplies(city: City, changed: Supplies) -> City:
    """Return the same profile with another supply of some segments; others stay.

    Raises
    ------
    KeyError
        If the city has no segment of an id.
    ValueError
        If a supply is outside 0..1.
    """
    for segment_id in changed:
        city.segments[segment_id]
    plain = city.model_dump(mode="python", by_alias=True)
    for chain in plain["chain"]:
        for segment in chain["segment"]:
            full_id = f"{chain['id']}.{segment['id']}"
            segment["supply"] = changed.get(full_id, segment["supply"])
    return City.model_validate(plain)


def differ_in_supply_only(one: City, other: City) -> bool:
    """Tell whether two profiles say the same of everything but supply; also if of that too."""
    return _without_supply(one) == _without_supply(other)


def _without_supply(city: City) -> dict[str, Any]:
    plain = city.model_dump(mode="json", by_alias=True)
    for chain in plain["chain"]:
        for segment in chain["segment"]:
            del segment["supply"]
    return plain
