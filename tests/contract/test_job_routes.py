"""The routes about jobs: who sees and stops what, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.access_app import Browser, House, build

from leadscore.errors import Detail, ListError
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.store.jobs import Held, beat, claim, fail, finish, submit
from leadscore.text import Text
from leadscore.web.routes.lists import JobAnswer, JobsAnswer, job_routes
from leadscore.web.routes.ranking import export_routes


@pytest.fixture
def house(database: Database, tmp_path: Any) -> House:
    made = build(database, AuditTrail(tmp_path / "keys" / "audit.key"))
    made.app.register_api(job_routes(made.dependencies))
    made.app.register_api(export_routes(made.dependencies))
    return made


@pytest.fixture
def officer(house: House) -> Browser:
    return house.browser("li.na", "officer")


def ask(house: House, by: str = "li.na", kind: str = "retrain") -> int:
    with house.access.database.write() as connection:
        return submit(connection, kind, {"reason": "not shown"}, by=by, now=house.clock())


def take(house: House) -> Held:
    with house.access.database.write() as connection:
        job = claim(connection, worker="w", kinds=["retrain"], exclusive=[], now=house.clock())
    assert job is not None
    return Held(job.id, "w", job.attempts)


def test_a_job_tells_how_far_it_is_in_the_language_asked(house: House, officer: Browser) -> None:
    number, held = ask(house), take(house)
    words = Text(zh="计算特征", en="measuring the firms")
    with house.access.database.write() as connection:
        beat(connection, held, now=house.clock(), progress=0.25, words=words)
    response = officer.ask("GET", f"/api/v1/jobs/{number}?lang=zh")
    assert response.status_code == 200
    job = JobAnswer.model_validate(response.get_json())
    assert (job.id, job.state, job.progress, job.words) == (number, "running", 0.25, "计算特征")
    assert "not shown" not in response.text


def test_a_job_too_many_is_refused_and_says_what_to_do(house: House, officer: Browser) -> None:
    asked = {"format": "xlsx"}
    statuses = [officer.ask("POST", "/api/v1/exports", json=asked).status_code for _ in range(50)]
    assert set(statuses) == {202}
    refused = officer.ask("POST", "/api/v1/exports?lang=en", json=asked)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (429, "too_many_jobs")
    assert "cancel those no longer needed" in refused.get_json()["error"]["message"]
    other = house.browser("zhao", "viewer").ask("POST", "/api/v1/exports", json=asked)
    assert other.status_code == 202


def test_what_came_of_it_and_why_it_failed_is_told(house: House, officer: Browser) -> None:
    done, failed = ask(house), ask(house)
    first, second = take(house), take(house)
    error = ListError(Text(zh="坏", en="bad"), [Detail("A1", "x", Text(zh="名称", en="a name"))])
    with house.access.database.write() as connection:
        finish(connection, first, {"version": "v1"}, now=house.clock())
        fail(connection, second, error, now=house.clock())
    assert officer.ask("GET", f"/api/v1/jobs/{done}").get_json()["result"] == {"version": "v1"}
    answer = officer.ask("GET", f"/api/v1/jobs/{failed}").get_json()
    assert JobAnswer.model_validate(answer).error is not None
    assert answer["error"] == {
        "code": "unreadable_list",
        "message": "bad",
        "details": [{"where": "A1", "got": "x", "wanted": "a name"}],
    }


def test_jobs_come_page_by_page(house: House, officer: Browser) -> None:
    numbers = [ask(house) for _ in range(5)]
    found, path = [], "/api/v1/jobs?limit=2&state=waiting&kind=retrain"
    following: int | None = None
    while True:
        tail = f"&before={following}" if following else ""
        page = JobsAnswer.model_validate(officer.ask("GET", path + tail).get_json())
        found += [job.id for job in page.jobs]
        following = page.next
        if following is None:
            break
    assert found == numbers[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "state=lost", "before=x", "more=1"])
def test_a_query_that_says_something_else_is_refused(officer: Browser, query: str) -> None:
    assert officer.ask("GET", f"/api/v1/jobs?{query}").status_code == 422


@pytest.mark.parametrize("number", ["77", "0", str(2**63), "x"])
def test_what_no_job_has_as_its_number(officer: Browser, number: str) -> None:
    response = officer.ask("GET", f"/api/v1/jobs/{number}")
    assert response.status_code == (422 if number in ("0", str(2**63)) else 404)
    assert response.get_json()["error"]["message"]


def test_an_officer_cancels_their_own_job_once(house: House, officer: Browser) -> None:
    number = ask(house)
    headers = {"Idempotency-Key": "k"}
    answers = [
        officer.ask("POST", f"/api/v1/jobs/{number}/cancel", headers=headers) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].get_json() == answers[1].get_json()
    assert answers[0].get_json()["state"] == "cancelled"
    assert [act for act in house.acts() if act[1] == "job.cancel"] == [
        ("li.na", "job.cancel", "done")
    ]


def test_a_job_that_has_ended_is_not_cancelled(house: House, officer: Browser) -> None:
    number, held = ask(house), take(house)
    with house.access.database.write() as connection:
        finish(connection, held, {}, now=house.clock())
    response = officer.ask("POST", f"/api/v1/jobs/{number}/cancel")
    assert (response.status_code, response.get_json()["error"]["code"]) == (409, "conflict")


def test_only_administrators_cancel_what_others_asked_for(house: House, officer: Browser) -> None:
    number = ask(house, by="wang")
    assert officer.ask("POST", f"/api/v1/jobs/{number}/cancel").status_code == 403
    chief = house.browser("chief", "administrator")
    assert chief.ask("POST", f"/api/v1/jobs/{number}/cancel").status_code == 200


def test_strangers_and_viewers(house: House) -> None:
    number = ask(house)
    assert house.client().get(f"/api/v1/jobs/{number}").status_code == 401
    viewer = house.browser("guest", "viewer")
    assert viewer.ask("GET", f"/api/v1/jobs/{number}").status_code == 200
    assert viewer.ask("POST", f"/api/v1/jobs/{number}/cancel").status_code == 403
