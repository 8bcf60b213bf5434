"""What a city has, lacks and looks for: one frozen object, its graph of segments, its supply."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from leadscore.city.schema import (
    ROLES,
    STRONG,
    Anchor,
    Chain,
    Chance,
    DivisionCode,
    Event,
    ExpertCard,
    Fraction,
    Label,
    Name,
    Neighbour,
    Part,
    Place,
    Role,
    Segment,
    Slug,
    SoughtClass,
    TargetRegion,
    mistake,
)
from leadscore.text import Text

Edges = Mapping[str, Sequence[str]]


def reverse(edges: Edges) -> dict[str, tuple[str, ...]]:
    """Return who feeds each node, in the order of the nodes.

    >>> reverse({"chip": ["lamp"], "lamp": []})
    {'chip': (), 'lamp': ('chip',)}
    """
    feeders: dict[str, list[str]] = {node: [] for node in edges}
    for node, targets in edges.items():
        for target in targets:
            feeders[target].append(node)
    return {node: tuple(found) for node, found in feeders.items()}


def distances(edges: Edges, sources: Iterable[str]) -> dict[str, int]:
    """Return the fewest edges, in either direction, from each node to the nearest source.

    A node that no source can be reached from is left out.

    >>> distances({"wafer": ["chip"], "chip": ["lamp"], "lamp": [], "app": []}, ["lamp"])
    {'lamp': 0, 'chip': 1, 'wafer': 2}
    """
    feeders = reverse(edges)
    found = dict.fromkeys(sources, 0)
    queue = deque(found)
    while queue:
        node = queue.popleft()
        for near in (*edges[node], *feeders[node]):
            if near not in found:
                found[near] = found[node] + 1
                queue.append(near)
    return found


def rings(edges: Edges) -> list[tuple[str, ...]]:
    """Return rings of the graph, each as its nodes in order, first one repeated at the end.

    Every graph that has a ring yields at least one; cutting those found and asking again finds
    the rest. Targets that are no nodes are passed over.

    >>> rings({"a": ["b"], "b": ["c"], "c": ["a"]})
    [('a', 'b', 'c', 'a')]
    """
    found = []
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        # Depth first without recursion, so that a long chain can't exhaust the stack.
        path, ways = [start], [iter(edges[start])]
        while path:
            target = next(ways[-1], None)
            if target is None:
                done.add(path.pop())
                ways.pop()
            elif target in path:
                found.append((*path[path.index(target) :], target))
            elif target in edges and target not in done:
                path.append(target)
                ways.append(iter(edges[target]))
    return found


class About(Part):
    """The table ``[city]``: which city this is.

    ``division_code`` is the GB/T 2260 prefix (``3601``), or empty for an invented city.
    ``neighbour_discount`` is 0..1: what a unit of a neighbour's supply is worth to this city.
    """

    id: Slug
    name: Name
    division_code: DivisionCode | Literal[""] = ""
    neighbour_discount: Fraction = 0.6


class Statement(Part):
    """The public paper that the profile rests on."""

    title: Name
    number: Label
    issuer: Name
    year: Annotated[int, Field(strict=True, ge=1949, le=2200)]


class RankingPolicy(Part):
    """How likelihood and fit become an order and a grade.

    Attributes
    ----------
    grades
        Least priority of grades A, B and C, falling; below C is D.
    """

    floor: Fraction  # 0..1, the share of the likelihood that counts even where a firm fills no gap
    grades: dict[Literal["A", "B", "C"], Chance]

    @field_validator("grades")
    @classmethod
    def _fall(cls, grades: dict[str, float]) -> dict[str, float]:
        missing = [grade for grade in "ABC" if grade not in grades]
        if missing:
            raise mistake(f"还缺 {'、'.join(missing)}", f"also {', '.join(missing)}")
        ordered = {grade: grades[grade] for grade in "ABC"}
        if any(high <= low for high, low in pairwise(ordered.values())):
            raise mistake("依次递减：A > B > C", "falling thresholds: A > B > C")
        return ordered


class City(Part):
    """A city profile. Read one with `load_city`, which also checks what spans several tables.

    Frozen; may be copied and pickled. Attributes follow the tables of the file.
    """

    about: About = Field(alias="city")
    statement: Statement
    ranking: RankingPolicy
    roles: dict[Role, Fraction]
    chains: Annotated[tuple[Chain, ...], Field(min_length=1, alias="chain")]
    anchors: tuple[Anchor, ...] = Field(default=(), alias="anchor")
    places: tuple[Place, ...] = Field(default=(), alias="place")
    neighbours: tuple[Neighbour, ...] = Field(default=(), alias="neighbour")
    target_regions: tuple[TargetRegion, ...] = Field(default=(), alias="target_region")
    events: tuple[Event, ...] = Field(default=(), alias="event")
    sought: tuple[SoughtClass, ...] = Field(default=(), alias="sought")
    card: ExpertCard

    @field_validator("roles")
    @classmethod
    def _all_roles(cls, roles: dict[str, float]) -> dict[str, float]:
        missing = [role for role in ROLES if role not in roles]
        if missing:
            raise mistake(f"还缺 {'、'.join(missing)}", f"also {', '.join(missing)}")
        return {role: roles[role] for role in ROLES}

    @property
    def id(self) -> str:
        """Short name of the city, for file names and answers."""
        return self.about.id

    @property
    def name(self) -> Text:
        """Name of the city."""
        return self.about.name

    @property
    def division_code(self) -> str:
        """GB/T 2260 prefix, empty for an invented city."""
        return self.about.division_code

    @property
    def neighbour_discount(self) -> float:
        """0..1, what a unit of a neighbour's supply is worth here."""
        return self.about.neighbour_discount

    @cached_property
    def segments(self) -> dict[str, Segment]:
        """Every segment by its full id, in the order of the file."""
        return {segment.id: segment for chain in self.chains for segment in chain.segments}

    def supply(self, segment_id: str) -> float:
        """Return 0..1, how much of a segment the city has itself."""
        return self.segments[segment_id].supply

    def neighbour_supply(self, segment_id: str) -> float:
        """Return 0..1, the most that any one neighbour delivers, before the discount."""
        return self._delivered.get(segment_id, 0.0)

    def gap(self, segment_id: str) -> float:
        """Return 0..1, what is missing: ``1 - max(supply, discount * neighbour supply)``."""
        near = self.neighbour_discount * self.neighbour_supply(segment_id)
        return 1.0 - max(self.supply(segment_id), near)

    def downstream_of(self, segment_id: str) -> tuple[str, ...]:
        """Return the segments that this one feeds directly."""
        return self.segments[segment_id].feeds

    def upstream_of(self, segment_id: str) -> tuple[str, ...]:
        """Return the segments that feed this one directly."""
        return self._feeders[segment_id]

    def distance_to_strength(self, segment_id: str) -> int | None:
        """Return the fewest steps along the graph, either way, to a strength of the city.

        A strength is a segment with a supply of at least `STRONG`; it is 0 steps from itself.
        None where no strength can be reached.
        """
        return self._steps[self.segments[segment_id].id]

    def anchors_of(self, segment_id: str) -> tuple[Anchor, ...]:
        """Return the anchors that work in the segment."""
        return self._anchors_in([self.segments[segment_id].id])

    def buyers(self, segment_id: str) -> tuple[Anchor, ...]:
        """Return the anchors in the segments that this one feeds directly."""
        return self._anchors_in(self.downstream_of(segment_id))

    def suppliers(self, segment_id: str) -> tuple[Anchor, ...]:
        """Return the anchors in the segments that feed this one directly."""
        return self._anchors_in(self.upstream_of(segment_id))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, in hex: the same for any layout and comments of the file."""
        content = self.model_dump(mode="json", by_alias=True)
        canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def _delivered(self) -> dict[str, float]:
        most: dict[str, float] = {}
        for neighbour in self.neighbours:
            for delivery in neighbour.delivers:
                most[delivery.segment] = max(most.get(delivery.segment, 0.0), delivery.supply)
        return most

    @cached_property
    def _edges(self) -> dict[str, tuple[str, ...]]:
        return {segment_id: segment.feeds for segment_id, segment in self.segments.items()}

    @cached_property
    def _feeders(self) -> dict[str, tuple[str, ...]]:
        return reverse(self._edges)

    @cached_property
    def _steps(self) -> dict[str, int | None]:
        strengths = [s.id for s in self.segments.values() if s.supply >= STRONG]
        found = distances(self._edges, strengths)
        return {segment_id: found.get(segment_id) for segment_id in self.segments}

    def _anchors_in(self, segment_ids: Iterable[str]) -> tuple[Anchor, ...]:
        wanted = set(segment_ids)
        return tuple(anchor for anchor in self.anchors if wanted.intersection(anchor.segments))


Supplies = Mapping[str, float]
"""Supply, 0..1, by the full id of a segment."""


def supplies(city: City) -> dict[str, float]:
    """Return the supply of every segment, in the order of the profile."""
    return {segment.id: segment.supply for segment in city.segments.values()}


def with_supplies(city: City, changed: Supplies) -> City:
    """Return the same profile with another supply of some segments; others stay.

    Raises KeyError if the city has no segment of an id; ValueError if a supply is outside 0..1.
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
