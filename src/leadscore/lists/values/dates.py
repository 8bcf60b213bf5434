"""Dates come in every notation of the spreadsheet age; each that has one meaning is read."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.lists.values.texts import tidy

Dates = NDArray[np.datetime64]

EARLIEST = 1800
_LATEST = 2200
_SERIAL_ZERO = np.datetime64("1899-12-30")
_SERIALS = (10_000, 73_050)
"""Spreadsheet days from 1927 to 2099: smaller ones can't be told from other numbers."""

_CHINA = np.timedelta64(8, "h")
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


def dates(cells: pd.Series) -> Dates:
    """Read days.

    Understood are ``2016-11-30``, ``2016/1/2``, ``2016.11.30``, ``2016年11月30日``, each also with
    a time of day; ``20161130``; ISO 8601 with a zone, whose day is the day in China; day numbers
    of a spreadsheet (counted from 1900) between 1927 and 2099. A month or a year alone stands for
    its first day. Day and month without a year in front have two meanings and are not read.

    Parameters
    ----------
    cells
        Text without missing values.

    Returns
    -------
    numpy.ndarray
        datetime64[us] at midnight; NaT for what can't be read or never was.

    >>> dates(pd.Series(["2016年11月", "20161130", "42704", "2024-02-30"])).astype("datetime64[D]")
    array(['2016-11-01', '2016-11-30', '2016-11-30', 'NaT'], dtype='datetime64[D]')
    """
    text = tidy(cells.str.strip().str.replace(r"(?<!\s)\s+(?=\d{1,2}:)", "t", regex=True))
    found = np.full(len(cells), np.datetime64("NaT"), dtype="datetime64[us]")
    for pattern in (_WRITTEN, _SOLID, _MONTH, _YEAR):
        open_ = np.isnat(found)
        if not open_.any():
            return found
        found[open_] = _from_parts(text[open_].str.extract(f"^{pattern}$"))
    serial = pd.to_numeric(text.str.extract(f"^{_SERIAL}$")["serial"], errors="coerce")
    inside = serial.between(*_SERIALS).to_numpy(dtype=bool) & np.isnat(found)
    days = serial.to_numpy(dtype=float)[inside].astype(np.int64)
    found[inside] = _SERIAL_ZERO + days.astype("timedelta64[D]")
    return found


def in_future(days: Dates, today: date) -> NDArray[np.bool_]:
    """Tell which days lie after today; a missing day does not."""
    return days > np.datetime64(today)


def _from_parts(parts: pd.DataFrame) -> Dates:
    """Build days from year, month and day as text; NaT for those that no calendar has."""
    year, month, day = (_number(parts, name, 1) for name in ("year", "month", "day"))
    known = parts["year"].notna().to_numpy(dtype=bool, copy=True)
    known &= (year >= EARLIEST) & (year <= _LATEST) & (month >= 1) & (month <= 12)
    known &= (day >= 1) & (day <= 31)
    months = np.where(known, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    built = months.astype("datetime64[D]") + np.where(known, day - 1, 0).astype("timedelta64[D]")
    known &= built.astype("datetime64[M]") == months
    moved = _moved_to_china(parts, built.astype("datetime64[us]"))
    return np.where(known, moved, np.datetime64("NaT"))


def _moved_to_china(parts: pd.DataFrame, built: Dates) -> Dates:
    """Return the day in China where a zone is named: registers keep China's days."""
    if "zone" not in parts or parts["zone"].isna().all():
        return built
    hour, minute = _number(parts, "hour", 0), _number(parts, "minute", 0)
    zone = parts["zone"].replace({"z": "+0000", "utc": "+0000", "gmt": "+0000"})
    offset = pd.to_numeric(zone.str.replace(":", ""), errors="coerce").fillna(800).to_numpy(int)
    ahead = np.sign(offset) * (np.abs(offset) // 100 * 60 + np.abs(offset) % 100)
    local = built + (hour * 60 + minute - ahead).astype("timedelta64[m]") + _CHINA
    zoned = parts["zone"].notna().to_numpy(dtype=bool)
    whole: Dates = local.astype("datetime64[D]").astype("datetime64[us]")
    return np.where(zoned, whole, built)


def _number(parts: pd.DataFrame, name: str, missing: int) -> NDArray[np.int64]:
    if name not in parts:
        return np.full(len(parts), missing, dtype=np.int64)
    return pd.to_numeric(parts[name]).fillna(missing).to_numpy(dtype=np.int64)
