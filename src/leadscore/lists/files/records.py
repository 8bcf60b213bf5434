"""Firms handed over by a program, as a frame or as records, walk the same way as those in files."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.language import Text
from leadscore.lists.files.asides import without_asides, without_giants
from leadscore.lists.files.header_faults import duplicate_headers, no_header
from leadscore.lists.files.header_rows import Header, header_of
from leadscore.lists.files.parquet import DAMAGED_NUMBER
from leadscore.lists.files.texttable import RawList, TextColumns, TextTable, empty_is_missing
from leadscore.lists.problems import Problem, shown

EXACT_WHOLE = 2.0**53
"""A float holds whole numbers exactly up to here; a larger one has lost its end."""
MAX_DIGITS = 4_000
"""Digits of a whole number; Python itself refuses to write more than 4,300."""

MISSING_CODES = ("damaged_number", "nested_value", "number_too_long")
"""What is wrong with values that count as missing."""

WANTED_OF_VALUES = {
    "damaged_number": DAMAGED_NUMBER,
    "nested_value": Text(
        zh="文字、数字或是否；嵌套的值按缺失处理",
        en="text, a number or a truth value; a nested value counts as missing",
    ),
    "lone_surrogate": Text(
        zh="完整的 Unicode 文字；残缺的字符已换成 \N{REPLACEMENT CHARACTER}",
        en="whole Unicode text; half characters were replaced by \N{REPLACEMENT CHARACTER}",
    ),
    "number_too_long": Text(
        zh=f"至多 {MAX_DIGITS:,} 位的数字；按缺失处理",
        en=f"a number of at most {MAX_DIGITS:,} digits; it counts as missing",
    ),
}
"""What is wanted of a value, by the code of the problem."""


def from_records(records: Sequence[Mapping[str, object]]) -> RawList:
    """Take firms as mappings from header to value, such as the JSON objects of a request.

    Each record is a row, even an empty one; rows count from 1. A key that a record lacks, None and
    NaN are missing. A whole float loses its ``.0``, other numbers are written without loss, truth
    values become 是 and 否. A nested value is missing and told (``nested_value``).
    """
    keys = list(dict.fromkeys(key for record in records for key in record))
    values = [[record.get(key) for record in records] for key in keys]
    if not keys:
        keys, values = ["name"], [[None] * len(records)]
    table, _ = _table(keys, values, len(records))
    return _raw(without_giants(table), "request")


def from_frame(frame: pd.DataFrame) -> RawList:
    """Take a frame as if it had been read from a file; its index is not looked at.

    Rows count from 1; rows without any value are dropped, totals are set aside. Values become text
    as in `from_records`; the levels of a column index are joined by ``/``.

    Raises
    ------
    ListError
        If no column names firms.
    """
    labels: list[object] = list(frame.columns)
    keys = [
        "/".join(str(level) for level in label if str(level)) if isinstance(label, tuple) else label
        for label in labels
    ]
    columns = [frame.iloc[:, at] for at in range(frame.shape[1])]
    values = [
        column if isinstance(column.dtype, pd.StringDtype) else column.astype(object).tolist()
        for column in columns
    ]
    table, header = _table(keys, values, len(frame))
    if header.name_at is None:
        raise no_header("DataFrame", [("DataFrame", [header.names])])
    return _raw(without_asides(table, header, "DataFrame"), "DataFrame")


def _raw(table: TextTable, source: str) -> RawList:
    return RawList(source, tables=(table,))


def _table(
    keys: Sequence[object], values: Sequence[Sequence[object] | pd.Series], height: int
) -> tuple[TextTable, Header]:
    header = header_of([text_of(str(key))[0] or "" for key in keys])
    columns = TextColumns("records", len(keys))
    problems = duplicate_headers(header, None, None)
    texts: list[pa.Array] = []
    for at, column in enumerate(values):
        array = _strings(column)
        if array is None:
            array, found = _converted(list(column), header, at)
            problems += found
        texts.append(empty_is_missing(array))
    columns.add_columns(texts, range(1, height + 1))
    cells, rows = columns.finish()
    return TextTable(header.names, cells, rows, problems=tuple(problems)), header


def _strings(column: Sequence[object] | pd.Series) -> pa.Array | None:
    """Return a column that is text already, None if it must be looked at value by value."""
    if not isinstance(column, pd.Series):
        return None
    try:
        array = pa.array(column, type=pa.large_string(), from_pandas=True)
    except UnicodeEncodeError:
        return None
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _converted(column: list[object], header: Header, at: int) -> tuple[pa.Array, list[Problem]]:
    texts: list[str | None] = []
    problems = []
    meaning = header.columns[at]
    for row, value in enumerate(column, 1):
        text, code = text_of(value)
        texts.append(None if code in MISSING_CODES else text)
        if code and meaning is not None and not meaning.personal:
            problems.append(
                Problem(row, header.names[at] or None, shown(text), WANTED_OF_VALUES[code], code)
            )
    return pa.array(texts, type=pa.large_string()), problems


def text_of(value: object) -> tuple[str | None, str | None]:
    r"""Return a value as text, missing for no value, and the code of what is wrong with it.

    >>> text_of(3.0), text_of(0.1), text_of(10**20), text_of(float("nan"))
    (('3', None), ('0.1', None), ('100000000000000000000', None), (None, None))
    >>> text_of({"a": 1}), text_of("a\ud800")
    (('{"a": 1}', 'nested_value'), ('a�', 'lone_surrogate'))
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return None, None
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, bool | np.bool_):
        return ("是" if value else "否"), None
    if isinstance(value, int | np.integer):
        digits = int(value).bit_length() * math.log10(2)
        return (str(value), None) if digits < MAX_DIGITS else (f"{digits:.0f}", "number_too_long")
    if isinstance(value, float | np.floating):
        return _float(value)
    if isinstance(value, decimal.Decimal):
        return (None, None) if value.is_nan() else (str(value), None)
    if isinstance(value, dt.datetime):
        naive = value.replace(tzinfo=None)
        midnight = naive.time() == dt.time()
        return (naive.date().isoformat() if midnight else naive.isoformat(" ", "seconds")), None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat(), None
    return _nested(value), "nested_value"


def _whole(text: str) -> tuple[str, str | None]:
    try:
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        return text, None
    # Through UTF-16 the halves of a pair that belong together become one character.
    mended = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return mended, None if mended.count("\ufffd") == text.count("\ufffd") else "lone_surrogate"


def _float(value: float | np.floating) -> tuple[str | None, str | None]:
    number = float(value)
    if math.isnan(number):
        return None, None
    if math.isinf(number) or number != int(number):
        return str(value), None
    return str(int(number)), "damaged_number" if abs(number) >= EXACT_WHOLE else None


def _nested(value: object) -> str:
    """Return the start of a nested value, however deep or large it is."""
    try:
        return json.dumps(value, ensure_ascii=False)[:1_000]
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__
