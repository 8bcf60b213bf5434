"""Firms that a program has scored are kept if it asks for that, and then known like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.kept_lists import BLADES, BREAD, NOW, TODAY, code, profiles, scorer, take_in

from leadscore.registry.models import ModelRegistry
from leadscore.store import api_keys
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.app import create_app
from leadscore.web.auth import Access

FIRMS = [
    {"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES, "staff": 120},
    {"name": "甲 有限公司", "credit_code": code(1)},
    {"name": "戊有限公司", "main_business": BREAD},
]


class Program:
    """A program with a key, before a service whose store holds one firm."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self._client, self._key = client, key

    def ask(self, path: str, body: Any = None, **headers: str) -> Any:
        method = "GET" if body is None else "POST"
        given = {"Authorization": f"Bearer {self._key}", **headers}
        return self._client.open(f"/api/v1{path}", method=method, json=body, headers=given)


@pytest.fixture
def programs(database: Database, tmp_path: Path) -> dict[str, Program]:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    access = Access(database, AuditTrail(tmp_path / "audit.key"), lambda: NOW)
    known = profiles(database)
    scoring = CurrentScoring(scorer, registry, known, database)
    client = create_app(Dependencies(scoring, registry, lambda: TODAY, access, known)).test_client()
    take_in(database, {"name": "甲有限公司", "credit_code": code(1), "city": "深圳市"})
    with database.write() as connection:
        return {
            role: Program(client, api_keys.add(connection, role, role, by="cli", now=NOW))
            for role in ("viewer", "officer", "auditor")
        }


def test_scores_are_kept_when_that_is_asked_for(programs: dict[str, Program]) -> None:
    officer = programs["officer"]
    plain = officer.ask("/score", {"firms": FIRMS}).get_json()
    kept = officer.ask("/score", {"firms": FIRMS, "store": True}).get_json()
    numbers = [score.pop("firm") for score in kept["scores"]]
    assert kept == plain
    assert numbers == [1, 1, 2]
    firm = officer.ask("/firms/1").get_json()
    fields = {field["column"]: field for field in firm["fields"]}
    assert fields["main_business"]["value"] == BLADES
    assert fields["main_business"]["list_id"] is None
    assert fields["city"]["list_id"] == 1, "what a list said stays"
    assert len(firm["scores"]) == 2
    assert officer.ask("/firms/2").get_json()["name"] == "戊有限公司"


def test_nothing_is_kept_unless_asked_for(programs: dict[str, Program]) -> None:
    assert programs["officer"].ask("/score", {"firms": FIRMS}).status_code == 200
    assert programs["officer"].ask("/firms/2").status_code == 404


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_who_may_not_record_may_not_keep_either(programs: dict[str, Program], role: str) -> None:
    assert programs[role].ask("/score", {"firms": FIRMS}).status_code == 200
    refused = programs[role].ask("/score", {"firms": FIRMS, "store": True})
    assert refused.status_code == 403
    assert programs[role].ask("/firms/2").status_code == 404


def test_asking_again_with_one_key_keeps_once(programs: dict[str, Program]) -> None:
    officer, body = programs["officer"], {"firms": FIRMS, "store": True}
    first, again = (officer.ask("/score", body, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.get_json() == again.get_json()
    assert len(officer.ask("/firms/1").get_json()["scores"]) == 2
    other = officer.ask("/score", {"firms": FIRMS[:1], "store": True}, **{"Idempotency-Key": "k"})
    assert other.status_code == 422


def test_a_firm_without_a_name_keeps_nothing(programs: dict[str, Program]) -> None:
    refused = programs["officer"].ask(
        "/score", {"firms": [*FIRMS, {"name": "-"}], "store": True}, **{"Idempotency-Key": "n"}
    )
    assert refused.status_code == 422
    assert programs["officer"].ask("/firms/2").status_code == 404


def test_scores_that_are_asked_for_count_what_officers_corrected(
    programs: dict[str, Program],
) -> None:
    officer = programs["officer"]
    asked = {"firms": [FIRMS[0], {"name": "别家有限公司", "main_business": BREAD}]}
    machine = officer.ask("/score", asked).get_json()
    assert (machine["corrected"], machine["scores"][0]["corrections"]) == (0, [])
    for version, (field, value) in enumerate(
        (("segments", ["medical.implants"]), ("grade", "A")), start=1
    ):
        body = {"field": field, "value": value, "reason": "seen"}
        tag = officer.ask("/firms/1").headers["ETag"]
        made = officer.ask("/firms/1/corrections", body, **{"If-Match": tag})
        assert (made.status_code, len(made.get_json()["corrections"])) == (200, version)
    by_hand = officer.ask("/score", asked).get_json()
    first, other = by_hand["scores"]
    assert (by_hand["corrected"], first["corrections"]) == (1, ["segments", "grade"])
    assert (first["segment"], first["grade"]) == ("medical.implants", "A")
    assert other == machine["scores"][1]
    assert officer.ask("/score", asked | {"plain": True}).get_json() == machine
