"""The models in a browser: retrain to promotion, go back, and axe; the history is SIMULATED."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults
from tests.browser.office import Office, come_in, remember, running, set_password

_LONG = 300_000
"""Milliseconds that a retraining may take on a busy machine."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, date]]:
    """Return an office with a SIMULATED history, and the day on which that ends."""
    home = tmp_path_factory.mktemp("office") / "home"
    home.mkdir()
    until = remember(home)
    with running(home) as office:
        yield office, until


@pytest.fixture(scope="module")
def service(office: tuple[Office, date]) -> str:
    """Return the address at which the pages of this module are opened."""
    return office[0].address


def test_from_the_experts_card_to_a_better_model_and_back(
    new_page: NewPage, office: tuple[Office, date]
) -> None:
    page = new_page("en")
    set_password(page, office[0].link)
    come_in(page)
    page.goto("/model")
    experts = page.locator(".head .code").inner_text()
    expect(page.locator(".badge")).to_contain_text("No outcomes learned from yet")
    page.get_by_text("Retrain…").click()
    expect(page.locator("#acts")).to_contain_text("nothing changes")
    page.fill("#as-of", office[1].isoformat())
    page.get_by_role("button", name="Start retraining").click()
    expect(page.locator("#notices")).to_contain_text("has been queued")
    expect(page.locator("#retraining progress")).to_be_visible()
    page.reload()
    expect(page.locator("#retraining .gate-list li").first).to_be_visible(timeout=_LONG)
    panel = page.locator("#retraining")
    assert panel.locator(".gate-list li").count() >= 8
    assert panel.locator(".gate-list .down").count() == 0
    trained = page.locator(".head .code").inner_text()
    assert trained.startswith(f"nanchang-{office[1]:%Y%m%d}-")
    expect(page.locator("#trial table").first).to_contain_text("AUC")
    expect(page.locator("#card svg[role=img]").first).to_be_visible()
    page.wait_for_timeout(2_500)  # the service looks that often whether another model serves
    page.reload()
    expect(page.locator(".badge")).to_contain_text(re.compile(r"Learned from \d+ outcomes"))

    page.get_by_text("Roll back…").click()
    expect(page.locator("#acts")).to_contain_text("The expert card replaces")
    page.get_by_label("Reason").fill("Only to see.")
    page.get_by_role("button", name="Roll back to the previous model").click()
    expect(page.locator(".head .code")).to_have_text(experts)
    page.get_by_role("link", name=trained).first.click()
    expect(page.locator("h1")).to_have_text(trained)
    page.get_by_text("Activate…").click()
    page.get_by_role("button", name="Activate this model").click()
    expect(page.locator(".head .code")).to_have_text(trained)

    # Axe and widths are looked at here, for they want an office whose model has learned.
    for lang, scheme in (("zh", "light"), ("en", "dark")):
        look_for_faults(new_page(lang, scheme, bypass_csp=True))
    for viewport in (WIDE, NARROW):
        look_for_width(new_page(viewport=viewport))


def look_for_faults(page: Page) -> None:
    come_in(page)
    for path in ("/model", "/model/retraining"):
        page.goto(path)
        assert faults(page) == [], path
    page.goto("/model")
    page.locator("#versions ~ .scrolled a").last.click()
    expect(page.locator("h1.code")).to_be_visible()
    page.locator(".act > summary").click()
    assert faults(page) == [], "version"


def look_for_width(page: Page) -> None:
    come_in(page)
    page.goto("/model")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
