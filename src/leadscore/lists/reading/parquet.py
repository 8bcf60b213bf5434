"""Parquet carries types and may claim any size: it becomes text in a child with bounded memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.errors import ListError
from leadscore.lists.problems import Problem, shown
from leadscore.lists.reading.footnotes import without_asides
from leadscore.lists.reading.header import Header, HeaderPlace, header_of, no_header
from leadscore.lists.reading.sandbox import MEMORY_LIMIT_BYTES, Child
from leadscore.lists.reading.table import (
    MAX_CELLS,
    MAX_ROWS,
    MAX_TEXT_BYTES,
    RawList,
    SheetHead,
    TextColumns,
    TextTable,
    empty_is_missing,
    refuse,
)
from leadscore.text import Text, room_words

WORDS = room_words("lists")


_SCRIPT = Path(__file__).with_name("parquet_child.py")
_LIMITS = (MEMORY_LIMIT_BYTES, MAX_ROWS, MAX_CELLS, MAX_TEXT_BYTES)
DAMAGED_NUMBER = WORDS["parquet.damaged_number"]
_ISSUES = {
    "damaged_number": DAMAGED_NUMBER,
    "unread_type": WORDS["parquet.issues_unread_type"],
}


def read_parquet(path: Path, place: HeaderPlace | None = None) -> RawList:
    """Read a Parquet file by a child process with bounded memory and time.

    Rows count from 1, as there is no header line. Whole numbers have no ``.0``, decimals keep their
    digits, times with a zone are those of the clock there, truth values 是 and 否. A column of
    lists, structs or other types that hold no single value is missing (``unread_type``).

    Raises
    ------
    ListError
        If the file is too large by its own account, damaged, or has no column that names firms.
    """
    source = shown(path.name)
    with Child(_SCRIPT, str(path), *map(str, _LIMITS), source=source) as child:
        first = child.output.readline()
        if not first.endswith(b"\n"):
            child.check()
        said = json.loads(first)
        if "error" in said:
            raise _fault(source, said["error"], said["found"])
        header = header_of([str(name) for name in said["headers"]])
        if place:
            header = place.named(header)
        if header.name_at is None:
            head = SheetHead(None, (header.names,))
            raise no_header(source, [(source, [header.names])], [head])
        columns = _columns(child, source, len(header.names))
    cells, rows = columns.finish()
    table = TextTable(
        headers=header.names,
        cells=cells,
        rows=rows,
        problems=tuple(_problem(header, issue) for issue in _relevant(header, said["issues"])),
    )
    return RawList(
        source=source,
        tables=(without_asides(table, header, source),),
    )


def _columns(child: Child, source: str, width: int) -> TextColumns:
    columns = TextColumns(source, width)
    row = 1
    try:
        with pa.ipc.open_stream(child.output) as stream:
            for batch in stream:
                numbers = range(row, row + batch.num_rows)
                columns.add_columns([empty_is_missing(column) for column in batch], numbers)
                row += batch.num_rows
    except (pa.ArrowException, OSError):
        child.check()
        raise
    child.check()
    return columns


def _relevant(header: Header, issues: list[Any]) -> list[Any]:
    """Keep the issues of columns that are used."""
    return [
        issue
        for issue in issues
        if (column := header.columns[issue[1]]) is not None and not column.personal
    ]


def _problem(header: Header, issue: tuple[int, int, str, str]) -> Problem:
    row, at, code, found = issue
    return Problem(
        row=row or None,
        column=header.names[at],
        found=shown(found),
        wanted=_ISSUES[code],
        code=code,
    )


def _fault(source: str, error: str, found: str) -> ListError:
    if error == "too_large":
        return refuse(
            WORDS["parquet.fault"].format(file=source),
            where=source,
            got=found,
            wanted=Text(
                zh=f"至多 {MAX_ROWS:,} 行、{MAX_CELLS:,} 个单元格、{MAX_TEXT_BYTES:,} 字节",
                en=f"at most {MAX_ROWS:,} rows, {MAX_CELLS:,} cells and {MAX_TEXT_BYTES:,} bytes",
            ),
        )
    return refuse(
        WORDS["parquet.fault_2"].format(file=source),
        where=source,
        got=shown(found, 200),
        wanted=WORDS["parquet.fault_wanted"],
    )
