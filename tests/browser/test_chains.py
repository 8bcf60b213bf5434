"""The chains in a browser: lines that meet their cards, a way to the ranking, and axe on it all."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults


def test_a_segment_leads_to_its_candidates(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/ranking")
    page.get_by_role("link", name="Chains", exact=True).click()
    card = page.locator("#led article", has_text="Packaging")
    expect(card).to_contain_text("small gap")
    expect(card).to_contain_text("15%")
    number = card.locator(".who-might").inner_text().split(" ")[0]
    card.get_by_role("link", name="Packaging").click()
    expect(page).to_have_url(re.compile(r"/ranking\?segment=led\.packaging$"))
    expect(page.locator("table.firms tbody tr:not(.vetoed)")).to_have_count(int(number))


def test_lines_meet_their_cards_whatever_their_height(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/chains")
    # The first line of the chain, from screens to device design, in the pixels of the window.
    ends = page.locator("#mobile .line").first.evaluate(
        """line => [0, line.getTotalLength()].map(at => {
             const point = line.getPointAtLength(at).matrixTransform(line.getScreenCTM());
             return [point.x, point.y];
           })"""
    )
    for end, name, side in ((ends[0], "Screens", 1.0), (ends[1], "(ODM)", 0.0)):
        box = page.locator("#mobile article", has_text=name).first.bounding_box()
        assert box is not None
        assert abs(end[0] - (box["x"] + side * box["width"])) < 3
        assert abs(end[1] - (box["y"] + box["height"] / 2)) < 3


@pytest.mark.parametrize(("lang", "scheme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(new_page: NewPage, lang: str, scheme: str) -> None:
    page = new_page(lang, scheme, bypass_csp=True)
    page.goto("/chains")
    assert faults(page) == []
    page.locator('a[href="/chains/here"]').click()
    expect(page.locator("section table")).to_have_count(2)
    assert faults(page) == []


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_nothing_is_wider_than_the_window(new_page: NewPage, viewport: dict[str, int]) -> None:
    page = new_page(viewport=viewport)
    page.goto("/chains")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0


def test_another_supply_is_kept_as_a_version_and_ranks_anew(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/ranking?segment=mobile.screen&columns=fit")
    fit = page.locator("tr:not(.vetoed) td.number.wide").first
    before = fit.inner_text()
    page.get_by_role("link", name="city profile, version 1").click()
    page.get_by_role("link", name="Change the supply of Screens…").click()
    expect(page.locator("main")).to_contain_text("Sources in the profile")
    page.get_by_label("Supply (%)").fill("50")
    page.get_by_label("Reason").fill("Two plants were opened.")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("status")).to_contain_text("Saved as a new version")
    expect(page.locator("main")).to_contain_text("Version 2")
    expect(page.locator("main")).to_contain_text("25% → 50%")
    expect(page.locator("main")).to_contain_text("Two plants were opened.")
    page.goto("/ranking?segment=mobile.screen&columns=fit")
    for _ in range(60):
        if page.get_by_text("being rescored").count() == 0:
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.get_by_role("link", name="city profile, version 2")).to_be_visible()
    assert fit.inner_text() != before
    page.goto("/chains")
    expect(page.locator("#mobile article", has_text="Screens").first).to_contain_text("50%")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_form_of_a_supply(new_page: NewPage, scheme: str) -> None:
    page = new_page("zh", scheme, bypass_csp=True)
    page.goto("/administration/city?segment=led.chip")
    expect(page.locator("#change")).to_be_visible()
    assert faults(page) == []
