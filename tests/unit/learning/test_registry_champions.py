"""Each city has one champion, what served before is remembered, and one can go back to it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from tests.kept_lists import lakeport
from tests.second_model import another, somewhere

from leadscore.errors import ModelError
from leadscore.registry.models import ModelRegistry

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
EXPERT, FIRST, SECOND, THIRD = (
    f"somewhere-{name}" for name in ("expert-0", "20260101-1", "20260201-2", "20260301-3")
)
STEP = (
    f'{{"when": "2026-11-25T08:00:00+00:00", "version": "{FIRST}", "act": "trained", '
    '"reason": null, "previous": null}'
)
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


def manifest(**changes):
    return {"kind": "trained", "created": NOW, **changes}


@pytest.fixture
def registry(tmp_path):
    """Return a registry with four versions, saved an hour apart, none of them champion."""
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    for hours, version in enumerate((EXPERT, FIRST, SECOND, THIRD)):
        created = NOW + timedelta(hours=hours)
        registry.save(version, another(somewhere(), hours), manifest(created=created))
    return registry


@pytest.fixture
def promote(registry):
    days = count(1)

    def promote(version, act="trained", reason=None):
        now = NOW + timedelta(days=next(days))
        registry.promote("somewhere", version, act=act, reason=reason, now=now)

    return promote


@pytest.fixture
def served(registry, promote):
    """Return the registry after the expert, then three trained models served."""
    promote(EXPERT, "expert")
    for version in (FIRST, SECOND, THIRD):
        promote(version)
    return registry


def spoil(registry, version):
    (registry.folder / version / "card.npz").write_bytes(b"junk")


def back(registry, **more):
    return registry.rollback("somewhere", now=NOW + timedelta(days=99), **more)


def test_a_city_has_no_champion_until_one_is_promoted(registry, promote):
    assert registry.champion("somewhere") is None
    assert registry.line("somewhere") == []
    assert registry.history("somewhere") == []
    promote(FIRST)
    assert registry.champion("somewhere") == FIRST
    assert registry.champion("elsewhere") is None


def test_the_champion_is_replaced_as_a_whole(served):
    assert served.champion("somewhere") == THIRD
    assert sorted(path.name for path in served.folder.iterdir() if path.is_file()) == [
        "somewhere.champion",
        "somewhere.history.jsonl",
    ]
    assert (served.folder / "somewhere.champion").read_text() == f"{THIRD}\n"


def test_a_pointer_that_was_read_before_is_read_again_once_it_is_another(served, promote):
    pointer = served.folder / "somewhere.champion"
    os.utime(pointer, (NOW.timestamp(), NOW.timestamp()))  # old enough to be remembered
    assert [served.champion("somewhere") for _ in range(2)] == [THIRD, THIRD]
    promote(FIRST, "by_hand")
    assert served.champion("somewhere") == FIRST
    os.utime(pointer, (NOW.timestamp(), NOW.timestamp()))
    assert served.champion("somewhere") == FIRST
    pointer.write_text("../elsewhere\n")
    with pytest.raises(ModelError):
        served.champion("somewhere")
    pointer.unlink()
    with pytest.raises(ModelError):
        served.champion("somewhere")


def test_the_history_can_be_read_by_a_person(registry, promote):
    promote(FIRST)
    promote(SECOND, "by_hand", "展会后\n的 新结果 ")
    lines = (registry.folder / "somewhere.history.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "when": "2026-11-25T08:00:00+00:00",
            "version": FIRST,
            "act": "trained",
            "reason": None,
            "previous": None,
        },
        {
            "when": "2026-11-26T08:00:00+00:00",
            "version": SECOND,
            "act": "by_hand",
            "reason": "展会后 的 新结果",
            "previous": FIRST,
        },
    ]
    assert "展会后" in lines[1]
    told = registry.history("somewhere")
    assert [(step.version, step.act, step.previous) for step in told] == [
        (FIRST, "trained", None),
        (SECOND, "by_hand", FIRST),
    ]
    assert told[1].when == NOW + timedelta(days=2)


def test_the_history_only_grows(served):
    path = served.folder / "somewhere.history.jsonl"
    before = path.read_bytes()
    back(served, reason="too steep")
    after = path.read_bytes()
    assert after.startswith(before)
    assert json.loads(after[len(before) :])["reason"] == "too steep"


def test_promoting_the_champion_again_changes_nothing(served, promote):
    promote(THIRD, "by_hand", "once more")
    assert len(served.history("somewhere")) == 4


def test_only_a_sound_model_is_promoted(served, promote):
    with pytest.raises(ModelError, match="no model"):
        promote("absent")
    spoil(served, FIRST)
    with pytest.raises(ModelError, match="damaged"):
        promote(FIRST)
    assert served.champion("somewhere") == THIRD
    assert len(served.history("somewhere")) == 4


def test_a_time_without_zone_is_refused(registry):
    with pytest.raises(ValueError, match="time zone"):
        registry.promote("somewhere", FIRST, act="trained", now=NOW.replace(tzinfo=None))


def test_a_model_of_another_city_is_not_promoted(registry):
    with pytest.raises(ModelError, match="one of the city somewhere and can't serve elsewhere"):
        registry.promote("elsewhere", FIRST, act="by_hand", now=NOW, reason="because")
    assert registry.champion("elsewhere") is None


def test_overruling_failed_gates_needs_a_reason_which_is_kept(served, promote):
    served.save("somewhere-bold", another(somewhere()), manifest(decision=FAILED))
    for reason in (None, "", " \n"):
        with pytest.raises(ModelError) as caught:
            promote("somewhere-bold", "by_hand", reason)
        assert "The slope of 3.10 is too steep. To let it serve" in caught.value.render("en")
        assert "校准斜率 3.10 过大。仍要启用" in caught.value.render("zh")
        assert "Fine." not in caught.value.render("en")
    assert served.champion("somewhere") == THIRD
    promote("somewhere-bold", "by_hand", "the slope is a matter of taste")
    assert served.champion("somewhere") == "somewhere-bold"
    assert served.history("somewhere")[-1].reason == "the slope is a matter of taste"


def test_a_model_that_passed_needs_no_reason(served, promote):
    served.save(
        "somewhere-good", another(somewhere()), manifest(decision={**FAILED, "promoted": True})
    )
    promote("somewhere-good", "by_hand")
    assert served.champion("somewhere") == "somewhere-good"


def test_going_back_twice_goes_further_back_until_there_is_nothing_left(served):
    assert [back(served) for _ in range(3)] == [SECOND, FIRST, EXPERT]
    assert served.champion("somewhere") == EXPERT
    with pytest.raises(ModelError) as caught:
        back(served)
    assert "no model of somewhere to go back to" in caught.value.render("en")
    assert "models list" in caught.value.render("zh")
    assert served.champion("somewhere") == EXPERT
    steps = served.history("somewhere")[4:]
    assert [(step.previous, step.version, step.act) for step in steps] == [
        (THIRD, SECOND, "rolled_back"),
        (SECOND, FIRST, "rolled_back"),
        (FIRST, EXPERT, "rolled_back"),
    ]


def test_after_going_back_and_a_new_champion_the_one_given_up_is_not_gone_back_to(served, promote):
    assert [back(served), back(served)] == [SECOND, FIRST]
    promote(THIRD)
    assert [back(served), back(served)] == [FIRST, EXPERT]


def test_a_champion_that_served_twice_is_gone_back_to_in_its_turn(served, promote):
    promote(FIRST, "by_hand")
    assert [back(served) for _ in range(4)] == [THIRD, SECOND, FIRST, EXPERT]


def test_a_damaged_model_is_passed_over_on_the_way_back_and_said_so(served):
    spoil(served, SECOND)
    spoil(served, THIRD)
    notices = []
    assert back(served, notify=notices.append) == FIRST
    assert [SECOND in notice.en and "damaged" in notice.en for notice in notices] == [True]
    assert "跳过" in notices[0].zh
    assert back(served) == EXPERT


def test_the_expert_model_is_the_last_resort_of_a_trained_champion(served):
    for version in (EXPERT, FIRST, SECOND):
        spoil(served, version)

    def build():
        served.save("somewhere-expert-9", another(somewhere()), manifest())
        return "somewhere-expert-9"

    assert back(served, last_resort=build) == "somewhere-expert-9"
    assert served.line("somewhere") == ["somewhere-expert-9"]
    with pytest.raises(ModelError, match="to go back to"):
        back(served, last_resort=lambda: pytest.fail("an expert model needs no expert model"))


def test_a_new_expert_model_takes_the_place_of_the_old_one(registry, promote):
    promote(EXPERT, "expert")
    registry.save("somewhere-expert-1", another(somewhere()), manifest())
    promote("somewhere-expert-1", "expert")
    assert registry.line("somewhere") == ["somewhere-expert-1"]
    with pytest.raises(ModelError, match="to go back to"):
        back(registry)


def test_going_back_without_any_champion_is_a_clear_error(registry):
    with pytest.raises(ModelError, match="no model of somewhere to go back to"):
        back(registry, last_resort=lambda: pytest.fail("built for nothing"))


def test_a_record_whose_change_was_never_made_leads_nowhere(served, promote):
    """As when power fails between the two."""
    path = served.folder / "somewhere.history.jsonl"
    line = json.loads(path.read_text().splitlines()[-1])
    phantom = {**line, "version": FIRST, "previous": THIRD}
    with path.open("a") as file:
        file.write(json.dumps(phantom) + "\n")
    assert served.line("somewhere") == [THIRD, SECOND, FIRST, EXPERT]
    promote(SECOND, "by_hand")
    assert [back(served), back(served)] == [THIRD, SECOND]


def test_a_step_back_that_was_never_made_can_be_made_again(served):
    path = served.folder / "somewhere.history.jsonl"
    before = (served.folder / "somewhere.champion").read_bytes()
    back(served)
    (served.folder / "somewhere.champion").write_bytes(before)
    assert served.champion("somewhere") == THIRD
    assert back(served) == SECOND
    assert len(path.read_text().splitlines()) == 6


@pytest.mark.parametrize(
    "line",
    [
        '{"when": "2026-',
        "[]",
        '{"version": "somewhere-20260101-1"}',
        STEP.replace(FIRST, "../../etc"),
        STEP.replace("2026-11-25T08:00:00+00:00", "long ago"),
        STEP.replace("trained", "conjured up"),
        STEP.replace("null", "7"),
        "[" * 100_000,
    ],
    ids=range(8),
)
def test_a_line_that_was_cut_short_or_changed_spoils_no_other(served, promote, caplog, line):
    path = served.folder / "somewhere.history.jsonl"
    with path.open("a") as file:
        file.write(line)
    assert served.line("somewhere") == [THIRD, SECOND, FIRST, EXPERT]
    assert "line 5 can't be read" in caplog.text
    promote(FIRST, "by_hand")
    assert served.line("somewhere") == [FIRST, THIRD, SECOND, FIRST, EXPERT]
    assert back(served) == THIRD


def test_a_lost_history_leaves_the_champion(served, promote):
    (served.folder / "somewhere.history.jsonl").unlink()
    assert served.line("somewhere") == [THIRD]
    promote(FIRST)
    assert back(served) == THIRD


@pytest.mark.parametrize("content", [b"", b"../etc", b"\xff\xfe", None])
def test_a_pointer_that_names_no_version_is_refused_and_can_be_mended(served, promote, content):
    pointer = served.folder / "somewhere.champion"
    if content is None:
        pointer.unlink()
    else:
        pointer.write_bytes(content)
    with pytest.raises(ModelError, match="champion of somewhere is damaged or gone") as caught:
        served.champion("somewhere")
    assert "models promote" in caught.value.render("zh")
    assert served.line("somewhere") == [THIRD, SECOND, FIRST, EXPERT]
    promote(THIRD, "by_hand")
    assert served.champion("somewhere") == THIRD
    assert [back(served), back(served)] == [SECOND, FIRST]


def test_versions_are_listed_newest_first_the_damaged_among_them(served):
    served.save("elsewhere-1", another(lakeport()), manifest())
    spoil(served, SECOND)
    found = served.versions("somewhere")
    assert {version.name for version in found} == {EXPERT, FIRST, SECOND, THIRD}
    sound = [version.name for version in found if version.fault is None]
    assert sound == [THIRD, FIRST, EXPERT]
    (bad,) = (version for version in found if version.fault)
    assert bad.name == SECOND
    assert bad.manifest is None
    assert "damaged" in bad.fault.render("en")
    assert {version.name for version in served.versions()} >= {"elsewhere-1", THIRD}


def test_what_was_set_aside_is_listed_as_damaged(served):
    spoil(served, FIRST)
    served.save(FIRST, another(somewhere()), manifest(), lambda _: None)
    faults = {version.name: version.fault for version in served.versions("somewhere")}
    assert faults[FIRST] is None
    assert faults[f"{FIRST}.damaged-1"]
