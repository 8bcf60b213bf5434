"""Whoever is logged in changes their own password, and nobody else does."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.contract.access_app import PASSWORD, Browser, House, build

from leadscore.store import users
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database

NEW = "another lantern by the river"


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return build(database, AuditTrail(tmp_path / "keys" / "audit.key"))


def change(browser: Browser, present: str = PASSWORD, password: str = NEW, **more: Any) -> Any:
    form = {"present": present, "password": password}
    return browser.ask("POST", "/account", data=form, **more)


def test_other_sessions_end_and_the_present_one_stays(house: House) -> None:
    browser = house.browser("li.na", "officer")
    elsewhere, bystander = Browser(house.client()), house.browser("wang", "officer")
    elsewhere.log_in("li.na")
    done = change(browser)
    assert (done.status_code, done.headers["Location"]) == (303, "/account")
    assert "Password changed" in browser.client.get("/account").text
    assert browser.knows_me()
    assert bystander.knows_me()
    assert not elsewhere.knows_me()
    assert elsewhere.log_in("li.na").status_code == 401
    assert elsewhere.log_in("li.na", NEW).status_code == 303
    assert ("li.na", "password.change", "done") in house.acts()


def test_a_wrong_present_password_is_told_kept_and_counted(house: House) -> None:
    browser = house.browser("li.na", "officer")
    for _ in range(5):
        answer = change(browser, present="guess guess guess")
        assert answer.status_code == 422
        assert "your current password" in answer.text
        assert "guess" not in answer.text
    locked = change(browser)
    assert locked.status_code == 429
    assert locked.headers["Retry-After"] == "60"
    assert Browser(house.client()).log_in("li.na").status_code == 429
    assert browser.knows_me()
    assert house.acts().count(("li.na", "password.change", "refused")) == 5
    house.clock.turn(seconds=60)
    assert change(browser).status_code == 303


def test_failures_before_it_are_forgotten_when_it_succeeds(house: House) -> None:
    browser = house.browser("li.na", "officer")
    for present in [*["guess guess guess"] * 4, PASSWORD]:
        answer = change(browser, present=present)
    assert answer.status_code == 303
    assert Browser(house.client()).log_in("li.na", "wrong wrong").status_code == 401
    assert Browser(house.client()).log_in("li.na", NEW).status_code == 303


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "it has 5 characters, and 12 are needed"),
        ("long" * 60, "it has 240 characters, and 200 are the most"),
        ("password1234", "it is one that is often used"),
        ("this is li.na's own", "li.na, is in it"),
        ("2026-12-01 2026", "it is all figures and signs"),
        ("abcdefghijklmnop", "it is a mere sequence"),
        ("ababababababab", "it is made of 2 different characters, and 5 are needed"),
        ("li.na", "it has 5 characters, and 12 are needed; the user&#39;s name, li.na, is in it"),
        (PASSWORD, "it is the one that you had before"),
    ],
)
def test_a_refused_password_says_why_and_is_not_shown(
    house: House, password: str, why: str
) -> None:
    browser = house.browser("li.na", "officer")
    answer = change(browser, password=password)
    assert answer.status_code == 422
    assert why in answer.text
    assert password == "li.na" or password not in answer.text  # noqa: S105 (a user of this name)
    assert Browser(house.client()).log_in("li.na").status_code == 303
    with house.access.database.write() as connection:
        token = users.renew_link(connection, "li.na", now=house.clock())
    by_link = Browser(house.client()).set_password(token, password)
    assert by_link.status_code == 422
    assert why in by_link.text


def test_why_a_password_is_refused_is_said_in_chinese_too(house: House) -> None:
    browser = house.browser("li.na", "officer")
    answer = change(browser, password="x" * 5, headers={"Accept-Language": "zh-CN"})
    assert "只有 5 个字符，至少要 12 个" in answer.text


def test_a_new_password_that_was_typed_in_two_ways_is_refused(house: House) -> None:
    browser = house.browser("li.na", "officer")
    form = {"present": PASSWORD, "password": NEW, "again": NEW + "!"}
    answer = browser.ask("POST", "/account", data=form)
    assert answer.status_code == 422
    assert "differ" in answer.text
    assert Browser(house.client()).log_in("li.na", NEW).status_code == 401


def test_a_page_elsewhere_can_not_change_it(house: House) -> None:
    browser = house.browser("li.na", "officer")
    assert change(browser, headers={"X-CSRF-Token": "x"}).status_code == 403
    assert change(browser, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert Browser(house.client()).log_in("li.na").status_code == 303


def test_a_key_has_no_password(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.key('administrator')}"}
    answer = change(Browser(house.client()), headers=headers)
    assert answer.status_code == 422
    assert "have no password here" in answer.text


def test_a_link_that_is_still_open_dies_with_it(house: House) -> None:
    browser = house.browser("li.na", "officer")
    with house.access.database.write() as connection:
        token = users.renew_link(connection, "li.na", now=house.clock())
    assert change(browser).status_code == 303
    assert Browser(house.client()).set_password(token).status_code == 404


def test_of_two_changes_at_the_same_moment_one_is_made(house: House) -> None:
    browser = house.browser("li.na", "officer")
    token, cookie = browser.token, browser.client.get_cookie("leadscore")
    assert cookie
    passwords = {NEW: 0, "a third lantern in the hills": 0}

    def work(password: str) -> None:
        mine = Browser(house.client(), token)
        mine.client.set_cookie("leadscore", cookie.value)
        passwords[password] = change(mine, password=password).status_code

    threads = [threading.Thread(target=work, args=(password,)) for password in passwords]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(passwords.values()) == [303, 422]
    (kept,) = (password for password, status in passwords.items() if status == 303)
    assert Browser(house.client()).log_in("li.na", kept).status_code == 303
