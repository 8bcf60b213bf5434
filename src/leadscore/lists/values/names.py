"""A row is a firm only if it has a name: this finds it among the columns that may hold it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.language import Text
from leadscore.lists.values.cell_faults import Mask
from leadscore.lists.values.texts import spreadsheet_error, unknown, visible

LONGEST_NAME = 120
"""Longer than any registered name; such a cell holds something else as well, and is flagged."""

LONGEST_PARTED = 500
"""A longer cell holds no name with a former one behind it, or no list of former names: it is kept
whole, since taking it apart could take minutes where somebody made it to."""

_UNMATCHED = r"^(?:未匹配|没有匹配|未找到|查无|无匹配|匹配失败)"
_FORMER = (
    r"[(（【\[；;,，]?\s*(?:曾用名\s*[:：为]?|原名\s*[:：])\s*(?P<before>[^)）】\]]+)[)）】\]]?\s*$"
    r"|[(（]原[:：]?(?P<once>[^()（）]+(?:公司|厂))[)）]\s*$"
)
_NUMBERED = (
    r"^(?:\d{1,4}(?:[.．](?!\d)|、)|[(（]\d{1,4}[)）]|[①-⑳★☆●◆■▲※]+|[*＊]+(?!S)"
    r"|[一二三四五六七八九十]{1,3}、)\s*(?=[\w(（]*?(?:[\u4e00-\u9fff]{3}|[A-Za-z]{3}))"
)
_HAS_FORMER = r"曾用名|原名\s*[:：]|[(（]原.+[)）]\s*$"
_PARTED = r"\s*(?:[;；、|，\x0b\r\n]|,(?!\s*(?:ltd|inc|llc|co|limited|corp)\b))+\s*"
_DATED = r"[(（][^()（）]*(?:19|20)\d\d[^()（）]*[)）]"
_LABEL = r"^(?:曾用名|原名)\s*[:：]\s*|^\[|\]$|[\"“”]"

WANTED = {
    "no_name": Text(
        zh="企业名称；没有名称的行不参与评分",
        en="the name of a firm; a row without one is not scored",
    ),
    "unmatched_name": Text(
        zh="匹配到的企业名称；未匹配到，采用导入的名称",
        en="the name that was matched; none was, so the imported name is used",
    ),
    "invisible_characters": Text(
        zh="只含可见字符的名称；不可见字符已去掉",
        en="a name of visible characters only; the others were taken out",
    ),
    "long_name": Text(
        zh=f"不超过 {LONGEST_NAME} 字的企业名称；按原样保留",
        en=f"a name of at most {LONGEST_NAME} characters; it is kept as it is",
    ),
}
"""What is wanted of a name, by the code of the problem."""


@dataclass(frozen=True, eq=False)
class NameCells:
    """One column of names, cleaned.

    Attributes
    ----------
    values
        Names without invisible characters, trimmed; missing where there is none.
    former
        What the cell itself gives as a former name; missing if nothing.
    hidden
        Cells that held invisible characters.
    unmatched
        Cells in which a batch match says that it found no firm.
    """

    values: pd.Series
    former: pd.Series
    hidden: Mask
    unmatched: Mask


def read_names(cells: pd.Series) -> NameCells:
    """Read a column of names.

    ``NA``, ``null`` and ``None`` are names; ``-``, ``无`` and errors of a spreadsheet are not. A
    number or star before the name goes; a
    former name behind the name, as in 某某公司（曾用名：甲公司）, is taken apart.

    Parameters
    ----------
    cells
        Text as in the source, missing allowed.

    >>> read_names(pd.Series(["NA", "-", "乙公司（曾用名：甲公司）"])).values.tolist()
    ['NA', nan, '乙公司']
    """
    names, hidden = visible(cells)
    nothing = unknown(names, name=True) | spreadsheet_error(names)
    nothing |= names.str.lower().eq("#n/a").to_numpy(dtype=bool, na_value=False)
    unmatched = names.str.contains(_UNMATCHED, regex=True, na=False).to_numpy(dtype=bool)
    names = names.where(~(nothing | unmatched))
    marked = names.str.contains(r"^[^A-Za-z\u4e00-\u9fff]|^[一二三四五六七八九十]{1,3}、", na=False)
    if marked.any():
        names = names.where(~marked, _without_number(names[marked]).reindex(names.index))
    former = pd.Series(np.nan, index=names.index, dtype="str")
    renamed = (names.str.len() <= LONGEST_PARTED).to_numpy(dtype=bool, copy=True)
    renamed[renamed] = names[renamed].str.contains(_HAS_FORMER, regex=True)
    if renamed.any():
        parts = names[renamed].str.extract(_FORMER)
        bare = names[renamed].str.replace(_FORMER, "", regex=True).str.strip()
        former[renamed] = parts["before"].fillna(parts["once"]).where(bare != "")
        names = names.where(~renamed, bare.where(bare != "", names[renamed]).reindex(names.index))
    return NameCells(names, former, hidden & names.notna().to_numpy(dtype=bool), unmatched)


def _without_number(names: pd.Series) -> pd.Series:
    """Return names without the running number or star before them, if a name is left."""
    short = names.str.len() <= LONGEST_PARTED
    return names.where(~short, names.str.replace(_NUMBERED, "", regex=True))


def former_names(cells: pd.Series) -> pd.Series:
    """Return former names joined by semicolons; dates, labels and list marks around them dropped.

    >>> former_names(pd.Series(["甲公司（2010至2015）；乙公司", "-", "A Co., Ltd."])).tolist()
    ['甲公司;乙公司', nan, 'A Co., Ltd.']
    """
    given = cells.where(~unknown(cells))
    if not given.notna().any():
        return pd.Series(np.nan, index=cells.index, dtype="str")
    lines = visible(given.str.replace(r"[\r\n]+", ";", regex=True))[0]
    short = lines.where(lines.str.len() <= LONGEST_PARTED)
    plain = short.str.replace(_DATED, "", regex=True).str.replace(_LABEL, "", regex=True)
    joined = plain.str.replace(_PARTED, ";", regex=True, case=False).str.strip("; ")
    joined = joined.fillna(lines)
    return joined.where(joined != "")
