"""What the owner of a list said of its columns: which canonical one each means, in which unit.

A mapping has meanings by the headers of columns or by their places: ``sheet!B3``, or ``sheet!B``
where the row of the header is to be found; of files without sheets ``!B3`` and ``!B``. A meaning is
a canonical column, by its name or its label in either language, with the unit of its plain numbers
behind it if that is to be said: ``registered_capital_cny(万元)``. ``(万元)`` alone is that unit for
what the header means anyway, ``(?)`` says that nobody knows the unit; "" and "-" are for a column
that is not to be read. Headers that aren't named are recognised as ever.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd

from leadscore.errors import Detail, ListError
from leadscore.lists.columns import (
    CANONICAL,
    Column,
    normal_header,
    read_heading,
    readings,
)
from leadscore.lists.reading import from_frame, read_list
from leadscore.lists.reading.header import (
    UNREAD,
    HeaderPlace,
    NoHeaderError,
    fold,
    header_place,
    split_address,
)
from leadscore.lists.reading.table import OWN_FILE, Limits, RawList, SheetHead
from leadscore.lists.values.amounts import CURRENCIES, NO_UNIT, Unit, read_unit
from leadscore.text import Lang, Text, room_words, shown

WORDS = room_words("lists")

NO_MAPPING: Mapping[str, str] = {}
NOT_READ = "-"
"""What stands for "" where nothing can't be written."""
UNKNOWN_UNIT = "?"
"""A unit that nobody knows: such numbers are left missing, and that was accepted."""
UNITS = {"amount": ("元", "千元", "万元", "百万元", "亿元", "美元", "万美元", "万港元", "万欧元"),
         "share": ("%",), "count": ("个", "万个"), "staff": ("人", "万人")}  # fmt: skip
"""Units that are proposed for the columns of a kind; `read_unit` understands more."""

_BY_NAME = {one.name: one for one in CANONICAL}
_MEANING = re.compile(r"(?P<column>[^()]*?)\s*(?:\(\s*(?P<unit>[^()]+?)\s*\))?")
_TIMES = {
    1e1: "十", 1e2: "百", 1e3: "千", 1e4: "万", 1e5: "十万", 1e6: "百万", 1e7: "千万", 1e8: "亿",
    1e9: "十亿", 1e10: "百亿", 1e11: "千亿", 1e12: "万亿",
}  # fmt: skip
_COUNTERS = {"amount": "元", "staff": "人", "count": "个"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column was said to mean; missing is what was not said."""

    column: Column | None = None
    unit: str = ""
    read: bool = True

    @property
    def written(self) -> str:
        """The meaning as a mapping has it, whatever way it was written."""
        unit = f"({self.unit})" if self.unit else ""
        return (self.column.name if self.column else "") + unit if self.read else UNREAD

    def label(self, lang: Lang) -> str:
        """Return the meaning in words."""
        if not self.read:
            return WORDS["mapping.unread"].pick(lang)
        unit = WORDS["mapping.unknown_unit"].pick(lang) if self.unit == UNKNOWN_UNIT else self.unit
        label = self.column.label.pick(lang) if self.column else ""
        return (
            WORDS["mapping.labelled"].pick(lang).format(label=label, unit=unit) if unit else label
        )


def meaning_of(said: str) -> Meaning | None:
    """Read what a mapping says of a column; None if it can't be read.

    >>> meaning_of("注册资本（万元）").written, meaning_of("-").written, meaning_of("注册资产")
    ('registered_capital_cny(万元)', '', None)
    """
    text = unicodedata.normalize("NFKC", said).strip()
    if text in {UNREAD, NOT_READ}:
        return Meaning(read=False)
    parts = _MEANING.fullmatch(text)
    if parts is None:
        return None
    column, unit = _by_words().get(normal_header(parts["column"])), parts["unit"] or ""
    if column is None and (parts["column"] or not unit):
        return None
    known = not unit or unit == UNKNOWN_UNIT or read_unit(unit.casefold().replace(" ", ""))
    return Meaning(column, unit) if known and (not column or fits(column, unit)) else None


def fits(column: Column, unit: str) -> bool:
    """Tell whether the numbers of a canonical column can have a unit: money, people or percent."""
    if not unit:
        return True
    read = None if unit == UNKNOWN_UNIT else read_unit(unit.casefold().replace(" ", ""))
    if column.kind == "amount":
        return read is None or (bool(read.times) and not read.percent)
    if column.kind == "share":
        return bool(read and read.percent)
    counted = column.kind in UNITS and bool(read) and not (read and (read.currency or read.percent))
    return counted and "元" not in unit


@cache
def _by_words() -> dict[str, Column]:
    return {
        normal_header(words): one
        for one in CANONICAL
        for words in (one.name, one.label.zh, one.label.en)
    }


def checked(mapping: Mapping[str, str]) -> dict[str, str]:
    """Return a mapping in canonical words; raises `ListError` for what is no meaning."""
    meanings = {key: meaning_of(said) for key, said in mapping.items()}
    wrong = [_bad(key, mapping[key]) for key, meaning in meanings.items() if meaning is None]
    if wrong:
        raise ListError(WORDS["mapping.bad_mapping"], wrong)
    return {key: meaning.written for key, meaning in meanings.items() if meaning}


def _bad(key: str, said: str) -> Detail:
    parts = _MEANING.fullmatch(unicodedata.normalize("NFKC", said).strip())
    column = _by_words().get(normal_header(parts["column"])) if parts else None
    if parts and parts["unit"] and (column or not parts["column"]):
        return Detail(shown(key), shown(said), _wanted_unit(column))
    return Detail(shown(key), shown(said), WORDS["mapping.a_column"])


def _wanted_unit(column: Column | None) -> Text:
    kind = column.kind if column else "amount"
    if column and kind not in UNITS:
        return WORDS["mapping.no_unit"].format(column=column.label)
    proposed = UNITS[kind]
    return WORDS["mapping.a_unit"].format(zh="、".join(proposed), en=", ".join(proposed))


@dataclass(frozen=True, eq=False)
class MappedList:
    """A list as it stands, and with the headers that count.

    ``meant`` are the tables of ``raw`` with other headers where their owner named the column, empty
    where a column is not to be read; messages name those of the source all the same.
    """

    raw: RawList
    meant: RawList


def read_mapped(
    listed: Path | pd.DataFrame, mapping: Mapping[str, str] = NO_MAPPING,
    place: HeaderPlace | None = None, limits: Limits = OWN_FILE,
) -> MappedList:  # fmt: skip
    """Read a list with what its owner said of its columns.

    If places are named, no other sheet is read; ``place`` is where the header stands if none says
    so. Raises `ListError` as `read_list` does, or if the mapping can't be read or names a header
    or a place that the list has not.
    """
    meanings = {key: meaning_of(said) or Meaning() for key, said in checked(mapping).items()}
    if isinstance(listed, pd.DataFrame):
        return _frame(listed, meanings)
    names = {key: _name(meaning) for key, meaning in meanings.items()}
    place = header_place(names) or place
    try:
        raw = read_list(listed, place, limits)
    except NoHeaderError as error:
        place = None if place else _named_place(error.heads, names)
        if place is None:
            raise
        raw = read_list(listed, place, limits)
    return _with_meanings(raw, meanings) if meanings else MappedList(raw, raw)


def _name(meaning: Meaning) -> str:
    return meaning.column.name if meaning.column and meaning.read else UNREAD


def _named_place(heads: Iterable[SheetHead], names: Mapping[str, str]) -> HeaderPlace | None:
    # Of a list no header of which is known, the row in which the named ones stand.
    wanted = {fold(key): name for key, name in names.items() if name}
    if not wanted:
        return None
    for head in heads:
        for number, row in enumerate(head.rows, start=1):
            folded = [fold((cell or "").strip()) for cell in row]
            if set(wanted) <= set(folded):
                at = {folded.index(key): name for key, name in wanted.items()}
                return HeaderPlace(head.sheet or "", number, at)
    return None


def _frame(frame: pd.DataFrame, meanings: Mapping[str, Meaning]) -> MappedList:
    # A frame must name its firms before it is one, so that its columns are renamed first.
    if not meanings:
        raw = from_frame(frame)
        return MappedList(raw, raw)
    labels = [_label(label) for label in frame.columns.tolist()]
    _check_there(meanings, {}, labels, 0)
    renamed = _renamed(labels, meanings, {})
    meant = from_frame(frame.set_axis(renamed, axis=1))
    was = dict(zip(renamed, labels, strict=True))
    tables = tuple(
        replace(
            table, written=tuple(labels),
            problems=tuple(replace(one, column=was.get(one.column or "", one.column))
                           for one in table.problems),
        )
        for table in meant.tables
    )  # fmt: skip
    stood = tuple(replace(table, headers=table.written, written=()) for table in tables)
    return MappedList(replace(meant, tables=stood), replace(meant, tables=tables))


def _label(label: object) -> str:
    return "/".join(map(str, filter(None, label))) if isinstance(label, tuple) else str(label)


def _with_meanings(raw: RawList, meanings: Mapping[str, Meaning]) -> MappedList:
    cells = {key: cell[2] for key in meanings if (cell := split_address(key)) is not None}
    there = [header for table in raw.tables for header in table.headers]
    _check_there(meanings, cells, there, max(len(table.headers) for table in raw.tables))
    by_place = {at: meanings[key] for key, at in cells.items()}
    tables = tuple(
        replace(
            table, headers=tuple(_renamed(table.headers, meanings, by_place)),
            written=table.headers,
        )
        for table in raw.tables
    )  # fmt: skip
    return MappedList(raw, replace(raw, tables=tables))


def _check_there(
    meanings: Mapping[str, Meaning], cells: Mapping[str, int], there: Sequence[str], width: int
) -> None:
    absent = [
        key for key in meanings if (cells[key] >= width if key in cells else key not in there)
    ]
    if absent:
        named = [shown(header, 20) for header in dict.fromkeys(there) if header.strip()]
        more = ["…"] if len(named) > 30 else []
        headers = Text(zh="、".join(named[:30] + more), en=", ".join(named[:30] + more))
        wanted = WORDS["mapping.a_header"].format(headers=headers)
        details = [Detail("mapping", shown(key), wanted) for key in absent]
        raise ListError(WORDS["mapping.bad_mapping"], details)


def _renamed(
    headers: Sequence[str], meanings: Mapping[str, Meaning], by_place: Mapping[int, Meaning]
) -> list[str]:
    said = (by_place.get(at, meanings.get(header)) for at, header in enumerate(headers))
    return [
        header if meaning is None else _header(header, meaning)
        for header, meaning in zip(headers, said, strict=True)
    ]


def _header(header: str, meaning: Meaning) -> str:
    # As reading wants it: the label, with the year that the header names, and the unit that was
    # said, or else that of the header.
    if not meaning.read:
        return UNREAD
    heading = read_heading(header)
    column = meaning.column or (heading.column if heading else None)
    if column is None or column.name not in _BY_NAME or not fits(column, meaning.unit):
        known = column if column and column.name in _BY_NAME else None
        wanted = _wanted_unit(known) if known else WORDS["mapping.of_nothing"]
        detail = Detail(shown(header), meaning.written, wanted)
        raise ListError(WORDS["mapping.bad_mapping"], [detail])
    if heading and heading.canonical and not meaning.unit and heading.column is column:
        return header
    unit, year = heading_parts(header)
    if meaning.unit:
        unit = NO_UNIT
    words = "" if meaning.unit == UNKNOWN_UNIT else meaning.unit or unit_words(unit, column)
    label = f"{year}年{column.label.zh}" if year else column.label.zh
    for candidate in (f"{label}（{words}）" if words else label, label):
        again = read_heading(candidate)
        if again and again.column is column and not again.canonical:
            return candidate
    return column.label.zh


def heading_parts(header: str) -> tuple[Unit, int | None]:
    """Return unit and year that a header names, whatever else it says."""
    best = max(readings(header), key=lambda one: (one.unit != NO_UNIT) + (one.year is not None))
    return best.unit, best.year


def unit_words(unit: Unit, column: Column) -> str:
    """Return a unit as Chinese writes it behind a header, "" for none.

    >>> from leadscore.lists.columns import column
    >>> revenue = column("revenue_cny")
    >>> unit_words(Unit(1e4), revenue), unit_words(Unit(1.0, "USD"), revenue)
    ('万元', '美元')
    """
    if unit.percent:
        return "%"
    if unit == NO_UNIT:
        return ""
    foreign = unit.currency not in {None, "CNY"}
    currency = next((word for word, code in CURRENCIES.items() if code == unit.currency), "")
    counter = currency if foreign else _COUNTERS.get(column.kind, "")
    return _TIMES.get(unit.times or 1.0, "") + counter
