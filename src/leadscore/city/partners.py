"""Whom and what a city counts on: firms already here, places, neighbours, regions, occasions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leadscore.city.values import (
    DivisionCode,
    Evidence,
    Labels,
    Name,
    Part,
    SegmentId,
    Slug,
    Supply,
)

EvidenceList = tuple[Evidence, ...]


class Anchor(Part):
    """A firm that is here already and that others may follow, written as ``[[anchor]]``.

    Attributes
    ----------
    label
        What it is called in both languages, written as ``name``.
    aliases
        Other names, full company names among them.
    segments
        Those that it works in; none for a group whose firms are listed on their own, so that
        nobody counts twice.
    """

    label: Name = Field(alias="name")
    aliases: Labels = ()
    kind: Literal["group", "manufacturer", "brand", "technology"]
    segments: tuple[SegmentId, ...] = ()
    evidence: EvidenceList = ()

    @property
    def name(self) -> str:
        """The Chinese name, which lists use."""
        return self.label.zh


class Place(Part):
    """A park, cluster or platform of the city that a firm could be shown."""

    id: Slug
    name: Name
    kind: Literal["base", "cluster", "park", "centre", "laboratory", "training", "alliance"]
    segments: tuple[SegmentId, ...] = ()
    evidence: EvidenceList = ()


class Delivery(Part):
    """What a neighbour delivers of one segment; ``supply`` is 0..1, before the discount."""

    segment: SegmentId
    supply: Supply
    evidence: EvidenceList = ()


class Neighbour(Part):
    """A partner city."""

    name: Name
    division_code: DivisionCode | Literal[""] = ""
    delivers: Annotated[tuple[Delivery, ...], Field(min_length=1)]
    evidence: EvidenceList = ()


class TargetRegion(Part):
    """Where the city looks for firms: province or city codes, matched as prefixes."""

    id: Slug
    name: Name
    divisions: Annotated[tuple[DivisionCode, ...], Field(min_length=1)]
    evidence: EvidenceList = ()


class Event(Part):
    """A fair, meeting or other occasion at which the city meets firms."""

    id: Slug
    name: Name
    aliases: Labels = ()
    kind: Literal["conference", "fair", "matchmaking", "contest", "service"]
    evidence: EvidenceList = ()


class SoughtClass(Part):
    """A class of firm that the city says it looks for.

    No ``segments`` means any segment; ``words`` betray such a firm.
    """

    id: Slug
    name: Name
    segments: tuple[SegmentId, ...] = ()
    words: Labels = ()
    evidence: EvidenceList = ()
