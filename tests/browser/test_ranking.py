"""The ranking in a browser: both languages, search, filters, keyboard, and axe on all of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults, forgive

ROWS = "table.firms tbody tr"
TITLES = {"zh": "招商排名", "en": "Ranking"}


def total(page: Page) -> int:
    return int(page.locator("#shown strong").inner_text().replace(",", ""))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_demonstration_shows_the_sample_list_at_once(new_page: NewPage, lang: str) -> None:
    page = new_page(lang)
    page.goto("/ranking")
    expect(page.locator("h1")).to_have_text(TITLES[lang])
    expect(page.locator(ROWS)).to_have_count(50)
    assert total(page) == 144
    first = page.locator(ROWS).first
    expect(first).to_contain_text("珠海冠宇电池股份有限公司")
    expect(first).to_contain_text({"zh": "填补缺口：电池", "en": "fills a gap: Batteries"}[lang])
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[lang]


def test_the_language_is_remembered(new_page: NewPage) -> None:
    page = new_page("en")
    page.goto("/ranking?grade=A")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("h1")).to_have_text(TITLES["zh"])
    expect(page).to_have_url(re.compile(r"/ranking\?grade=A$"))
    page.goto("/ranking")
    expect(page.locator("h1")).to_have_text(TITLES["zh"])
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text(TITLES["en"])


def test_light_and_dark_can_be_chosen_against_the_system(new_page: NewPage) -> None:
    page = new_page(scheme="light")
    page.goto("/ranking")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(paper) != light
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate(paper) == light


def test_the_slash_leads_to_the_search_and_the_address_keeps_it(new_page: NewPage) -> None:
    page = new_page("zh")
    page.goto("/ranking?grade=AB")
    expect(page.locator(ROWS)).to_have_count(50)
    page.keyboard.press("/")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("传感器")
    expect(page).to_have_url(re.compile(r"grade=A&grade=B.*text=|text=.*grade=A&grade=B"))
    expect(page.locator("#text")).to_have_value("传感器")
    few = total(page)
    assert 0 < few < 50
    page.reload()
    assert total(page) == few
    page.keyboard.press("/")
    page.keyboard.type("没有这样的企业")
    expect(page.locator(".empty h2")).to_have_text("没有符合条件的企业")
    expect(page.locator("#text")).to_be_focused()
    page.locator(".empty").get_by_role("button", name="清除筛选").click()
    expect(page.locator(ROWS)).to_have_count(50)


def test_a_filter_changes_address_and_table_and_can_be_taken_back(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/ranking")
    chosen = page.locator("#grade-A")
    count = int(chosen.locator(".count").inner_text())
    chosen.click()
    expect(page).to_have_url(re.compile(r"/ranking\?grade=A$"))
    expect(page.locator("#grade-A")).to_have_attribute("aria-current", "true")
    expect(page.locator("#shown strong")).to_have_text(str(count))
    assert set(page.locator(f"{ROWS} .grade").all_text_contents()) == {"Grade A"}
    page.locator("#grade-B").click()
    expect(page).to_have_url(re.compile(r"grade=A&grade=B$"))
    link = page.get_by_role("link", name="Excel").get_attribute("href")
    shown = "segment_name,role_name,grade,priority,likelihood,fit,stage"
    columns = f"rank,name,reasons,{shown},veto"
    assert link == f"/api/v1/ranking.xlsx?grade=A&grade=B&columns={columns}&lang=en"
    page.go_back()
    expect(page).to_have_url(re.compile(r"grade=A$"))
    expect(page.locator("#shown strong")).to_have_text(str(count))
    page.locator("#clear").click()
    expect(page.locator("#shown strong")).to_have_text("144")


def test_sorting_changes_no_rank_and_paging_goes_on_counting(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/ranking")
    page.locator("#sort-fit").click()
    expect(page.locator("th[aria-sort]")).to_have_text(re.compile("Fit"))
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    first = page.locator(ROWS).first
    name, rank = (first.locator(part).inner_text() for part in (".name", ".rank"))
    assert rank != "1"
    page.goto("/ranking")
    expect(page.locator(ROWS, has_text=name).locator(".rank")).to_have_text(rank)
    page.locator("#next").click()
    expect(page.locator(ROWS).first.locator(".rank")).to_have_text("51")
    page.locator("#next").click()
    expect(page.locator(ROWS)).to_have_count(44)
    expect(page.locator(ROWS).last.locator(".rank")).to_have_text("–")
    page.locator("#first").click()
    expect(page.locator(ROWS).first.locator(".rank")).to_have_text("1")


def test_a_firm_is_opened_by_keyboard(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/ranking")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.locator("[data-row]").nth(1)
    expect(second).to_be_focused()
    name = second.inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator(".falls").first).to_contain_text("Average firm")


def _to_no_firm(route: Route) -> None:
    route.continue_(url=re.sub(r"/ranking.*", "/firms/999", route.request.url))


def test_what_fails_is_said_and_swapped_into_nothing(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/ranking")
    page.route("**/ranking?*", _to_no_firm)
    page.locator("#grade-A").click()
    expect(page.locator("#notices [role=alert]")).to_contain_text("999")
    expect(page.locator(ROWS)).to_have_count(50)
    forgive(page, "404")


@pytest.mark.parametrize(("lang", "scheme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(new_page: NewPage, lang: str, scheme: str) -> None:
    page = new_page(lang, scheme, bypass_csp=True)
    for path in ("/ranking", "/ranking?text=zzzz", "/login", "/password", "/nowhere"):
        page.goto(path)
        assert faults(page) == [], path
    forgive(page, "404")
    page.goto("/ranking")
    page.locator("[data-row]").first.click()
    expect(page.locator(".falls").first).to_be_visible()
    assert faults(page) == [], "firm"


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_nothing_is_wider_than_the_window(new_page: NewPage, viewport: dict[str, int]) -> None:
    page = new_page(viewport=viewport)
    page.goto("/ranking")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    page.locator("[data-row]").first.click()
    expect(page.locator(".falls").first).to_be_visible()
    assert page.evaluate(wide) == 0


def test_every_page_keeps_to_the_policy(new_page: NewPage) -> None:
    page = new_page()
    for path in ("/login", "/password#a-secret", "/nowhere", "/ranking?veto=yes"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
    forgive(page, "404")
    page.goto("/password#a-secret")
    expect(page.locator("#token")).to_have_value("a-secret")
    expect(page.locator("#token")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/password$"))


def test_the_pages_work_without_scripts(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/ranking")
    page.locator("#grade-A").click()
    expect(page).to_have_url(re.compile(r"grade=A$"))
    page.locator("#text").fill("电池")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"grade=A"))
    page.locator("[data-row]").first.click()
    expect(page.locator(".falls").first).to_be_visible()
