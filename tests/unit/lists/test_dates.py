"""Days in the notations that lists bring, and those that no calendar has."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.lists.values.dates import day_of


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2016-11-30 00:00:00", "2016-11-30"),
        ("2016年11月", "2016-11-01"),
        ("20161130", "2016-11-30"),
        ("20161130.0", "2016-11-30"),
        ("42704", "2016-11-30"),
        ("42704.75", "2016-11-30"),
        ("2016/1/2", "2016-01-02"),
        ("2016.11.30", "2016-11-30"),
        ("２０１６－１１－３０", "2016-11-30"),
        ("2016年1月2日", "2016-01-02"),
        ("2016年11月30日 10:30", "2016-11-30"),
        ("2016年11月30日10时30分", "2016-11-30"),
        ("2016-11-30T08:00:00", "2016-11-30"),
        ("2016-11-30T00:00:00+08:00", "2016-11-30"),
        ("2016-11-29T16:00:00Z", "2016-11-30"),
        ("2016-11-29T16:00:00.000Z", "2016-11-30"),
        ("2016-11-29T15:59:00Z", "2016-11-29"),
        ("2016-11-30 23:00:00-05:00", "2016-12-01"),
        ("201611", "2016-11-01"),
        ("2016.11", "2016-11-01"),
        ("2016", "2016-01-01"),
        ("2016年", "2016-01-01"),
        ("2024-02-29", "2024-02-29"),
        ("20240102", "2024-01-02"),
    ],
)
def test_a_day_has_one_meaning(cell, expected) -> None:
    assert day_of(cell) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    "cell",
    ["2024-02-30", "20230229", "2024-13-01", "20161301", "2016-00-10", "30/11/2016", "11-30-2016",
     "1", "99999", "0000-00-00", "2016-112", "2016-11-", "-5", "昨天", "无固定期限",
     "1480464000000", "2016-11-30至2036-11-29", "9999-12-31"],
)  # fmt: skip
def test_what_is_no_day_or_two_is_not_guessed(cell) -> None:
    assert day_of(cell) is None


@settings(deadline=None)
@given(st.dates(date(1927, 6, 1), date(2099, 1, 1)))
def test_every_notation_of_a_day_is_that_day(day) -> None:
    serial = (day - date(1899, 12, 30)).days
    written = [
        day.isoformat(),
        f"{day:%Y/%m/%d}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y%m%d}",
        f"{day} 00:00:00",
        f"{day}T00:00:00+08:00",
        str(serial),
    ]
    assert {day_of(cell) for cell in written} == {day}


@settings(deadline=None)
@given(st.text(max_size=24))
def test_no_text_makes_reading_fail_or_is_a_day_of_another_age(text) -> None:
    day = day_of(text)
    assert day is None or 1799 <= day.year <= 2201
