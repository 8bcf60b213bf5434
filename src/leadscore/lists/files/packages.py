"""A workbook is a zip: what it would unpack to is measured before any parser sees it."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from leadscore.errors import ListError
from leadscore.language import Text
from leadscore.lists.files.texttable import refuse
from leadscore.lists.problems import shown

MAX_UNPACKED_BYTES = 256 << 20
"""Sheets of 300,000 firms with 10 columns; a list that is larger is better kept as CSV."""
MAX_RATIO = 50
"""Unpacked to packed; real workbooks measured up to 14."""
RATIO_FROM_BYTES = 16 << 20
"""A workbook that unpacks to less is harmless, however well it packs."""
MAX_ENTRIES = 5_000
"""Parts of a package; a workbook with a hundred sheets and pictures has some hundreds."""
MAX_DIRECTORY_BYTES = 4 << 20
"""Directory of the zip; 5,000 entries with long names take less than 1 MB."""

_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s22x2H")
_FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY")
_OTHERS = (
    ("xl/workbook.bin", ".xlsb", Text(zh="二进制工作簿", en="a binary workbook")),
    ("word/document.xml", ".docx", Text(zh="Word 文档", en="a Word document")),
    ("ppt/presentation.xml", ".pptx", Text(zh="演示文稿", en="a presentation")),
    ("content.xml", ".ods", Text(zh="OpenDocument 表格", en="an OpenDocument sheet")),
    ("Index/Document.iwa", ".numbers", Text(zh="Numbers 表格", en="a Numbers sheet")),
)
_WORKBOOK = Text(
    zh=".xlsx 工作簿；请用原来的程序打开后另存为 .xlsx 或 CSV",
    en="an .xlsx workbook; open it in the program it came from and save as .xlsx or CSV",
)

ARCHIVE = Text(zh="压缩包，请先解压", en="an archive to be unpacked first")
"""What holds other files and is no list itself."""


def check_package(path: Path) -> None:
    """Raise `ListError` unless the file is a workbook that is safe to unpack.

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
            raise damaged(name, str(fault)) from fault
        _check_entries(entries, name)
        _check_kind({entry.filename for entry in entries}, name)
        _check_sizes(stream, entries, path.stat().st_size, name)


def _check_directory(stream: BinaryIO, name: str) -> None:
    """Refuse a directory that would itself fill the memory, before it is read."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END.size - 0xFFFF))
    tail = stream.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise damaged(name, f"{size:,} B")
    directory = _END.unpack_from(tail, at)[5]
    if directory > MAX_DIRECTORY_BYTES:
        raise _too_many(name, f"{directory:,} B")


def _check_entries(entries: list[zipfile.ZipInfo], name: str) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _too_many(name, f"{len(entries):,}")
    twice = [part for part, n in Counter(entry.filename for entry in entries).items() if n > 1]
    if twice:
        raise damaged(name, f"2 x {shown(twice[0])}")
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in entry.filename:
            raise refuse(
                Text(
                    zh="{file} 内含指向文件夹之外的路径，不予读取。",
                    en="{file} holds a path that leads out of it, and is not read.",
                ).format(file=name),
                where=f"{name}!{entry.filename}",
                got=entry.filename,
                wanted=_WORKBOOK,
            )
        if entry.flag_bits & 1:
            raise protected(name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise damaged(name, f"compression {entry.compress_type}")


def _check_kind(parts: set[str], name: str) -> None:
    if "xl/workbook.xml" in parts:
        return
    for part, suffix, kind in _OTHERS:
        if part in parts:
            raise other_kind(name, suffix, kind)
    raise other_kind(name, ".zip", ARCHIVE)


def _check_sizes(stream: BinaryIO, entries: list[zipfile.ZipInfo], packed: int, name: str) -> None:
    total = 0
    for entry in entries:
        unpacked, kept = 0, b""
        for chunk in _unpacked(stream, entry, name):
            unpacked += len(chunk)
            total += len(chunk)
            if total > MAX_UNPACKED_BYTES:
                raise bomb(name, f"> {MAX_UNPACKED_BYTES:,}")
            if total > RATIO_FROM_BYTES and total > MAX_RATIO * packed:
                raise bomb(name, f"> {MAX_RATIO} x {packed:,}")
            if entry.filename.endswith((".xml", ".rels")):
                kept = kept[-16:] + chunk
                _check_xml(kept, entry.filename, name)
        if unpacked != entry.file_size:
            raise damaged(name, f"{entry.filename}: {unpacked:,} B, {entry.file_size:,} B")


def _unpacked(stream: BinaryIO, entry: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    """Yield the true content of a part in pieces of at most 1 MB."""
    if entry.header_offset < 0:
        raise damaged(name, entry.filename)
    stream.seek(entry.header_offset)
    header = stream.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\3\4"):
        raise damaged(name, entry.filename)
    _, name_length, extra_length = _LOCAL.unpack(header)
    stream.seek(name_length + extra_length, 1)
    left = entry.compress_size
    inflate = zlib.decompressobj(-15)
    while left:
        piece = stream.read(min(left, 1 << 16))
        if not piece:
            raise damaged(name, entry.filename)
        left -= len(piece)
        if entry.compress_type == zipfile.ZIP_STORED:
            yield piece
            continue
        try:
            while piece:
                yield inflate.decompress(piece, 1 << 20)
                piece = inflate.unconsumed_tail
        except zlib.error as fault:
            raise damaged(name, entry.filename) from fault
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        yield inflate.flush()


def _check_xml(text: bytes, part: str, name: str) -> None:
    for mark in _FORBIDDEN:
        if mark in text:
            raise refuse(
                Text(
                    zh="{file} 内含 XML 实体定义，真正的工作簿不会有，不予读取。",
                    en="{file} defines XML entities, which no true workbook does; it is not read.",
                ).format(file=name),
                where=f"{name}!{part}",
                got=mark.decode(),
                wanted=_WORKBOOK,
            )


def _too_many(name: str, found: str) -> ListError:
    return refuse(
        Text(
            zh="{file} 内含的部件太多，不像企业名单。",
            en="{file} has too many parts for a list of firms.",
        ).format(file=name),
        where=name,
        got=found,
        wanted=Text(zh=f"至多 {MAX_ENTRIES:,} 个部件", en=f"at most {MAX_ENTRIES:,} parts"),
    )


def protected(name: str) -> ListError:
    """Return the error for a workbook that asks for a password."""
    return refuse(
        Text(
            zh="{file} 有密码保护；请打开后取消密码再保存。",
            en="{file} is protected by a password; open it, remove the password and save.",
        ).format(file=name),
        where=name,
        got="encrypted",
        wanted=_WORKBOOK,
    )


def other_kind(name: str, suffix: str, kind: Text) -> ListError:
    """Return the error for a file that is something else than its owner thinks."""
    return refuse(
        Text(
            zh="{file} 实际上是{kind}（{suffix}），不能直接读取；请另存为 .xlsx 或 CSV。",
            en="{file} is in truth {kind} ({suffix}), which is not read; save it as .xlsx or CSV.",
        ).format(file=name, kind=kind, suffix=suffix),
        where=name,
        got=suffix,
        wanted=_WORKBOOK,
    )


def damaged(name: str, found: str) -> ListError:
    """Return the error for a workbook that can't be parsed."""
    return refuse(
        Text(
            zh="{file} 不完整或已损坏；请重新下载，或用表格程序打开后另存。",
            en="{file} is incomplete or damaged; download it anew, or open and save it again.",
        ).format(file=name),
        where=name,
        got=found,
        wanted=_WORKBOOK,
    )


def bomb(name: str, found: str) -> ListError:
    """Return the error for a workbook that unpacks to more than may be read."""
    return refuse(
        Text(
            zh="{file} 解压后太大，不予读取；大名单请存为 CSV。",
            en="{file} unpacks to too much, and is not read; keep a large list as CSV.",
        ).format(file=name),
        where=name,
        got=found,
        wanted=Text(
            zh=f"解压后至多 {MAX_UNPACKED_BYTES >> 20} MB，且不超过文件本身的 {MAX_RATIO} 倍",
            en=f"at most {MAX_UNPACKED_BYTES >> 20} MB unpacked, and {MAX_RATIO} times the file",
        ),
    )
