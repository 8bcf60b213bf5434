"""Each city has one champion, what served before is remembered, and one can go back to it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy.exc import IntegrityError
from tests import champions
from tests.champions import champion, history, line
from tests.second_model import (
    EXPERT,
    FIRST,
    SECOND,
    THIRD,
    another,
    registry_of_four,
    said,
    somewhere,
    spoil,
)

from leadscore.errors import ModelError
from leadscore.store.champions import CHAMPIONS

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
FAILED = {
    "promoted": False,
    "gates": [
        {"id": "loss", "passed": True, "sentence": {"zh": "对数损失没有变差。", "en": "Fine."}},
        {
            "id": "slope",
            "passed": False,
            "sentence": {"zh": "校准斜率 3.10 过大。", "en": "The slope of 3.10 is too steep."},
        },
    ],
}


@pytest.fixture
def registry(tmp_path):
    return registry_of_four(tmp_path)


@pytest.fixture
def promote(database, registry):
    days = count(1)

    def promote(version, act="trained", reason=None):
        now = NOW + timedelta(days=next(days))
        return champions.promote(
            database, registry, version, city="somewhere", act=act, reason=reason, now=now
        )

    return promote


@pytest.fixture
def back(database, registry):
    def back(**more):
        return champions.back(database, registry, city="somewhere", **more)

    return back


@pytest.fixture
def served(registry, promote):
    """Return the registry after the expert, then three trained models served."""
    promote(EXPERT, "expert")
    for version in (FIRST, SECOND, THIRD):
        promote(version)
    return registry


def serving(database):
    return champion(database, "somewhere")


def told(database):
    return history(database, "somewhere")


def test_a_city_has_no_champion_until_one_is_promoted(database, promote):
    assert (line(database, "somewhere"), told(database)) == ([], [])
    promote(FIRST)
    assert serving(database) == FIRST
    assert champion(database, "elsewhere") is None


def test_every_change_is_kept_with_who_wanted_it_and_why(database, promote):
    promote(FIRST)
    promote(SECOND, "by_hand", "展会后\n的 新结果 ")
    assert [(step.number, step.version, step.act, step.reason) for step in told(database)] == [
        (1, FIRST, "trained", None), (2, SECOND, "by_hand", "展会后 的 新结果"),
    ]  # fmt: skip
    assert (told(database)[1].at, told(database)[1].by) == (NOW + timedelta(days=2), "wang")


@pytest.mark.usefixtures("served")
def test_no_change_is_ever_changed(database):
    for statement in (CHAMPIONS.delete(), CHAMPIONS.update().values(version=FIRST)):
        with pytest.raises(IntegrityError, match="only ever added"), database.write() as connection:
            connection.execute(statement)
    assert len(told(database)) == 4


@pytest.mark.usefixtures("served")
def test_promoting_the_champion_again_changes_nothing(database, promote):
    assert promote(THIRD, "by_hand", "once more") is False
    assert len(told(database)) == 4


def test_only_a_sound_model_is_promoted(database, served, promote):
    with pytest.raises(ModelError, match="no model"):
        promote("absent")
    spoil(served, FIRST)
    with pytest.raises(ModelError, match="damaged"):
        promote(FIRST)
    assert serving(database) == THIRD
    assert len(told(database)) == 4


def test_a_model_of_another_city_is_not_promoted(database, registry):
    with pytest.raises(ModelError, match="belongs to the city somewhere and cannot be used"):
        champions.promote(
            database, registry, FIRST, city="elsewhere", act="by_hand", reason="because"
        )
    assert champion(database, "elsewhere") is None


def test_overruling_failed_gates_needs_a_reason_which_is_kept(database, served, promote):
    served.save("somewhere-bold", another(somewhere()), said(decision=FAILED))
    for reason in (None, "", " \n"):
        with pytest.raises(ModelError) as caught:
            promote("somewhere-bold", "by_hand", reason)
        assert "The slope of 3.10 is too steep. To activate it anyway" in caught.value.render("en")
        assert "校准斜率 3.10 过大。仍要启用" in caught.value.render("zh")
        assert "Fine." not in caught.value.render("en")
    assert serving(database) == THIRD
    promote("somewhere-bold", "by_hand", "the slope is a matter of taste")
    assert serving(database) == "somewhere-bold"
    assert told(database)[-1].reason == "the slope is a matter of taste"
    promote(FIRST, "by_hand")
    with pytest.raises(ModelError, match="give a reason"):
        promote("somewhere-bold", "by_hand")


def test_a_model_that_was_overruled_once_wants_a_reason_again(served, promote):
    overruled = {**FAILED, "promoted": True, "overruled": "the fair"}
    served.save("somewhere-bold", another(somewhere()), said(decision=overruled))
    with pytest.raises(ModelError, match="give a reason"):
        promote("somewhere-bold", "by_hand")


def test_a_model_that_passed_needs_no_reason(database, served, promote):
    good = {"promoted": True, "gates": FAILED["gates"][:1]}
    served.save("somewhere-good", another(somewhere()), said(decision=good))
    promote("somewhere-good", "by_hand")
    assert serving(database) == "somewhere-good"


@pytest.mark.usefixtures("served")
def test_going_back_twice_goes_further_back_until_there_is_nothing_left(database, back):
    assert [back() for _ in range(3)] == [SECOND, FIRST, EXPERT]
    assert serving(database) == EXPERT
    with pytest.raises(ModelError) as caught:
        back()
    assert "no model of somewhere to roll back to" in caught.value.render("en")
    assert "models list" in caught.value.render("zh")
    assert serving(database) == EXPERT
    assert [(step.version, step.act) for step in told(database)[4:]] == [
        (version, "rolled_back") for version in (SECOND, FIRST, EXPERT)
    ]


@pytest.mark.usefixtures("served")
def test_after_going_back_and_a_new_champion_the_one_given_up_is_not_gone_back_to(promote, back):
    assert [back(), back()] == [SECOND, FIRST]
    promote(THIRD)
    assert [back(), back()] == [FIRST, EXPERT]


@pytest.mark.usefixtures("served")
def test_a_champion_that_served_twice_is_gone_back_to_in_its_turn(promote, back):
    promote(FIRST, "by_hand")
    assert [back() for _ in range(4)] == [THIRD, SECOND, FIRST, EXPERT]


def test_a_damaged_model_is_passed_over_on_the_way_back_and_said_so(served, back):
    spoil(served, SECOND)
    spoil(served, THIRD)
    notices = []
    assert back(notify=notices.append) == FIRST
    assert [SECOND in notice.en and "damaged" in notice.en for notice in notices] == [True]
    assert "跳过" in notices[0].zh
    assert back() == EXPERT


def test_the_expert_model_is_the_last_resort_of_a_trained_champion(database, served, back):
    for version in (EXPERT, FIRST, SECOND):
        spoil(served, version)

    def build():
        served.save("somewhere-expert-9", another(somewhere()), said())
        return "somewhere-expert-9"

    assert back(expert=build) == "somewhere-expert-9"
    assert line(database, "somewhere") == ["somewhere-expert-9"]
    with pytest.raises(ModelError, match="to roll back to"):
        back(expert=lambda: pytest.fail("an expert model needs no expert model"))


def test_a_new_expert_model_takes_the_place_of_the_old_one(database, registry, promote, back):
    promote(EXPERT, "expert")
    registry.save("somewhere-expert-1", another(somewhere()), said())
    promote("somewhere-expert-1", "by_hand")
    assert line(database, "somewhere") == ["somewhere-expert-1"]
    with pytest.raises(ModelError, match="to roll back to"):
        back()


def test_going_back_without_any_champion_is_a_clear_error(back):
    with pytest.raises(ModelError, match="no model of somewhere to roll back to"):
        back(expert=lambda: pytest.fail("built for nothing"))


def test_of_many_who_go_back_at_once_each_goes_back_once(database, served, back):
    assert served.versions()
    start = threading.Barrier(3)

    def go():
        start.wait()
        return back()

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(go) for _ in range(3)]
    assert {each.result() for each in done} == {SECOND, FIRST, EXPERT}
    assert len(told(database)) == 7
