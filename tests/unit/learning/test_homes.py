"""Homes of earlier programs open: the same champion, the same likelihoods, the same bands."""

from __future__ import annotations

import contextlib
import json
import pickle
import shutil
import tarfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.champions import line as line_in

from leadscore.city import City, load_city
from leadscore.city.profile import with_supplies
from leadscore.features.catalogue import CATALOGUE
from leadscore.features.extract import features_frame
from leadscore.files import shipped
from leadscore.learning.champion import under_supply
from leadscore.learning.scorecard import probability
from leadscore.lists.cleaning import clean, records_of
from leadscore.lists.reading import read_list
from leadscore.ranking.score import Scorer
from leadscore.registry.artefact import read_pickle
from leadscore.registry.models import ModelRegistry, expert_version, is_expert
from leadscore.report import render_html, render_text
from leadscore.startup import champion_scorer
from leadscore.store.homes import take_over
from leadscore.store.migrations import open_store
from leadscore.store.profiles import Profiles
from leadscore.text import Text

KEPT = Path(__file__).parents[2] / "homes"
NAMES = ("expert", "trained", "supply", "boosted", "pairs")
NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
TODAY = date(2026, 1, 5)
EXACT = 1e-12


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, Any]]:
    """Return who served in each home, and what the program that made it said."""
    found: dict[str, dict[str, Any]] = json.loads((KEPT / "c1d0778.json").read_text("utf-8"))
    assert tuple(found) == NAMES
    return found


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("homes")
    with tarfile.open(KEPT / "c1d0778.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    for key in folder.glob("*/keys/models.key"):
        key.chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def firms() -> pd.DataFrame:
    return clean(read_list(shipped("samples", "electronics.csv")), today=TODAY).firms


@pytest.fixture(scope="module")
def nanchang() -> City:
    """Return the profile that was shipped when the homes were made."""
    return load_city(KEPT / "nanchang.toml")


@pytest.fixture(scope="module")
def measured() -> dict[str, pd.DataFrame]:
    return measured_then()


def measured_then() -> dict[str, pd.DataFrame]:
    """Return X as the program measured it that made the homes; matching has changed since."""
    kept = json.loads((KEPT / "c1d0778-features.json").read_text("utf-8"))
    usual = kept["expert"]
    every = {name: usual | (kept["supply"] if name == "supply" else {}) for name in NAMES}
    empty = [None] * len(usual["chain"])  # of features that came later
    columns = {name: [X.get(key, empty) for key in CATALOGUE] for name, X in every.items()}
    return {name: features_frame([*zip(*of, strict=True)]) for name, of in columns.items()}


def registry_of(home: Path) -> ModelRegistry:
    return ModelRegistry(home / "models", home / "keys" / "models.key")


def likelihood(scorer: Scorer, firms: pd.DataFrame) -> Any:
    return [score.likelihood for score in scorer.score(records_of(firms), as_of=TODAY)]


@pytest.mark.parametrize("name", NAMES)
def test_a_kept_home_is_served_by_its_champion_as_before(
    name: str, homes: Path, told: dict[str, Any], measured: dict[str, pd.DataFrame],
    firms: pd.DataFrame, nanchang: City, tmp_path: Path,
) -> None:  # fmt: skip
    registry, before = registry_of(homes / name), told[name]
    with contextlib.closing(open_store(tmp_path / "leadscore.sqlite3")) as database:
        take_over(database, homes / name / "models", homes / name / "profiles")
        city, line = (
            Profiles(lambda: nanchang, database).current().city,
            line_in(database, nanchang.id),
        )
    own = Scorer(registry.load(before["champion"]), before["champion"])
    notices: list[Text] = []
    serving = champion_scorer(city, registry, line, now=NOW, notify=notices.append)
    for scorer in (own, serving):
        of_then = probability(scorer.card.scorecard.decision(measured[name]))
        np.testing.assert_allclose(of_then, before["likelihood"], rtol=0, atol=EXACT)
        # Matched as today, most firms stay what they were.
        moved = np.abs(np.array(likelihood(scorer, firms)) - before["likelihood"])
        assert np.median(moved) < EXACT
    if is_expert(city.id, before["champion"]):  # its name tells of the program as well
        assert serving.model == expert_version(city)
        assert not notices
    else:
        assert serving.model == before["champion"] == line[0]
        (notice,) = notices
        assert "the program has changed since" in notice.en


@pytest.mark.parametrize("name", ["expert", "trained", "supply"])
def test_a_kept_card_is_as_sure_as_before(
    name: str, homes: Path, told: dict[str, Any], measured: dict[str, pd.DataFrame]
) -> None:
    model = registry_of(homes / name).load(told[name]["champion"])
    ends, before = model.card.predict_interval(measured[name]), told[name]["interval"]
    np.testing.assert_allclose(ends[: len(before)], before, rtol=0, atol=EXACT)


@pytest.mark.parametrize("name", ["boosted", "pairs"])
def test_a_kept_card_of_a_kind_that_is_gone_tells_no_interval(
    name: str, homes: Path, told: dict[str, Any], firms: pd.DataFrame
) -> None:
    model = registry_of(homes / name).load(told[name]["champion"])
    X = model.features.transform(firms)
    with pytest.raises(ValueError, match="does not keep how sure it is"):
        model.card.predict_interval(X)


def test_a_pair_is_looked_up_for_one_firm_as_for_a_list(
    homes: Path, told: dict[str, Any], firms: pd.DataFrame
) -> None:
    model = registry_of(homes / "pairs").load(told["pairs"]["champion"])
    X = model.features.transform(firms)
    card = model.card.scorecard
    assert [pair.features for pair in card.pairs] == [
        ("match_strength", "revenue_cny"), ("role", "revenue_cny"),
    ]  # fmt: skip
    X = X[list(card.features)]  # a program of today measures more
    together = card.lookup(X)
    assert np.ptp(together[:, -2:], axis=0).all()
    alone = [card.lookup_record(X.iloc[row].tolist()) for row in range(len(X))]
    np.testing.assert_array_equal(alone, together)
    assert type(card).from_dict(card.to_dict()) == card


def test_a_kept_profile_is_read_whole(homes: Path, told: dict[str, Any], nanchang: City) -> None:
    for name in NAMES:
        registry, version = registry_of(homes / name), told[name]["champion"]
        city = registry.load(version).city
        assert city.digest == registry.manifest(version).city.digest
        assert registry.manifest(version).is_under(city)
        assert (city == nanchang) is (name != "supply")


@pytest.mark.parametrize("name", ["trained", "boosted", "pairs"])
def test_a_kept_card_follows_another_supply_as_a_model_of_today(
    name: str, homes: Path, told: dict[str, Any], nanchang: City, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(homes / name, home)
    registry, city = registry_of(home), with_supplies(nanchang, {"mobile.pcb": 0.3})
    version, _ = under_supply(city, registry, told[name]["champion"], NOW)
    assert version == f"{told[name]['champion']}-s{city.digest[:8]}"
    one, other = (registry.load(each) for each in (told[name]["champion"], version))
    assert one.card.scorecard == other.card.scorecard
    assert City.model_validate(registry.manifest(version).city.profile) == city
    assert (home / "models" / version / "card.npz").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_kept_model_is_shown(name: str, homes: Path, told: dict[str, Any]) -> None:
    manifest = registry_of(homes / name).manifest(told[name]["champion"])
    for lang in ("zh", "en"):
        assert told[name]["champion"] in render_text(manifest, lang)
        assert told[name]["champion"] in render_html(manifest, lang)


@pytest.mark.parametrize("named", [print, pickle.loads, Path, np.load])
def test_a_pickle_that_names_anything_else_is_refused_by_name(named: Any) -> None:
    class Model:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return named, ("x",)

    wanted = f"may not name {named.__module__}.{named.__qualname__}"
    with pytest.raises(pickle.UnpicklingError, match=wanted):
        read_pickle(pickle.dumps(Model()))
