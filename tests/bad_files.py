"""Makes the files that must never hurt, one function per item, each named after what is wrong."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

HEADER = "企业名称,统一社会信用代码,注册资本"
FIRM = "深圳甲电子有限公司,91440300MA5EXAMPLA,100万元"
OTHER = "南昌乙光电有限公司,91360100MA3EXAMPK2,2亿"
LIST = f"{HEADER}\n{FIRM}\n{OTHER}\n"

Maker = Callable[[Path], Path]


def _file(folder: Path, content: str | bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


# --- CSV -----------------------------------------------------------------------------------


def empty_file(folder: Path) -> Path:
    return _file(folder, b"")


def bom_only(folder: Path) -> Path:
    return _file(folder, b"\xef\xbb\xbf")


def blank_lines_only(folder: Path) -> Path:
    return _file(folder, "\n\r\n  \n")


def blank_lines_between(folder: Path) -> Path:
    return _file(folder, f"\n{HEADER}\n\n{FIRM}\n,,\n  ,,\n{OTHER}\n\n")


def header_only(folder: Path) -> Path:
    return _file(folder, HEADER + "\n")


def headerless(folder: Path) -> Path:
    return _file(folder, f"{FIRM}\n{OTHER}\n")


def png_named_csv(folder: Path) -> Path:
    return _file(folder, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde")


def nul_in_a_cell(folder: Path) -> Path:
    return _file(folder, LIST.replace("甲", "甲\0"))


def nul_in_the_header(folder: Path) -> Path:
    return _file(folder, LIST.replace("企业名称", "企业\0名称"))


def utf16_with_bom(folder: Path) -> Path:
    return _file(folder, LIST.encode("utf-16"))


def utf16_big_endian_with_bom(folder: Path) -> Path:
    return _file(folder, b"\xfe\xff" + LIST.encode("utf-16-be"))


def utf16_without_bom(folder: Path) -> Path:
    return _file(folder, LIST.encode("utf-16-le"))


def utf16_big_endian_without_bom(folder: Path) -> Path:
    return _file(folder, LIST.encode("utf-16-be"))


def utf8_with_bom(folder: Path) -> Path:
    return _file(folder, LIST.encode("utf-8-sig"))


def gbk(folder: Path) -> Path:
    return _file(folder, LIST.encode("gbk"))


def gb18030_beyond_gbk(folder: Path) -> Path:
    return _file(folder, LIST.replace("甲", "𠮷").encode("gb18030"))


def big5(folder: Path) -> Path:
    text = (
        "name,統一編號,地址\n台灣積體電路製造股份有限公司,22099131,新竹市力行六路\n"
        "友達光電股份有限公司,84149738,新竹市力行二路\n"
    )
    return _file(folder, text.encode("big5"))


def mixed_encodings(folder: Path) -> Path:
    return _file(folder, f"{HEADER}\n{FIRM}\n".encode() + f"{OTHER}\n".encode("gb18030"))


def double_bom(folder: Path) -> Path:
    return _file(folder, b"\xef\xbb\xbf\xef\xbb\xbf" + LIST.encode())


def utf8_cut_in_the_middle(folder: Path) -> Path:
    whole = f"{HEADER}\n{FIRM}\n南昌乙光电".encode()
    return _file(folder, whole[:-1])


def marked_utf8_but_gbk(folder: Path) -> Path:
    return _file(folder, b"\xef\xbb\xbf" + LIST.encode("gbk"))


def no_known_encoding(folder: Path) -> Path:
    return _file(folder, b"name,city\n\xff\xfa\xff\xff\x80,\xff\n")


def duplicate_header(folder: Path) -> Path:
    return _file(folder, "企业名称,注册资本,注册资本\n深圳甲电子有限公司,100万元,200万元\n")


def duplicate_header_in_disguise(folder: Path) -> Path:
    return _file(folder, "name,注册资本,注册\u200b资本 ,ＮＡＭＥ\n甲公司,1万元,2万元,乙公司\n")


def header_that_renaming_would_repeat(folder: Path) -> Path:
    return _file(folder, "name,a,a,a.1\n甲公司,1,2,3\n")


def first_row_with_one_field_too_many(folder: Path) -> Path:
    return _file(folder, f"{HEADER}\n深圳甲,电子有限公司,91440300MA5EXAMPLA,100万元\n{OTHER}\n")


def later_row_with_one_field_too_many(folder: Path) -> Path:
    return _file(folder, f"{HEADER}\n{FIRM}\n南昌乙光电有限公司,91360100MA3EXAMPK2,2,亿\n")


def one_row_shifted_over_an_empty_end(folder: Path) -> Path:
    return _file(folder, f"{HEADER}\n{FIRM}\n南昌乙,光电有限公司,91360100MA3EXAMPK2,\n")


def every_row_ends_with_a_separator(folder: Path) -> Path:
    return _file(folder, f"{HEADER}\n{FIRM},\n{OTHER},\n")


def short_row(folder: Path) -> Path:
    return _file(folder, f"{HEADER}\n{FIRM}\n南昌乙光电有限公司\n{OTHER}\n")


def unclosed_quote(folder: Path) -> Path:
    return _file(folder, f'{HEADER}\n{FIRM}\n"南昌乙光电有限公司,9136,2亿\n{FIRM}\n{FIRM}\n')


def unclosed_quote_before_another(folder: Path) -> Path:
    return _file(folder, f'{HEADER}\n{FIRM}\n"南昌乙,9136,2亿\n"丙公司",9137,3亿\n')


def text_after_a_closing_quote(folder: Path) -> Path:
    return _file(folder, f'{HEADER}\n"深圳"甲电子有限公司,91440300MA5EXAMPLA,100万元\n{OTHER}\n')


def quotes_after_spaces(folder: Path) -> Path:
    return _file(folder, 'name, city, note\n"甲公司", "深圳", "大, 新"\n')


def semicolons(folder: Path) -> Path:
    return _file(folder, LIST.replace(",", ";"))


def tabs(folder: Path) -> Path:
    return _file(folder, LIST.replace(",", "\t"), "list.tsv")


def full_width_commas(folder: Path) -> Path:
    return _file(folder, LIST.replace(",", "，"))


def carriage_returns_only(folder: Path) -> Path:
    return _file(folder, LIST.replace("\n", "\r"))


def hundred_thousand_columns(folder: Path) -> Path:
    header = ",".join(["name", *(f"c{at}" for at in range(99_999))])
    return _file(folder, f"{header}\n{',' * 99_999}\n")


def million_rows(folder: Path) -> Path:
    return _file(folder, "name,city\n" + "".join(f"甲{at}公司,深圳\n" for at in range(1_000_000)))


def fifty_megabyte_cell(folder: Path) -> Path:
    return _file(folder, f"name,profile\n甲公司,{'x' * 50_000_000}\n乙公司,短\n")


def field_over_131072_characters(folder: Path) -> Path:
    return _file(folder, f'name,profile\n甲公司,"{"经营" * 100_000}"\n')


def firms_named_like_nothing(folder: Path) -> Path:
    return _file(folder, "name,city\nNA,深圳\nnull,广州\nNone,\nnan,NULL\n#N/A,-\n")


TRAPS = (
    "9144030E1234567890", "000123", "9223372036854775808123", "inf", "1e400", "1,234", "１２３",
    "12%", "100万元", "1.2亿", "2024-02-30", "20240102", "是", "1", "True", "=1+1", "+86", "-5",
    "@SUM(A1)", "\tx", "\rx", "＝1", "<script>alert(1)</script>", "\u202e司公", "名" * 10_000,
    " 前后 ", '说"好"', "两\n行",
)  # fmt: skip
"""Cells that a reader with opinions would change."""


def cells_that_invite_changes(folder: Path) -> Path:
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in TRAPS)
    return _file(folder, "name,note\n" + "".join(f"甲公司,{cell}\n" for cell in quoted))


def gzip_of_csv(folder: Path) -> Path:
    return _file(folder, gzip.compress(LIST.encode("gb18030")), "list.csv.gz")


def gzip_cut(folder: Path) -> Path:
    return _file(folder, gzip.compress(LIST.encode() * 50)[:-20], "list.csv.gz")


def gzip_of_a_picture(folder: Path) -> Path:
    return _file(folder, gzip.compress(b"\x89PNG\r\n\x1a\n" + b"\0" * 99), "list.csv.gz")


def gzip_without_line_ends(folder: Path) -> Path:
    path = folder / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _ in range(70):
            stream.write(b"x" * (1 << 20))
    return path


def gzip_of_many_rows(folder: Path, rows: int = 4_000_000) -> Path:
    """Write a small gzip of one short row, again and again."""
    path = folder / "rows.csv.gz"
    with gzip.open(path, "wb", compresslevel=6) as stream:
        stream.write("企业名称,主营业务\n".encode())
        for start in range(0, rows, 10_000):
            stream.write("甲公司,电池\n".encode() * min(10_000, rows - start))
    return path


def gzip_of_long_scopes(folder: Path) -> Path:
    """Write a small gzip of few rows with much text, just within the limits of an upload."""
    path = folder / "scopes.csv.gz"
    row = f"甲公司,{'电池的研发、生产和销售；' * 2_500}\n".encode()
    with gzip.open(path, "wb", compresslevel=6) as stream:
        stream.write("企业名称,经营范围\n".encode())
        for _ in range((70 << 20) // len(row)):
            stream.write(row)
    return path


def gzip_of_many_columns(folder: Path) -> Path:
    """Write a small gzip of rows with 2,000 columns, nearly all of them empty."""
    path = folder / "columns.csv.gz"
    with gzip.open(path, "wb", compresslevel=6) as stream:
        stream.write(("企业名称," + ",".join(f"c{at}" for at in range(1_999)) + "\n").encode())
        for _ in range(12):
            stream.write(("甲公司" + "," * 1_998 + "1\n").encode() * 1_000)
    return path


def web_page_named_xls(folder: Path) -> Path:
    return _file(folder, "<html><table><tr><td>企业名称</td></tr></table></html>", "list.xls")


def two_tables_in_one(folder: Path) -> Path:
    return _file(folder, f"{LIST}\n公司名称,成立日期,注册地址\n丙公司,2020-01-01,上海\n")


# --- XLSX ----------------------------------------------------------------------------------

Rows = Sequence[Sequence[object]]
ROWS: Rows = (
    ("企业名称", "统一社会信用代码", "注册资本"),
    ("深圳甲电子有限公司", "91440300MA5EXAMPLA", "100万元"),
    ("南昌乙光电有限公司", "91360100MA3EXAMPK2", "2亿"),
)


def workbook(
    folder: Path,
    change: Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], None] | None = None,
    rows: Rows = ROWS,
    name: str = "list.xlsx",
    **options: bool,
) -> Path:
    """Write a sound workbook with one sheet, 名单; `change` may do more to it."""
    path = folder / name
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("名单")
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
        if change:
            change(book, sheet)
    return path


def repacked(
    path: Path, change: Callable[[str, bytes], bytes], extra: Sequence[tuple[str, bytes]] = ()
) -> Path:
    """Write a zip anew with each part changed and more parts added."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
        for name, content in extra:
            new.writestr(name, content)
    path.write_bytes(out.getvalue())
    return path


def _same(_: str, part: bytes) -> bytes:
    return part


def with_sheet_xml(folder: Path, change: Callable[[bytes], bytes], rows: Rows = ROWS) -> Path:
    """Write a workbook whose sheet is changed as XML."""
    return repacked(
        workbook(folder, rows=rows),
        lambda name, part: change(part) if name == "xl/worksheets/sheet1.xml" else part,
    )


def _with_doctype(folder: Path, doctype: str) -> Path:
    def insert(xml: bytes) -> bytes:
        head, tail = xml.split(b"?>", 1)
        return head + b"?>" + doctype.encode() + tail

    return with_sheet_xml(folder, insert)


def truncated_workbook(folder: Path) -> Path:
    path = workbook(folder)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def workbook_cut_in_half(folder: Path) -> Path:
    path = workbook(folder)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def workbook_with_flipped_bits(folder: Path) -> Path:
    path = workbook(folder)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as package:
        start = package.getinfo("xl/worksheets/sheet1.xml").header_offset + 60
    for at in range(start, start + 40):
        content[at] ^= 0xFF
    path.write_bytes(content)
    return path


def lying_size(folder: Path) -> Path:
    path = workbook(folder)
    content = bytearray(path.read_bytes())
    at = content.index(b"xl/worksheets/sheet1.xml", content.index(b"PK\1\2")) - 46
    struct.pack_into("<L", content, at + 24, 100)
    path.write_bytes(content)
    return path


def three_hundred_megabyte_cell(folder: Path) -> Path:
    path = workbook(folder)
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = parts.pop("xl/worksheets/sheet1.xml")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for name, part in parts.items():
            new.writestr(name, part)
        head, tail = sheet.split(b"<sheetData>")
        with new.open("xl/worksheets/sheet1.xml", "w") as stream:
            stream.write(head + b'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>')
            for _ in range(300):
                stream.write(b"x" * 1_000_000)
            stream.write(b"</t></is></c></row>" + tail)
    return path


def sheet_of_two_cells_far_apart(folder: Path) -> Path:
    def far(xml: bytes) -> bytes:
        end = xml.index(b"</sheetData>")
        cell = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        return xml[:end] + cell + xml[end:]

    return with_sheet_xml(folder, far)


def _far_cell(folder: Path, cell: bytes) -> Path:
    def far(xml: bytes) -> bytes:
        end = xml.index(b"</sheetData>")
        return xml[:end] + cell + xml[end:]

    return with_sheet_xml(folder, far)


def cell_in_a_column_that_no_sheet_has(folder: Path) -> Path:
    return _far_cell(folder, b'<row r="99"><c r="ZZZZ99"><v>1</v></c></row>')


def far_cell_in_small_letters(folder: Path) -> Path:
    return _far_cell(folder, b'<row r="9999"><c r="xfd9999"><v>1</v></c></row>')


def far_cell_in_single_quotes(folder: Path) -> Path:
    return _far_cell(folder, b"<row r = '9999'><c r = 'XFD9999'><v>1</v></c></row>")


def far_cell_before_the_last_row(folder: Path) -> Path:
    cells = b'<row r="1048576"><c r="ZZ1048576"><v>1</v></c></row><row r="9"></row>'
    return _far_cell(folder, cells)


def _without_dimension(xml: bytes) -> bytes:
    start = xml.index(b"<dimension")
    return xml[:start] + xml[xml.index(b"/>", start) + 2 :]


def no_dimension(folder: Path) -> Path:
    return with_sheet_xml(folder, _without_dimension)


def false_dimension(folder: Path) -> Path:
    return with_sheet_xml(folder, lambda xml: xml.replace(b'ref="A1:C3"', b'ref="A1:XFD1048576"'))


def too_small_dimension(folder: Path) -> Path:
    return with_sheet_xml(folder, lambda xml: xml.replace(b'ref="A1:C3"', b'ref="A1"'))


def billion_laughs(folder: Path) -> Path:
    entities = "".join(
        f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' if at else '<!ENTITY l0 "ha">'
        for at in range(10)
    )
    return _with_doctype(folder, f"<!DOCTYPE worksheet [{entities}]>")


def quadratic_entities(folder: Path) -> Path:
    return _with_doctype(folder, f'<!DOCTYPE worksheet [<!ENTITY a "{"x" * 100_000}">]>')


def external_entity(folder: Path) -> Path:
    return _with_doctype(folder, '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>')


def hundred_thousand_entries(folder: Path) -> Path:
    path = workbook(folder)
    with zipfile.ZipFile(path, "a") as package:
        for at in range(100_000):
            package.writestr(f"x/{at}", b"")
    return path


def six_thousand_entries(folder: Path) -> Path:
    path = workbook(folder)
    with zipfile.ZipFile(path, "a") as package:
        for at in range(6_000):
            package.writestr(f"x/{at}", b"")
    return path


def entry_that_leads_out(folder: Path) -> Path:
    return repacked(workbook(folder), _same, [("../../evil.xml", b"<x/>")])


def nested_zip(folder: Path) -> Path:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as package:
        package.writestr("x.txt", b"x" * 1000)
    extra = [("xl/embeddings/inner.zip", inner.getvalue())]
    return repacked(workbook(folder), _same, extra)


def plain_zip_named_xlsx(folder: Path) -> Path:
    path = folder / "list.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("list.csv", LIST)
    return path


def encrypted_workbook(folder: Path) -> Path:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1024
    return _file(folder, content + "EncryptedPackage".encode("utf-16-le") + b"\0" * 64, "list.xlsx")


def encrypted_entry(folder: Path) -> Path:
    path = workbook(folder)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2")
    content[at + 8] |= 1
    path.write_bytes(content)
    return path


def old_xls_renamed(folder: Path) -> Path:
    return _file(folder, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2048, "list.xlsx")


def ods_renamed(folder: Path) -> Path:
    path = folder / "list.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", "<office:document-content/>")
    return path


def workbook_named_csv(folder: Path) -> Path:
    return workbook(folder, name="list.csv")


def macro_workbook(folder: Path) -> Path:
    def macro(name: str, part: bytes) -> bytes:
        plain = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
        macros = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
        return part.replace(plain, macros) if name == "[Content_Types].xml" else part

    path = workbook(folder, name="list.xlsm")
    return repacked(path, macro, [("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + b"\0" * 512)])


def hidden_first_sheet(folder: Path) -> Path:
    path = folder / "list.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        hidden = book.add_worksheet("旧名单")
        shown = book.add_worksheet("名单")
        for sheet in (hidden, shown):
            for at, row in enumerate(ROWS):
                sheet.write_row(at, 0, row)
        shown.activate()
        shown.set_first_sheet()
        hidden.hide()
    return path


def only_sheet_with_the_list_is_hidden(folder: Path) -> Path:
    path = folder / "list.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("说明").write(0, 0, "请勿外传")
        hidden = book.add_worksheet("名单")
        hidden.write_row(0, 0, ROWS[0])
        hidden.hide()
    return path


def hidden_rows(folder: Path) -> Path:
    return workbook(folder, lambda _, sheet: sheet.set_row(2, None, None, {"hidden": True}))


def merged_two_row_header(folder: Path) -> Path:
    path = folder / "list.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("名单")
        sheet.merge_range("A1:F1", "某市电子信息产业招商线索表（2026年）")
        sheet.merge_range("A2:A3", "序号")
        sheet.merge_range("B2:B3", "企业")
        sheet.merge_range("C2:D2", "项目情况")
        sheet.merge_range("E2:F2", "联系方式")
        sheet.write_row(2, 2, ("主要产品", "意向投资额（亿元）", "联系人", "电话"))
        sheet.write_row(3, 0, (1, "深圳甲电子有限公司", "锂电池", 1.5))
        sheet.write_row(4, 0, (2, "南昌乙光电有限公司", "LED芯片", 20))
        sheet.write_row(5, 0, ("合计", None, None, 21.5))
    return path


def formula_without_cached_value(folder: Path) -> Path:
    return workbook(folder, lambda _, sheet: sheet.write_formula("C2", "=1+1", None, ""))


def error_cells(folder: Path) -> Path:
    def errors(_: object, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_formula("C2", "=NA()", None, "#N/A")
        sheet.write_formula("C3", "=1/0", None, "#DIV/0!")

    return workbook(folder, errors)


def eighteen_digit_code_as_a_number(folder: Path) -> Path:
    return workbook(folder, lambda _, sheet: sheet.write_number("B2", 913601001234567890))


def dates_since_1904(folder: Path) -> Path:
    rows = (("企业名称", "成立日期"), ("甲公司", None))

    def date(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        # 2016-11-30 is day 42704 since 1900 and 41242 since 1904.
        sheet.write_number("B2", 41242, book.add_format({"num_format": "yyyy-mm-dd"}))

    return workbook(folder, date, rows, date_1904=True)


def boolean_and_time_cells(folder: Path) -> Path:
    rows = (("企业名称", "高新技术企业", "a", "b", "c", "d"), ("甲公司", True))

    def more(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_number("C2", 0.5, book.add_format({"num_format": "hh:mm:ss"}))
        sheet.write_number("D2", 1.5, book.add_format({"num_format": "[h]:mm"}))
        sheet.write_number("E2", 42704.25, book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_number("F2", 42704, book.add_format({"num_format": 'yyyy"年"m"月"'}))

    return workbook(folder, more, rows)


def several_sheets(folder: Path) -> Path:
    def more(book: xlsxwriter.Workbook, _: object) -> None:
        book.add_worksheet("说明").write_column(0, 0, ("填写说明", "请逐项填写"))
        fields = book.add_worksheet("字段")
        fields.write_column(0, 0, ("企业名称", "注册资本", "成立日期"))
        second = book.add_worksheet("外地")
        second.write_row(1, 1, ("公司名称", "所在城市"))
        second.write_row(2, 1, ("上海丙科技有限公司", "上海"))
        book.add_worksheet("空")

    return workbook(folder, more)


def picture_on_the_sheet(folder: Path) -> Path:
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478"
        "9c6360000002000001e221bc330000000049454e44ae426082"
    )
    return workbook(
        folder,
        lambda _, sheet: sheet.insert_image("E2", "p.png", {"image_data": io.BytesIO(pixel)}),
    )


def million_row_workbook(folder: Path) -> Path:
    """A column of a million firms: 48 MB unpacked, written as text, for speed."""
    path = workbook(folder)
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    head, _ = parts.pop("xl/worksheets/sheet1.xml").split(b"<sheetData>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for name, part in parts.items():
            new.writestr(name, part)
        cells = [b'<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>']
        cells += [
            b'<row r="%d"><c r="A%d" t="str"><v>A%d</v></c></row>' % (at, at, at)
            for at in range(2, 1_000_002)
        ]
        body = b"".join(cells)
        new.writestr(
            "xl/worksheets/sheet1.xml", head + b"<sheetData>" + body + b"</sheetData></worksheet>"
        )
    return path


def one_long_text_in_every_cell(folder: Path) -> Path:
    """A shared string of 200 KB that 60,000 cells refer to: 12 GB if each has its own."""
    strings = (
        '<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<si><t>name</t></si><si><t>{'x' * 200_000}</t></si></sst>"
    )
    rows = "".join(
        f'<row r="{at}"><c r="A{at}" t="s"><v>{min(at - 1, 1)}</v></c></row>'
        for at in range(1, 60_001)
    )

    def change(name: str, part: bytes) -> bytes:
        if name == "xl/sharedStrings.xml":
            return strings.encode()
        if name == "xl/worksheets/sheet1.xml":
            head, _ = part.split(b"<sheetData>")
            return head + f"<sheetData>{rows}</sheetData></worksheet>".encode()
        return part

    return repacked(workbook(folder), change)


# --- Parquet -------------------------------------------------------------------------------


def parquet(folder: Path, table: pa.Table, **options: object) -> Path:
    path = folder / "list.parquet"
    pq.write_table(table, path, **options)
    return path


MIDNIGHT = datetime(2016, 11, 30, tzinfo=timezone(timedelta(hours=8)))
"""In Shanghai; in UTC it is still the day before."""


def sound_table() -> pa.Table:
    return pa.table(
        {"企业名称": ["深圳甲电子有限公司", "南昌乙光电有限公司"], "注册资本": ["100万元", "2亿"]}
    )


def two_hundred_million_rows(folder: Path) -> Path:
    path = folder / "list.parquet"
    part = pa.table({"name": pa.nulls(20_000_000, pa.int8())})
    with pq.ParquetWriter(path, part.schema) as writer:
        for _ in range(10):
            writer.write_table(part, row_group_size=20_000_000)
    return path


def parquet_of_many_types(folder: Path) -> Path:
    names = ["甲公司", "NA"]
    table = pa.table(
        {
            "企业名称": names,
            "统一社会信用代码": [9.13601001234567e17, 1.0],
            "注册资本": pa.array([Decimal("12345.60"), None], pa.decimal128(20, 2)),
            "成立日期": pa.array([MIDNIGHT, None], pa.timestamp("us", "Asia/Shanghai")),
            "核准日期": pa.array([17135, None], pa.date32()),
            "参保人数": [300.0, float("nan")],
            "营业收入": [0.1, 1e300],
            "所属省份": pa.array(["江西", "江西"]).dictionary_encode(),
            "高新技术企业": [True, None],
            "主营业务": [["电池", "电芯"], []],
            "备注": ["", None],
        }
    )
    return parquet(folder, table)


def parquet_of_many_rows(folder: Path, rows: int = 4_000_000) -> Path:
    """Write one firm, again and again."""
    table = pa.table({"name": pa.array(["甲公司"] * rows).dictionary_encode()})
    return parquet(folder, table)


def dictionary_bomb(folder: Path) -> Path:
    text = pa.array(["x" * 1_000_000])
    rows = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), text)
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), pa.array(["甲"]))
    return parquet(folder, pa.table({"name": names, "profile": rows}))


def cut_footer(folder: Path) -> Path:
    path = parquet(folder, sound_table())
    path.write_bytes(path.read_bytes()[:-6])
    return path


def flipped_footer_bits(folder: Path) -> Path:
    path = parquet(folder, sound_table())
    content = bytearray(path.read_bytes())
    for at in range(len(content) - 60, len(content) - 20):
        content[at] ^= 0xFF
    path.write_bytes(content)
    return path


def flipped_data_bits(folder: Path) -> Path:
    path = parquet(folder, sound_table(), write_page_checksum=True)
    content = bytearray(path.read_bytes())
    at = content.index("深圳".encode())
    content[at] ^= 0xFF
    path.write_bytes(content)
    return path
