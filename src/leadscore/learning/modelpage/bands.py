"""Bands of numbers in the unit of their feature: 万 and 亿, percents, years, whole numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise

from leadscore.features.feature import YES_NO, Kind
from leadscore.text import Lang, room_words

WORDS = room_words("learning")


ANY = WORDS["bands.any"]

_DIGITS = range(3, 16)  # significant digits to try until no two edges read the same
_UNITS: dict[Lang, tuple[tuple[float, str], ...]] = {
    "zh": ((1e8, "亿"), (1e4, "万"), (1.0, "")),
    "en": ((1e9, " billion"), (1e6, " million"), (1.0, "")),
}
_SHORT_UNITS: dict[Lang, tuple[tuple[float, str], ...]] = {
    "zh": _UNITS["zh"],
    "en": ((1e9, "bn"), (1e6, "m"), (1e3, "k"), (1.0, "")),
}
_COUNTED_SINGLY = 10  # up to here, bands of counts name whole numbers: 1–2 and not 1–3


def band_label(
    low: float | None, high: float | None, edges: Sequence[float], kind: Kind | None, lang: Lang
) -> str:
    """Return a band as a person reads it; its lower end belongs to it, its upper end does not.

    Parameters
    ----------
    low, high
        The ends in the feature's unit; None where it has no end.
    edges
        All ends of the feature's bands: they are written with as many digits as tell them apart.
    kind
        The feature's kind; None if it is not in the catalogue.

    >>> band_label(None, 50.0, [50.0, 300.0], "count", "en")
    '< 50'
    >>> (
    ...     band_label(5e6, 1e8, [5e6, 1e8], "cny", "zh"),
    ...     band_label(1.0, 3.0, [1.0, 3.0], "count", "zh"),
    ... )
    ('500万–1亿元', '1–2')
    """
    if low is None and high is None:
        return ANY.pick(lang)
    if kind == "flag":
        return YES_NO[low is not None].pick(lang)
    if kind == "count" and (whole := _whole_numbers(low, high)):
        return whole
    shown = dict(zip(edges, edge_labels(edges, kind, lang), strict=True))
    first = None if low is None else shown[low]
    last = None if high is None else shown[high]
    if kind == "cny":
        return _amount(first, last, lang)
    band = _joined(first, last)
    return WORDS["bands.years"].pick(lang).format(band=band) if kind == "years" else band


def edge_labels(
    edges: Sequence[float], kind: Kind | None, lang: Lang, *, short: bool = False
) -> list[str]:
    """Return the edges as texts that differ, without the unit; short ones for the axis of a chart.

    >>> edge_labels([0.125, 0.5], "share", "en"), edge_labels([5e6, 2.5e9], "cny", "en", short=True)
    (['12.5%', '50%'], ['5m', '2.5bn'])
    """
    if kind == "share":
        return _distinct(edges, lambda x, digits: _short(100 * x, digits) + "%")
    if kind == "cny":
        units = (_SHORT_UNITS if short else _UNITS)[lang]
        return _distinct(edges, lambda x, digits: _in_units(x, digits, units))
    return _distinct(edges, _short)


def _joined(first: str | None, last: str | None) -> str:
    if first is None:
        return f"< {last}"
    return f"≥ {first}" if last is None else f"{first}–{last}"


def _amount(first: str | None, last: str | None, lang: Lang) -> str:
    """Return a band of yuan; a unit that both ends share is written once."""
    yuan = WORDS["bands.yuan"].pick(lang)
    if first and last:
        unit = next(name for _, name in _UNITS[lang] if last.endswith(name))
        return yuan.format(amount=_joined(first.removesuffix(unit), last))
    return _joined(*(yuan.format(amount=end) if end else None for end in (first, last)))


def _whole_numbers(low: float | None, high: float | None) -> str:
    """Name the counts in a band where they are few or its ends lie between two of them."""
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


def _distinct(edges: Sequence[float], show: Callable[[float, int], str]) -> list[str]:
    shown: list[str] = []
    for digits in _DIGITS:
        shown = [show(edge, digits) for edge in edges]
        if all(one != other for one, other in pairwise(shown)):
            break
    return shown


def _in_units(value: float, digits: int, units: Sequence[tuple[float, str]]) -> str:
    size, name = next((u for u in units if abs(value) >= u[0]), units[-1])
    return _short(value / size, digits) + name


def _short(value: float, digits: int) -> str:
    """Return significant digits without an exponent; digits before the point are all kept."""
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    text = f"{Decimal(f'{value:.{digits}g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
