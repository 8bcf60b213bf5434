from __future__ import annotations

import datetime as dt
import decimal
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.errors import ListError
from leadscore.lists.reading import from_frame, from_records


def test_each_record_is_a_row_even_an_empty_one():
    raw = from_records([{"name": "甲公司"}, {}, {"name": "合计", "city": "深圳"}])

    (table,) = raw.tables
    assert table.headers == ("name", "city")
    assert table.rows.tolist() == [1, 2, 3]
    assert table.cells.fillna("-").to_numpy().tolist() == [
        ["甲公司", "-"],
        ["-", "-"],
        ["合计", "深圳"],
    ]
    assert str(table.cells.dtypes.iloc[0]) == "str"


@pytest.mark.parametrize(("records", "height"), [([], 0), ([{}, {}], 2)])
def test_records_without_keys_are_rows_without_a_name(records, height):
    (table,) = from_records(records).tables

    assert table.headers == ("name",)
    assert table.cells.shape == (height, 1)
    assert table.cells[0].isna().all()


def test_json_values_become_text_without_loss():
    values = json.loads(
        '[3, 3.0, 0.1, 1e22, 123456789012345678, true, false, null, "", "null", 1e400]'
    )
    (table,) = from_records([{"name": "甲", "备注": value} for value in values]).tables

    assert table.cells[1].fillna("missing").tolist() == [
        "3", "3", "0.1", "missing", "123456789012345678", "是", "否", "missing", "missing",
        "null", "inf",
    ]  # fmt: skip
    assert [(each.row, each.code, each.found) for each in table.problems] == [
        (4, "damaged_number", "10000000000000000000000")
    ]


@pytest.mark.parametrize(
    ("value", "code", "kept"),
    [
        ({"zh": "甲"}, "nested_value", None),
        (["甲", "乙"], "nested_value", None),
        (object(), "nested_value", None),
        ("甲\ud800公司", "lone_surrogate", "甲\ufffd公司"),
        (10**5000, "number_too_long", None),
        (9.1360100123456e17, "damaged_number", None),
    ],
    ids=["mapping", "list", "object", "surrogate", "long", "float"],
)
def test_a_value_that_is_no_cell_is_told(value, code, kept):
    (table,) = from_records([{"name": "甲公司"}, {"name": "乙公司", "credit_code": value}]).tables

    (problem,) = table.problems
    assert (problem.row, problem.column, problem.code) == (2, "credit_code", code)
    assert problem.found.isprintable()
    assert [text for text in table.cells[1] if isinstance(text, str)] == ([kept] if kept else [])


def test_depth_does_not_sink_a_record():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    (table,) = from_records([{"name": "甲公司", "note": deep}]).tables

    assert [problem.code for problem in table.problems] == ["nested_value"]


def test_halves_of_a_pair_that_belong_together_become_one_character():
    (table,) = from_records([{"name": "\ud842\udfb7公司"}]).tables

    assert table.cells.loc[0, 0] == "𠮷公司"
    assert table.problems == ()


def test_what_is_told_of_a_personal_column_is_nothing():
    (table,) = from_records([{"name": "甲公司", "电话": ["13800000000"]}]).tables

    assert table.problems == ()


def test_a_frame_becomes_the_text_that_a_file_would_hold():
    frame = pd.DataFrame(
        {
            "企业名称": ["甲公司", "NA", None],
            "注册资本": [1e8, 0.5, float("nan")],
            "参保人数": pd.array([5, None, 7], dtype="Int64"),
            "成立日期": pd.to_datetime(["2016-11-30", "2016-11-30 08:30", None], format="ISO8601"),
            "高新技术企业": [True, False, None],
            "所属省份": pd.Categorical(["江西", None, "江西"]),
            "营业收入": [decimal.Decimal("1.50"), decimal.Decimal("NaN"), 3],
            "核准日期": [dt.date(2020, 1, 2), None, dt.time(8, 30)],
            "patents": np.array([1, 2, 3], dtype=np.int16),
        },
        index=[7, 7, 9],
    )
    (table,) = from_frame(frame).tables

    assert table.cells.fillna("-").to_numpy().tolist() == [
        ["甲公司", "100000000", "5", "2016-11-30", "是", "江西", "1.50", "2020-01-02", "1"],
        ["NA", "0.5", "-", "2016-11-30 08:30:00", "否", "-", "-", "-", "2"],
        ["-", "-", "7", "-", "-", "江西", "3", "08:30:00", "3"],
    ]
    assert table.rows.tolist() == [1, 2, 3]


def test_a_frame_with_two_rows_of_columns_and_twice_the_same_one_is_read_by_place():
    columns = pd.MultiIndex.from_tuples([("企业", "企业名称"), ("", "城市"), ("", "城市")])
    (table,) = from_frame(pd.DataFrame([["甲公司", "深圳", "广州"]], columns=columns)).tables

    assert table.headers == ("企业/企业名称", "城市", "城市")
    assert table.cells.iloc[0].tolist() == ["甲公司", "深圳", "广州"]
    assert [problem.code for problem in table.problems] == ["duplicate_header"]


def test_a_frame_without_names_is_refused():
    with pytest.raises(ListError, match="no column that names firms"):
        from_frame(pd.DataFrame({"x": [1]}))


def test_a_surrogate_in_a_frame_of_text_is_replaced_and_told():
    frame = pd.DataFrame({"name": pd.Series(["甲\udc00"], dtype=object)})
    (table,) = from_frame(frame).tables

    assert table.cells.loc[0, 0] == "甲\ufffd"
    assert [problem.code for problem in table.problems] == ["lone_surrogate"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.text(st.characters(), max_size=5), json_values, max_size=4)))
def test_no_json_sinks_the_reading(records):
    (table,) = from_records(records).tables

    assert len(table.cells) == len(records)
    assert table.cells.shape[1] == len(table.headers)
    table.cells.to_csv().encode()
