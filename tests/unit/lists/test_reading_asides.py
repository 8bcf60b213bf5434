from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadscore.errors import ListError
from leadscore.lists.reading.footnotes import without_totals_and_notes
from leadscore.lists.reading.header import header_of
from leadscore.lists.reading.table import TextTable

HEADERS = ("序号", "企业名称", "意向投资额（亿元）", "备注")


def tidied(*rows: tuple[str | None, ...]) -> TextTable:
    cells = pd.DataFrame(list(rows), dtype="str", columns=pd.RangeIndex(len(HEADERS)))
    table = TextTable(HEADERS, cells, np.arange(2, len(rows) + 2))
    return without_totals_and_notes(table, header_of(HEADERS), "list.csv")


FIRM = ("1", "甲公司", "1.5", "好")


@pytest.mark.parametrize(
    "row",
    [
        ("合计", None, "21.5", None),
        (None, "总计：", "1,234.5", None),
        ("小 计", None, "２１", None),
        ("合计：35家", None, None, None),
        ("合计（亿元）", "35家", "21.5亿元", None),
        ("Total", None, "21.5", None),
        (None, "subtotal", "21.5", None),
    ],
)
def test_a_row_of_totals_is_set_aside_wherever_it_stands(row):
    table = tidied(FIRM, row, FIRM)

    assert table.cells[1].tolist() == ["甲公司", "甲公司"]
    assert table.rows.tolist() == [2, 4]
    (problem,) = table.problems
    assert (problem.row, problem.code, problem.set_aside) == (3, "totals_row", True)


@pytest.mark.parametrize(
    "row",
    [
        ("2", "合计电子有限公司", "3", None),
        ("2", "Total", "3", "an oil company from France"),
        ("2", "总计科技", None, None),
        ("共计划", "乙公司", None, None),
    ],
)
def test_a_firm_whose_name_only_sounds_like_a_total_stays(row):
    table = tidied(FIRM, row)

    assert len(table.cells) == 2
    assert table.problems == ()


def test_blank_rows_vanish_without_a_problem():
    table = tidied(FIRM, (None,) * 4, (" ", "\u3000", None, "\t"), FIRM)

    assert table.rows.tolist() == [2, 5]
    assert table.problems == ()


def test_a_note_below_the_list_is_set_aside_without_its_text():
    table = tidied(FIRM, ("填表人：某某某 13800000000", None, None, None))

    (problem,) = table.problems
    assert (problem.row, problem.code, problem.found) == (3, "footnote_row", "填表人：")


def test_a_header_that_comes_again_is_set_aside():
    table = tidied(FIRM, HEADERS, ("序号", "公司名称", "意向投资额(亿元)", "备注"), FIRM)

    assert table.rows.tolist() == [2, 5]
    assert [problem.code for problem in table.problems] == ["header_again"] * 2


def test_the_header_of_another_table_is_refused_as_its_columns_would_be_mistaken():
    with pytest.raises(ListError, match="two lists") as caught:
        tidied(FIRM, ("成立日期", "企业名称", "注册地址", "注册资本"), FIRM)

    assert caught.value.details[0].where == "list.csv:3"


def test_a_firm_called_company_is_a_firm():
    table = tidied(FIRM, ("2", "公司", "3", None))

    assert table.cells[1].tolist() == ["甲公司", "公司"]


def test_a_column_that_hangs_over_is_dropped_only_if_it_is_empty():
    cells = pd.DataFrame([["甲公司", None, "x", None]], dtype="str", columns=pd.RangeIndex(4))
    table = TextTable(("企业名称", "", "", ""), cells, np.array([2]))

    kept = without_totals_and_notes(table, header_of(table.headers), "list.csv")
    assert kept.headers == ("企业名称", "", "")
    assert kept.cells.shape == (1, 3)


@pytest.mark.parametrize(
    "row",
    [
        (None, "一、电子信息产业", None, None),
        ("二、汽车（12 家）", None, None, None),
        (None, "电子信息（35家）", None, None),
        ("（以下空白）", None, None, None),
        (None, "以下空白", None, None),
    ],
)
def test_a_heading_or_a_mark_of_the_end_is_set_aside(row):
    table = tidied(FIRM, row, FIRM)

    assert table.rows.tolist() == [2, 4]
    (problem,) = table.problems
    assert (problem.row, problem.code, problem.set_aside) == (3, "heading_row", True)


@pytest.mark.parametrize("row", [("平均", None, "21.5", None), (None, "平均值", "3", None)])
def test_a_row_of_averages_is_set_aside_like_totals(row):
    assert [problem.code for problem in tidied(FIRM, row).problems] == ["totals_row"]


@pytest.mark.parametrize(
    "row",
    [
        (None, "一、深圳某某有限公司", None, None),
        ("3", "一、电子信息产业", None, None),
        (None, "甲电子有限公司", None, None),
        (None, "三一重工", None, None),
    ],
)
def test_a_row_that_may_be_a_firm_is_no_heading(row):
    table = tidied(FIRM, row)

    assert table.rows.tolist() == [2, 3]
    assert table.problems == ()
