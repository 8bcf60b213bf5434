"""Lays rows out below their headers, on a terminal where Chinese is two columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from leadscore.language import Lang, Text
from leadscore.textwidth import display_width, fit

_GAP = "  "
_NONE = "-"


def table(headers: Sequence[Text], rows: Sequence[Sequence[str]], lang: Lang) -> str:
    """Return the rows below their headers, all columns as wide as they need.

    >>> print(
    ...     table(
    ...         [Text(zh="名称", en="name"), Text(zh="角色", en="role")],
    ...         [["li.na", "officer"]],
    ...         "zh",
    ...     )
    ... )
    名称   角色
    li.na  officer
    """
    lines = [[header.pick(lang) for header in headers], *map(list, rows)]
    widths = [max(map(display_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_GAP.join(map(fit, line, widths)).rstrip() for line in lines)


def minute(moment: datetime | None) -> str:
    """Return a moment to the minute in the time of this machine, ``-`` for none."""
    return _NONE if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"
