from __future__ import annotations

import datetime as dt
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests import bad_files as bad

from leadscore.errors import ListError
from leadscore.lists.reading import excel_child as child
from leadscore.lists.reading import read_list

pytestmark = pytest.mark.measured

CELL = '<c r="{at}" {more}>{inner}</c>'


MOST = (1_000_000, 1_000_000, 10_000, 10_000)  # cells, bytes of text, rows, and rows printed


def sheet(*cells: str, rows: int = 3) -> bytes:
    tail = f'<row r="{rows}" spans="1:3"></row>'
    return f"<sheetData><row r='1'>{''.join(cells)}</row>{tail}</sheetData>".encode()


def cell(at: str, inner: str, more: str = "") -> str:
    return CELL.format(at=at, inner=inner, more=more)


def test_the_scripts_of_the_children_import_nothing_of_the_package():
    for name in ("excel_child.py", "number_formats.py", "parquet_child.py"):
        text = Path(child.__file__).with_name(name).read_text(encoding="utf-8")
        assert "import leadscore" not in text
        assert "from leadscore" not in text


def test_the_child_of_workbooks_starts_without_the_heavy_libraries():
    run = subprocess.run(
        [sys.executable, "-P", child.__file__, "missing.xlsx", str(1 << 31), *"91111"],
        capture_output=True,
        check=True,
        env={"PYTHONVERBOSE": "1"},
    )
    assert b'"error":"damaged"' in run.stdout
    assert b"import 'pandas'" not in run.stderr
    assert b"import 'numpy'" not in run.stderr


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42.0, "42"),
        (-0.0, "0"),
        (1e14, "100000000000000"),
        (999_999_999_999_999.0, "999999999999999"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333333333"),
        (True, "是"),
        (False, "否"),
        (dt.datetime(2016, 11, 30, 8, 29, 59, 999_700), "2016-11-30 08:30:00"),
        (dt.datetime(2016, 11, 29, 23, 59, 59, 999_900), "2016-11-30"),
        (dt.time(8, 30), "08:30:00"),
        (dt.timedelta(hours=-1), "-1:00:00"),
    ],
)
def test_a_value_is_written_as_the_spreadsheet_shows_it(value, text):
    assert child.text_of(value) == (text, False)


def test_a_whole_number_of_sixteen_digits_is_damaged():
    assert child.text_of(1e15) == ("1000000000000000", True)
    assert child.text_of(-1.2345678901234567e17) == ("-123456789012346000", True)
    assert child.text_of(1e300)[1]


@pytest.mark.parametrize(
    ("inner", "more", "code"),
    [
        ("<f>A2</f>", "", "formula_without_value"),
        ("<f>A2</f><v></v>", "", "formula_without_value"),
        ('<f t="shared" si="0"/><v/>', "", "formula_without_value"),
        ("<f>A2</f><v> </v>", 's="3"', "formula_without_value"),
        ("<f>NA()</f><v>#N/A</v>", 't="e"', "error_cell"),
        ("<v>#REF!</v>", 's="1" t="e"', "error_cell"),
    ],
)
def test_a_cell_without_a_value_is_found(inner, more, code):
    sound = cell("A1", "<f>A2</f><v>1</v>")
    found = list(child.damage(sheet(sound, cell("AB1", inner, more), sound)))

    assert [(row, column, kind) for row, column, kind, _ in found] == [(1, 27, code)]


def test_a_formula_whose_value_is_an_empty_text_has_a_value():
    assert list(child.damage(sheet(cell("A1", "<f>A2</f><v></v>", 't="str"')))) == []


def test_prefixed_elements_are_understood():
    xml = b'<x:row r="1"><x:c r="B1"><x:f>A1</x:f></x:c><x:c r="C1" t="e"><x:v>#N/A</x:v></x:c>'

    assert sorted(found[2] for found in child.damage(xml)) == [
        "error_cell",
        "formula_without_value",
    ]


def test_the_span_of_a_sheet_is_known_before_memory_is_taken():
    far = sheet(cell("XFD2", "<v>1</v>"), rows=1_048_576)

    assert child.last_cell(sheet(cell("C1", "<v>1</v>")), 1_000) is None
    assert child.last_cell(far, 32_000_000) == "XFD1048576"
    assert child.last_cell(sheet(cell("J1", ""), rows=1_000_000), 32_000_000) is None
    assert child.last_cell(sheet(cell("AZ1", ""), rows=1_000_000), 32_000_000) == "AZ1000000"
    assert child.last_cell(b"", 10) is None


def test_shared_texts_are_counted_once_for_each_cell():
    xml = sheet(*[cell("A1", "<v>1</v>", 't="s"')] * 3)

    assert child.shared_text(xml, [5, 1 << 27]) == 3 << 27
    assert child.shared_text(xml, [5, 10]) == 0
    assert child.shared_text(sheet(cell("A1", "<v>9</v>", 't="s"')), [1 << 28, 7]) == 7


def test_sheets_are_found_by_their_relations_whatever_their_files_are_called():
    out = io.BytesIO()
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(out, "w") as package:
        package.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="m" xmlns:r="{relations}"><sheets>'
            '<sheet name="甲" r:id="r2"/><sheet name="乙" r:id="r1"/><sheet name="丙" r:id="r9"/>'
            "</sheets></workbook>",
        )
        package.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="p"><Relationship Id="r1" Target="/xl/worksheets/b.xml"/>'
            '<Relationship Id="r2" Target="worksheets/a.xml"/></Relationships>',
        )
        package.writestr("xl/worksheets/a.xml", "")
        package.writestr("xl/worksheets/b.xml", "")
    with zipfile.ZipFile(out) as package:
        assert child.sheet_parts(package) == {
            "甲": "xl/worksheets/a.xml",
            "乙": "xl/worksheets/b.xml",
        }


def said(output: bytes) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def test_the_child_prints_sheets_with_row_numbers_and_absolute_columns(tmp_path, capsysbinary):
    path = bad.several_sheets(tmp_path)

    child.print_workbook(str(path), *MOST)
    messages = said(capsysbinary.readouterr().out)
    assert messages[0] == {"hidden": []}
    begun = [message["begin"] for message in messages if "begin" in message]
    assert begun == ["名单", "说明", "字段", "外地", "空"]
    at = messages.index(next(each for each in messages if each.get("begin") == "外地"))
    assert messages[at]["width"] == 3
    assert messages[at + 1] == {
        "rows": [2, 3],
        "cells": [[None, "公司名称", "所在城市"], [None, "上海丙科技有限公司", "上海"]],
    }
    assert messages[at + 2] == {"issues": [], "unread": 0}


def test_the_child_stops_at_the_first_sheet_that_is_too_large(tmp_path, capsysbinary):
    child.print_workbook(str(bad.sheet_of_two_cells_far_apart(tmp_path)), *MOST)

    assert said(capsysbinary.readouterr().out)[-1] == {
        "error": "span",
        "sheet": "名单",
        "found": "XFD1048576",
    }


def test_the_child_prints_more_rows_than_a_batch_in_order(tmp_path, capsysbinary):
    rows = [("name", "成立日期"), *((f"甲{at}", at + 0.5) for at in range(2_500))]
    child.print_workbook(str(bad.workbook(tmp_path, rows=rows)), *MOST)

    messages = said(capsysbinary.readouterr().out)
    cells = [row for message in messages for row in message.get("cells", [])]
    numbers = [number for message in messages for number in message.get("rows", [])]
    assert cells == [["name", "成立日期"], *([f"甲{at}", f"{at + 0.5}"] for at in range(2_500))]
    assert numbers == list(range(1, 2_502))


RENAMED = {
    "another workbook": (
        lambda part: part.replace("workbook.xml", "workbook22.xml"),
        {b"xl/workbook.xml": b"xl/workbook22.xml"},
    ),
    "backslashes": (lambda part: part.replace("/", "\\"), {}),
    "capitals": (str.upper, {}),
    "small letters": (str.lower, {}),
    "other parts": (
        lambda part: part.replace("Strings", "Strings3").replace("sheet1.", "Blatt 7."),
        {b"Strings.xml": b"Strings3.xml", b"sheet1.xml": b"Blatt 7.xml"},
    ),
    "absolute targets": (str, {b'Target="worksheets': b'Target="/xl/worksheets'}),
    "another folder": (
        lambda part: part.replace("xl/", "book/"),
        {b'"xl/workbook.xml"': b'"/book/workbook.xml"'},
    ),
    "steps in targets": (str, {b'Target="worksheets': b'Target="..\\xl/./worksheets'}),
}


def renamed(path: Path, kind: str) -> Path:
    rename, changes = RENAMED[kind]
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            entry = zipfile.ZipInfo("x")
            entry.filename, entry.compress_type = rename(name), zipfile.ZIP_DEFLATED
            for old, new in changes.items():
                content = content.replace(old, new)
            package.writestr(entry, content)
    return path


@pytest.mark.parametrize("kind", RENAMED)
def test_parts_are_found_as_the_relationships_name_them(kind, tmp_path):
    def one_more(book, sheet):
        sheet.write_number("C3", 12345, book.add_format({"num_format": '0"万元"'}))
        book.add_worksheet("旧").hide()

    raw = read_list(renamed(bad.workbook(tmp_path, one_more), kind))

    (table,) = raw.tables
    assert table.headers == bad.ROWS[0]
    assert table.cells[2].tolist() == ["100万元", "12345万元"]
    assert [notice.en for notice in raw.notices] == ["sheet 旧 is hidden and was not read"]


@pytest.mark.parametrize("kind", RENAMED)
def test_what_is_measured_is_measured_whatever_the_parts_are_called(kind, tmp_path):
    for make in (bad.billion_laughs, bad.sheet_of_two_cells_far_apart, bad.lying_size):
        folder = tmp_path / make.__name__
        folder.mkdir()
        path = make(folder)
        if make is not bad.lying_size:
            renamed(path, kind)
        with pytest.raises(ListError, match=r"entities|far away|damaged"):
            read_list(path)


def test_two_parts_of_one_name_in_other_letters_are_refused(tmp_path):
    path = bad.repacked(
        bad.workbook(tmp_path), lambda _, part: part, [("XL\\Worksheets/Sheet1.xml", b"<x/>")]
    )
    with pytest.raises(ListError, match="damaged"):
        read_list(path)
