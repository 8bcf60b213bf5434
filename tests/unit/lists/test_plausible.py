"""Whole columns of figures are looked at: a unit that nobody knows is asked for, not guessed."""

from datetime import date

import pytest

from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.dedupe import load_list
from leadscore.lists.reading import read_list

TODAY = date(2026, 11, 24)


def read(path, header: str, cells: list[str]) -> CleanList:
    lines = ["企业名称," + header, *(f'第{at}公司,"{cell}"' for at, cell in enumerate(cells))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return clean(read_list(path), today=TODAY)


def column(found: CleanList, name: str = "registered_capital_cny") -> list[float | None]:
    return [firm.get(name) for firm in found.records]  # type: ignore[misc]


def doubts(found: CleanList) -> list[tuple[str, str | None]]:
    # Of whole columns only; every one of them is told as a notice, too.
    told = [(problem.code, problem.column) for problem in found.problems if problem.row is None]
    assert all(any(str(header) in notice.zh for notice in found.notices) for _, header in told)
    return told


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        ("注册资本", ["700", "900", "1200"], [None, None, None]),
        ("注册资本", ["700", "9000万", "1200", "0"], [None, 9e7, None, None]),
        ("注册资本", ["¥700.00", "RMB 900", "1,200"], [None, None, None]),
        ("注册资本（人民币）", ["700", "900", "1200"], [None, None, None]),
        ("注册资本", ["700"], [None]),
        ("注册资本", ["20000"], [None]),
        ("注册资本", ["50000"], [5e4]),  # some firm's 50,000 yuan
        ("注册资本", ["50000", "60000", "70000"], [None, None, None]),
        ("注册资本", ["7000000", "900", "12000000"], [7e6, 900.0, 1.2e7]),
        ("注册资本", ["700美元", "900", "1200"], [7 * 719.0, None, None]),
        ("注册资本（元）", ["700", "900", "1200"], [700.0, 900.0, 1200.0]),
        ("注册资本（万元）", ["700", "900", "1200"], [7e6, 9e6, 1.2e7]),
        ("registered_capital_cny", ["700", "900", "1200"], [700.0, 900.0, 1200.0]),
    ],
)
def test_capital_of_an_unknown_unit_is_missing_until_somebody_names_it(
    tmp_path, header, cells, expected
) -> None:
    found = read(tmp_path / "a.csv", header, cells)
    assert column(found) == pytest.approx(expected)
    unknown = ("unit_unknown", header) in doubts(found)
    assert unknown is (None in [value for value, cell in zip(expected, cells, strict=True)
                                if cell != "0"])  # fmt: skip
    assert {problem.code for problem in found.problems} <= {"unit_unknown", "implausible_column"}


@pytest.mark.parametrize(
    ("header", "name"),
    [("营业收入", "revenue_cny"), ("总资产", "total_assets_cny"), ("净利润", "net_profit_cny"),
     ("实缴资本", "paid_in_capital_cny"), ("意向投资额", "intended_investment_cny")],
)  # fmt: skip
def test_so_is_any_other_money(tmp_path, header, name) -> None:
    found = read(tmp_path / "a.csv", header, ["700", "900", "1200"])
    assert column(found, name) == [None, None, None]
    assert doubts(found) == [("unit_unknown", header)]


def test_a_loss_of_a_few_yuan_can_be_one_firm_s(tmp_path) -> None:
    found = read(tmp_path / "a.csv", "净利润", ["-700"])
    assert (column(found, "net_profit_cny"), doubts(found)) == ([-700.0], [])


@pytest.mark.parametrize(
    ("cells", "expected", "doubt"),
    [
        (["700元", "900元", "1200元"], [None, None, None], "unit_contradicted"),
        (["700元"], [None], "unit_contradicted"),
        (["7000000元", "9000000元", "12000000元"], [7e6, 9e6, 1.2e7], "unit_overruled"),
        (["700", "900元", "1200"], [7e6, 900.0, 1.2e7], None),
        (["700万元", "900", "1.2亿元"], [7e6, 9e6, 1.2e8], None),
    ],
)
def test_cells_that_write_yuan_under_another_unit_are_told(
    tmp_path, cells, expected, doubt
) -> None:
    found = read(tmp_path / "a.csv", "注册资本（万元）", cells)
    assert column(found) == expected
    assert doubts(found) == ([(doubt, "注册资本（万元）")] if doubt else [])


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("注册资本（万元）", ["60000000", "90000000", "5000000"]),
        ("注册资本（元）", ["600", "900", "500"]),
        ("营业收入（亿元）", ["600000", "900000", "50000"]),
        ("研发投入占比（%）", ["0.065", "0.041", "0.12"]),
        ("员工人数", ["160000", "450000", "230000"]),
        ("专利数", ["913601", "913602", "913603"]),
    ],
)
def test_an_implausible_column_is_named_and_read_as_it_says(tmp_path, header, cells) -> None:
    found = read(tmp_path / "a.csv", header, cells)
    assert doubts(found) == [("implausible_column", header)]
    assert all(len(firm) == 2 for firm in found.records)


def test_two_units_in_one_column_are_named(tmp_path) -> None:
    cells = ["7000000", "8", "9000000", "7", "30000000", "6", "50000000", "9000000", "8000000", "5"]
    found = read(tmp_path / "a.csv", "注册资本", cells)
    assert doubts(found) == [("scattered_column", "注册资本")]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("注册资本（万元）", ["50", "3000", "500000", "-"]),
        ("注册资本（亿元）", ["17395"]),
        ("注册资本", ["1万元"]),
        ("净利润（万元）", ["-500", "0", "30", "20"]),
        ("研发投入占比", ["6.5%", "12%", "0.5%"]),
        ("净资产收益率（%）", ["-12", "8", "3.5"]),
        ("员工人数", ["3", "50-99人", "900000"]),
        ("分支机构数", ["0", "0", "2"]),
        ("注册资本", ["很多", "-", ""]),
    ],
)
def test_what_firms_have_is_not_doubted(tmp_path, header, cells) -> None:
    assert doubts(read(tmp_path / "a.csv", header, cells)) == []


@pytest.mark.parametrize(
    ("header", "cell", "name", "value"),
    [
        ("注册资本", "注册资本：700万元", "registered_capital_cny", 7e6),
        ("注册资本", "注册资本（万元）700", "registered_capital_cny", 7e6),
        ("注册资本（万元）", "注册资金为 700", "registered_capital_cny", 7e6),
        ("注册资本", "注册资本人民币柒佰万元整", "registered_capital_cny", 7e6),
        ("营业收入", "营收：(700万元)", "revenue_cny", -7e6),
        ("员工人数", "员工人数：120人", "staff", 120.0),
        ("研发投入占比", "研发占比：7.5%", "rd_share", 0.075),
        ("净利润（万元）", "'-700", "net_profit_cny", -7e6),
        ("净利润（万元）", "¥(700)", "net_profit_cny", -7e6),
        ("净资产收益率", "(7.5%)", "return_on_equity", -0.075),
    ],
)
def test_the_name_of_the_column_may_stand_in_the_cell(tmp_path, header, cell, name, value) -> None:
    found = read(tmp_path / "a.csv", header, [cell])
    assert column(found, name) == [pytest.approx(value)]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("header", "cell", "code"),
    [
        ("注册资本（万元）", "700\n300", "bad_amount"),
        ("注册资本", "12000（2023）", "bad_amount"),
        ("注册资本", "营业收入：700万元", "bad_amount"),
        ("注册资本", "注册资本（户）700", "bad_amount"),
        ("注册资本", "7000-1亿", "bad_amount"),
        ("注册资本（万元）", "(700)", "bad_amount"),
        ("注册资本（万元）", "700-", "bad_amount"),
        ("实缴资本", "700万元（认缴）", "bad_amount"),
        ("员工人数", "300\n50", "bad_count"),
        ("研发投入占比", "5\n6%", "bad_share"),
        ("营业收入增长率", "▲12%", "bad_share"),
        ("财务年度", "2023①", "bad_year"),
    ],
)
def test_what_is_not_understood_as_a_whole_is_shown_and_missing(
    tmp_path, header, cell, code
) -> None:
    found = load_list_of(tmp_path, header, cell)
    assert [set(firm) for firm in found.records] == [{"name"}]
    (problem,) = found.problems
    assert (problem.code, problem.row, problem.column) == (code, 2, header)
    assert problem.found == cell.replace("\n", "\\n")
    assert problem.wanted.zh.endswith("按缺失处理")


def load_list_of(tmp_path, header: str, cell: str) -> CleanList:
    path = tmp_path / "a.csv"
    path.write_text(f'企业名称,{header}\n甲公司,"{cell}"\n', encoding="utf-8")
    return load_list(path, today=TODAY)
