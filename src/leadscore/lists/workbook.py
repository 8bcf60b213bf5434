"""The columns of a written ranking, and the workbook that people open."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal, get_args

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from leadscore.errors import OutputError
from leadscore.numbers import LIKELIHOOD_IN_EXCEL, SHARE_IN_EXCEL
from leadscore.terminal import display_width
from leadscore.text import Lang, Text, room_words

WORDS = room_words("lists")


Kind = Literal["text", "count", "fraction", "likelihood"]
"""Whole numbers are counts; a likelihood is a fraction (0..1) that is never quite 0 or 1."""

UNITS = {kind: WORDS[f"workbook.units.{kind}"] for kind in get_args(Kind)}
"""The unit of each kind of column, in words."""


@dataclass(frozen=True, slots=True)
class ColumnExplanation:
    """What one written column holds: its name in CSV and Parquet, its header in a workbook.

    The meaning tells what an empty cell means, too; the span which values may stand there.
    """

    column: str
    kind: Kind
    header: Text
    meaning: Text
    span: Text


_SPANS: dict[str, Text] = {
    "text": WORDS["workbook.spans.text"],
    "count": WORDS["workbook.spans.count"],
    "fraction": WORDS["workbook.spans.fraction"],
    "likelihood": WORDS["workbook.spans.fraction"],
}
_ROLES = ("maker", "equipment", "materials", "design", "integration", "trade", "service")


_KINDS: dict[str, Kind] = {
    "rank": "count", "row": "count",
    "priority": "likelihood", "fit": "fraction", "likelihood": "likelihood",
}  # fmt: skip


def _explain(table: str, column: str) -> ColumnExplanation:
    key, kind = f"{table}.{column}", _KINDS.get(column, "text")
    span = WORDS.get(f"workbook.{key}.span", _SPANS[kind])
    if column == "role":
        span = Text(zh="、".join(_ROLES), en=", ".join(_ROLES))
    header, meaning = WORDS[f"workbook.{key}.header"], WORDS[f"workbook.{key}.meaning"]
    return ColumnExplanation(column, kind, header, meaning, span)


RANKING_COLUMNS = tuple(
    _explain("ranking", name)
    for name in (
        "rank", "name", "credit_code", "grade", "priority", "likelihood", "fit", "segment", "role",
        "reasons", "veto", "segments", "row", "model", "segment_name", "role_name",
        "matched_words", "province", "city", "sheet", "stage",
    )
)  # fmt: skip
"""Every column that a written ranking may have."""

PROBLEM_COLUMNS = tuple(
    _explain("problems", name)
    for name in ("row", "sheet", "column", "found", "wanted", "code", "set_aside")
)
"""The columns of a written list of problems."""

GUIDE_COLUMNS = tuple(
    ColumnExplanation(name, "text", WORDS[f"workbook.guide.{name}"], Text("", ""), Text("", ""))
    for name in ("where", "header", "column", "meaning", "unit", "span")
)
"""The headers of the explanations themselves."""

MAX_ROWS = 1_048_576
"""Rows of a sheet, its header among them: Excel's own limit."""

MAX_CELL = 32_767
"""Longest text of a cell in UTF-16 units: Excel's own limit."""

STREAMED = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
"""Options of a workbook that is written row by row and in which texts stay texts."""

_BLOCK = 10_000
_WIDEST = 70
_ARROW = 3
_A4 = 9
_SAMPLE = 200
_LINE_POINTS = 15
_MOST_LINES = 12
# Characters that take two columns, and so wrap twice as early.
_WIDE = (
    r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f"
    r"\uff00-\uff60\uffe0-\uffe6]"
)
_PER_CENT = {"fraction": SHARE_IN_EXCEL, "likelihood": LIKELIHOOD_IN_EXCEL}
_BAR = {
    "type": "data_bar", "bar_solid": True, "bar_color": "#9DC3E6",
    "min_type": "num", "min_value": 0, "max_type": "num", "max_value": 1,
}  # fmt: skip
_MIDDLE: dict[str, object] = {"valign": "vcenter"}
_GREY = {"font_color": "#808080", "italic": True}
_HEADER = {"bold": True, "bg_color": "#D9D9D9", "bottom": 1, "text_wrap": True, "valign": "vcenter"}
# From dark to light, so that the order shows in print and to the colour-blind; the letter stays.
_GRADES: dict[str, dict[str, object]] = {
    "A": {"bold": True, "bg_color": "#1B5E20", "font_color": "#FFFFFF"},
    "B": {"bold": True, "bg_color": "#66BB6A"},
    "C": {"bg_color": "#C8E6C9"},
    "D": {},
}


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook.

    Attributes
    ----------
    table
        Text columns (``str``) and numbers; missing values become empty cells. No text may hold
        control characters other than tab and line feed.
    columns
        Explanations, from which headers and number formats are taken; a column without one keeps
        its name.
    above
        Labels with their values, written over the table.
    frozen
        Columns at the left that stay in sight.
    printed
        Columns at the left that are printed; all if 0.
    greyed_by
        Column whose filled cells grey their row; none if empty.
    """

    title: Text
    table: pd.DataFrame
    columns: Sequence[ColumnExplanation]
    above: Sequence[tuple[str, str]] = ()
    frozen: int = 0
    printed: int = 0
    greyed_by: str = ""

    @property
    def header_row(self) -> int:
        """Row of the headers, counted from 0."""
        return len(self.above) + 1 if self.above else 0

    @property
    def last_row(self) -> int:
        """Last row that is written, counted from 0."""
        return self.header_row + len(self.table)


def write_workbook(handle: IO[bytes], sheets: Sequence[Sheet], *, lang: Lang) -> None:
    """Write sheets row by row, so that memory does not grow with their length.

    Raises
    ------
    OutputError
        If a table has more rows than a sheet can hold.
    OSError
        If the disk refuses.
    """
    for sheet in sheets:
        if sheet.last_row >= MAX_ROWS:
            raise OutputError(
                WORDS["workbook.too_long"].format(rows=len(sheet.table), limit=MAX_ROWS - 1)
            )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workbook = xlsxwriter.Workbook(handle, STREAMED | {"tmpdir": folder})
        try:
            for sheet in sheets:
                _SheetWriter(workbook, sheet, lang).write()
            workbook.close()
        except FileCreateError as error:
            raise error.args[0] from error
        finally:
            # A failure leaves the row files open, which Windows then can't delete.
            for worksheet in workbook.worksheets():
                with contextlib.suppress(OSError):
                    worksheet.row_data_fh.close()


class _SheetWriter:
    """Writes one sheet from its first row to its last, as ``constant_memory`` wants it."""

    def __init__(self, workbook: Any, sheet: Sheet, lang: Lang) -> None:
        self._workbook, self._sheet, self._lang = workbook, sheet, lang
        self._worksheet = workbook.add_worksheet(sheet.title.pick(lang))
        explained = {column.column: column for column in sheet.columns}
        self._names: list[str] = list(sheet.table.columns)
        known = [explained.get(name) for name in self._names]
        self._kinds = [column.kind if column else "" for column in known]
        self._headers = [
            column.header.pick(lang) if column else name
            for name, column in zip(self._names, known, strict=True)
        ]
        self._widths = [
            _fitted_width(sheet.table[name], header)
            for name, header in zip(self._names, self._headers, strict=True)
        ]
        self._grades = {
            grade: workbook.add_format(_MIDDLE | {"align": "center"} | look)
            for grade, look in _GRADES.items()
        }

    def write(self) -> None:
        """Write what stands above, the headers, the cells, and what Excel shall do with them."""
        label_format = self._workbook.add_format(_MIDDLE | {"bold": True})
        for row, (label, value) in enumerate(self._sheet.above):
            self._worksheet.write_string(row, 0, label, label_format)
            self._write_text(row, 1, value, None)
        header = self._workbook.add_format(_HEADER)
        for column, text in enumerate(self._headers):
            self._worksheet.write_string(self._sheet.header_row, column, text, header)
        self._write_cells()
        self._set_columns()
        self._set_page()

    def _write_cells(self) -> None:
        """Write the table; a loop over cells, for that is how a workbook is streamed."""
        table, first = self._sheet.table, self._sheet.header_row + 1
        plain, grey = self._formats({}), self._formats(_GREY)
        texts = [isinstance(dtype, pd.StringDtype) for dtype in table.dtypes]
        greyed_by = self._position(self._sheet.greyed_by)
        grade_at = self._position("grade")
        rows = zip(_rows(table, WORDS["workbook.cut"].pick(self._lang)), self._lines(), strict=True)
        for row, (values, lines) in enumerate(rows, start=first):
            if lines > 1:
                self._worksheet.set_row(row, _LINE_POINTS * lines)
            greyed = greyed_by is not None and values[greyed_by] is not None
            for column, value in enumerate(values):
                if value is None:
                    continue
                look = (grey if greyed else plain)[column]
                if column == grade_at and not greyed:
                    look = self._grades.get(value, look)
                if texts[column]:
                    self._write_text(row, column, value, look)
                else:
                    self._worksheet.write_number(row, column, value, look)

    def _lines(self) -> Iterator[int]:
        """Yield how many lines each row needs: not every program measures wrapped text itself."""
        wrapped = [n for n, w in zip(self._names, self._widths, strict=True) if w > _WIDEST]
        for start in range(0, len(self._sheet.table), _BLOCK):
            block = self._sheet.table.iloc[start : start + _BLOCK]
            lines = np.ones(len(block), dtype=np.int64)
            for name in wrapped:
                text = block[name].fillna("")
                columns = (text.str.len() + text.str.count(_WIDE)).to_numpy(dtype=np.int64)
                breaks = text.str.count("\n").to_numpy(dtype=np.int64)
                np.maximum(lines, -(-columns // (_WIDEST - 4)) + breaks, out=lines)
            yield from np.minimum(lines, _MOST_LINES).tolist()

    def _write_text(self, row: int, column: int, text: str, look: Any) -> None:
        # XlsxWriter takes a text between these tags for its own markup and writes it unescaped.
        if text.startswith("<r>") and text.endswith("</r>"):
            self._worksheet.write_rich_string(row, column, text[:1], text[1:-1], text[-1:], look)
        else:
            self._worksheet.write_string(row, column, text, look)

    def _position(self, name: str) -> int | None:
        return self._names.index(name) if name in self._names else None

    def _formats(self, look: dict[str, Any]) -> list[Any]:
        """Return one format a column; made once, as looking them up by cell is slow."""
        formats = []
        for name, width, kind in zip(self._names, self._widths, self._kinds, strict=True):
            own: dict[str, Any] = {"indent": 1}
            if not isinstance(self._sheet.table[name].dtype, pd.StringDtype):
                shape = _PER_CENT.get(kind)
                own = {"num_format": shape} if shape else {"align": "center"}
            wraps = {"text_wrap": True} if width > _WIDEST else {}
            formats.append(self._workbook.add_format(_MIDDLE | look | own | wraps))
        return formats

    def _set_columns(self) -> None:
        sheet, worksheet = self._sheet, self._worksheet
        for column, width in enumerate(self._widths):
            worksheet.set_column(column, column, min(width, _WIDEST) + 2)
        last = len(self._names) - 1
        worksheet.autofilter(sheet.header_row, 0, sheet.last_row, last)
        worksheet.freeze_panes(sheet.header_row + 1, sheet.frozen)
        # Credit codes of digits only are meant to be text; no green corners.
        worksheet.ignore_errors(
            {"number_stored_as_text": f"A1:{xlsxwriter.utility.xl_col_to_name(last)}{MAX_ROWS}"}
        )
        first = sheet.header_row + 1
        for column, kind in enumerate(self._kinds):
            if kind in _PER_CENT:
                worksheet.conditional_format(
                    first, column, max(sheet.last_row, first), column, _BAR
                )

    def _set_page(self) -> None:
        sheet, worksheet = self._sheet, self._worksheet
        worksheet.set_landscape()
        worksheet.set_paper(_A4)
        worksheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        worksheet.fit_to_pages(1, 0)
        worksheet.repeat_rows(sheet.header_row)
        worksheet.set_footer(f"&C{WORDS['workbook.page'].pick(self._lang)}")
        if sheet.printed:
            worksheet.print_area(0, 0, sheet.last_row, sheet.printed - 1)


def _rows(table: pd.DataFrame, mark: str) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(table), _BLOCK):
        block = table.iloc[start : start + _BLOCK]
        yield from zip(*(_values(block[name], mark) for name in block), strict=True)


def _values(column: pd.Series, mark: str) -> list[Any]:
    if isinstance(column.dtype, pd.StringDtype):
        # A character is one or two units: what is half as long fits whatever it is made of.
        if (column.str.len() > MAX_CELL // 2).any():
            column = column.map(lambda text: _cut_cell(text, mark), na_action="ignore")
    elif pd.api.types.is_float_dtype(column.dtype):
        column = column.where(column.abs() < float("inf"))
    return column.astype("object").where(column.notna() & column.ne(""), None).tolist()


def _cut_cell(text: str, mark: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MAX_CELL:
        return text
    # A pair that the cut splits is dropped whole.
    return units[: 2 * (MAX_CELL - len(mark))].decode("utf-16-le", "ignore") + mark


def _fitted_width(column: pd.Series, header: str) -> int:
    """Return the width of the widest text; numbers are narrower than their headers."""
    width = display_width(header) + _ARROW
    if not isinstance(column.dtype, pd.StringDtype):
        return max(width, 9)
    # The widest text is among the longest; measuring them all would take longer than writing them.
    longest = column.loc[column.str.len().nlargest(_SAMPLE).index].dropna()
    lines = longest.str.slice(0, 2 * _WIDEST).str.split("\n").explode()
    return max([width, *map(display_width, lines)])
