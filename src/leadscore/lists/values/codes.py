"""Credit codes and dates as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from operator import mul

from leadscore.lists.values.words import tidy_word

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100-2015: no I, O, S, V, Z, which look like others."""

LENGTH = 18
DIVISION = slice(2, 8)
"""Characters of a credit code: the division of the registering authority."""

_WEIGHTS = tuple(pow(3, place, 31) for place in range(LENGTH - 1))
_VALUES = {mark: value for value, mark in enumerate(ALPHABET)}
# Who registers (9 is market supervision; letters are army, farming, others), the kind, a division.
_SHAPE = re.compile(rf"[1-9ANY][0-9]{{7}}[{ALPHABET}]{{10}}")
_SEPARATORS = re.compile(r"[\s\-]+")
_SCIENTIFIC_SHAPE = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_ROUNDED_SHAPE = re.compile(r"\d{18}\.0+|\d{3,15}0{3,15}")


def normal_code(code: str) -> str | None:
    """Return a code in capitals without spaces and hyphens, full-width characters made plain.

    >>> normal_code("91110000 600037341l"), normal_code(" - ")
    ('91110000600037341L', None)
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", code)).upper() or None


def is_valid_code(code: str) -> bool:
    """Tell whether a text is a credit code whose check digit holds.

    The check digit is character 18: 31 minus the weighted sum of the first 17, modulo 31, with
    weights 3**i mod 31 (GB 32100-2015, appendix A). The form is that of `normal_code`.

    >>> is_valid_code("91110000600037341L"), is_valid_code("91110000600037341M")
    (True, False)
    """
    if not _SHAPE.fullmatch(code):
        return False
    values = [_VALUES[mark] for mark in code]
    total: int = sum(map(mul, values, _WEIGHTS))
    return (31 - total % 31) % 31 == values[-1]


def valid_code(text: str) -> str | None:
    """Return the credit code that a text holds, in its normal form, if its check digit holds.

    >>> valid_code("91110000-600037341l"), valid_code("x")
    ('91110000600037341L', None)
    """
    code = normal_code(text)
    return code if code is not None and is_valid_code(code) else None


def is_rounded_code(code: str) -> bool:
    """Tell whether a code has lost digits since a spreadsheet turned it into a number.

    >>> [is_rounded_code(code) for code in ("9.13601E+17", "913601000000000000", "123456789012345")]
    [True, True, False]
    """
    if _SCIENTIFIC_SHAPE.fullmatch(code):
        return True
    return len(code) >= LENGTH and bool(_ROUNDED_SHAPE.fullmatch(code))


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
_SHAPES = (
    re.compile(
        r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})"
        r"(?:月|(?:月|[-/.])(?P<day>[0-3]?\d)(?:日|号)?" + _TIME + r")?"
    ),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:\d{6})?(?:\.0+)?"),
    re.compile(r"(?P<year>\d{4})(?P<month>0[1-9]|1[0-2])(?:\.0+)?"),
    re.compile(r"(?P<year>(?:18|19|20)\d\d)(?:年|\.0+)?"),
)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
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
    number = float(text) if _SERIAL.fullmatch(text) else 0.0
    if _SERIALS[0] <= number <= _SERIALS[1]:
        return _SERIAL_ZERO + timedelta(days=int(number))
    return None


def _from_parts(parts: Mapping[str, str | None]) -> date | None:
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
