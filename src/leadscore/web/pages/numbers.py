"""Numbers and days as people read them."""

from __future__ import annotations

from datetime import date, datetime

from leadscore.text import Lang

_MINUS = "\N{MINUS SIGN}"
_LEAST, _MOST = 0.001, 0.999


def likelihood(value: float) -> str:
    """Return a likelihood (0..1) as percent; never 0 or 100, which would read as certain.

    >>> likelihood(0.3521), likelihood(0.0), likelihood(0.99999)
    ('35.2%', '<0.1%', '>99.9%')
    """
    if value < _LEAST:
        return f"<{_LEAST:.1%}"
    return f">{_MOST:.1%}" if value > _MOST else f"{value:.1%}"


def span(low: float, high: float) -> str:
    """Return an interval of likelihoods, in whole percents that are never 0 or 100.

    >>> span(0.221, 0.507), span(0.001, 0.999)
    ('22–51%', '<1–>99%')
    """
    return f"{_whole(low)}–{_whole(high)}%"


def _whole(value: float) -> str:
    percent = round(value * 100)
    return "<1" if percent < 1 else ">99" if percent > 99 else str(percent)


def share(value: float) -> str:
    """Return a share (0..1) as percent.

    >>> share(0.55), share(1.0)
    ('55%', '100%')
    """
    return f"{value:.0%}"


def points(value: float) -> str:
    """Return points with their sign, to a tenth, so that what is shown adds up.

    >>> points(14.04), points(-2.5), points(-0.01)
    ('+14.0', '−2.5', '+0.0')
    """
    rounded = round(value, 1) + 0.0
    return f"{rounded:+.1f}".replace("-", _MINUS)


def count(value: int, lang: Lang) -> str:
    """Return a number of things in the steps in which each language counts.

    >>> count(1234, "zh"), count(123456, "zh"), count(123456, "en")
    ('1,234', '12.3万', '123,456')
    """
    if lang == "zh" and value >= 100_000:
        unit, name = (1e8, "亿") if value >= 1e8 else (1e4, "万")
        return f"{value / unit:.3g}{name}" if value / unit < 1000 else f"{value / unit:,.0f}{name}"
    return f"{value:,}"


def day(value: date | datetime | str, lang: Lang) -> str:
    """Return a day; of a moment, the day here.

    >>> day("2026-11-24", "zh"), day(date(2026, 11, 4), "en")
    ('2026年11月24日', '4 Nov 2026')
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone().date()
    if lang == "zh":
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
