"""The table of jobs: who has which, and what becomes of those whose worker is gone."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from leadscore.errors import Detail, ListError
from leadscore.jobs.worker import Worker
from leadscore.store.database import Database
from leadscore.store.jobs import (
    MOST_WAITING,
    EndedJobError,
    Held,
    Job,
    TooManyJobsError,
    UnknownJobError,
    beat,
    cancelled,
    claim,
    fail,
    finish,
    list_jobs,
    put_back,
    queue_state,
    read_job,
    request_cancel,
    requeue_lost,
    submit,
)
from leadscore.text import Text

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def ask(
    database: Database, kind: str = "count", now: datetime = NOW, *, by: str = "wang",
    most: int | None = None,
) -> int:  # fmt: skip
    with database.write() as connection:
        return submit(connection, kind, {"list": "企业"}, by=by, now=now, most=most)


def take(database: Database, worker: str = "first", now: datetime = NOW) -> Held | None:
    with database.write() as connection:
        kinds = ["count", "retrain"]
        job = claim(connection, worker=worker, kinds=kinds, exclusive=["retrain"], now=now)
    return job and Held(job.id, worker, job.attempts)


def taken(database: Database, worker: str = "first", now: datetime = NOW) -> Held:
    held = take(database, worker, now)
    assert held is not None
    return held


def now_of(database: Database, number: int) -> Job:
    with database.read() as connection:
        return read_job(connection, number)


def lose(database: Database, now: datetime, *dead: str) -> list[int]:
    with database.write() as connection:
        return requeue_lost(connection, now=now, silent=MINUTE, dead=dead)


def test_a_job_is_kept_as_it_was_asked_for(database: Database) -> None:
    job = now_of(database, ask(database))
    assert (job.kind, job.payload, job.state) == ("count", {"list": "企业"}, "waiting")
    assert (job.submitted_by, job.submitted_at, job.progress) == ("wang", NOW, 0.0)
    assert (job.result, job.error, job.words, job.worker) == (None, None, None, None)


def test_the_oldest_is_done_first_and_each_by_one_worker(database: Database) -> None:
    first, second = ask(database), ask(database)
    assert (taken(database).id, taken(database, "second").id) == (first, second)
    assert take(database, "third") is None


def test_many_jobs_of_one_person_hold_up_nobody_else(database: Database) -> None:
    many = [ask(database, by="viewer") for _ in range(300)]
    officers, others = [ask(database, by="officer") for _ in range(2)], ask(database, by="other")
    turns = []
    for minute in range(7):
        now = NOW + minute * MINUTE
        held = taken(database, now=now)
        turns.append(held.id)
        with database.write() as connection:
            finish(connection, held, {}, now=now)
    assert turns == [many[0], officers[0], others, many[1], officers[1], *many[2:4]]


def test_turns_are_taken_within_what_may_run_at_once(database: Database) -> None:
    ask(database, "retrain", by="viewer")
    taken(database)
    blocked, own = ask(database, "retrain", by="officer"), ask(database, by="officer")
    ask(database, by="viewer")
    assert taken(database, "second", NOW + MINUTE).id == own
    assert now_of(database, blocked).state == "waiting"


def test_what_was_interrupted_goes_on_before_what_waits(database: Database) -> None:
    ask(database, by="officer", now=NOW)
    first = ask(database, by="viewer")
    assert [taken(database, "a").id, taken(database, "b").id] == [first - 1, first]
    ask(database, by="nobody yet")
    assert lose(database, NOW, "b") == [first]
    assert taken(database, "c").id == first
    with database.write() as connection:
        put_back(connection, Held(first, "c", 2))
    assert taken(database, "d").id == first


def test_one_person_has_so_many_jobs_waiting_and_the_rest_are_refused(database: Database) -> None:
    for _ in range(MOST_WAITING):
        ask(database, most=MOST_WAITING)
    with pytest.raises(TooManyJobsError, match="50 jobs of wang are already waiting"):
        ask(database, most=MOST_WAITING)
    ask(database, by="officer", most=MOST_WAITING)
    taken(database)
    ask(database, most=MOST_WAITING)


def test_what_a_worker_does_not_know_waits_for_one_that_does(database: Database) -> None:
    unknown, known = ask(database, "juggle"), ask(database)
    assert taken(database).id == known
    assert now_of(database, unknown).state == "waiting"


def test_only_one_retraining_runs_and_others_are_not_held_up(database: Database) -> None:
    first, second, other = ask(database, "retrain"), ask(database, "retrain"), ask(database)
    held = taken(database)
    assert (held.id, taken(database, "second").id) == (first, other)
    assert take(database, "third") is None
    with database.write() as connection:
        assert finish(connection, held, {}, now=NOW)
    assert taken(database, "third").id == second


def test_a_sign_of_life_tells_how_far_the_work_is(database: Database) -> None:
    number, held = ask(database), taken(database)
    words = Text(zh="第三步", en="step three")
    with database.write() as connection:
        assert beat(connection, held, now=NOW + MINUTE, progress=0.3, words=words) == "holds"
        assert beat(connection, held, now=NOW + 2 * MINUTE) == "holds"
    job = now_of(database, number)
    assert (job.progress, job.words, job.heartbeat_at) == (0.3, words, NOW + 2 * MINUTE)


def test_what_came_of_it_is_kept(database: Database) -> None:
    number, held = ask(database), taken(database)
    with database.write() as connection:
        assert finish(connection, held, {"rows": 3}, now=NOW + MINUTE)
    job = now_of(database, number)
    assert (job.state, job.result, job.progress) == ("done", {"rows": 3}, 1.0)
    assert (job.started_at, job.ended_at) == (NOW, NOW + MINUTE)


def test_an_error_is_kept_with_its_places_in_both_languages(database: Database) -> None:
    number, held = ask(database), taken(database)
    detail = Detail("A1", "a\0\udcff", Text(zh="名称", en="a name"))
    with database.write() as connection:
        fail(connection, held, ListError(Text(zh="空", en="empty"), [detail]), now=NOW)
    job = now_of(database, number)
    assert job.state == "failed"
    assert job.error == {
        "code": "unreadable_list",
        "message": {"zh": "空", "en": "empty"},
        "details": [{"where": "A1", "got": r"a\0\udcff", "wanted": {"zh": "名称", "en": "a name"}}],
    }


def test_a_job_that_waits_is_cancelled_at_once(database: Database) -> None:
    number = ask(database)
    with database.write() as connection:
        assert request_cancel(connection, number, now=NOW).state == "cancelled"
        assert request_cancel(connection, number, now=NOW + MINUTE).ended_at == NOW
    assert take(database) is None


def test_the_worker_of_a_running_job_learns_that_it_is_not_wanted(database: Database) -> None:
    number, held = ask(database), taken(database)
    with database.write() as connection:
        assert request_cancel(connection, number, now=NOW).state == "running"
        assert beat(connection, held, now=NOW) == "cancel"
        assert cancelled(connection, held, now=NOW)
    assert now_of(database, number).state == "cancelled"


def test_what_has_ended_can_not_be_cancelled(database: Database) -> None:
    number, held = ask(database), taken(database)
    with database.write() as connection:
        finish(connection, held, {}, now=NOW)
    with pytest.raises(EndedJobError, match="has ended already"), database.write() as connection:
        request_cancel(connection, number, now=NOW)


def test_a_number_that_no_job_has_is_an_error(database: Database) -> None:
    with pytest.raises(UnknownJobError, match="no job 77"):
        now_of(database, 77)


def test_a_job_of_a_silent_worker_waits_again_and_its_late_word_counts_no_more(
    database: Database,
) -> None:
    number, held = ask(database), taken(database)
    assert lose(database, NOW + MINUTE) == []
    assert lose(database, NOW + MINUTE + timedelta(seconds=1)) == [number]
    again = taken(database, "second")
    assert (again.id, again.attempt) == (number, 2)
    with database.write() as connection:
        assert beat(connection, held, now=NOW) == "lost"
        assert not finish(connection, held, {"late": True}, now=NOW)
        assert finish(connection, again, {"late": False}, now=NOW)
    assert now_of(database, number).result == {"late": False}


def test_a_job_whose_worker_dies_thrice_fails_and_says_so(database: Database) -> None:
    number = ask(database)
    for _ in range(3):
        taken(database)
        assert lose(database, NOW, "first") == [number]
    job = now_of(database, number)
    assert (job.state, job.attempts) == ("failed", 3)
    assert job.error is not None
    assert job.error["code"] == "worker_lost"
    assert "died 3 times" in job.error["message"]["en"]


def test_only_the_jobs_of_the_dead_worker_are_put_back(database: Database) -> None:
    first, _second = ask(database), ask(database)
    taken(database, "first")
    taken(database, "second")
    assert lose(database, NOW, "first") == [first]


def test_a_job_that_was_to_be_cancelled_is_not_tried_again(database: Database) -> None:
    number = ask(database)
    taken(database)
    with database.write() as connection:
        request_cancel(connection, number, now=NOW)
    lose(database, NOW, "first")
    assert now_of(database, number).state == "cancelled"


def test_being_stopped_does_not_count_as_an_attempt(database: Database) -> None:
    number = ask(database)
    for _ in range(5):
        held = taken(database)
        with database.write() as connection:
            assert put_back(connection, held)
    job = now_of(database, number)
    assert (job.state, job.attempts) == ("waiting", 0)


def test_jobs_are_listed_page_by_page_the_newest_first(database: Database) -> None:
    numbers = [ask(database) for _ in range(5)]
    taken(database)
    with database.read() as connection:
        page = [job.id for job in list_jobs(connection, limit=2)]
        rest = [job.id for job in list_jobs(connection, before=page[-1])]
        waiting = [job.id for job in list_jobs(connection, states=["waiting"])]
        none = list_jobs(connection, kinds=["retrain"])
    assert page + rest == numbers[::-1]
    assert waiting == numbers[:0:-1]
    assert none == []


def test_the_queue_tells_its_length_and_since_when_it_waits(database: Database) -> None:
    ask(database)
    ask(database, now=NOW + MINUTE)
    taken(database)
    with database.read() as connection:
        queue = queue_state(connection)
    assert queue.counts == {"waiting": 1, "running": 1, "done": 0, "failed": 0, "cancelled": 0}
    assert (queue.waiting_since, queue.last_beat) == (NOW + MINUTE, NOW)


def test_a_worker_that_finds_nothing_to_do_writes_nothing(database: Database) -> None:
    worker = Worker("idle", database, {}, lambda: NOW, threading.Event())
    before = database.generation()
    assert [worker.do_one() for _ in range(3)] == [False, False, False]
    assert database.generation() == before
