"""A city is always served: by its champion, by the last good one, by the expert card."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.second_model import another

from leadscore.city import load_city
from leadscore.errors import ModelError
from leadscore.learning.expert import expert_model, expert_scorecard, fit_expert
from leadscore.learning.scorecard import logistic
from leadscore.lists.cleaning import records_of
from leadscore.lists.columns import blank_firms
from leadscore.registry.models import ModelRegistry, expert_version
from leadscore.startup import champion_scorer

LAKEPORT = Path(__file__).parents[2] / "cities" / "lakeport.toml"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
FIRST, SECOND = "lakeport-20260101-0123456789", "lakeport-20260201-0123456789"


@pytest.fixture(scope="module")
def city():
    return load_city(LAKEPORT)


@pytest.fixture
def registry(tmp_path):
    return ModelRegistry(tmp_path / "models", tmp_path / "key")


@pytest.fixture
def trained(city, registry):
    """Return a registry with the expert and two trained models."""
    expert_model(city, registry, NOW)
    for n, version in enumerate((FIRST, SECOND), start=1):
        registry.save(version, another(city, n), {"kind": "trained", "created": NOW})
    return registry


@pytest.fixture
def serve(city, registry):
    """Serve the city and check who is told what: a word per notice, in both languages."""

    def serve(*told, profile=city, line=()):
        notices = []
        scorer = champion_scorer(profile, registry, line, now=NOW, notify=notices.append)
        assert len(notices) == len(told), notices
        for notice, (zh, en) in zip(notices, told, strict=True):
            assert zh in notice.zh
            assert en in notice.en
        return scorer

    return serve


def changed_city(city, tmp_path):
    text = LAKEPORT.read_text("utf-8")
    text = text.replace("neighbour_discount = 0.5", "neighbour_discount = 0.4", 1)
    path = tmp_path / "changed.toml"
    path.write_text(text, "utf-8")
    changed = load_city(path)
    assert changed.digest != city.digest
    return changed


def rewrite(registry, version, **changes):
    """Change a manifest and sign it anew, as if it had been saved under other circumstances."""
    folder = registry.folder / version
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    text = json.dumps({**manifest, **changes}).encode()
    (folder / "manifest.json").write_bytes(text)
    (folder / "signature").write_bytes(registry._key.sign(version, text))


def spoil(registry, version):
    (registry.folder / version / "card.npz").write_bytes(b"junk")


def test_the_expert_model_is_built_and_serves_on_first_use(city, registry, serve):
    scorer = serve()
    assert scorer.model == expert_version(city)
    assert registry.manifest(scorer.model).kind == "expert"
    assert serve().model == scorer.model
    firms = blank_firms(3)
    alike = fit_expert(city).decision_function(firms.assign(as_of=np.datetime64("2026-11-24")))
    scores = scorer.score(records_of(firms), as_of=date(2026, 11, 24))
    assert [score.likelihood for score in scores] == [logistic(each) for each in alike]


def test_the_expert_model_of_a_changed_profile_takes_the_place_of_the_old(city, serve, tmp_path):
    old = serve().model
    changed = changed_city(city, tmp_path)
    new = serve(profile=changed).model
    assert new == expert_version(changed) != old
    assert serve(profile=changed, line=[old]).model == new


def test_an_expert_model_of_a_shelf_without_signatures_is_built_anew(registry, serve):
    version = serve().model
    (registry.folder / version / "signature").unlink()
    assert serve(("重新生成", "has no signature")).model == version
    assert serve().model == version


@pytest.fixture
def serve_trained(trained, serve):
    """Serve the city where the second model is champion, and the first was before it."""
    assert trained.versions()
    return partial(serve, line=[SECOND, FIRST])


def test_a_trained_champion_serves(city, serve_trained):
    scorer = serve_trained()
    assert scorer.model == SECOND
    assert scorer.card.scorecard.intercept == expert_scorecard(city).intercept + 2


def test_a_changed_profile_is_said_so(city, serve_trained, tmp_path):
    told = ("城市画像有改动", "the city profile has changed since")
    assert serve_trained(told, profile=changed_city(city, tmp_path)).model == SECOND


def test_a_program_that_changed_since_the_training_is_said_so(trained, serve_trained):
    rewrite(trained, SECOND, code="another")
    assert serve_trained(("程序有改动", "the program has changed since the model")).model == SECOND


def test_profile_and_program_that_changed_are_told_at_once(city, trained, serve_trained, tmp_path):
    rewrite(trained, SECOND, code="another")
    told = ("城市画像和程序有改动", "the city profile and the program have changed since")
    assert serve_trained(told, profile=changed_city(city, tmp_path)).model == SECOND


def spoil_second(registry):
    spoil(registry, SECOND)


def lose_second(registry):
    (registry.folder / SECOND).rename(registry.folder / ".elsewhere")


def forge_second(registry):
    (registry.folder / SECOND / "signature").write_text("hmac-sha256 01234567 " + 64 * "0" + "\n")


def bring_second_from_later(registry):
    rewrite(registry, SECOND, schema=3)


@pytest.mark.parametrize(
    ("damage", "zh", "en"),
    [
        (spoil_second, "备份", "restore its folder from a backup"),
        (lose_second, "没有", "there is no model"),
        (forge_second, "另一把密钥", "signed with another key"),
        (bring_second_from_later, "应为 2 或更早", "found 3, wanted 2 or older"),
    ],
)
def test_where_the_champion_cannot_be_used_the_last_good_one_serves(
    trained, serve_trained, damage, zh, en
):
    damage(trained)
    assert (
        serve_trained((f"不能使用，改由“{FIRST}”评分", f"{FIRST} scores in its place")).model
        == FIRST
    )
    assert serve_trained((zh, en)).model == FIRST


def test_where_no_trained_model_can_be_used_the_expert_card_serves(city, trained, serve_trained):
    spoil(trained, FIRST)
    spoil(trained, SECOND)
    expert = expert_version(city)
    assert serve_trained((f"改由“{expert}”评分", f"{expert} scores in its place")).model == expert


def test_where_every_model_is_damaged_the_expert_card_is_built_anew(city, trained, serve_trained):
    expert = expert_version(city)
    for version in (expert, FIRST, SECOND):
        spoil(trained, version)
    assert serve_trained(("重新生成", "rebuilt"), ("评分", "in its place")).model == expert


def test_with_the_key_lost_the_expert_card_serves_and_says_why(city, trained, serve_trained):
    (trained.folder.parent / "key").unlink()
    expert = expert_version(city)
    told = [("密钥", "isn't there"), ("密钥", "Restore it from a backup")]
    assert serve_trained(*told).model == expert
    assert serve_trained(("另一把密钥", "signed with another key")).model == expert


def test_with_a_key_that_others_may_read_nothing_serves(trained, serve_trained):
    (trained.folder.parent / "key").chmod(0o644)
    with pytest.raises(ModelError, match="chmod 600"):
        serve_trained()
    assert not list(trained.folder.glob("*.damaged-*"))
