"""The pages of the models without a browser: what is shown, and what administrators can do."""

from __future__ import annotations

import html as markup
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tests.champions import champion, history
from tests.contract.test_pages import HTML, HTMX, secrets_of
from tests.contract.test_pages_administration import (  # noqa: F401 (fixtures)
    ENGLISH,
    access,
    acts,
    logged_in,
    read,
    send,
)
from tests.contract.test_permissions import CITY, NOW, app, scorer  # noqa: F401 (fixtures)
from tests.second_model import OTHER, save_another

from leadscore.city import load_city
from leadscore.jobs.tasks import RETRAIN
from leadscore.learning.expert import expert_model
from leadscore.registry.models import ModelRegistry, expert_version
from leadscore.store.jobs import JOBS, list_jobs, submit
from leadscore.store.models import MODELS, mirror
from leadscore.web.app import Application
from leadscore.web.auth import Access

DONE = {
    "version": OTHER,
    "preface": [{"zh": "前言。", "en": "The preface."}],
    "upshot": {"zh": "结论。", "en": "The upshot."},
    "decision": {
        "promoted": False,
        "overruled": None,
        "gates": [
            {"id": "G1", "passed": True, "sentence": {"zh": "好。", "en": "It is good."}},
            {"id": "G2", "passed": False, "sentence": {"zh": "跳。", "en": "It jumped."}},
        ],
    },
}


@pytest.fixture
def client(app: Application, access: Access) -> FlaskClient:  # noqa: F811
    return logged_in(app, access, "wang", "administrator")


@pytest.fixture
def registry(tmp_path: Path, access: Access) -> ModelRegistry:  # noqa: F811
    """Return the registry of the application: the experts' model in use, another beside it."""
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    city = load_city(CITY)
    expert_model(city, registry, NOW)
    save_another(registry)
    with access.database.write() as connection:
        mirror(connection, registry, city.id, now=NOW)
    return registry


def test_before_anything_was_kept_the_card_is_shown_all_the_same(client: FlaskClient) -> None:
    html = read(client, "/model")
    assert 'id="card"' in html
    assert "All versions" not in html
    assert "Go back" not in html
    assert client.get("/model/nothing", headers=HTML).status_code == 404


def test_all_versions_are_listed_and_each_has_its_page(
    client: FlaskClient, registry: ModelRegistry
) -> None:
    assert registry.versions()
    html = read(client, "/model")
    experts = expert_version(load_city(CITY))
    for version in (experts, OTHER):
        assert f'href="/model/{version}"' in html
        assert version in read(client, f"/model/{version}")
    assert "Activate" in read(client, f"/model/{OTHER}")
    assert "Activate" not in read(client, f"/model/{experts}")
    for path in ("/model", f"/model/{OTHER}", "/model/retraining"):
        page = read(client, path)
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", page), path
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
        for target in re.findall(r'href="#([^"]+)"', page):
            assert markup.unescape(target) in ids


def test_a_model_is_promoted_and_gone_back_from(
    client: FlaskClient,
    registry: ModelRegistry,
    access: Access,  # noqa: F811
) -> None:
    assert registry.versions()
    experts = expert_version(load_city(CITY))
    page = f"/model/{OTHER}"
    done = send(client, f"{page}/promote", on=page, reason="The list was cleaned.")
    assert (done.status_code, done.headers["Location"]) == (303, "/model")
    assert champion(access.database) == OTHER
    assert history(access.database)[-1].reason == "The list was cleaned."
    assert f'<span class="code">{OTHER}</span>' in read(client, "/model")
    done = send(client, "/model/rollback", on="/model")
    assert done.status_code == 303
    assert champion(access.database) == experts
    assert "Rolled back to the previous model" in read(client, "/model")
    refused = send(client, "/model/rollback", on="/model")
    assert refused.status_code == 409
    assert [act[1:] for act in acts(access)[:2]] == [
        ("model.rollback", experts),
        ("model.promote", OTHER),
    ]
    assert send(client, f"{page}/promote", on=page, reason="x" * 2001).status_code == 422
    assert send(client, "/model/nothing/promote", on="/model").status_code == 404


def test_a_model_that_failed_its_gates_serves_for_a_reason_only(
    client: FlaskClient,
    registry: ModelRegistry,
    access: Access,  # noqa: F811
) -> None:
    failed = registry.manifest(OTHER).content | {"decision": DONE["decision"]}
    with access.database.write() as connection:
        chosen = MODELS.update().where(MODELS.c.version == OTHER)
        connection.execute(chosen.values(manifest=failed))
    html = read(client, f"/model/{OTHER}")
    assert "It jumped." in html.split('class="act"')[1]
    assert re.search(r'name="reason"[^>]* required', html)
    assert "1 failed" in read(client, "/model")


def test_a_retraining_is_asked_for_once_and_its_panel_tells_how_it_goes(
    client: FlaskClient,
    access: Access,  # noqa: F811
) -> None:
    form = secrets_of(read(client, "/model")) | {"as_of": "2026-09-30"}
    for _ in range(2):
        done = client.post("/model/retrain", data=form, headers=ENGLISH)
        assert done.headers["Location"] == "/model"
    with access.database.read() as connection:
        jobs = list_jobs(connection, kinds=[RETRAIN])
    assert [dict(job.payload) for job in jobs] == [{"as_of": "2026-09-30"}]
    html = read(client, "/model")
    assert 'hx-get="/model/retraining"' in html
    assert "Start retraining" not in html
    assert client.get("/model/retraining", headers=HTMX).status_code == 200
    with access.database.write() as connection:
        ended = JOBS.update().values(state="done", result=DONE, ended_at=NOW, progress=1.0)
        connection.execute(ended)
    asked = client.get("/model/retraining", headers=HTMX)
    assert (asked.status_code, asked.headers["HX-Refresh"]) == (204, "true")
    html = read(client, "/model")
    for said in ("The preface.", "The upshot.", "It is good.", "It jumped.", f"/model/{OTHER}"):
        assert said in html
    assert "Start retraining" in html
    assert send(client, "/model/retrain", on="/model", as_of="soon").status_code == 422


def test_who_administers_nothing_sees_all_and_is_offered_nothing(
    app: Application,  # noqa: F811
    access: Access,  # noqa: F811
    registry: ModelRegistry,
) -> None:
    viewer = logged_in(app, access, "li", "viewer")
    with access.database.write() as connection:
        submit(connection, RETRAIN, {}, by="wang", now=NOW)
    for path in ("/model", f"/model/{OTHER}"):
        html = read(viewer, path)
        assert 'id="card"' in html
        forms = re.findall(r'<form[^>]*action="([^"]+)"', html)
        assert set(forms) == {"/preferences", "/logout"}
    assert registry.versions("lakeport")
