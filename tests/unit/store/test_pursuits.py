"""A firm is pursued more than once, and each outcome belongs to one pursuit."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from tests.kept_lists import BLADES, NOW, TODAY, code, firms, standings, take_in

from leadscore.lists.values.words import STAGES as WORDS_OF_STAGES
from leadscore.store.acts import enter_outcome
from leadscore.store.current_ranking import refresh
from leadscore.store.database import Database
from leadscore.store.outcomes import Entry, append_entries, outcomes_of
from leadscore.store.pursuits import STAGES, Pursuit, pursuits_of


@pytest.fixture
def firm(database: Database) -> int:
    take_in(
        database,
        {"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES},
        {"name": "乙有限公司", "main_business": BLADES},
    )
    return 1


def enter(database: Database, stage: str, day: date, **more: Any) -> Entry:
    given = {"reason": None, "withdrawn": False, "actor": "li.na", "now": NOW, "today": TODAY}
    with database.write() as connection:
        return enter_outcome(connection, 1, stage=stage, day=day, **given | more)


def pursuits(database: Database) -> list[Pursuit]:
    with database.read() as connection:
        return pursuits_of(connection, [1]).get(1, [])


def in_force(database: Database) -> list[tuple[int | None, str, date]]:
    with database.read() as connection:
        entries = outcomes_of(connection, firms(database)[:1])[1]
    return [(e.pursuit, e.stage, e.day) for e in entries if e.in_force]


def spans(database: Database) -> list[tuple[date, date | None, str | None]]:
    return [(p.opened, p.closed, p.reason) for p in pursuits(database)]


def test_the_first_outcome_opens_a_pursuit_that_keeps_what_was_known(
    database: Database, firm: int
) -> None:
    before = standings(database)["甲有限公司"]
    enter(database, "contacted", date(2026, 3, 1))
    enter(database, "visited", date(2026, 3, 9))
    (pursuit,) = pursuits(database)
    assert (pursuit.firm_id, pursuit.opened, pursuit.closed) == (firm, date(2026, 3, 1), None)
    assert (pursuit.list_id, pursuit.model, pursuit.score_id) == (1, "m1", before.score_id)
    assert pursuit.rank in (1, 2)
    assert (pursuit.recorded_by, pursuit.plan_id, pursuit.propensity) == ("li.na", None, None)


def test_a_lost_firm_is_pursued_again_and_the_first_pursuit_stays(
    database: Database, firm: int
) -> None:
    assert firm
    enter(database, "contacted", date(2026, 1, 5))
    enter(database, "lost", date(2026, 3, 1), reason="去了别处")
    assert spans(database) == [(date(2026, 1, 5), date(2026, 3, 1), "去了别处")]
    assert standings(database)["甲有限公司"].stage == "lost"
    enter(database, "contacted", date(2026, 9, 1))
    enter(database, "signed", date(2026, 10, 1))
    first, second = pursuits(database)
    assert (second.opened, second.closed) == (date(2026, 9, 1), None)
    assert in_force(database) == [
        (first.id, "contacted", date(2026, 1, 5)), (first.id, "lost", date(2026, 3, 1)),
        (second.id, "contacted", date(2026, 9, 1)), (second.id, "signed", date(2026, 10, 1)),
    ]  # fmt: skip
    assert standings(database)["甲有限公司"].stage == "signed"


def test_what_is_noted_late_or_corrected_belongs_to_the_pursuit_of_its_day(
    database: Database, firm: int
) -> None:
    assert firm
    enter(database, "contacted", date(2026, 1, 5))
    enter(database, "lost", date(2026, 3, 1))
    enter(database, "visited", date(2026, 2, 1))
    enter(database, "lost", date(2026, 3, 8), reason="日期更正")
    assert spans(database) == [(date(2026, 1, 5), date(2026, 3, 8), "日期更正")]
    enter(database, "lost", date(2026, 3, 8), withdrawn=True)
    assert spans(database) == [(date(2026, 1, 5), None, None)]
    assert standings(database)["甲有限公司"].stage == "visited"


def test_the_same_again_is_one_entry_and_one_pursuit(database: Database, firm: int) -> None:
    assert firm
    one = enter(database, "contacted", date(2026, 1, 5))
    assert enter(database, "contacted", date(2026, 1, 5)) == one
    assert len(pursuits(database)) == 1


def test_what_came_in_files_before_is_one_pursuit(database: Database, firm: int) -> None:
    assert firm
    entry = {"credit_code": code(1), "name": None, "former_names": None, "reason": None,
             "withdrawn": False, "sheet": None, "row": 2, "file": "f" * 64}  # fmt: skip
    rows = [
        entry | {"stage": "contacted", "day": date(2025, 2, 1)},
        entry | {"stage": "lost", "day": date(2025, 6, 1)},
    ]
    with database.write() as connection:
        append_entries(connection, rows, source="跟进.csv", actor="cli", now=NOW)
        refresh(connection, [1], now=NOW)
    enter(database, "visited", date(2026, 4, 1))
    assert spans(database) == [
        (date(2025, 2, 1), date(2025, 6, 1), None), (date(2026, 4, 1), None, None),
    ]  # fmt: skip
    assert [owner for owner, _, _ in in_force(database)] == [1, 1, 2]


def test_the_stages_of_the_office_are_those_of_its_lists(database: Database) -> None:
    with database.read() as connection:
        rows = connection.execute(select(STAGES).order_by(STAGES.c.position)).all()
    assert [(row.id, row.zh, row.en) for row in rows] == [
        (stage, text.zh, text.en) for stage, text in WORDS_OF_STAGES.items()
    ]
    assert {row.id for row in rows if row.terminal} == {"producing", "lost"}
