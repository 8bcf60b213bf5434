"""Cells that hold one of a set of words: stages, statuses, sources, yes and no."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from leadscore.text import Text, room_words

WORDS = room_words("lists")

_NO_NAME = {
    "", "-", "--", "---", "----", "—", "——", "–", "/", "//", "\\", ".", "。", "_", "*", "?", "？",
    "无", "暂无", "未知", "未公开", "未披露", "不公开", "不详", "不明", "不明确", "空", "待定",
    "待查", "待补充", "待确认", "面议", "保密", "企业选择不公示", "无数据", "暂无数据", "暂无信息",
    "没有", "#n/a", "n/a", "n.a.", "<na>", "nat", "undefined", "tbd",
}  # fmt: skip
NONE = "无"
"""What cells say of risks, titles and funding that are known not to be there."""

SEPARATOR = "；"
"""Stands between the entries of a text that was joined from several columns."""
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
_NO_VALUE = _NO_NAME | {"na", "nan", "null", "none", "nil", "unknown"}

# Chinese mobile numbers, landlines with area code, e-mail addresses.
_PERSONAL = re.compile(
    r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)"
    r"|(?<!\d)0\d{2,3}[ -]\d{7,8}(?!\d)|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)


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

_STAGE_WORDS = {
    "lead": "线索 线索阶段 初步线索 意向 新线索 new",
    "screened": "研判 已研判 初筛 筛选 已筛选 评估 项目研判 qualified screening",
    "contacted": "对接 已对接 接洽 已接洽 联系 已联系 接触 已接触 初步对接 初步接触 contact",
    "visited": "考察 已考察 实地考察 互访 走访 拜访 已拜访 到访 visit visiting",
    "negotiating": "洽谈 在谈 谈判 商谈 深入洽谈 商务谈判 negotiation",
    "signed": "签约 已签约 签订协议 已签 签署协议 正式签约 contracted",
    "registered": "注册 已注册 落户 已落户 注册落户 公司注册 注册成立",
    "building": "开工 已开工 在建 建设 开工建设 动工 已动工 construction",
    "producing": "投产 已投产 达产 已达产 投运 竣工投产 运营 operating production",
    "paused": "搁置 已搁置 暂停 已暂停 暂缓 中止 on_hold onhold hold",
    "lost": "流失 已流失 终止 已终止 放弃 已放弃 失败 落地外地 dropped abandoned",
}
STAGES = {stage: WORDS[f"stages.{stage}"] for stage in _STAGE_WORDS}
"""How far the courting of a firm may have come, by id, in order."""

STATUS_NAMES, STAGE_NAMES = (
    Text(zh="、".join(text.zh for text in words.values()), en=", ".join(words))
    for words in (STATUSES, STAGES)
)

# Looked for in this order, so that 吊销，未注销 is not taken for 注销 nor 非正常 for 正常.
_STATUS_WORDS = tuple((re.compile(pattern), status) for pattern, status in (
    (r"吊销.*(?<!未)注销", "deregistered"),
    (r"吊销|撤销|责令关闭|除名|revoked", "revoked"),
    (r"(?:正在|申请|拟|办理|简易)注销|注销(?:中|公告|备案)|清算|破产", "liquidating"),
    (r"liquidating|in_?liquidation", "liquidating"),
    (r"注销|解散|deregistered|dissolved|cancell?ed|closed|struckoff", "deregistered"),
    (r"迁出|迁往|moved_?out", "moved_out"),
    (r"停业|歇业|休业|停产|非正常|suspended|dormant", "suspended"),
    (r"存续|在业|开业|在营|在册|正常|营业|经营|迁入|登记成立|仍注册", "active"),
    (r"(?<!in)active|live|(?<!ab)normal|registered|open|existing", "active"),
))  # fmt: skip

_STAGES_BY_WORD = {stage: stage for stage in STAGES} | {
    word: stage for stage, words in _STAGE_WORDS.items() for word in words.split()
}
_STAGE_FRAME = re.compile(r"(?:正在|处于)?(.+?)(?:阶段|中|期|完成)?(?:[-—:,;(](.*?)\)?)?")
# What stands somewhere in a note on how far a pursuit has come.
_STAGES_SAID = {
    "lead": "线索|意向",
    "screened": "研判|初筛|筛选|评估",
    "contacted": "对接|接洽|联系|接触|沟通",
    "visited": "考察|互访|走访|拜访|到访",
    "negotiating": "洽谈|在谈|谈判|商谈",
    "signed": "签约|签订|签署|已签",
    "registered": "注册(?!资[本金]|地)|落户|落地",
    "building": "开工|在建|建设|动工|施工",
    "producing": "投产|达产|投运|运营",
    "paused": "搁置|暂停|暂缓|中止|停滞",
    "lost": "流失|终止|放弃|失败|(?:落地|落户)外地|外地落[地户]",
}

_STAGE_SAID = re.compile(
    "(?:" + "|".join(f"(?P<{stage}>{words})" for stage, words in _STAGES_SAID.items()) + ")"
    "(?!意向|事宜|事项|准备|筹备|计划|方案|条件)"
)
_NOT_YET = re.compile(
    "拟|(?<![接招])待|预计|未(?!来)|计划|准备|争取|力争|有望|将|不(?!锈)|无法|意向"
)
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
