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


def events(listed: OutcomeList) -> list[tuple[str, str]]:
    return list(zip(listed.entries["stage"], days(listed), strict=True))


@pytest.mark.parametrize(
    "cell",
    [
        "2024年1月5日，与企业对接；3月1日，赴企业考察；9月10日正式签约。",
        "2024.1.5对接；3.1考察；9.10签约5.8亿元", "2024年1月5日对接，3月1日考察，9月10日签约",
        "2024/1/5对接\n3月1日考察\n县领导召开协调会\n9月10日签约\n预计12月开工",
    ],
)  # fmt: skip
def test_steps_behind_the_first_may_leave_the_year_out(tmp_path: Path, cell: str) -> None:
    listed = read(tmp_path, f'投资主体,最新进展\n甲公司,"{cell}"\n')
    assert events(listed) == [
        ("contacted", "2024-01-05"), ("visited", "2024-03-01"), ("signed", "2024-09-10"),
    ]  # fmt: skip


def test_a_year_that_is_not_certain_is_not_added(tmp_path: Path) -> None:
    listed = read(tmp_path, "投资主体,最新进展\n甲公司,2023年11月5日对接；2月3日考察\n")
    assert events(listed) == [("contacted", "2023-11-05")]
    assert [(it.code, it.found) for it in listed.problems] == [("unread_step", "2月3日考察")]


@pytest.mark.parametrize(
    "plan", ["2024年7月1日前开工", "2024.7.1前开工", "2024年底前投产", "拟于2024年7月开工，9月投产"]
)
def test_what_is_to_be_by_a_day_is_no_step(tmp_path: Path, plan: str) -> None:
    for cell in (f"2024年3月1日签约；{plan}", plan):
        listed = read(tmp_path, f'投资主体,最新进展,日期\n甲公司,"{cell}",2024-10-01\n')
        assert set(listed.entries["stage"]) <= {"signed"}, cell


def test_the_end_of_a_year_is_no_day(tmp_path: Path) -> None:
    listed = read(tmp_path, "投资主体,最新进展\n甲公司,2024年3月1日对接；2024年底签约\n")
    assert events(listed) == [("contacted", "2024-03-01")]
    assert [it.found for it in listed.problems] == ["2024年底签约"]


def test_an_aside_among_steps_is_told_and_the_steps_are_taken(tmp_path: Path) -> None:
    cell = "2024.1.5 对接；副县长主持召开协调会；2024.3.1 签约；目前已开工"
    listed = read(tmp_path, f"投资主体,最新进展\n甲公司,{cell}\n")
    assert events(listed) == [("contacted", "2024-01-05"), ("signed", "2024-03-01")]
    assert [it.found for it in listed.problems] == ["副县长主持召开协调会", "目前已开工"]


@pytest.mark.parametrize(
    ("header", "cells", "told"),
    [
        ("签约年份,签约月份", ",2024,3", [("signed", "2024-03-01")]),
        ("签约年度,签约月份", ",2024年,3月", [("signed", "2024-03-01")]),
        ("签约年,签约月,签约日", ",2024,3,15", [("signed", "2024-03-15")]),
        ("签约日期,流失年,流失月,流失日", ",2024-03-15,2024,5,6",
         [("signed", "2024-03-15"), ("lost", "2024-05-06")]),
    ],
)  # fmt: skip
def test_year_month_and_day_of_one_stage_are_one_day(
    tmp_path: Path, header: str, cells: str, told: list[tuple[str, str]]
) -> None:
    assert events(read(tmp_path, f"投资主体,{header}\n甲公司{cells}\n")) == told


def test_a_year_without_its_month_is_told(tmp_path: Path) -> None:
    listed = read(tmp_path, "投资主体,签约年,签约月\n甲公司,2024,\n乙公司,2024,5\n")
    assert events(listed) == [("signed", "2024-05-01")]
    assert codes(listed) == {"bad_date": 1}


def test_days_without_year_take_that_of_the_title(tmp_path: Path) -> None:
    text = "2023年项目推进表\n企业名称,阶段,日期\n甲公司,签约,3月15日\n乙公司,流失,11月2日\n"
    listed = read(tmp_path, text)
    assert events(listed) == [("signed", "2023-03-15"), ("lost", "2023-11-02")]
    assert any("2023 年" in notice.zh for notice in listed.notices)
    assert codes(read(tmp_path, text.replace("2023年", "2022—2023年"))) == {"bad_date": 2}


@pytest.mark.parametrize(
    ("title", "note"),
    [("阶段（1对接2签约9流失）", ""), ("阶段", "注：阶段 1-对接，2-签约，9-流失。"),
     ("项目阶段代码", "说明：1=对接；2=签约；9=流失"),
     ("Stage", "Note: 1=Contacted; 2=Signed; 9=Lost")],
)  # fmt: skip
def test_numbers_of_stages_are_read_by_their_legend(tmp_path: Path, title: str, note: str) -> None:
    text = f"企业名称,{title},日期\n甲公司,1,2024-01-05\n甲公司,9,2024-03-01\n{note},,\n"
    assert events(read(tmp_path, text)) == [("contacted", "2024-01-05"), ("lost", "2024-03-01")]


def test_a_number_that_the_legend_lacks_stops_the_import(tmp_path: Path) -> None:
    text = "企业名称,阶段（1对接2签约）,日期\n甲公司,1,2024-01-05\n甲公司,9,2024-03-01\n"
    listed = read(tmp_path, text)
    assert events(listed) == [("contacted", "2024-01-05")]
    assert [it.word for it in listed.unknown] == ["9"]


@pytest.mark.parametrize("header", ["Lost Reason", "输单原因", "Reason For Loss", "流失原因"])
def test_a_reason_of_loss_beside_an_earlier_stage_is_a_loss(tmp_path: Path, header: str) -> None:
    head = f"Customer,Stage,Last Stage Update,Closed Date,{header}\n"
    listed = read(tmp_path, f"{head}甲公司,Proposition,2024-01-05,2024-03-01,地价\n")
    assert events(listed) == [("negotiating", "2024-01-05"), ("lost", "2024-03-01")]
    undated = read(
        tmp_path, f"{head}甲公司,Proposition,2024-01-05,,地价\n乙公司,Won,,2024-02-01,无\n"
    )
    assert events(undated) == [("negotiating", "2024-01-05"), ("signed", "2024-02-01")]
    assert [(it.column, it.found) for it in undated.endings] == [(header, "地价")]
    assert [header in it.zh for it in listed.notices] == [True]


def test_a_reason_of_loss_in_a_wide_ledger_without_its_day_stops_the_import(tmp_path: Path) -> None:
    listed = read(
        tmp_path, "投资主体,签约日期,流失原因\n甲公司,2024-01-05,地价\n乙公司,2024-02-05,/\n"
    )
    assert events(listed) == [("signed", "2024-01-05"), ("signed", "2024-02-05")]
    assert [it.found for it in listed.endings] == ["地价"]


@pytest.mark.parametrize(
    "reason", ["考察后嫌地价高", "计划有变", "land", "未达成协议", "洽谈多次未果", "其他"]
)
def test_what_a_reason_of_loss_speaks_of_is_no_stage(tmp_path: Path, reason: str) -> None:
    text = f"客户,阶段,日期,关闭日期,输单原因\n甲公司,对接,2024-01-05,2024-03-01,{reason}\n"
    told = [("contacted", "2024-01-05"), ("lost", "2024-03-01")]
    assert events(read(tmp_path, text)) == told


def test_a_reason_that_stands_in_each_row_of_a_lost_firm_is_no_second_loss(tmp_path: Path) -> None:
    text = "客户,阶段,日期,输单原因\n甲公司,对接,2024-01-05,地价\n甲公司,输单,2024-03-01,地价\n"
    listed = read(tmp_path, text)
    assert events(listed) == [("contacted", "2024-01-05"), ("lost", "2024-03-01")]
    assert not listed.problems


@pytest.mark.parametrize("header", ['Date entered "{} (Sales Pipeline)"', "Date entered {}"])
def test_days_on_which_deals_entered_a_stage_are_read(tmp_path: Path, header: str) -> None:
    names = ["Appointment Scheduled", "Contract Sent", "Closed Won", "Closed Lost"]
    head = ",".join('"' + header.format(name).replace('"', '""') + '"' for name in names)
    left = '"Date exited ""Closed Won (Sales Pipeline)"""'
    text = (
        f"Associated Company,{head},{left}\n甲公司,2024-01-05,2024-02-05,,2024-03-05,2024-04-05\n"
    )
    assert events(read(tmp_path, text)) == [
        ("contacted", "2024-01-05"), ("negotiating", "2024-02-05"), ("lost", "2024-03-05"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "one", "other"),
    [("2023.1", "2023-01-01", "2023-10-01"), ("04/05/2023", "2023-05-04", "2023-04-05")],
)
def test_a_day_of_two_readings_tells_both(tmp_path: Path, cell: str, one: str, other: str) -> None:
    for text in (
        f"企业名称,阶段,日期\n甲公司,流失,{cell}\n",
        f"企业名称,流失日期\n甲公司,{cell}\n",
    ):
        listed = read(tmp_path, text)
        assert listed.entries.empty
        (problem,) = listed.problems
        assert (problem.code, problem.found) == ("ambiguous_date", cell)
        for words in (problem.wanted.zh, problem.wanted.en):
            assert one in words
            assert other in words
        assert listed.endings == (problem,)


@pytest.mark.parametrize(
    "header",
    ["投资企业全称", "意向客商名称", "项目方", "拟落户企业", "在谈企业", "目标企业名称", "外商",
     "Investor Name", "项目承接主体/承接企业名称"],
)  # fmt: skip
@pytest.mark.parametrize(
    "stage",
    ["项目所处阶段", "本次跟进结果", "本月进展", "截至目前项目进展情况", "工作推进情况", "客户去向",
     "洽谈情况", "Current Stage", "Deal Status"],
)  # fmt: skip
def test_firms_and_stages_go_by_many_headers(tmp_path: Path, header: str, stage: str) -> None:
    listed = read(tmp_path, f"序号,{header},{stage},到达该阶段时间\n1,甲公司,签约,2024-01-05\n")
    assert events(listed) == [("signed", "2024-01-05")]
    assert listed.entries["name"].tolist() == ["甲公司"]


def test_a_column_that_sounds_like_stages_and_tells_none_is_not_read(tmp_path: Path) -> None:
    text = "企业名称,洽谈情况,阶段,日期\n甲公司,详见附件,签约,2024-01-05\n"
    text += "乙公司,见附件2,流失,2024-02-05\n"
    assert events(read(tmp_path, text)) == [("signed", "2024-01-05"), ("lost", "2024-02-05")]


def test_columns_whose_cells_alone_show_what_they_hold_are_read_and_told(tmp_path: Path) -> None:
    text = "客户,列表,移动时间,执行者\n甲公司,签约,2024-01-05,李\n乙公司,③谈判,2024-02-05,李\n"
    listed = read(tmp_path, text)
    assert events(listed) == [("signed", "2024-01-05"), ("negotiating", "2024-02-05")]
    assert sum("--map 列表=-" in it.zh or "--map 移动时间=-" in it.zh for it in listed.notices) == 2


@pytest.mark.parametrize(
    "header", ["截止时间", "计划时间", "原定时间", "提交时间", "企业成立时间", "下次时间"]
)
def test_a_day_that_may_be_of_something_else_is_not_taken_for_that_of_the_stage(
    tmp_path: Path, header: str
) -> None:
    with pytest.raises(ListError, match="--map"):
        read(tmp_path, f"客户,阶段,{header}\n甲公司,签约,2024-01-05\n")


def test_of_two_columns_of_days_none_is_chosen(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="--map"):
        read(tmp_path, "客户,阶段,甲时间,乙时间\n甲公司,签约,2024-01-05,2024-02-05\n")


def test_the_stage_before_is_not_taken_for_the_stage(tmp_path: Path) -> None:
    with pytest.raises(ListError):
        read(tmp_path, "客户,原来到哪,日期\n甲公司,签约,2024-01-05\n")


@pytest.mark.parametrize(
    "yes", ["是（2024.01.05）", "√ 2024-01-05", "已，2024年1月5日", "2024-01-05"]
)
def test_yes_with_its_day_is_that_day(tmp_path: Path, yes: str) -> None:
    text = f"企业名称,是否签约,是否流失\n甲公司,{yes},否\n乙公司,否,{yes}\n"
    assert events(read(tmp_path, text)) == [("signed", "2024-01-05"), ("lost", "2024-01-05")]


def test_a_tick_among_days_is_told(tmp_path: Path) -> None:
    listed = read(tmp_path, "企业名称,流失\n甲公司,√\n乙公司,2024-01-05\n丙公司,否\n")
    assert events(listed) == [("lost", "2024-01-05")]
    assert [(it.found, it.row) for it in listed.endings] == [("√", 2)]


def test_an_end_in_a_note_of_a_row_without_days_is_all_of_it(tmp_path: Path) -> None:
    text = "投资方,签约日期,备注\n甲公司,,2024年5月6日解除协议\n乙公司,2024-01-05,\n"
    listed = read(tmp_path, text)
    assert events(listed) == [("lost", "2024-05-06"), ("signed", "2024-01-05")]
    assert not listed.problems


def test_what_is_to_be_built_is_no_construction(tmp_path: Path) -> None:
    cell = "2024年5月8日签约，总投资5亿元，建设年产10万套项目"
    assert events(read(tmp_path, f'投资主体,最新进展\n甲公司,"{cell}"\n')) == [
        ("signed", "2024-05-08")
    ]


@pytest.mark.parametrize(
    ("word", "stage"),
    [("Initial call", "contacted"), ("首次通话", "contacted"), ("Called off", "lost")],
)
def test_calls_are_contacts_unless_they_are_called_off(
    tmp_path: Path, word: str, stage: str
) -> None:
    listed = read(tmp_path, f"Prospect,Activity,Activity date\n甲公司,{word},2024-01-05\n")
    assert events(listed) == [(stage, "2024-01-05")]


@pytest.mark.parametrize(
    "cell",
    ["2024-05-01凉透；2024-03-01签约；2024-01-05对接", "凉透；2024-03-01签约；2024-01-05对接",
     "2024-01-05对接；2024-03-01签约；凉透", "2024-03-01签约；凉透", "凉透；2024-03-01签约"],
)  # fmt: skip
def test_what_is_not_understood_and_may_be_the_end_stops_the_import(
    tmp_path: Path, cell: str
) -> None:
    listed = read(tmp_path, f"投资主体,最新进展\n甲公司,{cell}\n")
    assert listed.entries.empty
    assert [it.code for it in listed.endings] == ["bad_steps"]


def test_steps_that_go_backwards_get_no_year_of_another(tmp_path: Path) -> None:
    listed = read(tmp_path, "投资主体,最新进展\n甲公司,2024年2月1日签约；11月5日考察\n")
    assert events(listed) == [("signed", "2024-02-01")]
    assert [(it.code, it.found) for it in listed.problems] == [("unread_step", "11月5日考察")]


@pytest.mark.parametrize("reason", ["跟进中", "未流失", "正在洽谈", "签约"])
def test_a_reason_of_loss_that_says_that_it_goes_on_is_no_loss(tmp_path: Path, reason: str) -> None:
    text = f"客户,阶段,日期,关闭日期,输单原因\n甲公司,对接,2024-01-05,2024-03-01,{reason}\n"
    listed = read(tmp_path, text)
    assert events(listed) == [("contacted", "2024-01-05")]
    assert [it.code for it in listed.problems] == ["perhaps_ended"]


def test_the_planned_close_of_an_open_deal_is_not_the_day_of_its_loss(tmp_path: Path) -> None:
    head = "Customer,Deal Stage,Date,Close Date,Closed Lost Reason"
    listed = read(tmp_path, f"{head}\n甲公司,Proposal,2024-01-05,2024-03-01,land\n")
    assert events(listed) == [("negotiating", "2024-01-05")]
    assert [it.found for it in listed.endings] == ["land"]


def test_a_column_of_an_unknown_header_that_tells_losses_stops_the_import(tmp_path: Path) -> None:
    text = "投资方,签约日期,结局\n甲公司,2024-01-05,流失\n乙公司,2024-02-05,投产\n"
    assert read(tmp_path, text).unsure == ("结局",)


@pytest.mark.parametrize("header", ["数据更新日期", "最近一次联系时间", "Last updated", "Modified"])
def test_a_day_of_the_row_serves_where_no_other_does_and_is_told(
    tmp_path: Path, header: str
) -> None:
    listed = read(tmp_path, f"招商企业,当前状况,{header}\n甲公司,终止,2024-01-05\n")
    assert events(listed) == [("lost", "2024-01-05")]
    assert sum(header in notice.zh for notice in listed.notices) == 1


@pytest.mark.parametrize(
    "header", ["责任单位", "招商单位", "对接单位", "联系单位", "包保单位", "填报单位"]
)
def test_offices_are_no_firms(tmp_path: Path, header: str) -> None:
    with pytest.raises(ListError):
        read(tmp_path, f"{header},阶段,日期\n商务局,签约,2024-01-05\n")


def test_letters_of_stages_are_read_by_the_legend_in_the_title(tmp_path: Path) -> None:
    text = "阶段：A对接 B签约 C流失\n企业名称,阶段,日期\n甲公司,A,2024-01-05\n甲公司,C,2024-03-01\n"
    assert events(read(tmp_path, text)) == [("contacted", "2024-01-05"), ("lost", "2024-03-01")]


def test_what_is_not_yet_reached_needs_no_day(tmp_path: Path) -> None:
    text = "引进项目主体,签约日期,开工日期,退出日期\n甲公司,2024-01-05,尚未开工,未退出\n"
    listed = read(tmp_path, text)
    assert events(listed) == [("signed", "2024-01-05")]
    assert not listed.problems


def test_an_open_deal_stands_where_its_stage_says(tmp_path: Path) -> None:
    head = "Organization,Deal - Status,Deal - Stage,Date"
    listed = read(tmp_path, f"{head}\n甲公司,Open,Negotiations Started,2024-01-05\n")
    assert events(listed) == [("negotiating", "2024-01-05")]
    assert not listed.problems
