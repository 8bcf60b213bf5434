"""Names of firms, as lists write them: with numbers before them and former names behind."""

from __future__ import annotations

import re
from typing import NamedTuple

from leadscore.lists.values.words import is_spreadsheet_error, says_nothing, visible_text
from leadscore.text import room_words

WORDS = room_words("lists")

LONGEST_NAME = 120
"""Longer than any registered name; such a cell holds something else as well, and is flagged."""

LONGEST_PARTED = 500
"""A longer cell is kept whole: taking it apart could take minutes where somebody made it to."""

_NOT_MATCHED = re.compile(r"^(?:未匹配|没有匹配|未找到|查无|无匹配|匹配失败)")
_FORMER_BEHIND = re.compile(
    r"[(（【\[；;,，]?\s*(?:曾用名\s*[:：为]?|原名\s*[:：])\s*(?P<before>[^)）】\]]+)[)）】\]]?\s*$"
    r"|[(（]原[:：]?(?P<once>[^()（）]+(?:公司|厂))[)）]\s*$"
)
_RENAMED = re.compile(r"曾用名|原名\s*[:：]|[(（]原.+[)）]\s*$")
_MARKED = re.compile(r"^[^A-Za-z\u4e00-\u9fff]|^[一二三四五六七八九十]{1,3}、")
_NUMBER_BEFORE = re.compile(
    r"^(?:\d{1,4}(?:[.．](?!\d)|、)|[(（]\d{1,4}[)）]|[①-⑳★☆●◆■▲※]+|[*＊]+(?!S)"
    r"|[一二三四五六七八九十]{1,3}、)\s*(?=[\w(（]*?(?:[\u4e00-\u9fff]{3}|[A-Za-z]{3}))"
)
_BETWEEN = re.compile(
    r"\s*(?:[;；、|，\x0b\r\n]|,(?!\s*(?:ltd|inc|llc|co|limited|corp)\b))+\s*", re.IGNORECASE
)
_LAST_MARKS = re.compile(r"(?<=[一-鿿)）])\s*[。；;，,、]+$")
_YEARS = re.compile(r"[(（][^()（）]*(?:19|20)\d\d[^()（）]*[)）]")
_AROUND = re.compile(r"^(?:曾用名|原名)\s*[:：]\s*|^\[|\]$|[\"“”]")

WANTED_OF_NAMES = {
    code: WORDS[f"names.{code}"].format(n=LONGEST_NAME)
    for code in (
        "no_name", "unmatched_name", "invisible_characters", "long_name", "name_is_a_place"
    )
}  # fmt: skip
"""What is wanted of a name, by the code of the problem."""


class Name(NamedTuple):
    """What a cell of names says; it may tell that a batch match found no firm (``unmatched``)."""

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
    """
    name, hidden = visible_text(cell)
    name = _LAST_MARKS.sub("", name)
    unmatched = bool(_NOT_MATCHED.match(name))
    if unmatched or says_nothing(name, name=True) or is_spreadsheet_error(name):
        return Name(unmatched=unmatched)
    if len(name) <= LONGEST_PARTED and _MARKED.match(name):
        name = _NUMBER_BEFORE.sub("", name)
    former = None
    if ("名" in name or "原" in name) and len(name) <= LONGEST_PARTED and _RENAMED.search(name):
        behind, bare = _FORMER_BEHIND.search(name), _FORMER_BEHIND.sub("", name).strip()
        if bare:
            name, former = bare, (behind["before"] or behind["once"]) if behind else None
    return Name(name, former, hidden)


def former_names(cell: str) -> str | None:
    """Return former names joined by semicolons; dates, labels and list marks around them dropped.

    >>> former_names("甲公司（2010至2015）；乙公司"), former_names("A Co., Ltd.")
    ('甲公司;乙公司', 'A Co., Ltd.')
    """
    if says_nothing(cell):
        return None
    lines = visible_text(re.sub(r"[\r\n]+", ";", cell))[0]
    if len(lines) > LONGEST_PARTED:
        return lines
    plain = _AROUND.sub("", _YEARS.sub("", lines))
    return _BETWEEN.sub(";", plain).strip("; ") or None


def joined_names(names: str | None, more: str | None) -> str | None:
    """Join two texts of former names; the same text twice stays one."""
    if names is None or more is None or names == more:
        return more if names is None else names
    return f"{names};{more}"
