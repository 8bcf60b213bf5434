"""Features of the best segment and of the graph around it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from leadscore.city import City, load_city
from leadscore.features.build import FirmFeatures
from leadscore.features.extract import Fit, MeasuredFirm, best_match
from leadscore.lists.cleaning import records_of
from leadscore.lists.columns import blank_firms


@pytest.fixture(scope="module")
def lakeport() -> City:
    return load_city(Path(__file__).parents[2] / "cities" / "lakeport.toml")


@pytest.fixture(scope="module")
def features(lakeport: City) -> FirmFeatures:
    return FirmFeatures(lakeport).fit(blank_firms(0))


FIRMS = {
    "blades": "主营业务：风电叶片的研发、生产和销售",
    "imaging": "主要从事医学影像设备的研发、生产和销售，主要产品为CT机、磁共振成像设备",
    "consumables": "一次性注射器、输液器、医用导管的生产和销售",
    "bakery": "面包、糕点的生产和销售",
    "silent": None,
}


def firms() -> pd.DataFrame:
    return blank_firms(len(FIRMS)).assign(
        name=pd.Series(list(FIRMS), dtype="str"),
        main_business=pd.Series(list(FIRMS.values()), dtype="str"),
    )


@pytest.fixture(scope="module")
def measured(features: FirmFeatures) -> list[MeasuredFirm]:
    return features.extractor_.measure_firms(records_of(firms()))


@pytest.fixture(scope="module", name="X")
def table(features: FirmFeatures) -> pd.DataFrame:
    return features.transform(firms())


def test_a_maker_is_matched_to_the_gap_that_it_would_fill(measured: list[MeasuredFirm]) -> None:
    best = [firm.best for firm in measured]
    assert [fit and (fit.segment, fit.role) for fit in best] == [
        ("wind.blade", "maker"), ("medical.imaging", "maker"), ("medical.consumables", "maker"),
        None, None,
    ]  # fmt: skip
    assert "风电叶片" in best[0].words


def test_fit_is_gap_times_strength_times_role(measured: list[MeasuredFirm], lakeport: City) -> None:
    for fit in (fit for firm in measured for fit in firm.matches):
        expected = lakeport.gap(fit.segment) * fit.strength * lakeport.roles[fit.role]
        assert fit.fit == pytest.approx(expected)
        assert 0 <= fit.fit <= 1
    assert measured[2].best.fit == 0.0  # no gap


def test_the_graph_around_the_segment_is_seen(X: pd.DataFrame) -> None:
    assert X.loc[0, "anchor_buyers"] == 1  # one anchor makes turbines, which blades feed
    assert X.loc[0, "steps_to_strength"] == 1
    assert X.loc[0, "sought"] == 1
    assert X.loc[0, "position"] == "upstream"


def test_no_match_is_known_to_be_weak_but_no_text_is_unknown(X: pd.DataFrame) -> None:
    assert X["chain"].tolist()[3] == "none"
    assert pd.isna(X["chain"].tolist()[4])
    assert X["match_strength"].tolist()[3] == 0.0
    assert np.isnan(X["match_strength"].tolist()[4])


def test_the_order_of_the_firms_changes_nothing(features: FirmFeatures, X: pd.DataFrame) -> None:
    order = [3, 0, 4, 2, 1]
    shuffled = features.transform(firms().iloc[order])
    pd.testing.assert_frame_equal(shuffled, X.iloc[order].reset_index(drop=True))


def test_a_pickle_holds_the_profile_and_compiles_it_anew(features: FirmFeatures) -> None:
    again = pickle.loads(pickle.dumps(features))  # noqa: S301 (our own bytes)
    firms = blank_firms(1).assign(main_business=pd.Series([FIRMS["blades"]], dtype="str"))
    pd.testing.assert_frame_equal(again.transform(firms), features.transform(firms))
    assert len(pickle.dumps(features)) < len(pickle.dumps(features.city)) + 500
    assert clone(features).city == features.city


def test_a_maker_of_plenty_is_not_shown_as_a_weak_supplier_of_a_gap() -> None:
    plenty = Fit("a", "maker", None, 0.8, (), 1.0, gap=0.0, fit=0.0)
    for strength, segment in ((0.1, "a"), (0.5, "b")):
        gap = Fit("b", "maker", None, strength, (), 1.0, gap=0.9, fit=0.9 * strength)
        assert best_match([plenty, gap]).segment == segment
