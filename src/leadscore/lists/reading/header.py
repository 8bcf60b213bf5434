"""Finds the header among titles, notes and parents, or takes the one that somebody named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from leadscore.errors import Detail, ListError
from leadscore.lists.columns import Column, column, recognise
from leadscore.lists.problems import Problem, shown
from leadscore.lists.reading.table import SheetHead
from leadscore.text import Text, room_words

WORDS = room_words("lists")


Row = Sequence[str | None]
Merge = tuple[tuple[int, int], tuple[int, int]]
"""A merged range: (row, column) of its first and last cell, counted from 0."""

HEADER_SEARCH = 50
"""Records at the start of a sheet among which the header must stand."""
LONGEST_HEADER = 30
"""Characters; a longer cell beside or below headers is text, not a header."""
NAMING = ("name", "matched", "imported", "credit_code")
"""Kinds of columns that name firms, the best first; every list must have one."""


@dataclass(frozen=True)
class Header:
    """Where the header stands and what it says.

    Attributes
    ----------
    first, last
        Positions of its rows among those searched; equal unless it takes two.
    names
        Header per column as written, parents joined by ``/``; empty where there is none.
    columns
        Canonical column per column, None where unknown.
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

    def widened(self, width: int) -> Header:
        """Return the header of more columns, the new ones without a name."""
        more = width - len(self.names)
        return replace(self, names=self.names + ("",) * more, columns=self.columns + (None,) * more)


def fold(text: str) -> str:
    r"""Return the form under which two headers are the same: NFKC, no invisible characters.

    >>> fold("企业\u200b名称 ") == fold("企业名称")
    True
    >>> fold("ＡＢｃ")
    'abc'
    """
    plain = unicodedata.normalize("NFKC", text)
    kept = (mark for mark in plain if unicodedata.category(mark) not in ("Cf", "Cc", "Zs", "Zl"))
    return "".join(kept).casefold()


def find_header(rows: Sequence[Row], merges: Sequence[Merge] | None = None) -> Header | None:
    """Return the header among the first rows of a sheet, or None if no row names firms.

    It is the first row in which a cell is known to name firms, or the row below it if that knows
    more columns. A row whose neighbour below continues it downwards is no header but an entry of a
    dictionary of columns. A row of parents above the header, or of children below it, is joined
    to it.

    Parameters
    ----------
    rows
        The first rows, blank ones included, their cells from the first column on.
    merges
        Merged ranges if the source can tell them; None if it can't, as in CSV: then a parent
        reaches rightwards to the next.
    """
    searched = range(min(len(rows), HEADER_SEARCH))
    singles = [row_header(position, rows[position]) for position in searched]
    best = _best(singles, rows)
    if best is not None:
        joined = _joined(best, rows, merges)
        return joined if joined.name_at is not None and joined.known >= best.known else best
    # "企业" over "名称" may name firms where neither half does.
    pairs = [_two_rows(position, rows, merges) for position in searched[:-1]]
    return _best(pairs, rows)


def _best(headers: Sequence[Header], rows: Sequence[Row]) -> Header | None:
    fit = [each for each in headers if each.name_at is not None and not _is_entry(each, rows)]
    if not fit:
        return None
    first = fit[0]
    below = next((each for each in fit[1:] if each.first == first.first + 1), first)
    return below if below.known > first.known else first


def header_of(names: Sequence[str]) -> Header:
    """Return the header of a source whose columns have names and that has no other rows."""
    return Header(0, 0, tuple(names), _meanings(names))


def row_header(position: int, row: Row) -> Header:
    """Return the header that one row is."""
    names = tuple((cell or "").strip() for cell in row)
    return Header(position, position, names, _meanings(names))


def _meanings(names: Sequence[str]) -> tuple[Column | None, ...]:
    return tuple(
        recognise(name) if name and len(name) <= 2 * LONGEST_HEADER else None for name in names
    )


def _is_entry(header: Header, rows: Sequence[Row]) -> bool:
    """Tell whether a row with one known cell stands in a column of headers, as in a dictionary."""
    if header.known > 1:
        return False
    below = next((row for row in rows[header.last + 1 :] if any(row)), ())
    return recognise(_cell(below, header.name_at or 0)) is not None


def _joined(header: Header, rows: Sequence[Row], merges: Sequence[Merge] | None) -> Header:
    above, below = header.first - 1, header.last + 1
    if above >= 0 and _are_parents(rows[above], above, len(header.names), merges):
        return _two_rows(above, rows, merges)
    if below < len(rows) and _are_children(header, rows[below], merges):
        return _two_rows(header.first, rows, merges)
    return header


def _are_parents(row: Row, position: int, width: int, merges: Sequence[Merge] | None) -> bool:
    """Tell whether a row above the header groups its columns."""
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
    if not written or any(at == header.name_at for at, _ in written):
        return False
    if any(_is_value(cell) for _, cell in written):
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


def _two_rows(top: int, rows: Sequence[Row], merges: Sequence[Merge] | None) -> Header:
    upper, lower = rows[top], rows[top + 1]
    width = max(len(upper), len(lower))
    children = [_cell(lower, at) for at in range(width)]
    parents = _filled(upper, top, width, merges)
    names = []
    for at, (parent, child) in enumerate(zip(parents, children, strict=True)):
        if not child:
            names.append(_cell(upper, at))
        elif not parent or fold(parent) == fold(child):
            names.append(child)
        else:
            names.append(f"{parent}/{child}")
    return Header(top, top + 1, tuple(names), _meanings(names))


def _filled(upper: Row, top: int, width: int, merges: Sequence[Merge] | None) -> list[str]:
    """Return the parents, each written over every column that it spans."""
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


NAMES_THAT_DO = ("企业名称", "公司名称", "单位名称", "name")
"""Headers of that column that an error proposes."""

_PRIVATE = re.compile(r"\d{7}|@")


class NoHeaderError(ListError):
    """A list of which no column names firms.

    Attributes
    ----------
    heads
        The first rows of its sheets, for its owner to say which.
    """

    heads: tuple[SheetHead, ...] = ()


def duplicate_headers(header: Header, row: int | None, sheet: str | None) -> list[Problem]:
    """Return a problem per header that is used and stands over several columns."""
    places: dict[str, list[int]] = {}
    for at, (name, meaning) in enumerate(zip(header.names, header.columns, strict=True)):
        if meaning is not None and meaning.kind not in ("personal", "ignored"):
            places.setdefault(fold(name), []).append(at)
    wanted = WORDS["header.duplicate_headers_wanted"]
    return [
        Problem(
            row=row,
            column=header.names[found[0]],
            found=f"{shown(header.names[found[0]])}: {', '.join(map(letters, found))}",
            wanted=wanted,
            code="duplicate_header",
            sheet=sheet,
        )
        for found in places.values()
        if len(found) > 1
    ]


def letters(position: int) -> str:
    """Return a column's letters as a spreadsheet shows them.

    >>> letters(0), letters(25), letters(26), letters(16383)
    ('A', 'Z', 'AA', 'XFD')
    """
    name = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        name = chr(65 + rest) + name
    return name


def no_header(
    source: str,
    places: Sequence[tuple[str, Sequence[Row]]],
    heads: Sequence[SheetHead] = (),
) -> NoHeaderError:
    """Return the error for a source in which no row names firms: what was found, what would do.

    Parameters
    ----------
    source
        Name for the message.
    places
        Where it was looked for (sheet or file), each with its first rows.
    heads
        The first rows of each sheet.
    """
    wanted = Text(
        zh=f"一行列名，其中一列为企业名称，例如：{'、'.join(NAMES_THAT_DO)}",
        en=f"a row of headers, one of them naming firms, such as {', '.join(NAMES_THAT_DO)}",
    )
    error = NoHeaderError(
        WORDS["header.no_header_error"].format(file=source),
        [Detail(where=place, got=_widest(rows), wanted=wanted) for place, rows in places],
    )
    error.heads = tuple(heads)
    return error


def _widest(rows: Sequence[Row]) -> str:
    """Return the cells of the row most like a header, without what may be personal."""
    written = [[cell.strip() for cell in row if cell and cell.strip()] for row in rows]
    cells = max(written[:HEADER_SEARCH], key=len, default=[])
    kept = ["…" if _PRIVATE.search(cell) else shown(cell, 20) for cell in cells[:12]]
    return ", ".join([*kept, "…"] if len(cells) > 12 else kept) or "-"


UNREAD = ""
"""What a column is said to mean that is not to be read."""

_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})?")


@dataclass(frozen=True)
class HeaderPlace:
    """What somebody said of a header, so that it need not be looked for.

    Attributes
    ----------
    sheet
        Name of its sheet; empty for any, and for files without sheets.
    row
        Its row, as a spreadsheet numbers it; missing if it is to be found in its sheet.
    columns
        Canonical column by position, `UNREAD` for one that is not to be read; the others are
        recognised by their headers.
    """

    sheet: str
    row: int | None
    columns: Mapping[int, str]

    def header(self, rows: Sequence[Row], merges: Sequence[Merge] | None = None) -> Header | None:
        """Return the header among the first rows of a sheet; None if it isn't there."""
        if self.row is None:
            found = find_header(rows, merges)
            return found and self.named(found)
        if not 1 <= self.row <= min(len(rows), HEADER_SEARCH):
            return None
        header = row_header(self.row - 1, rows[self.row - 1])
        named = max((at + 1 for at in self.columns), default=0)
        wide = max(len(header.names), min(named, max(map(len, rows))))
        return self.named(header.widened(wide))

    def named(self, header: Header) -> Header:
        """Return a header with the meanings that were named, where it has such columns."""
        meanings = list(header.columns)
        for at, name in self.columns.items():
            if at < len(meanings):
                meanings[at] = column(name) if name != UNREAD else None
        return replace(header, columns=tuple(meanings))


def column_address(sheet: str | None, row: int | None, position: int) -> str:
    """Return what names a column: ``sheet!C3``, or ``sheet!C`` where the row is to be found.

    >>> column_address("名单", 3, 1), column_address(None, None, 26)
    ('名单!B3', '!AA')
    """
    return f"{sheet or ''}!{letters(position)}{row or ''}"


def split_address(name: str) -> tuple[str, int | None, int] | None:
    """Return sheet, row and position of what `column_address` made; None for anything else.

    >>> split_address("名单!B3"), split_address("!B"), split_address("注册资本")
    (('名单', 3, 1), ('', None, 1), None)
    """
    sheet, mark, cell = name.rpartition("!")
    found = _ADDRESS.fullmatch(cell) if mark else None
    if found is None:
        return None
    position = 0
    for letter in found[1]:
        position = position * 26 + ord(letter) - 64
    return sheet, int(found[2]) if found[2] else None, position - 1


def header_place(mapping: Mapping[str, str]) -> HeaderPlace | None:
    """Return the header of which a mapping names cells; None if it names headers only.

    Raises
    ------
    ListError
        If the cells are not of one row.
    """
    found = {key: split_address(key) for key in mapping}
    cells = {key: cell for key, cell in found.items() if cell is not None}
    if not cells:
        return None
    if len({cell[:2] for cell in cells.values()}) > 1:
        raise ListError(
            WORDS["header.one_place"], [Detail("mapping", ", ".join(cells), WORDS["header.same"])]
        )
    sheet, row, _ = next(iter(cells.values()))
    return HeaderPlace(sheet, row, {cell[2]: mapping[key] for key, cell in cells.items()})
