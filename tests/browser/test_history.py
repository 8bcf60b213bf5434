"""An office's history in a browser: a ledger of 40 pursuits, what it can teach, and the lesson."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults
from tests.browser.office import Office, come_in, running, set_password
from tests.late_history import ODD_WORD, write_ledger, write_list

_LONG = 300_000
"""Milliseconds that a retraining may take on a busy machine."""

SAID = {
    "en": {
        "unknown": "Words of stages that are not understood", "new": "120 new",
        "cost": "40 pursuits have only snapshots later than first contact",
        "learned": "learned from 40 known outcomes, of which 12", "unmeasured": "not measured",
        "late": "For 40 of them every snapshot is later than first contact",
        "reason": "Reason", "serve": "Activate…", "now": "Activate this model",
    },
    "zh": {
        "unknown": "看不懂的阶段用词", "new": "120 条新增",
        "cost": "40家跟进的快照都晚于首次接触",
        "learned": "学习了40家已知结果，其中达成12家", "unmeasured": "无从检验",
        "late": "其中40家的快照都晚于首次接触",
        "reason": "理由", "serve": "启用…", "now": "启用这个模型",
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=["zh", "en"])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def office(lang: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Return an office that has no history yet, one for each language."""
    with running(tmp_path_factory.mktemp(f"office-{lang}") / "home") as office:
        yield office


@pytest.fixture(scope="module")
def service(office: Office) -> str:
    """Return the address at which the pages of this module are opened."""
    return office.address


def test_from_a_ledger_to_forty_outcomes_that_were_learned_from(
    new_page: NewPage, office: Office, lang: str, tmp_path: Path
) -> None:
    said = SAID[lang]
    page = new_page(lang)
    set_password(page, office.link)
    come_in(page)
    # The list of today: it came after every contact.
    page.goto("/import")
    page.set_input_files("#file", write_list(tmp_path / "名单.csv"))
    page.locator("form.drop button").click()
    page.locator("#confirm").click()
    expect(page.locator("#to-ranking")).to_be_visible(timeout=60_000)
    # The ledger: a word that nobody knows is settled before anything is imported.
    page.goto("/import")
    page.locator("#to-outcomes").click()
    page.set_input_files("#file", write_ledger(tmp_path / "台账.xlsx", odd_word=True))
    page.locator("form.drop button").click()
    expect(page).to_have_url(re.compile(r"/outcomes/[\w-]{20,}$"))
    expect(page.locator("#words")).to_contain_text(said["unknown"])
    expect(page.locator("#confirm")).to_have_count(0)
    page.locator(f'select[name="word:{ODD_WORD}"]').select_option("lost")
    expect(page.locator("#confirm")).to_be_visible()
    expect(page.locator(".sums")).to_contain_text(said["new"])
    page.locator("#confirm").click()
    expect(page.locator("#to-learning")).to_be_visible(timeout=60_000)
    # What it can teach, and the way out.
    page.locator("#to-learning").click()
    expect(page.locator("#short-late")).to_contain_text(said["cost"])
    expect(page.locator(".sums strong").first).to_have_text("0")
    page.locator("#short-late a").last.click()
    expect(page.locator(".sums strong").first).to_have_text("40")
    expect(page.locator("#assume")).to_be_checked()
    page.locator("section:has(> #retrain) button").click()
    expect(page.locator("#retraining progress, #retraining .gate-list").first).to_be_visible()
    page.reload()
    panel = page.locator("#retraining")
    expect(panel.locator(".gate-list li").first).to_be_visible(timeout=_LONG)
    expect(panel).to_contain_text(said["learned"])
    expect(panel).to_contain_text(said["late"])
    unmeasured = panel.locator(".gate-list li", has_text=f"– {said['unmeasured']}")
    assert unmeasured.count() >= 5
    # The report of the model, and a promotion that must be explained.
    panel.get_by_role("link").last.click()
    expect(page.locator("h1.code")).to_have_text(re.compile(r"^nanchang-\d{8}-"))
    expect(page.locator(".model-sections").last).to_contain_text("40")
    expect(page.locator("#decision")).to_contain_text(said["unmeasured"])
    page.get_by_text(said["serve"]).click()
    expect(page.locator("#promote-reason")).to_have_attribute("required", "")
    page.fill("#promote-reason", "看过名单。")
    page.get_by_role("button", name=said["now"]).click()
    expect(page.locator(".head .code")).to_have_text(re.compile(r"^nanchang-\d{8}-"))
    page.wait_for_timeout(2_500)  # the service looks that often whether another model serves
    page.reload()
    expect(page.locator(".badge")).to_contain_text("40")
    look(new_page, lang, tmp_path)


def look(new_page: NewPage, lang: str, tmp_path: Path) -> None:
    """Look for faults and widths, where there is something to see."""
    page = new_page(lang, "dark" if lang == "en" else "light", bypass_csp=True)
    come_in(page)
    ledger = write_ledger(tmp_path / "again.xlsx", odd_word=True)
    for path in ("/outcomes", "/outcomes/imports/1", "/model/learning"):
        page.goto(path)
        assert faults(page) == [], path
    waiting = preview_of(page, ledger)
    assert faults(page) == [], "preview"
    for viewport in (WIDE, NARROW):
        narrow = new_page(lang, viewport=viewport)
        come_in(narrow)
        for path in ("/outcomes", "/outcomes/imports/1", "/model/learning", waiting):
            narrow.goto(path)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert narrow.evaluate(wide) == 0, path


def preview_of(page: Page, ledger: Path) -> str:
    page.goto("/outcomes")
    page.set_input_files("#file", ledger)
    page.locator("form.drop button").click()
    expect(page).to_have_url(re.compile(r"/outcomes/[\w-]{20,}$"))
    return page.url


def test_a_ledger_is_imported_without_scripts(
    new_page: NewPage, office: Office, lang: str, tmp_path: Path
) -> None:
    del office
    page = new_page(lang, java_script_enabled=False)
    come_in(page)
    rows = "企业,阶段,日期\n虚构甲有限公司,摸了底,2022-03-01\n"
    small = tmp_path / "small.csv"
    small.write_text(rows, "utf-8")
    preview_of(page, small)
    page.locator("select[name='word:摸了底']").select_option("screened")
    page.locator("#correct button").click()
    page.locator("#confirm").click()
    expect(page.locator("#to-learning")).to_be_visible(timeout=60_000)
