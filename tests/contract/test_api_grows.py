"""`/api/v1` only grows: what it once had is there, or says what to do instead."""

from __future__ import annotations

import json

import pytest
from tests.contract.test_permissions import app, keys, scorer  # noqa: F401 (fixtures)

from leadscore.web.api import GONE
from leadscore.web.app import Application

KEPT = """
GET /api/v1/bulk/{id}
GET /api/v1/exports/{id}
GET /api/v1/firms/hidden
GET /api/v1/firms/{id}
GET /api/v1/firms/{id}/changes
GET /api/v1/firms/{id}/corrections
GET /api/v1/firms/{id}/notes
GET /api/v1/gaps
GET /api/v1/gaps/here
GET /api/v1/jobs
GET /api/v1/jobs/{id}
GET /api/v1/learning
GET /api/v1/lists
GET /api/v1/lists/{id}
GET /api/v1/lists/{id}/problems.csv
GET /api/v1/lists/{id}/undo
GET /api/v1/me
GET /api/v1/models
GET /api/v1/models/{version}
GET /api/v1/outcomes/{id}
GET /api/v1/outcomes/{id}/problems.csv
GET /api/v1/pursuits
GET /api/v1/ranking
GET /api/v1/ranking.csv
GET /api/v1/ranking.xlsx
GET /api/v1/report
GET /api/v1/report.docx
GET /api/v1/report.xlsx
POST /api/v1/bulk
POST /api/v1/bulk/{id}/undo
POST /api/v1/exports
POST /api/v1/firms
POST /api/v1/firms/{id}/corrections
POST /api/v1/firms/{id}/merge
POST /api/v1/firms/{id}/notes
POST /api/v1/firms/{id}/outcomes
POST /api/v1/firms/{id}/split
POST /api/v1/jobs/{id}/cancel
POST /api/v1/lists
POST /api/v1/lists/{id}/undo
POST /api/v1/models/retrain
POST /api/v1/models/rollback
POST /api/v1/models/{version}/promote
POST /api/v1/outcomes
POST /api/v1/score
POST /api/v1/selections
PUT /api/v1/firms/{id}/exclusion
PUT /api/v1/firms/{id}/hidden
PUT /api/v1/firms/{id}/override
PUT /api/v1/firms/{id}/pursuit
PUT /api/v1/gaps/{segment}/supply
DELETE /api/v1/firms/{id}/corrections/{number}
DELETE /api/v1/firms/{id}/exclusion
DELETE /api/v1/firms/{id}/hidden
DELETE /api/v1/firms/{id}/notes/{note}
DELETE /api/v1/firms/{id}/override
GET /healthz
GET /metrics
GET /readyz
GET /api/v1/firms/hidden
POST /api/v1/firms
POST /api/v1/firms/{id}/merge
POST /api/v1/firms/{id}/split
PUT /api/v1/firms/{id}/hidden
DELETE /api/v1/firms/{id}/hidden
GET /api/v1/lists/{id}/undo
POST /api/v1/lists/{id}/undo
"""
"""What the description has to list for good; whatever is new is added, and no line is taken out."""

ONCE = """
POST /api/v1/session
DELETE /api/v1/session
POST /api/v1/password
PUT /api/v1/me/password
GET /api/v1/oidc/start
GET /api/v1/oidc/callback
GET /api/v1/users
POST /api/v1/users
PATCH /api/v1/users/li.na
POST /api/v1/users/li.na/link
GET /api/v1/keys
POST /api/v1/keys
DELETE /api/v1/keys/crm
GET /api/v1/audit
"""
"""What is gone."""


def described(app: Application) -> set[str]:  # noqa: F811
    document = json.loads(app.test_client().get("/openapi/openapi.json").text)
    return {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }


def test_the_description_has_what_it_had_and_what_is_new_is_kept_here(
    app: Application,  # noqa: F811
) -> None:
    assert described(app) == set(KEPT.strip().splitlines())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("who", ["anonymous", "revoked", "administrator"])
def test_what_is_gone_says_so_to_everybody_and_what_to_do_instead(
    app: Application,  # noqa: F811
    keys: dict[str, str],  # noqa: F811
    who: str,
    lang: str,
) -> None:
    headers = {"Accept-Language": lang}
    if who in keys:
        headers["Authorization"] = f"Bearer {keys[who]}"
    sentences = set()
    for once in ONCE.split("\n")[1:-1]:
        path = once.split(" ")[1]
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = app.test_client().open(path, method=method, headers=headers)
            error = answer.get_json()["error"]
            assert (answer.status_code, error["code"], error["details"]) == (410, "gone", [])
        assert app.test_client().head(path, headers=headers).status_code == 410
        sentences.add(error["message"])
    assert sentences == {words.pick(lang) for words in GONE.values()}  # type: ignore[arg-type]


def test_every_page_that_is_named_instead_is_there(app: Application) -> None:  # noqa: F811
    client = app.test_client()
    for words in GONE.values():
        for half in (words.zh, words.en):
            pages = [word for word in half.replace("，", " ").split() if word.startswith("/")]
            for page in pages:
                path = page.rstrip(",;，；")
                assert client.get(path).status_code in (200, 401), path
