"""Outcomes lose nothing, count up without a gap, and nobody changes one afterwards."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from multiprocessing.pool import Pool
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, StatementError
from tests.kept_lists import blank_events

from leadscore.learning.history import EVENTS
from leadscore.store.acts import take_in
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database, sqlite_url
from leadscore.store.outcomes import append_entries, entries_of, outcomes, read_outcomes

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


def append(database: Database, *names: str) -> int:
    return append_all(database, entries(*names))


def append_all(database: Database, events: pd.DataFrame, source: str = "名单.xlsx") -> int:
    """Add entries, and return how many."""
    with database.write() as connection:
        new = entries_of(events)
        return len(append_entries(connection, new, source=source, actor="cli", now=NOW))


def kept(database: Database) -> pd.DataFrame:
    with database.read() as connection:
        return read_outcomes(connection)


def test_what_was_added_is_read_as_it_was(database: Database) -> None:
    assert append(database, "甲", "乙") == 2
    assert append(database, "丙") == 1
    events = kept(database)
    assert events.dtypes.astype(str).to_dict() == EVENTS
    assert events["entry"].tolist() == [1, 2, 3]
    assert events["firm"].tolist() == events["name"].tolist() == ["甲", "乙", "丙"]
    assert events["reason"].tolist()[0] == 'says "no",\n线路一'
    assert events["reason"].isna().tolist() == [False, True, False]
    assert (events["day"] == pd.Timestamp("2024-03-01")).all()
    assert (events["recorded"] == pd.Timestamp(NOW)).all()
    assert events["source"].unique().tolist() == ["名单.xlsx"]


def test_where_nothing_was_added_the_table_is_empty_and_of_the_same_types(
    database: Database,
) -> None:
    assert append(database) == 0
    events = kept(database)
    assert len(events) == 0
    assert events.dtypes.astype(str).to_dict() == EVENTS


def test_who_recorded_it_and_for_which_firm_is_kept(database: Database) -> None:
    with database.write() as connection:
        numbers = append_entries(
            connection, entries_of(entries("甲")), source="form", actor="王", now=NOW, firm_id=7
        )
    assert list(numbers) == [1]
    with database.read() as connection:
        found = connection.execute(select(outcomes.c.recorded_by, outcomes.c.firm_id)).all()
    assert [tuple(row) for row in found] == [("王", 7)]


@pytest.mark.parametrize("name", ["线\udcff.csv", "a\0b.csv"])
def test_a_file_with_an_odd_name_is_no_hindrance(database: Database, name: str) -> None:
    append_all(database, entries("甲"), name)
    assert "\\" in kept(database)["source"][0]


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE outcomes SET name = '丁'",
        "DELETE FROM outcomes",
        "INSERT INTO outcomes SELECT * FROM outcomes",
    ],
)
def test_the_database_refuses_to_change_an_entry(database: Database, deed: str) -> None:
    append(database, "甲")
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(text(deed))
    assert kept(database)["name"].tolist() == ["甲"]


def test_nor_can_an_entry_be_replaced(database: Database) -> None:
    append(database, "甲")
    deed = {
        "sqlite": "REPLACE INTO outcomes SELECT * FROM outcomes",
        "postgresql": "TRUNCATE outcomes",
    }
    with pytest.raises(IntegrityError, match="only ever added"), database.write() as connection:
        connection.execute(text(deed[database.dialect]))


@pytest.mark.parametrize("missing", [["name"], ["stage"], ["day"], ["row"]])
def test_what_is_no_entry_is_refused_whole(database: Database, missing: list[str]) -> None:
    bad = entries("甲", "乙").astype({"row": "Int64"})
    bad.loc[1, missing] = None
    with pytest.raises(IntegrityError):
        append_all(database, bad)
    assert len(kept(database)) == 0


def test_a_transaction_that_fails_later_leaves_no_gap(database: Database) -> None:
    append(database, "甲")
    broken = entries_of(entries("乙", "丙"))
    del broken[1]["stage"]
    with pytest.raises(StatementError), database.write() as connection:
        append_entries(connection, broken, source="x", actor="cli", now=NOW)
    append(database, "丙")
    assert kept(database)["entry"].tolist() == [1, 2]


def _write(url: URL, name: str, count: int) -> None:
    database, (entry,) = Database(url), entries_of(entries(name))
    for at in range(count):
        with database.write() as connection:
            one = [{**entry, "name": f"{name}{at}"}]
            append_entries(connection, one, source="form", actor=name, now=NOW)
    database.close()


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in memory, if there is one: a test of locks is no test of the disk."""
    memory = Path("/dev/shm")  # noqa: S108
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


WRITERS = "甲乙丙丁戊己庚辛"


@pytest.fixture(scope="module")
def eight() -> Iterator[Pool]:
    """Return eight processes that run already: so they begin together, and start only once."""
    with multiprocessing.get_context("spawn").Pool(len(WRITERS)) as pool:
        pool.map(entries_of, [entries(name) for name in WRITERS], chunksize=1)
        yield pool


def _eight_write(eight: Pool, url: URL, count: int) -> None:
    eight.starmap(_write, [(url, name, count) for name in WRITERS], chunksize=1)
    database = Database(url)
    events = kept(database)
    database.close()
    assert events["entry"].tolist() == list(range(1, len(WRITERS) * count + 1))
    assert set(events["name"]) == {f"{name}{at}" for name in WRITERS for at in range(count)}


def test_eight_who_write_at_once_lose_nothing_and_none_is_turned_away(
    eight: Pool, quick_folder: Path, sqlite_template: Path
) -> None:
    path = quick_folder / "leadscore.sqlite3"
    shutil.copyfile(sqlite_template, path)
    _eight_write(eight, sqlite_url(path), 500)


def test_nor_do_eight_who_write_wherever_the_database_is(eight: Pool, database: Database) -> None:
    _eight_write(eight, database.url, 20)


def _import(url: URL, path: Path) -> int:
    database, trail = Database(url), AuditTrail(path.with_name("audit.key"))
    intake = take_in(path, database, today=date(2025, 1, 1), now=NOW, actor="cli", trail=trail)
    database.close()
    return len(intake.new)


def test_a_file_that_two_import_at_once_is_added_once(
    eight: Pool, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "progress.csv"
    lines = [f"第{at}光电有限公司,对接,2024-02-01" for at in range(2_000)]
    path.write_text("\n".join(["企业名称,阶段,日期", *lines]), encoding="utf-8")
    added = eight.starmap(_import, [(database.url, path)] * 4, chunksize=1)
    assert sorted(added) == [0, 0, 0, 2_000]
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(outcomes)) == 2_000
