"""The shelf keeps models whole, checks them before use, and knows each city's champion."""

from __future__ import annotations

import ctypes
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.pipeline import Pipeline
from tests.commands import warm_python

from leadscore.errors import ModelError
from leadscore.learning import AdditiveCard
from leadscore.learning.shelf import Shelf
from leadscore.learning.tables.scorecard import CategoricalTable, Scorecard

VERSION = "somewhere-expert-0123456789"
ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
CARD = Scorecard(-1.0, (CategoricalTable("x0", ("maker",), np.array([0.5]), 0.0, 0.0),))
FIRMS = np.array([["maker"], ["trade"]], dtype=object)


def pipeline(card=CARD):
    return Pipeline([("card", AdditiveCard(prior=card))]).fit(np.empty((0, 1), dtype=object), [])


def manifest(**changes):
    return {
        "kind": "expert",
        "city": {"id": "somewhere", "digest": "d1ge57"},
        "created": NOW,
        "scorecard": CARD.to_dict(),
        **changes,
    }


def build():
    return pipeline(), manifest()


def refused():
    pytest.fail("built a model that was there already")


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "home" / "models", tmp_path / "home" / "key")


@pytest.fixture
def stocked(shelf):
    shelf.save(VERSION, pipeline(), manifest())
    return shelf


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


def sign(shelf):
    """Sign a manifest that a test has changed, as only the owner of the key can."""
    folder = shelf.folder / VERSION
    signed = shelf._key.sign(VERSION, (folder / "manifest.json").read_bytes())
    (folder / "signature").write_bytes(signed)


def both_languages(error):
    return error.render("zh"), error.render("en")


def test_a_saved_model_scores_as_before(stocked):
    expected = pipeline().decision_function(FIRMS)
    np.testing.assert_array_equal(stocked.load(VERSION).decision_function(FIRMS), expected)


def test_the_manifest_says_what_the_model_is(stocked):
    kept = json.loads((stocked.folder / VERSION / "manifest.json").read_text("utf-8"))
    assert kept == stocked.manifest(VERSION)
    assert kept["version"] == VERSION
    assert kept["kind"] == "expert"
    assert kept["city"] == {"id": "somewhere", "digest": "d1ge57"}
    assert kept["created"] == "2026-11-24T08:00:00+00:00"
    assert Scorecard.from_dict(kept["scorecard"]) == CARD
    assert (
        kept["artefact"]["bytes"] == (stocked.folder / VERSION / "pipeline.joblib").stat().st_size
    )


def test_a_time_without_zone_is_refused(shelf):
    with pytest.raises(ValueError, match="time zone"):
        shelf.save(VERSION, pipeline(), manifest(created="2026-11-24T08:00:00"))


def test_nothing_but_the_model_is_left_in_the_folder(stocked):
    assert [path.name for path in stocked.folder.iterdir()] == [VERSION]
    assert sorted(path.name for path in (stocked.folder / VERSION).iterdir()) == [
        "manifest.json",
        "pipeline.joblib",
        "signature",
    ]


def test_the_versions_of_all_that_a_model_runs_on_are_kept(stocked):
    kept = stocked.manifest(VERSION)["libraries"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w.-]+", line)[0] for line in project["dependencies"]}
    assert set(kept) == {"python", "leadscore"} | needed
    assert kept["scikit-learn"] == sklearn.__version__


def test_saving_the_same_again_changes_nothing(stocked):
    before = (stocked.folder / VERSION / "manifest.json").read_bytes()
    stocked.save(VERSION, pipeline(), manifest(created=datetime(2027, 1, 1, tzinfo=UTC)))
    assert (stocked.folder / VERSION / "manifest.json").read_bytes() == before


def test_the_same_model_pickled_to_other_bytes_is_the_same(stocked):
    twin = pipeline()
    twin.memo = "fitted in another process"
    stocked.save(VERSION, twin, manifest(created=datetime(2027, 1, 1, tzinfo=UTC)))
    assert not hasattr(stocked.load(VERSION), "memo")


def test_a_damaged_version_is_set_aside_when_it_is_saved_again(stocked):
    lose_artefact(stocked.folder / VERSION)
    notices = []
    stocked.save(VERSION, pipeline(), manifest(), notices.append)
    assert stocked.load(VERSION)
    assert f"{VERSION}.damaged-1" in notices[0].en


def test_a_version_never_changes(stocked):
    other = Scorecard(-2.0, CARD.tables)
    with pytest.raises(ModelError) as caught:
        stocked.save(VERSION, pipeline(other), manifest(scorecard=other.to_dict()))
    zh, en = both_languages(caught.value)
    assert "不会改动" in zh
    assert "never changes" in en
    np.testing.assert_array_equal(
        stocked.load(VERSION).decision_function(FIRMS), pipeline().decision_function(FIRMS)
    )


def test_a_model_that_is_not_there_is_named(shelf):
    with pytest.raises(ModelError, match="no model nowhere-1 on the shelf"):
        shelf.load("nowhere-1")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 101, "南昌", "a b", "a\n"])
def test_a_name_cannot_lead_out_of_the_folder(shelf, name):
    for use in (shelf.load, shelf.champion, lambda bad: shelf.ensure(bad, refused)):
        with pytest.raises(ModelError, match="can't be the name"):
            use(name)


class Bomb:
    """Writes a file when it is unpickled, as a planted model would run code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_bytes_are_checked_before_anything_is_unpickled(shelf, tmp_path):
    flag = tmp_path / "went-off"
    shelf.save(VERSION, Bomb(flag), manifest())
    artefact = shelf.folder / VERSION / "pipeline.joblib"
    good = artefact.read_bytes()
    for position in range(0, len(good), 7):
        flipped = bytearray(good)
        flipped[position] ^= 1
        artefact.write_bytes(flipped)
        with pytest.raises(ModelError, match="damaged"):
            shelf.load(VERSION)
    assert not flag.exists()
    artefact.write_bytes(good)
    shelf.load(VERSION)
    assert flag.exists()


def test_a_wrong_hash_says_where_what_and_what_to_do(stocked):
    (stocked.folder / VERSION / "pipeline.joblib").write_bytes(b"other")
    with pytest.raises(ModelError) as caught:
        stocked.load(VERSION)
    (detail,) = caught.value.details
    assert detail.where == f"{VERSION}/pipeline.joblib"
    assert detail.got.startswith("SHA-256 d9298a10d1b07358")
    assert detail.wanted.en == f"SHA-256 {stocked_hash(stocked)}"
    zh, en = both_languages(caught.value)
    assert "已损坏" in zh
    assert "备份" in zh
    assert "restore its folder from a backup" in en


def stocked_hash(shelf):
    kept = json.loads((shelf.folder / VERSION / "manifest.json").read_text("utf-8"))
    return kept["artefact"]["sha256"]


@pytest.mark.parametrize("file", ["manifest.json", "pipeline.joblib"])
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


def test_another_version_of_scikit_learn_is_refused_by_name(stocked):
    path = stocked.folder / VERSION / "manifest.json"
    kept = json.loads(path.read_text("utf-8"))
    kept["libraries"]["scikit-learn"] = "0.1"
    path.write_text(json.dumps(kept), encoding="utf-8")
    sign(stocked)
    with pytest.raises(ModelError) as caught:
        stocked.load(VERSION)
    assert caught.value.details[0].wanted.en == "0.1"
    zh, en = both_languages(caught.value)
    assert "scikit-learn" in zh
    assert "Install the version named below" in en
    assert stocked.manifest(VERSION)["libraries"]["scikit-learn"] == "0.1"
    with pytest.raises(ModelError, match="another version of scikit-learn"):
        stocked.promote("somewhere", VERSION, act="trained", now=NOW)


def test_a_model_of_code_that_is_gone_is_refused(shelf, tmp_path):
    (tmp_path / "gone.py").write_text("class Model:\n    pass\n")
    script = (
        "from pathlib import Path\nimport gone\nfrom leadscore.learning.shelf import Shelf\n"
        f"Shelf(Path({str(shelf.folder)!r}), Path({str(shelf.folder.parent / 'key')!r}))"
        f".save({VERSION!r}, gone.Model(), "
        "{'kind': 'expert', 'created': '2026-11-24T00:00:00+00:00'})"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    with pytest.raises(ModelError, match="damaged") as caught:
        shelf.load(VERSION)
    assert "gone" in caught.value.details[0].got


def test_ensure_builds_once_and_loads_ever_after(shelf):
    first = shelf.ensure(VERSION, build)
    again = shelf.ensure(VERSION, refused)
    np.testing.assert_array_equal(first.decision_function(FIRMS), again.decision_function(FIRMS))


def flip(folder):
    (folder / "pipeline.joblib").write_bytes(b"junk")


def lose_artefact(folder):
    (folder / "pipeline.joblib").unlink()


def lose_both(folder):
    for path in folder.iterdir():
        path.unlink()


def lose_signature(folder):
    (folder / "signature").unlink()


def age(folder):
    path = folder / "manifest.json"
    text = path.read_text("utf-8")
    path.write_text(text.replace('"scikit-learn": "', '"scikit-learn": "0.'), "utf-8")
    sign(Shelf(folder.parent, folder.parent.parent / "key"))


@pytest.mark.parametrize("damage", [flip, lose_artefact, lose_both, lose_signature, age])
def test_ensure_sets_a_model_that_cannot_be_used_aside_and_builds_it_anew(stocked, damage):
    damage(stocked.folder / VERSION)
    notices = []
    model = stocked.ensure(VERSION, build, notices.append)
    np.testing.assert_array_equal(
        model.decision_function(FIRMS), pipeline().decision_function(FIRMS)
    )
    (notice,) = notices
    assert f"renamed to {VERSION}.damaged-1 and built anew" in notice.en
    assert "重新生成" in notice.zh
    assert (stocked.folder / f"{VERSION}.damaged-1").is_dir()
    stocked.load(VERSION)


def test_each_damaged_model_is_kept_and_a_warning_is_logged(stocked, caplog):
    for n in (1, 2, 3):
        (stocked.folder / VERSION / "pipeline.joblib").write_bytes(b"junk")
        stocked.ensure(VERSION, build)
        assert f"{VERSION}.damaged-{n}" in caplog.records[-1].getMessage()
    assert len(list(stocked.folder.glob("*.damaged-*"))) == 3


def test_what_is_built_damaged_is_no_endless_loop(stocked):
    class Fickle(Shelf):
        def load(self, version):
            (self.folder / version / "pipeline.joblib").write_bytes(b"junk")
            return super().load(version)

    notices = []
    with pytest.raises(ModelError, match="damaged"):
        Fickle(stocked.folder, stocked.folder.parent / "key").ensure(VERSION, build, notices.append)
    assert len(notices) == 3


def test_an_error_while_building_leaves_nothing_behind(shelf):
    def fail():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        shelf.ensure(VERSION, fail)
    assert not shelf.folder.exists()


BUILDER = """
import sys
from pathlib import Path
import numpy as np
from sklearn.pipeline import Pipeline
from leadscore.learning import AdditiveCard
from leadscore.learning.shelf import Shelf
from leadscore.learning.tables.scorecard import Scorecard

def build():
    card = AdditiveCard(prior=Scorecard(-1.25, ()))
    pipeline = Pipeline([("card", card)]).fit(np.empty((0, 1)), [])
    return pipeline, {"kind": "expert", "created": "2026-11-24T00:00:00+00:00"}

print("ready", flush=True)
sys.stdin.readline()
shelf = Shelf(Path(sys.argv[1]) / "models", Path(sys.argv[1]) / "key")
print(shelf.ensure(sys.argv[2], build).decision_function([[0.0]])[0])
"""


@pytest.mark.parametrize("damaged", [False, True])
def test_processes_that_build_the_same_at_the_same_time_do_not_hurt_each_other(shelf, damaged):
    if damaged:
        shelf.save(VERSION, pipeline(), manifest())
        (shelf.folder / VERSION / "pipeline.joblib").write_bytes(b"junk")
    command = [*warm_python(), BUILDER, str(shelf.folder.parent), VERSION]
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
        assert found == "-1.25\n", complaints
    left = sorted(path.name for path in shelf.folder.iterdir())
    assert left[0] == VERSION
    assert all(name.startswith(f"{VERSION}.damaged-") for name in left[1:])
    assert sorted(path.name for path in shelf.folder.parent.iterdir()) == ["key", "models"]


def test_a_folder_that_may_not_be_written_is_said_so_in_both_languages(locked, key):
    with forbidden(locked), pytest.raises(ModelError) as caught:
        Shelf(locked, key).ensure(VERSION, build)
    zh, en = both_languages(caught.value)
    assert "不许读写模型文件夹" in zh
    assert "not allowed to read and write" in en
    assert "LEADSCORE_HOME" in en


def test_a_shelf_that_may_only_be_read_serves_what_it_has(locked, key):
    shelf = Shelf(locked, key)
    shelf.ensure(VERSION, build)
    shelf.save("second", pipeline(), manifest())
    shelf.promote("somewhere", VERSION, act="trained", now=NOW)
    with forbidden(locked):
        shelf.ensure(VERSION, refused)
        shelf.promote("somewhere", VERSION, act="trained", now=NOW)
        assert shelf.champion("somewhere") == VERSION
        with pytest.raises(ModelError, match="not allowed"):
            shelf.promote("somewhere", "second", act="trained", now=NOW)
    assert shelf.champion("somewhere") == VERSION


def test_a_file_in_place_of_the_folder_is_said_so(tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ModelError, match=r"the folder of models .* can't be used"):
        Shelf(tmp_path / "models", tmp_path / "key").ensure(VERSION, build)
