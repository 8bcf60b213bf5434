"""The first five minutes: from the first start to a list that an officer takes to a meeting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NewPage
from tests.browser.office import Office, come_in, running, set_password

SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "electronics.csv"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Return an office that nobody has entered yet."""
    with running(tmp_path / "home") as office:
        yield office


@pytest.fixture
def service(office: Office) -> str:
    return office.address


# openpyxl does not know the bars in the cells.
@pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_from_the_first_start_to_a_list_for_a_meeting(
    lang: str, office: Office, new_page: NewPage, tmp_path: Path
) -> None:
    page = new_page(lang)
    set_password(page, office.link)
    come_in(page)

    # An empty ranking names the next step.
    page.goto("/")
    page.locator("main a[href='/import']").first.click()
    page.set_input_files("#file", SAMPLE)
    page.locator("form.drop button").click()
    page.locator("#confirm").click()
    page.locator("#to-ranking").click(timeout=60_000)
    expect(page.locator("#shown strong")).to_have_text("144")

    # Why is the first firm first?
    best = names_on(page)[0]
    page.locator("[data-row]").first.click()
    expect(page.locator("h1")).to_have_text(best)
    expect(page.locator(".falls").first).to_be_visible()
    page.go_back()

    # The best of them, to take along.
    page.locator("a[href*='grade=A']").first.click()
    expect(page).to_have_url(re.compile("grade=A"))
    shown = names_on(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Excel").click()
    taken = tmp_path / "meeting.xlsx"
    waiting.value.save_as(taken)
    rows = list(openpyxl.load_workbook(taken).worksheets[0].iter_rows(values_only=True))
    firm = rows[0].index({"zh": "企业", "en": "Firm"}[lang])
    listed = [row[firm] for row in rows[1:] if row[firm]]
    assert listed[: len(shown)] == shown
    assert len(listed) == int(page.locator("#shown strong").inner_text())


def names_on(page: Page) -> list[str]:
    """Return the firms of the page, in their order."""
    return page.locator("[data-row]").all_inner_texts()
