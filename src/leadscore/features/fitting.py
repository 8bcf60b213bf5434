"""Which gap a firm would fill: the fit of every match and the best of them per firm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from leadscore.city.profile import City
from leadscore.city.witnesses import Found


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


class Match(NamedTuple):
    """One segment in which a firm works; ``strength``, ``gap`` and ``fit`` are 0..1."""

    segment: str
    role: str
    strength: float
    words: str
    gap: float
    fit: float


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


def matches_of_firms(
    found: Found, city: City, facts: dict[str, Meeting], firms: int
) -> list[list[Match]]:
    """Return the matches of each firm, the strongest first, with the fit of each.

    ``fit = gap x strength x role``, where the role's weight comes from the city profile: how much
    of the gap of a segment a firm of that strength and role would fill.
    """
    matches: list[list[Match]] = [[] for _ in range(firms)]
    weights = {str(role): weight for role, weight in city.roles.items()}
    for firm, segment, role, strength, words in zip(
        found.firm, found.segment, found.role, found.strength, found.words, strict=True
    ):
        gap = facts[segment].gap
        fit = gap * strength * weights.get(role, 0.0)
        matches[firm].append(Match(segment, role, strength, words, gap, fit))
    return matches


SIZEABLE_GAP = 0.45
"""A gap that is worth naming."""

GOOD_STRENGTH = 0.3
"""A match that counts as filling a gap, and that may be called a main business."""

SOLID_STRENGTH = 0.15
"""A weaker match is a passing word: it is listed among the segments, but decides nothing."""

MAIN_BUSINESS_SHARE = 0.5
"""A match speaks for a firm only if it is at least half as strong as the firm's strongest."""


def best_match(matches: Iterable[Match]) -> Match | None:
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


def matches_frame(matches: Sequence[Sequence[Match]]) -> pd.DataFrame:
    """Return the matches of all firms as a table: ``firm`` and the fields of `Match`."""
    firm = [number for number, each in enumerate(matches) for _ in each]
    columns = _columns([match for each in matches for match in each])
    return pd.DataFrame({"firm": np.array(firm, dtype=np.int64), **columns})


def best_frame(best: Sequence[Match | None]) -> pd.DataFrame:
    """Return the best match of each firm as a table, one row a firm.

    Columns are the fields of `Match`, missing where no segment matches; ``fit`` is 0 there.
    """
    return pd.DataFrame(_columns([match or _NOTHING for match in best]))


_NOTHING = Match(None, None, np.nan, None, np.nan, 0.0)  # type: ignore[arg-type]
_TEXTS = ("segment", "role", "words")


def _columns(matches: Sequence[Match]) -> dict[str, pd.Series]:
    return {
        name: pd.Series(
            [match[place] for match in matches], dtype="str" if name in _TEXTS else "float64"
        )
        for place, name in enumerate(Match._fields)
    }
