"""Where somebody said that the header stands and what its columns mean, if it is not looked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from leadscore.errors import Detail, ListError
from leadscore.language import Text
from leadscore.lists.columns import column
from leadscore.lists.files.header_faults import letters
from leadscore.lists.files.header_rows import (
    HEADER_SEARCH,
    Header,
    Merge,
    Row,
    find_header,
    row_header,
)

UNREAD = ""
"""What a column is said to mean that is not to be read."""

_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})?")
_ONE_PLACE = Text(
    zh="所指的列不在同一张工作表的同一行：一次只能指定一行列名",
    en="the columns that are named are not in one row of one sheet; name those of one header row",
)
_SAME = Text(zh="同一工作表、同一行的单元格", en="cells of one sheet and one row")


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
        raise ListError(_ONE_PLACE, [Detail("mapping", ", ".join(cells), _SAME)])
    sheet, row, _ = next(iter(cells.values()))
    return HeaderPlace(sheet, row, {cell[2]: mapping[key] for key, cell in cells.items()})
