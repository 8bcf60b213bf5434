"""Two firms become one and two again; firms are hidden and shown; lists find the one that stays."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from tests.kept_lists import BLADES, BREAD, NOW, SCANNERS, TODAY, code, scorer, take_in

from leadscore.store.acts import enter_outcome, exclude
from leadscore.store.corrections import correct
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.database import METADATA, Database
from leadscore.store.facets import facets, how_many
from leadscore.store.facts import facts_of
from leadscore.store.firms import (
    ChangedFirmError,
    MergedFirmError,
    count_firms,
    exclusions_of,
    hidden_of,
    read_firm,
    read_firms,
)
from leadscore.store.list_undo import ask_undo, undo_portion
from leadscore.store.lists import LIST_FIRMS, kept_lists, own_fields_of, problems_of
from leadscore.store.merging import BadMergeError, hide, merge, merges_of, show, split
from leadscore.store.outcomes import outcomes_of, read_outcomes
from leadscore.store.pursuits import pursuits_of
from leadscore.store.ranking import RankingFilter, ranks
from leadscore.store.shortlists import add_to_shortlist, shortlist_named
from leadscore.store.snapshots import read_snapshots

ONE = {"企业名称": "甲公司", "统一社会信用代码": code(1), "主营业务": BLADES, "员工人数": "80"}
OTHER = {"企业名称": "甲风电", "主营业务": SCANNERS, "注册资本": "500万元", "省份": "广东省"}


def version(database: Database, firm_id: int) -> int:
    with database.read() as connection:
        return read_firms(connection, [firm_id])[firm_id].version


def join(database: Database, firm_id: int = 2, into: int = 1) -> int:
    """Merge, and return the number of the merge."""
    seen = {number: version(database, number) for number in (firm_id, into)}
    with database.write() as connection:
        merge(
            connection, firm_id, into, "同一家", version=seen[firm_id], into_version=seen[into],
            scorer=scorer(), actor="li.na", now=NOW, today=TODAY,
        )  # fmt: skip
        return merges_of(connection, into)[0][0].id


def part(database: Database, merge_id: int, into: int = 1) -> None:
    seen = version(database, into)
    with database.write() as connection:
        split(
            connection, merge_id, version=seen, scorer=scorer(), actor="wang", now=NOW, today=TODAY
        )


def outcome(database: Database, firm_id: int, stage: str) -> None:
    with database.write() as connection:
        enter_outcome(
            connection, firm_id, stage=stage, day=TODAY, reason=None, withdrawn=False,
            actor="li.na", now=NOW, today=TODAY,
        )  # fmt: skip


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return all rows but for what only grows, and numbers that only count up."""
    left_out = {"merges", "scores", "snapshots", "snapshot_fields", "generation"}
    with database.read() as connection:
        return {
            table.name: [
                {
                    name: value for name, value in row.items()
                    if name not in ("version", "updated_at", "score_id")
                }
                for row in connection.execute(
                    select(table).order_by(*table.primary_key)
                ).mappings()
            ]
            for table in METADATA.sorted_tables
            if table.name not in left_out
        }  # fmt: skip


def worked_on(database: Database) -> None:
    """Let officers have done with the second firm whatever they can do."""
    outcome(database, 2, "visited")
    seen = version(database, 2)
    with database.write() as connection:
        exclude(connection, 2, "另有安排", version=seen, actor="li.na", now=NOW)
        number = shortlist_named(connection, "重点", actor="li.na", now=NOW)
        add_to_shortlist(connection, number, [2], actor="li.na", now=NOW)
        correct(
            connection, 2, {"staff": "95"}, "问过", version=read_firm(connection, 2).version,
            scorer=scorer(), actor="li.na", now=NOW, today=TODAY,
        )  # fmt: skip


def test_the_one_that_stays_has_all_of_both(database: Database) -> None:
    take_in(database, ONE, OTHER)
    worked_on(database)
    join(database)
    with database.read() as connection:
        firm = read_firm(connection, 1)
        assert (firm.name, firm.record["main_business"]) == ("甲公司", BLADES)
        assert firm.record["registered_capital_cny"] == 5_000_000
        assert firm.record["former_names"] == "甲风电"
        assert [entry.stage for entry in outcomes_of(connection, [firm])[1]] == ["visited"]
        assert len(pursuits_of(connection, [1])[1]) == 1
        assert 1 in exclusions_of(connection, [1])
        assert [fact.value for fact in facts_of(connection, [1])[1]] == [95.0]
        assert count_firms(connection) == 1
        assert facets(connection, RankingFilter()).total == 1
        with pytest.raises(MergedFirmError) as refused:
            read_firm(connection, 2)
        assert refused.value.into == 1
        assert how_many(connection, RankingFilter.of(shortlist=1)) == 1


def test_a_merge_is_undone_exactly(database: Database) -> None:
    take_in(database, ONE, OTHER)
    take_in(database, OTHER | {"员工人数": "70"})
    worked_on(database)
    before = everything(database)
    number = join(database)
    assert everything(database) != before
    part(database, number)
    after = everything(database)
    for name, rows in before.items():
        assert after[name] == rows, name


def test_what_was_entered_since_stays_with_the_one_that_stayed(database: Database) -> None:
    take_in(database, ONE, OTHER)
    number = join(database)
    outcome(database, 1, "visited")
    take_in(database, ONE | {"员工人数": "99"})
    part(database, number)
    with database.read() as connection:
        firm, other = read_firm(connection, 1), read_firm(connection, 2)
        assert firm.record["staff"] == 99.0
        assert "former_names" not in firm.record
        assert "registered_capital_cny" not in firm.record
        assert other.record["registered_capital_cny"] == 5_000_000
        assert set(outcomes_of(connection, [firm, other])) == {1}


@pytest.mark.parametrize("codes", [(1, None), (None, 2), (1, 2)])
def test_a_later_list_that_names_either_finds_the_one_that_stays(
    database: Database, codes: tuple[int | None, int | None]
) -> None:
    named = [
        row | ({"统一社会信用代码": code(number)} if number else {"统一社会信用代码": ""})
        for row, number in zip((ONE, OTHER), codes, strict=True)
    ]
    take_in(database, *named)
    number = join(database)
    take_in(database, named[1] | {"营业收入": "900万元"})
    with database.read() as connection:
        firm = read_firm(connection, 1)
        assert (firm.name, firm.record["revenue_cny"]) == ("甲公司", 9_000_000)
        assert firm.record["former_names"] == "甲风电"
        assert count_firms(connection) == 1
    take_in(database, *named)
    with database.read() as connection:
        last = kept_lists(connection)[0].id
        assert [problem.code for problem in problems_of(connection, last)] == ["repeat"]
        assert count_firms(connection) == 1
    part(database, number)
    with database.read() as connection:
        assert count_firms(connection) == 2
        assert read_firm(connection, 2).credit_code == (code(codes[1]) if codes[1] else None)


def test_lists_are_counted_once_and_undone_under_a_merge(database: Database) -> None:
    take_in(database, ONE)
    take_in(database, OTHER)
    join(database)
    with database.read() as connection:
        counts = facets(connection, RankingFilter()).lists
        newest, oldest = [each.id for each in kept_lists(connection)]
        assert counts == {newest: 1, oldest: 1}
        assert ranks(connection, [1], list_id=newest) == {1: 1}
    with database.write() as connection:
        ask_undo(connection, newest, actor="li.na", now=NOW)
        while undo_portion(connection, newest, 10, scorer=scorer(), today=TODAY, now=NOW):
            pass
        firm = read_firm(connection, 1)
    assert "registered_capital_cny" not in firm.record
    assert firm.record["staff"] == 80.0
    assert "former_names" not in firm.record


def test_learning_sees_one_firm(database: Database) -> None:
    take_in(database, ONE, OTHER | {"统一社会信用代码": code(2)})
    outcome(database, 2, "visited")
    join(database)
    with database.read() as connection:
        events = read_outcomes(connection, merged=True)
        snapshots = read_snapshots(connection)
        as_they_came = read_outcomes(connection)
    assert set(events["firm"]) == {code(1)}
    assert set(snapshots["credit_code"]) == {code(1)}
    assert set(as_they_came["credit_code"]) == {code(2)}


def test_firms_that_changed_are_not_merged(database: Database) -> None:
    take_in(database, ONE, OTHER)
    with database.write() as connection, pytest.raises(ChangedFirmError):
        merge(
            connection, 2, 1, "同一家", version=1, into_version=99, scorer=scorer(),
            actor="li.na", now=NOW, today=TODAY,
        )  # fmt: skip
    with database.write() as connection, pytest.raises(BadMergeError):
        merge(
            connection, 1, 1, "同一家", version=1, into_version=1, scorer=scorer(), actor="li.na",
            now=NOW, today=TODAY,
        )  # fmt: skip
    number = join(database)
    part(database, number)
    with database.write() as connection, pytest.raises(BadMergeError):
        split(connection, number, version=1, scorer=scorer(), actor="x", now=NOW, today=TODAY)


def test_a_hidden_firm_stands_nowhere_until_it_is_shown_again(database: Database) -> None:
    take_in(database, ONE, OTHER, {"企业名称": "丙公司", "主营业务": BREAD})
    with database.read() as connection:
        before = connection.execute(select(STANDINGS).order_by(STANDINGS.c.firm_id)).all()
    seen = version(database, 1)
    with database.write() as connection:
        hide(
            connection, 1, "分支机构", version=seen, scorer=scorer(), actor="li.na", now=NOW,
            today=TODAY,
        )  # fmt: skip
    take_in(database, ONE | {"员工人数": "81"})
    with database.read() as connection:
        found = facets(connection, RankingFilter())
        assert found.total == 2
        assert found.lists == {1: 2}
        assert hidden_of(connection, [1])[1].reason == "分支机构"
        listed = connection.scalars(select(LIST_FIRMS.c.firm_id).where(LIST_FIRMS.c.list_id == 1))
        assert sorted(listed) == [1, 2, 3]
        placed = ranks(connection, [2, 3], list_id=1)
        assert sorted(placed.values()) == [1, 2]
    seen = version(database, 1)
    with database.write() as connection:
        show(connection, 1, version=seen, scorer=scorer(), now=NOW, today=TODAY)
    with database.read() as connection:
        after = connection.execute(select(STANDINGS).order_by(STANDINGS.c.firm_id)).all()
    assert [row.firm_id for row in after] == [row.firm_id for row in before]
    assert facets_total(database) == 3


def facets_total(database: Database) -> int:
    with database.read() as connection:
        return facets(connection, RankingFilter()).total


def test_columns_of_the_users_own_are_kept_without_personal_data(database: Database) -> None:
    row = ONE | {"对接批次": "春季", "联系电话": "13900000000", "备忘": "找王经理 13900000001"}
    take_in(database, row)
    with database.read() as connection:
        (own,) = own_fields_of(connection, 1)
        kept = kept_lists(connection)[0]
    assert own.fields == {"对接批次": "春季", "备忘": "找王经理 ***"}
    assert kept.own_columns == ["对接批次", "备忘"]
