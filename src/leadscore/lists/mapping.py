"""What the owner of a list said of its columns: which canonical one each of them means.

A mapping has canonical columns, or "" for one that is not to be read, by the headers that mean
them or by their places: ``sheet!B3``, or ``sheet!B`` where the row of the header is to be found; of
files without sheets ``!B3`` and ``!B``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from leadscore.errors import Detail, ListError
from leadscore.lists.columns import CANONICAL
from leadscore.lists.reading.header import UNREAD, split_address
from leadscore.lists.reading.table import RawList, TextTable
from leadscore.text import room_words

WORDS = room_words("lists")

_LABELS = {one.name: one.label.zh for one in CANONICAL}
_UNIT = re.compile(r"\s*[（(][^（）()]*[）)]\s*$")


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping to columns that are not canonical ones by a `ListError`."""
    wanted = WORDS["mapping.a_column"]
    if wrong := [
        Detail(header, name, wanted)
        for header, name in mapping.items()
        if name not in _LABELS and name != UNREAD
    ]:
        raise ListError(WORDS["mapping.bad_mapping"], wrong)


def with_mapping(raw: RawList, mapping: Mapping[str, str]) -> tuple[RawList, dict[str, str]]:
    """Return a list whose headers say what a mapping says, and the former headers by the new.

    Raises `ListError` if the mapping names a header or a place that the list has not.
    """
    cells = {key: cell for key in mapping if (cell := split_address(key)) is not None}
    there = {header for table in raw.tables for header in table.headers}
    widest = max(len(table.headers) for table in raw.tables)
    absent = [Detail("mapping", key, WORDS["mapping.a_header"]) for key in mapping
              if (cells[key][2] >= widest if key in cells else key not in there)]  # fmt: skip
    if absent:
        raise ListError(WORDS["mapping.bad_mapping"], absent)
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
    if column == UNREAD:
        return ""
    unit = _UNIT.search(header)
    return _LABELS[column] + (unit.group() if unit else "")
