"""What an officer sees counts: number formats are read where a number looks like another."""

import json
from datetime import date

import pytest
import xlsxwriter
from tests.bad_files import repacked, workbook

from leadscore.lists.dedupe import load_list
from leadscore.lists.reading import excel_child as child
from leadscore.lists.reading import read_list

TODAY = date(2026, 11, 24)


def one_column(tmp_path, header, cells):
    """Write firms with one column of numbers, each with its format (missing for none)."""
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("名单")
        sheet.write_row(0, 0, ["企业名称", header])
        for at, (value, code) in enumerate(cells, 1):
            sheet.write(at, 0, f"甲{at}光电有限公司")
            look = [book.add_format({"num_format": code})] if code else []
            sheet.write(at, 1, value, *look)
    return path


def read(tmp_path, header, *cells):
    (table,) = read_list(one_column(tmp_path, header, cells)).tables
    return table.cells[1].tolist()


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (12345, '0"万元"', "12345万元"),
        (12345, "0!.0,", "1.2345"),
        (12345, '0!.0,"万元"', "1.2345万元"),
        (12345, '0!.0000"万元"', "1.2345万元"),
        (12345, "0\\.0,\\万", "1.2345万"),
        (12345, "0.0,", "12.345"),
        (12345000, '#,##0,,"M"', "12.345M"),
        (1.5, '0.00"亿"', "1.5亿"),
        (12345, '0"亿"0000"万元"', "1亿2345万元"),
        (234500000, '[>=100000000]0!.00,,"亿";[>=10000]0!.0,"万";0', "2.345亿"),
        (23450, '[>=100000000]0!.00,,"亿";[>=10000]0!.0,"万";0', "2.345万"),
        (23, '[>=100000000]0!.00,,"亿";[>=10000]0!.0,"万";0', "23"),
        (-1000, "[$¥-804]#,##0.00;[$¥-804]\\-#,##0.00", "¥-1000"),
        (5, '"$"#,##0', "$5"),
        (5, "[$$-C04]#,##0", "HK$5"),
        (5, "[$¥-411]#,##0", "JPY5"),
        (-5, '_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)', "$-5"),
        (-5, "0.00_);[Red]\\(0.00\\)", "-5"),
        (-5, '#,##0"万元";(#,##0"万元")', "-5万元"),
        (-5, '0;"△"0', "-5"),
        (0.065, "0%", "6.5%"),
        (0.07, "0.00%", "7%"),
        (6.5, '0.0"%"', "6.5%"),
        (12345, '[DBNum2][$-804]General"元整"', "12345元整"),
        (1, "000000", "000001"),
        (1, '"是";;"否"', "是"),
        (0, '"是";;"否"', "否"),
        (30, 'General"人"', "30人"),
        (1234, "#,##0.00_ ", "1234"),
        (1234, "0.00E+00", "1234"),
        (0.5, "# ?/?", "0.5"),
        (0, '0"万元";-0"万元";', "0"),
        (1234, "@", "1234"),
        (1234, None, "1234"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(tmp_path, value, code, text):
    assert read(tmp_path, "数", (value, code), (7, None)) == [text, "7"]


@pytest.mark.parametrize("cell", [(0.065, "0.0%"), (6.5, None), (6.5, '0.0"%"')])
@pytest.mark.parametrize("header", ["研发投入占比（%）", "研发费用率(%)"])
def test_a_percent_format_and_a_percent_sign_above_divide_once(tmp_path, header, cell):
    path = one_column(tmp_path, header, [cell, (0.041, "0.0%")])

    shares = [firm["rd_share"] for firm in load_list(path, today=TODAY).records]
    assert shares == pytest.approx([0.065, 0.041])


@pytest.mark.parametrize(
    ("header", "value", "code", "yuan"),
    [
        ("注册资本", 12345, '0"万元"', 1.2345e8),
        ("注册资本", 12345, '0!.0,"万元"', 12345),
        ("注册资本（万元）", 12345, "0!.0,", 12345),
        ("注册资本（万元）", 500, '#,##0"万元"', 5e6),
        ("注册资本（元）", 3, '0.0"亿"', 3e8),
        ("净利润（万元）", -200, "#,##0_);(#,##0)", -2e6),
        ("净利润", -200, '0"万元";[Red](0"万元")', -2e6),
    ],
)
def test_an_amount_is_what_the_officer_sees(tmp_path, header, value, code, yuan):
    (firm,) = load_list(one_column(tmp_path, header, [(value, code)]), today=TODAY).records

    assert [*firm.values()][1] == pytest.approx(yuan)


def test_dates_and_words_keep_their_own_reading(tmp_path):
    cells = read(
        tmp_path, "日期", (42704, 'yyyy"年"m"月"'), ("约12%", '0"万元"'), (True, '0"万元"')
    )

    assert cells == ["2016-11-30", "约12%", "是"]


def test_a_format_is_found_where_cells_do_not_say_where_they_stand(tmp_path):
    path = one_column(tmp_path, "研发投入占比（%）", [(0.065, "0.0%"), (7, None)])

    def bare(name, part):
        if name != "xl/worksheets/sheet1.xml":
            return part
        return child.re.sub(rb'(<(?:row|c)) r="[A-Z]*[0-9]+"', rb"\1", part)

    (table,) = read_list(repacked(path, bare)).tables
    assert table.cells[1].tolist() == ["6.5%", "7"]


def test_cells_that_stand_out_of_order_keep_their_formats():
    formats = {1: child.sections_of('0"万元"'), 2: child.sections_of("0%")}
    styled = child.Styled([(5, 1, 2), (3, 2, 1), (3, 0, 2)], formats)

    assert styled.at(3, 0) is formats[2]
    assert styled.at(3, 1) is None
    assert styled.at(3, 2) is formats[1]
    assert styled.at(5, 1) is formats[2]
    assert styled.at(6, 0) is None


def test_a_sheet_is_not_searched_where_no_number_looks_like_another(tmp_path):
    path = workbook(tmp_path)
    with child.zipfile.ZipFile(path) as package:
        assert child.book_formats(package) == {}


@pytest.mark.parametrize(
    "code",
    ["", ";;;;", '"', "\\", "[", "[>=x]0", "[>=1e999]0", '0"' * 600, "!", ",,,", "0!.0!.0,,,"],
)
def test_a_format_that_means_nothing_harms_nothing(code):
    sections = child.sections_of(code)

    text, damaged = child.as_shown(12.0, sections) if sections else child.text_of(12.0)
    assert isinstance(json.dumps(text), str)
    assert not damaged
