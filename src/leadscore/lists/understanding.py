"""How each column of a list was understood: what `leadscore read` and the preview of a file show.

`cleaning` reads cells and tells what is wrong with them; this counts afterwards, by column of the
source, what came of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from leadscore import numbers
from leadscore.lists.cleaning import CleanList, Firm, clean
from leadscore.lists.columns import Column, column, recognise
from leadscore.lists.dedupe import settle_repeats
from leadscore.lists.mapping import NO_MAPPING, MappedList, read_mapped, unit_words
from leadscore.lists.problems import Problem, Source, dropped, lay_out
from leadscore.lists.reading.header import HeaderPlace
from leadscore.lists.reading.table import OWN_FILE, Limits, TextTable, release_memory
from leadscore.lists.values.amounts import NO_UNIT, Unit
from leadscore.lists.values.cells import Value
from leadscore.lists.values.numbers import plain_number
from leadscore.lists.values.plausible import UNIT_TO_BE_TOLD
from leadscore.lists.values.stages import names_stages
from leadscore.lists.values.words import (
    STAGES,
    STATUSES,
    says_nothing,
    without_personal,
)
from leadscore.text import Lang, Text, shown

_MOST_EXAMPLES = 3
_LONGEST_EXAMPLE = 40


@dataclass(frozen=True, eq=False)
class ReadList:
    """A list as it stands, as it was meant, and its firms, each once."""

    mapped: MappedList
    clean: CleanList


def read_firms(
    listed: Path | pd.DataFrame, mapping: Mapping[str, str] = NO_MAPPING, *, today: date,
    place: HeaderPlace | None = None, limits: Limits = OWN_FILE,
) -> ReadList:  # fmt: skip
    """Read the firms of a file or a frame, each once; see `leadscore.lists.mapping` for mappings.

    Problems name the headers of the source. Days after ``today`` are not believed. Raises
    `ListError` if the list can't be read, or the mapping names what isn't there.
    """
    mapped = read_mapped(listed, mapping, place, limits)
    return ReadList(mapped, firms_of(mapped, today=today))


def firms_of(mapped: MappedList, *, today: date) -> CleanList:
    """Return the firms of a list that was read already, each once; see `read_firms`."""
    firms = clean(mapped.meant, today=today)
    release_memory()
    return settle_repeats(firms)


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """One column of a list: what it was taken for, and what came of its cells.

    ``held`` are the cells of firms that hold something, ``read`` those of them of which a value
    was taken; examples are cells with their values, missing where none was taken. The cells of
    columns about people, or that mean nothing, are not looked at.
    """

    position: int
    header: str  # as written; "" if there is none
    column: Column | None = None
    unit: Unit = NO_UNIT  # of numbers that name none; yuan of money if it is none
    plain: bool = False  # whether there are such numbers
    doubtful: bool = False  # whether the unit must be told, since its numbers suggest another one
    held: int = 0
    read: int = 0
    problems: int = 0
    examples: tuple[tuple[str, Value | None], ...] = ()

    @property
    def personal(self) -> bool:
        """True if it is about people."""
        return self.column is not None and self.column.personal

    @property
    def used(self) -> bool:
        """True if its cells were read."""
        return self.column is not None and self.column.kind not in {"personal", "ignored"}

    @property
    def unit_words(self) -> str:
        """The unit of plain numbers as Chinese writes it, "" for none."""
        if self.column is None:
            return ""
        yuan = "元" if self.plain and self.column.kind == "amount" else ""
        return unit_words(self.unit, self.column) or yuan


@dataclass(frozen=True, slots=True)
class TableReading:
    """One sheet of a list, or the list itself, with all its columns as they stand."""

    sheet: str | None
    columns: tuple[ColumnReading, ...]
    dropped: tuple[Text, ...] = ()  # the notices that say which of them were not used


def readings_of(read: ReadList) -> list[TableReading]:
    """Return how each column of a list was understood, by its tables."""
    firms: dict[str | None, dict[int, Firm]] = {}
    clean = read.clean
    for firm, row, sheet in zip(clean.records, clean.rows, clean.sheets, strict=True):
        firms.setdefault(sheet, {})[row] = firm
    tables = zip(read.mapped.raw.tables, read.mapped.meant.tables, strict=True)
    return [_table(raw, meant, firms.get(raw.sheet, {}), clean.problems) for raw, meant in tables]


def _table(
    raw: TextTable, meant: TextTable, firms: Mapping[int, Firm], problems: Iterable[Problem]
) -> TableReading:
    layout = lay_out(meant.headers, meant.unit, meant.written)
    sources = {one.position: one for feeding in layout.sources.values() for one in feeding}
    faults: dict[str | None, Counter[int | None]] = {}
    doubted = set()
    for problem in problems:
        if problem.sheet == raw.sheet:
            faults.setdefault(problem.column, Counter())[problem.row] += 1
            if problem.code in UNIT_TO_BE_TOLD:
                doubted.add(problem.column)
    rows = meant.rows.tolist()
    columns = []
    for at, (header, new) in enumerate(zip(raw.headers, meant.headers, strict=True)):
        source = sources.get(at)
        if source is None:
            meaning = recognise(new) if new else None
            columns.append(ColumnReading(at, header, meaning))
        else:
            cells = dict(zip(rows, meant.column(at), strict=True))
            reading = _column(header, source, cells, firms, faults.get(header, Counter()))
            columns.append(replace(reading, doubtful=header in doubted))
    return TableReading(raw.sheet, tuple(columns), tuple(dropped(layout)))


def _column(
    header: str, source: Source, cells: Mapping[int, str | None], firms: Mapping[int, Firm],
    faults: Counter[int | None],
) -> ColumnReading:  # fmt: skip
    heading, nothing = source.heading, dict[str, bool]()
    texts: dict[int, str] = {}
    for row in firms:
        text = cells.get(row)
        if text is None:
            continue
        if text not in nothing:
            nothing[text] = says_nothing(text)
        if not nothing[text]:
            texts[row] = text
    meaning = heading.column
    if meaning.name == "status" and names_stages(texts.values()):
        meaning = column("stage")
    # What is kept of a firm under another name, or beside it, is read unless a problem tells.
    key = (
        meaning.name if meaning.kept else "name" if meaning.kind in {"matched", "imported"} else ""
    )
    lost = {row for row, text in texts.items() if (key not in firms[row] if key else row in faults)}
    return ColumnReading(
        source.position, header, meaning, heading.unit,
        plain=any(not math.isnan(plain_number(text)) for text in nothing),
        held=len(texts), read=len(texts) - len(lost), problems=faults.total(),
        examples=_examples(texts, lost, key, firms),
    )  # fmt: skip


def _examples(
    texts: Mapping[int, str], lost: set[int], key: str, firms: Mapping[int, Firm]
) -> tuple[tuple[str, Value | None], ...]:
    # The first that were read, and one that wasn't.
    examples: dict[str, Value | None] = {}
    unread = next((texts[row] for row in texts if row in lost), None)
    most = _MOST_EXAMPLES - (unread is not None)
    for row, text in texts.items():
        if len(examples) == most:
            break
        if row not in lost:
            before = _public(text)
            examples.setdefault(before, firms[row].get(key, before))
    if unread is not None:
        examples[_public(unread)] = None
    return tuple(examples.items())


def _public(text: str) -> str:
    return shown(without_personal(text[: 2 * _LONGEST_EXAMPLE]), _LONGEST_EXAMPLE)


def shown_value(of: Column, value: object, lang: Lang) -> str:
    """Return a value of a canonical column as a person reads it."""
    if isinstance(value, int | float):
        if of.unit == "CNY":
            return numbers.cny(value, lang)
        if of.unit == "fraction":
            return numbers.share(value)
        return f"{value:g}" if of.unit == "year" else numbers.count(value)
    text = str(value)
    if of.kind == "date":  # in a frame, the midnight with which a day begins
        return numbers.day(text[: len("2026-11-24")], lang)
    vocabulary = {"status": STATUSES, "stage": STAGES}.get(of.kind, {})
    return vocabulary[text].pick(lang) if text in vocabulary else text


class _Shared(list[dict[str, object]]):
    # A frame copies its ``attrs`` deeply whenever it is sliced.
    def __deepcopy__(self, memo: dict[int, object]) -> _Shared:
        return self


def plain_attributes(
    problems: Sequence[Problem], notices: Sequence[Text], lang: Lang
) -> dict[str, object]:
    """Return problems and notices as plain values for the ``attrs`` of a frame.

    A frame among them would break comparing, joining and Parquet, hence ``problems`` as a dict each
    (row, column, found, wanted, code, sheet, set_aside), and ``notices`` as sentences.
    """
    return {
        "notices": [notice.pick(lang) for notice in notices],
        "problems": _Shared(asdict(one) | {"wanted": one.wanted.pick(lang)} for one in problems),
    }
