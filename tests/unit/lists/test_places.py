"""A firm is placed by what says so at its beginning, and by nothing further on."""

import csv
import re
from datetime import date

import pytest

from leadscore.files import shipped
from leadscore.lists.cleaning import clean
from leadscore.lists.reading import read_list
from leadscore.lists.values.places import (
    MUNICIPALITIES,
    beginning,
    division_code,
    english_place,
    in_brackets,
    is_division,
    place_of_code,
    settle,
)


def placed(**columns: str) -> tuple[str | None, str | None]:
    place = settle(columns).place
    return place.province, place.city


def begins(text: str) -> tuple[str | None, str | None]:
    place = beginning(text)
    return place.province, place.city


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("江西省赣州市龙南市龙南经济技术开发区", ("36", "3607")),
        ("江西省赣州经济技术开发区迎宾大道", ("36", "3607")),
        ("江西省南昌县小蓝经济开发区", ("36", "3601")),
        ("东莞市厚街镇桥头社区", ("44", "4419")),
        ("深圳市宝安区", ("44", "4403")),
        ("中国（上海）自由贸易试验区富特西一路", ("31", "3100")),
        ("北京市朝阳区西大望路", ("11", "1100")),
        ("重庆市璧山区", ("50", "5000")),
        ("苏州工业园区汀兰巷", ("32", "3205")),
        ("江苏省太仓市苏州东路88号", ("32", "3205")),
        ("昆山市玉山镇", ("32", "3205")),
        ("郑州高新技术产业开发区", ("41", "4101")),
        ("广东从化经济开发区", ("44", None)),
        ("内蒙古自治区呼和浩特市", ("15", "1501")),
        ("广西南宁市", ("45", "4501")),
        ("黔东南州凯里市", ("52", "5226")),
        ("香港特别行政区九龙", ("81", "8100")),
    ],
)
def test_an_address_is_placed_by_its_beginning(text, expected) -> None:
    assert begins(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("吉林", ("22", None)),
        ("吉林市", ("22", "2202")),
        ("吉林省吉林市丰满区", ("22", "2202")),
        ("海南省海口市", ("46", "4601")),
        ("海南藏族自治州", ("63", "6325")),
        ("青海省海南州", ("63", "6325")),
        ("河南省济源市", ("41", "419001")),
        ("石河子市", ("65", "659001")),
        ("湖北省省直辖县级行政区划仙桃市", ("42", "429004")),
        ("北京市市辖区", ("11", "1100")),
        ("大同区", ("23", "2306")),
        ("海南区", ("15", "1503")),
    ],
)
def test_names_that_mean_two_places_are_told_apart(text, expected) -> None:
    assert begins(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("福州儒江西路60号", ("35", "3501")),
        ("上海市黄浦区江西中路", ("31", "3100")),
        ("江西中路170号", (None, None)),
        ("南京西路1266号", (None, None)),
        ("福建南路", (None, None)),
        ("朝阳区建国路", (None, None)),
        ("西湖区文三路", (None, None)),
        ("公司承建南昌地铁", (None, None)),
        ("", (None, None)),
    ],
)
def test_a_place_named_further_on_or_by_a_street_says_nothing(text, expected) -> None:
    assert begins(text) == expected


def test_columns_go_before_the_address_and_that_before_the_credit_code() -> None:
    everything = {
        "province": "湖南",
        "city": "长沙市",
        "registered_address": "广东省深圳市南山区",
        "credit_code": "91360727MA35LGHK7K",
        "name": "上海某某有限公司",
    }
    order = [("43", "4301"), ("44", "4403"), ("36", "3607"), ("31", "3100")]
    given = dict(everything)
    for expected, dropped in zip(
        order, [(), ("province", "city"), ("registered_address",), ("credit_code",)], strict=True
    ):
        for name in dropped:
            del given[name]
        assert placed(**given) == expected


def test_a_firm_that_moved_is_where_its_address_is() -> None:
    moved = {"registered_address": "深圳市南山区", "credit_code": "91360727MA35LGHK7K"}
    assert placed(**moved) == ("44", "4403")


def test_the_city_may_come_from_a_later_source_of_the_same_province_only() -> None:
    code = "91360727MA35LGHK7K"
    assert placed(registered_address="江西省龙南镇", credit_code=code) == ("36", "3607")
    assert placed(registered_address="广东省某地", credit_code=code) == ("44", None)


def test_codes_in_the_list_go_first() -> None:
    assert placed(city_code="3601", province="广东") == ("36", "3601")
    assert placed(province_code="36", city="南昌") == ("36", "3601")
    codes = [division_code(cell) for cell in ("360100", "36", "31", "x")]
    assert codes == ["3601", "36", "3100", None]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"province": "浙江", "city": "杭州"}, ("33", "3301")),
        ({"province": "浙江省", "city": "浙江省杭州市"}, ("33", "3301")),
        ({"province": "吉林", "city": "吉林"}, ("22", "2202")),
        ({"city": "江西省-赣州市"}, ("36", "3607")),
        ({"province": "江苏", "district": "昆山市"}, ("32", "3205")),
        ({"province": "Jiangxi Province"}, ("36", None)),
        ({"province": "上海", "city": "市辖区"}, ("31", "3100")),
        ({"city": "Grand Cayman"}, (None, None)),
        ({"city": "南昌县"}, ("36", "3601")),
        ({"city": "浦东新区"}, ("31", "3100")),
        ({"city": "顺德区"}, ("44", "4406")),
        ({"city": "南山区"}, (None, None)),
        ({"province": "广东", "city": "南山区"}, ("44", "4403")),
        ({"province": "江西", "district": "西湖区"}, ("36", "3601")),
        ({"city": "Shenzhen"}, ("44", "4403")),
        ({"city": "Xi'an City"}, ("61", "6101")),
        ({"city": "Suzhou, Jiangsu"}, ("32", "3205")),
        ({"city": "Shanghai"}, ("31", "3100")),
        ({"province": "Jiangxi", "city": "Fuzhou"}, ("36", "3610")),
        ({"city": "Taizhou"}, (None, None)),
    ],
)
def test_place_columns_in_many_forms(columns, expected) -> None:
    assert placed(**columns) == expected


@pytest.mark.parametrize(
    ("city", "address", "province", "odd"),
    [
        ("深圳市", None, "44", (True, False)),
        ("赣州市", "广东省深圳市", "36", (False, True)),
        ("赣州市", "江西省赣州市", "36", (False, False)),
    ],
)
def test_disagreement_is_told_and_the_narrower_column_counts(city, address, province, odd) -> None:
    settled = settle({"province": "江西", "city": city, "registered_address": address})
    assert settled.place.province == province
    assert (settled.odd_city, settled.odd_address) == odd


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("江西志浩电子科技有限公司", ("36", None)),
        ("深圳市某某股份有限公司", ("44", "4403")),
        ("东莞某某有限公司", ("44", "4419")),
        ("罗门哈斯电子材料（上海）有限公司", ("31", "3100")),
        ("广东某某工程有限公司江西分公司", ("36", None)),
        ("东方某某有限公司", (None, None)),
        ("某某江西有限公司", (None, None)),
        ("江西铜业（广州）有限公司", ("44", "4401")),
        ("江西铜业（集团）有限公司", ("36", None)),
        ("南昌县某某有限公司", ("36", "3601")),
        ("NA", (None, None)),
    ],
)
def test_a_name_places_a_firm_when_nothing_else_does(name, expected) -> None:
    assert placed(name=name) == expected


def test_division_digits() -> None:
    assert place_of_code("360727").city == "3607"
    assert place_of_code("500230").city == "5000"
    assert place_of_code("419001").city == "419001"
    assert place_of_code("100000").province is None
    assert (place_of_code("369900").province, place_of_code("369900").city) == ("36", None)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"city": "昆山"}, ("32", "3205")),
        ({"city": "义乌"}, ("33", "3307")),
        ({"city": "张家港"}, ("32", "3205")),
        ({"city": "神木"}, ("61", "6108")),
        ({"city": "石河子"}, ("65", "659001")),
        ({"city": "昆山高新区"}, ("32", "3205")),
        ({"district": "昆山"}, ("32", "3205")),
        ({"city": "浦东"}, ("31", "3100")),
        ({"city": "忠县"}, ("50", "5000")),
        ({"city": "台灣"}, ("71", None)),
        ({"city": "臺北市"}, ("71", None)),
        ({"city": "新竹"}, ("71", None)),
        ({"province": "Taiwan", "city": "Hsinchu City"}, ("71", None)),
        ({"city": "中國香港"}, ("81", "8100")),
        ({"city": "HK"}, ("81", "8100")),
        ({"city": "Macau"}, ("82", "8200")),
        ({"province": "廣東省", "city": "深圳市"}, ("44", "4403")),
        ({"registered_address": "廣東省深圳市南山區科技路1號"}, ("44", "4403")),
        ({"registered_address": "臺北市內湖區瑞光路1號"}, ("71", None)),
        ({"registered_address": "廣東中路1號"}, (None, None)),
        ({"registered_address": "518000 广东省深圳市南山区"}, ("44", "4403")),
        ({"registered_address": "（518000）深圳市南山区"}, ("44", "4403")),
        ({"registered_address": "邮编：330000 江西省南昌市"}, ("36", "3601")),
        ({"registered_address": "住所：江西省南昌市"}, ("36", "3601")),
        ({"registered_address": "新疆生产建设兵团第八师石河子市"}, ("65", "659001")),
        ({"province": "广东深圳"}, ("44", "4403")),
        ({"city": "广东/深圳"}, ("44", "4403")),
        ({"city": "广东省·深圳市"}, ("44", "4403")),
        ({"city": "江西南昌高新区"}, ("36", "3601")),
        ({"city": "Guangdong Shenzhen"}, ("44", "4403")),
        ({"city": "Shenzhen, China"}, ("44", "4403")),
        ({"province": "广东", "city": "南山"}, ("44", "4403")),
        ({"province": "北京", "city": "朝阳区"}, ("11", "1100")),
        ({"city": "莱芜市"}, ("37", "3701")),
        ({"city": "襄樊"}, ("42", "4206")),
        ({"registered_address": "浙江省玉环县大麦屿"}, ("33", "3310")),
        ({"credit_code": "91371202MA3C8UX0X0"}, ("37", "3701")),
        ({"credit_code": "91512081MA62XXXXX0"}, ("51", "5101")),
        ({"credit_code": "91340823MA62XXXXX0"}, ("34", "3407")),
        ({"credit_code": "91341402MA62XXXXX0"}, ("34", "3401")),
    ],
)
def test_a_place_is_known_in_every_spelling_and_by_its_former_code(columns, expected) -> None:
    assert placed(**columns) == expected


@pytest.mark.parametrize(
    ("header", "cell"),
    [("城市", "朝阳区"), ("城市", "南山"), ("区县", "西湖区"), ("注册地址", "鼓楼区中山路1号")],
)
def test_a_name_that_several_places_bear_is_told_unless_the_province_says_which(
    tmp_path, header, cell
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"企业名称,省份,{header}\n某甲公司,,{cell}\n", "utf-8")
    firms = clean(read_list(path), today=date(2026, 1, 1))
    assert [(p.code, p.column, p.found) for p in firms.problems] == [
        ("ambiguous_place", header, cell)
    ]
    assert "province_code" not in firms.records[0]
    path.write_text(f"企业名称,省份,{header}\n某甲公司,上海市,{cell}\n", "utf-8")
    assert "ambiguous_place" not in {
        p.code for p in clean(read_list(path), today=date(2026, 1, 1)).problems
    }


def test_the_former_codes_lead_to_places_of_today() -> None:
    with shipped("codes", "former.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    codes = [row["code"] for row in rows]
    assert codes == sorted(set(codes))
    for row in rows:
        place = place_of_code(row["now"])
        assert row["now"] in {place.city, place.province}
        assert place_of_code(row["code"]) == place


def test_small_questions() -> None:
    assert english_place("inner mongolia").province == "15"
    assert english_place("Bavaria").province is None
    assert english_place("").province is None
    assert in_brackets("某某(控股)有限公司").province is None
    assert is_division("江西")
    assert not is_division("江西铜业")


def test_the_table_of_divisions_is_sound() -> None:
    with shipped("codes", "divisions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    codes = [row["code"] for row in rows]
    digits = {"province": 2, "city": 4, "county": 6}
    provinces = {row["code"] for row in rows if row["level"] == "province"}
    assert len(provinces) == 34
    assert len(set(codes)) == len(codes)
    upper = [row["name"] for row in rows if row["level"] != "county"]
    assert len(set(upper)) == len(upper)
    for row in rows:
        assert re.fullmatch(rf"\d{{{digits[row['level']]}}}", row["code"])
        assert row["code"][:2] in provinces
        assert row["name"].startswith(row["short_name"])
        assert row["name_en"] or row["level"] != "province"
        assert not (row["name_en"] and row["level"] == "county")
        if (
            row["level"] == "county"
            and row["code"][2:4] != "90"
            and row["code"][:2] not in MUNICIPALITIES
        ):
            assert row["code"][:4] in codes


@pytest.mark.parametrize(
    ("province", "city", "unplaced", "code"),
    [
        ("江西", "某市", ("city",), "36"),
        ("某省", None, ("province",), None),
        ("上海", "市辖区", (), "31"),
        (None, "Grand Cayman", ("city",), None),
        ("江西", "江西省", (), "36"),
    ],
)
def test_cells_that_name_no_known_place_are_told(province, city, unplaced, code) -> None:
    settled = settle({"province": province, "city": city})
    assert (settled.unplaced, settled.place.province) == (unplaced, code)
