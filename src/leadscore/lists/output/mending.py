"""Writes rows that had problems as they stood, each beside what is wrong, to be mended."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from leadscore.lists.output.workbook import MAX_CELL

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LONGEST_TITLE = 31
_WIDTH, _WIDEST = 16, 60


@dataclass(frozen=True)
class SheetToMend:
    """Rows of one sheet.

    Attributes
    ----------
    title
        Name of the sheet.
    headers
        As written.
    rows
        Cells as written, missing ones among them.
    """

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str | None]]


def write_rows_to_mend(sheets: Sequence[SheetToMend], path: Path) -> None:
    """Write a workbook in which all cells are text, so that codes keep their digits."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        xlsxwriter.Workbook(path, _OPTIONS | {"tmpdir": folder}) as workbook,
    ):
        bold = workbook.add_format({"bold": True, "bottom": 1})
        as_text = workbook.add_format({"num_format": "@"})
        titles: set[str] = set()
        for sheet in sheets:
            page = workbook.add_worksheet(_title(sheet.title, titles))
            page.freeze_panes(1, 0)
            last = len(sheet.headers) - 1
            page.set_column(0, last, _WIDTH, as_text)
            page.set_column(last, last, _WIDEST, as_text)
            for at, header in enumerate(sheet.headers):
                page.write_string(0, at, _cell(header), bold)
            for number, row in enumerate(sheet.rows, start=1):
                for at, cell in enumerate(row):
                    if cell:
                        page.write_string(number, at, _cell(cell), as_text)


def _title(wanted: str, taken: set[str]) -> str:
    """Return a name that a sheet may have and none has yet."""
    plain = _NOT_IN_TITLES.sub(" ", wanted).strip("' ")[:_LONGEST_TITLE] or "1"
    title, number = plain, 1
    while title.casefold() in taken:
        number += 1
        ending = f" {number}"
        title = plain[: _LONGEST_TITLE - len(ending)] + ending
    taken.add(title.casefold())
    return title


def _cell(text: str) -> str:
    return _UNREADABLE.sub("", text)[: MAX_CELL // 2]
