"""Nothing is read that wasn't signed with the key, and the key is looked after."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import re
import shutil
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.commands import warm_python
from tests.second_model import another, somewhere

from leadscore.errors import ModelError
from leadscore.files import place_folder
from leadscore.registry.models import ModelRegistry

VERSION = "somewhere-20261124-0123456789"
OTHER = "somewhere-20261125-0123456789"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LAKEPORT = Path(__file__).parents[2] / "cities" / "lakeport.toml"
MANIFEST = {"kind": "trained", "created": NOW}
FILES = ("manifest.json", "pipeline.joblib", "signature")


class Bomb:
    """Writes a file when it is unpickled, as a planted model would run code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def keep(registry, version, model):
    """Keep a model as format 1 did, pickled, and signed with the key of a registry."""
    artefact = pickle.dumps(model)
    manifest = {
        "kind": "trained", "city": {"id": "somewhere", "digest": "d1ge57"}, "schema": 1,
        "version": version, "created": NOW.isoformat(), "libraries": {}, "scorecard": {},
        "artefact": {"file": FILES[1], "sha256": hashlib.sha256(artefact).hexdigest()},
    }  # fmt: skip
    text = json.dumps(manifest).encode()
    files = dict(zip(FILES, (text, artefact, registry._key.sign(version, text)), strict=True))
    assert place_folder(registry.folder / version, files)


@pytest.fixture
def key(tmp_path):
    return tmp_path / "keys" / "models.key"


@pytest.fixture
def registry(tmp_path, key):
    return ModelRegistry(tmp_path / "models", key)


@pytest.fixture
def flag(tmp_path):
    return tmp_path / "went-off"


@pytest.fixture
def mined(registry, flag):
    """Return a registry with a version that leaves a trace when it is unpickled."""
    keep(registry, VERSION, Bomb(flag))
    return registry


def is_read(registry, version):
    """Tell whether a model is unpickled, which the bomb then is refused for by name."""
    with pytest.raises(ModelError) as caught:
        registry.load(version)
    return "may not name pathlib.Path.touch" in caught.value.render("en")


def refusal(use, *arguments):
    with pytest.raises(ModelError) as caught:
        use(*arguments)
    assert "may not name" not in caught.value.render("en")
    assert caught.value.code == "unusable_model"
    zh, en = caught.value.render("zh"), caught.value.render("en")
    assert re.search(r"[\u4e00-\u9fff]", zh)
    assert not re.search(r"[\u4e00-\u9fff]", en)
    return zh, en


def test_a_thousand_flipped_bits_are_a_thousand_refusals_before_unpickling(mined, flag):
    folder = mined.folder / VERSION
    good = {name: (folder / name).read_bytes() for name in FILES}
    bits = random.Random(3)  # noqa: S311 - the same bits in every run
    refused = dict.fromkeys(FILES, 0)
    for n in range(1_000):
        name = FILES[n % len(FILES)]
        flipped = bytearray(good[name])
        flipped[bits.randrange(len(flipped))] ^= 1 << bits.randrange(8)
        (folder / name).write_bytes(flipped)
        with pytest.raises(ModelError, match=r"damaged|another key"):
            mined.load(VERSION)
        assert not is_read(mined, VERSION)
        (folder / name).write_bytes(good[name])
        refused[name] += 1
    assert sum(refused.values()) == 1_000
    assert min(refused.values()) >= 333
    assert is_read(mined, VERSION)
    assert not flag.exists()


def test_every_single_bit_of_the_signature_counts(mined, flag):
    signature = mined.folder / VERSION / "signature"
    good = signature.read_bytes()
    for bit in range(8 * len(good)):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        signature.write_bytes(flipped)
        refusal(mined.load, VERSION)
    assert not flag.exists()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("change", [lambda good: good[:-1], lambda good: good + b"\n"])
def test_a_byte_too_few_or_too_many_is_refused(mined, flag, file, change):
    path = mined.folder / VERSION / file
    path.write_bytes(change(path.read_bytes()))
    refusal(mined.load, VERSION)
    assert not flag.exists()


def test_a_planted_model_with_the_right_hash_is_refused(registry, mined, flag, tmp_path):
    forger = ModelRegistry(tmp_path / "forged", tmp_path / "forged.key")
    keep(forger, OTHER, Bomb(flag))
    shutil.copytree(forger.folder / OTHER, registry.folder / OTHER)
    zh, en = refusal(mined.load, OTHER)
    assert "signed with another key" in en
    assert "LEADSCORE_KEY_FILE" in en
    assert "另一把密钥" in zh
    assert not flag.exists()


def test_a_version_under_another_name_is_refused(mined, flag):
    shutil.copytree(mined.folder / VERSION, mined.folder / OTHER)
    zh, en = refusal(mined.load, OTHER)
    assert f"{OTHER}/signature" in en
    assert "已损坏" in zh
    assert not flag.exists()


def test_parts_of_two_versions_make_no_third(mined, flag):
    keep(mined, OTHER, Bomb(flag.with_name("other")))
    for file in FILES[1:]:
        shutil.copyfile(mined.folder / OTHER / file, mined.folder / VERSION / file)
        refusal(mined.load, VERSION)
    assert not flag.exists()
    assert not flag.with_name("other").exists()


def test_a_model_of_an_older_leadscore_has_no_signature_and_is_said_so(mined, flag):
    (mined.folder / VERSION / "signature").unlink()
    zh, en = refusal(mined.load, VERSION)
    assert "has no signature" in en
    assert "leadscore retrain" in en
    assert "没有签名" in zh
    assert not flag.exists()


@pytest.mark.parametrize("part", ["", *FILES])
def test_a_link_is_never_followed(mined, flag, tmp_path, part):
    path = mined.folder / VERSION / part
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    zh, en = refusal(mined.load, VERSION)
    assert "not a plain file or folder" in en
    assert "链接" in zh
    assert not flag.exists()


def test_a_pipe_in_place_of_a_file_does_not_hang(mined):
    path = mined.folder / VERSION / FILES[1]
    path.unlink()
    os.mkfifo(path)
    refusal(mined.load, VERSION)


@pytest.mark.usefixtures("mined")
def test_the_key_is_random_outside_the_models_and_for_its_owner_only(key, tmp_path):
    assert len(key.read_bytes()) == 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert [path.name for path in key.parent.iterdir()] == ["models.key"]
    keep(ModelRegistry(tmp_path / "others", tmp_path / "other.key"), VERSION, Bomb(tmp_path))
    assert (tmp_path / "other.key").read_bytes() != key.read_bytes()


def test_looking_makes_no_key(registry, key):
    refusal(registry.load, VERSION)
    assert registry.versions() == []
    assert not key.parent.exists()


def test_a_lost_key_is_named_and_no_new_one_pretends_to_be_it(mined, key, flag):
    key.unlink()
    zh, en = refusal(mined.load, VERSION)
    assert str(key) in en
    assert "Restore it from a backup" in en
    assert "leadscore retrain" in zh
    assert not key.exists()
    assert not flag.exists()


def test_after_a_lost_key_new_models_are_signed_with_a_new_one(mined, key):
    old = key.read_bytes()
    key.unlink()
    mined.save(OTHER, another(somewhere()), MANIFEST)
    assert mined.load(OTHER)
    assert "another key" in refusal(mined.load, VERSION)[1]
    key.write_bytes(old)
    assert is_read(mined, VERSION)


@pytest.mark.parametrize("content", [b"", b"\n", bytes(31)])
def test_a_short_key_is_refused_whatever_is_asked(mined, key, flag, content):
    key.write_bytes(content)
    for use in (
        lambda: mined.load(VERSION),
        lambda: mined.save(OTHER, another(somewhere()), MANIFEST),
        lambda: mined.ensure(VERSION, lambda: pytest.fail("built without a key")),
        mined.check_key,
    ):
        zh, en = refusal(use)
        assert f"found {len(content)}, wanted 32 to 65536 bytes" in en
        assert "删去该文件" in zh
    assert [path.name for path in mined.folder.iterdir()] == [VERSION]
    assert not flag.exists()


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o620])
def test_a_key_that_others_may_read_or_change_is_refused(mined, key, mode):
    key.chmod(mode)
    zh, en = refusal(mined.load, VERSION)
    assert f"chmod 600 {key}" in en
    assert f"found {mode:o}" in en
    assert "伪造" in zh


def test_a_key_that_a_group_may_read_serves_its_service(mined, key):
    key.chmod(0o640)
    assert is_read(mined, VERSION)


def test_a_key_among_the_models_is_refused(tmp_path):
    registry = ModelRegistry(tmp_path / "models", tmp_path / "models" / "keys" / "key")
    zh, en = refusal(registry.save, VERSION, another(somewhere()), MANIFEST)
    assert "inside the models folder" in en
    assert "放到别处" in zh
    assert not (tmp_path / "models").exists()


def test_a_folder_in_place_of_the_key_is_said_so(registry, key):
    key.mkdir(parents=True)
    zh, en = refusal(registry.save, VERSION, another(somewhere()), MANIFEST)
    assert f"the key file {key} can't be used" in en
    assert "LEADSCORE_KEY_FILE" in zh


MAKER = """
import sys
from pathlib import Path
from leadscore.city import load_city
from leadscore.learning.expert import fit_expert
from leadscore.registry.models import ModelRegistry

home, model = Path(sys.argv[1]), fit_expert(load_city(Path(sys.argv[3])))
print("ready", flush=True)
sys.stdin.readline()
ModelRegistry(home / "models", home / "keys" / "models.key").save(
    sys.argv[2], model, {"kind": "trained", "created": "2026-11-24T00:00:00+00:00"}
)
"""


def test_processes_that_start_at_once_agree_on_one_key(tmp_path, registry, key):
    names = [f"somewhere-{n}" for n in range(4)]
    pipe = subprocess.PIPE
    makers = [
        subprocess.Popen(
            [*warm_python(), MAKER, tmp_path, name, LAKEPORT],
            stdin=pipe,
            stdout=pipe,
            text=True,
        )
        for name in names
    ]
    for maker in makers:
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        maker.stdin.write("\n")
        maker.stdin.flush()
    for maker in makers:
        maker.communicate(timeout=60)
        assert maker.returncode == 0
    assert all(registry.load(name) for name in names)
    assert [path.name for path in key.parent.iterdir()] == ["models.key"]


SAVER = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from leadscore.city import load_city
from leadscore.learning.expert import fit_expert
from leadscore.registry.models import ModelRegistry

model = fit_expert(load_city(Path(sys.argv[4])))
kept, home = os.fsync, Path(sys.argv[1])
left = int(sys.argv[2])

def killed_at(handle):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    kept(handle)

os.fsync = killed_at
registry = ModelRegistry(home / "models", home / "key")
registry.save(sys.argv[3], model, {"created": "2026-11-24T00:00:00Z"})
"""


def test_a_process_that_is_killed_leaves_no_half_version(tmp_path):
    (tmp_path / "key").write_bytes(bytes(32))
    (tmp_path / "key").chmod(0o600)
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    states = set()
    for step in range(1, 12):
        command = [*warm_python(), SAVER, tmp_path, str(step), VERSION, LAKEPORT]
        done = subprocess.run(command, check=False, timeout=60)
        whole = [version.name for version in registry.versions() if version.fault is None]
        assert [version.name for version in registry.versions()] == whole
        states.add(bool(whole))
        if done.returncode == 0:
            break
        shutil.rmtree(registry.folder)
    assert done.returncode == 0
    assert states == {False, True}
    assert registry.load(VERSION)
