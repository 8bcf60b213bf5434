"""A lost firm rests for as long as the office sets, and files of outcomes open pursuits."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.kept_lists import (
    BLADES,
    BREAD,
    NOW,
    TODAY,
    code,
    firms,
    hand_in,
    scorer,
    standings,
    take_in,
)

from leadscore.jobs.worker import Worker
from leadscore.store.acts import enter_outcome, pursue
from leadscore.store.audit import AuditTrail, page
from leadscore.store.board import BoardFilter, column_cards, count_columns, count_due, due_steps
from leadscore.store.current_ranking import open_rested, refresh, refresh_lost
from leadscore.store.database import Database
from leadscore.store.list_import import take_in_list
from leadscore.store.office import Office, change_office, read_office
from leadscore.store.outcomes import append_entries, firms_with_outcomes, milestones_of
from leadscore.store.pursuits import Pursuit, add_note, notes_of, pursuits_of
from leadscore.store.ranking import RankingFilter, ranking_page, ranks
from leadscore.store.scoring import rescore
from leadscore.store.today import came_true, last_visit, news_since, note_visit

NAMES = [f"{letter}有限公司" for letter in "甲乙丙丁戊"]


@pytest.fixture
def five(database: Database) -> Database:
    take_in(database, *({"name": name, "main_business": BLADES} for name in NAMES))
    return database


def enter(database: Database, firm: int, stage: str, day: date, reason: str | None = None) -> None:
    with database.write() as connection:
        enter_outcome(
            connection, firm, stage=stage, day=day, reason=reason, withdrawn=False, actor="li.na",
            now=NOW, today=TODAY,
        )  # fmt: skip


def step(database: Database, firm: int, day: date | None, **fields: Any) -> None:
    version = firms(database)[firm - 1].version
    given = {"next_step": "寄资料", "next_step_on": day} | fields
    with database.write() as connection:
        pursue(connection, firm, given, version=version, actor="li.na", now=NOW, today=TODAY)


def pursuits(database: Database, firm: int = 1) -> list[Pursuit]:
    with database.read() as connection:
        return pursuits_of(connection, [firm]).get(firm, [])


def test_a_firm_in_pursuit_keeps_its_rank_and_its_score(five: Database) -> None:
    before = standings(five)[NAMES[0]]
    with five.read() as connection:
        rank = ranks(connection, [1])[1]
    for stage in ("contacted", "framework", "signed"):
        enter(five, 1, stage, TODAY)
        after = standings(five)[NAMES[0]]
        with five.read() as connection:
            assert ranks(connection, [1])[1] == rank
        assert (after.stage, after.veto, after.owner) == (stage, None, "li.na")
        assert (after.priority, after.order_key) == (before.priority, before.order_key)
    enter(five, 1, "registered", TODAY)
    assert standings(five)[NAMES[0]].veto == "already_here"


def test_a_lost_firm_rests_and_then_is_open_again(five: Database) -> None:
    enter(five, 1, "contacted", date(2026, 1, 5))
    enter(five, 1, "lost", date(2026, 2, 1), "地价")
    row = standings(five)[NAMES[0]]
    assert (row.veto, row.rests_until, row.rest_reason) == ("resting", date(2027, 2, 1), "地价")
    day_before = datetime(2027, 1, 31, 12, tzinfo=UTC)
    with five.write() as connection:
        assert open_rested(connection, now=day_before) == 0
        assert open_rested(connection, now=day_before + timedelta(days=1)) == 1
    row = standings(five)[NAMES[0]]
    assert (row.veto, row.vetoed, row.stage) == (None, False, "lost")
    enter(five, 1, "contacted", date(2026, 11, 1))
    first, second = pursuits(five)
    assert (first.closed, first.reason) == (date(2026, 2, 1), "地价")
    assert (second.opened, second.closed) == (date(2026, 11, 1), None)


@pytest.mark.parametrize(("months", "until"), [(0, None), (6, date(2026, 8, 1))])
def test_the_office_says_how_long_a_lost_firm_rests(
    five: Database, months: int, until: date | None
) -> None:
    enter(five, 1, "lost", date(2026, 2, 1), "地价")
    with five.write() as connection:
        changed = change_office(connection, Office(rest_months=months), actor="a", now=NOW)
        refresh_lost(connection, now=NOW)
    assert changed == {"rest_months": {"before": 12, "after": months}}
    row = standings(five)[NAMES[0]]
    assert (row.veto, row.rests_until) == (None, until)
    with five.write() as connection:
        assert read_office(connection).rest_months == months
        assert not change_office(connection, Office(rest_months=months), actor="a", now=NOW)


def test_a_file_of_outcomes_opens_pursuits_with_what_was_known_then(database: Database) -> None:
    row = {"name": None, "former_names": None, "withdrawn": False, "sheet": None, "row": 2,
           "credit_code": code(1), "file": "f" * 64, "reason": None}  # fmt: skip
    told = [
        row | {"stage": "contacted", "day": date(2025, 1, 5)},
        row | {"stage": "lost", "day": date(2025, 3, 1), "reason": "地价"},
        row | {"stage": "visited", "day": TODAY},
    ]
    with database.write() as connection:  # before any list tells of the firm
        append_entries(connection, told, source="跟进.csv", actor="cli", now=NOW)
    take_in(database, {"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES})
    first, second = pursuits(database)
    assert (first.opened, first.closed, first.reason) == (
        date(2025, 1, 5),
        date(2025, 3, 1),
        "地价",
    )
    assert (first.score_id, first.list_id, first.rank) == (None, None, None)
    assert (second.opened, second.closed) == (TODAY, None)
    # A list that was read within the import itself is no list of which one knew before.
    with database.write() as connection:
        refresh(connection, firms_with_outcomes(connection), now=NOW)
    assert len(pursuits(database)) == 2


def test_an_import_knows_the_score_that_there_was_on_its_first_day(five: Database) -> None:
    row = {"name": NAMES[1], "former_names": None, "withdrawn": False, "sheet": None, "row": 2,
           "credit_code": None, "file": "f" * 64, "reason": None}  # fmt: skip
    with five.write() as connection:
        append_entries(
            connection, [row | {"stage": "contacted", "day": TODAY}], source="x", actor="cli",
            now=NOW,
        )  # fmt: skip
        refresh(connection, firms_with_outcomes(connection), now=NOW)
    (pursuit,) = pursuits(five, 2)
    assert (pursuit.score_id, pursuit.list_id, pursuit.model) == (2, 1, "m1")
    assert pursuit.owner is None


def test_overdue_steps_stand_first_and_no_card_is_lost_between_pages(five: Database) -> None:
    for firm in range(1, 6):
        enter(five, firm, "visited", TODAY - timedelta(days=firm))
    step(five, 4, TODAY - timedelta(days=2))
    step(five, 2, TODAY - timedelta(days=9))
    step(five, 3, TODAY + timedelta(days=3))
    with five.read() as connection:
        counts = count_columns(connection, BoardFilter(), today=TODAY)
        assert counts == {"visited": (5, 2)}
        pages = [
            card["firm_id"]
            for start in range(0, 6, 2)
            for card in column_cards(
                connection, "visited", BoardFilter(), today=TODAY, start=start, limit=2
            )
        ]
        order = [row["firm_id"] for row in ranking_page(connection, RankingFilter(), limit=9).firms]
        assert pages == [2, 4, *(firm for firm in order if firm not in (2, 4))]
        late = BoardFilter(overdue=True)
        assert count_columns(connection, late, today=TODAY) == {"visited": (2, 2)}
        cards = column_cards(connection, "visited", late, today=TODAY)
        assert [card["firm_id"] for card in cards] == [2, 4]
        nobody = BoardFilter(owner="none")
        assert count_columns(connection, nobody, today=TODAY) == {}
        due = due_steps(connection, "li.na", until=TODAY + timedelta(days=7))
        assert [row["firm_id"] for row in due] == [2, 4, 3]
        assert not due_steps(connection, "wang", until=TODAY + timedelta(days=7))
    assert count_due(five, "li.na", until=TODAY + timedelta(days=7)) == 3
    assert count_due(five, "li.na", until=TODAY - timedelta(days=5)) == 1


def test_a_step_of_a_pursuit_that_another_followed_reminds_nobody(five: Database) -> None:
    enter(five, 1, "contacted", date(2026, 1, 5))
    step(five, 1, date(2026, 3, 1))
    enter(five, 1, "lost", date(2026, 2, 1), "地价")
    assert count_due(five, "li.na", until=TODAY) == 1  # to be asked again
    enter(five, 1, "contacted", date(2026, 9, 1))
    assert count_due(five, "li.na", until=TODAY) == 0


def test_the_ranking_is_filtered_by_owner(five: Database) -> None:
    enter(five, 1, "contacted", TODAY)
    enter(five, 2, "contacted", TODAY)
    step(five, 2, None, owner="wang", next_step=None)
    with five.read() as connection:
        for owner, wanted in (("li.na", {1}), ("wang", {2}), ("none", {3, 4, 5})):
            found = ranking_page(connection, RankingFilter(owner=(owner,))).firms
            assert {row["firm_id"] for row in found} == wanted


def test_notes_go_when_their_time_is_over_and_the_audit_says_so(
    five: Database, tmp_path: Any
) -> None:
    with five.write() as connection:
        for months in (30, 3):
            add_note(
                connection, 1, day=TODAY, channel="call", text="x", pursuit_id=None, by="li.na",
                now=NOW - timedelta(days=30 * months),
            )  # fmt: skip
    trail = AuditTrail(tmp_path / "audit.key")

    def tidy() -> int:
        worker = Worker("w", five, {}, lambda: NOW, threading.Event(), trail=trail)
        worker._tidy()
        with five.read() as connection:
            return len(notes_of(connection, 1))

    assert tidy() == 2
    with five.write() as connection:
        change_office(connection, Office(notes_months=12), actor="a", now=NOW)
    assert tidy() == 1
    with five.read() as connection:
        (record,) = [row for row in page(connection, limit=9) if row.action == "note.expire"]
    assert record.actor == "job"
    assert '"notes":1' in record.details.replace(" ", "")
    assert tidy() == 1


def test_since_the_last_visit_what_is_new_and_what_moved_is_told_with_its_reason(
    five: Database,
) -> None:
    later = NOW + timedelta(days=1)
    with five.write() as connection:
        note_visit(connection, "li.na", now=NOW)
        note_visit(connection, "li.na", now=NOW + timedelta(hours=1))
    with five.read() as connection:
        assert last_visit(connection, "wang", now=NOW) == NOW - timedelta(days=7)
        since = last_visit(connection, "li.na", now=later)
        assert since == NOW
        # What was put into the store at the very moment was seen.
        assert news_since(connection, since, "li.na").new == 0
    take_later(five, {"name": NAMES[0], "main_business": BREAD},
               {"name": "己有限公司", "main_business": BLADES}, now=later)  # fmt: skip
    with five.read() as connection:
        news = news_since(connection, since, "li.na")
    assert (news.new, [row["name"] for row in news.best]) == (1, ["己有限公司"])
    assert [(moved.name, moved.why) for moved in news.moved] == [(NAMES[0], "unknown")]
    assert news.moved[0].newer.likelihood != news.moved[0].older.likelihood
    rescore(five, scorer=scorer(), today=TODAY, clock=lambda: later)
    with five.read() as connection:
        assert len(news_since(connection, since, "li.na").moved) == 1


def take_later(database: Database, *rows: dict[str, Any], now: datetime) -> None:
    number = hand_in(database, *rows)
    take_in_list(database, number, scorer=scorer(), now=now, today=TODAY)


def test_who_signed_is_shown_with_what_was_forecast(five: Database) -> None:
    likelihood = standings(five)[NAMES[0]].likelihood
    enter(five, 1, "contacted", TODAY - timedelta(days=20))
    enter(five, 1, "signed", TODAY - timedelta(days=2))
    row = {"former_names": None, "withdrawn": False, "sheet": None, "row": 2, "credit_code": None,
           "file": "f" * 64, "reason": None, "name": NAMES[1]}  # fmt: skip
    with five.write() as connection:
        append_entries(
            connection, [row | {"stage": "signed", "day": TODAY - timedelta(days=5)}], source="x",
            actor="cli", now=NOW,
        )  # fmt: skip
        refresh(connection, [2], now=NOW)
    with five.read() as connection:
        first, second = came_true(connection, today=TODAY)
        assert not came_true(connection, today=TODAY + timedelta(days=400))
    assert (first.name, first.likelihood) == (NAMES[0], likelihood)
    assert (second.name, second.likelihood) == (NAMES[1], None)


def test_a_firm_has_no_milestones_of_others(five: Database) -> None:
    with five.read() as connection:
        assert milestones_of(connection, firms(five)[0]) == []
