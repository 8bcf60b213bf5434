from __future__ import annotations

import pytest

from leadscore.lists.columns import recognise
from leadscore.lists.reading.header import NAMES_THAT_DO, NAMING, find_header, no_header


def rows_of(text: str) -> list[list[str]]:
    return [line.split("|") for line in text.strip("\n").split("\n")]


def found(text: str, merges=None):
    return find_header(rows_of(text), merges)


def test_the_header_stands_below_titles_and_notes():
    header = found(
        """
某市2026年招商线索表||
填报单位：商务局|日期：2026-01-01|

序号|企业|主要产品
1|甲公司|电池
"""
    )
    assert (header.first, header.last) == (3, 3)
    assert header.names == ("序号", "企业", "主要产品")


def test_a_row_of_parents_is_written_over_its_children():
    header = found(
        """
基本情况|||项目|
企业名称|注册资本|所在地|投资额|备注
甲公司|100万|深圳|2|
"""
    )
    assert (header.first, header.last) == (0, 1)
    assert header.names == (
        "基本情况/企业名称",
        "基本情况/注册资本",
        "基本情况/所在地",
        "项目/投资额",
        "项目/备注",
    )
    assert header.name_at == 0


def test_children_below_a_header_are_joined_to_it():
    header = found(
        """
序号|企业|工商信息||备注
||注册资本|2023年营业收入（万元）|
1|甲公司|100万|3000|好
"""
    )
    assert (header.first, header.last) == (0, 1)
    assert header.names[2:] == ("工商信息/注册资本", "工商信息/2023年营业收入（万元）", "备注")


@pytest.mark.parametrize("first", ["|深圳|电池|", "乙公司|||", "|||100-499人"])
def test_a_first_firm_with_missing_cells_is_not_taken_for_children(first):
    header = found(f"企业|城市|产品|人数\n{first}\n甲公司|广州|电池|5\n")

    assert (header.first, header.last) == (0, 0)


def test_merges_tell_parents_from_a_title():
    text = "招商线索表|||\n企业|项目情况||备注\n|产品|投资额|\n甲公司|电池|3|"
    title = ((0, 0), (0, 3))
    parent = ((1, 1), (1, 2))
    down = [((1, 0), (2, 0)), ((1, 3), (2, 3))]

    header = found(text, [title, parent, *down])
    assert (header.first, header.last) == (1, 2)
    assert header.names == ("企业", "项目情况/产品", "项目情况/投资额", "备注")


def test_without_merges_in_a_workbook_no_rows_are_joined():
    header = found("企业|城市||\n|深圳|某某|甲\n", [])

    assert (header.first, header.last) == (0, 0)


def test_two_rows_may_name_firms_together_where_neither_does_alone():
    header = found("项目|企业||\n|名称|城市|\n1|甲公司|深圳|\n")

    assert header is not None
    assert header.names[1].endswith("名称")
    assert header.name_at == 1


def test_a_dictionary_of_columns_is_no_list():
    assert found("企业名称|必填\n注册资本|万元\n成立日期|年月日\n") is None


def test_a_single_column_of_names_is_a_list():
    header = found("企业名称\n甲公司\n乙公司\n")

    assert header.names == ("企业名称",)


def test_one_known_header_among_many_unknown_ones_is_enough():
    header = found("代号|企业|甲|乙|丙\n1|甲公司|x|y|z\n")

    assert header.name_at == 1


def test_the_first_header_counts_even_if_a_later_one_knows_more():
    header = found("企业|城市\n甲公司|深圳\n\n企业|城市|注册资本|成立日期\n乙公司|广州|1|2\n")

    assert header.first == 0


def test_the_matched_name_of_a_batch_query_names_firms():
    header = found("原文件导入名称|系统匹配企业名称|登记状态\n甲|甲公司|存续\n")

    assert header.columns[header.name_at].kind in NAMING


def test_the_headers_that_an_error_proposes_would_do():
    assert {recognise(name).kind for name in NAMES_THAT_DO} == {"name"}


def test_the_error_without_header_repeats_no_phone_number_and_no_address_of_mail():
    error = no_header("x.csv", [("x.csv", [["甲公司", "13800000000", "a@b.cn", "深圳"]])])

    assert error.details[0].got == "甲公司, …, …, 深圳"
    assert "企业名称" in error.details[0].wanted.zh
