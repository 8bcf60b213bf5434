"""Two columns may say the same thing: this makes one of them, and tells where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.lists.columns import Column
from leadscore.lists.values.cell_faults import Mask
from leadscore.lists.values.texts import NONE, says_none, tidy, tidy_word, unknown

SEPARATOR = "；"
"""Stands between the entries of a text that was joined from several columns."""

_CLOSE = 0.01
_JOINED_KINDS = frozenset({"list", "remark"})
_YES = ("是", "有", "1", "1.0", "true", "yes", "y", "t", "√", "✓", "✔", "●", "已认定", "具备")
_NO = ("否", "无", "0", "0.0", "false", "no", "n", "f", "×", "x", "非", "未认定", "没有", "不是")


@dataclass(frozen=True, eq=False)
class Merged:
    """One canonical column made of several.

    Attributes
    ----------
    values
        The first known value of each row, or all of them joined for columns that are lists.
    conflicts
        For each column after the first, the rows where it differs from what stands already.
    """

    values: pd.Series
    conflicts: tuple[Mask, ...]


def merge(column: Column, parts: Sequence[pd.Series], years: Sequence[int | None]) -> Merged:
    """Make one column of several that were read from one table.

    Parameters
    ----------
    column
        The canonical column.
    parts
        Typed values, first choice first, on one index.
    years
        The year that each part speaks of; parts of different years do not contradict each other.

    >>> from leadscore.lists.columns import column
    >>> parts = [pd.Series(["甲路1号", np.nan]), pd.Series(["乙路2号", "丙路3号"])]
    >>> merged = merge(column("registered_address"), parts, [None, None])
    >>> merged.values.tolist(), merged.conflicts[0].tolist()
    (['甲路1号', '丙路3号'], [True, False])
    """
    values, conflicts = parts[0], []
    for part, year in zip(parts[1:], years[1:], strict=True):
        if column.kind in _JOINED_KINDS:
            values = joined(values, part)
            conflicts.append(np.zeros(len(values), dtype=bool))
            continue
        both = (values.notna() & part.notna()).to_numpy(dtype=bool, copy=True)
        if year == years[0]:
            both[both] = differ(column, values[both], part[both])
        else:
            both[:] = False
        conflicts.append(both)
        values = values.fillna(part)
    return Merged(values, tuple(conflicts))


def joined(first: pd.Series, second: pd.Series) -> pd.Series:
    """Join two texts row by row; a text that stands already is not repeated, nor 无 beside another.

    >>> joined(pd.Series(["甲", "乙", np.nan]), pd.Series(["丙", "乙", "丁"])).tolist()
    ['甲；丙', '乙', '丁']
    """
    pairs = zip(_texts(first), _texts(second), strict=True)
    return pd.Series([joined_text(*pair) for pair in pairs], index=first.index, dtype="str")


def joined_text(first: str | None, second: str | None) -> str | None:
    """Join two texts of one row; see `joined`.

    >>> joined_text("甲", "丙"), joined_text("无", "丙"), joined_text(None, None)
    ('甲；丙', '丙', None)
    """
    if first == NONE:
        first = second or NONE
    if second is None or second in (NONE, first):
        return first
    return second if first is None else first + SEPARATOR + second


def _texts(column: pd.Series) -> list[str | None]:
    return [text if isinstance(text, str) else None for text in column.astype(object)]


def held_titles(title: str, cells: pd.Series) -> tuple[pd.Series, Mask]:
    """Read a column headed by a title: the title where the cell says yes.

    Parameters
    ----------
    title
        The title that the header names.
    cells
        Text as in the source, missing allowed.

    Returns
    -------
    tuple
        The title, with the cell's words in brackets where it says more than yes; and the rows that
        say no.

    >>> held_titles("小巨人", pd.Series(["是", "0", "国家级", "-"]))[0].tolist()
    ['小巨人', nan, '小巨人（国家级）', nan]
    """
    words = tidy(cells.where(~unknown(cells)))
    no = words.isin(_NO).to_numpy(dtype=bool)
    named = words.isin(_YES) | (words == tidy(pd.Series([title])).item())
    more = words.notna() & ~named & ~no
    plain = pd.Series(title, index=cells.index, dtype="str")
    return (title + "（" + cells.str.strip() + "）").where(more, plain.where(named)), no


def listing(cells: pd.Series) -> tuple[pd.Series, Mask]:
    """Read a column that answers whether a firm is listed, and tell which cells say no.

    >>> listing(pd.Series(["是", "否", "科创板", "-"]))[0].tolist()
    ['已上市', '未上市', '科创板', nan]
    """
    words = tidy(cells.where(~unknown(cells) | says_none(cells)))
    no = words.isin(_NO).to_numpy(dtype=bool)
    plain = cells.str.strip().where(words.notna())
    return plain.mask(words.isin(_YES), "已上市").mask(no, "未上市"), no


def differ(column: Column, first: pd.Series, second: pd.Series) -> Mask:
    """Tell where two known values can't both be meant."""
    if column.dtype == "float64":
        one, other = first.to_numpy(dtype=float), second.to_numpy(dtype=float)
        apart: Mask = np.abs(one - other) > _CLOSE * np.maximum(np.abs(one), np.abs(other))
        return apart
    if column.kind == "date":
        return _other_day(first, second)
    pairs = zip(first, second, strict=True)
    return np.array([not can_both_be_meant(one, other) for one, other in pairs], dtype=bool)


def can_both_be_meant(one: str, other: str) -> bool:
    """Tell whether one of two texts says no more than the other, however they are written."""
    one, other = tidy_word(one), tidy_word(other)
    return one in other or other in one


def _other_day(first: pd.Series, second: pd.Series) -> Mask:
    """Tell where two days differ, though neither stands for its whole month or year."""
    differ = (first != second).to_numpy(dtype=bool, copy=True)
    for unit in ("Y", "M"):
        one, other = (days.to_numpy().astype(f"datetime64[{unit}]") for days in (first, second))
        start = one.astype(first.dtype.name)
        rough = (start == first.to_numpy()) | (start == second.to_numpy())
        differ &= ~((one == other) & rough)
    return differ
