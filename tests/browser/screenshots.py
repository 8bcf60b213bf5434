"""Takes the pictures that READMEs and guide show: ``make screenshots``.

No test: pytest collects it only where it is named.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import WIDE, NewPage

SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "electronics.csv"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pictures(new_page: NewPage, pytestconfig: pytest.Config, lang: str) -> None:
    folder = Path(str(pytestconfig.getoption("--screenshots")))
    folder.mkdir(parents=True, exist_ok=True)
    page = new_page(lang, "light", WIDE)
    page.goto("/ranking?picture=on")
    expect(page.locator("canvas")).to_be_visible()
    page.screenshot(path=folder / f"ranking-{lang}.png")
    firms = [str(row.get_attribute("href")) for row in page.locator("[data-row]").all()]
    page.locator("[data-row]").first.click()
    expect(page.locator(".falls").first).to_be_visible()
    page.screenshot(path=folder / f"firm-{lang}.png")
    page.goto("/chains")
    page.screenshot(path=folder / f"chains-{lang}.png")
    page.goto("/start")
    page.locator(".steps").screenshot(path=folder / f"start-{lang}.png")
    pursue(page, firms[2:])
    page.goto("/board")
    page.screenshot(path=folder / f"board-{lang}.png", clip=WIDE | {"x": 0, "y": 0, "height": 690})
    page.goto("/import")
    page.set_input_files("#file", SAMPLE)
    page.locator("form.drop button").click()
    expect(page.locator("#confirm")).to_be_visible()
    page.screenshot(path=folder / f"import-{lang}.png")


def pursue(page: Page, firms: list[str]) -> None:
    """Record how far the courting of some firms has come, unless that is recorded already."""
    stages = ("contacted", "contacted", "contacted", "visited", "visited", "negotiating", "signed")
    for firm, stage in zip(firms, stages, strict=False):
        address = f"/api/v1{firm}"
        known = page.request.get(address)
        day = date.today().isoformat()
        page.request.post(
            f"{address}/outcomes", data={"stage": stage, "day": day},
            headers={"If-Match": known.headers["etag"], "Idempotency-Key": f"{firm}-{stage}"},
        )  # fmt: skip
