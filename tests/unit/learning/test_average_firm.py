"""Points are counted from an average firm, which the model fixes and nobody else's list moves."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadscore.city import City, load_city
from leadscore.features.catalogue import CATALOGUE
from leadscore.features.extract import SEGMENT_FEATURES, FeatureExtractor
from leadscore.files import shipped
from leadscore.learning.expert import average_candidate, average_firm, fit_expert
from leadscore.learning.model import Model
from leadscore.learning.scorecard import log_odds_to_points, probability
from leadscore.lists.cleaning import records_of
from leadscore.lists.dedupe import load_list
from leadscore.ranking.score import FirmScore, Scorer
from leadscore.registry.models import ModelRegistry

TODAY = date(2026, 11, 1)
LAKEPORT = Path(__file__).parents[2] / "cities" / "lakeport.toml"


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(shipped("cities", "nanchang.toml"))


@pytest.fixture(scope="module")
def expert(city: City) -> Model:
    return fit_expert(city)


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    return load_list(shipped("samples", "electronics.csv"), today=TODAY).firms


@pytest.fixture(scope="module")
def features(expert: Model, sample: pd.DataFrame) -> pd.DataFrame:
    return expert.features.transform(sample.assign(as_of=pd.Timestamp(TODAY)))


def scored(model: Model, sample: pd.DataFrame) -> list[FirmScore]:
    return Scorer(model, "m1").score(records_of(sample), as_of=TODAY)


def test_base_and_points_are_the_log_odds_of_every_firm(
    expert: Model, sample: pd.DataFrame, features: pd.DataFrame
) -> None:
    log_odds = expert.card.scorecard.decision(features)
    for score, own in zip(scored(expert, sample), log_odds, strict=True):
        total = math.fsum((score.base_points, *score.points.values()))
        assert total == pytest.approx(log_odds_to_points(float(own)), abs=1e-9)


def test_where_points_are_counted_from_changes_no_likelihood_and_no_order(
    expert: Model, sample: pd.DataFrame
) -> None:
    before = Model(expert.features, replace(expert.card, average=None))
    pairs = zip(scored(expert, sample), scored(before, sample), strict=True)
    for centred, raw in pairs:
        assert (centred.likelihood, centred.priority, centred.fit) == (
            raw.likelihood, raw.priority, raw.fit
        )  # fmt: skip
        assert centred.base_points != raw.base_points


def test_an_average_firm_is_a_firm_and_not_a_firm_of_which_nothing_is_known(
    expert: Model, sample: pd.DataFrame
) -> None:
    scores = scored(expert, sample)
    base = probability(np.array([scores[0].base_points * math.log(2) / 20]))[0]
    assert (
        min(s.likelihood for s in scores) < base < np.quantile([s.likelihood for s in scores], 0.7)
    )
    # Likelihoods are no straight line: the average firm lies below the mean that is expected.
    expected = (expert.city.card.signed_of_100 or 0.0) / 100.0
    assert expected / 3 < base < expected


def test_what_is_unknown_of_every_usual_firm_adds_nothing_and_is_no_reason(
    expert: Model, sample: pd.DataFrame, features: pd.DataFrame
) -> None:
    silent = [name for name in features if features[name].isna().all() and name != "role"]
    assert {"patents", "risk_flags", "profit_margin"} <= set(silent)
    for score in scored(expert, sample):
        assert all(score.points[name] == 0 for name in silent)
        assert not set(score.main_features()) & set(silent)
        assert all(abs(score.points[name]) >= 1 for name in score.main_features())


def test_the_shipped_average_is_measured_on_the_sample_list(
    features: pd.DataFrame, sample: pd.DataFrame
) -> None:
    told: dict[str, Any] = tomllib.loads(shipped("average_firm.toml").read_text("utf-8"))
    matched = features["role"].notna()
    assert told["firms"] == len(features)
    assert told["matched"] == pytest.approx(matched.mean(), abs=0.01)
    for role, share in told["roles"].items():
        assert share == pytest.approx((features["role"][matched] == role).mean(), abs=0.02)
    for name, levels in told["levels"].items():
        for level, share in levels.items():
            assert share == pytest.approx((features[name] == level).mean(), abs=0.011), (
                name,
                level,
            )
    for name, flags in told["flags"].items():
        assert flags["yes"] == pytest.approx((features[name] == 1).mean(), abs=0.01), name
        assert flags["no"] == pytest.approx((features[name] == 0).mean(), abs=0.01), name
    for name, numbers in told["numbers"].items():
        assert numbers["unknown"] == pytest.approx(features[name].isna().mean(), abs=0.01), name
        assert np.median(numbers["values"]) == pytest.approx(features[name].median(), rel=0.15), (
            name
        )
    homes = sample["province_code"].value_counts(normalize=True)
    for province, share in told["homes"].items():
        assert share == pytest.approx(homes[province], abs=0.001), province
    assert np.median(told["strengths"]) == pytest.approx(
        features["match_strength"][matched].median(), abs=0.05
    )
    described = {"role", "match_strength", "gap_filled", *SEGMENT_FEATURES}
    described |= {*told["levels"], *told["flags"], *told["numbers"], "distance_km"}
    assert {name for name in features if features[name].notna().any()} == described


def test_a_city_of_other_chains_has_an_average_in_its_own_segments() -> None:
    lakeport = load_city(LAKEPORT)
    model = fit_expert(lakeport)
    average = model.card.average
    assert average is not None
    assert set(average.points) == set(CATALOGUE)
    assert average.points["gap_filled"] > 0
    assert average.points["neighbour_city"] == 0 or lakeport.neighbours


def test_a_model_of_an_office_counts_from_the_firms_of_the_office(
    expert: Model, city: City, features: pd.DataFrame
) -> None:
    card = expert.card.scorecard
    own = average_firm(city, card, features)
    assert (own.own, own.firms) == (True, len(features))
    mean = log_odds_to_points(card.lookup(features)).mean(axis=0)
    np.testing.assert_allclose([own.points[name] for name in card.names], mean, atol=1e-12)
    assert average_firm(city, card, features.head(49)) == average_candidate(city, card)


def test_the_average_is_kept_with_the_model(expert: Model, city: City, tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "keys" / "models.key")
    said = {"kind": "expert", "created": datetime(2026, 11, 1, tzinfo=UTC), "outcomes": 0}
    registry.save("m1", expert, said)
    assert registry.load("m1").card.average == expert.card.average
    assert registry.manifest("m1").average == expert.card.average
    older = Model(FeatureExtractor(city), replace(expert.card, average=None))
    registry.save("m0", older, said)
    assert registry.load("m0").card.average is None
    assert Scorer(registry.load("m0"), "m0").base_points == pytest.approx(
        log_odds_to_points(expert.card.scorecard.intercept)
    )
