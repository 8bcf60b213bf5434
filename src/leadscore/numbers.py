"""Numbers and days as people read them: the same on a page, in a terminal, a sheet and a reason."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Final

from leadscore.text import Lang

LIKELIHOOD_IN_EXCEL: Final = '[<0.001]"<0.1%";[>0.999]">99.9%";0.0%'
"""What `likelihood` does, as a format of Excel."""

SHARE_IN_EXCEL: Final = "[=0]0%;[<0.005]0.0%;0%"
"""What `share` does, but for shares just below 1: Excel tells three cases apart, and no more."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def likelihood(value: float) -> str:
    """Return a likelihood or a priority (0..1) as percent, never as 0 or 100: none is certain.

    >>> likelihood(0.3521), likelihood(0.25), likelihood(0.0), likelihood(0.99999)
    ('35.2%', '25.0%', '<0.1%', '>99.9%')
    """
    if value < 0.001:  # no model is surer
        return "<0.1%"
    return ">99.9%" if value > 0.999 else f"{value:.1%}"


def interval(low: float, high: float) -> str:
    """Return an interval of likelihoods, in whole percents that are never 0 or 100.

    >>> interval(0.221, 0.507), interval(0.001, 0.999)
    ('22–51%', '<1–>99%')
    """
    ends = (round(100 * end) for end in (low, high))
    return "–".join("<1" if end < 1 else ">99" if end > 99 else str(end) for end in ends) + "%"


def share(value: float) -> str:
    """Return a share in percent; only 0 and 1 themselves read as 0% and 100%.

    >>> share(0.734), share(0.0), share(0.003), share(0.998), share(-2.5)
    ('73%', '0%', '0.3%', '99.8%', '-250%')
    """
    percent = 100.0 * value
    if percent and abs(percent) < 0.5:
        if abs(percent) < 1e-4:
            return "<0.0001%" if percent > 0 else ">-0.0001%"
        return f"{percent:.1g}%"
    if 99.5 <= percent < 100.0:
        return f"{math.floor(percent * 10) / 10:.1f}%"
    return f"{percent + 0.0:.0f}%"


def points(value: float, decimals: int, minus: str = "\N{MINUS SIGN}") -> str:
    """Return points with their sign: whole ones in a reason, tenths where they add up.

    >>> points(14.04, 1), points(-2.5, 1), points(-0.01, 1), points(-3.2, 0, "-"), points(0.2, 0)
    ('+14.0', '−2.5', '+0.0', '-3', '+0')
    """
    return f"{round(value, decimals) + 0.0:+.{decimals}f}".replace("-", minus)


def count(value: float) -> str:
    """Return a number of things.

    >>> count(1234), count(123456.0)
    ('1,234', '123,456')
    """
    return f"{value:,.0f}"


def expected(value: float) -> str:
    """Return how many things are expected, with a tenth where they are few.

    >>> expected(8.94), expected(112.3)
    ('8.9', '112')
    """
    return f"{value:.1f}" if value < 10 else count(value)


def years(value: float) -> str:
    """Return a span of years, whole ones from 2 on; none is shown that has not passed.

    >>> years(12.9), years(0.98)
    ('12', '0.9')
    """
    return f"{math.floor(value)}" if value >= 2 else f"{math.floor(value * 10) / 10:.1f}"


def cny(yuan: float, lang: Lang) -> str:
    """Return an amount in the steps in which each language counts.

    >>> cny(134_000_000, "zh"), cny(134_000_000, "en")
    ('1.34亿元', 'CNY 134 million')
    >>> cny(500_000, "zh"), cny(500_000, "en")
    ('50万元', 'CNY 500,000')
    """
    steps = ((1e8, "亿元"), (1e4, "万元")) if lang == "zh" else ((1e9, "billion"), (1e6, "million"))
    for unit, name in steps:
        if abs(yuan) >= unit:
            figures = yuan / unit
            short = f"{figures:,.0f}" if abs(figures) >= 100 else f"{figures:.3g}"
            return f"{short}{name}" if lang == "zh" else f"CNY {short} {name}"
    return f"{yuan:,.0f}元" if lang == "zh" else f"CNY {yuan:,.0f}"


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


def moment(value: datetime, lang: Lang) -> str:
    """Return a moment to the minute, by the clock of this machine.

    >>> moment(datetime(2026, 11, 24, 8, 5).astimezone(), "zh")
    '2026年11月24日 08:05'
    """
    return f"{day(value, lang)} {value.astimezone():%H:%M}"
