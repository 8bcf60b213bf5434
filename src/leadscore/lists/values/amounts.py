"""Money is written in 元, 万, 亿 and many currencies; a list is compared in yuan."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType

from leadscore.language import Text
from leadscore.lists.headers import (
    CURRENCIES,
    CURRENCY_PATTERN,
    MULTIPLIER_PATTERN,
    MULTIPLIERS,
    NO_UNIT,
    Unit,
)
from leadscore.lists.values.numbers import (
    NUMBER,
    QUALIFIER,
    REMAINDER,
    plain_number,
    without_separators,
)
from leadscore.lists.values.words import tidy_word
from leadscore.shipped import shipped

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
