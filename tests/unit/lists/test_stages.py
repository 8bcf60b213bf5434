"""How far a pursuit has come is read from the notes of those who pursue it."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.columns import recognise
from leadscore.lists.reading.table import RawList, TextTable
from leadscore.lists.values.stages import stage_of, stage_said, status_of

TODAY = date(2026, 11, 24)


def cleaned(columns: dict[str, list]) -> CleanList:
    cells = pd.DataFrame(dict(enumerate(columns.values())), dtype="str")
    table = TextTable(tuple(columns), cells, np.arange(2, len(cells) + 2), None)
    return clean(RawList("list.csv", (table,)), today=TODAY)


@pytest.mark.parametrize(
    "header",
    [
        "进展",
        "进展情况",
        "跟进情况",
        "跟进进展",
        "对接情况",
        "项目进展",
        "目前进展",
        "阶段",
        "当前阶段",
    ],
)
def test_officers_head_stages_in_many_ways(header) -> None:
    column = recognise(header)
    assert column is not None
    assert column.name == "stage"


@pytest.mark.parametrize(
    ("note", "stage"),
    [
        ("2024年3月签约", "signed"),
        ("签约/在建", "building"),
        ("签约-在建", "building"),
        ("已落地", "registered"),
        ("已签约", "signed"),
        ("流失-地价", "lost"),
        ("洽谈失败", "lost"),
        ("签约，预计2025年5月开工", "signed"),
        ("已签约未开工", "signed"),
        ("对接后已考察，待签约", "visited"),
        ("计划于年内签约", None),
        ("未落地", None),
        ("不签约", None),
        ("未来科技城已签约", "signed"),
        ("接待考察", "visited"),
        ("正在洽谈签约事宜", "negotiating"),
        ("注册资本到位", None),
        ("签约意向", "lead"),
        ("电话沟通", "contacted"),
        ("天晴", None),
    ],
)
def test_the_most_advanced_stage_that_is_reached_counts(note, stage) -> None:
    assert stage_of(note)[0] == stage


def test_why_a_firm_was_lost_goes_into_the_note() -> None:
    found = cleaned({"企业": ["甲公司", "乙公司"], "进展": ["流失-地价", "流失（人才）"]})
    assert found.firms["stage"].tolist() == ["lost", "lost"]
    assert found.firms["note"].tolist() == ["地价", "人才"]


@pytest.mark.parametrize("header", ["状态", "status"])
def test_the_values_decide_whether_a_column_holds_stages(header) -> None:
    stages = cleaned({"企业": ["甲", "乙", "丙"], header: ["洽谈中", "已签约", "-"]})
    assert stages.firms["stage"].tolist()[:2] == ["negotiating", "signed"]
    assert stages.firms["status"].isna().all()
    assert stages.problems == ()
    assert any(header in notice.zh for notice in stages.notices)
    statuses = cleaned({"企业": ["甲", "乙", "丙"], header: ["存续", "注销", "洽谈"]})
    assert statuses.firms["status"].tolist()[:2] == ["active", "deregistered"]
    assert [problem.code for problem in statuses.problems] == ["bad_status"]


NANCHANG = frozenset({"南昌", "南昌市", "江西", "江西省", "3601", "红谷滩", "南昌县"})


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("线索 商机 意向客户 New Open Prospecting Nurturing Open-Not-Contacted", "lead"),
        ("研判 研判通过 Qualified Qualification qualifiedtobuy", "screened"),
        ("对接 跟进中 NeedsAnalysis appointmentscheduled 电话沟通", "contacted"),
        ("考察 走访后无下文 Visited", "visited"),
        ("谈判 方案报价 Proposition Negotiation/Review Proposal/Price-Quote", "negotiating"),
        ("框架协议 签订框架协议 签署战略合作协议 MOU", "framework"),
        ("意向协议 草签协议 备忘录已签 已签意向书", "framework"),
        ("签约 正式签约 投资协议 赢单 成交 已簽約 签约阶段", "signed"),
        ("Won Closed-Won closedwon Ｗｏｎ contract-signed", "signed"),
        ("注册 工商注册 落户我市 入驻 已註冊 落户高新区 注册手续已完成", "registered"),
        ("开工 竣工 试生产 试投产 主体封顶 在建，进度60%", "building"),
        ("投产 量产 达产 正式运营 一期投产，二期在建", "producing"),
        ("搁置 暂缓 观望 暂停 停工 on-hold 暂无意向 擱置", "paused"),
        ("流失 失败 战败 输单 丢单 退库 解约 清退 未履约 终止 終止 停止跟进", "lost"),
        ("落户他处 落户外地 无投资意向 因政策不符流失 研判未通过", "lost"),
        ("Lost Closed-Lost closedlost Unqualified Closed-Not-Converted", "lost"),
    ],
)  # fmt: skip
def test_crms_and_ledgers_have_their_own_words_for_stages(words, stage) -> None:
    read = {word: stage_of(word.replace("-", " "))[0] for word in words.split()}
    assert read == dict.fromkeys(words.split(), stage)


@pytest.mark.parametrize(
    ("note", "stage", "kind"),
    [
        ("拟签约", None, "not_reached"),
        ("未签约", None, "not_reached"),
        ("签约中", None, "not_reached"),
        ("签约在即", None, "not_reached"),
        ("预计5月签约，6月开工", None, "not_reached"),
        ("是否签约？", None, "not_reached"),
        ("如签约则兑现奖励", None, "not_reached"),
        ("签约仪式取消", None, "not_reached"),
        ("未流失", None, "not_reached"),
        ("可能流失", None, "not_reached"),
        ("to be signed", None, "not_reached"),
        ("并非没有签约", None, "doubtful"),
        ("签约未取消", None, "doubtful"),
        ("曾签约", None, "doubtful"),
        ("流失，签约", None, "doubtful"),
        ("深圳客商签约", None, "doubtful"),
        ("已落户苏州", None, "doubtful"),
        ("signed in Suzhou", None, "doubtful"),
        ("拿地", None, "milestone"),
        ("土地已摘牌", None, "milestone"),
        ("资金到位", None, "milestone"),
        ("已纳统", None, "milestone"),
        ("入规", None, "milestone"),
        ("晴", None, "unknown"),
        ("企业失联", None, "unknown"),
        ("洽谈中，未签约", "negotiating", "reached"),
        ("框架协议已签，正式协议未签", "framework", "reached"),
        ("已签约，资金未到位", "signed", "reached"),
        ("签约未付款", "signed", "reached"),
        ("拟投资10亿元项目签约", "signed", "reached"),
        ("深圳企业已签约落户我市", "registered", "reached"),
        ("总部落户深圳，在我市洽谈", "negotiating", "reached"),
        ("不锈钢项目签约", "signed", "reached"),
        ("2022年6月流失，2023年3月重新对接，9月签约", "signed", "reached"),
        ("流失，2024年重新接触", "contacted", "reached"),
        ("搁置后恢复洽谈", "negotiating", "reached"),
        ("流失后拟重新对接", "lost", "reached"),
        ("一度搁置，现已重启洽谈", "negotiating", "reached"),
    ],
)
def test_what_is_meant_denied_or_in_doubt_is_told_from_words_that_nobody_knows(
    note, stage, kind
) -> None:
    assert (stage_said(note).stage, stage_said(note).kind) == (stage, kind)


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("原拟签约，现已流失", "原拟签约,现已流失"),
        ("已签约，后终止", "已签约,后终止"),
        ("签约后未履约", "签约后未履约"),
        ("签约后一年未动工，已清退", "签约后一年未动工,已清退"),
        ("已签约（后撤资）", "已签约(后撤资)"),
        ("签约取消", "签约取消"),
        ("流失（轉投蘇州）", "轉投蘇州"),
        ("流失：嫌地价高，王经理13812345678", "嫌地价高,王经理***"),
        ("流失", None),
    ],
)
def test_why_a_pursuit_ended_is_what_its_note_says(note, reason) -> None:
    assert stage_of(note) == ("lost", reason)


@pytest.mark.parametrize(
    ("note", "stage"),
    [
        ("已落户苏州", "lost"),
        ("签约昆山", "lost"),
        ("已与安徽滁州签约，我市未能争取", "lost"),
        ("企业去了合肥", "lost"),
        ("落户江西赣州", "lost"),
        ("signed with Hefei", "lost"),
        ("signed in Suzhou", None),
        ("在苏州注册", None),
        ("赴深圳签约", None),
        ("赴深圳与我市签约", "signed"),
        ("落户南昌", "registered"),
        ("落户江西南昌", "registered"),
        ("落户红谷滩", "registered"),
        ("落户南昌县", "registered"),
        ("已在南昌开工", "building"),
    ],
)
def test_a_place_is_here_or_elsewhere_where_the_city_is_known(note, stage) -> None:
    assert stage_of(note, NANCHANG)[0] == stage


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("正常（未注销）", "active"),
        ("未被吊销，正常经营", "active"),
        ("核准設立", "active"),
        ("核准登記", "active"),
        ("存續", "active"),
        ("迁入", "active"),
        ("存续（经营异常）", "active"),
        ("Active (not dissolved)", "active"),
        ("核准設立，但已命令解散", "liquidating"),
        ("拟注销", "liquidating"),
        ("注销备案中", "liquidating"),
        ("In liquidation", "liquidating"),
        ("Active - Proposal to Strike off", "liquidating"),
        ("吊銷，未註銷", "revoked"),
        ("廢止", "revoked"),
        ("解散已清算完結", "deregistered"),
        ("Struck-off", "deregistered"),
        ("de-registered", "deregistered"),
        ("Dissolved", "deregistered"),
        ("已迁出", "moved_out"),
        ("歇業", "suspended"),
        ("非正常", "suspended"),
        ("停止营业", "suspended"),
        ("未注销", None),
        ("未开业", None),
        ("尚未营业", None),
        ("未正常经营", None),
        ("不在业", None),
        ("拟迁出", None),
        ("经营异常", None),
        ("筹建", None),
        ("是否存续", None),
        ("not active", None),
        ("Inactive", None),
        ("Unregistered", None),
        ("no longer active", None),
        ("not open", None),
    ],
)
def test_a_status_that_is_denied_or_meant_is_not_read(cell, status) -> None:
    read = cleaned({"企业": ["甲"], "登记状态": [cell]}).firms["status"].item()
    assert (read if isinstance(read, str) else None) == status == status_of(cell)


@pytest.mark.parametrize("note", ["拟签约", "已落户苏州", "签约取消", "没有签约"])
def test_a_list_says_which_stage_it_does_not_take(note) -> None:
    listed = cleaned({"企业": ["甲", "乙"], "阶段": [note, "签约"]})
    stage = listed.firms["stage"].tolist()[0]
    if note == "签约取消":
        assert (stage, listed.firms["note"].tolist()[0]) == ("lost", "签约取消")
    else:
        assert [(it.row, it.code, it.found) for it in listed.problems] == [(2, "bad_stage", note)]
