"""What a feature is: a measurement of a firm with a unit, a direction and words for its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

from leadscore import numbers
from leadscore.text import Lang, Text, room_words

WORDS = room_words("features")


Kind = Literal["share", "cny", "count", "years", "flag", "level"]
Direction = Literal[-1, 0, 1]

YES_NO = (WORDS["feature.yes_no"], WORDS["feature.yes_no_2"])
UNKNOWN = WORDS["feature.unknown"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of the catalogue.

    Attributes
    ----------
    id
        The column of X and the key of its table in the expert card.
    family
        Group under which people find it, such as ``"origin"``.
    kind
        ``share`` is a fraction 0..1 (or below 0 for losses), ``cny`` an amount in yuan, ``count``
        a number >= 0, ``years`` a span >= 0, ``flag`` 0 or 1, ``level`` one of ``levels``.
    direction
        +1 if a higher value may never lower the score, -1 for the reverse, 0 if experience decides.
    meaning, missing
        What it measures, and what a missing value stands for.
    lifts, lowers
        Wording of its reason when its points are positive or negative. Both must be true of every
        value but those of ``nothing``: a card may have learned to count any value either way. The
        places are those of `leadscore.ranking.reasons.Wording`.
    nothing
        Wording where the value is 0, false or the level ``none``; None if ``lifts`` and ``lowers``
        hold of that too.
    unknown
        Wording of its reason where the value is missing.
    levels
        For ``level`` features: each level with its name for people.
    """

    id: str
    family: str
    kind: Kind
    direction: Direction
    meaning: Text
    missing: Text
    lifts: Text
    lowers: Text
    nothing: Text | None
    unknown: Text
    levels: Mapping[str, Text] = field(default_factory=dict)

    def shape(self, value: float | str | None, points: float) -> Text:
        """Return the wording for a value (None where missing) that adds or takes points."""
        if value is None:
            return self.unknown
        if self.nothing is not None and value in (0, "none"):
            return self.nothing
        return self.lifts if points > 0 else self.lowers

    def show(self, value: float | str | None, lang: Lang) -> str:
        """Return a value as a person reads it: percent, 万 and 亿, years, yes and no.

        Missing values (None or NaN) read as "unknown".
        """
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return UNKNOWN.pick(lang)
        if isinstance(value, str):
            return self.levels[value].pick(lang) if value in self.levels else value
        if self.kind == "share":
            return numbers.share(value)
        if self.kind == "cny":
            return numbers.cny(value, lang)
        if self.kind == "flag":
            return YES_NO[value > 0].pick(lang)
        if self.kind == "years":
            return numbers.years(value)
        return numbers.count(value)


Value: TypeAlias = float | str | None
"""Value of a feature; None where it is missing."""
Firm: TypeAlias = Mapping[str, float | str | date | None]
"""Canonical columns, and ``as_of``; what is missing has no key."""


def number(firm: Firm, name: str) -> float | None:
    """Return a number that is known of a firm."""
    value = firm.get(name)
    return value if isinstance(value, float) else None


def text_of(firm: Firm, name: str) -> str | None:
    """Return a text that is known of a firm."""
    value = firm.get(name)
    return value if isinstance(value, str) else None
