"""Money is written in 元, 万, 亿 and many currencies; a list is compared in yuan."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.language import Text
from leadscore.lists.headers.headings import NO_UNIT
from leadscore.lists.headers.units import (
    CURRENCIES,
    CURRENCY_PATTERN,
    MULTIPLIER_PATTERN,
    MULTIPLIERS,
    Unit,
)
from leadscore.lists.values.numbers import (
    NUMBER,
    QUALIFIER,
    REMAINDER,
    Floats,
    plain,
    without_separators,
)
from leadscore.lists.values.texts import tidy
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


@dataclass(frozen=True, eq=False)
class Amounts:
    """Amounts of money that were read.

    Attributes
    ----------
    yuan
        float64, at most `LARGEST_CNY` in size; NaN for what can't be read.
    foreign
        Mask of those that were converted from another currency.
    """

    yuan: Floats
    foreign: NDArray[np.bool_]


@cache
def shipped_rates() -> Rates:
    """Return the rates that travel with the package."""
    with shipped("rates.toml").open("rb") as file:
        table = tomllib.load(file)
    worth = {code: float(rate) for code, rate in table["cny_per_unit"].items()}
    source = Text(zh=table["source_zh"], en=table["source_en"])
    return Rates(table["as_of"], source, MappingProxyType(worth))


def currency_codes(cells: pd.Series) -> pd.Series:
    """Return the ISO 4217 code that each cell of a currency column names; missing if none.

    >>> currency_codes(pd.Series(["人民币", "美元", "USD", "贝壳"])).tolist()
    ['CNY', 'USD', 'USD', nan]
    """
    return tidy(cells).map(CURRENCIES).astype("str")


def amounts(
    cells: pd.Series,
    rates: Rates,
    *,
    unit: Unit = NO_UNIT,
    currency: pd.Series | None = None,
) -> Amounts:
    """Read amounts of money as yuan.

    The cell's own words go before the currency column, and both before the header: under 万元,
    ``500`` is five million yuan, but ``1.2亿`` a hundred and twenty million. Where neither says
    more, a number is yuan. A range counts as its middle; 以上, 约 and the like leave the figure
    that is stated.

    Parameters
    ----------
    cells
        Text without missing values.
    rates
        What foreign money is worth.
    unit
        What the header says of plain numbers.
    currency
        ISO 4217 code of each row, missing allowed, on the index of ``cells``.

    >>> rates = shipped_rates()
    >>> cells = pd.Series(["13,400万元", "5000万人民币", "300000000", "1.2亿", "inf"])
    >>> amounts(cells, rates).yuan.tolist()
    [134000000.0, 50000000.0, 300000000.0, 120000000.0, nan]
    >>> amounts(pd.Series(["500"]), rates, unit=Unit(times=1e4)).yuan.item()
    5000000.0
    """
    default = unit.currency or "CNY"
    number = plain(cells)
    values = number * (unit.times or 1.0)
    codes = np.full(len(cells), None, dtype=object)
    worded = np.isnan(number)
    if worded.any():
        values[worded], codes[worded] = _worded(cells[worded], unit)
    own = pd.Series(codes, index=cells.index, dtype="str")
    stated = (own if currency is None else own.fillna(currency)).fillna(default)
    yuan = values * stated.map(dict(rates.cny_per_unit)).to_numpy(dtype=float)
    known = np.abs(yuan) <= LARGEST_CNY
    foreign = (stated != "CNY").to_numpy(dtype=bool)
    return Amounts(np.where(known, yuan, np.nan), known & foreign)


def _worded(cells: pd.Series, unit: Unit) -> tuple[Floats, NDArray[np.object_]]:
    """Return the amounts of cells that hold more than a number, and the currencies they name."""
    at, different = pd.factorize(cells)
    bare_text = tidy(pd.Series(different, dtype="str")).str.replace(r"[()\[\]]", "", regex=True)
    text = without_separators(bare_text)
    parts = text.str.extract(_PATTERN)
    words = parts["before"].fillna(parts["after"]).fillna(parts["last"])
    low, high = (pd.to_numeric(parts[end], errors="coerce") for end in ("n", "high"))
    times = parts["times"].map(MULTIPLIERS)
    bare = parts["times"].isna() & parts["yuan"].isna() & words.isna()
    times = times.fillna(bare.map({True: unit.times or 1.0, False: 1.0}))
    first = low * parts["times_low"].map(MULTIPLIERS).fillna(times)
    amount = ((first + high * times) / 2).where(high.notna(), first).to_numpy(dtype=float)
    currencies = words.map(CURRENCIES).to_numpy(dtype=object)
    return np.where(np.isfinite(amount), amount, np.nan)[at], currencies[at]
