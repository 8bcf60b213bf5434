"""The pages of the administration without a browser: each act, its traces, and who sees what."""

from __future__ import annotations

import csv
import html as markup
import io
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.contract.test_pages import HTML, PASSWORD, secrets_of
from tests.contract.test_permissions import NOW, app, scorer  # noqa: F401 (fixtures)

from leadscore.jobs.tasks import EXPORT, RETRAIN
from leadscore.store import api_keys, users
from leadscore.store.audit import AuditTrail, Record, page
from leadscore.store.database import Database
from leadscore.store.idempotency import IDEMPOTENCY
from leadscore.store.jobs import read_job, submit
from leadscore.web.app import Application
from leadscore.web.auth import Access, set_password

ENGLISH = HTML | {"Accept-Language": "en"}


@pytest.fixture
def access(database: Database, tmp_path: Path) -> Access:
    return Access(database, AuditTrail(tmp_path / "audit.key"), lambda: NOW)


@pytest.fixture
def client(app: Application, access: Access) -> FlaskClient:  # noqa: F811
    """Return a client in which the administrator ``wang`` is logged in."""
    return logged_in(app, access, "wang", "administrator")


def logged_in(app: Application, access: Access, name: str, role: users.Role) -> FlaskClient:  # noqa: F811
    with access.database.write() as connection:
        token = users.add(connection, name, role, by="cli", now=NOW)
    set_password(access, token, PASSWORD, address=None)
    client = app.test_client()
    answer = client.post("/login", data={"name": name, "password": PASSWORD}, headers=HTML)
    assert answer.status_code == 303
    return client


def read(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=ENGLISH)
    assert (answer.status_code, answer.mimetype) == (200, "text/html"), path
    return str(answer.get_data(as_text=True))


def send(client: FlaskClient, path: str, *, on: str, **fields: str) -> Any:
    """Send a form as a browser does that has looked at a page."""
    return client.post(path, data=secrets_of(read(client, on)) | fields, headers=ENGLISH)


def secret_of(html: str) -> str:
    return markup.unescape(re.findall(r'id="secret"[^>]*>([^<]+)<', html)[0])


def acts(access: Access) -> list[tuple[str, str, str | None]]:
    with access.database.read() as connection:
        return [(row.actor, row.action, row.object_id) for row in page(connection, limit=50)]


def test_an_invited_user_sets_a_password_by_the_link_that_is_shown_once(
    client: FlaskClient,
    access: Access,
    app: Application,  # noqa: F811
) -> None:
    form = secrets_of(read(client, "/administration/users")) | {"name": "li", "role": "officer"}
    answer = client.post("/administration/users", data=form, headers=ENGLISH)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    path, _, token = secret_of(answer.get_data(as_text=True)).partition("#")
    assert path == "http://localhost/password"
    again = client.post("/administration/users", data=form, headers=ENGLISH)
    assert again.status_code == 303
    assert token not in again.get_data(as_text=True)
    said = read(client, again.headers["Location"])
    assert "was shown only once" in said
    assert token not in said
    stranger = app.test_client()
    done = stranger.post("/password", data={"token": token, "password": PASSWORD}, headers=HTML)
    assert done.headers["Location"] == "/login"
    with access.database.read() as connection:
        assert users.get(connection, "li").state == "active"
    assert acts(access)[1] == ("wang", "user.add", "li")
    assert all(token not in str(row) for row in kept_answers(access))


def kept_answers(access: Access) -> list[object]:
    with access.database.read() as connection:
        return list(connection.execute(IDEMPOTENCY.select()).all())


def test_a_user_is_given_a_role_disabled_let_in_again_and_given_a_link(
    client: FlaskClient,
    access: Access,
    app: Application,  # noqa: F811
) -> None:
    officer = logged_in(app, access, "li", "officer")
    here = "/administration/users"
    done = send(client, f"{here}/li/change", on=here, role="auditor")
    assert (done.status_code, done.headers["Location"]) == (303, here)
    assert "User updated" in read(client, here)
    assert officer.get("/administration/audit", headers=HTML).status_code == 200
    send(client, f"{here}/li/change", on=here, disabled="true")
    with access.database.read() as connection:
        assert users.get(connection, "li").state == "disabled"
    assert officer.get("/ranking", headers=HTML).status_code == 303
    assert "Enable again" in read(client, here)
    send(client, f"{here}/li/change", on=here, disabled="false")
    with access.database.read() as connection:
        assert users.get(connection, "li").state == "active"
    link = send(client, f"{here}/li/link", on=here)
    assert "/password#" in secret_of(link.get_data(as_text=True))
    done_acts = [(action, about) for _, action, about in acts(access) if about == "li"]
    assert [act for act, _ in done_acts][:4] == ["user.link", *["user.change"] * 3]


def test_what_cant_be_is_refused_in_words(client: FlaskClient) -> None:
    here = "/administration/users"
    for path, fields, status, said in (
        (f"{here}/wang/change", {"disabled": "true"}, 409, "last administrator"),
        (f"{here}/wang/change", {"role": "viewer"}, 409, "last administrator"),
        (here, {"name": "wang", "role": "viewer"}, 409, "there is a user wang already"),
        (here, {"name": "a b", "role": "viewer"}, 422, "name: text that matches"),
        (here, {"name": "cli", "role": "viewer"}, 422, "a name here"),
        (here, {"name": "zhao", "role": "king"}, 422, "role: "),
        (here, {"role": "viewer"}, 422, "name: a value"),
        (f"{here}/nobody/link", {}, 404, "there is no user nobody"),
    ):
        answer = send(client, path, on=here, **fields)
        assert (answer.status_code, answer.mimetype) == (status, "text/html"), (path, fields)
        assert said in markup.unescape(answer.get_data(as_text=True)), (path, fields)


def test_a_key_is_shown_once_works_and_is_revoked(client: FlaskClient, access: Access) -> None:
    here = "/administration/keys"
    made = send(client, here, on=here, name="crm", role="viewer", days="30")
    key = secret_of(made.get_data(as_text=True))
    bearer = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/me", headers=bearer).get_json()["actor"] == "key:crm"
    listed = read(client, here)
    assert key not in listed
    assert key[:8] in listed
    assert "24 Dec 2026" in listed
    done = send(client, f"{here}/crm/revoke", on=here)
    assert done.headers["Location"] == here
    assert client.get("/api/v1/me", headers=bearer).status_code == 401
    assert "revoked" in read(client, here)
    assert [act[1:] for act in acts(access)[:2]] == [("key.revoke", "crm"), ("key.add", "crm")]
    with access.database.read() as connection:
        assert api_keys.get(connection, "crm").revoked_at == NOW
    for days in ("0", "x", "99999"):
        assert send(client, here, on=here, name="x", role="viewer", days=days).status_code == 422


def test_a_key_whose_maker_is_disabled_is_listed_as_suspended(
    client: FlaskClient, access: Access
) -> None:
    here = "/administration/keys"
    with access.database.write() as connection:
        users.add(connection, "gone", "administrator", by="cli", now=NOW)
        api_keys.add(connection, "crm", "viewer", by="gone", now=NOW)
        api_keys.add(connection, "desk", "viewer", by="cli", now=NOW)
        users.change(connection, "gone", disabled=True)
    html = read(client, here)
    assert html.count("gone is not an active administrator at the moment") == 1
    assert "disabled or no longer an administrator" in html


def test_the_audit_is_filtered_paged_and_taken_away(client: FlaskClient, access: Access) -> None:
    with access.database.write() as connection:
        for number in range(205):
            record = Record("robot", "officer", "list.add", "list", str(number), details={"n": 1})
            access.trail.append(connection, record, NOW)
        record = Record("=cmd()", "officer", "odd.act", "list", "<b>", details={"x": "=1+1"})
        access.trail.append(connection, record, NOW)
    html = read(client, "/administration/audit")
    assert "&lt;b&gt;" in html
    assert "odd.act" in html
    assert "imported a list" in html
    first = read(client, "/administration/audit?actor=robot&action=list.add")
    seen, following = shown(first), re.findall(r'href="([^"]+)" id="next"', first)
    while following:
        html = read(client, markup.unescape(following[0]))
        seen += shown(html)
        following = re.findall(r'href="([^"]+)" id="next"', html)
    assert seen == [str(number) for number in range(204, -1, -1)]
    assert shown(read(client, "/administration/audit?actor=robot&until=2026-11-22")) == []
    assert shown(read(client, "/administration/audit?actor=robot&since=2026-11-26")) == []
    assert shown(read(client, "/administration/audit?actor=robot&since=2026-11-23")) != []
    answer = client.get("/administration/audit.csv?action=odd.act", headers=HTML)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [(row["actor"], row["object_id"]) for row in rows] == [("'=cmd()", "<b>")]
    whole = client.get("/administration/audit.csv?actor=robot", headers=HTML).data.decode()
    assert len(whole.splitlines()) == 206
    assert acts(access)[0][:2] == ("wang", "audit.export")
    for name, value in (("since", "tomorrow"), ("until", "0001-01-01"), ("before", "x")):
        html = read(client, f"/administration/audit?{name}={value}")
        assert 'class="ignored"' in html or value in html.split('id="notices"')[1][:1500], name


def shown(html: str) -> list[str]:
    return re.findall(r'<span class="quiet-text">list</span> (\d+)</td>', html)


def test_jobs_are_listed_polled_while_they_go_and_cancelled(
    client: FlaskClient, access: Access
) -> None:
    with access.database.write() as connection:
        mine = submit(connection, RETRAIN, {}, by="wang", now=NOW)
        others = submit(connection, EXPORT, {}, by="li", now=NOW)
    html = read(client, "/administration/jobs")
    assert "retrain the model" in html
    assert 'hx-get="/administration/jobs"' in html
    for job in (mine, others):
        done = send(
            client, f"/administration/jobs/{job}/cancel", on="/administration/jobs", next="/model"
        )
        assert (done.status_code, done.headers["Location"]) == (303, "/model")
    with access.database.read() as connection:
        assert {read_job(connection, job).state for job in (mine, others)} == {"cancelled"}
    html = read(client, "/administration/jobs?state=cancelled")
    assert "hx-get" not in html.split('id="jobs"')[1].split(">")[0]
    assert read(client, "/administration/jobs?state=running").count("<tbody>") == 0
    assert read(client, "/administration/jobs?state=odd").count("<tbody>") > 0


def test_an_officer_cancels_only_what_they_asked_for(
    access: Access,
    app: Application,  # noqa: F811
) -> None:
    officer = logged_in(app, access, "li", "officer")
    with access.database.write() as connection:
        mine = submit(connection, EXPORT, {}, by="li", now=NOW)
        others = submit(connection, EXPORT, {}, by="wang", now=NOW)
    html = read(officer, "/administration/jobs")
    assert f"/jobs/{mine}/cancel" in html
    assert f"/jobs/{others}/cancel" not in html
    refused = send(officer, f"/administration/jobs/{others}/cancel", on="/administration/jobs")
    assert refused.status_code == 403
    with access.database.read() as connection:
        assert read_job(connection, others).state == "waiting"


@pytest.mark.parametrize(
    ("role", "first", "places"),
    [
        ("viewer", "jobs", {"jobs", "city"}),
        ("officer", "jobs", {"jobs", "city"}),
        ("auditor", "audit", {"audit", "jobs", "city"}),
        ("administrator", "users", {"users", "keys", "audit", "jobs", "city", "office"}),
    ],
)
def test_each_sees_what_they_may(
    access: Access,
    app: Application,  # noqa: F811
    role: users.Role,
    first: str,
    places: set[str],
) -> None:
    client = logged_in(app, access, "somebody", role)
    answer = client.get("/administration", headers=HTML)
    assert answer.headers["Location"] == f"/administration/{first}"
    html = read(client, f"/administration/{first}")
    tabs = html.split('class="tabs"')[1].split("</nav>")[0]
    assert set(re.findall(r'href="/administration/(\w+)"', tabs)) == places


def test_the_profile_is_shown_as_it_is_read(client: FlaskClient) -> None:
    html = read(client, "/administration/city")
    assert "Lakeport" in html
    assert html.count('<details class="chain"') >= 1
    assert "Grade A, priority from" in html
    assert 'class="cards"' in html


def test_no_page_has_anything_inline_and_each_is_in_both_languages(client: FlaskClient) -> None:
    for place in ("users", "keys", "audit", "jobs", "city", "office"):
        path = f"/administration/{place}"
        html = read(client, path)
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", html), path
        assert "://" not in html.replace("http://www.w3.org", ""), path
        chinese = client.get(path, headers=HTML | {"Accept-Language": "zh"})
        assert '<html lang="zh-CN"' in chinese.get_data(as_text=True)
