"""Says what every written column means, for the headers and the explaining sheet of a workbook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadscore.language import Text

Kind = Literal["text", "count", "fraction", "likelihood"]

UNITS: dict[Kind, Text] = {
    "text": Text(zh="文字", en="text"),
    "count": Text(zh="整数", en="whole number"),
    "fraction": Text(zh="小数（以百分比显示）", en="fraction (shown as per cent)"),
    "likelihood": Text(
        zh="小数（以百分比显示；极低写作 <0.1%，极高写作 >99.9%）",
        en="fraction (shown as per cent; the extremes as <0.1% and >99.9%)",
    ),
}
"""The unit of each kind of column, in words."""


@dataclass(frozen=True, slots=True)
class ColumnExplanation:
    """What one written column holds.

    Attributes
    ----------
    column
        Canonical name, which is the header in CSV and Parquet.
    kind
        ``"text"``, ``"count"`` (whole numbers), ``"fraction"`` (0..1) or ``"likelihood"`` (a
        fraction that is never quite 0 or 1).
    header
        Header in a workbook.
    meaning
        What the value says, and what an empty cell means.
    span
        Which values may stand there.
    """

    column: str
    kind: Kind
    header: Text
    meaning: Text
    span: Text


def _explain(
    column: str,
    kind: Kind,
    header: tuple[str, str],
    meaning: tuple[str, str],
    span: tuple[str, str],
) -> ColumnExplanation:
    return ColumnExplanation(column, kind, Text(*header), Text(*meaning), Text(*span))


_ANY = ("任意文字", "any text")
_ZERO_TO_ONE = ("0 至 1（0% 至 100%）", "0 to 1 (0% to 100%)")
_FROM_ONE = ("1 起", "1 and up")
_SEGMENT_IDS = ("城市画像里的环节编号", "ids of the city profile")

RANKING_COLUMNS: tuple[ColumnExplanation, ...] = (
    _explain("rank", "count", ("排名", "Rank"),
             ("名次，依次按优先级、落地可能性、契合度、企业名称、信用代码；被一票否决的企业不排名，此格为空",
              "place by priority, then likelihood, fit, name and code; empty for vetoed firms"),
             _FROM_ONE),
    _explain("name", "text", ("企业", "Firm"),
             ("名单里的企业名称", "name of the firm as in the list"), _ANY),
    _explain("credit_code", "text", ("统一社会信用代码", "Credit code"),
             ("统一社会信用代码；名单里没有或校验不过则为空",
              "unified social credit code; empty if the list has none or its check digit is wrong"),
             ("18 位", "18 characters")),
    _explain("grade", "text", ("等级", "Grade"),
             ("按优先级划分的等级，分界线写在城市画像里，换名单不变",
              "class of priority; its thresholds stand in the city profile and depend on no list"),
             ("A（最高）至 D", "A (highest) to D")),
    _explain("priority", "fraction", ("优先级", "Priority"),
             ("预期补上的缺口，排名的依据：落地可能性 ×（底数 +（1 - 底数）× 契合度）",
              "expected gap value, the ranking's order: likelihood x (floor + (1 - floor) x fit)"),
             _ZERO_TO_ONE),
    _explain("likelihood", "likelihood", ("落地可能性", "Likelihood"),
             ("企业在期限内达到目标阶段的概率",
              "probability that the firm reaches the target stage within the horizon"),
             _ZERO_TO_ONE),
    _explain("fit", "fraction", ("契合度", "Fit"),
             ("企业能补上本地缺口的程度：缺口 × 匹配强度 × 角色",
              "how much of a local gap the firm would fill: gap x strength of the match x role"),
             _ZERO_TO_ONE),
    _explain("segment", "text", ("环节编号", "Segment id"),
             ("契合度最高的环节的编号；什么都对不上则为空",
              "id of the segment that the firm fits best; empty if it fits none"), _SEGMENT_IDS),
    _explain("role", "text", ("角色编号", "Role id"),
             ("企业在该环节里做什么", "what the firm does in that segment"),
             ("maker、equipment、materials、design、integration、trade、service",
              "maker, equipment, materials, design, integration, trade, service")),
    _explain("reasons", "text", ("理由", "Reasons"),
             ("抬高得分最多的三项和压低最多的一项；括号内为分数，每 20 分使胜算翻一倍",
              "what lifts the score most and what lowers it most, with points; 20 double the odds"),
             _ANY),
    _explain("veto", "text", ("一票否决", "Veto"),
             ("不应招引的原因；没有则为空", "reason not to court the firm at all; empty if none"),
             _ANY),
    _explain("segments", "text", ("全部环节", "All segments"),
             ("对上的全部环节及匹配强度，形如 编号:强度，以分号隔开",
              "every segment matched with its strength, id:strength, joined by semicolons"),
             ("强度 0 至 1", "strengths from 0 to 1")),
    _explain("row", "count", ("行号", "Row"),
             ("企业在原文件里的行号", "row number of the firm in the source file"), _FROM_ONE),
    _explain("model", "text", ("模型", "Model"),
             ("打分所用模型的版本", "version of the model that scored"), _ANY),
    _explain("segment_name", "text", ("环节", "Segment"),
             ("契合度最高的环节；什么都对不上则为空",
              "segment that the firm fits best; empty if it fits none"),
             ("城市画像里的环节", "segments of the city profile")),
    _explain("role_name", "text", ("角色", "Role"),
             ("企业在该环节里做什么", "what the firm does in that segment"),
             ("制造、设备、材料、设计、集成、贸易、服务",
              "maker, equipment, materials, design, integration, trade, service")),
    _explain("matched_words", "text", ("命中词", "Matched words"),
             ("企业自己的文字里指向该环节的词",
              "words of the firm's own text that point to the segment"), _ANY),
    _explain("province", "text", ("省份", "Province"),
             ("名单里的省份", "province as in the list"), _ANY),
    _explain("city", "text", ("城市", "City"), ("名单里的城市", "city as in the list"), _ANY),
    _explain("sheet", "text", ("工作表", "Sheet"),
             ("企业在原文件里的工作表", "sheet of the source file in which the firm stands"), _ANY),
    _explain("stage", "text", ("阶段", "Stage"),
             ("企业现在所处的阶段；还没有则为空", "how far the firm has come; empty if nowhere"),
             ("线索、已筛选、已接触等", "lead, screened, contacted and so on")),
)  # fmt: skip
"""Every column that a written ranking may have."""

PROBLEM_COLUMNS: tuple[ColumnExplanation, ...] = (
    _explain("row", "count", ("行号", "Row"),
             ("原文件里的行号；为空则指整份名单",
              "row number in the source file; empty if the whole list is meant"), _FROM_ONE),
    _explain("sheet", "text", ("工作表", "Sheet"),
             ("原文件里的工作表；没有工作表的格式为空",
              "sheet of the source file; empty for formats without sheets"), _ANY),
    _explain("column", "text", ("列", "Column"),
             ("原文件里的表头；为空则指整行",
              "header in the source file; empty if the whole row is meant"), _ANY),
    _explain("found", "text", ("现为", "Found"),
             ("那里写着什么", "what stands there"), _ANY),
    _explain("wanted", "text", ("应为", "Wanted"),
             ("应当怎样写，以及程序如何处理",
              "what is allowed there and what becomes of it otherwise"), _ANY),
    _explain("code", "text", ("类别", "Code"),
             ("问题的类别，各版本不变", "kind of problem; stable between versions"),
             ("英文小写编号", "lower-case ids")),
    _explain("set_aside", "text", ("是否搁置", "Set aside"),
             ("该行是否因此没有参加评分", "whether the row is left out of the scoring for it"),
             ("是、否（CSV 里为 true、false）", "yes, no (true, false in CSV)")),
)  # fmt: skip
"""The columns of a written list of problems."""

_NONE = ("", "")

GUIDE_COLUMNS: tuple[ColumnExplanation, ...] = (
    _explain("where", "text", ("工作表", "Sheet"), _NONE, _NONE),
    _explain("header", "text", ("列", "Column"), _NONE, _NONE),
    _explain("column", "text", ("CSV 列名", "Name in CSV"), _NONE, _NONE),
    _explain("meaning", "text", ("含义", "Meaning"), _NONE, _NONE),
    _explain("unit", "text", ("单位", "Unit"), _NONE, _NONE),
    _explain("span", "text", ("取值", "Values"), _NONE, _NONE),
)
"""The headers of the explanations themselves."""
