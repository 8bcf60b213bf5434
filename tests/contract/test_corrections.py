"""What officers correct, asked for by programs: made, listed, withdrawn, and counted in scores."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract import test_store_routes
from tests.contract.test_store_routes import Office
from tests.kept_lists import BREAD, TODAY, hand_in, scorer

from leadscore.store.database import Database
from leadscore.store.list_import import take_in_list

office = test_store_routes.office


def make(office: Office, field: str, value: Any, firm: int = 1) -> Any:
    office.house.clock.turn(minutes=5)
    seen = office.ask("GET", f"/firms/{firm}").headers["ETag"]
    body = {"field": field, "value": value, "reason": "asked them"}
    return office.ask("POST", f"/firms/{firm}/corrections", json=body, headers={"If-Match": seen})


def test_a_correction_counts_at_once_beside_the_machine(office: Office) -> None:
    before = office.get("/firms/1")
    answer = make(office, "segments", ["medical.implants"])
    assert answer.status_code == 200
    after = answer.get_json()
    assert after["standing"]["segment"] == "medical.implants"
    (one,) = after["corrections"]
    assert (one["field"], one["by"], one["reason"]) == (
        "segments", "key:administrators", "asked them"
    )  # fmt: skip
    machine = after["machine"]
    assert {name: machine[name] for name in machine} == {
        name: before["standing"][name] for name in machine
    }
    changes = office.get("/firms/1/changes")
    assert [(each["id"], each["began"]) for each in changes["corrections"]] == [(one["id"], True)]
    assert office.get("/ranking?segment=medical.implants")["firms"][0]["corrected"] is True

    office.house.clock.turn(minutes=5)
    etag = answer.headers["ETag"]
    gone = f"/firms/1/corrections/{one['id']}"
    assert office.ask("DELETE", gone).status_code == 428
    assert office.ask("DELETE", gone, headers={"If-Match": '"1"'}).status_code == 412
    back = office.ask("DELETE", gone, headers={"If-Match": etag})
    assert back.get_json()["standing"] == before["standing"]
    assert (back.get_json()["corrections"], back.get_json()["machine"]) == ([], None)
    assert office.ask("DELETE", gone, headers={"If-Match": "*"}).status_code == 404
    (kept,) = office.get("/firms/1/corrections")["corrections"]
    assert kept["withdrawn_by"] == "key:administrators"
    changes = office.get("/firms/1/changes")
    assert [each["began"] for each in changes["corrections"]] == [False]


def test_a_corrected_fact_stands_beside_what_the_list_says(office: Office) -> None:
    answer = make(office, "main_business", BREAD).get_json()
    field = next(each for each in answer["fields"] if each["column"] == "main_business")
    assert field["value"] == BREAD
    assert field["listed"] not in (None, BREAD)
    assert (field["correction"], field["listed_since"]) == (answer["corrections"][0]["id"], False)


def test_what_a_list_says_since_stands_beside_the_correction(
    office: Office, database: Database
) -> None:
    make(office, "staff", "120")
    office.house.clock.turn(hours=1)
    number = hand_in(database, {"name": "乙有限公司", "staff": "95"})
    firm = office.get("/ranking?text=乙有限公司")["firms"][0]["id"]
    make(office, "staff", "60", firm)
    office.house.clock.turn(hours=1)
    later = office.house.clock()
    take_in_list(database, number, scorer=scorer(), now=later, today=TODAY)
    fields = office.get(f"/firms/{firm}")["fields"]
    staff = next(each for each in fields if each["column"] == "staff")
    assert (staff["value"], staff["listed"], staff["listed_since"]) == (60, 95, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("staff", "many"), ("segments", ["x.y"]), ("role", None), ("moon", "5"), ("reason", "moon")],
)
def test_what_cannot_be_is_refused_with_what_is_wanted(
    office: Office,
    field: str,
    value: Any,
) -> None:
    answer = make(office, field, value)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["details"][0]["wanted"]
    assert office.get("/firms/1/corrections")["corrections"] == []


def test_an_export_says_what_was_corrected(office: Office) -> None:
    plain = office.ask("GET", "/ranking.csv").get_data(as_text=True)
    assert "corrections" not in plain.splitlines()[0]
    make(office, "grade", "A")
    lines = office.ask("GET", "/ranking.csv?lang=zh").get_data(as_text=True).splitlines()
    assert lines[0].endswith(",corrections")
    assert "等级：A（key:administrators，" in lines[1]
    chosen = office.ask("GET", "/ranking.csv?columns=name,corrections,stage")
    assert (
        chosen.get_data(as_text=True).lstrip("\ufeff").splitlines()[0] == "name,corrections,stage"
    )
