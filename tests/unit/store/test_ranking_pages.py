"""The ranking filters, sorts and pages alike on every database, and never loses a firm between."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update
from tests.kept_lists import BLADES, BREAD, SCANNERS, code, standings, take_in

from leadscore.ranking.order import order_key
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.database import Database
from leadscore.store.facets import FACETS, choices, facets
from leadscore.store.ranking import (
    NONE,
    SORTS,
    BadCursorError,
    Cursor,
    RankingFilter,
    Sort,
    ranking_page,
    read_cursor,
    whole_ranking,
)

FIRST = [
    {"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES, "province": "广东省",
     "city": "深圳市", "staff": 900},
    {"name": "乙有限公司", "credit_code": code(2), "main_business": SCANNERS, "province": "广东省",
     "city": "东莞市"},
    {"name": "丙有限公司", "main_business": BREAD, "province": "江苏省"},
    {"name": "丁有限公司", "main_business": BLADES, "status": "注销"},
]  # fmt: skip
SECOND = [
    {"name": "戊ＬＥＤ_50%有限公司", "main_business": "LED芯片", "stage": "洽谈"},
    {"name": "甲有限公司", "credit_code": code(1), "patents": 3},
    {"name": "己有限公司"},
    {"name": "庚有限公司"},
]


@pytest.fixture
def filled(database: Database) -> Database:
    take_in(database, *FIRST)
    take_in(database, *SECOND)
    return database


def found(database: Database, sort: Sort = "-priority", limit: int = 50, **asked: Any) -> list[str]:
    """Return the names of all firms that are asked for, page by page."""
    return [row["name"] for page in pages(database, sort, limit, **asked) for row in page]


def pages(database: Database, sort: Sort, limit: int, **asked: Any) -> Iterator[Any]:
    after = None
    with database.read() as connection:
        while True:
            page = ranking_page(
                connection, RankingFilter.of(**asked), sort=sort, after=after, limit=limit
            )
            yield page.firms
            if page.next is None:
                return
            assert len(page.firms) == limit
            after = read_cursor(page.next.written(), sort)


def usual(row: Any) -> tuple[Any, ...]:
    """Return by what firms are sorted; see `leadscore.ranking.order`."""
    code = row.credit_code
    return row.vetoed, -row.priority, -row.likelihood, -row.fit, row.name, code is None, code


def test_vetoed_firms_follow_the_others_and_priority_decides(filled: Database) -> None:
    at = standings(filled)
    names = found(filled)
    assert set(names) == set(at)
    assert [at[name].vetoed for name in names[-2:]] == [False, True]
    assert names == [row.name for row in sorted(at.values(), key=usual)]


def test_pages_of_any_length_are_the_whole_ranking(filled: Database) -> None:
    for sort in SORTS:
        check_pages(filled, sort)


def check_pages(filled: Database, sort: Sort) -> None:
    whole = found(filled, sort)
    assert len(whole) == len(set(whole)) == 7
    for limit in (1, 2, 3, 6, 7):
        assert found(filled, sort, limit) == whole
    at, by = standings(filled), sort.removeprefix("-")
    highest_first = sorted(at.values(), key=usual)
    highest_first.sort(key=lambda row: getattr(row, by), reverse=by != "name")
    turned = sort in ("priority", "likelihood", "fit", "-name")
    ordered = highest_first[::-1] if turned else highest_first
    assert whole == [row.name for row in sorted(ordered, key=lambda row: row.vetoed)]
    with filled.read() as connection:
        exported = [
            row["name"] for part in whole_ranking(connection, RankingFilter(), sort=sort)
            for row in part
        ]  # fmt: skip
    assert exported == whole


def test_firms_of_which_nothing_differs_are_still_on_one_page_each(filled: Database) -> None:
    """As when a firm stands twice under two names and a third list gives both the same."""
    at = standings(filled)
    one, other = at["己有限公司"], at["庚有限公司"]
    key = one.order_key[:-8]
    with filled.write() as connection:
        same = {"name": one.name, "order_key": key + other.firm_id.to_bytes(8)}
        connection.execute(
            update(STANDINGS).where(STANDINGS.c.firm_id == other.firm_id).values(same)
        )
    for sort in SORTS:
        ids = [row["firm_id"] for page in pages(filled, sort, 1) for row in page]
        assert sorted(ids) == sorted(row.firm_id for row in at.values())


ASKED: list[tuple[dict[str, Any], str]] = [
    ({"list_id": 1}, "甲乙丙丁"),
    ({"list_id": 2}, "甲戊己庚"),
    ({"list_id": 9}, ""),
    ({"veto": "no"}, "甲乙丙戊己庚"),
    ({"veto": "yes"}, "丁"),
    ({"veto": "deregistered"}, "丁"),
    ({"veto": "excluded"}, ""),
    ({"stage": "negotiating"}, "戊"),
    ({"stage": "none"}, "甲乙丙丁己庚"),
    ({"owner": "none"}, "甲乙丙丁戊己庚"),
    ({"region": "44"}, "甲乙"),
    ({"region": "4403"}, "甲"),
    ({"region": "4"}, "甲乙"),
    ({"region": "广东省"}, "甲乙"),
    ({"region": "东莞市"}, "乙"),
    ({"region": "45"}, ""),
    ({"text": "ct机"}, "乙"),
    ({"text": "led"}, "戊"),
    ({"text": "有限 叶片"}, "甲丁"),
    ({"text": "50%"}, "戊"),
    ({"text": "%"}, "戊"),
    ({"text": "_"}, "戊"),
    ({"text": "' OR 1=1 --"}, ""),
    ({"text": code(2)[5:]}, "乙"),
    ({"text": "  "}, "甲乙丙丁戊己庚"),
    ({"text": "叶片", "veto": "no", "region": "44"}, "甲"),
]


def test_each_filter_finds_its_firms(filled: Database) -> None:
    for asked, names in ASKED:
        assert sorted(name[0] for name in found(filled, **asked)) == sorted(names), asked
        with filled.read() as connection:
            assert facets(connection, RankingFilter.of(**asked)).total == len(names), asked


def test_filters_by_what_the_city_lacks(filled: Database) -> None:
    at = standings(filled)
    blades = at["甲有限公司"]
    assert blades.chain == blades.segment.partition(".")[0]
    same = {name for name, row in at.items() if row.segment == blades.segment}
    assert "丁有限公司" in same
    assert set(found(filled, segment=blades.segment)) == same
    chain = {name for name, row in at.items() if row.chain == blades.chain}
    assert set(found(filled, chain=blades.chain)) == chain
    none = {name for name, row in at.items() if row.chain is None}
    assert none
    assert set(found(filled, chain="none")) == none
    makers = {name for name, row in at.items() if row.role == "maker"}
    assert set(found(filled, role="maker")) == makers
    for grade in "ABCD":
        assert set(found(filled, grade=grade)) == {n for n, r in at.items() if r.grade == grade}
    assert set(found(filled, grade="ABCD")) == set(at)


def test_facets_count_what_the_filter_leaves(filled: Database) -> None:
    at = standings(filled)
    with filled.read() as connection:
        every = facets(connection, RankingFilter())
        some = facets(connection, RankingFilter.of(list_id=2))
    assert every.total == 7
    assert every.lists == {1: 4, 2: 4}
    assert every.counts["veto"] == {None: 6, "deregistered": 1}
    assert sum(every.counts["grade"].values()) == 7
    assert every.counts["segment"][at["甲有限公司"].segment] == 2
    assert some.total == 4
    assert some.lists == {1: 1, 2: 4}


@pytest.mark.parametrize(
    "asked",
    [{}, {"grade": "AB"}, {"segment": NONE, "veto": "no"}, {"veto": "yes", "region": "44"},
     {"text": "有限", "role": "maker", "list_id": 1}],
)  # fmt: skip
def test_choices_count_each_filter_as_if_it_were_not_set(
    filled: Database, asked: dict[str, Any]
) -> None:
    meant = RankingFilter.of(**asked)
    with filled.read() as connection:
        shown = choices(connection, meant)
        assert shown.total == facets(connection, meant).total == len(found(filled, **asked))
        for name in FACETS:
            free = facets(connection, replace(meant, **{name: ()}))
            assert shown.by[name] == free.counts[name], name
        assert shown.lists == facets(connection, replace(meant, list_id=())).lists


def test_a_page_carries_reasons_and_where_the_firm_was_seen(filled: Database) -> None:
    with filled.read() as connection:
        page = ranking_page(connection, RankingFilter.of(text="甲"))
    (row,) = page.firms
    assert (row["list_id"], row["row"], row["model"]) == (2, 3, "m1")
    assert row["reasons"][0]["points"] > 0
    assert row["reasons"][0].keys() == {"feature", "points"}
    assert row["record"]["name"] == row["name"]


KEY = order_key(vetoed=False, priority=0.5, likelihood=0.5, fit=0.5, name="甲", credit_code=None)


def as_cursor(*plain: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "", "!", "e30", "bnVsbA", "A" * 10_000, "W10", "é",
        Cursor("fit", 0.5, KEY).written(),
        as_cursor("-priority", None, "é"),
        as_cursor("-priority", None, 5),
        as_cursor("-priority", None),
        as_cursor("-priority", False, 0.5, 1),  # of an earlier version
    ],
)  # fmt: skip
def test_a_cursor_that_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(BadCursorError):
        read_cursor(text, "-priority")


def test_a_cursor_of_a_segment_is_refused_elsewhere_and_the_other_way_round(
    filled: Database,
) -> None:
    with filled.read() as connection:
        everywhere = RankingFilter()
        segments = facets(connection, everywhere).counts["segment"].keys() - {None}
        there = RankingFilter.of(segment=min(filter(None, segments)))
        for asked, value in ((everywhere, 0.5), (there, None)):
            with pytest.raises(BadCursorError):
                ranking_page(connection, asked, after=Cursor("-priority", value, KEY))


@pytest.mark.parametrize("value", ["甲", None, True, 7.0, -0.1, float("nan"), float("inf")])
def test_a_cursor_with_a_value_that_no_likelihood_has_is_refused(value: Any) -> None:
    with pytest.raises(BadCursorError):
        read_cursor(Cursor("-likelihood", value, KEY).written(), "-likelihood")


@pytest.mark.parametrize("name", ["a\0b", "\ud800", 5])
def test_a_cursor_with_text_that_no_database_takes_is_refused(name: Any) -> None:
    with pytest.raises(BadCursorError):
        read_cursor(as_cursor("name", name, ""), "name")
