"""What a feature is: a measurement of a firm with a unit, a direction and words for its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

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
            return show_share(value)
        if self.kind == "cny":
            return show_cny(value, lang)
        if self.kind == "flag":
            return YES_NO[value > 0].pick(lang)
        if self.kind == "years":
            return f"{math.floor(value)}" if value >= 2 else f"{math.floor(value * 10) / 10:.1f}"
        return f"{value:,.0f}"


def show_share(share: float) -> str:
    """Return a share in percent; only 0 and 1 themselves read as 0% and 100%.

    >>> show_share(0.734), show_share(0.0), show_share(0.003), show_share(0.998), show_share(-2.5)
    ('73%', '0%', '0.3%', '99.8%', '-250%')
    """
    percent = 100.0 * share
    if percent and abs(percent) < 0.5:
        if abs(percent) < 1e-4:
            return "<0.0001%" if percent > 0 else ">-0.0001%"
        return f"{percent:.1g}%"
    if 99.5 <= percent < 100.0:
        return f"{math.floor(percent * 10) / 10:.1f}%"
    return f"{percent + 0.0:.0f}%"


def show_cny(yuan: float, lang: Lang) -> str:
    """Return an amount in the steps in which each language counts.

    >>> show_cny(134_000_000, "zh"), show_cny(134_000_000, "en")
    ('1.34亿元', 'CNY 134 million')
    >>> show_cny(500_000, "zh"), show_cny(500_000, "en")
    ('50万元', 'CNY 500,000')
    """
    size = abs(yuan)
    if lang == "zh":
        for unit, name in ((1e8, "亿元"), (1e4, "万元")):
            if size >= unit:
                return f"{_short(yuan / unit)}{name}"
        return f"{yuan:,.0f}元"
    for unit, name in ((1e9, "billion"), (1e6, "million")):
        if size >= unit:
            return f"CNY {_short(yuan / unit)} {name}"
    return f"CNY {yuan:,.0f}"


def _short(number: float) -> str:
    """Three significant digits, without an exponent or trailing zeros."""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


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
