"""Reads CSV in any dialect and encoding: proven or refused, never guessed."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np

from leadscore.errors import ListError
from leadscore.lists.headers import stated_unit
from leadscore.lists.problems import Problem
from leadscore.lists.reading.footnotes import without_asides
from leadscore.lists.reading.header import (
    HEADER_SEARCH,
    Header,
    HeaderPlace,
    duplicate_headers,
    find_header,
    no_header,
)
from leadscore.lists.reading.table import (
    BATCH_ROWS,
    MAX_COLUMNS,
    MAX_LINE_BYTES,
    MAX_ROWS,
    RawList,
    SheetHead,
    TextBytes,
    TextColumns,
    TextTable,
    refuse,
)
from leadscore.text import Text, room_words

WORDS = room_words("lists")


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
_SAVE_AS_UTF8 = WORDS["csv.save_as_utf8"]


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
            WORDS["csv.gb18030"].format(file=source.name, utf8=mixed[0], other=mixed[1]),
            where=f"{source.name}:{mixed[1]}",
            got="≠ UTF-8",
            wanted=WORDS["csv.gb18030_wanted"],
        )
    fault = _fault(source, "GB18030")
    if fault is not None:
        if fault.at_end and fault.offset > 1:
            raise _cut(source, "GB18030")
        raise refuse(
            WORDS["csv.gb18030_2"].format(file=source.name),
            where=f"{source.name}:{fault.line}",
            got=f"0x{fault.byte:02X}",
            wanted=_SAVE_AS_UTF8,
        )
    common = _share_of_common(head)
    if common is not None and common < 0.75 and _is_big5(head):
        raise refuse(
            WORDS["csv.gb18030_3"].format(file=source.name),
            where=source.name,
            got="Big5?",
            wanted=_SAVE_AS_UTF8,
        )
    notices = [_read_as("GB18030")]
    if common is not None and common < 0.6:
        notices.append(WORDS["csv.gb18030_4"])
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
        WORDS["csv.demand"].format(file=source.name, name=name),
        where=f"{source.name}:{fault.line}",
        got=f"0x{fault.byte:02X}",
        wanted=_SAVE_AS_UTF8,
    )


def _cut(source: TextBytes, name: str) -> ListError:
    return refuse(
        WORDS["csv.cut"].format(file=source.name),
        where=source.name,
        got=f"{name} …",
        wanted=WORDS["csv.cut_wanted"],
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


DELIMITERS = (",", "\t", ";", "，", "|")
"""Separators tried, the usual first."""
MAX_FIELD_CHARACTERS = 1 << 26
"""A field that runs on for longer comes of a quote that nobody closed."""


@dataclass(frozen=True)
class Dialect:
    """How the fields of a text are written.

    Attributes
    ----------
    delimiter
        One character.
    spaced
        True if fields in quotes follow the separator and a space.
    """

    delimiter: str
    spaced: bool

    def reader(self, lines: Iterable[str], *, strict: bool) -> Iterator[list[str]]:
        """Return a reader of records; strict ones raise `csv.Error` for misplaced quotes."""
        return csv.reader(
            lines, delimiter=self.delimiter, skipinitialspace=self.spaced, strict=strict
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number, its fields, and whether its quotes had to be guessed."""

    number: int
    fields: list[str]
    stray: bool = False


def find_dialect(head: str) -> Dialect:
    """Return the separator under which most headers are known, else the one that cuts most.

    >>> find_dialect("name;city\\r\\nA;B\\r\\n").delimiter
    ';'
    """
    end = max(head.rfind("\n"), head.rfind("\r"))
    lines = (head[: end + 1] if end > 0 else head).lstrip("\ufeff")
    csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD_CHARACTERS))

    def score(delimiter: str) -> tuple[int, int]:
        reader = Dialect(delimiter, spaced=False).reader(io.StringIO(lines, ""), strict=False)
        records = list(islice(reader, HEADER_SEARCH))
        widths = Counter(map(len, records))
        usual = widths.most_common(1)[0][0] if widths else 0
        if max(widths, default=0) > MAX_COLUMNS:
            return 0, usual
        header = find_header(records)
        return (header.known if header else 0), usual

    best = max(DELIMITERS, key=score)
    return Dialect(best, spaced=re.search(re.escape(best) + r' +"', lines) is not None)


class Records:
    """The records of a text, numbered from 1, blank ones included.

    Parameters
    ----------
    name
        Name of the text, for messages.
    text
        Its lines, with their ends.
    dialect
        How its fields are written.
    """

    def __init__(self, name: str, text: Iterable[str], dialect: Dialect) -> None:
        self.name = name
        self._lines = iter(text)
        self._dialect = dialect
        self._line = ""
        csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD_CHARACTERS))

    def _remembered(self) -> Iterator[str]:
        first = next(self._lines, "").lstrip("\ufeff")
        self._line = first
        yield first
        for line in self._lines:
            self._line = line
            yield line

    def __iter__(self) -> Iterator[Record]:
        """Yield the records; raise `ListError` for a quote that is not closed."""
        reader = csv.reader(
            self._remembered(),
            delimiter=self._dialect.delimiter,
            skipinitialspace=self._dialect.spaced,
            strict=True,
        )
        number = 0
        while True:
            lines = reader.line_num
            number += 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                if reader.line_num != lines + 1:
                    raise self._unclosed(lines + 1) from None
                yield Record(number, self._without_quotes(lines + 1), stray=True)
            else:
                yield Record(number, fields)
            if number > 2 * MAX_ROWS:
                raise self._too_many()

    def _without_quotes(self, line: int) -> list[str]:
        """Read the last line once more, forgiving what stands after a closing quote."""
        guard = "\n"
        lines = iter((self._line, guard))
        try:
            fields = next(self._dialect.reader(lines, strict=False))
        except csv.Error:
            raise self._unclosed(line) from None
        if next(lines, None) is None:
            raise self._unclosed(line)
        return fields

    def _unclosed(self, line: int) -> ListError:
        return refuse(
            WORDS["csv.unclosed"].format(file=self.name, line=line),
            where=f"{self.name}:{line}",
            got='"',
            wanted=WORDS["csv.unclosed_wanted"],
        )

    def _too_many(self) -> ListError:
        return refuse(
            WORDS["csv.too_many"].format(file=self.name),
            where=self.name,
            got=f"> {2 * MAX_ROWS:,}",
            wanted=Text(zh=f"至多 {MAX_ROWS:,} 行", en=f"at most {MAX_ROWS:,} rows"),
        )


HEAD_CHARACTERS = 1 << 18
"""Characters in which the separator is looked for: a title, a header and some rows."""


def read_delimited(source: TextBytes, place: HeaderPlace | None = None) -> RawList:
    """Read a CSV, plain or gzipped.

    A record with more fields than the header is set aside (``too_many_fields``), for nobody can
    tell where the surplus separator stands; only where most records of the start end in the same
    empty surplus is that the habit of the program that wrote it. A short record is filled up with
    missing cells and told (``too_few_fields``), unless most are short. A record whose quotes are
    misplaced within one line is read without them and told (``stray_quote``). The header is looked
    for, unless its place is given.

    Raises
    ------
    ListError
        If the text can't be decoded, has no header, or a quote is never closed.
    """
    encoding = find_encoding(source)
    with _text(source, encoding.name) as text:
        head = text.read(HEAD_CHARACTERS)
    if not head.strip("\ufeff \t\r\n\0"):
        raise refuse(
            WORDS["csv.read_delimited"].format(file=source.name),
            where=source.name,
            got="0",
            wanted=WORDS["csv.read_delimited_wanted"],
        )
    dialect = find_dialect(head)
    with _text(source, encoding.name) as text:
        table, head_rows, notices = _read_table(Records(source.name, text, dialect), place)
    return RawList(
        source=source.name,
        tables=(table,),
        notices=(*encoding.notices, *notices),
        heads=(head_rows,),
    )


def _text(source: TextBytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(source.open(), encoding=encoding, errors="strict", newline="")


def _read_table(
    records: Records, place: HeaderPlace | None
) -> tuple[TextTable, SheetHead, list[Text]]:
    stream = iter(records)
    head = list(islice(stream, HEADER_SEARCH))
    TextColumns(records.name, max((len(record.fields) for record in head), default=0))
    first = [record.fields for record in head]
    header = place.header(first) if place else find_header(first)
    shown = SheetHead(None, tuple(tuple(cell or None for cell in row) for row in first))
    if header is None or header.name_at is None:
        raise no_header(records.name, [(records.name, first)], [shown])
    below = head[header.last + 1 :]
    body = _Body(records.name, header, _habitual_width(len(header.names), below))
    body.read(chain(below, stream))
    header = body.header
    cells, rows = body.columns.finish()
    at = head[header.last].number
    table = TextTable(
        headers=header.names,
        cells=cells,
        rows=rows,
        problems=(*duplicate_headers(header, at, None), *body.problems),
        unit=stated_unit(chain.from_iterable(record.fields for record in head[: header.first])),
        header_row=at,
    )
    table = without_asides(table, header, records.name)
    notices, problems = body.short_rows(table.rows)
    return replace(table, problems=(*table.problems, *problems)), shown, notices


def _habitual_width(width: int, below: Sequence[Record]) -> int:
    """Return the width that most records have because of an empty surplus over the header."""
    filled = [record.fields for record in below if any(record.fields)]
    ending = [len(fields) for fields in filled if len(fields) > width and not any(fields[width:])]
    usual, times = Counter(ending).most_common(1)[0] if ending else (width, 0)
    return usual if times >= 2 and 2 * times > len(filled) else width


class _Body:
    """Collects the records below the header into columns of one width."""

    def __init__(self, name: str, header: Header, width: int) -> None:
        self._named = len(header.names)
        self._width = width
        self.header = header.widened(width)
        self.columns = TextColumns(name, width)
        self.problems: list[Problem] = []
        self._short: dict[int, int] = {}

    def read(self, records: Iterable[Record]) -> None:
        width, named = self._width, self._named
        batch: list[list[str]] = []
        numbers: list[int] = []
        for record in records:
            fields = record.fields
            if len(fields) > width or (width > named and any(fields[named:])):
                self.problems.append(_too_many_fields(record, named))
                continue
            if len(fields) < width:
                if not any(fields):
                    continue
                if len(fields) < named:
                    self._short[record.number] = len(fields)
                fields = fields + [""] * (width - len(fields))
            if record.stray:
                self.problems.append(_stray_quote(record))
            batch.append(fields)
            numbers.append(record.number)
            if len(batch) == BATCH_ROWS:
                self.columns.add(batch, numbers)
                batch, numbers = [], []
        self.columns.add(batch, numbers)

    def short_rows(self, kept: np.ndarray) -> tuple[list[Text], list[Problem]]:
        """Tell of short records: one by one, or once where most are short by habit."""
        short = [number for number in self._short if number in set(kept.tolist())]
        if 2 * len(short) > len(kept) > 2:
            notice = WORDS["csv.short_rows_notice"]
            return [notice.format(n=f"{len(short):,}", row=short[0])], []
        wanted = WORDS["csv.short_rows_wanted"].format(n=self._named)
        return [], [
            Problem(
                row=number,
                column=None,
                found=str(self._short[number]),
                wanted=wanted,
                code="too_few_fields",
            )
            for number in short
        ]


def _too_many_fields(record: Record, named: int) -> Problem:
    return Problem(
        row=record.number,
        column=None,
        found=str(len(record.fields)),
        wanted=Text(
            zh=f"{named} 个字段；含分隔符的单元格应放在引号内。无法判断多出的在哪里，此行已单列",
            en=f"{named} fields; a cell that holds the separator needs quotes. Which one does"
            " can't be told, so the row is set aside",
        ),
        code="too_many_fields",
        set_aside=True,
    )


def _stray_quote(record: Record) -> Problem:
    return Problem(
        row=record.number,
        column=None,
        found='"',
        wanted=WORDS["csv.stray_quote_wanted"],
        code="stray_quote",
    )
