"""A day on the command line may be written in any notation that a list may use."""

from __future__ import annotations

from datetime import date

from leadscore.errors import Detail, UsageError
from leadscore.language import Text

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
    import pandas as pd

    from leadscore.lists.values.dates import dates

    day: date | None = dates(pd.Series([text], dtype="str"))[0].astype("datetime64[D]").item()
    if day is None or day > today:
        raise UsageError(_NO_DAY.format(option=option), [Detail(option, text, _WANTED)])
    return day
