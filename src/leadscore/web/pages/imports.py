"""Import: a file is looked at before anything of it is kept, then taken in by a job."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from flask import Blueprint, Response, request

from leadscore.errors import Detail, ListError
from leadscore.jobs.tasks import submit_list, submit_undo
from leadscore.lists.columns import CANONICAL, recognise
from leadscore.lists.mapping import NOT_READ, UNITS, UNKNOWN_UNIT, checked, meaning_of
from leadscore.lists.problems import Problem
from leadscore.lists.reading.header import (
    HEADER_SEARCH,
    HeaderPlace,
    NoHeaderError,
    column_address,
    letters,
    split_address,
)
from leadscore.lists.reading.table import PREVIEW, RawList, Sandbox, SheetHead, TextTable
from leadscore.lists.understanding import (
    ColumnReading,
    ReadList,
    TableReading,
    read_firms,
    readings_of,
    shown_value,
)
from leadscore.lists.writing import SheetToMend, write_rows_to_mend
from leadscore.store import list_import
from leadscore.store import lists as kept
from leadscore.store.jobs import read_job
from leadscore.store.list_undo import foreseen, undone_counts
from leadscore.store.lists import (
    EndedUploadError,
    Upload,
    end_upload,
    keep_upload,
    read_upload,
    waiting_uploads,
)
from leadscore.text import Lang, room_words, shown
from leadscore.web.api import Dependencies
from leadscore.web.auth import caller, requires, takes_file
from leadscore.web.errors import (
    MAX_LIST_BYTES,
    GoneError,
    InvalidRequestError,
    store_refusals,
    too_large,
)
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.shell import TRANSLATIONS, whole_number
from leadscore.web.routes.payloads import XLSX, file_answer, written_file

WORDS = room_words("web")

COLUMN = "as:"
"""Start of the name of a field that says what a column means; the place or the header follows."""
UNIT = "unit:"
"""Start of the name of a field that says the unit; it counts only for the column that it names."""

_MOST_CORRECTIONS, _LONGEST_CORRECTION = 2_000, 1_000


@dataclass(frozen=True)
class Corrections:
    """What somebody said, as far as it belongs together."""

    sheet: str  # the only one to be read; "" if that was not said
    row: int | None  # of the header; None if it is to be found
    columns: Mapping[str, str]  # a mapping, see `leadscore.lists.mapping`

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Corrections:
        """Read the arguments of an address; what can't be is left out."""
        sheet = args.get("sheet", "")[:_LONGEST_CORRECTION]
        number = whole_number(args.get("row", ""), digits=2)
        row = number if number and number <= HEADER_SEARCH else None
        whole = cls(sheet, row, columns_of(args.items()))
        # Another sheet or row makes nonsense of what was said of columns.
        return whole if args.get("of", whole.written) == whole.written else cls(sheet, row, {})

    @property
    def place(self) -> HeaderPlace | None:
        """Where the header stands, as far as that was said."""
        return HeaderPlace(self.sheet, self.row, {}) if self.sheet or self.row else None

    @property
    def written(self) -> str:
        """Sheet and row, for a field that tells to what the columns belong."""
        return f"{self.sheet}!{self.row or ''}"


def columns_of(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what the fields of a form say of columns; empty ones say nothing."""
    said = {name: value for name, value in items if value}
    columns = {name.removeprefix(COLUMN): value for name, value in said.items()
               if name.startswith(COLUMN)}  # fmt: skip
    for name, value in said.items():
        key, unit = name.removeprefix(UNIT), meaning_of(value)
        if not name.startswith(UNIT) or unit is None:
            continue
        chosen = meaning_of(columns[key]) if key in columns else unit
        if chosen and chosen.read and chosen.column is unit.column:
            columns[key] = value
    meanings = {
        key: meaning.written if (meaning := meaning_of(value)) else value
        for key, value in columns.items()
    }
    return dict(list(meanings.items())[:_MOST_CORRECTIONS])


def _sheets_to_mend(
    rows: Sequence[list_import.FailedRow], problems: Iterable[Problem], lang: Lang
) -> list[SheetToMend]:
    faults: dict[tuple[str | None, int | None], list[str]] = {}
    for problem in problems:
        fault = WORDS["imports.fault"].pick(lang).format(
            column=f"{problem.column}: " if problem.column else "",
            found=problem.found, wanted=problem.wanted.pick(lang),
        )  # fmt: skip
        faults.setdefault((problem.sheet, problem.row), []).append(fault)
    # No headers that mean a column: the mended file is read again, with these in it.
    more = [WORDS["imports.original_row"].pick(lang), WORDS["imports.problem"].pick(lang)]
    unnamed = WORDS["imports.sheet"].pick(lang)
    sheets: list[tuple[str, list[str], list[list[str | None]]]] = []
    for row in rows:
        if row.row is None:
            headers = [cell or "" for cell in row.cells]
            sheets.append((row.sheet or unnamed, headers + more, []))
        else:
            problem_lines = "\n".join(faults.get((row.sheet, row.row), []))
            sheets[-1][2].append([*row.cells, str(row.row), problem_lines])
    return [SheetToMend(*sheet) for sheet in sheets or [(unnamed, more, [])]]


FIRST_ROWS = 3
MOST_PROBLEMS = 100
_MOST_COLUMNS, _LONGEST_HEADER = 120, 60
_CELLS, _CELL = 4, 14
_PRIVATE = re.compile(r"\d{7}|@")  # numbers and addresses of people: a header holds none
_KEPT = {each.name: each for each in CANONICAL}


def preview(
    sandbox: Sandbox, upload: Upload, fixes: Corrections, *, today: date, lang: Lang
) -> dict[str, Any]:
    """Read a file as it would be read, with what somebody said of it; it may end in an error.

    Of a long list only the first rows are looked at, in a process of its own with bounded memory.
    """
    with list_import.as_file(upload.content, upload.file_name) as path:
        try:
            return sandbox.call(_looked_at, path, fixes, today, lang, source=path.name)
        except ListError as error:
            return {"error": error, "heads": (), "tables": []}


def _looked_at(path: Path, fixes: Corrections, today: date, lang: Lang) -> dict[str, Any]:
    # In the sandbox: what is returned is no larger than a page.
    try:
        read = read_firms(path, fixes.columns, today=today, place=fixes.place, limits=PREVIEW)
    except NoHeaderError as error:
        heads, tables = _short_heads(error.heads), _unread_table(error.heads, fixes)
        return {"error": error, "heads": heads, "tables": tables}
    raw, clean = read.mapped.raw, read.clean
    tables = [
        _table(read, at, columns, fixes, lang) for at, columns in enumerate(readings_of(read))
    ]
    return {
        "error": None,
        "heads": _short_heads(raw.heads),
        "tables": tables,
        "unsettled": [
            column for table in tables for column in table["columns"] if column["unsettled"]
        ],
        "mapping": fixes.columns or _anchor(raw, fixes),
        "rows": clean.rows_in,
        "unread": raw.unread_rows,
        "firms": len(clean.records),
        "problems": clean.problems[:MOST_PROBLEMS],
        "problem_count": len(clean.problems),
        "notices": clean.notices,
    }


def _short_heads(heads: Sequence[SheetHead]) -> list[SheetHead]:
    # As much of them as is shown, and whether it is a number or an address.
    return [
        replace(
            head,
            rows=tuple(tuple(cell and cell[:_LONGEST_HEADER] for cell in row) for row in head.rows),
        )
        for head in heads
    ]


def row_choices(head: SheetHead) -> list[tuple[int, str]]:
    """Return number and first words of each row that may be a header."""
    choices = []
    for number, row in enumerate(head.rows, start=1):
        cells = [cell.strip() for cell in row if cell and cell.strip()]
        if cells:
            first = ["…" if _PRIVATE.search(cell) else shown(cell, _CELL) for cell in cells]
            choices.append((number, " | ".join(first[:_CELLS])))
    return choices


def _anchor(raw: RawList, fixes: Corrections) -> dict[str, str]:
    if fixes.place is None:
        return {}
    table = raw.tables[0]
    for at, header in enumerate(table.headers):
        meaning = recognise(header) if header else None
        if meaning is not None and meaning.name in _KEPT:
            return {column_address(table.sheet, fixes.row, at): meaning.name}
    return {}


def _table(
    read: ReadList, number: int, understood: TableReading, fixes: Corrections, lang: Lang
) -> dict[str, Any]:
    tables = read.mapped.raw.tables
    raw, firms = tables[number], read.clean.firms
    own = firms[firms["sheet"] == raw.sheet] if raw.sheet is not None else firms
    first = own.head(FIRST_ROWS)
    rows = [int(row) for row in first["row"]]
    columns = []
    for one in understood.columns[:_MOST_COLUMNS]:
        at, header = one.position, one.header
        key: str | None = column_address(raw.sheet, fixes.row, at)
        if len(tables) > 1:  # by its header, if this is the first column that has it
            key = header if header and raw.headers.index(header) == at else None
        columns.append(_column(one, key, fixes, _values(raw, one, first, rows, lang)))
    return {
        "sheet": raw.sheet, "header_row": raw.header_row, "rows": rows, "columns": columns,
        "more": len(raw.headers) - len(columns),
    }  # fmt: skip


def _column(
    one: ColumnReading, key: str | None, fixes: Corrections, values: list[str]
) -> dict[str, Any]:
    # `field` is the name of the field that corrects it, where it can be corrected; `chosen` what
    # was said of it; what is about people is neither read nor shown. Of money there is a field for
    # the unit, which must be settled where it is in doubt.
    meaning, said = one.column, meaning_of(fixes.columns.get(key or "", ""))
    said = said if key in fixes.columns else None
    unit = said.unit if said else ""
    money = key is not None and meaning is not None and meaning.kind == "amount"
    units = (*UNITS["amount"], UNKNOWN_UNIT) if money and meaning else ()
    if meaning and unit and unit not in units:
        units = (unit, *units)
    return {
        "letters": letters(one.position),
        "header": one.header,
        "field": COLUMN + key if key and not one.personal else None,
        "chosen": "" if said is None else said.column.name if said.column else NOT_READ,
        "meaning": None if one.personal else meaning,
        "personal": one.personal,
        "values": ["…"] * len(values) if one.personal else values,
        "unit_field": UNIT + key if units and key else None,
        "unit": unit,
        "units": [(f"{meaning.name}({word})", word) for word in units] if meaning else [],
        "unit_words": one.unit_words,
        "doubtful": one.doubtful and not unit,
        "unsettled": one.doubtful and not unit and money,
    }


def _values(
    raw: TextTable, one: ColumnReading, first: pd.DataFrame, rows: list[int], lang: Lang
) -> list[str]:
    # What stands in the first rows: as it is read, or as it stands if it isn't.
    meaning = one.column
    if one.used and meaning is not None and meaning.kept:
        return [
            "" if pd.isna(value) else shown(shown_value(meaning, value, lang), _LONGEST_HEADER)
            for value in first[meaning.name]
        ]
    column = raw.cells[one.position]
    cells = [column.iloc[int((raw.rows == row).argmax())] for row in rows]
    return ["" if pd.isna(cell) else shown(cell, _LONGEST_HEADER) for cell in cells]


def _unread_table(heads: Sequence[SheetHead], fixes: Corrections) -> list[dict[str, Any]]:
    # The columns of a row that was said to be the header, though none names firms yet.
    head = next((each for each in heads if (each.sheet or "") == fixes.sheet), None)
    if head is None and len(heads) == 1:
        head = heads[0]
    if head is None or fixes.row is None or fixes.row > len(head.rows):
        return []
    below = head.rows[fixes.row : fixes.row + FIRST_ROWS]
    columns = []
    for at, cell in enumerate(head.rows[fixes.row - 1][:_MOST_COLUMNS]):
        key = column_address(head.sheet, fixes.row, at)
        values = [shown(row[at] or "", _LONGEST_HEADER) if at < len(row) else "" for row in below]
        one = ColumnReading(at, cell or "", recognise(cell) if cell else None)
        columns.append(_column(one, key, fixes, values))
    rows = list(range(fixes.row + 1, fixes.row + 1 + len(below)))
    return [
        {"sheet": head.sheet, "header_row": fixes.row, "rows": rows, "columns": columns, "more": 0}
    ]


HISTORY = 20


def import_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/import``, the preview of a file, and what became of a list."""
    _list_pages(dependencies, pages)
    sandbox = Sandbox(PREVIEW)

    @pages.get("/import")
    @requires("record")
    def choose_file() -> Response:
        last = shell.number_asked("before")
        who, now = caller(), dependencies.access.clock()
        with dependencies.database.read() as connection:
            lists = kept.kept_lists(connection, before=last, limit=HISTORY + 1)
            waiting = waiting_uploads(
                connection, actor=who.actor, any_of=who.may("administer"), now=now
            )
        shown = lists[:HISTORY]
        return shell.page(
            dependencies, "import.html", title=TRANSLATIONS["import.title"], lists=shown,
            older=shown[-1].id if len(lists) > HISTORY else None, newest=last is None,
            most_bytes=MAX_LIST_BYTES, waiting=waiting,
            too_large=too_large("", is_list=True)[0].pick(dependencies.page_lang()),
        )  # fmt: skip

    @pages.post("/import")
    @requires("record")
    @takes_file
    @written(dependencies.access, "list.upload", fingerprint=upload_fingerprint)
    def upload_file(act: Act) -> Answer:
        name, content = file_and_name()
        token = keep_upload(
            act.connection, file_name=name, content=content, actor=act.actor, now=act.now
        )
        # The audit, which many may read, gets no address under which the file can be asked for.
        return shell.done(f"/import/{token}", "upload", name)

    @pages.get("/import/<token>")
    @requires("record")
    def look_at_file(token: str) -> Response:
        now, lang, who = dependencies.access.clock(), dependencies.page_lang(), caller()
        fixes = Corrections.of(request.args)
        try:
            with store_refusals(), dependencies.database.read() as connection:
                upload = read_upload(
                    connection, token, actor=who.actor, any_of=who.may("administer"), now=now
                )
        except GoneError as error:
            return _ended(dependencies, error)
        return shell.page(
            dependencies, "import_preview.html", title=upload.file_name, id=token, fixes=fixes,
            file=preview(sandbox, upload, fixes, today=dependencies.today(), lang=lang),
            canonical=CANONICAL, not_read=NOT_READ, row_choices=row_choices,
            digest=hashlib.sha256(upload.content).hexdigest(), unknown_unit=UNKNOWN_UNIT,
            today=dependencies.today(), until=upload.until,
        )  # fmt: skip

    @pages.post("/import/<token>")
    @requires("record")
    @written(dependencies.access, "list.add")
    def hand_in(act: Act, token: str) -> Answer:
        upload = _waiting(act, token)
        if request.form.get("digest") != hashlib.sha256(upload.content).hexdigest():
            detail = Detail("digest", upload.file_name, WORDS["imports.look_again"])
            raise InvalidRequestError(WORDS["imports.other_file"], [detail])
        mapping = checked(columns_of(request.form.items()))
        number, _ = submit_list(
            act.connection, file_name=upload.file_name, content=upload.content, mapping=mapping,
            as_of=_day(dependencies.today()), actor=act.actor, now=act.now,
        )  # fmt: skip
        end_upload(act.connection, upload, "imported", list_id=number)
        return shell.done(f"/imports/{number}", "list", number)

    @pages.post("/import/<token>/discard")
    @requires("record")
    @written(dependencies.access, "list.discard")
    def give_up(act: Act, token: str) -> Answer:
        upload = _waiting(act, token)
        end_upload(act.connection, upload, "discarded")
        return shell.done("/import", "upload", upload.file_name, say="import.given_up")


def _list_pages(dependencies: Dependencies, pages: Blueprint) -> None:

    @pages.get("/imports/<int:id>")
    @requires("record")
    def follow_list(id: int) -> Response:  # noqa: A002 (as the address has it)
        with store_refusals(), dependencies.database.read() as connection:
            handed_in = kept.read_kept_list(connection, id)
            problems = kept.problems_of(connection, id, limit=MOST_PROBLEMS)
            number = sum(kept.count_problems(connection, id).values())
            failed = list_import.count_failed_rows(connection, id)
            left = kept.count_members(connection, id)
            job = read_job(connection, handed_in.job_id) if handed_in.job_id else None
        running = job is not None and job.state in ("waiting", "running")
        working = handed_in.state == "undoing" and running
        stuck = handed_in.state == "undoing" and not running
        return shell.page(
            dependencies, "import_state.html", title=handed_in.file_name, handed_in=handed_in,
            busy=handed_in.state in kept.OPEN or working, stuck=stuck,
            undone=undone_counts(handed_in), left=left, problems=problems, problem_count=number,
            meanings=_said(handed_in.mapping, dependencies.page_lang()),
            failed_rows=failed,
        )  # fmt: skip

    @pages.get("/imports/<int:id>/failed.xlsx")
    @requires("record")
    def failed_rows_file(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang = dependencies.page_lang()
        with store_refusals(), dependencies.database.read() as connection:
            kept.read_kept_list(connection, id)
            rows = list_import.kept_failed_rows(connection, id)
            problems = kept.problems_of(connection, id)
        write = partial(write_rows_to_mend, _sheets_to_mend(rows, problems, lang))
        return file_answer(written_file(write, ".xlsx"), f"rows-to-mend-{id}.xlsx", XLSX)

    @pages.get("/imports/<int:id>/undo")
    @requires("record")
    def before_undo(id: int) -> Response:  # noqa: A002 (as the address has it)
        with store_refusals(), dependencies.database.read() as connection:
            handed_in = kept.read_kept_list(connection, id)
            counts = foreseen(connection, id)
        if handed_in.state in ("undoing", "undone", *kept.OPEN):
            return shell.go(f"/imports/{id}")
        return shell.page(
            dependencies, "import_undo.html", handed_in=handed_in, counts=counts,
            title=TRANSLATIONS["import.undo.title"].format(name=handed_in.file_name),
        )  # fmt: skip

    @pages.post("/imports/<int:id>/undo")
    @requires("record")
    @written(dependencies.access, "list.undo")
    def undo_import(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        submit_undo(act.connection, id, actor=act.actor, now=act.now)
        return shell.done(f"/imports/{id}", "list", id)


def _waiting(act: Act, token: str) -> Upload:
    may = act.caller.may("administer")
    return read_upload(act.connection, token, actor=act.actor, any_of=may, now=act.now)


def _ended(dependencies: Dependencies, error: GoneError) -> Response:
    # What became of a file, and where to go on.
    ended = error.__cause__
    list_id = ended.list_id if isinstance(ended, EndedUploadError) else None
    return shell.page(
        dependencies, "import_ended.html", title=TRANSLATIONS["import.ended.title"],
        why=error.message, list_id=list_id, status=410,
    )  # fmt: skip


def _said(mapping: Mapping[str, str], lang: Lang) -> list[tuple[str, str]]:
    # What was said of columns, in words.
    said = []
    for key, value in mapping.items():
        meaning, cell = meaning_of(value), split_address(key)
        where = key
        if cell:
            column = WORDS["imports.column"].format(letters=letters(cell[2])).pick(lang)
            where = f"{cell[0]} {column}".strip()
        said.append((where, meaning.label(lang) if meaning else value))
    return said


def file_and_name() -> tuple[str, bytes]:
    """Return name and content of the file of a form."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidRequestError(
            WORDS["imports.choose"], [Detail("file", "∅", WORDS["imports.a_file"])]
        )
    file.stream.seek(0)
    return file.filename, file.stream.read()


def upload_fingerprint() -> bytes:
    """Return what tells the file of a form from another."""
    name, content = file_and_name()
    return f"{hashlib.sha256(content).hexdigest()} {name}".encode("utf-8", "replace")


def _day(today: date) -> date:
    # As of which the list knows its firms.
    text = request.form.get("as_of", "")
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        day = date.max
    if day > today:
        details = [Detail("as_of", text, WORDS["imports.a_day"])]
        raise InvalidRequestError(WORDS["imports.bad_day"], details)
    return day
