"""Parquet files that must never hurt: each gives the value written here, or one clear refusal."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tests import bad_files as bad

from leadscore.errors import ListError
from leadscore.lists.reading import read_list

pytestmark = pytest.mark.measured


@pytest.mark.parametrize(
    ("make", "got", "words"),
    [
        (bad.two_hundred_million_rows, "200,000,000 x 1", "too large"),
        (bad.cut_footer, "footer", "incomplete or damaged"),
        (bad.flipped_footer_bits, "", "incomplete or damaged"),
        (bad.flipped_data_bits, "CRC", "incomplete or damaged"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_parquet_file_that_cannot_be_read_is_refused_in_one_clear_sentence(
    make, got, words, tmp_path
):
    with pytest.raises(ListError) as caught:
        read_list(make(tmp_path))

    (detail,) = caught.value.details
    assert detail.where == "list.parquet"
    assert got in detail.got
    assert words in caught.value.message.en
    assert all((caught.value.message.zh, detail.wanted.zh, detail.wanted.en))


def test_types_become_the_text_that_a_person_would_write(tmp_path):
    raw = read_list(bad.parquet_of_many_types(tmp_path))

    (table,) = raw.tables
    first = dict(zip(table.headers, table.cells.iloc[0], strict=True))
    assert first["注册资本"] == "12345.60"
    assert first["成立日期"] == "2016-11-30"
    assert first["核准日期"] == "2016-11-30"
    assert first["参保人数"] == "300"
    assert first["营业收入"] == "0.1"
    assert first["所属省份"] == "江西"
    assert first["高新技术企业"] == "是"
    assert table.cells[0].tolist() == ["甲公司", "NA"]
    assert table.cells[10].isna().all()
    assert table.rows.tolist() == [1, 2]


def test_nested_columns_and_damaged_codes_are_missing_and_told(tmp_path):
    (table,) = read_list(bad.parquet_of_many_types(tmp_path)).tables

    told = {(each.column, each.code): each.row for each in table.problems}
    assert told["主营业务", "unread_type"] is None
    assert told["统一社会信用代码", "damaged_number"] == 1
    at = table.headers.index("主营业务")
    assert table.cells[at].isna().all()
    assert table.cells[1].tolist()[1] == "1"


def test_a_dictionary_bomb_is_refused(tmp_path):
    with pytest.raises(ListError, match=r"too large|too much memory"):
        read_list(bad.dictionary_bomb(tmp_path))


def test_a_parquet_file_without_names_says_which_headers_it_has(tmp_path):
    path = bad.parquet(tmp_path, pa.table({"ts_code": ["1"], "x": ["2"]}))

    with pytest.raises(ListError, match="no column that names firms") as caught:
        read_list(path)
    assert caught.value.details[0].got == "ts_code, x"


def test_batches_larger_than_one_keep_their_order_and_row_numbers(tmp_path):
    names = [f"甲{at}公司" for at in range(5_000)]
    damaged = [1.0] * 4_999 + [9e17]
    path = bad.parquet(tmp_path, pa.table({"name": names, "统一社会信用代码": damaged}))

    (table,) = read_list(path).tables
    assert table.cells[0].tolist() == names
    assert table.rows.tolist() == list(range(1, 5_001))
    assert [(each.row, each.code) for each in table.problems] == [(5_000, "damaged_number")]
