"""Amounts are read in the unit that stands above the headers; a doubtful unit is pointed out."""

from datetime import date

import pytest
from openpyxl import Workbook

from leadscore.lists.cleaning import CleanList
from leadscore.lists.dedupe import load_list

TODAY = date(2026, 11, 24)
ROWS = [
    ["企业名称", "注册资本", "营业收入（亿元）"],
    ["甲公司", "500", "2"],
    ["乙公司", "1亿", "3"],
]


def loaded(path, title: list[str], rows=ROWS) -> CleanList:
    if path.suffix == ".xlsx":
        book = Workbook()
        for row in [title, *rows]:
            book.active.append(row)
        book.save(path)
    else:
        lines = [",".join(row) for row in [title, *rows]]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_list(path, today=TODAY)


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
@pytest.mark.parametrize(
    "title", [["企业名单", "", "单位：万元"], ["企业名单（单位:万元）"], ["金额单位： 万元"]]
)
def test_a_unit_above_the_headers_counts_where_a_column_has_none(tmp_path, name, title) -> None:
    found = loaded(tmp_path / name, title)
    assert found.firms["registered_capital_cny"].tolist() == [5e6, 1e8]
    assert found.firms["revenue_cny"].tolist() == [2e8, 3e8]
    assert not any("疑为万元" in notice.zh for notice in found.notices)


def test_small_amounts_without_a_unit_are_missing_until_somebody_names_it(tmp_path) -> None:
    found = loaded(tmp_path / "a.csv", ["填报单位：市投促局"])
    assert found.firms["registered_capital_cny"].fillna(-1).tolist() == [-1, 1e8]
    (problem,) = found.problems
    assert (problem.code, problem.row, problem.column) == ("unit_unknown", None, "注册资本")
    (notice,) = [each for each in found.notices if "疑为万元" in each.zh]
    assert "“注册资本”" in notice.zh
    assert "--unit 注册资本=万元" in notice.en
    assert "营业收入" not in notice.zh


@pytest.mark.parametrize(
    ("header", "expected"), [("注册资本（万元）", [5e6, 1e8]), ("注册资本（元）", [500, 1e8])]
)
def test_a_unit_in_the_header_settles_the_doubt(tmp_path, header, expected) -> None:
    rows = [["企业名称", header], ["甲公司", "500"], ["乙公司", "1亿"]]
    found = loaded(tmp_path / "a.csv", ["企业名单"], rows)
    assert found.firms["registered_capital_cny"].tolist() == expected
    assert "unit_unknown" not in {problem.code for problem in found.problems}


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("注册资本", ["5000000", "800"]),
        ("注册资本（元）", ["500", "800"]),
        ("注册资本", ["500万", "800万"]),
        ("registered_capital_cny", ["500", "800"]),
        ("净利润", ["500", "800"]),
    ],
)
def test_nothing_is_doubted_that_is_plausible_or_has_a_unit(tmp_path, header, cells) -> None:
    rows = [["企业名称", header], *(["甲公司" + cell, cell] for cell in cells)]
    found = loaded(tmp_path / "a.csv", ["企业名单"], rows)
    assert not any("疑为万元" in notice.zh for notice in found.notices)
