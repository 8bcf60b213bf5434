"""A cell that somebody made to be slow is read as fast as any other, and kept as it is."""

import time
from datetime import date

import numpy as np
import pandas as pd
import pytest

from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.reading.table import RawList, TextTable

SECONDS = 3.0
TODAY = date(2026, 11, 24)


def cleaned(**columns: str) -> CleanList:
    cells = pd.DataFrame({at: [text] for at, text in enumerate(columns.values())}, dtype="str")
    table = TextTable(tuple(columns), cells, np.array([2]), None)
    return clean(RawList("list.csv", (table,)), today=TODAY)


@pytest.mark.parametrize(
    "name",
    ["曾用名" * 20_000 + "）甲", "原名:" * 20_000 + "甲", "（原" * 20_000, "曾用名 " * 20_000],
)
def test_a_giant_name_is_kept_whole_and_flagged_at_once(name) -> None:
    started = time.perf_counter()
    found = cleaned(企业名称=name)
    assert time.perf_counter() - started < SECONDS
    assert found.firms["name"].tolist() == [name.strip()]
    assert [problem.code for problem in found.problems] == ["long_name"]


@pytest.mark.parametrize("fragment", ["1999", "（1999", "，co", "曾用名："])
@pytest.mark.parametrize("lead", ["", "（"])
def test_a_giant_cell_of_former_names_is_kept_whole_at_once(lead, fragment) -> None:
    started = time.perf_counter()
    found = cleaned(企业名称="甲公司", 曾用名=lead + fragment * 20_000)
    assert time.perf_counter() - started < SECONDS
    assert found.firms["former_names"].tolist() == [lead + fragment * 20_000]


@pytest.mark.parametrize("header", ["注册资本", "成立日期", "员工数", "登记状态", "阶段", "备注"])
@pytest.mark.parametrize("fragment", ["1,234", "万元", "2016-", "待签约", "a@", "+86 "])
def test_giant_cells_of_every_kind_are_read_at_once(header, fragment) -> None:
    started = time.perf_counter()
    cleaned(**{"企业名称": "甲公司", header: fragment * 20_000})
    assert time.perf_counter() - started < SECONDS
