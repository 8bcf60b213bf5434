"""Writes .xls and .ods workbooks, sound and hostile ones, of which no library here makes any."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

Cells = Sequence[Sequence[object]]

FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def record(kind: int, body: bytes = b"") -> bytes:
    """Return a record of an .xls workbook."""
    return struct.pack("<HH", kind, len(body)) + body


def long_text(text: str) -> bytes:
    return struct.pack("<HB", len(text), 1) + text.encode("utf-16-le")


def cell(row: int, column: int, style: int, value: object) -> bytes:
    """Return the record of a cell: a number, a text, ``#N/A``, or none for a missing one."""
    place = struct.pack("<HHH", row, column, style)
    if value is None:
        return b""
    if value == "#N/A":
        return record(0x0205, place + b"\x2a\x01")
    if isinstance(value, str):
        return record(0x0204, place + long_text(value))
    return record(0x0203, place + struct.pack("<d", float(value)))


def xls_stream(
    sheets: Mapping[str, Cells],
    formats: Mapping[tuple[int, int], str] | None = None,
    merges: Sequence[tuple[int, int, int, int]] = (),
    hidden_rows: Sequence[int] = (),
    hidden_sheets: Sequence[str] = (),
    protected: bool = False,
    extra: bytes = b"",
) -> bytes:
    """Return the records: numbers, texts, ``#N/A`` and missing cells; formats by row and column.

    Merges are first row, last row, first column, last column; ``extra`` records end each sheet.
    """
    formats = formats or {}
    codes = [*dict.fromkeys(formats.values())]
    globals_ = record(0x0809, struct.pack("<HHHHLL", 0x0600, 5, 0, 0, 0, 6))
    if protected:
        globals_ += record(0x002F, struct.pack("<HHH16s16s16s", 1, 1, 1, b"", b"", b""))
    for at, code in enumerate(codes):
        globals_ += record(0x041E, struct.pack("<H", 200 + at) + long_text(code))
    for number in (0, *(200 + at for at in range(len(codes)))):
        globals_ += record(0x00E0, struct.pack("<HH16x", 0, number))
    parts = {}
    for name, rows in sheets.items():
        body = record(0x0809, struct.pack("<HHHHLL", 0x0600, 0x10, 0, 0, 0, 6))
        body += record(0x0200, struct.pack("<LLHHH", 0, len(rows), 0, 3, 0))
        for row in hidden_rows:
            body += record(0x0208, struct.pack("<HHHHHHL", row, 0, 3, 0, 0, 0, 0x20))
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                code = formats.get((row, column))
                body += cell(row, column, codes.index(code) + 1 if code else 0, value)
        if merges:
            areas = b"".join(struct.pack("<HHHH", *area) for area in merges)
            body += record(0x00E5, struct.pack("<H", len(merges)) + areas)
        parts[name] = body + extra + record(0x000A)
    at = len(globals_) + len(record(0x000A))
    at += sum(12 + 2 * len(name) for name in sheets)
    for name, body in parts.items():
        text = bytes([len(name), 1]) + name.encode("utf-16-le")
        hidden = int(name in hidden_sheets)
        globals_ += record(0x0085, struct.pack("<LBB", at, hidden, 0) + text)
        at += len(body)
    return globals_ + record(0x000A) + b"".join(parts.values())


def compound(stream: bytes, name: str = "Workbook", *, loops: bool = False) -> bytes:
    """Return a compound file of one stream, whose chain of sectors may run in a circle."""
    stream += b"\0" * (max(4096, -(-len(stream) // 512) * 512) - len(stream))
    count = len(stream) // 512
    tables = -(-(count + 2) // 127)
    first = tables + 1
    chain = [TABLE] * tables + [END] + [*range(first + 1, first + count), first if loops else END]
    chain += [FREE] * (128 * tables - len(chain))

    def entry(title: str, kind: int, start: int, size: int) -> bytes:
        text = title.encode("utf-16-le")
        child = 1 if kind == 5 else FREE
        return struct.pack(
            "<64sHBBLLL16xL8x8xLQ",
            text, len(text) + 2, kind, 1, FREE, FREE, child, 0, start, size,
        )  # fmt: skip

    directory = entry("Root Entry", 5, END, 0) + entry(name, 2, first, len(stream)) + b"\0" * 256
    fats = [*range(tables)] + [FREE] * (109 - tables)
    header = struct.pack(
        "<8s16xHHHHH6xLLLLLLLLL109L",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, tables, tables, 0, 4096, END, 0, END, 0, *fats,
    )  # fmt: skip
    return header + struct.pack(f"<{len(chain)}L", *chain) + directory + stream


def xls(folder: Path, rows: Cells, file: str = "list.xls", **more: object) -> Path:
    """Write an .xls workbook with one sheet, 名单."""
    path = folder / file
    path.write_bytes(compound(xls_stream({"名单": rows}, **more)))
    return path


_SPACES = (
    "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text", "style")
    )
    + ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


def ods_cell(value: object) -> str:
    """Return the XML of a cell: text, a number, what is XML already, or nothing."""
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, str):
        if value.startswith("<table:"):
            return value
        text = f"<text:p>{escape(value)}</text:p>"
        return f'<table:table-cell office:value-type="string">{text}</table:table-cell>'
    return shown("float", value, str(value))


def shown(kind: str, value: object, text: str, more: str = "") -> str:
    """Return a cell that holds a value and shows a text."""
    return (
        f'<table:table-cell office:value-type="{kind}" office:value="{value}" {more}>'
        f"<text:p>{text}</text:p></table:table-cell>"
    )


def ods_content(sheets: Mapping[str, Sequence[Sequence[object] | str]], head: str = "") -> str:
    """Return the content: rows of cells, or their XML; 旧 and what begins so is a hidden sheet."""
    tables = "".join(
        f'<table:table table:name="{name}" table:style-name="{"h" if name[0] == "旧" else "v"}">'
        + "".join(
            row if isinstance(row, str)
            else f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>"
            for row in rows
        )
        + "</table:table>"
        for name, rows in sheets.items()
    )  # fmt: skip
    styles = (
        '<office:automatic-styles><style:style style:name="h" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<office:document-content{_SPACES}>{styles}'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )


def package(
    folder: Path, content: str | bytes, name: str = "list.ods", manifest: str = "<m/>"
) -> Path:
    """Write an .ods package."""
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        new.writestr("content.xml", content)
        new.writestr("META-INF/manifest.xml", manifest)
    return path


def ods(folder: Path, rows: Sequence[Sequence[object] | str], name: str = "list.ods") -> Path:
    """Write an .ods workbook with one sheet, 名单."""
    return package(folder, ods_content({"名单": rows}), name)
