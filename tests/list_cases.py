"""Writes the files of the reported cases anew: text in any encoding, workbooks and their parts."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import openpyxl

TODAY = date(2026, 11, 30)
NAME, OTHER, THIRD = "鹤湖光学有限公司", "柳塘电池有限公司", "桐山屏幕有限公司"
CODE, OTHER_CODE = "91440101MA9XTXT79R", "91320214MA1XTXT799"

Rows = Sequence[Sequence[Any]]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DATED_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="31" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>"
)
"""Style 1 is the built-in format 31, which only a Chinese Excel shows as year, month and day."""


def raw_file(folder: Path, content: bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def csv_file(folder: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return raw_file(folder, text.getvalue().encode(encoding))


def book(
    folder: Path, *sheets: Rows, merge: Sequence[str] = (), formats: Mapping[str, str] | None = None
) -> Path:
    """Write a workbook of sheets; merged cells and number formats are those of the first."""
    workbook = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = workbook.worksheets[0] if not number else workbook.create_sheet()
        for row in rows:
            sheet.append(list(row))
    first = workbook.worksheets[0]
    for cells in merge:
        first.merge_cells(cells)
    for cell, code in (formats or {}).items():
        first[cell].number_format = code
    path = folder / "list.xlsx"
    workbook.save(path)
    return path


def parts(
    folder: Path, sheet: str, *, shared: str = "", more: str = "", prefix: str = "",
    dated: bool = False,
) -> Path:  # fmt: skip
    """Write a workbook by its parts, so that the sheet is as some program writes it."""
    path = book(folder, [["企业名称"]])
    with zipfile.ZipFile(path) as written:
        content = {name: written.read(name) for name in written.namelist()}
    mark = f":{prefix[:-1]}" if prefix else ""
    content["xl/worksheets/sheet1.xml"] = (
        f'<{prefix}worksheet xmlns{mark}="{_MAIN}">{more}<{prefix}sheetData>{sheet}'
        f"</{prefix}sheetData></{prefix}worksheet>"
    ).encode()
    if shared:
        content["xl/sharedStrings.xml"] = f'<sst xmlns="{_MAIN}">{shared}</sst>'.encode()
    if dated:
        content["xl/styles.xml"] = _DATED_STYLES.encode()
    with zipfile.ZipFile(path, "w") as package:
        for name, data in content.items():
            package.writestr(name, data)
    return path


def text_cell(value: str, place: str = "") -> str:
    at = f' r="{place}"' if place else ""
    return f'<c{at} t="inlineStr"><is><t>{value}</t></is></c>'


def case_ids(module: ModuleType) -> Iterator[str]:
    """Yield the ids of cases as pytest shows them: in the names of tests, and as parameters."""
    for name, test in vars(module).items():
        if not (name.startswith("test_") and callable(test)):
            continue
        shown = [name.removeprefix("test_")]
        for mark in getattr(test, "pytestmark", ()):
            if mark.name == "parametrize":
                shown += mark.kwargs.get("ids") or [
                    getattr(one, "id", None) for one in mark.args[1]
                ]
        for words in filter(None, shown):
            yield from re.findall(r"(?<![a-z])[a-z]+\d\d(?![0-9])", words)
