"""A profile that was chosen on a page is the one that counts, from a home of before on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.commands import called

from leadscore.errors import CityError
from leadscore.files import shipped
from leadscore.store.database import Database
from leadscore.store.migrations import migrate, open_store
from leadscore.store.profiles import choose_profile, chosen_profile

NOW = datetime(2026, 12, 1, tzinfo=UTC)
CITY = (Path(__file__).parents[2] / "cities" / "lakeport.toml").read_text("utf-8")


def test_a_database_of_the_version_before_has_none_and_takes_one(tmp_path: Path) -> None:
    file = tmp_path / "leadscore.sqlite3"
    before = Database(file)
    migrate(before, "0007")
    before.close()
    database = open_store(file)
    with database.write() as connection:
        assert chosen_profile(connection) is None
        choose_profile(connection, CITY, by="boss", at=NOW)
    with database.read() as connection:
        city = chosen_profile(connection)
        assert city
        assert city.id == "lakeport"
        assert chosen_profile(connection) is city  # read once
    database.close()


def test_the_last_one_counts_and_none_is_ever_taken_away(database: Database) -> None:
    template = shipped("templates", "city.toml").read_text("utf-8")
    with database.write() as connection:
        choose_profile(connection, CITY, by="boss", at=NOW)
        choose_profile(connection, template, by="boss", at=NOW)
    with database.read() as connection:
        city = chosen_profile(connection)
    assert city
    assert city.id == "example"
    for act in ("DELETE FROM chosen_profiles", "UPDATE chosen_profiles SET content = ''"):
        with pytest.raises(DBAPIError), database.write() as connection:
            connection.execute(text(act))


def test_one_with_mistakes_is_not_kept(database: Database) -> None:
    with pytest.raises(CityError), database.write() as connection:
        choose_profile(connection, CITY.replace('"weak"', '"tiny"'), by="boss", at=NOW)
    with database.read() as connection:
        assert chosen_profile(connection) is None


def test_commands_rank_for_the_city_that_was_chosen(tmp_path: Path) -> None:
    database = open_store(tmp_path / "leadscore.sqlite3")
    with database.write() as connection:
        choose_profile(connection, CITY, by="boss", at=NOW)
    database.close()
    firms = tmp_path / "firms.csv"
    firms.write_text("企业名称,主营业务\n甲有限公司,风电叶片的生产\n", encoding="utf-8")
    done = called("rank", firms, "--lang", "en", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Blades" in done.stdout
    listed = called("models", "list", "--lang", "en", home=tmp_path)
    assert "Lakeport" in listed.stdout + listed.stderr or "lakeport" in listed.stdout
    named = called("rank", firms, "--lang", "en", "--no-keep", home=tmp_path,
                   LEADSCORE_CITY=str(shipped("cities", "nanchang.toml")))  # fmt: skip
    assert "Blades" not in named.stdout
