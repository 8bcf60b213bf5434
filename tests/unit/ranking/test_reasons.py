"""Points in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore.city import load_city
from leadscore.files import shipped
from leadscore.numbers import points
from leadscore.ranking.reasons import Wording, supply_words

FIRM = {
    "segment": "wind.blade", "role": "maker", "words": "风电叶片", "strongest": "wind.blade",
    "event": "健康博览会", "referred_by": "湖风重工王经理", "city_code": "3101",
    "province_code": "31", "staff": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording(load_city(Path(__file__).parents[2] / "cities" / "lakeport.toml"))


@pytest.mark.parametrize(
    ("feature", "value", "points", "zh", "en"),
    [
        ("gap_filled", 1.0, 16, "填补缺口：风电叶片（风电叶片），本地尚无",
         "fills a gap: Blades (风电叶片), none available locally"),
        ("match_strength", 0.9, 10, "主业吻合风电叶片（匹配强度90%）",
         "its main business matches Blades (match 90%)"),
        ("match_strength", 0.12, 10, "业务略涉风电叶片（匹配强度12%）",
         "its business touches Blades (match 12%)"),
        ("match_strength", 0.0, 10, "业务文字未对应任何环节",
         "its business text matches no segment"),
        ("chain", "wind", 3, "对应产业链：风电装备", "chain: Wind power"),
        ("chain", "none", 3, "业务未实质涉及本市产业链",
         "its business hardly relates to the city's chains"),
        ("target_region", 1.0, 10, "来自招商目标区域：长三角",
         "comes from a target region: Yangtze River Delta"),
        ("anchor_buyers", 1.0, -4, "风电叶片的本地下游龙头仅1家：湖风重工",
         "local anchors downstream of Blades: only 1 (Lakewind Heavy Industry)"),
        ("anchor_buyers", 0.0, 4, "风电叶片的下游没有本地龙头",
         "no local anchor firm downstream of Blades"),
        ("target_region", 0.0, 4, "不在招商目标区域", "not from a target region"),
        ("staff", 40.0, 4, "参保人员约40人", "about 40 insured staff"),
        ("registered_capital_cny", 3e8, 8, "注册资本3亿元", "registered capital CNY 300 million"),
        ("registered_capital_cny", None, -3, "注册资本未知", "registered capital unknown"),
        ("referral", 1.0, 15, "由本地龙头推荐：湖风重工", "referred by a local anchor: 湖风重工"),
    ],
)  # fmt: skip
def test_a_reason_reads_well_in_both_languages(
    wording: Wording, feature: str, value: float | str | None, points: float, zh: str, en: str
) -> None:
    assert wording.text(feature, value, points, FIRM, "zh") == zh
    assert wording.text(feature, value, points, FIRM, "en") == en


def test_a_firm_that_matches_nothing_is_not_said_to_be_far_from_a_segment(
    wording: Wording,
) -> None:
    firm = FIRM | {"segment": None, "role": None, "words": None, "strongest": None}
    text = wording.text("steps_to_strength", None, -3, firm, "en")
    assert text == "its business does not really match any segment"


def test_an_anchor_in_the_same_segment_is_named_as_such() -> None:
    city = load_city(shipped("cities", "nanchang.toml"))
    firm = FIRM | {"segment": "mobile.battery"}
    text = Wording(city).text("anchor_suppliers", 3.0, 4, firm, "zh")
    assert text == "电池的本地上游龙头3家：欣旺达、华创新材、维科电池（本身也做电池）"


def test_supply_has_words_over_its_whole_scale() -> None:
    said = [supply_words(supply).en for supply in (0, 0.25, 0.5, 0.85, 1)]
    assert len(set(said)) == 5
    assert [supply_words(supply) for supply in (0.02, 0.99)] == [
        supply_words(0.25), supply_words(0.85),
    ]  # fmt: skip


def test_points_are_rounded_with_their_sign() -> None:
    assert [points(p, 0, "-") for p in (17.6, -3.2, 0.0)] == ["+18", "-3", "+0"]
