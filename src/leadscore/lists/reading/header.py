"""Finds the header among titles and notes, and the rows below it that are no firms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType

import numpy as np
import pandas as pd

from leadscore.errors import Detail, ListError
from leadscore.lists.columns import Column, column, readings, recognise
from leadscore.lists.problems import Problem
from leadscore.lists.reading.table import SheetHead, TextColumns, TextTable, refuse
from leadscore.lists.values.amounts import stated_unit
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

Row = Sequence[str | None]
Merge = tuple[tuple[int, int], tuple[int, int]]
"""A merged range: (row, column) of its first and last cell, counted from 0."""

HEADER_SEARCH = 50  # records at the start of a sheet among which the header must stand
LONGEST_HEADER = 30  # characters; a longer cell beside or below headers is text, not a header
NAMING = ("name", "matched", "imported", "credit_code")
"""Kinds of columns that name firms, the best first; every list must have one."""
NAMES_THAT_DO = ("企业名称", "公司名称", "单位名称", "name")
"""Headers of that column that an error proposes."""
UNREAD = ""  # what a column is said to mean that is not to be read
MAX_CELL_CHARACTERS = 1_000_000
"""The longest scope of a firm known to us has some 5,000 characters; Excel allows 32,767."""

Aliases = Mapping[str, str]
"""Canonical columns by headers in their normal form that mean them in one kind of file only."""
NO_ALIASES: Aliases = MappingProxyType({})

_PRIVATE = re.compile(r"\d{7}|@")
_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})?")


@dataclass(frozen=True)
class Header:
    """Where the header stands (first and last of its rows among those searched) and what it says.

    Names are as written, parents joined by ``/``, empty where there is none; columns the canonical
    ones that they mean, None where unknown.
    """

    first: int
    last: int
    names: tuple[str, ...]
    columns: tuple[Column | None, ...]

    @property
    def known(self) -> int:
        """Number of different canonical columns."""
        return len({column.name for column in self.columns if column is not None})

    @property
    def name_at(self) -> int | None:
        """Position of the column that names firms; None if there is none."""
        kinds = [column.kind if column else None for column in self.columns]
        return next((kinds.index(kind) for kind in NAMING if kind in kinds), None)

    def is_read(self, at: int) -> bool:
        """Tell whether the column at a position is known, and not about people."""
        meaning = self.columns[at] if 0 <= at < len(self.columns) else None
        return meaning is not None and not meaning.personal

    def widened(self, width: int) -> Header:
        """Return the header of more columns, the new ones without a name."""
        more = width - len(self.names)
        return replace(self, names=self.names + ("",) * more, columns=self.columns + (None,) * more)


class NoHeaderError(ListError):
    """A list of which no column names firms; carries the first rows of its sheets."""

    heads: tuple[SheetHead, ...] = ()


def no_header(
    source: str,
    places: Sequence[tuple[str, Sequence[Row]]],
    heads: Sequence[SheetHead] = (),
    hidden: Sequence[str] = (),
) -> NoHeaderError:
    """Return the error for a source in which no row names firms: what was found, what would do.

    ``places`` are sheets or files with their first rows; ``hidden`` sheets were not looked at.
    """
    names = Text(zh="、".join(NAMES_THAT_DO), en=", ".join(NAMES_THAT_DO))
    wanted = WORDS["header.naming"].format(names=names)
    message = WORDS["header.missing"].format(file=source)
    if hidden:
        more = WORDS["excel.perhaps_hidden"].format(names=", ".join(hidden))
        message = Text(zh=message.zh + more.zh, en=message.en + more.en)
    details = [Detail(where=place, got=_widest(rows), wanted=wanted) for place, rows in places]
    error = NoHeaderError(message, details)
    error.heads = tuple(heads)
    return error


def _widest(rows: Sequence[Row]) -> str:
    written = [[cell.strip() for cell in row if cell and cell.strip()] for row in rows]
    cells = max(written[:HEADER_SEARCH], key=len, default=[])
    public = ["…" if _PRIVATE.search(cell) else shown(cell, 20) for cell in cells[:12]]
    return ", ".join([*public, "…"] if len(cells) > 12 else public) or "-"


def fold(text: str) -> str:
    """Return the form under which two headers are the same: NFKC, no invisible characters."""
    plain = unicodedata.normalize("NFKC", text)
    marks = (mark for mark in plain if unicodedata.category(mark) not in ("Cf", "Cc", "Zs", "Zl"))
    return "".join(marks).casefold()


def header_of(names: Sequence[str], position: int = 0, aliases: Aliases = NO_ALIASES) -> Header:
    """Return the header of columns with these names, of a source that may have no other rows."""
    columns = (
        recognise(name) or _by_alias(name, aliases) if 0 < len(name) <= 2 * LONGEST_HEADER else None
        for name in names
    )
    return Header(position, position, tuple(names), tuple(columns))


def _by_alias(name: str, aliases: Aliases) -> Column | None:
    keys = (reading.key for reading in readings(name)) if aliases else ()
    return next((column(aliases[key]) for key in keys if key in aliases), None)


def _row_header(position: int, row: Row, aliases: Aliases = NO_ALIASES) -> Header:
    return header_of([(cell or "").strip() for cell in row], position, aliases)


def find_header(
    rows: Sequence[Row], merges: Sequence[Merge] | None = None, aliases: Aliases = NO_ALIASES
) -> Header | None:
    """Return the header among the first rows of a sheet, or None if no row names firms.

    It is the first row in which a cell is known to name firms, or the row below it if that knows
    more columns. A row whose neighbour below continues it downwards is no header but an entry of a
    dictionary of columns. A row of parents above the header, or of children below it, is joined to
    it; where merged ranges are not known (None), as in CSV, a parent reaches rightwards to the
    next.
    """
    searched = range(min(len(rows), HEADER_SEARCH))
    best = _best([_row_header(position, rows[position], aliases) for position in searched], rows)
    if best is not None:
        joined = _joined(best, rows, merges, aliases)
        return joined if joined.name_at is not None and joined.known >= best.known else best
    # "企业" over "名称" may name firms where neither half does.
    return _best([_two_rows(position, rows, merges, aliases) for position in searched[:-1]], rows)


def _best(headers: Sequence[Header], rows: Sequence[Row]) -> Header | None:
    fit = [one for one in headers if one.name_at is not None and not _is_entry(one, rows)]
    near = (one for one in fit[:2] if one.first <= fit[0].first + 1)
    return max(near, key=lambda header: header.known, default=None)  # the first of equals


def _is_entry(header: Header, rows: Sequence[Row]) -> bool:
    """Tell whether a row with one known cell stands in a column of headers, as in a dictionary."""
    if header.known > 1:
        return False
    below = next((row for row in rows[header.last + 1 :] if any(row)), ())
    return recognise(_cell(below, header.name_at or 0)) is not None


def _joined(
    header: Header, rows: Sequence[Row], merges: Sequence[Merge] | None, aliases: Aliases
) -> Header:
    above, below = header.first - 1, header.last + 1
    if above >= 0 and _are_parents(rows[above], above, len(header.names), merges):
        return _two_rows(above, rows, merges, aliases)
    if below < len(rows) and _are_children(header, rows[below], merges):
        return _two_rows(header.first, rows, merges, aliases)
    return header


def _are_parents(row: Row, position: int, width: int, merges: Sequence[Merge] | None) -> bool:
    written = [cell.strip() for cell in row if cell and cell.strip()]
    if any(len(cell) > LONGEST_HEADER or ":" in fold(cell) for cell in written):
        return False
    if merges is not None:
        spans = [last[1] - first[1] + 1 for first, last in merges if first[0] == position]
        return any(1 < span < width for span in spans)
    return 2 <= len(written) < len(row)


def _are_children(header: Header, row: Row, merges: Sequence[Merge] | None) -> bool:
    """Tell whether the row below the header names parts of it and is not the first firm."""
    written = [(at, cell.strip()) for at, cell in enumerate(row) if cell and cell.strip()]
    if not written or any(at == header.name_at or _is_value(cell) for at, cell in written):
        return False
    if merges is not None:
        return any(
            first[0] == header.first and (last[0] > first[0] or last[1] > first[1])
            for first, last in merges
        )
    return any(at >= len(header.names) or not header.names[at] for at, _ in written)


def _is_value(cell: str) -> bool:
    figures = any(mark.isdigit() for mark in cell)
    return len(cell) > LONGEST_HEADER or (figures and recognise(cell) is None)


def _two_rows(
    top: int, rows: Sequence[Row], merges: Sequence[Merge] | None, aliases: Aliases
) -> Header:
    upper, lower = rows[top], rows[top + 1]
    width = max(len(upper), len(lower))
    names = []
    for at, parent in enumerate(_filled(upper, top, width, merges)):
        child = _cell(lower, at)
        joined = f"{parent}/{child}" if parent and fold(parent) != fold(child) else child
        names.append(joined if child else _cell(upper, at))
    return replace(header_of(names, top, aliases), last=top + 1)


def _filled(upper: Row, top: int, width: int, merges: Sequence[Merge] | None) -> list[str]:
    parents = [_cell(upper, at) for at in range(width)]
    if merges is None:
        for at in range(1, width):
            parents[at] = parents[at] or parents[at - 1]
        return parents
    for first, last in merges:
        if first[0] <= top <= last[0]:
            for at in range(first[1], min(last[1] + 1, width)):
                parents[at] = parents[first[1]]
    return parents


def _cell(row: Row, at: int) -> str:
    return (row[at] or "").strip() if at < len(row) else ""


def duplicate_headers(header: Header, row: int | None, sheet: str | None) -> list[Problem]:
    """Return a problem per header that is used and stands over several columns."""
    places: dict[str, list[int]] = {}
    for at, (name, meaning) in enumerate(zip(header.names, header.columns, strict=True)):
        if meaning is not None and meaning.kind not in ("personal", "ignored"):
            places.setdefault(fold(name), []).append(at)
    wanted = WORDS["header.duplicate"]
    twice = [(header.names[at[0]], ", ".join(map(letters, at))) for at in places.values() if at[1:]]
    return [
        Problem(row, name, f"{shown(name)}: {columns}", wanted, "duplicate_header", sheet)
        for name, columns in twice
    ]


@dataclass(frozen=True)
class HeaderPlace:
    """What somebody said of a header, so that it need not be looked for.

    Its sheet (empty for any), its row as a spreadsheet numbers it (missing if it is to be found),
    and canonical columns by position, `UNREAD` for one that is not to be read; the others are
    recognised by their headers, among them those that mean a column only here (``aliases``).
    """

    sheet: str
    row: int | None
    columns: Mapping[int, str]
    aliases: Aliases = field(default_factory=dict)

    def header(self, rows: Sequence[Row], merges: Sequence[Merge] | None = None) -> Header | None:
        """Return the header among the first rows of a sheet; None if it isn't there."""
        if self.row is None:
            return (header := find_header(rows, merges, self.aliases)) and self.named(header)
        if not 1 <= self.row <= min(len(rows), HEADER_SEARCH):
            return None
        header = _row_header(self.row - 1, rows[self.row - 1], self.aliases)
        named = max((at + 1 for at in self.columns), default=0)
        return self.named(header.widened(max(len(header.names), min(named, max(map(len, rows))))))

    def named(self, header: Header) -> Header:
        """Return a header with the meanings that were named, where it has such columns."""
        meanings = list(header.columns)
        for at, name in self.columns.items():
            if at < len(meanings):
                meanings[at] = column(name) if name != UNREAD else None
        return replace(header, columns=tuple(meanings))


ANYWHERE = HeaderPlace("", None, {})
"""Nothing was said of the header: it is looked for in every sheet."""


def letters(position: int) -> str:
    """Return a column's letters as a spreadsheet shows them.

    >>> letters(0), letters(25), letters(26), letters(16383)
    ('A', 'Z', 'AA', 'XFD')
    """
    name = ""
    while position >= 0:
        name = chr(65 + position % 26) + name
        position = position // 26 - 1
    return name


def column_address(sheet: str | None, row: int | None, position: int) -> str:
    """Return what names a column: ``sheet!C3``, or ``sheet!C`` where the row is to be found."""
    return f"{sheet or ''}!{letters(position)}{row or ''}"


def split_address(name: str) -> tuple[str, int | None, int] | None:
    """Return sheet, row and position of what `column_address` made; None for anything else.

    >>> split_address("名单!B3"), split_address("注册资本")
    (('名单', 3, 1), None)
    """
    sheet, mark, cell = name.rpartition("!")
    parts = _ADDRESS.fullmatch(cell) if mark else None
    if parts is None:
        return None
    position = 0
    for letter in parts[1]:
        position = position * 26 + ord(letter) - 64
    return sheet, int(parts[2]) if parts[2] else None, position - 1


def header_place(mapping: Mapping[str, str]) -> HeaderPlace | None:
    """Return the header of which a mapping names cells; None if it names headers only.

    Raises `ListError` if the cells are not of one row.
    """
    cells = {key: cell for key in mapping if (cell := split_address(key)) is not None}
    if not cells:
        return None
    if len({cell[:2] for cell in cells.values()}) > 1:
        detail = Detail("mapping", ", ".join(cells), WORDS["header.same"])
        raise ListError(WORDS["header.one_place"], [detail])
    sheet, row, _ = next(iter(cells.values()))
    return HeaderPlace(sheet, row, {cell[2]: mapping[key] for key, cell in cells.items()})


_TOTAL = (
    r"(?i)\s*(?:合\s*计|平\s*均[值数]?|总\s*计|小\s*计|共\s*计|累\s*计|总\s*和|sub-?totals?"
    r"|grand totals?|totals?)"
    r"(?:\s*[（(][^）)]*[）)])?\s*[:：]?\s*(?:[\d,，]+\s*(?:家|户|个|条|项|firms)?)?\s*"
)
_HEADING = (
    r"\s*(?:(?P<listed>[一二三四五六七八九十]{1,3}、.*)|.*[(（]\s*(?:共|计)?\s*\d+\s*[家户][)）]"
    r"|[(（【]?\s*以下(?:空白|无正文)\s*[)）】]?)\s*"
)
_FIRM = re.compile(r"(?:公司|集团|厂|研究[院所])\s*$")
_FIGURE = re.compile(
    r"[^A-Za-z\u4e00-\u9fff]*[\d\-—–/][^A-Za-z\u4e00-\u9fff]*(?:[家户个条项人万亿元%]|亿元|万元)*"
)
_FOOTNOTE = re.compile(
    r"\s*[*※（(\[【]*\s*(注\d*|备注|说明|填表人|填报人|制表人?|填报单位|制表日期|填报日期|数据来源|"
    r"资料来源|来源|notes?|sources?)\s*[:：]",
    re.IGNORECASE,
)


def finish_table(
    columns: TextColumns, header: Header, source: str, row: int, head: Sequence[Row],
    sheet: str | None = None, problems: Iterable[Problem] = (),
) -> TextTable:  # fmt: skip
    """Return the table below a header that ends in a row; ``head`` are the first rows."""
    cells, rows = columns.finish()
    told = (*duplicate_headers(header, row, sheet), *problems)
    unit = stated_unit(chain.from_iterable(head[: header.first]))
    table = TextTable(header.names, cells, rows, sheet, told, unit, row)
    return without_totals_and_notes(table, header, source)


def without_totals_and_notes(table: TextTable, header: Header, source: str) -> TextTable:
    """Drop blank rows, set rows aside that are no firms, and drop what hangs over at the right.

    Each row that is taken out and not blank leaves one problem with ``set_aside``. Raises
    `ListError` if the header of another table stands among the rows.
    """
    cells, rows = table.cells, table.rows
    filled = ~_blank(cells)
    if not filled.all():
        cells, rows = cells[filled], rows[filled]
    others = _non_firms(cells, rows, header, f"{source}!{table.sheet}" if table.sheet else source)
    problems = []
    for at, (code, label) in sorted(others.items()):
        wanted, row = WORDS[f"footnotes.{code}"], int(rows[at])
        problems.append(Problem(row, None, label, wanted, code, table.sheet, set_aside=True))
    if others:
        firms = np.ones(len(cells), dtype=bool)
        firms[list(others)] = False
        cells, rows = cells[firms], rows[firms]
    width = cells.shape[1]
    while width and not table.headers[width - 1] and cells[width - 1].isna().all():
        width -= 1
    return without_oversized_cells(
        replace(
            table,
            headers=table.headers[:width],
            cells=cells.iloc[:, :width].reset_index(drop=True),
            rows=rows,
            problems=(*table.problems, *problems),
        )
    )


def _blank(cells: pd.DataFrame) -> np.ndarray:
    blank = np.ones(len(cells), dtype=bool)
    for at in range(cells.shape[1]):
        places = np.flatnonzero(blank)
        if not len(places):
            break
        texts = cells[at].iloc[places]
        blank[places] = (texts.isna() | (texts.str.strip() == "")).to_numpy(dtype=bool)
    return blank


def _non_firms(
    cells: pd.DataFrame, rows: np.ndarray, header: Header, source: str
) -> dict[int, tuple[str, str]]:
    """Return, by position, the rows that are no firms, with the kind and what betrays it."""
    others = {**_headings(cells), **_footnotes(cells)}
    name_at = header.name_at
    # A total is labelled in one of the first columns or in that of the name.
    for at in sorted({*range(min(3, cells.shape[1])), name_at or 0}):
        for place in _places(cells[at].str.fullmatch(_TOTAL, na=False)):
            if _is_total(cells.iloc[place], at):
                others[place] = ("totals_row", shown(cells[at].iloc[place]))
    if name_at is not None:
        meaning = header.columns[name_at]
        names = [_lower(header.names[name_at])]
        names += (meaning.label.zh, *meaning.aliases) if meaning else ()
        for place in _places(cells[name_at].str.strip().isin(names)):
            if _is_header_again(cells.iloc[place], header, f"{source}:{rows[place]}"):
                others[place] = ("header_again", shown(cells[name_at].iloc[place]))
    return others


def _places(mask: pd.Series) -> list[int]:
    places: list[int] = np.flatnonzero(mask.to_numpy(dtype=bool)).tolist()
    return places


def _footnotes(cells: pd.DataFrame) -> dict[int, tuple[str, str]]:
    footnotes = {}
    for place in range(max(len(cells) - 10, 0), len(cells)):
        written = cells.iloc[place].dropna()
        note = _FOOTNOTE.match(written.iloc[0]) if len(written) == 1 else None
        if note:
            # What follows the colon may be a person's name: it is not repeated.
            footnotes[place] = ("footnote_row", shown(note.group(0).strip()))
    return footnotes


def _headings(cells: pd.DataFrame) -> dict[int, tuple[str, str]]:
    """Return the rows whose only cell groups the firms below or says that the list ends."""
    headings = {}
    single = np.flatnonzero(cells.notna().sum(axis=1).eq(1))
    for at in range(cells.shape[1]) if len(single) else ():
        alone = cells[at].iloc[single]
        for place in single[alone.str.slice(0, 100).str.fullmatch(_HEADING, na=False)]:
            text = cells[at].iloc[place].strip()
            if not _FIRM.search(text):  # 一、 may also number a firm
                headings[int(place)] = ("heading_row", shown(text))
    return headings


def _is_total(row: pd.Series, label_at: int) -> bool:
    """Tell whether all cells beside the label are figures, as in a sum, not a firm's facts."""
    others = row.drop(label_at).dropna()
    return all(not text.strip() or _FIGURE.fullmatch(text.strip()) for text in others)


def _is_header_again(row: pd.Series, header: Header, where: str) -> bool:
    """Tell whether a row is the header once more; refuse the header of another table."""
    written = [(at, text, recognise(text)) for at, text in enumerate(row) if isinstance(text, str)]
    same = [
        fold(text) == fold(_lower(header.names[at]))
        or (meaning is not None and meaning is header.columns[at])
        for at, text, meaning in written
    ]
    if 2 * same.count(True) > len(written):
        return True
    if sum(meaning is not None for _, _, meaning in written) < 2:
        return False
    got = ", ".join(shown(text, 20) for _, text, _ in written[:12])
    raise refuse(WORDS["footnotes.two_lists"], where, got, WORDS["footnotes.one_list"])


def _lower(name: str) -> str:
    return name.rpartition("/")[2].strip()


def without_oversized_cells(table: TextTable) -> TextTable:
    """Empty the cells that are too long to be a fact about a firm, each with a problem."""
    cells, problems = table.cells.copy(), []
    wanted = WORDS["footnotes.cell_too_long"].format(n=f"{MAX_CELL_CHARACTERS:,}")
    for at, header in enumerate(table.headers):
        lengths = cells[at].str.len()
        oversized = (lengths > MAX_CELL_CHARACTERS).to_numpy(dtype=bool)
        for place in np.flatnonzero(oversized):
            row, got = int(table.rows[place]), f"{int(lengths.iloc[place]):,}"
            problem = Problem(row, header or None, got, wanted, "cell_too_long", table.sheet)
            problems.append(problem)
        if oversized.any():
            cells[at] = cells[at].mask(oversized)
    return replace(table, cells=cells, problems=(*table.problems, *problems))
