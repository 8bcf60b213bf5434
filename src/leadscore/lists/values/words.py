"""Cells that hold one of a set of words: stages, statuses, sources, yes and no."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
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

_GUARDED = re.compile(f"'(?={FORMULA})")
_FORMULA_OF_TEXT = re.compile(r'[=＝]\s*"(?P<text>(?:[^"]|"")*)"\s*')


QUOTES = "'\"`´‘’“”„′″「」『』"
"""Marks that people put around or before what a spreadsheet must keep as it is."""


def unguarded(text: str) -> str:
    """Return a text without what keeps a spreadsheet from taking it for a formula or a number.

    >>> unguarded("'=甲公司"), unguarded('="0012"'), unguarded("'甲公司")
    ('=甲公司', '0012', "'甲公司")
    """
    if text[:1] == "'":
        return text[1:] if _GUARDED.match(text) else text
    formula = _FORMULA_OF_TEXT.fullmatch(text) if text[:1] in ("=", "＝") else None
    return formula["text"].replace('""', '"') if formula else text


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


def without_personal(text: str) -> str:
    """Return a text in which phone numbers and e-mail addresses are starred out.

    >>> without_personal("王经理 13812345678，来过展会")
    '王经理 ***，来过展会'
    """
    return _PERSONAL.sub("***", text) if re.search(r"[\d@]", text) else text


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

_STATUS_WORDS = [(re.compile(row["pattern"]), row["id"]) for row in VOCABULARY["statuses"]]
_STAGES_BY_WORD = {stage: stage for stage in STAGES} | {
    word: stage for stage, row in VOCABULARY["stages"].items() for word in row["words"]
}
_STAGE_FRAME = re.compile(r"(?:正在|处于)?(.+?)(?:阶段|中|期|完成)?(?:[-—:,;(](.*?)\)?)?")
_STAGE_SAID = re.compile(
    "(?:"
    + "|".join(f"(?P<{stage}>{row['said']})" for stage, row in VOCABULARY["stages"].items())
    + ")(?!意向|事宜|事项|准备|筹备|计划|方案|条件)"
)
_NOT_YET = re.compile(VOCABULARY["not_yet"])
_CLAUSE = re.compile(r"[,;。、/()|+→>]+")


def status_of(word: str) -> str | None:
    """Return the id of the registration status that a word names; missing if none is known.

    >>> status_of("吊销，未注销"), status_of("晴")
    ('revoked', None)
    """
    text = tidy_word(word)
    if text in STATUSES or len(text) > 24:
        return text if text in STATUSES else None
    return next((status for pattern, status in _STATUS_WORDS if pattern.search(text)), None)


def stage_of(word: str) -> tuple[str | None, str | None]:
    """Return the id of the stage that a cell names, and the reason given behind it.

    In a note such as 2024年3月签约 the words for stages are looked for, and the most advanced
    counts. A stage that is only meant or awaited (拟签约, 待开工) is not reached, and is not read.

    >>> stage_of("流失（地价）"), stage_of("2024年3月签约，预计年底开工")
    (('lost', '地价'), ('signed', None))
    """
    return _stage_of(word[:1_000])


@lru_cache(maxsize=4096)  # lists repeat few stages
def _stage_of(word: str) -> tuple[str | None, str | None]:
    text = tidy_word(word)
    if text in _STAGES_BY_WORD:
        return _STAGES_BY_WORD[text], None
    framed = _STAGE_FRAME.fullmatch(text)
    own = _STAGES_BY_WORD.get(framed[1]) if framed else None
    said = {own, *(stage for clause in _CLAUSE.split(text) for stage in _stages_said(clause))}
    reached = [stage for stage in STAGES if stage in said]
    if not reached:
        return None, None
    return reached[-1], (framed[2] or None) if framed and reached[-1] == own else None


def _stages_said(clause: str) -> Iterator[str]:
    for stage in _STAGE_SAID.finditer(clause):
        before = clause[max(stage.start() - 12, 0) : stage.start()].rpartition("已")[2]
        if not _NOT_YET.search(before) and stage.lastgroup:
            yield stage.lastgroup


def names_stages(cells: Iterable[str]) -> bool:
    """Tell whether most cells of a column name a stage, and none or fewer a status."""
    counts = Counter(cells)
    stages = sum(count for word, count in counts.items() if stage_of(word)[0])
    if 2 * stages <= counts.total():
        return False
    return stages > sum(count for word, count in counts.items() if status_of(word))
