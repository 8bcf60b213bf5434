"""Numbers, shares, amounts of money and their units, as people write them."""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from leadscore.files import shipped
from leadscore.lists.values.words import VOCABULARY, tidy_word
from leadscore.text import Text

MULTIPLIERS = {
    word: float(times) for times, words in VOCABULARY["multipliers"].items() for word in words
}
CURRENCIES = {word: code for code, words in VOCABULARY["currencies"].items() for word in words}
"""Words of magnitude and of money (ISO 4217) after Unicode NFKC and case folding."""


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


MULTIPLIER_PATTERN = _alternatives(MULTIPLIERS)
CURRENCY_PATTERN = _alternatives(CURRENCIES)

_UNIT = re.compile(
    rf"(?:单位:?)?(?P<before>{CURRENCY_PATTERN})?(?P<times>{MULTIPLIER_PATTERN})?"
    rf"(?:(?P<after>{CURRENCY_PATTERN})|(?P<yuan>元)|(?P<percent>%|百分比|percent)"
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
    return Unit(
        MULTIPLIERS.get(parts["times"], 1.0 if parts["yuan"] or word else None),
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


_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
"""A finite decimal number, after thousands separators are gone."""

_QUALIFIER = r"(?:大约|约|近|超过|超|逾|大于|多于|高于|不低于|不少于|至少|最多|>=|>|≥|≈|~)?"
_REMAINDER = r"(?:以上|及以上|以下|左右|上下|余|多|\+)?"
"""Words that leave the stated figure the best one there is: it is taken as it stands."""

_COUNTED = r"(?:人|名|位|个|家|件|项|people|persons)"
_COUNT = re.compile(
    rf"{_QUALIFIER}(?P<n>{_NUMBER})(?P<times>{MULTIPLIER_PATTERN})?余?多?{_COUNTED}?{_REMAINDER}"
)
_BAND = re.compile(rf"(?P<low>\d+){_COUNTED}?(?:-|~|—|–|至|到)(?P<high>\d+){_COUNTED}?")
_BELOW = re.compile(
    rf"(?:(?:小于|少于|不足|不到|低于|<=?|≤)(?P<a>\d+){_COUNTED}?"
    rf"|(?P<b>\d+){_COUNTED}?(?:以下|以内))"
)
_SHARE = re.compile(rf"{_QUALIFIER}(?P<n>{_NUMBER})(?P<percent>%)?{_REMAINDER}")
_YEAR = re.compile(r"(?P<year>(?:19|20)\d\d)(?:\.0+)?(?:年|年度|年报|年度报告|年年报|年度年报)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")  # 1,234 is 1234, but 1,23 stays
_PLAIN = re.compile(rf"\s*(?:{_NUMBER})\s*")


def plain_number(text: str) -> float:
    """Return the number of a cell that holds nothing but a finite number, NaN for any other."""
    return _finite(text.strip()) if _PLAIN.fullmatch(text) else math.nan


def count_of(cell: str) -> float:
    """Read a number of people or things.

    A band has a documented point: between two bounds their geometric middle (sizes of firms
    spread by factors, not by steps), below one bound its half, from one bound up the bound itself,
    which is all that the list vouches for. NaN for what can't be read.

    >>> [count_of(cell) for cell in ("1,234人", "100-499人", "小于50人", "5000人以上", "很多")]
    [1234.0, 223.0, 25.0, 5000.0, nan]
    """
    text = _THOUSANDS.sub("", tidy_word(cell))
    number = plain_number(text)
    if math.isnan(number):
        number = _worded_count(text)
    return number if number >= 0 else math.nan


def _worded_count(text: str) -> float:
    if below := _BELOW.fullmatch(text):
        return _finite(below["a"] or below["b"]) / 2
    band = _BAND.fullmatch(text)
    if band and (low := _finite(band["low"])) <= (high := _finite(band["high"])):
        middle = math.sqrt(max(low, 1.0) * high)
        return float(round(middle)) if math.isfinite(middle) else middle
    single = _COUNT.fullmatch(text)
    return _finite(single["n"]) * MULTIPLIERS.get(single["times"], 1.0) if single else math.nan


def share_of(cell: str) -> tuple[float, bool]:
    """Read a share as it stands, and tell whether it carries its own percent sign.

    It is a fraction for a cell with a percent sign, the plain number for one without, NaN for what
    can't be read.

    >>> share_of("12%"), share_of("约0.5")
    ((0.12, True), (0.5, False))
    """
    found = _SHARE.fullmatch(_THOUSANDS.sub("", tidy_word(cell)))
    if found is None:
        return math.nan, False
    number, percent = _finite(found["n"]), found["percent"] is not None
    return number / 100 if percent else number, percent


def year_of(cell: str) -> float:
    """Read a year such as ``2023``, ``2023年报``; NaN for what can't be read."""
    found = _YEAR.fullmatch(tidy_word(cell))
    return float(found["year"]) if found else math.nan


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else math.nan


LARGEST_CNY = 1e15  # more yuan than any firm has: the largest bank's assets are below a tenth of it

_AMOUNT = re.compile(
    rf"{_QUALIFIER}(?P<before>{CURRENCY_PATTERN})?(?P<n>{_NUMBER})"
    rf"(?:(?P<times_low>{MULTIPLIER_PATTERN})?元?(?:-|~|—|–|至|到)(?P<high>{_NUMBER.removeprefix('[+-]?')}))?"
    rf"(?P<times>{MULTIPLIER_PATTERN})?[余多]?(?P<after>{CURRENCY_PATTERN})?(?P<yuan>[元圆])?"
    rf"(?P<last>{CURRENCY_PATTERN})?整?{_REMAINDER}"
)
_BRACKETS = re.compile(r"[()\[\]]")


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


def amount_of(
    cell: str, rates: Rates, unit: Unit = NO_UNIT, currency: str | None = None
) -> tuple[float, bool]:
    """Read an amount of money as yuan.

    The cell's own words go before the currency column, and both before the header: under 万元,
    ``500`` is five million yuan, but ``1.2亿`` a hundred and twenty million. Where neither says
    more, a number is yuan. A range counts as its middle; 以上, 约 and the like leave the figure
    that is stated.

    Returns yuan, at most `LARGEST_CNY` in size, NaN for what can't be read; and whether it was
    converted from another currency. ``currency`` is the ISO 4217 code that the row names.

    >>> amount_of("13,400万元", shipped_rates()), amount_of("500", shipped_rates(), Unit(1e4))
    ((134000000.0, False), (5000000.0, False))
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
    text = _THOUSANDS.sub("", _BRACKETS.sub("", tidy_word(cell)))
    parts = _AMOUNT.fullmatch(text)
    if parts is None:
        return math.nan, None
    word = parts["before"] or parts["after"] or parts["last"]
    bare = parts["times"] is None and parts["yuan"] is None and word is None
    times = MULTIPLIERS.get(parts["times"], (unit.times or 1.0) if bare else 1.0)
    amount = float(parts["n"]) * MULTIPLIERS.get(parts["times_low"], times)
    if parts["high"] is not None:
        amount = (amount + float(parts["high"]) * times) / 2
    return (amount if math.isfinite(amount) else math.nan), CURRENCIES.get(word)
