"""Run as a script in a child process: prints the cells of a workbook, or dies."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum
from python_calamine import SheetVisibleEnum as Visible

BATCH_ROWS = 1_000
MOST_COLUMNS = 16_384  # of any sheet: XFD is the last
OUT_OF_MEMORY = 3

_P = rb"(?:\w+:)?"
_HIDDEN_ROW = re.compile(rb"<" + _P + rb'row\b[^>]*\bhidden="(?:1|true)"')
_ERROR_CELL = re.compile(
    rb"<" + _P + rb'c\b([^>]*\bt="e"[^>]*)>.*?<' + _P + rb"v>([^<]*)<", re.DOTALL
)
_NO_VALUE = re.compile(
    rb"<%bc\b([^>]*)>\s*<%bf\b(?:[^>]*/>|[^>]*>[^<]*</%bf>)\s*"
    rb"(?:<%bv\s*/>|<%bv>\s*</%bv>)?\s*</%bc>" % ((_P,) * 7)
)
_SHARED = re.compile(rb't="s"[^>]*>\s*<' + _P + rb"v>\s*([0-9]{1,9})")
_SHARED_END = re.compile(rb"</" + _P + rb"si>")
# The parser takes small letters, single quotes and columns that no spreadsheet has, too.
_ADDRESS = re.compile(rb'\br\s*=\s*["\']([A-Za-z]{0,9})([0-9]{1,10})["\']')
_FAR = re.compile(rb'\br\s*=\s*["\'](?:[A-Za-z]*[0-9]{5}|[A-Za-z]{3})')

Issue = tuple[int, int, str, str]


def main(
    path: str, memory: int, seconds: int, most_cells: int, most_text: int, most_rows: int, head: int
) -> None:
    """Print the workbook, or the error that it meets."""
    _limit(memory, seconds)
    try:
        print_workbook(path, most_cells, most_text, most_rows, head)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (CalamineError, OSError, zipfile.BadZipFile) as fault:
        _say(error="damaged", sheet=None, found=str(fault))
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":
            raise
        _say(error="damaged", sheet=None, found="panic")


def _limit(memory: int, seconds: int) -> None:
    # A crash must leave no dump of the list.
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not there on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def _say(**message: Any) -> None:
    line = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.buffer.write(line.encode() + b"\n")


def print_workbook(path: str, most_cells: int, most_text: int, most_rows: int, head: int) -> None:
    """Print every visible sheet, up to the first that is too large."""
    with CalamineWorkbook.from_path(path) as book, zipfile.ZipFile(path) as package:
        sheets = [meta for meta in book.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
        shown = [meta.name for meta in sheets if meta.visible == Visible.Visible]
        _say(hidden=[meta.name for meta in sheets if meta.name not in shown])
        parts = sheet_parts(package)
        lengths = shared_lengths(package)
        for name in shown:
            xml = package.read(parts[name]) if name in parts else b""
            last = last_cell(xml, most_cells)
            if last:
                _say(error="span", sheet=name, found=last)
                return
            text = shared_text(xml, lengths)
            if text > most_text:
                _say(error="text", sheet=name, found=f"{text:,} B")
                return
            issues = list(damage(xml))
            hidden_rows = len(_HIDDEN_ROW.findall(xml)) if b"hidden=" in xml else 0
            del xml
            sheet = book.get_sheet_by_name(name)
            _print_sheet(sheet, name, issues, hidden_rows, most_rows, head)


def _print_sheet(
    sheet: CalamineSheet, name: str, issues: list[Issue], hidden_rows: int, most_rows: int,
    head: int,
) -> None:  # fmt: skip
    left = sheet.start[1] if sheet.start else 0
    width = sheet.end[1] + 1 if sheet.end else 0
    merges = sheet.merged_cell_ranges or []
    _say(begin=name, width=width, merges=merges, hidden_rows=hidden_rows)
    rows: list[int] = []
    cells: list[list[str | None]] = []
    printed = unread = last = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        if printed >= head:
            unread += any(value != "" for value in row)
            if unread > most_rows:
                break  # nobody wants to know how many more
            continue
        while row and row[-1] == "":
            row.pop()
        if not row:
            continue
        texts: list[str | None] = [None] * left
        for at, value in enumerate(row, left):
            if type(value) is str:
                texts.append(value or None)
                continue
            text, damaged = text_of(value)
            if damaged:
                issues.append((number, at, "damaged_number", text))
            texts.append(None if damaged else text)
        rows.append(number)
        cells.append(texts)
        printed, last = printed + 1, number
        if len(rows) == BATCH_ROWS:
            _say(rows=rows, cells=cells)
            rows, cells = [], []
    _say(rows=rows, cells=cells)
    _say(issues=[issue for issue in issues if issue[0] <= last or not unread], unread=unread)


def text_of(value: object) -> tuple[str, bool]:
    """Return a cell's value as text, and whether it is a number that has lost digits.

    >>> text_of(42.0), text_of(0.1 + 0.2), text_of(True)
    (('42', False), ('0.3', False), ('是', False))
    >>> text_of(913607270000000123.0)
    ('913607270000000000', True)
    >>> text_of(dt.datetime(2016, 11, 30)), text_of(dt.timedelta(hours=36))
    (('2016-11-30', False), ('36:00:00', False))
    """
    if isinstance(value, bool):
        return ("是" if value else "否"), False
    if isinstance(value, int | float):
        if abs(value) >= 1e15:  # a spreadsheet keeps 15 significant digits
            return f"{Decimal(f'{value:.15g}'):f}", True
        return (str(int(value)) if value == int(value) else f"{value:.15g}"), False
    if isinstance(value, dt.datetime):
        whole = (value + dt.timedelta(milliseconds=500)).replace(microsecond=0)
        midnight = whole.time() == dt.time()
        return (whole.date().isoformat() if midnight else whole.isoformat(sep=" ")), False
    if isinstance(value, dt.date):
        return value.isoformat(), False
    if isinstance(value, dt.time):
        return value.isoformat("seconds"), False
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}", False
    return str(value), False


def sheet_parts(package: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of the package that holds each sheet; empty if that can't be told."""
    try:
        book = ElementTree.fromstring(package.read("xl/workbook.xml"))  # noqa: S314 (no DTD, checked)
        links = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (KeyError, ElementTree.ParseError):
        return {}
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    parts = {}
    for sheet in book.iterfind("{*}sheets/{*}sheet"):
        link_id = next((value for key, value in sheet.items() if key.endswith("}id")), None)
        target = targets.get(link_id, "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in package.NameToInfo:
            parts[sheet.get("name", "")] = part
    return parts


def last_cell(xml: bytes, most_cells: int) -> str | None:
    """Return the last cell of a sheet if it spans more cells than allowed, else None.

    The parser takes memory for every cell between the first and the last, filled or not.
    """
    if not _FAR.search(xml):
        return None  # columns of up to two letters, rows of up to four digits
    columns: dict[bytes, int] = {}
    for address in _ADDRESS.finditer(xml):
        letters, row = address[1].upper(), int(address[2])
        if row > columns.get(letters, 0):
            columns[letters] = row
    if not columns:
        return None
    widest, height = max(columns, key=_number), max(columns.values())
    far = _number(widest) > MOST_COLUMNS or _number(widest) * height > most_cells
    return f"{widest.decode()}{height}" if far else None


def shared_lengths(package: zipfile.ZipFile) -> list[int]:
    """Return the bytes of each text that cells share; empty if there are none."""
    if "xl/sharedStrings.xml" not in package.NameToInfo:
        return []
    xml = package.read("xl/sharedStrings.xml")
    return [len(text) for text in _SHARED_END.split(xml)]


def shared_text(xml: bytes, lengths: list[int]) -> int:
    """Return the bytes that the shared texts of a sheet take once every cell has its own."""
    if not lengths or max(lengths) * xml.count(b't="s"') < 1 << 28:
        return 0  # far from any limit
    last = len(lengths) - 1
    return sum(lengths[min(int(at), last)] for at in _SHARED.findall(xml))


def damage(xml: bytes) -> Iterator[Issue]:
    """Yield the cells that hold an error, or a formula whose value was never computed."""
    if b't="e"' in xml:
        for cell in _ERROR_CELL.finditer(xml):
            yield *_place(cell[1]), "error_cell", cell[2].decode(errors="replace")
    if b"<f" in xml or b":f" in xml:
        for cell in _NO_VALUE.finditer(xml):
            if b't="str"' not in cell[1]:  # an empty text is a value
                yield *_place(cell[1]), "formula_without_value", "="


def _place(attributes: bytes) -> tuple[int, int]:
    address = _ADDRESS.search(attributes)
    return (int(address[2]), _number(address[1]) - 1) if address else (0, -1)


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:8]))
