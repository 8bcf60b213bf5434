"""Every header that offices and vendors are known to write must find its canonical column."""

import re
from datetime import date

import pytest

from leadscore.lists.cleaning import clean
from leadscore.lists.columns import (
    CANONICAL,
    COLUMNS,
    column,
    normal_header,
    read_heading,
    recognise,
)
from leadscore.lists.problems import lay_out
from leadscore.lists.reading import read_list

QICHACHA = {
    "企业名称": "name",
    "登记状态": "status",
    "法定代表人": "legal_representative",
    "注册资本": "registered_capital_cny",
    "成立日期": "founded_on",
    "统一社会信用代码": "credit_code",
    "注册地址": "registered_address",
    "所属省份": "province",
    "所属城市": "city",
    "所属区县": "district",
    "有效手机号": "phone",
    "更多电话": "phone",
    "邮箱": "email",
    "企业(机构)类型": "enterprise_type",
    "纳税人识别号": "taxpayer_id",
    "注册号": "registration_number",
    "组织机构代码": "organisation_code",
    "参保人数": "insured_staff",
    "参保人数所属年报": "insured_staff_year",
    "营业期限": "business_term",
    "国标行业门类": "industry_section",
    "国标行业大类": "industry_division",
    "国标行业中类": "industry_group",
    "国标行业小类": "industry_class",
    "企查查行业门类": "vendor_industry_section",
    "企查查行业大类": "vendor_industry_division",
    "企查查行业中类": "vendor_industry_group",
    "企查查行业小类": "vendor_industry_class",
    "企业规模": "size_band",
    "曾用名": "former_names",
    "英文名": "name_en",
    "官网网址": "website",
    "通信地址": "postal_address",
    "通信地址邮编": "postcode",
    "企业简介": "profile",
    "经营范围": "business_scope",
}
BATCH_MATCH = {
    "原文件导入名称": "imported_name",
    "系统匹配企业名称": "matched_name",
    "企业（机构）类型": "enterprise_type",
    "企业地址": "registered_address",
    "实缴资本": "paid_in_capital_cny",
    "电话": "phone",
    "更多邮箱": "email",
    "最新年报年份": "latest_report_year",
}
TIANYANCHA = {
    "公司名称": "name",
    "经营状态": "status",
    "核准日期": "approved_on",
    "公司类型": "enterprise_type",
    "所属行业": "industry",
    "最新年报地址": "report_address",
    "网址": "website",
    "其他电话": "phone",
    "其他邮箱": "email",
}
LISTED = {
    "ts_code": "security_code",
    "交易所": "exchange",
    "注册资金": "registered_capital_cny",
    "注册资金 (万元)": "registered_capital_cny",
    "省份": "province",
    "城市": "city",
    "公司简介": "profile",
    "公司员工数": "staff",
    "主营业务": "main_business",
    "股票简称": "short_name",
    "tushare行业": "industry",
    "上市日期": "listed_on",
    "申万行业代码": "sw_industry_code",
    "申万三级行业": "sw_industry",
    "营业收入": "revenue_cny",
    "营业收入 (元)": "revenue_cny",
    "净利润": "net_profit_cny",
    "总资产": "total_assets_cny",
    "净资产收益率": "return_on_equity",
    "财务年度": "financial_year",
}
CHAIN_WORKBOOK = {
    "产业位置": "chain_position",
    "产业位置(上/中/下游)": "chain_position",
    "产业链节点": "chain_node",
    "融资上市": "funding",
    "资质": "titles",
    "资质 (高新技术企业, 专精特新, 小巨人)": "titles",
}
OFFICER = {
    "序号": "row_label",
    "企业": "name",
    "主要产品": "main_business",
    "意向投资额（亿元）": "intended_investment_cny",
    "联系人": "contact",
    "备注": "note",
}
REGISTRY = {
    "name": "name",
    "name_en": "name_en",
    "usci": "credit_code",
    "registered_currency": "registered_currency",
    "registered_capital": "registered_capital_cny",
    "establishing_time": "founded_on",
    "business_nature": "enterprise_type",
    "industry_involved": "industry",
    "registered_address": "registered_address",
    "business_scope": "business_scope",
    "staff_number": "staff",
    "state": "status",
}
KNOWN = [
    pair
    for shape in (QICHACHA, BATCH_MATCH, TIANYANCHA, LISTED, CHAIN_WORKBOOK, OFFICER, REGISTRY)
    for pair in shape.items()
]


@pytest.mark.parametrize(("header", "name"), KNOWN)
def test_every_known_header_means_its_column(header: str, name: str) -> None:
    found = recognise(header)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("each", COLUMNS, ids=lambda each: each.name)
def test_a_column_answers_to_its_own_name_and_labels(each) -> None:
    for words in (each.name, each.label.zh, each.label.en):
        assert recognise(words) is each


def test_no_two_columns_claim_one_header() -> None:
    claims = [
        (normal_header(words), each.name)
        for each in COLUMNS
        for words in {each.name, each.label.zh, each.label.en, *each.aliases}
    ]
    owners: dict[str, set[str]] = {}
    for key, name in claims:
        owners.setdefault(key, set()).add(name)
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


def test_every_column_is_explained_in_both_languages() -> None:
    for each in COLUMNS:
        assert re.search(r"[一-鿿]", each.label.zh + each.meaning.zh)
        assert re.fullmatch(r"[ -~]+", each.meaning.en), each.meaning.en


def test_canonical_columns_are_those_that_firms_have() -> None:
    assert all(each.kept for each in CANONICAL)
    assert not any(each.kept for each in COLUMNS if each not in CANONICAL)
    assert len({each.name for each in COLUMNS}) == len(COLUMNS)


def test_units_and_types_follow_from_the_kind() -> None:
    assert (column("revenue_cny").unit, column("revenue_cny").dtype) == ("CNY", "float64")
    assert (column("rd_share").unit, column("staff").unit) == ("fraction", "count")
    assert (column("founded_on").dtype, column("name").dtype) == ("datetime64[us]", "str")


@pytest.mark.parametrize(
    ("header", "times", "currency"),
    [
        ("意向投资额（亿元）", 1e8, None),
        ("注册资本(万元)", 1e4, None),
        ("营业收入/万元", 1e4, None),
        ("营业收入（元）", 1.0, None),
        ("注册资本（万美元）", 1e4, "USD"),
        ("注册资本（单位：万元）", 1e4, None),
        ("注册资本万元", 1e4, None),
        ("注册资本（万元人民币）", 1e4, "CNY"),
        ("总投资［亿元］", 1e8, None),
        ("revenue (CNY)", 1.0, "CNY"),
        ("员工人数（人）", None, None),
    ],
)
def test_a_unit_in_the_header_is_split_off(header, times, currency) -> None:
    heading = read_heading(header)
    assert heading is not None
    assert (heading.unit.times, heading.unit.currency) == (times, currency)


def test_a_bracket_with_an_unknown_unit_is_not_thrown_away() -> None:
    assert recognise("营业收入（审计后，万元）") is None
    assert recognise("企业名称（全称）") is column("name")


@pytest.mark.parametrize(
    "header", ["2023年营收（亿元）", "营业收入（2023年，亿元）", "2023年度营业收入/亿元"]
)
def test_a_year_in_the_header_is_split_off(header) -> None:
    heading = read_heading(header)
    assert heading is not None
    assert (heading.column.name, heading.year) == ("revenue_cny", 2023)
    assert heading.unit.times == 1e8


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("企业基本情况/企业名称", "name"),
        ("企业/名称", "name"),
        ("意向投资/金额（亿元）", "intended_investment_cny"),
        ("备注/其他", "note"),
    ],
)
def test_a_two_row_header_is_read_whole_then_below_then_above(header, name) -> None:
    assert recognise(header) is column(name)


def test_a_name_below_something_else_is_not_a_firm() -> None:
    assert recognise("项目/名称") is None
    assert recognise("法定代表人/名称") is column("legal_representative")


@pytest.mark.parametrize(
    "header",
    [
        "联系人/姓名",
        "对接领导手机",
        "法人代表（董事长）",
        "Contact E-mail",
        "联系方式",
        "企业负责人",
        "身份证号码",
    ],
)
def test_headers_about_people_are_personal_in_any_wording(header) -> None:
    found = recognise(header)
    assert found is not None
    assert found.personal


@pytest.mark.parametrize(
    "header", ["*企业名称：", "企 业\n名 称", "企​业名称", "ＣＯＭＰＡＮＹ　Name"]
)
def test_spelling_of_a_header_does_not_matter(header) -> None:
    assert recognise(header) is column("name")


@pytest.mark.parametrize("header", ["", " ", "天气", "segment", "法人性质", "/" * 500, "a/" * 5000])
def test_other_headers_mean_nothing(header) -> None:
    assert recognise(header) is None


def test_a_percent_unit_fits_shares_only() -> None:
    share = read_heading("研发投入占比（%）")
    assert share is not None
    assert share.unit.percent
    assert recognise("营业收入（%）") is None


def test_canonical_headers_keep_their_own_unit() -> None:
    heading = read_heading("rd_share")
    assert heading is not None
    assert heading.canonical


def test_the_layout_tells_what_is_dropped_and_puts_the_newest_year_first() -> None:
    layout = lay_out(["企业", "电话", "2022年营收", "2023年营收", "天气", ""])
    assert layout.personal == ("电话",)
    assert layout.unused == ("天气",)
    assert [source.position for source in layout.sources["revenue_cny"]] == [3, 2]
    assert "phone" not in layout.sources


def test_capital_is_counted_in_wan_yuan_only_where_the_vendor_says_so() -> None:
    tushare = lay_out(["ts_code", "公司名称", "注册资金"])
    assert tushare.vendor_units == ("注册资金",)
    assert tushare.sources["registered_capital_cny"][0].heading.unit.times == 1e4
    stated = lay_out(["ts_code", "注册资金（元）"])
    assert stated.vendor_units == ()
    assert stated.sources["registered_capital_cny"][0].heading.unit.times == 1.0
    other = lay_out(["证券代码", "公司名称", "注册资金"])
    assert other.sources["registered_capital_cny"][0].heading.unit.times is None


@pytest.mark.parametrize(
    ("header", "name", "times"),
    [
        ("上年营收（万元）", "revenue_cny", 1e4),
        ("去年营业收入", "revenue_cny", None),
        ("营业收入（上年）", "revenue_cny", None),
        ("上一年度净利润(万元)", "net_profit_cny", 1e4),
        ("年度营业收入（亿元）", "revenue_cny", 1e8),
    ],
)
def test_last_years_figure_is_that_figure(header, name, times) -> None:
    heading = read_heading(header)
    assert heading is not None
    assert (heading.column.name, heading.unit.times) == (name, times)


def test_last_years_figure_stands_in_only_where_no_other_year_is_given() -> None:
    sources = lay_out(["企业", "上年营收", "营收", "2023年营收"]).sources["revenue_cny"]
    assert [source.header for source in sources] == ["营收", "2023年营收", "上年营收"]


@pytest.mark.parametrize(
    "header", ["国家/地区", "国别", "所属国家", "国家（地区）", "Country/Region", "Country"]
)
def test_a_country_is_no_city(header) -> None:
    layout = lay_out(["企业名称", header, "城市"])
    assert [source.header for source in layout.sources["city"]] == ["城市"]
    assert not layout.unused


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("企业所在地", "city"),
        ("所属省市", "province"),
        ("省市区", "city"),
        ("区（县）", "district"),
        ("主营业务及产品", "main_business"),
        ("核心产品", "main_business"),
        ("所属领域", "industry"),
        ("企业成立时间", "founded_on"),
        ("营业额（万元）", "revenue_cny"),
        ("职工总数", "staff"),
        ("企业规模（大中小微）", "size_band"),
        ("企业地址", "registered_address"),
        ("通信地址", "postal_address"),
        ("是否高新", "title_flag"),
        ("参展企业", "name"),
    ],
)
def test_headers_of_officers_sheets_are_known(header, name) -> None:
    heading = read_heading(header)
    assert heading is not None
    assert heading.column.name == name


def test_bands_of_people_under_the_size_of_a_firm_are_its_staff(tmp_path) -> None:
    path = tmp_path / "list.csv"
    for cells, expected in (
        (("100-499人", "小于50人"), ("staff", 299.5)),
        (("大型", "规模以上"), ("size_band", "大型")),
    ):  # fmt: skip
        rows = "".join(f"某{at}公司,{cell}\n" for at, cell in enumerate(cells))
        path.write_text(f"企业名称,企业规模\n{rows}", "utf-8")
        firm = clean(read_list(path), today=date(2026, 1, 1)).records[0]
        assert {key: value for key, value in firm.items() if key != "name"}.keys() == {expected[0]}
        if expected[0] == "size_band":
            assert firm["size_band"] == expected[1]
