"""A correction moves a firm and its export, in both languages, with scripts and without."""

from __future__ import annotations

import csv
import io
import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults, forgive
from tests.browser.test_firm import import_firm

BREAD = "面包、糕点的生产和销售"

WORDS = {
    "en": {
        "judge": "I know better", "save": "Let this count", "fact": "Correct a fact",
        "again": "Take all back", "wrong": "Count it as unknown", "back": "is taken back",
        "moved": "places up by the corrections", "counts": "counts, in score and ranking",
        "by": "because: saw the line", "column": "Corrections",
    },
    "zh": {
        "judge": "我更了解", "save": "保存修正", "fact": "改正一项资料", "again": "全部撤回",
        "wrong": "按未知计", "back": "修正已撤回", "moved": "因修正上升",
        "counts": "已计入评分和排名", "by": "因为：saw the line", "column": "人工修正",
    },
}  # fmt: skip


def exported(service: str, lang: str, firm: str) -> dict[str, str]:
    """Return the row of a firm in the export."""
    with urllib.request.urlopen(f"{service}/api/v1/ranking.csv?lang={lang}") as answer:  # noqa: S310
        rows = list(csv.DictReader(io.StringIO(answer.read().decode("utf-8-sig"))))
    return next(row for row in rows if row["name"] == firm)


def rank_of(page: Page) -> int:
    shown = page.locator("dl.facts .figure").first.inner_text()
    return int(shown.replace(",", ""))


def judge(page: Page, words: dict[str, str], segment: str) -> None:
    page.get_by_text(words["judge"]).click()
    page.locator("#segment-1").select_option(segment)
    page.locator("#why-judge").fill("saw the line")
    page.locator("details[open]").get_by_role("button", name=words["save"]).click()
    expect(page.locator("#notices")).to_contain_text(words["counts"])


@pytest.mark.parametrize(("lang", "scripts"), [("en", True), ("zh", True), ("zh", False)])
def test_a_segment_by_hand_moves_a_firm_and_its_export(
    new_page: NewPage, service: str, lang: str, scripts: bool
) -> None:
    name = f"改正{lang}{int(scripts)}食品有限公司"
    number = import_firm(service, 企业名称=name, 主营业务=BREAD, 员工人数="90")
    words, page = WORDS[lang], new_page(lang, java_script_enabled=scripts)
    page.goto(f"/firms/{number}")
    machine, before = rank_of(page), exported(service, lang, name)
    assert (before["grade"], before["fit"], before["segment"]) == ("D", "0.0", "")
    segment = page.locator("#segment-1 optgroup option").first.get_attribute("value")
    assert segment
    judge(page, words, segment)
    assert rank_of(page) < machine
    corrections = page.locator(".corrections")
    expect(corrections).to_contain_text(words["moved"])
    expect(corrections).to_contain_text(words["by"])
    expect(corrections.locator("td").nth(1)).to_have_text(f"{machine:,}")
    after = exported(service, lang, name)
    assert (after["segment"], after["segments"]) == (segment, f"{segment}:1.00")
    assert float(after["priority"]) > float(before["priority"])
    assert int(after["rank"]) == rank_of(page)
    assert "saw the line" in after["corrections"]
    page.locator(".corrections .by button").first.click()
    expect(page.locator("#notices")).to_contain_text(words["back"])
    assert rank_of(page) == machine
    again = exported(service, lang, name)
    assert {**again, "corrections": ""} == {**before, "corrections": ""}


def test_a_fact_and_a_reason_are_corrected_where_they_stand(
    new_page: NewPage, service: str
) -> None:
    number = import_firm(service, 企业名称="资料有误有限公司", 主营业务=BREAD, 员工人数="90")
    page, words = new_page(), WORDS["en"]
    page.goto(f"/firms/{number}")
    page.get_by_text(re.compile(r"\d+ fields")).click()
    page.locator("tr", has_text="staff").get_by_role("link", name="Correct").first.click()
    expect(page.locator("#field")).to_have_value("staff")
    page.locator("#value").fill("a few")
    page.locator("#why-fact").fill("counted them")
    save = page.locator("#correct").get_by_role("button", name=words["save"])
    save.click()
    expect(page.locator("#notices [role=alert]")).to_contain_text("a number not below zero")
    expect(page.locator("#value")).to_have_value("a few")
    forgive(page, "422")
    page.locator("#value").fill("2000人")
    save.click()
    expect(page.locator("#notices")).to_contain_text(words["counts"])
    page.get_by_text(re.compile(r"\d+ fields")).click()
    expect(page.locator(".known tr", has_text="staff").first).to_contain_text("list: 90")
    page.locator("#changes").scroll_into_view_if_needed()
    expect(page.locator("#changes")).to_contain_text("Corrected: staff")
    page.locator("a.wrong", has_text="Wrong?").first.click()
    page.locator("#why-wrong").fill("not so")
    page.get_by_role("button", name=words["wrong"]).click()
    expect(page.locator(".corrections")).to_contain_text("wrong reason:")
    page.get_by_role("button", name=words["again"]).click()
    expect(page.locator(".corrections")).to_contain_text("2 taken back")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_corrected_firm_has_no_fault_that_axe_knows(
    new_page: NewPage, service: str, lang: str, viewport: dict[str, int], scheme: str
) -> None:
    number = import_firm(service, 企业名称="无障碍食品有限公司", 主营业务=BREAD, 员工人数="90")
    page, words = new_page(lang, scheme, viewport, bypass_csp=True), WORDS[lang]
    page.goto(f"/firms/{number}")
    segment = page.locator("#segment-1 optgroup option").first.get_attribute("value")
    assert segment
    if not page.locator(".made li").count():
        judge(page, words, segment)
    page.goto(f"/firms/{number}?field=staff")
    page.get_by_text(words["judge"]).click()
    assert faults(page) == []
    page.goto(f"/firms/{number}?wrong=staff")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
