"""Whether the figures of a whole column are such as firms have, or their unit must be another one.

One cell can't tell: a firm may have a capital of 50,000 yuan, but not half of a list.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median, quantiles
from typing import Literal, NamedTuple

from leadscore.lists.values.amounts import NO_UNIT, Amount, amount_of, shipped_rates
from leadscore.lists.values.cells import CellReader
from leadscore.lists.values.numbers import is_band, plain_number
from leadscore.lists.values.words import says_nothing

Doubt = Literal[
    "unit_unknown", "unit_contradicted", "unit_overruled", "implausible_column", "scattered_column"
]

UNIT_TO_BE_TOLD = frozenset({"unit_unknown", "unit_contradicted"})
"""Doubts that only the owner of the list can settle: until then its cells are not believed."""


class Band(NamedTuple):
    """Between what the middle of a column lies, in size: of three or more figures, and of fewer."""

    lowest: float
    highest: float
    lowest_of_few: float
    highest_of_few: float


_ENOUGH = 3
"""Figures that make a column: below that a small or a giant firm may be all of the list."""
_SMALLEST_CAPITAL = 3e4
"""What few figures without a unit must reach to be taken for yuan: from 2006 to 2014 no company
could be founded with less (Company Law of 2005, article 26), so that 50,000 is a small firm's, but
10,000 more likely 万元."""

# Money in yuan. The lowest lies far below the middle of any list seen (capital of the registry
# extract 5e6, of listed companies 5e8) and far above such a middle without its 万. The highest is
# that of the largest hundred firms (of China's 500 largest half have revenue above 1e11), which
# plain yuan under 万元 exceed. For few figures they are those of one firm, small with its unit
# written out, or the very largest: China Railway (capital 1.7e12), State Grid (revenue 3.9e12),
# ICBC (assets 5e13, profit 3.7e11).
BANDS = {
    "registered_capital_cny": Band(1e5, 1e10, 1e4, 2e12),
    "paid_in_capital_cny": Band(1e5, 1e10, 1e4, 2e12),
    "intended_investment_cny": Band(1e5, 5e10, 1e4, 2e12),
    "revenue_cny": Band(1e5, 1e11, 1e4, 5e12),
    "total_assets_cny": Band(1e5, 1e12, 1e4, 6e13),
    "net_profit_cny": Band(1e4, 1e10, 0.0, 5e11),
    # Of listed companies nine in ten spend 0.5 to 20 % of their revenue on research; a column that
    # was divided by 100 twice, or never, leaves this.
    "rd_share": Band(1e-3, 0.6, 0.0, 1.0),
    "return_on_equity": Band(2e-3, 1.0, 0.0, 100.0),
    "revenue_growth": Band(2e-3, 5.0, 0.0, 1e3),
    # BYD has some 900,000 people, and few firms above 100,000; Huawei holds 140,000 patents.
    "staff": Band(1.0, 1e5, 1.0, 3e6),
    "insured_staff": Band(1.0, 1e5, 1.0, 3e6),
    "patents": Band(1.0, 2e4, 1.0, 1e6),
    "branches": Band(1.0, 5e3, 1.0, 1e5),
}

_FIRST_DAY = date(1899, 12, 30)  # of the serial numbers of spreadsheets
_DAYS_OF_BANDS = (10_959, 49_674)  # 1930 to 2035, the years that spreadsheets take two digits for
_MOST_SPREAD = 1e5
"""From a tenth to nine tenths of a column: 万元 and 元 in one column lie 10,000 apart, while the
sizes of firms (log-normal, sigma some 1.6) have less than a hundredth of this."""
_ENOUGH_TO_SPREAD = 10
_MOST_LOOKED_AT = 20_000  # figures, evenly from the whole column


@dataclass(frozen=True, slots=True)
class Finding:
    """What is odd about a column; ``middle`` is its median as it would be read."""

    doubt: Doubt
    middle: float

    @property
    def doubted(self) -> str | None:
        """Cells of which unit of their own must not be believed, see `Amount.unit`."""
        return {"unit_unknown": "none", "unit_contradicted": "yuan"}.get(self.doubt)


def look_at(reader: CellReader, texts: Iterable[str]) -> Finding | None:
    """Return what is odd about the cells of a column, the worst first; missing if nothing is.

    Units are unknown if no header and no cell names one and the figures are too small for yuan;
    contradicted if most cells write 元 of their own under a header with 万 and are too small for
    yuan. In both cases the cells must not be believed. The rest is to be named, not refused: cells
    that write 元 and are large enough for it overrule the header, a middle is implausible, or small
    and large figures are scattered as if two units were mixed.
    """
    band = BANDS.get(reader.heading.column.name)
    if band is None or reader.heading.canonical:
        return None
    cells = [*texts]
    step = -(-len(cells) // _MOST_LOOKED_AT) or 1
    counts = Counter(cells[::step])
    is_amount = reader.heading.column.kind == "amount"
    if is_amount and (finding := _doubted_unit(reader, counts, band)):
        return finding
    values = ((reader[text].value, count) for text, count in counts.items())
    sizes = [abs(v) for v, count in values if isinstance(v, float) and v for _ in range(count)]
    few = len(sizes) < _ENOUGH
    lowest, highest = band[2:] if few else band[:2]
    if sizes and not lowest <= median(sizes) <= highest:
        return Finding("implausible_column", median(sizes))
    if is_amount and len(sizes) >= _ENOUGH_TO_SPREAD:
        tenths = quantiles(sizes, n=10)
        if tenths[-1] / tenths[0] > _MOST_SPREAD:
            return Finding("scattered_column", median(sizes))
    return None


def turned_bands(reader: CellReader, texts: Iterable[str]) -> list[str]:
    """Return the distinct cells of a column of counts that may have been bands.

    A spreadsheet takes the band 1-9 for the ninth of January, and 1-99 for January 1999; as a
    number it is 45300, which would be a giant. That is to be feared where bands outnumber figures.

    >>> from leadscore.lists.columns import read_heading
    >>> staff = CellReader(read_heading("员工人数"), date(2026, 1, 1))
    >>> turned_bands(staff, ["45300", "50-99人"]), turned_bands(staff, ["45300", "1200"])
    (['45300'], [])
    """
    if reader.heading.column.kind not in ("count", "staff") or reader.heading.canonical:
        return []
    counts = Counter(texts)
    days = [text for text in counts if _may_be_a_band(plain_number(text))]
    if not days:
        return []
    for text in days:
        del counts[text]
    bands = sum(count for text, count in counts.items() if is_band(text))
    figures = sum(count for text, count in counts.items() if not math.isnan(plain_number(text)))
    return days if bands > figures else []


def _may_be_a_band(serial: float) -> bool:
    lowest, highest = _DAYS_OF_BANDS
    if not lowest <= serial <= highest or serial % 1:
        return False
    day = _FIRST_DAY + timedelta(days=serial)
    return day.day == 1 if day.year < 2000 else day.month < day.day or day.day == 1


def _doubted_unit(reader: CellReader, counts: Counter[str], band: Band) -> Finding | None:
    unit = reader.heading.unit
    if unit != NO_UNIT and unit.times == 1.0:
        return None  # the header says 元
    bare: list[float] = []
    yuan: list[float] = []
    others = 0
    rates = shipped_rates()
    for text, count in counts.items():
        amount = Amount() if says_nothing(text) else amount_of(text, rates)
        if not (amount.yuan > 0 or (reader.signed and amount.yuan < 0)):
            continue
        if amount.unit == "none":
            bare += [abs(amount.yuan)] * count
        elif amount.unit == "yuan":
            yuan += [abs(amount.yuan)] * count
        else:
            others += count
    smallest = _SMALLEST_CAPITAL if band.lowest_of_few else 0.0
    if unit.times is None:
        lowest = smallest if len(bare) < _ENOUGH else band.lowest
        return Finding("unit_unknown", median(bare)) if bare and median(bare) < lowest else None
    if len(yuan) <= len(bare) + others:
        return None
    lowest = smallest if len(yuan) < _ENOUGH else band.lowest
    doubt: Doubt = "unit_contradicted" if median(yuan) < lowest else "unit_overruled"
    return Finding(doubt, median(yuan))
