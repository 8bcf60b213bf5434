"""The board, the day, a firm's pursuit with its notes, and the rules, without scripts."""

# ruff: noqa: F811 (fixtures of other files)

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.contract.test_pages import HTML, secrets_of
from tests.contract.test_pages_firm import (  # noqa: F401 (fixtures)
    ENGLISH,
    access,
    client,
    shown,
    sign_in,
    version_of,
)
from tests.contract.test_permissions import app, scorer  # noqa: F401 (fixtures)
from tests.kept_lists import NOW, TODAY, code, standings

from leadscore.store.audit import page
from leadscore.store.database import Database
from leadscore.store.outcomes import MILESTONES
from leadscore.store.pursuits import pursuits_of

CHINESE = HTML | {"Accept-Language": "zh"}


def send(client: FlaskClient, seen: str, path: str, **fields: Any) -> Any:
    form = secrets_of(seen) | fields
    return client.post(path, data=form, headers=ENGLISH)


def move(client: FlaskClient, **fields: str) -> Any:
    seen = shown(client, "/board/move?firm=1")
    form = {"firm": "1", "version": version_of(seen), "day": "2026-11-20", "next": "/board"}
    return send(client, seen, "/board/move", **form | fields)


def actions(database: Database) -> list[str]:
    with database.read() as connection:
        return [row.action for row in page(connection, limit=50)]


def test_an_empty_board_says_what_to_do(client: FlaskClient) -> None:
    html = shown(client, "/board")
    assert "No firm is under a stage yet" in html
    assert 'href="/ranking"' in html
    assert "没有符合筛选的企业" in client.get("/board?overdue=yes", headers=CHINESE).get_data(
        as_text=True
    )


def test_a_firm_is_moved_and_that_is_undone(
    client: FlaskClient,
    database: Database,
) -> None:
    assert "甲风电有限公司" in shown(client, "/board/move?firm=1&stage=visited")
    answer = move(client, stage="visited")
    assert answer.status_code == 303
    way = answer.headers["Location"]
    assert re.fullmatch(r"/board\?moved=1&entry=\d+", way)
    html = shown(client, way)
    assert "甲风电有限公司: visited, 20 Nov 2026." in html
    assert standings(database)["甲风电有限公司"].stage == "visited"
    assert standings(database)["甲风电有限公司"].owner == "li"
    fields = dict(re.findall(r'name="(firm|version|entry)" value="(\d+)"', html))
    assert send(client, html, "/board/undo", next="/board", **fields).status_code == 303
    assert standings(database)["甲风电有限公司"].stage is None
    assert actions(database)[:2] == ["outcome.add", "outcome.add"]


def test_a_loss_needs_its_reason(client: FlaskClient, database: Database) -> None:
    answer = move(client, stage="lost")
    assert answer.status_code == 422
    assert "a loss needs its reason" in answer.get_data(as_text=True)
    assert standings(database)["甲风电有限公司"].stage is None
    assert move(client, stage="lost", reason="price of land").status_code == 303
    for path in ("/board", "/ranking", "/firms/1"):
        assert "lost, rests until 20 Nov 2027: price of land" in shown(client, path), path
    csv = client.get("/api/v1/ranking.csv?lang=zh").get_data(as_text=True)
    assert "流失未满期，2027年11月20日起可再招引；原因：price of land" in csv
    assert "流失" in csv.splitlines()[-1] or "流失" in csv.splitlines()[-2]


@pytest.mark.parametrize("path", [
    "/board?owner=%00&chain=x&segment=%22&overdue=1", "/board?moved=99&entry=x",
    "/board?moved=1&entry=999", "/board/column?stage=lost&start=99999999999",
])  # fmt: skip
def test_an_odd_address_is_no_fault(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers=ENGLISH).status_code == 200


def test_owner_and_next_step_are_kept_done_and_reminded_of(
    client: FlaskClient,
    database: Database,
) -> None:
    def change(**fields: str) -> Any:
        seen = shown(client)
        given = {"version": version_of(seen), "owner": "li", "next_step": "send the plan",
                 "next_step_on": "2026-11-20"}  # fmt: skip
        return send(client, seen, "/firms/1/pursuit", **given | fields)

    assert change(next_step="").status_code == 422
    assert change(owner="nobody.here").status_code == 422
    assert change(next_step_on="soon").status_code == 422
    assert change(version="99").status_code == 412
    assert change().status_code == 303
    html = shown(client, "/")
    assert "send the plan" in html
    assert "1 next steps are due or due soon" in html
    assert "overdue" in html
    move(client, stage="contacted")
    assert "1 overdue" in shown(client, "/board")
    assert "send the plan" in shown(client, "/board?overdue=yes&owner=li")
    assert "send the plan" not in shown(client, "/board?owner=none")
    seen = shown(client)
    done = send(client, seen, "/firms/1/pursuit/done", version=version_of(seen))
    assert done.status_code == 303
    html = shown(client)
    assert "Done: send the plan" in html
    assert 'class="due"' not in html
    again = send(client, html, "/firms/1/pursuit/done", version=version_of(html))
    assert again.status_code == 422
    with database.read() as connection:
        (pursuit,) = pursuits_of(connection, [1])[1]
    assert (pursuit.owner, pursuit.next_step, pursuit.next_step_on) == ("li", None, None)
    assert {"pursuit.change", "pursuit.done"} <= set(actions(database))


def test_notes_are_read_and_deleted_by_whom_the_office_lets(
    client: FlaskClient,
    sign_in: Callable[..., FlaskClient],
    database: Database,
) -> None:
    seen = shown(client)
    assert "Names and numbers of persons are not needed" in seen
    note = {"day": "2026-11-20", "channel": "call", "text": "asks for the height of the hall"}
    assert send(client, seen, "/firms/1/notes", **note | {"text": " "}).status_code == 422
    assert send(client, seen, "/firms/1/notes", **note | {"day": "2027-01-01"}).status_code == 422
    assert send(client, shown(client), "/firms/1/notes", **note).status_code == 303
    assert standings(database)["甲风电有限公司"].stage is None
    other, boss, guest = sign_in("wang"), sign_in("zhao", "administrator"), sign_in("sun", "viewer")
    for reader in (client, other, boss, guest):
        assert "height of the hall" in shown(reader)
    rules = shown(boss, "/administration/office")
    given = {"rest_months": "6", "notes_read_by": "owner", "notes_months": "24"}
    assert send(boss, rules, "/administration/office", **given).status_code == 303
    for reader, may in ((client, True), (other, False), (boss, True), (guest, False)):
        assert ("height of the hall" in shown(reader)) == may
        told = reader.get("/api/v1/firms/1/notes").get_json()
        assert (len(told["notes"]) == 1) == may
        assert (told["read_by"], told["kept_months"]) == ("owner", 24)
    seen = shown(other)
    assert send(other, seen, "/firms/1/notes/1/delete").status_code == 404
    assert send(client, shown(client), "/firms/1/notes/1/delete").status_code == 303
    assert "height of the hall" not in shown(client)
    assert {"note.add", "note.drop", "office.change"} <= set(actions(database))


def test_rules_that_cannot_be_are_refused(sign_in: Callable[..., FlaskClient]) -> None:
    boss = sign_in("zhao", "administrator")
    rules = shown(boss, "/administration/office")
    for wrong in ({"rest_months": "-1"}, {"notes_read_by": "me"}, {"notes_months": "1000"}):
        given = {"rest_months": "6", "notes_read_by": "all", "notes_months": "0"} | wrong
        assert send(boss, rules, "/administration/office", **given).status_code == 422


def test_the_page_of_the_day_begins_with_a_list(
    sign_in: Callable[..., FlaskClient],
) -> None:
    assert "Import a list of candidate firms" in shown(sign_in("li"), "/")
    assert "Ask an officer to import the first list" in shown(sign_in("sun", "viewer"), "/")


def test_the_day_tells_of_new_firms_and_of_who_signed(client: FlaskClient) -> None:
    assert "2 new firms" in shown(client, "/")
    assert "No firm has signed" in shown(client, "/")
    move(client, stage="signed")
    html = shown(client, "/")
    assert (
        "signed on 20 Nov 2026; when its pursuit began on 20 Nov 2026, the likelihood was" in html
    )
    for reader in (HTML, CHINESE):
        assert client.get("/", headers=reader).status_code == 200


def test_milestones_stand_in_a_firms_history(
    client: FlaskClient,
    database: Database,
) -> None:
    row = {"name": None, "credit_code": code(1), "milestone": "land", "day": TODAY,
           "recorded": NOW, "recorded_by": "cli", "source": "台账.xlsx", "sheet": None, "row": 3,
           "file": "f"}  # fmt: skip
    with database.write() as connection:
        connection.execute(MILESTONES.insert(), [row])
    html = shown(client)
    assert "Milestones" in html
    assert "台账.xlsx" in html


def test_the_same_by_the_api(client: FlaskClient) -> None:
    token = client.get("/api/v1/me").get_json()["csrf_token"]

    def ask(method: str, path: str, **more: Any) -> Any:
        headers = {"X-CSRF-Token": token} | more.pop("headers", {})
        return client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    tag = ask("GET", "/firms/1").headers["ETag"]
    body = {"owner": "li", "next_step": "send the plan", "next_step_on": "2026-11-20"}
    assert ask("PUT", "/firms/1/pursuit", json=body).status_code == 428
    put = ask("PUT", "/firms/1/pursuit", json=body, headers={"If-Match": tag})
    assert put.status_code == 200, put.get_data(as_text=True)
    assert put.get_json()["next_step_on"] == "2026-11-20"
    assert ask("PUT", "/firms/1/pursuit", json=body, headers={"If-Match": tag}).status_code == 412
    fresh = {"If-Match": put.headers["ETag"]}
    assert ask("PUT", "/firms/1/pursuit", json={}, headers=fresh).status_code == 422
    unknown = ask("PUT", "/firms/1/pursuit", json={"owner": "x"}, headers=fresh)
    assert unknown.get_json()["error"]["details"][0]["where"] == "owner"
    kept = ask("PUT", "/firms/1/pursuit", json={"next_step_on": None}, headers=fresh).get_json()
    assert (kept["next_step"], kept["next_step_on"], kept["owner"]) == ("send the plan", None, "li")
    for query, found in (
        ("", 1),
        ("?owner=li&open=true", 1),
        ("?owner=wang", 0),
        ("?overdue=true", 0),
    ):
        listed = ask("GET", f"/pursuits{query}").get_json()
        assert (len(listed["pursuits"]), listed["next"]) == (found, None), query
    note = ask("POST", "/firms/1/notes", json={"day": "2026-11-20", "text": "called"})
    assert (note.status_code, note.get_json()["channel"]) == (201, "note")
    assert ask("DELETE", "/firms/1/notes/9").status_code == 404
    assert ask("DELETE", f"/firms/1/notes/{note.get_json()['id']}").get_json()["notes"] == []
    firm = ask("GET", "/firms/1").get_json()
    assert firm["standing"]["owner"] == "li"
    assert firm["pursuits"][0]["next_step"] == "send the plan"
