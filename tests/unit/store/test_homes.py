"""What homes of earlier programs kept in files comes into the database once, as it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.champions import champion, history, line
from tests.kept_lists import lakeport

from leadscore.city.versions import current_version
from leadscore.store.database import Database, StoreError
from leadscore.store.homes import take_over
from leadscore.store.profiles import changes_of

FIRST, SECOND, THIRD = (f"lakeport-2026010{day}-{day}" for day in (1, 2, 3))
EXPERT = "lakeport-expert-0"
STEP = {
    "when": "2026-11-25T08:00:00+00:00", "version": FIRST, "act": "trained", "reason": None,
    "previous": None,
}  # fmt: skip
BLADE = "wind.blade"


class Files:
    """The files of a home as an earlier program wrote them."""

    def __init__(self, folder: Path) -> None:
        self.models, self.profiles = folder / "models", folder / "profiles"
        self.models.mkdir()
        self.history = self.models / "lakeport.history.jsonl"
        self.pointer = self.models / "lakeport.champion"

    def promote(self, version: str, act: str = "trained", **more: Any) -> None:
        before = self.pointer.read_text().strip() if self.pointer.exists() else None
        step = STEP | {"version": version, "act": act, "previous": before} | more
        with self.history.open("a") as file:
            file.write(json.dumps(step, ensure_ascii=False) + "\n")
        self.pointer.write_text(f"{version}\n")

    def change(self, number: int, before: float, after: float, **more: Any) -> Path:
        file = self.profiles / "lakeport" / f"{number:04}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        change = {
            "number": number, "city": "lakeport", "by": "wang", "reason": "closed",
            "supply": {BLADE: {"before": before, "after": after}},
            "at": "2026-11-25T08:00:00+00:00", "rests_on": "x", "digest": "y",
        }  # fmt: skip
        file.write_text(json.dumps(change | more))
        return file


@pytest.fixture
def files(tmp_path: Path) -> Files:
    folder = tmp_path / "home"
    folder.mkdir()
    return Files(folder)


def taken(database: Database, files: Files) -> list[str]:
    take_over(database, files.models, files.profiles)
    return list(line(database))


def test_a_new_home_has_nothing_to_take_over(database: Database, tmp_path: Path) -> None:
    take_over(database, tmp_path / "models", tmp_path / "profiles")
    assert champion(database) is None
    assert list(tmp_path.glob("models")) == []


def test_champions_and_their_history_are_taken_over_once(database: Database, files: Files) -> None:
    files.promote(EXPERT, "expert")
    for version in (FIRST, SECOND, THIRD):
        files.promote(version, reason="新结果" if version == SECOND else None)
    assert taken(database, files) == [THIRD, SECOND, FIRST, EXPERT]
    steps = history(database)
    assert [(step.number, step.act, step.reason) for step in steps] == [
        (1, "expert", None), (2, "trained", None), (3, "trained", "新结果"), (4, "trained", None),
    ]  # fmt: skip
    assert {step.at for step in steps} == {datetime(2026, 11, 25, 8, tzinfo=UTC)}
    files.promote(FIRST)
    assert taken(database, files) == [THIRD, SECOND, FIRST, EXPERT], "only once"
    assert files.history.exists()


def test_going_back_and_a_changed_supply_are_taken_over_as_they_counted(
    database: Database, files: Files
) -> None:
    files.promote(EXPERT, "expert")
    files.promote(FIRST)
    files.promote(f"{FIRST}-s12345678", "profile")
    files.promote(SECOND)
    files.promote(f"{FIRST}-s12345678", "rolled_back")
    assert taken(database, files) == [f"{FIRST}-s12345678", EXPERT]


def test_a_record_whose_change_was_never_made_leads_nowhere(
    database: Database, files: Files
) -> None:
    """As when power failed between the two."""
    files.promote(FIRST)
    files.promote(SECOND)
    files.promote(THIRD)
    files.pointer.write_text(SECOND)
    assert taken(database, files) == [SECOND, FIRST]


def test_such_a_record_in_the_midst_leads_nowhere_either(database: Database, files: Files) -> None:
    files.promote(FIRST)
    files.promote(SECOND)
    files.pointer.write_text(FIRST)
    files.promote(THIRD)
    assert taken(database, files) == [THIRD, FIRST]


@pytest.mark.parametrize("content", [b"", b"../etc", b"\xff\xfe", None])
def test_a_damaged_pointer_leaves_the_last_champion_of_the_history(
    database: Database, files: Files, content: bytes | None
) -> None:
    files.promote(FIRST)
    files.promote(SECOND)
    files.pointer.unlink()
    if content is not None:
        files.pointer.write_bytes(content)
    assert taken(database, files) == [SECOND, FIRST]


def test_a_lost_history_leaves_the_champion(database: Database, files: Files) -> None:
    files.promote(FIRST)
    files.history.unlink()
    assert taken(database, files) == [FIRST]


@pytest.mark.parametrize(
    "damaged",
    [
        '{"when": "2026-',
        "[]",
        '{"version": "lakeport-20260101-1"}',
        json.dumps(STEP | {"version": "../../etc"}),
        json.dumps(STEP | {"when": "long ago"}),
        json.dumps(STEP | {"when": "2026-11-25T08:00:00"}),
        json.dumps(STEP | {"act": "conjured up"}),
        json.dumps(STEP | {"reason": 7}),
        "[" * 100_000,
    ],
    ids=range(9),
)
def test_a_line_that_was_cut_short_or_changed_spoils_no_other(
    database: Database, files: Files, caplog: pytest.LogCaptureFixture, damaged: str
) -> None:
    files.promote(FIRST)
    with files.history.open("a") as file:
        file.write(damaged + "\n")
    files.promote(SECOND)
    assert taken(database, files) == [SECOND, FIRST]
    assert "line 2 can't be read" in caplog.text


def test_changes_of_a_profile_are_taken_over_in_their_order(
    database: Database, files: Files
) -> None:
    supply = lakeport().supply(BLADE)
    files.change(3, 0.1, 0.2)
    files.change(2, supply, 0.1)
    taken(database, files)
    files.change(4, 0.2, 0.3)
    taken(database, files)
    with database.read() as connection:
        changes = changes_of(connection, "lakeport")
    present = current_version(lakeport(), changes)
    assert (present.number, present.city.supply(BLADE)) == (3, 0.2)
    assert (changes[0].by, changes[0].reason) == ("wang", "closed")


@pytest.mark.parametrize("damage", ["", "{}", '{"number": 2}', "\x00\x01"])
def test_a_damaged_change_is_told_with_its_file(
    database: Database, files: Files, damage: str
) -> None:
    files.promote(FIRST)
    files.change(2, 0.0, 0.1).write_text(damage)
    with pytest.raises(StoreError, match=r"0002\.json") as refused:
        taken(database, files)
    assert "已损坏" in refused.value.render("zh")
    assert champion(database) is None, "all or nothing"
