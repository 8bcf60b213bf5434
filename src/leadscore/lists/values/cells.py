"""A cell that can't be read becomes a missing value and a fault; this reads whole columns so."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.lists.columns import Heading
from leadscore.lists.headers.headings import NO_UNIT
from leadscore.lists.values import numbers, texts
from leadscore.lists.values.amounts import Rates, amount_of
from leadscore.lists.values.cell_faults import SIGNED_AMOUNT, WANTED, Fault, Mask
from leadscore.lists.values.one_cell import READERS, SIGNED, Asked, Read
from leadscore.lists.values.personal import PERSONAL, without_personal

MAY_BE_NONE = frozenset({"risk", "titles", "funding", "patents", "branches"})
"""Columns in which 无 is an answer: there are none. In all others it says that nothing is known."""

NEVER_SMALL = frozenset(
    {"registered_capital_cny", "paid_in_capital_cny", "revenue_cny", "total_assets_cny"}
)
SMALL_CNY = 1e5
"""Half of a column of capitals, revenues or assets lies below it only if it is not in yuan."""

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
        kind = heading.column.kind
        if kind in READERS and kind not in _READ:
            read = _by_value(task, _asked(task))
        else:
            read = _READ.get(kind, _plain_text)(task)
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


def _asked(task: _Task) -> Asked:
    return Asked(task.heading, task.today, task.rates)


def _by_value(task: _Task, asked: Asked) -> Cells:
    """Read each different cell once, and give every row what its cell was read as."""
    read, dtype = READERS[task.heading.column.kind], task.heading.column.dtype
    at, different = pd.factorize(task.cells[task.present])
    return _laid_out(task, at, [read(text, asked) for text in different], dtype)


def _laid_out(task: _Task, at: NDArray[np.intp], read: Sequence[Read], dtype: str) -> Cells:
    """Give the present cells what was read at their place, and collect their faults by code."""
    missing: Read = (None, None)
    place = np.full(len(task.cells), len(read))
    place[task.present] = at
    every = [*read, missing]
    values = _typed([value for value, _ in every], dtype)[place]
    codes = [code for _, code in every]
    found = [
        (np.array([each == code for each in codes], dtype=bool)[place], code)
        for code in WANTED
        if code in codes
    ]
    return Cells(pd.Series(values, index=task.cells.index), _faults(*found))


def _typed(values: Sequence[object], dtype: str) -> Any:
    if dtype == "str":
        return pd.array(values, dtype="str")  # type: ignore[call-overload]
    if dtype == "float64":
        return np.array([math.nan if value is None else value for value in values], dtype=float)
    return np.array(values, dtype=dtype)


def _faults(*found: tuple[Mask, str]) -> tuple[Fault, ...]:
    return tuple(Fault(where, code, WANTED[code]) for where, code in found if where.any())


def _amount(task: _Task) -> Cells:
    """Read amounts; those of one column may be stated in different currencies."""
    asked, present = _asked(task), task.cells[task.present]
    of_rows = None if task.currency is None else task.currency[task.present]
    named = [None] * len(present) if of_rows is None else of_rows.astype(object).to_list()
    pairs = pd.Series(zip(present, named, strict=True), dtype=object)
    at, different = pd.factorize(pairs)
    asking = [
        (text, replace(asked, currency=code if isinstance(code, str) else None))
        for text, code in different
    ]
    cells = _laid_out(task, at, [READERS["amount"](*each) for each in asking], "float64")
    signed = task.heading.column.name in SIGNED
    faults = tuple(replace(f, wanted=SIGNED_AMOUNT) if signed else f for f in cells.faults)
    foreign = any(
        amount_of(text, task.rates, task.heading.unit, each.currency)[1] for text, each in asking
    )
    return replace(cells, faults=faults, converted=foreign, small=_small(task))


def _small(task: _Task) -> float | None:
    """Return the median of plain numbers in a column without a unit, if yuan are unlikely."""
    heading = task.heading
    if heading.canonical or heading.unit != NO_UNIT or heading.column.name not in NEVER_SMALL:
        return None
    sizes = numbers.plain(task.cells[task.present])
    sizes = sizes[sizes > 0]
    median = float(np.median(sizes)) if len(sizes) else np.inf
    return median if median < SMALL_CNY else None


def _share(task: _Task) -> Cells:
    """Read shares; numbers without a sign are percent if the header says so or most exceed 1."""
    at, different = pd.factorize(task.cells[task.present])
    stated, signs = numbers.shares(pd.Series(different, dtype="str"))
    bare = (~signs & ~np.isnan(stated))[at]
    percent, assumed = task.heading.unit.percent, None
    if bare.any() and not percent and not task.heading.canonical:
        sizes = np.abs(stated[at][bare & (stated[at] != 0)])
        percent = assumed = bool(len(sizes) and np.mean(sizes > 1) > _MOST)
    read = _by_value(task, replace(_asked(task), percent=percent))
    return replace(read, assumed_percent=assumed)


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
    "share": _share,
    "remark": _remark,
}
"""Kinds whose columns have something to say as a whole; the others of `READERS` go by value."""
