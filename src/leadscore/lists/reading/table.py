"""Tables of text, however they came, and child processes for parsers that a file may crash."""

from __future__ import annotations

import contextlib
import ctypes
import gzip
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, BinaryIO, Self, TypeVar, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import Detail, LeadscoreError, ListError
from leadscore.lists.problems import Problem
from leadscore.lists.values.amounts import Unit
from leadscore.lists.values.words import GUARDS, unguarded
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

MAX_COLUMNS = 2_000  # the widest export of a company database known to us has some 60 columns
MAX_LINE_BYTES = 1 << 26
"""A line of 64 MB holds no firm; a file without line ends would fill the memory."""
BATCH_ROWS = 10_000
"""Rows turned into columns at once: large enough to be fast, small enough not to be felt."""
CHUNK_BYTES = 1 << 20  # bytes decoded at once
TEXT = pa.large_string()
_MAY_GUARD = pa.array([*GUARDS, *" \t\r\n\u3000\xa0\u200b\ufeff"], TEXT)
"""How a cell begins that `unguarded` may change."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may hold, and what reading it may take; more is refused, or left unread.

    ``head`` are the rows of a table after which the others are only counted, and ``head_bytes``
    their text; missing where all are read.
    """

    rows: int
    cells: int  # rows times columns; an empty cell costs 8 bytes
    text_bytes: int
    span_cells: int  # between the first and the last of a sheet; 24 bytes each in a child
    sheet_bytes: int  # text of a sheet once each cell has its own copy of what cells share
    memory_bytes: int  # address space of a child
    seconds: float = 60.0  # of a processor; the largest workbook takes some 10 on a slow one
    head: int | None = None
    head_bytes: int = 16 << 20

    @property
    def of_child(self) -> tuple[int, int]:
        """Address space and seconds of processor time."""
        return self.memory_bytes, math.ceil(self.seconds)


OWN_FILE = Limits(
    rows=5_000_000, cells=200_000_000, text_bytes=1 << 30, span_cells=32_000_000,
    sheet_bytes=512 << 20, memory_bytes=2 << 30,
)  # fmt: skip
"""For a file on the machine of the person who reads it.

More is not a list that somebody keeps but a register, which is scored part by part. A million rows
of 10 columns with addresses and scopes have 0.25 GB of text.
"""

UPLOADED = Limits(
    rows=200_000, cells=20_000_000, text_bytes=72 << 20, span_cells=12_000_000,
    sheet_bytes=192 << 20, memory_bytes=768 << 20, seconds=30.0,
)  # fmt: skip
"""For a file that came over the network: to read it takes some eight times the memory of its text.

The table of a hundred thousand firms as data vendors write it has 50 to 70 MB of text.
"""

PREVIEW = replace(UPLOADED, seconds=20.0, head=10_000)
"""For a first look at such a file."""


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
    continued: Mapping[int, int] = field(default_factory=dict)
    """Rows over which the name of a firm is merged, with the first row of that firm."""
    written: tuple[str, ...] = ()  # headers as they stand in the source, if others count
    beside: tuple[str, ...] = ()  # titles above the header and notes below, as written

    def column(self, position: int) -> list[str | None]:
        """Return the cells of one column as plain values, see `unguarded`."""
        array = pa.array(self.cells[position], TEXT, from_pandas=True)
        texts: list[str | None] = array.to_pylist()
        first = pc.utf8_slice_codeunits(array, 0, 1)
        if pc.any(pc.is_in(first, _MAY_GUARD)).as_py():
            texts = [unguarded(text) or None if text else text for text in texts]
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
    unread_rows: int = 0  # that were only counted, see `Limits.head`


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
    limits: Limits = OWN_FILE
    unread: int = 0  # rows that were passed over
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
        self._check()
        for parts, column in zip(self._parts, columns, strict=True):
            parts.append(column)
        self._rows.append(numbers)

    def pass_over(self, rows: int) -> None:
        """Count rows that aren't read."""
        self.unread += rows
        self._check()

    @property
    def is_full(self) -> bool:
        """Whether further rows are to be passed over."""
        head, most = self.limits.head, self.limits.head_bytes
        return head is not None and (self._height >= head or self._bytes >= most)

    def _check(self) -> None:
        limits, height = self.limits, self._height + self.unread
        for size, limit, unit in (
            (height, limits.rows, WORDS["table.rows"]),
            (height * self.width, limits.cells, WORDS["table.cells"]),
            (self._bytes, 2 * limits.text_bytes, WORDS["table.bytes_of_text"]),
        ):
            if size > limit:
                wanted = at_most(limit, unit)
                raise refuse(WORDS["table.too_large"], self.source, f"> {limit:,}", wanted)

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


def release_memory() -> None:
    """Give back to the system what was freed, which after a long list may be a gigabyte."""
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # the GNU library has it
        ctypes.CDLL(None).malloc_trim(0)


@dataclass(frozen=True)
class TextBytes:
    """A text file to be read more than once: to learn its encoding, then its records."""

    path: Path
    gzipped: bool
    limits: Limits = OWN_FILE

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
                    (total, self.limits.text_bytes, WORDS["table.shorter_text"]),
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


_PATIENCE = 4  # seconds by the clock for one of a processor: the machine may be busy


class Child:
    """A script run by this Python with an output to read, ended at the latest with its context.

    The script imports nothing of this package, so that it starts fast. The source is the name of
    the list, for messages.
    """

    def __init__(
        self, script: Path, *arguments: str, source: str, limits: Limits = OWN_FILE
    ) -> None:
        self._source, self._limits = source, limits
        self._complaint: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self._process = subprocess.Popen(  # noqa: S603 (our own script, no shell)
            [sys.executable, "-P", str(script), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaint,
        )
        self.output = cast("IO[bytes]", self._process.stdout)
        self._late = threading.Event()
        self._timer = threading.Timer(_PATIENCE * limits.seconds, self._end)
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
        raise too_much(self._source, self._limits, late=self._late.is_set() or code == _XCPU)


_XCPU = -int(getattr(signal, "SIGXCPU", 0)) or None


def too_much(source: str, limits: Limits, *, late: bool) -> ListError:
    """Return the error for a list whose reading takes too much time, or else memory."""
    what = WORDS["sandbox.time"] if late else WORDS["sandbox.memory"]
    limit = Text(*2 * [f"{limits.memory_bytes >> 20:,} MB"])
    if late:
        limit = WORDS["sandbox.seconds"].format(n=f"{limits.seconds:.0f}")
    wanted = WORDS["sandbox.at_most"].format(limit=limit)
    return refuse(WORDS["sandbox.too_much"], source, f"> {limit.en}", wanted, what=what)


class Sandbox:
    """Calls functions in processes of their own with bounded memory and time, few at once.

    For what reads a stranger's file inside a service: the process is gone when the call ends,
    however it ends, and takes with it what it had started. On Linux it is forked from one that has
    the module of the function imported already.
    """

    def __init__(self, limits: Limits, at_once: int = 2) -> None:
        self._limits, self._free = limits, threading.BoundedSemaphore(at_once)

    def call(self, function: Callable[..., T], *arguments: object, source: str) -> T:
        """Return what a function of a module returns; raises its `LeadscoreError`.

        Arguments and result must be picklable. Raises `ListError` for ``source`` if it takes more
        than the limits.
        """
        context: Any = multiprocessing.get_context(_START)
        if _START == "forkserver":
            context.set_forkserver_preload([function.__module__])
        with self._free:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_boxed, args=(theirs, self._limits, function, arguments), daemon=True
            )
            outcome = None
            with contextlib.closing(ours):
                with contextlib.closing(theirs):
                    process.start()
                try:
                    late = not ours.poll(_PATIENCE * self._limits.seconds)
                    with contextlib.suppress(EOFError):
                        outcome = None if late else ours.recv()
                finally:
                    if outcome is None:
                        _kill_group(process.pid)
                        process.kill()
                    process.join()
        if outcome is None:
            raise too_much(source, self._limits, late=late or process.exitcode == _XCPU)
        result, error = outcome
        if error is not None:
            raise error
        return cast("T", result)


T = TypeVar("T")

# A fork of the service itself would take its locks along, and a fresh process takes a second.
_START = "forkserver" if sys.platform == "linux" else "spawn"


def _boxed(
    sender: Connection, limits: Limits, function: Callable[..., object], arguments: Sequence[object]
) -> None:
    _bound(limits)
    result: object = None
    error: Exception | None = None
    try:
        result = function(*arguments)
    except MemoryError:
        os._exit(1)
    except LeadscoreError as refusal:
        error = refusal
    except Exception:
        error = RuntimeError(traceback.format_exc())
    sender.send((result, error))


def _bound(limits: Limits) -> None:
    # A crash must leave no dump of the list; what is started here can be ended with this process.
    with contextlib.suppress(AttributeError, OSError):
        os.setpgid(0, 0)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not there on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        seconds, hard = math.ceil(limits.seconds), resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        memory = pages * resource.getpagesize() + limits.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (memory, hard))


def _kill_group(leader: int) -> None:
    with contextlib.suppress(AttributeError, OSError):
        os.killpg(leader, signal.SIGKILL)
