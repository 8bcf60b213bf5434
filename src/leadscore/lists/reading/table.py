"""Tables of text, however they came: cells, rows, records of programs, bytes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import Detail, ListError
from leadscore.lists.headers import Unit
from leadscore.lists.problems import Problem, shown
from leadscore.text import Text, room_words

WORDS = room_words("lists")


MAX_COLUMNS = 2_000
"""The widest export of a company database known to us has some 60 columns."""
MAX_ROWS = 5_000_000
"""More is not a list that somebody keeps but a register, which is scored part by part."""
MAX_CELLS = 200_000_000
"""Rows times columns; an empty cell costs 8 bytes, so this bounds a table of blanks to 1.6 GB."""
MAX_TEXT_BYTES = 1 << 30
"""Text of a whole list: a million rows of 10 columns with addresses and scopes take 0.25 GB."""
BATCH_ROWS = 10_000
"""Rows turned into columns at once: large enough to be fast, small enough not to be felt."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """One sheet of a list, as written.

    Attributes
    ----------
    headers
        One header per column as written; the halves of a two-row header are joined by ``/``;
        empty for a column without one.
    cells
        Text, columns ``RangeIndex(len(headers))``, missing where a cell is truly empty. ``NA``,
        ``null`` and ``None`` are text.
    rows
        Row number in the source of each row of `cells`, int64. Where there is a header line,
        numbers are those that a spreadsheet shows: the first line is 1, and title, header and
        blank lines count; a record of a CSV counts as one, whatever its cells contain. Sources
        without a header line (Parquet, frames, records) count their rows from 1.
    sheet
        Name of the sheet; missing for sources without sheets.
    problems
        Damage seen while reading, and the rows set aside because they are no firms.
    unit
        Unit of money that stands above the header, as in 单位：万元; missing if none does.
    header_row
        Number of the last row of the header; 0 for sources without a header line.
    """

    headers: tuple[str, ...]
    cells: pd.DataFrame
    rows: np.ndarray
    sheet: str | None = None
    problems: tuple[Problem, ...] = ()
    unit: Unit | None = None
    header_row: int = 0

    def column(self, position: int) -> list[str | None]:
        """Return the cells of one column as plain values."""
        texts = pa.array(self.cells[position], type=pa.large_string(), from_pandas=True)
        plain: list[str | None] = texts.to_pylist()
        return plain


@dataclass(frozen=True)
class SheetHead:
    """The first rows of a sheet as they stand there, whatever they are.

    Attributes
    ----------
    sheet
        Name of the sheet; missing for sources without sheets.
    rows
        Cells of each row, the first row of the source first, blank ones included.
    """

    sheet: str | None
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True, eq=False)
class RawList:
    """A list as read, before any cell is understood.

    Attributes
    ----------
    source
        Name of the file, or of what was handed over.
    tables
        Every sheet that looks like a list; at least one.
    notices
        What the owner should know about the reading as a whole.
    heads
        The first rows of every sheet that could be one with firms, for people to look at.
    """

    source: str
    tables: tuple[TextTable, ...]
    notices: tuple[Text, ...] = ()
    heads: tuple[SheetHead, ...] = ()


def refuse(message: Text, *, where: str, got: str, wanted: Text) -> ListError:
    """Return the error that says in one sentence why a list can't be read, and at which place."""
    return ListError(message, [Detail(where=where, got=got, wanted=wanted)])


@dataclass
class TextColumns:
    """Columns of text that grow batch by batch, within the limits of this module.

    Parameters
    ----------
    source
        Name for messages.
    width
        Number of columns.
    """

    source: str
    width: int
    _parts: list[list[pa.Array]] = field(default_factory=list)
    _rows: list[np.ndarray] = field(default_factory=list)
    _height: int = 0
    _bytes: int = 0

    def __post_init__(self) -> None:
        """Refuse a table that is too wide before anything is kept of it."""
        if self.width > MAX_COLUMNS:
            raise refuse(
                WORDS["table.post_init"].format(file=self.source),
                where=self.source,
                got=f"{self.width:,}",
                wanted=Text(zh=f"至多 {MAX_COLUMNS:,} 列", en=f"at most {MAX_COLUMNS:,} columns"),
            )
        self._parts = [[] for _ in range(self.width)]

    def add(self, records: Sequence[Sequence[str | None]], rows: Iterable[int]) -> None:
        """Append records of exactly `width` cells; an empty cell is missing."""
        columns = list(zip(*records, strict=True)) if records else [()] * self.width
        texts = [pa.array(values, type=pa.large_string()) for values in columns]
        self.add_columns([empty_is_missing(text) for text in texts], rows)

    def add_columns(self, columns: Sequence[pa.Array], rows: Iterable[int]) -> None:
        """Append one array of text per column, all of one length."""
        numbers = np.fromiter(rows, dtype=np.int64)
        self._height += len(numbers)
        self._bytes += sum(column.nbytes for column in columns)
        self._check_size()
        for parts, column in zip(self._parts, columns, strict=True):
            parts.append(column)
        self._rows.append(numbers)

    def _check_size(self) -> None:
        limits = (
            (self._height, MAX_ROWS, WORDS["table.check_size_limits"]),
            (self._height * self.width, MAX_CELLS, WORDS["table.check_size_limits_2"]),
            (self._bytes, 2 * MAX_TEXT_BYTES, WORDS["table.check_size_limits_3"]),
        )
        for size, limit, unit in limits:
            if size > limit:
                raise refuse(
                    WORDS["table.check_size"].format(file=self.source),
                    where=self.source,
                    got=f"> {limit:,}",
                    wanted=Text(zh=f"至多 {limit:,} {unit.zh}", en=f"at most {limit:,} {unit.en}"),
                )

    def finish(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the cells as a frame of text, and the row numbers."""
        names = [str(position) for position in range(self.width)]
        columns = [pa.chunked_array(parts, type=pa.large_string()) for parts in self._parts]
        cells = pa.Table.from_arrays(columns, names=names).to_pandas()
        cells.columns = pd.RangeIndex(self.width)
        rows = np.concatenate(self._rows) if self._rows else np.empty(0, dtype=np.int64)
        return cells, rows


def empty_is_missing(texts: pa.Array) -> pa.Array:
    """Return text (large_string) in which no cell is an empty string."""
    empty = pc.equal(pc.binary_length(texts), 0)
    if not pc.any(empty).as_py():
        return texts
    return pc.if_else(empty, pa.scalar(None, type=pa.large_string()), texts)


CHUNK_BYTES = 1 << 20
"""Bytes decoded at once."""
MAX_LINE_BYTES = 1 << 26
"""A line of 64 MB holds no firm; a file without line ends would fill the memory."""


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
                if total > MAX_TEXT_BYTES:
                    raise self._too_much(MAX_TEXT_BYTES, WORDS["table.chunks"])
                if line > MAX_LINE_BYTES:
                    raise self._too_much(MAX_LINE_BYTES, WORDS["table.chunks_2"])
                yield chunk

    def read(self, stream: BinaryIO, size: int = CHUNK_BYTES) -> bytes:
        """Read up to `size` bytes of an open stream; raise `ListError` for a bad gzip."""
        try:
            return stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
            raise refuse(
                WORDS["table.read"].format(file=self.name),
                where=self.name,
                got=str(fault),
                wanted=WORDS["table.read_wanted"],
            ) from fault

    def _too_much(self, limit: int, what: Text) -> ListError:
        return refuse(
            WORDS["table.too_much"].format(file=self.name),
            where=self.name,
            got=f"> {limit:,}",
            wanted=Text(
                zh=f"{what.zh}至多 {limit:,} 字节", en=f"at most {limit:,} bytes {what.en}"
            ),
        )
