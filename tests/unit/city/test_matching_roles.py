"""What a text says of a firm and a product: maker, supplier, trader, or next to nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from leadscore.city.matching import Matcher


def segment(makes: str, hints: str = "", excludes: str = "") -> SimpleNamespace:
    return SimpleNamespace(
        makes=tuple(makes.split()),
        materials=(),
        equipment=(),
        own_role="maker",
        uses=(),
        hints=tuple(hints.split()),
        excludes=tuple(excludes.split()),
        industry=(),
    )


CITY = SimpleNamespace(
    segments={
        "m.battery": segment("锂离子电池 锂电池 电芯 动力电池", "电池", "太阳能电池 铅酸电池"),
        "m.phone": segment("手机 智能手机 平板电脑 智能终端", "消费电子"),
        "m.camera": segment("摄像头模组 镜头"),
        "m.screen": segment("显示屏 OLED 液晶显示 偏光片"),
        "l.lamps": segment("照明 灯具 LED照明 照明灯具", "LED 光源"),
        "x.material": segment("电子材料 光刻胶 导电浆料 电子级树脂 湿电子化学品"),
    }
)
MATCHER = Matcher(CITY)


def match(text: str, column: str = "main_business") -> dict[str, tuple[str, float]]:
    matches = MATCHER.match({column: text})
    return {match.segment: (match.role, match.strength) for match in matches}


def role(text: str, segment_id: str, column: str = "main_business") -> str | None:
    found = match(text, column).get(segment_id)
    return found[0] if found else None


def strength(text: str, segment_id: str, column: str = "main_business") -> float:
    return match(text, column).get(segment_id, ("", 0.0))[1]


@pytest.mark.parametrize(
    ("text", "segment_id", "expected"),
    [
        ("主营业务:锂离子电池的研发,生产和销售.", "m.battery", "maker"),
        ("公司是国内领先的锂电池制造商。", "m.battery", "maker"),
        ("生产、销售：照明灯具", "l.lamps", "maker"),
        ("智能手机(含折叠屏手机)的研发、生产", "m.phone", "maker"),
        # A firm that builds winding machines for batteries is not a battery maker.
        ("锂电池卷绕机的研发、生产和销售", "m.battery", "equipment"),
        ("从事锂离子电池自动化生产设备的研发", "m.battery", "equipment"),
        ("主要为锂电池、光伏等行业的自动化设备", "m.battery", "equipment"),
        ("锂离子电池正极材料的生产", "m.battery", "materials"),
        ("锂电池隔膜、锂电池电解液", "m.battery", "materials"),
        ("生产锂电池用铜箔", "m.battery", "materials"),
        ("手机天线的研发与生产", "m.phone", "materials"),
        ("智能手机(含折叠屏手机)铝制中框", "m.phone", "materials"),
        ("手机、平板电脑等产品的精密结构件", "m.phone", "materials"),
        ("液晶显示模组用线路板的生产", "m.screen", "materials"),
        ("照明产品的批发、零售", "l.lamps", "trade"),
        ("销售：灯具、五金交电", "l.lamps", "trade"),
        ("摄像头模组的设计与销售", "m.camera", "design"),
        ("城市照明工程施工", "l.lamps", "integration"),
        ("动力电池回收", "m.battery", "service"),
        ("灯具维修", "l.lamps", "service"),
    ],
)
def test_the_wording_tells_the_role(text: str, segment_id: str, expected: str) -> None:
    assert role(text, segment_id) == expected


@pytest.mark.parametrize(
    ("text", "segment_id"),
    [
        ("连接器的生产，产品广泛应用于手机、汽车、家电等领域", "m.phone"),
        ("精密五金件,主要用于手机,平板电脑,照明等产品", "m.phone"),
        ("公司主要客户包括智能手机品牌商及平板电脑厂商", "m.phone"),
        ("为手机、平板电脑等企业提供检测", "m.phone"),
        ("服务于半导体、照明、锂电池行业", "m.battery"),
        ("荣获“LED照明创新奖”", "l.lamps"),
        ("中国照明电器协会会员单位", "l.lamps"),
        ("公司前身为某照明厂", "l.lamps"),
    ],
)
def test_a_mention_of_fields_customers_honours_or_the_past_is_no_product(
    text: str, segment_id: str
) -> None:
    assert strength(text, segment_id) < 0.15


@pytest.mark.parametrize(
    ("text", "segment_id"),
    [
        ("化工产品(不含锂电池)的销售", "m.battery"),
        ("电子产品（锂电池除外）", "m.battery"),
        ("公司不涉及照明业务", "l.lamps"),
    ],
)
def test_what_is_ruled_out_is_not_matched(text: str, segment_id: str) -> None:
    assert segment_id not in match(text)


def test_a_remark_that_rules_something_out_does_not_reach_beyond_its_brackets() -> None:
    text = "化工产品（不含危险化学品）、照明灯具（危险品除外）的生产"
    assert role(text, "l.lamps") == "maker"


def test_the_list_of_uses_ends_where_the_product_is_named() -> None:
    text = "用于手机、汽车等领域的摄像头模组的生产"
    assert role(text, "m.camera") == "maker"
    assert strength(text, "m.phone") < 0.15


def test_supplying_never_adds_up_to_making() -> None:
    supplier = "锂电池隔膜、锂电池电解液、锂电池设备、动力电池结构件。" * 20
    assert strength(supplier, "m.battery") < 0.5
    assert strength("锂电池", "m.battery") > 0.5


def test_a_longer_word_that_means_something_else_silences_the_shorter_one() -> None:
    assert "m.battery" not in match("太阳能电池组件的生产")
    assert "m.battery" not in match("铅酸电池")
    assert "m.battery" in match("太阳能电池及锂电池的生产")


def test_latin_words_are_matched_whole_only() -> None:
    assert "l.lamps" not in match("OLED的研发、生产")
    assert "m.screen" in match("柔性AMOLED、OLED的研发、生产")
    assert "l.lamps" in match("高亮度ＬＥＤ、照明")


def test_a_segment_of_materials_is_made_by_those_who_make_them() -> None:
    assert role("光刻胶等湿电子化学品的生产", "x.material") == "maker"
    assert role("导电浆料、电子级树脂材料的生产", "x.material") == "maker"


def test_a_material_among_the_products_of_a_segment_keeps_its_role_and_counts_for_more() -> None:
    named, supplied = match("偏光片的生产")["m.screen"], match("液晶显示薄膜的生产")["m.screen"]
    assert named[0] == supplied[0] == "materials"
    assert named[1] > supplied[1]


def test_commas_separate_items_only_in_texts_without_the_pause_mark() -> None:
    # Data vendors write lists with commas; elsewhere a comma ends the list of uses.
    assert strength("产品用于汽车,家电,手机", "m.phone") < 0.15
    assert strength("产品用于汽车、家电，手机为主要产品", "m.phone") > 0.3


def test_registry_items_each_have_their_own_verb() -> None:
    scope = "一般项目：灯具销售；锂电池制造；电子产品销售（除依法须经批准的项目外，凭营业执照）"
    assert role(scope, "l.lamps", "business_scope") == "trade"
    assert role(scope, "m.battery", "business_scope") == "maker"


def test_a_hint_alone_stays_weak() -> None:
    assert 0 < strength("电池的研发、生产和销售", "m.battery") < 0.4
