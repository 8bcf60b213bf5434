"""A sheet of outcomes is read in whatever shape an office keeps it, and nothing gets lost."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from leadscore.errors import ListError
from leadscore.lists.outcomes import (
    ENTRY_COLUMNS,
    WANTED,
    OutcomeList,
    lay_out_outcomes,
    load_outcomes,
)
from leadscore.lists.reading import from_records

TODAY = date(2025, 1, 1)
CODE = "91110000600037341L"


def read(folder: Path, text: str, encoding: str = "utf-8") -> OutcomeList:
    path = folder / "outcomes.csv"
    path.write_text(text, encoding=encoding)
    listed = load_outcomes(path, today=TODAY)
    assert listed.read == len(listed.entries) + sum(each.set_aside for each in listed.problems)
    assert tuple(listed.entries.columns) == ENTRY_COLUMNS
    return listed


def days(listed: OutcomeList) -> list[str]:
    return listed.entries["day"].dt.strftime("%Y-%m-%d").tolist()


def codes(listed: OutcomeList) -> Counter[str]:
    return Counter(each.code for each in listed.problems if each.set_aside)


def test_one_row_an_outcome_in_chinese(tmp_path: Path) -> None:
    text = (
        "2024年招商进展\n序号,企业名称,统一社会信用代码,阶段,日期,原因,备注,联系人\n"
        f"1,甲科技有限公司,{CODE},已签约,2024年3月15日,,,张三\n"
        "2,乙科技有限公司,,流失（地价）,20240601,,来过两次,\n"
        "3,丙科技有限公司,,搁置,45500,资金未到位,,\n"
        "合计,3,,,,,,\n"
    )
    listed = read(tmp_path, text, "gb18030")
    entries = listed.entries
    assert entries["stage"].tolist() == ["signed", "lost", "paused"]
    assert days(listed) == ["2024-03-15", "2024-06-01", "2024-07-27"]
    assert entries["reason"].tolist()[1:] == ["地价", "资金未到位"]
    assert entries["credit_code"].tolist()[0] == CODE
    assert entries["row"].tolist() == [3, 4, 5]
    assert not entries["withdrawn"].any()
    assert codes(listed) == {"totals_row": 1}
    assert "张三" not in entries.to_string()


def test_one_row_an_outcome_in_english(tmp_path: Path) -> None:
    listed = read(
        tmp_path,
        "Company,Credit code,Stage,Date,Reason,Withdrawn\n"
        "A Co Ltd,,contacted,2024-01-02,,no\nA Co Ltd,,lost,2024/2/3,price of land,yes\n",
    )
    assert listed.entries["stage"].tolist() == ["contacted", "lost"]
    assert listed.entries["reason"].tolist()[1] == "price of land"
    assert listed.entries["withdrawn"].tolist() == [False, True]


def test_firms_may_be_named_by_their_codes_alone(tmp_path: Path) -> None:
    listed = read(tmp_path, f"统一社会信用代码,阶段,日期\n{CODE},签约,2024-03-15\n")
    assert listed.entries["credit_code"].tolist() == [CODE]
    assert listed.entries["name"].isna().all()
    assert not listed.problems


def test_what_is_wrong_with_an_entry_is_told_with_its_row(tmp_path: Path) -> None:
    listed = read(
        tmp_path,
        "企业名称,统一社会信用代码,阶段,日期,是否撤销\n"
        ",,签约,2024-01-01,\n"
        ",911100006000373410,签约,2024-01-01,\n"
        "甲公司,911100006000373410,签约,2024-01-01,\n"
        "甲公司,,拟签约,2024-01-01,\n"
        "甲公司,,签约,某日,\n"
        "甲公司,,签约,,\n"
        "甲公司,,签约,2025-01-02,\n"
        "甲公司,,签约,2024-01-01,也许\n"
        "甲公司,,,,\n"
        "甲公司,,签约,,是\n",
    )
    told = {each.row: each for each in listed.problems if each.set_aside}
    assert {row: each.code for row, each in told.items()} == {
        2: "no_firm", 3: "no_firm", 5: "bad_stage", 6: "bad_date", 7: "no_day",
        8: "future_date", 9: "bad_withdrawal", 10: "no_stage",
    }  # fmt: skip
    assert (told[6].column, told[6].found) == ("日期", "某日")
    assert all(each.wanted == WANTED[each.code] for each in told.values())
    assert listed.entries["row"].tolist() == [4, 11]  # what is withdrawn needs no day
    assert Counter(each.code for each in listed.problems)["bad_credit_code"] == 2


def test_one_row_a_firm_with_a_column_of_days_for_each_stage(tmp_path: Path) -> None:
    listed = read(
        tmp_path,
        "企业名称,首次对接日期,考察时间,签约日期,流失时间,预计投产日期,最近对接日期,原因\n"
        "甲公司,2024-01-05,,2024年3月1日,,2024-12-01,2024-05-05,\n"
        "乙公司,2024-01-06,2024-02-01,,2024-05-01,,,地价\n"
        "丙公司,2024-01-07,是,,,,,\n"
        "丁公司,,,,,2024-12-01,,\n",
    )
    entries = [*zip(listed.entries["name"], listed.entries["stage"], days(listed), strict=True)]
    assert entries == [
        ("甲公司", "contacted", "2024-01-05"), ("甲公司", "signed", "2024-03-01"),
        ("乙公司", "contacted", "2024-01-06"), ("乙公司", "visited", "2024-02-01"),
        ("乙公司", "lost", "2024-05-01"), ("丙公司", "contacted", "2024-01-07"),
    ]  # fmt: skip
    assert listed.entries["reason"].dropna().tolist() == ["地价"]
    assert codes(listed) == {"bad_date": 1, "no_stage": 1}
    assert any("预计投产日期、最近对接日期" in notice.zh for notice in listed.notices)


def test_a_present_stage_beside_the_days_counts_if_it_has_none_of_its_own(tmp_path: Path) -> None:
    listed = read(
        tmp_path,
        "企业名称,当前阶段,对接日期,签约日期,日期\n"
        "甲公司,签约,2024-01-05,2024-03-01,2024-04-01\n"
        "乙公司,流失,2024-01-05,,2024-04-01\n"
        "丙公司,,2024-01-05,,\n",
    )
    by_firm = listed.entries.groupby("name")["stage"].agg(list).to_dict()
    assert by_firm == {
        "甲公司": ["contacted", "signed"], "乙公司": ["contacted", "lost"], "丙公司": ["contacted"],
    }  # fmt: skip
    undated = read(tmp_path, "企业名称,当前阶段,对接日期\n甲公司,签约,2024-01-05\n")
    assert codes(undated) == {"no_day": 1}
    assert (undated.problems[0].column, undated.problems[0].found) == ("当前阶段", "签约")


@pytest.mark.parametrize(
    ("header", "stage"),
    [
        ("签约日期", "signed"), ("签约时间", "signed"), ("首次接触日期", "contacted"),
        ("signed on", "signed"), ("Date signed", "signed"), ("First contact date", "contacted"),
        ("进展/对接", "contacted"), ("洽谈/日期", "negotiating"), ("落户日期", "registered"),
        ("开工日期", "building"), ("Lost date", "lost"), ("搁置日", "paused"),
        ("拟签约日期", None), ("下次拜访时间", None), ("签约截止日期", None), ("注册日期", None),
        ("Last contact date", None), ("天气", None),
    ],
)  # fmt: skip
def test_a_header_tells_whose_days_stand_below_it(header: str, stage: str | None) -> None:
    (table,) = from_records([{"name": "甲公司", header: "2024-01-01"}]).tables
    found = [each.stage for each in lay_out_outcomes(table).stage_days]
    assert found == ([stage] if stage else [])


def test_the_day_of_foundation_is_not_taken_for_a_stage_and_that_is_said(tmp_path: Path) -> None:
    listed = read(tmp_path, "企业名称,对接日期,注册日期\n甲公司,2024-01-05,2001-01-01\n")
    assert listed.entries["stage"].tolist() == ["contacted"]
    assert any("注册日期" in notice.zh for notice in listed.notices)


def test_a_register_status_is_no_stage(tmp_path: Path) -> None:
    listed = read(tmp_path, "企业名称,登记状态,结果,日期\n甲公司,存续,签约,2024-01-05\n")
    assert listed.entries["stage"].tolist() == ["signed"]


def test_a_second_column_of_stages_that_differs_is_told(tmp_path: Path) -> None:
    listed = read(tmp_path, "企业名称,阶段,结果,日期\n甲公司,洽谈,签约,2024-01-05\n")
    assert listed.entries["stage"].tolist() == ["negotiating"]
    assert [each.code for each in listed.problems] == ["conflict"]


def test_numbers_of_people_are_starred_out_of_reasons(tmp_path: Path) -> None:
    listed = read(tmp_path, "企业名称,阶段,日期,原因\n甲公司,流失,2024-01-05,找王经理13812345678\n")
    assert "138" not in listed.entries.to_string()
    assert any("原因" in notice.zh for notice in listed.notices)


def test_a_workbook_of_several_sheets_is_read_with_real_dates(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first, second, third = book.active, book.create_sheet("二月"), book.create_sheet("名录")
    assert first is not None
    first.title = "一月"
    for row in (["企业名称", "阶段", "日期"], ["甲公司", "对接", datetime(2024, 1, 5)]):
        first.append(row)
    for row in (["企业名称", "阶段", "日期"], ["甲公司", "签约", datetime(2024, 2, 5)]):
        second.append(row)
    for row in (["企业名称", "主营业务"], ["乙公司", "显示屏"]):
        third.append(row)
    path = tmp_path / "o.xlsx"
    book.save(path)
    listed = load_outcomes(path, today=TODAY)
    assert days(listed) == ["2024-01-05", "2024-02-05"]
    assert listed.entries["sheet"].tolist() == ["一月", "二月"]
    assert any("名录" in notice.zh for notice in listed.notices)


@pytest.mark.parametrize("header", ["企业名称,阶段", "企业名称,日期", "企业名称,主营业务"])
def test_a_file_that_tells_no_outcomes_is_refused_with_what_is_wanted(
    tmp_path: Path, header: str
) -> None:
    with pytest.raises(ListError) as caught:
        read(tmp_path, f"{header}\n甲公司,2024-01-01\n")
    assert "对接日期" in caught.value.message.zh
    assert "signed on" in caught.value.message.en
    assert caught.value.details[0].got == header.replace(",", "、")


def test_types_are_those_of_the_history(tmp_path: Path) -> None:
    listed = read(tmp_path, "企业名称,阶段,日期\n甲公司,签约,2024-01-05\n")
    assert listed.entries.dtypes.astype(str).to_dict() == dict.fromkeys(
        ("credit_code", "name", "former_names", "stage", "reason", "sheet"), "str"
    ) | {"day": "datetime64[us]", "withdrawn": "bool", "row": "int64"}
    assert pd.isna(listed.entries["reason"][0])


@pytest.mark.parametrize(
    "header", ["Stage Modified Time", "阶段更新时间", "状态变更日期", "Last Stage Change Date"]
)
def test_the_day_on_which_a_stage_changed_is_that_of_the_stage(tmp_path: Path, header: str) -> None:
    listed = read(tmp_path, f"客户名称,销售阶段,{header}\n甲公司,输单,2024-01-05 09:05\n")
    assert listed.entries["stage"].tolist() == ["lost"]
    assert days(listed) == ["2024-01-05"]


@pytest.mark.parametrize(
    "cell",
    [
        "1、2024/1/5：对接\n2、2024/3/1：签约", "2024.01.05 对接；2024.03.01 签约",
        "①2024年3月1日签约\n②2024年1月5日对接", "2024-01-05对接→2024-03-01正式签约",
    ],
)  # fmt: skip
def test_steps_in_one_cell_are_taken_apart(tmp_path: Path, cell: str) -> None:
    listed = read(tmp_path, f'投资主体,最新进展\n甲公司,"{cell}"\n')
    found = dict(zip(listed.entries["stage"], days(listed), strict=True))
    assert found == {"contacted": "2024-01-05", "signed": "2024-03-01"}


def test_steps_of_which_not_all_is_understood_are_told_and_may_be_a_loss(tmp_path: Path) -> None:
    listed = read(tmp_path, '投资主体,最新进展\n甲公司,"2024-01-05对接\n2024-03-01凉透"\n')
    assert listed.entries.empty
    assert codes(listed) == {"bad_steps": 1}
    assert len(listed.endings) == 1


@pytest.mark.parametrize(
    ("header", "stage"),
    [("First contact", "contacted"), ("Contract signed", "signed"),
     ("Ground breaking date", "building"), ("Production start date", "producing")],
)  # fmt: skip
def test_an_english_header_of_several_words_names_its_stage(header: str, stage: str) -> None:
    (table,) = from_records([{"name": "甲公司", header: "2024-01-01"}]).tables
    assert [each.stage for each in lay_out_outcomes(table).stage_days] == [stage]
