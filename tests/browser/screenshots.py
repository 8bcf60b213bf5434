"""Takes the pictures of the pages that the READMEs show: ``make screenshots``.

No test: pytest collects it only where it is named.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import NARROW, WIDE, NewPage


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_pictures(
    new_page: NewPage, pytestconfig: pytest.Config, lang: str, scheme: str, viewport: dict[str, int]
) -> None:
    folder = Path(str(pytestconfig.getoption("--screenshots")))
    folder.mkdir(parents=True, exist_ok=True)
    ending = f"{lang}-{scheme}-{viewport['width']}.png"
    page = new_page(lang, scheme, viewport)
    page.goto("/ranking")
    page.screenshot(path=folder / f"ranking-{ending}")
    page.locator("[data-row]").first.click()
    expect(page.locator(".falls").first).to_be_visible()
    page.screenshot(path=folder / f"firm-{ending}")
