"""Each kind of cell has one reader; what two columns say of one firm is made one value."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.lists.columns import COLUMNS, read_heading
from leadscore.lists.values.cells import WANTED, Cell, CellReader, differ

TODAY = date(2026, 11, 24)


def reader(header: str) -> CellReader:
    heading = read_heading(header)
    assert heading is not None
    return CellReader(heading, TODAY)


def test_the_future_begins_tomorrow() -> None:
    founded = reader("成立日期")
    assert founded["2026-11-24"] == Cell(TODAY)
    assert founded["2026-11-25"] == Cell(code="future_date")
    assert reader("年报年度")["2027"].value is None


@settings(deadline=None)
@given(st.sampled_from(COLUMNS), st.text(max_size=30))
def test_no_text_makes_a_reader_fail_and_it_says_the_same_twice(column, text) -> None:
    cells = reader(column.name)
    first = cells[text]
    assert cells[text] == first == reader(column.name)[text]
    assert first.code is None or (first.value is None and first.code in WANTED)


def test_texts_that_differ_from_firm_to_firm_are_not_kept() -> None:
    scopes, codes, statuses = reader("经营范围"), reader("统一社会信用代码"), reader("登记状态")
    for cells, text in (
        (scopes, "电子元器件制造" * 10), (codes, "91360727MA35LGHK7K"), (statuses, "存续")
    ):  # fmt: skip
        assert cells[text].value is not None
    assert (len(scopes), len(codes), len(statuses)) == (0, 0, 1)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (100.0, 100.9, False),
        (100.0, 102.0, True),
        (date(2016, 1, 1), date(2016, 11, 30), False),
        (date(2016, 11, 1), date(2016, 11, 30), False),
        (date(2016, 11, 2), date(2016, 11, 30), True),
        (date(2015, 1, 1), date(2016, 1, 1), True),
        ("江西省 南昌市", "江西省南昌市高新区", False),
        ("甲路1号", "乙路2号", True),
    ],
)
def test_two_values_differ_if_they_cant_both_be_meant(one, other, apart) -> None:
    assert differ(one, other) is differ(other, one) is apart
