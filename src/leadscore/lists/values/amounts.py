"""Numbers and amounts of money as people write them."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType

from leadscore.files import shipped
from leadscore.lists.headers import (
    CURRENCIES,
    CURRENCY_PATTERN,
    MULTIPLIER_PATTERN,
    MULTIPLIERS,
    NO_UNIT,
    Unit,
)
from leadscore.lists.values.words import tidy_word
from leadscore.text import Text

NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
"""A finite decimal number, after thousands separators are gone."""

QUALIFIER = r"(?:大约|约|近|超过|超|逾|大于|多于|高于|不低于|不少于|至少|最多|>=|>|≥|≈|~)?"
REMAINDER = r"(?:以上|及以上|以下|左右|上下|余|多|\+)?"
"""Words that leave the stated figure the best one there is: it is taken as it stands."""

_COUNTED = r"(?:人|名|位|个|家|件|项|people|persons)"
_COUNT = rf"{QUALIFIER}(?P<n>{NUMBER})(?P<times>{MULTIPLIER_PATTERN})?余?多?{_COUNTED}?{REMAINDER}"
_BAND = rf"(?P<low>\d+){_COUNTED}?(?:-|~|—|–|至|到)(?P<high>\d+){_COUNTED}?"
_BELOW = (
    rf"(?:(?:小于|少于|不足|不到|低于|<=?|≤)(?P<a>\d+){_COUNTED}?"
    rf"|(?P<b>\d+){_COUNTED}?(?:以下|以内))"
)
_SHARE = rf"{QUALIFIER}(?P<n>{NUMBER})(?P<percent>%)?{REMAINDER}"
_YEAR = r"(?P<year>(?:19|20)\d\d)(?:\.0+)?(?:年|年度|年报|年度报告|年年报|年度年报)?"


_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_PLAIN = re.compile(rf"\s*(?:{NUMBER})\s*")
_COUNT_CELL, _BAND_CELL, _BELOW_CELL, _SHARE_CELL, _YEAR_CELL = map(
    re.compile, (_COUNT, _BAND, _BELOW, _SHARE, _YEAR)
)


def without_separators(text: str) -> str:
    """Return a tidy cell without thousands separators: ``1,234`` is ``1234``, ``1,23`` stays."""
    return _THOUSANDS.sub("", text) if "," in text else text


def plain_number(text: str) -> float:
    """Return the number of a cell that holds nothing but a finite number, NaN for any other.

    >>> plain_number("12"), plain_number("1e400"), plain_number("inf"), plain_number("12%")
    (12.0, nan, nan, nan)
    """
    return _finite(text.strip()) if _PLAIN.fullmatch(text) else math.nan


def count_of(cell: str) -> float:
    """Read a number of people or things.

    A band has a documented point: between two bounds their geometric middle (sizes of firms
    spread by factors, not by steps), below one bound its half, from one bound up the bound itself,
    which is all that the list vouches for.

    Returns
    -------
    float
        At least 0; NaN for what can't be read.

    >>> count_of("328.0"), count_of("1,234人"), count_of("100-499人"), count_of("小于50人")
    (328.0, 1234.0, 223.0, 25.0)
    >>> count_of("5000人以上"), count_of("很多")
    (5000.0, nan)
    """
    text = without_separators(tidy_word(cell))
    number = plain_number(text)
    if math.isnan(number):
        number = _worded_count(text)
    return number if number >= 0 else math.nan


def _worded_count(text: str) -> float:
    """Read a count that is more than a number, tidy."""
    below = _BELOW_CELL.fullmatch(text)
    if below:
        return _finite(below["a"] or below["b"]) / 2
    band = _BAND_CELL.fullmatch(text)
    low, high = (_finite(band["low"]), _finite(band["high"])) if band else (math.nan, math.nan)
    if low <= high:
        middle = math.sqrt(max(low, 1.0) * high)
        return float(round(middle)) if math.isfinite(middle) else middle
    single = _COUNT_CELL.fullmatch(text)
    return _finite(single["n"]) * MULTIPLIERS.get(single["times"], 1.0) if single else math.nan


def share_of(cell: str) -> tuple[float, bool]:
    """Read a share as it stands, and tell whether it carries its own percent sign.

    Returns
    -------
    tuple
        A fraction for a cell with a percent sign, the plain number for one without, NaN for what
        can't be read; and whether there is a percent sign.

    >>> share_of("12%"), share_of("12"), share_of("约0.5")
    ((0.12, True), (12.0, False), (0.5, False))
    """
    found = _SHARE_CELL.fullmatch(without_separators(tidy_word(cell)))
    if found is None:
        return math.nan, False
    number, percent = _finite(found["n"]), found["percent"] is not None
    return number / 100 if percent else number, percent


def year_of(cell: str) -> float:
    """Read a year such as ``2023``, ``2023年报``; NaN for what can't be read.

    >>> year_of("2023.0"), year_of("2023年报"), year_of("23")
    (2023.0, 2023.0, nan)
    """
    found = _YEAR_CELL.fullmatch(tidy_word(cell))
    return float(found["year"]) if found else math.nan


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else math.nan


LARGEST_CNY = 1e15
"""More yuan than any firm has: the largest bank's assets are below a tenth of it."""

_UNSIGNED = NUMBER.removeprefix("[+-]?")
_PATTERN = (
    rf"^{QUALIFIER}(?P<before>{CURRENCY_PATTERN})?(?P<n>{NUMBER})"
    rf"(?:(?P<times_low>{MULTIPLIER_PATTERN})?元?(?:-|~|—|–|至|到)(?P<high>{_UNSIGNED}))?"
    rf"(?P<times>{MULTIPLIER_PATTERN})?[余多]?(?P<after>{CURRENCY_PATTERN})?(?P<yuan>[元圆])?"
    rf"(?P<last>{CURRENCY_PATTERN})?整?{REMAINDER}$"
)


_CELL = re.compile(_PATTERN)
_BRACKETS = re.compile(r"[()\[\]]")


@dataclass(frozen=True)
class Rates:
    """What foreign money is worth.

    Attributes
    ----------
    as_of
        The day of all rates.
    source
        Who published them.
    cny_per_unit
        Yuan for one unit, by ISO 4217 code.
    """

    as_of: date
    source: Text
    cny_per_unit: MappingProxyType[str, float]


@cache
def shipped_rates() -> Rates:
    """Return the rates that travel with the package."""
    with shipped("rates.toml").open("rb") as file:
        table = tomllib.load(file)
    worth = {code: float(rate) for code, rate in table["cny_per_unit"].items()}
    source = Text(zh=table["source_zh"], en=table["source_en"])
    return Rates(table["as_of"], source, MappingProxyType(worth))


def currency_code(cell: str) -> str | None:
    """Return the ISO 4217 code that a cell of a currency column names; missing if none.

    >>> [currency_code(cell) for cell in ("人民币", " 港币 ", "ＵＳＤ", "贝壳")]
    ['CNY', 'HKD', 'USD', None]
    """
    return CURRENCIES.get(tidy_word(cell))


def amount_of(
    cell: str, rates: Rates, unit: Unit = NO_UNIT, currency: str | None = None
) -> tuple[float, bool]:
    """Read an amount of money as yuan.

    The cell's own words go before the currency column, and both before the header: under 万元,
    ``500`` is five million yuan, but ``1.2亿`` a hundred and twenty million. Where neither says
    more, a number is yuan. A range counts as its middle; 以上, 约 and the like leave the figure
    that is stated.

    Parameters
    ----------
    cell
        Text.
    rates
        What foreign money is worth.
    unit
        What the header says of plain numbers.
    currency
        ISO 4217 code that the row names, if any.

    Returns
    -------
    tuple
        Yuan, at most `LARGEST_CNY` in size, NaN for what can't be read; and whether it was
        converted from another currency.

    >>> rates = shipped_rates()
    >>> [amount_of(cell, rates)[0] for cell in ("13,400万元", "5000万人民币", "1.2亿", "inf")]
    [134000000.0, 50000000.0, 120000000.0, nan]
    >>> amount_of("500", rates, Unit(times=1e4))
    (5000000.0, False)
    """
    number, named = plain_number(cell), None
    value = number * (unit.times or 1.0)
    if math.isnan(number):
        value, named = _worded(cell, unit)
    stated = named or currency or unit.currency or "CNY"
    yuan = value * rates.cny_per_unit.get(stated, math.nan)
    known = abs(yuan) <= LARGEST_CNY
    return (yuan if known else math.nan), known and stated != "CNY"


def _worded(cell: str, unit: Unit) -> tuple[float, str | None]:
    """Return the amount of a cell that holds more than a number, and the currency it names."""
    text = without_separators(_BRACKETS.sub("", tidy_word(cell)))
    parts = _CELL.fullmatch(text)
    if parts is None:
        return math.nan, None
    word = parts["before"] or parts["after"] or parts["last"]
    bare = parts["times"] is None and parts["yuan"] is None and word is None
    times = MULTIPLIERS.get(parts["times"], (unit.times or 1.0) if bare else 1.0)
    amount = float(parts["n"]) * MULTIPLIERS.get(parts["times_low"], times)
    if parts["high"] is not None:
        amount = (amount + float(parts["high"]) * times) / 2
    return (amount if math.isfinite(amount) else math.nan), CURRENCIES.get(word)
