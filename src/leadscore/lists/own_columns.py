"""The columns of a list that mean nothing to leadscore, kept beside the firms all the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

import pandas as pd

from leadscore.lists.columns import own_conclusions, read_heading
from leadscore.lists.mapping import MappedList
from leadscore.lists.values.words import without_personal
from leadscore.text import shown

MOST_COLUMNS = 30
LONGEST_HEADER = 60
LONGEST_VALUE = 500

OwnValues = Mapping[tuple[str | None, int], Mapping[str, str]]
"""What stands under each header, by sheet and row."""

_PRIVATE = re.compile(r"\d{7}|@")  # numbers and addresses of people: a header holds none


def own_values(read: MappedList) -> OwnValues:
    """Return what stands in the columns that mean nothing to leadscore, by sheet and row.

    Columns about people, those that are not to be read and what leadscore itself concluded are left
    out; numbers and addresses of people are starred out as everywhere. At most so many columns, the
    first ones, and so many characters are kept.
    """
    values: dict[tuple[str | None, int], dict[str, str]] = {}
    for raw, meant in zip(read.raw.tables, read.meant.tables, strict=True):
        conclusions = own_conclusions(meant.headers)
        taken: list[tuple[int, str]] = []
        for at, (header, meaning) in enumerate(zip(raw.headers, meant.headers, strict=True)):
            known = meaning in conclusions or read_heading(meaning) is not None
            if known or not meaning.strip() or not header.strip() or _PRIVATE.search(header):
                continue
            name = shown(header.strip(), LONGEST_HEADER)
            name = (
                f"'{name}" if name[0] in "=+-@" else name
            )  # no spreadsheet takes it for a formula
            if name not in (other for _, other in taken):
                taken.append((at, name))
        for at, name in taken[:MOST_COLUMNS]:
            column = raw.cells[at]
            filled = column.notna()
            rows, cells = raw.rows[filled.to_numpy()].tolist(), column[filled].tolist()
            for row, cell in zip(rows, cells, strict=True):
                if text := shown(without_personal(str(cell).strip()), LONGEST_VALUE):
                    values.setdefault((raw.sheet, int(row)), {})[name] = text
    return values


def own_headers(values: OwnValues) -> list[str]:
    """Return the headers of `own_values`, in the order of their columns."""
    return list(dict.fromkeys(chain.from_iterable(values.values())))[:MOST_COLUMNS]


def with_own_columns(
    table: pd.DataFrame, headers: Sequence[str], rows: Sequence[Mapping[str, str]]
) -> pd.DataFrame:
    """Return a table with the columns of the user's own at its end, each under its own header.

    A header that the table has already is marked; ``rows`` are what its rows have of them.
    """
    own = {}
    for header in headers:
        name = header
        while name in table or name in own:
            name += "*"
        own[name] = pd.Series([row.get(header) for row in rows], table.index, dtype="str")
    return pd.concat([table, pd.DataFrame(own)], axis=1) if own else table
