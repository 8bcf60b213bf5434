"""Logging in on the word of the office's proxy: who comes in, and who only pretends."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from tests.contract.access_app import PASSWORD, Browser, House, build

from leadscore.cli.serving import believe
from leadscore.settings import Settings
from leadscore.store import users
from leadscore.store.audit import AuditTrail, page
from leadscore.store.database import Database
from leadscore.store.users import BROUGHT, USERS
from leadscore.web.proxies import ProxyHeaders, believe_proxies
from leadscore.web.serve import Limits, _listen, _server

HEADER, GROUPS = "X-Forwarded-User", "X-Forwarded-Groups"
PROXY, ELSEWHERE = "10.0.0.2", "10.0.0.66"
ROLES: dict[str, users.Role] = {"bosses": "administrator", "leads": "officer"}


class Proxied(Browser):
    """A browser whose requests come through a proxy, or from wherever a test says."""

    def named(self, name: str | None, groups: str | None = None, *, by: str = PROXY) -> Proxied:
        """Let all requests from now on name somebody."""
        said = {HEADER: name, GROUPS: groups}
        self.client.environ_base |= {"REMOTE_ADDR": by}
        for header in (HEADER, GROUPS):
            self.client.environ_base.pop(f"HTTP_{header.upper().replace('-', '_')}", None)
        self.client.environ_base |= {
            f"HTTP_{header.upper().replace('-', '_')}": value.encode().decode("latin-1")
            for header, value in said.items()
            if value is not None
        }
        return self

    def come_in(self) -> Any:
        """Ask for something that only who is logged in gets, and keep the token."""
        answer = self.client.get("/notes")
        self.token = self.who().get("csrf_token", "")
        return answer


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(tmp_path / "keys" / "audit.key")


def believing(house: House, **settings: Any) -> House:
    """Let a house believe its proxy as `leadscore serve` does."""
    given = {"proxy_addresses": f"{PROXY}, ::1", "proxy_user_header": HEADER}
    believe(house.app, Settings(**given | settings))
    return house


@pytest.fixture
def house(database: Database, trail: AuditTrail) -> House:
    """Return a house whose proxy names users only."""
    return believing(build(database, trail))


@pytest.fixture
def grouped(database: Database, trail: AuditTrail) -> House:
    """Return a house whose proxy names users and their groups."""
    return believing(build(database, trail), proxy_groups_header=GROUPS, proxy_roles=ROLES)


def browser(house: House, name: str | None, groups: str | None = None, **more: str) -> Proxied:
    return Proxied(house.client()).named(name, groups, **more)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


def records(house: House) -> list[tuple[str, str, str | None, str, Mapping[str, Any]]]:
    with house.access.database.read() as connection:
        rows = page(connection, limit=100)
    return [(row.actor, row.action, row.object_id, row.result, row.details) for row in rows][::-1]


def test_who_was_invited_comes_in_with_the_role_that_they_have_here(house: House) -> None:
    token = house.invite("li.na", "officer")
    li = browser(house, "Li.Na")
    assert li.come_in().status_code == 200
    assert (li.who()["actor"], li.who()["role"]) == ("li.na", "officer")
    assert li.ask("POST", "/notes").status_code == 201
    assert Browser(house.client()).set_password(token).status_code == 404, "the link is dead"
    assert records(house) == [
        ("li.na", "session.begin", "li.na", "done", '{"by":"proxy"}'),
        ("li.na", "note.add", "1", "done", "{}"),
    ]
    house.change("li.na", role="viewer")
    assert li.ask("POST", "/notes").status_code == 403


def test_a_chinese_name_comes_as_utf_8(house: House) -> None:
    house.invite("李娜", "viewer")
    assert browser(house, "李娜").come_in().status_code == 200


def test_without_the_header_nobody_is_logged_in_by_it(house: House) -> None:
    house.invite("li.na", "officer")
    for name in (None, "", "  "):
        assert code(browser(house, name).come_in()) == (401, "unauthorized")
    li = browser(house, "li.na")
    li.come_in()
    assert li.named(None).client.get("/notes").status_code == 401, "the session needs the header"
    assert li.named("li.na").client.get("/notes").status_code == 200


def test_by_default_the_header_is_not_read(database: Database, trail: AuditTrail) -> None:
    house = build(database, trail)
    believe(house.app, Settings())
    house.invite("li.na", "officer")
    assert code(browser(house, "li.na").come_in()) == (401, "unauthorized")


@pytest.mark.parametrize("by", [ELSEWHERE, "", "::ffff:10.0.0.66", "unix:", "fe80::1%eth0"])
def test_the_header_of_anybody_else_is_dropped(house: House, by: str) -> None:
    house.invite("li.na", "officer")
    assert code(browser(house, "li.na", by=by).come_in()) == (401, "unauthorized")
    assert house.acts() == []


@pytest.mark.parametrize("by", [PROXY, f"::ffff:{PROXY}", "::1"])
def test_the_proxy_is_known_by_its_address_however_that_is_written(house: House, by: str) -> None:
    house.invite("li.na", "officer")
    assert browser(house, "li.na", by=by).come_in().status_code == 200


def test_nobody_gets_the_proxys_address_by_writing_it(
    database: Database, trail: AuditTrail
) -> None:
    house = believing(build(database, trail), trusted_proxies=1)
    house.invite("li.na", "officer")
    attacker = browser(house, "li.na", by=ELSEWHERE)
    headers = {"X-Forwarded-For": PROXY, "X-Real-IP": PROXY, "Forwarded": f"for={PROXY}"}
    assert attacker.client.get("/notes", headers=headers).status_code == 401
    # Nor is anything else believed that the proxy alone may say.
    headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "leads.example"}
    house.user("wang", "viewer")
    answer = attacker.log_in("wang", headers=headers)
    assert answer.headers["Set-Cookie"].startswith("leadscore=")
    assert [row for row in records(house) if row[2] == "li.na"] == []
    with house.access.database.read() as connection:
        assert page(connection, limit=1)[0].address == ELSEWHERE
    behind = browser(house, "li.na")
    behind.client.get("/notes", headers=headers | {"X-Forwarded-For": "203.0.113.9"})
    with house.access.database.read() as connection:
        assert page(connection, limit=1)[0].address == "203.0.113.9"


def test_nothing_behind_sees_the_header(house: House) -> None:
    seen: list[set[str]] = []
    inner = house.app.wsgi_app

    def looking(environ: dict[str, Any], start_response: Any) -> Any:
        answer = inner(environ, start_response)
        seen.append({name for name in environ if "FORWARDED" in name})
        return answer

    house.app.wsgi_app = looking  # type: ignore[method-assign]
    for by in (PROXY, ELSEWHERE):
        browser(house, "li.na", by=by).come_in()
    assert seen == [set()] * 4


@pytest.mark.parametrize(
    "name",
    ["li.na, boss", "boss, li.na", "li.na,li.na", "a b", "x" * 65, "x" * 20_000, "cli", "demo",
     "key:crm", "proxy:header", "../x", "li.na\x00", "\u202eli"],
)  # fmt: skip
def test_what_can_not_be_one_name_lets_nobody_in(house: House, name: str) -> None:
    house.invite("li.na", "officer")
    answer = browser(house, name).client.get("/notes")
    assert code(answer) == (403, "forbidden")
    assert name not in answer.text
    assert house.acts() == [("anonymous", "session.begin", "refused")]


def test_a_name_that_is_no_utf_8_lets_nobody_in(house: House) -> None:
    client = house.client()
    client.environ_base |= {"REMOTE_ADDR": PROXY}
    name = "李娜".encode("gb18030").decode("latin-1")
    assert code(client.get("/notes", headers={HEADER: name})) == (403, "forbidden")


@pytest.mark.parametrize("state", ["unknown", "disabled", "password"])
def test_who_has_no_account_that_it_opens_stays_out(house: House, state: str) -> None:
    if state != "unknown":
        house.user("boss", "administrator")
        house.user("other", "administrator")
    if state == "disabled":
        house.change("boss", disabled=True)
    answer = browser(house, "boss").come_in()
    assert code(answer) == (403, "forbidden")
    assert "your groups a role" in answer.text
    assert records(house)[-1] == (
        "anonymous", "session.begin", "boss", "refused", '{"by":"proxy"}',
    )  # fmt: skip


def test_nobody_becomes_a_local_administrator_by_their_name(grouped: House) -> None:
    grouped.user("admin", "administrator")
    for name in ("admin", "ADMIN", "ａｄｍｉｎ"):
        for groups in (None, "bosses"):
            assert browser(grouped, name, groups).come_in().status_code == 403
    admin = browser(grouped, "li.na", "leads")
    assert admin.log_in("admin").status_code == 303, "the password opens it, behind the proxy too"
    assert admin.who()["actor"] == "admin"
    admin.ask("POST", "/logout")
    assert admin.who()["actor"] == "li.na"


def test_nobody_becomes_the_first_administrator_by_their_name(grouped: House) -> None:
    access = grouped.access
    link = users.invite_first_administrator(access.database, access.trail, grouped.clock())
    for groups in (None, "bosses"):
        assert browser(grouped, "admin", groups).come_in().status_code == 403
    assert link
    assert Browser(grouped.client()).set_password(link[0]).status_code == 303
    assert browser(grouped, "admin", "bosses").come_in().status_code == 403


def test_a_user_with_a_password_is_handed_over_to_the_proxy_by_an_administrator(
    house: House,
) -> None:
    house.user("boss", "administrator")
    house.user("li.na", "officer")
    house.change("li.na", disabled=True)
    with house.access.database.write() as connection:
        users.renew_link(connection, "li.na", now=house.clock())
    assert browser(house, "li.na").come_in().status_code == 200
    assert Browser(house.client()).log_in("li.na").status_code == 401


def test_a_group_brings_users_with_its_role_and_takes_it_away_again(grouped: House) -> None:
    grouped.user("boss", "administrator")
    wang = browser(grouped, "Wang.Wei", "others, leads")
    assert wang.come_in().status_code == 200
    assert (wang.who()["actor"], wang.who()["role"]) == ("wang.wei", "officer")
    wang.named("wang.wei", "leads,bosses")
    wang.come_in()
    assert wang.who()["role"] == "administrator"
    wang.named("wang.wei", "leads")
    assert wang.ask("POST", "/rules").status_code == 403, "the role is gone with the very request"
    wang.come_in()
    assert wang.who()["role"] == "officer"
    for groups in ("others", "", None, "Leads", "leads;bosses", "x leads"):
        assert wang.named("wang.wei", groups).client.get("/notes").status_code == 403, groups
    changes = [record[:4] for record in records(grouped) if record[1].startswith("user.")]
    assert changes == [
        ("proxy:header", "user.add", "wang.wei", "done"),
        ("proxy:header", "user.change", "wang.wei", "done"),
        ("proxy:header", "user.change", "wang.wei", "done"),
    ]
    assert '"role":"officer"' in records(grouped)[1][4]


def test_a_group_gives_no_role_to_who_was_invited(grouped: House) -> None:
    grouped.invite("li.na", "viewer")
    li = browser(grouped, "li.na", "bosses")
    assert li.come_in().status_code == 200
    assert li.who()["role"] == "viewer"


def test_who_was_disabled_here_stays_out_whatever_their_groups(grouped: House) -> None:
    grouped.user("boss", "administrator")
    wang = browser(grouped, "wang", "leads")
    wang.come_in()
    grouped.change("wang", disabled=True)
    assert wang.client.get("/notes").status_code == 403
    grouped.change("wang", disabled=False)
    assert wang.come_in().status_code == 200


def test_a_group_does_not_take_the_last_administrator_away(grouped: House) -> None:
    assert browser(grouped, "wang", "bosses").come_in().status_code == 200
    assert code(browser(grouped, "wang", "leads").come_in()) == (409, "conflict")


def test_where_groups_have_no_roles_who_was_brought_keeps_the_one_they_have(
    database: Database, trail: AuditTrail
) -> None:
    house = believing(build(database, trail))
    with database.write() as connection:
        for name, by in zip(("old", "new"), sorted(BROUGHT), strict=True):
            row = {"name": name, "role": "officer", "state": "active", "created_by": by}
            connection.execute(USERS.insert().values(created_at=house.clock(), **row))
    for name in ("old", "new"):
        mine = browser(house, name)
        assert mine.come_in().status_code == 200
        assert mine.who()["role"] == "officer"


def test_groups_that_another_than_the_proxy_names_give_nothing(grouped: House) -> None:
    wang = browser(grouped, "wang", "leads")
    wang.come_in()
    wang.named("wang", "bosses", by=ELSEWHERE)
    assert wang.client.get("/notes").status_code == 401
    assert grouped.acts()[-1] == ("wang", "session.begin", "done")


def test_a_key_goes_before_the_header(house: House) -> None:
    house.invite("li.na", "administrator")
    li = browser(house, "li.na")
    shown = {"Authorization": f"Bearer {house.key('viewer', 'crm')}"}
    assert li.client.get("/api/v1/me", headers=shown).get_json()["actor"] == "key:crm"
    wrong = li.client.get("/api/v1/me", headers={"Authorization": "Bearer ls_x"})
    assert wrong.status_code == 401
    assert house.acts() == []


def test_another_user_at_the_same_browser_gets_a_session_of_their_own(house: House) -> None:
    for name in ("li.na", "wang"):
        house.invite(name, "officer")
    shared = browser(house, "li.na")
    shared.come_in()
    before = shared.client.get_cookie("leadscore")
    shared.named("wang").come_in()
    assert shared.who()["actor"] == "wang"
    other = browser(house, "li.na")
    assert before
    other.client.set_cookie("leadscore", before.value)
    other.client.get("/notes")
    after = other.client.get_cookie("leadscore")
    assert after
    assert after.value != before.value, "that session has ended"


def test_a_page_elsewhere_changes_nothing_in_the_name_of_who_is_let_in(house: House) -> None:
    house.invite("li.na", "officer")
    li = browser(house, "li.na")
    assert code(li.ask("POST", "/notes")) == (403, "forged_request"), "before there is a token"
    assert house.acts() == []
    li.come_in()
    for token in ("", "x"):
        forged = li.ask("POST", "/notes", headers={"X-CSRF-Token": token})
        assert code(forged) == (403, "forged_request")
    elsewhere = li.ask("POST", "/notes", headers={"Sec-Fetch-Site": "cross-site"})
    assert code(elsewhere) == (403, "forged_request")
    planted = browser(house, "li.na")
    planted.client.set_cookie("leadscore", "planted")
    planted.come_in()
    cookie = planted.client.get_cookie("leadscore")
    assert cookie
    assert cookie.value != "planted"


def test_logging_out_says_that_the_office_still_knows_them(house: House) -> None:
    house.invite("li.na", "officer")
    li = browser(house, "li.na")
    assert li.come_in().headers["Cache-Control"] == "no-store"
    assert li.ask("POST", "/logout").headers["Location"] == "/login"
    assert li.client.get_cookie("leadscore") is None
    said = li.client.get("/login").text
    assert "so log out there too" in said
    assert "(li.na)" in said
    assert "so log out there too" not in li.client.get("/login").text


def test_who_comes_by_the_proxy_has_no_password_to_change(house: House) -> None:
    house.invite("li.na", "officer")
    li = browser(house, "li.na")
    li.come_in()
    assert 'name="present"' not in li.client.get("/account").text
    asked = {"present": PASSWORD, "password": "another lantern by the river"}
    answer = li.ask("POST", "/account", data=asked)
    assert answer.status_code == 422
    assert "have no password here" in answer.text


def test_public_addresses_ask_nobody_who_they_are(house: House) -> None:
    for name in ("nobody", "a, b"):
        assert browser(house, name).client.get("/login").status_code == 200
    assert house.acts() == []


def test_a_demonstration_knows_nothing_of_it(database: Database, trail: AuditTrail) -> None:
    house = believing(build(database, trail, demo=True))
    assert browser(house, "li.na").who()["actor"] == "demo"
    assert house.acts() == []


def test_of_many_first_requests_at_the_same_moment_one_makes_the_user(grouped: House) -> None:
    statuses: list[int] = []

    def come() -> None:
        statuses.append(browser(grouped, "wang", "leads").client.get("/notes").status_code)

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert [record[1] for record in records(grouped)].count("user.add") == 1


def test_a_header_without_a_known_proxy_is_never_believed() -> None:
    with pytest.raises(ValueError, match="address is known"):
        believe_proxies(Flask("x"), 0, (), ProxyHeaders(HEADER))


@pytest.fixture
def port(database: Database, trail: AuditTrail) -> Iterator[int]:
    """Return the port of a real server whose proxy is this machine."""
    house = build(database, trail)
    for name in ("li.na", "boss"):
        house.invite(name, "officer")
    believe_proxies(house.app, 0, [ip_network("127.0.0.1")], ProxyHeaders(HEADER))
    listening = _listen("127.0.0.1", 0)
    server = _server(house.app, listening, 2, Limits())
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.close()
    server.task_dispatcher.shutdown()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([("X-Forwarded-User", "li.na")], 200),
        ([("x-forwarded-user", "li.na")], 200),
        ([("X_Forwarded_User", "li.na")], 401),
        ([("X-Forwarded_User", "li.na")], 401),
        ([("X-Forwarded-User", "li.na"), ("X_Forwarded_User", "boss")], 200),
        ([("X-Forwarded-User", "li.na"), ("X-Forwarded-User", "boss")], 403),
        ([("X-Forwarded-User", "boss"), ("x-forwarded-user", "")], 403),
        ([("X-Forwarded-User", "")], 401),
    ],
)
def test_the_header_as_it_comes_over_the_wire(
    port: int, lines: list[tuple[str, str]], status: int
) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("GET", "/api/v1/me")
    for name, value in lines:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == status, said
    assert b"boss" not in said
    connection.close()
