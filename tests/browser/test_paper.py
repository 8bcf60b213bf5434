"""What is printed: sheets, firms on a sheet, and what each sheet says of itself."""

from __future__ import annotations

import io
import re
import unicodedata

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from tests.browser.conftest import NARROW, NewPage, faults

LEAST = 25
"""Firms that a sheet of A4 must hold."""


def sheets_of(page: Page) -> list[str]:
    """Print a page as its style says, and return the text of each sheet of A4."""
    reader = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    sizes = {(round(sheet.mediabox.width), round(sheet.mediabox.height)) for sheet in reader.pages}
    assert sizes <= {(595, 842), (842, 595), (596, 842), (842, 596)}, sizes
    return [sheet.extract_text() for sheet in reader.pages]


def names_of(page: Page) -> list[str]:
    return page.locator(".firms a.name").all_inner_texts()


def plain(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def stands(part: str, sheet: str) -> bool:
    """Tell whether a text stands on a sheet; fonts draw radicals and letters alike, and a PDF may
    name either."""
    letters = (f"(?:{re.escape(letter)}|[\u2e80-\u2eff])" for letter in plain(part))
    return re.search("".join(letters), plain(sheet)) is not None


@pytest.mark.parametrize(
    ("lang", "says"),
    [("zh", ("筛选：无", "第1–50家，共144家", "从高到低")),
     ("en", ("Filters:none", "firms1–50of144", "highestfirst"))],
)  # fmt: skip
def test_a_ranking_fills_its_sheets_and_each_says_what_it_shows(
    new_page: NewPage, lang: str, says: tuple[str, ...]
) -> None:
    page = new_page(lang)
    page.goto("/ranking")
    names = names_of(page)
    sheets = sheets_of(page)
    held = [sum(stands(name, sheet) for name in names) for sheet in sheets]
    assert sum(held) == len(names) == 50
    assert held[0] >= LEAST
    assert len(sheets) == 2
    model = re.search(r"nanchang-expert-\w+", page.locator(".head").inner_text())
    assert model
    head = page.locator("thead th[scope=col].number").nth(1).inner_text()
    for number, sheet in enumerate(sheets, 1):
        for part in (*says, model[0], head.rstrip("↓ "), f"{number}/2"):
            assert stands(part, sheet), part


def test_a_printed_ranking_names_its_filters_and_no_address(new_page: NewPage) -> None:
    page = new_page("zh")
    page.goto("/ranking?grade=AB&chain=led&text=LED&sort=-fit")
    (sheet,) = sheets_of(page)
    filters = "筛选：搜索企业“LED”；等级 A、B；产业链 LED · 排序：契合度 从高到低"
    assert stands(filters, sheet)
    assert "http" not in sheet
    for word in ("清除筛选", "导出", "下一页", "English"):
        assert not stands(word, sheet)


def test_many_columns_are_printed_across_and_no_name_is_cut(new_page: NewPage) -> None:
    page = new_page("en")
    columns = "credit_code,reason,segment,place,grade,priority,likelihood,fit,stage,model"
    page.goto(f"/ranking?columns={columns}")
    names = names_of(page)
    pdf = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert all(sheet.mediabox.width > sheet.mediabox.height for sheet in pdf.pages)
    text = "".join(sheet.extract_text() for sheet in pdf.pages)
    assert [name for name in names if not stands(name, text)] == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_firm_is_one_or_two_sheets_with_reasons_facts_stage_and_history(
    new_page: NewPage, lang: str
) -> None:
    page = new_page(lang)
    for stage, day in (("contacted", "2026-01-03"), ("visited", "2026-01-09")):
        page.request.post(
            "/api/v1/firms/2/outcomes", data={"stage": stage, "day": day, "reason": "看了产线"}
        )
    page.goto("/firms/2")
    expect(page.locator(".timeline li")).to_have_count(2)
    parts = "#why, #makes, #known, #history, #outcomes, #gap"
    titles = page.locator(parts).all_inner_texts()
    assert len(titles) == 6
    facts = page.locator(".known tbody tr").evaluate_all(
        "rows => rows.map(row => row.cells[1].firstChild.textContent.trim())"
    )
    reasons = page.locator(".falls tbody tr:not(.sum) .number").all_inner_texts()
    day = page.locator(".paper").text_content() or ""
    sheets = sheets_of(page)
    assert len(sheets) <= 2
    for part in (*titles, *facts, *reasons, day):
        assert stands(part, "".join(sheets)), part
    assert stands(f"1/{len(sheets)}", sheets[0])


@pytest.mark.parametrize(("lang", "scheme"), [("zh", "light"), ("en", "dark")])
def test_the_report_is_chosen_read_and_printed(new_page: NewPage, lang: str, scheme: str) -> None:
    page = new_page(lang, scheme, bypass_csp=True)
    page.goto("/report")
    assert faults(page) == []
    page.locator('input[name="chain"][value="led"]').check()
    page.locator(".scope button").first.click()
    expect(page.locator('input[value="led"]')).to_be_checked()
    title = page.locator(".brief h1").inner_text()
    headings = page.locator(".brief h2").all_inner_texts()
    assert len(headings) == 8
    sheets = sheets_of(page)
    assert stands(title, sheets[0])
    for heading in headings:
        assert stands(heading, "".join(sheets))
    assert stands(f"{len(sheets)}/{len(sheets)}", sheets[-1])
    with page.expect_download() as download:
        page.locator('a[href*=".docx"]').click()
    assert download.value.suggested_filename == "report.docx"


def test_a_report_needs_no_scripts_and_fits_a_phone(new_page: NewPage) -> None:
    page = new_page("zh", viewport=NARROW, java_script_enabled=False)
    page.goto("/report?chain=led")
    expect(page.locator("[data-print]")).to_be_hidden()
    page.locator("#starts").fill("2026-02-03")
    page.locator(".scope button").first.click()
    expect(page.locator("#starts")).to_have_value("2026-02-03")
    expect(page.locator(".brief header p")).to_contain_text("2026年2月3日")
