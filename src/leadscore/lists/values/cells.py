"""What a cell says, by the kind of its column: each kind has one reader, from text to a value."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from statistics import median
from typing import NamedTuple, TypeAlias

from leadscore.lists.columns import Heading
from leadscore.lists.headers import NO_UNIT
from leadscore.lists.values.amounts import (
    amount_of,
    count_of,
    currency_code,
    plain_number,
    share_of,
    shipped_rates,
    year_of,
)
from leadscore.lists.values.codes import day_of, is_rounded_code, is_valid_code, normal_code
from leadscore.lists.values.places import division_code
from leadscore.lists.values.words import (
    NONE,
    STAGES,
    STATUSES,
    is_spreadsheet_error,
    says_none,
    says_nothing,
    stage_of,
    status_of,
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

NEVER_SMALL = frozenset(
    {"registered_capital_cny", "paid_in_capital_cny", "revenue_cny", "total_assets_cny"}
)
SMALL_CNY = 1e5
"""Half of a column of capitals, revenues or assets lies below it only if it is not in yuan."""

MOST_PEOPLE_OR_THINGS = 1e7
LARGEST_SHARE = 1e3
FIRST_YEAR = 1990

_CLOSE = 0.01
_LONGEST_REPEATED = 24
"""Characters of a text that may well come again; longer ones, such as scopes, seldom do."""

_TRAILING_ZEROS = re.compile(r"^(\d+)\.0+$")
_OLD_NUMBER = re.compile(r"\d{15}")
_YES = ("是", "有", "1", "1.0", "true", "yes", "y", "t", "√", "✓", "✔", "●", "已认定", "具备")
_NO = ("否", "无", "0", "0.0", "false", "no", "n", "f", "×", "x", "非", "未认定", "没有", "不是")


def _wanted(zh: str, en: str) -> Text:
    return Text(zh=zh + WORDS["cells.missing"].zh, en=en + WORDS["cells.missing"].en)


WANTED: dict[str, Text] = {
    "cell_error": _wanted(
        "值，而不是电子表格的出错标记", "a value, not an error of the spreadsheet"
    ),
    "bad_amount": _wanted(
        "不小于零的金额，如 1,234.5、500万元、1.2亿、100万美元",
        "an amount of money, not below zero, such as 1,234.5, 500万元, 1.2亿 or 100万美元",
    ),
    "bad_date": _wanted(
        "存在的日期，年在前，如 2016-11-30、2016年11月、20161130",
        "a day that exists, year first, such as 2016-11-30, 2016年11月 or 20161130",
    ),
    "future_date": _wanted("不晚于今天的日期", "a day not later than today"),
    "bad_count": _wanted(
        "不小于零的数，或区间如 100-499人、小于50人",
        "a number not below zero, or a band such as 100-499人 or 小于50人",
    ),
    "bad_share": _wanted("比例，如 12% 或 0.12", "a share such as 12% or 0.12"),
    "bad_year": _wanted(
        "不晚于今年的年份，如 2023", "a year not later than this one, such as 2023"
    ),
    "bad_status": _wanted(
        "登记状态：" + "、".join(text.zh for text in STATUSES.values()),
        "a registration status: " + ", ".join(STATUSES),
    ),
    "bad_stage": _wanted(
        "已到达的阶段：" + "、".join(text.zh for text in STAGES.values()),
        "a stage that is reached: " + ", ".join(STAGES),
    ),
    "bad_currency": WORDS["cells.wanted_bad_currency"],
    "bad_credit_code": _wanted(
        "校验位正确的 18 位统一社会信用代码",
        "an 18-character unified social credit code whose check digit holds",
    ),
    "old_registration_number": WORDS["cells.wanted_old_registration_number"],
    "damaged_number": _wanted(
        "完整的号码；电子表格把它存成数字而丢失了末几位，请按文本格式重新导出",
        "the whole number; a spreadsheet stored it as a number and lost its last digits: export it"
        " again as text",
    ),
    "bad_division": _wanted(
        "GB/T 2260 的省级或市级代码", "the code of a province or city (GB/T 2260)"
    ),
}  # fmt: skip
"""What is wanted of a cell, by the code of the problem."""

_SIGNED_AMOUNT = _wanted(
    "金额，如 -1,234.5、500万元、1.2亿、100万美元",
    "an amount of money such as -1,234.5, 500万元, 1.2亿 or 100万美元",
)


MARKS = ("hidden", "starred", "foreign")
"""What is told of cells that were read well: invisible characters or personal data were taken out,
or money was converted from another currency."""


class Cell(NamedTuple):
    """What one cell says.

    Attributes
    ----------
    value
        Typed as its column is; missing if it says nothing or can't be taken.
    code
        What is wrong with it, a key of `WANTED`; missing if nothing.
    marks
        Which of `MARKS` it has.
    """

    value: Value | None = None
    code: str | None = None
    marks: frozenset[str] = frozenset()


_NOTHING = Cell()
_CELL_ERROR = Cell(code="cell_error")
_HIDDEN, _STARRED, _FOREIGN = (frozenset({mark}) for mark in MARKS)


class CellReader(dict[str, Cell]):
    """Reads the cells of one column, each distinct text once: ``reader[text]`` is its `Cell`.

    Parameters
    ----------
    heading
        What the header of the column says.
    today
        Days and years after it are not believed.
    percent
        True if a share without a sign is in percent, False if its header decides.
    currency
        ISO 4217 code that the row names for an amount; missing if none.

    >>> from leadscore.lists.columns import read_heading
    >>> reader = CellReader(read_heading("注册资本（万元）"), date(2026, 1, 1))
    >>> reader["500"].value, reader["很多"].code, reader["-"].value
    (5000000.0, 'bad_amount', None)
    """

    __slots__ = ("_read", "currency", "heading", "percent", "today")

    def __init__(
        self, heading: Heading, today: date, percent: bool = False, currency: str | None = None
    ) -> None:
        self.heading, self.today, self.currency = heading, today, currency
        self.percent = percent or heading.unit.percent
        self._read = _READERS.get(heading.column.kind, _text)

    def __missing__(self, text: str) -> Cell:
        """Read a text that was not read before, and remember it if it may come again."""
        if text[:1] == "#" and is_spreadsheet_error(text):
            return _CELL_ERROR
        if len(text) > _LONGEST_REPEATED:
            return self._read(text, self)
        cell = self._nothing(text) if says_nothing(text) else self._read(text, self)
        if self._read not in _ALL_DIFFERENT:
            self[text] = cell
        return cell

    def _nothing(self, text: str) -> Cell:
        column = self.heading.column
        if column.name in MAY_BE_NONE and says_none(text):
            return Cell(NONE if column.dtype == "str" else 0.0)
        return _NOTHING

    @property
    def signed(self) -> bool:
        """True if numbers of the column may lie below zero."""
        return self.heading.column.name in SIGNED

    def wanted(self, code: str) -> Text:
        """Return what is wanted of a cell of this column, by the code of its problem."""
        return _SIGNED_AMOUNT if code == "bad_amount" and self.signed else WANTED[code]


def _within(number: float, lowest: float, highest: float, code: str) -> Cell:
    return Cell(number) if lowest <= number <= highest else Cell(code=code)


def _amount(text: str, column: CellReader) -> Cell:
    yuan, foreign = amount_of(text, shipped_rates(), column.heading.unit, column.currency)
    cell = _within(yuan, -math.inf if column.signed else 0.0, math.inf, "bad_amount")
    return cell._replace(marks=_FOREIGN) if foreign else cell


def _count(text: str, column: CellReader) -> Cell:
    number = count_of(text) * (column.heading.unit.times or 1.0)
    return _within(number, 0.0, MOST_PEOPLE_OR_THINGS, "bad_count")


def _share(text: str, column: CellReader) -> Cell:
    number, sign = share_of(text)
    number = number / 100 if column.percent and not sign else number
    if column.signed:
        return _within(number, -LARGEST_SHARE, LARGEST_SHARE, "bad_share")
    return _within(number, 0.0, 1.0, "bad_share")


def _year(text: str, column: CellReader) -> Cell:
    return _within(year_of(text), FIRST_YEAR, column.today.year, "bad_year")


def _date(text: str, column: CellReader) -> Cell:
    day = day_of(text)
    if day is None:
        return Cell(code="bad_date")
    return Cell(code="future_date") if day > column.today else Cell(day)


def _status(text: str, _: CellReader) -> Cell:
    return _word(status_of(text), "bad_status")


def _stage(text: str, _: CellReader) -> Cell:
    return _word(stage_of(text)[0], "bad_stage")


def _currency(text: str, _: CellReader) -> Cell:
    return _word(currency_code(text), "bad_currency")


def _division(text: str, _: CellReader) -> Cell:
    return _word(division_code(text), "bad_division")


def _word(word: str | None, code: str) -> Cell:
    return Cell(code=code) if word is None else Cell(word)


def _credit_code(text: str, _: CellReader) -> Cell:
    if is_valid_code(text):
        return Cell(text)  # Most codes stand in their normal form.
    code = normal_code(text)
    if code is not None and is_valid_code(code):
        return Cell(code)
    if code is not None and is_rounded_code(code):
        return Cell(code="damaged_number")
    return Cell(code="old_registration_number" if old_number(text) else "bad_credit_code")


def _identifier(text: str, _: CellReader) -> Cell:
    code = normal_code(text)
    code = None if code is None else _TRAILING_ZEROS.sub(r"\1", code)
    if code is not None and is_rounded_code(code):
        return Cell(code="damaged_number")
    return Cell(code)


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

_ALL_DIFFERENT = frozenset({_credit_code, _identifier})
"""Readers of what no two firms share: to remember it would cost more than it saves."""


def old_number(text: str) -> str | None:
    """Return the old registration number of 15 digits that a cell of credit codes holds, if any.

    >>> old_number("3607 2721 0012 345"), old_number("91110000600037341L")
    ('360727210012345', None)
    """
    code = normal_code(text)
    return code if code is not None and _OLD_NUMBER.fullmatch(code) else None


def held_title(title: str, text: str) -> str | None:
    """Read a cell under a title: the title if it says yes, with its own words if it says more.

    >>> [held_title("小巨人", text) for text in ("是", "0", "国家级", "-")]
    ['小巨人', None, '小巨人（国家级）', None]
    """
    word = tidy_word(text)
    if word in _NO or says_nothing(text):
        return None
    return title if word in _YES or word == tidy_word(title) else f"{title}（{text.strip()}）"


def listing_of(text: str) -> tuple[str | None, bool]:
    """Read a cell that answers whether a firm is listed, and tell whether it says no.

    >>> [listing_of(text)[0] for text in ("是", "无", "科创板", "-")]
    ['已上市', '未上市', '科创板', None]
    """
    if says_nothing(text) and not says_none(text):
        return None, False
    word = tidy_word(text)
    if word in _NO:
        return "未上市", True
    return "已上市" if word in _YES else text.strip(), False


def plain_shares_are_percent(heading: Heading, texts: Iterable[str]) -> bool | None:
    """Tell whether shares without a sign are percent, as most of them exceed 1, or are fractions.

    Parameters
    ----------
    heading
        What the header of their column says.
    texts
        Its cells that are not empty.

    Returns
    -------
    bool
        Missing if there is nothing to assume: the header says so, or every share has its sign.

    >>> from leadscore.lists.columns import read_heading
    >>> plain_shares_are_percent(read_heading("研发占比"), ["12", "3.5", "0.8", "5%"])
    True
    """
    if heading.column.kind != "share" or heading.unit.percent or heading.canonical:
        return None
    sizes: Counter[float] = Counter()
    for text, count in Counter(texts).items():
        if not (says_nothing(text) or is_spreadsheet_error(text)):
            share, sign = share_of(text)
            if not sign and not math.isnan(share):
                sizes[abs(share)] += count
    if not sizes:
        return None
    above = sum(count for size, count in sizes.items() if size > 1)
    return 2 * above > sizes.total() - sizes[0.0]


def small_median(heading: Heading, texts: Iterable[str]) -> float | None:
    """Return the median of amounts that name no unit if it is too small for yuan.

    Parameters
    ----------
    heading
        What the header of their column says; one that names a unit leaves nothing to doubt.
    texts
        Its cells that are not empty.
    """
    if heading.canonical or heading.unit != NO_UNIT or heading.column.name not in NEVER_SMALL:
        return None
    sizes: list[float] = []
    for text, count in Counter(texts).items():
        number = math.nan if says_nothing(text) else plain_number(text)
        if number > 0:
            sizes += [number] * count
    middle = median(sizes) if sizes else math.inf
    return middle if middle < SMALL_CNY else None


def differ(one: Value, other: Value) -> bool:
    """Tell whether two known values of one column can't both be meant.

    Numbers that are close, a day and its month or year, and texts of which one says no more than
    the other do not contradict each other.

    >>> differ(date(2016, 1, 1), date(2016, 11, 30)), differ("甲路1号", "乙路2号")
    (False, True)
    """
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) > _CLOSE * max(abs(one), abs(other))
    if isinstance(one, date) and isinstance(other, date):
        return _another_day(one, other)
    return not can_both_be_meant(str(one), str(other))


def _another_day(one: date, other: date) -> bool:
    """Tell whether two days differ, though neither stands for its whole month or year."""
    if one == other or one.year != other.year:
        return one != other
    if (1, 1) in {(one.month, one.day), (other.month, other.day)}:
        return False
    return not (one.month == other.month and 1 in {one.day, other.day})


def can_both_be_meant(one: str, other: str) -> bool:
    """Tell whether one of two texts says no more than the other, however they are written."""
    one, other = tidy_word(one), tidy_word(other)
    return one in other or other in one
