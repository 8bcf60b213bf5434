"""Reads CSV in any dialect and encoding: proven or refused, never guessed."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, count, islice
from typing import Any, NamedTuple

from leadscore.errors import ListError
from leadscore.lists.problems import Problem
from leadscore.lists.reading.footnotes import finish_table
from leadscore.lists.reading.header import (
    ANYWHERE,
    HEADER_SEARCH,
    NO_ALIASES,
    Aliases,
    HeaderPlace,
    find_header,
    no_header,
)
from leadscore.lists.reading.table import (
    BATCH_ROWS,
    MAX_COLUMNS,
    MAX_LINE_BYTES,
    Limits,
    RawList,
    SheetHead,
    TextBytes,
    TextColumns,
    at_most,
    refuse,
)
from leadscore.text import Text, room_words

WORDS = room_words("lists")

DELIMITERS = (",", "\t", ";", "，", "|")  # separators tried, the usual first

_MARKS = (  # longest first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32LE"), (codecs.BOM_UTF32_BE, "UTF-32BE"),
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"), (codecs.BOM_UTF16_BE, "UTF-16BE"),
)  # fmt: skip
_UTF8_RUN = re.compile(rb"(?:[\xe0-\xef][\x80-\xbf]{2}){4}")
_PAIR = re.compile(rb"([\x81-\xfe])([\x40-\x7e\x80-\xfe])")


class Encoding(NamedTuple):
    """The encoding of a file, proven by decoding all of it strictly, and what to tell of it."""

    name: str
    notices: tuple[Text, ...] = ()


def find_encoding(source: TextBytes) -> Encoding:
    """Return the encoding: by its mark, else strict UTF-8, else strict GB18030.

    UTF-16 without a mark betrays itself by the zero bytes of its separators. Big5 can be told from
    GB18030 only by how common the characters are, which is sure for a dozen of them: such a file is
    refused, not guessed at. A file in which some lines are UTF-8 and others are not is refused too,
    and so is one that no encoding fits or that is cut in the middle of a character.
    """
    with source.open() as stream:
        head = source.read(stream, 1 << 16)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    marked = marked or _unmarked_utf16(head)
    name = marked or "UTF-8"
    misfit = _first_misfit(source, name)
    if misfit is None:
        return Encoding(name, () if name == "UTF-8" else (WORDS["csv.read_as"].format(name=name),))
    if misfit.at_end and (marked or _UTF8_RUN.search(head)):
        raise _cut(source, name)
    if marked:
        raise _undecodable(WORDS["csv.not_as_marked"], source, misfit, name=name)
    return _gb18030(source, head)


def _gb18030(source: TextBytes, head: bytes) -> Encoding:
    if mixed := _mixed_lines(source):
        utf8, other = mixed
        where, wanted = f"{source.name}:{other}", WORDS["csv.one_encoding"]
        raise refuse(
            WORDS["csv.mixed"], source.name, "≠ UTF-8", wanted, where, utf8=utf8, other=other
        )
    misfit = _first_misfit(source, "GB18030")
    if misfit and misfit.at_end and misfit.offset > 1:
        raise _cut(source, "GB18030")
    if misfit:
        raise _undecodable(WORDS["csv.no_encoding"], source, misfit)
    common = _share_of_common(head)
    if common is not None and common < 0.75 and _is_big5(head):
        raise refuse(WORDS["csv.big5"], source.name, "Big5?", WORDS["csv.save_as_utf8"])
    doubt = (WORDS["csv.rare_characters"],) if common is not None and common < 0.6 else ()
    return Encoding("GB18030", (WORDS["csv.read_as"].format(name="GB18030"), *doubt))


class _Misfit(NamedTuple):
    offset: int
    line: int
    byte: int
    at_end: bool


def _first_misfit(source: TextBytes, codec: str) -> _Misfit | None:
    decoder = codecs.getincrementaldecoder(codec)()
    start = lines = 0
    for chunk in chain(source.chunks(), [b""]):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as fault:
            at = start - pending + fault.start
            line = lines + chunk.count(b"\n", 0, max(fault.start - pending, 0)) + 1
            return _Misfit(at, line, fault.object[fault.start], at_end=not chunk)
        start += len(chunk)
        lines += chunk.count(b"\n")
    return None


def _undecodable(message: Text, source: TextBytes, misfit: _Misfit, **places: str) -> ListError:
    where, wanted = f"{source.name}:{misfit.line}", WORDS["csv.save_as_utf8"]
    return refuse(message, source.name, f"0x{misfit.byte:02X}", wanted, where, **places)


def _cut(source: TextBytes, name: str) -> ListError:
    return refuse(WORDS["csv.cut"], source.name, f"{name} …", WORDS["csv.whole_file"])


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
    # The first line that can only be UTF-8 and the first that can't be, if both exist.
    utf8 = other = 0
    with source.open() as stream:
        lines = iter(lambda: stream.readline(MAX_LINE_BYTES), b"")
        for number, line in enumerate(lines, 1):
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
    # Of double-byte characters those that are common or punctuation in GB 2312: in texts of Chinese
    # firms above 0.85 from 16 characters on; Big5 read as GB18030 gives about 0.5.
    pairs = _PAIR.findall(head)
    common = sum(
        trail >= b"\xa1" and (b"\xa1" <= lead <= b"\xa9" or b"\xb0" <= lead <= b"\xd7")
        for lead, trail in pairs
    )
    return common / len(pairs) if len(pairs) >= 12 else None


def _is_big5(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("big5")().decode(head)
    except UnicodeDecodeError:
        return False
    pairs = _PAIR.findall(head)
    common: int = sum(b"\xa1" <= lead <= b"\xc6" for lead, _ in pairs)
    return common > 0.9 * len(pairs)


_BATCH_CELLS, _BATCH_CHARACTERS = 1_000_000, 8 << 20


class Dialect(NamedTuple):
    """The separator of a text, and whether its fields in quotes follow it and a space."""

    delimiter: str
    spaced: bool

    def reader(self, lines: Iterable[str], *, strict: bool) -> Iterator[list[str]]:
        """Return a reader of records; strict ones raise `csv.Error` for misplaced quotes."""
        # A field that runs on for longer comes of a quote that nobody closed.
        csv.field_size_limit(max(csv.field_size_limit(), 1 << 26))
        return csv.reader(
            lines, delimiter=self.delimiter, skipinitialspace=self.spaced, strict=strict
        )


def find_dialect(head: str, aliases: Aliases = NO_ALIASES) -> Dialect:
    """Return the separator under which most headers are known, else the one that cuts most."""
    end = max(head.rfind("\n"), head.rfind("\r"))
    lines = (head[: end + 1] if end > 0 else head).lstrip("\ufeff")

    def score(delimiter: str) -> tuple[int, int]:
        reader = Dialect(delimiter, spaced=False).reader(io.StringIO(lines, ""), strict=False)
        records = list(islice(reader, HEADER_SEARCH))
        widths = Counter(map(len, records))
        usual = widths.most_common(1)[0][0] if widths else 0
        known = max(widths, default=0) <= MAX_COLUMNS
        header = find_header(records, aliases=aliases) if known else None
        return (header.known if header else 0), usual

    best = max(DELIMITERS, key=score)
    return Dialect(best, spaced=re.search(re.escape(best) + r' +"', lines) is not None)


class _Record(NamedTuple):
    number: int
    fields: list[str]
    stray: bool = False  # its quotes had to be guessed


def _records(name: str, text: Iterable[str], dialect: Dialect, most: int) -> Iterator[_Record]:
    line = ""

    def remembered() -> Iterator[str]:
        nonlocal line
        for number, line in enumerate(text):
            if number == 0:
                line = line.lstrip("\ufeff")
            yield line

    reader: Any = dialect.reader(remembered(), strict=True)
    for number in count(1):
        before = reader.line_num
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            forgiven = _forgiven(line, dialect) if reader.line_num == before + 1 else None
            if forgiven is None:
                wanted, where = WORDS["csv.quotes_in_pairs"], f"{name}:{before + 1}"
                message = WORDS["csv.unclosed"]
                raise refuse(message, name, '"', wanted, where, line=before + 1) from None
            yield _Record(number, forgiven, stray=True)
        else:
            yield _Record(number, fields)
        if number > 2 * most:
            wanted = at_most(most, WORDS["table.rows"])
            raise refuse(WORDS["csv.too_many"], name, f"> {2 * most:,}", wanted)


def _forgiven(line: str, dialect: Dialect) -> list[str] | None:
    """Read a line once more, forgiving what stands after a closing quote; None if one is open."""
    lines = iter((line, "\n"))
    try:
        fields = next(dialect.reader(lines, strict=False))
    except csv.Error:
        return None
    return None if next(lines, None) is None else fields


def read_delimited(source: TextBytes, place: HeaderPlace = ANYWHERE) -> RawList:
    """Read a CSV, plain or gzipped.

    A record with more fields than the header is set aside (``too_many_fields``), for nobody can
    tell where the surplus separator stands; only where most records of the start end in the same
    empty surplus is that the habit of the program that wrote it. A short record is filled up with
    missing cells and told (``too_few_fields``), unless most are short. A record whose quotes are
    misplaced within one line is read without them and told (``stray_quote``). Raises `ListError` if
    the text can't be decoded, has no header, or a quote is never closed.
    """
    encoding = find_encoding(source)
    with _text(source, encoding.name) as text:
        head = text.read(1 << 18)
    if not head.strip("\ufeff \t\r\n\0"):
        raise refuse(WORDS["csv.empty"], source.name, "0", WORDS["csv.header_and_firm"])
    with _text(source, encoding.name) as text:
        dialect = find_dialect(head, place.aliases)
        records = _records(source.name, text, dialect, source.limits.rows)
        raw = _read_table(source.name, records, place, source.limits)
    return replace(raw, notices=(*encoding.notices, *raw.notices))


def _text(source: TextBytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(source.open(), encoding=encoding, errors="strict", newline="")


def _read_table(
    source: str, records: Iterator[_Record], place: HeaderPlace, limits: Limits
) -> RawList:
    head = list(islice(records, HEADER_SEARCH))
    TextColumns(source, max((len(record.fields) for record in head), default=0))
    first = [record.fields for record in head]
    header = place.header(first)
    first_rows = SheetHead(None, tuple(tuple(cell or None for cell in row) for row in first))
    if header is None or header.name_at is None:
        raise no_header(source, [(source, first)], [first_rows])
    below, at, named = head[header.end + 1 :], head[header.last].number, len(header.names)
    columns = TextColumns(source, _habitual_width(named, below), limits)
    problems, short = _read_rows(chain(below, records), columns, named)
    header = header.widened(columns.width)
    table = finish_table(columns, header, source, at, first, problems=problems)
    short = {row: short[row] for row in table.rows.tolist() if row in short}
    notices: tuple[Text, ...] = ()
    told: tuple[Problem, ...] = ()
    if 2 * len(short) > len(table.rows) > 2:  # by habit: told once
        n, row = f"{len(short):,}", next(iter(short))
        notices = (WORDS["csv.many_short_rows"].format(n=n, row=row),)
    else:
        wanted = WORDS["csv.too_few_fields"].format(n=named)
        told = tuple(
            Problem(row, None, str(size), wanted, "too_few_fields") for row, size in short.items()
        )
    table = replace(table, problems=(*table.problems, *told))
    return RawList(source, (table,), notices, (first_rows,), columns.unread)


def _habitual_width(width: int, below: Sequence[_Record]) -> int:
    filled = [record.fields for record in below if any(record.fields)]
    ending = [len(fields) for fields in filled if len(fields) > width and not any(fields[width:])]
    usual, times = Counter(ending).most_common(1)[0] if ending else (width, 0)
    return usual if times >= 2 and 2 * times > len(filled) else width


def _read_rows(
    records: Iterable[_Record], columns: TextColumns, named: int
) -> tuple[list[Problem], dict[int, int]]:
    """Append records to columns; return what is wrong, and the fields of each record too short."""
    width = columns.width
    head = columns.limits.head or BATCH_ROWS
    most, characters = min(BATCH_ROWS, head, 1 + _BATCH_CELLS // width), 0
    problems: list[Problem] = []
    short: dict[int, int] = {}
    batch: list[list[str]] = []
    numbers: list[int] = []
    too_many, stray = WORDS["csv.too_many_fields"].format(n=named), WORDS["csv.stray_quote"]
    for number, fields, misquoted in records:
        if not any(fields):
            continue
        size = len(fields)
        if size > width or (width > named and any(fields[named:])):
            problem = Problem(number, None, str(size), too_many, "too_many_fields", set_aside=True)
            problems.append(problem)
            continue
        if size < width:
            if size < named:
                short[number] = size
            fields = fields + [""] * (width - size)
        if misquoted:
            problems.append(Problem(number, None, '"', stray, "stray_quote"))
        batch.append(fields)
        numbers.append(number)
        characters += sum(map(len, fields))
        if len(batch) == most or characters > _BATCH_CHARACTERS:
            columns.add(batch, numbers)
            batch, numbers, characters = [], [], 0
            if columns.is_full:
                break
    columns.add(batch, numbers)
    _pass_over(records, columns)
    return problems, short


def _pass_over(records: Iterable[_Record], columns: TextColumns) -> None:
    passed = 0
    for record in records:
        passed += any(record.fields)
        if passed == BATCH_ROWS:
            columns.pass_over(passed)
            passed = 0
    columns.pass_over(passed)
