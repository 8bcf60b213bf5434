"""A profile has versions: what administrators changed, on top of a file that nobody writes into."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadscore.city import City, load_city
from leadscore.city.profile import differ_in_supply_only, supplies, with_supplies
from leadscore.city.versions import NoChangeError, ProfileChangedError, ProfileVersion
from leadscore.store.database import Database
from leadscore.store.profiles import Profiles

LAKEPORT = Path(__file__).parents[2] / "cities" / "lakeport.toml"
NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


@pytest.fixture
def city() -> City:
    return load_city(LAKEPORT)


@pytest.fixture
def segment(city: City) -> str:
    """Return a segment that the city has, and of which no neighbour delivers as much."""
    return max(city.segments, key=city.supply)


@pytest.fixture
def profiles(city: City, database: Database) -> Profiles:
    return Profiles(lambda: city, database)


def change(profiles: Profiles, supply: dict[str, float], **other: object) -> ProfileVersion:
    told = {"seen": profiles.current().city.digest, "by": "wang", "at": NOW, "reason": "closed"}
    with profiles._database.write() as connection:
        return profiles.change(connection, supply, **told | other)  # type: ignore[arg-type]


def test_another_supply_changes_the_gap_and_nothing_else(city: City, segment: str) -> None:
    less = with_supplies(city, {segment: 0.1})
    assert less.supply(segment) == 0.1
    assert less.gap(segment) > city.gap(segment)
    assert supplies(less) == supplies(city) | {segment: 0.1}
    assert differ_in_supply_only(city, less)
    assert with_supplies(less, {segment: city.supply(segment)}).digest == city.digest
    roles = city.model_copy(update={"roles": {**city.roles, "trade": 0.9}})
    assert not differ_in_supply_only(city, roles)


@pytest.mark.parametrize("supply", [-0.1, 1.1, float("nan")])
def test_a_supply_is_a_share(city: City, segment: str, supply: float) -> None:
    with pytest.raises(ValueError, match="supply"):
        with_supplies(city, {segment: supply})


def test_without_changes_the_profile_is_its_file(profiles: Profiles, city: City) -> None:
    present = profiles.current()
    assert (present.number, present.city, present.changes) == (1, city, ())
    assert profiles.current().number_of(city) == 1


def test_a_change_is_kept_as_a_version_and_read_by_others(
    profiles: Profiles, city: City, segment: str, database: Database
) -> None:
    before = LAKEPORT.read_bytes()
    made = change(profiles, {segment: 0.1})
    assert made.number == 2
    other = Profiles(lambda: city, database).current()
    assert other == made
    assert other.city.supply(segment) == 0.1
    step = other.changes[0].supply[segment]
    assert (step.before, step.after) == (city.supply(segment), 0.1)
    assert (other.changes[0].by, other.changes[0].at) == ("wang", NOW)
    assert other.changes[0].reason == "closed"
    assert LAKEPORT.read_bytes() == before


def test_changes_lie_one_on_the_other_and_can_be_taken_back(
    profiles: Profiles, city: City, segment: str
) -> None:
    second = min(city.segments, key=city.supply)
    assert change(profiles, {segment: 0.1}).number == 2
    assert change(profiles, {second: 0.9}).number == 3
    last = change(profiles, {segment: city.supply(segment)})
    assert last.number == 4
    assert supplies(last.city) == supplies(city) | {second: 0.9}
    assert profiles.current() == last
    assert [profiles.current().number_of(each) for each in (city, last.city)] == [1, 4]
    assert profiles.current().number_of(with_supplies(city, {segment: 0.77})) is None


def test_what_the_file_says_anew_goes_before_an_older_change(
    city: City, segment: str, database: Database
) -> None:
    files = [city]
    profiles = Profiles(lambda: files[-1], database)
    second = min(city.segments, key=city.supply)
    change(profiles, {segment: 0.1})
    change(profiles, {second: 0.9})
    files.append(with_supplies(city, {segment: 0.6}))
    present = profiles.current()
    assert present.city.supply(segment) == 0.6
    assert present.city.supply(second) == 0.9
    assert (present.number, present.idle) == (3, frozenset({2}))


def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(
    profiles: Profiles, city: City, segment: str
) -> None:
    change(profiles, {segment: 0.1})
    with pytest.raises(ProfileChangedError, match="in the meantime"):
        change(profiles, {segment: 0.2}, seen=city.digest)
    assert profiles.current().number == 2


def test_of_two_changes_at_the_same_moment_one_is_kept(
    city: City, segment: str, database: Database
) -> None:
    start, done = threading.Barrier(8), []

    def work(n: int) -> None:
        mine = Profiles(lambda: city, database)
        start.wait()
        try:
            change(mine, {segment: n / 100}, seen=city.digest)
        except ProfileChangedError:
            return
        done.append(n / 100)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    kept = Profiles(lambda: city, database).current()
    assert kept.city.supply(segment) == done[0]
    assert kept.number == 2


def test_what_changes_nothing_is_refused(profiles: Profiles, city: City, segment: str) -> None:
    with pytest.raises(NoChangeError, match="already"):
        change(profiles, {segment: city.supply(segment)})
    with pytest.raises(NoChangeError, match="no segment") as refused:
        change(profiles, {"no.such": 0.5})
    assert "没有环节" in refused.value.render("zh")
    assert profiles.current().changes == ()
