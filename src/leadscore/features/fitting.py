"""Which gap a firm would fill: the fit of every match and the best of them per firm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from leadscore.city.matching import Match, Span, words_of
from leadscore.city.profile import City
from leadscore.city.values import Role


class Meeting(NamedTuple):
    """What a firm meets in one segment of a city.

    Attributes
    ----------
    chain, position
        Id of the chain, and where in it the segment sits.
    gap, neighbour_supply
        0..1.
    sought
        1 if the city asks for such firms, else 0.
    anchor_buyers, anchor_suppliers
        Counts.
    steps_to_strength
        A count, missing if not linked.
    """

    chain: str
    position: str
    gap: float
    neighbour_supply: float
    sought: float
    anchor_buyers: float
    anchor_suppliers: float
    steps_to_strength: float | None


class Fit(NamedTuple):
    """A match, with how much of the segment's gap the firm would fill.

    Attributes
    ----------
    segment, role, use, strength, spans
        As `leadscore.city.matching.Match` has them.
    gap, fit
        0..1.
    """

    segment: str
    role: Role
    use: str | None
    strength: float
    spans: tuple[Span, ...]
    gap: float
    fit: float

    @property
    def words(self) -> str:
        """The words that were found; see `Match.words`."""
        return words_of(self.spans)


def segment_facts(city: City) -> dict[str, Meeting]:
    """Return what a firm meets in each segment, by its id."""
    asked_for = {key for each in city.sought for key in each.segments}
    found = {}
    for key, segment in city.segments.items():
        steps = city.distance_to_strength(key)
        found[key] = Meeting(
            chain=segment.chain_id,
            position=segment.position,
            gap=float(city.gap(key)),
            neighbour_supply=float(city.neighbour_supply(key)),
            sought=float(segment.sought or key in asked_for),
            anchor_buyers=float(len(city.buyers(key))),
            anchor_suppliers=float(len(city.suppliers(key))),
            steps_to_strength=None if steps is None else float(steps),
        )
    return found


def fits_of(
    matches: Iterable[Match], facts: Mapping[str, Meeting], roles: Mapping[Role, float]
) -> list[Fit]:
    """Return the matches of a firm with the fit of each: ``gap x strength x role``.

    Parameters
    ----------
    matches
        In any order, which stays.
    facts
        See `segment_facts`.
    roles
        From the city profile: how much of a gap a firm of that role would fill, 0..1.
    """
    fits = []
    for segment, role, use, strength, spans in matches:
        gap = facts[segment].gap
        fit = gap * strength * roles.get(role, 0.0)
        fits.append(Fit(segment, role, use, strength, spans, gap, fit))
    return fits


SIZEABLE_GAP = 0.45
"""A gap that is worth naming."""

GOOD_STRENGTH = 0.3
"""A match that counts as filling a gap, and that may be called a main business."""

SOLID_STRENGTH = 0.15
"""A weaker match is a passing word: it is listed among the segments, but decides nothing."""

MAIN_BUSINESS_SHARE = 0.5
"""A match speaks for a firm only if it is at least half as strong as the firm's strongest."""


def best_match(matches: Iterable[Fit]) -> Fit | None:
    """Return the match of a firm with the highest fit; None if there is none.

    Only matches that tell of the firm's real business count (see `SOLID_STRENGTH` and
    `MAIN_BUSINESS_SHARE`): a maker of what the city has plenty of is not shown as a weak supplier
    of what it lacks, and a passing word makes no firm a candidate.

    Ties go to the stronger match, then to the segment's id, so that the answer depends on nothing
    but the firm.
    """
    matches = list(matches)
    strongest = max((match.strength for match in matches), default=0.0)
    least = max(SOLID_STRENGTH, MAIN_BUSINESS_SHARE * strongest)
    real = [match for match in matches if match.strength >= least]
    return min(real, key=lambda each: (-each.fit, -each.strength, each.segment), default=None)
