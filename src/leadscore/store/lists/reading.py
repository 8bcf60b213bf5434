"""Reads a list that was handed in, with the columns that its owner named."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from leadscore.errors import Detail, ListError
from leadscore.language import Text
from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.columns import CANONICAL
from leadscore.lists.files.header_places import (
    UNREAD,
    HeaderPlace,
    header_place,
    split_address,
)
from leadscore.lists.files.texttable import RawList, TextTable
from leadscore.lists.identity import settle_repeats
from leadscore.lists.problems import shown
from leadscore.lists.reading import read_list

_LABELS = {each.name: each.label.zh for each in CANONICAL}
_UNIT = re.compile(r"\s*[（(][^（）()]*[）)]\s*$")
_LONGEST_NAME = 80

_BAD_MAPPING = Text(zh="列的对应关系有误", en="the mapping of columns has mistakes")
_A_HEADER = Text(zh="文件里有的列名或单元格", en="a header of the file, or a cell of it")
_A_COLUMN = Text(
    zh="标准列名之一，见说明文档", en="a canonical column; the documentation lists them"
)


@dataclass(frozen=True, eq=False)
class Uploaded:
    """A file that was handed in, as it stands and as it was understood.

    Attributes
    ----------
    raw
        Its tables, with their own headers.
    meant
        The same tables with the headers that count: other ones where its owner named the column,
        empty where a column is not to be read.
    clean
        Its firms, each once, and its problems.
    """

    raw: RawList
    meant: RawList
    clean: CleanList


def read_uploaded(
    content: bytes,
    file_name: str,
    mapping: Mapping[str, str],
    *,
    today: date,
    place: HeaderPlace | None = None,
) -> Uploaded:
    """Return a file as it stands, and the firms that it holds, each once.

    Parameters
    ----------
    content
        The file.
    file_name
        What its owner calls it, for messages.
    mapping
        Canonical columns, or "" for one that is not to be read, by the headers that mean them or by
        their places: ``sheet!B3``, or ``sheet!B`` where the row of the header is to be found; of
        files without sheets ``!B3`` and ``!B``. Then no other sheet is read. Headers that aren't
        named are recognised as ever.
    today
        Days after it are not believed.
    place
        Where the header stands if no key of ``mapping`` says so.

    Raises
    ------
    ListError
        If the file can't be read, or the mapping names a header or a column that isn't there.
    """
    check_mapping(mapping)
    place = header_place(mapping) or place
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        path = Path(folder) / _plain_name(file_name)
        path.write_bytes(content)
        raw = read_list(path, place)
    if not mapping:
        return Uploaded(raw, raw, settle_repeats(clean(raw, today=today)))
    mapped, headers = _mapped(raw, mapping)
    cleaned = settle_repeats(clean(mapped, today=today))
    problems = (
        replace(problem, column=headers.get(problem.column or "", problem.column))
        for problem in cleaned.problems
    )
    return Uploaded(raw, mapped, replace(cleaned, problems=tuple(problems)))


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping to columns that are not canonical ones.

    Raises
    ------
    ListError
        Naming each of them.
    """
    wrong = [Detail(header, name, _A_COLUMN) for header, name in mapping.items()
             if name not in _LABELS and name != UNREAD]  # fmt: skip
    if wrong:
        raise ListError(_BAD_MAPPING, wrong)


def _mapped(raw: RawList, mapping: Mapping[str, str]) -> tuple[RawList, dict[str, str]]:
    """Return the list with other headers, and what each of these was."""
    cells = {key: cell for key in mapping if (cell := split_address(key)) is not None}
    there = {header for table in raw.tables for header in table.headers}
    widest = max(len(table.headers) for table in raw.tables)
    absent = [Detail("mapping", key, _A_HEADER) for key in mapping
              if (cells[key][2] >= widest if key in cells else key not in there)]  # fmt: skip
    if absent:
        raise ListError(_BAD_MAPPING, absent)
    by_place = {cell[2]: mapping[key] for key, cell in cells.items()}
    was: dict[str, str] = {}

    def rename(table: TextTable) -> TextTable:
        headers = list(table.headers)
        for at, header in enumerate(table.headers):
            name = by_place.get(at, mapping.get(header))
            if name is not None:
                headers[at] = _header(header, name)
                was.setdefault(headers[at], header)
        return replace(table, headers=tuple(headers))

    tables = tuple(rename(table) for table in raw.tables)
    return replace(raw, tables=tables), was


def _header(header: str, column: str) -> str:
    """Return a header that means a column, with the unit that the old one names."""
    if column == UNREAD:
        return ""
    unit = _UNIT.search(header)
    return _LABELS[column] + (unit.group() if unit else "")


def _plain_name(file_name: str) -> str:
    """Return a name that a file may have on any system, for messages only."""
    last = re.split(r"[/\\]", file_name)[-1]
    name = re.sub(r'[<>:"|?*\x00-\x1f]', "_", last)[-_LONGEST_NAME:].strip(". ")
    return shown(name) or "list"
