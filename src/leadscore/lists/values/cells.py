"""What a cell says, by the kind of its column: one reader a kind, from text to a value."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from typing import NamedTuple, TypeAlias

from leadscore.lists.columns import Column, Heading, simplified
from leadscore.lists.values.amounts import (
    NO_UNIT,
    Unit,
    amount_of,
    currency_code,
    read_unit,
    shipped_rates,
)
from leadscore.lists.values.codes import (
    is_rounded_code,
    is_valid_code,
    normal_code,
    old_number,
)
from leadscore.lists.values.dates import day_readings
from leadscore.lists.values.numbers import alternatives, count_of, part_of, share_of, year_of
from leadscore.lists.values.places import division_code
from leadscore.lists.values.stages import stage_of, status_of
from leadscore.lists.values.words import (
    NONE,
    STAGE_NAMES,
    STATUS_NAMES,
    VOCABULARY,
    is_spreadsheet_error,
    one_form,
    says_none,
    says_nothing,
    tidy_word,
    visible_text,
    without_personal,
)
from leadscore.text import Text, room_words

WORDS = room_words("lists")

Value: TypeAlias = float | str | date

SIGNED = frozenset({"net_profit_cny", "revenue_cny", "return_on_equity", "revenue_growth"})
"""Columns whose numbers may lie below zero: a year's revenue can, after goods were returned."""

MAY_BE_NONE = frozenset({"risk", "titles", "funding", "patents", "branches"})
"""Columns in which 无 is an answer: there are none. In all others it says that nothing is known."""

_LONGEST_REPEATED = 24
"""Characters of a text that may well come again; longer ones, such as scopes, seldom do."""

_LONGEST_LABELLED = 80
_OF_REPORT = re.compile(r"\s*[(（](?:19|20)\d\d(?:年?年报|年度报告|年度年报)[)）]\s*$")
_FALLEN = re.compile(VOCABULARY["figures"]["fallen"])
_TRAILING_ZEROS = re.compile(r"^(\d+)\.0+$")
_YES, _NO = VOCABULARY["answers"]["yes"], VOCABULARY["answers"]["no"]


WANTED = {
    code: WORDS[f"cells.{code}"].format(statuses=STATUS_NAMES, stages=STAGE_NAMES)
    for code in (
        "cell_error", "bad_amount", "bad_date", "future_date", "bad_count", "bad_share",
        "perhaps_a_band", "bad_year", "bad_status", "bad_stage", "bad_currency", "bad_credit_code",
        "old_registration_number", "damaged_number", "bad_division", "ambiguous_date",
    )
}  # fmt: skip
"""What is wanted of a cell, by the code of the problem."""

MARKS = ("hidden", "starred", "foreign")
"""Of cells that were read: invisible characters or personal data taken out, money converted."""


class Cell(NamedTuple):
    """What one cell says: a value if it can be taken, what is wrong with it, and its `MARKS`."""

    value: Value | None = None
    code: str | None = None
    marks: frozenset[str] = frozenset()


_HIDDEN, _STARRED, _FOREIGN = (frozenset({mark}) for mark in MARKS)


class CellReader(dict[str, Cell]):
    """Reads the cells of one column, each distinct text once: ``reader[text]`` is its `Cell`.

    Days and years after ``today`` are not believed; ``percent`` tells that shares without a sign
    are percent, whatever the header says; ``currency`` is the one that the row names for an amount;
    an amount whose own unit is that of ``doubted`` (see `Amount.unit`) is missing.

    >>> from leadscore.lists.columns import read_heading
    >>> reader = CellReader(read_heading("注册资本（万元）"), date(2026, 1, 1))
    >>> reader["500"].value, reader["很多"].code, reader["-"].value
    (5000000.0, 'bad_amount', None)
    """

    __slots__ = ("_read", "currency", "doubted", "heading", "percent", "signed", "today")

    def __init__(
        self,
        heading: Heading,
        today: date,
        percent: bool = False,
        currency: str | None = None,
        doubted: str | None = None,
    ) -> None:
        self.heading, self.today, self.currency = heading, today, currency
        self.percent = percent or heading.unit.percent
        self.doubted = doubted
        self.signed = heading.column.name in SIGNED
        self._read = _READERS.get(heading.column.kind, _text)

    def __missing__(self, text: str) -> Cell:
        """Read a text that was not read before, and remember it if it may come again."""
        if text[:1] == "#" and is_spreadsheet_error(text):
            return Cell(code="cell_error")
        if len(text) > _LONGEST_REPEATED:
            return self._read(text, self)
        column = self.heading.column
        if not says_nothing(text):
            cell = self._read(text, self)
        elif column.name in MAY_BE_NONE and says_none(text):
            cell = Cell(NONE if column.dtype == "str" else 0.0)
        else:
            cell = Cell()
        if self._read not in _ALL_DIFFERENT:
            self[text] = cell
        return cell

    def wanted(self, code: str, text: str = "") -> Text:
        """Return what is wanted of a cell of this column, by the code of its problem."""
        if code == "ambiguous_date":
            one, other = self.two_days(text)
            return WORDS["cells.two_dates"].format(one=one, other=other)
        signed = code == "bad_amount" and self.signed
        return WORDS["cells.bad_signed_amount"] if signed else WANTED[code]

    def two_days(self, text: str) -> tuple[str, str]:
        """Return the two days, in ISO form, that an ambiguous cell of dates may be."""
        one, other, *_ = day_readings(text) or day_readings(_unlabelled(text, self)[0])
        return one.isoformat(), other.isoformat()


def _within(number: float, lowest: float, highest: float, code: str) -> Cell:
    return Cell(number) if lowest <= number <= highest else Cell(code=code)


def _amount(text: str, column: CellReader) -> Cell:
    unit = column.heading.unit
    amount = amount_of(text, shipped_rates(), unit, column.currency)
    if math.isnan(amount.yuan):
        rest, unit = _unlabelled(text, column)
        amount = amount_of(rest, shipped_rates(), unit, column.currency)
    if column.heading.column.name == "paid_in_capital_cny" and re.search("认缴|未", text):
        return Cell(code="bad_amount")  # what was promised was not paid
    cell = _within(amount.yuan, -math.inf if column.signed else 0.0, math.inf, "bad_amount")
    if cell.value and amount.unit == column.doubted:
        return Cell()
    return cell._replace(marks=_FOREIGN) if amount.foreign else cell


def _unlabelled(text: str, column: CellReader) -> tuple[str, Unit]:
    # The value without the words of its own column around it, and the unit that is named there.
    around, unit = _words_around(column.heading.column), column.heading.unit
    plain = unicodedata.normalize("NFKC", text[:_LONGEST_LABELLED]).translate(simplified())
    parts = around.fullmatch(plain.strip())
    if parts is None or not parts["value"]:
        return "", NO_UNIT
    named = read_unit(tidy_word(parts["unit"])) if parts["unit"] else unit
    return (parts["value"], named) if named else ("", NO_UNIT)


@cache
def _words_around(column: Column) -> re.Pattern[str]:
    own = (column.label.zh, *column.aliases, *column.beside)
    word = alternatives(unicodedata.normalize("NFKC", word) for word in own)
    return re.compile(
        rf"(?:(?:{word})\s*)*(?:\((?P<unit>[^()]*)\))?\s*[:为是于达]?(?P<value>.*?)"
        rf"(?:\((?:{word})\)|{word})?",
        re.DOTALL | re.IGNORECASE,
    )


def _count(text: str, column: CellReader) -> Cell:
    number = count_of(text)
    if math.isnan(number) and column.heading.column.kind == "staff":
        text = _OF_REPORT.sub("", text)
    if math.isnan(number):
        number = count_of(_unlabelled(text, column)[0])
    number *= column.heading.unit.times or 1.0
    return _within(number, 0.0, 1e7, "bad_count") if number % 1 == 0 else Cell(code="bad_count")


def _share(text: str, column: CellReader) -> Cell:
    growth = column.heading.column.name == "revenue_growth"
    number, sign = share_of(text)
    if math.isnan(number):
        rest = _FALLEN.sub("-", text) if growth else text
        number, sign = share_of(_unlabelled(rest, column)[0])
    if growth and "▲" in text:
        return Cell(code="bad_share")  # up to one, a loss to another
    number = part_of(number) if column.percent and not sign else number
    lowest, highest = (-1e3, 1e3) if column.signed else (0.0, 1.0)
    return _within(number, lowest, highest, "bad_share")


def _date(text: str, column: CellReader) -> Cell:
    readings = day_readings(text) or day_readings(_unlabelled(text, column)[0])
    if len(readings) != 1:
        return Cell(code="ambiguous_date" if readings else "bad_date")
    return Cell(code="future_date") if readings[0] > column.today else Cell(readings[0])


def _word(read: Callable[[str], str | None], code: str) -> Callable[[str, CellReader], Cell]:
    def read_word(text: str, _: CellReader) -> Cell:
        word = read(text)
        return Cell(code=code) if word is None else Cell(word)

    return read_word


def _credit_code(text: str, column: CellReader) -> Cell:
    if is_valid_code(text):
        return Cell(text)  # Most codes stand in their normal form.
    code = normal_code(text) or ""
    if not is_valid_code(code):
        code = normal_code(_unlabelled(text, column)[0]) or code
    if is_valid_code(code):
        return Cell(code)
    if is_rounded_code(code):
        return Cell(code="damaged_number")
    return Cell(code="old_registration_number" if old_number(text) else "bad_credit_code")


def _identifier(text: str, _: CellReader) -> Cell:
    code = _TRAILING_ZEROS.sub(r"\1", normal_code(text) or "")
    return Cell(code="damaged_number") if is_rounded_code(code) else Cell(code or None)


def _text(text: str, _: CellReader) -> Cell:
    words, hidden = visible_text(text)
    return Cell(words or None, marks=_HIDDEN) if hidden else Cell(words or None)


def _remark(text: str, column: CellReader) -> Cell:
    """Read what officers write freely; phone numbers and e-mail addresses are taken out."""
    cell = _text(text, column)
    if not isinstance(cell.value, str):
        return cell
    public = without_personal(cell.value)
    return cell if public == cell.value else Cell(public, marks=cell.marks | _STARRED)


_READERS: dict[str, Callable[[str, CellReader], Cell]] = {
    "amount": _amount,
    "count": _count,
    "staff": _count,
    "share": _share,
    "year": lambda text, column: _within(year_of(text), 1990, column.today.year, "bad_year"),
    "date": _date,
    "status": _word(status_of, "bad_status"),
    "stage": _word(lambda text: stage_of(text)[0], "bad_stage"),
    "currency": _word(currency_code, "bad_currency"),
    "credit_code": _credit_code,
    "identifier": _identifier,
    "division": _word(division_code, "bad_division"),
    "remark": _remark,
}
"""How a cell of each kind of column is read; all others are plain text."""

_ALL_DIFFERENT = frozenset({_credit_code, _identifier})
"""Readers of what no two firms share: to remember it would cost more than it saves."""


def held_title(title: str, text: str) -> str | None:
    """Read a cell under a title: the title if it says yes, with its own words if it says more.

    >>> [held_title("小巨人", text) for text in ("是", "0", "国家级")]
    ['小巨人', None, '小巨人（国家级）']
    """
    word = one_form(text)
    if word in _NO or says_nothing(text):
        return None
    return title if word in _YES or word == tidy_word(title) else f"{title}（{text.strip()}）"


def listing_of(text: str) -> tuple[str | None, bool]:
    """Read a cell that answers whether a firm is listed, and tell whether it says no."""
    if says_nothing(text) and not says_none(text):
        return None, False
    word = one_form(text)
    if word in _NO:
        return "未上市", True
    return "已上市" if word in _YES else text.strip(), False


def names_people(cells: Iterable[str]) -> bool:
    """Tell whether most cells of a column count people, as 100-499人 does and 大型 does not."""
    counts = Counter(text for text in cells if not says_nothing(text))
    people = sum(
        count
        for text, count in counts.items()
        if re.search(r"人|\d\s*[-~至]\s*\d", text) and not math.isnan(count_of(text))
    )
    return 2 * people > counts.total()


def plain_shares_are_percent(heading: Heading, texts: Iterable[str]) -> bool | None:
    """Tell whether shares without a sign are percent, as most of them exceed 1, or are fractions.

    Missing if there is nothing to assume: the header says so, or every share has its sign.
    """
    if heading.column.kind != "share" or heading.unit.percent or heading.canonical:
        return None
    sizes: Counter[float] = Counter()
    for text, count in Counter(texts).items():
        if not (says_nothing(text) or is_spreadsheet_error(text)):
            share, sign = share_of(text)
            if not sign and not math.isnan(share):
                sizes[abs(share)] += count
    above = sum(count for size, count in sizes.items() if size > 1)
    return 2 * above > sizes.total() - sizes[0.0] if sizes else None


def differ(one: Value, other: Value) -> bool:
    """Tell whether two known values of one column can't both be meant.

    Numbers that are close, a day and its month or year, and texts of which one says no more than
    the other do not contradict each other.
    """
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) > 0.01 * max(abs(one), abs(other))
    if isinstance(one, date) and isinstance(other, date):
        whole_year = (1, 1) in {(one.month, one.day), (other.month, other.day)}
        whole_month = one.month == other.month and 1 in {one.day, other.day}
        return one != other and (one.year != other.year or not (whole_year or whole_month))
    one, other = tidy_word(str(one)), tidy_word(str(other))
    return one not in other and other not in one
