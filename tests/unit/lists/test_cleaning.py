"""A messy table becomes firms: nothing is guessed, nothing vanishes, nothing personal stays."""

from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.columns import CANONICAL
from leadscore.lists.dedupe import settle_repeats
from leadscore.lists.problems import FOUND_CHARACTERS, MOST_OF_A_KIND, Problem
from leadscore.lists.reading.table import RawList, TextTable
from leadscore.text import Text

TODAY = date(2026, 11, 24)
CODE = "91360727MA35LGHK7K"


def text_table(columns: dict[str, list], sheet: str | None = None, problems=()) -> TextTable:
    cells = pd.DataFrame(dict(enumerate(columns.values())), dtype="str")
    cells.columns = pd.RangeIndex(len(columns))
    rows = np.arange(2, len(cells) + 2, dtype=np.int64)
    return TextTable(tuple(columns), cells, rows, sheet, tuple(problems))


def cleaned(columns: dict[str, list] | TextTable, *more: TextTable) -> CleanList:
    first = columns if isinstance(columns, TextTable) else text_table(columns)
    return clean(RawList("list.csv", (first, *more)), today=TODAY)


def codes(found: CleanList) -> list[tuple[int | None, str | None, str]]:
    return [(problem.row, problem.column, problem.code) for problem in found.problems]


def notices(found: CleanList) -> str:
    return "\n".join(notice.zh + notice.en for notice in found.notices)


def test_all_canonical_columns_are_there_with_their_types() -> None:
    firms = cleaned({"企业": ["甲公司"]}).firms
    assert list(firms.columns) == [each.name for each in CANONICAL] + ["row", "sheet"]
    for each in CANONICAL:
        assert firms[each.name].dtype == each.dtype, each.name
    assert firms["row"].tolist() == [2]
    assert firms["row"].dtype == "int64"
    assert firms["sheet"].dtype == "str"


def test_a_database_export_is_understood() -> None:
    found = cleaned(
        {
            "企业名称": ["江西志浩电子科技有限公司"],
            "登记状态": ["存续（在营、开业、在册）"],
            "注册资本": ["13,400万元"],
            "成立日期": ["2016年11月"],
            "统一社会信用代码": ["９１３６０７２７ma35lghk7k"],
            "参保人数": ["100-499人"],
            "参保人数所属年报": ["2023年报"],
            "曾用名": ["甲公司；乙公司"],
            "经营范围": ["线路板"],
        }
    )
    firm = found.firms.iloc[0]
    assert found.problems == ()
    assert (firm["status"], firm["registered_capital_cny"]) == ("active", 134_000_000)
    assert firm["founded_on"] == pd.Timestamp("2016-11-01")
    assert (firm["credit_code"], firm["city_code"]) == (CODE, "3607")
    assert (firm["insured_staff"], firm["insured_staff_year"]) == (223, 2023)
    assert firm["former_names"] == "甲公司;乙公司"


def test_a_bad_cell_does_not_sink_the_list() -> None:
    found = cleaned(
        {
            "企业": ["甲", "乙"],
            "注册资本": ["abc", "100万"],
            "成立日期": ["2024-02-30", "2030-01-01"],
            "登记状态": ["晴", "注销"],
            "员工数": ["-3", "10"],
            "阶段": ["拟签约", "签约"],
        }
    )
    assert codes(found) == [
        (2, "注册资本", "bad_amount"),
        (2, "成立日期", "bad_date"),
        (2, "登记状态", "bad_status"),
        (2, "员工数", "bad_count"),
        (2, "阶段", "bad_stage"),
        (3, "成立日期", "future_date"),
    ]
    assert found.problems[0].found == "abc"
    assert found.firms["registered_capital_cny"].isna().tolist() == [True, False]
    assert found.firms["founded_on"].isna().all()
    assert found.rows_in == 2


def test_words_for_unknown_are_missing_without_a_problem() -> None:
    words = ["-", "--", "无", "未公开", "/", "暂无", "#N/A", "NULL", "　", "待定"]
    columns = {
        "企业": [f"甲{at}" for at in range(len(words))],
        "注册资本": words,
        "成立日期": words,
        "登记状态": words,
        "员工数": words,
        "经营范围": words,
        "研发占比": words,
        "统一社会信用代码": words,
    }
    found = cleaned(columns)
    assert found.problems == ()
    for name in ("registered_capital_cny", "founded_on", "status", "staff", "business_scope"):
        assert found.firms[name].isna().all(), name


def test_firms_may_be_called_na_and_null() -> None:
    found = cleaned({"企业": ["NA", "null", "None", "nan"]})
    assert found.firms["name"].tolist() == ["NA", "null", "None", "nan"]
    assert found.problems == ()


def test_a_row_without_a_name_is_set_aside_and_counted() -> None:
    found = cleaned({"企业": ["甲", None, "-", "#REF!", "  ", "乙"], "备注": ["x"] * 6})
    assert found.firms["name"].tolist() == ["甲", "乙"]
    assert found.firms["row"].tolist() == [2, 7]
    assert [(p.row, p.code, p.set_aside) for p in found.problems] == [
        (row, "no_name", True) for row in (3, 4, 5, 6)
    ]
    assert found.rows_in == 6


def test_a_table_without_a_name_column_loses_no_row() -> None:
    found = cleaned({"备注": ["x", "y"]})
    assert len(found.firms) == 0
    assert Counter(problem.code for problem in found.problems) == {"no_name": 2}


def test_invisible_characters_leave_a_name_with_a_problem_and_markup_stays_text() -> None:
    found = cleaned({"企业": ["甲\u202e公\x00司\u200b", "<script>alert(1)</script>", "=1+1"]})
    assert found.firms["name"].tolist() == ["甲公司", "<script>alert(1)</script>", "=1+1"]
    assert codes(found) == [(2, "企业", "invisible_characters")]
    assert "\\x00" in found.problems[0].found


def test_a_name_of_ten_thousand_characters_is_kept_and_told() -> None:
    found = settle_repeats(cleaned({"企业": ["甲" * 10_000, "乙"]}))
    assert found.firms["name"].str.len().tolist() == [10_000, 1]
    assert codes(found) == [(2, "企业", "long_name")]
    assert len(found.problems[0].found) <= FOUND_CHARACTERS


def test_a_place_alone_is_a_doubtful_name() -> None:
    found = cleaned({"企业": ["上海", "上海电气"]})
    assert codes(found) == [(2, "企业", "name_is_a_place")]
    assert len(found.firms) == 2


def test_personal_columns_are_dropped_and_only_their_headers_are_named() -> None:
    people = ["张三", "13812345678", "zhang@example.com"]
    found = cleaned(
        {
            "企业": ["甲"],
            "法定代表人": [people[0]],
            "联系电话": [people[1]],
            "邮箱": [people[2]],
            "注册资本": [people[1] + "元整吗"],
            "备注": [f"找{people[1]}，或 {people[2]}；0791-88888888"],
        }
    )
    told = notices(found) + repr(found.problems) + found.firms.to_csv()
    assert "法定代表人、联系电话、邮箱" in notices(found)
    assert not any(person in told for person in (*people, "88888888"))
    assert found.firms["note"].item() == "找***，或 ***；***"


def test_unknown_columns_are_named_and_not_used() -> None:
    found = cleaned({"企业": ["甲"], "天气": ["晴"]})
    assert "天气" in notices(found)
    assert "晴" not in found.firms.to_csv()


def test_two_columns_of_one_meaning_fill_each_other_and_disagreement_is_told() -> None:
    found = cleaned(
        {
            "企业": ["甲", "乙", "丙", "丁"],
            "企业地址": ["江西省南昌市甲路1号", None, "甲路1号", "甲路1号"],
            "注册地址": ["江西省南昌市乙路2号", "乙路2号", None, "江西省南昌市甲路1号"],
            "注册资本": ["100万", "100万", None, "100万"],
            "注册资金（万元）": ["100", "200", "300", "-"],
        }
    )
    assert found.firms["registered_address"].tolist() == [
        "江西省南昌市甲路1号",
        "乙路2号",
        "甲路1号",
        "甲路1号",
    ]
    assert found.firms["registered_capital_cny"].tolist() == [1e6, 1e6, 3e6, 1e6]
    assert codes(found) == [(2, "注册地址", "conflict"), (3, "注册资金（万元）", "conflict")]


def test_columns_that_are_lists_are_joined() -> None:
    found = cleaned({"企业": ["甲", "乙"], "主营业务": ["屏", "屏"], "主要产品": ["盖板", "屏"]})
    assert found.firms["main_business"].tolist() == ["屏；盖板", "屏"]
    assert found.problems == ()


def test_the_newest_year_of_a_figure_comes_first() -> None:
    found = cleaned(
        {"企业": ["甲", "乙"], "2022年营收（亿元）": ["1", "2"], "2023年营收（亿元）": ["3", None]}
    )
    assert found.firms["revenue_cny"].tolist() == [3e8, 2e8]
    assert found.problems == ()
    assert "2023年营收" in notices(found)


def test_a_batch_match_uses_the_imported_name_where_nothing_was_matched() -> None:
    found = cleaned(
        {
            "原文件导入名称": ["甲", "乙", "丙"],
            "系统匹配企业名称": ["甲有限公司", "未匹配到相关企业", None],
        }
    )
    assert found.firms["name"].tolist() == ["甲有限公司", "乙", "丙"]
    assert codes(found) == [(3, "系统匹配企业名称", "unmatched_name")]


def test_a_former_name_behind_a_name_is_taken_apart() -> None:
    found = cleaned(
        {"企业": ["乙公司（曾用名：甲公司）", "中原为民公司"], "曾用名": ["丁公司", None]}
    )
    assert found.firms["name"].tolist() == ["乙公司", "中原为民公司"]
    assert found.firms["former_names"].tolist()[0] == "甲公司;丁公司"
    assert found.firms["former_names"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("9.13607E+17", "damaged_number"),
        ("913607270000000000", "damaged_number"),
        ("360727210012345", "old_registration_number"),
        ("91360727MA35LGHK7Z", "bad_credit_code"),
        ("x", "bad_credit_code"),
    ],
)
def test_a_code_that_does_not_check_is_kept_out(cell, code) -> None:
    found = cleaned({"企业": ["甲"], "统一社会信用代码": [cell]})
    assert codes(found) == [(2, "统一社会信用代码", code)]
    assert found.firms["credit_code"].isna().all()


def test_old_registration_numbers_move_to_their_own_column() -> None:
    found = cleaned({"企业": ["甲"], "统一社会信用代码": ["360727210012345"]})
    assert found.firms["registration_number"].item() == "360727210012345"


def test_a_valid_taxpayer_number_stands_in_for_a_missing_code() -> None:
    found = cleaned(
        {"企业": ["甲", "乙"], "统一社会信用代码": [None, None], "纳税人识别号": [CODE, "123456"]}
    )
    assert found.firms["credit_code"].tolist()[0] == CODE
    assert found.firms["credit_code"].isna().tolist() == [False, True]
    assert found.problems == ()


def test_the_currency_column_counts_for_the_registered_capital_only() -> None:
    found = cleaned(
        {
            "name": ["甲", "乙", "丙"],
            "registered_currency": ["美元", "人民币", "贝壳"],
            "registered_capital": ["1000000", "100万港元", "1000000"],
            "实缴资本": ["1000000", "1000000", "1000000"],
        }
    )
    capital = found.firms["registered_capital_cny"].tolist()
    assert capital == pytest.approx([7_190_000, 926_000, 1_000_000])
    assert found.firms["paid_in_capital_cny"].tolist() == [1e6, 1e6, 1e6]
    assert codes(found) == [(4, "registered_currency", "bad_currency")]
    assert "2024-12-31" in notices(found)


def test_capital_without_a_unit_is_in_wan_yuan_in_a_table_of_tushare() -> None:
    columns = {"ts_code": ["301052.SZ"], "公司名称": ["甲"], "注册资金": ["9895.9339"]}
    found = cleaned(columns | {"净资产收益率": ["0.24"], "营业收入": ["582151534.95"]})
    assert found.firms["registered_capital_cny"].item() == pytest.approx(98_959_339)
    assert found.firms["return_on_equity"].item() == pytest.approx(0.0024)
    assert found.firms["revenue_cny"].item() == 582151534.95
    assert "注册资金、净资产收益率" in notices(found)
    plain = cleaned({"公司名称": ["甲"], "注册资金": ["9895.9339"]})
    assert plain.firms["registered_capital_cny"].isna().all()
    assert codes(plain) == [(None, "注册资金", "unit_unknown")]


def test_a_branch_has_no_capital() -> None:
    found = cleaned({"企业": ["甲", "乙"], "注册资本": ["0人民币", "1万"]})
    assert found.firms["registered_capital_cny"].isna().tolist() == [True, False]
    assert found.problems == ()
    assert "分支机构" in notices(found)


@pytest.mark.parametrize(
    ("cells", "expected", "word"),
    [
        (["12", "3.5", "0.8"], [0.12, 0.035, 0.008], "按百分数计"),
        (["0.12", "0.035", "5"], [0.12, 0.035, np.nan], "按小数计"),
        (["12%", "3.5%", "80%"], [0.12, 0.035, 0.8], ""),
    ],
)
def test_a_column_of_shares_is_percent_or_not_as_a_whole(cells, expected, word) -> None:
    found = cleaned({"企业": ["甲", "乙", "丙"], "研发占比": cells})
    np.testing.assert_allclose(found.firms["rd_share"], expected)
    assert word in notices(found)


def test_a_canonical_share_is_a_fraction() -> None:
    found = cleaned({"name": ["甲", "乙"], "rd_share": ["0.12", "12"]})
    np.testing.assert_allclose(found.firms["rd_share"], [0.12, np.nan])
    assert codes(found) == [(3, "rd_share", "bad_share")]


def test_losses_may_be_negative_and_capital_may_not() -> None:
    found = cleaned({"企业": ["甲"], "净利润": ["-100万"], "总资产": ["-1"], "注册资本": ["-1"]})
    assert found.firms["net_profit_cny"].item() == -1e6
    assert [code for _, _, code in codes(found)] == ["bad_amount", "bad_amount"]


def test_titles_asked_by_yes_or_no_join_the_titles() -> None:
    found = cleaned(
        {
            "企业": list("甲乙丙丁戊"),
            "资质": ["专精特新", None, None, None, "瞪羚"],
            "是否高新技术企业": ["是", "1", "True", "否", "-"],
            "小巨人": [None, "国家级", "0", "无", "√"],
        }
    )
    assert found.firms["titles"].fillna("").tolist() == [
        "专精特新；高新技术企业",
        "高新技术企业；小巨人（国家级）",
        "高新技术企业",
        "",
        "瞪羚；小巨人",
    ]


@pytest.mark.parametrize(
    ("cell", "stage"),
    [
        ("线索", "lead"),
        ("研判", "screened"),
        ("已对接", "contacted"),
        ("考察", "visited"),
        ("洽谈中", "negotiating"),
        ("签约", "signed"),
        ("注册", "registered"),
        ("开工建设中", "building"),
        ("投产", "producing"),
        ("搁置", "paused"),
        ("流失", "lost"),
        ("Negotiating", "negotiating"),
    ],
)
def test_stages_have_one_id_each(cell, stage) -> None:
    assert cleaned({"企业": ["甲"], "阶段": [cell]}).firms["stage"].item() == stage


def test_the_reason_of_a_loss_is_kept_in_the_note() -> None:
    found = cleaned({"企业": ["甲"], "阶段": ["流失（地价太高）"], "备注": ["老乡"]})
    assert found.firms["stage"].item() == "lost"
    assert found.firms["note"].item() == "老乡；地价太高"


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("存续", "active"), ("在业", "active"), ("开业", "active"), ("在营", "active"),
        ("注销", "deregistered"), ("吊销", "revoked"), ("吊销，未注销", "revoked"),
        ("吊销，已注销", "deregistered"), ("迁出", "moved_out"), ("停业", "suspended"),
        ("清算", "liquidating"), ("Active", "active"), ("inactive", None),
    ],
)  # fmt: skip
def test_statuses_have_one_id_each(cell, status) -> None:
    value = cleaned({"企业": ["甲"], "登记状态": [cell]}).firms["status"].item()
    assert (value if isinstance(value, str) else None) == status


def test_sheets_follow_each_other_and_the_readers_own_problems_count() -> None:
    aside = Problem(4, None, "合计", Text(zh="企业", en="a firm"), "totals_row", "乙表", True)
    found = cleaned(
        text_table({"企业": ["甲"]}, "甲表"),
        text_table({"公司名称": ["乙", None], "注册资本": ["x", "1"]}, "乙表", [aside]),
    )
    assert found.firms["sheet"].tolist() == ["甲表", "乙表"]
    assert found.firms["row"].tolist() == [2, 2]
    assert [(p.sheet, p.row, p.code) for p in found.problems] == [
        ("乙表", 2, "bad_amount"),
        ("乙表", 3, "no_name"),
        ("乙表", 4, "totals_row"),
    ]
    assert found.rows_in == 4


def test_many_problems_of_a_kind_are_counted_and_not_listed() -> None:
    many = MOST_OF_A_KIND + 5
    found = cleaned({"企业": [f"甲{at}" for at in range(many)], "注册资本": ["x"] * many})
    assert len(found.problems) == MOST_OF_A_KIND
    assert "另有 5 处" in notices(found)


def test_spreadsheet_errors_are_told() -> None:
    found = cleaned({"企业": ["甲"], "经营范围": ["#VALUE!"], "注册资本": ["#DIV/0!"]})
    assert [code for _, _, code in codes(found)] == ["cell_error", "cell_error"]
    assert found.firms["business_scope"].isna().all()


HEADERS = {
    "企业名称": [
        "甲公司",
        "乙有限公司",
        "乙有限责任公司",
        "NA",
        "-",
        "丙（曾用名：甲公司）",
        None,
        "江西丁",
    ],
    "统一社会信用代码": [CODE, "91441900MA51XAPG4N", "9.1E+17", "360727210012345", "x", None],
    "注册资本": ["100", "1.2亿", "500万美元", "-", "x", "-5", "inf", None],
    "成立日期": ["2016-11-30", "42704", "2024-02-30", "2030-01-01", "去年", None],
    "研发占比": ["12%", "12", "0.5", "0", "x", None],
    "员工数": ["100-499人", "小于50人", "7", "x", None],
    "所属城市": ["南昌市", "深圳", "昆山", "Basel", None],
    "注册地址": ["江西省南昌市", "深圳市", "江西中路", None],
    "曾用名": ["甲公司", "乙有限公司；丙", None],
    "阶段": ["签约", "流失（钱）", "拟签约", None],
    "备注": ["13812345678", "好", "\x00", None],
}


@st.composite
def messy_rows(draw) -> list[dict[str, str | None]]:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    rows = draw(st.integers(0, 7))
    cell = {name: st.one_of(st.sampled_from(values), text) for name, values in HEADERS.items()}
    return [{name: draw(cell[name]) or None for name in HEADERS} for _ in range(rows)]


def as_table(rows: list[dict[str, str | None]], numbers: list[int]) -> TextTable:
    table = text_table({name: [row[name] for row in rows] for name in HEADERS})
    return TextTable(table.headers, table.cells, np.array(numbers, dtype=np.int64), None)


@given(messy_rows(), st.randoms(use_true_random=False))
def test_no_row_vanishes_and_the_order_of_rows_decides_nothing(rows, random) -> None:
    numbers = list(range(2, len(rows) + 2))
    shuffled = list(zip(rows, numbers, strict=True))
    random.shuffle(shuffled)
    first = settle_repeats(cleaned(as_table(rows, numbers)))
    second = settle_repeats(
        cleaned(as_table([row for row, _ in shuffled], [number for _, number in shuffled]))
    )
    for found in (first, second):
        aside = [problem.row for problem in found.problems if problem.set_aside]
        assert sorted(aside + found.firms["row"].tolist()) == numbers
        assert found.rows_in == len(rows)
        assert found.firms.index.tolist() == list(range(len(found.firms)))
        for each in CANONICAL:
            assert found.firms[each.name].dtype == each.dtype
    values = [
        found.firms.drop(columns=["row", "sheet"]).sort_values(
            [each.name for each in CANONICAL], ignore_index=True
        )
        for found in (first, second)
    ]
    pd.testing.assert_frame_equal(*values)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("1. 深圳某某有限公司", "深圳某某有限公司"),
        ("2、深圳某某有限公司", "深圳某某有限公司"),
        ("★深圳某某有限公司", "深圳某某有限公司"),
        ("* ABC Ltd", "ABC Ltd"),
        ("①深圳某某有限公司", "深圳某某有限公司"),
        ("一、深圳某某有限公司", "深圳某某有限公司"),
        ("*ST某某", "*ST某某"),
        ("58同城有限公司", "58同城有限公司"),
        ("3.14公司", "3.14公司"),
        ("360", "360"),
        ("1、甲", "1、甲"),
    ],
)
def test_a_number_or_star_before_a_name_goes_if_a_name_is_left(written, name) -> None:
    assert cleaned({"企业": [written]}).firms["name"].tolist() == [name]


def test_none_is_an_answer_in_some_columns_and_unknown_in_others() -> None:
    for word in ("无", "没有", " 暂无 "):
        firm = cleaned(
            {
                "企业": ["甲公司"],
                "风险": [word],
                "资质": [word],
                "融资轮次": [word],
                "专利数": [word],
                "分支机构数": [word],
                "经营范围": [word],
                "员工数": [word],
            }
        ).firms.iloc[0]
        assert firm[["risk", "titles", "funding"]].tolist() == ["无"] * 3
        assert firm[["patents", "branches"]].tolist() == [0, 0]
        assert firm[["business_scope", "staff"]].isna().all()
    unknown = cleaned({"企业": ["甲公司"], "风险": ["暂无数据"], "专利数": ["-"]}).firms.iloc[0]
    assert unknown[["risk", "patents"]].isna().all()


def test_none_does_not_stand_beside_a_title() -> None:
    found = cleaned({"企业": ["甲公司", "乙公司"], "资质": ["无", "无"], "小巨人": ["是", "否"]})
    assert found.firms["titles"].tolist() == ["小巨人", "无"]


@pytest.mark.parametrize("header", ["是否上市", "上市状态"])
def test_whether_a_firm_is_listed_joins_its_funding(header) -> None:
    found = cleaned(
        {
            "企业": [f"{at}公司" for at in "甲乙丙丁戊己"],
            header: ["是", "否", "无", "-", "是", "否"],
            "融资轮次": [None, None, None, None, "C轮", "A轮"],
        }
    )
    funding = found.firms["funding"].tolist()
    assert funding[:3] == ["已上市", "未上市", "未上市"]
    assert pd.isna(funding[3])
    assert funding[4:] == ["C轮；已上市", "A轮"]
    assert found.problems == ()


def test_more_ways_to_write_amounts_counts_and_headers() -> None:
    firm = cleaned(
        {
            "企业": ["甲公司"],
            "注册资本": ["1000w"],
            "投资规模": ["2000W"],
            "员工数": ["大于500人"],
            "发明专利": ["12"],
            "总部所在地": ["深圳"],
            "注册地址/办公地址": ["深圳市南山区"],
            "国家级专精特新“小巨人”企业": ["是"],
        }
    ).firms.iloc[0]
    assert (firm["registered_capital_cny"], firm["intended_investment_cny"]) == (1e7, 2e7)
    assert (firm["staff"], firm["patents"], firm["city_code"]) == (500, 12, "4403")
    assert firm["registered_address"] == "深圳市南山区"
    assert "小巨人" in firm["titles"]
