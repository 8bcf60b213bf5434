"""From firms to X, the table of features: the fit of their matches and all that is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import pandas as pd

from leadscore.city.matching import SAID_BELOW, Match, Matcher, Span, words_of
from leadscore.city.profile import City, Role
from leadscore.features.catalogue import CATALOGUE, CATEGORIES, Firm, Value, text_of
from leadscore.features.company import Origin, business_text, company_features
from leadscore.features.footprint import Footprint
from leadscore.lists.cleaning import records_of

SEGMENT_FEATURES = (
    "chain", "position", "anchor_buyers", "anchor_suppliers", "steps_to_strength",
    "neighbour_supply", "sought",
)  # fmt: skip
"""Features that a segment gives to every firm whose best match it is."""


class SegmentContext(NamedTuple):
    """What a segment of a city holds for a firm; shares are 0..1."""

    chain: str
    position: str
    gap: float
    neighbour_supply: float
    sought: float  # 1 if the city asks for such firms, else 0
    anchor_buyers: float
    anchor_suppliers: float
    steps_to_strength: float | None  # None if not linked


class Fit(NamedTuple):
    """A `Match`, and how much of the segment's gap the firm would fill: gap x strength x role.

    One that an officer has set has no spans, and so no words.
    """

    segment: str
    role: Role
    use: str | None
    strength: float
    spans: tuple[Span, ...]
    suits: float
    gap: float
    fit: float

    @property
    def words(self) -> str:
        """The words that were found; see `Match.words`."""
        return words_of(self.spans, self.use if self.suits < SAID_BELOW else None)


def segment_contexts(city: City) -> dict[str, SegmentContext]:
    """Return what each segment of a city holds for a firm, by its id."""
    asked_for = {key for sought in city.sought for key in sought.segments}
    contexts = {}
    for key, segment in city.segments.items():
        steps = city.distance_to_strength(key)
        contexts[key] = SegmentContext(
            chain=segment.chain_id, position=segment.position, gap=float(city.gap(key)),
            neighbour_supply=float(city.neighbour_supply(key)),
            sought=float(segment.sought or key in asked_for),
            anchor_buyers=float(len(city.buyers(key))),
            anchor_suppliers=float(len(city.suppliers(key))),
            steps_to_strength=None if steps is None else float(steps),
        )  # fmt: skip
    return contexts


SIZEABLE_GAP = 0.45
"""A gap that is worth naming."""
GOOD_STRENGTH = 0.3
"""A match that counts as filling a gap, and that may be called a main business."""
# A weaker match is a passing word: it is listed among the segments, but decides nothing.
_SOLID_STRENGTH = 0.15
# A match speaks for a firm only if it is at least half as strong as the firm's strongest.
_MAIN_BUSINESS_SHARE = 0.5


def real_matches(matches: Sequence[Fit]) -> list[Fit]:
    """Return the matches that tell of the firm's real business, the segments it truly works in.

    A maker of what the city has plenty of is not shown as a weak supplier of what it lacks, and a
    passing word makes no firm a candidate.
    """
    strongest = max((match.strength for match in matches), default=0.0)
    least = max(_SOLID_STRENGTH, _MAIN_BUSINESS_SHARE * strongest)
    return [match for match in matches if match.strength >= least]


def best_match(matches: Sequence[Fit]) -> Fit | None:
    """Return the real match of a firm with the highest fit; None if there is none.

    Ties go to the stronger match, then to the segment's id.
    """
    return min(
        real_matches(matches), key=lambda match: (-match.fit, -match.strength, match.segment),
        default=None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class MeasuredFirm:
    """The features of a firm, and its matches."""

    values: list[Value]  # in the order of the catalogue, None where missing
    matches: list[Fit]  # the strongest first
    best: Fit | None  # see `best_match`


class FeatureExtractor:
    """Measures firms; what it needs to know of the place is in the city profile.

    A firm's features never depend on other firms. Safe to share between threads.
    """

    def __init__(self, city: City) -> None:
        self.city = city
        self._matcher = Matcher(city)
        self._contexts = segment_contexts(city)
        self._origin, self._footprint = Origin(city), Footprint(city.division_code)

    def __reduce__(self) -> tuple[type[FeatureExtractor], tuple[City]]:
        """Pickle the profile only; the code that loads it compiles it anew."""
        return FeatureExtractor, (self.city,)

    def transform(self, firms: pd.DataFrame) -> pd.DataFrame:
        """Return X: n x 37 features in the order of the catalogue, numbers and levels.

        ``firms`` has n rows of canonical columns, of which any may be missing, ``as_of``
        (datetime), when the fields were known, without which the age is missing, and, of firms that
        officers have corrected, those of `leadscore.lists.columns.BY_HAND`.
        """
        return features_frame([firm.values for firm in self.measure_firms(records_of(firms))])

    def measure_firms(self, firms: Sequence[Firm]) -> list[MeasuredFirm]:
        """Measure firms, each by itself; for their columns see `transform`."""
        matched = zip(firms, self._matcher.match_all(firms), strict=True)
        return [self._measured(firm, self._fits(firm, matches)) for firm, matches in matched]

    def _fits(self, firm: Firm, matches: Sequence[Match]) -> list[Fit]:
        if self._corrected(firm):
            matches = self._by_hand(firm, matches)
        return [self._fit(match) for match in matches]

    @staticmethod
    def _corrected(firm: Firm) -> bool:
        return "segments" in firm or "role" in firm or "use" in firm

    def _by_hand(self, firm: Firm, matches: Sequence[Match]) -> list[Match]:
        # What an officer says of the segments takes the place of all that was matched, at full
        # strength; a segment that the city has no longer says nothing.
        role, use, said = (text_of(firm, name) for name in ("role", "use", "segments"))
        own = {match.segment: match for match in matches}
        if said is not None:
            listed = said.split(";") if said else []
            known = [segment for segment in listed if segment in self._contexts]
            if known or not listed:
                roles = {key: own[key].role if key in own else "maker" for key in known}
                matches = [Match(key, roles[key], None, 1.0, ()) for key in known]
        if role:
            matches = [match._replace(role=cast("Role", role)) for match in matches]
        return [self._matcher.for_use(match, use) for match in matches] if use else list(matches)

    def _fit(self, match: Match) -> Fit:
        gap = self._contexts[match.segment].gap
        return Fit(*match, gap, gap * match.strength * self.city.roles.get(match.role, 0.0))

    def _measured(self, firm: Firm, matches: list[Fit]) -> MeasuredFirm:
        best = best_match(matches)
        features = {
            **company_features(firm),
            **self._origin.features(firm),
            **self._footprint.features(firm),
            **self._chain_features(firm, matches, best),
        }
        if unfounded := text_of(firm, "unfounded"):
            features |= dict.fromkeys(unfounded.split(";"))
        return MeasuredFirm([features.get(key) for key in CATALOGUE], matches, best)

    def _chain_features(self, firm: Firm, matches: list[Fit], best: Fit | None) -> dict[str, Value]:
        if best is None and not business_text(firm) and "segments" not in firm:
            return {}
        strength = max((match.strength for match in matches), default=0.0)
        solid = [m for m in matches if m.gap >= SIZEABLE_GAP and m.strength >= GOOD_STRENGTH]
        features: dict[str, Value] = {
            "match_strength": strength, "gaps_matched": float(len(solid)), "chain": "none",
        }  # fmt: skip
        if best is None:
            return features
        context = self._contexts[best.segment]
        return features | {
            **{name: getattr(context, name) for name in SEGMENT_FEATURES},
            "role": best.role, "gap_filled": best.fit,
        }  # fmt: skip


def features_frame(rows: Sequence[Sequence[Value]]) -> pd.DataFrame:
    """Return features of n firms, each in the order of the catalogue, as X: float64 and text."""
    columns = {key: [row[place] for row in rows] for place, key in enumerate(CATALOGUE)}
    dtypes = {key: "str" if key in CATEGORIES else "float64" for key in CATALOGUE}
    return pd.DataFrame({key: pd.Series(columns[key], dtype=dtypes[key]) for key in CATALOGUE})
