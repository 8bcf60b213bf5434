"""Run as a script in a child process: prints the cells of a Parquet file as Arrow text, or dies."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

BATCH_ROWS = 512  # few, because one long text of a dictionary may stand in every row
OUT_OF_MEMORY = 3
TEXT = pa.large_string()


class _TooLargeError(Exception):
    """More than the limits allow; carries what was found."""


def main(
    path: str, memory: int, seconds: int, rows: int, cells: int, text: int, head: int,
    head_text: int,
) -> None:  # fmt: skip
    """Print the table, or the error that it meets."""
    _limit(memory, seconds)
    try:
        print_table(path, (rows, cells, text), head, head_text)
    except MemoryError:  # Arrow's among them
        os._exit(OUT_OF_MEMORY)


def _limit(memory: int, seconds: int) -> None:
    # A crash must leave no dump of the list.
    pa.set_memory_pool(pa.system_memory_pool())
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not there on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def _say(**message: Any) -> None:
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")


def print_table(path: str, most: tuple[int, int, int], head: int, head_text: int) -> None:
    """Print headers, batches of the first rows, and what was wrong with them, or an error."""
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)
        _check_footer(file, *most)
        texts = _Texts(file.schema_arrow, most[2])
        batches = _first(file, texts, head, head_text)
        first = next(batches, None)  # so that most of what is wrong is known before any is read
        _say(headers=file.schema_arrow.names, rows=file.metadata.num_rows)
        sys.stdout.buffer.flush()
        with pa.ipc.new_stream(sys.stdout.buffer, texts.schema) as stream:
            while first is not None:
                stream.write_batch(first)
                first = next(batches, None)
    except _TooLargeError as fault:
        _say(error="too_large", found=str(fault))
    except (MemoryError, BrokenPipeError):
        raise
    except (pa.ArrowException, OSError, ValueError) as fault:
        _say(error="damaged", found=str(fault))
    else:
        _say(issues=texts.issues)


def _first(file: Any, texts: _Texts, head: int, head_text: int) -> Iterator[Any]:
    for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
        yield texts.of(batch)
        if texts.rows >= head or texts.size >= head_text:
            return


def _check_footer(file: Any, most_rows: int, most_cells: int, most_text: int) -> None:
    meta = file.metadata
    width = len(file.schema_arrow)
    unpacked = sum(meta.row_group(at).total_byte_size for at in range(meta.num_row_groups))
    if meta.num_rows > most_rows or meta.num_rows * width > most_cells:
        raise _TooLargeError(f"{meta.num_rows:,} x {width:,}")
    if unpacked > most_text:
        raise _TooLargeError(f"{unpacked:,} B")


class _Texts:
    """Turns batches into text and remembers what could not be turned."""

    def __init__(self, schema: Any, most_text: int) -> None:
        self.issues: list[tuple[int, int, str, str]] = []
        self.schema = pa.schema([pa.field(str(at), TEXT) for at in range(len(schema))])
        self.rows = 0
        self._most, self.size = most_text, 0
        self._unread: set[int] = set()

    def of(self, batch: Any) -> Any:
        columns = [self._column(at, batch.column(at)) for at in range(batch.num_columns)]
        self.rows += batch.num_rows
        self.size += sum(column.nbytes for column in columns)
        if self.size > self._most:
            raise _TooLargeError(f"> {self._most:,} B")
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _column(self, at: int, values: Any) -> Any:
        values.validate(full=True)  # flipped bits in a text, where the page has no checksum
        kind = values.type
        if pa.types.is_dictionary(kind):
            return self._column(at, values.dictionary_decode())
        if pa.types.is_floating(kind):
            return self._floats(at, values)
        try:
            return _plain(values, kind)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            if at not in self._unread:
                self._unread.add(at)
                self.issues.append((0, at, "unread_type", str(kind)))
            return pa.nulls(len(values), TEXT)

    def _floats(self, at: int, values: Any) -> Any:
        values = values.cast(pa.float64()) if pa.types.is_float16(values.type) else values
        values = pc.if_else(pc.is_nan(values), None, values)
        size = pc.abs(values.cast(pa.float64()))
        # A float holds whole numbers exactly up to here; a larger one has lost its end.
        damaged = pc.and_(pc.greater_equal(size, 2.0**53), pc.is_finite(size))
        for place in pc.indices_nonzero(pc.fill_null(damaged, False)).to_pylist():
            found = f"{int(values[place].as_py())}"
            self.issues.append((self.rows + place + 1, at, "damaged_number", found))
        values = pc.if_else(damaged, None, values)
        whole = pc.and_(pc.equal(pc.round(values), values), pc.is_finite(values))
        integers = pc.if_else(whole, values, None).cast(pa.int64())
        return pc.if_else(pc.fill_null(whole, False), integers.cast(TEXT), values.cast(TEXT))


def _plain(values: Any, kind: Any) -> Any:
    if pa.types.is_boolean(kind):
        return pc.if_else(values, pa.scalar("是", TEXT), pa.scalar("否", TEXT))
    if pa.types.is_timestamp(kind):
        local = pc.local_timestamp(values) if kind.tz else values
        text = local.cast(pa.timestamp("s"), safe=False).cast(TEXT)
        return pc.replace_substring_regex(text, " 00:00:00$", "")
    if pa.types.is_time(kind):
        return values.cast(pa.time32("s"), safe=False).cast(TEXT)
    if pa.types.is_date64(kind):
        return values.cast(pa.date32()).cast(TEXT)
    if pa.types.is_duration(kind):
        raise pa.ArrowNotImplementedError("a duration has no column")
    return values.cast(TEXT)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:9]))
