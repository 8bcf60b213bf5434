"""A row is a firm only if it has a name: this finds it among the columns that may hold it."""

from __future__ import annotations

import re
from typing import NamedTuple

from leadscore.lists.values.words import is_spreadsheet_error, says_nothing, visible_text
from leadscore.text import Text, room_words

WORDS = room_words("lists")


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

_NOT_MATCHED, _FORMER_BEHIND, _NUMBER_BEFORE, _RENAMED, _YEARS, _AROUND = map(
    re.compile, (_UNMATCHED, _FORMER, _NUMBERED, _HAS_FORMER, _DATED, _LABEL)
)
_MARKED = re.compile(r"^[^A-Za-z\u4e00-\u9fff]|^[一二三四五六七八九十]{1,3}、")
_BETWEEN = re.compile(_PARTED, re.IGNORECASE)
_LINE_ENDS = re.compile(r"[\r\n]+")

WANTED = {
    "no_name": WORDS["names.wanted_no_name"],
    "unmatched_name": WORDS["names.wanted_unmatched_name"],
    "invisible_characters": WORDS["names.wanted_invisible_characters"],
    "long_name": Text(
        zh=f"不超过 {LONGEST_NAME} 字的企业名称；按原样保留",
        en=f"a name of at most {LONGEST_NAME} characters; it is kept as it is",
    ),
    "name_is_a_place": WORDS["names.wanted_name_is_a_place"],
}
"""What is wanted of a name, by the code of the problem."""


class Name(NamedTuple):
    """What one cell of a column of names says.

    Attributes
    ----------
    value
        A name without invisible characters, trimmed; missing where there is none.
    former
        What the cell itself gives as a former name; missing if nothing.
    hidden
        True if it held invisible characters.
    unmatched
        True if a batch match says in it that it found no firm.
    """

    value: str | None = None
    former: str | None = None
    hidden: bool = False
    unmatched: bool = False


def read_name(cell: str) -> Name:
    """Read one cell of a column of names.

    ``NA``, ``null`` and ``None`` are names; ``-``, ``无`` and errors of a spreadsheet are not. A
    number or star before the name goes; a former name behind the name, as in
    某某公司（曾用名：甲公司）, is taken apart.

    >>> read_name("3、乙公司（曾用名：甲公司）")
    Name(value='乙公司', former='甲公司', hidden=False, unmatched=False)
    >>> read_name("NA").value, read_name("-").value
    ('NA', None)
    """
    name, hidden = visible_text(cell)
    unmatched = bool(_NOT_MATCHED.match(name))
    if unmatched or says_nothing(name, name=True) or is_spreadsheet_error(name):
        return Name(unmatched=unmatched)
    if len(name) <= LONGEST_PARTED and _MARKED.match(name):
        name = _NUMBER_BEFORE.sub("", name)
    former = None
    if ("名" in name or "原" in name) and len(name) <= LONGEST_PARTED and _RENAMED.search(name):
        name, former = _parted(name)
    return Name(name, former, hidden)


def _parted(name: str) -> tuple[str, str | None]:
    """Take a former name from behind a name, if a name is left."""
    found = _FORMER_BEHIND.search(name)
    bare = _FORMER_BEHIND.sub("", name).strip()
    if not bare:
        return name, None
    return bare, (found["before"] or found["once"]) if found else None


def former_names(cell: str) -> str | None:
    """Return former names joined by semicolons; dates, labels and list marks around them dropped.

    Missing where the cell says nothing.

    >>> former_names("甲公司（2010至2015）；乙公司"), former_names("-"), former_names("A Co., Ltd.")
    ('甲公司;乙公司', None, 'A Co., Ltd.')
    """
    if says_nothing(cell):
        return None
    lines = visible_text(_LINE_ENDS.sub(";", cell))[0]
    if len(lines) > LONGEST_PARTED:
        return lines
    plain = _AROUND.sub("", _YEARS.sub("", lines))
    return _BETWEEN.sub(";", plain).strip("; ") or None


def joined_names(names: str | None, more: str | None) -> str | None:
    """Join two texts of former names; the same text twice stays one.

    >>> joined_names("甲公司", "乙公司"), joined_names(None, "乙公司"), joined_names("甲", "甲")
    ('甲公司;乙公司', '乙公司', '甲')
    """
    if names is None or more is None or names == more:
        return more if names is None else names
    return f"{names};{more}"
