"""Parquet carries types and may claim any size: it becomes text in a child with bounded memory."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from leadscore.lists.problems import Problem
from leadscore.lists.reading.header import (
    ANYWHERE,
    HeaderPlace,
    header_of,
    no_header,
    without_totals_and_notes,
)
from leadscore.lists.reading.table import (
    MAX_CELLS,
    MAX_ROWS,
    MAX_TEXT_BYTES,
    MEMORY_LIMIT_BYTES,
    Child,
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
_LIMITS = (MAX_ROWS, MAX_CELLS, MAX_TEXT_BYTES)


def read_parquet(path: Path, place: HeaderPlace = ANYWHERE) -> RawList:
    """Read a Parquet file by a child process with bounded memory and time.

    Rows count from 1, as there is no header line. Whole numbers have no ``.0``, decimals keep their
    digits, times with a zone are those of the clock there, truth values 是 and 否. A column of
    lists, structs or other types that hold no single value is missing (``unread_type``).
    Raises `ListError` if the file is too large by its own account, damaged, or names no firms.
    """
    source = shown(path.name)
    limits = map(str, (MEMORY_LIMIT_BYTES, *_LIMITS))
    with Child(_SCRIPT, str(path), *limits, source=source) as child:
        line = child.output.readline()
        if not line.endswith(b"\n"):
            child.check()
        message = json.loads(line)
        if "error" in message:
            got, most = message["found"], [f"{limit:,}" for limit in _LIMITS]
            if message["error"] == "damaged":
                wanted = WORDS["parquet.whole"]
                raise refuse(WORDS["parquet.damaged"], source, shown(got, 200), wanted)
            wanted = WORDS["parquet.at_most"].format(rows=most[0], cells=most[1], size=most[2])
            raise refuse(WORDS["table.too_large"], source, got, wanted)
        header = place.named(header_of([str(name) for name in message["headers"]]))
        if header.name_at is None:
            head = SheetHead(None, (header.names,))
            raise no_header(source, [(source, [header.names])], [head])
        columns, row = TextColumns(source, len(header.names)), 1
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
    cells, rows = columns.finish()
    problems = [
        Problem(row or None, header.names[at], shown(text), WORDS[f"parquet.issues.{code}"], code)
        for row, at, code, text in message["issues"]
        if header.is_read(at)
    ]
    table = TextTable(header.names, cells, rows, problems=tuple(problems))
    return RawList(source, (without_totals_and_notes(table, header, source),))
