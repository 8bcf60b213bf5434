"""Mending in a browser, in both languages: an import undone, two tabs, two firms made one."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults, forgive

LANGUAGES = ("zh", "en")
MARK = {"zh": "汉", "en": "英"}  # so that the lists of the languages name other firms


def write(folder: Path, name: str, *firms: str) -> Path:
    path = folder / f"{name}.csv"
    rows = "".join(f"{firm},锂电池的研发和生产,5000,春季\n" for firm in firms)
    path.write_text(f"企业名称,主营业务,注册资本（万元）,对接批次\n{rows}", "utf-8")
    return path


def choose(page: Page, file: Path) -> str:
    page.goto("/import")
    page.set_input_files("#file", file)
    page.locator("form.drop button").click()
    expect(page).to_have_url(re.compile(r"/import/[\w-]{40,}$"))
    return page.url


def confirm(page: Page) -> str:
    page.locator("#confirm").click()
    expect(page).to_have_url(re.compile(r"/imports/\d+$"))
    page.reload()
    expect(page.locator("#to-ranking")).to_be_visible(timeout=60_000)
    return page.url


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_an_import_is_undone(
    new_page: NewPage, tmp_path: Path, lang: str, width: dict[str, int]
) -> None:
    page = new_page(viewport=width, lang=lang, bypass_csp=True)
    choose(page, write(tmp_path, "撤销", f"鹤湖{MARK[lang]}电芯有限公司"))
    address = confirm(page)
    page.locator("#undo").click()
    expect(page.locator(".undo-counts strong").first).to_have_text("1")
    assert faults(page) == []
    page.locator("#confirm-undo").click()
    expect(page).to_have_url(address)
    page.reload()
    expect(page.locator(".state-undone")).to_be_visible(timeout=60_000)
    assert faults(page) == []
    page.goto(f"/ranking?text=鹤湖{MARK[lang]}电芯")
    expect(page.locator("[data-row]")).to_have_count(0)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_two_tabs_import_each_their_own(new_page: NewPage, tmp_path: Path, lang: str) -> None:
    one, other = new_page(lang=lang, bypass_csp=True), new_page(lang=lang, bypass_csp=True)
    first = choose(one, write(tmp_path, "甲表", f"鹤湖{MARK[lang]}一号有限公司"))
    second = choose(other, write(tmp_path, "乙表", f"鹤湖{MARK[lang]}二号有限公司"))
    one.goto("/import")
    waiting = one.locator("section[aria-labelledby=waiting] tbody")
    for address in (first, second):
        expect(waiting.locator(f'th a[href="{urlsplit(address).path}"]')).to_have_count(1)
    assert faults(one) == []
    one.goto(first)
    confirm(other)
    expect(other.locator("h1")).to_have_text("乙表.csv")
    confirm(one)
    expect(one.locator("h1")).to_have_text("甲表.csv")
    one.goto(first)
    expect(one.locator("[role=status]")).to_contain_text("甲表.csv")
    forgive(one, "410")
    one.locator("main a[role=button]").click()
    expect(one).to_have_url(re.compile(r"/imports/\d+$"))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("scripts", [True, False])
def test_two_firms_are_merged_and_split(
    new_page: NewPage, tmp_path: Path, lang: str, *, scripts: bool
) -> None:
    name = f"鹤湖{MARK[lang]}{'有' if scripts else '无'}"
    page = new_page(lang=lang, java_script_enabled=scripts, bypass_csp=True)
    choose(page, write(tmp_path, "合并", f"{name}电池有限公司", f"{name}电池厂"))
    page.locator("#confirm").click()
    expect(page.locator("#to-ranking")).to_be_visible(timeout=60_000)
    page.goto(f"/ranking?text={name}电池厂")
    page.locator("main a.name").first.click()
    expect(page.locator("#own")).to_be_visible()
    expect(page.locator("section[aria-labelledby=own]")).to_contain_text("春季")
    gone = page.url
    page.locator("#to-merge").click()
    page.locator("#q").fill(f"{name}电池有限公司")
    page.locator("form[method=get].act button").click()
    page.get_by_role("link", name=f"{name}电池有限公司").click()
    if scripts:
        assert faults(page) == []
    page.locator("input[name=stays]").nth(1).check()
    page.locator("#why-merge").fill("同一家")
    page.locator("form.act.card button").click()
    expect(page.locator("h1")).to_have_text(f"{name}电池有限公司")
    page.goto(gone)
    expect(page.locator("h1")).to_have_text(f"{name}电池有限公司")
    page.locator('form[action$="/split"] button').click()
    expect(page.locator("h1")).to_have_text(f"{name}电池厂")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_pages_of_mending_have_no_faults(
    new_page: NewPage, lang: str, width: dict[str, int]
) -> None:
    page = new_page(viewport=width, lang=lang, bypass_csp=True)
    page.goto("/ranking")
    address = page.locator("main a.name").first.get_attribute("href")
    for path in ("/firms/new", "/firms/hidden", f"{address}/merge", "/import"):
        page.goto(path)
        assert faults(page) == [], path
