"""Reported files of outcomes, each with the stages and days that are in it, or what stops them."""

from __future__ import annotations

import sys
from pathlib import Path

import openpyxl
import pytest
from tests.commands import called
from tests.contract import test_api
from tests.list_cases import NAME, OTHER, THIRD, TODAY, Rows, book, case_ids, csv_file
from tests.unit.lists import test_cases, test_writing

from leadscore.lists.outcomes import Instructions, load_outcomes


def events(
    folder: Path, rows: Rows, here: frozenset[str] = frozenset()
) -> tuple[list[tuple[str, str, str]], list[str]]:
    listed = load_outcomes(csv_file(folder, rows), today=TODAY, said=Instructions(here=here))
    entries = listed.entries
    taken = [
        (name, stage, str(day)[:10])
        for name, stage, day in zip(entries["name"], entries["stage"], entries["day"], strict=True)
    ]
    return taken, [problem.code for problem in listed.problems]


WORDS = [
    ("out01", "Won", "signed"),
    ("out01", "Lost", "lost"),
    ("out02", "Closed Won", "signed"),
    ("out02", "Closed Lost", "lost"),
    ("out06", "无投资意向", "lost"),
    ("out06", "暂无意向", "paused"),
    ("out12", "New", "lead"),
    ("out12", "Qualified", "screened"),
    ("out12", "Proposition", "negotiating"),
    ("out14", "战败", "lost"),
    ("out14", "成交", "signed"),
    ("out16", "签约取消", "lost"),
    ("out16", "取消签约", "lost"),
    ("out16", "签约失败", "lost"),
    ("out16", "拒绝签约", "lost"),
    ("out16", "没有签约", None),
    ("out16", "签约未成功", None),
    ("out16", "未能签约", None),
    ("out16", "签约仪式未举行", None),
    ("out16", "尚未签约", None),
    ("out17", "已与芜湖签约", None),
    ("out17", "外地签约", "lost"),
    ("out17", "已在无锡注册", None),
    ("out17", "已签约外市", "lost"),
    ("out17", "被外省引走签约", "lost"),
    ("out17", "总部落户芜湖，在我市洽谈", "negotiating"),
    ("out18", "拒绝签约", "lost"),
    ("out18", "已落户无锡", None),
    ("out18", "签约取消", "lost"),
    ("out18", "没有签约", None),
    ("out15", "已签约（后撤资）", "lost"),
    ("out15", "已投产后停产退出", "lost"),
    ("out24", "拟签约", None),
]


@pytest.mark.parametrize(
    ("word", "stage"), [case[1:] for case in WORDS], ids=[f"{c[0]}-{c[1]}" for c in WORDS]
)
def test_a_word_of_a_stage(word: str, stage: str | None, tmp_path: Path) -> None:
    rows = [["企业名称", "阶段", "日期"], [NAME, word, "2024-03-05"]]
    taken, codes = events(tmp_path, rows)
    assert taken == ([] if stage is None else [(NAME, stage, "2024-03-05")])
    assert bool(codes) == (stage is None)


def test_out17_where_the_city_is_known_a_win_elsewhere_is_a_loss(tmp_path: Path) -> None:
    rows = [["企业名称", "阶段", "日期"], [NAME, "已落户芜湖", "2024-03-05"]]
    taken, _ = events(tmp_path, rows, frozenset({"南昌", "南昌市", "3601"}))
    assert taken == [(NAME, "lost", "2024-03-05")]


FILES = [
    (
        "out07",
        [
            ["企业名称", "阶段", "日期"],
            [NAME, "对接", "2022-02-01"],
            [NAME, "流失", "2022-07-01"],
            [NAME, "对接", "2023-04-01"],
            [NAME, "签约", "2023-10-01"],
        ],
        ["contacted 2022-02-01", "lost 2022-07-01", "contacted 2023-04-01", "signed 2023-10-01"],
    ),
    (
        "out08",
        [
            ["企业名称", "对接时间", "签约时间", "流失时间", "预计开工时间"],
            [NAME, "2024-01-05", "2024-03-05", "", "2029-01-01"],
            [OTHER, "-", "", "2024-06-01", ""],
        ],
        ["contacted 2024-01-05", "signed 2024-03-05", "lost 2024-06-01"],
    ),
    (
        "out09",
        [["企业名称", "阶段", "日期"], [NAME, "签约", ""], [OTHER, "签约", "2024年3月"]],
        ["signed 2024-03-01"],
    ),
    (
        "out11",
        [["企业名称", "阶段", "日期", "备注"], [NAME, "已签约", "2024-03-05", "协议解除"]],
        ["signed 2024-03-05"],
    ),
    (
        "out19",
        [["企业名称", "对接时间", "是否签约", "签约时间"], [NAME, "2024-01-05", "否", ""]],
        ["contacted 2024-01-05"],
    ),
    (
        "out21",
        [["企业名称", "阶段", "日期"], [NAME, "对接", "2023.11"], [NAME, "签约", "2024.1"]],
        ["contacted 2023-11-01"],
    ),
    (
        "out22",
        [["企业名称", "阶段", "更新时间", "签约日期"], [NAME, "签约", "2024-09-09", "2024-03-05"]],
        ["signed 2024-03-05"],
    ),
    ("out23", [["企业名称", "阶段", "日期"], [NAME, "洽谈", "45356"]], ["negotiating 2024-03-05"]),
    (
        "out24",
        [
            ["企业名称", "阶段", "日期"],
            [NAME, "签约", "2030-03-05"],
            [OTHER, "拟签约", "2024-03-05"],
        ],
        [],
    ),
    (
        "out25",
        [["Customer", "Stage", "Closed Date"], [NAME, "Won", "2024-03-05"]],
        ["signed 2024-03-05"],
    ),
    (
        "out26",
        [["Company Name", "Deal Stage", "Close Date"], [NAME, "Closed Won", "2024-03-05"]],
        ["signed 2024-03-05"],
    ),
    (
        "out27",
        [["企业名称", "最新进展", "日期"], [NAME, "已签约", "2024-03-05"]],
        ["signed 2024-03-05"],
    ),
    (
        "out27",
        [["企业名称", "目前状态", "日期"], [NAME, "已签约", "2024-03-05"]],
        ["signed 2024-03-05"],
    ),
]


TOLD_OF = {
    "out09": ["no_day"],
    "out11": ["perhaps_ended"],
    "out21": ["ambiguous_date"],
    "out24": ["future_date", "bad_stage"],
}


@pytest.mark.parametrize(("case", "rows", "wanted"), FILES, ids=[file[0] for file in FILES])
def test_a_file_of_outcomes(
    case: str, rows: list[list[str]], wanted: list[str], tmp_path: Path
) -> None:
    taken, codes = events(tmp_path, rows)
    assert [f"{stage} {day}" for _, stage, day in taken] == wanted
    assert codes == TOLD_OF.get(case, [])


def test_mrg04_a_firm_merged_over_its_stages_keeps_them(tmp_path: Path) -> None:
    rows = [
        ["企业名称", "阶段", "日期"],
        [NAME, "对接", "2024-01-05"],
        [None, "签约", "2024-03-05"],
    ]
    listed = load_outcomes(book(tmp_path, rows, merge=["A2:A3"]), today=TODAY)
    assert listed.entries["stage"].tolist() == ["contacted", "signed"]
    assert set(listed.entries["name"]) == {NAME}


def test_a_note_that_tells_the_end_with_its_day_is_an_entry_of_its_own(tmp_path: Path) -> None:
    rows = [
        ["项目单位", "签约日期", "备注"],
        [NAME, "2024年3月5日", "不急"],
        [OTHER, "2024年4月1日", "2024年9月解约退地"],
    ]
    taken, codes = events(tmp_path, rows)
    assert taken == [
        (NAME, "signed", "2024-03-05"),
        (OTHER, "signed", "2024-04-01"),
        (OTHER, "lost", "2024-09-01"),
    ]
    assert codes == ["perhaps_ended"]


def test_the_name_of_a_sheet_tells_the_stage_where_no_column_does(tmp_path: Path) -> None:
    rows = [["企业名称", "时间"], [NAME, "2024-03-05"]]
    path = book(tmp_path, rows, [["企业名称", "时间"], [OTHER, "2024-04-05"]])
    workbook = openpyxl.load_workbook(path)
    for sheet, name in zip(workbook.worksheets, ("已签约", "流失项目"), strict=True):
        sheet.title = name
    workbook.save(path)
    listed = load_outcomes(path, today=TODAY)
    assert listed.entries["stage"].tolist() == ["signed", "lost"]
    assert [notice.zh for notice in listed.notices] == [
        "工作表“已签约”里没有阶段列，各行按工作表名称计为“签约”",
        "工作表“流失项目”里没有阶段列，各行按工作表名称计为“流失”",
    ]


def test_a_day_in_three_columns_is_a_day(tmp_path: Path) -> None:
    rows = [
        ["企业名称", "阶段", "年份", "月份", "日"],
        [NAME, "签约", "2024", "3", "5"],
        [OTHER, "流失", "2024年", "6月", None],
    ]
    taken, codes = events(tmp_path, rows)
    assert taken == [(NAME, "signed", "2024-03-05"), (OTHER, "lost", "2024-06-01")]
    assert not codes


def test_out11_the_note_of_a_signing_that_was_cancelled_is_kept(tmp_path: Path) -> None:
    rows = [["企业名称", "阶段", "日期", "备注"], [NAME, "已签约", "2024-03-05", "项目终止"]]
    listed = load_outcomes(csv_file(tmp_path, rows), today=TODAY)
    assert listed.entries["reason"].tolist() == ["项目终止"]


def test_out21_a_day_of_two_readings_is_told_with_both(tmp_path: Path) -> None:
    rows = [["企业名称", "阶段", "日期"]]
    rows += [[NAME, "签约", cell] for cell in ("2024.1", "'2024.1", "05/03/2024")]
    problems = load_outcomes(csv_file(tmp_path, rows), today=TODAY).problems
    both = [("2024-01-01", "2024-10-01")] * 2 + [("2024-03-05", "2024-05-03")]
    for problem, (one, other) in zip(problems, both, strict=True):
        assert f"{one}，也可读作 {other}；此条未导入" in problem.wanted.zh
        assert f"{one} or {other}; the entry was not imported" in problem.wanted.en


LEDGERS = [
    pytest.param(["Won", "Lost"], "签约 1、流失 1", [], id="out01"),
    pytest.param(["Closed Won", "Closed Lost"], "签约 1、流失 1", [], id="out02"),
    pytest.param(["无投资意向", "暂无意向"], "搁置 1、流失 1", [], id="out06"),
    pytest.param(["成交", "战败"], "签约 1、流失 1", [], id="out14"),
    pytest.param(["已签约（后撤资）", "已投产后停产退出"], "流失 2", [], id="out15"),
    pytest.param(["签约", "未能签约", "没有签约"], None, ["未能签约", "没有签约"], id="out16"),
    pytest.param(["签约", "已在无锡注册", "外地签约"], None, ["已在无锡注册"], id="out17"),
    pytest.param(["签约取消", "没有签约", "已落户无锡"], None, ["没有签约"], id="out18"),
]


@pytest.mark.parametrize(("words", "sums", "asked"), LEDGERS)
def test_an_import_is_whole_or_stops(
    words: list[str], sums: str | None, asked: list[str], tmp_path: Path
) -> None:
    rows = [["企业名称", "阶段", "日期"]]
    rows += [
        [name, word, "2024-03-05"] for name, word in zip((NAME, OTHER, THIRD), words, strict=False)
    ]
    done = called("outcomes", "import", csv_file(tmp_path, rows), home=tmp_path / "home")
    if sums is not None:
        assert (done.returncode, sums in done.stdout) == (0, True), done.stdout + done.stderr
        return
    assert done.returncode == 2
    assert "什么都没有写入" in done.stderr
    assert [word for word in words if f"--stage {word}=流失" in done.stderr] == asked


CASES = """
sep01 sep03 sep04 sep05 sep06 enc01 enc04 enc05 enc06 enc08 fmt01 fmt04 fmt05 hid01 rnd01 exp03
xl01 xl02 xl03 xl06 xl11 xl12 xl13 xl14 xl15 xl17 http07 lst01
date01 date02 date04 date05 date06 date10 date11 date12 date15 date18 date21 date22 date23 date25
date26 date27
amt01 amt02 amt03 amt04 amt05 amt06 amt08 amt10 amt20 amt22 amt23 amt24 amt25 amt26 amt27 amt28
amt31 amt33 amt41 amt44 amt45 amt46 amt47 amt48 amt49 amt51 amt61 amt63 amt64 amt66 cnt02 cnt03
code02 code03 code04 code06 code07 dup01 dup03 sta01 sta03 sta05
hdr01 hdr02 hdr03 hdr04 hdr07 hdr09 mrg01 mrg02 mrg03 mrg04
nam01 nam02 nam04 nam05 nam07 nam08
adr02 adr05 adr06 adr10 adr11 adr12 adr13 adr14 adr15 adr16 adr17 adr18 adr19 adr20 adr21 adr22
adr23 adr26 adr28 adr29 adr30 adr31 adr32 adr33 adr34 adr35 adr37 adr38 adr39
out01 out02 out06 out07 out08 out09 out11 out12 out14 out15 out16 out17 out18 out19 out21 out22
out23 out24 out25 out26 out27
"""


def test_every_reported_case_has_its_test() -> None:
    modules = (__name__, test_cases.__name__, test_api.__name__, test_writing.__name__)
    tested = {case for module in modules for case in case_ids(sys.modules[module])}
    assert len(CASES.split()) == 152
    assert tested == set(CASES.split())
