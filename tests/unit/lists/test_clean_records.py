"""A firm of a request is read as a row of a list is: same values, same problems, same order."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.lists.cleaning import Firm, clean, clean_records, records_of
from leadscore.lists.columns import CANONICAL, read_heading
from leadscore.lists.problems import Problem
from leadscore.lists.reading import from_records

TODAY = date(2026, 11, 24)
NAMES = [each.name for each in CANONICAL]
SAMPLE = Path(__file__).parents[3] / "data" / "samples" / "electronics.csv"

ODD = [
    *(
        "-",
        "无",
        "没有",
        "暂无",
        "未公开",
        "NA",
        "null",
        "nİl",
        "#REF!",
        "#N/A",
        "  ",
        "\n",
        "\x1f",
    ),
    *(
        "存续",
        "吊销，未注销",
        "洽谈",
        "签约",
        "拟签约",
        "流失（地价）",
        "12%",
        "0.5",
        "1.5",
        "-3",
        "0",
    ),
    *("5000万人民币", "约3亿", "12.5万美元", "USD 3m", "1,234万", "1e400", "100-499人", "小于50人"),
    *("2024-02-30", "20161130", "2016年11月", "2030-01-01", "42704", "2016-11-30T23:00:00Z"),
    *("36", "360100", "3601.0", "江西", "江西省", "南昌市", "上海", "赣州市", "Fuzhou", "市辖区"),
    *("9.13601E+17", "123456789012345", "91360727MA35LGHK7K", "913601000000000000", "36.0"),
    *(
        "王经理 13812345678",
        "a@b.cn",
        " 甲\u200b  乙 ",
        "3、江西某某公司（曾用名：甲公司）",
        "未匹配",
    ),
    *("①江西甲公司", "甲公司（2010至2015）；乙公司", "x" * 600, "\ud800甲", "ＮＡ", "İ"),
]
values = st.one_of(
    st.sampled_from(ODD), st.text(max_size=12), st.none(), st.booleans(), st.integers(),
    st.floats(), st.just({"a": 1}), st.just([1]),
)  # fmt: skip
records = st.dictionaries(st.sampled_from(NAMES), values, max_size=25)
named = st.builds(lambda record, name: record | {"name": name}, records, st.sampled_from(ODD))

OF_SEVERAL_COLUMNS = {
    "name", "former_names", "credit_code", "taxpayer_id", "registration_number", "status", "stage",
    "note", "province", "city", "district", "province_code", "city_code", "registered_address",
}  # fmt: skip
"""What these columns hold, or are told of, others decide as well."""

Found = tuple[dict[int, Firm], dict[int, list[Problem]]]


def as_list(given: list[dict[str, Any]]) -> Found:
    cleaned = clean(from_records(given), today=TODAY)
    assert records_of(cleaned.firms) == cleaned.records
    problems: dict[int, list[Problem]] = {}
    for problem in cleaned.problems:
        problems.setdefault(problem.row or 0, []).append(problem)
    return dict(zip(cleaned.rows, cleaned.records, strict=True)), problems


def as_request(given: list[dict[str, Any]]) -> Found:
    found = clean_records(given, today=TODAY)
    return (
        {each.row: each.firm for each in found if each.firm},
        {each.row: each.problems for each in found if each.problems},
    )


def test_every_row_of_the_sample_list_is_read_in_a_request_as_in_a_list() -> None:
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    headings = {header: read_heading(header) for header in rows[0]}
    given = [
        {heading.column.name: row[header] for header, heading in headings.items() if heading}
        for row in rows
    ]
    firms, problems = as_request(given)
    assert (firms, problems) == as_list(given)
    for row in range(1, len(given), 10):
        alone, _ = as_request([given[row - 1]])
        assert alone == {1: firms[row]}


@settings(deadline=None)
@given(st.lists(st.one_of(records, named), min_size=1, max_size=3))
def test_whatever_is_sent_is_read_in_a_request_as_in_a_list(given: list[dict[str, Any]]) -> None:
    assert as_request(given) == as_list(given)


@settings(deadline=None)
@given(st.lists(st.one_of(records, named), min_size=2, max_size=6), st.randoms())
def test_the_order_of_rows_changes_no_value_and_no_problem(
    given: list[dict[str, Any]], random: Random
) -> None:
    order = list(range(len(given)))
    random.shuffle(order)
    firms, problems = as_request(given)
    shuffled_firms, shuffled_problems = as_request([given[at] for at in order])
    for row, at in enumerate(order, 1):
        assert shuffled_firms.get(row) == firms.get(at + 1)
        same = [replace(each, row=at + 1) for each in shuffled_problems.get(row, [])]
        assert set(same) == set(problems.get(at + 1, []))


@settings(deadline=None)
@given(named)
def test_a_cell_is_read_alone_as_it_is_beside_others(record: dict[str, Any]) -> None:
    (whole,) = clean_records([record], today=TODAY)
    for name in set(record) - OF_SEVERAL_COLUMNS:
        (alone,) = clean_records([{"name": record["name"], name: record[name]}], today=TODAY)
        assert alone.firm.get(name) == whole.firm.get(name)
        assert [each for each in alone.problems if each.column == name] == [
            each for each in whole.problems if each.column == name
        ]


@pytest.mark.parametrize("name", NAMES)
def test_every_column_reads_odd_values_alike_the_first_time_and_the_second(name: str) -> None:
    given = [{"name": "某某有限公司", name: value} for value in ODD]
    firms, _ = as_request([*given, *given])
    assert as_request(given) == as_list(given)
    assert [firms.get(row) for row in range(1, len(ODD) + 1)] == [
        firms.get(len(ODD) + row) for row in range(1, len(ODD) + 1)
    ]


@pytest.mark.parametrize("header", ["企业名称", "phone", "registered_currency"])
def test_a_header_that_is_no_canonical_column_is_a_mistake_of_the_caller(header: str) -> None:
    with pytest.raises(KeyError, match=header):
        clean_records([{"name": "甲公司", header: "某某有限公司"}], today=TODAY)
