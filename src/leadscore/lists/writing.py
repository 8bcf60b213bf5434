"""Writes tables: files that replace their elders wholly, workbooks that people open."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, count
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from leadscore.errors import OutputError, UsageError
from leadscore.lists.columns import CANONICAL, Column
from leadscore.lists.problems import Problem
from leadscore.lists.values.words import FORMULA, STAGES, STATUSES
from leadscore.numbers import LIKELIHOOD_IN_EXCEL, SHARE_IN_EXCEL
from leadscore.terminal import display_width
from leadscore.text import Lang, Text, room_words
from leadscore.validation import unwritable

WORDS = room_words("lists")

Kind = Literal["text", "count", "fraction", "likelihood"]
"""Whole numbers are counts; a likelihood is a fraction (0..1) that is never quite 0 or 1."""


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


_ROLES = ("maker", "equipment", "materials", "design", "integration", "trade", "service")
_KINDS: dict[str, Kind] = {
    "rank": "count", "row": "count",
    "priority": "likelihood", "fit": "fraction", "likelihood": "likelihood",
    "likelihood_low": "likelihood", "likelihood_high": "likelihood",
}  # fmt: skip


def _explain(table: str, column: str) -> ColumnExplanation:
    key, kind = f"{table}.{column}", _KINDS.get(column, "text")
    usual = "fraction" if kind == "likelihood" else kind
    span = WORDS.get(f"workbook.{key}.span", WORDS[f"workbook.spans.{usual}"])
    if column == "role":
        span = Text(zh="、".join(_ROLES), en=", ".join(_ROLES))
    header, meaning = WORDS[f"workbook.{key}.header"], WORDS[f"workbook.{key}.meaning"]
    return ColumnExplanation(column, kind, header, meaning, span)


RANKING_COLUMNS = tuple(
    _explain("ranking", name)
    for name in (
        "rank", "name", "credit_code", "grade", "priority", "likelihood", "fit", "segment", "role",
        "reasons", "veto", "segments", "row", "model", "segment_name", "role_name",
        "matched_words", "province", "city", "stage", "likelihood_low", "likelihood_high",
        "certainty", "sheet", "corrections",
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

MAX_ROWS = 1_048_576  # rows of a sheet, its header among them: Excel's own limit

MAX_CELL = 32_767  # longest text of a cell in UTF-16 units: Excel's own limit

STREAMED = {"constant_memory": True} | dict.fromkeys(
    ("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False
)
"""Options of a workbook that is written row by row and in which texts stay texts."""


def check_ranking_path(path: Path) -> None:
    """Raise the `OutputError` that writing there would raise, before the work, not after it."""
    if path.suffix.lower() not in {".xlsx", ".csv", ".parquet"}:
        raise OutputError(WORDS["writing.bad_ending"].format(name=path.name))
    with _refusals(path):
        target = path.resolve()
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if not os.access(target if target.exists() else target.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def check_distinct(files: Mapping[str, Path | None]) -> None:
    """Raise `UsageError` if two of the files that a command names are one, by names or links.

    ``files`` are by what the command calls them; what was not given is None.
    """
    given = [(name, path) for name, path in files.items() if path is not None]
    for (one, here), (other, there) in combinations(given, 2):
        if _same(here, there):
            raise UsageError(WORDS["writing.same"].format(one=one, other=other, path=there))


def _same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):  # one of them is not there yet
        return one.samefile(other)
    here, there = (os.path.normcase(os.path.realpath(path)) for path in (one, other))
    return here == there


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(unwritable(path, error)) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file beside the target, which takes the target's place once it is whole.

    Whatever goes wrong, the target is as it was and nothing else is left behind. Raises
    `OutputError` if the system refuses to open, to write or to replace.
    """
    with _refusals(path):
        target = path.resolve()
        part = target.with_name(f".leadscore-{secrets.token_hex(6)}.part")
        try:
            with part.open("xb") as handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()


_LONGEST_TITLE = 31


@dataclass(frozen=True)
class SheetToMend:
    """Rows of one sheet as written, missing cells among them."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str | None]]


def write_rows_to_mend(sheets: Sequence[SheetToMend], path: Path) -> None:
    """Write a workbook in which all cells are text, so that codes keep their digits."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        xlsxwriter.Workbook(path, STREAMED | {"tmpdir": folder}) as workbook,
    ):
        bold = workbook.add_format({"bold": True, "bottom": 1})
        as_text = workbook.add_format({"num_format": "@"})
        titles: set[str] = set()
        for sheet in sheets:
            page = workbook.add_worksheet(_title(sheet.title, titles))
            page.freeze_panes(1, 0)
            last = len(sheet.headers) - 1
            page.set_column(0, last, 16, as_text)
            page.set_column(last, last, 60, as_text)
            for at, header in enumerate(sheet.headers):
                page.write_string(0, at, _cell(header), bold)
            for number, row in enumerate(sheet.rows, start=1):
                for at, cell in enumerate(row):
                    if cell:
                        page.write_string(number, at, _cell(cell), as_text)


def _title(wanted: str, taken: set[str]) -> str:
    plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", wanted).strip("' ")[:_LONGEST_TITLE] or "1"
    endings = chain([""], (f" {number}" for number in count(2)))
    titles = (plain[: _LONGEST_TITLE - len(ending)] + ending for ending in endings)
    title = next(title for title in titles if title.casefold() not in taken)
    taken.add(title.casefold())
    return title


def _cell(text: str) -> str:
    return re.sub(_UNREADABLE, "", text)[: MAX_CELL // 2]


# Controls but for tab and line feed: no XML can carry them, and a terminal may obey them.
_UNREADABLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]"


def write_ranking(
    table: pd.DataFrame,
    path: Path,
    *,
    lang: Lang,
    problems: Sequence[Problem] = (),
    summary: Sequence[tuple[str, str]] = (),
) -> None:
    """Write a ranking; the ending of the path decides the format.

    The table has columns in the order of the contract (see `RANKING_COLUMNS`): the ranked firms,
    then the vetoed ones with a missing rank. A file that stands there is replaced only by a whole
    one. Problems, and the summary as pairs of label and value, are further sheets of a workbook.
    Raises `OutputError` if the path can't be written to, or a workbook can't hold the rows.
    """
    table = _readable(table)

    def sheets() -> Iterator[Sheet]:
        people = _for_people(table)
        printed = list(people.columns).index("veto") + 1 if "veto" in people else 0
        title = WORDS["writing.ranking"]
        yield Sheet(title, people, _explained(people), (), 2, printed, greyed_by="veto")
        yield _problem_sheet(problems, lang)
        above = [(_readable_text(label), _readable_text(value)) for label, value in summary]
        yield Sheet(WORDS["writing.guide"], _guide(people, lang), GUIDE_COLUMNS, above)

    _write(table, path, sheets, lang)


def write_problems(problems: Sequence[Problem], path: Path, *, lang: Lang) -> None:
    """Write problems, one a row under `PROBLEM_COLUMNS`, by the rules of `write_ranking`."""
    _write(_problem_table(problems, lang), path, lambda: [_problem_sheet(problems, lang)], lang)


def write_firms(
    firms: pd.DataFrame, path: Path, *, lang: Lang, problems: Sequence[Problem] = ()
) -> None:
    """Write clean firms, a row each, by the rules of `write_ranking`.

    CSV and Parquet have every canonical column by its name, then ``row`` and ``sheet``. A workbook
    has those that hold something, by label and unit, and the problems; either can be read again.
    """
    table = _readable(firms)

    def sheets() -> Iterator[Sheet]:
        filled = table[[name for name in table if table[name].notna().any()]]
        explained = [_explain_firms(one) for one in CANONICAL]
        explained += [one for one in RANKING_COLUMNS if one.column in {"row", "sheet"}]
        yield Sheet(WORDS["writing.firms"], _worded(filled, lang), explained, (), 1)
        yield _problem_sheet(problems, lang)

    _write(table, path, sheets, lang)


def _explain_firms(column: Column) -> ColumnExplanation:
    label, kinds = column.label, {None: "text", "fraction": "fraction"}
    unit = Text(zh="（元）", en=" (CNY)") if column.unit == "CNY" else Text("", "")
    header = Text(zh=label.zh + unit.zh, en=label.en + unit.en)
    kind = cast("Kind", kinds.get(column.unit, "count"))
    return ColumnExplanation(column.name, kind, header, column.meaning, Text("", ""))


def _worded(firms: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    # What programs write as words of their own and days, as people read them in a cell.
    worded = {}
    for name in firms:
        kind = next((one.kind for one in CANONICAL if one.name == name), None)
        words = {"status": STATUSES, "stage": STAGES}.get(str(kind))
        if words:
            worded[name] = firms[name].map({word: text.pick(lang) for word, text in words.items()})
        elif kind == "date":
            worded[name] = firms[name].dt.strftime("%Y-%m-%d")
    return firms.assign(**{str(name): column.astype("str") for name, column in worded.items()})


def for_spreadsheet(text: str) -> str:
    """Return a text for a cell of a CSV file: readable, and no formula for any spreadsheet.

    >>> for_spreadsheet("=1+1"), for_spreadsheet("a=1")
    ("'=1+1", 'a=1')
    """
    return re.sub(f"^{FORMULA}", r"'\1", _readable_text(text))


def _write(
    table: pd.DataFrame, path: Path, sheets: Callable[[], Iterable[Sheet]], lang: Lang
) -> None:
    """Write a table, or a workbook of sheets, which are made only for one."""
    check_ranking_path(path)
    with replacing(path) as handle:
        if path.suffix.lower() == ".xlsx":
            _write_workbook(handle, [*sheets()], lang)
        elif path.suffix.lower() == ".parquet":
            table.to_parquet(handle, index=False)
        else:
            guarded = _map_texts(table, f"^{FORMULA}", r"'\1")
            guarded.to_csv(handle, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    mixed = table.columns[table.dtypes == "object"]
    texts = table.astype(dict.fromkeys(mixed, "str"))
    return _map_texts(_map_texts(texts, "\r\n?", "\n"), _UNREADABLE, "")


def _readable_text(text: str) -> str:
    """Do the same to one text, which may also hold halves of surrogate pairs (a file's name)."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(_UNREADABLE, "", re.sub("\r\n?", "\n", whole))


def _map_texts(table: pd.DataFrame, pattern: str, by: str) -> pd.DataFrame:
    texts = [str(name) for name in table if isinstance(table[name].dtype, pd.StringDtype)]
    return table.assign(
        **{name: table[name].str.replace(pattern, by, regex=True) for name in texts}
    )


def _explained(table: pd.DataFrame) -> list[ColumnExplanation]:
    # A ranking may have facts of the firms beside its own columns.
    own = {column.column for column in RANKING_COLUMNS}
    facts = [one for one in CANONICAL if one.name in table and one.name not in own]
    known = own | {one.name for one in facts}
    meaning = WORDS["workbook.own_column"]
    others = [
        ColumnExplanation(
            str(name), "text", Text(zh=str(name), en=str(name)), meaning, Text("", "")
        )
        for name in table
        if name not in known
    ]
    return [*RANKING_COLUMNS, *map(_explain_firms, facts), *others]


def _for_people(table: pd.DataFrame) -> pd.DataFrame:
    swaps = {"segment": "segment_name", "role": "role_name"}
    swaps = {left: right for left, right in swaps.items() if {left, right} <= {*table}}
    swaps |= {right: left for left, right in swaps.items()}
    return table[[swaps.get(name, name) for name in table.columns.astype(str)]]


def _problem_sheet(problems: Sequence[Problem], lang: Lang) -> Sheet:
    table = _problem_table(problems, lang)
    words = {"true": WORDS["writing.yes"].pick(lang), "false": WORDS["writing.no"].pick(lang)}
    table["set_aside"] = table["set_aside"].map(words)
    return Sheet(WORDS["writing.problems"], table, PROBLEM_COLUMNS)


def _problem_table(problems: Sequence[Problem], lang: Lang) -> pd.DataFrame:
    rows = [
        (p.sheet, p.column, p.found, p.wanted.pick(lang), p.code, str(p.set_aside).lower())
        for p in problems
    ]
    names = [column.column for column in PROBLEM_COLUMNS[1:]]
    table = pd.DataFrame(rows, columns=names, dtype="str")
    table.insert(0, "row", pd.Series([problem.row for problem in problems], dtype="Int64"))
    return _readable(table)


def _guide(table: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    explained = {column.column: column for column in _explained(table)}
    ranking = [explained[name] for name in table if name in explained]
    return pd.DataFrame(
        [
            {
                "where": WORDS[f"writing.{sheet}"].pick(lang),
                "header": column.header.pick(lang),
                "column": column.column,
                "meaning": column.meaning.pick(lang),
                "unit": WORDS[f"workbook.units.{column.kind}"].pick(lang),
                "span": column.span.pick(lang),
            }
            for sheet, columns in (("ranking", ranking), ("problems", PROBLEM_COLUMNS))
            for column in columns
        ],
        dtype="str",
    )


_BLOCK = 10_000
_WRAPPED = 70  # characters of a column; what is wider is wrapped
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


class Sheet(NamedTuple):
    """One sheet of a workbook: text columns (``str``) and numbers, missing where cells are empty.

    No text may hold control characters other than tab and line feed. Headers and number formats
    come from ``columns``; a column without an explanation keeps its name. Labels with their values
    stand above the table. Of the columns at the left so many are frozen and printed (all if 0);
    filled cells of ``greyed_by`` grey their row.
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


def _write_workbook(handle: IO[bytes], sheets: Sequence[Sheet], lang: Lang) -> None:
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
        self._names: list[str] = list(sheet.table.columns)
        explained = {column.column: column for column in sheet.columns}
        known = [explained.get(name) for name in self._names]
        self._kinds = [column.kind if column else "" for column in known]
        self._headers = [
            column.header.pick(lang) if column else name
            for name, column in zip(self._names, known, strict=True)
        ]
        self._texts = [isinstance(dtype, pd.StringDtype) for dtype in sheet.table.dtypes]
        self._widths = [
            _fitted_width(sheet.table[name], header)
            for name, header in zip(self._names, self._headers, strict=True)
        ]

    def write(self) -> None:
        label_format = self._workbook.add_format(_MIDDLE | {"bold": True})
        for row, (label, value) in enumerate(self._sheet.above):
            self._worksheet.write_string(row, 0, label, label_format)
            self._write_text(row, 1, value, None)
        header = self._workbook.add_format(_HEADER)
        for column, text in enumerate(self._headers):
            self._worksheet.write_string(self._sheet.header_row, column, text, header)
        self._write_cells()
        self._set_columns_and_page()

    def _write_cells(self) -> None:
        """Write the table; a loop over cells, for that is how a workbook is streamed."""
        table, texts = self._sheet.table, self._texts
        plain, grey = self._formats({}), self._formats(_GREY)
        places = {name: place for place, name in enumerate(self._names)}
        greyed_by, grade_at = places.get(self._sheet.greyed_by), places.get("grade")
        grades = {
            grade: self._workbook.add_format(_MIDDLE | {"align": "center"} | look)
            for grade, look in _GRADES.items()
        }
        rows = zip(_rows(table, WORDS["workbook.cut"].pick(self._lang)), self._lines(), strict=True)
        for row, (values, lines) in enumerate(rows, start=self._sheet.header_row + 1):
            if lines > 1:
                self._worksheet.set_row(row, 15 * lines)
            greyed = greyed_by is not None and values[greyed_by] is not None
            for column, value in enumerate(values):
                if value is None:
                    continue
                look = (grey if greyed else plain)[column]
                if column == grade_at and not greyed:
                    look = grades.get(value, look)
                if texts[column]:
                    self._write_text(row, column, value, look)
                else:
                    self._worksheet.write_number(row, column, value, look)

    def _lines(self) -> Iterator[int]:
        """Yield how many lines each row needs: not every program measures wrapped text itself."""
        wrapped = [n for n, w in zip(self._names, self._widths, strict=True) if w > _WRAPPED]
        for start in range(0, len(self._sheet.table), _BLOCK):
            block = self._sheet.table.iloc[start : start + _BLOCK]
            lines = np.ones(len(block), dtype=np.int64)
            for name in wrapped:
                text = block[name].fillna("")
                columns = (text.str.len() + text.str.count(_WIDE)).to_numpy(dtype=np.int64)
                breaks = text.str.count("\n").to_numpy(dtype=np.int64)
                np.maximum(lines, -(-columns // (_WRAPPED - 4)) + breaks, out=lines)
            yield from np.minimum(lines, 12).tolist()

    def _write_text(self, row: int, column: int, text: str, look: Any) -> None:
        # XlsxWriter takes a text between these tags for its own markup and writes it unescaped.
        if text.startswith("<r>") and text.endswith("</r>"):
            self._worksheet.write_rich_string(row, column, text[:1], text[1:-1], text[-1:], look)
        else:
            self._worksheet.write_string(row, column, text, look)

    def _formats(self, look: dict[str, Any]) -> list[Any]:
        """Return one format a column; made once, as looking them up by cell is slow."""
        formats = []
        for width, kind, text in zip(self._widths, self._kinds, self._texts, strict=True):
            shape = _PER_CENT.get(kind)
            numbers = {"num_format": shape} if shape else {"align": "center"}
            wraps = {"text_wrap": True} if width > _WRAPPED else {}
            own = {"indent": 1} if text else numbers
            formats.append(self._workbook.add_format(_MIDDLE | look | own | wraps))
        return formats

    def _set_columns_and_page(self) -> None:
        sheet, worksheet = self._sheet, self._worksheet
        for column, width in enumerate(self._widths):
            worksheet.set_column(column, column, min(width, _WRAPPED) + 2)
        last = len(self._names) - 1
        worksheet.autofilter(sheet.header_row, 0, sheet.last_row, last)
        worksheet.freeze_panes(sheet.header_row + 1, sheet.frozen)
        # Credit codes of digits only are meant to be text; no green corners.
        worksheet.ignore_errors(
            {"number_stored_as_text": f"A1:{xlsxwriter.utility.xl_col_to_name(last)}{MAX_ROWS}"}
        )
        first = sheet.header_row + 1
        below = max(sheet.last_row, first)
        for column, kind in enumerate(self._kinds):
            if kind in _PER_CENT:
                worksheet.conditional_format(first, column, below, column, _BAR)
        worksheet.set_landscape()
        worksheet.set_paper(9)  # A4
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
    width = display_width(header) + 3  # for the arrow of the filter
    if not isinstance(column.dtype, pd.StringDtype):
        return max(width, 9)
    # The widest text is among the longest; measuring them all would take longer than writing them.
    longest = column.loc[column.str.len().nlargest(200).index].dropna()
    lines = longest.str.slice(0, 2 * _WRAPPED).str.split("\n").explode()
    return max([width, *map(display_width, lines)])
