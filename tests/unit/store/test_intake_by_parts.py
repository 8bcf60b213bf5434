"""A long list is stored by parts: others write meanwhile, and a stop loses and doubles nothing."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.kept_lists import BLADES, BREAD, NOW, TODAY, code, firms, hand_in, scorer, take_in

from leadscore.ranking.batch import Counts
from leadscore.store.acts import enter_outcome
from leadscore.store.current_ranking import SCORES
from leadscore.store.database import Database
from leadscore.store.list_import import take_in_list
from leadscore.store.lists import LIST_FIRMS, LIST_PROBLEMS, problems_of, read_kept_list
from leadscore.store.outcomes import outcomes
from leadscore.store.scoring import FIRST_PORTION
from leadscore.text import Text

MANY = 2_000
LONGEST_WAIT = 0.35
"""Of the time in which all is stored: as one transaction it would be nearly all of it."""


def long_list(count: int) -> list[dict[str, str]]:
    return [
        {"name": f"第{number}号有限公司", "credit_code": code(number), "main_business": BLADES}
        for number in range(1, count + 1)
    ]


def test_an_officer_does_not_wait_for_a_long_list(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "main_business": BREAD})
    number = hand_in(database, *long_list(MANY))
    storing, done = threading.Event(), threading.Event()

    def progress(fraction: float, _words: Text) -> None:
        if fraction > 0.15:
            storing.set()

    def take_in_the_list() -> None:
        try:
            take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY, progress=progress)
        finally:
            storing.set()
            done.set()

    thread = threading.Thread(target=take_in_the_list)
    thread.start()
    storing.wait()
    begun, waits = time.monotonic(), list[float]()
    while not done.is_set():
        day = TODAY - timedelta(days=len(waits) % 300)
        started = time.monotonic()
        with database.write() as connection:
            enter_outcome(
                connection, 1, stage="visited", day=day, reason=None, withdrawn=False,
                actor="li.na", now=NOW, today=TODAY,
            )  # fmt: skip
        waits.append(time.monotonic() - started)
    took = time.monotonic() - begun
    thread.join()
    assert len(waits) > 3
    assert max(waits) < LONGEST_WAIT * took
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(outcomes)) == len(waits)
        kept = read_kept_list(connection, number)
    assert (kept.state, kept.counts and kept.counts["ranked"]) == ("done", MANY)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_officer_does_not_pay_for_the_log_of_a_long_list(database: Database) -> None:
    # Whoever commits when the log is long would bring it into the file, and wait for the disk.
    assert database.path
    with database.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE much (content BLOB)")
        connection.exec_driver_sql("INSERT INTO much VALUES (zeroblob(20000000))")
    before = database.path.stat().st_size
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM sessions")
    assert database.path.stat().st_size == before < 20_000_000
    database.checkpoint()
    assert database.path.stat().st_size > 20_000_000


def test_portions_leave_no_long_log(database: Database) -> None:
    number = hand_in(database, *long_list(MANY))
    take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    if database.path:
        with database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver
            driver.rollback()
            _, logged, kept = driver.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
        assert logged - kept < 200


def test_problems_are_kept_once_however_often_a_list_is_begun(database: Database) -> None:
    rows = [{"name": f"第{number}号有限公司", "credit_code": "9136"} for number in range(300)]
    number = hand_in(database, *rows)

    def stop_at_the_end() -> None:
        with database.read() as connection:
            if connection.scalar(select(func.count()).select_from(LIST_PROBLEMS)):
                raise Stopped

    with pytest.raises(Stopped):
        take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY, check=stop_at_the_end)
    take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    with database.read() as connection:
        problems = problems_of(connection, number)
    assert [problem.row for problem in problems] == list(range(2, 302))
    assert {problem.found for problem in problems} == {"9136"}


class Stopped(BaseException):
    """A worker that is to end."""


def test_a_list_that_was_stopped_goes_on_without_doubles(database: Database) -> None:
    many = 2 * FIRST_PORTION + 7
    rows = [*long_list(many), {"name": "第1号有限公司", "staff": "9"}]
    number = hand_in(database, *rows)
    stored: list[int] = []
    for stop in (1, 2):
        calls = iter(range(3 * stop - 1))

        def check(calls: object = calls) -> None:
            if next(calls, None) is None:  # type: ignore[call-overload]
                raise Stopped

        with pytest.raises(Stopped):
            take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY, check=check)
        stored.append(len(firms(database)))
    assert stored == [0, FIRST_PORTION]
    with database.read() as connection:
        assert read_kept_list(connection, number).state == "scoring"
    counts = take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    assert counts == Counts(rows=many + 1, ranked=many, vetoed=0, set_aside=1)
    assert [firm.name for firm in firms(database)] == [row["name"] for row in rows[:many]]
    with database.read() as connection:
        for table in (LIST_FIRMS, SCORES):
            assert connection.scalar(select(func.count()).select_from(table)) == many


def test_a_long_list_is_scored_by_other_processes_just_as_by_this_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = long_list(25)
    columns = [each for each in SCORES.c if each.name not in ("id", "snapshot_id", "model")]
    query, scores = select(*columns).order_by(SCORES.c.id), list[list[Any]]()
    for model, least in (("m1", 1_000), ("m2", 10)):
        monkeypatch.setattr("leadscore.ranking.batch._LONG_LIST", least)
        number = hand_in(database, *rows)
        counts = take_in_list(database, number, scorer=scorer(model), now=NOW, today=TODAY)
        assert counts.ranked == 25
        with database.read() as connection:
            scores.append(connection.execute(query.where(SCORES.c.model == model)).all())
    assert len(scores[0]) == 25
    assert scores[0] == scores[1]


def test_what_a_list_has_left_to_do_is_told_in_both_languages(database: Database) -> None:
    told: list[Text] = []
    take_in_list(
        database, hand_in(database, *long_list(450)), scorer=scorer(), now=NOW, today=TODAY,
        progress=lambda _fraction, words: told.append(words),
    )  # fmt: skip
    assert told[1].en == "scoring and storing: 0 of 450 firms"
    assert told[-1].zh == "评分入库：450 / 450 家"
    still = [words for words in told[2:-1] if "left" in words.en]
    for words in still:
        assert re.fullmatch(
            r"scoring and storing: \d+ of 450 firms, about \d+ (s|min) left", words.en
        )
        assert re.fullmatch(r"评分入库：\d+ / 450 家，约还需 \d+ (秒|分钟)", words.zh)
