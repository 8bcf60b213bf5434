"""The catalogue: every feature once, with unit, direction and words, in the order of X."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from leadscore import numbers
from leadscore.lists.values.words import STATUSES
from leadscore.text import Lang, Text, room_words

WORDS = room_words("features")

Kind = Literal["share", "cny", "count", "years", "flag", "level"]
Direction = Literal[-1, 0, 1]

Value: TypeAlias = float | str | None
"""Value of a feature; None where it is missing."""
Firm: TypeAlias = Mapping[str, float | str | date | None]
"""Canonical columns, and ``as_of``; what is missing has no key."""

YES_NO = (WORDS["value.no"], WORDS["value.yes"])
UNKNOWN = WORDS["value.unknown"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: a measurement of a firm."""

    id: str  # the column of X and the key of its table in the expert card
    family: str  # key of `FAMILIES`, the group under which people find it
    # ``share`` is a fraction 0..1 (or below 0 for losses), ``cny`` an amount in yuan, ``count`` a
    # number >= 0, ``years`` a span >= 0, ``flag`` 0 or 1, ``level`` one of ``levels``.
    kind: Kind
    # +1 if a higher value may never lower the score, -1 for the reverse, 0 if experience decides.
    direction: Direction
    meaning: Text  # what it measures
    missing: Text  # what a missing value stands for
    # Wording of its reason when its points are positive or negative, which they are beside those of
    # an average firm: a feature that may never lower the score may be called small where it does. Both must be true of every
    # value but those of ``nothing``: a card may have learned to count any value either way. The
    # places are those of `leadscore.ranking.reasons.Wording`.
    lifts: Text
    lowers: Text
    # Where the value is 0, false or the level ``none``; None if the two hold of that too.
    nothing: Text | None
    unknown: Text  # wording of its reason where the value is missing
    levels: Mapping[str, Text]  # of a ``level`` feature: each level with its name for people

    def shape(self, value: Value, points: float) -> Text:
        """Return the wording for a value that adds or takes points."""
        if value is None:
            return self.unknown
        if self.nothing is not None and value in (0, "none"):
            return self.nothing
        return self.lifts if points > 0 else self.lowers

    def show(self, value: Value, lang: Lang) -> str:
        """Return a value as a person reads it; None and NaN read as "unknown"."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return UNKNOWN.pick(lang)
        if isinstance(value, str):
            return self.levels[value].pick(lang) if value in self.levels else value
        match self.kind:
            case "share":
                return numbers.share(value)
            case "cny":
                return numbers.cny(value, lang)
            case "flag":
                return YES_NO[value > 0].pick(lang)
            case "years":
                return numbers.years(value)
        return numbers.count(value)


# Family, id, kind, direction, and what a missing value stands for.
_FEATURES: tuple[tuple[str, str, Kind, Direction, str], ...] = (
    ("sector", "chain", "level", 0, "no_text"),
    ("sector", "industry_kind", "level", 0, "not_in_list"),
    ("sector", "manufacturing", "flag", 0, "not_in_list"),
    ("position", "position", "level", 0, "no_match"),
    ("position", "role", "level", 0, "no_match"),
    ("position", "anchor_buyers", "count", 1, "no_match"),
    ("position", "anchor_suppliers", "count", 1, "no_match"),
    ("position", "steps_to_strength", "count", -1, "not_linked"),
    ("fit", "gap_filled", "share", 1, "no_match"),
    ("fit", "match_strength", "share", 1, "no_text"),
    ("fit", "neighbour_supply", "share", 0, "no_match"),
    ("fit", "gaps_matched", "count", 1, "no_text"),
    ("fit", "sought", "flag", 1, "no_match"),
    ("scale", "registered_capital_cny", "cny", 0, "not_in_list"),
    ("scale", "paid_in_share", "share", 1, "not_in_list"),
    ("scale", "staff", "count", 0, "not_in_list"),
    ("scale", "revenue_cny", "cny", 0, "not_in_list"),
    ("scale", "age_years", "years", 0, "not_in_list"),
    ("capability", "title", "level", 0, "not_in_list"),
    ("capability", "listing", "level", 0, "not_in_list"),
    ("capability", "patents", "count", 1, "not_in_list"),
    ("capability", "rd_share", "share", 1, "not_in_list"),
    ("momentum", "revenue_growth", "share", 1, "not_in_list"),
    ("momentum", "funding", "level", 0, "not_in_list"),
    ("momentum", "branches", "count", 1, "not_in_list"),
    ("momentum", "intended_investment_cny", "cny", 1, "not_in_list"),
    ("origin", "target_region", "flag", 1, "no_home"),
    ("origin", "same_province", "flag", 0, "no_home"),
    ("origin", "neighbour_city", "flag", 0, "no_home"),
    ("origin", "distance_km", "count", 0, "no_home"),
    ("origin", "other_places", "count", 1, "no_text"),
    ("origin", "event", "flag", 1, "not_in_list"),
    ("origin", "referral", "flag", 1, "not_in_list"),
    ("risk", "operating", "level", 0, "not_in_list"),
    ("risk", "risk_flags", "count", -1, "not_in_list"),
    ("risk", "profit_margin", "share", 1, "not_in_list"),
    ("completeness", "completeness", "share", 1, "never"),
)

FAMILIES = {family: WORDS[f"family.{family}"] for family, *_ in _FEATURES}


def _feature(family: str, name: str, kind: Kind, direction: Direction, missing: str) -> Feature:
    key = f"feature.{name}"
    says = WORDS[f"feature.{name}.says"]
    named = f"{key}.levels."
    levels = {at.removeprefix(named): WORDS[at] for at in WORDS if at.startswith(named)}
    return Feature(
        id=name, family=family, kind=kind, direction=direction,
        meaning=WORDS[f"feature.{name}.meaning"], missing=WORDS[f"missing.{missing}"],
        lifts=says, lowers=WORDS.get(f"{key}.lowers", says), nothing=WORDS.get(f"{key}.nothing"),
        unknown=WORDS[f"feature.{name}.unknown"],
        levels=STATUSES if name == "operating" else levels,
    )  # fmt: skip


CATALOGUE = {feature.id: feature for feature in (_feature(*row) for row in _FEATURES)}
"""Feature id to `Feature`, in the order of the columns of X."""
CATEGORIES = tuple(f.id for f in CATALOGUE.values() if f.kind == "level")
DIRECTIONS = {f.id: f.direction for f in CATALOGUE.values() if f.direction}


def number(firm: Firm, name: str) -> float | None:
    """Return a number that is known of a firm."""
    value = firm.get(name)
    return value if isinstance(value, float) else None


def text_of(firm: Firm, name: str) -> str | None:
    """Return a text that is known of a firm."""
    value = firm.get(name)
    return value if isinstance(value, str) else None
