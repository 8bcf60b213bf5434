"""Who may do what, who is whom, and what is refused, over a real database of each sort."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.contract.access_app import Browser, House, build

from leadscore.store import api_keys, users
from leadscore.store.api_keys import API_KEYS
from leadscore.store.audit import AuditTrail, verify
from leadscore.store.database import Database
from leadscore.store.sessions import SESSIONS, Limits
from leadscore.store.users import ROLES, USERS, BadNameError, ConflictError
from leadscore.web.auth import (
    PERMISSIONS,
    declared,
    protect,
    requires,
    undeclared,
)
from leadscore.web.openapi import ErrorAnswer


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(tmp_path / "keys" / "audit.key")


@pytest.fixture
def house(database: Database, trail: AuditTrail) -> House:
    return build(database, trail)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def code(response: object) -> str:
    ErrorAnswer.model_validate(response.get_json())  # type: ignore[attr-defined]
    found: str = response.get_json()["error"]["code"]  # type: ignore[attr-defined]
    return found


def test_every_route_says_who_may_call_it(house: House) -> None:
    assert undeclared(house.app) == []


def test_an_application_with_a_silent_route_does_not_start(house: House) -> None:
    house.app.add_url_rule("/silent", view_func=lambda: "x", endpoint="silent")
    with pytest.raises(ValueError, match="/silent"):
        protect(house.app, house.access, host="127.0.0.1")


def test_a_route_that_came_later_and_is_silent_lets_nobody_in(house: House) -> None:
    house.app.add_url_rule("/silent", view_func=lambda: "x", endpoint="silent")
    key = house.key("administrator")
    assert house.client().get("/silent", headers=bearer(key)).status_code == 403


def test_roles_have_what_they_should() -> None:
    viewer, officer = PERMISSIONS["viewer"], PERMISSIONS["officer"]
    administrator, auditor = PERMISSIONS["administrator"], PERMISSIONS["auditor"]
    assert viewer < officer < administrator
    assert "audit" in auditor
    assert not auditor & {"record", "administer"}


@pytest.mark.parametrize("caller", ["nobody", *ROLES, "revoked"])
def test_every_route_lets_in_whom_it_names_and_nobody_else(house: House, caller: str) -> None:
    headers: dict[str, str] = {}
    if caller != "nobody":
        role = "administrator" if caller == "revoked" else caller
        headers = bearer(house.key(role, "mine"))  # type: ignore[arg-type]
    if caller == "revoked":
        house.revoke("mine")
    walked = 0
    for rule in house.app.url_map.iter_rules():
        permission = declared(house.app, rule.endpoint)
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            path = rule.rule.replace("<path:_>", "li.na").replace("<path:filename>", "x")
            response = house.client().open(path, method=method, headers=headers)
            walked += 1
            if permission == "public":
                assert response.status_code not in {401, 403}, path
            elif caller in {"nobody", "revoked"}:
                assert response.status_code == 401, path
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
            elif permission in PERMISSIONS[caller]:  # type: ignore[index]
                assert response.status_code not in {401, 403}, path
            else:
                assert (response.status_code, code(response)) == (403, "forbidden"), path
    assert walked >= 60


def test_the_first_administrator_comes_in_by_a_link_that_works_once(
    house: House, database: Database, trail: AuditTrail
) -> None:
    old = users.invite_first_administrator(database, trail, house.clock())
    link = users.invite_first_administrator(database, trail, house.clock())
    assert old
    assert link
    browser = Browser(house.client())
    token, until = link
    assert until == house.clock() + timedelta(hours=24)
    assert browser.set_password(old[0]).status_code == 404
    assert browser.set_password(token, "short").status_code == 422
    assert browser.set_password(token).status_code == 303
    assert browser.set_password(token).status_code == 404
    assert browser.log_in("Admin ").status_code == 303
    assert users.invite_first_administrator(database, trail, house.clock()) is None
    me = browser.who()
    assert (me["actor"], me["role"]) == ("admin", "administrator")


def test_no_link_is_made_where_the_users_were_invited_otherwise(
    house: House, database: Database, trail: AuditTrail
) -> None:
    house.user("li.na", "viewer")
    assert users.invite_first_administrator(database, trail, house.clock()) is None


def test_a_link_is_dead_after_a_day(house: House, database: Database, trail: AuditTrail) -> None:
    link = users.invite_first_administrator(database, trail, house.clock())
    assert link
    house.clock.turn(hours=24)
    dead = Browser(house.client()).set_password(link[0])
    assert dead.status_code == 404
    assert "has expired on" in dead.text


def test_an_invited_user_comes_in_and_what_they_may_not_is_noted(house: House) -> None:
    token = house.invite("李娜", "officer")
    guest = Browser(house.client())
    assert guest.log_in("李娜").status_code == 401
    guest.set_password(token)
    assert guest.log_in("李娜").status_code == 303
    assert guest.ask("POST", "/notes").status_code == 201
    assert guest.ask("POST", "/rules").status_code == 403
    acts = house.acts()
    assert ("李娜", "note.add", "done") in acts
    assert ("李娜", "access", "refused") in acts
    assert ("anonymous", "session.begin", "refused") in acts


@pytest.mark.parametrize("name", ["cli", "a:b", "", " ", "x" * 65, "a\0b", "demo", "../x"])
def test_a_name_that_can_not_be_one_is_refused(house: House, name: str) -> None:
    with pytest.raises(BadNameError):
        house.invite(name, "viewer")


def test_a_name_is_given_once(house: House) -> None:
    house.invite("Li.Na", "viewer")
    with pytest.raises(ConflictError):
        house.invite("li.na", "viewer")


@pytest.mark.parametrize(
    "password", ["short", "qwertyuiop123", "password1234", "aaaaaaaaaaaaaa", "xx li.na's own xx"]
)
def test_a_password_that_is_easy_to_guess_is_refused_and_not_repeated(
    house: House, password: str
) -> None:
    token = house.invite("li.na", "viewer")
    response = Browser(house.client()).set_password(token, password)
    assert response.status_code == 422
    assert password not in response.text


def test_a_failed_log_in_does_not_repeat_the_password(house: House) -> None:
    for name, status in (("x", 401), ("", 422)):
        response = Browser(house.client()).log_in(name, "s3cret")
        assert response.status_code == status
        assert "s3cret" not in response.text


def test_what_is_typed_as_a_name_is_not_kept(house: House) -> None:
    Browser(house.client()).log_in("my secret password\0", "x")
    with house.access.database.read() as connection:
        for table in (USERS, SESSIONS):
            assert connection.execute(select(table)).all() == []
    assert house.acts() == [("anonymous", "session.begin", "refused")]


def test_a_session_ends_after_silence(house: House) -> None:
    browser = house.browser("li.na", "officer")
    for _ in range(3):
        house.clock.turn(minutes=29)
        assert browser.knows_me()
    house.clock.turn(minutes=30)
    assert not browser.knows_me()


def test_who_works_is_not_logged_out_however_short_the_silence(
    database: Database, trail: AuditTrail
) -> None:
    for minutes in (1, 5, 30):
        house = build(database, trail, limits=Limits(idle=timedelta(minutes=minutes)))
        browser = house.browser(f"li.na{minutes}", "officer")
        for seconds in (1, 2, 57, 2.9, 57, 57, 0.5, 57):
            house.clock.turn(seconds=seconds * minutes)
            assert browser.knows_me()
        house.clock.turn(minutes=minutes)
        assert not browser.knows_me()


def test_a_session_ends_after_twelve_hours(house: House) -> None:
    browser = house.browser("li.na", "officer")
    for _ in range(36):
        assert browser.knows_me()
        house.clock.turn(minutes=20)
    assert not browser.knows_me()


def test_a_session_ends_by_logging_out(house: House) -> None:
    browser = house.browser("li.na", "officer")
    cookie = browser.client.get_cookie("leadscore")
    assert cookie
    assert browser.ask("POST", "/logout").status_code == 303
    assert browser.client.get_cookie("leadscore") is None
    browser.client.set_cookie("leadscore", cookie.value)
    assert not browser.knows_me()


def test_logging_in_gives_a_new_session_and_ends_the_old_one(house: House) -> None:
    browser = house.browser("li.na", "officer")
    before = browser.client.get_cookie("leadscore")
    browser.log_in("li.na")
    after = browser.client.get_cookie("leadscore")
    assert before
    assert after
    assert before.value != after.value
    other = house.client()
    other.set_cookie("leadscore", before.value)
    assert other.get("/api/v1/me").status_code == 401


def test_a_planted_session_is_not_taken_over(house: House) -> None:
    house.user("li.na", "officer")
    browser = Browser(house.client())
    browser.client.set_cookie("leadscore", "planted")
    browser.log_in("li.na")
    cookie = browser.client.get_cookie("leadscore")
    assert cookie
    assert cookie.value != "planted"


def test_a_new_password_and_disabling_end_all_sessions(house: House) -> None:
    browser = house.browser("li.na", "officer")
    with house.access.database.write() as connection:
        token = users.renew_link(connection, "li.na", now=house.clock())
    assert browser.knows_me()
    another = "another long password"
    assert Browser(house.client()).set_password(token, another).status_code == 303
    assert not browser.knows_me()
    assert browser.log_in("li.na").status_code == 401
    assert browser.log_in("li.na", another).status_code == 303
    house.change("li.na", disabled=True)
    assert not browser.knows_me()
    assert browser.log_in("li.na", another).status_code == 401
    house.change("li.na", disabled=False, role="viewer")
    assert browser.log_in("li.na", another).status_code == 303
    assert browser.who()["role"] == "viewer"


def test_somebody_always_administers(house: House) -> None:
    boss = house.browser("boss", "administrator")
    for change in ({"disabled": True}, {"role": "viewer"}):
        with pytest.raises(ConflictError):
            house.change("boss", **change)
    house.user("other", "administrator")
    house.change("boss", role="viewer")
    assert boss.ask("POST", "/rules").status_code == 403


def test_two_administrators_who_are_disabled_at_the_same_moment_leave_one(house: House) -> None:
    names = ("one", "two")
    for name in names:
        house.user(name, "administrator")
    for _ in range(5):
        done: list[bool] = []

        def disable(name: str) -> None:
            try:
                house.change(name, disabled=True)
            except ConflictError:
                done.append(False)  # noqa: B023 (joined below)
            else:
                done.append(True)  # noqa: B023 (joined below)

        threads = [threading.Thread(target=disable, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(done) == [False, True]
        for name in names:
            house.change(name, disabled=False)


def test_the_cookie_is_for_this_host_only_and_for_no_script(house: House) -> None:
    house.user("li.na", "officer")
    secure = Browser(house.client()).log_in("li.na", base_url="https://leads.example")
    plain = Browser(house.client()).log_in("li.na")
    name, _, rest = secure.headers["Set-Cookie"].partition("=")
    assert name == "__Host-leadscore"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(rest.split("; "))
    assert "Domain" not in rest
    name, _, rest = plain.headers["Set-Cookie"].partition("=")
    assert name == "leadscore"
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(rest.split("; "))
    assert "Secure" not in rest


def test_a_browser_must_send_the_token_of_its_session(house: House) -> None:
    browser = house.browser("li.na", "officer")
    other = house.browser("wang", "officer")
    for token in ("", "x", other.token, "\xff"):
        response = browser.ask("POST", "/notes", headers={"X-CSRF-Token": token})
        assert (response.status_code, code(response)) == (403, "forged_request")
    assert browser.ask("POST", "/notes").status_code == 201
    assert house.effects == ["li.na"]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Origin": "https://localhost"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost:8001"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_a_page_of_another_site_changes_nothing(
    house: House, headers: dict[str, str], allowed: bool
) -> None:
    key = bearer(house.key("officer"))
    response = house.client().post("/notes", headers=key | headers)
    assert response.status_code == (201 if allowed else 403)
    assert house.client().get("/notes", headers=key | headers).status_code == 200
    logged = house.client().post("/login", data={}, headers=headers)
    assert logged.status_code == (422 if allowed else 403)


def test_a_key_is_kept_as_a_hash(house: House) -> None:
    key = house.key("viewer", "crm")
    assert house.client().get("/notes", headers=bearer(key)).status_code == 200
    with house.access.database.read() as connection:
        kept = api_keys.get(connection, "crm")
        assert key not in str(connection.execute(select(API_KEYS)).all())
    assert (key[:3], kept.prefix, kept.last_used) == ("ls_", key[:8], house.clock())
    assert all(key not in str(act) for act in house.acts())


def test_a_key_is_worth_what_its_maker_is(house: House) -> None:
    house.user("boss", "administrator")
    house.user("chief", "administrator")
    with house.access.database.write() as connection:
        token = api_keys.add(connection, "crm", "officer", by="boss", now=house.clock())
    mine, of_commands = bearer(token), bearer(house.key("administrator"))

    def seen() -> tuple[int, int, str]:
        client = house.client()
        answers = [client.get("/notes", headers=headers) for headers in (mine, of_commands)]
        with house.access.database.read() as connection:
            state = api_keys.get(connection, "crm").state(house.clock())
            assert state == {each.name: each for each in api_keys.all_keys(connection)}[
                "crm"
            ].state(house.clock())
        return answers[0].status_code, answers[1].status_code, state

    assert seen() == (200, 200, "active")
    house.change("boss", disabled=True)
    assert seen() == (401, 200, "suspended")
    with house.access.database.write() as connection:
        token = users.renew_link(connection, "boss", now=house.clock())
    assert seen() == (401, 200, "suspended"), "invited again, but not yet back"
    assert Browser(house.client()).set_password(token).status_code == 303
    assert seen() == (200, 200, "active")
    house.change("boss", role="viewer")
    assert seen() == (401, 200, "suspended")
    house.change("boss", role="administrator")
    assert seen() == (200, 200, "active")
    house.change("boss", disabled=True)
    house.change("boss", disabled=False)
    assert seen() == (200, 200, "active")


def test_a_key_ends_by_time_or_by_revoking(house: House) -> None:
    with house.access.database.write() as connection:
        key = api_keys.add(connection, "crm", "viewer", by="cli", now=house.clock(), days=1)
    assert house.client().get("/notes", headers=bearer(key)).status_code == 200
    house.clock.turn(days=1)
    assert house.client().get("/notes", headers=bearer(key)).status_code == 401
    other = bearer(house.key("viewer", "other"))
    assert house.client().get("/notes", headers=other).status_code == 200
    revoked = house.revoke("other")
    assert revoked.revoked_at
    assert house.revoke("other") == revoked
    assert house.client().get("/notes", headers=other).status_code == 401


@pytest.mark.parametrize(
    "shown", ["Bearer", "Bearer ", "Bearer ls_", "Bearer ls_x", "Basic eDp5", "ls_x", "Bearer \xff"]
)
def test_a_key_that_is_none_is_told(house: House, shown: str) -> None:
    response = house.client().get("/notes", headers={"Authorization": shown})
    assert (response.status_code, code(response)) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="leadscore"'


def test_the_same_key_and_body_have_one_effect(house: House) -> None:
    headers = bearer(house.key("officer")) | {"Idempotency-Key": "k"}
    first = house.client().post("/notes", json={"a": 1}, headers=headers)
    again = house.client().post("/notes", json={"a": 1}, headers=headers)
    assert (first.status_code, first.data) == (201, b'{"number":1}')
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert dict(again.headers) == dict(first.headers)
    assert house.effects == ["key:officers"]
    assert [action for _, action, _ in house.acts()] == ["note.add"]


def test_the_same_key_with_another_body_is_refused(house: House) -> None:
    headers = bearer(house.key("officer")) | {"Idempotency-Key": "k"}
    house.client().post("/notes", json={"a": 1}, headers=headers)
    other = house.client().post("/notes", json={"a": 2}, headers=headers)
    assert (other.status_code, code(other)) == (422, "invalid_request")
    assert len(house.effects) == 1


def test_a_key_is_one_actors_and_one_routes(house: House) -> None:
    for name in ("one", "two"):
        headers = bearer(house.key("officer", name)) | {"Idempotency-Key": "k"}
        assert house.client().post("/notes", json={"a": 1}, headers=headers).status_code == 201
    assert house.effects == ["key:one", "key:two"]


def test_an_answer_is_kept_for_a_day(house: House) -> None:
    headers = bearer(house.key("officer")) | {"Idempotency-Key": "k"}
    house.client().post("/notes", json={"a": 1}, headers=headers)
    house.clock.turn(hours=24)
    house.client().post("/notes", json={"a": 1}, headers=headers)
    assert len(house.effects) == 1
    house.clock.turn(seconds=1)
    house.client().post("/notes", json={"a": 1}, headers=headers)
    assert len(house.effects) == 2


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_key_that_can_not_be_one_is_told(house: House, key: str) -> None:
    headers = bearer(house.key("officer")) | {"Idempotency-Key": key}
    response = house.client().post("/notes", headers=headers)
    assert response.status_code == 422
    assert house.effects == []


def test_what_fails_is_not_kept(house: House) -> None:
    headers = bearer(house.key("administrator")) | {"Idempotency-Key": "k"}
    asked = {"name": "li.na"}
    assert house.client().post("/rules", json=asked, headers=headers).status_code == 404
    house.invite("li.na", "viewer")
    assert house.client().post("/rules", json=asked, headers=headers).status_code == 200


def test_fifty_requests_with_one_key_have_one_effect(house: House) -> None:
    headers = bearer(house.key("officer")) | {"Idempotency-Key": "k"}
    answers: list[tuple[int, bytes]] = []
    together = threading.Barrier(50)

    def send() -> None:
        client = house.client()
        together.wait()
        response = client.post("/notes", json={"a": 1}, headers=headers)
        answers.append((response.status_code, response.data))

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(201, b'{"number":1}')] * 50
    assert house.effects == ["key:officers"]
    with house.access.database.read() as connection:
        assert verify(connection, house.access.trail).count == 1


def test_in_a_demonstration_anybody_on_this_machine_may_do_everything(
    database: Database, trail: AuditTrail
) -> None:
    house = build(database, trail, demo=True)
    me = house.client().get("/api/v1/me").get_json()
    assert (me["actor"], me["role"]) == ("demo", "administrator")
    assert house.client().post("/notes").status_code == 201
    assert house.acts() == [("demo", "note.add", "done")]
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example"):
        response = house.client().get("/notes", headers={"Host": host})
        assert (response.status_code, code(response)) == (403, "forged_request")
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        assert house.client().get("/notes", headers={"Host": host}).status_code == 200
    with pytest.raises(ValueError, match="demonstration"):
        protect(house.app, house.access, host="0.0.0.0")  # noqa: S104 (refused)


def test_the_description_names_what_each_route_answers(house: House) -> None:
    description = json.loads(house.client().get("/openapi/openapi.json").text)
    assert set(description["components"]["securitySchemes"]) == {"key", "session"}
    operation = description["paths"]["/api/v1/me"]["get"]
    assert "security" in operation
    assert {"401", "403", "422"} <= set(operation["responses"])


def test_a_language_that_we_do_not_have_is_told(house: House) -> None:
    key = bearer(house.key("administrator"))
    for lang, status in (("zh", 200), ("en", 200), ("fr", 422)):
        answer = house.client().get(f"/api/v1/me?lang={lang}", headers=key)
        assert answer.status_code == status
    assert "密钥" in house.client().get("/api/v1/me?lang=zh").get_json()["error"]["message"]


def test_requires_keeps_the_view_as_it_is() -> None:
    def view() -> str:
        return "x"

    assert requires("read")(view) is view
