"""The words that cells are made of, and texts made ready to be compared with them."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from typing import Any

from leadscore.files import shipped
from leadscore.text import Text, room_words

WORDS = room_words("lists")

VOCABULARY: dict[str, Any] = tomllib.loads(shipped("cells.toml").read_text("utf-8"))
"""The words of cells; what each list of them is for is said there, beside it."""

NONE = "无"  # what cells say of risks, titles and funding that are known not to be there

SEPARATOR = "；"  # stands between the entries of a text that was joined from several columns
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
_NO_NAME = frozenset(VOCABULARY["nothing"])
_NO_VALUE = _NO_NAME | {*VOCABULARY["nothing_but_names"]}
_CELL_ERRORS = frozenset(VOCABULARY["errors"])

# Chinese mobile numbers, landlines with area code, e-mail addresses.
_PERSONAL = re.compile(
    r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)"
    r"|(?<!\d)0\d{2,3}[ -]\d{7,8}(?!\d)|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)


# What Excel skips before a formula, what makes one, and apostrophes that stand before that.
_SKIPPED = "[ \t\n\u00a0\u2000-\u200b\u3000\ufeff]*"
FORMULA = f"('*(?:{_SKIPPED}[=+\\-@＝＋－＠﹦﹢﹣﹫]|[\\t\\n]))"
"""How a text begins that a spreadsheet may take for a formula; a written CSV guards it by a
further apostrophe, which `unguarded` takes off."""

_ONE_APOSTROPHE = re.compile(f"'(?={FORMULA})")
_FORMULA_OF_TEXT = re.compile(r"""[=＝]\s*(?P<quote>["'“”])(?P<text>.*)["'“”]\s*""", re.DOTALL)
_QUOTES = "'\"`´‘’“”„′″「」『』"
_PAIRS = frozenset(["''", '""', "``", "`'", "‘’", "“”", "„“", "„”", "′′", "″″", "「」", "『』"])
_PARTICLE = re.compile("['’][st] ")  # of Dutch names: 't Hooft
GUARDS = frozenset("=＝" + _QUOTES)
"""What may stand in front of what a spreadsheet must keep as it is, see `unguarded`."""


def unguarded(text: str) -> str:
    """Return what a cell says without the marks by which it was kept from being read otherwise.

    That is the one door of a cell: no reader of values knows of such marks. Taken off are the
    apostrophe of our own exports, a formula that is nothing but a text, quotes around all of a
    cell, and a lone one before it, as people type it before codes and minus signs.

    >>> [unguarded(text) for text in ("'=甲公司", '="0012"', "'-500", '"甲公司"', "“甲”公司")]
    ['=甲公司', '0012', '-500', '甲公司', '“甲”公司']
    """
    plain = visible_text(text)[0] if text[:1] not in GUARDS else text.rstrip()
    if plain[:1] not in GUARDS:
        return text
    if formula := _FORMULA_OF_TEXT.fullmatch(plain):
        return unguarded(formula["text"].replace('""', '"'))
    if _ONE_APOSTROPHE.match(plain):
        return plain[1:]
    rest, inside = plain[1:], plain[1:-1]
    if len(plain) > 1 and plain[0] + plain[-1] in _PAIRS and not _quoted(inside):
        return inside.strip()
    if plain[0] in "=＝" or _PARTICLE.match(plain) or _quoted(bare := unguarded(rest)):
        return text
    return bare


def _quoted(text: str) -> bool:
    return any(mark in _QUOTES for mark in text)


def says_nothing(text: str, *, name: bool = False) -> bool:
    """Tell whether a text says in words that nothing is known; firms may be named NA or null.

    >>> says_nothing("未公开"), says_nothing("NA"), says_nothing("NA", name=True), says_nothing("0")
    (True, True, False, False)
    """
    if len(text) > _LONGEST_WORD:
        return False
    # Python's lower case of İ is two characters.
    word = text.strip().replace("İ", "i").lower()
    return word in (_NO_NAME if name else _NO_VALUE)


def says_none(text: str) -> bool:
    """Tell whether a text says that there are none, where that can be meant: 无, 没有, 暂无."""
    return len(text) <= _LONGEST_WORD and text.strip() in ("无", "没有", "暂无")


def is_spreadsheet_error(text: str) -> bool:
    """Tell whether a text is an error of a spreadsheet; ``#N/A`` says that nothing is known."""
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
    return _HIDDEN_OR_SPACE.sub("", unicodedata.normalize("NFKC", word).lower())


_SAME_MARKS = str.maketrans(
    dict.fromkeys("‐‑‒–—―−", "-")  # NFKC leaves these dashes as they are
    | {"∼": "~", "〜": "~", "’": "'", "‘": "'", "【": "[", "】": "]", "〔": "[", "〕": "]"}
    | VOCABULARY["numerals"]["same"]
)
_LAST_MARK = re.compile("(?<![。;,、.])[。;,、.]$")


def one_form(text: str) -> str:
    """Return a figure, day or code as all are compared: visible, NFKC, lower case.

    Dashes, quotes, brackets, numerals and units have one form each; a mark that only ends the text
    is dropped.

    >>> one_form("２０１５—04—08；"), one_form("壹佰萬圓整。")
    ('2015-04-08', '一百万元整')
    """
    plain = unicodedata.normalize("NFKC", _HIDDEN.sub("", text)).lower().translate(_SAME_MARKS)
    return _LAST_MARK.sub("", plain.strip())


def without_personal(text: str) -> str:
    """Return a text in which phone numbers and e-mail addresses are starred out.

    >>> without_personal("王经理 13812345678，来过展会")
    '王经理 ***，来过展会'
    """
    return _PERSONAL.sub("***", text) if re.search(r"[\d@]", text) else text


def word_pattern(source: str | list[str]) -> re.Pattern[str]:
    """Compile a pattern of the vocabulary, one or the alternatives of a list.

    It knows letters and digits of ASCII only, so that an English word ends where Chinese begins.
    """
    return re.compile(source if isinstance(source, str) else "|".join(source), re.ASCII)


def joined_text(first: str | None, second: str | None) -> str | None:
    """Join two texts about one firm; what stands already is not repeated, nor 无 beside another.

    >>> joined_text("甲", "丙"), joined_text("无", "丙")
    ('甲；丙', '丙')
    """
    if first == NONE:
        first = second or NONE
    if second is None or second in (NONE, first):
        return first
    return second if first is None else first + SEPARATOR + second


STATUSES = {
    status: WORDS[f"statuses.{status}"]
    for status in ("active", "deregistered", "revoked", "moved_out", "suspended", "liquidating")
}
"""What may have become of a firm, by id."""

STAGES = {stage: WORDS[f"stages.{stage}"] for stage in VOCABULARY["stages"]}
"""How far the courting of a firm may have come, by id, in order."""

STATUS_NAMES, STAGE_NAMES = (
    Text(zh="、".join(text.zh for text in words.values()), en=", ".join(words))
    for words in (STATUSES, STAGES)
)
