"""The routes over the store: each does its work, says who may, and refuses in the one body."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
import sqlalchemy as sa
from tests.contract.access_app import House, build
from tests.kept_lists import (
    BLADES,
    BREAD,
    NOW,
    TODAY,
    as_csv,
    code,
    lakeport,
    profiles,
    scorer,
    take_in,
)
from tests.ranking_files import read_ranking_csv

from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.expert import expert_model
from leadscore.registry.models import ModelRegistry, log_notice
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.store.firms import FIRMS
from leadscore.store.jobs import list_jobs
from leadscore.store.list_import import take_in_list
from leadscore.store.models import mirror
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.auth import PERMISSIONS, declared
from leadscore.web.routes import store_routes
from leadscore.web.routes.payloads import Role

OURS = re.compile("/api/v1/(?:lists|ranking|exports|firms|gaps|models)")
ROWS = [
    {"name": "=甲有限公司", "credit_code": code(1), "main_business": BLADES, "city": "深圳市"},
    {"name": "乙有限公司", "main_business": BREAD},
    {"name": "丙有限公司", "main_business": BLADES, "status": "注销"},
]


@dataclass
class Office:
    """An application over a store with a list, and an officer's key."""

    house: House
    registry: ModelRegistry
    headers: dict[str, str]

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = self.headers | options.pop("headers", {})
        return self.house.client().open(f"/api/v1{path}", method=method, headers=headers, **options)

    def get(self, path: str) -> Any:
        response = self.ask("GET", path)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_json()


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    house = build(database, AuditTrail(tmp_path / "keys" / "audit.key"))
    registry = ModelRegistry(tmp_path / "models", tmp_path / "keys" / "models.key")
    dependencies = Dependencies(
        CurrentScoring(scorer, registry, profiles(database), database), registry,
        lambda: TODAY, house.access, profiles(database), exports=tmp_path / "exports",
    )  # fmt: skip
    for routes in store_routes(dependencies):
        house.app.register_api(routes)
    take_in(database, *ROWS)
    key = house.key("administrator")
    return Office(house, registry, {"Authorization": f"Bearer {key}"})


def test_a_list_is_handed_in_and_followed(office: Office, database: Database) -> None:
    def form() -> dict[str, Any]:
        content = as_csv({"单位": "丁有限公司", "成立日期": "2030-01-01"}, {"单位": "丁有限公司"})
        return {"file": (io.BytesIO(content), "a/名单.csv"), "mapping": '{"单位": "name"}',
                "as_of": "2026-11-01"}  # fmt: skip

    answers = [
        office.ask("POST", "/lists", data=form(), headers={"Idempotency-Key": "k1"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202], answers[0].get_json()
    assert answers[0].get_json() == answers[1].get_json()
    number, job = (answers[0].get_json()[name] for name in ("id", "job_id"))
    waiting = office.get(f"/lists/{number}")
    assert (waiting["state"], waiting["job_id"], waiting["counts"]) == ("waiting", job, None)
    with database.read() as connection:
        (asked,) = list_jobs(connection)
    assert (asked.kind, asked.payload) == ("import_list", {"list_id": number})
    take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    done = office.get(f"/lists/{number}?lang=zh")
    assert done["counts"] == {"rows": 2, "ranked": 1, "vetoed": 0, "set_aside": 1}
    assert sum(done["problems"].values()) == 2
    assert [each["id"] for each in office.get("/lists?limit=1")["lists"]] == [number]
    assert office.get("/lists?limit=1")["next"] == number
    told = office.ask("GET", f"/lists/{number}/problems.csv?lang=zh")
    assert told.mimetype == "text/csv"
    table = pd.read_csv(io.BytesIO(told.data), encoding="utf-8-sig")
    assert table["code"].tolist() == ["bad_date", "repeat"] or len(table) == 2


def test_a_mapping_says_units_and_is_kept_in_canonical_words(
    office: Office, database: Database
) -> None:
    content = as_csv({"甲": "丁丁电池有限公司", "注册资本": "500", "注": "1"})
    said = '{"甲": "企业名称", "注册资本": "（万元）", "注": "-"}'
    number = office.ask(
        "POST", "/lists", data={"file": (io.BytesIO(content), "a.csv"), "mapping": said}
    ).get_json()["id"]
    take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    mapping = {"甲": "name", "注册资本": "(万元)", "注": ""}
    assert office.get(f"/lists/{number}")["mapping"] == mapping
    with database.read() as connection:
        record = connection.scalars(
            sa.select(FIRMS.c.record).where(FIRMS.c.name == "丁丁电池有限公司")
        ).one()
    assert record["registered_capital_cny"] == 5_000_000


@pytest.mark.parametrize(
    ("form", "where"),
    [
        ({}, "file"),
        ({"mapping": "[]"}, "mapping"),
        ({"mapping": '{"a": "no_column"}'}, "a"),
        ({"mapping": '{"a": "name(万元)"}'}, "a"),
        ({"mapping": '{"a": "registered_capital_cny(斤)"}'}, "a"),
        ({"mapping": "{"}, "line"),
        ({"as_of": "soon"}, "as_of"),
        ({"other": "x"}, "other"),
    ],
)
def test_a_form_with_mistakes_is_refused(office: Office, form: dict[str, str], where: str) -> None:
    file = {"file": (io.BytesIO(b"name\nX\n"), "a.csv")} if form else {}
    answer = office.ask("POST", "/lists", data={**form, **file},
                        content_type="multipart/form-data")  # fmt: skip
    assert answer.status_code in (400, 422), answer.get_data(as_text=True)
    assert where in answer.get_json()["error"]["details"][0]["where"]


def test_the_ranking_is_paged_counted_and_exported_alike(office: Office, tmp_path: Path) -> None:
    whole = office.get("/ranking?counts=true&lang=zh")
    names = [firm["name"] for firm in whole["firms"]]
    assert names[0] == "=甲有限公司"
    assert names[-1] == "丙有限公司"
    assert whole["firms"][-1]["veto_text"] == "已注销"
    assert whole["counts"]["total"] == 3
    assert whole["counts"]["veto"] == {"none": 2, "deregistered": 1}
    paged, cursor = [], ""
    while True:
        page = office.get(f"/ranking?limit=1{cursor}")
        paged += [firm["name"] for firm in page["firms"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert paged == names
    told = office.ask("GET", "/ranking.csv")
    assert "'=甲" in told.get_data(as_text=True)
    path = tmp_path / "r.csv"
    path.write_bytes(told.data)
    table = read_ranking_csv(path)
    assert table["name"].tolist() == names
    assert table["rank"].fillna(0).tolist() == [1, 2, 0]
    assert table["priority"].tolist() == [firm["priority"] for firm in whole["firms"]]
    book = office.ask("GET", "/ranking.xlsx?text=甲&lang=en")
    sheet = pd.read_excel(io.BytesIO(book.data), engine="calamine")
    assert sheet["Firm"].tolist() == ["=甲有限公司"]
    empty = office.ask("GET", "/ranking.csv?text=nobody")
    assert len(empty.get_data(as_text=True).splitlines()) == 1


@pytest.mark.parametrize(
    "query", ["cursor=x", "veto=perhaps", "grade=E", "limit=0", "sort=age", "list=0", "nope=1"]
)
def test_a_ranking_that_cannot_be_is_refused(office: Office, query: str) -> None:
    answer = office.ask("GET", f"/ranking?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["error"]["details"]


def test_a_firm_shows_where_its_fields_are_from(office: Office) -> None:
    answer = office.ask("GET", "/firms/1")
    assert answer.headers["ETag"] == '"1"'
    firm = answer.get_json()
    fields = {each["column"]: each for each in firm["fields"]}
    assert fields["main_business"]["value"] == BLADES
    assert (fields["main_business"]["list_id"], fields["main_business"]["row"]) == (1, 2)
    assert fields["main_business"]["age_days"] == 0
    (score,) = firm["scores"]
    total = score["base_points"] + sum(score["points"].values())
    assert score["likelihood"] == pytest.approx(1 / (1 + 2 ** (-total / 20)), abs=1e-12)
    assert office.ask("GET", "/firms/99").status_code == 404
    assert office.ask("GET", "/firms/x").status_code == 404


def test_two_officers_cannot_overwrite_each_other(office: Office) -> None:
    body = {"grade": "A", "segment": next(iter(lakeport().segments)), "reason": "They called us."}

    def put(match: str | None) -> Any:
        headers = {} if match is None else {"If-Match": match}
        return office.ask("PUT", "/firms/2/override", json=body, headers=headers)

    before = office.get("/firms/2")
    assert put(None).status_code == 428
    first = put('"1"')
    assert first.status_code == 200
    assert put('"1"').status_code == 412
    after = first.get_json()
    assert (after["standing"]["grade"], after["override"]["by"]) == ("A", "key:administrators")
    assert after["scores"][1:] == before["scores"]
    assert after["machine"]["grade"] == before["standing"]["grade"]
    assert after["standing"]["segment"] == body["segment"]
    assert office.get("/ranking?grade=A")["firms"][0]["overridden"] is True
    back = office.ask("DELETE", "/firms/2/override", headers={"If-Match": first.headers["ETag"]})
    assert back.status_code == 200
    assert back.get_json()["standing"] == before["standing"]
    assert back.get_json()["override"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "nothing"},
        {"grade": "E", "reason": "x"},
        {"grade": "A"},
        {"segment": "no.where", "reason": "x"},
        {"grade": "A", "reason": " "},
        {"likelihood": 0.9, "reason": "x"},
    ],
)
def test_an_override_that_cannot_be_is_refused(office: Office, body: dict[str, Any]) -> None:
    answer = office.ask("PUT", "/firms/1/override", json=body, headers={"If-Match": '"1"'})
    assert answer.status_code == 422


def test_an_excluded_firm_is_vetoed_until_it_may_be_courted_again(office: Office) -> None:
    put = office.ask(
        "PUT", "/firms/1/exclusion", json={"reason": "Not now."}, headers={"If-Match": '"1"'}
    )
    assert put.get_json()["standing"]["veto"] == "excluded"
    assert [firm["id"] for firm in office.get("/ranking?veto=excluded")["firms"]] == [1]
    back = office.ask("DELETE", "/firms/1/exclusion", headers={"If-Match": put.headers["ETag"]})
    assert back.get_json()["standing"]["veto"] is None
    gone = office.ask("DELETE", "/firms/1/exclusion", headers={"If-Match": "*"})
    assert gone.status_code == 200


def test_outcomes_move_a_firm_on_and_can_be_withdrawn(office: Office) -> None:
    def enter(**body: Any) -> Any:
        return office.ask("POST", "/firms/1/outcomes", json={"day": "2026-11-20"} | body)

    assert enter(stage="visited", reason="线路").status_code == 201
    firm = office.get("/firms/1")
    assert (firm["standing"]["stage"], firm["standing"]["veto"]) == ("visited", None)
    again = enter(stage="visited", reason="线路")
    assert again.get_json()["entry"] == firm["outcomes"][0]["entry"]
    assert enter(stage="visited", withdrawn=True).status_code == 201
    after = office.get("/firms/1")
    assert (after["standing"]["stage"], after["standing"]["veto"]) == (None, None)
    assert [each["in_force"] for each in after["outcomes"]] == [False, False]
    assert enter(stage="visited", withdrawn=True).status_code == 422
    assert enter(stage="visited", day="2026-11-25").status_code == 422
    assert enter(stage="dreaming").status_code == 422


def test_a_change_of_score_is_split_into_data_and_model(office: Office, database: Database) -> None:
    one = office.get("/firms/2/changes")
    assert one["older"] is None
    assert one["features"] == []
    take_in(database, {"name": "乙有限公司", "main_business": BLADES, "staff": 300})
    with database.write() as connection:
        expert_model(lakeport(), office.registry, NOW, log_notice)
        mirror(connection, office.registry, lakeport().id, now=NOW)
    told = office.get("/firms/2/changes")
    assert told["missing_models"] == ["m1"]
    assert (told["data_points"], told["model_points"], told["features"]) == (None, None, [])
    assert told["points"] != 0
    assert office.ask("GET", "/firms/2/changes?older=77").status_code == 404


def test_the_gaps_name_candidates(office: Office) -> None:
    gaps = office.get("/gaps?lang=zh")
    segments = [segment for chain in gaps["chains"] for segment in chain["segments"]]
    best = next(segment for segment in segments if segment["candidates"])
    assert best["best"][0]["name"] == "=甲有限公司"
    assert best["candidates"] == 1
    assert best["gap"] == lakeport().gap(best["id"])


def test_models_are_shown_promoted_and_taken_back(office: Office, database: Database) -> None:
    version, _ = expert_model(lakeport(), office.registry, NOW, log_notice)
    with database.write() as connection:
        mirror(connection, office.registry, lakeport().id, now=NOW)
    (model,) = office.get("/models")["models"]
    assert model["version"] == version
    assert "scorecard" in office.get(f"/models/{version}")["manifest"]
    assert office.ask("GET", "/models/none").status_code == 404
    promoted = office.ask("POST", f"/models/{version}/promote", json={})
    assert promoted.get_json()["version"] == version
    assert office.ask("POST", "/models/none/promote", json={}).status_code == 404
    retrain = office.ask("POST", "/models/retrain", json={"as_of": "2026-01-01"})
    assert retrain.status_code == 202
    back = office.ask("POST", "/models/rollback", json={"reason": "checked"})
    assert back.status_code == 409
    with database.read() as connection:
        kinds = {job.kind for job in list_jobs(connection)}
    assert kinds == {"retrain", "rescore"}


def test_every_route_says_who_may_and_refuses_the_others(office: Office) -> None:
    app, client = office.house.app, office.house.client()
    keys = {role: office.house.key(role, f"{role}-2") for role in PERMISSIONS}
    sent = 0
    for rule in app.url_map.iter_rules():
        if not OURS.match(rule.rule):
            continue
        permission = declared(app, rule.endpoint)
        path = re.sub(r"<int:\w+>", "1", rule.rule).replace("<version>", "v")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert client.open(path, method=method).status_code == 401
            for role, key in keys.items():
                headers = {"Authorization": f"Bearer {key}"}
                # A file that nobody reads to its end would keep others from writing.
                with client.open(path, method=method, headers=headers) as answer:
                    assert (answer.status_code == 403) == (permission not in PERMISSIONS[role])
            sent += 1
    assert sent >= 26


def test_the_description_names_what_is_refused(office: Office) -> None:
    paths = office.house.client().get("/openapi/openapi.json").get_json()["paths"]
    ours = {path: each for path, each in paths.items() if OURS.match(path)}
    assert len(ours) >= 22
    for path, operations in ours.items():
        for method, operation in operations.items():
            answered = set(operation["responses"])
            assert {"401", "403", "431", "500"} <= answered
            # A note is never changed, so that there is no version of it.
            changes = method in ("put", "delete") and operation["operationId"] != "dropNote"
            changes = changes or (path.endswith("/corrections") and method == "post")
            assert not changes or {"412", "428"} <= answered
            assert method != "get" or not {"412", "428"} & answered


def test_the_roles_of_the_api_are_those_of_the_catalogue() -> None:
    assert set(get_args(Role)) == set(CATALOGUE["role"].levels)
