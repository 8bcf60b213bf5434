"""Status and stage are written in many words; each word has one meaning here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from leadscore.language import Text
from leadscore.lists.values.words import tidy_word

STATUSES: dict[str, Text] = {
    "active": Text(zh="在业", en="active"),
    "deregistered": Text(zh="注销", en="deregistered"),
    "revoked": Text(zh="吊销", en="revoked"),
    "moved_out": Text(zh="迁出", en="moved out"),
    "suspended": Text(zh="停业", en="suspended"),
    "liquidating": Text(zh="清算", en="in liquidation"),
}
"""What may have become of a firm, by id."""

STAGES: dict[str, Text] = {
    "lead": Text(zh="线索", en="lead"),
    "screened": Text(zh="研判", en="screened"),
    "contacted": Text(zh="对接", en="contacted"),
    "visited": Text(zh="考察", en="visited"),
    "negotiating": Text(zh="洽谈", en="negotiating"),
    "signed": Text(zh="签约", en="signed"),
    "registered": Text(zh="注册", en="registered"),
    "building": Text(zh="开工", en="building"),
    "producing": Text(zh="投产", en="producing"),
    "paused": Text(zh="搁置", en="paused"),
    "lost": Text(zh="流失", en="lost"),
}
"""How far the courting of a firm may have come, by id, in order."""

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
"""Looked for in this order, so that 吊销，未注销 is not taken for 注销 nor 非正常 for 正常."""

_LONGEST_STATUS = 24

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
_STAGES_BY_WORD = {stage: stage for stage in STAGES} | {
    word: stage for stage, words in _STAGE_WORDS.items() for word in words.split()
}
_STAGE_FRAME = re.compile(r"(?:正在|处于)?(.+?)(?:阶段|中|期|完成)?(?:[-—:,;(](.*?)\)?)?")
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
"""What stands somewhere in a note on how far a pursuit has come."""

_STAGE_SAID = re.compile(
    "(?:" + "|".join(f"(?P<{stage}>{words})" for stage, words in _STAGES_SAID.items()) + ")"
    "(?!意向|事宜|事项|准备|筹备|计划|方案|条件)"
)
_NOT_YET = re.compile(
    "拟|(?<![接招])待|预计|未(?!来)|计划|准备|争取|力争|有望|将|不(?!锈)|无法|意向"
)
_YET_MEANT = 12
_CLAUSE = re.compile(r"[,;。、/()|+→>]+")
_LONGEST_STAGE = 1_000


def status_of(word: str) -> str | None:
    """Return the id of the registration status that a word names; missing if none is known.

    >>> status_of("存续（在营、开业、在册）"), status_of("吊销，未注销"), status_of("晴")
    ('active', 'revoked', None)
    """
    text = tidy_word(word)
    if text in STATUSES:
        return text
    if len(text) <= _LONGEST_STATUS:
        for pattern, status in _STATUS_WORDS:
            if pattern.search(text):
                return status
    return None


def stage_of(word: str) -> tuple[str | None, str | None]:
    """Return the id of the stage that a cell names, and the reason given behind it.

    In a note such as 2024年3月签约 the words for stages are looked for, and the most advanced
    counts. A stage that is only meant or awaited (拟签约, 待开工) is not reached, and is not read.

    >>> stage_of("洽谈中"), stage_of("流失（地价）"), stage_of("拟签约")
    (('negotiating', None), ('lost', '地价'), (None, None))
    >>> stage_of("2024年3月签约，预计年底开工")[0]
    'signed'
    """
    return _stage_of(word[:_LONGEST_STAGE])


# Lists repeat few stages.
@lru_cache(maxsize=4096)
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
    """Yield the stages that a clause says are reached."""
    for found in _STAGE_SAID.finditer(clause):
        before = clause[max(found.start() - _YET_MEANT, 0) : found.start()].rpartition("已")[2]
        if not _NOT_YET.search(before) and found.lastgroup:
            yield found.lastgroup


def names_stages(cells: Iterable[str]) -> bool:
    """Tell whether most cells of a column name a stage, and none or fewer a status.

    Parameters
    ----------
    cells
        Text without missing values.

    >>> names_stages(["洽谈", "签约", "存续"]), names_stages(["存续", "注销"])
    (True, False)
    """
    counts = Counter(cells)
    stages = sum(count for word, count in counts.items() if stage_of(word)[0])
    if 2 * stages <= counts.total():
        return False
    return stages > sum(count for word, count in counts.items() if status_of(word))
