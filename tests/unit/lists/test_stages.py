"""How far a pursuit has come is read from the notes of those who pursue it."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.columns import recognise
from leadscore.lists.reading.table import RawList, TextTable
from leadscore.lists.values.words import stage_of

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
