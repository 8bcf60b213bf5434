"""Around the ranking in a browser: the picture, columns, chosen firms, shortlists, views."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults

ROWS = "table.firms tbody tr"
HEADERS = "table.firms thead th"
BOXES = 'input[name="firm"]'
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
POINT = """() => {
  const chart = echarts.getInstanceByDom(document.querySelector("#picture > div"));
  const firm = chart.getOption().series[0].data[0].firm;
  const [x, y] = chart.convertToPixel("grid", [firm.fit, firm.likelihood]);
  return { x, y, id: firm.id };
}"""


def open_menu(page: Page, name: str) -> None:
    page.locator(f"#{name} > summary").click()
    expect(page.locator(f"#{name} > .panel")).to_be_visible()


def test_the_picture_follows_the_filter_and_opens_a_firm(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/ranking")
    assert page.evaluate("typeof echarts") == "undefined"
    page.locator("#toggle-picture").click()
    expect(page).to_have_url(re.compile(r"picture=on"))
    expect(page.locator("#picture canvas")).to_be_visible()
    page.locator("#grade-A").click()
    expect(page).to_have_url(re.compile(r"grade=A"))
    expect(page.locator("#picture canvas")).to_be_visible()
    names = "echarts.getInstanceByDom(document.querySelector('#picture > div')).getOption().series"
    page.wait_for_function(f"{names}.every((each) => /Grade A|Not to/.test(each.name))")
    drawn = page.evaluate(f"{names}.map((each) => each.data.length).reduce((a, b) => a + b)")
    assert drawn == int(page.locator("#shown strong").inner_text())
    place = page.evaluate(POINT)
    page.locator("#picture").click(position={"x": place["x"], "y": place["y"]})
    expect(page).to_have_url(re.compile(r"/firms/\d+$"))
    page.go_back()
    expect(page.locator("#picture canvas")).to_be_visible()
    page.locator("#toggle-picture").click()
    expect(page.locator("#picture")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False])
def test_columns_are_chosen_and_kept(new_page: NewPage, *, scripts: bool) -> None:
    page = new_page(java_script_enabled=scripts)
    page.goto("/ranking?grade=A")
    open_menu(page, "columns")
    page.get_by_role("checkbox", name="Stage").uncheck()
    page.get_by_label("Credit code").check()
    page.get_by_role("button", name="Show selected columns").click()
    expect(page).to_have_url(re.compile(r"grade=A&columns=credit_code,"))
    expect(page.locator(HEADERS).filter(has_text="Credit code")).to_be_visible()
    page.goto("/ranking")
    expect(page.locator(HEADERS).filter(has_text="Credit code")).to_be_visible()
    expect(page.locator(HEADERS).filter(has_text="Stage")).to_have_count(0)


def test_chosen_firms_are_exported_and_put_on_a_shortlist(
    new_page: NewPage, tmp_path: Path
) -> None:
    page = new_page()
    page.goto("/ranking")
    page.locator("#choose-page").check()
    expect(page.locator(".how-many strong")).to_have_text("50")
    page.locator("#choose-page").uncheck()
    for row in (1, 3):
        page.locator(BOXES).nth(row).check()
    expect(page.locator(".how-many strong")).to_have_text("2")
    names = [page.locator("[data-row]").nth(row).inner_text() for row in (1, 3)]
    with page.expect_download() as started:
        page.locator("#chosen").get_by_role("button", name="CSV").click()
    path = tmp_path / "chosen.csv"
    started.value.save_as(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == names
    open_menu(page, "to-shortlist")
    page.get_by_label("Name of a new shortlist").fill("Journey")
    page.keyboard.press("Enter")
    expect(page.locator("#what")).to_have_text("Add to the shortlist Journey")
    page.get_by_role("link", name="Back to the ranking").click()
    page.locator(".facet").filter(has_text="Shortlist").locator("summary").click()
    page.get_by_role("link", name=re.compile(r"Journey\s*2")).click()
    expect(page.locator(ROWS)).to_have_count(2)
    page.locator(BOXES).first.check()
    open_menu(page, "to-shortlist")
    page.get_by_role("button", name="Take out").click()
    page.get_by_role("link", name="Back to the ranking").click()
    expect(page.locator(ROWS)).to_have_count(1)
    page.get_by_role("button", name="Delete the shortlist Journey").click()
    expect(page.locator("#notices")).to_contain_text("deleted")
    expect(page.locator(ROWS)).to_have_count(50)


def test_a_view_is_saved_opened_and_deleted_without_scripts(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/ranking?grade=B&sort=-fit")
    open_menu(page, "views")
    page.locator("#view-name").fill("B by fit")
    page.get_by_role("button", name="Save current view").click()
    expect(page.locator("#notices")).to_contain_text("saved")
    page.goto("/ranking")
    open_menu(page, "views")
    page.get_by_role("link", name="B by fit").click()
    expect(page).to_have_url(re.compile(r"grade=B&sort=-fit"))
    open_menu(page, "views")
    page.locator(".view-list details summary").click()
    page.get_by_role("button", name="Delete").click()
    open_menu(page, "views")
    expect(page.locator(".view-list")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_menus_and_picture(new_page: NewPage, scheme: str) -> None:
    page = new_page("zh", scheme, bypass_csp=True)
    page.goto("/ranking?picture=on&columns=reason,credit_code,place,grade,model")
    expect(page.locator("#picture canvas")).to_be_visible()
    assert faults(page) == []
    for menu in ("columns", "views", "to-stage", "to-owner", "to-shortlist", "to-exclude"):
        open_menu(page, menu)
        # It lies over the table: what it half covers is free again when it closes.
        assert [fault for fault in faults(page) if "partially obscured" not in fault] == [], menu
        page.keyboard.press("Escape")
        expect(page.locator(f"#{menu} > .panel")).to_be_hidden()


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_menus_and_picture_fit_into_the_window(new_page: NewPage, viewport: dict[str, int]) -> None:
    page = new_page(viewport=viewport)
    page.goto("/ranking?picture=on")
    expect(page.locator("#picture canvas")).to_be_visible()
    assert page.evaluate(TOO_WIDE) == 0
    for menu in ("columns", "views", "to-stage", "to-owner", "to-shortlist", "to-exclude"):
        open_menu(page, menu)
        assert page.evaluate(TOO_WIDE) == 0, menu
