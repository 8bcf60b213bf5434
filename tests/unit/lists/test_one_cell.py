"""One cell under its header, from a file to its value, or to a problem that tells of it."""

import csv
from datetime import date
from pathlib import Path

import pytest

from leadscore.lists.cleaning import CleanList, clean, clean_records
from leadscore.lists.columns import read_heading
from leadscore.lists.reading import read_list
from leadscore.lists.values.words import unguarded

CODE = "91110000600037341L"
TODAY = date(2026, 1, 1)


def read_rows(folder: Path, *rows: list[str]) -> CleanList:
    path = folder / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return clean(read_list(path), today=TODAY)


def read_cell(folder: Path, header: str, cell: str) -> tuple[object, list[str]]:
    firms = read_rows(folder, ["企业名称", header], ["某甲科技有限公司", cell])
    heading = read_heading(header)
    assert heading is not None
    value = firms.records[0].get(heading.column.name)
    codes = [problem.code for problem in firms.problems]
    return (value.isoformat() if isinstance(value, date) else value), codes


@pytest.mark.parametrize(
    "guard", ["'{}", "`{}", '="{}"', '"{}"', "“{}”", "‘{}", " '{}", "\ufeff'{}"]
)
@pytest.mark.parametrize(
    ("header", "cell", "value"),
    [
        ("统一社会信用代码", CODE, CODE),
        ("证券代码", "000001", "000001"),
        ("注册资本（万元）", "1,000.00", 1e7),
        ("净利润（万元）", "-500", -5e6),
        ("员工数", "100-499人", 223.0),
        ("研发占比", "4.1%", 0.041),
        ("成立日期", "2015-04-08", "2015-04-08"),
        ("登记状态", "存续", "active"),
        ("城市", "深圳", "深圳"),
        ("阶段", "洽谈", "negotiating"),
        ("企业简介", "芯片", "芯片"),
    ],
)
def test_a_guard_is_no_part_of_any_cell(tmp_path, guard, header, cell, value) -> None:
    assert read_cell(tmp_path, header, guard.format(cell)) == (value, [])


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("'某甲公司", "某甲公司"),
        ('"某甲公司"', "某甲公司"),
        ("“某甲公司”", "某甲公司"),
        ("'=某甲公司", "=某甲公司"),
        ("某甲公司；", "某甲公司"),
        ("某甲公司。", "某甲公司"),
        ("“某甲”公司", "“某甲”公司"),
        ("《某甲》报社", "《某甲》报社"),
        ("'t Hooft B.V.", "'t Hooft B.V."),
        ("A Co., Ltd.", "A Co., Ltd."),
    ],
)
def test_marks_around_a_name_go_and_those_within_stay(tmp_path, cell, name) -> None:
    assert read_rows(tmp_path, ["企业名称"], [cell]).records == [{"name": name}]


@pytest.mark.parametrize(
    ("cell", "titles"), [("'是", "高新技术企业"), ("是；", "高新技术企业"), ('"否"', None)]
)
def test_an_answer_is_understood_with_marks_around_it(tmp_path, cell, titles) -> None:
    firms = read_rows(tmp_path, ["企业名称", "高新技术企业"], ["某甲公司", cell])
    assert firms.records[0].get("titles") == titles


def test_a_request_enters_by_the_same_door() -> None:
    records = [{"name": '"某甲公司"', "credit_code": f'="{CODE}"', "net_profit_cny": "'-500"}]
    (answer,) = clean_records(records, today=TODAY)
    assert answer.firm["name"] == "某甲公司"
    assert answer.firm["credit_code"] == CODE
    assert answer.firm["net_profit_cny"] == -500.0


@pytest.mark.parametrize("text", ["甲", "“甲”公司", "a=1", "'甲'和'乙'", "=1+1", "", "1'000"])
def test_what_is_no_guard_stays(text) -> None:
    assert unguarded(text) == text


@pytest.mark.parametrize(
    ("header", "cell", "value"),
    [
        ("注册资本", "1000万元。", 1e7),
        ("注册资本", "註冊資本：人民幣壹仟萬元整；", 1e7),
        ("意向投资额", "暂定5亿元", 5e8),
        ("注册资本", "1000万元，", 1e7),
        ("注册资本", "1000万元（未实缴）", 1e7),
        ("注册资本", "1000万元（不含土地款）", 1e7),
        ("注册资本（万元）", "1.005", 10050.0),
        ("注册资本", "1.1万元", 11000.0),
        ("净利润（万元）", "盈利500", 5e6),
        ("净利润（万元）", "净亏损500万元", -5e6),
        ("净利润（万元）", "亏损：500", -5e6),
        ("意向投资额", "投资5亿元", 5e8),
        ("意向投资额", "拟投资约 5 亿元；", 5e8),
        ("意向投资额", "总投资额达5亿元", 5e8),
        ("意向投资额（亿元）", "投资2-3亿元", 2.5e8),
        ("研发占比", "占比4.1%", 0.041),
        ("研发占比", "6.9％，", 0.069),
        ("营收增长率", "同比增长5.5%", 0.055),
        ("营收增长率", "同比下降5.5%", -0.055),
        ("营收增长率", "负增长5.5%", -0.055),
        ("员工数", "300人(含外包)", 300.0),
        ("员工数", "在职300人；", 300.0),
        ("参保人数", "12人 (2022年报)", 12.0),
        ("专利数", "12件（含发明）", 12.0),
        ("专利数", "授权专利12项", 12.0),
        ("专利数", "12件专利", 12.0),
        ("成立日期", "公司成立于2015年4月8日。", "2015-04-08"),
        ("成立日期", "2015-04-08（注册）", "2015-04-08"),
        ("上市日期", "2015-04-08挂牌", "2015-04-08"),
        ("统一社会信用代码", f"USCC:{CODE}；", CODE),
        ("统一社会信用代码", f"税号：{CODE}", CODE),
    ],
)
def test_words_of_the_column_may_stand_around_a_value(tmp_path, header, cell, value) -> None:
    assert read_cell(tmp_path, header, cell) == (value, [])


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("注册资本", "1000万元（2023年）"),
        ("注册资本", "1000万元…"),
        ("注册资本", "1000万元以下"),
        ("注册资本", "不超过1000万元"),
        ("注册资本", "1000万元(-)"),
        ("实缴资本", "1000万元（未实缴）"),
        ("意向投资额", "取消投资5亿元"),
        ("意向投资额", "未投资5亿元"),
        ("意向投资额", "投资5亿元（一期2亿元）"),
        ("研发占比", "增长5%"),
        ("研发占比", "5%-8%"),
        ("净资产收益率", "下降5%"),
        ("员工数", "300.5"),
        ("员工数", "300人（研发50人）"),
        ("员工数", "研发50人"),
        ("专利数", "12件（发明5件）"),
        ("专利数", "12件（2023年报）"),
        ("成立日期", "2015-04-08至2035-04-07"),
        ("成立日期", "约2015年"),
        ("统一社会信用代码", f"{CODE}（旧）"),
    ],
)
def test_what_says_more_than_one_value_is_told(tmp_path, header, cell) -> None:
    value, codes = read_cell(tmp_path, header, cell)
    assert value is None
    assert len(codes) == 1


@pytest.mark.parametrize(
    ("city", "place", "codes"),
    [
        ("深圳、东莞", ("44", None), ["ambiguous_place"]),
        ("深圳/上海", (None, None), ["ambiguous_place"]),
        ("北京、上海", (None, None), ["ambiguous_place"]),
        ("新北", (None, None), ["ambiguous_place"]),
        ("九龙", (None, None), ["ambiguous_place"]),
        ("苏州/昆山", ("32", "3205"), []),
        ("广东 深圳", ("44", "4403"), []),
        ("长春 朝阳", ("22", "2201"), []),
        ("呼和浩特", ("15", "1501"), []),
        ("中国·深圳", ("44", "4403"), []),
        ("雄安", ("13", None), []),
    ],
)
def test_a_cell_that_names_two_cities_places_nobody_in_either(tmp_path, city, place, codes) -> None:
    firms = read_rows(tmp_path, ["企业名称", "城市"], ["某甲科技有限公司", city])
    firm = firms.records[0]
    assert (firm.get("province_code"), firm.get("city_code")) == place
    assert [problem.code for problem in firms.problems] == codes


def test_keys_of_the_registers_interfaces_are_known(tmp_path) -> None:
    (one,) = read_rows(
        tmp_path,
        ["Name", "OperName", "RegistCapi", "StartDate", "Status", "Address", "InsuredCount"],
        ["某甲公司", "某人", "1000万元人民币", "2015-04-08 00:00:00", "存续", "南昌市1号", "12"],
    ).records
    (other,) = read_rows(
        tmp_path,
        ["name", "regCapital", "estiblishTime", "regStatus", "regLocation", "staffNumRange"],
        ["某甲公司", "1000万人民币", "1428422400000", "存续", "南昌市1号", "50-99人"],
    ).records
    assert one.pop("insured_staff") == 12.0
    assert other.pop("staff") == 70.0
    assert one == other
    assert one["registered_capital_cny"] == 1e7
    assert one["founded_on"] == date(2015, 4, 8)
    assert one["status"] == "active"


@pytest.mark.parametrize(
    ("province", "city", "place", "codes"),
    [
        ("北京市", "上海", ("31", "3100"), ["place_conflict"]),
        ("香港", "深圳", ("44", "4403"), ["place_conflict"]),
        ("北京市", "朝阳", ("11", "1100"), []),
        ("上海", "浦东", ("31", "3100"), []),
        ("吉林", "吉林", ("22", "2202"), []),
        ("四川", "九龙", ("51", "5133"), []),
        ("香港", "九龙", ("81", "8100"), []),
    ],
)
def test_a_city_that_is_its_province_hides_no_other(tmp_path, province, city, place, codes) -> None:
    firms = read_rows(tmp_path, ["企业名称", "省份", "城市"], ["某甲公司", province, city])
    firm = firms.records[0]
    assert (firm.get("province_code"), firm.get("city_code")) == place
    assert [problem.code for problem in firms.problems] == codes


def test_headers_of_wind_name_their_unit_and_year(tmp_path) -> None:
    headers = [
        "公司中文名称", "注册资本\n[单位] 万元", "营业总收入\n[报告期] 2023年报\n[单位] 亿元",
        "净利润\n[报告期] 2023-12-31\n[单位] 万元", "员工总数\n[单位] 人",
        "研发费用占营业收入比例\n[报告期] 2023年报\n[单位] %",
        "营业收入(同比增长率)\n[报告期] 2023年报\n[单位] %", "首发上市日期",
        "资产总计\n[报告期] 2023中报\n[单位] 元",
    ]  # fmt: skip
    cells = ["某甲公司", "100,000", "12.35", "-500.00", "1,200", "6.9", "-5.5", "2015-04-08", "9"]
    firms = read_rows(tmp_path, headers, cells)
    assert firms.records[0] == {
        "name": "某甲公司", "registered_capital_cny": 1e9, "revenue_cny": 1.235e9,
        "net_profit_cny": -5e6, "staff": 1200.0, "rd_share": 0.069, "revenue_growth": -0.055,
        "listed_on": date(2015, 4, 8),
    }  # fmt: skip
    assert any("2023中报" in notice.zh for notice in firms.notices)  # half a year is no year
