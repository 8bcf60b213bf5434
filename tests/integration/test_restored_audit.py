"""A backup that was put back by the command is noted in the audit, which stays whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Done, called

from leadscore.store.audit import page
from leadscore.store.backups import restore
from leadscore.store.database import Database


@dataclass
class House:
    """A database with two records in its audit, and a backup from when there was one."""

    database: Database
    home: Path
    backup: Path

    def ask(self, *words: object, home: Path | None = None) -> Done:
        url = self.database.url.set(drivername=self.database.dialect)
        address = url.render_as_string(hide_password=False)
        home = home or self.home
        return called(*words, home=home, LEADSCORE_LANG="en", LEADSCORE_DATABASE=address)

    def add_key(self, name: str) -> None:
        assert self.ask("keys", "add", name, "--role", "viewer").returncode == 0

    def restore(self, home: Path | None = None) -> Done:
        return self.ask("db", "restore", self.backup, "--replace", home=home)

    def restore_by_hand(self) -> None:
        """Do what pg_restore or a copied file would do."""
        restore(self.database, self.home, self.backup, replace=True)

    def records(self) -> list[tuple[str, dict[str, Any]]]:
        with self.database.read() as connection:
            rows = page(connection)
        return [(row.action, json.loads(row.details)) for row in reversed(rows)]


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    house = House(database, tmp_path / "home", tmp_path / "kept.backup")
    house.add_key("one")
    assert house.ask("db", "backup", house.backup).returncode == 0
    house.add_key("two")
    return house


def test_a_restore_is_in_the_audit_which_stays_whole(house: House) -> None:
    done = house.restore()
    assert done.returncode == 0, done.stderr
    (first, _), restored = house.records()
    assert first == "key.add"
    assert restored == ("database.restore", {"file": "kept.backup"})
    assert list(house.backup.parent.glob(".*.part")) == []
    assert house.ask("audit", "verify").stdout.startswith("OK: 2 records")
    house.add_key("three")
    assert house.ask("audit", "verify").stdout.startswith("OK: 3 records")


def test_an_older_copy_that_was_put_back_by_hand_passes_and_the_audit_goes_on(house: House) -> None:
    house.restore_by_hand()
    assert house.ask("audit", "verify").stdout.startswith("OK: 1 records")
    house.add_key("three")
    assert house.ask("audit", "verify").stdout.startswith("OK: 2 records")


def test_the_file_of_the_last_mark_that_earlier_versions_wrote_is_left_alone(house: House) -> None:
    head = house.home / "keys" / "audit.head"
    head.write_text(f"9 {'a' * 64} {'b' * 64}\n")
    house.add_key("three")
    assert house.restore().returncode == 0
    assert house.ask("audit", "verify").returncode == 0
    assert head.read_text() == f"9 {'a' * 64} {'b' * 64}\n"


def test_without_the_key_a_restore_says_that_the_audit_can_not_go_on(
    house: House, tmp_path: Path
) -> None:
    elsewhere, before = tmp_path / "elsewhere", house.records()
    done = house.restore(home=elsewhere)
    assert done.returncode == 2
    assert "restored" not in done.stdout
    assert str(elsewhere / "keys" / "audit.key") in done.stderr
    if house.database.path:
        assert house.records() == before, "put back all or nothing"
    shutil.copytree(house.home / "keys", elsewhere / "keys", dirs_exist_ok=True)
    assert house.restore(home=elsewhere).returncode == 0
    assert house.ask("audit", "verify", home=elsewhere).returncode == 0
