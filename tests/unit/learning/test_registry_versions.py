"""Versions are listed, sound or damaged."""

from __future__ import annotations

import pytest
from tests.kept_lists import lakeport
from tests.second_model import (
    EXPERT,
    FIRST,
    SECOND,
    THIRD,
    another,
    registry_of_four,
    said,
    somewhere,
    spoil,
)


@pytest.fixture
def registry(tmp_path):
    return registry_of_four(tmp_path)


def test_versions_are_listed_newest_first_the_damaged_among_them(registry):
    registry.save("elsewhere-1", another(lakeport()), said())
    spoil(registry, SECOND)
    found = registry.versions("somewhere")
    assert {version.name for version in found} == {EXPERT, FIRST, SECOND, THIRD}
    sound = [version.name for version in found if version.fault is None]
    assert sound == [THIRD, FIRST, EXPERT]
    (bad,) = (version for version in found if version.fault)
    assert bad.name == SECOND
    assert bad.manifest is None
    assert "damaged" in bad.fault.render("en")
    assert {version.name for version in registry.versions()} >= {"elsewhere-1", THIRD}


def test_what_was_set_aside_is_listed_as_damaged(registry):
    spoil(registry, FIRST)
    registry.save(FIRST, another(somewhere()), said(), lambda _: None)
    faults = {version.name: version.fault for version in registry.versions("somewhere")}
    assert faults[FIRST] is None
    assert faults[f"{FIRST}.damaged-1"]
