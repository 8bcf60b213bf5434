"""The registry keeps models whole, checks them before use, and knows each city's champion."""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import re
import stat
import subprocess
import tomllib
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from tests.commands import warm_python
from tests.kept_lists import BLADES, BREAD
from tests.second_model import another, somewhere

from leadscore.city import City
from leadscore.errors import ModelError
from leadscore.learning.expert import expert_scorecard
from leadscore.learning.scorecard import Scorecard
from leadscore.lists.columns import blank_firms
from leadscore.registry.models import ModelRegistry

VERSION = "somewhere-expert-0123456789"
ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LAKEPORT = ROOT / "tests" / "cities" / "lakeport.toml"
FIRMS = blank_firms(2).assign(name=["甲公司", "乙公司"], main_business=[BLADES, BREAD])


@cache
def fitted(more=0.0):
    return another(somewhere(), more)


def manifest(**changes):
    return {"kind": "expert", "created": NOW, **changes}


def build():
    return fitted(), manifest()


def refused():
    pytest.fail("built a model that was there already")


@pytest.fixture
def registry(tmp_path):
    return ModelRegistry(tmp_path / "home" / "models", tmp_path / "home" / "key")


@pytest.fixture
def stocked(registry):
    registry.save(VERSION, fitted(), manifest())
    return registry


@contextmanager
def forbidden(folder):
    """Take away the right to write to a folder."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    folder.chmod(0o555)
    with bound_by_modes():
        yield
    folder.chmod(mode)


@contextmanager
def bound_by_modes():
    """Let the superuser be bound by the modes of files, as others are.

    Only that capability is given up, for this thread: as another user it might not reach its own
    environment, which may lie in a folder that only the superuser may enter.
    """
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None)
    thread = (ctypes.c_uint32 * 2)(0x20080522, 0)  # of the third version of these calls: this one
    capabilities = (ctypes.c_uint32 * 6)()
    assert libc.capget(thread, capabilities) == 0
    effective = capabilities[0]
    capabilities[0] &= ~(1 << 1)  # CAP_DAC_OVERRIDE
    assert libc.capset(thread, capabilities) == 0
    try:
        yield
    finally:
        capabilities[0] = effective
        assert libc.capset(thread, capabilities) == 0


@pytest.fixture
def locked(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    return folder


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(bytes(32))
    path.chmod(0o600)
    return path


def sign(registry):
    """Sign a manifest that a test has changed, as only the owner of the key can."""
    folder = registry.folder / VERSION
    signed = registry._key.sign(VERSION, (folder / "manifest.json").read_bytes())
    (folder / "signature").write_bytes(signed)


def both_languages(error):
    return error.render("zh"), error.render("en")


def test_a_saved_model_scores_as_before(stocked):
    expected = fitted().decision_function(FIRMS)
    np.testing.assert_array_equal(stocked.load(VERSION).decision_function(FIRMS), expected)


def test_the_manifest_says_what_the_model_is(stocked):
    kept = json.loads((stocked.folder / VERSION / "manifest.json").read_text("utf-8"))
    assert kept == stocked.manifest(VERSION).content
    assert kept["version"] == VERSION
    assert kept["kind"] == "expert"
    assert kept["city"]["id"] == "somewhere"
    assert City.model_validate(kept["city"]["profile"]) == somewhere()
    assert kept["created"] == "2026-11-24T08:00:00+00:00"
    card = fitted().card.scorecard
    assert Scorecard.from_dict(kept["scorecard"]) == card
    assert kept["artefact"]["bytes"] == (stocked.folder / VERSION / "card.npz").stat().st_size


def test_a_time_without_zone_is_refused(registry):
    with pytest.raises(ValueError, match="time zone"):
        registry.save(VERSION, fitted(), manifest(created="2026-11-24T08:00:00"))


def test_nothing_but_the_model_is_left_in_the_folder(stocked):
    assert [path.name for path in stocked.folder.iterdir()] == [VERSION]
    assert sorted(path.name for path in (stocked.folder / VERSION).iterdir()) == [
        "card.npz",
        "manifest.json",
        "signature",
    ]


def test_the_versions_of_all_that_a_model_runs_on_are_kept(stocked):
    kept = stocked.manifest(VERSION).content["libraries"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w.-]+", line)[0] for line in project["dependencies"]}
    assert set(kept) == {"python", "leadscore"} | needed
    assert kept["scikit-learn"] == sklearn.__version__


def test_saving_the_same_again_changes_nothing(stocked):
    before = (stocked.folder / VERSION / "manifest.json").read_bytes()
    stocked.save(VERSION, fitted(), manifest(created=datetime(2027, 1, 1, tzinfo=UTC)))
    assert (stocked.folder / VERSION / "manifest.json").read_bytes() == before


def test_the_same_card_from_a_fit_that_rounded_otherwise_is_the_same_model(stocked):
    before = (stocked.folder / VERSION / "card.npz").read_bytes()
    twin = another(somewhere(), 0.0)
    twin.card.posterior.covariance[0, 0] *= 1 + 1e-6
    stocked.save(VERSION, twin, manifest(created=datetime(2027, 1, 1, tzinfo=UTC)))
    assert (stocked.folder / VERSION / "card.npz").read_bytes() == before


def test_a_damaged_version_is_set_aside_when_it_is_saved_again(stocked):
    lose_artefact(stocked.folder / VERSION)
    notices = []
    stocked.save(VERSION, fitted(), manifest(), notices.append)
    assert stocked.load(VERSION)
    assert f"{VERSION}.damaged-1" in notices[0].en


def test_a_version_never_changes(stocked):
    with pytest.raises(ModelError) as caught:
        stocked.save(VERSION, fitted(-2.0), manifest())
    zh, en = both_languages(caught.value)
    assert "不会改动" in zh
    assert "never changes" in en
    np.testing.assert_array_equal(
        stocked.load(VERSION).decision_function(FIRMS), fitted().decision_function(FIRMS)
    )


def test_a_model_that_is_not_there_is_named(registry):
    with pytest.raises(ModelError, match="no model nowhere-1 in the registry"):
        registry.load("nowhere-1")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 101, "南昌", "a b", "a\n"])
def test_a_name_cannot_lead_out_of_the_folder(registry, name):
    for use in (registry.load, registry.manifest, lambda bad: registry.ensure(bad, refused)):
        with pytest.raises(ModelError, match="can't be the name"):
            use(name)


def test_a_loaded_card_is_as_sure_and_draws_as_before(stocked):
    made, loaded = (each.card for each in (fitted(), stocked.load(VERSION)))
    X = fitted().features.transform(FIRMS)
    np.testing.assert_array_equal(loaded.predict_interval(X), made.predict_interval(X))
    pd.testing.assert_frame_equal(loaded.to_frame(), made.to_frame())
    assert loaded.sample_cards(2, 0) == made.sample_cards(2, 0)
    assert loaded.directions == made.directions


def test_a_wrong_hash_says_where_what_and_what_to_do(stocked):
    (stocked.folder / VERSION / "card.npz").write_bytes(b"other")
    with pytest.raises(ModelError) as caught:
        stocked.load(VERSION)
    (detail,) = caught.value.details
    assert detail.where == f"{VERSION}/card.npz"
    assert detail.got.startswith("SHA-256 d9298a10d1b07358")
    assert detail.wanted.en == f"SHA-256 {stocked_hash(stocked)}"
    zh, en = both_languages(caught.value)
    assert "已损坏" in zh
    assert "备份" in zh
    assert "restore its folder from a backup" in en


def stocked_hash(registry):
    kept = json.loads((registry.folder / VERSION / "manifest.json").read_text("utf-8"))
    return kept["artefact"]["sha256"]


@pytest.mark.parametrize("file", ["manifest.json", "card.npz"])
def test_a_missing_file_is_named(stocked, file):
    (stocked.folder / VERSION / file).unlink()
    with pytest.raises(ModelError, match="damaged") as caught:
        stocked.load(VERSION)
    assert caught.value.details[0].where == f"{VERSION}/{file}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"schema": 1, "version": "another"}',
        b'{"schema": 99, "version": "%s"}' % VERSION.encode(),
        b'{"schema": 1, "version": "%s", "artefact": 1, "libraries": {}}' % VERSION.encode(),
        b'{"schema": 1, "version": "%s", "artefact": {}, "libraries": {}}' % VERSION.encode(),
        b"[" * 100_000,
    ],
    ids=range(11),
)
@pytest.mark.parametrize("signed", [True, False])
def test_a_manifest_that_is_none_is_refused_signed_or_not(stocked, content, signed):
    (stocked.folder / VERSION / "manifest.json").write_bytes(content)
    if signed:
        sign(stocked)
    with pytest.raises(ModelError, match="damaged"):
        stocked.load(VERSION)


def test_the_libraries_that_a_model_was_saved_with_may_be_others_by_now(stocked):
    path = stocked.folder / VERSION / "manifest.json"
    kept = json.loads(path.read_text("utf-8"))
    kept["libraries"] = {"scikit-learn": "0.1"}
    path.write_text(json.dumps(kept), encoding="utf-8")
    sign(stocked)
    expected = fitted().decision_function(FIRMS)
    np.testing.assert_array_equal(stocked.load(VERSION).decision_function(FIRMS), expected)


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", pickle.dumps({"classes": [0, 1]}), b"PK\x03\x04"],
    ids=["nothing", "text", "a pickle", "a torn file"],
)
def test_a_signed_artefact_that_is_none_is_refused(stocked, content):
    stocked._put("other", content, stocked.manifest(VERSION).content)
    with pytest.raises(ModelError, match="damaged") as caught:
        stocked.load("other")
    assert caught.value.details[0].where == "other/card.npz"


def test_ensure_builds_once_and_loads_ever_after(registry):
    first = registry.ensure(VERSION, build)
    again = registry.ensure(VERSION, refused)
    np.testing.assert_array_equal(first.decision_function(FIRMS), again.decision_function(FIRMS))


def flip(folder):
    (folder / "card.npz").write_bytes(b"junk")


def lose_artefact(folder):
    (folder / "card.npz").unlink()


def lose_both(folder):
    for path in folder.iterdir():
        path.unlink()


def lose_signature(folder):
    (folder / "signature").unlink()


def come_from_later(folder):
    path = folder / "manifest.json"
    text = path.read_text("utf-8")
    path.write_text(text.replace('"schema": 2', '"schema": 3'), "utf-8")
    sign(ModelRegistry(folder.parent, folder.parent.parent / "key"))


@pytest.mark.parametrize(
    "damage", [flip, lose_artefact, lose_both, lose_signature, come_from_later]
)
def test_ensure_sets_a_model_that_cannot_be_used_aside_and_builds_it_anew(stocked, damage):
    damage(stocked.folder / VERSION)
    notices = []
    model = stocked.ensure(VERSION, build, notices.append)
    np.testing.assert_array_equal(model.decision_function(FIRMS), fitted().decision_function(FIRMS))
    (notice,) = notices
    assert f"renamed to {VERSION}.damaged-1 and rebuilt" in notice.en
    assert "重新生成" in notice.zh
    assert (stocked.folder / f"{VERSION}.damaged-1").is_dir()
    stocked.load(VERSION)


def test_each_damaged_model_is_kept_and_a_warning_is_logged(stocked, caplog):
    for n in (1, 2, 3):
        (stocked.folder / VERSION / "card.npz").write_bytes(b"junk")
        stocked.ensure(VERSION, build)
        assert f"{VERSION}.damaged-{n}" in caplog.records[-1].getMessage()
    assert len(list(stocked.folder.glob("*.damaged-*"))) == 3


def test_what_is_built_damaged_is_no_endless_loop(stocked):
    class Fickle(ModelRegistry):
        def load(self, version):
            (self.folder / version / "card.npz").write_bytes(b"junk")
            return super().load(version)

    notices = []
    with pytest.raises(ModelError, match="damaged"):
        Fickle(stocked.folder, stocked.folder.parent / "key").ensure(VERSION, build, notices.append)
    assert len(notices) == 3


def test_an_error_while_building_leaves_nothing_behind(registry):
    def fail():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        registry.ensure(VERSION, fail)
    assert not registry.folder.exists()


BUILDER = """
import sys
from pathlib import Path
from leadscore.city import load_city
from leadscore.learning.expert import fit_expert
from leadscore.registry.models import ModelRegistry

def build():
    city = load_city(Path(sys.argv[3]))
    return fit_expert(city), {"kind": "expert", "created": "2026-11-24T00:00:00+00:00"}

print("ready", flush=True)
sys.stdin.readline()
registry = ModelRegistry(Path(sys.argv[1]) / "models", Path(sys.argv[1]) / "key")
print(registry.ensure(sys.argv[2], build).card.scorecard.intercept)
"""


@pytest.mark.parametrize("damaged", [False, True])
def test_processes_that_build_the_same_at_the_same_time_do_not_hurt_each_other(registry, damaged):
    if damaged:
        registry.save(VERSION, fitted(), manifest())
        (registry.folder / VERSION / "card.npz").write_bytes(b"junk")
    command = [*warm_python(), BUILDER, str(registry.folder.parent), VERSION, str(LAKEPORT)]
    pipe = subprocess.PIPE
    builders = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)
    ]
    for builder in builders:
        assert builder.stdout.readline() == "ready\n"
    for builder in builders:
        builder.stdin.write("\n")
        builder.stdin.flush()
    for builder in builders:
        found, complaints = builder.communicate(timeout=60)
        assert found == f"{expert_scorecard(somewhere()).intercept}\n", complaints
    left = sorted(path.name for path in registry.folder.iterdir())
    assert left[0] == VERSION
    assert all(name.startswith(f"{VERSION}.damaged-") for name in left[1:])
    assert sorted(path.name for path in registry.folder.parent.iterdir()) == ["key", "models"]


def test_a_folder_that_may_not_be_written_is_said_so_in_both_languages(locked, key):
    with forbidden(locked), pytest.raises(ModelError) as caught:
        ModelRegistry(locked, key).ensure(VERSION, build)
    zh, en = both_languages(caught.value)
    assert "不许读写模型文件夹" in zh
    assert "not allowed to read and write" in en
    assert "LEADSCORE_HOME" in en


def test_a_shelf_that_may_only_be_read_serves_what_it_has(locked, key):
    registry = ModelRegistry(locked, key)
    registry.ensure(VERSION, build)
    registry.save("second", fitted(), manifest())
    with forbidden(locked):
        assert registry.ensure(VERSION, refused)
        assert registry.load("second")
        with pytest.raises(ModelError, match="not allowed"):
            registry.save("third", fitted(), manifest())


def test_a_file_in_place_of_the_folder_is_said_so(tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ModelError, match=r"the folder of models .* can't be used"):
        ModelRegistry(tmp_path / "models", tmp_path / "key").ensure(VERSION, build)
