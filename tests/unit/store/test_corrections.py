"""What an officer corrects counts at once, is never overwritten, and one act takes it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.kept_lists import (
    BLADES,
    BREAD,
    NOW,
    TODAY,
    code,
    firms,
    lakeport,
    scorer,
    standings,
    take_in,
)

from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.training_data import training_set
from leadscore.lists.columns import BY_HAND
from leadscore.lists.corrections import corrected, values_of
from leadscore.store.acts import enter_outcome
from leadscore.store.corrections import (
    BadCorrectionError,
    UnknownCorrectionError,
    correct,
    labelled_examples,
    machine_view,
    take_back,
)
from leadscore.store.current_ranking import SCORES, score_history
from leadscore.store.database import Database
from leadscore.store.facts import all_facts_of, facts_of, known_corrections
from leadscore.store.firms import ChangedFirmError
from leadscore.store.outcomes import read_outcomes
from leadscore.store.ranking import RankingFilter, ranking_page, ranks, written_parts
from leadscore.store.scoring import keep_asked, rescore
from leadscore.store.snapshots import read_snapshots

BAKER = "甲有限公司"
SEGMENT = "wind.blade"


def make(database: Database, firm: int = 1, *, days: int = 0, **values: Any) -> None:
    with database.write() as connection:
        correct(
            connection, firm, values, "seen on a visit", version=firms(database)[firm - 1].version,
            scorer=scorer(), actor="li.na", now=NOW + timedelta(days=days),
            today=TODAY + timedelta(days=days),
        )  # fmt: skip


def back(database: Database, *numbers: int, firm: int = 1) -> None:
    with database.write() as connection:
        take_back(
            connection, firm, numbers, version=firms(database)[firm - 1].version,
            scorer=scorer(), actor="wang", now=NOW, today=TODAY,
        )  # fmt: skip


@pytest.fixture
def store(database: Database) -> Database:
    take_in(
        database,
        {"name": BAKER, "credit_code": code(1), "main_business": BREAD, "staff": 90},
        {"name": "乙有限公司", "credit_code": code(2), "main_business": BLADES},
        {"name": "丙有限公司", "main_business": BREAD},
    )
    return database


def place(database: Database, firm: int = 1) -> int:
    with database.read() as connection:
        return ranks(connection, [firm])[firm]


def test_a_segment_by_hand_is_what_the_firm_fits_and_lifts_it(store: Database) -> None:
    before = standings(store)[BAKER]
    assert (before.grade, before.fit, before.segment) == ("D", 0.0, None)
    assert place(store) > 1
    make(store, segments=[SEGMENT])
    row = standings(store)[BAKER]
    gap = lakeport().gap(SEGMENT)
    assert (row.segment, row.role, row.fit) == (SEGMENT, "maker", pytest.approx(gap))
    assert row.priority > before.priority
    assert place(store) < 3
    with store.read() as connection:
        score = score_history(connection, 1)[0]
        (firm,) = ranking_page(connection, RankingFilter(firms=(1,))).firms
    assert score.segments == f"{SEGMENT}:1.00"
    assert score.values["chain"] == "wind"
    assert "none" not in score.values.values()
    worded = scorer().wording.kept_line(firm, "en") + scorer().wording.kept_line(firm, "zh")
    assert "set by an officer" in worded or "an officer puts it in" in worded
    assert "人工认定" in worded


def test_a_firm_said_to_be_in_no_chain_fits_nothing(store: Database) -> None:
    make(store, 2, segments=[])
    row = standings(store)["乙有限公司"]
    assert (row.segment, row.fit) == (None, 0.0)
    with store.read() as connection:
        score = score_history(connection, 2)[0]
    assert (score.values["chain"], score.values["match_strength"]) == ("none", 0.0)


def test_a_role_by_hand_weighs_what_was_matched(store: Database) -> None:
    before = standings(store)["乙有限公司"]
    make(store, 2, role="trade")
    row = standings(store)["乙有限公司"]
    roles = lakeport().roles
    assert (row.segment, row.role) == (before.segment, "trade")
    assert row.fit == pytest.approx(before.fit * roles["trade"] / roles["maker"])


@pytest.mark.parametrize("grade", ["A", "B", "C", "D"])
def test_a_grade_moves_a_firm_to_where_that_grade_stands(store: Database, grade: str) -> None:
    before = standings(store)[BAKER]
    make(store, grade=grade)
    make(store, 2, grade="B")
    rows = standings(store)
    row = rows[BAKER]
    assert (row.grade, row.priority, row.likelihood) == (grade, before.priority, before.likelihood)
    best_first = sorted(rows.values(), key=lambda row: row.order_key)
    assert [row.grade for row in best_first] == sorted(row.grade for row in best_first)


def test_a_reason_that_is_wrong_counts_as_unknown(store: Database) -> None:
    with store.read() as connection:
        before = score_history(connection, 1)[0]
    make(store, reason="staff")
    with store.read() as connection:
        score = score_history(connection, 1)[0]
        (firm,) = ranking_page(connection, RankingFilter(firms=(1,))).firms
    assert before.values["staff"] == 90
    assert "staff" not in score.values
    facts = firm["record"] | {"segment": None, "role": None, "words": None, "strongest": None}
    text = scorer().wording.text("staff", None, 1.0, facts, "en")
    assert text == "called wrong by an officer, so it counts as unknown: " + (
        CATALOGUE["staff"].meaning.en
    )


def test_another_wrong_reason_leaves_the_first(store: Database) -> None:
    make(store, reason="staff")
    make(store, reason="age_years")
    with store.read() as connection:
        assert [fact.value for fact in facts_of(connection, [1])[1]] == ["staff", "age_years"]


def test_a_fact_is_read_as_a_cell_and_a_later_list_does_not_undo_it(store: Database) -> None:
    make(store, staff="120人", main_business=BLADES, founded_on="2016年11月1日", city="苏州")
    with store.read() as connection:
        values = {fact.field: fact.value for fact in facts_of(connection, [1])[1]}
        score = score_history(connection, 1)[0]
    assert (values["staff"], values["founded_on"], values["city"]) == (120, "2016-11-01", "苏州")
    assert (score.values["staff"], score.segment) == (120, SEGMENT)
    row = standings(store)[BAKER]
    assert (row.province, row.city, row.region) == ("江苏省", "苏州", "3205")
    take_in(store, {"name": BAKER, "credit_code": code(1), "main_business": BREAD, "staff": 95},
            as_of=TODAY)  # fmt: skip
    assert firms(store)[0].record["staff"] == 95
    with store.read() as connection:
        assert score_history(connection, 1)[0].values["staff"] == 120
    assert standings(store)[BAKER].segment == SEGMENT


def test_a_value_that_is_not_known_after_all_is_lost(store: Database) -> None:
    make(store, staff=None)
    with store.read() as connection:
        assert "staff" not in score_history(connection, 1)[0].values


def test_what_is_taken_back_leaves_the_machine_as_it_was(store: Database) -> None:
    before, rank = standings(store)[BAKER], place(store)
    make(store, segments=[SEGMENT], grade="A")
    with store.read() as connection:
        machine = machine_view(connection, firms(store)[0], scorer=scorer(), today=TODAY)
    assert (machine.score.row["grade"], machine.score.row["segment"]) == ("D", None)
    assert machine.rank == rank
    back(store, 1, 2)
    row = standings(store)[BAKER]
    names = ("grade", "segment", "fit", "priority", "likelihood", "order_key", "overridden")
    assert [getattr(row, name) for name in names] == [getattr(before, name) for name in names]
    with store.read() as connection:
        facts = all_facts_of(connection, 1)
        scores = score_history(connection, 1)
    assert [(fact.value, fact.withdrawn_by) for fact in facts] == [
        ([SEGMENT], "wang"),
        ("A", "wang"),
    ]
    assert [score.grade for score in scores] == ["D", "A", "D"]
    with pytest.raises(UnknownCorrectionError):
        back(store, 1)


def test_the_last_correction_of_a_field_counts_and_the_first_stays(store: Database) -> None:
    make(store, staff="50")
    make(store, staff="60")
    make(store, staff="60")
    with store.read() as connection:
        assert [(f.value, f.withdrawn_by) for f in all_facts_of(connection, 1)] == [
            (50, "li.na"), (60, None)
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("segments", ["no.where"], "a list of segments"),
        ("role", "boss", "one of"),
        ("grade", "E", "one of"),
        ("reason", "weather", "the id of a feature"),
        ("use", "", "a use"),
        ("staff", "many", "a count|a number"),
        ("founded_on", "2031-01-01", "not later than today"),
        ("status", "asleep", "a registration status"),
        ("name", "乙", "one of what can be corrected"),
        ("credit_code", code(3), "one of what can be corrected"),
    ],
)
def test_what_cannot_be_says_what_is_wanted_and_keeps_nothing(
    store: Database, field: str, value: Any, wanted: str
) -> None:
    with pytest.raises(BadCorrectionError, match=wanted) as caught:
        make(store, **{field: value})
    assert "counts as missing" not in caught.value.message.en
    assert caught.value.details[0].where == field
    with store.read() as connection:
        assert all_facts_of(connection, 1) == []


def test_two_officers_do_not_overwrite_each_other(store: Database) -> None:
    version = firms(store)[0].version
    make(store, grade="A")
    with store.write() as connection, pytest.raises(ChangedFirmError):
        correct(
            connection, 1, {"grade": "D"}, "no", version=version, scorer=scorer(), actor="wang",
            now=NOW, today=TODAY,
        )  # fmt: skip


def test_another_model_and_another_program_keep_what_was_corrected(store: Database) -> None:
    make(store, segments=[SEGMENT], grade="B")
    count = rescore(store, scorer=scorer("m2"), today=TODAY, clock=lambda: NOW)
    row = standings(store)[BAKER]
    assert (count, row.model, row.segment, row.grade) == (3, "m2", SEGMENT, "B")
    with store.write() as connection:
        asked = [{"name": BAKER, "credit_code": code(1), "staff": "95"}]
        keep_asked(connection, asked, scorer=scorer("m2"), today=TODAY, now=NOW)
    row = standings(store)[BAKER]
    assert (row.segment, row.grade) == (SEGMENT, "B")


def test_a_written_ranking_says_what_was_corrected(store: Database) -> None:
    make(store, segments=[SEGMENT], staff="120")
    with store.read() as connection:
        ((_, table),) = written_parts(connection, RankingFilter(), scorer(), "en", sort="-priority")
    told = table.set_index("name")["corrections"]
    day = TODAY.isoformat()
    assert told[BAKER] == (
        f"segment: Blades (li.na, {day}: seen on a visit); "
        f"staff: 120 (li.na, {day}: seen on a visit)"
    )
    assert told.drop(BAKER).isna().all()
    assert table.columns[-1] == "corrections"


def test_a_firm_of_another_list_is_known_by_its_code_or_by_a_name_of_its_own(
    store: Database,
) -> None:
    make(store, grade="A")
    make(store, 3, grade="B")
    with store.read() as connection:
        known = known_corrections(connection, as_of=TODAY)
        before = known_corrections(connection, as_of=TODAY - timedelta(days=1))
    assert [one.value for one in known.of({"name": "其他", "credit_code": code(1)})] == ["A"]
    assert [one.value for one in known.of({"name": BAKER})] == ["A"]
    assert known.of({"name": BAKER, "credit_code": code(7)}) == ()
    assert [one.value for one in known.of({"name": "丙 有限责任公司"})] == ["B"]
    assert not before
    take_in(store, {"name": BAKER, "credit_code": code(9), "main_business": BREAD})
    with store.read() as connection:
        twice = known_corrections(connection, as_of=TODAY)
    assert twice.of({"name": BAKER}) == ()


def test_what_was_learned_by_the_contact_is_not_learned_from(store: Database) -> None:
    with store.write() as connection:
        enter_outcome(
            connection, 1, stage="contacted", day=TODAY, reason=None, withdrawn=False,
            actor="li.na", now=NOW, today=TODAY,
        )  # fmt: skip
    make(store, staff="120", segments=[SEGMENT])
    make(store, 2, staff="300")
    later = TODAY + timedelta(days=1)
    with store.write() as connection:
        enter_outcome(
            connection, 2, stage="contacted", day=later, reason=None, withdrawn=False,
            actor="li.na", now=NOW + timedelta(days=1), today=later,
        )  # fmt: skip
    with store.read() as connection:
        events, snapshots = read_outcomes(connection), read_snapshots(connection)
    taught = training_set(events, snapshots, as_of=later).firms.set_index("name")
    assert taught.loc[BAKER, "staff"] == 90
    assert taught.loc[BAKER, list(BY_HAND)].isna().all()
    assert taught.loc["乙有限公司", "staff"] == 300
    assert taught.loc["乙有限公司", "corrected_on"] == TODAY.isoformat()


def test_corrections_of_segments_are_given_back_as_labelled_examples(store: Database) -> None:
    make(store, segments=[SEGMENT], staff="120")
    make(store, 2, role="trade")
    back(store, 1)
    with store.read() as connection:
        first, second = labelled_examples(connection, scorer=scorer(), today=TODAY)
    assert first["text"] == {"main_business": BREAD}
    assert first["machine"]["segment"] is None
    assert first["officer"] == {"field": "segments", "value": [SEGMENT]}
    assert (first["by"], first["withdrawn_on"]) == ("li.na", NOW.date().isoformat())
    assert (second["machine"]["role"], second["officer"]["value"]) == ("maker", "trade")
    assert second["withdrawn_on"] is None


def test_scores_that_were_given_stay_and_name_what_they_rest_on(store: Database) -> None:
    make(store, segments=[SEGMENT])
    with store.read() as connection:
        rows = connection.execute(select(SCORES.c.facts).where(SCORES.c.firm_id == 1)).scalars()
        assert len(set(rows)) == 2


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"city": "苏州市"}, ("江苏省", "苏州市")),
        ({"province": "广东省"}, ("广东省", None)),
        ({"province": "浙江省"}, ("浙江省", "杭州市")),
        ({"city": None}, ("浙江省", None)),
        ({"province": None, "city": None}, (None, None)),
    ],
)
def test_a_place_brings_its_codes_and_lets_another_go(
    values: dict[str, Any], place: tuple[str | None, str | None]
) -> None:
    record = {"name": "甲", "province": "浙江省", "province_code": "33", "city": "杭州市",
              "city_code": "3301"}  # fmt: skip
    found = corrected(record, values)
    assert (found.get("province"), found.get("city")) == place
    assert (found.get("province_code") is None) == (place[0] is None)
    assert (found.get("city_code") is None) == (place[1] is None)


def test_nothing_corrected_is_nothing_to_say() -> None:
    assert values_of([]) == {}
