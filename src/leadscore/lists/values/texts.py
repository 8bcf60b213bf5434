"""Text arrives with invisible characters and with words that only say "nothing known"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_NOTHING = (
    "", "-", "--", "---", "----", "—", "——", "–", "/", "//", "\\", ".", "。", "_", "*", "?", "？",
    "无", "暂无", "未知", "未公开", "未披露", "不公开", "不详", "不明", "不明确", "空", "待定",
    "待查", "待补充", "待确认", "面议", "保密", "企业选择不公示", "无数据", "暂无数据", "暂无信息",
    "没有",
    "#n/a", "n/a", "n.a.", "<na>", "nat", "undefined", "tbd",
)  # fmt: skip
NONE = "无"
"""What cells say of risks, titles and funding that are known not to be there."""

_SAYS_NONE = ("无", "没有", "暂无")
_NOTHING_BUT_A_NAME = ("na", "nan", "null", "none", "nil", "unknown")
_CELL_ERRORS = ("#ref!", "#value!", "#name?", "#div/0!", "#null!", "#num!", "#spill!", "#calc!")
_LONGEST_WORD = 16

_HIDDEN_RANGES = (
    ("\u00ad", "\u00ad"), ("\u061c", "\u061c"), ("\u180e", "\u180e"), ("\u200b", "\u200f"),
    ("\u202a", "\u202e"), ("\u2060", "\u206f"), ("\ufeff", "\ufeff"), ("\ufff9", "\ufffb"),
    ("\U000e0000", "\U000e007f"),
)  # fmt: skip
INVISIBLE = (
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
    + "".join(f"{first}-{last}" for first, last in _HIDDEN_RANGES)
    + "]"
)
"""Control characters, zero-width characters, and those that turn the direction of writing.

Written out, since the regular expressions of Arrow know no escapes beyond ``\\x``.
"""

_ODD_SPACES = "\\t-\\r\u0085\u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SPACES = f"[ {_ODD_SPACES}]+"
_HIDDEN = re.compile(INVISIBLE)
_SPACE = re.compile(_SPACES)
_HIDDEN_OR_SPACE = re.compile(f"{INVISIBLE}|{_SPACES}")
_UNEVEN = f"[{_ODD_SPACES}]|  |^ | $"
_IS_UNEVEN = re.compile(f"[{_ODD_SPACES}]|  ")
_NO_NAME = frozenset(_NOTHING)
_NO_VALUE = frozenset((*_NOTHING, *_NOTHING_BUT_A_NAME))


def each(cells: pd.Series, rewrite: Callable[[str], str | None]) -> pd.Series:
    """Return what ``rewrite`` makes of each text, looking at each different one once.

    Parameters
    ----------
    cells
        Text, missing allowed, which stays missing.
    rewrite
        Takes a text, returns one or None.

    >>> each(pd.Series(["a", None, "a"], dtype="str"), str.upper).to_list()
    ['A', nan, 'A']
    """
    at, different = pd.factorize(cells)
    written = np.array([*(rewrite(text) for text in different), None], dtype=object)
    return pd.Series(written[at], index=cells.index, dtype="str")


def says_nothing(text: str, *, name: bool = False) -> bool:
    """Tell whether one text says in words that nothing is known, as `unknown` does of a column.

    >>> says_nothing("未公开"), says_nothing("NA"), says_nothing("NA", name=True)
    (True, True, False)
    """
    if len(text) > _LONGEST_WORD:
        return False
    # Arrow's lower case of İ is i, Python's is two characters.
    word = text.strip().replace("İ", "i").lower()
    return word in (_NO_NAME if name else _NO_VALUE)


def is_none_word(text: str) -> bool:
    """Tell whether one text says that there are none, as `says_none` does of a column."""
    return len(text) <= _LONGEST_WORD and text.strip() in _SAYS_NONE


def is_spreadsheet_error(text: str) -> bool:
    """Tell whether one text is an error of a spreadsheet, as `spreadsheet_error` does of many."""
    return text.startswith("#") and text.strip().replace("İ", "i").lower() in _CELL_ERRORS


def visible_text(text: str) -> tuple[str, bool]:
    """Do for one text what `visible` does for a column.

    >>> visible_text("深圳\\u202e某\\x00"), visible_text(" 甲  乙 ")
    (('深圳某', True), ('甲 乙', False))
    """
    clean = _HIDDEN.sub("", text)
    hidden = len(clean) < len(text)
    if clean.startswith(" ") or clean.endswith(" ") or _IS_UNEVEN.search(clean):
        clean = _SPACE.sub(" ", clean).strip()
    return clean, hidden


def unknown(cells: pd.Series) -> NDArray[np.bool_]:
    """Tell which cells are missing, or say in words that nothing is known.

    Parameters
    ----------
    cells
        Text, missing allowed; not names of firms, for there are firms named ``NA`` and ``null``.

    >>> unknown(pd.Series(["-", "未公开", "NA", "0"])).tolist()
    [True, True, True, False]
    """
    found = cells.isna().to_numpy(dtype=bool, copy=True)
    short = (cells.str.len() <= _LONGEST_WORD).fillna(False).to_numpy(dtype=bool)
    words = cells[short].str.strip().str.lower()
    found[short] |= words.isin((*_NOTHING, *_NOTHING_BUT_A_NAME)).to_numpy(dtype=bool)
    return found


def says_none(cells: pd.Series) -> NDArray[np.bool_]:
    """Tell which cells say that there are none, where that can be meant: 无, 没有, 暂无.

    >>> says_none(pd.Series(["无", "暂无数据", "-"])).tolist()
    [True, False, False]
    """
    found = (cells.str.len() <= _LONGEST_WORD).fillna(False).to_numpy(dtype=bool, copy=True)
    found[found] = cells[found].str.strip().isin(_SAYS_NONE)
    return found


def spreadsheet_error(cells: pd.Series) -> NDArray[np.bool_]:
    """Tell which cells hold an error of the spreadsheet, such as ``#REF!``.

    ``#N/A`` is not among them: it means that nothing is known, and `unknown` says so.
    """
    starred = cells.str.startswith("#", na=False).to_numpy(dtype=bool, copy=True)
    starred[starred] = cells[starred].str.strip().str.lower().isin(_CELL_ERRORS)
    return starred


def visible(cells: pd.Series) -> tuple[pd.Series, NDArray[np.bool_]]:
    """Return cells trimmed and without invisible characters, and which of them held any.

    Runs of white space, line ends among them, become one space.

    Parameters
    ----------
    cells
        Text, missing allowed.

    >>> cells, hidden = visible(pd.Series(["深圳\\u202e某\\x00", " 甲  乙 "]))
    >>> cells.tolist(), hidden.tolist()
    (['深圳某', '甲 乙'], [True, False])
    """
    hidden = cells.str.contains(INVISIBLE, regex=True, na=False).to_numpy(dtype=bool)
    clean = cells
    if hidden.any():
        clean = cells.where(~hidden, cells.str.replace(INVISIBLE, "", regex=True))
    spaced = clean.str.contains(_UNEVEN, regex=True, na=False)
    if spaced.any():
        at = spaced.to_numpy(dtype=bool)
        clean = clean.where(~at, clean.str.replace(_SPACES, " ", regex=True).str.strip())
    return clean, hidden


def tidy_word(word: str) -> str:
    """Return one word as `tidy` does."""
    plain = unicodedata.normalize("NFKC", word).lower()
    return _HIDDEN_OR_SPACE.sub("", plain)


def tidy(cells: pd.Series) -> pd.Series:
    """Return cells ready to be compared with words: NFKC, lower case, no white space.

    >>> tidy(pd.Series(["１，２３４ 万元"])).item()
    '1,234万元'
    """
    return each(cells, tidy_word)
