"""Points in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore.city import load_city
from leadscore.ranking.reasons import Wording, signed, supply_words

FIRM = {
    "segment": "wind.blade", "role": "maker", "words": "风电叶片", "event": "健康博览会",
    "referred_by": "湖风重工", "city_code": "3101", "province_code": "31",
}  # fmt: skip


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording(load_city(Path(__file__).parents[2] / "cities" / "lakeport.toml"))


@pytest.mark.parametrize(
    ("feature", "value", "points", "zh", "en"),
    [
        ("gap_filled", 1.0, 16, "填补缺口：风电叶片（风电叶片），本地尚无",
         "fills a gap: Blades (风电叶片), none made locally"),
        ("match_strength", 0.9, 10, "主业吻合风电叶片（匹配强度90%）",
         "its main business is Blades (match 90%)"),
        ("chain", "wind", 3, "属于重点产业链：风电装备",
         "belongs to a chain that the city builds: Wind power"),
        ("target_region", 1.0, 10, "来自招商目标区域：长三角",
         "comes from a target region: Yangtze River Delta"),
        ("anchor_buyers", 1.0, 4, "本地有1家龙头是潜在客户：湖风重工",
         "local anchors that could buy from it (1): Lakewind Heavy Industry"),
        ("registered_capital_cny", 3e8, 8, "注册资本3亿元", "registered capital CNY 300 million"),
        ("registered_capital_cny", float("nan"), -3, "注册资本未知", "registered capital unknown"),
        ("referral", 1.0, 15, "由本地龙头推荐：湖风重工", "referred by a local anchor: 湖风重工"),
    ],
)  # fmt: skip
def test_a_reason_reads_well_in_both_languages(
    wording: Wording, feature: str, value: float | str, points: float, zh: str, en: str
) -> None:
    reason = wording.reason(feature, value, points, FIRM)
    assert (reason.text.zh, reason.text.en) == (zh, en)
    assert reason.points == points


def test_a_missing_value_is_none_and_never_nan(wording: Wording) -> None:
    assert wording.reason("staff", float("nan"), -3, FIRM).value is None


def test_supply_has_words_over_its_whole_scale() -> None:
    said = [supply_words(supply).en for supply in (0, 0.25, 0.5, 0.85, 1)]
    assert len(set(said)) == 5


def test_points_are_rounded_with_their_sign() -> None:
    assert [signed(p) for p in (17.6, -3.2, 0.0)] == ["+18", "-3", "+0"]
