"""What others wrote is what they wrote: files, checksums and licences as they are listed."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = (ROOT / "src/leadscore/web/static/vendor", ROOT / "tests/browser/vendor")
LIST = "VENDOR.toml"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_file_is_listed_with_its_checksum_and_a_licence(folder: Path) -> None:
    listed = tomllib.loads((folder / LIST).read_text("utf-8"))
    sums = {name: digest for each in listed.values() for name, digest in each["sha256"].items()}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != LIST
    }
    assert found == sums
    for name, each in listed.items():
        assert each["version"], name
        assert each["licence"], name
        assert any("LICENSE" in file for file in each["sha256"]), name
