"""The columns of a written ranking, and the workbook that people open."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal

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

UNITS: dict[Kind, Text] = {
    "text": WORDS["workbook.units_text"],
    "count": WORDS["workbook.units_count"],
    "fraction": WORDS["workbook.units_fraction"],
    "likelihood": WORDS["workbook.units_likelihood"],
}
"""The unit of each kind of column, in words."""


@dataclass(frozen=True, slots=True)
class ColumnExplanation:
    """What one written column holds.

    Attributes
    ----------
    column
        Canonical name, which is the header in CSV and Parquet.
    kind
        ``"text"``, ``"count"`` (whole numbers), ``"fraction"`` (0..1) or ``"likelihood"`` (a
        fraction that is never quite 0 or 1).
    header
        Header in a workbook.
    meaning
        What the value says, and what an empty cell means.
    span
        Which values may stand there.
    """

    column: str
    kind: Kind
    header: Text
    meaning: Text
    span: Text


def _explain(
    column: str,
    kind: Kind,
    header: tuple[str, str],
    meaning: tuple[str, str],
    span: tuple[str, str],
) -> ColumnExplanation:
    return ColumnExplanation(column, kind, Text(*header), Text(*meaning), Text(*span))


_ANY = ("任意文字", "any text")
_ZERO_TO_ONE = ("0 至 1（0% 至 100%）", "0 to 1 (0% to 100%)")
_FROM_ONE = ("1 起", "1 and up")
_SEGMENT_IDS = ("城市画像里的环节编号", "ids of the city profile")

RANKING_COLUMNS: tuple[ColumnExplanation, ...] = (
    _explain("rank", "count", ("排名", "Rank"),
             ("名次，依次按优先级、落地可能性、契合度、企业名称、信用代码；被一票否决的企业不排名，此格为空",
              "place by priority, then likelihood, fit, name and code; empty for vetoed firms"),
             _FROM_ONE),
    _explain("name", "text", ("企业", "Firm"),
             ("名单里的企业名称", "name of the firm as in the list"), _ANY),
    _explain("credit_code", "text", ("统一社会信用代码", "Credit code"),
             ("统一社会信用代码；名单里没有或校验不过则为空",
              "unified social credit code; empty if the list has none or its check digit is wrong"),
             ("18 位", "18 characters")),
    _explain("grade", "text", ("等级", "Grade"),
             ("按优先级划分的等级，分界线写在城市画像里，换名单不变",
              "class of priority; its thresholds stand in the city profile and depend on no list"),
             ("A（最高）至 D", "A (highest) to D")),
    _explain("priority", "likelihood", ("优先级", "Priority"),
             ("预期补上的缺口，排名的依据：落地可能性 ×（底数 +（1 - 底数）× 契合度）",
              "expected gap value, the ranking's order: likelihood x (floor + (1 - floor) x fit)"),
             _ZERO_TO_ONE),
    _explain("likelihood", "likelihood", ("落地可能性", "Likelihood"),
             ("企业在期限内达到目标阶段的概率",
              "probability that the firm reaches the target stage within the horizon"),
             _ZERO_TO_ONE),
    _explain("fit", "fraction", ("契合度", "Fit"),
             ("企业能补上本地缺口的程度：缺口 × 匹配强度 × 角色",
              "how much of a local gap the firm would fill: gap x strength of the match x role"),
             _ZERO_TO_ONE),
    _explain("segment", "text", ("环节编号", "Segment id"),
             ("契合度最高的环节的编号；什么都对不上则为空",
              "id of the segment that the firm fits best; empty if it fits none"), _SEGMENT_IDS),
    _explain("role", "text", ("角色编号", "Role id"),
             ("企业在该环节里做什么", "what the firm does in that segment"),
             ("maker、equipment、materials、design、integration、trade、service",
              "maker, equipment, materials, design, integration, trade, service")),
    _explain("reasons", "text", ("理由", "Reasons"),
             ("抬高得分最多的三项和压低最多的一项；括号内为分数，每 20 分使胜算翻一倍",
              "what lifts the score most and what lowers it most, with points; 20 double the odds"),
             _ANY),
    _explain("veto", "text", ("一票否决", "Veto"),
             ("不应招引的原因；没有则为空", "reason not to court the firm at all; empty if none"),
             _ANY),
    _explain("segments", "text", ("全部环节", "All segments"),
             ("对上的全部环节及匹配强度，形如 编号:强度，以分号隔开",
              "every segment matched with its strength, id:strength, joined by semicolons"),
             ("强度 0 至 1", "strengths from 0 to 1")),
    _explain("row", "count", ("行号", "Row"),
             ("企业在原文件里的行号", "row number of the firm in the source file"), _FROM_ONE),
    _explain("model", "text", ("模型", "Model"),
             ("打分所用模型的版本", "version of the model that scored"), _ANY),
    _explain("segment_name", "text", ("环节", "Segment"),
             ("契合度最高的环节；什么都对不上则为空",
              "segment that the firm fits best; empty if it fits none"),
             ("城市画像里的环节", "segments of the city profile")),
    _explain("role_name", "text", ("角色", "Role"),
             ("企业在该环节里做什么", "what the firm does in that segment"),
             ("制造、设备、材料、设计、集成、贸易、服务",
              "maker, equipment, materials, design, integration, trade, service")),
    _explain("matched_words", "text", ("命中词", "Matched words"),
             ("企业自己的文字里指向该环节的词",
              "words of the firm's own text that point to the segment"), _ANY),
    _explain("province", "text", ("省份", "Province"),
             ("名单里的省份", "province as in the list"), _ANY),
    _explain("city", "text", ("城市", "City"), ("名单里的城市", "city as in the list"), _ANY),
    _explain("sheet", "text", ("工作表", "Sheet"),
             ("企业在原文件里的工作表", "sheet of the source file in which the firm stands"), _ANY),
    _explain("stage", "text", ("阶段", "Stage"),
             ("企业现在所处的阶段；还没有则为空", "how far the firm has come; empty if nowhere"),
             ("线索、已筛选、已接触等", "lead, screened, contacted and so on")),
)  # fmt: skip
"""Every column that a written ranking may have."""

PROBLEM_COLUMNS: tuple[ColumnExplanation, ...] = (
    _explain("row", "count", ("行号", "Row"),
             ("原文件里的行号；为空则指整份名单",
              "row number in the source file; empty if the whole list is meant"), _FROM_ONE),
    _explain("sheet", "text", ("工作表", "Sheet"),
             ("原文件里的工作表；没有工作表的格式为空",
              "sheet of the source file; empty for formats without sheets"), _ANY),
    _explain("column", "text", ("列", "Column"),
             ("原文件里的表头；为空则指整行",
              "header in the source file; empty if the whole row is meant"), _ANY),
    _explain("found", "text", ("现为", "Found"),
             ("那里写着什么", "what stands there"), _ANY),
    _explain("wanted", "text", ("应为", "Wanted"),
             ("应当怎样写，以及程序如何处理",
              "what is allowed there and what becomes of it otherwise"), _ANY),
    _explain("code", "text", ("类别", "Code"),
             ("问题的类别，各版本不变", "kind of problem; stable between versions"),
             ("英文小写编号", "lower-case ids")),
    _explain("set_aside", "text", ("是否搁置", "Set aside"),
             ("该行是否因此没有参加评分", "whether the row is left out of the scoring for it"),
             ("是、否（CSV 里为 true、false）", "yes, no (true, false in CSV)")),
)  # fmt: skip
"""The columns of a written list of problems."""

_NONE = ("", "")

GUIDE_COLUMNS: tuple[ColumnExplanation, ...] = (
    _explain("where", "text", ("工作表", "Sheet"), _NONE, _NONE),
    _explain("header", "text", ("列", "Column"), _NONE, _NONE),
    _explain("column", "text", ("CSV 列名", "Name in CSV"), _NONE, _NONE),
    _explain("meaning", "text", ("含义", "Meaning"), _NONE, _NONE),
    _explain("unit", "text", ("单位", "Unit"), _NONE, _NONE),
    _explain("span", "text", ("取值", "Values"), _NONE, _NONE),
)
"""The headers of the explanations themselves."""


MAX_ROWS = 1_048_576
"""Rows of a sheet, its header among them: Excel's own limit."""

MAX_CELL = 32_767
"""Longest text of a cell in UTF-16 units: Excel's own limit."""

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
_PAGE = WORDS["workbook.page"]
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_PER_CENT = {"fraction": SHARE_IN_EXCEL, "likelihood": LIKELIHOOD_IN_EXCEL}
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
    title
        Name of the sheet.
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
        workbook = xlsxwriter.Workbook(handle, _OPTIONS | {"tmpdir": folder})
        try:
            for sheet in sheets:
                _SheetWriter(workbook, sheet, lang).write()
            workbook.close()
        except FileCreateError as error:
            raise error.args[0] from error
        finally:
            _let_go(workbook)


def _let_go(workbook: Any) -> None:
    """Close the row files, which a failure leaves open and Windows then can't delete."""
    for worksheet in workbook.worksheets():
        with contextlib.suppress(OSError):
            worksheet.row_data_fh.close()


class _SheetWriter:
    """Writes one sheet from its first row to its last, as ``constant_memory`` wants it."""

    def __init__(self, workbook: Any, sheet: Sheet, lang: Lang) -> None:
        self._workbook, self._sheet, self._lang = workbook, sheet, lang
        self._worksheet = workbook.add_worksheet(sheet.title.pick(lang))
        self._explained = {each.column: each for each in sheet.columns}
        self._names: list[str] = list(sheet.table.columns)
        self._headers = [self._header(name) for name in self._names]
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
        self._write_above()
        header = self._workbook.add_format(_HEADER)
        for column, text in enumerate(self._headers):
            self._worksheet.write_string(self._sheet.header_row, column, text, header)
        self._write_cells()
        self._set_columns()
        self._set_page()

    def _header(self, name: str) -> str:
        return self._explained[name].header.pick(self._lang) if name in self._explained else name

    def _write_above(self) -> None:
        label_format = self._workbook.add_format(_MIDDLE | {"bold": True})
        for row, (label, value) in enumerate(self._sheet.above):
            self._worksheet.write_string(row, 0, label, label_format)
            self._write_text(row, 1, value, None)

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
            formats = grey if greyed else plain
            for column, value in enumerate(values):
                if value is None:
                    continue
                look = formats[column]
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
        for name, width in zip(self._names, self._widths, strict=True):
            own: dict[str, Any] = {"indent": 1}
            if not isinstance(self._sheet.table[name].dtype, pd.StringDtype):
                shape = _PER_CENT.get(self._kind(name))
                own = {"num_format": shape} if shape else {"align": "center"}
            wraps = {"text_wrap": True} if width > _WIDEST else {}
            formats.append(self._workbook.add_format(_MIDDLE | look | own | wraps))
        return formats

    def _kind(self, name: str) -> str:
        return self._explained[name].kind if name in self._explained else ""

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
        bar = {
            "type": "data_bar", "bar_solid": True, "bar_color": "#9DC3E6",
            "min_type": "num", "min_value": 0, "max_type": "num", "max_value": 1,
        }  # fmt: skip
        for column, name in enumerate(self._names):
            if self._kind(name) not in _PER_CENT:
                continue
            worksheet.conditional_format(
                sheet.header_row + 1, column, max(sheet.last_row, sheet.header_row + 1), column, bar
            )

    def _set_page(self) -> None:
        sheet, worksheet = self._sheet, self._worksheet
        worksheet.set_landscape()
        worksheet.set_paper(_A4)
        worksheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        worksheet.fit_to_pages(1, 0)
        worksheet.repeat_rows(sheet.header_row)
        worksheet.set_footer(f"&C{_PAGE.pick(self._lang)}")
        if sheet.printed:
            worksheet.print_area(0, 0, sheet.last_row, sheet.printed - 1)


def _rows(table: pd.DataFrame, mark: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows as Python values, None for missing, a block at a time."""
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
