"""Reads workbooks: what a zip would unpack to is measured before any parser sees it."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from leadscore.errors import ListError
from leadscore.lists.problems import Problem
from leadscore.lists.reading.footnotes import finish_table
from leadscore.lists.reading.header import (
    ANYWHERE,
    HEADER_SEARCH,
    HeaderPlace,
    Merge,
    Row,
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
    at_most,
    refuse,
)
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

MAX_UNPACKED_BYTES = 256 << 20
"""Sheets of 300,000 firms with 10 columns; a list that is larger is better kept as CSV."""
MAX_RATIO = 50  # unpacked to packed; real workbooks measured up to 14
MAX_ENTRIES = 5_000
"""Parts of a package; a workbook with a hundred sheets and pictures has some hundreds."""

_SCRIPT, _ODS_SCRIPT = (Path(__file__).with_name(f"{it}_child.py") for it in ("excel", "ods"))
_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s22x2H")
_OTHERS = {
    "xl/workbook.bin": "xlsb", "word/document.xml": "docx", "ppt/presentation.xml": "pptx",
    "index/document.iwa": "numbers",
}  # fmt: skip
_WORKBOOK = WORDS["excel.workbook"]

ARCHIVE = WORDS["excel.archive"]  # what holds other files and is no list itself


def protected(name: str) -> ListError:
    """Return the error for a workbook that asks for a password."""
    return refuse(WORDS["excel.protected"], name, "encrypted", _WORKBOOK)


def other_kind(name: str, suffix: str, kind: Text) -> ListError:
    """Return the error for a file that is something else than its owner thinks."""
    return refuse(WORDS["excel.other_kind"], name, suffix, _WORKBOOK, kind=kind, suffix=suffix)


def _damaged(name: str, got: str) -> ListError:
    return refuse(WORDS["excel.damaged"], name, got, _WORKBOOK)


def _bomb(name: str, got: str) -> ListError:
    wanted = WORDS["excel.smaller"].format(size=MAX_UNPACKED_BYTES >> 20, ratio=MAX_RATIO)
    return refuse(WORDS["excel.bomb"], name, got, wanted)


def _too_many(name: str, got: str) -> ListError:
    return refuse(WORDS["excel.too_many"], name, got, at_most(MAX_ENTRIES, WORDS["table.parts"]))


def check_package(path: Path) -> Path:
    """Return the script that reads a workbook; raise `ListError` unless it is safe to unpack.

    All parts are unpacked once, in bounded pieces, to learn their true sizes: what the directory
    of a zip says of them may be a lie.
    """
    name = shown(path.name)
    with path.open("rb") as stream:
        _check_directory(stream, name)
        try:
            with zipfile.ZipFile(stream) as package:
                entries = package.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as fault:
            raise _damaged(name, str(fault)) from fault
        _check_entries(entries, name)
        parts = {entry.filename.replace("\\", "/").lower() for entry in entries}
        suffix = next((suffix for part, suffix in _OTHERS.items() if part in parts), None)
        if suffix:
            raise other_kind(name, f".{suffix}", WORDS[f"excel.kinds.{suffix}"])
        if not parts & {"xl/workbook.xml", "_rels/.rels", "content.xml"}:
            raise other_kind(name, ".zip", ARCHIVE)
        _check_sizes(stream, entries, path.stat().st_size, name)
    return _ODS_SCRIPT if "content.xml" in parts else _SCRIPT


OLD = b"\xd0\xcf\x11\xe0"  # what files of old Office programs begin with


def is_old(path: Path) -> bool:
    """Tell whether a file is one of an old Office program, such as .xls."""
    with path.open("rb") as stream:
        return stream.read(4) == OLD


def _old_script(path: Path, name: str) -> Path:
    size = path.stat().st_size
    if size > MAX_UNPACKED_BYTES:
        raise _bomb(name, f"{size:,}")
    if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise protected(name)
    return _SCRIPT


def _check_directory(stream: BinaryIO, name: str) -> None:
    # It would itself fill the memory when it is read.
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END.size - 0xFFFF))
    tail = stream.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise _damaged(name, f"{size:,} B")
    directory = _END.unpack_from(tail, at)[5]
    if directory > 4 << 20:  # 5,000 entries with long names take less than 1 MB
        raise _too_many(name, f"{directory:,} B")


def _check_entries(entries: list[zipfile.ZipInfo], name: str) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _too_many(name, f"{len(entries):,}")
    names = Counter(entry.filename.replace("\\", "/").lower() for entry in entries)
    twice = [part for part, n in names.items() if n > 1]
    if twice:
        raise _damaged(name, f"2 x {shown(twice[0])}")
    for entry in entries:
        part = entry.filename
        steps = PurePosixPath(part.replace("\\", "/")).parts
        if ".." in steps or part.startswith(("/", "\\")) or ":" in part:
            raise refuse(WORDS["excel.leads_out"], name, part, _WORKBOOK, f"{name}!{part}")
        if entry.flag_bits & 1:
            raise protected(name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _damaged(name, f"compression {entry.compress_type}")


def _check_sizes(stream: BinaryIO, entries: list[zipfile.ZipInfo], packed: int, name: str) -> None:
    total = 0
    for entry in entries:
        unpacked, end = 0, b""
        for chunk in _unpacked(stream, entry, name):
            unpacked += len(chunk)
            total += len(chunk)
            if total > MAX_UNPACKED_BYTES:
                raise _bomb(name, f"> {MAX_UNPACKED_BYTES:,}")
            # What unpacks to less than 16 MB is harmless, however well it packs.
            if total > max(16 << 20, MAX_RATIO * packed):
                raise _bomb(name, f"> {MAX_RATIO} x {packed:,}")
            if entry.filename.lower().endswith((".xml", ".rels")):
                end = end[-16:] + chunk
                for mark in (b"<!DOCTYPE", b"<!ENTITY"):
                    if mark in end:
                        where, got = f"{name}!{entry.filename}", mark.decode()
                        raise refuse(WORDS["excel.entities"], name, got, _WORKBOOK, where)
        if unpacked != entry.file_size:
            raise _damaged(name, f"{entry.filename}: {unpacked:,} B, {entry.file_size:,} B")


def _unpacked(stream: BinaryIO, entry: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    damaged = _damaged(name, entry.filename)
    if entry.header_offset < 0:
        raise damaged
    stream.seek(entry.header_offset)
    header = stream.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\3\4"):
        raise damaged
    _, name_length, extra_length = _LOCAL.unpack(header)
    stream.seek(name_length + extra_length, 1)
    left = entry.compress_size
    inflate = zlib.decompressobj(-15)
    while left:
        piece = stream.read(min(left, 1 << 16))
        if not piece:
            raise damaged
        left -= len(piece)
        if entry.compress_type == zipfile.ZIP_STORED:
            yield piece
            continue
        try:
            while piece:
                yield inflate.decompress(piece, 1 << 20)
                piece = inflate.unconsumed_tail
        except zlib.error as fault:
            raise damaged from fault
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        yield inflate.flush()


def read_spreadsheet(
    path: Path, place: HeaderPlace = ANYWHERE, limits: Limits = OWN_FILE
) -> RawList:
    """Read a workbook (.xlsx, .xlsm, .xls, .ods) by a child process of bounded memory and time.

    Hidden sheets are not read, hidden rows are; both are told. Numbers become text as the
    spreadsheet shows them at full precision (15 digits, no ``.0``), dates ISO 8601 without a
    midnight, booleans 是 and 否. Where the place of a header is given, no other sheet is read.
    Raises `ListError` for what is no workbook, unsafe or damaged, or has no list in sight.
    """
    source = shown(path.name)
    script = _old_script(path, source) if is_old(path) else check_package(path)
    # So many more that of too many firms one is left over, whatever stands above them.
    rows = (limits.rows, limits.head or limits.rows + HEADER_SEARCH)
    bounds = map(str, (*limits.of_child, limits.span_cells, limits.sheet_bytes, *rows))
    with Child(script, str(path), *bounds, source=source, limits=limits) as child:
        messages = _messages(child, source, limits)
        hidden: list[str] = next(messages, {"hidden": []})["hidden"]
        sheets = [_read_sheet(begin, messages, source, place, limits) for begin in messages]
    tables = tuple(sheet.table for sheet in sheets if sheet.table)
    others = [sheet for sheet in sheets if not sheet.table and sheet.head]
    if not tables:
        places = [(f"{source}!{sheet.name}", sheet.head) for sheet in others]
        raise no_header(source, places, [sheet.first_rows() for sheet in others], hidden)
    no_list = (
        WORDS["excel.no_list"]
        if place.row is None and not place.columns
        else WORDS["excel.not_chosen"]
    )
    notices = [WORDS["excel.hidden"].format(sheet=name) for name in hidden]
    notices += [no_list.format(sheet=sheet.name) for sheet in others]
    notices += [
        WORDS["excel.hidden_rows"].format(sheet=sheet.name, n=f"{sheet.hidden_rows:,}")
        for sheet in sheets
        if sheet.table and sheet.hidden_rows
    ]
    heads = tuple(sheet.first_rows() for sheet in sheets if sheet.head)
    unread = sum(sheet.unread for sheet in sheets if sheet.table)
    return RawList(source, tables, tuple(notices), heads, unread)


def _messages(child: Child, name: str, limits: Limits) -> Iterator[dict[str, Any]]:
    for line in child.output:
        if not line.endswith(b"\n"):
            break  # the child died while it wrote
        message = json.loads(line)
        if "error" in message:
            raise _refusal(name, limits, **message)
        yield message
    child.check()


def _refusal(name: str, limits: Limits, error: str, sheet: str | None, found: str) -> ListError:
    if error == "damaged":
        return _damaged(name, found)
    if error == "protected":
        return protected(name)
    if error == "other":
        kind = WORDS["excel.kinds.odt"] if found == ".odt" else WORDS["file.old"]
        return other_kind(name, found, kind)
    if error == "text":
        return _bomb(f"{name}!{sheet}", found)
    wanted = WORDS["excel.fewer_cells"].format(n=f"{limits.span_cells:,}")
    return refuse(WORDS["excel.far_cell"], name, found, wanted, f"{sheet}!{found}", sheet=sheet)


class _Sheet(NamedTuple):
    name: str
    hidden_rows: int
    head: list[Row]
    table: TextTable | None = None
    unread: int = 0

    def first_rows(self) -> SheetHead:
        return SheetHead(self.name, tuple(tuple(row) for row in self.head))


def _read_sheet(
    begin: dict[str, Any], messages: Iterator[dict[str, Any]], source: str,
    place: HeaderPlace, limits: Limits,
) -> _Sheet:  # fmt: skip
    name, width = begin["begin"], begin["width"]
    end: dict[str, Any] = {"issues": [], "unread": 0}

    def batches() -> Iterator[tuple[list[int], list[list[str | None]]]]:
        for message in messages:
            if "issues" in message:
                end.update(message)
                return
            yield message["rows"], message["cells"]

    stream = batches()
    first = []
    for rows, cells in stream:
        first.append((rows, cells))
        if rows and rows[-1] >= HEADER_SEARCH:
            break
    head: list[Row] = []
    for number, row in chain.from_iterable(zip(*batch, strict=True) for batch in first):
        if number <= HEADER_SEARCH:
            # Blank rows are not printed; put back, a position is the row number less one.
            head += [[]] * (number - 1 - len(head))
            head.append(row)
    sheet = _Sheet(name, begin["hidden_rows"], head)
    merges: list[Merge] = [(tuple(one), tuple(two)) for one, two in begin["merges"]]
    header = place.header(head, merges) if place.sheet in ("", name) else None
    if header is None or header.name_at is None:
        deque(stream, maxlen=0)
        return sheet
    header, at = header.widened(width), header.end + 1
    columns = TextColumns(f"{source}!{name}", width, limits)
    _fill(columns, _spread(chain(first, stream), merges, at), at)
    columns.pass_over(end["unread"])
    damage = [
        Problem(row, header.names[column], shown(found), WORDS[f"excel.issues.{code}"], code, name)
        for row, column, code, found in end["issues"]
        if row > at and header.is_read(column)
    ]
    last = header.last + 1
    table = finish_table(columns, header, source, last, head, name, damage, merges)
    return sheet._replace(table=table, unread=columns.unread)


_Batch = tuple[list[int], list[list[str | None]]]


def _spread(batches: Iterable[_Batch], merges: Sequence[Merge], at: int) -> Iterable[_Batch]:
    """Give every row of a range that is merged below the header the value of its first row.

    A range has it in its first column only; a row with nothing in it stays as it is.
    """
    down = sorted(one for one in merges if at <= one[0][0] < one[1][0])
    return _each_spread(batches, deque(down)) if down else batches


def _each_spread(batches: Iterable[_Batch], down: deque[Merge]) -> Iterator[_Batch]:
    reach: dict[int, tuple[int, str | None]] = {}  # by column: the last row, and the value
    for rows, cells in batches:
        for number, row in zip(rows, cells, strict=True):
            while down and down[0][0][0] < number:
                (top, column), (bottom, _) = down.popleft()
                is_first = top == number - 1 and column < len(row)
                reach[column] = bottom + 1, row[column] if is_first else None
            for column, (last, value) in [*reach.items()]:
                if last < number:
                    del reach[column]
                elif value is not None:
                    row += [None] * (column + 1 - len(row))
                    row[column] = row[column] or value
        yield rows, cells


def _fill(
    columns: TextColumns, batches: Iterable[tuple[list[int], list[list[str | None]]]], at: int
) -> None:
    width = columns.width
    for rows, cells in batches:
        above = bisect_right(rows, at)
        if columns.is_full:
            columns.pass_over(len(rows) - above)
            continue
        full = [row + [None] * (width - len(row)) for row in cells[above:]]
        columns.add(full, rows[above:])
