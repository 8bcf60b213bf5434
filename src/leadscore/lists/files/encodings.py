"""No list says which encoding it is in, and a wrong guess is silent: so it is proven or refused."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from leadscore.errors import ListError
from leadscore.language import Text
from leadscore.lists.files.textbytes import MAX_LINE_BYTES, TextBytes
from leadscore.lists.files.texttable import refuse

HEAD_BYTES = 1 << 16
"""Bytes by which UTF-16 without a mark is recognised and Big5 is told from GB18030."""

_MARKS = (  # longest first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "UTF-32BE"),
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)
_UTF8_RUN = re.compile(rb"(?:[\xe0-\xef][\x80-\xbf]{2}){4}")
_PAIR = re.compile(rb"([\x81-\xfe])([\x40-\x7e\x80-\xfe])")
_SAVE_AS_UTF8 = Text(
    zh="UTF-8、GB18030 或 UTF-16；请用原来的程序打开后另存为 xlsx 或“CSV UTF-8”",
    en="UTF-8, GB18030 or UTF-16; open it in the program it came from and save as xlsx or UTF-8",
)


@dataclass(frozen=True)
class Encoding:
    """The encoding of a file, proven by decoding all of it strictly.

    Attributes
    ----------
    name
        As shown to people and as Python knows it.
    notices
        That it was not UTF-8, and any doubt.
    """

    name: str
    notices: tuple[Text, ...] = ()


def find_encoding(source: TextBytes) -> Encoding:
    """Return the encoding: by its mark, else strict UTF-8, else strict GB18030.

    UTF-16 without a mark betrays itself by the zero bytes of its separators. Big5 can be told from
    GB18030 only by how common the characters are, which is sure for a dozen of them: such a file is
    refused, not guessed at. A file in which some lines are UTF-8 and others are not is refused too.

    Raises
    ------
    ListError
        If no encoding fits the whole file, or it is cut in the middle of a character.
    """
    with source.open() as stream:
        head = source.read(stream, HEAD_BYTES)
    for mark, name in _MARKS:
        if head.startswith(mark):
            _demand(source, name)
            return Encoding(name, () if name == "UTF-8" else (_read_as(name),))
    wide = _unmarked_utf16(head)
    if wide is not None:
        _demand(source, wide)
        return Encoding(wide, (_read_as(wide),))
    fault = _fault(source, "UTF-8")
    if fault is None:
        return Encoding("UTF-8")
    if fault.at_end and _UTF8_RUN.search(head):
        raise _cut(source, "UTF-8")
    return _gb18030(source, head)


def _gb18030(source: TextBytes, head: bytes) -> Encoding:
    mixed = _mixed_lines(source)
    if mixed is not None:
        raise refuse(
            Text(
                zh="{file} 第 {utf8} 行是 UTF-8 编码，第 {other} 行不是（混用了编码，或已损坏）；"
                "请改正或重新导出。",
                en="{file} is UTF-8 in line {utf8} but not in line {other}: it mixes encodings or"
                " is damaged; mend it or export it anew.",
            ).format(file=source.name, utf8=mixed[0], other=mixed[1]),
            where=f"{source.name}:{mixed[1]}",
            got="≠ UTF-8",
            wanted=Text(zh="全文同一种编码", en="one encoding throughout"),
        )
    fault = _fault(source, "GB18030")
    if fault is not None:
        if fault.at_end and fault.offset > 1:
            raise _cut(source, "GB18030")
        raise refuse(
            Text(
                zh="{file} 不是可识别的文本编码。", en="{file} is in no text encoding we know."
            ).format(file=source.name),
            where=f"{source.name}:{fault.line}",
            got=f"0x{fault.byte:02X}",
            wanted=_SAVE_AS_UTF8,
        )
    common = _share_of_common(head)
    if common is not None and common < 0.75 and _is_big5(head):
        raise refuse(
            Text(
                zh="{file} 看来是 Big5（繁体）编码，无法与 GB18030 可靠区分。",
                en="{file} looks like Big5, which can't be told from GB18030 for sure.",
            ).format(file=source.name),
            where=source.name,
            got="Big5?",
            wanted=_SAVE_AS_UTF8,
        )
    notices = [_read_as("GB18030")]
    if common is not None and common < 0.6:
        notices.append(
            Text(
                zh="文中生僻字很多；如果企业名称显示为乱码，请另存为 UTF-8 后重试。",
                en="Many characters are rare; if names look garbled, save the file as UTF-8.",
            )
        )
    return Encoding("GB18030", tuple(notices))


@dataclass(frozen=True)
class _Fault:
    offset: int
    line: int
    byte: int
    at_end: bool


def _fault(source: TextBytes, codec: str) -> _Fault | None:
    """Return the first place that does not decode, or None if all of it does."""
    decoder = codecs.getincrementaldecoder(codec)()
    start = lines = 0
    for chunk in source.chunks():
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as fault:
            at = start - pending + fault.start
            line = lines + chunk.count(b"\n", 0, max(fault.start - pending, 0)) + 1
            return _Fault(at, line, fault.object[fault.start], at_end=False)
        start += len(chunk)
        lines += chunk.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as fault:
        at = start - len(fault.object) + fault.start
        return _Fault(at, lines + 1, fault.object[fault.start], at_end=True)
    return None


def _demand(source: TextBytes, name: str) -> None:
    fault = _fault(source, name)
    if fault is None:
        return
    if fault.at_end:
        raise _cut(source, name)
    raise refuse(
        Text(
            zh="{file} 的开头标明为 {name}，但内容不是。",
            en="{file} is marked as {name}, but its text is not.",
        ).format(file=source.name, name=name),
        where=f"{source.name}:{fault.line}",
        got=f"0x{fault.byte:02X}",
        wanted=_SAVE_AS_UTF8,
    )


def _cut(source: TextBytes, name: str) -> ListError:
    return refuse(
        Text(
            zh="{file} 在一个字的中间断开，后面的内容已丢失；请重新导出或下载。",
            en="{file} ends in the middle of a character, the rest is lost; export it anew.",
        ).format(file=source.name),
        where=source.name,
        got=f"{name} …",
        wanted=Text(zh="完整的文件", en="the complete file"),
    )


def _read_as(name: str) -> Text:
    return Text(zh=f"按 {name} 编码读取", en=f"read as {name}")


def _unmarked_utf16(head: bytes) -> str | None:
    """Return the byte order if zero bytes stand where UTF-16 puts those of ASCII."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    few, many = sorted((even, odd))
    if many < 3 or few * 10 > many:
        return None
    name = "UTF-16LE" if odd > even else "UTF-16BE"
    text = head[: len(head) // 2 * 2].decode(name, errors="replace")
    # A stray zero byte in other text makes its neighbours nonsense, and no line ends remain.
    has_lines = "\n" in text or "\r" in text
    return name if has_lines and "\0" not in text and text.count("\ufffd") <= 1 else None


def _mixed_lines(source: TextBytes) -> tuple[int, int] | None:
    """Return the first line that can only be UTF-8 and the first that can't be, if both exist.

    Four characters of three bytes each that are valid UTF-8 do not come about by chance in text of
    another encoding.
    """
    utf8 = other = 0
    with source.open() as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES):
            number += 1
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                other = other or number
            else:
                if not utf8 and _UTF8_RUN.search(line):
                    utf8 = number
            if utf8 and other:
                return utf8, other
    return None


def _share_of_common(head: bytes) -> float | None:
    """Return the share of double-byte characters that are common or punctuation in GB 2312.

    In texts of Chinese firms it is above 0.85 from 16 characters on; Big5 read as GB18030 gives
    about 0.5. None for fewer than 12 characters.
    """
    pairs = _PAIR.findall(head)
    if len(pairs) < 12:
        return None
    common = [
        trail >= b"\xa1" and (b"\xa1" <= lead <= b"\xa9" or b"\xb0" <= lead <= b"\xd7")
        for lead, trail in pairs
    ]
    return common.count(True) / len(pairs)


def _is_big5(head: bytes) -> bool:
    """Tell whether the start decodes as Big5 and consists of its common characters."""
    try:
        codecs.getincrementaldecoder("big5")().decode(head)
    except UnicodeDecodeError:
        return False
    pairs = _PAIR.findall(head)
    common = [b"\xa1" <= lead <= b"\xc6" for lead, _ in pairs]
    return common.count(True) > 0.9 * len(pairs)
