"""No stage is taken whose clause denies it, only means it, or has it happen in another place."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.lists.values.stages import stage_said

WINS = ("signed", "registered", "building", "producing")
HERE = frozenset({"南昌", "南昌市", "江西", "江西省", "3601", "红谷滩", "nanchang"})

VERBS = {
    "签约": "signed", "签订协议": "signed", "签署合同": "signed", "正式签约": "signed",
    "已签约": "signed", "签合同": "signed", "成交": "signed", "赢单": "signed",
    "注册": "registered", "工商注册": "registered", "注册公司": "registered", "落户": "registered",
    "落地": "registered", "入驻": "registered", "开工": "building", "动工": "building",
    "开工建设": "building", "竣工": "building", "试生产": "building", "投产": "producing",
    "达产": "producing", "量产": "producing", "投运": "producing",
}  # fmt: skip
FRAMEWORKS = ("框架协议", "签订框架协议", "签署合作备忘录", "战略合作协议", "签意向书")
ENGLISH = ("signed", "won", "closed won", "registered", "in production", "contracted", "landed")

BEFORE = (
    "未{}", "没有{}", "没{}", "尚未{}", "还没{}", "还没有{}", "暂未{}", "仍未{}", "迟迟未{}",
    "从未{}", "并未{}", "未能{}", "没能{}", "未曾{}", "不{}", "不再{}", "不会{}", "不愿{}",
    "不想{}", "不能{}", "无法{}", "难以{}", "无{}", "暂无{}", "未与我方{}", "没有与我市{}",
    "未正式{}", "未完成{}", "没有成功{}", "尚未正式{}", "未于3月{}", "拒绝{}", "取消{}", "放弃{}",
    "终止{}", "拒不{}", "婉拒{}", "撤销{}", "否决{}", "并非没有{}", "不可能{}", "企业不同意{}",
    "双方未{}", "项目没有{}", "截至目前未{}", "至今没有{}", "对方拒绝{}", "企业放弃{}",
)  # fmt: skip
BEHIND = (
    "{}取消", "{}失败", "{}未成功", "{}未果", "{}告吹", "{}黄了", "{}流产", "{}泡汤", "{}落空",
    "{}不成", "{}没成", "{}没有成功", "{}作废", "{}被否决", "{}未完成", "{}未能完成", "{}没有",
    "{}未通过", "{}被取消", "{}已取消", "{}后终止", "{}后解约", "{}后退出", "{}后未履约",
    "{}后清退", "{}（未成功）", "{}（失败）", "{}(取消)", "{}：否", "{}：未", "{}-失败",
    "{}，后取消", "{}，后终止", "{}，已解约", "{}×", "{}后撤资", "{}后流失", "{}，现已退库",
    "{}未举行", "{}没谈成", "{}：没有", "{}，未成功", "{}已作废", "{}后反悔", "{}后违约",
)  # fmt: skip
MEANT = (
    "拟{}", "待{}", "将{}", "计划{}", "预计{}", "预计3月{}", "有望{}", "争取{}", "力争年底{}",
    "准备{}", "筹备{}", "即将{}", "拟于2024年3月{}", "计划年内{}", "等待{}", "意向{}", "有意{}",
    "推进{}事宜", "{}事宜洽谈中", "{}准备中", "{}在即", "{}意向", "{}计划", "{}前", "年底前{}",
    "下月{}", "明年{}", "希望{}", "考虑{}", "承诺{}", "同意{}", "原则同意{}", "可能{}", "尽快{}",
    "近期{}", "是否{}", "是否{}？", "{}？", "{}了吗", "能否{}", "如{}则兑现", "若{}", "如果{}",
    "一旦{}", "假如{}，给予奖励", "何时{}", "{}与否", "{}待定", "{}推迟", "{}延期", "曾{}",
    "拟3月{}", "{}，待定", "{}（拟）", "预计今年{}", "目标{}", "差一步{}",
)  # fmt: skip
ELSEWHERE = (
    "{}外地", "{}苏州", "{}合肥市", "{}于深圳", "{}在长沙", "{}到了武汉", "在苏州{}", "已在合肥{}",
    "在东莞{}", "去外地{}", "在外省{}", "已在他市{}", "{}他处", "{}外省", "{}竞争城市",
    "{}在其他城市", "外地{}", "被外市引走{}", "在义乌{}", "在昆山市{}", "{}昆山", "在浙江{}",
    "{}在浙江", "{}越南", "在越南{}", "{}浦东新区", "在临平县{}", "{}惠阳区", "在余杭{}",
    "{}（苏州）", "{}别处", "最终在杭州{}", "企业选择在成都{}", "{}到周边城市", "在邻市{}",
    "转到赣州{}", "項目在蘇州{}", "{}于廣東",
)  # fmt: skip
ENGLISH_AGAINST = (
    "not {}", "not yet {}", "never {}", "hasn't {}", "has not been {}", "was not {}", "isn't {}",
    "didn't get {}", "{} - cancelled", "{}, then cancelled", "{} but cancelled",
    "{} but terminated", "{}; fell through", "{} (failed)", "{}? no", "{}?", "{}: no", "to be {}",
    "expected to be {}", "plans to be {}", "about to be {}", "will be {}", "pending, not {}",
    "if {}", "{} in Suzhou", "{} with Hefei", "{} in another city", "{} elsewhere", "{} abroad",
    "{} at Kunshan", "{} in Vietnam", "may be {}", "might be {}", "should be {} soon", "nearly {}",
    "tentatively {}", "once {}", "without being {}", "never got {}", "{} then withdrawn",
    "{} by a competitor", "failed to be {}", "refused to be {}", "hopefully soon {}",
    "previously {}", "deal not {}", "{} in Zhejiang", "{} (cancelled)", "almost {}",
    "likely to be {}",
)  # fmt: skip

NEVER_WON = [
    form.format(verb)
    for forms in (BEFORE, BEHIND, MEANT, ELSEWHERE)
    for form, verb in product(forms, (*VERBS, *FRAMEWORKS))
    if not (form == "年底前{}" and verb == "已签约")
] + [form.format(word) for form, word in product(ENGLISH_AGAINST, ENGLISH)]

PREFIXES = (
    "", "已", "正式", "于2024年3月", "顺利", "2024年3月", "2024-03-01", "成功", "项目", "企业已",
    "3月15日", "（2023年）", "与我市", "在我市",
)  # fmt: skip
SUFFIXES = (
    "", "完成", "成功", "（2024年3月）", "，总投资5亿元", "。", "，预计年底达产", "！", "，未流失",
    "，下一步推进用地",
)  # fmt: skip
ENGLISH_WON = (
    "{}", "{} in March 2024", "{} on 2024-03-01", "{} (2024)", "already {}",
    "{}, expected output 500m", "has been {}", "{} here", "officially {}", "{} in our city", "{}!",
    "visited, then {}", "2024-03-01 {}", "{} with us",
)  # fmt: skip


def test_there_are_enough_negations_and_plain_wins() -> None:
    assert len(set(NEVER_WON)) > 4_000


@pytest.mark.parametrize("here", [frozenset(), HERE], ids=["unknown city", "known city"])
def test_what_is_denied_meant_or_elsewhere_is_never_a_win(here) -> None:
    taken = [note for note in NEVER_WON if stage_said(note, here).stage in WINS]
    assert taken == []


def test_a_framework_is_denied_as_a_contract_is() -> None:
    notes = [
        form.format(word)
        for forms in (BEFORE, BEHIND, MEANT)
        for form, word in product(forms, FRAMEWORKS)
        if form + word != "意向{}框架协议"  # that is one
    ]
    assert [note for note in notes if stage_said(note).stage == "framework"] == []


def plain_wins() -> dict[str, str]:
    wins = {
        prefix + verb + suffix: stage
        for prefix, (verb, stage), suffix in product(PREFIXES, VERBS.items(), SUFFIXES)
        if not (verb.startswith(prefix) and prefix) and "已" not in (prefix + verb)[1:]
        and not (prefix == suffix == "成功")
    }  # fmt: skip
    stages = dict(
        zip(
            ENGLISH,
            ("signed",) * 3 + ("registered", "producing", "signed", "registered"),
            strict=True,
        )
    )
    return wins | {
        form.format(word): stage for form, (word, stage) in product(ENGLISH_WON, stages.items())
    }


@pytest.mark.parametrize("here", [frozenset(), HERE], ids=["unknown city", "known city"])
def test_plain_wins_stay_wins(here) -> None:
    wins = plain_wins()
    assert len(wins) > 1_000
    read = {note: stage_said(note, here).stage for note in wins}
    assert {note: stage for note, stage in read.items() if stage != wins[note]} == {}


AGAINST = (
    "未",
    "没有",
    "尚未",
    "拟",
    "计划",
    "预计",
    "拒绝",
    "取消",
    "如果",
    "是否",
    "无法",
    "即将",
    "有望",
)
DAYS = ("", "于2024年3月", "3月", "2024-03-01", "在年内", "与我市", "双方", "正式", "顺利", "按期")
BESIDE = (
    "",
    "洽谈",
    "，洽谈中",
    "；正在对接",
    "，总投资3亿元",
    "（含设备）",
    "。",
    "项目",
    "智能终端项目",
)


@given(
    st.sampled_from(("", "项目", "该企业", "某某智能制造项目", "对接后", "考察，", "截至6月")),
    st.sampled_from(AGAINST),
    st.sampled_from(DAYS),
    st.sampled_from(sorted(VERBS)),
    st.sampled_from(BESIDE),
)
def test_what_stands_around_a_denied_stage_makes_no_win_of_it(start, against, day, verb, end):
    assert stage_said(start + against + day + verb + end).stage not in WINS


@given(st.sampled_from(sorted(VERBS)), st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_read_or_refused(verb, before, behind):
    said = stage_said(before + verb + behind)
    assert (said.kind == "reached") == (said.stage is not None)
