"""Workbooks of a paper: a sheet for each section, values as numbers, charts that Excel draws."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from leadscore import numbers
from leadscore.lists.writing import STREAMED, replacing
from leadscore.report.paper import Cell, Chart, Figure, Figures, Lines, Paper, Section, Table
from leadscore.report.wording import harmless

_FORMATS = {
    "likelihood": numbers.LIKELIHOOD_IN_EXCEL, "share": numbers.SHARE_IN_EXCEL, "count": "#,##0",
    "points": "+0.0;-0.0;0.0", "tenths": "#,##0.0", "day": "yyyy-mm-dd",
}  # fmt: skip
_WIDTH = 90  # characters of a whole line
_CHART_ROWS, _CHART_PIXELS_A_ROW, _CHART_WIDTH = 14, 20, 620
_PATTERNS = ("#1F4E79", "#9DC3E6", "#F4B183")  # dark, light and warm: told apart in grey, too
_LONGEST_NAME = 31
_LEAST_DRAWN = 3  # rows from which a picture says more than the table


def write_workbook(paper: Paper, path: Path, *, now: datetime) -> None:
    """Write a paper as .xlsx; raises `OutputError` if it can't be written."""
    options = STREAMED | {"constant_memory": False, "in_memory": True}
    with replacing(path) as handle, xlsxwriter.Workbook(handle, options) as workbook:
        workbook.set_properties({
            "title": harmless(paper.title), "author": "leadscore",
            "created": now.replace(tzinfo=None),
        })  # fmt: skip
        taken: set[str] = set()
        for section in paper.sections:
            _Sheet(workbook, paper, section, _name(section.heading, taken)).write()


def _name(heading: str, taken: set[str]) -> str:
    # No two sheets have one name, whatever its case.
    plain = re.sub(r"[\[\]:*?/\\']", " ", harmless(heading)).strip()[:_LONGEST_NAME] or "-"
    name, number = plain, 2
    while name.casefold() in taken:
        ending = f" {number}"
        name, number = plain[: _LONGEST_NAME - len(ending)] + ending, number + 1
    taken.add(name.casefold())
    return name


class _Sheet:
    # A section from its title down to where it comes from.
    def __init__(self, workbook: Any, paper: Paper, section: Section, name: str) -> None:
        self._workbook, self._paper, self._section = workbook, paper, section
        self._sheet, self._name, self._row = workbook.add_worksheet(name), name, 0
        wrap = {"text_wrap": True, "valign": "top"}
        self._title = workbook.add_format({"bold": True, "font_size": 14})
        self._small = workbook.add_format({"font_color": "#444444"})
        self._bold = workbook.add_format({"bold": True})
        self._head = workbook.add_format(wrap | {"bold": True, "bg_color": "#F2F2F2", "bottom": 1})
        self._text = workbook.add_format(wrap)
        self._formats = {
            kind: workbook.add_format({"num_format": form, "valign": "top"})
            for kind, form in _FORMATS.items()
        }

    def write(self) -> None:
        self._line(self._section.heading, self._title)
        self._line(f"{self._paper.title} · {self._paper.lead}", self._small)
        for block in self._section.blocks:
            self._row += 1
            match block:
                case Table():
                    self._table(block)
                case Lines(texts):
                    for text in texts:
                        self._line(text)
                case Figures(entries):
                    for name, value, small in entries:
                        self._sheet.write_string(self._row, 0, harmless(name), self._bold)
                        self._sheet.write_string(self._row, 1, harmless(f"{value} {small}".strip()))
                        self._row += 1
        if self._section.source:
            self._row += 1
            self._line(self._section.source, self._small)
        tables = [block for block in self._section.blocks if isinstance(block, Table)]
        for table in tables[:1]:
            whole = sum(table.widths)
            for place, part in enumerate(table.widths):
                self._sheet.set_column(place, place, max(9, _WIDTH * part / whole))
        self._sheet.set_landscape()
        self._sheet.set_paper(9)
        self._sheet.fit_to_pages(1, 0)
        self._sheet.set_footer("&C&P / &N")

    def _line(self, text: str, form: Any = None) -> None:
        self._sheet.write_string(self._row, 0, harmless(text), form)
        self._row += 1

    def _table(self, table: Table) -> None:
        if table.caption:
            self._line(table.caption, self._bold)
        head = self._row
        for place, header in enumerate(table.headers):
            self._sheet.write_string(head, place, harmless(header), self._head)
        for number, cells in enumerate(table.rows, head + 1):
            for place, cell in enumerate(cells):
                self._cell(number, place, cell)
        self._row = head + 1 + len(table.rows)
        if table.chart and len(table.rows) >= _LEAST_DRAWN:
            self._draw(table, table.chart, head)
            self._row = max(self._row, head + self._chart_rows(table) + 1)

    @staticmethod
    def _chart_rows(table: Table) -> int:
        return max(_CHART_ROWS, len(table.rows) + 4)

    def _cell(self, row: int, place: int, cell: Cell) -> None:
        if isinstance(cell, str):
            self._sheet.write_string(row, place, harmless(cell), self._text)
        elif cell.value is None:
            self._sheet.write_blank(row, place, None, self._text)
        elif cell.kind == "day":
            self._sheet.write_datetime(row, place, cell.value, self._formats["day"])
        else:
            self._sheet.write_number(row, place, cell.value, self._formats[cell.kind])

    def _draw(self, table: Table, chart: Chart, head: int) -> None:
        stacked = chart.kind == "stacked"
        kind = {"type": "bar", "subtype": "stacked"} if stacked else {"type": "column"}
        drawn = self._workbook.add_chart(kind)
        last = head + len(table.rows)
        for number, place in enumerate(chart.columns):
            drawn.add_series({
                "name": [self._name, head, place],
                "categories": [self._name, head + 1, 0, last, 0],
                "values": [self._name, head + 1, place, last, place],
                "fill": {"color": _PATTERNS[number]}, "gap": 40,
            })  # fmt: skip
        title = harmless(table.caption or self._section.heading)
        drawn.set_title({"name": title, "name_font": {"size": 11}})
        first = table.rows[0][chart.columns[0]]
        form = "0%" if isinstance(first, Figure) and first.kind == "share" else "0"
        if stacked:  # the first segment on top, as in the table
            drawn.set_y_axis({"reverse": True, "interval_unit": 1})
            drawn.set_x_axis({"min": 0, "max": 1, "num_format": form})
        else:
            drawn.set_x_axis({"interval_unit": 1})
            drawn.set_y_axis({"min": 0, "num_format": form})
            drawn.set_legend({"none": True})
        drawn.set_size(
            {"width": _CHART_WIDTH, "height": self._chart_rows(table) * _CHART_PIXELS_A_ROW}
        )
        self._sheet.insert_chart(head, len(table.headers) + 1, drawn)
