"""The records of an .xls workbook that say how its cells look, which are errors, which hidden.

Run in a child process, so it imports nothing of this package. The container is that of [MS-CFB],
the records those of [MS-XLS].
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_FREE = 0xFFFFFFFA  # this and above are no sectors
_BOF, _EOF, _BOUNDSHEET, _FILEPASS, _FORMAT, _XF = 0x0809, 0x000A, 0x0085, 0x002F, 0x041E, 0x00E0
_ROW, _NUMBER, _RK, _MULRK, _FORMULA, _BOOLERR = 0x0208, 0x0203, 0x027E, 0x00BD, 0x0006, 0x0205
_CELLS = frozenset({_NUMBER, _RK, _FORMULA, _BOOLERR, 0x0204, 0x00FD, 0x0201, 0x00D6})
_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!",
    0x2A: "#N/A",
}  # fmt: skip


class DamagedError(Exception):
    """The container or its records make no sense."""


class NoWorkbookError(Exception):
    """The container holds something else."""


class OldBook(NamedTuple):
    """Number formats by style of cells, and where each sheet begins, of a stream of records."""

    stream: bytes
    formats: dict[int, str]
    sheets: dict[str, int]
    protected: bool


class OldSheet(NamedTuple):
    """What stands in a sheet: row and column (from 0) with the style of each number or the error.

    ``last`` are the highest row and column of any cell.
    """

    styled: list[tuple[int, int, int]]
    errors: list[tuple[int, int, str]]
    hidden_rows: int
    last: tuple[int, int]


def read_book(data: bytes, built_in: Mapping[int, str]) -> OldBook:
    """Return what the globals of a workbook say; ``built_in`` formats are not written out."""
    stream = _workbook_stream(data)
    codes: dict[int, str] = {}
    styles: list[int] = []
    sheets: dict[str, int] = {}
    protected = unicode = False
    for kind, at, size in _records(stream, 0):
        body = stream[at : at + size]
        if kind == _BOF:
            unicode = body[:2] == b"\x00\x06"
        elif kind == _FILEPASS:
            protected = True
        elif kind == _FORMAT and size >= 5:
            number = struct.unpack_from("<H", body)[0]
            codes[number] = _long_text(body[2:]) if unicode else _narrow(body[3:])
        elif kind == _XF and size >= 4:
            styles.append(struct.unpack_from("<H", body, 2)[0])
        elif kind == _BOUNDSHEET and size >= 8:
            text = _text(body[8:], wide=bool(body[7] & 1)) if unicode else _narrow(body[7:])
            sheets[text] = struct.unpack_from("<L", body)[0]
    formats = {
        style: (codes.get(number) or built_in.get(number, ""))
        for style, number in enumerate(styles)
    }
    return OldBook(stream, formats, sheets, protected)


def read_sheet(book: OldBook, name: str, styles: frozenset[int]) -> OldSheet:
    """Return what the records of a sheet say; of numbers only those in some styles."""
    stream, begin = book.stream, book.sheets.get(name)
    sheet = OldSheet([], [], 0, (0, 0))
    hidden = last_row = last_column = 0
    for kind, at, size in _records(stream, begin) if begin is not None else ():
        if kind == _ROW and size >= 16:
            hidden += bool(stream[at + 12] & 0x20)
            continue
        if kind == _MULRK and size >= 12:
            row, column = struct.unpack_from("<HH", stream, at)
            count = (size - 6) // 6
            for place in range(count):
                style = struct.unpack_from("<H", stream, at + 4 + 6 * place)[0]
                if style in styles:
                    sheet.styled.append((row, column + place, style))
            last_row, last_column = max(last_row, row), max(last_column, column + count - 1)
        elif kind in _CELLS and size >= 6:
            row, column, style = struct.unpack_from("<HHH", stream, at)
            last_row, last_column = max(last_row, row), max(last_column, column)
            if style in styles and kind in (_NUMBER, _RK, _FORMULA):
                sheet.styled.append((row, column, style))
            error = _error(kind, stream[at + 6 : at + 14])
            if error is not None:
                sheet.errors.append((row, column, error))
    return sheet._replace(hidden_rows=hidden, last=(last_row, last_column))


def _error(kind: int, value: bytes) -> str | None:
    if kind == _BOOLERR and value[1:2] == b"\1":
        return _ERRORS.get(value[0], "#")
    if kind == _FORMULA and value[6:8] == b"\xff\xff" and value[0] == 2:
        return _ERRORS.get(value[2], "#")
    return None


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield kind, place and size of the records of one part, the charts in it left out."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        at += 4
        if at + size > len(stream):
            raise DamagedError(f"record {kind:#06x}")
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 1:
            yield kind, at, size
        if depth <= 0:
            return
        at += size


def _long_text(body: bytes) -> str:
    return _text(body[3:], wide=bool(body[2] & 1))


def _text(characters: bytes, *, wide: bool) -> str:
    return characters.decode("utf-16-le" if wide else "latin-1", "replace")


def _narrow(characters: bytes) -> str:
    return characters.decode("gb18030", "replace")


def _workbook_stream(data: bytes) -> bytes:
    try:
        return _Container(data).stream("Workbook", "Book")
    except (struct.error, IndexError, OverflowError) as fault:
        raise DamagedError(str(fault)) from fault


class _Container:
    """A compound file: streams in sectors that a table chains."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        shift, small_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or small_shift != 6:
            raise DamagedError(f"sector {shift}")
        self._size = 1 << shift
        tables = [*struct.unpack_from("<109L", data, 76)]
        sector = struct.unpack_from("<L", data, 68)[0]
        for _ in range(len(data) >> shift):
            if sector >= _FREE:
                break
            *more, sector = self._numbers(self._sector(sector))
            tables += more
        self._table = [
            number
            for table in tables
            if table < _FREE
            for number in self._numbers(self._sector(table))
        ]
        self._entries = self._read(struct.unpack_from("<L", data, 48)[0])

    def stream(self, *names: str) -> bytes:
        """Return the first stream of one of the names."""
        places = range(0, len(self._entries) - 127, 128)
        by_name = {}
        for at in places:
            length = min(struct.unpack_from("<H", self._entries, at + 64)[0], 64)
            name = self._entries[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
            by_name[name.casefold()] = struct.unpack_from("<LL", self._entries, at + 116)
        found = next((by_name[one.casefold()] for one in names if one.casefold() in by_name), None)
        if found is None:
            raise NoWorkbookError
        start, size = found
        cutoff, small_table = struct.unpack_from("<LL", self._data, 56)
        if size >= cutoff:
            return self._read(start)[:size]
        small = self._read(struct.unpack_from("<L", self._entries, 116)[0])
        table = self._numbers(self._read(small_table))
        return b"".join(small[one << 6 : (one + 1) << 6] for one in self._chain(start, table))[
            :size
        ]

    def _read(self, start: int) -> bytes:
        return b"".join(self._sector(one) for one in self._chain(start, self._table))

    def _chain(self, sector: int, table: list[int]) -> Iterator[int]:
        for _ in range(len(table) + 1):
            if sector >= _FREE:
                return
            yield sector
            sector = table[sector]
        raise DamagedError("loop")

    def _sector(self, number: int) -> bytes:
        sector = self._data[(number + 1) * self._size : (number + 2) * self._size]
        if not sector:
            raise DamagedError(f"sector {number}")
        return sector

    def _numbers(self, sector: bytes) -> list[int]:
        return [*struct.unpack(f"<{len(sector) // 4}L", sector[: len(sector) // 4 * 4])]
