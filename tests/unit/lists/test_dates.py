"""Days in the notations that lists bring, and those that no calendar has."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.lists.cleaning import clean
from leadscore.lists.reading import read_list
from leadscore.lists.values.dates import day_of, day_readings


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
        ("8-Apr-2015", "2015-04-08"),
        ("08-Apr-15", "2015-04-08"),
        ("April 8, 2015", "2015-04-08"),
        ("Apr. 8th 2015", "2015-04-08"),
        ("8th of April 2015", "2015-04-08"),
        ("Wednesday, 8 April 2015", "2015-04-08"),
        ("2015-Apr-08", "2015-04-08"),
        ("Apr 2015", "2015-04-01"),
        ("13/04/2015", "2015-04-13"),
        ("4/13/2015 3:04 PM", "2015-04-13"),
        ("25.12.2015", "2015-12-25"),
        ("04/04/2015", "2015-04-04"),
        ("4/2015", "2015-04-01"),
        ("二〇一五年四月八日", "2015-04-08"),
        ("二○一五年十二月三十一日", "2015-12-31"),
        ("二零一五年十一月廿五日", "2015-11-25"),
        ("贰零壹伍年肆月捌日", "2015-04-08"),
        ("零三年四月", "2003-04-01"),
        ("九八年一月二日", "1998-01-02"),
        ("2015年元月8日", "2015-01-08"),
        ("2015/4/8 星期三", "2015-04-08"),
        ("2015年4月8日（周三）", "2015-04-08"),
        ("2015年4月8日(三) 10:05", "2015-04-08"),
        ("星期三 2015-04-08", "2015-04-08"),
        ("04/05/2015 Mon", "2015-05-04"),
        ("2015-04-08 上午12:00:00", "2015-04-08"),
        ("2020/10/9 下午 02:26:26", "2020-10-09"),
        ("2016年9月14日晚8：00", "2016-09-14"),
        ("2016年9月14日下午3点半", "2016-09-14"),
        ("15年4月8日", "2015-04-08"),
        ("49年1月", "1949-01-01"),
        ("48年1月", "2048-01-01"),
        ("98/1/2", "1998-01-02"),
        ("民国104年4月8日", "2015-04-08"),
        ("中華民國一百零四年四月八日", "2015-04-08"),
        ("民國93/4/8", "2004-04-08"),
        ("104年4月8日", "2015-04-08"),
        ("101/05/25", "2012-05-25"),
        ("1428422400000", "2015-04-08"),
        ("1428422400", "2015-04-08"),
        ("1428422400.0", "2015-04-08"),
        ("/Date(1428422400000+0800)/", "2015-04-08"),
        ("1428422399", "2015-04-07T23:59:59+08:00"),
        ("Wed Apr 08 2015 00:00:00 GMT+0800 (中国标准时间)", "2015-04-08"),
        ("Wed Apr 8 00:00:00 CST 2015", "2015-04-08"),
        ("Wed, 08 Apr 2015 16:30:00 GMT", "2015-04-09"),
        ("08APR2015:10:05:00", "2015-04-08"),
        ("2015Q2", "2015-04-01"),
        ("Q4 2015", "2015-10-01"),
        ("2015年第三季度", "2015-07-01"),
        ("2015上半年", "2015-01-01"),
        ("2015年下半年", "2015-07-01"),
        ("2015—04—08", "2015-04-08"),
        ("2022 11 23", "2022-11-23"),
        ("2022 1 3", "2022-01-03"),
        ("2015.04.08.", "2015-04-08"),
        ("2015-04-08；", "2015-04-08"),
    ],
)
def test_a_day_has_one_meaning(cell, expected) -> None:
    assert day_of(cell) == date.fromisoformat(expected[:10])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("04/05/2015", ["2015-05-04", "2015-04-05"]),
        ("4.5.2015 10:05", ["2015-05-04", "2015-04-05"]),
        ("15-04-08", ["2015-04-08", "2008-04-15"]),
        ("2015.1", ["2015-01-01", "2015-10-01"]),
    ],
)
def test_a_day_with_two_meanings_is_none_and_both_are_known(cell, expected) -> None:
    assert day_of(cell) is None
    assert [day.isoformat() for day in day_readings(cell)] == expected


def test_a_list_tells_both_readings_of_a_day_and_takes_neither(tmp_path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "企业名称,成立日期\n某甲公司,04/05/2015\n某乙公司,2015年4月8日（成立）\n", "utf-8"
    )
    firms = clean(read_list(path), today=date(2026, 1, 1))
    (problem,) = firms.problems
    assert (problem.code, problem.row, problem.found) == ("ambiguous_date", 2, "04/05/2015")
    for text in (problem.wanted.zh, problem.wanted.en):
        assert "2015-05-04" in text
        assert "2015-04-05" in text
    assert [firm.get("founded_on") for firm in firms.records] == [None, date(2015, 4, 8)]


WRITTEN = (
    "{0:%Y-%m-%d}", "{0:%Y/%m/%d}", "{0:%Y%m%d}", "{0.year}年{0.month}月{0.day}日",
    "{0.year}.{0.month}.{0.day}", "{0.day}-{0:%b}-{0.year}", "{0:%B} {0.day}, {0.year}",
    "{0:%Y-%m-%d} 10:05:00", "{0:%Y-%m-%d}T00:00:00+08:00", "{0.year}/{0.month}/{0.day} 下午3:04",
)  # fmt: skip
UNEXPLAINED = (
    "约", "?", "（2023）", "*", "1", "（预计）", "前后", "#", "→", "至今", "万元", "abc", "-5",
    "以前", "、2016-01-01", "\n2016-01-01", "或更早", "[1]", "①", "%", "$", "未", "~", "/",
)  # fmt: skip


@settings(deadline=None)
@given(
    st.dates(date(1980, 1, 1), date(2020, 1, 1)), st.sampled_from(WRITTEN),
    st.sampled_from(UNEXPLAINED), st.sampled_from(["{0}{1}", "{1}{0}", "{0} {1}", "{1} {0}"]),
)  # fmt: skip
def test_a_day_beside_something_unexplained_is_never_that_day(day, shape, beside, around) -> None:
    written = shape.format(day)
    assert day_of(written) == day
    assert day_of(around.format(written, beside)) is None, around.format(written, beside)


@settings(deadline=None)
@given(st.dates(date(1950, 1, 1), date(2047, 1, 1)), st.integers(1, 6))
def test_a_weekday_is_taken_only_if_it_is_that_of_the_day(day, off) -> None:
    for names in ("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        right, wrong = names[day.weekday()], names[(day + timedelta(off)).weekday()]
        shape = "{0} 星期{1}" if isinstance(names, str) else "{1}, {0}"
        assert day_of(shape.format(day, right)) == day
        assert day_of(shape.format(day, wrong)) is None


@settings(deadline=None)
@given(st.dates(date(1912, 1, 1), date(2099, 1, 1)))
def test_chinese_numerals_and_the_republics_years_are_that_day(day) -> None:
    digits, tens = "〇一二三四五六七八九", ["", "十", "二十", "三十"]

    def small(number: int) -> str:
        return tens[number // 10] + (digits[number % 10] if number % 10 else "")

    year = "".join(digits[int(mark)] for mark in str(day.year))
    assert day_of(f"{year}年{small(day.month)}月{small(day.day)}日") == day
    assert day_of(f"民国{day.year - 1911}年{day.month}月{day.day}日") == day


@pytest.mark.parametrize(
    "cell",
    ["2024-02-30", "20230229", "2024-13-01", "20161301", "2016-00-10", "11/30/2016/1",
     "1", "99999", "0000-00-00", "2016-112", "2016-11-", "-5", "昨天", "无固定期限",
     "148046400000", "2016-11-30至2036-11-29", "9999-12-31"],
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
