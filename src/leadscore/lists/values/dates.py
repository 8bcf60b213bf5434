"""Dates come in every notation of the spreadsheet age; each that has one meaning is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from leadscore.lists.values.words import tidy_word

EARLIEST = 1800
_LATEST = 2200
_SERIAL_ZERO = date(1899, 12, 30)
_SERIALS = (10_000, 73_050)
"""Spreadsheet days from 1927 to 2099: smaller ones can't be told from other numbers."""

_CHINA = timedelta(hours=8)
_GREENWICH = ("z", "utc", "gmt")
_TIME = (
    r"(?:[t,]?(?P<hour>\d{1,2})(?::|时|点)(?P<minute>\d{1,2})(?:(?::|分)(?P<second>\d{1,2})秒?|分)?"
    r"(?:\.\d+)?(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
)
_WRITTEN = (
    r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})"
    r"(?:月|(?:月|[-/.])(?P<day>[0-3]?\d)(?:日|号)?" + _TIME + r")?"
)
_SOLID = r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:\d{6})?(?:\.0+)?"
_MONTH = r"(?P<year>\d{4})(?P<month>0[1-9]|1[0-2])(?:\.0+)?"
_YEAR = r"(?P<year>(?:18|19|20)\d\d)(?:年|\.0+)?"
_SERIAL = r"(?P<serial>\d{5}(?:\.\d+)?)"


_SHAPES = tuple(re.compile(shape) for shape in (_WRITTEN, _SOLID, _MONTH, _YEAR))
_SERIAL_SHAPE = re.compile(_SERIAL)
_BEFORE_TIME = re.compile(r"(?<!\s)\s+(?=\d{1,2}:)")


def day_of(cell: str) -> date | None:
    """Read a day.

    Understood are ``2016-11-30``, ``2016/1/2``, ``2016.11.30``, ``2016年11月30日``, each also with
    a time of day; ``20161130``; ISO 8601 with a zone, whose day is the day in China; day numbers
    of a spreadsheet (counted from 1900) between 1927 and 2099. A month or a year alone stands for
    its first day. Day and month without a year in front have two meanings and are not read.

    Returns
    -------
    datetime.date
        None for what can't be read or never was.

    >>> day_of("2016年11月"), day_of("42704"), day_of("2024-02-30")
    (datetime.date(2016, 11, 1), datetime.date(2016, 11, 30), None)
    """
    text = tidy_word(_BEFORE_TIME.sub("t", cell.strip()))
    for shape in _SHAPES:
        found = shape.fullmatch(text)
        day = _from_parts(found.groupdict()) if found else None
        if day:
            return day
    found = _SERIAL_SHAPE.fullmatch(text)
    number = float(found["serial"]) if found else 0.0
    if _SERIALS[0] <= number <= _SERIALS[1]:
        return _SERIAL_ZERO + timedelta(days=int(number))
    return None


def _from_parts(parts: Mapping[str, str | None]) -> date | None:
    """Build a day from year, month and day as text; None if no calendar has it."""
    year = int(parts["year"] or 0)
    if not EARLIEST <= year <= _LATEST:
        return None
    try:
        day = date(year, int(parts.get("month") or 1), int(parts.get("day") or 1))
    except ValueError:
        return None
    return _in_china(day, parts) if parts.get("zone") else day


def _in_china(day: date, parts: Mapping[str, str | None]) -> date:
    """Return the day in China of a moment whose zone is named: registers keep China's days."""
    zone = str(parts["zone"]).replace(":", "")
    offset = 0 if zone in _GREENWICH else int(zone)
    ahead = abs(offset) // 100 * 60 + abs(offset) % 100
    minutes = int(parts["hour"] or 0) * 60 + int(parts["minute"] or 0)
    minutes += -ahead if offset > 0 else ahead
    return (datetime.combine(day, time()) + timedelta(minutes=minutes) + _CHINA).date()
