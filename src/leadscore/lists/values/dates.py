"""Days, as people and programs write them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta

from leadscore.lists.values.numbers import DIGITS, quantity
from leadscore.lists.values.words import one_form

PIVOT = 49
"""Years of two digits from here on are of the 20th century, those before it of the 21st."""

_ROC_BEFORE = 1911  # the year before the first of the Republic of China's calendar
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_USUAL = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日)(?: 00:00:00)?", re.ASCII
)
_INNER_SPACE = re.compile(r"(?<![a-z0-9]) | (?![a-z0-9])")
_MINUTES = r"(?P<minute>[0-5]?\d)"
_CLOCK = re.compile(
    r"(?:(?<=\d)[t,:]|[t, ])?"
    r"(?:(?P<half>上午|下午|晚上?|早上?|早晨|凌晨|中午|傍晚|am|pm)|(?<!\d))(?P<hour>[01]?\d|2[0-4])"
    rf"(?::{_MINUTES}(?::[0-5]?\d)?(?:\.\d+)?"
    rf"|[时時点點](?:整|半|{_MINUTES.replace('minute', 'minutes')}(?:分(?:[0-5]?\d秒?)?)?)?)"
    r" ?(?P<after>[ap]\.?m\.?)?"
    r" ?(?P<zone>z|(?:utc|gmt)?[+-]\d{1,2}(?::?\d{2})?|cst|utc|gmt)?(?: cst)?"
    r"(?:\((?:中国标准时间|china standard time|cst)\))?(?![\d:])"
)
_WEEKDAY = re.compile(
    r"[(,]?(?:星期|周|週|礼拜|禮拜)(?P<zh>[一二三四五六日天])\)?|\((?P<short>[一二三四五六日])\)"
    r"|(?<![a-z])\(?(?P<en>mon|tue|wed|thu|fri|sat|sun)(?:s|nes|r|rs|ur)?(?:day)?\)?(?![a-z])[.,]?"
)
_CHINESE = "一二三四五六日"
_ENGLISH = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ERA = re.compile(r"^(?:(?P<roc>(?:中[华華])?民[国國]|roc)|公元|西元) ?")

_NUMERAL = re.compile(f"[{''.join(DIGITS)}十百0-9]+(?=[年月日号號])")

_MARK = r"[-/.\\_、,·]"
_YMD = re.compile(
    rf"(?P<y>\d{{4}})(?:年|{_MARK}| )(?P<m>\d{{1,2}})(?:月|{_MARK}| )(?P<d>\d{{1,2}})[日号號]?\.?"
)
_YM = re.compile(r"(?P<y>\d{4})(?P<mark>[-/.年])(?P<m>\d{1,2})(?:月份?)?")
_SHORT_YEAR = re.compile(
    r"(?P<y>\d{2,3})年(?P<m>\d{1,2})月(?:份|(?P<d>\d{1,2})[日号號]?)?"
)  # two digits, or three of the Republic of China's calendar
_COMPACT = re.compile(
    r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?(?:\.0+)?"
)
_COMPACT_MONTH = re.compile(r"(?P<y>\d{4})(?P<m>0[1-9]|1[0-2])(?:\.0+)?")
_YEAR = re.compile(r"(?P<y>(?:18|19|20)\d\d)(?:年|\.0+)?")
_MONTH_FIRST = re.compile(r"(?P<m>\d{1,2})[-/.](?P<y>\d{4})")
_THREE = re.compile(r"(\d{1,3})([-/.])(\d{1,2})\2(\d{4}|\d{1,2})")
_NAME = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_PART = r"(?:[-/., ]|\.,)?"
_NAMED = tuple(
    re.compile(shape)
    for shape in (
        rf"{_DAY}{_PART}(?:of )?{_NAME}{_PART}(?P<y>\d{{4}})",
        rf"{_DAY}([-/ ]){_NAME}\2(?P<y>\d{{2}})",
        rf"{_NAME}{_PART}{_DAY}(?:, ?| |/|-)(?P<y>\d{{4}})",
        rf"(?P<y>\d{{4}}){_PART}{_NAME}{_PART}{_DAY}",
        rf"{_NAME}{_PART}(?P<y>\d{{4}})",
        rf"(?P<y>\d{{4}}){_PART}{_NAME}",
    )
)
_QUARTER = re.compile(
    r"(?P<y>\d{4})年?-?(?:第?(?P<quarter>[1-4一二三四])季度|q(?P<q>[1-4])|(?P<half>[上下])半年|h(?P<h>[12]))"
    r"|q(?P<q_first>[1-4])[- /]?(?P<y_last>\d{4})"
)
_SINCE_1970 = re.compile(r"(?:/date\()?(?P<digits>\d{9,10}|\d{12,13})(?:\.0+|(?:[+-]\d{4})?\)/)?")
_FROM, _UNTIL = 315_532_800, 1_900_000_000  # 1980 to 2030: what lies outside has other meanings
_CHINA = timedelta(hours=8)


def day_of(cell: str) -> date | None:
    """Read a day.

    Understood are ``2016-11-30``, ``2016/1/2``, ``2016.11.30``, ``2016年11月30日``, in Chinese
    numerals as well, ``30-Nov-2016``, ``November 30, 2016`` and ``13/04/2015``, each also with a
    time of day and a weekday, which must be that of the day; ``20161130``; ISO 8601 with a zone,
    whose day is the day in China; day numbers of a spreadsheet (counted from 1900) between 1927 and
    2099; seconds and milliseconds since 1970 between 1980 and 2030. A month, quarter, half or whole
    year stands for its first day. Years of two digits are 1949 to 2048; with 民国, or of three
    digits, they are the Republic of China's. None for what can't be read, never was, or has several
    meanings, which are those of `day_readings`.

    >>> day_of("2016年11月"), day_of("42704"), day_of("2024-02-30"), day_of("04/05/2015")
    (datetime.date(2016, 11, 1), datetime.date(2016, 11, 30), None, None)
    """
    readings = day_readings(cell)
    return readings[0] if len(readings) == 1 else None


def day_readings(cell: str) -> tuple[date, ...]:
    """Return the days that a cell may mean, the year in front first; empty if it can't be read.

    >>> (
    ...     [f"{day}" for day in day_readings("04/05/2015")],
    ...     [f"{day}" for day in day_readings("2015.1")],
    ... )
    (['2015-05-04', '2015-04-05'], ['2015-01-01', '2015-10-01'])
    """
    if usual := _USUAL.fullmatch(cell):
        year, _, month, day, m, d = usual.groups()
        return tuple(filter(None, [_day(int(year), int(month or m), int(day or d))]))
    if len(cell) > 80:  # no day is written at such length, however it is written
        return ()
    text = _INNER_SPACE.sub("", " ".join(one_form(cell).split()))
    weekdays: set[int] = set()

    def keep_weekday(match: re.Match[str]) -> str:
        word = match["zh"] or match["short"]
        weekdays.add(
            _CHINESE.index(word.replace("天", "日")) if word else _ENGLISH.index(match["en"])
        )
        return " "

    text = " ".join(_WEEKDAY.sub(keep_weekday, text).split())
    clocks = list(_CLOCK.finditer(text))
    if len(clocks) > 1:
        return ()
    shift = 0
    if clocks:
        hour = _hour(clocks[0])
        if hour is None:
            return ()
        shift = _days_ahead(clocks[0], hour)
        rest = f"{text[: clocks[0].start()]} {text[clocks[0].end() :]}".split()
        text = _INNER_SPACE.sub("", " ".join(rest))
    days = dict.fromkeys(_days(text, bool(clocks)))
    return tuple(day + timedelta(shift) for day in days if weekdays <= {day.weekday()})


def _hour(clock: re.Match[str]) -> int | None:
    """Return the hour of 24; none for a time that no clock shows."""
    hour, half = int(clock["hour"]), (clock["half"] or clock["after"] or "").replace(".", "")
    if clock["half"] and clock["after"]:
        return None
    late = half in ("下午", "晚", "晚上", "傍晚", "pm") or (half == "中午" and hour < 10)
    if half and hour > 12:
        return hour if late and hour < 24 else None
    if hour == 12 and half in ("上午", "凌晨", "am"):
        return 0
    return hour + 12 if late and hour < 12 else hour


def _days_ahead(clock: re.Match[str], hour: int) -> int:
    # Registers keep China's days: how many later it is there.
    zone = clock["zone"]
    if not zone or zone == "cst":
        return 0
    signed = re.sub(r"^(?:utc|gmt)", "", zone)
    offset = timedelta()
    if parts := re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?", signed):
        offset = timedelta(hours=int(parts[2]), minutes=int(parts[3] or 0))
        offset = -offset if parts[1] == "-" else offset
    minutes = int(clock["minute"] or clock["minutes"] or 0)
    there = datetime.combine(date(2000, 1, 2), time()) + timedelta(hours=hour, minutes=minutes)
    return ((there - offset + _CHINA).date() - date(2000, 1, 2)).days


def _day(year: int, month: int, day: int) -> date | None:
    if not 1800 <= year <= 2200:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _days(text: str, at_a_time: bool) -> Iterator[date]:
    """Yield what a text without weekday and time of day may mean."""
    era = _ERA.match(text)
    text = text[era.end() :] if era else text
    text = _NUMERAL.sub(_arabic, text.replace("元月", "1月").replace("元年", "1年"))
    if era and era["roc"]:
        parts = re.fullmatch(
            r"(\d{1,3})(?:年|[-/.])(?:(\d{1,2})(?:月|[-/.])(?:(\d{1,2})[日号號]?)?)?", text
        )
        if parts:
            year, month, day = (int(part or 1) for part in parts.groups())
            yield from filter(None, [_day(year + _ROC_BEFORE, month, day)])
        return
    for read in _SHAPES:
        days = [day for day in read(text) if day]
        if days:
            yield from days
            return
    if at_a_time:
        return
    # Days of a spreadsheet before 1927 can't be told from other numbers.
    number = float(text) if re.fullmatch(r"\d{5}(?:\.\d+)?", text, re.ASCII) else 0.0
    if 10_000 <= number <= 73_050:
        yield date(1899, 12, 30) + timedelta(int(number))
    moment = _SINCE_1970.fullmatch(text)
    if moment:
        digits = moment["digits"]
        seconds = int(digits) // (1000 if len(digits) > 10 else 1)
        if _FROM <= seconds < _UNTIL:
            yield (datetime(1970, 1, 1) + timedelta(seconds=seconds) + _CHINA).date()


def _arabic(numeral: re.Match[str]) -> str:
    """Return a Chinese numeral in digits; as it stands if it is none."""
    text = numeral[0]
    if "十" not in text and "百" not in text:
        return "".join(str(DIGITS.get(mark, mark)) for mark in text)
    number = quantity(text)
    return text if math.isnan(number) else f"{number:.0f}"


def _century(year: str) -> int:
    """Return a year in full: of two digits by `PIVOT`, of three by the Republic's calendar."""
    number = int(year)
    if len(year) == 2:
        return number + (1900 if number >= PIVOT else 2000)
    return number + _ROC_BEFORE if len(year) == 3 else number


def _dated(shape: re.Pattern[str]) -> Callable[[str], Iterator[date | None]]:
    def read(text: str) -> Iterator[date | None]:
        if parts := shape.fullmatch(text):
            part = parts.groupdict()
            name = part.get("name")
            month = _MONTHS.index(name[:3]) + 1 if name else int(part.get("m") or 1)
            yield _day(_century(part["y"]), month, int(part.get("d") or 1))

    return read


def _month(text: str) -> Iterator[date | None]:
    """Read a year and a month; a spreadsheet may have dropped the zero of 2015.10."""
    if parts := _YM.fullmatch(text):
        yield _day(int(parts["y"]), int(parts["m"]), 1)
        if parts["mark"] == "." and parts["m"] == "1" and not text.endswith(("月", "份")):
            yield _day(int(parts["y"]), 10, 1)


def _three(text: str) -> Iterator[date | None]:
    """Read three numbers by the orders that give a day: year first, day first, month first."""
    parts = _THREE.fullmatch(text)
    if not parts:
        return
    first, _, second, third = parts.groups()
    year_last = len(third) == 4 or (len(first) < 3 and len(third) == 2)
    if len(third) < 4 and len(first) > 1:
        yield _day(_century(first), int(second), int(third))
    if year_last and len(first) < 3:
        year = _century(third)
        yield _day(year, int(second), int(first))
        yield _day(year, int(first), int(second))


def _part_of_year(text: str) -> Iterator[date | None]:
    if parts := _QUARTER.fullmatch(text):
        quarter = parts["quarter"] or parts["q"] or parts["q_first"]
        half = parts["half"] or parts["h"]
        month = 3 * int(DIGITS.get(quarter, quarter)) - 2 if quarter else 1
        month = 7 if half in ("下", "2") else month
        yield _day(int(parts["y"] or parts["y_last"]), month, 1)


_SHAPES = (
    *map(_dated, (_YMD, _COMPACT, _COMPACT_MONTH, _YEAR)),
    _month,
    *map(_dated, (_SHORT_YEAR, _MONTH_FIRST)),
    _three,
    *map(_dated, _NAMED),
    _part_of_year,
)
