"""An import is undone: what only it brought goes, and other firms are as if it had never been."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.kept_lists import (
    BLADES,
    BREAD,
    NOW,
    SCANNERS,
    TODAY,
    code,
    hand_in,
    scorer,
    take_in,
)

from leadscore.store.acts import enter_outcome, exclude
from leadscore.store.current_ranking import SCORES, STANDINGS
from leadscore.store.database import Database
from leadscore.store.facets import facets
from leadscore.store.firms import FIRMS, FORMER_NAMES, Firm, GoneFirmError, count_firms, read_firm
from leadscore.store.list_undo import Undoing, ask_undo, foreseen, undo_portion, undone_counts
from leadscore.store.lists import BusyListError, kept_lists, read_kept_list
from leadscore.store.ranking import RankingFilter
from leadscore.store.scoring import keep_asked

BEFORE = TODAY - timedelta(days=400)
FIRM = {"企业名称": "甲公司", "统一社会信用代码": code(1), "主营业务": BLADES}


def undo(database: Database, list_id: int, size: int = 100) -> Undoing:
    with database.write() as connection:
        ask_undo(connection, list_id, actor="li.na", now=NOW)
    while True:
        with database.write() as connection:
            portion = undo_portion(connection, list_id, size, scorer=scorer(), today=TODAY, now=NOW)
            if portion is None:
                return undone_counts(read_kept_list(connection, list_id))


def last(database: Database) -> int:
    with database.read() as connection:
        return kept_lists(connection)[0].id


def standings_by_number(database: Database) -> dict[int, Any]:
    with database.read() as connection:
        rows = connection.execute(select(STANDINGS)).mappings()
        return {row["firm_id"]: row for row in rows}


def known(database: Database) -> list[tuple[Any, ...]]:
    """Return what is known of the firms that there are, and where they stand."""
    with database.read() as connection:
        shown = [Firm(*row) for row in connection.execute(select(FIRMS).order_by(FIRMS.c.id))]
        former = sorted(tuple(row) for row in connection.execute(select(FORMER_NAMES)))
    placed = standings_by_number(database)
    return [
        (firm.name, firm.credit_code, firm.record, firm.origins, former,
         {name: placed[firm.id][name] for name in ("list_id", "row", "grade", "priority", "veto")})
        for firm in shown if firm.shown
    ]  # fmt: skip


def test_firms_that_only_the_list_named_go_with_it(database: Database) -> None:
    take_in(database, FIRM, {"企业名称": "乙公司", "主营业务": BREAD})
    number = last(database)
    with database.read() as connection:
        assert foreseen(connection, number) == Undoing(gone=2, kept=0, back=0)
    assert undo(database, number) == Undoing(gone=2, kept=0, back=0)
    with database.read() as connection:
        assert count_firms(connection) == 0
        assert facets(connection, RankingFilter()).total == 0
        with pytest.raises(GoneFirmError) as refused:
            read_firm(connection, 1)
        kept = read_kept_list(connection, number)
    assert "甲公司" in refused.value.render("zh")
    assert kept.state == "undone"
    assert (kept.undone_at, kept.undone_by) == (NOW, "li.na")
    assert not standings_by_number(database)


@pytest.mark.parametrize("newer_first", [False, True])
def test_firms_that_other_lists_name_are_as_if_it_had_never_been(
    database: Database, *, newer_first: bool
) -> None:
    first = [FIRM | {"员工人数": "80", "省份": "江西省", "城市": "九江市"}]
    take_in(database, *first, as_of=BEFORE)
    before = known(database)
    # Another name, another region, another figure, and a field that was not known.
    second = FIRM | {
        "企业名称": "甲集团",
        "省份": "广东省",
        "员工人数": "90",
        "注册资本": "500万元",
    }
    take_in(database, second, as_of=BEFORE - timedelta(days=9) if newer_first else TODAY)
    assert known(database) != before
    undo(database, last(database))
    assert known(database) == before


def test_an_older_import_is_undone_under_newer_ones(database: Database) -> None:
    older = FIRM | {"员工人数": "80", "注册资本": "500万元"}
    newer = FIRM | {"企业名称": "甲集团", "员工人数": "90"}
    take_in(database, older)
    first = last(database)
    take_in(database, newer)
    with database.read() as connection:
        assert foreseen(connection, first) == Undoing(gone=0, kept=0, back=1)
    undo(database, first)
    [(name, _, record, origins, former, _)] = known(database)
    assert name == "甲集团"
    assert {name for name in record if not name.endswith("_code")} == {
        "name", "main_business", "staff"
    }  # fmt: skip
    assert record["staff"] == 90.0
    assert {origin["list"] for origin in origins.values()} == {last(database)}
    assert former == []


def test_all_lists_are_undone_in_any_order(database: Database) -> None:
    take_in(database, FIRM | {"员工人数": "80"}, as_of=BEFORE)
    take_in(database, FIRM | {"员工人数": "90"})
    take_in(database, FIRM | {"员工人数": "100"}, {"企业名称": "乙公司"})
    with database.read() as connection:
        numbers = [each.id for each in kept_lists(connection)]
    newest, middle, oldest = numbers
    undo(database, middle)
    assert known(database)[0][2]["staff"] == 100.0
    undo(database, newest)
    assert [(row[0], row[2]["staff"]) for row in known(database)] == [("甲公司", 80.0)]
    assert undo(database, oldest) == Undoing(gone=1, kept=0, back=0)
    assert known(database) == []


def test_what_was_sent_beside_lists_comes_back(database: Database) -> None:
    sent = [{"name": "甲公司", "credit_code": code(1), "staff": 70, "main_business": BLADES}]
    with database.write() as connection:
        keep_asked(connection, sent, scorer=scorer(), today=BEFORE, now=NOW - timedelta(days=2))
    before = known(database)
    take_in(database, FIRM | {"员工人数": "80", "主营业务": SCANNERS})
    first = last(database)
    take_in(database, FIRM | {"员工人数": "90"})
    undo(database, first)
    assert known(database)[0][2]["staff"] == 90.0
    assert undo(database, last(database)) == Undoing(gone=0, kept=0, back=1)
    after = known(database)
    assert [row[:5] for row in after] == [row[:5] for row in before]


def test_firms_that_officers_have_worked_with_stay(database: Database) -> None:
    rows = [{"企业名称": f"{name}公司", "主营业务": BLADES} for name in "甲乙丙丁"]
    take_in(database, *rows)
    number = last(database)
    with database.write() as connection:
        enter_outcome(
            connection, 1, stage="visited", day=TODAY, reason=None, withdrawn=False, actor="li.na",
            now=NOW, today=TODAY,
        )  # fmt: skip
        version = read_firm(connection, 2).version
        exclude(connection, 2, "另有安排", version=version, actor="li.na", now=NOW)
        assert foreseen(connection, number) == Undoing(gone=2, kept=2, back=0)
    assert undo(database, number, size=3) == Undoing(gone=2, kept=2, back=0)
    assert [(row[0], row[2]["main_business"]) for row in known(database)] == [
        ("甲公司", BLADES), ("乙公司", BLADES)
    ]  # fmt: skip
    # What they were left with is no list's any more, and comes back when another list is undone.
    take_in(database, {"企业名称": "甲公司", "主营业务": BREAD})
    assert known(database)[0][2]["main_business"] == BREAD
    undo(database, last(database))
    assert known(database)[0][2]["main_business"] == BLADES


def test_a_list_that_is_still_taken_in_is_not_undone(database: Database) -> None:
    number = hand_in(database, FIRM)
    with database.write() as connection, pytest.raises(BusyListError):
        ask_undo(connection, number, actor="li.na", now=NOW)
    take_in(database, FIRM)
    undo(database, last(database))
    with database.write() as connection, pytest.raises(BusyListError):
        ask_undo(connection, last(database), actor="li.na", now=NOW)


def test_a_firm_that_went_is_new_when_another_list_names_it(database: Database) -> None:
    take_in(database, FIRM)
    undo(database, last(database))
    take_in(database, FIRM)
    with database.read() as connection:
        numbers = connection.scalars(select(STANDINGS.c.firm_id)).all()
        scored = connection.scalars(select(SCORES.c.firm_id)).all()
    assert numbers == [2]
    assert set(scored) == {1, 2}


def test_an_undo_that_was_stopped_goes_on(database: Database) -> None:
    take_in(database, *({"企业名称": f"{at}号公司", "主营业务": BLADES} for at in range(30)))
    number = last(database)
    with database.write() as connection:
        ask_undo(connection, number, actor="li.na", now=NOW)
        undo_portion(connection, number, 10, scorer=scorer(), today=date(2026, 11, 24), now=NOW)
    with database.read() as connection:
        assert read_kept_list(connection, number).state == "undoing"
        assert count_firms(connection) == 20
    assert undo(database, number) == Undoing(gone=30, kept=0, back=0)
