"""Sessions end and addresses are slowed as the settings say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.contract.access_app import Browser, House, build

from leadscore.cli.serving import access_of
from leadscore.settings import Settings
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.store.sessions import Limits, Lockout

WRONG = "wrong wrong wrong"


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return build(
        database,
        AuditTrail(tmp_path / "keys" / "audit.key"),
        limits=Limits(idle=timedelta(minutes=5), absolute=timedelta(hours=1)),
        lockout=Lockout(2, timedelta(seconds=10), timedelta(seconds=25)),
    )


def test_a_session_ends_after_the_silence_that_was_set(house: House) -> None:
    browser = house.browser("li.na", "officer")
    house.clock.turn(minutes=4, seconds=59)
    assert browser.knows_me()
    house.clock.turn(minutes=5)
    assert not browser.knows_me()


def test_a_session_ends_after_the_hours_that_were_set(house: House) -> None:
    browser = house.browser("li.na", "officer")
    for _ in range(15):
        assert browser.knows_me()
        house.clock.turn(minutes=4)
    assert not browser.knows_me()


def test_an_address_is_slowed_as_was_set(house: House) -> None:
    house.user("li.na", "officer")
    browser = Browser(house.client())
    assert [browser.log_in("li.na", WRONG).status_code for _ in range(3)] == [401, 401, 429]
    for seconds in (10, 20, 25, 25):
        assert browser.log_in("li.na").headers["Retry-After"] == str(seconds)
        house.clock.turn(seconds=seconds)
        assert browser.log_in("li.na", WRONG).status_code == 401
    house.clock.turn(seconds=25)
    assert browser.log_in("li.na").status_code == 303


def test_the_settings_reach_the_service(database: Database, tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path, session_idle_minutes=7, session_hours=3, lockout_failures=4,
        lockout_seconds=30, lockout_longest_minutes=2,
    )  # fmt: skip
    access = access_of(settings, database, demo=False)
    assert access.limits == Limits(timedelta(minutes=7), timedelta(hours=3))
    assert access.lockout == Lockout(4, timedelta(seconds=30), timedelta(minutes=2))


def test_passwords_never_take_all_threads(database: Database, tmp_path: Path) -> None:
    for threads in (1, 2, 3):
        access = access_of(Settings(home=tmp_path), database, demo=False, threads=threads)
        with access.turns.turn() as first, access.turns.turn() as second:
            assert (first, second) == (True, False)


def test_without_settings_nothing_has_changed(database: Database, tmp_path: Path) -> None:
    access = access_of(Settings(home=tmp_path), database, demo=False)
    assert (access.limits, access.lockout) == (Limits(), Lockout())
