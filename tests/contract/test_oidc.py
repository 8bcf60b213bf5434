"""Logging in through a provider of OpenID Connect that really runs, and what is not believed."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.contract.access_app import PASSWORD, Browser, Clock, House, build
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, SmallProvider, encoded, running_provider
from werkzeug.wrappers import Response

from leadscore.store.access import users
from leadscore.store.access.users import Role
from leadscore.store.auditing.trail import AuditTrail
from leadscore.store.engine.database import Database
from leadscore.web.access.oidc import id_tokens, routes
from leadscore.web.access.oidc.fetching import MOST_BYTES, FetchError, check_address
from leadscore.web.access.oidc.provider import Provider, Registration

START, BACK = "/api/v1/oidc/start", "/api/v1/oidc/callback"
ROLES: tuple[tuple[str, Role], ...] = (("bosses", "administrator"), ("leads", "officer"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def small(clock: Clock) -> Iterator[SmallProvider]:
    with running_provider(clock) as provider:
        yield provider


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(tmp_path / "keys" / "audit.key")


@pytest.fixture
def house(database: Database, trail: AuditTrail, small: SmallProvider, clock: Clock) -> House:
    return made(database, trail, small, clock)


def made(
    database: Database, trail: AuditTrail, small: SmallProvider, clock: Clock, **more: Any
) -> House:
    registration = Registration(small.issuer, CLIENT_ID, CLIENT_SECRET, **more)
    return build(database, trail, clock=clock, provider=Provider(registration))


def log_in(browser: Browser, small: SmallProvider) -> Any:
    """Walk the whole way, and return the last answer."""
    begun = browser.client.get(START)
    assert begun.status_code == 302, begun.text
    back = urlsplit(small.log_in(begun.headers["Location"]))
    return browser.client.get(f"{back.path}?{back.query}")


def code(response: Any) -> str:
    found: str = response.get_json()["error"]["code"]
    return found


def test_a_known_user_comes_in_and_has_a_session_as_by_password(
    house: House, small: SmallProvider
) -> None:
    house.user("li.na", "officer")
    browser = Browser(house.client())
    done = log_in(browser, small)
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert done.headers["Cache-Control"] == "no-store"
    me = browser.ask("GET", "/api/v1/me").get_json()
    assert (me["actor"], me["role"]) == ("li.na", "officer")
    assert browser.ask("POST", "/notes").status_code == 403  # it lacks the token, as always
    browser.token = me["csrf_token"]
    assert browser.ask("POST", "/notes").status_code == 201
    assert ("li.na", "session.begin", "done") in house.acts()
    assert browser.client.get_cookie("leadscore-oidc") is None
    house.clock.turn(minutes=30)
    assert browser.ask("GET", "/api/v1/me").status_code == 401


def test_passwords_still_work_beside_it(house: House, small: SmallProvider) -> None:
    house.user("li.na", "officer")
    assert Browser(house.client()).log_in("li.na").status_code == 200
    assert small.asked == []
    assert house.access.oidc_offered


def test_an_invited_user_needs_the_link_no_more(house: House, small: SmallProvider) -> None:
    with house.access.database.write() as connection:
        token = users.add(connection, "li.na", "viewer", by="cli", now=house.clock())
    assert log_in(Browser(house.client()), small).status_code == 303
    asked = {"token": token, "password": PASSWORD}
    assert house.client().post("/api/v1/password", json=asked).status_code == 404
    assert Browser(house.client()).log_in("li.na", "").status_code == 422
    assert Browser(house.client()).log_in("li.na", PASSWORD).status_code == 401


@pytest.mark.parametrize("state", ["unknown", "disabled"])
def test_who_is_unknown_or_disabled_is_refused(
    house: House, small: SmallProvider, state: str
) -> None:
    if state == "disabled":
        house.user("li.na", "officer")
        with house.access.database.write() as connection:
            users.change(connection, "li.na", disabled=True)
    browser = Browser(house.client())
    done = log_in(browser, small)
    assert (done.status_code, code(done)) == (403, "forbidden")
    assert browser.client.get_cookie("leadscore") is None
    assert house.acts() == [
        *([("li.na", "password.set", "done")] if state == "disabled" else []),
        ("anonymous", "session.begin", "refused"),
    ]


def test_a_group_brings_users_with_its_role_and_takes_it_away_again(
    database: Database, trail: AuditTrail, small: SmallProvider, clock: Clock
) -> None:
    house = made(database, trail, small, clock, roles=ROLES)
    house.user("boss", "administrator")
    browser = Browser(house.client())
    small.claims = {"preferred_username": "Wang.Wei", "groups": ["others", "leads"]}
    assert log_in(browser, small).status_code == 303
    me = browser.ask("GET", "/api/v1/me").get_json()
    assert (me["actor"], me["role"]) == ("wang.wei", "officer")
    small.claims["groups"] = ["leads", "bosses"]
    assert log_in(browser, small).status_code == 303
    assert browser.ask("GET", "/api/v1/me").get_json()["role"] == "administrator"
    small.claims["groups"] = []
    assert log_in(Browser(house.client()), small).status_code == 403
    small.claims = {"preferred_username": "boss", "groups": "leads"}
    assert log_in(browser, small).status_code == 303
    assert browser.ask("GET", "/api/v1/me").get_json()["role"] == "administrator"
    acts = house.acts()
    assert ("oidc", "user.add", "done") in acts
    assert ("oidc", "user.change", "done") in acts


def test_a_group_does_not_take_the_last_administrator_away(
    database: Database, trail: AuditTrail, small: SmallProvider, clock: Clock
) -> None:
    house = made(database, trail, small, clock, roles=ROLES)
    small.claims["groups"] = ["bosses"]
    assert log_in(Browser(house.client()), small).status_code == 303
    small.claims["groups"] = ["leads"]
    done = log_in(Browser(house.client()), small)
    assert (done.status_code, code(done)) == (409, "conflict")


def test_an_answer_for_another_browser_is_refused(house: House, small: SmallProvider) -> None:
    house.user("li.na", "officer")
    mine, other = Browser(house.client()), Browser(house.client())
    back = urlsplit(small.log_in(mine.client.get(START).headers["Location"]))
    for browser in (other, Browser(house.client())):
        if browser is other:
            browser.client.get(START)
        done = browser.client.get(f"{back.path}?{back.query}")
        assert (done.status_code, code(done)) == (401, "unauthorized")
    assert small.codes, "the code was not even shown to the provider"
    wrong = parse_qs(back.query)["state"][0][::-1]
    assert mine.client.get(f"{BACK}?code=x&state={wrong}").status_code == 401
    assert mine.client.get(BACK).status_code == 401
    assert mine.client.get(f"{back.path}?{back.query}").status_code == 303


def test_an_answer_is_good_once(house: House, small: SmallProvider) -> None:
    house.user("li.na", "officer")
    browser = Browser(house.client())
    back = urlsplit(small.log_in(browser.client.get(START).headers["Location"]))
    kept = browser.client.get_cookie("leadscore-oidc")
    assert kept
    assert browser.client.get(f"{back.path}?{back.query}").status_code == 303
    assert browser.client.get(f"{back.path}?{back.query}").status_code == 401
    browser.client.set_cookie("leadscore-oidc", kept.value)
    again = browser.client.get(f"{back.path}?{back.query}")
    assert again.status_code == 401
    assert "invalid_grant" in again.text


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"nonce": "another"}, "invalid_claim: nonce"),
        ({"nonce": None}, "missing_claim: nonce"),
        ({"aud": "another"}, "invalid_claim: aud"),
        ({"aud": ["another"]}, "invalid_claim: aud"),
        ({"aud": None}, "missing_claim: aud"),
        ({"aud": [CLIENT_ID, "another"], "azp": "another"}, "invalid_claim: azp"),
        ({"iss": "https://evil.example"}, "invalid_claim: iss"),
        ({"iss": None}, "missing_claim: iss"),
        ({"exp": 1}, "expired_token"),
        ({"exp": None}, "missing_claim: exp"),
        ({"exp": "never"}, "invalid_claim: exp"),
        ({"iat": 4_000_000_000}, "invalid_claim: iat"),
        ({"sub": None}, "missing_claim: sub"),
    ],
)
def test_a_token_that_says_something_wrong_is_not_believed(
    house: House, small: SmallProvider, lie: dict[str, Any], reason: str
) -> None:
    house.user("li.na", "officer")
    small.claims |= lie
    browser = Browser(house.client())
    done = log_in(browser, small)
    assert (done.status_code, code(done)) == (401, "unauthorized")
    assert reason in done.text
    assert browser.client.get_cookie("leadscore") is None
    assert house.acts()[-1] == ("anonymous", "session.begin", "refused")


def test_an_expired_token_is_good_for_a_minute_more_at_most(
    house: House, small: SmallProvider
) -> None:
    house.user("li.na", "officer")
    now = int(house.clock().timestamp())
    small.claims |= {"exp": now - 59}
    assert log_in(Browser(house.client()), small).status_code == 303
    small.claims |= {"exp": now - 60}
    assert log_in(Browser(house.client()), small).status_code == 401


@pytest.mark.parametrize("signature", ["none", "HS256"])
def test_a_token_signed_by_nobody_or_by_a_public_key_is_not_believed(
    house: House, small: SmallProvider, signature: str
) -> None:
    house.user("li.na", "officer")
    small.signature = signature
    done = log_in(Browser(house.client()), small)
    assert done.status_code == 401
    assert "unsupported_algorithm" in done.text


def test_a_token_that_was_changed_is_not_believed(
    house: House, small: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.user("li.na", "officer")
    real = small.id_token

    def forged(nonce: str) -> str:
        head, body, signature = real(nonce).split(".")
        said = json.loads(urlsafe_b64decode(body + "==")) | {"preferred_username": "boss"}
        return ".".join([head, encoded(said), signature])

    monkeypatch.setattr(small, "id_token", forged)
    done = log_in(Browser(house.client()), small)
    assert done.status_code == 401
    assert "bad_signature" in done.text


def test_keys_are_kept_and_asked_for_anew_when_one_is_unknown(
    house: House, small: SmallProvider
) -> None:
    house.user("li.na", "officer")
    for _ in range(2):
        assert log_in(Browser(house.client()), small).status_code == 303
    assert small.asked.count("/keys") == 1
    assert small.asked.count("/.well-known/openid-configuration") == 1
    small.signer, small.published = "two", ["two"]
    assert log_in(Browser(house.client()), small).status_code == 303
    assert small.asked.count("/keys") == 2
    small.signer = "three"
    done = log_in(Browser(house.client()), small)
    assert done.status_code == 401
    assert "invalid_key_id" in done.text
    assert small.asked.count("/keys") == 3
    house.clock.turn(hours=1)
    small.signer = "two"
    assert log_in(Browser(house.client()), small).status_code == 303
    assert small.asked.count("/.well-known/openid-configuration") == 2


def test_the_secret_goes_into_the_form_where_the_provider_wants_it_there(
    house: House, small: SmallProvider
) -> None:
    house.user("li.na", "officer")
    small.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert log_in(Browser(house.client()), small).status_code == 303


def test_a_provider_that_is_down_is_told_and_passwords_work(house: House, clock: Clock) -> None:
    house.user("li.na", "officer")
    with running_provider(clock) as gone:
        issuer = gone.issuer
    down = build(
        house.access.database, house.access.trail, clock=clock,
        provider=Provider(Registration(issuer, CLIENT_ID)),
    )  # fmt: skip
    answer = down.client().get(START)
    assert (answer.status_code, code(answer)) == (503, "unavailable")
    assert issuer in answer.text
    assert "by a password" in answer.text
    assert "moment ago" in down.client().get(START).text
    assert Browser(down.client()).log_in("li.na").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/.well-known/openid-configuration", "[]", "no JSON object"),
        ("/.well-known/openid-configuration", "{", "no JSON object"),
        ("/.well-known/openid-configuration", '{"issuer": "https://evil.example"}', "calls itself"),
        ("/.well-known/openid-configuration", " " * (MOST_BYTES + 1), "bytes"),
        ("/keys", "", "no JSON object"),
        ("/token", "<html>", "no JSON object"),
    ],
)
def test_a_provider_that_answers_nonsense_is_told(
    house: House, small: SmallProvider, path: str, body: str, reason: str
) -> None:
    house.user("li.na", "officer")
    small.answers[path] = lambda: Response(body)
    browser = Browser(house.client())
    answer = browser.client.get(START) if "well-known" in path else log_in(browser, small)
    assert (answer.status_code, code(answer)) == (503, "unavailable")
    assert reason in answer.text


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_provider_leads_nowhere_else(house: House, small: SmallProvider, status: int) -> None:
    house.user("li.na", "officer")
    small.answers["/keys"] = lambda: Response(
        "{}", status, headers={"Location": f"{small.issuer}/elsewhere"}
    )
    answer = log_in(Browser(house.client()), small)
    assert answer.status_code == 503
    assert f"status {status}" in answer.text
    assert "/elsewhere" not in small.asked


def test_where_the_provider_lets_nobody_in_it_says_why(house: House) -> None:
    browser = Browser(house.client())
    begun = browser.client.get(START).headers["Location"]
    state = parse_qs(urlsplit(begun).query)["state"][0]
    answer = browser.client.get(f"{BACK}?error=access_denied&state={state}")
    assert answer.status_code == 401
    assert "access_denied" in answer.text


def test_an_answer_of_another_issuer_is_not_taken(house: House, small: SmallProvider) -> None:
    browser = Browser(house.client())
    begun = browser.client.get(START).headers["Location"]
    state = parse_qs(urlsplit(begun).query)["state"][0]
    answer = browser.client.get(f"{BACK}?code=x&iss=https://evil.example&state={state}")
    assert answer.status_code == 401
    assert "/token" not in small.asked


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 401),
        ({"email": ["li.na"]}, 401),
        ({"email": "li.na@example.org"}, 401),
        ({"email": "li.na@example.org", "email_verified": False}, 401),
        ({"email": "li.na@example.org", "email_verified": True}, 303),
        ({"email": "x\0y@example.org", "email_verified": True}, 422),
    ],
)
def test_an_address_counts_as_a_name_only_if_it_was_verified(
    database: Database, trail: AuditTrail, small: SmallProvider, clock: Clock,
    said: dict[str, Any], status: int,
) -> None:  # fmt: skip
    house = made(database, trail, small, clock, name_claim="email")
    house.user("li.na@example.org", "viewer")
    small.claims = said
    assert log_in(Browser(house.client()), small).status_code == status


def test_over_https_the_cookie_of_the_log_in_is_for_this_host_only(
    house: House,
) -> None:
    begun = house.client().get(START, base_url="https://leads.example")
    name, _, rest = begun.headers["Set-Cookie"].partition("=")
    assert name == "__Host-leadscore-oidc"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=600"} <= set(rest.split("; "))
    asked = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert asked["redirect_uri"] == [f"https://leads.example{BACK}"]
    secret = rest.partition(";")[0]
    assert secret not in begun.headers["Location"]


def test_logging_in_ends_the_session_that_the_browser_had(
    house: House, small: SmallProvider
) -> None:
    browser = house.browser("li.na", "officer")
    before = browser.client.get_cookie("leadscore")
    assert before
    assert log_in(browser, small).status_code == 303
    other = house.client()
    other.set_cookie("leadscore", before.value)
    assert other.get("/api/v1/me").status_code == 401


def test_where_it_is_not_set_up_the_routes_say_so(database: Database, trail: AuditTrail) -> None:
    house = build(database, trail)
    assert not house.access.oidc_offered
    for path in (START, BACK):
        answer = house.client().get(path)
        assert answer.status_code == 404
        assert "LEADSCORE_OIDC_ISSUER" in answer.text


def test_without_the_extra_the_routes_say_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = id_tokens.find_spec
    monkeypatch.setattr(
        id_tokens, "find_spec", lambda name: None if name == "joserfc" else real(name)
    )
    assert routes.is_installed is id_tokens.is_installed
    assert not house.access.oidc_offered
    for path in (START, BACK):
        answer = house.client().get(path)
        assert answer.status_code == 501
        assert "pip install leadscore[oidc]" in answer.text


def test_nothing_imports_the_extra_before_it_is_needed() -> None:
    asked = (
        "import sys, leadscore.web.app, leadscore.cli; "
        "print(sorted({'joserfc', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "address",
    [
        None, 7, "", "nothing", "http://id.example", "ftp://127.0.0.1/", "https://", "https:///x",
        "https://u:p@id.example", "https://id.example/#x", "http://127.0.0.1.evil.example/",
        "https://[", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_only_https_and_this_machine_are_asked(address: object) -> None:
    with pytest.raises(FetchError):
        check_address(address)
