"""A large export over HTTP: asked for, written by a job, fetched, and gone after its week."""

from __future__ import annotations

import io
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.contract.access_app import House, build
from tests.kept_lists import BLADES, BREAD, TODAY, lakeport, profiles, scorer, take_in

from leadscore.jobs.tasks import KEPT, JobDependencies, all_kinds
from leadscore.jobs.worker import Worker
from leadscore.learning.training_data import Rules
from leadscore.registry.models import ModelRegistry
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.store.jobs import submit
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.routes import store_routes
from leadscore.web.routes.lists import job_routes
from leadscore.web.routes.payloads import XLSX


class Desk:
    """A viewer who asks an application, and a worker beside it."""

    def __init__(self, house: House, database: Database, folder: Path) -> None:
        registry = ModelRegistry(folder / "models", folder / "keys" / "models.key")
        self.house, self.exports = house, folder / "exports"
        dependencies = Dependencies(
            CurrentScoring(scorer, registry, profiles(database), database), registry,
            lambda: TODAY, house.access, profiles(database), exports=self.exports,
        )  # fmt: skip
        for routes in (*store_routes(dependencies), job_routes(dependencies)):
            house.app.register_api(routes)
        self.headers = {"Authorization": f"Bearer {house.key('viewer')}"}
        place = JobDependencies(
            lakeport, scorer, registry, Rules, self.exports, house.access.trail, house.clock
        )
        kinds = all_kinds(place)
        self.worker = Worker("here", database, kinds, house.clock, threading.Event())

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = self.headers | options.pop("headers", {})
        return self.house.client().open(f"/api/v1{path}", method=method, headers=headers, **options)

    def export(self, **body: Any) -> int:
        answer = self.ask("POST", "/exports", json={"format": "xlsx"} | body)
        assert answer.status_code == 202, answer.get_data(as_text=True)
        number: int = answer.get_json()["job_id"]
        return number


def sheet(answer: Any) -> pd.DataFrame:
    """Return the first sheet of a workbook that was answered."""
    return pd.read_excel(io.BytesIO(answer.data), engine="calamine")


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    house = build(database, AuditTrail(tmp_path / "keys" / "audit.key"))
    take_in(
        database,
        {"name": "甲有限公司", "main_business": BLADES},
        {"name": "乙有限公司", "main_business": BREAD},
        {"name": "丙有限公司", "main_business": BLADES, "status": "注销"},
    )
    return Desk(house, database, tmp_path)


def test_an_export_is_the_ranking_as_it_is_fetched_at_once(desk: Desk) -> None:
    number = desk.export(lang="zh")
    waiting = desk.ask("GET", f"/exports/{number}")
    assert waiting.status_code == 409
    assert desk.worker.do_one()
    answer = desk.ask("GET", f"/exports/{number}")
    assert (answer.status_code, answer.mimetype) == (200, XLSX)
    assert f'filename="ranking-{number}.xlsx"' in answer.headers["Content-Disposition"]
    told = sheet(answer)
    pd.testing.assert_frame_equal(told, sheet(desk.ask("GET", "/ranking.xlsx?lang=zh")))
    assert len(told) == 3
    acts = [(actor, action) for actor, action, _ in desk.house.acts()]
    asked = "ranking.export"
    assert acts == [("key:viewers", name) for name in (asked, "export.fetch", asked)]


def test_a_workbook_holds_what_was_asked_for(desk: Desk) -> None:
    number = desk.export(veto="no", sort="name", lang="en")
    assert desk.worker.do_one()
    answer = desk.ask("GET", f"/exports/{number}")
    assert answer.status_code == 200
    assert sheet(answer)["Firm"].tolist() == ["乙有限公司", "甲有限公司"]


@pytest.mark.parametrize("body", [{"format": "csv"}, {}, {"grade": "AB", "sort": "name"}])
def test_csv_is_refused_with_the_name_of_the_route_that_streams_it(
    desk: Desk, body: dict[str, Any]
) -> None:
    for lang, words in (("zh", "不再由后台任务写出"), ("en", "no job writes CSV any more")):
        answer = desk.ask("POST", "/exports", json=body, headers={"Accept-Language": lang})
        error = answer.get_json()["error"]
        assert (answer.status_code, error["code"]) == (410, "gone")
        assert words in error["message"]
        assert "GET /api/v1/ranking.csv" in error["message"]
        assert error["details"][0]["where"] == "format"
    assert not desk.worker.do_one()


def test_what_an_earlier_version_was_asked_to_write_as_csv_is_gone(desk: Desk) -> None:
    with desk.house.access.database.write() as connection:
        number = submit(connection, "export", {"sort": "name"}, by="li", now=desk.house.clock())
    assert desk.ask("GET", f"/exports/{number}").status_code == 410
    assert desk.worker.do_one()
    failed = desk.ask("GET", f"/jobs/{number}?lang=en").get_json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "gone")
    assert "GET /api/v1/ranking.csv" in failed["error"]["message"]
    answer = desk.ask("GET", f"/exports/{number}")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (410, "gone")


def test_one_key_asks_for_one_export(desk: Desk) -> None:
    again = {"Idempotency-Key": "k"}
    asked = [desk.ask("POST", "/exports", json={"format": "xlsx"}, headers=again) for _ in range(2)]
    assert asked[0].get_json() == asked[1].get_json()
    assert desk.worker.do_one()
    assert not desk.worker.do_one()


def test_after_its_week_an_export_is_gone(desk: Desk) -> None:
    number = desk.export()
    assert desk.worker.do_one()
    (file,) = desk.exports.iterdir()
    written = desk.house.clock().timestamp()
    os.utime(file, (written, written))
    assert desk.ask("GET", f"/exports/{number}").status_code == 200
    desk.house.clock.turn(seconds=(KEPT + timedelta(seconds=1)).total_seconds())
    desk.headers = {"Authorization": f"Bearer {desk.house.key('viewer', 'later')}"}
    answer = desk.ask("GET", f"/exports/{number}")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (410, "gone")


def test_what_is_no_export_has_no_file(desk: Desk) -> None:
    assert desk.ask("GET", "/exports/77").status_code == 404
    with desk.house.access.database.write() as connection:
        number = submit(connection, "retrain", {}, by="li.na", now=desk.house.clock())
    assert desk.ask("GET", f"/exports/{number}").status_code == 404


@pytest.mark.parametrize("body", [{"format": "pdf"}, {"sort": "age"}, {"nope": 1}, {"grade": "E"}])
def test_an_export_that_cannot_be_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    assert desk.ask("POST", "/exports", json=body).status_code == 422
