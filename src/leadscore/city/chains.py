"""Chains and segments as a profile writes them: what the city makes, and what it lacks."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from leadscore.city.values import (
    Evidence,
    Labels,
    Name,
    Part,
    Position,
    SegmentId,
    Slug,
    Supply,
)


class Segment(Part):
    """One link of a chain.

    Attributes
    ----------
    key
        The id within the chain (``screen``), written as ``id``.
    chain_id
        The chain it belongs to, taken from the table around it.
    position
        ``upstream``, ``midstream`` or ``downstream`` within its chain.
    feeds
        Full ids of the segments that this one delivers to, in any chain.
    supply
        0..1, how much of the segment the city has itself.
    sought
        True if the city says that it looks for firms of this segment.
    makes
        Words that name the product: a maker uses them of itself. At least one.
    hints
        Weaker words, that others use too.
    excludes
        Longer words that contain one of the others and mean something else.
    industry
        Names or codes of industry classes that are a second witness.
    """

    chain_id: Slug = Field(alias="of chain")
    key: Slug = Field(alias="id")
    name: Name
    position: Position
    feeds: tuple[SegmentId, ...] = ()
    supply: Supply
    sought: bool = Field(default=False, strict=True)
    makes: Annotated[Labels, Field(min_length=1)]
    hints: Labels = ()
    excludes: Labels = ()
    industry: Labels = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def id(self) -> str:
        """The full id, ``chain.segment``."""
        return f"{self.chain_id}.{self.key}"


class Chain(Part):
    """An industry chain: a directed graph of segments, written as ``[[chain]]``."""

    id: Slug
    name: Name
    segments: Annotated[tuple[Segment, ...], Field(min_length=1, alias="segment")]
    evidence: tuple[Evidence, ...] = ()

    @field_validator("segments", mode="before")
    @classmethod
    def _belong_here(cls, segments: Any, info: ValidationInfo) -> Any:
        """Tell each segment which chain it stands in, by a key that no TOML is likely to have."""
        if not isinstance(segments, list):
            return segments
        owner = info.data.get("id", "unknown")
        return [{**s, "of chain": owner} if isinstance(s, dict) else s for s in segments]
