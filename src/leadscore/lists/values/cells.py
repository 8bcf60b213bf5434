"""What a cell says, by the kind of its column: one reader a kind, from text to a value."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from operator import mul
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
from leadscore.lists.values.places import division_code
from leadscore.lists.values.words import (
    NONE,
    STAGE_NAMES,
    STATUS_NAMES,
    VOCABULARY,
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

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100-2015: no I, O, S, V, Z, which look like others."""

_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_VALUES = {mark: value for value, mark in enumerate(ALPHABET)}
# Who registers (9 is market supervision; letters are army, farming, others), the kind, a division.
_SHAPE = re.compile(rf"[1-9ANY][0-9]{{7}}[{ALPHABET}]{{10}}")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_ROUNDED = re.compile(r"\d{18}\.0+|\d{3,15}0{3,15}")


def normal_code(code: str) -> str | None:
    """Return a code in capitals without spaces and hyphens, full-width characters made plain."""
    return re.sub(r"[\s\-]+", "", unicodedata.normalize("NFKC", code)).upper() or None


def is_valid_code(code: str) -> bool:
    """Tell whether a text is a credit code whose check digit holds.

    The check digit is character 18: 31 minus the weighted sum of the first 17, modulo 31, with
    weights 3**i mod 31 (GB 32100-2015, appendix A). The form is that of `normal_code`.

    >>> is_valid_code("91110000600037341L"), is_valid_code("91110000600037341M")
    (True, False)
    """
    if not _SHAPE.fullmatch(code):
        return False
    values = [_VALUES[mark] for mark in code]
    total: int = sum(map(mul, values, _WEIGHTS))
    return (31 - total % 31) % 31 == values[-1]


def valid_code(text: str) -> str | None:
    """Return the credit code that a text holds, in its normal form, if its check digit holds."""
    code = normal_code(text)
    return code if code is not None and is_valid_code(code) else None


def is_rounded_code(code: str) -> bool:
    """Tell whether a code has lost digits since a spreadsheet turned it into a number."""
    rounded = len(code) >= 18 and _ROUNDED.fullmatch(code)
    return bool(rounded or _SCIENTIFIC.fullmatch(code))


_TIME = (
    r"(?:[t,]?(?P<hour>\d{1,2})(?::|时|点)(?P<minute>\d{1,2})(?:(?::|分)(?P<second>\d{1,2})秒?|分)?"
    r"(?:\.\d+)?(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
)
_SHAPES = (
    re.compile(
        r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})"
        r"(?:月|(?:月|[-/.])(?P<day>[0-3]?\d)(?:日|号)?" + _TIME + r")?"
    ),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:\d{6})?(?:\.0+)?"),
    re.compile(r"(?P<year>\d{4})(?P<month>0[1-9]|1[0-2])(?:\.0+)?"),
    re.compile(r"(?P<year>(?:18|19|20)\d\d)(?:年|\.0+)?"),
)
_BEFORE_TIME = re.compile(r"(?<!\s)\s+(?=\d{1,2}:)")


def day_of(cell: str) -> date | None:
    """Read a day.

    Understood are ``2016-11-30``, ``2016/1/2``, ``2016.11.30``, ``2016年11月30日``, each also with
    a time of day; ``20161130``; ISO 8601 with a zone, whose day is the day in China; day numbers
    of a spreadsheet (counted from 1900) between 1927 and 2099. A month or a year alone stands for
    its first day. Day and month without a year in front have two meanings and are not read. None
    for what can't be read or never was.

    >>> day_of("2016年11月"), day_of("42704"), day_of("2024-02-30")
    (datetime.date(2016, 11, 1), datetime.date(2016, 11, 30), None)
    """
    text = tidy_word(_BEFORE_TIME.sub("t", cell.strip()))
    for shape in _SHAPES:
        parts = shape.fullmatch(text)
        day = _from_parts(parts.groupdict()) if parts else None
        if day:
            return day
    # Days of a spreadsheet before 1927 can't be told from other numbers.
    number = float(text) if re.fullmatch(r"\d{5}(?:\.\d+)?", text) else 0.0
    return date(1899, 12, 30) + timedelta(int(number)) if 10_000 <= number <= 73_050 else None


def _from_parts(parts: Mapping[str, str | None]) -> date | None:
    year = int(parts["year"] or 0)
    if not 1800 <= year <= 2200:
        return None
    try:
        day = date(year, int(parts.get("month") or 1), int(parts.get("day") or 1))
    except ValueError:
        return None
    zone = (parts.get("zone") or "").replace(":", "")
    if not zone:
        return day
    # Registers keep China's days.
    offset = 0 if zone in ("z", "utc", "gmt") else int(zone)
    hours, minutes = divmod(abs(offset), 100)
    ahead = timedelta(hours=hours, minutes=minutes) * (-1 if offset > 0 else 1)
    clock = timedelta(hours=int(parts["hour"] or 0), minutes=int(parts["minute"] or 0))
    return (datetime.combine(day, time()) + clock + ahead + timedelta(hours=8)).date()


Value: TypeAlias = float | str | date

SIGNED = frozenset({"net_profit_cny", "revenue_cny", "return_on_equity", "revenue_growth"})
"""Columns whose numbers may lie below zero: a year's revenue can, after goods were returned."""

MAY_BE_NONE = frozenset({"risk", "titles", "funding", "patents", "branches"})
"""Columns in which 无 is an answer: there are none. In all others it says that nothing is known."""

NEVER_SMALL = frozenset(
    {"registered_capital_cny", "paid_in_capital_cny", "revenue_cny", "total_assets_cny"}
)


_LONGEST_REPEATED = 24
"""Characters of a text that may well come again; longer ones, such as scopes, seldom do."""

_TRAILING_ZEROS = re.compile(r"^(\d+)\.0+$")
_YES, _NO = VOCABULARY["answers"]["yes"], VOCABULARY["answers"]["no"]


LONGEST_NAME = 120
"""Longer than any registered name; such a cell holds something else as well, and is flagged."""

LONGEST_PARTED = 500
"""A longer cell is kept whole: taking it apart could take minutes where somebody made it to."""

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
    are percent, whatever the header says; ``currency`` is the one that the row names for an amount.

    >>> from leadscore.lists.columns import read_heading
    >>> reader = CellReader(read_heading("注册资本（万元）"), date(2026, 1, 1))
    >>> reader["500"].value, reader["很多"].code, reader["-"].value
    (5000000.0, 'bad_amount', None)
    """

    __slots__ = ("_read", "currency", "heading", "percent", "signed", "today")

    def __init__(
        self, heading: Heading, today: date, percent: bool = False, currency: str | None = None
    ) -> None:
        self.heading, self.today, self.currency = heading, today, currency
        self.percent = percent or heading.unit.percent
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
    return _within(number, 0.0, 1e7, "bad_count")


def _share(text: str, column: CellReader) -> Cell:
    number, sign = share_of(text)
    number = number / 100 if column.percent and not sign else number
    lowest, highest = (-1e3, 1e3) if column.signed else (0.0, 1.0)
    return _within(number, lowest, highest, "bad_share")


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


def old_number(text: str) -> str | None:
    """Return the old registration number of 15 digits that a cell of credit codes holds, if any."""
    code = normal_code(text) or ""
    return code if re.fullmatch(r"\d{15}", code) else None


def held_title(title: str, text: str) -> str | None:
    """Read a cell under a title: the title if it says yes, with its own words if it says more.

    >>> [held_title("小巨人", text) for text in ("是", "0", "国家级")]
    ['小巨人', None, '小巨人（国家级）']
    """
    word = tidy_word(text)
    if word in _NO or says_nothing(text):
        return None
    return title if word in _YES or word == tidy_word(title) else f"{title}（{text.strip()}）"


def listing_of(text: str) -> tuple[str | None, bool]:
    """Read a cell that answers whether a firm is listed, and tell whether it says no."""
    if says_nothing(text) and not says_none(text):
        return None, False
    word = tidy_word(text)
    if word in _NO:
        return "未上市", True
    return "已上市" if word in _YES else text.strip(), False


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
    return middle if middle < 1e5 else None  # half of a column in yuan never lies below


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


class Name(NamedTuple):
    """What a cell of names says; it may tell that a batch match found no firm (``unmatched``)."""

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
    """
    name, hidden = visible_text(cell)
    unmatched = bool(_NOT_MATCHED.match(name))
    if unmatched or says_nothing(name, name=True) or is_spreadsheet_error(name):
        return Name(unmatched=unmatched)
    if len(name) <= LONGEST_PARTED and _MARKED.match(name):
        name = _NUMBER_BEFORE.sub("", name)
    former = None
    if ("名" in name or "原" in name) and len(name) <= LONGEST_PARTED and _RENAMED.search(name):
        behind, bare = _FORMER_BEHIND.search(name), _FORMER_BEHIND.sub("", name).strip()
        if bare:
            name, former = bare, (behind["before"] or behind["once"]) if behind else None
    return Name(name, former, hidden)


def former_names(cell: str) -> str | None:
    """Return former names joined by semicolons; dates, labels and list marks around them dropped.

    >>> former_names("甲公司（2010至2015）；乙公司"), former_names("A Co., Ltd.")
    ('甲公司;乙公司', 'A Co., Ltd.')
    """
    if says_nothing(cell):
        return None
    lines = visible_text(re.sub(r"[\r\n]+", ";", cell))[0]
    if len(lines) > LONGEST_PARTED:
        return lines
    plain = _AROUND.sub("", _YEARS.sub("", lines))
    return _BETWEEN.sub(";", plain).strip("; ") or None


def joined_names(names: str | None, more: str | None) -> str | None:
    """Join two texts of former names; the same text twice stays one."""
    if names is None or more is None or names == more:
        return more if names is None else names
    return f"{names};{more}"
