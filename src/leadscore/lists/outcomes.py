"""Reads what became of firms, one row an outcome or one row a firm, as carefully as a list."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from leadscore.errors import Detail, ListError
from leadscore.lists.cleaning import NAME_COLUMNS
from leadscore.lists.columns import Heading, column, normal_header, read_heading, readings
from leadscore.lists.problems import Layout, Problem, ProblemLog, dropped, lay_out, taken_out
from leadscore.lists.reading import read_list
from leadscore.lists.reading.table import TextTable
from leadscore.lists.values.cells import WANTED as WANTED_OF_CELLS
from leadscore.lists.values.cells import Cell, CellReader, Value
from leadscore.lists.values.codes import valid_code
from leadscore.lists.values.dates import day_of
from leadscore.lists.values.names import WANTED_OF_NAMES, former_names, joined_names, read_name
from leadscore.lists.values.stages import names_stages, stage_of
from leadscore.lists.values.words import (
    STAGE_NAMES,
    VOCABULARY,
    joined_text,
    says_nothing,
    tidy_word,
    without_personal,
)
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

_YES, _NO = VOCABULARY["withdrawn"]["yes"], VOCABULARY["withdrawn"]["no"]
_ENDS = ("lost", "paused")
_CODES = tuple(WANTED_OF_CELLS)

_HEADERS: dict[str, list[str]] = VOCABULARY["outcomes"]
_BY_KEY = {normal_header(word): name for name, words in _HEADERS.items() for word in words}

_DAY_WORD = re.compile(
    r"(?P<stage>.+?)(?:的)?(?:日期|时间|时点|年月|日)|(?:dateof|dayof)(?P<of>.+)"
    r"|(?:date|day)(?P<first>.+)|(?P<english>.+?)(?:on|date|day|at)"
)
_NOT_THE_FIRST = re.compile(VOCABULARY["not_the_first"])
_Field = tuple[int, str]  # a column: its position and its header

WANTED = {
    code: WORDS[f"outcomes.wanted.{code}"].format(stages=STAGE_NAMES)
    for code in (
        "no_firm", "bad_stage", "no_day", "bad_date", "future_date", "bad_withdrawal", "no_stage"
    )
}  # fmt: skip
"""What is wanted of an entry, by the code of the problem."""


class StageDays(NamedTuple):
    """A column that holds the days on which firms reached one stage."""

    position: int
    header: str
    stage: str


class OutcomeLayout(NamedTuple):
    """Which columns say what: canonical ones, as in lists of candidates, and those of outcomes.

    ``fields`` are by canonical name, ``day``, ``reason`` and ``withdrawn``; ``stage`` are all that
    tell one. A sheet with one row a firm has days of stages.
    """

    canonical: Layout
    fields: defaultdict[str, list[_Field]]
    stage_days: list[StageDays]


def lay_out_outcomes(table: TextTable) -> OutcomeLayout:
    """Return what each column of a table of outcomes means."""
    canonical = lay_out(table.headers)
    fields: defaultdict[str, list[_Field]] = defaultdict(list)
    days = []
    for position, header in enumerate(table.headers):
        heading, texts = read_heading(header), table.column(position)
        if heading and not (heading.column.name in {"status", "stage"} and _mostly_days(texts)):
            continue
        if stage := _stage_of_days(header, texts):
            days.append(StageDays(position, header, stage))
        elif word := next(filter(None, (_BY_KEY.get(key.key) for key in readings(header))), None):
            fields[word].append((position, header))
    dated = {column.position for column in days}
    for name, sources in canonical.sources.items():
        if name != "stage":
            fields[name] = [(source.position, source.header) for source in sources]
    for name in ("status", "stage"):  # the better word last, which so comes first
        fields["stage"][:0] = [
            (source.position, source.header)
            for source in canonical.sources.get(name, ())
            if source.position not in dated
            and (name == "stage" or names_stages(_known(table.column(source.position))))
        ]
    used = {field[1] for name in _HEADERS for field in fields[name]} | {
        each.header for each in days
    }
    unused = tuple(header for header in canonical.unused if header not in used)
    return OutcomeLayout(replace(canonical, unused=unused), fields, days)


def _stage_of_days(header: str, texts: Sequence[str | None]) -> str | None:
    """Return the stage whose days stand in a column; missing if it holds something else."""
    for reading in readings(header):
        if _NOT_THE_FIRST.search(reading.key):
            return None
        # 签约 of 签约日期, contact of dateoffirstcontact
        if dated := _DAY_WORD.fullmatch(reading.key):
            word = next(filter(None, dated.groups()), "").strip("/")
            stage, _ = stage_of(word.removeprefix("first").removeprefix("首次"))
            if stage:
                return stage
    bare, _ = stage_of(normal_header(header).rpartition("/")[2])
    return bare if bare and _mostly_days(texts) else None


def _known(texts: Iterable[str | None]) -> list[str]:
    return [text for text in texts if text is not None and not says_nothing(text)]


def _mostly_days(texts: Iterable[str | None]) -> bool:
    counts = Counter(_known(texts))
    return 2 * sum(count for text, count in counts.items() if day_of(text)) > counts.total()


@dataclass(frozen=True, eq=False)
class OutcomeList:
    """Entries of a file that can be taken as they stand, one by one, in the order of the source.

    ``entries`` have the columns `ENTRY_COLUMNS` and the index ``0..n-1``; ``day`` is missing only
    where an entry is withdrawn. Each entry that is not taken is set aside in exactly one problem.
    """

    entries: pd.DataFrame
    problems: tuple[Problem, ...]
    read: int  # number of entries, those taken and those set aside
    notices: tuple[Text, ...]


def load_outcomes(path: Path, *, today: date) -> OutcomeList:
    """Read a file of outcomes, with one row an outcome or one row a firm.

    One row an outcome: columns of firm, stage and day, perhaps of reason and of whether it is
    withdrawn. One row a firm: a column of days for each stage; where there is a column of the
    present stage as well, it counts if the stage has no day of its own. Days after ``today`` are
    not believed. Raises `ListError` if the file can't be read, no column names firms, or none tells
    stages with their days.
    """
    raw = read_list(path)
    entries: list[_Entry] = []
    problems: list[Problem] = []
    notices, unused = list(raw.notices), []
    for table in raw.tables:
        layout = lay_out_outcomes(table)
        if not (layout.stage_days or (layout.fields["stage"] and layout.fields["day"])):
            unused.append(WORDS["outcomes.sheet_unused"].format(sheet=table.sheet))
            continue
        reader = _TableReader(table, layout, today)
        entries += reader.entries()
        problems += reader.log.in_order_of_rows(table.problems)
        notices += reader.notices()
    if len(unused) == len(raw.tables):
        details = [
            Detail(
                where=f"{raw.source}!{table.sheet}" if table.sheet else raw.source,
                got=shown("、".join(filter(None, table.headers))),
                wanted=WORDS["outcomes.a_stage_and_a_day"],
            )
            for table in raw.tables
        ]
        raise ListError(WORDS["outcomes.no_outcomes"].format(file=raw.source), details)
    read = len(entries) + sum(problem.set_aside for problem in problems)
    unique = tuple(dict.fromkeys([*notices, *unused]))
    return OutcomeList(_entries_table(entries), tuple(problems), read, unique)


_Firm = tuple[str | None, str | None, str | None]
"""By what the firm of a row is known: code, name and former names; one of the first will do."""


class _Entry(NamedTuple):
    """What one row says of one stage of one firm; the fields are `ENTRY_COLUMNS`."""

    credit_code: str | None
    name: str | None
    former_names: str | None
    stage: str
    day: date | None
    reason: str | None
    withdrawn: bool
    sheet: str | None
    row: int


ENTRY_COLUMNS = _Entry._fields
"""Columns of entries, typed as in `leadscore.learning.history.EVENTS`."""


def _entries_table(entries: Sequence[_Entry]) -> pd.DataFrame:
    types = {"day": pa.date32(), "withdrawn": pa.bool_(), "row": pa.int64()}
    columns = zip(*entries, strict=True) if entries else ((),) * len(ENTRY_COLUMNS)
    arrays = {
        name: pa.array(values, types.get(name, pa.large_string()))
        for name, values in zip(ENTRY_COLUMNS, columns, strict=True)
    }
    table: pd.DataFrame = pa.table(
        arrays | {"day": arrays["day"].cast(pa.timestamp("us"))}
    ).to_pandas()
    return table


class _TableReader:
    def __init__(self, table: TextTable, layout: OutcomeLayout, today: date) -> None:
        self.table = table
        self.layout, self.fields, self.stage_days = (
            layout.canonical,
            layout.fields,
            layout.stage_days,
        )
        self.log = ProblemLog(table.sheet)
        self._names = [field for name in NAME_COLUMNS for field in layout.fields[name]]
        self._texts = [table.column(position) for position in range(len(table.headers))]
        self._codes, self._stages, self._days, self._remarks = (
            CellReader(Heading(column(name)), today)
            for name in ("credit_code", "stage", "founded_on", "note")
        )
        self._starred: Counter[str] = Counter()

    def entries(self) -> list[_Entry]:
        """Return the entries that can be taken; problems are kept here."""
        rows = enumerate(self.table.rows.tolist())
        return [entry for at, row in rows for entry in self._row(at, row)]

    def notices(self) -> Iterator[Text]:
        """Yield what the owner should know of this table, after `entries`."""
        yield from dropped(self.layout)
        if self.stage_days:
            for _, header in self.fields["founded_on"]:
                yield WORDS["outcomes.not_a_stage"].format(header=shown(header))
        starred = [name for name in ("reason", "note") if self._starred[name]]
        yield from taken_out([(self.fields[it][0][1], self._starred[it]) for it in starred], ())
        yield from self.log.notices()

    def _row(self, at: int, row: int) -> Iterator[_Entry]:
        stages = self.fields["stage"]
        words = self._first_of(stages, at)
        stage = _text(self._stages[words].value) if words else None
        if not self.stage_days:
            self._tell_other_stages(at, row, stage)
        firm = self._firm(at, row)
        given, note = self._reasons(at)
        dated = set()
        for position, header, reached in self.stage_days:
            day = self._first_of([(position, header)], at)
            if day:
                dated.add(reached)
                reason = given or note if reached in _ENDS else None
                yield from self._entry(at, row, firm, reached, reason, header, day)
        if self.stage_days:
            self._tell_other_stages(at, row, stage)
        day = self._first_of(self.fields["day"], at)
        if stages and (words or (day and not dated)) and stage not in dated:
            header = stages[0][1]
            if stage is None and any(firm[:2]):
                self.log.set_aside(row, "bad_stage", WANTED["bad_stage"], header, words)
                return
            ended = stage_of(words)[1] if words else None
            reason = joined_text(given, ended and without_personal(ended)) or note
            undated = words
            if self.fields["day"]:
                header, undated = self.fields["day"][0][1], None
            yield from self._entry(at, row, firm, stage, reason, header, day, undated)
        elif not dated:
            self.log.set_aside(row, "no_stage", WANTED["no_stage"])

    def _entry(
        self, at: int, row: int, firm: _Firm, stage: str | None, reason: str | None, header: str,
        day: str | None, undated: str | None = None,
    ) -> Iterator[_Entry]:  # fmt: skip
        """Yield an entry if it can be taken; ``undated`` is shown where its day is missing."""
        if stage is None or not any(firm[:2]):
            position, name_header = self._names[0] if self._names else (0, None)
            text = self._texts[position][at] if self._names else None
            self.log.set_aside(row, "no_firm", WANTED["no_firm"], name_header, text)
            return
        answer = self._first_of(self.fields["withdrawn"], at)
        withdrawn = answer is not None and tidy_word(answer) in _YES
        cell = self._days[day] if day else Cell()
        if answer is not None and not withdrawn and tidy_word(answer) not in _NO:
            wanted, answered = WANTED["bad_withdrawal"], self.fields["withdrawn"][0][1]
            self.log.set_aside(row, "bad_withdrawal", wanted, answered)
        elif day is None and not withdrawn:
            self.log.set_aside(row, "no_day", WANTED["no_day"], header, undated)
        elif cell.code:
            code = "future_date" if cell.code == "future_date" else "bad_date"
            self.log.set_aside(row, code, WANTED[code], header, day)
        else:
            on = cell.value if isinstance(cell.value, date) else None
            yield _Entry(*firm, stage, on, reason, withdrawn, self.table.sheet, row)

    def _firm(self, at: int, row: int) -> _Firm:
        """Return by what the firm of a row is known, and tell what is odd about it."""
        name = former = code = None
        for choice, header, text in self._written(self._names, at):
            read = read_name(text)
            if read.hidden:
                wanted = WANTED_OF_NAMES["invisible_characters"]
                self.log.add(row, "invisible_characters", wanted, header, text, (0, choice))
            name, former = name or read.value, former or read.former
        for _, _, text in self._written(self.fields["former_names"], at):
            former = joined_names(former, former_names(text))
        for choice, header, text in self._written(self.fields["credit_code"], at):
            cell = self._codes[text]
            if cell.code:
                rank = (1, choice, _CODES.index(cell.code))
                self.log.add(row, cell.code, self._codes.wanted(cell.code), header, text, rank)
            code = code or _text(cell.value)
        for _, _, text in self._written(self.fields["taxpayer_id"], at):
            code = code or valid_code(text)
        return code, name, former

    def _written(self, fields: Iterable[_Field], at: int) -> Iterator[tuple[int, str, str]]:
        for choice, (position, header) in enumerate(fields):
            text = self._texts[position][at]
            if text is not None:
                yield choice, header, text

    def _first_of(self, fields: Sequence[_Field], at: int) -> str | None:
        texts = (text for _, _, text in self._written(fields, at))
        return next((text for text in texts if not says_nothing(text)), None)

    def _tell_other_stages(self, at: int, row: int, stage: str | None) -> None:
        for choice, field in enumerate(self.fields["stage"][1:]):
            text = self._first_of([field], at)
            other = self._stages[text].value if text else None
            if stage and other and other != stage:
                wanted = WORDS["outcomes.other_stage"].format(header=self.fields["stage"][0][1])
                rank = (2 if self.stage_days else -1, choice)
                self.log.add(row, "conflict", wanted, field[1], text, rank)

    def _reasons(self, at: int) -> Iterator[str | None]:
        """Yield the reason of a row and its note, where it may tell that a pursuit ended."""
        may_end = self.fields["stage"] or any(days.stage in _ENDS for days in self.stage_days)
        for name in ("reason", "note"):
            text = self._first_of(self.fields[name], at) if may_end else None
            cell = self._remarks[text] if text else Cell()
            self._starred[name] += "starred" in cell.marks
            yield _text(cell.value)


def _text(value: Value | None) -> str | None:
    return value if isinstance(value, str) else None
