"""What one cell says, by the kind of its column: rules that columns and single firms share.

Every reader takes the text of a cell that says something (see `texts.says_nothing`) and returns its
value, missing if it can't be taken, with the code of what is wrong with it (see `cell_faults`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from leadscore.lists.columns import Heading
from leadscore.lists.values.amounts import Rates, amount_of, currency_code
from leadscore.lists.values.codes import is_rounded_code, is_valid_code, normal_code_of
from leadscore.lists.values.dates import day_of
from leadscore.lists.values.divisions import division_code
from leadscore.lists.values.numbers import count_of, share_of, year_of
from leadscore.lists.values.personal import starred
from leadscore.lists.values.texts import visible_text
from leadscore.lists.values.vocabularies import stage_of, status_of

SIGNED = frozenset({"net_profit_cny", "revenue_cny", "return_on_equity", "revenue_growth"})
"""Columns whose numbers may lie below zero: a year's revenue can, after goods were returned."""

MOST_PEOPLE_OR_THINGS = 1e7
LARGEST_SHARE = 1e3
FIRST_YEAR = 1990

_TRAILING_ZEROS = re.compile(r"^(\d+)\.0+$")
_OLD_NUMBER = re.compile(r"\d{15}")

Value: TypeAlias = float | str | date | None
Read: TypeAlias = tuple[Value, str | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known beside the text of a cell.

    Attributes
    ----------
    heading
        What its header says.
    today
        Days and years after it are not believed.
    rates
        What foreign money is worth.
    currency
        ISO 4217 code that the row names for an amount, missing if none.
    percent
        True if a share without a sign is in percent.
    """

    heading: Heading
    today: date
    rates: Rates
    currency: str | None = None
    percent: bool = False


def _amount(text: str, asked: Asked) -> Read:
    yuan, _ = amount_of(text, asked.rates, asked.heading.unit, asked.currency)
    return _within(yuan, _lowest(asked), math.inf, "bad_amount")


def _count(text: str, asked: Asked) -> Read:
    number = count_of(text) * (asked.heading.unit.times or 1.0)
    return _within(number, 0.0, MOST_PEOPLE_OR_THINGS, "bad_count")


def _share(text: str, asked: Asked) -> Read:
    number, sign = share_of(text)
    number = number / 100 if asked.percent and not sign else number
    highest = LARGEST_SHARE if asked.heading.column.name in SIGNED else 1.0
    return _within(number, _lowest(asked, -LARGEST_SHARE), highest, "bad_share")


def _year(text: str, asked: Asked) -> Read:
    return _within(year_of(text), FIRST_YEAR, asked.today.year, "bad_year")


def _lowest(asked: Asked, signed: float = -math.inf) -> float:
    return signed if asked.heading.column.name in SIGNED else 0.0


def _within(number: float, lowest: float, highest: float, code: str) -> Read:
    return (number, None) if lowest <= number <= highest else (None, code)


def _date(text: str, asked: Asked) -> Read:
    day = day_of(text)
    if day is None:
        return None, "bad_date"
    return (None, "future_date") if day > asked.today else (day, None)


def _status(text: str, _: Asked) -> Read:
    return _word(status_of(text), "bad_status")


def _stage(text: str, _: Asked) -> Read:
    return _word(stage_of(text)[0], "bad_stage")


def _currency(text: str, _: Asked) -> Read:
    return _word(currency_code(text), "bad_currency")


def _division(text: str, _: Asked) -> Read:
    return _word(division_code(text), "bad_division")


def _word(word: str | None, code: str) -> Read:
    return word, None if word is not None else code


def _credit_code(text: str, _: Asked) -> Read:
    code = normal_code_of(text)
    if code is not None and is_valid_code(code):
        return code, None
    if code is not None and is_rounded_code(code):
        return None, "damaged_number"
    if old_number(text):
        return None, "old_registration_number"
    return None, "bad_credit_code"


def old_number(text: str) -> str | None:
    """Return the old registration number of 15 digits that a cell of credit codes holds, if any."""
    code = normal_code_of(text)
    return code if code is not None and _OLD_NUMBER.fullmatch(code) else None


def _identifier(text: str, _: Asked) -> Read:
    code = normal_code_of(text)
    code = None if code is None else _TRAILING_ZEROS.sub(r"\1", code)
    if code is not None and is_rounded_code(code):
        return None, "damaged_number"
    return code, None


def plain_text(text: str, _: Asked) -> Read:
    """Read a cell that holds text."""
    return visible_text(text)[0] or None, None


def _remark(text: str, asked: Asked) -> Read:
    """Read what officers write freely; phone numbers and e-mail addresses are taken out."""
    words = plain_text(text, asked)[0]
    return starred(words) if isinstance(words, str) else None, None


READERS: dict[str, Callable[[str, Asked], Read]] = {
    "amount": _amount,
    "count": _count,
    "staff": _count,
    "share": _share,
    "year": _year,
    "date": _date,
    "status": _status,
    "stage": _stage,
    "currency": _currency,
    "credit_code": _credit_code,
    "identifier": _identifier,
    "division": _division,
    "remark": _remark,
}
"""How a cell of each kind of column is read; all others are plain text."""
