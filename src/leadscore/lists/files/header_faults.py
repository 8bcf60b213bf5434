"""What is wrong with the headers of a list is told in the words of the list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leadscore.errors import Detail, ListError
from leadscore.language import Text
from leadscore.lists.files.header_rows import HEADER_SEARCH, Header, Row, fold
from leadscore.lists.files.texttable import SheetHead
from leadscore.lists.problems import Problem, shown

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
    for at, (name, column) in enumerate(zip(header.names, header.columns, strict=True)):
        if column is not None and column.kind not in ("personal", "ignored"):
            places.setdefault(fold(name), []).append(at)
    wanted = Text(
        zh="每个列名只出现一次；各列不一致时采用第一列",
        en="each header once; where the columns differ, the first counts",
    )
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
        Text(
            zh="{file} 里找不到企业名称一列；请补上列名，或改成下列名称之一。",
            en="{file} has no column that names firms; add a header row, or rename that column.",
        ).format(file=source),
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
