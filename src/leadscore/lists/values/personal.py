"""Phone numbers and e-mail addresses also stand where they don't belong; they are starred out."""

from __future__ import annotations

import re

import pandas as pd

PERSONAL = (
    r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)"
    r"|(?<!\d)0\d{2,3}[ -]\d{7,8}(?!\d)|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)
"""Chinese mobile numbers, landlines with area code, e-mail addresses."""

_STARS = "***"
_PERSONAL = re.compile(PERSONAL)
_DIGIT_OR_AT = re.compile(r"[\d@]")


def starred(text: str) -> str:
    """Return one text as `without_personal` does.

    >>> starred("王经理 13812345678，来过展会")
    '王经理 ***，来过展会'
    """
    return _PERSONAL.sub(_STARS, text) if _DIGIT_OR_AT.search(text) else text


def without_personal(text: pd.Series) -> pd.Series:
    """Return text in which phone numbers and e-mail addresses are starred out.

    >>> without_personal(pd.Series(["王经理 13812345678，来过展会"])).item()
    '王经理 ***，来过展会'
    """
    return text.str.replace(PERSONAL, _STARS, regex=True)
