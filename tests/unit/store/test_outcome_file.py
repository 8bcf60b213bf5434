"""The file of outcomes loses nothing, is never rewritten, and notices who edits it."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from leadscore.language import Text
from leadscore.learning.history import EVENTS, blank_events
from leadscore.store.faults import StoreError
from leadscore.store.locking import exclusive
from leadscore.store.outcome_file import FileOutcomes

NOW = datetime(2025, 1, 1, 8, 30, tzinfo=UTC)


def entries(*names: str, stage: str = "contacted") -> pd.DataFrame:
    count = len(names)
    frame = blank_events().reindex(range(count))
    frame["name"] = pd.Series(names, dtype="str")
    frame["stage"], frame["withdrawn"] = stage, False
    frame["day"] = pd.Timestamp("2024-03-01").as_unit("us")
    frame["row"], frame["file"] = range(2, count + 2), "f" * 64
    frame.loc[:0, "reason"] = 'says "no",\n线路一'
    return frame


class Kept:
    """A store with what it told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Text] = []
        self.path = folder / "outcomes.jsonl"
        self.store = FileOutcomes(folder, notify=self.told.append)

    def append(self, *names: str) -> int:
        return self.store.append(entries(*names), source="名单.xlsx", now=NOW)

    def names(self) -> list[str]:
        return self.store.events()["name"].tolist()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "outcomes")


def test_what_was_added_is_read_as_it_was(kept: Kept) -> None:
    assert kept.append("甲", "乙") == 2
    assert kept.append("丙") == 1
    events = kept.store.events()
    assert events.dtypes.astype(str).to_dict() == EVENTS
    assert events["entry"].tolist() == [1, 2, 3]
    assert events["firm"].tolist() == events["name"].tolist() == ["甲", "乙", "丙"]
    assert events["reason"].tolist()[0] == 'says "no",\n线路一'
    assert events["reason"].isna().tolist() == [False, True, False]
    assert (events["recorded"] == pd.Timestamp(NOW)).all()
    assert events["source"].unique().tolist() == ["名单.xlsx"]
    assert kept.told == []


def test_a_store_that_was_never_written_is_empty_and_makes_no_folder(kept: Kept) -> None:
    events = kept.store.events()
    assert len(events) == 0
    assert events.dtypes.astype(str).to_dict() == EVENTS
    assert not kept.path.parent.exists()
    assert kept.append() == 0
    assert not kept.path.exists()


def test_an_auditor_can_read_it_and_the_earlier_lines_never_change(kept: Kept) -> None:
    kept.append("甲")
    before = kept.path.read_bytes()
    kept.append("乙")
    after = kept.path.read_bytes()
    assert after.startswith(before)
    lines = [json.loads(line) for line in after.decode().splitlines()]
    assert [line["entry"] for line in lines] == [1, 2]
    assert (lines[1]["name"], lines[1]["day"], lines[1]["recorded"]) == (
        "乙", "2024-03-01", "2025-01-01T08:30:00Z",
    )  # fmt: skip


@pytest.mark.parametrize("cut", [2, 5, 60, 200])
def test_a_torn_last_line_is_told_ignored_and_moved_aside_by_the_next_write(
    kept: Kept, cut: int
) -> None:
    kept.append("甲")
    kept.append("乙")
    whole = kept.path.read_bytes()
    kept.path.write_bytes(whole[:-cut])
    assert kept.names() == ["甲"]
    assert "没有写完" in kept.told[0].zh
    kept.told.clear()
    assert kept.append("乙") == 1
    assert kept.names() == ["甲", "乙"]
    assert kept.told == []
    torn = kept.path.with_name("outcomes.jsonl.torn").read_bytes()
    assert torn.rstrip(b"\n") == whole[:-cut].rpartition(b"\n")[2]


def test_a_line_that_lacks_but_its_end_is_whole(kept: Kept) -> None:
    kept.append("甲", "乙")
    kept.path.write_bytes(kept.path.read_bytes()[:-1])
    assert kept.names() == ["甲", "乙"]
    kept.append("丙")
    assert kept.names() == ["甲", "乙", "丙"]
    assert kept.told == []


def test_an_editor_that_only_changes_line_ends_is_no_forger(kept: Kept) -> None:
    kept.append("甲", "乙")
    content = kept.path.read_bytes()
    kept.path.write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    kept.append("丙")
    assert kept.names() == ["甲", "乙", "丙"]
    assert kept.told == []


def test_an_edited_line_is_noticed_and_named(kept: Kept) -> None:
    kept.append("甲", "乙", "丙")
    text = kept.path.read_text(encoding="utf-8")
    kept.path.write_text(text.replace('"name":"乙"', '"name":"丁"'), encoding="utf-8")
    assert kept.names() == ["甲", "丁", "丙"]
    assert "第 2 行" in kept.told[0].zh
    assert "line 2" in kept.told[0].en


@pytest.mark.parametrize("changed", ["removed", "put in", "swapped"])
def test_lines_removed_put_in_or_swapped_are_noticed(kept: Kept, changed: str) -> None:
    kept.append("甲", "乙", "丙")
    one, two, three = kept.path.read_bytes().splitlines(keepends=True)
    other = {
        "removed": [one, three],
        "put in": [one, one, two, three],
        "swapped": [two, one, three],
    }
    kept.path.write_bytes(b"".join(other[changed]))
    kept.names()
    assert len(kept.told) == 1


@pytest.mark.parametrize("junk", [b"\x00" * 40, b"{}", b"null", b"a note", b"\xff\xfe"])
def test_a_line_that_is_none_of_ours_is_left_out_and_told(kept: Kept, junk: bytes) -> None:
    kept.append("甲", "乙")
    one, two = kept.path.read_bytes().splitlines(keepends=True)
    kept.path.write_bytes(one + junk + b"\n" + two)
    assert kept.names() == ["甲", "乙"]
    assert "第 2 行" in kept.told[0].zh
    kept.append("丙")
    assert kept.names() == ["甲", "乙", "丙"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [('"day":"2024-03-01"', '"day":17'), ('"stage":"contacted"', '"stage":"no such"'),
     ('"row":2', '"row":null'), ('"name":"甲"', '"name":null'), ('"entry"', '"entrx"'),
     ('{"entry":1,', '{"entry":1 ')],
)  # fmt: skip
def test_a_line_edited_into_nonsense_is_left_out_and_told(
    kept: Kept, ours: str, theirs: str
) -> None:
    kept.append("甲")
    kept.append("乙")
    text = kept.path.read_text(encoding="utf-8")
    kept.path.write_text(text.replace(ours, theirs, 1), encoding="utf-8")
    assert kept.names() == ["乙"]
    assert len(kept.told) == 2


def _write(folder: Path, name: str) -> None:
    for at in range(10):
        FileOutcomes(folder).append(entries(f"{name}{at}"), source=name, now=NOW)


def test_two_who_write_at_once_lose_nothing(kept: Kept) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(kept.path.parent, name)) for name in "甲乙"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    events = kept.store.events()
    assert events["entry"].tolist() == list(range(1, 21))
    assert set(events["name"]) == {f"{name}{at}" for name in "甲乙" for at in range(10)}
    assert kept.told == []


def test_who_waits_too_long_is_told_so(tmp_path: Path) -> None:
    lock = tmp_path / "outcomes.lock"
    with (
        exclusive(lock),
        pytest.raises(StoreError, match="another leadscore"),
        exclusive(lock, patience_seconds=0.0),
    ):
        pass
    with exclusive(lock, patience_seconds=0.0):
        pass


def test_a_folder_that_can_t_be_made_is_told_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "outcomes").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        Kept(tmp_path / "outcomes").append("甲")
    assert "LEADSCORE_HOME" in caught.value.message.zh
    assert caught.value.exit_code == 2
