"""From firms to X, the table of features: the fit of their matches and all that is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from leadscore.city.matching import Match, Matcher, Span, words_of
from leadscore.city.profile import City
from leadscore.city.schema import Role
from leadscore.features.catalogue import CATALOGUE, CATEGORIES
from leadscore.features.company import business_text, company_features
from leadscore.features.feature import Firm, Value
from leadscore.features.origin import Origin
from leadscore.lists.cleaning import records_of


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


@dataclass(frozen=True, slots=True)
class MeasuredFirm:
    """What was found out about one firm.

    Attributes
    ----------
    values
        Its features in the order of the catalogue, None where missing.
    matches
        Its matches, the strongest first.
    best
        The one that counts; see `leadscore.features.extract.best_match`.
    """

    values: list[Value]
    matches: list[Fit]
    best: Fit | None


class FeatureExtractor:
    """Measures firms; what it needs to know of the place is in the city profile.

    A firm's features never depend on other firms. Safe to share between threads.

    Parameters
    ----------
    city
        The city profile.
    """

    def __init__(self, city: City) -> None:
        self.city = city
        self._matcher = Matcher(city)
        self._facts = segment_facts(city)
        self._origin = Origin(city)

    def __reduce__(self) -> tuple[type[FeatureExtractor], tuple[City]]:
        """Pickle the profile only; the code that loads it compiles it anew."""
        return FeatureExtractor, (self.city,)

    def transform(self, firms: pd.DataFrame) -> pd.DataFrame:
        """Return X: n x 35 features in the order of the catalogue, numbers and levels.

        Parameters
        ----------
        firms
            n rows of canonical columns; a missing column counts as all missing. The column
            ``as_of`` (datetime) says when the fields were known; without it the age is missing.
        """
        return features_frame([firm.values for firm in self.measure_firms(records_of(firms))])

    def measure_firms(self, firms: Sequence[Firm]) -> list[MeasuredFirm]:
        """Measure firms, each by itself.

        Parameters
        ----------
        firms
            Canonical columns of each, and ``as_of``; see `transform`.
        """
        return [
            self._measured(firm, fits_of(matches, self._facts, self.city.roles))
            for firm, matches in zip(firms, self._matcher.match_all(firms), strict=True)
        ]

    def _measured(self, firm: Firm, matches: list[Fit]) -> MeasuredFirm:
        best = best_match(matches)
        features = {
            **company_features(firm),
            **self._origin.features(firm),
            **self._chain_features(firm, matches, best),
        }
        return MeasuredFirm([features[key] for key in CATALOGUE], matches, best)

    def _chain_features(self, firm: Firm, matches: list[Fit], best: Fit | None) -> dict[str, Value]:
        """Return the features of the best segment and of the graph around it."""
        solid = [m for m in matches if m.gap >= SIZEABLE_GAP and m.strength >= GOOD_STRENGTH]
        speaks = best is not None or bool(business_text(firm))
        strength = max((match.strength for match in matches), default=0.0)
        found: dict[str, Value] = {
            "match_strength": strength if speaks else None,
            "gaps_matched": float(len(solid)) if speaks else None,
        }
        if best is None:
            return _NOTHING_MET | found | {"chain": "none" if speaks else None}
        met = self._facts[best.segment]
        return found | {
            "chain": met.chain,
            "position": met.position,
            "role": best.role,
            "anchor_buyers": met.anchor_buyers,
            "anchor_suppliers": met.anchor_suppliers,
            "steps_to_strength": met.steps_to_strength,
            "gap_filled": best.fit,
            "neighbour_supply": met.neighbour_supply,
            "sought": met.sought,
        }


def features_frame(rows: Sequence[Sequence[Value]]) -> pd.DataFrame:
    """Return features of n firms, each in the order of the catalogue, as X: float64 and text."""
    return pd.DataFrame(
        {
            key: pd.Series(
                [row[place] for row in rows],
                dtype="str" if key in CATEGORIES else "float64",
            )
            for place, key in enumerate(CATALOGUE)
        }
    )


_NOTHING_MET: dict[str, Value] = dict.fromkeys(
    (
        "position", "role", "anchor_buyers", "anchor_suppliers", "steps_to_strength",
        "gap_filled", "neighbour_supply", "sought",
    )
)  # fmt: skip
