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
    currency_code,
    read_unit,
    shipped_rates,
)
from leadscore.lists.values.numbers import count_of, quantity, share_of, year_of

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
        ("500千元", 500_000),
        ("3-5亿", 400_000_000),
        ("3000万至5000万元", 40_000_000),
        ("-1.5亿", -150_000_000),
        ("壹仟零肆拾柒万元整", 10_470_000),
        ("陆仟贰佰万圓整", 62_000_000),
        ("人民币（大写）叁拾万元整", 300_000),
        ("三千万元", 30_000_000),
        ("两千六百万", 26_000_000),
        ("两亿三千万", 230_000_000),
        ("一亿零五百万", 105_000_000),
        ("十二点五亿", 1_250_000_000),
        ("廿万元", 200_000),
        ("二〇〇〇万", 20_000_000),
        ("八千多万元", 80_000_000),
        ("300余万元", 3_000_000),
        ("3千万", 30_000_000),
        ("2亿3,000万元", 230_000_000),
        ("2亿3千万", 230_000_000),
        ("3万5000", 35_000),
        ("6000萬圓", 60_000_000),
        ("2億", 200_000_000),
        ("2000-6000万元", 40_000_000),
        ("2亿-6亿", 400_000_000),
        ("200万～600万", 4_000_000),
        ("一千至三千万", 20_000_000),
        ("2-6千万", 40_000_000),
        ("¥200万-¥600万", 4_000_000),
        ("3000万元（认缴）", 30_000_000),
        ("3000万（人民币）", 30_000_000),
        ("3000（万元）", 30_000_000),
        ("共计300万元左右", 3_000_000),
        ("3个亿", 300_000_000),
        ("300万元。", 3_000_000),
        ("HK$300万", 3_000_000 * HKD),
        ("$300万港币", 3_000_000 * HKD),
        ("US$3m", 3_000_000 * USD),
        ("３００萬美金", 3_000_000 * USD),
        ("3 000 000", 3_000_000),
        ("3'000'000", 3_000_000),
        ("3000万元\n（认缴）", 30_000_000),
    ],
)
def test_an_amount_comes_out_in_yuan(cell, expected) -> None:
    assert yuan(cell) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "cell",
    ["abc", "inf", "-inf", "nan", "1e400", "1e5000", "9" * 19 + "000", "1.2.3", "12%", "True",
     "0x10", "1,23", "万", "1_000", "١٢٣x", "500万贝壳", ""],
)  # fmt: skip
def test_what_is_no_amount_is_not_guessed(cell) -> None:
    assert math.isnan(yuan(cell))


def test_numbers_beyond_all_money_are_not_believed() -> None:
    assert math.isnan(yuan(str(2**63)))
    assert yuan(str(int(LARGEST_CNY))) == LARGEST_CNY


@pytest.mark.parametrize(
    "cell",
    ["12000（2023）", "700\n300", "700 300", "7000-1亿", "7亿-3亿", "700③", "700[2]", "700*",
     "700 注", "700（300）", "1.000.000,00", "1,000,00", "1234,567", "7000,500", "0,500", "1  000",
     "1e 5", "12²", "½", "700㎡", "三万五", "七八千万", "几千万", "近千万", "2.5亿3000万",
     "1亿2千", "1亿 2000万", "1亿\n2000万", "500万800万", "500万8000万", "¥500万美元", "1亿-5",
     "500元-5万", "-500-", "500万美元（折合人民币3500万元）", "注500", "500万元/年", "[700]"],
)  # fmt: skip
def test_no_reading_skips_or_joins_a_part_of_a_cell(cell) -> None:
    assert math.isnan(yuan(cell))
    assert math.isnan(yuan(cell, Unit(times=1e4)))


WAN = Unit(times=1e4)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("500", 5_000_000),
        ("约500", 5_000_000),
        ("¥500.00", 5_000_000),
        ("￥500", 5_000_000),
        ("RMB 1,500", 15_000_000),
        ("人民币500", 5_000_000),
        ("USD 500", 5_000_000 * USD),
        ("500美元", 5_000_000 * USD),
        ("五百", 5_000_000),
        ("300-700", 5_000_000),
        ("¥500万", 5_000_000),
        ("1.2亿", 120_000_000),
        ("500元", 500),
        ("¥500元", 500),
    ],
)
def test_header_and_cell_combine_unless_the_cell_has_a_unit_of_its_own(cell, expected) -> None:
    assert yuan(cell, WAN) == pytest.approx(expected)


def test_the_currency_of_the_header_counts_where_the_cell_names_none() -> None:
    dollars = Unit(times=1e4, currency="USD")
    assert yuan("500", dollars) == yuan("500万", dollars) == pytest.approx(5_000_000 * USD)
    assert yuan("500港元", dollars) == pytest.approx(5_000_000 * HKD)
    assert read_unit("人民币") == Unit(currency="CNY")
    assert read_unit("usd") == Unit(1.0, "USD")


@pytest.mark.parametrize(
    "cell",
    ["-700", "−700", "－700", "–700", "(700)", "（700.00）", "¥(700)", "(¥700)", "-¥700", "¥-700",
     "△700", "▲700", "负700", "亏损700", "700-", "(-700)", "700.00-", "(七百)",
     "(700)万元", "(700万元)"],
)  # fmt: skip
def test_brackets_and_all_kinds_of_minus_are_signs(cell) -> None:
    assert yuan(cell, WAN) == -7_000_000


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
    read, foreign, _ = amount_of(cell, RATES, NO_UNIT, currency)
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
        ("三百人", 300),
        ("约两百五十人", 250),
        ("1千人", 1000),
        ("120名员工", 120),
        ("1000+人", 1000),
        ("员工120人", 120),
        ("120（人）", 120),
        ("1 200 人", 1200),
        ("100人至499人", 223),
        ("一百至四百九十九人", 223),
    ],
)
def test_head_counts_and_bands(cell, expected) -> None:
    assert count_of(cell) == expected


@pytest.mark.parametrize(
    "cell",
    ["很多", "-3", "499-100人", "inf", "大型", "50-", "300\n50", "300/50", "300(50)", "300 50",
     "300②", "十几人", "近千人", "3OO人", "5000-1万人", "(300)"],
)  # fmt: skip
def test_what_is_no_count_is_not_guessed(cell) -> None:
    assert math.isnan(count_of(cell))


def test_shares_tell_whether_they_carry_their_sign() -> None:
    read = [share_of(cell) for cell in ("12%", "１２％", "0.12", "-3.5%")]
    assert [share for share, _ in read] == pytest.approx([0.12, 0.12, 0.12, -0.035])
    assert [sign for _, sign in read] == [True, True, False, True]
    read = [share_of(cell) for cell in ("(7.5%)", "（7.5）%", "−7.5%", "△7.5%", "负7.5%")]
    assert [share for share, _ in read] == pytest.approx([-0.075] * 5)
    assert [
        share_of(cell)[0] for cell in ("百分之七点五", "75‰", "约7.5%", "7.5 %")
    ] == pytest.approx([0.075] * 4)


@pytest.mark.parametrize(
    "cell", ["x", "5\n6%", "5 6%", "6,5%", "7.5%（2023）", "7.5%*", "7.5%①", "7.5% 8%", "5%-8%"]
)
def test_what_is_no_share_is_not_guessed(cell) -> None:
    assert math.isnan(share_of(cell)[0])


def test_years_stand_alone_or_before_a_report() -> None:
    assert {year_of(cell) for cell in ("2023", "2023.0", "2023年报", "2023年度报告")} == {2023}
    assert {year_of(cell) for cell in ("二〇二三年", "２０２３", "FY2023")} == {2023}
    unread = ("23", "x", "20 23", "202③", "2023①", "2023\n2022", "2023*", "(2023)")
    assert all(math.isnan(year_of(cell)) for cell in unread)


@pytest.mark.parametrize("text", ["全称", "", "万万元元", "企业", "元/平方米"])
def test_other_brackets_are_no_units(text) -> None:
    assert read_unit(text) is None


FIGURES = st.one_of(
    st.integers(1, 10**6).map(str),
    st.integers(1000, 10**7 - 1).map("{:,}".format),
    st.decimals(1, 10**6, places=2).map(str),
)
UNEXPLAINED = st.one_of(
    st.sampled_from(["①", "²", "*", "注", "注1", "[1]", "（注）", "#", "?", "x", "abc", "§", "a1"]),
    FIGURES.map(lambda figure: f"（{figure}）"),
    FIGURES.map(lambda figure: f"\n{figure}"),
    FIGURES.map(lambda figure: f"\t{figure}"),
    FIGURES.map(lambda figure: f"；{figure}"),
    FIGURES.map(lambda figure: f"、{figure}"),
    FIGURES.map(lambda figure: f"/{figure}"),
    st.integers(1990, 2030).map(lambda year: f"（{year}）"),
    st.integers(1990, 2030).map(lambda year: f"({year}年)"),
)
READERS = {
    "amount": (yuan, ["", "元", "万元", "亿"], "¥"),
    "count": (count_of, ["", "人", "家"], "约"),
    "share": (lambda cell: share_of(cell)[0], ["", "%", "‰"], "约"),
    "year": (year_of, ["", "年", "年报"], ""),
}


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(sorted(READERS)), FIGURES, UNEXPLAINED, st.data())
def test_a_figure_with_something_unexplained_beside_it_is_never_a_value(
    kind, figure, rest, data
) -> None:
    read, units, before = READERS[kind]
    figure = "2023" if kind == "year" else figure
    figure = data.draw(st.sampled_from(["", before])) + figure + data.draw(st.sampled_from(units))
    assert not math.isnan(read(figure))
    assert math.isnan(read(figure + rest))
    assert math.isnan(read(rest.strip() + "\n" + figure))


@settings(deadline=None)
@given(st.integers(1, 10**12))
def test_a_number_in_chinese_is_read_back(number) -> None:
    assert quantity(in_chinese(number)) == number


def in_chinese(number: int) -> str:
    for size, unit in ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if number >= size:
            left, right = divmod(number, size)
            zero = "零" if 0 < right < size // 10 else ""
            return in_chinese(left) + unit + zero + (in_chinese(right) if right else "")
    return "零一二三四五六七八九"[number]
