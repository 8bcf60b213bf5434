"""Money, head counts and shares in the notations that lists bring."""

import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.lists.values.amounts import (
    CURRENCIES,
    LARGEST_CNY,
    NO_UNIT,
    Unit,
    amount_of,
    count_of,
    currency_code,
    read_unit,
    share_of,
    shipped_rates,
    year_of,
)

RATES = shipped_rates()
USD, HKD = RATES.cny_per_unit["USD"], RATES.cny_per_unit["HKD"]


def yuan(cell: str, unit: Unit = NO_UNIT, currency: str | None = None) -> float:
    return amount_of(cell, RATES, unit, currency)[0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("13,400万元", 134_000_000),
        ("500万美元", 5_000_000 * USD),
        ("5000万人民币", 50_000_000),
        ("100万港元", 1_000_000 * HKD),
        ("300000000", 300_000_000),
        ("1.2亿", 120_000_000),
        ("100万人民币", 1_000_000),
        ("6700万美元", 67_000_000 * USD),
        ("0人民币", 0),
        ("１３，４００万元", 134_000_000),
        ("1,234", 1234),
        ("1,234,567.5", 1234567.5),
        ("1.2E+08", 120_000_000),
        ("12万元以上", 120_000),
        ("约 2 亿元", 200_000_000),
        ("1亿多元", 100_000_000),
        ("人民币500万元", 5_000_000),
        ("RMB 5,000,000", 5_000_000),
        ("$5m", 5_000_000 * USD),
        ("100万元港币", 1_000_000 * HKD),
        ("(500万元)", 5_000_000),
        ("500千元", 500_000),
        ("3-5亿", 400_000_000),
        ("3000万至5000万元", 40_000_000),
        ("-1.5亿", -150_000_000),
    ],
)
def test_an_amount_comes_out_in_yuan(cell, expected) -> None:
    assert yuan(cell) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "cell",
    ["abc", "inf", "-inf", "nan", "1e400", "1e5000", "9" * 19 + "000", "1.2.3", "12%", "True",
     "0x10", "1,23", "万", "五百万", "1_000", "١٢٣x", "500万贝壳", ""],
)  # fmt: skip
def test_what_is_no_amount_is_not_guessed(cell) -> None:
    assert math.isnan(yuan(cell))


def test_numbers_beyond_all_money_are_not_believed() -> None:
    assert math.isnan(yuan(str(2**63)))
    assert yuan(str(int(LARGEST_CNY))) == LARGEST_CNY


def test_the_header_counts_only_for_plain_numbers() -> None:
    header = Unit(times=1e4)
    assert yuan("500", unit=header) == 5_000_000
    assert yuan("约500", unit=header) == 5_000_000
    assert yuan("1.2亿", unit=header) == 120_000_000
    assert yuan("500元", unit=header) == 500
    assert yuan("500", unit=Unit(times=1e4, currency="USD")) == pytest.approx(5_000_000 * USD)
    assert yuan("500万", unit=Unit(times=1e4, currency="USD")) == pytest.approx(5_000_000 * USD)


@pytest.mark.parametrize(
    ("cell", "currency", "expected"),
    [
        ("100", "USD", (100 * USD, True)),
        ("100万", "USD", (1_000_000 * USD, True)),
        ("100万港元", "USD", (1_000_000 * HKD, True)),
        ("100", None, (100, False)),
    ],
)
def test_the_cell_names_the_currency_before_its_column_does(cell, currency, expected) -> None:
    read, foreign = amount_of(cell, RATES, NO_UNIT, currency)
    assert (read, foreign) == (pytest.approx(expected[0]), expected[1])


def test_every_currency_that_is_understood_has_a_rate() -> None:
    assert set(CURRENCIES.values()) <= set(RATES.cny_per_unit)
    assert all(0 < rate < 20 for rate in RATES.cny_per_unit.values())
    assert RATES.cny_per_unit["CNY"] == 1
    assert isinstance(RATES.as_of, date)
    assert RATES.source.zh
    assert RATES.source.en


def test_currency_words_are_codes_or_missing() -> None:
    codes = [currency_code(cell) for cell in ("人民币", " 港币 ", "ＵＳＤ", "贝壳")]
    assert codes == ["CNY", "HKD", "USD", None]


@settings(deadline=None)
@given(
    st.decimals(0, 10**7, places=3), st.sampled_from(["", "元", "万元", "万人民币", "亿", "亿元"])
)
def test_what_is_written_in_any_unit_is_read_back(number, unit) -> None:
    times = 1e8 if "亿" in unit else 1e4 if "万" in unit else 1.0
    expected = float(number) * times
    if expected <= LARGEST_CNY:
        assert yuan(f"{number}{unit}") == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_no_text_makes_reading_fail_or_gives_more_than_all_money(text) -> None:
    assert math.isnan(yuan(text)) or abs(yuan(text)) <= LARGEST_CNY


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("328.0", 328),
        ("1,234人", 1234),
        ("１２３", 123),
        ("约200人", 200),
        ("200余人", 200),
        ("1.2万人", 12_000),
        ("50-99人", 70),
        ("100-499人", 223),
        ("1000—4999人", 2236),
        ("小于50人", 25),
        ("50人以下", 25),
        ("<50", 25),
        ("5000人以上", 5000),
        ("10000+", 10_000),
        ("0", 0),
    ],
)
def test_head_counts_and_bands(cell, expected) -> None:
    assert count_of(cell) == expected


@pytest.mark.parametrize("cell", ["很多", "-3", "499-100人", "inf", "大型", "50-"])
def test_what_is_no_count_is_not_guessed(cell) -> None:
    assert math.isnan(count_of(cell))


def test_shares_tell_whether_they_carry_their_sign() -> None:
    read = [share_of(cell) for cell in ("12%", "１２％", "0.12", "-3.5%")]
    assert [share for share, _ in read] == pytest.approx([0.12, 0.12, 0.12, -0.035])
    assert [sign for _, sign in read] == [True, True, False, True]
    assert math.isnan(share_of("x")[0])


def test_years_stand_alone_or_before_a_report() -> None:
    assert {year_of(cell) for cell in ("2023", "2023.0", "2023年报", "2023年度报告")} == {2023}
    assert all(math.isnan(year_of(cell)) for cell in ("23", "x"))


@pytest.mark.parametrize("text", ["全称", "", "万万元元", "企业", "元/平方米"])
def test_other_brackets_are_no_units(text) -> None:
    assert read_unit(text) is None
