"""The catalogue, the columns of X and the wordings agree."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from leadscore.city import City, load_city
from leadscore.features.build import FirmFeatures
from leadscore.features.catalogue import CATALOGUE, CATEGORIES, FAMILIES, Feature
from leadscore.lists.columns import blank_firms
from leadscore.text import Text

PLACES = {
    "value", "segment", "strongest", "supply", "words", "region", "buyers", "suppliers", "event",
    "referrer", "filling", "partly", "closeness", "staff",
}  # fmt: skip


def shapes(feature: Feature) -> list[Text]:
    shapes = (feature.lifts, feature.lowers, feature.nothing, feature.unknown)
    return [shape for shape in shapes if shape is not None]


def places(text: Text) -> set[str]:
    halves = (string.Formatter().parse(half) for half in (text.zh, text.en))
    return {name for half in halves for _, name, _, _ in half if name}


@pytest.fixture(scope="module")
def lakeport() -> City:
    return load_city(Path(__file__).parents[2] / "cities" / "lakeport.toml")


def test_x_has_the_features_of_the_catalogue_in_its_order(lakeport: City) -> None:
    X = FirmFeatures(lakeport).fit(blank_firms(0)).transform(blank_firms(3))
    assert list(X.columns) == list(CATALOGUE)
    assert {key for key in X if X[key].dtype == "str"} == set(CATEGORIES)


def test_a_firm_of_which_nothing_is_known_has_no_features_but_completeness(lakeport: City) -> None:
    X = FirmFeatures(lakeport).fit(blank_firms(0)).transform(blank_firms(1))
    assert X.iloc[0].dropna().to_dict() == {"completeness": 0.0}


@pytest.mark.parametrize("feature", CATALOGUE.values(), ids=list(CATALOGUE))
def test_a_feature_says_everything_in_both_languages(feature: Feature) -> None:
    assert feature.family in FAMILIES
    words = (feature.meaning, feature.missing, *shapes(feature))
    for text in (*words, *feature.levels.values()):
        assert text.zh.strip()
        assert text.en.strip()


@pytest.mark.parametrize("feature", CATALOGUE.values(), ids=list(CATALOGUE))
def test_a_wording_uses_only_places_that_can_be_filled(feature: Feature) -> None:
    for text in shapes(feature):
        assert places(text) <= PLACES
    assert places(feature.unknown) <= {"segment"}


def test_levels_belong_to_categories_and_directions_to_numbers() -> None:
    for feature in CATALOGUE.values():
        if feature.kind == "level":
            assert feature.direction == 0
        else:
            assert not feature.levels


def test_values_read_as_a_person_writes_them() -> None:
    show = {
        key: CATALOGUE[key].show for key in ("gap_filled", "age_years", "role", "sought", "staff")
    }
    assert show["gap_filled"](0.75, "en") == "75%"
    assert show["age_years"](1.26, "en") == "1.2"
    assert show["age_years"](12.7, "zh") == "12"
    assert show["role"]("equipment", "zh") == "设备"
    assert show["sought"](1.0, "zh") == "是"
    assert show["staff"](12345.0, "en") == "12,345"
    assert show["staff"](float("nan"), "en") == "unknown"
