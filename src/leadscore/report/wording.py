"""Words, names and numbers of a report in one language."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from leadscore import numbers
from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE, UNKNOWN, YES_NO
from leadscore.text import Lang, room_words

WORDS = room_words("report")
NOTHING = "–"
PAIRED = " × "
"""Stands between two features, and between their values, in cards of earlier programs."""

_COUNTED_SINGLY = 10  # up to here, bands of counts name whole numbers: 1–2 and not 1–3
_UNITS: dict[Lang, Sequence[tuple[float, str]]] = {
    "zh": ((1e8, "亿"), (1e4, "万"), (1.0, "")),
    "en": ((1e9, " billion"), (1e6, " million"), (1.0, "")),
}
_SHORT_UNITS: dict[Lang, Sequence[tuple[float, str]]] = {
    "zh": _UNITS["zh"],
    "en": ((1e9, "bn"), (1e6, "m"), (1e3, "k"), (1.0, "")),
}


def harmless(text: str) -> str:
    r"""Return one line in which what can't be seen is named instead of obeyed.

    Control characters, directions of writing, lone surrogates and unassigned ones become their
    code; any space becomes a plain one.

    >>> harmless("a\u202eb\nc\u3000d")
    'a⟨U+202E⟩b⟨U+000A⟩c d'
    """
    if text.isprintable():
        return text
    spaces = ("Zs", "Zl", "Zp")
    return "".join(
        char if char.isprintable() else " " if unicodedata.category(char) in spaces
        else f"⟨U+{ord(char):04X}⟩"
        for char in text
    )  # fmt: skip


def percent(fraction: float) -> str:
    """Return a fraction as percent.

    >>> percent(0.1234), percent(0.5), percent(0.001)
    ('12.3%', '50%', '0.1%')
    """
    return f"{100 * fraction:.1f}".removesuffix(".0") + "%"


def count(value: object) -> str:
    """Return a number of outcomes, which may be a broken weight; a dash where it is unknown.

    >>> count(1234), count(17.5), count(None)
    ('1,234', '17.5', '–')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NOTHING
    return f"{value:,.1f}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Words:
    """Names and numbers in one language.

    A profile names the city and its chains, which else go by their ids. Points are written as
    ``whole`` numbers or not; ``minus`` is a true minus on a page, a hyphen in a terminal.
    """

    lang: Lang
    city: City | None
    whole: bool
    minus: str = "−"

    def say(self, key: str, /, **places: object) -> str:
        """Return the words of a key with their places filled."""
        text = WORDS[key]
        return (text.format(**places) if places else text).pick(self.lang)

    def counted(self, key: str, values: Mapping[str, object], **places: object) -> str:
        """Return the words of a key with its places filled by numbers of things."""
        counts = {name: count(value) for name, value in values.items()}
        return self.say(key, **counts | places)

    def feature(self, name: str) -> str:
        """Return what a feature (or a pair of them) measures, or its id if nobody wrote that."""
        if name in CATALOGUE:
            meaning = CATALOGUE[name].meaning.pick(self.lang)
            return meaning[:1].upper() + meaning[1:]
        return PAIRED.join(map(self.feature, name.split(PAIRED))) if PAIRED in name else name

    def level(self, feature: str, level: str) -> str:
        """Return the name of a level, or of a pair of levels."""
        if feature == "chain":
            return self.chain(level)
        if feature in CATALOGUE:
            return CATALOGUE[feature].show(level, self.lang)
        features, levels = feature.split(PAIRED), level.split(PAIRED)
        if len(features) != len(levels) or len(levels) == 1:
            return level
        rest = {"unknown": UNKNOWN.pick(self.lang), "other": self.say("entries.other")}
        pairs = zip(features, levels, strict=True)
        return PAIRED.join(rest.get(level) or self.level(name, level) for name, level in pairs)

    def chain(self, chain_id: str) -> str:
        """Return the name of a chain, or its id where no profile is at hand."""
        names = dict(CATALOGUE["chain"].levels)
        names |= {chain.id: chain.name for chain in self.city.chains} if self.city else {}
        return names[chain_id].pick(self.lang) if chain_id in names else chain_id

    def band(
        self, feature: str, low: float | None, high: float | None, edges: Sequence[float]
    ) -> str:
        """Return a band of numbers in the unit of its feature; its upper end is not part of it.

        All edges of the feature's bands are written with as many digits as tell them apart; an end
        is None where the band has none.

        >>> Words("en", None, True).band("staff", None, 50.0, [50.0, 300.0])
        '< 50'
        >>> Words("zh", None, True).band("registered_capital_cny", 5e6, 1e8, [5e6, 1e8])
        '500万–1亿元'
        """
        kind = CATALOGUE[feature].kind if feature in CATALOGUE else None
        if low is None and high is None:
            return self.say("entries.any")
        if kind == "flag":
            return YES_NO[low is not None].pick(self.lang)
        if kind == "count" and (counts := _whole_numbers(low, high)):
            return self.signed(counts)
        texts: dict[float | None, str]
        texts = dict(zip(edges, self.edges(feature, edges, short=False), strict=True))
        first, last = texts.get(low), texts.get(high)
        if kind == "cny" and first and last:
            # A unit that both ends share is written once.
            unit = next(name for _, name in _UNITS[self.lang] if last.endswith(name))
            return self.say("entries.yuan", amount=_range(first.removesuffix(unit), last))
        if kind == "cny":
            first, last = (end and self.say("entries.yuan", amount=end) for end in (first, last))
        band = _range(first, last)
        return self.say("entries.years", band=band) if kind == "years" else band

    def edges(self, feature: str, edges: Sequence[float], *, short: bool = True) -> list[str]:
        """Return the ends of bands as texts that differ, short enough for the axis of a chart.

        >>> words = Words("en", None, True)
        >>> words.edges("gap_filled", [0.125, 0.5])
        ['12.5%', '50%']
        >>> words.edges("registered_capital_cny", [5e6, 2.5e9])
        ['5m', '2.5bn']
        """
        kind = CATALOGUE[feature].kind if feature in CATALOGUE else None
        units = (_SHORT_UNITS if short else _UNITS)[self.lang] if kind == "cny" else [(1.0, "")]

        def written(edge: float, digits: int) -> str:
            if kind == "share":
                return self.signed(_digits(100 * edge, digits) + "%")
            size, name = next((unit for unit in units if abs(edge) >= unit[0]), units[-1])
            return self.signed(_digits(edge / size, digits) + name)

        texts: list[str] = []
        for digits in range(3, 16):
            texts = [written(edge, digits) for edge in edges]
            if all(one != other for one, other in pairwise(texts)):
                break
        return texts

    def points(self, points: float) -> str:
        """Return points with their sign, with one decimal unless all of the card's are whole.

        >>> Words("en", None, True).points(12.0), Words("en", None, False).points(-0.01)
        ('+12', '0.0')
        """
        text = numbers.points(points, 0 if self.whole else 1, self.minus)
        return text if any(digit in "123456789" for digit in text) else text[1:]

    def interval(self, low: float | None, high: float | None) -> str:
        """Return an interval of points, or nothing."""
        return "" if low is None or high is None else f"[{self.points(low)}, {self.points(high)}]"

    def ticks(self, points: Sequence[float]) -> list[str]:
        """Return points as they stand on a scale."""
        return [self.signed(f"{point:+g}") if point else "0" for point in points]

    def ends(self, low: float | None, high: float | None, decimals: int | None) -> str:
        """Return the interval of a measure, "" where it has none; an end may be unbounded."""
        ends = ["…" if end is None else self.measure(end, decimals) for end in (low, high)]
        return "" if ends == ["…", "…"] else f"[{', '.join(ends)}]"

    def measure(self, value: float | None, decimals: int | None) -> str:
        """Return a measure, as percent where no decimals are given; a dash if undefined."""
        if value is None:
            return NOTHING
        return self.signed(percent(value) if decimals is None else f"{value + 0.0:.{decimals}f}")

    def signed(self, text: str) -> str:
        """Return a number's text with the minus sign of the medium."""
        return text.replace("-", self.minus)

    def day(self, value: object) -> str:
        """Return an ISO date, or the day of an ISO time, in words; other texts as they are.

        >>> Words("en", None, True).day("2026-06-30T08:05:00+00:00")
        '30 Jun 2026'
        """
        try:
            return numbers.day(str(value)[:10], self.lang)
        except ValueError:
            return str(value)

    def moment(self, value: object) -> str:
        """Return an ISO time with its zone in words; other texts as they are.

        >>> Words("en", None, True).moment("2026-06-30T08:05:00+00:00")
        '30 Jun 2026, 08:05 (UTC)'
        """
        try:
            time = datetime.fromisoformat(str(value))
        except ValueError:
            return str(value)
        zone = f"{time:%z}".removesuffix("0000").rstrip("+-")
        return self.say("moment", day=self.day(value), time=f"{time:%H:%M}", zone=zone)


def _range(first: str | None, last: str | None) -> str:
    if first is None:
        return f"< {last}"
    return f"≥ {first}" if last is None else f"{first}–{last}"


def _whole_numbers(low: float | None, high: float | None) -> str:
    ends = [end for end in (low, high) if end is not None]
    between = all(end % 1 for end in ends)
    if not between and (max(ends) > _COUNTED_SINGLY or any(end % 1 for end in ends)):
        return ""
    first = 0 if low is None else math.ceil(low)
    if high is None:
        return f"≥ {first:,}"
    last = math.ceil(high) - 1
    if low is None and last > 0:
        return f"≤ {last:,}"
    return f"{first:,}" if first >= last else f"{first:,}–{last:,}"


def _digits(value: float, digits: int) -> str:
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    text = f"{Decimal(f'{value:.{digits}g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
