"""Numbers as a person reads them: points, percents, intervals, counts, dates."""

from __future__ import annotations

import math
from datetime import datetime

from leadscore import numbers
from leadscore.numbers import likelihood as likelihood
from leadscore.text import Lang, room_words

WORDS = room_words("learning")


NOTHING = "–"


def chance(log_odds: float) -> float:
    """Return the likelihood, 0..1, of some log-odds.

    >>> chance(0.0), round(chance(-710.0), 3)
    (0.5, 0.0)
    """
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)


def points(value: float, *, whole: bool) -> str:
    """Return points with their sign, with one decimal unless all of the card's are whole.

    >>> points(12.0, whole=True), points(-3.26, whole=False), points(-0.01, whole=False)
    ('+12', '-3.3', '0.0')
    """
    text = numbers.points(value, 0 if whole else 1, "-")
    return text if any(digit in "123456789" for digit in text) else text[1:]


def percent(fraction: float) -> str:
    """Return a fraction as percent.

    >>> percent(0.1234), percent(0.5), percent(0.001)
    ('12.3%', '50%', '0.1%')
    """
    return f"{100 * fraction:.1f}".removesuffix(".0") + "%"


def count(value: object) -> str:
    """Return a number of outcomes, or a dash where it is unknown; weights may be broken numbers.

    >>> count(1234), count(17.5), count(None)
    ('1,234', '17.5', '–')
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return NOTHING
    return f"{value:,.1f}".removesuffix(".0")


def measure(value: object, decimals: int = 3) -> str:
    """Return a measure, or a dash where it is undefined.

    >>> measure(0.71828), measure(None)
    ('0.718', '–')
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return NOTHING
    return f"{value + 0.0:.{decimals}f}"


def day(value: object, lang: Lang) -> str:
    """Return an ISO date, or the day of an ISO time, in words; other texts as they are.

    >>> day("2026-06-30", "zh"), day("2026-06-30", "en"), day(None, "en")
    ('2026年6月30日', '30 Jun 2026', '–')
    """
    if value is None:
        return NOTHING
    try:
        return numbers.day(str(value)[:10], lang)
    except ValueError:
        return str(value)


def moment(value: object, lang: Lang) -> str:
    """Return an ISO time with its zone in words; other texts as they are.

    >>> moment("2026-06-30T08:05:00+00:00", "en")
    '30 Jun 2026, 08:05 (UTC)'
    """
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    zone = read.strftime("%z").removesuffix("0000").rstrip("+-")
    parts = {"day": day(str(value), lang), "hour": read.hour, "minute": read.minute, "zone": zone}
    return WORDS["numbers.time"].pick(lang).format(**parts)
