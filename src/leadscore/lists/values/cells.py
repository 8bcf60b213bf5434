"""What a cell says, by the kind of its column: one reader a kind, from text to a value."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from statistics import median
from typing import NamedTuple, TypeAlias

from leadscore.lists.columns import Heading
from leadscore.lists.values.amounts import (
    NO_UNIT,
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
    STAGE_NAMES,
    STATUS_NAMES,
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


LONGEST_NAME = 120
"""Longer than any registered name; such a cell holds something else as well, and is flagged."""

LONGEST_PARTED = 500
"""A longer cell holds no name with a former one behind it, or no list of former names: it is kept
whole, since taking it apart could take minutes where somebody made it to."""

_NOT_MATCHED = re.compile(r"^(?:未匹配|没有匹配|未找到|查无|无匹配|匹配失败)")
_FORMER_BEHIND = re.compile(
    r"[(（【\[；;,，]?\s*(?:曾用名\s*[:：为]?|原名\s*[:：])\s*(?P<before>[^)）】\]]+)[)）】\]]?\s*$"
    r"|[(（]原[:：]?(?P<once>[^()（）]+(?:公司|厂))[)）]\s*$"
)
_RENAMED = re.compile(r"曾用名|原名\s*[:：]|[(（]原.+[)）]\s*$")
_MARKED = re.compile(r"^[^A-Za-z\u4e00-\u9fff]|^[一二三四五六七八九十]{1,3}、")
_NUMBER_BEFORE = re.compile(
    r"^(?:\d{1,4}(?:[.．](?!\d)|、)|[(（]\d{1,4}[)）]|[①-⑳★☆●◆■▲※]+|[*＊]+(?!S)"
    r"|[一二三四五六七八九十]{1,3}、)\s*(?=[\w(（]*?(?:[\u4e00-\u9fff]{3}|[A-Za-z]{3}))"
)
_BETWEEN = re.compile(
    r"\s*(?:[;；、|，\x0b\r\n]|,(?!\s*(?:ltd|inc|llc|co|limited|corp)\b))+\s*", re.IGNORECASE
)
_YEARS = re.compile(r"[(（][^()（）]*(?:19|20)\d\d[^()（）]*[)）]")
_AROUND = re.compile(r"^(?:曾用名|原名)\s*[:：]\s*|^\[|\]$|[\"“”]")
_LINE_ENDS = re.compile(r"[\r\n]+")

WANTED = {
    code: WORDS[f"cells.{code}"].format(statuses=STATUS_NAMES, stages=STAGE_NAMES)
    for code in (
        "cell_error", "bad_amount", "bad_date", "future_date", "bad_count", "bad_share",
        "bad_year", "bad_status", "bad_stage", "bad_currency", "bad_credit_code",
        "old_registration_number", "damaged_number", "bad_division",
    )
}  # fmt: skip
"""What is wanted of a cell, by the code of the problem."""

WANTED_OF_NAMES = {
    code: WORDS[f"names.{code}"].format(n=LONGEST_NAME)
    for code in (
        "no_name", "unmatched_name", "invisible_characters", "long_name", "name_is_a_place"
    )
}  # fmt: skip
"""What is wanted of a name, by the code of the problem."""

MARKS = ("hidden", "starred", "foreign")
"""What is told of cells that were read well: invisible characters or personal data were taken out,
or money was converted from another currency."""


class Cell(NamedTuple):
    """What one cell says: a value if it can be taken, what is wrong with it, and its `MARKS`."""

    value: Value | None = None
    code: str | None = None
    marks: frozenset[str] = frozenset()


_NOTHING = Cell()
_CELL_ERROR = Cell(code="cell_error")
_HIDDEN, _STARRED, _FOREIGN = (frozenset({mark}) for mark in MARKS)


class CellReader(dict[str, Cell]):
    """Reads the cells of one column, each distinct text once: ``reader[text]`` is its `Cell`.

    Days and years after ``today`` are not believed; ``percent`` tells that shares without a sign
    are percent, whatever the header says; ``currency`` is the one that the row names for an amount.

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
        none = column.name in MAY_BE_NONE and says_none(text)
        return Cell(NONE if column.dtype == "str" else 0.0) if none else _NOTHING

    @property
    def signed(self) -> bool:
        """True if numbers of the column may lie below zero."""
        return self.heading.column.name in SIGNED

    def wanted(self, code: str) -> Text:
        """Return what is wanted of a cell of this column, by the code of its problem."""
        signed = code == "bad_amount" and self.signed
        return WORDS["cells.bad_signed_amount"] if signed else WANTED[code]


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


def _word(read: Callable[[str], str | None], code: str) -> Callable[[str, CellReader], Cell]:
    def read_word(text: str, _: CellReader) -> Cell:
        word = read(text)
        return Cell(code=code) if word is None else Cell(word)

    return read_word


def _credit_code(text: str, _: CellReader) -> Cell:
    if is_valid_code(text):
        return Cell(text)  # Most codes stand in their normal form.
    code = normal_code(text) or ""
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
    "year": _year,
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


def old_number(text: str) -> str | None:
    """Return the old registration number of 15 digits that a cell of credit codes holds, if any.

    >>> old_number("3607 2721 0012 345"), old_number("91110000600037341L")
    ('360727210012345', None)
    """
    code = normal_code(text) or ""
    return code if _OLD_NUMBER.fullmatch(code) else None


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
    """Return the median of amounts that name no unit if it is too small for yuan."""
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
    one, other = tidy_word(str(one)), tidy_word(str(other))
    return one not in other and other not in one


def _another_day(one: date, other: date) -> bool:
    """Tell whether two days differ, though neither stands for its whole month or year."""
    if one == other or one.year != other.year:
        return one != other
    if (1, 1) in {(one.month, one.day), (other.month, other.day)}:
        return False
    return not (one.month == other.month and 1 in {one.day, other.day})


class Name(NamedTuple):
    """What one cell of a column of names says: a name, and a former one that stands behind it.

    It may have held invisible characters (``hidden``), or tell that a batch match found no firm
    (``unmatched``).
    """

    value: str | None = None
    former: str | None = None
    hidden: bool = False
    unmatched: bool = False


def read_name(cell: str) -> Name:
    """Read one cell of a column of names.

    ``NA``, ``null`` and ``None`` are names; ``-``, ``无`` and errors of a spreadsheet are not. A
    number or star before the name goes; a former name behind the name, as in
    某某公司（曾用名：甲公司）, is taken apart.

    >>> read_name("3、乙公司（曾用名：甲公司）")
    Name(value='乙公司', former='甲公司', hidden=False, unmatched=False)
    >>> read_name("NA").value, read_name("-").value
    ('NA', None)
    """
    name, hidden = visible_text(cell)
    unmatched = bool(_NOT_MATCHED.match(name))
    if unmatched or says_nothing(name, name=True) or is_spreadsheet_error(name):
        return Name(unmatched=unmatched)
    if len(name) <= LONGEST_PARTED and _MARKED.match(name):
        name = _NUMBER_BEFORE.sub("", name)
    former = None
    if ("名" in name or "原" in name) and len(name) <= LONGEST_PARTED and _RENAMED.search(name):
        name, former = _parted(name)
    return Name(name, former, hidden)


def _parted(name: str) -> tuple[str, str | None]:
    former = _FORMER_BEHIND.search(name)
    bare = _FORMER_BEHIND.sub("", name).strip()
    if not bare:
        return name, None
    return bare, (former["before"] or former["once"]) if former else None


def former_names(cell: str) -> str | None:
    """Return former names joined by semicolons; dates, labels and list marks around them dropped.

    Missing where the cell says nothing.

    >>> former_names("甲公司（2010至2015）；乙公司"), former_names("-"), former_names("A Co., Ltd.")
    ('甲公司;乙公司', None, 'A Co., Ltd.')
    """
    if says_nothing(cell):
        return None
    lines = visible_text(_LINE_ENDS.sub(";", cell))[0]
    if len(lines) > LONGEST_PARTED:
        return lines
    plain = _AROUND.sub("", _YEARS.sub("", lines))
    return _BETWEEN.sub(";", plain).strip("; ") or None


def joined_names(names: str | None, more: str | None) -> str | None:
    """Join two texts of former names; the same text twice stays one.

    >>> joined_names("甲公司", "乙公司"), joined_names(None, "乙公司"), joined_names("甲", "甲")
    ('甲公司;乙公司', '乙公司', '甲')
    """
    if names is None or more is None or names == more:
        return more if names is None else names
    return f"{names};{more}"
