"""The values of a list as they were read, for people to compare with their file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from leadscore.language import Lang, Text
from leadscore.lists.columns import Column
from leadscore.lists.problems import shown
from leadscore.lists.values.vocabularies import STAGES, STATUSES
from leadscore.web.pages import numbers

_LONGEST = 60
_WORDS: dict[str, Mapping[str, Text]] = {"stage": STAGES, "status": STATUSES}
_YUAN = Text(zh="{amount}元", en="¥{amount}")


def shown_value(value: Any, column: Column, lang: Lang) -> str:
    """Return a cleaned value in words and figures; empty for a missing one."""
    if pd.isna(value):
        return ""
    if column.unit == "CNY":
        return _YUAN.pick(lang).format(amount=_amount(float(value), lang))
    if column.unit == "fraction":
        return f"{value:.1%}"
    if column.unit == "year":
        return f"{value:.0f}"
    if column.unit == "count":
        return numbers.count(round(value), lang)
    if column.kind == "date":
        return numbers.day(value.date(), lang)
    words = _WORDS.get(column.kind, {}).get(value)
    if words is not None:
        return words.pick(lang)
    return shown(value, _LONGEST)


def _amount(value: float, lang: Lang) -> str:
    """Return an amount of yuan, in Chinese in 万 and 亿.

    >>> _amount(5e7, "zh"), _amount(1.25e8, "zh"), _amount(5e7, "en")
    ('5,000万', '1.25亿', '50,000,000')
    """
    if lang == "zh" and abs(value) >= 1e4:
        unit, name = (1e8, "亿") if abs(value) >= 1e8 else (1e4, "万")
        figures = f"{value / unit:,.2f}".rstrip("0").rstrip(".")
        return f"{figures}{name}"
    return f"{value:,.0f}"
