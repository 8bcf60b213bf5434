"""Moments as people here read them: day and time by the clock of the machine that serves."""

from __future__ import annotations

from datetime import datetime

from leadscore.language import Lang
from leadscore.web.pages.numbers import day


def moment(value: datetime, lang: Lang) -> str:
    """Return a moment to the minute.

    >>> moment(datetime(2026, 11, 24, 8, 5).astimezone(), "zh")
    '2026年11月24日 08:05'
    """
    return f"{day(value, lang)} {value.astimezone():%H:%M}"
