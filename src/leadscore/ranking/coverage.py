"""What a list offers a city under each gap: candidates, firms that are here, who comes nearest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from leadscore.city.profile import City, Segment
from leadscore.features.extract import Fit
from leadscore.ranking.score import FirmScore

WORKS: Final = 0.3
"""From this strength on a firm works in a segment."""
_NEAREST, _LOOKED_FOR = 2, 4


class Offer(NamedTuple):
    """A firm under a segment, with what it does there."""

    score: FirmScore
    match: Fit


class Covered(NamedTuple):
    """A segment, and what a list offers for it."""

    segment: Segment
    gap: float  # 0..1
    candidates: list[Offer]  # by fit in this gap, then likelihood
    here: list[Offer]  # already here: no candidates, but with room to grow
    nearest: list[Offer]  # where there are no candidates: who comes nearest, at most two
    looked_for: tuple[str, ...]  # the first words that name the product


def coverage(city: City, scores: Iterable[FirmScore]) -> list[Covered]:
    """Return what scored firms offer for every segment, the widest gaps first.

    A firm stands under each segment that it works in. One that is vetoed is no candidate; one that
    is vetoed for being here already stands in a list of its own.
    """
    offers: dict[str, list[Offer]] = {segment_id: [] for segment_id in city.segments}
    for score in scores:
        for match in score.matches:
            offers[match.segment].append(Offer(score, match))
    covered = [_covered(city, city.segments[key], found) for key, found in offers.items()]
    return sorted(covered, key=lambda each: -each.gap)


def _covered(city: City, segment: Segment, offers: list[Offer]) -> Covered:
    offers.sort(key=lambda each: (-each.match.fit, -each.score.likelihood, -each.match.strength))
    free = [offer for offer in offers if offer.score.veto is None]
    candidates = [offer for offer in free if offer.match.strength >= WORKS]
    here = [
        offer for offer in offers
        if offer.score.veto == "already_here" and offer.match.strength >= WORKS
    ]  # fmt: skip
    nearest = [] if candidates else sorted(free, key=lambda each: -each.match.strength)[:_NEAREST]
    return Covered(
        segment, city.gap(segment.id), candidates, here, nearest, segment.makes[:_LOOKED_FOR]
    )
