"""The bytes of a text file, plain or gzipped, come in bounded pieces, however large they unpack."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from leadscore.errors import ListError
from leadscore.language import Text
from leadscore.lists.files.texttable import MAX_TEXT_BYTES, refuse
from leadscore.lists.problems import shown

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
                    raise self._too_much(MAX_TEXT_BYTES, Text(zh="总长", en="altogether"))
                if line > MAX_LINE_BYTES:
                    raise self._too_much(MAX_LINE_BYTES, Text(zh="一行", en="in one line"))
                yield chunk

    def read(self, stream: BinaryIO, size: int = CHUNK_BYTES) -> bytes:
        """Read up to `size` bytes of an open stream; raise `ListError` for a bad gzip."""
        try:
            return stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
            raise refuse(
                Text(
                    zh="{file} 的压缩数据不完整或已损坏；请重新下载或重新压缩。",
                    en="{file} is a damaged or incomplete gzip; download or compress it anew.",
                ).format(file=self.name),
                where=self.name,
                got=str(fault),
                wanted=Text(zh="完整的 gzip 文件", en="a complete gzip file"),
            ) from fault

    def _too_much(self, limit: int, what: Text) -> ListError:
        return refuse(
            Text(
                zh="{file} 的文字太多，不能一次读完；请拆成几份。",
                en="{file} holds too much text to be read at once; split it into parts.",
            ).format(file=self.name),
            where=self.name,
            got=f"> {limit:,}",
            wanted=Text(
                zh=f"{what.zh}至多 {limit:,} 字节", en=f"at most {limit:,} bytes {what.en}"
            ),
        )
