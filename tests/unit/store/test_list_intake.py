"""A list becomes firms that are known again, merged field by field, and nothing half-stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, func, select
from tests.kept_lists import (
    BLADES,
    BREAD,
    NOW,
    SCANNERS,
    TODAY,
    code,
    firms,
    hand_in,
    scorer,
    standings,
    take_in,
)

from leadscore.errors import ListError
from leadscore.files import shipped
from leadscore.ranking.batch import Counts
from leadscore.store.current_ranking import SCORES, STANDINGS, score_history
from leadscore.store.database import Database
from leadscore.store.firms import FIRMS
from leadscore.store.list_import import take_in_list
from leadscore.store.lists import (
    LIST_FIRMS,
    UnknownListError,
    count_problems,
    kept_lists,
    problems_of,
    read_kept_list,
)
from leadscore.store.snapshots import snapshots

BEFORE = TODAY - timedelta(days=400)


def count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def names(database: Database) -> list[str]:
    return [firm.name for firm in firms(database)]


def problem_codes(database: Database, list_id: int) -> list[str]:
    with database.read() as connection:
        return [problem.code for problem in problems_of(connection, list_id)]


def test_the_sample_list_is_taken_in_and_every_row_is_counted(database: Database) -> None:
    number = hand_in(
        database, content=shipped("samples", "electronics.csv").read_bytes(), file_name="a/b.csv"
    )
    told: list[float] = []
    counts = take_in_list(
        database, number, scorer=scorer(), now=NOW, today=TODAY,
        progress=lambda fraction, _: told.append(fraction),
    )  # fmt: skip
    assert counts.rows == counts.ranked + counts.vetoed + counts.set_aside == 145
    assert told == sorted(told)
    assert 0.15 in told
    assert told[-1] == 1.0
    with database.read() as connection:
        kept = read_kept_list(connection, number)
        problems = count_problems(connection, number)
    assert (kept.state, kept.progress, kept.model, kept.error) == ("done", 1.0, "m1", None)
    assert kept.counts == {
        "rows": 145, "ranked": counts.ranked, "vetoed": counts.vetoed, "set_aside": 1
    }  # fmt: skip
    assert problems == {"repeat": 1}
    for table in (FIRMS, LIST_FIRMS, SCORES, STANDINGS):
        assert count(database, table) == counts.ranked + counts.vetoed


def test_the_same_list_again_adds_no_firm_and_no_score(database: Database) -> None:
    rows = [{"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES},
            {"name": "乙有限公司", "main_business": BREAD}]  # fmt: skip
    first = take_in(database, *rows)
    again = take_in(database, *rows)
    assert first == again == Counts(rows=2, ranked=2, vetoed=0, set_aside=0)
    assert names(database) == ["甲有限公司", "乙有限公司"]
    assert [firm.version for firm in firms(database)] == [2, 2]
    assert count(database, SCORES) == count(database, snapshots) == 2
    assert count(database, LIST_FIRMS) == 4
    with database.read() as connection:
        assert [kept.id for kept in kept_lists(connection)] == [2, 1]
        assert [kept.id for kept in kept_lists(connection, before=2)] == [1]


def test_a_list_that_was_taken_in_is_not_taken_in_twice(database: Database) -> None:
    number = hand_in(database, {"name": "甲有限公司", "main_business": BLADES})
    runs = [take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY) for _ in range(2)]
    assert runs[0] == runs[1]
    assert [firm.version for firm in firms(database)] == [1]


def test_the_code_decides_before_the_name(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "credit_code": code(1)})
    take_in(database, {"name": "甲（新）有限公司", "credit_code": code(1)},
            {"name": "甲有限公司", "credit_code": code(2)})  # fmt: skip
    assert names(database) == ["甲（新）有限公司", "甲有限公司"]
    assert firms(database)[0].record["former_names"] == "甲有限公司"


def test_a_row_without_a_code_is_the_firm_of_its_name_now_or_before(database: Database) -> None:
    take_in(
        database, {"name": "甲有限公司", "credit_code": code(1), "former_names": "旧甲有限公司"}
    )
    take_in(database, {"name": "甲 有限责任公司", "staff": 10}, {"name": "乙有限公司"})
    take_in(database, {"name": "旧甲有限公司", "patents": 3})
    assert len(firms(database)) == 2
    record = firms(database)[0].record
    assert (record["staff"], record["patents"], record["credit_code"]) == (10, 3, code(1))


def test_a_firm_without_a_code_takes_that_of_the_row_with_its_name(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "staff": 5})
    take_in(database, {"name": "甲有限公司", "credit_code": code(1)})
    assert [firm.credit_code for firm in firms(database)] == [code(1)]
    assert firms(database)[0].record["staff"] == 5


def test_a_name_of_several_codes_links_nothing_and_is_told(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "credit_code": code(1)},
            {"name": "甲有限公司", "credit_code": code(2)})  # fmt: skip
    for _ in range(2):
        number = hand_in(database, {"name": "甲有限公司", "staff": 9})
        take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
        assert problem_codes(database, number) == ["same_name"]
    assert [firm.credit_code for firm in firms(database)] == [code(1), code(2), None]


def test_rows_that_only_the_store_shows_to_be_one_firm_are_ranked_once(database: Database) -> None:
    take_in(
        database, {"name": "甲有限公司", "credit_code": code(1), "former_names": "旧甲有限公司"}
    )
    number = hand_in(
        database, {"name": "甲有限公司", "staff": 9}, {"name": "旧甲有限公司", "patents": 2}
    )
    counts = take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    assert counts == Counts(rows=2, ranked=1, vetoed=0, set_aside=1)
    assert problem_codes(database, number) == ["repeat"]
    record = firms(database)[0].record
    assert (record["staff"], record["patents"]) == (9, 2)


def test_the_newer_list_has_the_last_word_on_each_field(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "staff": 20, "patents": 4})
    take_in(database, {"name": "甲有限公司", "staff": 10, "branches": 2}, as_of=BEFORE)
    firm = firms(database)[0]
    assert {name: firm.record[name] for name in ("staff", "patents", "branches")} == {
        "staff": 20, "patents": 4, "branches": 2
    }  # fmt: skip
    assert firm.origins["staff"] == {
        "list": 1, "row": 2, "at": NOW.isoformat(), "as_of": TODAY.isoformat()
    }  # fmt: skip
    assert firm.origins["branches"]["list"] == 2
    take_in(database, {"name": "甲有限公司", "staff": 30})
    assert firms(database)[0].record["staff"] == 30
    with database.read() as connection:
        said = connection.scalars(select(LIST_FIRMS.c.said).order_by(LIST_FIRMS.c.list_id)).all()
    assert said[0]["staff"] == 20 if said[0] else True
    assert said[1] == {"name": "甲有限公司", "staff": 10, "branches": 2}


def test_a_firm_that_moved_leaves_no_half_of_its_old_place(database: Database) -> None:
    take_in(
        database,
        {"name": "甲有限公司", "province": "广东省", "city": "深圳市", "district": "南山区"},
    )
    take_in(database, {"name": "甲有限公司", "province": "江苏省"})
    record = firms(database)[0].record
    assert record["province"] == "江苏省"
    assert not {"city", "district", "city_code"} & record.keys()
    assert standings(database)["甲有限公司"].region == record["province_code"]


def test_a_changed_firm_is_scored_anew_and_the_old_score_stays(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "main_business": BREAD})
    low = standings(database)["甲有限公司"]
    take_in(database, {"name": "甲有限公司", "main_business": BLADES})
    high = standings(database)["甲有限公司"]
    assert high.priority > low.priority
    with database.read() as connection:
        history = score_history(connection, 1)
    assert [score.id for score in history] == [high.score_id, low.score_id]
    assert [score.priority for score in history] == [high.priority, low.priority]


def test_a_cancelled_import_leaves_nothing_behind_and_may_be_done_later(
    database: Database,
) -> None:
    class Cancelled(BaseException):
        pass

    number = hand_in(database, {"name": "甲有限公司", "main_business": BLADES})
    for stop in range(1, 4):
        left = iter(range(stop - 1))

        def check(left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Cancelled

        with pytest.raises(Cancelled):
            take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY, check=check)
        for table in (FIRMS, LIST_FIRMS, SCORES, STANDINGS, snapshots):
            assert count(database, table) == 0
    counts = take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    assert counts.ranked == 1


def test_a_firm_that_changes_meanwhile_is_merged_with_what_it_has_become(
    database: Database,
) -> None:
    take_in(database, {"name": "甲有限公司", "staff": 5})
    number = hand_in(database, {"name": "甲有限公司", "patents": 7}, {"name": "乙有限公司"})
    meanwhile = [{"name": "甲有限公司", "branches": 3}, {"name": "乙有限公司", "staff": 1}]

    def progress(fraction: float, _words: object) -> None:
        if fraction == 0.15 and meanwhile:
            rows, meanwhile[:] = list(meanwhile), []
            take_in(database, *rows)

    take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY, progress=progress)
    assert names(database) == ["甲有限公司", "乙有限公司"]
    record = firms(database)[0].record
    assert (record["staff"], record["patents"], record["branches"]) == (5, 7, 3)


def test_a_file_that_is_no_list_fails_and_says_why(database: Database) -> None:
    number = hand_in(database, content=b"%PDF-1.7 nothing to read here")
    with pytest.raises(ListError):
        take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    with database.read() as connection:
        kept = read_kept_list(connection, number)
    assert kept.state == "failed"
    assert kept.error is not None
    assert "PDF" in kept.error["zh"]
    with pytest.raises(UnknownListError), database.read() as connection:
        read_kept_list(connection, 99)


@pytest.mark.parametrize(
    ("mapping", "wanted"),
    [
        ({"单位": "name", "注资（万元）": "registered_capital_cny"}, 5e7),
        ({"单位": "name"}, None),
    ],
)
def test_columns_are_read_as_their_owner_says(
    database: Database, mapping: dict[str, str], wanted: Any
) -> None:
    take_in(database, {"单位": "甲有限公司", "注资（万元）": 5000, "成立日期": "2012-03-04"},
            mapping=mapping)  # fmt: skip
    record = firms(database)[0].record
    assert record["founded_on"] == date(2012, 3, 4).isoformat()
    assert record.get("registered_capital_cny") == wanted


@pytest.mark.parametrize("mapping", [{"没有": "name"}, {"单位": "no_column"}])
def test_a_mapping_that_means_nothing_is_refused(
    database: Database, mapping: dict[str, str]
) -> None:
    with pytest.raises(ListError):
        take_in(database, {"单位": "甲有限公司"}, mapping=mapping)
    assert count(database, FIRMS) == 0


def test_vetoes_of_a_list_are_counted_and_shown(database: Database) -> None:
    counts = take_in(database, {"name": "甲有限公司", "status": "注销", "main_business": SCANNERS},
                     {"name": "乙有限公司", "stage": "洽谈"}, {"name": "丙有限公司"},
                     {"name": "丁有限公司", "stage": "投产"})  # fmt: skip
    assert counts == Counts(rows=4, ranked=2, vetoed=2, set_aside=0)
    assert {name: row.veto for name, row in standings(database).items()} == {
        "甲有限公司": "deregistered", "乙有限公司": None, "丙有限公司": None,
        "丁有限公司": "already_here",
    }  # fmt: skip
