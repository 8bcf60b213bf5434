"""The jobs of the service themselves: a list is taken in, the ranking exported, a model learned."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.champions import champion

from leadscore.city.loading import load_city
from leadscore.jobs.tasks import KEPT, JobDependencies, all_kinds, export_file, remove_expired
from leadscore.jobs.worker import Worker
from leadscore.learning.training_data import Rules
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.store import bulk
from leadscore.store.audit import AuditTrail, page
from leadscore.store.database import Database
from leadscore.store.facets import how_many
from leadscore.store.jobs import Job, read_job, submit
from leadscore.store.lists import add_list, name_job, read_kept_list
from leadscore.store.ranking import RankingFilter

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def dependencies(tmp_path: Path) -> JobDependencies:
    city = load_city(ROOT / "data" / "cities" / "nanchang.toml")
    registry = ModelRegistry(tmp_path / "models", tmp_path / "keys" / "models.key")
    return JobDependencies(
        city=lambda: city,
        scorer=lambda: champion_scorer(city, registry, now=NOW),
        registry=registry,
        rules=Rules,
        exports=tmp_path / "exports",
        trail=AuditTrail(tmp_path / "keys" / "audit.key"),
        clock=lambda: NOW,
    )


@pytest.fixture
def worker(database: Database, dependencies: JobDependencies) -> Worker:
    kinds = all_kinds(dependencies)
    return Worker("here", database, kinds, dependencies.clock, threading.Event())


def done(worker: Worker, kind: str, payload: Mapping[str, Any]) -> Job:
    with worker.database.write() as connection:
        number = submit(connection, kind, payload, by="test", now=NOW)
        if kind == "import_list":
            name_job(connection, payload["list_id"], number)
    assert worker.do_one()
    with worker.database.read() as connection:
        return read_job(connection, number)


def hand_in(database: Database, content: bytes) -> int:
    with database.write() as connection:
        return add_list(
            connection, file_name="名单.csv", content=content, mapping={},
            as_of=date(2026, 3, 2), actor="test", now=NOW,
        )  # fmt: skip


def test_a_list_is_taken_in_and_its_ranking_written(
    worker: Worker, dependencies: JobDependencies, database: Database
) -> None:
    sample = (ROOT / "data" / "samples" / "electronics.csv").read_bytes()
    number = hand_in(database, sample)
    job = done(worker, "import_list", {"list_id": number})
    assert job.error is None
    assert job.result is not None
    rows = job.result["ranked"] + job.result["vetoed"]
    assert rows > 0
    assert job.result["rows"] == rows + job.result["set_aside"]
    with database.read() as connection:
        assert read_kept_list(connection, number).state == "done"

    job = done(worker, "export", {"filter": {"list_id": number}, "lang": "en", "format": "xlsx"})
    assert job.error is None
    assert job.result is not None
    assert job.result["rows"] == rows
    file = export_file(dependencies.exports, job.result["file"], now=datetime.now(UTC))
    assert file is not None
    table = pd.read_excel(file, engine="calamine")
    ranked = table["Rank"].dropna()
    assert ranked.tolist() == [*range(1, len(ranked) + 1)]
    assert table["Priority"][: len(ranked)].is_monotonic_decreasing
    assert table["Veto"].notna().sum() == rows - len(ranked)
    assert table["Reasons"].str.contains(r"\([+-]").all()

    job = done(worker, "export", {"filter": {"grade": "A"}, "format": "xlsx"})
    assert job.error is None
    assert job.result is not None
    assert 0 < job.result["rows"] < rows
    assert (dependencies.exports / job.result["file"]).read_bytes()[:2] == b"PK"


def test_a_file_that_is_no_list_fails_with_the_words_of_a_list(
    worker: Worker, database: Database
) -> None:
    number = hand_in(database, b"\x00\x01\x02")
    job = done(worker, "import_list", {"list_id": number})
    assert (job.state, job.error and job.error["code"]) == ("failed", "unreadable_list")
    with database.read() as connection:
        assert read_kept_list(connection, number).state == "failed"


def test_a_ranking_of_nobody_is_a_file_with_headers(
    worker: Worker, dependencies: JobDependencies
) -> None:
    job = done(worker, "export", {"format": "xlsx"})
    assert job.error is None
    assert job.result is not None
    assert job.result["rows"] == 0
    table = pd.read_excel(dependencies.exports / job.result["file"], engine="calamine")
    assert table.columns[:4].tolist() == ["名次", "企业", "统一社会信用代码", "等级"]
    assert table.empty


def test_a_retraining_keeps_its_decision(worker: Worker, database: Database) -> None:
    job = done(worker, "retrain", {"as_of": "2026-03-01", "dry_run": True})
    assert job.error is None
    assert job.result is not None
    assert (job.state, job.result["promoted"], job.result["dry_run"]) == ("done", False, True)
    assert job.result["serves"] == job.result["champion"]
    assert {"zh", "en"} == set(job.result["upshot"])
    assert job.result["decision"]["gates"]
    assert champion(database, "nanchang") is None


def test_an_empty_reason_to_overrule_is_refused_as_from_the_command_line(worker: Worker) -> None:
    job = done(worker, "retrain", {"promote_anyway": " "})
    assert (job.state, job.error and job.error["code"]) == ("failed", "bad_usage")


def test_exports_are_gone_after_a_week_and_nothing_else_is(tmp_path: Path) -> None:
    names = ("export-1.csv", "export-2.xlsx", "export-1.txt")
    old, new, other = (tmp_path / name for name in names)
    for path in (old, new, other):
        path.touch()
    before = (NOW - KEPT - timedelta(minutes=1)).timestamp()
    for path in (old, other):
        os.utime(path, (before, before))
    os.utime(new, (NOW.timestamp(), NOW.timestamp()))
    assert export_file(tmp_path, "export-1.csv", now=NOW) is None
    assert export_file(tmp_path, "export-2.xlsx", now=NOW) == new
    assert export_file(tmp_path, "../export-2.xlsx", now=NOW) is None
    assert remove_expired(tmp_path, now=NOW) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"export-2.xlsx", "export-1.txt"}


def test_many_firms_are_gone_through_in_portions_each_with_its_record(
    worker: Worker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PORTION", 60)
    sample = (ROOT / "data" / "samples" / "electronics.csv").read_bytes()
    done(worker, "import_list", {"list_id": hand_in(database, sample)})
    with database.write() as connection:
        chosen = bulk.select_firms(connection, RankingFilter(), owner="li", now=NOW)
        act = bulk.begin_act(
            connection, "owner", {"owner": "li"}, by="li", now=NOW, today=NOW.date(),
            selection=chosen.id,
        )  # fmt: skip
    assert act.total == chosen.total > 2 * 60
    assert act.ended_at is None
    assert worker.do_one()
    with database.read() as connection:
        job = read_job(connection, act.job_id or 0)
        records = [row for row in page(connection) if row.action == "bulk.portion"]
        assert bulk.read_act(connection, act.id).ended_at == NOW
        owned = how_many(connection, RankingFilter.of(owner="li"))
    assert job.error is None
    assert job.result == {"act": act.id, "done": act.total}
    assert owned == act.total
    assert [row.object_id for row in records] == [str(act.total - 120), "60", "60"]
