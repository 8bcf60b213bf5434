"""What a file would become: its sheets, columns and first rows, before anything is kept of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from leadscore.errors import ListError
from leadscore.language import Lang
from leadscore.lists.columns import CANONICAL, Column, recognise
from leadscore.lists.files.header_faults import NoHeaderError, letters
from leadscore.lists.files.header_places import UNREAD, column_address
from leadscore.lists.files.texttable import RawList, SheetHead, TextTable
from leadscore.lists.layout import lay_out
from leadscore.lists.problems import Problem, shown
from leadscore.store.lists.reading import Uploaded, read_uploaded
from leadscore.store.lists.uploads import Upload
from leadscore.web.pages.import_corrections import COLUMN, NOT_READ, Corrections
from leadscore.web.pages.import_values import shown_value

FIRST_ROWS = 3
MOST_PROBLEMS = 100
_MOST_COLUMNS, _LONGEST = 120, 60
_CELLS, _CELL = 4, 14
_PRIVATE = re.compile(r"\d{7}|@")
"""Numbers and addresses of people: a header holds none."""
_KEPT = {each.name: each for each in CANONICAL}


@dataclass(frozen=True)
class ShownColumn:
    """A column of the file.

    Attributes
    ----------
    letters, header
        Its place and its header.
    field
        Name of the field that corrects it; missing where it can't be corrected.
    chosen
        What was said of it: a canonical name, `NOT_READ`, or nothing.
    meaning
        The canonical column that it is read as.
    personal
        True if it is about people, and therefore not read.
    values
        What stands in the first rows: as it is read, or as it stands if it isn't.
    """

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
    """Return a mapping that says no more than where the header stands, if that was said."""
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
    return ["" if pd.isna(cells.iloc[place]) else shown(cells.iloc[place], _LONGEST)
            for place in places]  # fmt: skip


def _key(raw: TextTable, at: int, said: Corrections) -> str:
    return column_address(raw.sheet, said.row, at)


def _header_key(raw: TextTable, at: int) -> str | None:
    """Return the header, if this is the first column that has it."""
    header = raw.headers[at]
    return header if header and raw.headers.index(header) == at else None


def _chosen(said: Corrections, key: str | None) -> str:
    name = said.columns.get(key or "")
    return NOT_READ if name == UNREAD else name or ""


def _unread_table(heads: Sequence[SheetHead], said: Corrections) -> list[ShownTable]:
    """Return the columns of a row that was said to be the header, though none names firms yet."""
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
        values = [shown(row[at] or "", _LONGEST) if at < len(row) else "" for row in below]
        columns.append(
            ShownColumn(
                letters(at), cell or "", None if personal else COLUMN + key, _chosen(said, key),
                None if personal else meaning, personal,
                ["…"] * len(values) if personal else values,
            )
        )  # fmt: skip
    return [ShownTable(head.sheet, said.row, numbers, columns)]
