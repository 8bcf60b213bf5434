"""A list comes in many formats under any name: its content tells which, and each becomes text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from leadscore.errors import ListError
from leadscore.language import Text
from leadscore.lists.files.delimited import read_delimited
from leadscore.lists.files.packages import ARCHIVE, other_kind, protected
from leadscore.lists.files.parquet import read_parquet
from leadscore.lists.files.records import from_frame, from_records
from leadscore.lists.files.spreadsheet import read_spreadsheet
from leadscore.lists.files.textbytes import TextBytes
from leadscore.lists.files.texttable import RawList, TextTable, refuse
from leadscore.lists.problems import shown

__all__ = ["RawList", "TextTable", "from_frame", "from_records", "read_list"]

MAX_FILE_BYTES = 1 << 30
"""A file that is larger than any text that is read, packed or not."""

_NO_ROWS = Text(zh="列名下面没有企业", en="there are no firms below the headers")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLD = Text(zh="旧式 Office 文件", en="a file of an old Office program")
_PICTURE = Text(zh="图片", en="a picture")
_OTHERS = (
    (b"\x89PNG", ".png", _PICTURE),
    (b"\xff\xd8\xff", ".jpg", _PICTURE),
    (b"GIF8", ".gif", _PICTURE),
    (b"%PDF", ".pdf", Text(zh="PDF 文件", en="a PDF document")),
    (b"{\\rtf", ".rtf", Text(zh="RTF 文档", en="an RTF document")),
    (b"SQLite format 3", ".sqlite", Text(zh="数据库文件", en="a database")),
    (b"Rar!", ".rar", ARCHIVE),
    (b"7z\xbc\xaf", ".7z", ARCHIVE),
    (b"BZh", ".bz2", ARCHIVE),
    (b"\xfd7zXZ", ".xz", ARCHIVE),
    (b"(\xb5/\xfd", ".zst", ARCHIVE),
    # What follows is a list when it stands alone, but not inside a gzip.
    (b"PK\3\4", ".zip", ARCHIVE),
    (b"PAR1", ".parquet", ARCHIVE),
    (b"\x1f\x8b", ".gz", ARCHIVE),
    (b"\xd0\xcf\x11\xe0", ".xls", _OLD),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|table|meta|\?xml|script)", re.IGNORECASE)
_PAGE = Text(zh="网页", en="a web page")


def read_list(path: Path) -> RawList:
    """Read a candidate list: CSV (also gzipped), XLSX (also .xlsm) or Parquet.

    What the file is, its content decides and not its name. Nothing is understood yet: cells are
    text, columns stand as in the file, personal ones among them.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    RawList
        Every table of the file that names firms, with row numbers, problems and notices.

    Raises
    ------
    ListError
        If the file can't be read or none of its tables names firms: what, where, what to do.
    """
    raw = _read(path, shown(path.name))
    if any(len(table.rows) for table in raw.tables):
        return raw
    return replace(raw, notices=(*raw.notices, _NO_ROWS))


def _read(path: Path, name: str) -> RawList:
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as fault:
        raise _unreadable(name, fault) from fault
    if size > MAX_FILE_BYTES:
        raise _too_large(name, size)
    if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\10")):
        return read_spreadsheet(path)
    if head.startswith(b"PAR1"):
        return read_parquet(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise protected(name) if _ENCRYPTED in path.read_bytes() else other_kind(name, ".xls", _OLD)
    gzipped = head.startswith(b"\x1f\x8b")
    source = TextBytes(path, gzipped)
    if gzipped:
        with source.open() as stream:
            head = source.read(stream, 4096)
    _refuse_others(name, head)
    return read_delimited(source)


def _refuse_others(name: str, head: bytes) -> None:
    """Refuse what is no text, or text of another kind, by how it begins."""
    for start, suffix, kind in _OTHERS:
        if head.startswith(start):
            raise other_kind(name, suffix, kind)
    if head[257:262] == b"ustar":
        raise other_kind(name, ".tar", ARCHIVE)
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise other_kind(name, ".html", _PAGE)


def _unreadable(name: str, fault: OSError) -> ListError:
    return refuse(
        Text(zh="打不开 {file}。", en="{file} can't be opened.").format(file=name),
        where=name,
        got=fault.strerror or type(fault).__name__,
        wanted=Text(zh="存在且可读的文件", en="a file that exists and may be read"),
    )


def _too_large(name: str, size: int) -> ListError:
    return refuse(
        Text(
            zh="{file} 太大，不能一次读完；请拆成几份。",
            en="{file} is too large to be read at once; split it into parts.",
        ).format(file=name),
        where=name,
        got=f"{size:,}",
        wanted=Text(zh=f"至多 {MAX_FILE_BYTES:,} 字节", en=f"at most {MAX_FILE_BYTES:,} bytes"),
    )
