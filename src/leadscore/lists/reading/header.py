"""Finds the header among titles and notes, and the rows below it that are no firms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from leadscore.errors import Detail, ListError
from leadscore.lists.columns import Column, Heading, column, read_heading, readings, recognise
from leadscore.lists.problems import Problem
from leadscore.lists.reading.table import SheetHead
from leadscore.lists.values.amounts import NO_UNIT, read_unit
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
_GUIDE = frozenset(("CSV 列名", "Name in CSV"))
"""Headers of the sheet that explains the columns of our own workbooks: it lists no firms."""
_DEEPEST = 4  # rows of a header above or below the one that names firms
_LONGEST_UNIT = 8
UNREAD = ""  # what a column is said to mean that is not to be read

_IS_YEAR = re.compile(r"(?:19|20)\d\d\s*(?:年度|年|度)?(?:末|底)?")
_AROUND_UNIT = re.compile(r"^[(\[【〔]*(?:(?:计量)?单位:)?|[)\]】〕]*$")
_NO_UNIT_WORDS = frozenset(
    ("-", "--", "—", "——", "/", "\\", "无", "单位", "计量单位", "unit", "units")
)
"""What stands in a row of units where a column has none."""
Aliases = Mapping[str, str]
"""Canonical columns by headers in their normal form that mean them in one kind of file only."""
NO_ALIASES: Aliases = MappingProxyType({})

_PRIVATE = re.compile(r"\d{7}|@")
_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})?")


@dataclass(frozen=True)
class Header:
    """Where the header stands (first and last of its rows among those searched) and what it says.

    Names are as written, parents joined by ``/``, the unit of a row of units in brackets behind
    them, empty where there is none; columns the canonical ones that they mean, None where unknown.
    """

    first: int
    last: int
    names: tuple[str, ...]
    columns: tuple[Column | None, ...]
    has_units: bool = False  # in a row of their own below the last

    @property
    def end(self) -> int:
        """Position of the row below which the firms stand."""
        return self.last + self.has_units

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
    if any(not _GUIDE.isdisjoint(rows[position]) for position in searched):
        return None
    best = _best([_row_header(position, rows[position], aliases) for position in searched], rows)
    if best is not None:
        joined = _joined(best, rows, merges, aliases)
        named = joined.name_at is not None and joined.known >= best.known
        return _with_units(joined if named else best, rows)
    # "企业" over "名称" may name firms where neither half does.
    pairs = [
        _rows_joined(position, position + 1, rows, merges, aliases) for position in searched[:-1]
    ]
    best = _best(pairs, rows)
    return best and _with_units(best, rows)


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
    first, last = header.first, header.last
    last += _rows_of_children(header, rows, merges)
    if last == first:  # what has children has no parents
        width, highest = len(header.names), max(header.first - _DEEPEST, 0)
        while first > highest and _are_parents(
            rows[first - 1], first - 1, width, merges, lowest=first == header.first
        ):
            first -= 1
    return header if first == last else _rows_joined(first, last, rows, merges, aliases)


def _are_parents(
    row: Row, position: int, width: int, merges: Sequence[Merge] | None, *, lowest: bool
) -> bool:
    written = [cell.strip() for cell in row if cell and cell.strip()]
    if any(len(cell) > LONGEST_HEADER or ":" in fold(cell) for cell in written):
        return False
    if merges is None:
        return 2 <= len(written) < len(row) and (lowest or not any(map(_is_value, written)))
    if not lowest and len(written) < 2:  # a title that is not quite as wide as its table
        return False
    spans = [last[1] - first[1] + 1 for first, last in merges if first[0] == position]
    return any(1 < span < width for span in spans)


def _rows_of_children(header: Header, rows: Sequence[Row], merges: Sequence[Merge] | None) -> int:
    """Return how many rows below the header name parts of it and are not the first firms."""
    top, name_at = header.first, header.name_at or 0
    down = [last[0] - top for first, last in (merges or []) if first == (top, name_at)]
    if down and 0 < down[0] <= _DEEPEST and top + down[0] < len(rows):
        return down[0]  # the header of the names is merged over as many
    below = rows[top + 1 : top + 1 + _DEEPEST]
    most = 0
    for row in below:
        written = [cell.strip() for cell in row if cell and cell.strip()]
        if not written or _cell(row, name_at) or _units_of(row, header):
            break
        if any(_is_value(cell) and not _IS_YEAR.fullmatch(cell) for cell in written):
            break
        most += 1
    while most > 1 and not any(recognise(cell) for cell in below[most - 1] if cell):
        most -= 1
    if not most:
        return 0
    if most == 1 and any(_is_value(cell.strip()) for cell in below[0] if cell):
        return 0
    if merges is not None:
        has_children = any(
            first[0] == top and (last[0] > first[0] or last[1] > first[1]) for first, last in merges
        )
    else:
        lower = {at for row in below[:most] for at, cell in enumerate(row) if cell and cell.strip()}
        has_children = any(at >= len(header.names) or not header.names[at] for at in lower)
    return most if has_children else 0


def _is_value(cell: str) -> bool:
    figures = any(mark.isdigit() for mark in cell)
    return len(cell) > LONGEST_HEADER or (figures and recognise(cell) is None)


def _rows_joined(
    first: int, last: int, rows: Sequence[Row], merges: Sequence[Merge] | None, aliases: Aliases
) -> Header:
    width = max(len(row) for row in rows[first : last + 1])
    parents = [_filled(rows[at], at, width, merges) for at in range(first, last)]
    names = []
    for at in range(width):
        child = _cell(rows[last], at)
        levels = [parent[at] for parent in parents]
        if not child:  # a header that stands higher reaches down
            own = [_cell(rows[level], at) for level in range(first, last)]
            depth = max((level for level, cell in enumerate(own) if cell), default=0)
            child, levels = own[depth], levels[:depth]
        names.append("/".join(_different([*levels, child])) if child else "")
    return replace(header_of(names, first, aliases), last=last)


def _different(levels: Sequence[str]) -> Iterable[str]:
    """Yield the written levels of a name from above, each that is repeated below left out."""
    for at, level in enumerate(levels):
        if level and (at + 1 == len(levels) or fold(level) not in map(fold, levels[at + 1 :])):
            yield level


def _filled(upper: Row, top: int, width: int, merges: Sequence[Merge] | None) -> list[str]:
    parents = [_cell(upper, at) for at in range(width)]
    if merges is None:
        for at in range(1, width):
            parents[at] = parents[at] or parents[at - 1]
        return parents
    for first, last in merges:
        if first[0] == top:
            for at in range(first[1], min(last[1] + 1, width)):
                parents[at] = parents[first[1]]
    return parents


def _with_units(header: Header, rows: Sequence[Row]) -> Header:
    """Return the header with the units of a row of their own below it, each in its column."""
    below = rows[header.last + 1 : header.last + 2]
    units = _units_of(below[0], header) if below else {}
    if not units:
        return header
    names = list(header.names)
    for at, unit in units.items():
        heading = read_heading(names[at]) if names[at] else None
        if heading and (heading.column.unit is None or _says(heading, unit)):
            continue
        names[at] = f"{names[at]}（{unit}）"
    told = header_of(names, header.first)
    return replace(told, last=header.last, has_units=True)


def _says(heading: Heading, unit: str) -> bool:
    return heading.unit != NO_UNIT and heading.unit == read_unit(unit)


def _units_of(row: Row, header: Header) -> dict[int, str]:
    """Return the units by column if a row holds nothing else, so that it is no firm."""
    units, others = {}, []
    for at, cell in enumerate(row):
        text = _AROUND_UNIT.sub("", fold(cell or ""))
        if not text or text in _NO_UNIT_WORDS:
            continue
        if at >= len(header.names) or at == header.name_at or len(text) > _LONGEST_UNIT:
            return {}
        meaning = header.columns[at]
        unit = read_unit(text)
        if unit is not None and (meaning is None or meaning.unit is not None or unit == NO_UNIT):
            units[at] = text
        elif meaning is not None and meaning.unit is not None:
            return {}
        else:
            others.append(text)
    figures = any(mark.isdigit() for text in others for mark in text)
    known = any(header.is_read(at) for at in units)
    return units if known and not figures and len(others) <= len(units) else {}


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
    recognised by their headers.
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
        header = _with_units(_row_header(self.row - 1, rows[self.row - 1], self.aliases), rows)
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
