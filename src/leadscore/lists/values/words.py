"""What the words of a cell say whatever its column: nothing known, none, and what must not show."""

from __future__ import annotations

import re
import unicodedata

_NOTHING = (
    "", "-", "--", "---", "----", "—", "——", "–", "/", "//", "\\", ".", "。", "_", "*", "?", "？",
    "无", "暂无", "未知", "未公开", "未披露", "不公开", "不详", "不明", "不明确", "空", "待定",
    "待查", "待补充", "待确认", "面议", "保密", "企业选择不公示", "无数据", "暂无数据", "暂无信息",
    "没有",
    "#n/a", "n/a", "n.a.", "<na>", "nat", "undefined", "tbd",
)  # fmt: skip
NONE = "无"
"""What cells say of risks, titles and funding that are known not to be there."""

SEPARATOR = "；"
"""Stands between the entries of a text that was joined from several columns."""

_SAYS_NONE = ("无", "没有", "暂无")
_NOTHING_BUT_A_NAME = ("na", "nan", "null", "none", "nil", "unknown")
_CELL_ERRORS = ("#ref!", "#value!", "#name?", "#div/0!", "#null!", "#num!", "#spill!", "#calc!")
_LONGEST_WORD = 16

INVISIBLE = (
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, zero-width characters, and those that turn the direction of writing."""

_ODD_SPACES = r"\t-\r\x85\xa0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_HIDDEN = re.compile(INVISIBLE)
_SPACES = re.compile(f"[ {_ODD_SPACES}]+")
_HIDDEN_OR_SPACE = re.compile(f"{INVISIBLE}|[ {_ODD_SPACES}]+")
_UNEVEN = re.compile(f"[{_ODD_SPACES}]|  ")
_NO_NAME = frozenset(_NOTHING)
_NO_VALUE = frozenset((*_NOTHING, *_NOTHING_BUT_A_NAME))

_PERSONAL = re.compile(
    r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)"
    r"|(?<!\d)0\d{2,3}[ -]\d{7,8}(?!\d)|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)
"""Chinese mobile numbers, landlines with area code, e-mail addresses."""

_DIGIT_OR_AT = re.compile(r"[\d@]")
_STARS = "***"


def says_nothing(text: str, *, name: bool = False) -> bool:
    """Tell whether a text says in words that nothing is known.

    Parameters
    ----------
    text
        Text of a cell.
    name
        True for names of firms: there are firms named ``NA`` and ``null``.

    >>> says_nothing("未公开"), says_nothing("NA"), says_nothing("NA", name=True), says_nothing("0")
    (True, True, False, False)
    """
    if len(text) > _LONGEST_WORD:
        return False
    # Python's lower case of İ is two characters.
    word = text.strip().replace("İ", "i").lower()
    return word in (_NO_NAME if name else _NO_VALUE)


def says_none(text: str) -> bool:
    """Tell whether a text says that there are none, where that can be meant: 无, 没有, 暂无.

    >>> says_none("无"), says_none("暂无数据"), says_none("-")
    (True, False, False)
    """
    return len(text) <= _LONGEST_WORD and text.strip() in _SAYS_NONE


def is_spreadsheet_error(text: str) -> bool:
    """Tell whether a text is an error of a spreadsheet, such as ``#REF!``.

    ``#N/A`` is not among them: it means that nothing is known, and `says_nothing` says so.
    """
    return text.startswith("#") and text.strip().replace("İ", "i").lower() in _CELL_ERRORS


def visible_text(text: str) -> tuple[str, bool]:
    r"""Return a text trimmed and without invisible characters, and whether it held any.

    Runs of white space, line ends among them, become one space.

    >>> visible_text("深圳\u202e某\x00"), visible_text(" 甲  乙 ")
    (('深圳某', True), ('甲 乙', False))
    """
    if text.isprintable() and "  " not in text and text == text.strip(" "):
        return text, False  # Nothing of what is looked for below is printable.
    clean = _HIDDEN.sub("", text)
    hidden = len(clean) < len(text)
    if clean.startswith(" ") or clean.endswith(" ") or _UNEVEN.search(clean):
        clean = _SPACES.sub(" ", clean).strip()
    return clean, hidden


def tidy_word(word: str) -> str:
    """Return a text ready to be compared with words: NFKC, lower case, no white space.

    >>> tidy_word("１，２３４ 万元")
    '1,234万元'
    """
    plain = unicodedata.normalize("NFKC", word).lower()
    return _HIDDEN_OR_SPACE.sub("", plain)


def without_personal(text: str) -> str:
    """Return a text in which phone numbers and e-mail addresses are starred out.

    >>> without_personal("王经理 13812345678，来过展会")
    '王经理 ***，来过展会'
    """
    return _PERSONAL.sub(_STARS, text) if _DIGIT_OR_AT.search(text) else text


def joined_text(first: str | None, second: str | None) -> str | None:
    """Join two texts about one firm; what stands already is not repeated, nor 无 beside another.

    >>> joined_text("甲", "丙"), joined_text("乙", "乙"), joined_text("无", "丙")
    ('甲；丙', '乙', '丙')
    """
    if first == NONE:
        first = second or NONE
    if second is None or second in (NONE, first):
        return first
    return second if first is None else first + SEPARATOR + second
