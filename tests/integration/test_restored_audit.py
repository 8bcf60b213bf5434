"""A backup that was put back on purpose leaves the audit whole; put back by hand it is noticed."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.commands import Done, called

from leadscore.store.auditing.pages import page
from leadscore.store.engine.backups import restore
from leadscore.store.engine.database import Database


@dataclass
class House:
    """A database with two records in its audit, and a backup from when there was one."""

    database: Database
    home: Path
    backup: Path

    def ask(self, *words: object, home: Path | None = None) -> Done:
        address = self.database.url.render_as_string(hide_password=False)
        home = home or self.home
        return called(*words, home=home, LEADSCORE_LANG="en", LEADSCORE_DATABASE=address)

    def add_key(self, name: str) -> None:
        assert self.ask("keys", "add", name, "--role", "viewer").returncode == 0

    def restore(self, home: Path | None = None) -> Done:
        return self.ask("db", "restore", self.backup, "--replace", home=home)

    def restore_by_hand(self) -> None:
        """Do what pg_restore or a copied file would do."""
        restore(self.database, self.backup, replace=True)

    @property
    def head(self) -> Path:
        return self.home / "keys" / "audit.head"

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
    assert "1 records of the audit are younger" in done.stdout
    (first, _), restored = house.records()
    assert first == "key.add"
    details = {"file": "kept.backup", "records": 1, "records_before": 2}
    assert restored == ("database.restore", details)
    assert house.ask("audit", "verify").stdout.startswith("OK: 2 records")
    house.add_key("three")
    assert house.ask("audit", "verify").stdout.startswith("OK: 3 records")
    assert house.head.read_text().startswith("3 ")


def test_a_restore_that_loses_nothing_says_nothing_of_it(house: House, tmp_path: Path) -> None:
    house.backup = tmp_path / "new.backup"
    house.ask("db", "backup", house.backup)
    done = house.restore()
    assert "younger" not in done.stdout
    assert house.records()[-1] == ("database.restore", {"file": "new.backup", "records": 2})
    assert house.ask("audit", "verify").stdout.startswith("OK: 3 records")


def test_an_older_copy_that_was_put_back_by_hand_is_noticed_for_ever(house: House) -> None:
    house.add_key("three")
    head = house.head.read_text()
    house.restore_by_hand()
    assert "an older copy" in house.ask("audit", "verify").stderr
    for name in ("four", "five", "six"):  # as many records as were lost, and more
        house.add_key(name)
        told = house.ask("audit", "verify")
        assert (told.returncode, told.stdout) == (2, "")
        assert house.head.read_text() == head
    assert "record 3 isn't the one" in house.ask("audit", "verify").stderr


def test_a_restore_by_the_command_heals_one_by_hand_and_tells_of_it(house: House) -> None:
    house.restore_by_hand()
    house.add_key("other")
    assert house.restore().returncode == 0
    assert house.records()[-1][1]["records_before"] == 2
    assert house.ask("audit", "verify").returncode == 0


def test_a_file_that_was_tampered_with_is_still_found_after_a_restore(house: House) -> None:
    house.head.write_text(house.head.read_text().replace("2 ", "1 ", 1))
    assert house.restore().returncode == 0
    assert "was edited" in house.ask("audit", "verify").stderr


def test_without_the_key_a_restore_says_that_the_audit_can_not_go_on(
    house: House, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    done = house.restore(home=elsewhere)
    assert done.returncode == 2
    assert "restored" in done.stdout
    assert str(elsewhere / "keys" / "audit.key") in done.stderr
    shutil.copytree(house.home / "keys", elsewhere / "keys", dirs_exist_ok=True)
    assert house.restore(home=elsewhere).returncode == 0
    assert house.ask("audit", "verify", home=elsewhere).returncode == 0
