"""Reads what became of firms, one row an outcome or one row a firm, as carefully as a list."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from leadscore.errors import Detail, ListError
from leadscore.lists.columns import Heading, column, normal_header
from leadscore.lists.outcome_columns import (
    ENDS,
    MAY_END,
    MILESTONES,
    Field,
    LedgerColumn,
    OutcomeLayout,
    ProgressReader,
    Said,
    StageDays,
    UnreadLedgerError,
    end_of,
    lay_out_outcomes,
    ledger_aliases,
    ledger_columns,
    read_mapping,
    stage_named,
)
from leadscore.lists.outcome_tables import made_plain
from leadscore.lists.problems import Problem, ProblemLog, dropped, listed, of_header, taken_out
from leadscore.lists.reading import read_list
from leadscore.lists.reading.header import ANYWHERE, NoHeaderError
from leadscore.lists.reading.table import RawList, TextTable
from leadscore.lists.values.cells import WANTED as WANTED_OF_CELLS
from leadscore.lists.values.cells import Cell, CellReader, Value
from leadscore.lists.values.codes import valid_code
from leadscore.lists.values.elsewhere import Here
from leadscore.lists.values.names import WANTED_OF_NAMES, former_names, joined_names, read_name
from leadscore.lists.values.stages import stage_of
from leadscore.lists.values.words import (
    STAGE_NAMES,
    STAGES,
    VOCABULARY,
    joined_text,
    says_nothing,
    tidy_word,
    without_personal,
)
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

_YES, _NO = VOCABULARY["withdrawn"]["yes"], VOCABULARY["withdrawn"]["no"]
_TICKED, _EMPTY = (frozenset(VOCABULARY["answers"][answer]) for answer in ("yes", "no"))
_CODES = tuple(WANTED_OF_CELLS)
_LEGAL_NAME = re.compile(VOCABULARY["outcomes"]["legal_name"], re.IGNORECASE)
_IN_BRACKETS = re.compile(r"[(（][^()（）]*[)）]")
_BETWEEN_FIRMS = re.compile(r"\s*[、;；/\r\n+＋]+\s*")
_A_FIRM = re.compile(r".*(?:公司|集团|厂|研究院|ltd\.?|inc\.?)", re.IGNORECASE)
_LONGEST_STAGE = 5
_GOES_ON = re.compile(VOCABULARY["outcomes"]["goes_on"])
_NOT_YET = re.compile("[尚暂还仍]?(?:未|没有?).{0,4}")
_CLOSED = re.compile("closed|actual|关闭|结案|实际")
_ORDER = {stage: at for at, stage in enumerate(STAGES)}
_WON = tuple(stage for stage in STAGES if _ORDER["signed"] <= _ORDER[stage] < _ORDER["paused"])

WANTED = {
    code: WORDS[f"outcomes.wanted.{code}"].format(stages=STAGE_NAMES)
    for code in (
        "no_firm", "several_firms", "bad_stage", "bad_steps", "skipped_stage", "no_day",
        "planned_day", "bad_date", "future_date", "bad_withdrawal", "no_stage", "mark_says_no",
        "perhaps_ended", "unread_step",
    )
}  # fmt: skip
"""What is wanted of an entry, by the code of the problem."""


class UnknownWord(NamedTuple):
    """A word under a header of stages that is not understood, and how many rows have it."""

    word: str
    header: str
    rows: int


@dataclass(frozen=True)
class Template:
    """How a file with the same headers was read: what its owner said of columns and stages.

    ``mapping`` has fields by headers and ``stages`` the ids of stages by words, "-" for what is not
    read. ``digest`` tells the headers.
    """

    digest: str
    mapping: Mapping[str, str]
    stages: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class OutcomeList:
    """Entries of a file that can be taken as they stand, one by one, in the order of the source.

    ``entries`` have the columns `ENTRY_COLUMNS` and the index ``0..n-1``; ``day`` is missing only
    where an entry is withdrawn. ``milestones`` are alike, with what stands beside the stages. Each
    entry that is not taken is set aside in exactly one problem.

    ``unknown`` are the words of stages that are not understood, ``unsure`` the headers of columns
    that may hold losses, ``endings`` the rows set aside that tell a loss, or may: as long as there
    are any, the losses of the file might fall out alone. ``meanings`` count what words of stages
    were taken for; ``template`` is what was said of the file, now or when the like was read.
    """

    entries: pd.DataFrame
    milestones: pd.DataFrame
    problems: tuple[Problem, ...]
    read: int  # number of entries, those taken and those set aside
    notices: tuple[Text, ...]
    unknown: tuple[UnknownWord, ...]
    unsure: tuple[str, ...]
    endings: tuple[Problem, ...]
    meanings: Mapping[tuple[str, str], int]
    template: Template
    as_last_time: bool = False
    columns: tuple[tuple[str | None, tuple[LedgerColumn, ...]], ...] = ()


@dataclass(frozen=True)
class Instructions:
    """What the owner of a file says of it, beside what its words say themselves.

    ``mapping`` has by header one of `outcome_columns.FIELDS`, ``day:`` with a stage, or "-" for a
    column that is not to be read; ``stages`` have by word a stage, or "-" for one that tells none;
    ``here`` are names of the office's own place, ``templates`` how files were read before.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    here: Here = frozenset()
    templates: Sequence[Template] = ()


def load_outcomes(path: Path, *, today: date, said: Instructions | None = None) -> OutcomeList:
    """Read a file of outcomes, with one row an outcome or one row a firm.

    One row an outcome: columns of firm, stage and day, perhaps of reason and of whether it is
    withdrawn; a cell of stages may tell several steps with their days. One row a firm: a column of
    days for each stage, or of marks and one of days; where there is a column of the present stage
    as well, it counts if the stage has no day of its own. Days after ``today`` are not believed.
    Raises `ListError` if the file can't be read, no column names firms, or none tells stages with
    their days, and for instructions that can't be followed.
    """
    said = said or Instructions()
    mapping, stages = read_mapping(said.mapping), read_stages(said.stages)
    raw, template = _read_ledger(path, mapping, said.templates)
    if template:
        mapping, stages = {**template.mapping, **mapping}, {**template.stages, **stages}
    headers = {normal_header(header) for table in raw.tables for header in table.headers}
    missing = [header for header in mapping if normal_header(header) not in headers]
    if absent := [Detail("--map", header, WORDS["mapping.a_header"]) for header in missing]:
        raise ListError(WORDS["mapping.bad_mapping"], absent)
    readers, notices, unused, columns = [], list(raw.notices), [], []
    progress = ProgressReader(stages, said.here)
    for written in raw.tables:
        table, made = made_plain(written, mapping)
        layout = lay_out_outcomes(table, mapping)
        columns.append((table.sheet, ledger_columns(table, layout, written.headers)))
        reader = _TableReader(table, layout, today, progress)
        if not layout.tells(reader.texts):
            unused.append(WORDS["outcomes.sheet_unused"].format(sheet=table.sheet))
            continue
        readers.append(reader)
        notices += made
    if not readers:
        details = [
            Detail(
                f"{raw.source}!{table.sheet}" if table.sheet else raw.source,
                shown("、".join(filter(None, table.headers))), WORDS["outcomes.a_stage_and_a_day"],
            )
            for table in raw.tables
        ]  # fmt: skip
        message = WORDS["outcomes.no_outcomes"].format(file=raw.source)
        raise UnreadLedgerError(message, details).with_columns(columns)
    entries, problems, endings = list[_Entry](), list[Problem](), list[Problem]()
    unknown, meanings = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for reader in readers:
        entries += reader.entries()
        problems += reader.log.in_order_of_rows(reader.table.problems)
        endings += reader.endings
        notices += reader.notices()
        unknown += reader.unknown
        meanings += reader.meanings
    read = len(entries) + sum(problem.set_aside for problem in problems)
    return OutcomeList(
        _entries_table([entry for entry in entries if entry.stage in STAGES]),
        _entries_table([entry for entry in entries if entry.stage in MILESTONES]),
        tuple(problems), read, tuple(dict.fromkeys([*notices, *unused])),
        unknown=tuple(UnknownWord(*key, count) for key, count in unknown.most_common()),
        unsure=tuple(dict.fromkeys(it for reader in readers for it in reader.layout.unsure)),
        endings=tuple(endings), meanings=meanings,
        template=Template(_digest(raw), mapping, stages), as_last_time=template is not None,
        columns=tuple(columns),
    )  # fmt: skip


def _read_ledger(
    path: Path, mapping: Mapping[str, str], templates: Sequence[Template]
) -> tuple[RawList, Template | None]:
    # What was said last time may be what names the firms of this file, too.
    said = {header: name for template in templates for header, name in template.mapping.items()}
    if templates:
        try:
            raw = _raw(path, {**said, **mapping})
        except NoHeaderError:
            pass
        else:
            digest = _digest(raw)
            for template in templates:
                if template.digest == digest:
                    return raw, template
    return _raw(path, mapping), None


def _raw(path: Path, mapping: Mapping[str, str]) -> RawList:
    return read_list(path, replace(ANYWHERE, aliases=ledger_aliases(mapping)))


def _digest(raw: RawList) -> str:
    # Of sheets with the same headers there may be one more next month.
    rows = {"\0".join(map(normal_header, table.headers)) for table in raw.tables}
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


def read_stages(given: Mapping[str, str]) -> dict[str, str]:
    """Return what is said of words with the ids of stages; refuse what is no stage."""
    read = {word: name if name == "-" else stage_named(name) for word, name in given.items()}
    wanted = WORDS["outcomes.a_stage"].format(stages=STAGE_NAMES)
    if wrong := [
        Detail("--stage", f"{word}={given[word]}", wanted)
        for word, stage in read.items()
        if stage is None
    ]:
        raise ListError(WORDS["outcomes.bad_stages"], wrong)
    return {tidy_word(word): stage for word, stage in read.items() if stage}


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
    def __init__(
        self, table: TextTable, layout: OutcomeLayout, today: date, progress: ProgressReader
    ) -> None:
        self.table, self.layout, self.progress = table, layout, progress
        self.fields, self.stage_days = layout.fields, layout.stage_days
        self.log = ProblemLog(table.sheet)
        self.endings: list[Problem] = []
        self.unknown: Counter[tuple[str, str]] = Counter()
        self.meanings: Counter[tuple[str, str]] = Counter()
        self.texts = [table.column(position) for position in range(len(table.headers))]
        self._names = layout.names
        self._in_projects = self._names == [*layout.projects]
        self._codes, self._days, self._remarks = (
            CellReader(Heading(column(name)), today)
            for name in ("credit_code", "founded_on", "note")
        )
        self._starred: Counter[str] = Counter()
        self._beside: Counter[str] = Counter()  # ends by the header of the note that tells them
        self._undated = self._by_update = 0
        self._unended: list[tuple[int, int, _Firm]] = []

    def entries(self) -> list[_Entry]:
        """Return the entries that can be taken; problems are kept here."""
        rows = enumerate(self.table.rows.tolist())
        entries = [entry for at, row in rows for entry in self._row(at, row)]
        ended = {entry[:2] for entry in entries if entry.stage in ENDS}
        for at, row, firm in self._unended:
            if firm[:2] not in ended:
                entries += self._ended_by_reason(at, row, firm)
        return sorted(entries, key=lambda entry: entry.row)

    def notices(self) -> Iterator[Text]:
        """Yield what the owner should know of this table, after `entries`."""
        yield from dropped(self.layout.canonical)
        if len(self._names) > 1 and not self.fields["matched_name"]:
            first, *others = (header for _, header in self._names)
            others_named = listed(others)
            yield of_header(WORDS["outcomes.several_names"], first, others=others_named)
        if self._in_projects:
            for _, header in self._names:
                yield of_header(WORDS["outcomes.names_in_projects"], header)
        if self.stage_days:
            for _, header in self.fields["founded_on"]:
                yield WORDS["outcomes.not_a_stage"].format(header=shown(header))
        if self.layout.sheet_stage and self.table.sheet:
            stage = {**STAGES, **MILESTONES}[self.layout.sheet_stage]
            yield WORDS["outcomes.by_sheet"].format(sheet=shown(self.table.sheet), stage=stage)
        for header in self.layout.by_content:
            yield of_header(WORDS["outcomes.by_content"], header)
        for header in self.layout.registered:
            yield of_header(WORDS["outcomes.taken_for_a_stage"], header)
        yield from self._counts()
        yield from self.log.notices()

    def _counts(self) -> Iterator[Text]:
        if self._by_update:
            _, header = self.fields["updated"][0]
            yield of_header(WORDS["outcomes.by_update"], header, count=self._by_update)
        for header, count in self._beside.items():
            if count:
                yield of_header(WORDS["outcomes.ended_beside"], header, count=count)
        if self._undated:
            marks = listed([column.header for column in self.layout.stage_marks])
            yield WORDS["outcomes.undated_marks"].format(count=self._undated, headers=marks)
        starred = [name for name in ("reason", "note") if self._starred[name]]
        yield from taken_out([(self.fields[it][0][1], self._starred[it]) for it in starred], ())

    def _row(self, at: int, row: int) -> Iterator[_Entry]:
        firm = self._firm(at, row)
        given, note = self._reasons(at)
        ticked, unticked = self._marks(at)
        main = self._stage_said(at, row)
        told = len(self.log.problems)
        dated = set[str]()
        for position, header, reached in self.stage_days:
            day = self._first_of([(position, header)], at)
            if day is None or tidy_word(day) in _EMPTY or _NOT_YET.fullmatch(tidy_word(day)):
                continue
            dated.add(reached)
            if reached in unticked:
                self._aside(at, row, "mark_says_no", header, day, reached)
                continue
            reason = given or note if reached in ENDS else None
            yield from self._entry(at, row, firm, reached, reason, header, day)
        if main:
            yield from self._of_cell(at, row, firm, main, dated, given, note)
            self._undated += len(ticked - dated - {main[2].stage, "lost"})
            open_marks = ticked & {"lost"} - dated - {main[2].stage}
        else:
            open_marks = ticked - dated
        if open_marks:
            yield from self._of_marks(at, row, firm, open_marks, dated, given or note, bool(main))
        all_told = {*open_marks, *dated, main[2].stage if main else None}
        noted = list[_Entry]()
        if all_told.isdisjoint(ENDS):
            self._unended.append((at, row, firm))
            noted += self._ended_by_note(at, row, firm, won=not all_told.isdisjoint(_WON))
            yield from noted
        day = self._first_of(self.fields["day"], at)
        if main or dated or open_marks or noted:
            return
        if self.fields["stage"] and day:
            self._aside(at, row, "bad_stage", self.fields["stage"][0][1], None)
        elif len(self.log.problems) == told and not ticked:
            self._aside(at, row, "no_stage")

    def _of_cell(
        self, at: int, row: int, firm: _Firm, main: tuple[str, str, Said],
        dated: Collection[str], given: str | None, note: str | None,
    ) -> Iterator[_Entry]:  # fmt: skip
        """Yield what the cell of the stage says."""
        header, text, said = main
        if said.kind == "steps":
            for stage, day, reason in said.steps:
                ended = joined_text(given, reason) or note if stage in ENDS else None
                yield from self._entry(at, row, firm, stage, ended, header, day)
            for piece in said.unread:
                self.log.add(row, "unread_step", WANTED["unread_step"], header, piece, (3, 1))
        elif said.kind == "mixed":
            self._aside(at, row, "bad_steps", header, text)
        elif said.kind == "unknown":
            self.unknown[text, header] += 1
            self.log.set_aside(row, "bad_stage", WANTED["bad_stage"], header, text)
        elif said.kind in ("meant", "skipped") or said.stage is None:
            code = "skipped_stage" if said.kind == "skipped" else "bad_stage"
            self.log.set_aside(row, code, WANTED[code], header, text)
        elif said.stage not in dated:
            self.meanings[text, said.stage] += 1
            reason = joined_text(given, said.reason and without_personal(said.reason)) or note
            above, on = self._day_of(at, said)
            undated = None if above else text
            yield from self._entry(at, row, firm, said.stage, reason, above or header, on, undated)

    def _ended_by_reason(self, at: int, row: int, firm: _Firm) -> Iterator[_Entry]:
        """Yield the loss of which a row gives the reason, where no row of the firm tells any end.

        It is of the day on which the deal was closed; without one it is told, as is a win that
        stands beside it.
        """
        for _, header, text in self._written(self.fields["reason"], at):
            stage = end_of(header)
            if stage is None or says_nothing(text) or tidy_word(text) in _EMPTY:
                continue
            main = self._stage_said(at, row)
            # A stage alone is no reason, unlike 考察后嫌地价高.
            alone = len(text) <= _LONGEST_STAGE and stage_of(text)[0] not in (None, *ENDS)
            going_on = alone or _GOES_ON.fullmatch(tidy_word(text))
            if (main and main[2].stage in _WON) or going_on:
                self.log.add(row, "perhaps_ended", WANTED["perhaps_ended"], header, text, (3, 0))
                continue
            # The close date of an open deal is only planned, unlike that on which one was closed.
            closed = [field for field in self.fields["closed"] if _CLOSED.search(field[1].lower())]
            day = self._first_of(closed, at)
            remark = _text(self._remarks[text].value)
            told = [*self._entry(at, row, firm, stage, remark, header, day, text)]
            self._beside[header] += len(told)
            yield from told

    def _ended_by_note(self, at: int, row: int, firm: _Firm, *, won: bool) -> Iterator[_Entry]:
        """Yield the end that a note tells with its day; beside a win tell what may be one."""
        for _, header, text in self._written(self.fields["note"], at):
            if not MAY_END.search(tidy_word(text)):
                continue
            said = self.progress[text]
            ends = [step for step in said.steps if step[0] in ENDS]
            if said.stage in ENDS and said.day:
                ends.append((said.stage, said.day, said.reason))
            for stage, day, _ in ends:
                remark = without_personal(text)
                told = [*self._entry(at, row, firm, stage, remark, header, day)]
                self._beside[header] += len(told)
                yield from told
            if won and not ends:
                self.log.add(row, "perhaps_ended", WANTED["perhaps_ended"], header, text, (3, 0))

    def _of_marks(
        self, at: int, row: int, firm: _Firm, marks: set[str], dated: Collection[str],
        reason: str | None, beside: bool,
    ) -> Iterator[_Entry]:  # fmt: skip
        """Yield the furthest stage that is ticked, on the day of the row; count the others."""
        stages = sorted(marks & set(STAGES), key=_ORDER.__getitem__)
        last = stages[-1] if stages else None
        further = [stage for stage in dated if stage in _ORDER and last and last != "lost"]
        if last is None or any(_ORDER[stage] > _ORDER[last] for stage in further):
            self._undated += len(marks)
            return
        self._undated += len(marks) - 1
        mark = next(column.header for column in self.layout.stage_marks if column.stage == last)
        day_header, day = (None, None) if beside else self._day_of(at, Said("stage", last))
        ended = reason if last in ENDS else None
        undated = None if day_header else self._first_of([(self._mark_at(last), mark)], at)
        yield from self._entry(at, row, firm, last, ended, day_header or mark, day, undated)

    def _mark_at(self, stage: str) -> int:
        return next(it.position for it in self.layout.stage_marks if it.stage == stage)

    def _marks(self, at: int) -> tuple[set[str], set[str]]:
        """Return the stages that are ticked in a row, and those that it says were not reached."""
        yes, no = set(), set()
        for column_of in self.layout.stage_marks:
            text = self.texts[column_of.position][at]
            word = tidy_word(text) if text else ""
            if word in _TICKED:
                yes.add(column_of.stage)
            elif word in _EMPTY:
                no.add(column_of.stage)
        return yes, no - yes

    def _stage_said(self, at: int, row: int) -> tuple[str, str, Said] | None:
        """Return what the row's cells of stages say: the first, unless another tells the end."""
        cells = [
            (header, text, self.progress[text])
            for position, header in self.fields["stage"]
            if (text := self._first_of([(position, header)], at))
        ]
        if not cells:
            sheet = self.layout.sheet_stage and self.table.sheet
            return (sheet, sheet, Said("stage", self.layout.sheet_stage)) if sheet else None
        main = cells[0]
        for choice, (header, text, said) in enumerate(cells[1:]):
            if said.kind in ("unknown", "mixed"):
                if main[2].stage not in ENDS and MAY_END.search(tidy_word(text)):
                    main = header, text, said
            elif (
                main[2].kind not in ("stage", "steps")
                or (said.stage in ENDS and main[2].stage != said.stage)
                or main[2].stage == "lead"
            ):  # 状态 Open says less than the stage beside it
                main = (header, text, said) if said.kind in ("stage", "steps") else main
            if main[2].stage and said.stage not in (None, "lead", main[2].stage):
                wanted = WORDS["outcomes.other_stage"].format(header=main[0])
                rank = (2 if self.stage_days else -1, choice)
                self.log.add(row, "conflict", wanted, header, text, rank)
        if main is not cells[0] and cells[0][2].stage not in (None, "lead") and main[2].stage:
            wanted = WORDS["outcomes.other_stage"].format(header=main[0])
            self.log.add(row, "conflict", wanted, cells[0][0], cells[0][1], (-2, 0))
        return main

    def _day_of(self, at: int, said: Said) -> tuple[str | None, str | None]:
        """Return the day of the stage that a cell tells, and the header above it."""
        if said.day:
            return None, said.day
        names = ["day"]
        if said.stage in ENDS or said.stage in _WON:
            names.append("closed")
        if said.stage == "lead":
            names.append("created")
        for name in names:
            for place in self.fields[name]:
                if day := self._first_of([place], at):
                    return place[1], day
        for place in self.fields["updated"]:
            if day := self._first_of([place], at):
                self._by_update += 1
                return place[1], day
        if self.fields["day"]:
            return self.fields["day"][0][1], None
        return None, None

    def _aside(
        self, at: int, row: int, code: str, header: str | None = None, text: str | None = None,
        stage: str | None = None,
    ) -> None:  # fmt: skip
        """Set an entry aside, and remember it if it tells the loss of a firm, or may."""
        if code == "ambiguous_date" and text:
            one, other = self._days.two_days(text)
            wanted = WORDS["outcomes.two_dates"].format(one=one, other=other)
        else:
            wanted = WANTED[code]
        self.log.set_aside(row, code, wanted, header, text)
        cells = [self._first_of(self.fields[name], at) for name in ("reason", "note")]
        cells += [text for _, _, text in self._written(self.fields["stage"], at)]
        told = stage is None and any(cell and MAY_END.search(tidy_word(cell)) for cell in cells)
        if stage == "lost" or code == "bad_steps" or told:
            self.endings.append(self.log.problems[-1])

    def _entry(
        self, at: int, row: int, firm: _Firm, stage: str, reason: str | None, header: str,
        day: str | None, undated: str | None = None,
    ) -> Iterator[_Entry]:  # fmt: skip
        """Yield an entry if it can be taken; ``undated`` is shown where its day is missing."""
        if not any(firm[:2]):
            position, name_header = self._names[0] if self._names else (0, None)
            text = self.texts[position][at] if self._names else None
            code = "several_firms" if text and _several(text) else "no_firm"
            self._aside(at, row, code, name_header, text, stage)
            return
        answer = self._first_of(self.fields["withdrawn"], at)
        withdrawn = answer is not None and tidy_word(answer) in _YES
        cell = self._days[day] if day else Cell()
        if answer is not None and not withdrawn and tidy_word(answer) not in _NO:
            answered = self.fields["withdrawn"][0][1]
            self._aside(at, row, "bad_withdrawal", answered, None, stage)
        elif day is None and not withdrawn:
            code = "planned_day" if self.fields["closed"] and stage not in ENDS else "no_day"
            self._aside(at, row, code, header, undated, stage)
        elif cell.code:
            known = cell.code in ("future_date", "ambiguous_date")
            self._aside(at, row, cell.code if known else "bad_date", header, day, stage)
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
            value = read.value
            if value and self._in_projects:
                held = _LEGAL_NAME.match(value)
                value = held["name"].strip() if held else None
            elif value and name is None and _several(text):
                break
            name, former = name or value, former or read.former
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

    def _written(self, fields: Iterable[Field], at: int) -> Iterator[tuple[int, str, str]]:
        for choice, (position, header) in enumerate(fields):
            text = self.texts[position][at]
            if text is not None:
                yield choice, header, text

    def _first_of(self, fields: Sequence[Field], at: int) -> str | None:
        texts = (text for _, _, text in self._written(fields, at))
        return next((text for text in texts if not says_nothing(text)), None)

    def _reasons(self, at: int) -> Iterator[str | None]:
        """Yield the reason of a row and its note, where it may tell that a pursuit ended."""
        columns: Iterable[StageDays] = (*self.stage_days, *self.layout.stage_marks)
        may_end = self.fields["stage"] or any(days.stage in ENDS for days in columns)
        for name in ("reason", "note"):
            text = self._first_of(self.fields[name], at) if may_end else None
            cell = self._remarks[text] if text else Cell()
            self._starred[name] += "starred" in cell.marks
            yield _text(cell.value)


def _several(text: str) -> bool:
    """Tell whether a cell of names names several firms."""
    parts = [part for part in _BETWEEN_FIRMS.split(_IN_BRACKETS.sub("", text)) if part]
    return len(parts) > 1 and all(_A_FIRM.fullmatch(part) for part in parts)


def _text(value: Value | None) -> str | None:
    return value if isinstance(value, str) else None
