"""Firms are read from a table row by row: each cell by the one reader of its kind, none lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.lists.columns import BY_HAND, CANONICAL, column, read_heading
from leadscore.lists.problems import (
    Layout,
    Problem,
    ProblemLog,
    Rank,
    Source,
    dropped,
    lay_out,
    listed,
    moved,
    of_header,
    taken_out,
)
from leadscore.lists.reading import MISSING_CODES, WANTED_OF_VALUES, text_of
from leadscore.lists.reading.table import BATCH_ROWS, RawList
from leadscore.lists.values.amounts import shipped_rates
from leadscore.lists.values.cells import (
    MARKS,
    WANTED,
    Cell,
    CellReader,
    Value,
    differ,
    held_title,
    listing_of,
    names_people,
    plain_shares_are_percent,
)
from leadscore.lists.values.codes import is_valid_code, old_number
from leadscore.lists.values.names import (
    LONGEST_NAME,
    WANTED_OF_NAMES,
    former_names,
    joined_names,
    read_name,
)
from leadscore.lists.values.places import is_division, settle
from leadscore.lists.values.plausible import look_at, turned_bands
from leadscore.lists.values.stages import names_stages, stage_of
from leadscore.lists.values.words import joined_text, says_nothing, unguarded
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

Firm = dict[str, Value]
"""One firm: values by the name of a canonical column; what is missing has no key."""

NAME_COLUMNS = ("matched_name", "name", "imported_name")
"""Columns that may name the firm, first choice first."""

_CAPITAL = "registered_capital_cny"
_CURRENCY = "registered_currency"
_READ_APART = frozenset({*NAME_COLUMNS, "former_names", "title_flag", "listing_flag"})
_CODES = tuple(WANTED)
_ARROW_TYPES = {
    "str": pa.large_string(), "float64": pa.float64(), "datetime64[us]": pa.timestamp("us")
}  # fmt: skip
_DTYPES = {one.name: one.dtype for one in CANONICAL} | {"as_of": "datetime64[us]"}
_DTYPES |= dict.fromkeys(BY_HAND, "str")


@dataclass(frozen=True, eq=False)
class CleanList:
    """A list of firms whose values can be trusted; problems are in the order of the source."""

    records: Sequence[Firm]
    rows: Sequence[int]  # where each firm stands in the source
    sheets: Sequence[str | None]
    problems: tuple[Problem, ...]
    rows_in: int  # data rows that were read: firms, and rows that are set aside in problems
    notices: tuple[Text, ...]  # what the owner should know about the list as a whole
    table: InitVar[pd.DataFrame | None] = None
    continued: Mapping[tuple[str | None, int], int] = field(default_factory=dict)
    """As `TextTable.continued`, by sheet and row."""

    def __post_init__(self, table: pd.DataFrame | None) -> None:
        """Keep a table that was made already."""
        if table is not None:
            self.__dict__["firms"] = table

    @cached_property
    def firms(self) -> pd.DataFrame:
        """The firms as a table, index ``0..n-1``: all canonical columns, ``row`` and ``sheet``."""
        return firms_table(self.records, self.rows, self.sheets)


def firms_table(
    records: Sequence[Firm], rows: Sequence[int], sheets: Sequence[str | None]
) -> pd.DataFrame:
    """Return firms as a table of all canonical columns, missing where a firm lacks them.

    Those of `BY_HAND` follow, as far as any firm has them.
    """
    filled = set().union(*records)
    empty = {dtype: pa.nulls(len(records), arrow) for dtype, arrow in _ARROW_TYPES.items()}
    table = {
        one.name: _column_array([firm.get(one.name) for firm in records], one.dtype)
        if one.name in filled
        else empty[one.dtype]
        for one in CANONICAL
    }
    for name in BY_HAND:
        if name in filled:
            table[name] = _column_array([firm.get(name) for firm in records], "str")
    table["row"] = pa.array(rows, pa.int64())
    table["sheet"] = _column_array(sheets, "str")
    firms: pd.DataFrame = pa.table(table).to_pandas()
    return firms


def _column_array(values: Sequence[Value | None], dtype: str) -> pa.ChunkedArray:
    arrow = _ARROW_TYPES[dtype]
    if dtype != "str":
        # Arrow takes days as moments only by way of days.
        days = pa.date32() if dtype.startswith("datetime") else arrow
        return pa.chunked_array([pa.array(values, days)]).cast(arrow)
    # From strings Arrow would let each of them keep its UTF-8 for good, twice the memory.
    pieces = [
        pa.array(
            [text if text is None else str(text).encode() for text in piece], pa.large_binary()
        )
        for piece in (values[at : at + BATCH_ROWS] for at in range(0, len(values), BATCH_ROWS))
    ]
    return pa.chunked_array(pieces, pa.large_binary()).cast(arrow)


def records_of(firms: pd.DataFrame) -> list[Firm]:
    """Return the rows of a table as firms, each with what is known only.

    Read are the canonical columns, ``as_of`` and those of `BY_HAND`; others are passed over.

    >>> records_of(firms_table([{"name": "甲公司", "founded_on": date(2016, 1, 1)}], [2], [None]))
    [{'name': '甲公司', 'founded_on': datetime.date(2016, 1, 1)}]
    """
    records: list[Firm] = [{} for _ in range(len(firms))]
    for name, dtype in _DTYPES.items():
        if name in firms.columns:
            for record, value in zip(records, _column_values(firms[name], dtype), strict=True):
                if value is not None:
                    record[name] = value
    return records


def _column_values(column: pd.Series, dtype: str) -> list[Any]:
    present = column.notna().to_numpy(dtype=bool)
    if not present.any():
        return [None] * len(column)
    typed = column.astype(dtype)  # type: ignore[call-overload]
    values = typed.to_numpy(dtype="datetime64[D]").astype(object) if "date" in dtype else typed
    plain = np.full(len(column), None, dtype=object)
    plain[present] = np.asarray(values, dtype=object)[present]
    return list(plain)


def clean(raw: RawList, *, today: date) -> CleanList:
    """Read every cell of a list.

    Personal data is dropped here. A row without a name is set aside; a cell that can't be read is
    missing and told in a problem. The same firm twice stays twice: see `dedupe.settle_repeats`.
    Days after ``today`` are not believed.

    >>> from leadscore.lists.reading import from_records
    >>> raw = from_records([{"企业": "甲公司", "注册资本": "500万元", "成立日期": "某日"}])
    >>> firms = clean(raw, today=date(2026, 1, 1))
    >>> firms.records, [problem.code for problem in firms.problems]
    ([{'name': '甲公司', 'registered_capital_cny': 5000000.0}], ['bad_date'])
    """
    records: list[Firm] = []
    rows: list[int] = []
    sheets: list[str | None] = []
    problems: list[Problem] = []
    notices = list(raw.notices)
    continued: dict[tuple[str | None, int], int] = {}
    for table in raw.tables:
        layout = lay_out(table.headers, table.unit, table.written)
        read = {source.position for sources in layout.sources.values() for source in sources}
        texts = {position: table.column(position) for position in read}
        cleaner = _TableCleaner(layout, texts, table.rows.tolist(), today, table.sheet)
        firms = cleaner.clean()
        records += firms
        rows += cleaner.rows_of_firms
        sheets += [table.sheet] * len(firms)
        problems += cleaner.log.in_order_of_rows(table.problems)
        notices += cleaner.notices()
        continued |= {(table.sheet, row): first for row, first in table.continued.items()}
    rows_in = len(records) + sum(problem.set_aside for problem in problems)
    told = tuple(dict.fromkeys(notices))
    return CleanList(records, rows, sheets, tuple(problems), rows_in, told, continued=continued)


@dataclass(slots=True)
class CleanRecord:
    """One firm of a request, by its place from 1; empty if it has no name and is set aside."""

    row: int
    firm: Firm = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def clean_records(records: Sequence[Mapping[str, object]], *, today: date) -> list[CleanRecord]:
    """Read firms that are given by canonical columns, such as the JSON objects of a request.

    No value may be longer than a cell; days after ``today`` are not believed. Raises `KeyError` for
    a key that is no canonical column.
    """
    answers = [CleanRecord(row) for row in range(1, len(records) + 1)]
    headers = list(dict.fromkeys(key for record in records for key in record)) or ["name"]
    layout = _canonical_layout(tuple(headers))
    texts: dict[int, list[str | None]] = {at: [] for at in range(len(headers))}
    for record, answer in zip(records, answers, strict=True):
        for header, values in zip(headers, texts.values(), strict=True):
            value = record.get(header)
            text, code = (None, None) if value is None else text_of(value)
            if code:
                wanted = WANTED_OF_VALUES[code]
                answer.problems.append(Problem(answer.row, header, shown(text), wanted, code))
                text = None if code in MISSING_CODES else text
            values.append(unguarded(text) or None if text else None)
    cleaner = _TableCleaner(layout, texts, range(1, len(records) + 1), today)
    for firm, row in zip(cleaner.clean(), cleaner.rows_of_firms, strict=True):
        answers[row - 1].firm = firm
    for problem in cleaner.log.problems:
        answers[(problem.row or 0) - 1].problems.append(problem)
    return answers


@lru_cache(maxsize=256)  # the programs that ask send the same columns each time
def _canonical_layout(headers: tuple[str, ...]) -> Layout:
    sources: dict[str, tuple[Source, ...]] = {}
    for position, header in enumerate(headers):
        heading = read_heading(header)
        if heading is None or not heading.canonical or not heading.column.kept:
            raise KeyError(header)
        sources[header] = (Source(position, header, heading),)
    return Layout(sources)


class _Column(CellReader):
    """One column of a table, which reads its cells; its place is that among the columns read."""

    __slots__ = ("place", "source", "texts")

    source: Source
    texts: Sequence[str | None]
    place: int


_Group = tuple[str, list[_Column]]
"""A canonical column with the columns that feed it, first choice first."""


class _TableCleaner:
    """One table on its way from text to firms; its columns are by position, rows as numbered."""

    def __init__(
        self,
        layout: Layout,
        texts: Mapping[int, Sequence[str | None]],
        rows: Sequence[int],
        today: date,
        sheet: str | None = None,
    ) -> None:
        self.layout, self.texts, self.rows, self.today = layout, texts, rows, today
        self.log = ProblemLog(sheet)
        self.rows_of_firms: list[int] = []
        self._places: list[int] = []
        self._columns: list[_Column] = []
        self._readers: dict[tuple[int, str], CellReader] = {}
        self._marks: Counter[tuple[str, int]] = Counter()
        self._notices: list[Text] = []

    def clean(self) -> list[Firm]:
        """Return the firms of the table; their rows, problems and notices are kept here."""
        firms = self._named_firms()
        self.rows_of_firms = [self.rows[at] for at in self._places]
        self._move_stages()
        groups = self._groups()
        codes, titles, listings, stages = (
            [(source.header, self.texts[source.position]) for source in self._sources(name)]
            for name in ("credit_code", "title_flag", "listing_flag", "stage")
        )
        without_capital = 0
        for at, firm in zip(self._places, firms, strict=True):
            self._read_cells(at, firm, groups)
            if firm.get(_CAPITAL) == 0:
                # A company can't be registered with nothing; a branch has no capital of its own.
                del firm[_CAPITAL]
                without_capital += 1
            if len(codes) > 1 or "credit_code" not in firm:
                _settle_codes(firm, [texts[at] for _, texts in codes])
            for header, texts in titles:
                title = header.strip().removeprefix("是否").removeprefix("为")
                _join(firm, "titles", held_title(title, texts[at] or ""))
            for _, texts in listings:
                # That a firm is not listed adds nothing to a round.
                listing, no = listing_of(texts[at] or "")
                if not (no and "funding" in firm):
                    _join(firm, "funding", listing)
            for _, texts in stages:
                # The note keeps why a pursuit was lost or paused.
                _join(firm, "note", stage_of(texts[at] or "")[1])
            self._settle_place(at, firm)
        if without_capital:
            header = self._sources(_CAPITAL)[0].header
            notice = of_header(WORDS["problems.no_capital"], header, count=without_capital)
            self._notices.append(notice)
        return firms

    def notices(self) -> Iterator[Text]:
        """Yield what the owner should know of the table as a whole, after `clean`."""
        yield from dropped(self.layout)
        if self.layout.vendor_units:
            headers = listed(self.layout.vendor_units)
            yield WORDS["problems.tushare_notice"].format(headers=headers)
        yield from self._notices
        hidden, starred, foreign = (
            [
                (column.source.header, count)
                for column in self._columns
                if (count := self._marks[mark, column.place])
            ]
            for mark in MARKS
        )
        if foreign:
            rates, headers = shipped_rates(), listed([header for header, _ in foreign])
            day = rates.as_of.isoformat()
            yield WORDS["problems.rates"].format(day=day, headers=headers, source=rates.source)
        yield from taken_out(starred, hidden)
        yield from self.log.notices()

    def _sources(self, name: str) -> tuple[Source, ...]:
        return self.layout.sources.get(name, ())

    def _header(self, name: str) -> str | None:
        return next((source.header for source in self._sources(name)), None)

    def _conflict(self, row: int, source: Source, text: str | None, rank: Rank) -> None:
        wanted = WORDS["cleaning.conflict"].format(header=self._header(source.heading.column.name))
        self.log.add(row, "conflict", wanted, source.header, text, rank)

    def _named_firms(self) -> list[Firm]:
        """Return firms of which only the names are known yet, and keep where their rows are."""
        firms: list[Firm] = []
        sources = [source for name in NAME_COLUMNS for source in self._sources(name)]
        columns = [(source, self.texts[source.position]) for source in sources]
        further = [self.texts[source.position] for source in self._sources("former_names")]
        for at, row in enumerate(self.rows):
            name, former = self._read_name(at, row, columns)
            if name is None:
                continue
            firm: Firm = {"name": name}
            for texts in further:
                text = texts[at]
                former = joined_names(former, former_names(text) if text else None)
            if former:
                firm["former_names"] = former
            firms.append(firm)
            self._places.append(at)
        return firms

    def _read_name(
        self, at: int, row: int, columns: Sequence[tuple[Source, Sequence[str | None]]]
    ) -> tuple[str | None, str | None]:
        """Return the name of a row and what stands with it as a former one; tell what is odd."""

        def tell(code: str, header: str | None, text: str, rank: Rank) -> None:
            self.log.add(row, code, WANTED_OF_NAMES[code], header, text, rank)

        name = former = None
        unmatched = False
        for choice, (source, texts) in enumerate(columns):
            text = texts[at]
            if text is None:
                continue
            read = read_name(text)
            if read.hidden:
                tell("invisible_characters", source.header, text, (0, choice, 0))
            # What was matched may have another name.
            plain = source.heading.column.kind == "name" and not self._sources("matched_name")
            if plain and name and read.value and differ(name, read.value):
                self._conflict(row, source, text, (0, choice, 1))
            unmatched |= read.unmatched
            name, former = name or read.value, former or read.former
        header = columns[0][0].header if columns else None
        if name is None:
            text = columns[0][1][at] if columns else None
            self.log.set_aside(row, "no_name", WANTED_OF_NAMES["no_name"], header, text)
            return None, None
        if unmatched and self._sources("matched_name"):
            tell("unmatched_name", self._header("matched_name"), name, (1,))
        if len(name) > LONGEST_NAME:
            tell("long_name", header, name, (2,))
        elif is_division(name):
            tell("name_is_a_place", header, name, (3,))
        return name, former

    def _move_stages(self) -> None:
        """Let the values decide what a column headed 状态 or 企业规模 holds."""
        for source in self._sources("size_band"):
            if names_people(self._known(source)):
                self.layout = moved(self.layout, source, column("staff"))
                self._notices.append(of_header(WORDS["problems.staff_bands"], source.header))
        for source in self._sources("status"):
            if names_stages(text for text in self._known(source) if not says_nothing(text)):
                self.layout = moved(self.layout, source, column("stage"))
                self._notices.append(of_header(WORDS["problems.stages"], source.header))

    def _known(self, source: Source) -> Iterator[str]:
        texts = self.texts[source.position]
        return (text for at in self._places if (text := texts[at]) is not None)

    def _groups(self) -> list[_Group]:
        """Return which columns feed each canonical one; facts about whole columns are settled."""
        groups: list[_Group] = []
        # The currency leads, as amounts are read by it.
        for name in sorted(self.layout.sources, key=lambda name: name != _CURRENCY):
            if name in _READ_APART:
                continue
            sources = self.layout.sources[name]
            if len(sources) == 1:
                if any(self.texts[sources[0].position]):
                    groups.append((name, [self._column(sources[0])]))
                continue
            groups.append((name, [self._column(source) for source in sources]))
            if len({source.heading.year for source in sources}) > 1:
                headers = listed([source.header for source in sources])
                self._notices.append(WORDS["problems.newest"].format(headers=headers))
        return groups

    def _column(self, source: Source) -> _Column:
        heading, percent = source.heading, None
        if not heading.canonical:
            percent = plain_shares_are_percent(heading, self._known(source))
            if percent is not None:
                notice = WORDS["problems.percent"] if percent else WORDS["problems.fraction"]
                self._notices.append(of_header(notice, source.header))
        read = _Column(heading, self.today, bool(percent))
        place = len(self._columns)
        if finding := look_at(read, self._known(source)):
            notice = WORDS[f"columns.{finding.doubt}"]
            middle = f"{finding.middle:,.6g}"
            self._notices.append(of_header(notice, source.header, median=middle))
            wanted = of_header(WORDS[f"columns.wanted.{finding.doubt}"], source.header)
            rank = (4, place, 2)
            self.log.add(None, finding.doubt, wanted, source.header, middle, rank)
            if finding.doubted:
                read = _Column(heading, self.today, bool(percent), doubted=finding.doubted)
        for text in turned_bands(read, self._known(source)):
            read[text] = Cell(code="perhaps_a_band")
        read.source, read.texts = source, self.texts[source.position]
        read.place = place
        self._columns.append(read)
        return read

    def _read_cells(self, at: int, firm: Firm, groups: list[_Group]) -> None:
        currency = None
        for name, columns in groups:
            value = None
            if len(columns) > 1:
                value = self._merged(at, columns, currency if name == _CAPITAL else None)
            elif columns[0].texts[at] is not None:
                value = self._read(at, columns[0], currency if name == _CAPITAL else None)
            if name == _CURRENCY:
                currency = value if isinstance(value, str) else None
            elif value is not None:
                firm[name] = value

    def _read(self, at: int, column: _Column, currency: str | None) -> Value | None:
        text = column.texts[at]
        if text is None:
            return None
        reader: CellReader = column
        if currency is not None:
            key = column.place, currency
            if key not in self._readers:
                self._readers[key] = CellReader(
                    column.heading, self.today, currency=currency, doubted=column.doubted
                )
            reader = self._readers[key]
        value, code, marks = reader[text]
        if code:
            rank = (4, column.place, 0, _CODES.index(code))
            wanted = column.wanted(code, text)
            self.log.add(self.rows[at], code, wanted, column.source.header, text, rank)
        for mark in marks:
            self._marks[mark, column.place] += 1
        return value

    def _merged(self, at: int, columns: list[_Column], currency: str | None) -> Value | None:
        """Let further columns fill the first, or add to it, and tell where they disagree."""
        first = columns[0]
        value, *values = [self._read(at, column, currency) for column in columns]
        for other, more in zip(columns[1:], values, strict=True):
            if more is None:
                continue
            if first.heading.column.kind in {"list", "remark"}:
                value = joined_text(str(value) if value else None, str(more))
            elif value is None:
                value = more
            elif other.heading.year == first.heading.year and differ(value, more):
                rank = (4, columns[-1].place, 1, other.place)
                self._conflict(self.rows[at], other.source, other.texts[at], rank)
        return value

    def _settle_place(self, at: int, firm: Firm) -> None:
        place, odd_city, odd_address, unplaced, several = settle(firm)
        for name, code in zip(("province_code", "city_code"), place, strict=True):
            if code is None:
                firm.pop(name, None)
            else:
                firm[name] = code
        if not (odd_city or odd_address or unplaced or several):
            return
        for is_odd, name, code, wanted, rank in (
            (odd_city, "city", "place_conflict", WORDS["places.odd_city"], 0),
            (odd_address, "registered_address", "place_conflict", WORDS["places.odd_address"], 1),
            ("province" in unplaced, "province", "bad_place", WORDS["places.bad_place"], 2),
            ("city" in unplaced, "city", "bad_place", WORDS["places.bad_place"], 3),
            *(
                (True, name, "ambiguous_place", WORDS["places.ambiguous_place"], 4 + at)
                for at, name in enumerate(("city", "district", "registered_address"))
                if name in several
            ),
        ):
            if is_odd:
                header, text = self._header(name), str(firm.get(name, ""))
                self.log.add(self.rows[at], code, wanted, header, text, (5, rank))


def _settle_codes(firm: Firm, texts: Iterable[str | None]) -> None:
    """Fill a missing credit code from the taxpayer number, and save old register numbers."""
    taxpayer = firm.get("taxpayer_id")
    if "credit_code" not in firm and isinstance(taxpayer, str) and is_valid_code(taxpayer):
        firm["credit_code"] = taxpayer
    for text in texts:
        if text and text != firm.get("credit_code") and (number := old_number(text)):
            firm.setdefault("registration_number", number)


def _join(firm: Firm, name: str, text: str | None) -> None:
    stands = firm.get(name)
    joined = joined_text(stands if isinstance(stands, str) else None, text)
    if joined is not None:
        firm[name] = joined
