"""Run as a script in a child process: prints the cells of an .ods workbook, or dies."""

from __future__ import annotations

import os
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    from .excel_child import BATCH_ROWS, MOST_COLUMNS, OUT_OF_MEMORY, Issue, limit, say, say_end
    from .number_formats import text_of, without_signs
else:  # last, so that no module of this folder hides one of Python
    sys.path.append(str(Path(__file__).parent))
    from excel_child import BATCH_ROWS, MOST_COLUMNS, OUT_OF_MEMORY, Issue, limit, say, say_end
    from number_formats import text_of, without_signs

_NAMES = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_TABLE, _OFFICE, _TEXT, _STYLE = (_NAMES % one for one in ("table", "office", "text", "style"))
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_SHOWN = re.compile(r"(\D*?)(\d[\d,]*(?:\.\d+)?|\.\d+)(\D*)")
_TIME = re.compile(r"(-?)PT(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.\d+)?S)?")

Merge = tuple[tuple[int, int], tuple[int, int]]


def main(
    path: str, memory: int, seconds: int, most_cells: int, most_text: int, most_rows: int, head: int
) -> None:
    """Print the workbook, or the error that it meets."""
    limit(memory, seconds)
    try:
        print_workbook(path, most_cells, most_text, most_rows, head)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (
        ElementTree.ParseError,
        OSError,
        zipfile.BadZipFile,
        LookupError,
        ValueError,
        RecursionError,
    ) as fault:
        say(error="damaged", sheet=None, found=str(fault)[:200])


def print_workbook(path: str, most_cells: int, most_text: int, most_rows: int, head: int) -> None:
    """Print every visible sheet, up to the first that is too large."""
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
        manifest = "META-INF/manifest.xml"
        locked = manifest in names and b"encryption-data" in package.read(manifest)
        if locked or "encrypted-package" in names:
            say(error="protected", sheet=None, found="encrypted")
            return
        hidden: list[str] = []
        sheets: list[_Sheet] = []
        with package.open("content.xml") as stream:
            for sheet in _sheets(stream, most_cells, most_text, most_rows, head):
                if sheet.error:
                    say(error=sheet.error[0], sheet=sheet.name, found=sheet.error[1])
                    return
                if sheet.is_hidden:
                    hidden.append(sheet.name)
                else:
                    sheets.append(sheet)
    if not (hidden or sheets):
        say(error="other", sheet=None, found=".odt")
        return
    say(hidden=hidden)
    for sheet in sheets:
        sheet.print()


class _Sheet:
    def __init__(self, name: str, *, is_hidden: bool) -> None:
        self.name, self.is_hidden = name, is_hidden
        self.error: tuple[str, str] | None = None
        self.rows: list[int] = []
        self.cells: list[list[str | None]] = []
        self.merges: list[Merge] = []
        self.issues: list[Issue] = []
        self.hidden_rows = self.unread = self.number = 0

    def print(self) -> None:
        width = max(map(len, self.cells), default=0)
        say(begin=self.name, width=width, merges=self.merges, hidden_rows=self.hidden_rows)
        for at in range(0, len(self.rows), BATCH_ROWS):
            say(rows=self.rows[at : at + BATCH_ROWS], cells=self.cells[at : at + BATCH_ROWS])
        say_end(self.issues, self.rows[-1] if self.rows else 0, self.unread)


def _sheets(
    stream: IO[bytes], most_cells: int, most_text: int, most_rows: int, head: int
) -> Iterator[_Sheet]:
    invisible: set[str | None] = set()
    sheet: _Sheet | None = None
    above: list[Element] = []
    size = [0, 0]  # cells and characters so far
    for event, element in ElementTree.iterparse(stream, ("start", "end")):  # noqa: S314 (no DTD, checked)
        if event == "start":
            above.append(element)
            if element.tag == f"{_TABLE}table" and sheet is None:
                style = element.get(f"{_TABLE}style-name")
                sheet = _Sheet(element.get(f"{_TABLE}name", ""), is_hidden=style in invisible)
            continue
        above.pop()
        if element.tag == f"{_STYLE}style" and _hides(element):
            invisible.add(element.get(f"{_STYLE}name"))
        elif sheet and element.tag == f"{_TABLE}table-row":
            if not sheet.is_hidden and sheet.error is None:
                _add(sheet, element, size, (most_cells, most_text), most_rows, head)
            del above[-1][:]
        elif sheet and element.tag == f"{_TABLE}table" and len(above) == _DEPTH:
            yield sheet
            sheet = None
            element.clear()


def _hides(style: Element) -> bool:
    looks = style.find(f"{_STYLE}table-properties")
    return looks is not None and looks.get(f"{_TABLE}display") == "false"


_DEPTH = 3  # of a sheet, below document, body and spreadsheet


def _read_row(sheet: _Sheet, element: Element) -> tuple[list[str | None], int]:
    """Return the cells of a row without the empty ones at its end, and how often it stands."""
    times = _count(element, "number-rows-repeated")
    sheet.hidden_rows += element.get(f"{_TABLE}visibility", "visible") != "visible"
    row: list[str | None] = []
    column = 0
    for cell in element:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        repeated = _count(cell, "number-columns-repeated")
        covered = cell.tag != f"{_TABLE}table-cell"
        value, code = (None, None) if covered else _value(cell)
        if code:
            sheet.issues.append((sheet.number + 1, column, code, value or "="))
            value = None
        if value is not None:
            if column + repeated > MOST_COLUMNS:
                sheet.error = "span", f"{sheet.number + 1:,} x {column + repeated:,}"
                return [], times
            row += [None] * (column - len(row)) + [value] * repeated
        down, right = (_count(cell, f"number-{side}-spanned") for side in ("rows", "columns"))
        if down > 1 or right > 1:
            end = sheet.number + down - 1, column + right - 1
            sheet.merges.append(((sheet.number, column), end))
        column += repeated
    return row, times


def _count(element: Element, name: str) -> int:
    text = element.get(f"{_TABLE}{name}", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _add(
    sheet: _Sheet, element: Element, size: list[int], most: tuple[int, int], most_rows: int,
    head: int,
) -> None:  # fmt: skip
    row, times = _read_row(sheet, element)
    size[0] += len(row) * times
    size[1] += sum(len(cell) for cell in row if cell) * times
    if size[0] > most[0]:
        sheet.error = "span", f"{sheet.number + times:,} x {len(row):,}"
        return
    if size[1] > most[1]:
        sheet.error = "text", f"{size[1]:,}"
        return
    if row:
        printed = max(min(times, head - len(sheet.rows)), 0)
        sheet.rows += range(sheet.number + 1, sheet.number + 1 + printed)
        sheet.cells += [row.copy() for _ in range(printed)]
        sheet.unread = min(sheet.unread + times - printed, most_rows + 1)
    sheet.number += times


def _value(cell: Element) -> tuple[str | None, str | None]:
    """Return a cell as a person sees it, and the code of what is wrong with it."""
    kind = cell.get(f"{_OFFICE}value-type")
    shown = "\n".join(_words(line) for line in cell.findall(f"{_TEXT}p"))
    if cell.get(f"{_CALC}value-type") == "error" or (kind != "string" and shown.startswith("Err:")):
        return shown or "#", "error_cell"
    number = cell.get(f"{_OFFICE}value")
    if kind in ("float", "currency", "percentage") and number is not None:
        return _number(float(number), shown, is_percent=kind == "percentage")
    if kind == "date":
        day = cell.get(f"{_OFFICE}date-value", shown)
        return day.removesuffix("T00:00:00").replace("T", " "), None
    if kind == "time" and (parts := _TIME.fullmatch(cell.get(f"{_OFFICE}time-value", ""))):
        hours, minutes, seconds = (int(part or 0) for part in parts.groups()[1:])
        return f"{parts[1]}{hours:02}:{minutes:02}:{seconds:02}", None
    if kind == "boolean":
        return ("是" if cell.get(f"{_OFFICE}boolean-value") == "true" else "否"), None
    text = shown or cell.get(f"{_OFFICE}string-value") or None
    if text is None and kind is None and cell.get(f"{_TABLE}formula"):
        return None, "formula_without_value"
    return text, None


def _words(element: Element) -> str:
    pieces = [element.text or ""]
    for part in element:
        if part.tag == f"{_TEXT}s":
            pieces.append(" " * min(int(part.get(f"{_TEXT}c", "1")), 1_000))
        elif part.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            pieces.append("\t" if part.tag.endswith("tab") else "\n")
        elif part.tag not in (f"{_OFFICE}annotation", f"{_TEXT}ruby-text"):
            pieces.append(_words(part))
        pieces.append(part.tail or "")
    return "".join(pieces)


def _number(value: float, shown: str, *, is_percent: bool) -> tuple[str | None, str | None]:
    """Return a number with what is shown around it; it may be shown in thousands or the like."""
    plain, damaged = text_of(value)
    if damaged:
        return plain, "damaged_number"
    if is_percent:
        return f"{text_of(value * 100)[0]}%", None
    parts = _SHOWN.fullmatch(shown.strip())
    if parts is None:
        return plain, None
    digits = parts[2].replace(",", "")
    decimals = len(digits.partition(".")[2])
    scale = next((10.0**k for k in range(13) if _is_shown(value, digits, decimals, k)), None)
    if scale is None:
        return plain, None
    before, after = without_signs(parts[1]), without_signs(parts[3])
    number = text_of(abs(value) / scale)[0].zfill(len(digits) if "." not in digits else 0)
    return f"{before}{'-' if value < 0 else ''}{number}{after}", None


def _is_shown(value: float, digits: str, decimals: int, power: int) -> bool:
    return abs(abs(value) - float(digits) * 10.0**power) <= 0.5000001 * 10.0 ** (power - decimals)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:8]))
