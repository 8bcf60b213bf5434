"""What a list with its date teaches, what is known as of a day, and the tables of ledgers."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.engine import URL
from tests.kept_lists import BLADES, BREAD, NOW, TODAY, code, firms, take_in
from tests.unit.store.test_migrating import blank_url  # noqa: F401 (a fixture)

from leadscore.store.database import Database, insert_row
from leadscore.store.facts import FACTS
from leadscore.store.ledgers import keep_ledger, waiting_ledger
from leadscore.store.migrations import migrate
from leadscore.store.snapshots import read_dated_facts, read_snapshots

PAST = date(2022, 1, 1)


def known(database: Database) -> list[tuple[date, str, Any]]:
    with database.read() as connection:
        table = read_snapshots(connection)
    rows = table.sort_values(["as_of", "kept"])[["as_of", "main_business", "staff"]]
    return [(day.date(), text, staff) for day, text, staff in rows.itertuples(index=False)]


def test_a_list_with_its_date_is_known_as_of_it_and_as_it_was(database: Database) -> None:
    """What a newer list says does not stand in the snapshot of the older one."""
    one = {"name": "甲有限公司", "credit_code": code(1)}
    take_in(database, one | {"main_business": BREAD, "staff": 9})
    take_in(database, one | {"main_business": BLADES}, as_of=PAST)
    (first, *_) = known(database)
    assert first[:2] == (PAST, BLADES)
    assert first[2] != first[2]  # the staff of today's list was not known then
    assert {day for day, *_ in known(database)} == {PAST, TODAY}
    assert firms(database)[0].record["main_business"] == BREAD


def test_a_list_of_today_is_known_once(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "main_business": BREAD})
    assert [day for day, *_ in known(database)] == [TODAY]


def test_dated_facts_are_read_but_for_those_withdrawn(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "credit_code": code(1)})
    same = {
        "firm_id": firms(database)[0].id, "recorded_at": NOW, "recorded_by": "li.na",
        "source": "test", "valid_from": PAST,
    }  # fmt: skip
    with database.write() as connection:
        for field, value, gone in (
            ("segments", ["wind.blades", "wind.towers"], None), ("main_business", BLADES, None),
            ("staff", 80.0, NOW), ("grade", "A", None),
        ):  # fmt: skip
            row = same | {"field": field, "value": value, "withdrawn_at": gone}
            insert_row(connection, FACTS, row)
    with database.read() as connection:
        table = read_dated_facts(connection)
    assert table[["field", "value"]].to_numpy().tolist() == [
        ["segments", "wind.blades;wind.towers"], ["main_business", BLADES],
    ]  # fmt: skip
    assert table["credit_code"].tolist() == [code(1)] * 2
    assert (table["valid_from"].dt.date == PAST).all()


def test_without_facts_there_is_an_empty_table(database: Database) -> None:
    with database.read() as connection:
        table = read_dated_facts(connection)
    assert len(table) == 0
    assert table["valid_from"].dtype.kind == "M"


def test_a_home_of_the_version_before_gets_the_tables(blank_url: URL) -> None:  # noqa: F811
    database = Database(blank_url)
    migrate(database, "0007")
    with database.read() as connection:
        assert "ledgers" not in inspect(connection).get_table_names()
    assert migrate(database)
    with database.write() as connection:
        token = keep_ledger(connection, file_name="a.csv", content=b"x", actor="li", now=NOW)
    with database.read() as connection:
        assert waiting_ledger(connection, token, actor="li", now=NOW).content == b"x"
    database.close()
