"""A search finds what a scan of all texts finds, whatever its words, and facets count just that."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from tests.kept_lists import BLADES, BREAD, SCANNERS, take_in

from leadscore.store.current_ranking import (
    FIRM_SEGMENTS,
    SCORES,
    STANDING_TEXTS,
    STANDINGS,
    words_of,
)
from leadscore.store.database import Database
from leadscore.store.facets import FACETS, choices, facets, how_many
from leadscore.store.firms import FIRMS
from leadscore.store.lists import LIST_FIRMS
from leadscore.store.quadrants import points
from leadscore.store.ranking import RankingFilter, ranking_page

NAMES = (
    "研发科技有限公司", "研·发", "发研", "Ａ研发Ｂ", "研 发", "LED-50%_厂", "a\"b''c", "\"研发\"*",
    "x AND y", "NEAR(研 发)", "𠮷田𠮷", "𠮷", "e\u0301a", "ＦＩ\ufb01", "İstanbul", "ßẞ", "%", "_",
    "\\", "研", "a", "1234567890", "{a,b}", "NULL", "研研研研", "\u200b研\u200d发", "^甲$",
    "a:b -c +d", "ǅ\u0345", "한국", "\U0010ffff甲",
)  # fmt: skip
ASKED = (
    "研", "a", "𠮷", "%", "_", "'", '"', "\\", "*", "1", "研发", "发研", "𠮷田", "田𠮷", "ab", 'a"',
    "''", "''c", "50%", "%_", '"研', '"*', "研发科技", "有限公司", "研发科技有限公司", "研 发",
    "发 研 a", "led", "ＬＥＤ", "LED-5", "x and", "AND", "OR", "NOT", "near(", "{a,b}", "null",
    "研研", "研研研", "研研研研研", "^甲", "a:b", "-c", "+d", "rowid:1", "bigrams", "fi",
    "i\u0307s", "ss", "\u0301", "e\u0301", "한국", "\U0010ffff", "\U0010ffff甲", "\u200b",
    "\u200b研", "\x01", "\x01a", "b\x01", "a\x7fb", "\x7f", "b\x01\x02c", "x\x1fy", "研\x00发",
    "\ud800", "研\udfff", "不在", " ", "", "甲 " * 12, "生产和销售", "a" * 200, "研发" * 100,
)  # fmt: skip
"""Single characters, pairs, phrases, what means something to SQL, FTS5 or arrays, and no text."""


@pytest.fixture
def filled(database: Database) -> Database:
    """A store of firms with awkward texts, some with what no list brings in."""
    trades = (BLADES, SCANNERS, BREAD)
    take_in(
        database,
        *({"name": f"{name}{at}厂", "main_business": f"{trades[at % 3]}；{name}"}
          for at, name in enumerate(NAMES)),
    )  # fmt: skip
    odd = ("a\x01b\x01\x02c", "研\x01发", "a\x7fb", "\t研\n发\r", "研", "", "\x01", "a", "𠮷")
    with database.write() as connection:
        for firm_id, text in zip(texts(database), odd, strict=False):
            changed = update(STANDING_TEXTS).where(STANDING_TEXTS.c.firm_id == firm_id)
            connection.execute(changed.values(text=text))
    return database


def texts(database: Database) -> dict[int, str]:
    with database.read() as connection:
        query = select(STANDING_TEXTS.c.firm_id, STANDING_TEXTS.c.text)
        return {row.firm_id: row.text for row in connection.execute(query)}


def scanned(database: Database, asked: str) -> set[int]:
    words = words_of(asked)
    return {n for n, text in texts(database).items() if all(word in text for word in words)}


def found(database: Database, **asked: Any) -> set[int]:
    with database.read() as connection:
        rows = points(connection, RankingFilter.of(**asked), limit=10_000)
    numbers = {row["firm_id"] for row in rows}
    assert len(numbers) == len(rows)
    return numbers


def test_awkward_words_find_what_a_scan_finds(filled: Database) -> None:
    some = random.Random(12)  # noqa: S311 - no secret
    asked = list(ASKED)
    for text in texts(filled).values():
        for length in (1, 2, 4):
            at = some.randrange(max(len(text) - length, 0) + 1)
            piece = text[at : at + length]
            asked += [piece, f"{piece[::-1].upper()} 厂"]
    hits = 0
    for text in dict.fromkeys(asked):
        expected = scanned(filled, text)
        assert found(filled, text=text) == expected, text
        hits += 0 < len(expected) < len(texts(filled))
    assert hits > 100


def test_the_index_follows_every_change_of_a_text(filled: Database) -> None:
    first, second, third, *_ = texts(filled)
    at = STANDING_TEXTS.c
    with filled.write() as connection:
        connection.execute(update(STANDING_TEXTS).where(at.firm_id == first).values(text="新词甲"))
        connection.execute(delete(STANDING_TEXTS).where(at.firm_id == second))
        connection.execute(delete(STANDING_TEXTS).where(at.firm_id == third))
        connection.execute(insert(STANDING_TEXTS).values(firm_id=third, text="新词乙"))
    assert found(filled, text="新词") == {first, third}
    for asked in ("研发", "研", "厂", "新词甲", "a\x01b"):
        assert found(filled, text=asked) == scanned(filled, asked), asked


MANY = 4_200
"""Of each of two lists more than are looked up one by one."""


@pytest.fixture
def many(database: Database) -> Database:
    """A store of many firms that are like two others, half of them in a second list."""
    take_in(database, {"name": "甲研发厂", "main_business": BLADES, "province": "广东省"})
    take_in(database, {"name": "乙研发厂", "main_business": BREAD})
    with database.write() as connection:
        for table in (FIRMS, SCORES, STANDINGS, STANDING_TEXTS, LIST_FIRMS, FIRM_SEGMENTS):
            key = table.c["id" if table is FIRMS else "firm_id"]
            kept = [dict(row) for row in connection.execute(select(table)).mappings()]
            rows = []
            for number in range(1, MANY + 1):
                if table is FIRM_SEGMENTS and number % 2:  # the other firm works in none
                    continue
                row = kept[number % 2] | {key.name: number + 10}
                if table is SCORES:
                    row |= {"id": number + 10}
                if table is STANDINGS:
                    row |= {"score_id": number + 10}
                if "order_key" in row:
                    row["order_key"] = row["order_key"][:-8] + (number + 10).to_bytes(8)
                if table is STANDING_TEXTS and number % 700 == 0:
                    row["text"] += "\n罕见"
                rows.append(row)
            connection.execute(table.insert(), rows)
    return database


MEANT: list[dict[str, Any]] = [
    {"text": "研发"}, {"text": "研"}, {"text": "的研发、生产"}, {"text": "面包 研发"},
    {"text": "罕见"}, {"text": "研发", "region": "广东省"}, {"text": "研发", "list_id": 1},
    {"list_id": 2}, {"text": "研发", "role": "none", "veto": "no"},
    {"text": "研发", "grade": "ABCD"}, {}, {"segment": "wind.blade"}, {"chain": ["wind", "none"]},
]  # fmt: skip


def test_frequent_words_are_counted_as_they_are_found(many: Database) -> None:
    with many.read() as connection:
        rows = {row.firm_id: row for row in connection.execute(select(STANDINGS))}
        in_lists = connection.execute(select(LIST_FIRMS.c.firm_id, LIST_FIRMS.c.list_id)).all()
    for asked in MEANT:
        held = {number for number, list_id in in_lists if list_id == asked.get("list_id", list_id)}
        held &= scanned(many, asked.get("text", ""))
        if "region" in asked:
            held = {number for number in held if rows[number].province == asked["region"]}
        if "segment" in asked:
            held = {number for number in held if rows[number].segment == asked["segment"]}
        if "role" in asked:
            held = {number for number in held if rows[number].role is None}
        assert len(held) > (2 if asked.get("text") == "罕见" else MANY // 3), asked
        assert found(many, **asked) == held, asked
        meant = RankingFilter.of(**asked)
        with many.read() as connection:
            counted, shown = facets(connection, meant), choices(connection, meant)
            assert len(ranking_page(connection, meant).firms) == min(50, len(held))
            assert how_many(connection, meant) == counted.total == shown.total == len(held)
        for name in FACETS:  # each of these firms works in one segment at most
            values = Counter(getattr(rows[number], name) for number in held)
            assert counted.counts[name] == values, (asked, name)
        lists = Counter(list_id for number, list_id in in_lists if number in held)
        assert counted.lists == lists, asked
        assert "list_id" in asked or shown.lists == lists, asked


def test_counts_of_all_firms_are_those_of_now(many: Database) -> None:
    other = Database(many.url)
    with many.read() as connection:
        before = choices(connection, RankingFilter())
    assert before.by["stage"] == {None: MANY + 2}
    changed = update(STANDINGS).where(STANDINGS.c.firm_id <= 2)
    with other.write() as connection:
        connection.execute(changed.values(stage="visited"))
        assert choices(connection, RankingFilter()).by["stage"] == {None: MANY, "visited": 2}
        with many.read() as elsewhere:
            assert choices(elsewhere, RankingFilter()) == before
    with many.read() as connection:
        now = choices(connection, RankingFilter.of(grade="ABCD"))
    assert now.by["stage"] == {None: MANY, "visited": 2}
    other.close()
