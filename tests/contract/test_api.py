"""What other programs rely on: the shape of an answer, its sums, the same score as in a list."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flask.testing import FlaskClient
from tests.service import demonstration
from tests.simulation import simulated_city

from leadscore.city import load_city
from leadscore.lists.columns import CANONICAL
from leadscore.ranking.batch import rank_list
from leadscore.ranking.score import Scorer
from leadscore.ranking.vetoes import WORDING
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.web.openapi import (
    MAX_FIRMS,
    ErrorAnswer,
    Firm,
    Health,
    Readiness,
    ScoreAnswer,
    ScoreRequest,
)

CITY = Path(__file__).parents[1] / "cities" / "lakeport.toml"
TODAY = date(2026, 11, 24)

IMAGING: dict[str, Any] = {
    "name": "苏州新影医疗科技有限公司",
    "registered_capital_cny": "5000万人民币",
    "founded_on": "2011-06-08",
    "status": "存续",
    "staff": "100-499人",
    "province": "江苏省",
    "city": "苏州市",
    "main_business": "CT机、磁共振成像等医学影像设备的研发、生产和销售",
    "rd_share": 0.12,
    "titles": "国家级专精特新小巨人",
}
BLADES: dict[str, Any] = {
    "name": "连云港远帆复合材料有限公司",
    "main_business": "风电叶片及叶片模具制造",
    "registered_capital_cny": 120_000_000,
}
GONE: dict[str, Any] = {"name": "某某贸易有限公司", "status": "注销", "business_scope": "销售家具"}
LITTLE: dict[str, Any] = {"name": "只有名称有限公司"}

Score = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    home = tmp_path_factory.mktemp("home")
    registry = ModelRegistry(home / "models", home / "key")
    return champion_scorer(load_city(CITY), registry, now=datetime(2026, 11, 24, tzinfo=UTC))


@pytest.fixture(scope="module")
def client(scorer: Scorer, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return demonstration(scorer, tmp_path_factory.mktemp("demo"), lambda: TODAY).test_client()


@pytest.fixture
def score(client: FlaskClient) -> Score:
    def ask(*firms: dict[str, Any], **options: Any) -> dict[str, Any]:
        response = client.post("/api/v1/score", json={"firms": list(firms)}, **options)
        assert response.status_code == 200, response.text
        return json.loads(response.text)

    return ask


def test_an_answer_has_exactly_the_agreed_shape(score: Score) -> None:
    answer = score(IMAGING, GONE, LITTLE)

    assert list(answer) == ["model", "city", "corrected", "scores"]
    assert list(answer["scores"][0]) == [
        "name", "grade", "priority", "likelihood", "fit", "segment", "role", "reasons",
        "base_points", "veto", "corrections", "problems", "likelihood_low", "likelihood_high",
        "certainty",
    ]  # fmt: skip
    assert list(answer["scores"][0]["reasons"][0]) == ["feature", "value", "points", "text"]
    ScoreAnswer.model_validate(answer)


def test_an_answer_names_the_model_and_the_city(score: Score, scorer: Scorer) -> None:
    answer = score(IMAGING)
    assert answer["model"] == scorer.model
    assert answer["city"] == "lakeport"


def test_scoring_makes_no_table(score: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = score(IMAGING, BLADES, LITTLE)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    for kind in (pd.DataFrame, pd.Series):
        monkeypatch.setattr(kind, "__init__", refuse)
    assert score(IMAGING, BLADES, LITTLE) == expected


def test_scores_come_in_the_order_asked(score: Score) -> None:
    firms = [IMAGING, BLADES, GONE, LITTLE]
    expected = score(*firms)["scores"]
    assert [each["name"] for each in expected] == [firm["name"] for firm in firms]
    for order in ((3, 2, 1, 0), (2, 0, 3, 1)):
        answered = score(*(firms[at] for at in order))["scores"]
        assert answered == [expected[at] for at in order]


def test_a_firm_that_fills_a_gap_is_matched_to_it(score: Score) -> None:
    imaging, blades = score(IMAGING, BLADES)["scores"]
    assert (imaging["segment"], imaging["role"]) == ("medical.imaging", "maker")
    assert blades["segment"] == "wind.blade"
    assert imaging["fit"] > 0.3


def test_a_firm_without_business_text_gets_a_score_without_segment(score: Score) -> None:
    (only_name,) = score(LITTLE)["scores"]
    assert only_name["segment"] is None
    assert only_name["role"] is None
    assert only_name["fit"] == 0
    assert 0 < only_name["likelihood"] < 1


def test_points_sum_with_the_base_to_the_log_odds(score: Score) -> None:
    for each in score(IMAGING, BLADES, GONE, LITTLE)["scores"]:
        total = each["base_points"] + sum(reason["points"] for reason in each["reasons"])
        odds = each["likelihood"] / (1 - each["likelihood"])
        assert total == pytest.approx(20 * math.log2(odds), abs=1e-9)


def test_reasons_are_those_with_points_the_weightiest_first(score: Score) -> None:
    (answer,) = score(IMAGING)["scores"]
    weights = [abs(reason["points"]) for reason in answer["reasons"]]
    assert weights == sorted(weights, reverse=True)
    assert all(weights)
    assert all(reason["text"] for reason in answer["reasons"])


def test_a_firm_asked_alone_gets_the_score_that_it_gets_in_a_list(
    score: Score, scorer: Scorer
) -> None:
    firms = [IMAGING, BLADES, GONE, LITTLE]
    listed = rank_list(pd.DataFrame(firms), scorer, today=TODAY, lang="en").table
    listed = listed.set_index("name")
    for firm in firms:
        (alone,) = score(firm)["scores"]
        row = listed.loc[firm["name"]]
        assert (alone["likelihood"], alone["priority"], alone["fit"], alone["grade"]) == (
            row["likelihood"],
            row["priority"],
            row["fit"],
            row["grade"],
        )


def test_a_firm_asked_alone_gets_the_score_that_it_gets_in_a_file(
    score: Score, scorer: Scorer, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    header = "企业名称,注册资本,成立日期,主营业务\n"
    rows = "".join(
        f"第{number}医疗器械有限公司,{number}00万元,2012-01-02,内窥镜\n" for number in range(1, 30)
    )
    file.write_text(header + rows, encoding="utf-8")
    table = rank_list(file, scorer, today=TODAY, lang="en").table.set_index("name")
    (alone,) = score(
        {
            "name": "第7医疗器械有限公司",
            "registered_capital_cny": "700万元",
            "founded_on": "2012-01-02",
            "main_business": "内窥镜",
        }
    )["scores"]
    assert alone["likelihood"] == table.loc["第7医疗器械有限公司", "likelihood"]
    assert alone["priority"] == table.loc["第7医疗器械有限公司", "priority"]


def test_http07_a_loss_is_one_in_a_request_and_in_a_file(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    scorer = champion_scorer(simulated_city(), registry, now=datetime(2026, 11, 24, tzinfo=UTC))
    client = demonstration(scorer, tmp_path, lambda: TODAY).test_client()
    firm = {"name": "湖港甲有限公司", "net_profit_cny": -6_000_000, "revenue_cny": 750_000}
    (answer,) = client.post("/api/v1/score", json={"firms": [firm]}).get_json()["scores"]
    margin = [one["value"] for one in answer["reasons"] if one["feature"] == "profit_margin"]
    assert (margin, answer["problems"]) == ([-8.0], [])

    file = tmp_path / "list.csv"
    for loss in ("-600", "(600)", "−600", "¥(600.00)", "亏损600万元", "'-600"):
        text = f"企业名称,净利润（万元）,营业收入（万元）\n湖港甲有限公司,{loss},75\n"
        file.write_text(text, encoding="utf-8")
        (row,) = rank_list(file, scorer, today=TODAY, lang="en").table.to_dict("records")
        assert row["likelihood"] == answer["likelihood"], loss


def test_numbers_and_the_writing_of_lists_mean_the_same(score: Score) -> None:
    as_numbers = {"registered_capital_cny": 50_000_000, "rd_share": 0.12, "founded_on": 20110608}
    as_text = {
        "registered_capital_cny": "5,000万元",
        "rd_share": "12%",
        "founded_on": "2011年6月8日",
    }
    first, second = score(IMAGING | as_numbers, IMAGING | as_text)["scores"]
    assert first["problems"] == second["problems"] == []
    assert first == second


def test_foreign_money_is_converted(score: Score) -> None:
    dollars, yuan = score(
        IMAGING | {"registered_capital_cny": "500万美元"},
        IMAGING | {"registered_capital_cny": 5_000_000},
    )["scores"]
    (stated,) = (r["value"] for r in dollars["reasons"] if r["feature"] == "registered_capital_cny")
    assert stated > 5_000_000
    assert yuan["problems"] == []


def test_null_and_an_absent_field_mean_the_same(score: Score) -> None:
    nothing = dict.fromkeys((column.name for column in CANONICAL), None)
    absent, null = score(LITTLE, nothing | LITTLE)["scores"]
    assert absent == null


def test_a_bad_cell_does_not_sink_the_firm(score: Score) -> None:
    odd = IMAGING | {"founded_on": "2024-02-30", "staff": "plenty"}
    first, second = score(LITTLE, odd)["scores"]

    assert first["problems"] == []
    told = {problem["where"]: problem for problem in second["problems"]}
    assert set(told) == {"firms[1].founded_on", "firms[1].staff"}
    assert told["firms[1].founded_on"]["code"] == "bad_date"
    assert told["firms[1].founded_on"]["got"] == "2024-02-30"
    assert "2016-11-30" in told["firms[1].founded_on"]["wanted"]


def test_a_value_of_every_column_is_taken(score: Score) -> None:
    def value(kind: str) -> object:
        return 1 if kind in {"amount", "count", "staff", "share"} else "2020-01-01"

    whole = {column.name: value(column.kind) for column in CANONICAL} | {"name": "某公司"}
    assert score(whole)["scores"][0]["name"] == "某公司"


def test_a_firm_that_stands_twice_is_scored_twice(score: Score) -> None:
    first, second = score(IMAGING, IMAGING)["scores"]
    assert first == second


def test_a_veto_is_a_stable_key_beside_an_unchanged_score(score: Score) -> None:
    active, gone = score(GONE | {"status": "存续"}, GONE)["scores"]
    assert active["veto"] is None
    assert gone["veto"] == "deregistered"
    assert gone["veto"] in WORDING
    assert gone["grade"] in {"A", "B", "C", "D"}


@pytest.mark.parametrize(
    ("options", "chinese"),
    [
        ({}, False),
        ({"headers": {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.1"}}, True),
        ({"headers": {"Accept-Language": "fr"}}, False),
        ({"query_string": "lang=zh"}, True),
        ({"query_string": "lang=en", "headers": {"Accept-Language": "zh"}}, False),
    ],
    ids=["default", "header", "unknown header", "address", "address beats header"],
)
def test_reasons_are_in_the_language_asked(
    score: Score, options: dict[str, Any], chinese: bool
) -> None:
    (answer,) = score(IMAGING | {"staff": "plenty"}, **options)["scores"]
    words = answer["reasons"][0]["text"] + answer["problems"][0]["wanted"]
    assert ("缺失" in words) == chinese


def test_1000_firms_are_answered_and_1001_are_not(client: FlaskClient, score: Score) -> None:
    assert len(score(*[LITTLE] * MAX_FIRMS)["scores"]) == MAX_FIRMS
    response = client.post("/api/v1/score", json={"firms": [LITTLE] * (MAX_FIRMS + 1)})
    assert response.status_code == 422
    (detail,) = response.get_json()["error"]["details"]
    assert (detail["where"], detail["got"]) == ("firms", "1001")


def test_health_and_readiness(client: FlaskClient, scorer: Scorer) -> None:
    Health.model_validate_json(client.get("/healthz").text)
    ready = Readiness.model_validate_json(client.get("/readyz").text)
    assert (ready.model, ready.city) == (scorer.model, "lakeport")


def test_the_firm_of_the_payload_has_the_canonical_columns_and_no_others() -> None:
    assert list(Firm.model_fields) == [column.name for column in CANONICAL]
    assert not any(column.personal for column in CANONICAL)


def test_the_description_names_every_status_and_gives_examples_that_hold(
    client: FlaskClient,
) -> None:
    description = json.loads(client.get("/openapi/openapi.json").text)
    post = description["paths"]["/api/v1/score"]["post"]

    assert description["openapi"].startswith("3.1")
    statuses = {"200", "400", "401", "403", "413", "415", "422", "431", "500", "503", "507"}
    assert set(post["responses"]) == statuses
    named = {parameter["name"] for parameter in post["parameters"]}
    assert named == {"lang", "Accept-Language", "Idempotency-Key"}
    schemas = description["components"]["schemas"]
    ScoreAnswer.model_validate(schemas["ScoreAnswer"]["examples"][0])
    assert set(schemas["Firm"]["properties"]) == set(Firm.model_fields)
    assert schemas["Firm"]["required"] == ["name"]
    assert schemas["Firm"]["additionalProperties"] is False
    for address, path in description["paths"].items():
        for operation in path.values():
            for status, response in operation["responses"].items():
                # A service that is not well still says how it is.
                if int(status) >= 400 and (address, status) != ("/readyz", "503"):
                    media = response["content"]["application/json"]
                    assert media["schema"]["$ref"].endswith("/ErrorAnswer")
                    ErrorAnswer.model_validate(media["example"])


def test_every_reference_of_the_description_leads_somewhere(client: FlaskClient) -> None:
    text = client.get("/openapi/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    named = {piece.split('"')[0] for piece in text.split("#/components/schemas/")[1:]}
    assert named
    assert named <= set(schemas)


def test_the_example_of_the_description_is_scored(client: FlaskClient, score: Score) -> None:
    schemas = json.loads(client.get("/openapi/openapi.json").text)["components"]["schemas"]
    example = schemas["ScoreRequest"]["examples"][0]
    ScoreRequest.model_validate(example)
    (answer,) = score(*example["firms"])["scores"]
    assert answer["problems"] == []


def test_the_only_script_of_the_documentation_is_the_one_that_its_policy_names(
    client: FlaskClient,
) -> None:
    response = client.get("/openapi/")
    script = response.text.split("<script>")[1].split("</script>")[0]
    named = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{named}'" in response.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"].split("style-src")[0]


@pytest.mark.parametrize("page", ["/openapi/", "/openapi/swagger"])
def test_the_documentation_needs_nothing_from_elsewhere(client: FlaskClient, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 200
    assert "://" not in response.text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    for piece in response.text.split('="swagger/')[1:]:
        with client.get("/openapi/swagger/" + piece.split('"')[0]) as part:
            assert part.status_code == 200


def test_browsers_are_told_to_be_careful(client: FlaskClient) -> None:
    for response in (client.get("/healthz"), client.get("/nowhere"), client.get("/openapi/")):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert (
        client.get("/healthz").headers["Content-Security-Policy"].startswith("default-src 'none'")
    )
