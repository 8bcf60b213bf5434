"""Many firms in a browser: several values, all of a filter at once, acts undone, side by side."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, NewPage, faults
from tests.browser.test_ranking_more import ROWS, TOO_WIDE, open_menu

SMALL = """() => [...document.querySelectorAll(
  ".orders a, .chips a, .firms .choose label, .firms .name, .pager a, .acts summary, .acts button"
)].filter((one) => one.offsetParent && !one.closest("details:not([open]) > .panel"))
  .map((one) => one.getBoundingClientRect())
  .filter((box) => box.height < 43.5).length"""

WORDS = {
    "zh": ("选中符合条件的全部", "登记", "已完成", "撤销", "家企业"),
    "en": ("Choose all", "Enter the stage", "Done", "Undo", "firms"),
}


def count(page: Page) -> int:
    return int(page.locator("#shown strong").inner_text().replace(",", ""))


@pytest.mark.parametrize(("lang", "scripts"), [("zh", True), ("en", False)])
def test_all_of_a_filter_get_a_stage_and_lose_it_again(
    new_page: NewPage, lang: str, *, scripts: bool
) -> None:
    choose, enter, done, undo, _ = WORDS[lang]
    page = new_page(lang, java_script_enabled=scripts)
    page.goto("/ranking?stage=none&veto=no")
    for grade in ("A", "B"):
        page.locator(f"#grade-{grade}").click()
        expect(page.locator(f"#grade-{grade}")).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile(r"grade=A&grade=B"))
    expect(page.locator(".chips li")).to_have_count(5)
    total = count(page)
    assert total > 50  # more than a page
    page.get_by_role("button", name=choose).click()
    expect(page.locator(".selection")).to_contain_text(str(total))
    page.locator("#next").click()
    expect(page.locator("#first")).to_be_visible()
    expect(page.locator(".selection")).to_contain_text(str(total))
    expect(page.locator(ROWS).first.locator("input:disabled:checked")).to_have_count(1)
    open_menu(page, "to-stage")
    page.locator("#to-stage select").select_option("visited")
    page.locator("#to-stage").get_by_role("button", name=enter).click()
    expect(page).to_have_url(re.compile(r"/ranking/acts/\d+"))
    row = page.locator(".results-of tr").filter(has_text=done)
    expect(row.locator("td")).to_have_text(str(total))
    way = page.url
    page.goto("/ranking?stage=visited")
    assert count(page) == total
    page.locator("[data-row]").first.click()
    expect(page.locator(".bulk-acts li")).to_have_count(1 if lang == "zh" else 3)
    page.goto(way)
    page.get_by_role("button", name=undo).click()
    expect(page.locator(".results-of tr").filter(has_text=done).locator("td")).to_have_text(
        str(total)
    )
    page.goto("/ranking?stage=visited")
    assert count(page) == 0


def test_a_chip_takes_a_value_back_and_a_bad_one_is_said(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/ranking?grade=A&grade=B&list=x")
    expect(page.locator(".ignored")).to_contain_text("list: found “x”")
    whole = count(page)
    page.locator(".chips a").first.click()
    expect(page).to_have_url(re.compile(r"/ranking\?grade=B$"))
    expect(page.locator(".ignored")).to_have_count(0)
    assert count(page) < whole


def test_firms_are_compared_from_the_ranking_and_one_is_added(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/ranking")
    for row in (0, 40):
        page.locator('input[name="firm"]').nth(row).check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".compared thead .name")).to_have_count(2)
    expect(page.locator(".differs").first).to_have_text("≠differs")
    page.keyboard.press("/")
    page.keyboard.type("电池")
    page.keyboard.press("Enter")
    page.locator(".add-firm li a").first.click()
    expect(page.locator(".compared thead .name")).to_have_count(3)
    page.locator(".compared .off").first.click()
    expect(page.locator(".compared thead .name")).to_have_count(2)
    page.locator(".compared thead .name").first.click()
    page.get_by_role("link", name="Compare with others").click()
    expect(page.locator(".compared thead .name")).to_have_count(1)


@pytest.mark.parametrize(("lang", "scheme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(new_page: NewPage, lang: str, scheme: str) -> None:
    page = new_page(lang, scheme, bypass_csp=True)
    page.goto("/ranking?grade=D&chain=none&list=x&columns=staff,main_business,listing")
    assert faults(page) == [], "chips"
    page.get_by_role("button", name=WORDS[lang][0]).click()
    expect(page.locator(".selection")).to_be_visible()
    assert faults(page) == [], "selection"
    open_menu(page, "to-owner")
    page.locator("#to-owner button").click()
    expect(page.locator(".results-of")).to_be_visible()
    assert faults(page) == [], "result"
    for path in ("/compare?firm=1&firm=2&firm=3&firm=4", "/compare?firm=1"):
        page.goto(path)
        assert faults(page) == [], path


def test_more_columns_than_fit_keep_the_names_in_sight(new_page: NewPage) -> None:
    page = new_page()
    page.goto(
        "/ranking?columns=credit_code,reason,segment,place,grade,priority,likelihood,fit,stage,"
        "registered_capital_cny,staff,revenue_cny,main_business,listing,model"
    )
    assert page.evaluate(TOO_WIDE) == 0
    name = page.locator(".firms tbody th").first
    page.locator(".frame").evaluate("frame => frame.scrollTo(2000, 0)")
    before = page.locator(".frame").bounding_box()
    after = name.bounding_box()
    assert before
    assert after
    assert abs(before["x"] - after["x"]) < 2


@pytest.mark.parametrize("sort", ["priority", "likelihood", "fit"])
def test_on_a_phone_the_value_that_sorts_stands_in_each_row(new_page: NewPage, sort: str) -> None:
    page = new_page(viewport=NARROW)
    page.goto(f"/ranking?sort=-{sort}&columns=reason,grade")
    shown = page.locator(".by-order")
    expect(shown).to_have_count(50)
    expect(shown.first).to_be_visible()
    assert {text.split()[0].lower() for text in shown.all_inner_texts()} == {sort}
    values = [float(text.split()[1].strip("<%")) for text in shown.all_inner_texts()[:20]]
    assert values == sorted(values, reverse=True)
    expect(page.locator(".orders [aria-current]")).to_have_text(re.compile(sort, re.IGNORECASE))
    assert page.evaluate(TOO_WIDE) == 0
    assert page.evaluate(SMALL) == 0
    page.goto("/compare?firm=1&firm=2&firm=3")
    assert page.evaluate(TOO_WIDE) == 0
