"""Import: a file is looked at before anything of it is kept, then taken in by a job."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
from flask import Blueprint, Response, request

from leadscore.errors import Detail, ListError
from leadscore.jobs.kinds import hand_in_list
from leadscore.lists.columns import CANONICAL, Column, recognise
from leadscore.lists.problems import Problem, lay_out, shown
from leadscore.lists.reading.header import (
    HEADER_SEARCH,
    UNREAD,
    HeaderPlace,
    NoHeaderError,
    column_address,
    letters,
)
from leadscore.lists.reading.table import RawList, SheetHead, TextTable
from leadscore.lists.values.words import STAGES, STATUSES
from leadscore.lists.writing import SheetToMend, write_rows_to_mend
from leadscore.store import lists as kept
from leadscore.store.list_import import (
    FailedRow,
    Uploaded,
    check_mapping,
    count_failed_rows,
    kept_failed_rows,
    read_uploaded,
)
from leadscore.store.lists import KEPT_FOR, Upload, drop_upload, keep_upload, read_upload
from leadscore.text import Lang, Text, room_words
from leadscore.web.auth import caller, requires, takes_file
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import numbers, shell
from leadscore.web.pages.forms import whole_number
from leadscore.web.pages.shell import Site, moment
from leadscore.web.routes.backing import XLSX, file_answer, written_file

WORDS = room_words("web")


COLUMN = "as:"
"""Start of the name of a field that says what a column means; the place or the header follows."""
NOT_READ = "-"
"""Value of such a field for a column that is not to be read."""

_MOST_CORRECTIONS, _LONGEST_CORRECTION = 2_000, 1_000


@dataclass(frozen=True)
class Corrections:
    """What somebody said, as far as it belongs together."""

    sheet: str
    row: int | None
    columns: Mapping[str, str]

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Corrections:
        """Read the arguments of an address; what can't be is left out."""
        sheet, row = args.get("sheet", "")[:_LONGEST_CORRECTION], _row(args.get("row", ""))
        found = columns_of(args.items())
        # Another sheet or row makes nonsense of what was said of columns.
        return cls(sheet, row, found if args.get("of", place_of(sheet, row)) == place_of(sheet, row)
                   else {})  # fmt: skip

    @property
    def place(self) -> HeaderPlace | None:
        """Where the header stands, as far as that was said."""
        return HeaderPlace(self.sheet, self.row, {}) if self.sheet or self.row else None

    @property
    def written(self) -> str:
        """Sheet and row, for a field that tells to what the columns belong."""
        return place_of(self.sheet, self.row)


def columns_of(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what the fields of a form say of columns; empty ones say nothing."""
    found = {
        name.removeprefix(COLUMN): UNREAD if value == NOT_READ else value
        for name, value in items
        if name.startswith(COLUMN) and value
    }
    return dict(list(found.items())[:_MOST_CORRECTIONS])


def place_of(sheet: str, row: int | None) -> str:
    """Return sheet and row as one text."""
    return f"{sheet}!{row or ''}"


def _row(text: str) -> int | None:
    number = whole_number(text, digits=2)
    return number if number and number <= HEADER_SEARCH else None


_LONGEST_VALUE = 60
_WORDS: dict[str, Mapping[str, Text]] = {"stage": STAGES, "status": STATUSES}


def shown_value(value: Any, column: Column, lang: Lang) -> str:
    """Return a cleaned value in words and figures; empty for a missing one."""
    if pd.isna(value):
        return ""
    if column.unit == "CNY":
        return WORDS["imports.yuan"].pick(lang).format(amount=_amount(float(value), lang))
    if column.unit == "fraction":
        return f"{value:.1%}"
    if column.unit == "year":
        return f"{value:.0f}"
    if column.unit == "count":
        return numbers.count(round(value), lang)
    if column.kind == "date":
        return numbers.day(value.date(), lang)
    words = _WORDS.get(column.kind, {}).get(value)
    if words is not None:
        return words.pick(lang)
    return shown(value, _LONGEST_VALUE)


def _amount(value: float, lang: Lang) -> str:
    """Return an amount of yuan, in Chinese in 万 and 亿.

    >>> _amount(5e7, "zh"), _amount(1.25e8, "zh"), _amount(5e7, "en")
    ('5,000万', '1.25亿', '50,000,000')
    """
    if lang == "zh" and abs(value) >= 1e4:
        unit, name = (1e8, "亿") if abs(value) >= 1e8 else (1e4, "万")
        figures = f"{value / unit:,.2f}".rstrip("0").rstrip(".")
        return f"{figures}{name}"
    return f"{value:,.0f}"


# No headers that mean a column: the mended file is read again, with these in it.
_ROW, _PROBLEM = WORDS["imports.text"], WORDS["imports.text_2"]


def sheets_to_mend(
    rows: Sequence[FailedRow], problems: Iterable[Problem], lang: Lang
) -> list[SheetToMend]:
    """Return a sheet for each sheet of the source; without any row, one without rows."""
    faults: dict[tuple[str | None, int | None], list[str]] = {}
    for each in problems:
        column = f"{each.column}: " if each.column else ""
        words = (
            WORDS["imports.fault"]
            .pick(lang)
            .format(column=column, found=each.found, wanted=each.wanted.pick(lang))
        )
        faults.setdefault((each.sheet, each.row), []).append(words)
    more = [_ROW.pick(lang), _PROBLEM.pick(lang)]
    sheets: list[tuple[str, list[str], list[list[str | None]]]] = []
    for row in rows:
        if row.row is None:
            headers = [cell or "" for cell in row.cells]
            sheets.append((row.sheet or WORDS["imports.sheet"].pick(lang), headers + more, []))
            continue
        told = "\n".join(faults.get((row.sheet, row.row), []))
        sheets[-1][2].append([*row.cells, str(row.row), told])
    found = [SheetToMend(*sheet) for sheet in sheets]
    return found or [SheetToMend(WORDS["imports.sheet"].pick(lang), more, [])]


FIRST_ROWS = 3
MOST_PROBLEMS = 100
_MOST_COLUMNS, _LONGEST_HEADER = 120, 60
_CELLS, _CELL = 4, 14
_PRIVATE = re.compile(r"\d{7}|@")
"""Numbers and addresses of people: a header holds none."""
_KEPT = {each.name: each for each in CANONICAL}


@dataclass(frozen=True)
class ShownColumn:
    """A column of the file."""

    letters: str
    header: str
    field: str | None
    chosen: str
    meaning: Column | None
    personal: bool
    values: Sequence[str]


@dataclass(frozen=True)
class ShownTable:
    """A sheet with its columns; ``rows`` are the numbers of the first ones."""

    sheet: str | None
    header_row: int
    rows: Sequence[int]
    columns: Sequence[ShownColumn]
    more: int = 0


@dataclass(frozen=True)
class Preview:
    """What a file would become; if ``error`` is there, nothing."""

    error: ListError | None
    heads: Sequence[SheetHead]
    tables: Sequence[ShownTable] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    firms: int = 0
    problems: Sequence[Problem] = ()
    notices: Sequence[Any] = ()

    @property
    def set_aside(self) -> int:
        """Rows that would not be scored."""
        return self.rows - self.firms


def preview(upload: Upload, said: Corrections, *, today: date, lang: Lang) -> Preview:
    """Read a file as it would be read, with what somebody said of it."""
    try:
        read = read_uploaded(
            upload.content, upload.file_name, said.columns, today=today, place=said.place
        )
    except NoHeaderError as error:
        return Preview(error, error.heads, _unread_table(error.heads, said))
    except ListError as error:
        return Preview(error, ())
    single = len(read.raw.tables) == 1
    clean = read.clean
    return Preview(
        None,
        read.raw.heads,
        [_table(read, at, said, lang, single=single) for at in range(len(read.raw.tables))],
        said.columns or _anchor(read.raw, said),
        clean.rows_in,
        len(clean.firms),
        clean.problems,
        clean.notices,
    )


def row_choices(head: SheetHead) -> list[tuple[int, str]]:
    """Return number and first words of each row that may be a header."""
    found = []
    for number, row in enumerate(head.rows, start=1):
        cells = [cell.strip() for cell in row if cell and cell.strip()]
        if cells:
            first = ["…" if _PRIVATE.search(cell) else shown(cell, _CELL) for cell in cells]
            words = " | ".join(first[:_CELLS])
            found.append((number, words))
    return found


def _anchor(raw: RawList, said: Corrections) -> dict[str, str]:
    if said.place is None:
        return {}
    table = raw.tables[0]
    for at, header in enumerate(table.headers):
        meaning = recognise(header) if header else None
        if meaning is not None and meaning.name in _KEPT:
            return {column_address(table.sheet, said.row, at): meaning.name}
    return {}


def _table(
    read: Uploaded, number: int, said: Corrections, lang: Lang, *, single: bool
) -> ShownTable:
    raw, meant = read.raw.tables[number], read.meant.tables[number]
    firms = read.clean.firms
    own = firms[firms["sheet"] == raw.sheet] if raw.sheet is not None else firms
    first = own.head(FIRST_ROWS)
    numbers = [int(row) for row in first["row"]]
    means = _meanings(meant)
    columns = []
    for at, header in enumerate(raw.headers[:_MOST_COLUMNS]):
        key = _key(raw, at, said) if single else _header_key(raw, at)
        meaning = means.get(at)
        personal = meaning is not None and meaning.personal
        columns.append(
            ShownColumn(
                letters(at),
                header,
                COLUMN + key if key and not personal else None,
                _chosen(said, key),
                None if personal else meaning,
                personal,
                _values(raw, at, meaning, first, numbers, lang),
            )
        )
    return ShownTable(raw.sheet, raw.header_row, numbers, columns, len(raw.headers) - len(columns))


def _meanings(table: TextTable) -> dict[int, Column]:
    layout = lay_out(table.headers, table.unit)
    found = {
        source.position: source.heading.column
        for sources in layout.sources.values()
        for source in sources
    }
    for at, header in enumerate(table.headers):
        meaning = recognise(header) if header and at not in found else None
        if meaning is not None and meaning.personal:
            found[at] = meaning
    return found


def _values(
    raw: TextTable, at: int, meaning: Column | None, first: pd.DataFrame, numbers: list[int],
    lang: Lang,
) -> list[str]:  # fmt: skip
    if meaning is not None and meaning.personal:
        return ["…"] * len(numbers)
    if meaning is not None and meaning.kept:
        return [shown_value(value, meaning, lang) for value in first[meaning.name]]
    cells = raw.cells[at]
    places = [int((raw.rows == number).argmax()) for number in numbers]
    return ["" if pd.isna(cells.iloc[place]) else shown(cells.iloc[place], _LONGEST_HEADER)
            for place in places]  # fmt: skip


def _key(raw: TextTable, at: int, said: Corrections) -> str:
    return column_address(raw.sheet, said.row, at)


def _header_key(raw: TextTable, at: int) -> str | None:
    header = raw.headers[at]
    return header if header and raw.headers.index(header) == at else None


def _chosen(said: Corrections, key: str | None) -> str:
    name = said.columns.get(key or "")
    return NOT_READ if name == UNREAD else name or ""


def _unread_table(heads: Sequence[SheetHead], said: Corrections) -> list[ShownTable]:
    head = next((each for each in heads if (each.sheet or "") == said.sheet), None)
    if head is None and len(heads) == 1:
        head = heads[0]
    if head is None or said.row is None or said.row > len(head.rows):
        return []
    below = head.rows[said.row : said.row + FIRST_ROWS]
    numbers = list(range(said.row + 1, said.row + 1 + len(below)))
    columns = []
    for at, cell in enumerate(head.rows[said.row - 1][:_MOST_COLUMNS]):
        meaning = recognise(cell) if cell else None
        personal = meaning is not None and meaning.personal
        key = column_address(head.sheet, said.row, at)
        values = [shown(row[at] or "", _LONGEST_HEADER) if at < len(row) else "" for row in below]
        columns.append(
            ShownColumn(
                letters(at), cell or "", None if personal else COLUMN + key, _chosen(said, key),
                None if personal else meaning, personal,
                ["…"] * len(values) if personal else values,
            )
        )  # fmt: skip
    return [ShownTable(head.sheet, said.row, numbers, columns)]


HISTORY = 20


def import_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/import``, the preview of a file, and what became of a list."""
    _choosing(site, pages)
    _looking(site, pages)
    _following(site, pages)


def _choosing(site: Site, pages: Blueprint) -> None:
    backing = site.backing

    @pages.get("/import")
    @requires("record")
    def choose_file() -> Response:
        last = whole_number(request.args.get("before", ""))
        with backing.database.read() as connection:
            found = kept.kept_lists(connection, before=last, limit=HISTORY + 1)
        shown = found[:HISTORY]
        return shell.page(
            site,
            "import.html",
            title=site.words["import.title"].pick(site.lang()),
            lists=shown,
            older=shown[-1].id if len(found) > HISTORY else None,
            newest=last is None,
        )

    @pages.post("/import")
    @requires("record")
    @takes_file
    @written(backing.access, "list.upload", fingerprint=_fingerprint)
    def upload_file(act: Act) -> Answer:
        name, content = _file()
        number = keep_upload(
            act.connection, file_name=name, content=content, actor=act.actor, now=act.now
        )
        return shell.done(f"/import/{number}", about=("upload", str(number)))


def _looking(site: Site, pages: Blueprint) -> None:
    backing = site.backing

    @pages.get("/import/<int:id>")
    @requires("record")
    def look_at_file(id: int) -> Response:  # noqa: A002 (as the address has it)
        now, lang, said = backing.access.clock(), site.lang(), Corrections.of(request.args)
        with store_refusals(), backing.database.read() as connection:
            upload = read_upload(connection, id, actor=caller().actor, now=now)
        return shell.page(
            site,
            "import_preview.html",
            title=upload.file_name,
            id=id,
            told=said,
            found=preview(upload, said, today=backing.today(), lang=lang),
            canonical=CANONICAL,
            not_read=NOT_READ,
            row_choices=row_choices,
            most_problems=MOST_PROBLEMS,
            today=backing.today(),
            until=moment(upload.uploaded_at + KEPT_FOR, lang),
        )

    @pages.post("/import/<int:id>")
    @requires("record")
    @written(backing.access, "list.add")
    def hand_in(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        upload = read_upload(act.connection, id, actor=act.actor, now=act.now)
        mapping = columns_of(request.form.items())
        check_mapping(mapping)
        number, _ = hand_in_list(
            act.connection, file_name=upload.file_name, content=upload.content, mapping=mapping,
            as_of=_day(backing.today()), actor=act.actor, now=act.now,
        )  # fmt: skip
        drop_upload(act.connection, id, actor=act.actor)
        return shell.done(f"/imports/{number}", about=("list", str(number)))

    @pages.post("/import/<int:id>/discard")
    @requires("record")
    @written(backing.access, "list.discard")
    def give_up(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        drop_upload(act.connection, id, actor=act.actor)
        return shell.done("/import", say="import.given_up", about=("upload", str(id)))


def _following(site: Site, pages: Blueprint) -> None:
    backing = site.backing

    @pages.get("/imports/<int:id>")
    @requires("record")
    def follow_list(id: int) -> Response:  # noqa: A002 (as the address has it)
        with store_refusals(), backing.database.read() as connection:
            found = kept.read_kept_list(connection, id)
            problems = kept.problems_of(connection, id, limit=MOST_PROBLEMS)
            number = sum(kept.count_problems(connection, id).values())
            failed = count_failed_rows(connection, id)
        return shell.page(
            site,
            "import_state.html",
            title=found.file_name,
            found=found,
            handed_in=moment(found.uploaded_at, site.lang()),
            busy=found.state in kept.OPEN,
            problems=problems,
            problem_count=number,
            failed_rows=failed,
        )

    @pages.get("/imports/<int:id>/failed.xlsx")
    @requires("record")
    def failed_rows_file(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang = site.lang()
        with store_refusals(), backing.database.read() as connection:
            kept.read_kept_list(connection, id)
            rows = kept_failed_rows(connection, id)
            problems = kept.problems_of(connection, id)
        write = partial(write_rows_to_mend, sheets_to_mend(rows, problems, lang))
        return file_answer(written_file(write, ".xlsx"), f"rows-to-mend-{id}.xlsx", XLSX)


def _file() -> tuple[str, bytes]:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidRequestError(
            WORDS["imports.choose"], [Detail("file", "∅", WORDS["imports.a_file"])]
        )
    file.stream.seek(0)
    return file.filename, file.stream.read()


def _fingerprint() -> bytes:
    name, content = _file()
    return f"{hashlib.sha256(content).hexdigest()} {name}".encode("utf-8", "replace")


def _day(today: date) -> date:
    text: Any = request.form.get("as_of", "")
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        raise InvalidRequestError(
            WORDS["imports.bad_day"], [Detail("as_of", text, WORDS["imports.a_day"])]
        ) from None
    if day > today:
        raise InvalidRequestError(
            WORDS["imports.bad_day"], [Detail("as_of", text, WORDS["imports.a_day"])]
        )
    return day
