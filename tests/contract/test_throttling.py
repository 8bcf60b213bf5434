"""Who guesses passwords is slowed, and nobody else; on both databases."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.contract.access_app import PASSWORD, Browser, Clock, House, build

from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.store.sessions import (
    ATTEMPTS,
    Lockout,
    PasswordTurns,
    count_attempt,
    forget_attempts,
)

WRONG = "wrong wrong wrong"
DESK, ATTACKER = "10.0.0.7", "203.0.113.9"


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return build(database, AuditTrail(tmp_path / "keys" / "audit.key"))


def try_from(house: House, address: str, name: str, password: str = WRONG) -> Any:
    where = {"REMOTE_ADDR": address}
    return Browser(house.client()).log_in(name, password, environ_overrides=where)


def statuses(house: House, address: str, *names: str) -> list[int]:
    return [try_from(house, address, name).status_code for name in names]


def test_guesses_elsewhere_lock_nobody_out(house: House) -> None:
    house.user("li.na", "officer")
    assert statuses(house, ATTACKER, *["li.na"] * 7) == [401] * 5 + [429] * 2
    assert try_from(house, DESK, "li.na", PASSWORD).status_code == 303
    assert try_from(house, DESK, "li.na").status_code == 401
    assert try_from(house, DESK, "li.na", PASSWORD).status_code == 303
    assert try_from(house, ATTACKER, "li.na", PASSWORD).headers["Retry-After"] == "60"


def test_an_address_is_slowed_ever_longer_over_whatever_names(house: House) -> None:
    house.user("li.na", "officer")
    names = ["li.na", "wang", "zhao", "nobody", "root", "li.na", "other"]
    assert statuses(house, ATTACKER, *names) == [401] * 5 + [429] * 2
    for number, seconds in enumerate((60, 120, 240, 480, 960, 1920, 3600, 3600)):
        refused = try_from(house, ATTACKER, f"name{number}")
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == str(seconds)
        house.clock.turn(seconds=seconds - 1)
        assert statuses(house, ATTACKER, "another") == [429]
        house.clock.turn(seconds=1)
        assert statuses(house, ATTACKER, f"name{number}") == [401]
    house.clock.turn(days=1, seconds=1)
    assert statuses(house, ATTACKER, *names) == [401] * 5 + [429] * 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
    ],
)
def test_an_address_is_what_one_client_has(house: House, one: str, other: str, same: bool) -> None:
    assert statuses(house, one, *"abcde") == [401] * 5
    assert statuses(house, other, "f") == [429 if same else 401]


def test_a_log_in_of_ones_own_between_does_not_quicken_guesses(house: House) -> None:
    house.user("mallory", "viewer")
    assert statuses(house, ATTACKER, *["li.na"] * 4) == [401] * 4
    assert try_from(house, ATTACKER, "mallory", PASSWORD).status_code == 303
    assert statuses(house, ATTACKER, "wang", "zhao") == [401, 429]


def test_who_mistypes_and_then_comes_in_leaves_nothing_behind(house: House) -> None:
    for name in ("li.na", "wang", "zhao"):
        house.user(name, "officer")
        assert statuses(house, DESK, *[name] * 4) == [401] * 4
        assert try_from(house, DESK, name, PASSWORD).status_code == 303
    assert statuses(house, DESK, *"abcd") == [401] * 4


def test_who_is_known_at_an_address_is_not_slowed_by_what_is_guessed_of_others(
    house: House,
) -> None:
    house.user("li.na", "officer")
    assert try_from(house, DESK, "li.na", PASSWORD).status_code == 303
    assert statuses(house, DESK, *"abcdef") == [401] * 5 + [429]
    assert try_from(house, DESK, "li.na", PASSWORD).status_code == 303
    assert statuses(house, DESK, "g", *["li.na"] * 6) == [429] + [401] * 5 + [429]
    house.clock.turn(days=91)
    assert statuses(house, DESK, *"abcde") == [401] * 5
    assert try_from(house, DESK, "li.na", PASSWORD).status_code == 429, "long not here"


def test_guesses_from_ever_other_addresses_are_bounded_and_lock_nobody_out(
    house: House,
) -> None:
    house.user("li.na", "officer")
    assert try_from(house, DESK, "li.na", PASSWORD).status_code == 303
    with house.access.database.write() as connection:  # as a log-in does, without its long hash
        for number in range(100):
            address = f"198.51.{number}.1"
            now = house.clock()
            assert count_attempt(connection, "li.na", address, now, Lockout()) is None
    refused = try_from(house, ATTACKER, "li.na")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert try_from(house, ATTACKER, "wang").status_code == 401, "others' names are free"
    assert try_from(house, DESK, "li.na").status_code == 401
    assert try_from(house, DESK, "li.na", PASSWORD).status_code == 303
    house.clock.turn(minutes=1)
    assert [statuses(house, f"192.0.2.{n}", "li.na") for n in range(3)] == [[401], [429], [429]]
    with house.access.database.write() as connection:
        forget_attempts(connection, "li.na")  # as `leadscore users reset` does
    assert try_from(house, "192.0.2.9", "li.na", PASSWORD).status_code == 303


def test_who_had_the_link_comes_in_from_there(house: House) -> None:
    assert statuses(house, DESK, *"abcde") == [401] * 5
    token = house.invite("li.na", "officer")
    where = {"REMOTE_ADDR": DESK}
    form = {"token": token, "password": PASSWORD}
    assert house.client().post("/password", data=form, environ_overrides=where).status_code == 303
    assert statuses(house, DESK, "f") == [429]
    assert try_from(house, DESK, "li.na", PASSWORD).status_code == 303


def test_an_unknown_name_is_answered_as_a_known_one(house: House) -> None:
    house.user("li.na", "officer")
    addresses = {"li.na": DESK, "nobody": ATTACKER}
    answers = {
        name: [try_from(house, address, name) for _ in range(6)]
        for name, address in addresses.items()
    }
    for known, unknown in zip(answers["li.na"], answers["nobody"], strict=True):
        same = unknown.text.replace('value="nobody"', 'value="li.na"')
        assert (known.status_code, known.text) == (unknown.status_code, same)
        length = {"Content-Length": str(len(same.encode()))}
        assert dict(known.headers) == dict(unknown.headers) | length


def test_who_is_refused_at_once_writes_nothing(house: House) -> None:
    statuses(house, ATTACKER, *"abcde")
    before, acts = house.access.database.generation(), len(house.acts())
    assert statuses(house, ATTACKER, *"fghij") == [429] * 5
    assert (house.access.database.generation(), len(house.acts())) == (before, acts)


def test_attempts_at_the_same_moment_do_not_share_a_count(database: Database) -> None:
    now, waits = Clock()(), list[bool]()

    def attempt(name: str) -> None:
        with database.write() as connection:
            wait = count_attempt(connection, name, ATTACKER, now, Lockout())
        waits.append(wait is not None)

    threads = [threading.Thread(target=attempt, args=(f"name{n % 3}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [False] * 5 + [True] * 7


def test_what_is_long_past_is_forgotten_and_who_is_known_is_not(house: House) -> None:
    house.user("li.na", "officer")
    assert try_from(house, DESK, "li.na", PASSWORD).status_code == 303
    statuses(house, ATTACKER, *"abc")
    house.clock.turn(days=2)
    statuses(house, ATTACKER, "d")
    with house.access.database.read() as connection:
        rows = connection.scalar(select(func.count()).select_from(ATTEMPTS))
        known = connection.scalar(select(func.count(ATTEMPTS.c.known_at)).select_from(ATTEMPTS))
    assert (rows, known) == (5, 2)  # address, name and both; desk and link


def test_few_passwords_are_hashed_at_a_time(database: Database, tmp_path: Path) -> None:
    turns = PasswordTurns(places=1)
    house = build(database, AuditTrail(tmp_path / "audit.key"), turns=turns)
    browser = house.browser("wang", "officer")
    link = {"token": house.invite("zhao", "viewer"), "password": PASSWORD}
    own = {"present": PASSWORD, "password": f"another {PASSWORD}"}
    with turns.turn() as mine:
        assert mine
        refused = [
            try_from(house, ATTACKER, "li.na"),
            house.client().post("/password", data=link),
            browser.ask("POST", "/account", data=own),
        ]
        assert [answer.status_code for answer in refused] == [503] * 3
        assert [answer.headers["Retry-After"] for answer in refused] == ["1"] * 3
        assert "log-ins are being checked" in refused[0].text
        assert browser.knows_me(), "who is in goes on"
    assert house.client().post("/password", data=link).status_code == 303
    assert browser.ask("POST", "/account", data=own).status_code == 303
    with database.read() as connection:
        counts = connection.scalars(select(ATTEMPTS.c.failed)).all()
    assert set(counts) == {0}, "what was not checked is not counted"


def test_a_password_waits_for_its_turn() -> None:
    turns, got = PasswordTurns(places=2, patience_seconds=30), list[bool]()

    def wait() -> None:
        with turns.turn() as mine:
            got.append(mine)

    waiting = threading.Thread(target=wait)
    with turns.turn() as mine:
        waiting.start()
        assert mine
    waiting.join()
    assert got == [True]


def test_nobody_waits_long_for_their_turn() -> None:
    turns = PasswordTurns(places=2, patience_seconds=0.01)
    with turns.turn() as first, turns.turn() as second:
        assert (first, second) == (True, False)
    with turns.turn() as mine:
        assert mine
