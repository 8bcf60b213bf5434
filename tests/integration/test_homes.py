"""Homes of c1d0778 are taken over by a command, and served, as they were; on both databases."""

from __future__ import annotations

import contextlib
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from tests.champions import history, line
from tests.crash.office import Office, Point
from tests.unit.learning.test_homes import EXACT, KEPT, NAMES, TODAY, likelihood, measured_then

from leadscore.city.profile import City
from leadscore.files import shipped
from leadscore.learning.scorecard import probability
from leadscore.lists.cleaning import clean
from leadscore.lists.reading import read_list
from leadscore.registry.models import expert_version, is_expert
from leadscore.settings import Settings
from leadscore.startup import open_city, scorer_of
from leadscore.store.database import Database
from leadscore.store.migrations import migrate
from leadscore.store.profiles import changes_of

TOLD: dict[str, dict[str, Any]] = json.loads((KEPT / "c1d0778.json").read_text("utf-8"))
OLD = "0004"
"""What c1d0778 brought a database to."""
NANCHANG = KEPT / "nanchang.toml"
"""The profile that was shipped then."""
Blank = Callable[[Path], Database]


class House(Office):
    """A home of the tests' own, which may be of an earlier program."""

    def __post_init__(self) -> None:
        self.watched()

    def listed(self) -> str:
        code, said = self.run("models", "list")
        assert code == 0, said
        return said

    def state(self) -> tuple[Any, ...]:
        with self.database.read() as connection:
            changes = changes_of(connection, "nanchang")
        return history(self.database, "nanchang"), changes

    def ready(self) -> tuple[int, Any]:
        """Return what the service says of itself."""
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest) -> Iterator[Blank]:
    """Return what makes a database without any tables for a home."""
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":

            def make(home: Path) -> Database:
                database = Database(home / "leadscore.sqlite3")
                stack.callback(database.close)
                return database

            yield make
            return
        url: URL = request.getfixturevalue("postgresql_url")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        stack.callback(engine.dispose)

        def make_there(home: Path) -> Database:
            name = f"home_{home.name}"
            with engine.connect() as connection:
                connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                connection.execute(text(f"CREATE DATABASE {name}"))
            database = Database(url.set(database=name))
            stack.callback(database.close)
            return database

        yield make_there


@pytest.fixture
def house(request: pytest.FixtureRequest, blank: Blank, tmp_path: Path) -> House:
    """Return a kept home, with the database that its program would have made."""
    name = request.param
    with tarfile.open(KEPT / "c1d0778.tar.xz") as archive:
        members = [m for m in archive.getmembers() if m.name.startswith(f"./{name}/")]
        archive.extractall(tmp_path, members, filter="data")
    home = tmp_path / name
    for key in home.glob("keys/models.key"):
        key.chmod(0o600)
    database = blank(home)
    migrate(database, OLD)
    return House(home, database, city=NANCHANG)


def settings(house: House) -> Settings:
    url = house.database.url
    address = None if house.database.path else url.render_as_string(hide_password=False)
    return Settings(home=house.home, database=address, city=NANCHANG)


def check(house: House, name: str) -> None:
    told, known = TOLD[name], settings(house)
    city: City = open_city(known, None, house.database)
    scorer = scorer_of(known, None, house.database, notify=lambda _: None)
    firms = clean(read_list(shipped("samples", "electronics.csv")), today=TODAY).firms
    of_then = probability(scorer.card.scorecard.decision(measured_then()[name]))
    np.testing.assert_allclose(of_then, told["likelihood"], rtol=0, atol=EXACT)
    # Matched as today, most firms stay what they were.
    moved = np.abs(np.array(likelihood(scorer, firms)) - told["likelihood"])
    assert np.median(moved) < EXACT
    if is_expert("nanchang", told["champion"]):
        assert scorer.model == expert_version(city)
    else:
        assert scorer.model == told["champion"] == line(house.database, "nanchang")[0]
    assert len(house.state()[1]) == (1 if name == "supply" else 0)


@pytest.mark.parametrize(("house", "name"), [(n, n) for n in NAMES], indirect=["house"], ids=NAMES)
def test_a_kept_home_is_backed_up_taken_over_once_and_comes_back_from_the_backup(
    house: House, name: str, blank: Blank, tmp_path: Path
) -> None:
    house.listed()
    check(house, name)  # which makes the experts' model of this program, where that serves
    said = house.listed()
    before, (backup,) = house.state(), (house.home / "backups").iterdir()
    assert len(before[0]) >= 1
    assert before[0][-1].version in said
    assert house.listed() == said
    assert house.state() == before
    assert list((house.home / "backups").iterdir()) == [backup]

    empty = tmp_path / "empty"
    shutil.copytree(house.home / "keys", empty / "keys")
    other = House(empty, blank(empty), city=NANCHANG)
    code, told = other.run("db", "restore", backup)
    assert code == 0, told
    other.listed()  # whoever opens it first takes over
    check(other, name)
    assert other.listed() == said
    assert other.state() == before


@pytest.mark.parametrize("house", ["supply"], indirect=True)
def test_taking_over_that_is_killed_goes_on_at_the_next_start(house: House) -> None:
    for point in (
        Point("part.before"), Point("file.before"), Point("file.after"), Point("write.before"),
        Point("write.after"),
    ):  # fmt: skip
        assert house.killed(point, "models", "list") == (None, True), point
    house.listed()
    check(house, "supply")
    assert [promotion.number for promotion in house.state()[0]] == [1, 2, 3]
    assert list(house.home.glob("backups/*.backup"))


@pytest.mark.parametrize("house", ["trained"], indirect=True)
def test_a_kept_home_is_served(house: House) -> None:
    house.serve()
    status, answer = house.ready()
    house.end()
    assert status == 200, answer
    assert answer["model"] == TOLD["trained"]["champion"]
