"""What a client may send by mistake or in malice: each is refused in words, none hurts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from tests.service import demonstration

from leadscore.city import load_city
from leadscore.lists.columns import CANONICAL
from leadscore.logs import log_to_stderr
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.web.errors import MAX_BODY_BYTES, REFUSALS, SHOWN_DETAILS
from leadscore.web.openapi import MAX_CHARACTERS, MAX_SHORT, ErrorAnswer

CITY = Path(__file__).parents[1] / "cities" / "lakeport.toml"


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    home = tmp_path_factory.mktemp("home")
    registry = ModelRegistry(home / "models", home / "key")
    return champion_scorer(load_city(CITY), registry, now=datetime(2026, 11, 24, tzinfo=UTC))


@pytest.fixture(scope="module")
def client(scorer: Scorer, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("demo")
    return demonstration(scorer, folder, lambda: date(2026, 11, 24)).test_client()


def post(client: FlaskClient, body: bytes | str, **options: Any) -> Any:
    options.setdefault("content_type", "application/json")
    return client.post("/api/v1/score", data=body, **options)


def refusal(response: Any, status: int) -> Any:
    """Return the error of an answer that must be a refusal of the one shape."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    ErrorAnswer.model_validate_json(response.text)
    return json.loads(response.text)["error"]


def firm(members: str) -> str:
    return '{"firms": [{"name": "x", ' + members + "}]}"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (firm('"staff": NaN'), "line 1, column 35"),
        (firm('"staff": -Infinity'), "line 1, column 36"),
        (firm('"name_en": "1e400", "staff": 1e400'), "firms[0].staff"),
        (firm('"staff": ' + "9" * 5_000), "line 1, column 4336"),
        (firm('"staff": ' + "9" * 400), "firms[0].staff"),
        (firm('"staff": 1, "staff": 2'), "firms[0].staff"),
        ('{"firms": [], "firms": []}', "firms"),
        (firm('"staff": 1, "staff": 2')[:-1], "line 1, column 50"),
        (firm('\n "staff": 1,'), "line 2, column 13"),
        ('{"firms": [', "line 1, column 12"),
        ('{"firms": []}x', "line 1, column 14"),
        ("{'firms': []}", "line 1, column 2"),
        (firm('"note": "a\tb"'), "line 1, column 36"),
        (firm('"note": "\\q"'), "line 1, column 36"),
        (firm('"note": "\\ud800"'), "line 1, column 41"),
        (firm('"note": "\\u003a", "staff": 1, "staff": 2'), "firms[0].staff"),
        ("", "line 1, column 1"),
        ("[" * 100_000, "line 1, column 202"),
        ('{"a":' * 100_000, "line 1, column 1006"),
        ('{"firms": [{' + ",".join(f'"k{n}": 1' for n in range(1_000)) + "}]}", "firms[0]"),
    ],
    ids=["NaN", "-Infinity", "1e400", "5,000 digits", "400 digits", "twice", "outer twice",
         "twice and cut", "trailing comma", "cut", "more after it", "single quotes", "raw tab",
         "bad escape", "half a pair", "twice and an escaped colon", "empty", "deep arrays",
         "deep objects", "1,000 keys"],
)  # fmt: skip
def test_what_is_not_quite_json_is_refused_with_its_place(
    client: FlaskClient, body: str, where: str
) -> None:
    error = refusal(post(client, body), 400)
    assert error["code"] == "bad_json"
    assert error["details"][0]["where"] == where


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('{"firms": []}'.encode("utf-16"), "byte 1"),
        ('{"firms": []}'.encode("utf-16-le"), "line 1, column 2"),
        ('{"firms": [{"name": "深圳"}]}'.encode("gb18030"), "byte 22"),
        ('{"firms": [{"name": "深圳"}]}'.encode()[:-6], "byte 25"),
        (b"\x89PNG\r\n\x1a\n", "byte 1"),
    ],
    ids=["UTF-16", "UTF-16 without mark", "GB18030", "cut", "PNG"],
)
def test_a_body_that_is_not_utf_8_is_refused(client: FlaskClient, body: bytes, where: str) -> None:
    assert refusal(post(client, body), 400)["details"][0]["where"] == where


def test_a_byte_order_mark_is_passed_over(client: FlaskClient) -> None:
    assert post(client, "\ufeff" + firm('"staff": 1')).status_code == 200


@pytest.mark.parametrize("depth", [1, 100, 500, 800, 900, 950, 990])
def test_a_value_of_any_depth_is_refused_and_never_our_fault(
    client: FlaskClient, depth: int
) -> None:
    response = post(client, firm('"staff": ' + "[" * depth + "]" * depth))
    assert response.status_code in {400, 422}


@pytest.mark.parametrize("body", ["null", "1", "true", '"text"', "[]", '"{\\"firms\\": []}"'])
def test_a_body_that_is_no_object_is_refused(client: FlaskClient, body: str) -> None:
    error = refusal(post(client, body), 422)
    assert error["code"] == "invalid_request"
    assert error["details"][0]["where"] == "$"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("{}", "firms"),
        ('{"firms": null}', "firms"),
        ('{"firms": {}}', "firms"),
        ('{"firms": []}', "firms"),
        ('{"firms": [null]}', "firms[0]"),
        ('{"firms": [{"name": "x"}, 7]}', "firms[1]"),
        ('{"firms": [{}]}', "firms[0].name"),
        ('{"firms": [{"name": null}]}', "firms[0].name"),
        ('{"firms": [{"name": ""}]}', "firms[0].name"),
        ('{"firms": [{"name": 12}]}', "firms[0].name"),
        (firm('"staff": true'), "firms[0].staff"),
        (firm('"staff": [1]'), "firms[0].staff"),
        (firm('"postcode": 330000'), "firms[0].postcode"),
        (firm('"founded_on": 2011.5'), "firms[0].founded_on"),
        (firm('"main_business": {}'), "firms[0].main_business"),
        (firm(f'"note": "{"x" * (MAX_CHARACTERS + 1)}"'), "firms[0].note"),
        (firm(f'"founded_on": "{" " * (MAX_SHORT + 1)}"'), "firms[0].founded_on"),
        ('{"firms": [{"name": "x"}], "role": "admin"}', "role"),
    ],
)
def test_a_mistake_is_refused_with_its_path(client: FlaskClient, body: str, where: str) -> None:
    error = refusal(post(client, body), 422)
    assert error["code"] == "invalid_request"
    assert [detail["where"] for detail in error["details"]] == [where]


def test_all_mistakes_are_told_at_once_but_not_without_end(client: FlaskClient) -> None:
    error = refusal(post(client, firm('"staff": true, "patents": []')), 422)
    places = {detail["where"] for detail in error["details"]}
    assert places == {"firms[0].staff", "firms[0].patents"}

    many = {"firms": [{"name": "x", **{f"k{n}": 1 for n in range(50)}}] * 1_000}
    error = refusal(post(client, json.dumps(many)), 422)
    assert len(error["details"]) == SHOWN_DETAILS
    assert "50000" in error["message"]


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("registered_capital", "registered_capital_cny"),
        ("企业名称", "name"),
        ("founded", "founded_on"),
        ("main_busines", "main_business"),
        ("creditcode", "credit_code"),
    ],
)
def test_an_unknown_field_is_asked_after(client: FlaskClient, unknown: str, meant: str) -> None:
    error = refusal(post(client, firm(f'"{unknown}": "a"')), 422)
    assert f"did you mean {meant}?" in error["details"][0]["wanted"]


def test_data_about_people_is_refused_and_not_repeated(client: FlaskClient) -> None:
    response = post(client, firm('"legal_representative": "Somebody", "phone": "13800000000"'))
    refusal(response, 422)
    assert "Somebody" not in response.text
    assert "13800000000" not in response.text


@pytest.mark.parametrize("name", ["   ", "\u200b", "\u3000"], ids=["spaces", "zero width", "wide"])
def test_a_firm_whose_name_is_blank_is_refused_with_its_path(
    client: FlaskClient, name: str
) -> None:
    body = json.dumps({"firms": [{"name": "x"}, {"name": name, "staff": 3}]})
    error = refusal(post(client, body), 422)
    assert [detail["where"] for detail in error["details"]] == ["firms[1]"]


@pytest.mark.parametrize(
    "members",
    [
        '"staff": 9223372036854775808',
        '"registered_capital_cny": ' + "9" * 300,
        '"registered_capital_cny": -1e308',
        '"revenue_growth": 1e308',
        '"financial_year": 1e15',
        '"founded_on": 99999999999999999999',
        '"credit_code": "9' + "1" * 17 + '"',
        '"main_business": "深圳\\u0000某某"',
        '"business_scope": "' + "（不含" * 8_000 + '"',
        '"registered_capital_cny": "' + "9" * 200 + '"',
        '"registered_capital_cny": "' + "1," * 100 + '"',
        '"founded_on": "' + "1" * 200 + '"',
        '"name_en": "' + "1" * MAX_CHARACTERS + '"',
        '"note": "\\u202e<script>=cmd|"',
        '"note": "\\ud83d\\ude00"',
    ],
    ids=["2^63", "300 digits", "-1e308", "growth", "year", "date", "code", "NUL", "open brackets",
         "long number", "long commas", "long date", "long text", "bidi", "emoji"],
)  # fmt: skip
def test_an_odd_value_is_scored_without_it_or_told(client: FlaskClient, members: str) -> None:
    response = post(client, firm(members))
    assert response.status_code == 200, response.text
    (answer,) = json.loads(response.text, parse_constant=pytest.fail)["scores"]
    assert 0 <= answer["likelihood"] <= 1
    assert all(set(problem) == {"where", "got", "wanted", "code"} for problem in answer["problems"])


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"content_type": "text/plain"}, "Content-Type"),
        ({"content_type": "application/x-www-form-urlencoded"}, "Content-Type"),
        ({"content_type": ""}, "Content-Type"),
        ({"content_type": "application/json; charset=gbk"}, "Content-Type"),
        ({"headers": {"Content-Encoding": "gzip"}}, "Content-Encoding"),
    ],
)
def test_what_is_not_declared_as_json_is_refused(
    client: FlaskClient, options: dict[str, Any], where: str
) -> None:
    error = refusal(post(client, firm('"staff": 1'), **options), 415)
    assert error["code"] == "unsupported_media_type"
    assert error["details"][0]["where"] == where


def test_1001_multipart_parts_are_not_even_looked_at(client: FlaskClient) -> None:
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="../%d"\r\n\r\n1\r\n' % number
        for number in range(1_001)
    )
    body = parts + b"--x--"
    error = refusal(post(client, body, content_type="multipart/form-data; boundary=x"), 415)
    assert error["code"] == "unsupported_media_type"


def test_a_body_over_the_limit_is_refused(client: FlaskClient) -> None:
    error = refusal(post(client, b" " * (MAX_BODY_BYTES + 1)), 413)
    assert error["code"] == "body_too_large"
    assert error["details"][0]["got"] == str(MAX_BODY_BYTES + 1)


@pytest.mark.parametrize("path", ["/api/v1/scores", "/api/v1/score/", "/../etc", "/%00"])
def test_an_unknown_address_is_not_found(client: FlaskClient, path: str) -> None:
    assert refusal(client.get(path), 404)["code"] == "not_found"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_method_that_is_not_taken_is_refused_and_the_others_are_named(
    client: FlaskClient, method: str
) -> None:
    response = client.open("/api/v1/score", method=method)
    assert refusal(response, 405)["code"] == "method_not_allowed"
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize("lang", ["fr", "ZH", "", "zh\x00"])
def test_an_unknown_language_is_refused(client: FlaskClient, lang: str) -> None:
    response = post(client, firm('"staff": 1'), query_string={"lang": lang})
    assert refusal(response, 422)["details"][0]["where"] == "?lang"


def test_refusals_speak_the_language_asked(client: FlaskClient) -> None:
    for options in ({"headers": {"Accept-Language": "zh-CN"}}, {"query_string": "lang=zh"}):
        assert "JSON" in refusal(post(client, "{", **options), 400)["message"]
        assert "正文" in refusal(post(client, "{", **options), 400)["message"]
        assert "地址" in refusal(client.get("/nowhere", **options), 404)["message"]


def test_a_fault_of_ours_reveals_nothing_and_is_logged(
    scorer: Scorer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken_clock() -> date:
        raise RuntimeError("the clock fell off the wall")

    client = demonstration(scorer, tmp_path, broken_clock).test_client()
    log_to_stderr()
    response = post(client, firm('"staff": 1'))
    error = refusal(response, 500)
    assert error["code"] == "internal_error"
    assert error["details"] == []
    assert "clock" not in response.text
    logged = capsys.readouterr().err
    assert "RuntimeError" in logged
    assert "broken_clock" in logged
    assert "the clock fell off the wall" not in logged  # it might tell of a firm


def test_every_refusal_has_a_code_of_its_own_and_words_in_both_languages() -> None:
    codes = [code for code, _ in REFUSALS.values()]
    assert len(set(codes)) == len(codes)
    assert all(words.zh and words.en for _, words in REFUSALS.values())


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(["1e400", "0x1F", "１２３", "－", "%", "亿元", "-1亿", "1-2-3", "99999999"]),
)
names = st.sampled_from([column.name for column in CANONICAL])
firms = st.lists(st.dictionaries(names, scalars, max_size=12), min_size=1, max_size=4)


@given(firms=firms)
def test_whatever_the_values_the_answer_is_a_score_or_a_refusal(
    client: FlaskClient, firms: list[dict[str, Any]]
) -> None:
    for each in firms:
        each["name"] = "某某有限公司"
    response = post(client, json.dumps({"firms": firms}))
    assert response.status_code in {200, 422}
    answer = json.loads(response.text, parse_constant=pytest.fail)
    if response.status_code == 200:
        assert len(answer["scores"]) == len(firms)
