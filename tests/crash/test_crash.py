"""An act that is killed and asked for again is done once, with its audit record, and not lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.office import Killed, Office, Point

from leadscore.store.database import Database

ACTS = ("promote", "rollback", "supply", "outcome", "import", "retrain")
REQUESTS = [
    *((act, Point(name)) for act in ACTS for name in ("act.before", "act.after")),
    # A supply under which the champion serves by a version of its own, which is a folder.
    ("supply", Point("folder.before")),
    ("supply", Point("folder.after")),
]
JOBS = [
    ("retrain", Point("act.before", role="worker")),
    ("retrain", Point("act.after", role="worker")),
    ("import", Point("write.after", 4, role="worker")),
]
BACKUPS = [
    Point("part.before"), Point("part.before", 3), Point("act.after"), Point("file.before"),
    Point("file.after"),
]  # fmt: skip


RESTORES = {
    "sqlite": [Point("act.before"), Point("act.after"), Point("closing.before", 2)],
    "postgresql": [
        Point("closing.before"), Point("program.before"), Point("program.after"),
        Point("act.before"), Point("act.after"),
    ],
}  # fmt: skip
"""While the copy is got ready, between models and database, and around what takes its place."""


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path, database)
    yield office
    office.end()


def check(killed: Killed) -> None:
    assert killed.died, killed
    assert not killed.wrong, killed
    assert not any((killed.twice, killed.without_audit, killed.lost)), killed
    assert killed.effects == 1, killed


def test_a_request_that_was_killed_is_carried_out_once(office: Office) -> None:
    for act, point in REQUESTS:
        check(office.over_http(act, point))


def test_a_job_whose_worker_was_killed_is_done_once(office: Office) -> None:
    office.asleep = False
    for act, point in JOBS:
        check(office.job(act, point))


def test_a_backup_that_was_killed_is_made_again(office: Office) -> None:
    for point in BACKUPS:
        check(office.backup(point))


def test_a_restore_that_was_killed_is_whole_or_not_done_and_never_without_its_record(
    office: Office, database: Database
) -> None:
    for point in RESTORES[database.dialect]:
        check(office.restore(point))
