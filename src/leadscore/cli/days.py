"""A day on the command line may be written in any notation that a list may use."""

from __future__ import annotations

from datetime import date

from leadscore.errors import Detail, UsageError
from leadscore.language import Text
from leadscore.lists.values.dates import day_of

_NO_DAY = Text(zh="{option} 要的是一个日期", en="{option} wants a day")
_WANTED = Text(
    zh="不晚于今天的日期，如 2024-03-15", en="a day not later than today, such as 2024-03-15"
)


def not_after_today(text: str, option: str, *, today: date) -> date:
    """Return the day that an option names.

    Raises
    ------
    UsageError
        If it names none, or one after today.
    """
    day = day_of(text)
    if day is None or day > today:
        raise UsageError(_NO_DAY.format(option=option), [Detail(option, text, _WANTED)])
    return day
