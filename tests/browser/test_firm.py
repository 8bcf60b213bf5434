"""A firm in a browser: recording and undoing, what if, the printed brief, and axe on all of it."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import urllib.request
import uuid

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults, forgive

PAGES = ("", "/what-if", "/brief")


def open_first(page: Page) -> str:
    """Open a firm of the sample list from the ranking, and return its address."""
    page.goto("/ranking?text=珠海冠宇")
    page.locator("[data-row]").first.click()
    expect(page.locator("#outcomes")).to_be_visible()
    return re.sub(r"^\w+://[^/]+|\?.*$", "", page.url)


def test_an_outcome_is_recorded_and_undone(new_page: NewPage) -> None:
    page = new_page()
    address = open_first(page)
    page.locator("#stage").select_option("visited")
    page.locator("#day").fill("2026-01-05")
    page.locator("#remark").fill("saw the line")
    page.get_by_role("button", name="Record an outcome").click()
    expect(page.locator(".undo")).to_contain_text("Recorded: visited, 5 Jan 2026.")
    expect(page).to_have_url(re.compile(rf"{address}\?entry=\d+$"))
    held = page.locator(".timeline .held", has_text="visited")
    expect(held).to_contain_text("saw the line")
    page.get_by_role("button", name="Undo").click()
    expect(held).to_have_count(0)
    expect(page.locator(".timeline .withdrawn")).to_contain_text("saw the line")
    expect(page.locator("#notices")).to_contain_text("Restored")
    expect(page.locator(".undo")).to_have_count(0)


def test_what_is_refused_is_told_and_nothing_typed_is_lost(new_page: NewPage) -> None:
    page, other = new_page(), new_page()
    address = open_first(page)
    other.goto(address)
    other.get_by_text("I know better").click()
    other.locator("#grade").select_option("D")
    other.locator("#why-judge").fill("too small")
    other.locator("details[open]").get_by_role("button", name="Let this count").click()
    expect(other.locator("table.beside")).to_contain_text("D")
    page.get_by_text("Stop pursuing this firm").click()
    page.locator("#why-exclude").fill("moved away")
    page.get_by_role("button", name="Exclude").click()
    notice = page.locator("#notices [role=alert]")
    expect(notice).to_contain_text("someone else has changed firm")
    expect(notice).to_be_in_viewport()
    expect(page.locator("#why-exclude")).to_have_value("moved away")
    forgive(page, "412")
    other.get_by_role("button", name="Take back grade: D").click()
    expect(other.locator("#notices")).to_contain_text("The correction is taken back")


def test_points_move_as_values_are_changed(new_page: NewPage) -> None:
    page = new_page()
    page.goto(open_first(page) + "/what-if")
    expect(page.locator("#result")).to_contain_text("Nothing has been changed yet")
    page.locator("#main_business").fill("面包、糕点的生产和销售")
    expect(page.locator("#result .moves")).to_be_visible()
    expect(page.locator("#result .differs").first).to_be_visible()
    expect(page.locator("#main_business")).to_be_focused()
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#result")).to_contain_text("Nothing has been changed yet")


def test_everything_works_without_scripts(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    address = open_first(page)
    page.locator("#stage").select_option("contacted")
    page.locator("#day").fill("2026-01-03")
    page.get_by_role("button", name="Record an outcome").click()
    expect(page.locator(".undo")).to_contain_text("Recorded: contacted")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#notices")).to_contain_text("Restored")
    page.goto(f"{address}/what-if")
    page.locator("#staff").fill("3")
    page.get_by_role("button", name="Recalculate").click()
    expect(page.locator("#result .moves")).to_contain_text("→ 3")
    page.goto(f"{address}/brief")
    expect(page.locator("[data-print]")).to_be_hidden()


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def import_firm(service: str, **values: str) -> int:
    """Import a list of one firm, and return its number."""
    told = io.StringIO()
    writer = csv.DictWriter(told, list(values))
    writer.writeheader()
    writer.writerow(values)
    edge = uuid.uuid4().hex
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="one.csv"\r\n\r\n'
    body = f"{head}{told.getvalue()}\r\n--{edge}--\r\n".encode()
    asked = urllib.request.Request(  # noqa: S310 (our own service)
        f"{service}/api/v1/lists", body, {"Content-Type": f"multipart/form-data; boundary={edge}"}
    )
    number = read_json(asked)["id"]
    until = time.monotonic() + 120
    while read_json(f"{service}/api/v1/lists/{number}")["state"] != "done":
        assert time.monotonic() < until, "the list was not read in time"
        time.sleep(0.2)
    return int(read_json(f"{service}/api/v1/ranking?list={number}")["firms"][0]["id"])


def read_json(asked: str | urllib.request.Request) -> dict:  # type: ignore[type-arg]
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 (our own service)
        return dict(json.load(answer))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_brief_is_one_or_two_pages_of_paper(new_page: NewPage, service: str, lang: str) -> None:
    page = new_page(lang)
    page.goto(open_first(page) + "/brief")
    assert pages_of(page.pdf(prefer_css_page_size=True)) <= 2
    text = "锂离子电池电芯、模组和电池管理系统的研发、生产和销售，" * 60
    number = import_firm(
        service, name=f"虚构{'长名' * 30}新能源科技股份有限公司", main_business=text, profile=text,
        business_scope=text, titles="国家级专精特新小巨人企业、高新技术企业、" * 12,
        funding="战略融资，" * 40, event="某某展会，" * 60, referred_by="某某企业推荐，" * 60,
        staff="1200", registered_capital_cny="123456789元", revenue_cny="9.87亿元",
        founded_on="2015-03-04", city="深圳市", province="广东省",
    )  # fmt: skip
    for stage in ("contacted", "visited", "negotiating", "signed", "lost"):
        page.goto(f"/firms/{number}")
        page.locator("#stage").select_option(stage)
        page.locator("#day").fill("2026-01-05")
        page.locator("#remark").fill("对方的答复很长，" * 200)
        page.locator("form[action$='/outcomes'] button").click()
        expect(page.locator(".undo, #notices [role=status]").first).to_be_visible()
    page.goto(f"/firms/{number}/brief")
    assert pages_of(page.pdf(prefer_css_page_size=True)) <= 2
    page.emulate_media(media="print")
    expect(page.locator(".brief footer")).to_be_visible()


@pytest.mark.parametrize(("lang", "scheme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing_on_the_pages_of_a_firm(
    new_page: NewPage, lang: str, scheme: str
) -> None:
    page = new_page(lang, scheme, WIDE if lang == "zh" else NARROW, bypass_csp=True)
    address = open_first(page)
    page.locator("#stage").select_option("screened")
    page.locator("#day").fill({"light": "2026-01-06", "dark": "2026-01-07"}[scheme])
    page.locator("#remark").fill(lang)
    page.locator("form[action$='/outcomes'] button").click()
    expect(page.locator(".undo")).to_be_visible()
    unfold = "for (const each of document.querySelectorAll('details')) each.open = true"
    page.evaluate(unfold)
    assert faults(page) == []
    for path in PAGES[1:]:
        page.goto(address + path)
        assert faults(page) == [], path
    page.goto(address + "/what-if")
    page.locator("#main_business").fill("面包")
    expect(page.locator("#result .moves")).to_be_visible()
    assert faults(page) == []


def test_no_page_of_a_firm_is_wider_than_a_telephone(new_page: NewPage) -> None:
    page = new_page("en", viewport=NARROW)
    address = open_first(page)
    for path in PAGES:
        page.goto(address + path)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
