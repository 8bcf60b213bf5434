"""Versions are listed, sound or damaged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.kept_lists import lakeport
from tests.second_model import another, somewhere

from leadscore.registry.models import ModelRegistry

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
EXPERT, FIRST, SECOND, THIRD = (
    f"somewhere-{name}" for name in ("expert-0", "20260101-1", "20260201-2", "20260301-3")
)


def manifest(**changes):
    return {"kind": "trained", "created": NOW, **changes}


@pytest.fixture
def registry(tmp_path):
    """Return a registry with four versions, saved an hour apart, none of them champion."""
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    for hours, version in enumerate((EXPERT, FIRST, SECOND, THIRD)):
        created = NOW + timedelta(hours=hours)
        registry.save(version, another(somewhere(), hours), manifest(created=created))
    return registry


def spoil(registry, version):
    (registry.folder / version / "card.npz").write_bytes(b"junk")


def test_versions_are_listed_newest_first_the_damaged_among_them(registry):
    registry.save("elsewhere-1", another(lakeport()), manifest())
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
    registry.save(FIRST, another(somewhere()), manifest(), lambda _: None)
    faults = {version.name: version.fault for version in registry.versions("somewhere")}
    assert faults[FIRST] is None
    assert faults[f"{FIRST}.damaged-1"]
