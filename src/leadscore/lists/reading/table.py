"""Tables of text, however they came, and child processes for parsers that a file may crash."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Self, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import Detail, ListError
from leadscore.lists.problems import Problem
from leadscore.lists.values.amounts import Unit
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

MAX_COLUMNS = 2_000  # the widest export of a company database known to us has some 60 columns
MAX_ROWS = 5_000_000
"""More is not a list that somebody keeps but a register, which is scored part by part."""
MAX_CELLS = 200_000_000
"""Rows times columns; an empty cell costs 8 bytes, so this bounds a table of blanks to 1.6 GB."""
MAX_TEXT_BYTES = 1 << 30
"""Text of a whole list: a million rows of 10 columns with addresses and scopes take 0.25 GB."""
MAX_LINE_BYTES = 1 << 26
"""A line of 64 MB holds no firm; a file without line ends would fill the memory."""
BATCH_ROWS = 10_000
"""Rows turned into columns at once: large enough to be fast, small enough not to be felt."""
CHUNK_BYTES = 1 << 20  # bytes decoded at once
TEXT = pa.large_string()


@dataclass(frozen=True, eq=False)
class TextTable:
    """One sheet of a list, as written.

    ``cells`` are text with columns ``RangeIndex(len(headers))``, missing where a cell is truly
    empty; ``NA``, ``null`` and ``None`` are text. ``rows`` are their row numbers in the source as a
    spreadsheet shows them: the first line is 1; title, header and blank lines count; a record of a
    CSV counts as one. Sources without a header line (Parquet, frames, records) count from 1.
    """

    headers: tuple[str, ...]  # as in `Header.names`
    cells: pd.DataFrame
    rows: np.ndarray  # int64
    sheet: str | None = None
    problems: tuple[Problem, ...] = ()  # damage seen while reading; rows that are no firms
    unit: Unit | None = None  # of money, stated above the header, as in 单位：万元
    header_row: int = 0  # the last row of the header; 0 where there is none

    def column(self, position: int) -> list[str | None]:
        """Return the cells of one column as plain values."""
        texts: list[str | None] = pa.array(self.cells[position], TEXT, from_pandas=True).to_pylist()
        return texts


@dataclass(frozen=True)
class SheetHead:
    """The first rows of a sheet (if there are sheets) as they stand there, blank ones included."""

    sheet: str | None
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True, eq=False)
class RawList:
    """A list as read, before any cell is understood: every sheet that looks like one.

    The heads of all sheets that could be one with firms are for people to look at.
    """

    source: str
    tables: tuple[TextTable, ...]
    notices: tuple[Text, ...] = ()
    heads: tuple[SheetHead, ...] = ()


def refuse(
    message: Text, source: str, got: str, wanted: Text, where: str = "", **places: object
) -> ListError:
    """Return the error that says why a list can't be read, at the source if no place is named."""
    message = message.format(file=source, **places)
    return ListError(message, [Detail(where=where or source, got=got, wanted=wanted)])


def at_most(limit: int, unit: Text) -> Text:
    """Return a limit in words."""
    return WORDS["table.at_most"].format(limit=f"{limit:,}", unit=unit)


@dataclass
class TextColumns:
    """Columns of text that grow batch by batch; `ListError` for what is too wide, long or large."""

    source: str
    width: int
    _parts: list[list[pa.Array]] = field(default_factory=list)
    _rows: list[np.ndarray] = field(default_factory=list)
    _height: int = 0
    _bytes: int = 0

    def __post_init__(self) -> None:
        """Refuse a table that is too wide before anything is kept of it."""
        if self.width > MAX_COLUMNS:
            wanted = at_most(MAX_COLUMNS, WORDS["table.columns"])
            raise refuse(WORDS["table.too_wide"], self.source, f"{self.width:,}", wanted)
        self._parts = [[] for _ in range(self.width)]

    def add(self, records: Sequence[Sequence[str | None]], rows: Iterable[int]) -> None:
        """Append records of exactly `width` cells; an empty cell is missing."""
        columns = list(zip(*records, strict=True)) if records else [()] * self.width
        self.add_columns([empty_is_missing(pa.array(texts, TEXT)) for texts in columns], rows)

    def add_columns(self, columns: Sequence[pa.Array], rows: Iterable[int]) -> None:
        """Append one array of text per column, all of one length."""
        numbers = np.fromiter(rows, dtype=np.int64)
        self._height += len(numbers)
        self._bytes += sum(column.nbytes for column in columns)
        for size, limit, unit in (
            (self._height, MAX_ROWS, WORDS["table.rows"]),
            (self._height * self.width, MAX_CELLS, WORDS["table.cells"]),
            (self._bytes, 2 * MAX_TEXT_BYTES, WORDS["table.bytes_of_text"]),
        ):
            if size > limit:
                wanted = at_most(limit, unit)
                raise refuse(WORDS["table.too_large"], self.source, f"> {limit:,}", wanted)
        for parts, column in zip(self._parts, columns, strict=True):
            parts.append(column)
        self._rows.append(numbers)

    def finish(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the cells as a frame of text, and the row numbers."""
        names = [str(position) for position in range(self.width)]
        columns = [pa.chunked_array(parts, TEXT) for parts in self._parts]
        cells = pa.Table.from_arrays(columns, names=names).to_pandas()
        cells.columns = pd.RangeIndex(self.width)
        return cells, np.concatenate([np.empty(0, dtype=np.int64), *self._rows])


def empty_is_missing(texts: pa.Array) -> pa.Array:
    """Return text (large_string) in which no cell is an empty string."""
    empty = pc.equal(pc.binary_length(texts), 0)
    return pc.if_else(empty, pa.scalar(None, TEXT), texts) if pc.any(empty).as_py() else texts


@dataclass(frozen=True)
class TextBytes:
    """A text file to be read more than once: to learn its encoding, then its records."""

    path: Path
    gzipped: bool

    @property
    def name(self) -> str:
        """Name of the file for messages."""
        return shown(self.path.name)

    def open(self) -> BinaryIO:
        """Open the bytes, unpacked."""
        if self.gzipped:
            return cast("BinaryIO", gzip.open(self.path, "rb"))
        return self.path.open("rb")

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes once; raise `ListError` for too many, a line too long, a bad gzip."""
        total = line = 0
        with self.open() as stream:
            while chunk := self.read(stream):
                total += len(chunk)
                at = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
                line = line + len(chunk) if at < 0 else len(chunk) - at - 1
                for size, limit, wanted in (
                    (total, MAX_TEXT_BYTES, WORDS["table.shorter_text"]),
                    (line, MAX_LINE_BYTES, WORDS["table.shorter_line"]),
                ):
                    if size > limit:
                        wanted, got = wanted.format(limit=f"{limit:,}"), f"> {limit:,}"
                        raise refuse(WORDS["table.too_much_text"], self.name, got, wanted)
                yield chunk

    def read(self, stream: BinaryIO, size: int = CHUNK_BYTES) -> bytes:
        """Read up to `size` bytes of an open stream; raise `ListError` for a bad gzip."""
        try:
            return stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
            wanted = WORDS["table.whole_gzip"]
            raise refuse(WORDS["table.bad_gzip"], self.name, str(fault), wanted) from fault


TIME_LIMIT_SECONDS = 120.0
"""The largest workbook that is let in takes some 10 seconds on a slow machine."""
MEMORY_LIMIT_BYTES = 2 << 30
"""Address space of a child: the largest workbook that is let in needs some 1.2 GB."""


class Child:
    """A script run by this Python with an output to read, ended at the latest with its context.

    The script imports nothing of this package, so that it starts fast. The source is the name of
    the list, for messages.
    """

    def __init__(
        self, script: Path, *arguments: str, source: str, seconds: float = TIME_LIMIT_SECONDS
    ) -> None:
        self._source, self._seconds = source, seconds
        self._complaint: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self._process = subprocess.Popen(  # noqa: S603 (our own script, no shell)
            [sys.executable, "-P", str(script), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaint,
        )
        self.output = cast("IO[bytes]", self._process.stdout)
        self._late = threading.Event()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        self._late.set()
        self._process.kill()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, whatever it does, and close what belongs to it."""
        self._timer.cancel()
        self.output.close()
        try:
            # A child that has said its last word, or finds nobody listening, ends by itself.
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaint.close()

    def check(self) -> None:
        """Wait for the end; raises `ListError` if the file was too much, else `RuntimeError`."""
        code = self._process.wait()
        if code == 0:
            return
        if code == 1:
            self._complaint.seek(0)
            raise RuntimeError(self._complaint.read().decode(errors="replace"))
        if self._late.is_set():
            what = WORDS["sandbox.time"]
            limit = WORDS["sandbox.seconds"].format(n=f"{self._seconds:.0f}")
        else:
            what = WORDS["sandbox.memory"]
            limit = Text(*2 * [f"{MEMORY_LIMIT_BYTES >> 30} GB"])
        wanted = WORDS["sandbox.at_most"].format(limit=limit)
        raise refuse(WORDS["sandbox.too_much"], self._source, f"> {limit.en}", wanted, what=what)
