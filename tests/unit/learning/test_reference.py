"""The reference card stands beneath what a city writes, and day one has an interval that tells."""

from __future__ import annotations

import tomllib
from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.simulation import simulated_city

from leadscore.city.loading import load_city, parse_city
from leadscore.city.profile import City
from leadscore.errors import CityError
from leadscore.features.catalogue import CATALOGUE, DIRECTIONS
from leadscore.features.footprint import Footprint
from leadscore.files import shipped
from leadscore.learning.expert import expert_scorecard, fit_expert
from leadscore.learning.reference import reference_card
from leadscore.lists.cleaning import clean
from leadscore.lists.reading import read_list

PROFILE = shipped("cities", "nanchang.toml")
SAMPLE = shipped("samples", "electronics.csv")


def changed(card: dict[str, object]) -> City:
    written = tomllib.loads(PROFILE.read_text("utf-8"))["card"]
    plain = load_city(PROFILE).model_dump(mode="json", by_alias=True, exclude_unset=True)
    return City.model_validate(plain | {"card": written | card})


def test_every_entry_of_the_reference_has_a_width_and_a_count() -> None:
    reference = reference_card()
    for name, table in reference.tables.items():
        assert name in CATALOGUE
        assert len(table.entries) == len(reference.widths[name]) == len(reference.landings[name])
        assert (reference.widths[name] > 0).all()
        rising = np.diff(table.entries[:-1]) * DIRECTIONS.get(name, 0)
        assert (rising >= 0).all(), name


def test_points_that_rest_on_nothing_are_wide() -> None:
    reference = reference_card()
    for name in reference.tables:
        bare = reference.landings[name] == 0
        if bare.any() and (~bare).any():
            assert reference.widths[name][bare].min() > np.median(reference.widths[name][~bare])


def test_what_the_city_writes_goes_before_the_reference_and_none_leaves_it_out() -> None:
    city = load_city(PROFILE)
    own = {"edges": [100], "points": [-3, 3], "unknown": 0, "why": {"zh": "自定", "en": "own"}}
    plain = tomllib.loads(PROFILE.read_text("utf-8"))["card"]["feature"]
    written = changed({"feature": {**plain, "staff": own}})
    card = {table.feature: table for table in expert_scorecard(written).tables}
    beneath = {table.feature: table for table in expert_scorecard(city).tables}
    assert len(card["staff"].entries) == 3
    assert beneath["staff"] == reference_card().tables["staff"]
    assert card["distance_km"] == beneath["distance_km"]
    without = expert_scorecard(changed({"reference": "none"}))
    assert not any(t.entries.any() for t in without.tables if t.feature == "distance_km")


@pytest.mark.parametrize("signed", [1.0, 5.0, 20.0])
def test_of_a_hundred_usual_firms_as_many_are_expected_as_the_office_says(signed: float) -> None:
    model = fit_expert(changed({"signed_of_100": signed}))
    firms = clean(read_list(SAMPLE), today=date(2026, 11, 1)).firms
    X = model.features.transform(firms.assign(as_of=pd.Timestamp("2026-11-01")))
    mean = (1.0 / (1.0 + np.exp(-model.card.scorecard.decision(X)))).mean()
    # The features of real firms hang together; those of the usual firm are taken as independent.
    assert 0.6 * signed / 100 < mean < 2.0 * signed / 100


def test_a_profile_says_how_many_land_in_one_way_only() -> None:
    text = PROFILE.read_text("utf-8")
    for wrong in ("signed_of_100 = 5\nbase_likelihood = 0.01", ""):
        with pytest.raises(CityError) as refused:
            parse_city(text.replace("signed_of_100 = 5", wrong, 1))
        assert "signed_of_100" in refused.value.render("zh")


def test_a_profile_of_old_has_the_digest_of_old() -> None:
    content = simulated_city().model_dump(mode="json", by_alias=True)
    for name in ("signed_of_100", "reference"):
        del content["card"][name]
    assert City.model_validate(content).digest == simulated_city().digest


def test_day_one_has_an_interval_that_tells_firms_apart() -> None:
    model = fit_expert(load_city(PROFILE))
    firms = clean(read_list(SAMPLE), today=date(2026, 11, 1)).firms
    X = model.features.transform(firms.assign(as_of=pd.Timestamp("2026-11-01")))
    low, high = model.card.predict_interval(X).T
    likelihood = 1.0 / (1.0 + np.exp(-model.card.scorecard.decision(X)))
    assert ((low < likelihood) & (likelihood < high)).all()
    assert np.median(high - low) < 0.3
    assert low.max() > high.min()  # the best is surely better than the worst


def test_a_place_counts_where_the_firm_has_something_and_not_where_it_sells() -> None:
    footprint = Footprint("3601")
    firm = {
        "province_code": "44",
        "profile": "公司在江西南昌、湖北武汉建有生产基地，产品销往四川。总部坐落于深圳。",
    }
    assert footprint.features(firm) == {"distance_km": 670.0, "other_places": 1.0}
    scope = {"province_code": "36", "main_business": "电子元件制造"}
    assert footprint.features(scope) == {"distance_km": 0.0, "other_places": None}
