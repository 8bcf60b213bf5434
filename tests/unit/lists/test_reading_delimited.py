from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.errors import ListError
from leadscore.lists.reading.csv import DELIMITERS, find_dialect, read_delimited
from leadscore.lists.reading.table import BATCH_ROWS, TextBytes, TextTable


def read(folder: Path, text: str) -> TextTable:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8", newline="")
    (table,) = read_delimited(TextBytes(path, gzipped=False)).tables
    return table


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\ufeff"))
names = cells.map(lambda text: f"甲{text}公司")


@given(
    st.lists(st.tuples(names, cells, cells), max_size=8),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_is_written_is_read(tmp_path_factory, rows, delimiter, line_end):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("企业名称", "注册地址", "备注"), *rows])

    table = read(tmp_path_factory.mktemp("any"), out.getvalue())
    assert table.cells.fillna("").to_numpy().tolist() == [list(row) for row in rows]
    assert table.rows.tolist() == list(range(2, len(rows) + 2))
    assert table.problems == ()


def test_rows_are_numbered_as_a_spreadsheet_does_with_title_blanks_and_cells_of_two_lines(tmp_path):
    table = read(
        tmp_path, '某市线索表,,\n\n企业名称,备注,所在城市\n甲公司,"两\n行",深圳\n\n乙公司,,广州\n'
    )

    assert table.rows.tolist() == [4, 6]
    assert table.cells[1].tolist()[0] == "两\n行"


def test_more_rows_than_a_batch_keep_their_order(tmp_path):
    rows = 2 * BATCH_ROWS + 7
    table = read(tmp_path, "name\n" + "".join(f"甲{at}\n" for at in range(rows)))

    assert table.cells[0].tolist() == [f"甲{at}" for at in range(rows)]
    assert table.rows.tolist() == list(range(2, rows + 2))


def test_every_row_that_is_not_blank_is_kept_or_set_aside(tmp_path):
    body = ["甲,深圳", "乙", "丙,a,b", "", ",", "丁,", "合计,3", '"戊"己,x']
    table = read(tmp_path, "name,city\n" + "\n".join(body) + "\n")

    aside = [problem.row for problem in table.problems if problem.set_aside]
    assert sorted([*table.rows.tolist(), *aside]) == [2, 3, 4, 7, 8, 9]
    assert aside == [4, 8]


def test_short_rows_by_habit_are_told_once(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("name,city,note\n甲\n乙\n丙,深圳,好\n丁\n", encoding="utf-8")
    raw = read_delimited(TextBytes(path, gzipped=False))

    assert raw.tables[0].problems == ()
    assert "3 rows have fewer fields" in raw.notices[0].en
    assert "row 2" in raw.notices[0].en


def test_an_empty_surplus_by_habit_does_not_hide_a_row_that_is_shifted(tmp_path):
    body = ["甲,深圳,好,", "乙,广州", "丙,a,b,c", *["丁,x,y,"] * 60, "戊,a,b,c", "己,a,b,c,"]
    table = read(tmp_path, "name,city,note\n" + "\n".join(body) + "\n")

    told = [(each.row, each.code, each.set_aside) for each in table.problems]
    assert table.headers == ("name", "city", "note")
    assert set(table.cells[0]) == {"甲", "乙", "丁"}
    assert told == [
        (4, "too_many_fields", True),
        (65, "too_many_fields", True),
        (66, "too_many_fields", True),
        (3, "too_few_fields", False),
    ]


def test_a_header_with_a_separator_at_its_end_loses_the_empty_column(tmp_path):
    table = read(tmp_path, "name,city,\n甲,深圳,\n乙,广州,\n")

    assert table.headers == ("name", "city")
    assert table.problems == ()


def test_a_value_below_no_header_is_kept_in_its_own_column(tmp_path):
    table = read(tmp_path, "name,city,\n甲,深圳,好\n")

    assert table.headers == ("name", "city", "")
    assert table.cells.iloc[0].tolist() == ["甲", "深圳", "好"]


def test_the_separator_is_the_one_under_which_headers_are_known():
    text = "企业名称;经营范围;注册资本\n甲公司;生产,加工,销售,批发;1,5亿\n"

    assert find_dialect(text).delimiter == ";"
    assert find_dialect("企业名称\n甲，乙\n").delimiter == ","
    assert find_dialect("x\ty\n1\t2\n").delimiter == "\t"


def test_a_quote_within_an_unquoted_cell_is_a_character(tmp_path):
    table = read(tmp_path, 'name,note\n甲公司,5" 屏\n')

    assert table.cells.loc[0, 1] == '5" 屏'
    assert table.problems == ()


def test_a_quote_that_stays_open_at_the_end_of_a_misquoted_line_is_refused(tmp_path):
    with pytest.raises(ListError, match="line 2 is not closed"):
        read(tmp_path, 'name,note\n"甲"公司,"x\n乙公司,y"\n')
