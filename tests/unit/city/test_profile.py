"""What a loaded profile answers: supply, gaps, neighbours on the graph, anchors, its digest."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from leadscore.city import City, load_city, parse_city
from leadscore.city.profile import ROLES

LAKEPORT = Path(__file__).parents[2] / "cities" / "lakeport.toml"


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(LAKEPORT)


def names(anchors: tuple[object, ...]) -> list[str]:
    return [anchor.name for anchor in anchors]  # type: ignore[attr-defined]


def test_a_profile_says_which_city_it_is(city: City) -> None:
    assert (city.id, city.name.zh, city.name.en) == ("lakeport", "湖港市", "Lakeport")
    assert city.division_code == ""
    assert city.neighbour_discount == 0.5
    assert city.statement.year == 2025


def test_segments_are_known_by_their_full_id_in_the_order_of_the_file(city: City) -> None:
    assert list(city.segments)[:2] == ["medical.materials", "medical.electronics"]
    blade = city.segments["wind.blade"]
    assert (blade.id, blade.chain_id, blade.key) == ("wind.blade", "wind", "blade")
    assert blade.makes[0] == "风电叶片"
    assert blade.sought


@pytest.mark.parametrize(
    ("segment", "supply"),
    [
        ("medical.electronics", 0.0),
        ("medical.materials", 0.25),
        ("medical.implants", 0.5),
        ("medical.hospital", 0.85),
        ("medical.consumables", 1.0),
        ("medical.diagnostics", 0.4),
    ],
)
def test_supply_is_read_as_a_word_of_the_scale_or_a_number(
    city: City, segment: str, supply: float
) -> None:
    assert city.supply(segment) == supply


@pytest.mark.parametrize(
    ("segment", "near", "gap"),
    [
        ("wind.bearing", 0.85, 1 - 0.5 * 0.85),
        ("medical.materials", 0.5, 0.75),
        ("wind.blade", 0.0, 1.0),
        ("medical.consumables", 0.0, 0.0),
    ],
)
def test_a_gap_is_what_neither_the_city_nor_its_best_neighbour_covers(
    city: City, segment: str, near: float, gap: float
) -> None:
    assert city.neighbour_supply(segment) == near
    assert city.gap(segment) == pytest.approx(gap)


def test_every_gap_lies_between_0_and_1(city: City) -> None:
    assert all(0 <= city.gap(segment_id) <= 1 for segment_id in city.segments)


def test_the_graph_is_asked_up_and_down(city: City) -> None:
    assert city.segments["wind.blade"].feeds == ("wind.turbine",)
    assert city.upstream_of("wind.turbine") == (
        "wind.blade",
        "wind.bearing",
        "wind.converter",
        "wind.tower",
    )
    assert city.upstream_of("wind.blade") == ()


def test_the_way_to_a_strength_is_counted_in_either_direction(city: City) -> None:
    assert city.distance_to_strength("wind.turbine") == 0
    assert city.distance_to_strength("wind.blade") == 1
    assert city.distance_to_strength("wind.operation") == 1
    assert city.distance_to_strength("medical.electronics") == 2
    assert city.distance_to_strength("cable.sea") is None


def test_anchors_are_those_in_a_segment_and_next_to_it(city: City) -> None:
    assert names(city.anchors_of("wind.tower")) == ["湖风重工"]
    assert names(city.buyers("wind.blade")) == ["湖风重工"]
    assert names(city.suppliers("wind.turbine")) == ["湖风重工"]
    assert names(city.suppliers("medical.hospital")) == ["湖港康器"]
    assert names(city.buyers("medical.consumables")) == ["湖港中心医院集团"]
    assert city.buyers("cable.sea") == ()


def test_an_unknown_segment_is_a_key_error_and_not_a_guess(city: City) -> None:
    for ask in (
        city.supply,
        city.gap,
        city.upstream_of,
        city.distance_to_strength,
        city.anchors_of,
    ):
        with pytest.raises(KeyError):
            ask("wind.sail")


def test_roles_and_grades_keep_one_order_whatever_the_file_has(city: City) -> None:
    assert tuple(city.roles) == ROLES
    assert city.roles["trade"] == 0.1
    assert list(city.ranking.grades) == ["A", "B", "C"]


def test_the_card_has_numbers_and_levels(city: City) -> None:
    gap = city.card.features["gap_filled"]
    role = city.card.features["role"]
    assert gap.edges == (0.1, 0.3)
    assert gap.points == (-8, 4, 16)
    assert role.levels["maker"] == 8
    assert role.why.en.startswith("makers")
    assert city.card.base_likelihood == 0.04


def test_a_city_is_frozen(city: City) -> None:
    with pytest.raises(ValidationError):
        city.about = city.about  # type: ignore[misc]
    with pytest.raises(ValidationError):
        city.chains[0].segments[0].supply = 1.0  # type: ignore[misc]


def test_copies_and_pickles_are_equal_and_answer_the_same(city: City) -> None:
    for twin in (copy.deepcopy(city), pickle.loads(pickle.dumps(city))):  # noqa: S301 - our own bytes
        assert twin == city
        assert twin.digest == city.digest
        assert twin.gap("wind.bearing") == city.gap("wind.bearing")
        assert twin.name == city.name


def test_the_digest_follows_the_content_and_not_the_layout() -> None:
    text = LAKEPORT.read_text(encoding="utf-8")
    plain = parse_city(text)
    commented = parse_city("# a comment\n\n" + text.replace("floor = 0.3", "floor   =   0.30"))
    in_numbers = parse_city(text.replace('supply = "strong"', "supply = 0.85"))
    changed = parse_city(text.replace("floor = 0.3", "floor = 0.31"))
    assert len(plain.digest) == 64
    assert plain.digest == commented.digest == in_numbers.digest
    assert changed.digest != plain.digest
