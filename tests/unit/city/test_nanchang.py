"""The profile of Nanchang holds what the city's statement names, and says where it says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from leadscore.city import City, load_city
from leadscore.city.profile import QUOTE_LIMIT, SUPPLY_SCALE, Evidence
from leadscore.files import shipped

SECTIONS = {"一", *(f"{part}.{number}" for part in "一二三" for number in range(1, 5))}
SEGMENTS = [
    "mobile.odm",
    "mobile.brand",
    "mobile.screen",
    "mobile.touch",
    "mobile.battery",
    "mobile.motor",
    "mobile.camera",
    "mobile.pcb",
    "mobile.structure",
    "mobile.software",
    "mobile.integration",
    "led.substrate",
    "led.mo_source",
    "led.chip",
    "led.packaging",
    "led.equipment",
    "led.new_display",
    "led.commercial_display",
    "led.vehicle_display",
    "led.plant_lighting",
    "led.health_lighting",
    "led.smart_lighting",
    "led.lighting",
    "vr.sensor",
    "vr.display",
    "vr.optics",
    "vr.interaction",
    "vr.headset",
    "vr.content",
    "vr.cloud_rendering",
    "auto.electronics",
    "display.new",
    "energy.electronics",
    "materials.electronic",
    "components.electronic",
]
ANCHORS = [
    "南昌华勤系",
    "华勤电子",
    "美晨通讯",
    "勤胜电子",
    "龙旗信息",
    "诚志股份",
    "天珑",
    "传音",
    "努比亚",
    "酷派",
    "欧菲光",
    "同兴达",
    "志博信",
    "祥喆精密",
    "兆驰",
    "兆驰光电",
    "兆驰半导体",
    "兆驰晶显",
    "乾照光电",
    "中微半导体",
    "鸿利光电",
    "晶能光电",
    "联创电子",
    "菱光科技",
    "欣旺达",
    "华创新材",
    "维科电池",
    "微软",
    "腾讯",
    "华为",
    "联想",
    "HTC",
]


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(shipped("cities", "nanchang.toml"))


def parts(part: BaseModel) -> Iterator[BaseModel]:
    """Yield a table and every table inside it."""
    yield part
    for _, value in part:
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, BaseModel):
                yield from parts(inner)


def test_every_segment_of_the_plan_is_there(city: City) -> None:
    assert set(SEGMENTS) <= set(city.segments)


def test_every_firm_of_the_statement_is_an_anchor(city: City) -> None:
    assert {anchor.name for anchor in city.anchors} == set(ANCHORS)


def test_every_quotation_is_short_and_names_its_section(city: City) -> None:
    found = [part for part in parts(city) if isinstance(part, Evidence)]
    quoted = [evidence for evidence in found if evidence.section]
    assert len(quoted) > 100
    for evidence in quoted:
        assert evidence.quote
        assert len(evidence.quote) <= QUOTE_LIMIT
        assert evidence.section in {
            "一",
            *(f"{part}.{n}" for part in "一二三" for n in range(1, 5)),
        }


def test_everything_that_the_statement_named_quotes_it(city: City) -> None:
    named = [
        *city.chains,
        *city.segments.values(),
        *city.anchors,
        *city.places,
        *city.neighbours,
        *(delivery for neighbour in city.neighbours for delivery in neighbour.delivers),
        *city.target_regions,
        *city.events,
        *city.sought,
    ]
    for part in named:
        assert any(evidence.quote for evidence in part.evidence), part


def test_what_the_city_asks_for_is_a_gap_and_belongs_to_a_class_of_firm(city: City) -> None:
    sought = {segment.id for segment in city.segments.values() if segment.sought}
    classes = {segment_id for kind in city.sought for segment_id in kind.segments}
    assert len(sought) == 14
    assert sought <= classes
    assert all(city.gap(segment_id) >= 0.5 for segment_id in sought)


def test_each_supply_is_a_word_of_the_scale(city: City) -> None:
    assert {segment.supply for segment in city.segments.values()} <= set(SUPPLY_SCALE.values())


def test_neighbours_deliver_what_the_statement_says_they_do(city: City) -> None:
    delivered = {n.name.zh: {d.segment for d in n.delivers} for n in city.neighbours}
    assert delivered == {
        "吉安市": {"mobile.touch", "mobile.pcb"},
        "赣州市": {"materials.electronic", "components.electronic"},
        "九江市": {"led.lighting"},
    }


def test_target_regions_are_the_delta_and_the_bay(city: City) -> None:
    divisions = {region.id: region.divisions for region in city.target_regions}
    assert set(divisions["yangtze_delta"]) == {"31", "32", "33", "34"}
    assert len(divisions["greater_bay"]) == 11
    assert "4403" in divisions["greater_bay"]


def test_every_segment_can_be_reached_from_a_strength(city: City) -> None:
    assert all(city.distance_to_strength(segment_id) is not None for segment_id in city.segments)


def test_a_motor_maker_would_find_buyers_and_no_rival(city: City) -> None:
    assert city.gap("mobile.motor") == 1.0
    assert city.anchors_of("mobile.motor") == ()
    assert "华勤电子" in {anchor.name for anchor in city.buyers("mobile.motor")}
