"""Text files that must never hurt: each gives the value written here, or one clear refusal."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests import bad_files as bad

from leadscore.errors import ListError
from leadscore.lists.cleaning import clean
from leadscore.lists.reading import read_list

FIRMS = ["深圳甲电子有限公司", "南昌乙光电有限公司"]
HEADERS = ("企业名称", "统一社会信用代码", "注册资本")


@pytest.mark.parametrize(
    ("make", "encoding", "rows"),
    [
        (bad.blank_lines_between, "UTF-8", [4, 7]),
        (bad.utf8_with_bom, "UTF-8", [2, 3]),
        (bad.double_bom, "UTF-8", [2, 3]),
        (bad.utf16_with_bom, "UTF-16LE", [2, 3]),
        (bad.utf16_big_endian_with_bom, "UTF-16BE", [2, 3]),
        (bad.utf16_without_bom, "UTF-16LE", [2, 3]),
        (bad.utf16_big_endian_without_bom, "UTF-16BE", [2, 3]),
        (bad.gbk, "GB18030", [2, 3]),
        (bad.gzip_of_csv, "GB18030", [2, 3]),
        (bad.every_row_ends_with_a_separator, "UTF-8", [2, 3]),
        (bad.semicolons, "UTF-8", [2, 3]),
        (bad.tabs, "UTF-8", [2, 3]),
        (bad.full_width_commas, "UTF-8", [2, 3]),
        (bad.carriage_returns_only, "UTF-8", [2, 3]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_unusual_text_is_read_to_the_last_cell(make, encoding, rows, tmp_path):
    raw = read_list(make(tmp_path))

    (table,) = raw.tables
    assert table.headers == HEADERS
    assert table.cells.to_numpy().tolist() == [
        [FIRMS[0], "91440300MA5EXAMPLA", "100万元"],
        [FIRMS[1], "91360100MA3EXAMPK2", "2亿"],
    ]
    assert table.rows.tolist() == rows
    assert table.problems == ()
    assert any(encoding in notice.en for notice in raw.notices) == (encoding != "UTF-8")


@pytest.mark.parametrize(
    ("make", "where", "got", "words"),
    [
        (bad.empty_file, "list.csv", "0", "is empty"),
        (bad.bom_only, "list.csv", "0", "is empty"),
        (bad.blank_lines_only, "list.csv", "0", "is empty"),
        (bad.headerless, "list.csv", "…", "no column that names firms"),
        (bad.png_named_csv, "list.csv", ".png", "a picture"),
        (bad.big5, "list.csv", "Big5", "looks like Big5"),
        (bad.mixed_encodings, "list.csv:3", "≠ UTF-8", "UTF-8 in line 1 but not in line 3"),
        (bad.utf8_cut_in_the_middle, "list.csv", "UTF-8", "in the middle of a character"),
        (bad.marked_utf8_but_gbk, "list.csv:1", "0xC6", "marked as UTF-8"),
        (bad.no_known_encoding, "list.csv:2", "0xFF", "not in any known text encoding"),
        (bad.unclosed_quote, "list.csv:3", '"', "a quote in line 3 is not closed"),
        (bad.unclosed_quote_before_another, "list.csv:3", '"', "a quote in line 3"),
        (bad.hundred_thousand_columns, "list.csv", "100,000", "too many columns"),
        (bad.gzip_cut, "list.csv.gz", "end-of-stream", "incomplete gzip"),
        (bad.gzip_of_a_picture, "list.csv.gz", ".png", "a picture"),
        (bad.gzip_without_line_ends, "bomb.csv.gz", "> 67,108,864", "too much text"),
        (bad.web_page_named_xls, "list.xls", ".html", "a web page"),
        (bad.two_tables_in_one, "list.csv:5", "公司名称, 成立日期", "two lists"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_text_that_cannot_be_read_is_refused_in_one_clear_sentence(
    make, where, got, words, tmp_path
):
    with pytest.raises(ListError) as caught:
        read_list(make(tmp_path))

    (detail,) = caught.value.details
    assert detail.where == where
    assert got in detail.got
    assert words in caught.value.message.en
    assert all((caught.value.message.zh, detail.wanted.zh, detail.wanted.en))
    assert "\n" not in caught.value.message.zh


def test_a_header_without_firms_is_an_empty_list_and_says_so(tmp_path):
    raw = read_list(bad.header_only(tmp_path))

    assert raw.tables[0].cells.shape == (0, 3)
    assert [notice.en for notice in raw.notices] == ["there are no firms below the headers"]
    assert clean(raw, today=date(2026, 1, 1)).rows_in == 0


def test_a_nul_in_a_cell_stays_in_the_cell_and_is_told_by_cleaning(tmp_path):
    raw = read_list(bad.nul_in_a_cell(tmp_path))
    assert raw.tables[0].cells.loc[0, 0] == "深圳甲\0电子有限公司"

    cleaned = clean(raw, today=date(2026, 1, 1))
    assert cleaned.firms["name"].tolist() == FIRMS
    assert "invisible_characters" in {problem.code for problem in cleaned.problems}


def test_a_nul_in_the_header_hides_no_column(tmp_path):
    raw = read_list(bad.nul_in_the_header(tmp_path))

    assert clean(raw, today=date(2026, 1, 1)).firms["name"].tolist() == FIRMS


def test_a_character_beyond_gbk_is_kept(tmp_path):
    raw = read_list(bad.gb18030_beyond_gbk(tmp_path))

    assert raw.tables[0].cells.loc[0, 0] == "深圳𠮷电子有限公司"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (bad.duplicate_header, ["注册资本: B, C"]),
        (bad.duplicate_header_in_disguise, ["name: A, D", "注册资本: B, C"]),
        (bad.header_that_renaming_would_repeat, []),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_columns_of_one_name_stay_apart_and_are_told(make, told, tmp_path):
    (table,) = read_list(make(tmp_path)).tables

    assert table.cells.shape == (1, len(table.headers))
    assert table.cells.iloc[0].is_unique
    assert [problem.found for problem in table.problems] == told
    assert {problem.code for problem in table.problems} <= {"duplicate_header"}


@pytest.mark.parametrize(
    ("make", "row", "kept"),
    [
        (bad.first_row_with_one_field_too_many, 2, FIRMS[1:]),
        (bad.later_row_with_one_field_too_many, 3, FIRMS[:1]),
        (bad.one_row_shifted_over_an_empty_end, 3, FIRMS[:1]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_row_with_a_field_too_many_is_set_aside_and_shifts_nothing(make, row, kept, tmp_path):
    raw = read_list(make(tmp_path))

    (table,) = raw.tables
    (problem,) = table.problems
    assert table.cells[0].tolist() == kept
    assert (problem.code, problem.row, problem.found) == ("too_many_fields", row, "4")
    assert problem.set_aside
    assert clean(raw, today=date(2026, 1, 1)).rows_in == 2


def test_a_short_row_is_filled_with_missing_cells_and_told(tmp_path):
    (table,) = read_list(bad.short_row(tmp_path)).tables

    assert table.cells.iloc[1].isna().tolist() == [False, True, True]
    assert table.cells.iloc[2].notna().all()
    (problem,) = table.problems
    assert (problem.code, problem.row, problem.found) == ("too_few_fields", 3, "1")
    assert not problem.set_aside


def test_text_after_a_closing_quote_is_kept_and_told(tmp_path):
    (table,) = read_list(bad.text_after_a_closing_quote(tmp_path)).tables

    assert table.cells[0].tolist() == FIRMS
    assert [(problem.code, problem.row) for problem in table.problems] == [("stray_quote", 2)]


def test_quotes_after_a_space_are_quotes(tmp_path):
    (table,) = read_list(bad.quotes_after_spaces(tmp_path)).tables

    assert table.cells.iloc[0].tolist() == ["甲公司", "深圳", "大, 新"]


def test_a_million_rows_are_read_with_their_numbers(tmp_path):
    (table,) = read_list(bad.million_rows(tmp_path)).tables

    assert table.cells.shape == (1_000_000, 2)
    assert table.cells.iloc[-1].tolist() == ["甲999999公司", "深圳"]
    assert (table.rows[0], table.rows[-1]) == (2, 1_000_001)


def test_a_cell_of_fifty_megabytes_is_missing_and_its_firm_stays(tmp_path):
    (table,) = read_list(bad.fifty_megabyte_cell(tmp_path)).tables

    assert table.cells[0].tolist() == ["甲公司", "乙公司"]
    assert table.cells[1].isna().tolist() == [True, False]
    (problem,) = table.problems
    assert (problem.code, problem.row, problem.column) == ("cell_too_long", 2, "profile")
    assert problem.found == "50,000,000"


def test_a_long_field_is_read_whole(tmp_path):
    (table,) = read_list(bad.field_over_131072_characters(tmp_path)).tables

    assert table.cells.loc[0, 1] == "经营" * 100_000


def test_firms_named_like_nothing_are_firms(tmp_path):
    (table,) = read_list(bad.firms_named_like_nothing(tmp_path)).tables

    assert table.cells[0].tolist() == ["NA", "null", "None", "nan", "#N/A"]
    assert table.cells[1].isna().tolist() == [False, False, True, False, False]


def test_no_cell_is_changed_by_reading(tmp_path):
    (table,) = read_list(bad.cells_that_invite_changes(tmp_path)).tables

    assert table.cells[1].tolist() == list(bad.TRAPS)
    assert table.problems == ()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ListError) as caught:
        read_list(tmp_path / "list.csv")

    assert "list.csv can't be opened: there is no such file" in caught.value.message.en
    assert caught.value.message.zh.isprintable()
    assert "No such file" not in caught.value.render("zh")


def test_a_folder_is_refused(tmp_path: Path):
    with pytest.raises(ListError, match="can't be opened"):
        read_list(tmp_path)
