"""Workbooks that must never hurt: each gives the value written here, or one clear refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import openpyxl
import pytest
from tests import bad_files as bad

from leadscore.errors import ListError
from leadscore.lists.cleaning import clean
from leadscore.lists.reading import read_list
from leadscore.lists.reading.table import OWN_FILE, Child

pytestmark = pytest.mark.measured

FIRMS = ["深圳甲电子有限公司", "南昌乙光电有限公司"]


@pytest.mark.parametrize(
    "make",
    [
        bad.no_dimension,
        bad.false_dimension,
        bad.too_small_dimension,
        bad.nested_zip,
        bad.workbook_named_csv,
        bad.macro_workbook,
        bad.picture_on_the_sheet,
        bad.hidden_rows,
        bad.hidden_first_sheet,
    ],
)
def test_an_unusual_workbook_is_read_to_the_last_cell(make, tmp_path):
    raw = read_list(make(tmp_path))

    (table,) = raw.tables
    assert table.sheet == "名单"
    assert table.headers == tuple(bad.ROWS[0])
    assert table.cells.to_numpy().tolist() == [list(row) for row in bad.ROWS[1:]]
    assert table.rows.tolist() == [2, 3]
    assert table.problems == ()


@pytest.mark.parametrize(
    ("make", "where", "got", "words"),
    [
        (bad.truncated_workbook, "list.xlsx", " B", "incomplete or damaged"),
        (bad.workbook_cut_in_half, "list.xlsx", " B", "incomplete or damaged"),
        (bad.workbook_with_flipped_bits, "list.xlsx", "sheet1.xml", "incomplete or damaged"),
        (bad.lying_size, "list.xlsx", "100 B", "incomplete or damaged"),
        (bad.three_hundred_megabyte_cell, "list.xlsx", "> 50 x", "unpacks to too much"),
        (bad.one_long_text_in_every_cell, "list.xlsx!名单", "B", "unpacks to too much"),
        (bad.sheet_of_two_cells_far_apart, "名单!XFD1048576", "XFD1048576", "a cell far away"),
        (bad.billion_laughs, "list.xlsx!xl/worksheets/sheet1.xml", "<!DOCTYPE", "entities"),
        (bad.quadratic_entities, "list.xlsx!xl/worksheets/sheet1.xml", "<!DOCTYPE", "entities"),
        (bad.external_entity, "list.xlsx!xl/worksheets/sheet1.xml", "<!DOCTYPE", "entities"),
        (bad.hundred_thousand_entries, "list.xlsx", " B", "too many parts"),
        (bad.six_thousand_entries, "list.xlsx", "6,0", "too many parts"),
        (bad.entry_that_leads_out, "list.xlsx!../../evil.xml", "..", "leads out of it"),
        (bad.plain_zip_named_xlsx, "list.xlsx", ".zip", "unpacked first"),
        (bad.encrypted_workbook, "list.xlsx", "encrypted", "protected by a password"),
        (bad.encrypted_entry, "list.xlsx", "encrypted", "protected by a password"),
        (bad.old_xls_renamed, "list.xlsx", "sector", "incomplete or damaged"),
        (bad.ods_renamed, "list.xlsx", "unbound", "incomplete or damaged"),
        (bad.only_sheet_with_the_list_is_hidden, "list.xlsx!说明", "请勿外传", "unhide it"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_workbook_that_cannot_be_read_is_refused_in_one_clear_sentence(
    make, where, got, words, tmp_path
):
    with pytest.raises(ListError) as caught:
        read_list(make(tmp_path))

    (detail,) = caught.value.details
    assert detail.where == where
    assert got in detail.got
    assert words in caught.value.message.en
    assert all((caught.value.message.zh, detail.wanted.zh, detail.wanted.en))


@pytest.mark.parametrize(
    ("make", "cell"),
    [
        (bad.cell_in_a_column_that_no_sheet_has, "ZZZZ99"),
        (bad.far_cell_in_small_letters, "XFD9999"),
        (bad.far_cell_in_single_quotes, "XFD9999"),
        (bad.far_cell_before_the_last_row, "ZZ1048576"),
    ],
)
def test_a_far_cell_is_seen_however_it_is_written(make, cell, tmp_path):
    with pytest.raises(ListError, match="has a cell far away") as caught:
        read_list(make(tmp_path))

    assert caught.value.details[0].got == cell


@pytest.mark.parametrize("death", ["os._exit(3)", "os.abort()"])
def test_a_parser_that_dies_for_want_of_memory_takes_nothing_with_it(death, tmp_path):
    script = tmp_path / "greedy.py"
    script.write_text(f"import os\n{death}\n")

    with (
        Child(script, source="list.xlsx") as child,
        pytest.raises(ListError, match="takes too much memory") as caught,
    ):
        child.check()
    assert caught.value.details[0].got == "> 2,048 MB"


def test_a_package_whose_directory_points_nowhere_is_damaged(tmp_path):
    path = bad.workbook(tmp_path)
    content = bytearray(path.read_bytes())
    content[0:0] = b"PK\3\4"  # what comes before the package shifts every offset in it
    del content[20:28]
    path.write_bytes(content)

    with pytest.raises(ListError, match="incomplete or damaged"):
        read_list(path)


def test_a_workbook_that_takes_too_long_is_given_up(tmp_path):
    script = tmp_path / "slow.py"
    script.write_text("import threading\nthreading.Event().wait()\n")

    with Child(script, source="list.xlsx", limits=replace(OWN_FILE, seconds=0.2)) as child:
        assert child.output.read() == b""
        with pytest.raises(ListError, match="takes too much time") as caught:
            child.check()
    assert caught.value.details[0].where == "list.xlsx"


def test_a_fault_of_the_child_itself_is_not_blamed_on_the_list(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text("raise KeyError('ours')\n")

    with (
        Child(script, source="list.xlsx") as child,
        pytest.raises(RuntimeError, match="KeyError: 'ours'"),
    ):
        child.check()


def test_a_hidden_sheet_is_named_and_hidden_rows_are_counted(tmp_path):
    (tmp_path / "a").mkdir()
    sheets = read_list(bad.hidden_first_sheet(tmp_path / "a"))
    rows = read_list(bad.hidden_rows(tmp_path))

    assert [notice.en for notice in sheets.notices] == ["sheet 旧名单 is hidden and was not read"]
    assert [notice.en for notice in rows.notices] == [
        "sheet 名单 has 1 hidden rows, which were read too"
    ]


def test_a_merged_header_below_a_title_and_a_total_below_the_firms_are_no_firms(tmp_path):
    raw = read_list(bad.merged_two_row_header(tmp_path))

    (table,) = raw.tables
    assert table.headers == (
        "序号",
        "企业",
        "项目情况/主要产品",
        "项目情况/意向投资额（亿元）",
        "联系方式/联系人",
        "联系方式/电话",
    )
    assert table.cells[1].tolist() == FIRMS
    assert table.cells[3].tolist() == ["1.5", "20"]
    assert table.rows.tolist() == [4, 5]
    (problem,) = table.problems
    assert (problem.code, problem.row, problem.found) == ("totals_row", 6, "合计")
    assert problem.set_aside
    assert clean(raw, today=date(2026, 1, 1)).rows_in == 3


@pytest.mark.parametrize(
    ("make", "column", "told"),
    [
        (
            bad.formula_without_cached_value,
            2,
            [(2, "注册资本", "=", "formula_without_value")],
        ),
        (
            bad.error_cells,
            2,
            [(2, "注册资本", "#N/A", "error_cell"), (3, "注册资本", "#DIV/0!", "error_cell")],
        ),
        (
            bad.eighteen_digit_code_as_a_number,
            1,
            [(2, "统一社会信用代码", "913601001234568000", "damaged_number")],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_cell_that_lost_its_value_is_missing_and_told(make, column, told, tmp_path):
    (table,) = read_list(make(tmp_path)).tables

    found = [(each.row, each.column, each.found, each.code) for each in table.problems]
    assert found == told
    assert {problem.sheet for problem in table.problems} == {"名单"}
    for row, *_ in told:
        at = table.rows.tolist().index(row)
        assert table.cells[column].isna()[at]
        assert table.cells[0][at] == FIRMS[at]


def test_dates_since_1904_are_right(tmp_path):
    (table,) = read_list(bad.dates_since_1904(tmp_path)).tables

    assert table.cells.loc[0, 1] == "2016-11-30"


def test_boolean_time_and_date_cells_become_plain_text(tmp_path):
    (table,) = read_list(bad.boolean_and_time_cells(tmp_path)).tables

    assert table.cells.iloc[0].tolist() == [
        "甲公司",
        "是",
        "12:00:00",
        "36:00:00",
        "2016-11-30 06:00:00",
        "2016-11-30",
    ]


def test_every_sheet_that_is_a_list_is_read_and_the_others_are_named(tmp_path):
    raw = read_list(bad.several_sheets(tmp_path))

    first, second = raw.tables
    assert (first.sheet, second.sheet) == ("名单", "外地")
    assert second.headers == ("", "公司名称", "所在城市")
    assert second.cells.loc[0, 1] == "上海丙科技有限公司"
    assert second.rows.tolist() == [3]
    assert [notice.en for notice in raw.notices] == [
        "sheet 说明 has no column that names firms and was not read",
        "sheet 字段 has no column that names firms and was not read",
    ]


def test_a_million_rows_are_read(tmp_path, monkeypatch):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # a line at a time takes long
    (table,) = read_list(bad.million_row_workbook(tmp_path)).tables

    assert table.cells.shape == (1_000_000, 1)
    assert table.cells.iloc[-1, 0] == "A1000001"
    assert table.rows[-1] == 1_000_001


def test_what_another_library_wrote_is_read_the_same(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "名单"
    for row in (*bad.ROWS, ("丙公司", None, 300000000)):
        sheet.append(row)
    sheet["C5"] = "=C4*2"
    sheet["A5"] = "丁公司"
    book.save(tmp_path / "list.xlsx")

    (table,) = read_list(tmp_path / "list.xlsx").tables
    assert table.cells[0].tolist() == [*FIRMS, "丙公司", "丁公司"]
    assert table.cells[2].tolist()[:3] == ["100万元", "2亿", "300000000"]
    assert [(each.row, each.code) for each in table.problems] == [(5, "formula_without_value")]
