"""An administrator changes the supply of a segment: a version of the profile, and new scores."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from tests.champions import champion, line, promote
from tests.contract.test_pages import HTML, secrets_of
from tests.kept_lists import BLADES, NOW, TODAY, code, lakeport, profiles, scorer, take_in
from tests.second_model import OTHER, save_another

from leadscore.city import City, load_city
from leadscore.jobs.tasks import JobDependencies, all_kinds
from leadscore.jobs.worker import Worker
from leadscore.learning.expert import expert_model
from leadscore.learning.training_data import Rules
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry, expert_version
from leadscore.startup import champion_scorer
from leadscore.store import api_keys
from leadscore.store.audit import AuditTrail, page
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.database import Database
from leadscore.store.models import mirrored
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.app import create_app
from leadscore.web.auth import Access

BLADE = "wind.blade"
PATH = f"/api/v1/gaps/{BLADE}/supply"
REASON = "The plant was opened in October."


class Office:
    """A service with its worker, in which everybody is an administrator."""

    def __init__(self, database: Database, folder: Path, *, trained: bool) -> None:
        self.database, self.folder = database, folder
        self.registry = ModelRegistry(folder / "models", folder / "keys" / "models.key")
        expert_model(lakeport(), self.registry, NOW)
        if trained:
            save_another(self.registry)
            promote(database, self.registry, OTHER)
        take_in(
            database,
            {"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES},
        )
        self.profiles = profiles(database)
        trail = AuditTrail(folder / "keys" / "audit.key")
        self.access = Access(database, trail, lambda: datetime.now(UTC), demo=True)
        scoring = CurrentScoring(self.scorer, self.registry, self.profiles, database)
        service = Dependencies(scoring, self.registry, lambda: TODAY, self.access, self.profiles)
        self.client: FlaskClient = create_app(service).test_client()

    def scorer(self) -> Scorer:
        city = self.profiles.current().city
        return champion_scorer(city, self.registry, line(self.database), now=NOW)

    def gaps(self) -> tuple[dict[str, Any], str]:
        answer = self.client.get("/api/v1/gaps")
        assert answer.status_code == 200
        return answer.get_json(), answer.headers["ETag"]

    def put(self, body: dict[str, Any], *, tag: str | None, path: str = PATH) -> Any:
        headers = {"If-Match": tag} if tag else {}
        return self.client.put(path, json=body, headers=headers)

    def work(self) -> None:
        """Let the worker do the job that waits."""
        place = JobDependencies(
            lambda: self.profiles.current().city, self.scorer, self.registry, Rules,
            self.folder / "exports", self.access.trail, self.access.clock,
        )  # fmt: skip
        worker = Worker("w", self.database, all_kinds(place), self.access.clock, threading.Event())
        assert worker.do_one()

    def standing(self) -> Any:
        with self.database.read() as connection:
            return connection.execute(select(STANDINGS)).one()

    def page(self, path: str, lang: str = "en") -> str:
        answer = self.client.get(path, headers=HTML | {"Accept-Language": lang})
        assert answer.status_code == 200
        return str(answer.get_data(as_text=True))


@pytest.fixture(params=[False, True], ids=["expert", "trained"])
def office(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path, trained=request.param)


def supply_in(gaps: dict[str, Any]) -> dict[str, Any]:
    segments = (segment for chain in gaps["chains"] for segment in chain["segments"])
    return next(segment for segment in segments if segment["id"] == BLADE)


def test_another_supply_makes_a_version_by_which_all_firms_are_scored(office: Office) -> None:
    gaps, tag = office.gaps()
    assert gaps["profile"] == {"version": 1, "digest": lakeport().digest}
    before = supply_in(gaps)
    assert before["supply"] == lakeport().supply(BLADE)
    answer = office.put({"supply": 0.95, "reason": REASON}, tag=tag)
    assert answer.status_code == 200, answer.get_json()
    made = answer.get_json()
    assert made["version"] == 2
    assert made["model"] == office.scorer().model != scorer().model
    assert made["model"].startswith(f"{OTHER}-s") or made["model"].startswith("lakeport-expert-")
    office.work()
    gaps, new_tag = office.gaps()
    assert gaps["profile"] == {"version": 2, "digest": made["digest"]}
    assert new_tag == f'"{made["digest"]}"' != tag
    after = supply_in(gaps)
    assert (after["supply"], after["gap"] < before["gap"]) == (0.95, True)
    if made["model"].startswith(OTHER):
        assert f"same card as {OTHER}" in office.page("/model")
        assert f"same card as {OTHER}" in office.page(f"/model/{made['model']}")
    standing = office.standing()
    assert standing.model == made["model"]
    assert standing.fit == pytest.approx(office.scorer().city.gap(BLADE), abs=0.06)
    with office.database.read() as connection:
        record = page(connection, limit=1)[0]
        shown = mirrored(connection, "lakeport", made["model"])
    assert [m.version for m in shown if m.state == "champion"] == [made["model"]]
    assert (record.action, record.object_kind, record.object_id) == (
        "city.supply", "city", "lakeport",
    )  # fmt: skip
    assert json.loads(record.details)["supply"] == {
        BLADE: {"before": before["supply"], "after": 0.95}
    }
    assert json.loads(record.details)["reason"] == REASON


def test_what_was_changed_meanwhile_or_changes_nothing_is_refused(office: Office) -> None:
    _, tag = office.gaps()
    same = {"supply": lakeport().supply(BLADE), "reason": REASON}
    assert office.put(same, tag=tag).status_code == 422
    body = {"supply": 0.95, "reason": REASON}
    assert office.put(body, tag=None).status_code == 428
    assert office.put(body, tag='"another"').status_code == 412
    assert office.put(body, tag=tag, path="/api/v1/gaps/no.such/supply").status_code == 404
    for wrong in ({"supply": 1.2}, {"supply": "0.3"}, {"supply": None}, {"reason": " "}):
        assert office.put(body | wrong, tag=tag).status_code == 422
    assert office.profiles.current().number == 1
    assert office.put(body, tag=tag).status_code == 200
    assert office.put(body | {"supply": 0.5}, tag=tag).status_code == 412
    assert office.profiles.current().number == 2


def test_a_key_of_an_officer_may_not(office: Office) -> None:
    with office.database.write() as connection:
        key = api_keys.add(connection, "li", "officer", by="cli", now=office.access.clock())
    headers = {"Authorization": f"Bearer {key}", "If-Match": office.gaps()[1]}
    body = {"supply": 0.95, "reason": REASON}
    assert office.client.put(PATH, json=body, headers=headers).status_code == 403


def send(office: Office, **fields: str) -> Any:
    """Send the form of the segment as a browser does that has looked at the page."""
    html = office.page(f"/administration/city?segment={BLADE}")
    seen = re.findall(r'name="seen" value="([^"]+)"', html)[0]
    form = secrets_of(html) | {"seen": seen} | fields
    return office.client.post(f"/administration/city/{BLADE}", data=form, headers=HTML)


def test_the_page_changes_a_supply_and_tells_of_it(office: Office) -> None:
    assert "No changes yet" in office.page("/administration/city")
    answer = send(office, supply="95", reason=REASON)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/administration/city")
    html = office.page("/administration/city")
    assert "Saved as a new version of the profile" in html
    assert "Version 2" in html
    assert "Firms are being rescored" in html
    assert re.search(rf"{lakeport().supply(BLADE):.0%} → 95%", html)
    assert REASON in html
    assert "firms are being rescored" in office.page("/ranking")
    office.work()
    html = office.page("/administration/city")
    assert "Firms are being rescored" not in html
    assert "95%" in html
    ranking = office.page("/ranking")
    assert "city profile, version 2" in ranking
    assert "being rescored" not in ranking
    assert "城市画像第 2 版" in office.page("/ranking", "zh")


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"supply": "120"}, 422, "0 to 100"),
        ({"supply": "-1"}, 422, "0 to 100"),
        ({"supply": ""}, 422, "0 to 100"),
        ({"supply": "9.5"}, 422, "0 to 100"),
        ({"reason": "  "}, 422, "Give a reason"),
        ({"seen": "another"}, 412, "changed by someone else"),
    ],
)
def test_a_form_that_will_not_do_says_why(
    database: Database, tmp_path: Path, fields: dict[str, str], status: int, said: str
) -> None:
    office = Office(database, tmp_path, trained=False)
    answer = send(office, **{"supply": "95", "reason": REASON} | fields)
    assert answer.status_code == status
    english = HTML | {"Accept-Language": "en"}
    html = office.client.get("/administration/city", headers=english).get_data(as_text=True)
    assert "Version 1" in html
    assert said in answer.get_data(as_text=True)


def test_going_back_to_a_model_keeps_todays_supply(database: Database, tmp_path: Path) -> None:
    office = Office(database, tmp_path, trained=True)
    office.put({"supply": 0.95, "reason": REASON}, tag=office.gaps()[1])
    office.work()
    back = office.client.post("/api/v1/models/rollback", json={})
    assert back.status_code == 200
    city = office.profiles.current().city
    assert back.get_json()["version"] == expert_version(city) == office.scorer().model
    office.work()
    assert office.standing().model == expert_version(city)


def test_a_model_that_was_trained_with_another_profile_is_said_so(
    database: Database, tmp_path: Path
) -> None:
    office = Office(database, tmp_path, trained=True)
    assert "was trained with another version" not in office.page("/administration/city")
    plain = lakeport().model_dump(by_alias=True)
    other = City.model_validate(plain | {"roles": plain["roles"] | {"trade": 0.9}})
    office.profiles._load = lambda: other
    assert "was trained with another version" in office.page("/administration/city")


def test_a_broken_file_of_the_profile_does_not_keep_from_going_back(
    database: Database, tmp_path: Path
) -> None:
    office = Office(database, tmp_path, trained=True)

    def broken() -> City:
        return load_city(tmp_path / "broken.toml")

    (tmp_path / "broken.toml").write_text("[[")
    office.profiles._load = broken
    back = office.client.post("/api/v1/models/rollback", json={})
    assert back.status_code == 200
    assert champion(database) == back.get_json()["version"]
