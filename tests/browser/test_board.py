"""The board and the day in a browser: a firm goes through the stages by drag and by keyboard."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults, forgive

WORDS = {
    "en": {"stage": "visited", "record": "Record", "undo": "Undo", "lost": "lost", "save": "Save"},
    "zh": {"stage": "考察", "record": "登记", "undo": "撤销", "lost": "流失", "save": "保存"},
}
FIRMS = {"en": "珠海冠宇", "zh": "上海派能"}


def column(page: Page, stage: str) -> str:
    """Return the names of the firms of a column."""
    return page.locator(f'[data-stage="{stage}"]').inner_text()


def begin(page: Page, name: str) -> None:
    """Record a first outcome on the page of a firm."""
    page.goto(f"/ranking?text={name}")
    page.locator("[data-row]").first.click()
    page.locator("#stage").select_option("contacted")
    page.locator("#outcomes + form button").click()
    expect(page.locator(".undo")).to_be_visible()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_firm_goes_through_the_stages(new_page: NewPage, lang: str) -> None:
    page, words, name = new_page(lang), WORDS[lang], FIRMS[lang]
    begin(page, name)
    page.goto("/board")
    card = page.locator(".board-card", has_text=name)
    # By drag: the dialog asks for the day, today's unless another is given.
    card.drag_to(page.locator('[data-stage="visited"]'))
    expect(page.locator("#move-stage")).to_have_value("visited")
    page.locator("#move-form button").click()
    expect(page.locator(".undo")).to_contain_text(words["stage"])
    assert name in column(page, "visited")
    page.get_by_role("button", name=words["undo"]).click()
    expect(page.locator("[data-stage='contacted'] .board-card", has_text=name)).to_be_visible()
    # By keyboard: a loss says why, and what is refused is told where one looks.
    page.locator(".board-card", has_text=name).locator("[data-move]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#move-stage")).to_be_focused()
    page.locator("#move-stage").select_option("lost")
    page.locator("#move-form button").press("Enter")
    expect(page.locator(".move-refused")).to_be_visible()
    forgive(page, "422")
    page.locator("#move-reason").fill("地价")
    page.locator("#move-form button").press("Enter")
    expect(page.locator("[data-stage='lost'] .board-card", has_text=name)).to_contain_text("地价")
    page.goto(f"/ranking?text={name}")
    expect(page.locator(".firms .vetoed .tag")).to_contain_text("地价")
    expect(page.locator(".firms .stage")).to_have_text(words["lost"])


def test_a_firm_is_moved_without_scripts(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    begin(page, "奥比中光")
    page.goto("/board")
    page.locator(".board-card", has_text="奥比中光").locator("[data-move]").click()
    page.locator("#move-stage").select_option("negotiating")
    page.locator("#move-form button").click()
    expect(page).to_have_url(re.compile(r"/board\?moved=\d+&entry=\d+$"))
    assert "奥比中光" in column(page, "negotiating")
    expect(page.locator("select[name=owner]")).to_be_visible()
    page.locator("select[name=owner]").select_option("none")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".board-card", has_text="奥比中光")).to_have_count(0)


def test_a_next_step_is_set_reminded_of_and_done(new_page: NewPage) -> None:
    page = new_page()
    begin(page, "天马微")
    page.locator("#next-step").fill("send the plan of the site")
    page.locator("#next-on").fill((date.today() - timedelta(days=1)).isoformat())
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".next-step")).to_contain_text("overdue")
    page.get_by_text("Add a note").click()
    page.locator("#note-text").fill("asks for the height of the hall")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".notes")).to_contain_text("height of the hall")
    page.goto("/")
    expect(page.locator(".places .due")).to_contain_text("1")
    page.locator(".day-list .overdue", has_text="天马微").get_by_role("button").click()
    expect(page.locator("#notices")).to_contain_text("Done")
    expect(page.locator(".places .due")).to_have_count(0)


def test_an_escaped_dialog_gives_the_focus_back(new_page: NewPage) -> None:
    page = new_page()
    begin(page, "敏芯微")
    page.goto("/board")
    link = page.locator(".board-card", has_text="敏芯微").locator("[data-move]")
    link.click()
    expect(page.locator("#move-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    expect(page.locator("#move-dialog")).not_to_be_visible()


@pytest.mark.parametrize("path", ["/", "/board", "/board/move?firm=2", "/administration/office"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_axe_finds_nothing(new_page: NewPage, path: str, lang: str) -> None:
    for scheme, viewport in (("light", WIDE), ("dark", NARROW)):
        page = new_page(lang, scheme, viewport, bypass_csp=True)
        page.goto(path)
        assert faults(page) == []
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"]
