"""Officers keep lists in Excel: each sheet that looks like a list is read, the others are named."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from leadscore.errors import ListError
from leadscore.language import Text
from leadscore.lists.files.asides import without_asides
from leadscore.lists.files.children import MEMORY_LIMIT_BYTES, Child
from leadscore.lists.files.header_faults import NoHeaderError, duplicate_headers, no_header
from leadscore.lists.files.header_places import HeaderPlace
from leadscore.lists.files.header_rows import HEADER_SEARCH, Header, Merge, Row, find_header
from leadscore.lists.files.packages import bomb, check_package, damaged
from leadscore.lists.files.texttable import RawList, SheetHead, TextColumns, TextTable, refuse
from leadscore.lists.headers import stated_unit
from leadscore.lists.problems import Problem, shown

MAX_SPAN_CELLS = 32_000_000
"""Cells between the first and the last of a sheet; each takes 24 bytes of the child's memory."""
MAX_SHEET_BYTES = 512 << 20
"""Text of a sheet once each cell has its own copy of the texts that cells share in the file."""

_SCRIPT = Path(__file__).with_name("spreadsheet_child.py")
_ISSUES = {
    "error_cell": Text(
        zh="一个值；出错的单元格按缺失处理", en="a value; a cell with an error counts as missing"
    ),
    "formula_without_value": Text(
        zh="算出的值；请在表格程序中打开并保存一次，现按缺失处理",
        en="a computed value; open and save it in a spreadsheet program, now it counts as missing",
    ),
    "damaged_number": Text(
        zh="以文本保存的代码；表格只保留 15 位有效数字，末几位已丢失，按缺失处理",
        en="a code kept as text; a spreadsheet keeps 15 digits of a number, so its end is lost and"
        " it counts as missing",
    ),
}


def read_spreadsheet(path: Path, place: HeaderPlace | None = None) -> RawList:
    """Read a workbook (.xlsx, .xlsm) by a child process with bounded memory and time.

    Hidden sheets are not read, hidden rows are; both are told. Numbers become text as the
    spreadsheet shows them at full precision (15 digits, no ``.0``), dates ISO 8601 without a
    midnight, booleans 是 and 否. Headers are looked for in every sheet, unless the place of one is
    given: then no other sheet is read.

    Raises
    ------
    ListError
        If the file is no workbook, is unsafe or damaged, or no visible sheet is a list.
    """
    check_package(path)
    source = shown(path.name)
    arguments = (str(path), str(MEMORY_LIMIT_BYTES), str(MAX_SPAN_CELLS), str(MAX_SHEET_BYTES))
    with Child(_SCRIPT, *arguments, source=source) as child:
        messages = _messages(child, source)
        hidden: list[str] = next(messages, {"hidden": []})["hidden"]
        sheets = list(_sheets(messages, source, place))
    tables = tuple(sheet.table for sheet in sheets if sheet.table)
    others = [sheet for sheet in sheets if not sheet.table and sheet.head]
    no_list = _NO_LIST if place is None else _NOT_CHOSEN
    if not tables:
        raise _no_list(source, others, hidden)
    notices = [_HIDDEN.format(sheet=name) for name in hidden]
    notices += [no_list.format(sheet=sheet.name) for sheet in others]
    notices += [
        _HIDDEN_ROWS.format(sheet=sheet.name, n=f"{sheet.hidden_rows:,}")
        for sheet in sheets
        if sheet.table and sheet.hidden_rows
    ]
    return RawList(
        source=source,
        tables=tables,
        notices=tuple(notices),
        heads=tuple(sheet.first_rows() for sheet in sheets if sheet.head),
    )


def _messages(child: Child, name: str) -> Iterator[dict[str, Any]]:
    for line in child.output:
        if not line.endswith(b"\n"):
            break  # the child died while it wrote
        message = json.loads(line)
        if "error" in message:
            raise _fault(name, **message)
        yield message
    child.check()


def _sheets(
    messages: Iterator[dict[str, Any]], source: str, place: HeaderPlace | None
) -> Iterator[_Sheet]:
    sheet = None
    for message in messages:
        if "begin" in message:
            sheet = _Sheet(source, message, place)
        elif sheet is None:
            raise AssertionError("cells come after the sheet that they belong to")
        elif "issues" in message:
            sheet.finish(message["issues"])
            yield sheet
        else:
            sheet.take(message["rows"], message["cells"])


class _Sheet:
    """Collects what the child prints of one sheet; only the rows of a list are kept."""

    def __init__(self, source: str, begin: dict[str, Any], place: HeaderPlace | None) -> None:
        self.name: str = begin["begin"]
        self.hidden_rows: int = begin["hidden_rows"]
        self.head: list[Row] = []
        self.table: TextTable | None = None
        self._source, self._place = source, place
        self._width: int = begin["width"]
        self._merges: list[Merge] = [(tuple(one), tuple(two)) for one, two in begin["merges"]]
        self._header: Header | None = None
        self._columns: TextColumns | None = None
        self._waiting: list[tuple[list[int], list[list[str | None]]]] = []
        self._decided = False

    def take(self, rows: list[int], cells: list[list[str | None]]) -> None:
        """Take a batch of rows with their numbers; rows without any cell are not among them."""
        if self._decided:
            self._keep(rows, cells)
            return
        self._waiting.append((rows, cells))
        if rows and rows[-1] >= HEADER_SEARCH:
            self._decide()

    def _decide(self) -> None:
        """Look for the header, then keep or forget what came so far."""
        self._decided = True
        for rows, cells in self._waiting:
            for number, row in zip(rows, cells, strict=True):
                if number <= HEADER_SEARCH:
                    # Blank rows are put back, so that a position is the row number less one.
                    self.head += [[]] * (number - 1 - len(self.head))
                    self.head.append(row)
        header = self._find()
        if header and header.name_at is not None:
            self._header = header.widened(self._width)
            self._columns = TextColumns(f"{self._source}!{self.name}", self._width)
        for rows, cells in self._waiting:
            self._keep(rows, cells)
        self._waiting = []

    def _find(self) -> Header | None:
        if self._place is None:
            return find_header(self.head, self._merges)
        at = self._place
        return at.header(self.head, self._merges) if at.sheet in ("", self.name) else None

    def first_rows(self) -> SheetHead:
        """Return the first rows, for people to look at."""
        return SheetHead(self.name, tuple(tuple(row) for row in self.head))

    def _keep(self, rows: list[int], cells: list[list[str | None]]) -> None:
        if self._header is None or self._columns is None:
            return
        above = bisect_right(rows, self._header.last + 1)
        full = [row + [None] * (self._width - len(row)) for row in cells[above:]]
        self._columns.add(full, rows[above:])

    def finish(self, issues: list[tuple[int, int, str, str]]) -> None:
        """Make the table, if the sheet is a list."""
        if not self._decided:
            self._decide()
        if self._header is None or self._columns is None:
            return
        cells, rows = self._columns.finish()
        at = self._header.last + 1
        table = TextTable(
            headers=self._header.names,
            cells=cells,
            rows=rows,
            sheet=self.name,
            problems=(
                *duplicate_headers(self._header, at, self.name),
                *self._problems(self._header, issues),
            ),
            unit=stated_unit(chain.from_iterable(self.head[: self._header.first])),
            header_row=at,
        )
        self.table = without_asides(table, self._header, self._source)

    def _problems(
        self, header: Header, issues: list[tuple[int, int, str, str]]
    ) -> Iterator[Problem]:
        """Tell of damage in the cells that count: below the header, in a column that is used."""
        for row, at, code, found in issues:
            column = header.columns[at] if 0 <= at < len(header.columns) else None
            if row > header.last + 1 and column is not None and not column.personal:
                yield Problem(
                    row=row,
                    column=header.names[at],
                    found=shown(found),
                    wanted=_ISSUES[code],
                    code=code,
                    sheet=self.name,
                )


def _fault(name: str, error: str, sheet: str | None, found: str) -> ListError:
    if error == "damaged":
        return damaged(name, found)
    if error == "text":
        return bomb(f"{name}!{sheet}", found)
    return refuse(
        Text(
            zh="{file} 的工作表“{sheet}”在很远处有单元格；请删去列表以外的行和列再保存。",
            en="{file}: sheet {sheet} has a cell far away; delete the rows and columns beyond the"
            " list and save.",
        ).format(file=name, sheet=sheet),
        where=f"{sheet}!{found}",
        got=found,
        wanted=Text(
            zh=f"至多跨 {MAX_SPAN_CELLS:,} 个单元格", en=f"at most {MAX_SPAN_CELLS:,} cells spanned"
        ),
    )


def _no_list(name: str, others: list[_Sheet], hidden: list[str]) -> ListError:
    heads = [sheet.first_rows() for sheet in others]
    error = no_header(name, [(f"{name}!{sheet.name}", sheet.head) for sheet in others], heads)
    if not hidden:
        return error
    more = Text(
        zh="（隐藏的工作表未读取：{names}；如果名单在其中，请取消隐藏。）",
        en=" (Hidden sheets are not read: {names}; if the list is there, unhide it.)",
    ).format(names=", ".join(hidden))
    longer = NoHeaderError(
        Text(zh=error.message.zh + more.zh, en=error.message.en + more.en), error.details
    )
    longer.heads = error.heads
    return longer


_HIDDEN = Text(zh="工作表“{sheet}”是隐藏的，未读取", en="sheet {sheet} is hidden and was not read")
_NO_LIST = Text(
    zh="工作表“{sheet}”没有企业名称一列，未读取",
    en="sheet {sheet} has no column that names firms and was not read",
)
_NOT_CHOSEN = Text(
    zh="工作表“{sheet}”没有被选中，未读取", en="sheet {sheet} was not chosen and was not read"
)
_HIDDEN_ROWS = Text(
    zh="工作表“{sheet}”有 {n} 行是隐藏的，也已读取",
    en="sheet {sheet} has {n} hidden rows, which were read too",
)
