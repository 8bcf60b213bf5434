"""A cell that can't be read becomes a missing value and a fault; this reads whole columns so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.lists.columns import Heading
from leadscore.lists.headers.headings import NO_UNIT
from leadscore.lists.values import codes, dates, divisions, numbers, texts, vocabularies
from leadscore.lists.values.amounts import Rates, amounts, currency_codes
from leadscore.lists.values.cell_faults import SIGNED_AMOUNT, WANTED, Fault, Mask
from leadscore.lists.values.numbers import Floats
from leadscore.lists.values.personal import PERSONAL, without_personal

SIGNED = frozenset({"net_profit_cny", "revenue_cny", "return_on_equity", "revenue_growth"})
"""Columns whose numbers may lie below zero: a year's revenue can, after goods were returned."""

MAY_BE_NONE = frozenset({"risk", "titles", "funding", "patents", "branches"})
"""Columns in which 无 is an answer: there are none. In all others it says that nothing is known."""

NEVER_SMALL = frozenset(
    {"registered_capital_cny", "paid_in_capital_cny", "revenue_cny", "total_assets_cny"}
)
SMALL_CNY = 1e5
"""Half of a column of capitals, revenues or assets lies below it only if it is not in yuan."""

MOST_PEOPLE_OR_THINGS = 1e7
LARGEST_SHARE = 1e3
FIRST_YEAR = 1990
_MOST = 0.5


@dataclass(frozen=True, eq=False)
class Cells:
    """A column that was read.

    Attributes
    ----------
    values
        Typed as the canonical column is; missing where nothing could be read.
    faults
        What was wrong.
    starred
        Cells from which personal data was taken out.
    invisible
        Cells from which invisible characters were taken out.
    assumed_percent
        True if plain numbers were taken as percent, False if as fractions, missing if there was
        nothing to assume.
    converted
        True if any amount was stated in foreign money.
    small
        Median of plain amounts without any unit, if it is too small for yuan; missing otherwise.
    """

    values: pd.Series
    faults: tuple[Fault, ...] = ()
    starred: Mask | None = None
    invisible: Mask | None = None
    assumed_percent: bool | None = None
    converted: bool = False
    small: float | None = None


@dataclass(frozen=True)
class Reader:
    """Reads cells by the kind of their column.

    Attributes
    ----------
    today
        Days and years after it are not believed.
    rates
        What foreign money is worth.
    """

    today: date
    rates: Rates

    def read(self, heading: Heading, cells: pd.Series, currency: pd.Series | None = None) -> Cells:
        """Read a column.

        Parameters
        ----------
        heading
            What its header says.
        cells
            Text as in the source, missing allowed.
        currency
            ISO 4217 code of each row for amounts of money; missing allowed.
        """
        error = texts.spreadsheet_error(cells)
        present = ~(texts.unknown(cells) | error)
        task = _Task(heading, cells, present, currency, self.today, self.rates)
        read = _READ.get(heading.column.kind, _plain_text)(task)
        if heading.column.name in MAY_BE_NONE:
            none = texts.says_none(cells)
            word = texts.NONE if heading.column.dtype == "str" else 0.0
            read = replace(read, values=read.values.mask(none, word))
        if not error.any():
            return read
        fault = Fault(error, "cell_error", WANTED["cell_error"])
        return replace(read, faults=(fault, *read.faults))


@dataclass(frozen=True, eq=False)
class _Task:
    """A column to be read; `present` marks the cells that hold anything."""

    heading: Heading
    cells: pd.Series
    present: Mask
    currency: pd.Series | None
    today: date
    rates: Rates


def _by_value(task: _Task, read: Callable[[pd.Series], NDArray[np.generic]]) -> NDArray[np.generic]:
    """Read each different cell once, and give every row what its cell was read as."""
    at, different = pd.factorize(task.cells[task.present])
    values = read(pd.Series(different, dtype="str"))
    missing = np.array("NaT" if values.dtype.kind == "M" else np.nan, dtype=values.dtype)
    found = np.full(len(task.cells), missing)
    found[task.present] = values[at]
    return found


def _number(task: _Task, values: Floats, good: Mask, code: str) -> Cells:
    kept = np.where(good, values, np.nan)
    return Cells(pd.Series(kept, index=task.cells.index), _faults((task.present & ~good, code)))


def _faults(*found: tuple[Mask, str]) -> tuple[Fault, ...]:
    return tuple(Fault(where, code, WANTED[code]) for where, code in found if where.any())


def _amount(task: _Task) -> Cells:
    values, present = np.full(len(task.cells), np.nan), task.present
    of_rows = None if task.currency is None else task.currency[present]
    read = amounts(task.cells[present], task.rates, unit=task.heading.unit, currency=of_rows)
    values[present] = read.yuan
    signed = task.heading.column.name in SIGNED
    good = ~np.isnan(values) & ((values >= 0) | signed)
    bad = _number(task, values, good, "bad_amount")
    faults = tuple(replace(fault, wanted=SIGNED_AMOUNT) for fault in bad.faults if signed)
    foreign = bool(read.foreign.any())
    return replace(bad, faults=faults or bad.faults, converted=foreign, small=_small(task))


def _small(task: _Task) -> float | None:
    """Return the median of plain numbers in a column without a unit, if yuan are unlikely."""
    heading = task.heading
    if heading.canonical or heading.unit != NO_UNIT or heading.column.name not in NEVER_SMALL:
        return None
    sizes = numbers.plain(task.cells[task.present])
    sizes = sizes[sizes > 0]
    median = float(np.median(sizes)) if len(sizes) else np.inf
    return median if median < SMALL_CNY else None


def _count(task: _Task) -> Cells:
    values = _by_value(task, numbers.counts).astype(float) * (task.heading.unit.times or 1.0)
    return _number(task, values, (values >= 0) & (values <= MOST_PEOPLE_OR_THINGS), "bad_count")


def _share(task: _Task) -> Cells:
    """Read shares; numbers without a sign are percent if the header says so or most exceed 1."""
    at, different = pd.factorize(task.cells[task.present])
    stated, signs = numbers.shares(pd.Series(different, dtype="str"))
    values = np.full(len(task.cells), np.nan)
    values[task.present] = stated[at]
    bare = task.present.copy()
    bare[task.present] = ~signs[at] & ~np.isnan(stated[at])
    percent, assumed = task.heading.unit.percent, None
    if bare.any() and not percent and not task.heading.canonical:
        sizes = np.abs(values[bare & (values != 0)])
        percent = assumed = bool(len(sizes) and np.mean(sizes > 1) > _MOST)
    values = np.where(bare & percent, values / 100, values)
    signed = task.heading.column.name in SIGNED
    lowest, highest = (-LARGEST_SHARE, LARGEST_SHARE) if signed else (0.0, 1.0)
    read = _number(task, values, (values >= lowest) & (values <= highest), "bad_share")
    return replace(read, assumed_percent=assumed)


def _year(task: _Task) -> Cells:
    values = _by_value(task, numbers.years).astype(float)
    good = (values >= FIRST_YEAR) & (values <= task.today.year)
    return _number(task, values, good, "bad_year")


def _date(task: _Task) -> Cells:
    found = _by_value(task, dates.dates).astype("datetime64[us]")
    unread, future = task.present & np.isnat(found), dates.in_future(found, task.today)
    kept = np.where(future, np.datetime64("NaT"), found)
    return Cells(
        pd.Series(kept, index=task.cells.index),
        _faults((unread, "bad_date"), (future, "future_date")),
    )


def _vocabulary(task: _Task, read: Callable[[pd.Series], pd.Series], code: str) -> Cells:
    at, different = pd.factorize(task.cells[task.present])
    words = read(pd.Series(different, dtype="str"))
    values = pd.Series(np.nan, index=task.cells.index, dtype="str")
    values[task.present] = words.take(at).to_numpy()
    unread = task.present & values.isna().to_numpy(dtype=bool)
    return Cells(values, _faults((unread, code)))


def _status(task: _Task) -> Cells:
    return _vocabulary(task, vocabularies.statuses, "bad_status")


def _stage(task: _Task) -> Cells:
    return _vocabulary(task, vocabularies.stages, "bad_stage")


def _currency(task: _Task) -> Cells:
    return _vocabulary(task, currency_codes, "bad_currency")


def _division(task: _Task) -> Cells:
    return _vocabulary(task, divisions.division_codes, "bad_division")


def _credit_code(task: _Task) -> Cells:
    text = codes.normal_code(task.cells.where(task.present))
    valid = codes.valid_code(text)
    damaged = codes.rounded_code(text) & ~valid
    old = text.str.fullmatch(r"\d{15}", na=False).to_numpy(dtype=bool) & ~damaged
    rest = task.present & ~valid & ~damaged & ~old
    found = (damaged, "damaged_number"), (old, "old_registration_number"), (rest, "bad_credit_code")
    return Cells(text.where(valid), _faults(*found))


def _identifier(task: _Task) -> Cells:
    text = codes.normal_code(task.cells.where(task.present))
    text = text.str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    damaged = codes.rounded_code(text)
    return Cells(text.where(~damaged), _faults((damaged, "damaged_number")))


def _plain_text(task: _Task) -> Cells:
    text, invisible = texts.visible(task.cells.where(task.present))
    return Cells(text.where(text != ""), invisible=invisible)


def _remark(task: _Task) -> Cells:
    """Read what officers write freely; phone numbers and e-mail addresses are taken out."""
    read = _plain_text(task)
    starred = read.values.str.contains(PERSONAL, regex=True, na=False).to_numpy(dtype=bool)
    return replace(read, values=without_personal(read.values), starred=starred)


_READ: dict[str, Callable[[_Task], Cells]] = {
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
"""How the cells of each kind of column are read; all others are plain text."""
