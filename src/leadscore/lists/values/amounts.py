"""Amounts of money and their units, as people write them, and what they are in yuan."""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal, NamedTuple

from leadscore.files import shipped
from leadscore.lists.values.numbers import (
    MULTIPLIER_PATTERN,
    MULTIPLIERS,
    QUALIFIER,
    QUANTITY,
    REMAINDER,
    SIGN,
    TO,
    alternatives,
    big_unit,
    figure_text,
    negative,
    plain_number,
    quantity,
    span,
)
from leadscore.lists.values.words import VOCABULARY, one_form, tidy_word
from leadscore.text import Text

CURRENCIES = {word: code for code, words in VOCABULARY["currencies"].items() for word in words}
"""Words of money (ISO 4217) after Unicode NFKC and case folding."""
CURRENCY_PATTERN = alternatives(CURRENCIES)

_UNIT = re.compile(
    rf"(?:单位:?)?(?P<before>{CURRENCY_PATTERN})?(?P<times>{MULTIPLIER_PATTERN})?"
    rf"(?:(?P<after>{CURRENCY_PATTERN})|(?P<yuan>[元圆圓])|(?P<percent>%|百分比|percent)"
    rf"|(?P<counter>人|名|位|个|家|件|项|份|张|年|年度|岁))?[,、]?(?P<last>{CURRENCY_PATTERN})?(?:/年)?"
)
_STATED = re.compile(r"单位\s*[:：]\s*([^\s()（）,，;；]{1,12})")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a header says that the plain numbers below it are counted in.

    Their factor, such as 1e4 for 万元, and the ISO 4217 code are missing if the header names none;
    元 alone names no currency.
    """

    times: float | None = None
    currency: str | None = None
    percent: bool = False


NO_UNIT = Unit()


def read_unit(text: str) -> Unit | None:
    """Return the unit that a piece of a header names; missing if it is no unit.

    The text is NFKC, case folded and without spaces.

    >>> read_unit("万美元")
    Unit(times=10000.0, currency='USD', percent=False)
    """
    parts = _UNIT.fullmatch(text)
    if not text or parts is None:
        return None
    word = parts["before"] or parts["after"] or parts["last"]
    # 美元 and USD are units; 人民币 and ¥ only say which money is counted.
    is_code = word is not None and len(word) == 3 and word == CURRENCIES[word].lower()
    is_yuan = is_code or parts["yuan"] or (word or "").endswith(("元", "圆", "圓"))
    return Unit(
        MULTIPLIERS.get(parts["times"], 1.0 if is_yuan else None),
        CURRENCIES.get(word),
        parts["percent"] is not None,
    )


def stated_unit(texts: Iterable[str | None]) -> Unit | None:
    """Return the unit of money that the lines above a header state; missing if none does.

    >>> stated_unit(["2024年企业名单", "（单位：万元）"]).times
    10000.0
    """
    for text in texts:
        for stated in _STATED.findall(text or ""):
            unit = read_unit(unicodedata.normalize("NFKC", stated).casefold())
            if unit and unit.times:
                return unit
    return None


LARGEST_CNY = 1e15  # more yuan than any firm has: the largest bank's assets are below a tenth of it

_CODES = {one_form(word): code for word, code in CURRENCIES.items()}
_CURRENCY = alternatives(_CODES)
_LETTERS = alternatives(word for word in MULTIPLIERS if word.isascii())
_AMOUNT = re.compile(
    rf"(?P<sign>{SIGN})?{QUALIFIER}(?:(?P<before>{_CURRENCY}):?)?{QUALIFIER}(?P<inner>{SIGN})?"
    rf"(?P<n>{QUANTITY})(?P<times>{_LETTERS})?"
    rf"(?:(?P<low_money>{_CURRENCY})?(?P<low_yuan>元)?{TO}(?P<again>{_CURRENCY})?"
    rf"(?P<high>{QUANTITY})(?P<high_times>{_LETTERS})?)?"
    rf"(?P<after>{_CURRENCY})?(?P<yuan>元)?(?P<last>{_CURRENCY})?[整正]?{REMAINDER}(?P<end>-)?"
)
_DOLLARS = frozenset({"USD", "HKD", "TWD", "SGD", "AUD", "CAD", "NZD"})
_SIGNS = {"$": _DOLLARS, "¥": frozenset({"CNY", "JPY"})}
"""Signs that more than one currency uses: a word beside them names which."""


@dataclass(frozen=True)
class Rates:
    """What one unit of foreign money is worth in yuan, by ISO 4217 code; as of a day."""

    as_of: date
    source: Text
    cny_per_unit: Mapping[str, float]


@cache
def shipped_rates() -> Rates:
    """Return the rates that travel with the package."""
    table = tomllib.loads(shipped("rates.toml").read_text("utf-8"))
    worth = {code: float(rate) for code, rate in table["cny_per_unit"].items()}
    return Rates(table["as_of"], Text(table["source_zh"], table["source_en"]), worth)


def currency_code(cell: str) -> str | None:
    """Return the ISO 4217 code that a cell of a currency column names; missing if none."""
    return CURRENCIES.get(tidy_word(cell))


OwnUnit = Literal["none", "yuan", "own"]
_Said = Literal["none", "money", "yuan", "own"]
# 美元 is money: a unit of its own only where the header has none.


class Amount(NamedTuple):
    """An amount in yuan, NaN if it can't be read, and whether it was foreign money.

    Its unit is what the cell itself says of it: nothing, 元 alone, or a magnitude such as 万.
    """

    yuan: float = math.nan
    foreign: bool = False
    unit: OwnUnit = "none"


_UNREAD = Amount()


def amount_of(cell: str, rates: Rates, unit: Unit = NO_UNIT, currency: str | None = None) -> Amount:
    """Read an amount of money as yuan.

    Header and cell combine: under 万元, ``500`` and ``¥500`` are five million yuan, ``500美元`` is
    five million dollars; ``1.2亿`` and ``500元`` have a unit of their own and are a hundred and
    twenty million yuan, and five hundred. A currency counts from the cell before the currency
    column, and both before the header. Where nothing says more, a number is yuan. A range counts
    as its middle; 以上, 约 and the like leave the figure that is stated. Brackets say minus.

    Amounts are at most `LARGEST_CNY` in size. ``currency`` is the ISO 4217 code that the row names.

    >>> amount_of("13,400万元", shipped_rates()).yuan
    134000000.0
    >>> amount_of("(500)", shipped_rates(), Unit(1e4))
    Amount(yuan=-5000000.0, foreign=False, unit='none')
    """
    number = plain_number(cell)
    named: str | None = None
    said: _Said = "none"
    if math.isnan(number):
        number, named, said = _worded(cell)
    own: OwnUnit = said if said != "money" else "own" if unit.times is None else "none"
    stated = named or currency or unit.currency or "CNY"
    times = 1.0 if own != "none" else unit.times or 1.0
    yuan = number * times * rates.cny_per_unit.get(stated, math.nan)
    if times != 1.0 or own == "own":
        yuan = round(yuan, 2)  # 1.005 * 1e4 is 10049.999999999998
    return Amount(yuan, stated != "CNY", own) if abs(yuan) <= LARGEST_CNY else _UNREAD


_Worded = tuple[float, str | None, _Said]
_NOTHING: _Worded = (math.nan, None, "none")


def _worded(cell: str) -> _Worded:
    text = figure_text(cell)
    parts = _AMOUNT.fullmatch(text[0]) if text else None
    if text is None or parts is None:
        return _NOTHING
    below = negative(text[1], parts["sign"], parts["inner"], parts["end"])
    groups = ("before", "low_money", "again", "after", "last")
    words = [word for word in map(parts.__getitem__, groups) if word]
    named, clear = _one_currency(words)
    is_range = parts["high"] is not None
    last, letters = parts["high" if is_range else "n"], parts["high_times" if is_range else "times"]
    unit: _Said = "none"
    if big_unit(last) or letters:
        unit = "own"
    elif parts["yuan"] or any(word.endswith("币元") for word in words):
        unit = "yuan"
    elif any(word.endswith("元") for word in words):
        unit = "money"
    if below is None or not clear or ((is_range or unit != "none") and parts["end"]):
        return _NOTHING
    times = MULTIPLIERS.get(letters, 1.0)
    if not is_range:
        number = quantity(last) * times
    else:
        number = math.nan if below else _middle(parts, times, unit)
    return (-number if below else number), named, unit


def _middle(parts: re.Match[str], times: float, unit: str) -> float:
    low, high = parts["n"], parts["high"]
    low_is_big = bool(big_unit(low) or parts["times"])
    if not (low_is_big or parts["low_yuan"] or parts["low_money"]):
        bottom, top = span(low, high)
    elif low_is_big is not (unit == "own"):
        return math.nan  # 1亿-5, 500元-5万: one of them has left out what the other has
    else:
        bottom = quantity(low) * MULTIPLIERS.get(parts["times"], 1.0) / times
        top = quantity(high)
    return (bottom + top) / 2 * times if bottom <= top else math.nan


def _one_currency(words: list[str]) -> tuple[str | None, bool]:
    # The currency that words name, and whether they agree.
    codes = {_CODES[word] for word in words if word not in _SIGNS}
    if not codes:
        codes = {_CODES[word] for word in words}
    (code, *others) = codes or {None}
    fit = all(code in _SIGNS[word] for word in words if word in _SIGNS)
    return code, not others and (fit or not words)
