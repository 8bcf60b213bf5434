"""Days, as people and programs write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from leadscore.lists.values.words import tidy_word

_TIME = (
    r"(?:[t,]?(?P<hour>\d{1,2})(?::|时|点)(?P<minute>\d{1,2})(?:(?::|分)(?P<second>\d{1,2})秒?|分)?"
    r"(?:\.\d+)?(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
)
_SHAPES = (
    re.compile(
        r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})"
        r"(?:月|(?:月|[-/.])(?P<day>[0-3]?\d)(?:日|号)?" + _TIME + r")?"
    ),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:\d{6})?(?:\.0+)?"),
    re.compile(r"(?P<year>\d{4})(?P<month>0[1-9]|1[0-2])(?:\.0+)?"),
    re.compile(r"(?P<year>(?:18|19|20)\d\d)(?:年|\.0+)?"),
)
_BEFORE_TIME = re.compile(r"(?<!\s)\s+(?=\d{1,2}:)")


def day_of(cell: str) -> date | None:
    """Read a day.

    Understood are ``2016-11-30``, ``2016/1/2``, ``2016.11.30``, ``2016年11月30日``, each also with
    a time of day; ``20161130``; ISO 8601 with a zone, whose day is the day in China; day numbers
    of a spreadsheet (counted from 1900) between 1927 and 2099. A month or a year alone stands for
    its first day. Day and month without a year in front have two meanings and are not read. None
    for what can't be read or never was.

    >>> day_of("2016年11月"), day_of("42704"), day_of("2024-02-30")
    (datetime.date(2016, 11, 1), datetime.date(2016, 11, 30), None)
    """
    text = tidy_word(_BEFORE_TIME.sub("t", cell.strip()))
    for shape in _SHAPES:
        parts = shape.fullmatch(text)
        day = _from_parts(parts.groupdict()) if parts else None
        if day:
            return day
    # Days of a spreadsheet before 1927 can't be told from other numbers.
    number = float(text) if re.fullmatch(r"\d{5}(?:\.\d+)?", text) else 0.0
    return date(1899, 12, 30) + timedelta(int(number)) if 10_000 <= number <= 73_050 else None


def _from_parts(parts: Mapping[str, str | None]) -> date | None:
    year = int(parts["year"] or 0)
    if not 1800 <= year <= 2200:
        return None
    try:
        day = date(year, int(parts.get("month") or 1), int(parts.get("day") or 1))
    except ValueError:
        return None
    zone = (parts.get("zone") or "").replace(":", "")
    if not zone:
        return day
    # Registers keep China's days.
    offset = 0 if zone in ("z", "utc", "gmt") else int(zone)
    hours, minutes = divmod(abs(offset), 100)
    ahead = timedelta(hours=hours, minutes=minutes) * (-1 if offset > 0 else 1)
    clock = timedelta(hours=int(parts["hour"] or 0), minutes=int(parts["minute"] or 0))
    return (datetime.combine(day, time()) + clock + ahead + timedelta(hours=8)).date()
