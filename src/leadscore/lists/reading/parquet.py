"""Parquet carries types and may claim any size: it becomes text in a child with bounded memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.lists.problems import Problem
from leadscore.lists.reading.footnotes import without_totals_and_notes
from leadscore.lists.reading.header import (
    ANYWHERE,
    HeaderPlace,
    header_of,
    no_header,
)
from leadscore.lists.reading.table import (
    OWN_FILE,
    Child,
    Limits,
    RawList,
    SheetHead,
    TextColumns,
    TextTable,
    empty_is_missing,
    refuse,
)
from leadscore.text import room_words, shown

WORDS = room_words("lists")

_SCRIPT = Path(__file__).with_name("parquet_child.py")


def read_parquet(path: Path, place: HeaderPlace = ANYWHERE, limits: Limits = OWN_FILE) -> RawList:
    """Read a Parquet file by a child process with bounded memory and time.

    Rows count from 1, as there is no header line. Whole numbers have no ``.0``, decimals keep their
    digits, times with a zone are those of the clock there, truth values 是 and 否. A column of
    lists, structs or other types that hold no single value is missing (``unread_type``).
    Raises `ListError` if the file is too large by its own account, damaged, or names no firms.
    """
    source = shown(path.name)
    most = (limits.rows, limits.cells, limits.text_bytes)
    first = (limits.head or limits.rows, limits.head_bytes if limits.head else limits.text_bytes)
    bounds = map(str, (*limits.of_child, *most, *first))
    with Child(_SCRIPT, str(path), *bounds, source=source, limits=limits) as child:
        message = _message(child, source, limits)
        header = place.named(
            header_of([str(name) for name in message["headers"]], aliases=place.aliases)
        )
        if header.name_at is None:
            head = SheetHead(None, (header.names,))
            raise no_header(source, [(source, [header.names])], [head])
        columns, row = TextColumns(source, len(header.names), limits), 1
        try:
            with pa.ipc.open_stream(child.output) as stream:
                for batch in stream:
                    numbers = range(row, row + batch.num_rows)
                    columns.add_columns([empty_is_missing(column) for column in batch], numbers)
                    row += batch.num_rows
        except (pa.ArrowException, OSError):
            child.check()
            raise
        issues = _message(child, source, limits)["issues"]
        child.check()
        columns.pass_over(message["rows"] + 1 - row)
    cells, rows = columns.finish()
    problems = [
        Problem(row or None, header.names[at], shown(text), WORDS[f"parquet.issues.{code}"], code)
        for row, at, code, text in issues
        if header.is_read(at)
    ]
    table = TextTable(header.names, cells, rows, problems=tuple(problems))
    table = without_totals_and_notes(table, header, source)
    return RawList(source, (table,), unread_rows=columns.unread)


def _message(child: Child, source: str, limits: Limits) -> dict[str, Any]:
    line = child.output.readline()
    if not line.endswith(b"\n"):
        child.check()
    message: dict[str, Any] = json.loads(line)
    if "error" not in message:
        return message
    got = message["found"]
    if message["error"] == "damaged":
        wanted = WORDS["parquet.whole"]
        raise refuse(WORDS["parquet.damaged"], source, shown(got, 200), wanted)
    most = (limits.rows, limits.cells, limits.text_bytes)
    rows, cells, size = (f"{limit:,}" for limit in most)
    wanted = WORDS["parquet.at_most"].format(rows=rows, cells=cells, size=size)
    raise refuse(WORDS["table.too_large"], source, got, wanted)
