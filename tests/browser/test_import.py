"""Import in a browser: from a file to its ranking, and what becomes of files that are wrong."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults

HEADERS = ["序号", "企业名称", "注册资本（万元）", "成立日期", "联系人", "主营业务", "优势领域"]
FIRMS = [
    [1, "鹤湖新能源电池有限公司", 5000, "2016-03-01", "张三", "手机电池的研发与生产", "快充"],
    [2, "鹤湖柔性屏幕有限公司", "不详细", "2018-05-06", "李四", "手机屏幕模组制造", "柔性"],
    [None, None, 12, None, None, None, None],
]


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "参展企业"
    for row in (["电子展参展企业名单"], HEADERS, *FIRMS):
        sheet.append(row)
    path = tmp_path / "名单.xlsx"
    book.save(path)
    return path


@pytest.fixture
def odd_list(tmp_path: Path) -> Path:
    path = tmp_path / "odd.csv"
    path.write_text("参展名单\n序,字号甲,金额\n1,鹤湖光学镜片有限公司,5000\n", "utf-8")
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.csv"
    rows = "鹤湖电池有限公司,5000\n鹤湖屏幕有限公司,800\n鹤湖镜片有限公司,300\n"
    path.write_text(f"企业名称,注册资本\n{rows}", "utf-8")
    return path


def choose(page: Page, file: Path) -> None:
    page.goto("/import")
    page.set_input_files("#file", file)
    page.locator("form.drop button").click()
    expect(page).to_have_url(re.compile(r"/import/[\w-]{40,}$"))


def test_a_list_is_looked_at_then_ranked(new_page: NewPage, workbook: Path, tmp_path: Path) -> None:
    page = new_page()
    choose(page, workbook)
    expect(page.locator(".sums")).to_contain_text("3 rows")
    expect(page.locator(".sums")).to_contain_text("2 firms")
    row = page.locator("table.mapping tbody tr", has_text="注册资本")
    expect(row).to_contain_text("automatic: registered capital")
    expect(row).to_contain_text("CNY 50 million")
    expect(page.locator("table.problems")).to_contain_text("不详细")
    expect(page.locator("#preview")).not_to_contain_text("张三")
    page.locator("#confirm").click()
    expect(page).to_have_url(re.compile(r"/imports/\d+$"))
    page.reload()
    expect(page.locator("#to-ranking")).to_be_visible(timeout=60_000)
    with page.expect_download() as waiting:
        page.locator("#to-mend").click()
    waiting.value.save_as(tmp_path / "rows.xlsx")
    rows = openpyxl.load_workbook(tmp_path / "rows.xlsx")["参展企业"]
    cells = [[cell.value for cell in row] for row in rows]
    assert "联系人" not in cells[0]
    assert cells[1][1:3] == ["鹤湖柔性屏幕有限公司", "不详细"]
    page.locator("#to-ranking").click()
    expect(page).to_have_url(re.compile(r"/ranking\?list=\d+$"))
    expect(page.locator("#shown strong")).to_have_text("2")


def test_a_wrong_column_is_corrected(new_page: NewPage, workbook: Path) -> None:
    page = new_page()
    choose(page, workbook)
    row = page.locator("table.mapping tbody tr", has_text="优势领域")
    expect(row).to_contain_text("not recognised")
    row.locator("select").select_option("note")
    expect(page).to_have_url(re.compile(r"G=note"))
    expect(row.locator("select")).to_have_value("note")
    page.locator("#row").select_option("2")
    expect(page).to_have_url(re.compile(r"row=2"))
    expect(page.locator(".sums")).to_contain_text("2 firms")
    page.locator("#over").click()
    expect(page).to_have_url(re.compile(r"/import/[\w-]{40,}$"))
    expect(row).to_contain_text("not recognised")


def test_a_header_that_is_not_found_is_pointed_at(new_page: NewPage, odd_list: Path) -> None:
    page = new_page("zh")
    choose(page, odd_list)
    expect(page.locator("#preview [role=alert]")).to_contain_text("找不到企业名称一列")
    page.locator("#row").select_option("2")
    page.locator("table.mapping tbody tr", has_text="字号甲").locator("select").select_option(
        "name"
    )
    expect(page.locator("#confirm")).to_have_text("导入 1 家企业")


def test_a_broken_file_says_what_to_do(new_page: NewPage, tmp_path: Path) -> None:
    page = new_page()
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\3\4 this is no workbook")
    choose(page, broken)
    expect(page.locator("#preview [role=alert]")).to_contain_text("broken.xlsx")
    expect(page.locator("#confirm")).to_have_count(0)
    page.get_by_role("button", name="Choose another file").click()
    expect(page).to_have_url(re.compile(r"/import$"))
    expect(page.locator("#notices")).to_contain_text("discarded")


def test_it_works_without_scripts(new_page: NewPage, workbook: Path) -> None:
    page = new_page(java_script_enabled=False)
    choose(page, workbook)
    page.locator("#row").select_option("2")
    page.get_by_role("button", name="Read again").click()
    expect(page).to_have_url(re.compile(r"row=2"))
    page.locator("#confirm").click()
    expect(page.locator("#to-ranking")).to_be_visible(timeout=60_000)


def test_a_unit_in_doubt_is_chosen_before_the_import(new_page: NewPage, small: Path) -> None:
    page = new_page()
    choose(page, small)
    page.locator("#confirm").click()  # nothing was chosen, nothing agreed to
    expect(page).to_have_url(re.compile(r"/import/[\w-]{40,}$"))
    row = page.locator("table.mapping tbody tr", has_text="注册资本")
    unit = row.get_by_label("Unit of column B")
    expect(unit).to_have_accessible_description(re.compile("gives no unit"))
    unit.focus()
    page.keyboard.type("万元")
    unit.select_option("registered_capital_cny(万元)")
    expect(row).to_contain_text("CNY 50 million")
    expect(page.locator("fieldset.unsettled")).to_have_count(0)
    page.locator("#confirm").click()
    expect(page.locator("#to-ranking")).to_be_visible(timeout=60_000)
    expect(page.locator("#state")).to_contain_text("column B: registered capital (万元)")


def test_a_unit_in_doubt_is_left_missing_without_scripts(new_page: NewPage, small: Path) -> None:
    page = new_page("zh", java_script_enabled=False)
    choose(page, small)
    page.locator("fieldset.unsettled input").check()
    page.locator("#confirm").click()
    expect(page.locator("#to-ranking")).to_be_visible(timeout=60_000)
    expect(page.locator("#state")).to_contain_text("B 列：注册资本（单位不明，留空）")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    new_page: NewPage, workbook: Path, odd_list: Path, small: Path, scheme: str
) -> None:
    page = new_page("en", scheme, bypass_csp=True)
    page.goto("/import")
    assert faults(page) == [], "import"
    choose(page, odd_list)
    page.locator("#row").select_option("2")
    expect(page.locator("table.mapping")).to_be_visible()
    assert faults(page) == [], "not read"
    choose(page, small)
    assert faults(page) == [], "a unit in doubt"
    choose(page, workbook)
    assert faults(page) == [], "preview"
    page.locator("#confirm").click()
    expect(page.locator("#to-ranking")).to_be_visible(timeout=60_000)
    assert faults(page) == [], "done"


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_nothing_is_wider_than_the_window(
    new_page: NewPage, workbook: Path, small: Path, viewport: dict[str, int]
) -> None:
    page = new_page(viewport=viewport)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for file in (workbook, small):
        choose(page, file)
        assert page.evaluate(wide) == 0
