"""Reads a list into tables of text, from a file of any kind or the records of a program."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.errors import ListError
from leadscore.lists.problems import Problem
from leadscore.lists.reading.csv import read_delimited
from leadscore.lists.reading.excel import ARCHIVE, OLD, other_kind, read_spreadsheet
from leadscore.lists.reading.footnotes import without_oversized_cells, without_totals_and_notes
from leadscore.lists.reading.header import (
    ANYWHERE,
    Header,
    HeaderPlace,
    duplicate_headers,
    header_of,
    no_header,
)
from leadscore.lists.reading.parquet import read_parquet
from leadscore.lists.reading.table import (
    OWN_FILE,
    TEXT,
    Limits,
    RawList,
    TextBytes,
    TextColumns,
    TextTable,
    at_most,
    empty_is_missing,
    refuse,
)
from leadscore.text import Text, room_words, shown
from leadscore.validation import unreadable

WORDS = room_words("lists")

MAX_FILE_BYTES = 1 << 30  # a file that is larger than any text that is read, packed or not
MAX_DIGITS = 4_000  # digits of a whole number; Python itself refuses to write more than 4,300

MISSING_CODES = ("damaged_number", "nested_value", "number_too_long")
"""What is wrong with values that count as missing."""

WANTED_OF_VALUES = {
    "damaged_number": WORDS["parquet.issues.damaged_number"],
    "nested_value": WORDS["records.nested_value"],
    "lone_surrogate": WORDS["records.lone_surrogate"],
    "number_too_long": WORDS["records.number_too_long"].format(n=f"{MAX_DIGITS:,}"),
}
"""What is wanted of a value, by the code of the problem."""

_OTHERS = (
    (b"\x89PNG", ".png", WORDS["file.picture"]),
    (b"\xff\xd8\xff", ".jpg", WORDS["file.picture"]),
    (b"GIF8", ".gif", WORDS["file.picture"]),
    (b"%PDF", ".pdf", WORDS["file.pdf"]),
    (b"{\\rtf", ".rtf", WORDS["file.rtf"]),
    (b"SQLite format 3", ".sqlite", WORDS["file.database"]),
    (b"Rar!", ".rar", ARCHIVE),
    (b"7z\xbc\xaf", ".7z", ARCHIVE),
    (b"BZh", ".bz2", ARCHIVE),
    (b"\xfd7zXZ", ".xz", ARCHIVE),
    (b"(\xb5/\xfd", ".zst", ARCHIVE),
    # What follows is a list when it stands alone, but not inside a gzip.
    (b"PK\3\4", ".zip", ARCHIVE),
    (b"PAR1", ".parquet", ARCHIVE),
    (b"\x1f\x8b", ".gz", ARCHIVE),
    (OLD, ".xls", ARCHIVE),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|table|meta|\?xml|script)", re.IGNORECASE)


def read_list(path: Path, place: HeaderPlace | None = None, limits: Limits = OWN_FILE) -> RawList:
    """Read a candidate list: CSV (also gzipped), workbook (.xlsx, .xlsm, .xls, .ods) or Parquet.

    What the file is, its content decides and not its name. Nothing is understood yet: cells are
    text, columns stand as in the file, personal ones among them; every table that names firms is
    there. The header is looked for, unless its place is given; ``limits`` say how much is read.
    Raises `ListError` if the file can't be read or none of its tables names firms: what, where,
    what to do.
    """
    raw = _read(path, place or ANYWHERE, limits)
    if any(len(table.rows) for table in raw.tables):
        return raw
    return replace(raw, notices=(*raw.notices, WORDS["file.no_rows"]))


def _read(path: Path, place: HeaderPlace, limits: Limits) -> RawList:
    name = shown(path.name)
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as fault:
        raise ListError(unreadable(Text(zh=f" {name} ", en=name), fault)) from fault
    if size > MAX_FILE_BYTES:
        wanted = at_most(MAX_FILE_BYTES, WORDS["table.bytes"])
        raise refuse(WORDS["table.too_large"], name, f"{size:,}", wanted)
    if head.startswith((OLD, b"PK\3\4", b"PK\5\6", b"PK\7\10")):
        return read_spreadsheet(path, place, limits)
    if head.startswith(b"PAR1"):
        return read_parquet(path, place, limits)
    source = TextBytes(path, gzipped=head.startswith(b"\x1f\x8b"), limits=limits)
    if source.gzipped:
        with source.open() as stream:
            head = source.read(stream, 4096)
    _refuse_others(name, head)
    return read_delimited(source, place)


def _refuse_others(name: str, head: bytes) -> None:
    for start, suffix, kind in _OTHERS:
        if head.startswith(start):
            raise other_kind(name, suffix, kind)
    if head[257:262] == b"ustar":
        raise other_kind(name, ".tar", ARCHIVE)
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise other_kind(name, ".html", WORDS["file.page"])


def from_records(records: Sequence[Mapping[str, object]]) -> RawList:
    """Take firms as mappings from header to value, such as the JSON objects of a request.

    Each record is a row, even an empty one; rows count from 1. A key that a record lacks, None and
    NaN are missing. A whole float loses its ``.0``, other numbers are written without loss, truth
    values become 是 and 否. A nested value is missing and told (``nested_value``).
    """
    keys = list(dict.fromkeys(key for record in records for key in record)) or ["name"]
    values = [[record.get(key) for record in records] for key in keys]
    table, _ = _table(keys, values, len(records))
    return RawList("request", (without_oversized_cells(table),))


def from_frame(frame: pd.DataFrame) -> RawList:
    """Take a frame as if it had been read from a file; its index is not looked at.

    Rows count from 1; rows without any value are dropped, totals are set aside. Values become text
    as in `from_records`; the levels of a column index are joined by ``/``. Raises `ListError` if no
    column names firms.
    """
    labels: list[object] = list(frame.columns)
    keys = [
        "/".join(str(level) for level in label if str(level)) if isinstance(label, tuple) else label
        for label in labels
    ]
    values = [
        column if isinstance(column.dtype, pd.StringDtype) else column.astype(object).tolist()
        for _, column in frame.items()
    ]
    table, header = _table(keys, values, len(frame))
    if header.name_at is None:
        raise no_header("DataFrame", [("DataFrame", [header.names])])
    return RawList("DataFrame", (without_totals_and_notes(table, header, "DataFrame"),))


def _table(
    keys: Sequence[object], values: Sequence[Sequence[object] | pd.Series], height: int
) -> tuple[TextTable, Header]:
    header = header_of([text_of(str(key))[0] or "" for key in keys])
    columns = TextColumns("records", len(keys))
    problems = duplicate_headers(header, None, None)
    arrays: list[pa.Array] = []
    for at, column in enumerate(values):
        array = _strings(column)
        if array is None:
            texts = [text_of(value) for value in column]
            array = pa.array(
                [None if code in MISSING_CODES else text for text, code in texts], TEXT
            )
            problems += [
                Problem(row, header.names[at] or None, shown(text), WANTED_OF_VALUES[code], code)
                for row, (text, code) in enumerate(texts, 1)
                if code and header.is_read(at)
            ]
        arrays.append(empty_is_missing(array))
    columns.add_columns(arrays, range(1, height + 1))
    cells, rows = columns.finish()
    return TextTable(header.names, cells, rows, problems=tuple(problems)), header


def _strings(column: Sequence[object] | pd.Series) -> pa.Array | None:
    if not isinstance(column, pd.Series):
        return None
    try:
        array = pa.array(column, TEXT, from_pandas=True)
    except UnicodeEncodeError:
        return None
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def text_of(value: object) -> tuple[str | None, str | None]:
    r"""Return a value as text, missing for no value, and the code of what is wrong with it.

    >>> text_of(3.0), text_of(0.1), text_of(10**20), text_of(float("nan"))
    (('3', None), ('0.1', None), ('100000000000000000000', None), (None, None))
    >>> text_of({"a": 1}), text_of("a\ud800")
    (('{"a": 1}', 'nested_value'), ('a�', 'lone_surrogate'))
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return None, None
    match value:
        case str():
            return _whole_text(value)
        case bool() | np.bool_():
            return ("是" if value else "否"), None
        case int() | np.integer():
            digits = int(value).bit_length() * math.log10(2)
            if digits < MAX_DIGITS:
                return str(value), None
            return f"{digits:.0f}", "number_too_long"
        case float() | np.floating():
            return _plain_float(value)
        case decimal.Decimal():
            return (None if value.is_nan() else str(value)), None
        case dt.datetime():
            naive = value.replace(tzinfo=None)
            midnight = naive.time() == dt.time()
            return (naive.date().isoformat() if midnight else naive.isoformat(" ", "seconds")), None
        case dt.date() | dt.time():
            return value.isoformat(), None
    return _nested(value), "nested_value"


def _nested(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)[:1_000]
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def _whole_text(text: str) -> tuple[str, str | None]:
    try:
        text.encode()
    except UnicodeEncodeError:
        # Through UTF-16 the halves of a pair that belong together become one character.
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return whole, None if whole.count("\ufffd") == text.count("\ufffd") else "lone_surrogate"
    return text, None


def _plain_float(value: float | np.floating) -> tuple[str | None, str | None]:
    number = float(value)
    if math.isnan(number):
        return None, None
    if math.isinf(number) or number != int(number):
        return str(value), None
    # From here on a float has lost the end of a whole number.
    return str(int(number)), "damaged_number" if abs(number) >= 2.0**53 else None
