""".xls and .ods are read in the same sandbox: what they say is right, what they may do bounded."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from datetime import date

import pytest
from tests import old_workbooks as old

from leadscore.errors import ListError
from leadscore.lists.dedupe import load_list
from leadscore.lists.reading import read_list
from leadscore.lists.reading.table import OWN_FILE, UPLOADED

pytestmark = pytest.mark.measured

TODAY = date(2026, 11, 24)
ROWS = [
    ["企业名称", "注册资本（万元）", "所在城市"],
    ["甲一光学有限公司", 1000, "深圳市"],
    ["乙二电池有限公司", 2.5, None],
]


@pytest.mark.parametrize("write", [old.xls, old.ods])
@pytest.mark.parametrize("suffix", [".xls", ".ods", ".xlsx", ".csv", ""])
def test_what_a_file_is_its_content_decides(tmp_path, write, suffix):
    path = write(tmp_path, ROWS)
    (table,) = read_list(path.rename(tmp_path / f"list{suffix}")).tables

    assert (table.sheet, table.headers) == ("名单", tuple(ROWS[0]))
    assert table.column(0) == ["甲一光学有限公司", "乙二电池有限公司"]
    assert table.column(1) == ["1000", "2.5"]
    assert table.column(2) == ["深圳市", None]
    assert table.rows.tolist() == [2, 3]


LOOKS = [
    (0.065, "0.0%", "6.5%"),
    (12345, '0"万元"', "12345万元"),
    (12345, '0!.0,"万元"', "1.2345万元"),
    (-5, '_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)', "$-5"),
    (42704, "yyyy-mm-dd", "2016-11-30"),
    (7, "0.00_ ", "7"),
]


@pytest.mark.parametrize(("value", "code", "text"), LOOKS)
def test_a_number_of_an_xls_workbook_is_read_as_its_format_shows_it(tmp_path, value, code, text):
    path = old.xls(tmp_path, [["企业名称", "数"], ["甲公司", value]], formats={(1, 1): code})

    assert read_list(path).tables[0].column(1) == [text]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (old.shown("percentage", 0.065, "6.5%"), "6.5%"),
        (old.shown("percentage", 0.0654, "7%"), "6.54%"),
        (old.shown("float", 12345, "12,345万元"), "12345万元"),
        (old.shown("float", 12345, "1.2万元"), "1.2345万元"),
        (old.shown("float", 12345, "12,345"), "12345"),
        (old.shown("currency", -5, "-￥5.00", 'office:currency="CNY"'), "￥-5"),
        (old.shown("currency", -5, "($5.00)"), "$-5"),
        (old.shown("float", 1, "000001"), "000001"),
        (old.shown("float", 0.3333, "1/3"), "0.3333"),
        (old.shown("float", 1234.5, "1.23E+03"), "1234.5"),
        (old.shown("boolean", "", "TRUE", 'office:boolean-value="true"'), "是"),
        (old.shown("date", "", "8/4/15", 'office:date-value="2015-04-08"'), "2015-04-08"),
        (old.shown("time", "", "x", 'office:time-value="PT36H05M00S"'), "36:05:00"),
        (
            (
                '<table:table-cell office:value-type="string"><office:annotation><text:p>批注'
                '</text:p></office:annotation><text:p>甲<text:s text:c="2"/><text:span>乙'
                "</text:span></text:p><text:p>丙</text:p></table:table-cell>"
            ),
            "甲  乙\n丙",
        ),
    ],
)
def test_a_cell_of_an_ods_workbook_is_read_as_it_is_shown(tmp_path, cell, text):
    (table,) = read_list(old.ods(tmp_path, [["企业名称", "数"], ["甲公司", cell]])).tables

    assert table.column(1) == [text]


def spanned(text: str, rows: int) -> str:
    return (
        f'<table:table-cell office:value-type="string" table:number-rows-spanned="{rows}">'
        f"<text:p>{text}</text:p></table:table-cell>"
    )


def test_merged_cells_belong_to_every_row_in_both(tmp_path):
    rows = [["企业名称", "所在城市"], ["甲公司", "深圳市"], ["乙公司", None]]
    books = [
        old.xls(tmp_path, rows, merges=[(1, 2, 1, 1)]),
        old.ods(
            tmp_path,
            [
                rows[0],
                ["甲公司", spanned("深圳市", 2)],
                ["乙公司", "<table:covered-table-cell/>"],
            ],
        ),
    ]
    for path in books:
        assert [firm["city"] for firm in load_list(path, today=TODAY).records] == ["深圳市"] * 2


def test_hidden_sheets_and_rows_are_told_in_both(tmp_path):
    stream = old.xls_stream(
        {"名单": ROWS, "旧名单": ROWS}, hidden_sheets=["旧名单"], hidden_rows=[2]
    )
    (tmp_path / "list.xls").write_bytes(old.compound(stream))
    hidden = '<table:table-row table:visibility="filter"><table:table-cell/></table:table-row>'
    content = old.ods_content({"名单": [*ROWS, hidden], "旧名单": ROWS})

    for path in (tmp_path / "list.xls", old.package(tmp_path, content)):
        raw = read_list(path)
        assert [table.sheet for table in raw.tables] == ["名单"]
        assert [notice.en for notice in raw.notices] == [
            "sheet 旧名单 is hidden and was not read",
            "sheet 名单 has 1 hidden rows, which were read too",
        ]


def test_cells_with_errors_are_missing_and_told_in_both(tmp_path):
    error = old.shown("string", "", "#N/A", 'calcext:value-type="error"')
    empty = '<table:table-cell table:formula="of:=[.A1]"/>'
    (one,) = read_list(old.xls(tmp_path, [*ROWS, ["丙公司", "#N/A"]])).tables
    (two,) = read_list(old.ods(tmp_path, [*ROWS, ["丙公司", error], ["丁公司", empty]])).tables

    assert one.column(1)[2] is None
    assert two.column(1)[2:] == [None, None]
    assert [(it.row, it.code, it.found) for it in one.problems] == [(4, "error_cell", "#N/A")]
    assert [(it.row, it.code) for it in two.problems] == [
        (4, "error_cell"),
        (5, "formula_without_value"),
    ]


def test_repeated_cells_and_rows_of_an_ods_workbook_stand_where_they_stand(tmp_path):
    blank = (
        '<table:table-row table:number-rows-repeated="1000"><table:table-cell/></table:table-row>'
    )
    far = '<table:table-cell table:number-columns-repeated="16000"/>'
    twice = (
        '<table:table-row table:number-rows-repeated="2"><table:table-cell><text:p>丙公司</text:p>'
        f"</table:table-cell>{far}</table:table-row>"
    )
    (table,) = read_list(old.ods(tmp_path, [*ROWS, blank, twice, blank * 900])).tables

    assert table.column(0)[2:] == ["丙公司", "丙公司"]
    assert table.rows.tolist() == [2, 3, 1004, 1005]


def bomb(tmp_path, row):
    return old.ods(tmp_path, [*ROWS, row])


def many(cells: str, times: int) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{cells}</table:table-row>'


def cell(text: str, times: int = 1) -> str:
    return (
        f'<table:table-cell table:number-columns-repeated="{times}"><text:p>{text}</text:p>'
        "</table:table-cell>"
    )


HOSTILE = {
    "a sheet full of repeats": (
        lambda to: bomb(to, many(cell("x", 16_384), 1_048_576)),
        "far away",
    ),
    "more columns than there are": (lambda to: bomb(to, many(cell("x", 99_999), 1)), "far away"),
    "a long text in every row": (lambda to: bomb(to, many(cell("x" * 9_999), 99_999)), "too much"),
    "a zip bomb": (lambda to: bomb(to, " " * (64 << 20)), "unpacks to too much"),
    "entities": (
        lambda to: old.package(
            to, old.ods_content({"a": ROWS}, f'<!DOCTYPE a [<!ENTITY a "{"x" * 99_999}">]>')
        ),
        "entities",
    ),
    "cut xml": (lambda to: old.package(to, old.ods_content({"a": ROWS})[:-300]), "damaged"),
    "elements within elements": (
        lambda to: bomb(to, many(cell("<text:span>" * 50_000 + "</text:span>" * 50_000), 1)),
        "damaged",
    ),
    "a number that is none": (lambda to: bomb(to, [old.shown("float", "1x", "1")]), "damaged"),
    "a password": (
        lambda to: old.package(to, b"\x80\x81", manifest="<m><manifest:encryption-data/></m>"),
        "password",
    ),
    "a text document": (lambda to: old.package(to, old.ods_content({})), "OpenDocument"),
    "an xls of two cells far apart": (
        lambda to: old.xls(to, ROWS, extra=old.record(0x0203, b"\xff\xff\xff\xff\0\0" + b"\0" * 8)),
        "far away",
    ),
    "an xls in a circle": (
        lambda to: _written(to, old.compound(old.xls_stream({"a": ROWS}), loops=True)),
        None,
    ),
    "an xls cut in the middle": (
        lambda to: _written(to, old.compound(old.xls_stream({"a": ROWS}))[:1_500]),
        "damaged",
    ),
    "an xls whose record ends beyond it": (
        lambda to: _written(to, old.compound(b"\x09\x08\xff\xff" + b"\0" * 5_000)),
        "damaged",
    ),
    "an xls with a password": (lambda to: old.xls(to, ROWS, protected=True), "password"),
    "a document of another program": (
        lambda to: _written(to, old.compound(b"x", "WordDocument")),
        "old Office",
    ),
    "only the beginning of an xls": (lambda to: _written(to, b"\xd0\xcf\x11\xe0" * 40), "damaged"),
}


def _written(folder, content):
    path = folder / "list.xls"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("limits", [OWN_FILE, UPLOADED], ids=["own", "uploaded"])
def test_a_hostile_workbook_is_refused_in_a_moment(tmp_path, kind, limits):
    make, words = HOSTILE[kind]
    path, start = make(tmp_path), time.process_time()

    if words is None:
        read_or_refused(path, limits)
    else:
        with pytest.raises(ListError, match=words) as caught:
            read_list(path, limits=limits)
        assert caught.value.message.zh
    assert time.process_time() - start < 10


def read_or_refused(path, limits):
    with contextlib.suppress(ListError):
        assert read_list(path, limits=replace(limits, seconds=5)).tables


@pytest.mark.parametrize("write", [old.xls, old.ods])
def test_every_flipped_byte_is_read_or_refused_and_never_our_fault(tmp_path, write):
    whole = write(tmp_path, ROWS).read_bytes()
    for at in range(0, len(whole), len(whole) // 40):
        flipped = bytearray(whole)
        flipped[at] ^= 0xFF
        path = tmp_path / "flipped"
        path.write_bytes(flipped)
        read_or_refused(path, OWN_FILE)


@pytest.mark.parametrize("write", [old.xls, old.ods])
def test_of_a_long_workbook_the_first_rows_are_read_and_the_others_counted(tmp_path, write):
    rows = [ROWS[0], *([f"甲{at}公司", at, "深圳市"] for at in range(600))]
    raw = read_list(write(tmp_path, rows), limits=replace(OWN_FILE, head=100))

    assert 99 <= len(raw.tables[0].rows) < 600
    assert len(raw.tables[0].rows) + raw.unread_rows == 600
