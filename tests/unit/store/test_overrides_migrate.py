"""What officers overrode in a home of the version before counts as corrections from then on."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.engine import URL
from tests.kept_lists import BREAD, NOW, TODAY, scorer, standings, take_in
from tests.unit.store import test_migrating
from tests.unit.store.test_migrating import _at_version, _rows

from leadscore.store.database import Database
from leadscore.store.facts import FACTS
from leadscore.store.jobs import JOBS
from leadscore.store.migrations import migrate
from leadscore.store.scoring import rescore

blank_url = test_migrating.blank_url


def facts(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        rows = connection.execute(select(FACTS).order_by(FACTS.c.firm_id, FACTS.c.field))
        return [dict(row) for row in rows.mappings()]


@pytest.mark.parametrize("overridden", [True, False])
def test_overrides_become_facts_and_the_firms_are_scored_anew(
    blank_url: URL, overridden: bool
) -> None:
    database = Database(blank_url)
    migrate(database)
    take_in(database, {"name": "甲有限公司", "main_business": BREAD}, {"name": "乙有限公司"})
    made_by_migrations = {"generation": [], "stages": []}
    kept = _rows(database) | made_by_migrations
    database = _at_version(blank_url, "0007", kept, database)
    if overridden:
        with database.engine.begin() as connection:
            connection.execute(
                text(
                    'INSERT INTO overrides (firm_id, "values", reason, "by", at, version)'
                    " VALUES (1, :said, 'they make blades', 'li.na', :at, 2)"
                ),
                {
                    "said": '{"segment": "wind.blade", "grade": "A"}',
                    "at": f"{NOW:%Y-%m-%d %H:%M:%S.%f}",
                },
            )
    assert migrate(database)
    with database.read() as connection:
        jobs = connection.execute(select(JOBS.c.kind, JOBS.c.state)).all()
        assert not inspect(connection).has_table("overrides")
    made = [(each["field"], each["value"], each["reason"]) for each in facts(database)]
    if not overridden:
        assert (made, jobs) == ([], [])
        database.close()
        return
    assert made == [
        ("grade", "A", "they make blades"), ("segments", ["wind.blade"], "they make blades")
    ]  # fmt: skip
    assert {(each["recorded_by"], each["valid_from"]) for each in facts(database)} == {
        ("li.na", NOW.date())
    }
    assert jobs == [("rescore", "waiting")]
    rescore(database, scorer=scorer(), today=TODAY, clock=lambda: NOW)
    row = standings(database)["甲有限公司"]
    assert (row.grade, row.segment, row.overridden) == ("A", "wind.blade", True)
    database.close()
