"""A list comes in many formats under any name: its content tells which, and each becomes text."""

from __future__ import annotations

import errno
import re
from dataclasses import replace
from pathlib import Path

from leadscore.errors import ListError
from leadscore.language import Text
from leadscore.lists.files.delimited import read_delimited
from leadscore.lists.files.header_places import HeaderPlace
from leadscore.lists.files.packages import ARCHIVE, other_kind, protected
from leadscore.lists.files.parquet import read_parquet
from leadscore.lists.files.spreadsheet import read_spreadsheet
from leadscore.lists.files.textbytes import TextBytes
from leadscore.lists.files.texttable import RawList, refuse
from leadscore.lists.problems import shown

MAX_FILE_BYTES = 1 << 30
"""A file that is larger than any text that is read, packed or not."""

_CLOSED = Text(zh="打不开 {file}：{reason}", en="{file} can't be opened: {reason}")
_NO_FILE = Text(
    zh="没有这个文件。请检查文件名和所在文件夹。",
    en="there is no such file. Check its name and its folder.",
)
_NO_PERMISSION = Text(
    zh="没有读取它的权限。请取得权限，或复制到能读的文件夹。",
    en="you may not read it. Get permission, or copy it to a folder that you may read.",
)
_OTHER_REASON = Text(
    zh="系统拒绝读取（{code}）。请把它复制到本机的另一个文件夹再试。",
    en="the system refuses to read it ({code}). Copy it to another folder of this computer and "
    "try again.",
)
_REASONS = {
    errno.ENOENT: _NO_FILE,
    errno.ENOTDIR: _NO_FILE,
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EISDIR: Text(
        zh="这是一个文件夹。请给出里面的文件。",
        en="it is a folder. Name a file in it.",
    ),
}
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


def read_list(path: Path, place: HeaderPlace | None = None) -> RawList:
    """Read a candidate list: CSV (also gzipped), XLSX (also .xlsm) or Parquet.

    What the file is, its content decides and not its name. Nothing is understood yet: cells are
    text, columns stand as in the file, personal ones among them.

    Parameters
    ----------
    path
        The file.
    place
        Where its header stands, if that is not to be found out.

    Returns
    -------
    RawList
        Every table of the file that names firms, with row numbers, problems and notices.

    Raises
    ------
    ListError
        If the file can't be read or none of its tables names firms: what, where, what to do.
    """
    raw = _read(path, shown(path.name), place)
    if any(len(table.rows) for table in raw.tables):
        return raw
    return replace(raw, notices=(*raw.notices, _NO_ROWS))


def _read(path: Path, name: str, place: HeaderPlace | None) -> RawList:
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as fault:
        raise _unreadable(name, fault) from fault
    if size > MAX_FILE_BYTES:
        raise _too_large(name, size)
    if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\10")):
        return read_spreadsheet(path, place)
    if head.startswith(b"PAR1"):
        return read_parquet(path, place)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise protected(name) if _ENCRYPTED in path.read_bytes() else other_kind(name, ".xls", _OLD)
    gzipped = head.startswith(b"\x1f\x8b")
    source = TextBytes(path, gzipped)
    if gzipped:
        with source.open() as stream:
            head = source.read(stream, 4096)
    _refuse_others(name, head)
    return read_delimited(source, place)


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
    """Say in our own words why the system opens no file there; those it has are English only."""
    reason = _REASONS.get(fault.errno or 0, _OTHER_REASON)
    if fault.filename and Path(fault.filename).is_dir():  # which Windows calls "no permission"
        reason = _REASONS[errno.EISDIR]
    reason = reason.format(code=errno.errorcode.get(fault.errno or 0, type(fault).__name__))
    return ListError(_CLOSED.format(file=name, reason=reason))


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
