"""A firm of a request is read as a row of a list is: same values, same problems, same order."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.lists.cleaning import clean
from leadscore.lists.columns import CANONICAL, read_heading
from leadscore.lists.files.records import from_records
from leadscore.lists.problems import Problem
from leadscore.lists.record_cleaning import clean_records

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

Found = tuple[dict[int, dict[str, Any]], dict[int, list[Problem]]]


def as_table(given: list[dict[str, Any]]) -> Found:
    cleaned = clean(from_records(given), today=TODAY)
    firms: dict[int, dict[str, Any]] = {
        row.pop("row"): {
            str(key): value.date() if isinstance(value, pd.Timestamp) else value
            for key, value in row.items()
            if key != "sheet" and not pd.isna(value)
        }
        for row in cleaned.firms.to_dict("records")
    }
    problems: dict[int, list[Problem]] = {}
    for problem in cleaned.problems:
        problems.setdefault(problem.row or 0, []).append(problem)
    return firms, problems


def as_records(given: list[dict[str, Any]]) -> Found:
    found = clean_records(given, today=TODAY)
    return (
        {each.row: each.firm for each in found if each.firm},
        {each.row: each.problems for each in found if each.problems},
    )


def test_every_row_of_the_sample_list_is_read_alike() -> None:
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    headings = {header: read_heading(header) for header in rows[0]}
    given = [
        {heading.column.name: row[header] for header, heading in headings.items() if heading}
        for row in rows
    ]
    assert as_records(given) == as_table(given)
    for one in given[::10]:
        assert as_records([one]) == as_table([one])


@given(st.lists(st.one_of(records, named), min_size=1, max_size=3))
def test_whatever_is_sent_is_read_alike(given: list[dict[str, Any]]) -> None:
    assert as_records(given) == as_table(given)


@pytest.mark.parametrize("name", NAMES)
def test_every_column_reads_odd_values_alike(name: str) -> None:
    given = [{"name": "某某有限公司", name: value} for value in ODD]
    assert as_records(given) == as_table(given)


def test_a_header_that_is_no_canonical_column_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError, match="企业名称"):
        clean_records([{"企业名称": "某某有限公司"}], today=TODAY)
