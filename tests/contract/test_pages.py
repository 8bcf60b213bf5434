"""The pages without a browser: who gets where, what is said of errors, and what a form needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.contract.test_permissions import NOW, app, scorer  # noqa: F401 (fixtures)

from leadscore.store import users
from leadscore.store.audit import AuditTrail, page
from leadscore.store.database import Database
from leadscore.web.app import Application
from leadscore.web.auth import Access, link_path, set_password

PASSWORD = "orange lantern over the lake"  # noqa: S105 (the tests' own)
HTML = {"Accept": "text/html,application/xhtml+xml"}
HTMX = HTML | {"HX-Request": "true"}


@pytest.fixture
def access(database: Database, tmp_path: Path) -> Access:
    return Access(database, AuditTrail(tmp_path / "audit.key"), lambda: NOW)


@pytest.fixture
def client(app: Application, access: Access) -> FlaskClient:  # noqa: F811
    """Return a client in which the officer ``li`` may log in."""
    with access.database.write() as connection:
        token = users.add(connection, "li", "officer", by="cli", now=NOW)
    set_password(access, token, PASSWORD, address=None)
    return app.test_client()


def log_in(client: FlaskClient, **fields: str) -> Any:
    form = {"name": "li", "password": PASSWORD} | fields
    return client.post("/login", data=form, headers=HTML)


def secrets_of(html: str) -> dict[str, str]:
    return dict(
        re.findall(r'type="hidden" name="(csrf_token|idempotency_key)" value="([^"]+)"', html)
    )


def test_a_stranger_is_led_to_the_log_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/ranking?grade=AB&text=电池", headers=HTML)
    assert answer.status_code == 303
    way = answer.headers["Location"]
    assert way.startswith("/login?next=%2Franking%3Fgrade%3DAB")
    html = client.get(way, headers=HTML).get_data(as_text=True)
    wanted = re.findall(r'name="next" value="([^"]+)"', html)[-1]
    answer = log_in(client, next=wanted.replace("&amp;", "&"))
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/ranking?grade=AB&text=")
    assert client.get("/ranking", headers=HTML).status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example/", "https://evil.example", "/\\evil", "", "/\t/x"]
)
def test_nobody_is_led_to_another_site(client: FlaskClient, elsewhere: str) -> None:
    # Where nothing is kept yet the first page is that of the first steps.
    assert log_in(client, next=elsewhere).headers["Location"] == "/start"


def test_a_program_is_told_in_its_own_way(client: FlaskClient) -> None:
    answer = client.get("/ranking")
    assert answer.status_code == 401
    assert answer.get_json()["error"]["code"] == "unauthorized"


def test_htmx_is_answered_with_words_and_a_status(client: FlaskClient) -> None:
    answer = client.get("/ranking", headers=HTMX | {"Accept-Language": "zh"})
    assert (answer.status_code, answer.mimetype) == (401, "text/plain")
    assert "请先登录" in answer.get_data(as_text=True)
    log_in(client)
    answer = client.get("/firms/999", headers=HTMX)
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")


@pytest.mark.parametrize(
    ("fields", "status"), [({"password": "wrong password here"}, 401), ({"name": ""}, 422)]
)
def test_a_failed_log_in_says_so_on_the_page(
    client: FlaskClient, fields: dict[str, str], status: int
) -> None:
    answer = log_in(client, **fields)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert "Set-Cookie" not in answer.headers


def test_errors_are_pages(client: FlaskClient) -> None:
    log_in(client)
    for path, status in (("/firms/999", 404), ("/nowhere", 404), ("/chains/x", 404)):
        answer = client.get(path, headers=HTML)
        assert (answer.status_code, answer.mimetype) == (status, "text/html"), path
        assert "<h1>" in answer.get_data(as_text=True)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert client.get("/api/v1/nowhere", headers=HTML).mimetype == "application/json"


def test_logging_out_needs_the_token_of_the_page(client: FlaskClient, access: Access) -> None:
    log_in(client)
    html = client.get("/ranking", headers=HTML).get_data(as_text=True)
    assert client.post("/logout", headers=HTML).status_code == 403
    assert client.post("/logout", data={"csrf_token": "0" * 64}, headers=HTML).status_code == 403
    answer = client.post("/logout", data=secrets_of(html), headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert client.get("/ranking", headers=HTML).status_code == 303
    said = client.get("/login", headers=HTML | {"Accept-Language": "en"}).get_data(as_text=True)
    assert "You are logged out" in said
    assert "You are logged out" not in client.get("/login", headers=HTML).get_data(as_text=True)
    with access.database.read() as connection:
        acts = [(row.actor, row.action, row.result) for row in page(connection, limit=10)]
    assert acts[0] == ("li", "session.end", "done")


def test_the_link_of_the_first_administrator_ends_in_a_session(
    app: Application,  # noqa: F811
    access: Access,
) -> None:
    invited = users.invite_first_administrator(access.database, access.trail, NOW)
    assert invited
    path, _, token = link_path(invited[0]).partition("#")
    client = app.test_client()
    assert "data-from-fragment" in client.get(path, headers=HTML).get_data(as_text=True)
    short = client.post(path, data={"token": token, "password": "short"}, headers=HTML)
    assert short.status_code == 422
    assert token in short.get_data(as_text=True)
    answer = client.post(path, data={"token": token, "password": PASSWORD}, headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert log_in(client, name="admin").status_code == 303
    dead = client.post(path, data={"token": token, "password": PASSWORD}, headers=HTML)
    assert dead.status_code == 404


def test_preferences_are_kept_and_nothing_else(client: FlaskClient) -> None:
    form = {"lang": "zh", "theme": "dark", "next": "/login"}
    assert client.post("/preferences", data=form, headers=HTML).headers["Location"] == "/login"
    html = client.get("/login", headers=HTML | {"Accept-Language": "en"}).get_data(as_text=True)
    assert '<html lang="zh-CN" data-theme="dark">' in html
    odd = client.post("/preferences", data={"lang": "fr", "theme": "x"}, headers=HTML)
    assert "Set-Cookie" not in odd.headers


def test_files_are_kept_for_a_year_packed_and_compared(client: FlaskClient) -> None:
    html = client.get("/login", headers=HTML).get_data(as_text=True)
    paths = re.findall(r'(?:href|src)="(/static/[^"]+)"', html)
    assert len(set(paths)) >= 5
    for path in paths:
        answer = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        again = client.get(
            path, headers={"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]}
        )
        assert again.status_code == 304
        plain = client.get(path)
        assert "Content-Encoding" not in plain.headers
        if path.endswith(".js"):
            assert answer.headers["Content-Encoding"] == "gzip"
            assert len(answer.data) < len(plain.data)
    old = client.get(re.sub(r"/static/\w+/", "/static/old/", paths[0]))
    assert old.headers["Cache-Control"] == "no-cache"
    assert client.get("/static/x/../app.py").status_code == 404


def test_a_first_start_names_the_next_step(client: FlaskClient) -> None:
    log_in(client)
    html = client.get("/ranking", headers=HTML | {"Accept-Language": "en"}).get_data(as_text=True)
    assert "Import a list" in html
    assert "<table" not in html


def test_no_page_has_anything_inline(client: FlaskClient) -> None:
    log_in(client)
    for path in ("/login", "/password", "/ranking", "/nowhere"):
        html = client.get(path, headers=HTML).get_data(as_text=True)
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", html), path
        assert "://" not in html.replace("http://www.w3.org", ""), path
