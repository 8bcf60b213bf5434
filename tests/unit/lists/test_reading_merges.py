"""Merged cells belong to every row they cover; headers take several rows, units one more."""

from datetime import date

import pytest
import xlsxwriter
from tests.bad_files import repacked
from tests.kept_lists import code

from leadscore.lists.dedupe import load_list
from leadscore.lists.outcomes import load_outcomes
from leadscore.lists.reading import read_list
from leadscore.lists.reading.header import HeaderPlace

TODAY = date(2026, 11, 24)


def book(tmp_path, rows, merges=()):
    """Write rows (missing for an empty cell) and merge ranges such as ``B2:B4``."""
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet("名单")
        for area in merges:
            sheet.merge_range(area, "")
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(at, column, value)
    return path


def csv(tmp_path, rows):
    path = tmp_path / "list.csv"
    lines = (",".join("" if cell is None else str(cell) for cell in row) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def firms(path):
    return load_list(path, today=TODAY)


GROUPED = [
    ["企业名称", "所在城市", "产业链"],
    ["甲一光学有限公司", "深圳市", "移动智能终端"],
    ["乙二电池有限公司", None, None],
    ["丙三电子有限公司", None, "LED"],
]


def test_a_merged_cell_belongs_to_every_row_that_it_covers(tmp_path):
    read = firms(book(tmp_path, GROUPED, ["B2:B4", "C2:C3"]))

    assert [firm["city"] for firm in read.records] == ["深圳市"] * 3
    assert [firm["chain_node"] for firm in read.records] == ["移动智能终端"] * 2 + ["LED"]
    assert (read.rows_in, read.problems) == (3, ())


@pytest.mark.parametrize("write", [csv, book])
def test_blank_cells_that_are_not_merged_stay_blank(tmp_path, write):
    read = firms(write(tmp_path, GROUPED))

    assert [firm.get("city") for firm in read.records] == ["深圳市", None, None]


def test_a_range_over_several_columns_gives_its_value_to_the_first_only(tmp_path):
    rows = [
        ["企业名称", "所在城市", "登记状态", "主营业务"],
        ["甲一光学有限公司", "苏州市", None, "镜片"],
        ["乙二电池有限公司", None, None, "电池"],
    ]
    (table,) = read_list(book(tmp_path, rows, ["B2:C3"])).tables

    assert table.cells[1].tolist() == ["苏州市", "苏州市"]
    assert table.cells[2].isna().all()


def test_numbers_and_dates_are_given_to_every_row_as_they_are_read(tmp_path):
    rows = [
        ["企业名称", "意向投资额（亿元）", "成立日期"],
        ["甲一光学有限公司", 1.5, "2015-04-08"],
        ["乙二电池有限公司"],
    ]
    read = firms(book(tmp_path, rows, ["B2:B3", "C2:C3"]))

    assert [firm["intended_investment_cny"] for firm in read.records] == [1.5e8, 1.5e8]
    assert [firm["founded_on"] for firm in read.records] == [date(2015, 4, 8)] * 2


def test_a_name_merged_over_its_products_is_one_firm_with_all_of_them(tmp_path):
    rows = [
        ["序号", "企业名称", "主营产品", "所在城市"],
        [1, "甲一光学有限公司", "光学镜片", "深圳市"],
        [None, None, "手机马达", None],
        [None, None, "连接器", None],
        [2, "乙二电池有限公司", "锂电池", "苏州市"],
    ]
    read = firms(book(tmp_path, rows, ["A2:A4", "B2:B4", "D2:D4"]))

    assert [firm["main_business"] for firm in read.records] == [
        "光学镜片；手机马达；连接器",
        "锂电池",
    ]
    assert read.rows == [2, 5]
    assert (read.rows_in, read.problems) == (2, ())


def test_rows_of_one_merged_name_that_differ_are_told_and_none_is_set_aside(tmp_path):
    rows = [
        ["企业名称", "主营产品", "意向投资额（亿元）"],
        ["甲一光学有限公司", "镜片", 5],
        [None, "马达", 3],
    ]
    read = firms(book(tmp_path, rows, ["A2:A3"]))

    assert read.records[0]["intended_investment_cny"] == 5e8
    (problem,) = read.problems
    assert (problem.row, problem.code, problem.set_aside) == (3, "conflict", False)
    assert "意向投资额" in problem.wanted.zh
    assert read.rows_in == 1


def test_two_rows_of_one_name_that_is_not_merged_are_still_told_as_a_repeat(tmp_path):
    rows = [["企业名称", "主营产品"], ["甲一光学有限公司", "镜片"], ["甲一光学有限公司", "马达"]]
    read = firms(book(tmp_path, rows))

    assert [problem.code for problem in read.problems] == ["repeat"]
    assert read.rows_in == 2


def test_a_name_merged_over_two_credit_codes_is_not_made_one_firm(tmp_path):
    rows = [
        ["企业名称", "统一社会信用代码"],
        ["甲一光学有限公司", code(1)],
        [None, code(2)],
    ]
    read = firms(book(tmp_path, rows, ["A2:A3"]))

    assert [firm["credit_code"] for firm in read.records] == [code(1), code(2)]


def test_a_firm_merged_over_its_stages_keeps_all_of_them(tmp_path):
    rows = [
        ["企业名称", "阶段", "日期"],
        ["甲一光学有限公司", "对接", "2023-01-05"],
        [None, "洽谈", "2023-03-01"],
        [None, "签约", "2023-06-01"],
        ["乙二电池有限公司", "对接", "2024-01-05"],
    ]
    read = load_outcomes(book(tmp_path, rows, ["A2:A4"]), today=TODAY)

    assert read.entries["name"].tolist() == ["甲一光学有限公司"] * 3 + ["乙二电池有限公司"]
    assert read.entries["stage"].tolist() == ["contacted", "negotiating", "signed", "contacted"]
    assert read.problems == ()


def test_headings_totals_and_notes_that_are_merged_are_no_firms(tmp_path):
    rows = [
        ["序号", "企业名称", "所在城市", "意向投资额（亿元）"],
        ["电子信息产业"],
        [1, "甲一光学有限公司", "深圳市", 2],
        [None, "乙二电池有限公司", None, 3],
        ["合计", None, None, 5],
        ["备注：以上由各区报送"],
    ]
    read = firms(book(tmp_path, rows, ["A2:D2", "A3:A4", "C3:C4", "A5:B5", "A6:D8"]))

    assert [firm["name"] for firm in read.records] == ["甲一光学有限公司", "乙二电池有限公司"]
    assert [firm["city"] for firm in read.records] == ["深圳市"] * 2
    told = [(problem.row, problem.code) for problem in read.problems]
    assert told == [(2, "heading_row"), (5, "totals_row"), (6, "footnote_row")]


def test_a_heading_over_the_name_column_too_is_no_firm(tmp_path):
    rows = [["企业名称", "所在城市"], ["移动智能终端"], ["甲一光学有限公司", "深圳市"]]
    read = firms(book(tmp_path, rows, ["A2:B2"]))

    assert [firm["name"] for firm in read.records] == ["甲一光学有限公司"]
    assert [(one.row, one.code, one.set_aside) for one in read.problems] == [
        (2, "heading_row", True)
    ]


def test_a_name_merged_over_two_columns_is_a_firm(tmp_path):
    rows = [["企业名称", None, "所在城市"], ["甲一光学有限公司", None, "深圳市"]]
    read = firms(book(tmp_path, rows, ["A1:B1", "A2:B2"]))

    assert read.records[0]["name"] == "甲一光学有限公司"


def test_a_row_number_merged_over_blank_rows_makes_no_firm(tmp_path):
    rows = [["序号", "企业名称"], [1, "甲一光学有限公司"], [], [2, "乙二电池有限公司"]]
    read = firms(book(tmp_path, rows, ["A2:A3", "B2:B3"]))

    assert [firm["name"] for firm in read.records] == ["甲一光学有限公司", "乙二电池有限公司"]
    assert (read.rows_in, read.problems) == (2, ())


def test_many_ranges_that_overlap_cost_no_more_than_the_columns_they_stand_in(tmp_path):
    rows = [["企业名称", "所在城市"], *([f"甲{at}公司", None] for at in range(3_000))]
    path = book(tmp_path, rows)
    ranges = "".join(f'<mergeCell ref="B{at}:B3001"/>' for at in range(2, 3_001))
    merged = f'</sheetData><mergeCells count="1">{ranges}</mergeCells>'.encode()
    repacked(
        path,
        lambda name, part: part.replace(b"</sheetData>", merged) if "sheet1" in name else part,
    )

    assert len(firms(path).records) == 3_000


THREE_ROWS = [
    ["企业名称", "经营情况", None, None, "所在城市"],
    [None, "2023年", None, "2022年", None],
    [None, "营业收入（万元）", "净利润（万元）", "营业收入（万元）", None],
    ["甲一光学有限公司", 20000, 500, 10000, "深圳市"],
]


@pytest.mark.parametrize("merged", [True, False])
def test_a_header_of_three_rows_says_group_year_and_field(tmp_path, merged):
    merges = ["A1:A3", "B1:D1", "B2:C2", "E1:E3"]
    path = book(tmp_path, THREE_ROWS, merges) if merged else csv(tmp_path, THREE_ROWS)
    read = firms(path)

    (firm,) = read.records
    assert (firm["revenue_cny"], firm["net_profit_cny"]) == (2e8, 5e6)
    assert firm["city"] == "深圳市"
    assert read.rows == [4]


def test_a_header_of_four_rows_with_the_name_in_the_lowest(tmp_path):
    rows = [
        ["某市重点企业表（2026年）"],
        ["企业信息", None, "经营信息", None, None],
        ["基本信息", None, "年度数据", None, None],
        [None, None, "2024年", None, "2023年"],
        ["企业名称", "所在城市", "营业收入（亿元）", "净利润（万元）", "营业收入（亿元）"],
        ["甲一光学有限公司", "苏州市", 2, 300, 1],
    ]
    merges = ["A1:E1", "A2:B2", "C2:E2", "A3:B3", "C3:E3", "A4:B4", "C4:D4"]
    (firm,) = firms(book(tmp_path, rows, merges)).records

    assert (firm["revenue_cny"], firm["net_profit_cny"]) == (2e8, 3e6)
    assert firm["city"] == "苏州市"


UNITS = [
    ["企业名称", "注册资本", "员工人数", "研发投入占比", "所在城市"],
    ["甲一光学有限公司", "1000", "300", "6.5", "深圳市"],
]


@pytest.mark.parametrize("write", [csv, book])
@pytest.mark.parametrize(
    "units",
    [
        [None, "万元", "人", "%", None],
        ["单位", "万元", "人", "%", "-"],
        [None, "（万元）", "（人）", "（%）", None],
        ["—", "单位：万元", "人", "％", "/"],
        ["计量单位", "萬元", "名", "百分比", None],
    ],
)
def test_a_row_of_units_below_the_header_counts_and_is_no_firm(tmp_path, write, units):
    path = write(tmp_path, [UNITS[0], units, UNITS[1]])
    read = firms(path)

    (firm,) = read.records
    assert (firm["registered_capital_cny"], firm["staff"]) == (1e7, 300.0)
    assert firm["rd_share"] == pytest.approx(0.065)
    assert (read.rows, read.rows_in, read.problems) == ([3], 1, ())


def test_a_row_of_units_below_a_merged_header_of_two_rows_counts(tmp_path):
    rows = [
        ["企业名称", "经营情况", None],
        [None, "营业收入", "净利润"],
        [None, "万元", "万美元"],
        ["甲一光学有限公司", 200, 1],
    ]
    (firm,) = firms(book(tmp_path, rows, ["A1:A2", "B1:C1"])).records

    assert firm["revenue_cny"] == 2e6
    assert 5e4 < firm["net_profit_cny"] < 1e5


@pytest.mark.parametrize(
    "row",
    [
        ["乙二电池有限公司", "万元", "人", "%", None],
        [None, "1000", "人", None, None],
        [None, "大", "人", "%", None],
        [None, None, None, None, "市"],
    ],
)
def test_a_row_that_says_more_than_units_is_not_taken_for_them(tmp_path, row):
    (table,) = read_list(csv(tmp_path, [UNITS[0], row, UNITS[1]])).tables

    assert table.headers == tuple(UNITS[0])
    assert table.rows.tolist() == [2, 3]


def test_units_that_contradict_the_header_leave_the_column_out_and_tell_it(tmp_path):
    rows = [["企业名称", "注册资本（元）"], [None, "万元"], ["甲一光学有限公司", "1000"]]
    read = firms(csv(tmp_path, rows))

    assert "registered_capital_cny" not in read.records[0]
    assert any("注册资本（元）（万元）" in notice.zh for notice in read.notices)


def test_the_header_that_was_chosen_has_its_row_of_units_too(tmp_path):
    path = csv(tmp_path, [UNITS[0], [None, "万元", "人", "%", None], UNITS[1]])
    (table,) = read_list(path, HeaderPlace("", 1, {})).tables

    assert (table.header_row, table.rows.tolist()) == (1, [3])
    assert table.headers[1] == "注册资本（万元）"


@pytest.mark.parametrize(
    "row",
    [
        ["（必填）", "（选填）", "选填", None, None],
        ["必填", "选填", "选填", "选填", "必填"],
        ["说明", "以万元计", "在职", None, None],
        ["填写说明", None, None, None, None],
        ["示例", "1000", "20", "5", "南昌"],
        ["例：某某科技有限公司", "1000", "20", "5", "南昌"],
        ["请填写企业全称", "按营业执照", "在职人数", None, None],
    ],
)
def test_a_row_that_says_how_to_fill_in_the_list_is_set_aside_and_told(tmp_path, row):
    read = firms(csv(tmp_path, [UNITS[0], row, UNITS[1]]))

    assert [firm["name"] for firm in read.records] == ["甲一光学有限公司"]
    assert [(one.row, one.code, one.set_aside) for one in read.problems] == [
        (2, "guidance_row", True)
    ]


@pytest.mark.parametrize(
    "name",
    [
        "示例科技有限公司",
        "例外光电有限公司",
        "说明书印刷厂",
        "如新（中国）有限公司",
        "全称物流有限公司",
    ],
)
def test_a_firm_whose_name_only_sounds_like_guidance_stays(tmp_path, name):
    read = firms(csv(tmp_path, [UNITS[0], [name, "5", "20", None, None], UNITS[1]]))

    assert read.records[0]["name"] == name
