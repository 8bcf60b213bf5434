"""The first steps in a browser: from the administrator's link to the page's own end, and axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, NewPage, faults, forgive
from tests.browser.office import Office, come_in, running, set_password

CITY = Path(__file__).parents[1] / "cities" / "lakeport.toml"
SHORT = "short"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Return an office that nobody has entered yet."""
    with running(tmp_path / "home") as office:
        yield office


@pytest.fixture
def service(office: Office) -> str:
    return office.address


def done(page: Page) -> list[str]:
    """Return the steps that the page shows as done."""
    marked = page.locator("h2:has(.state-done)")
    return [str(mark.get_attribute("id")) for mark in marked.all()]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_four_steps_from_the_link_to_the_first_outcome(
    lang: str, office: Office, new_page: NewPage
) -> None:
    page = new_page(lang, bypass_csp=True)
    page.goto(office.link)
    page.fill("#password", SHORT)
    page.fill("#again", SHORT)
    page.locator(".door button").click()
    expect(page.get_by_role("alert")).to_contain_text({"zh": "至少要 12 个", "en": "12 are"}[lang])
    forgive(page, "422")
    assert faults(page) == []
    page.goto("about:blank")
    set_password(page, office.link)
    come_in(page)
    expect(page).to_have_url(f"{office.address}/start")
    assert done(page) == []
    assert faults(page) == []

    # A profile with a mistake, then one without; nothing is kept before it is used.
    page.locator(".own summary").click()
    page.fill("#profile", CITY.read_text("utf-8").replace('"weak"', '"tiny"', 1))
    page.locator("form[action='/start/city/check'] button").click()
    expect(page.locator("#mistakes")).to_contain_text("chain[medical].segment[materials].supply")
    forgive(page, "422")
    assert faults(page) == []
    page.set_input_files("#file", CITY)
    page.locator("form[action='/start/city/check'] button").click()
    expect(page.locator("#checked")).to_contain_text({"zh": "湖港市", "en": "Lakeport"}[lang])
    assert done(page) == []

    # The shipped one will do; one can leave and come back.
    page.goto("/start")
    page.locator(".step-next form[action='/start/city'] button").click()
    expect(page.locator("h2#city .state-done")).to_be_visible()
    page.goto("/chains")
    page.locator(".places a[href='/start']").click()
    page.locator("form[action='/start/sample'] button").click()
    page.locator("#to-ranking").click(timeout=60_000)
    expect(page.locator("#shown strong")).to_have_text("144")

    page.goto("/start")
    assert done(page) == ["city", "list"]
    page.locator("section, li").filter(has=page.locator("h2#outcome")).locator(
        "a[href$='#outcomes']"
    ).click()
    form = page.locator("form[action$='/outcomes']")
    form.locator("[name=stage]").select_option("contacted")
    form.locator("button").last.click()
    expect(page.locator(".timeline")).to_be_visible()
    page.goto("/start")
    assert done(page) == ["city", "list", "ranking", "outcome"]
    expect(page.locator(".places a[href='/start']")).to_have_count(0)
    assert faults(page) == []


OWN_LIST = [
    ["深圳市某某光学科技有限公司", None, None, "8000万元", "260", None, "广东省", "深圳市", None,
     "VR光学镜片、光学模组的研发、生产、销售"],
    ["宁波某某电池股份有限公司", None, None, "2亿元", "2600", None, "浙江省", "宁波市", None,
     "聚合物锂电池、电芯的研发和生产"],
]  # fmt: skip


# openpyxl does not know the bars in the cells.
@pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_new_officer_comes_from_the_template_to_a_corrected_export(
    lang: str, office: Office, new_page: NewPage, tmp_path: Path
) -> None:
    page = new_page(lang)
    set_password(page, office.link)
    come_in(page)
    filled = tmp_path / "list.xlsx"
    with page.expect_download() as waiting:
        page.locator("a[href='/templates/list.xlsx']").click()
    waiting.value.save_as(filled)
    book = openpyxl.load_workbook(filled)
    for number, firm in enumerate(OWN_LIST, start=4):
        for at, cell in enumerate(firm, start=1):
            book.worksheets[0].cell(number, at, cell)
    book.save(filled)

    page.locator(".step a[href='/import']").click()
    page.set_input_files("#file", filled)
    page.locator("form.drop button").click()
    page.locator("#confirm").click()
    page.locator("#to-ranking").click(timeout=60_000)
    expect(page.locator("[data-row]")).to_have_count(2)  # no example among them
    best = page.locator("[data-row]").first.inner_text()

    # The officer knows better, and the ranking that is taken along says so.
    page.locator("[data-row]").first.click()
    page.locator("summary:has-text('我更了解'), summary:has-text('I know better')").click()
    page.locator("#grade").select_option("D")
    page.fill("#why-judge", "其产能已定在别处")
    page.locator("form:has(#why-judge) button").click()
    expect(page.locator(".notice[role=status]")).to_be_visible()
    page.goto("/ranking")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Excel").click()
    taken = tmp_path / "ranking.xlsx"
    waiting.value.save_as(taken)
    head, *rows = openpyxl.load_workbook(taken).worksheets[0].iter_rows(values_only=True)
    name, grade = (
        head.index(word) for word in {"zh": ("企业", "等级"), "en": ("Firm", "Grade")}[lang]
    )
    grades = [(row[name], row[grade]) for row in rows if row[name]]
    assert grades[1] == (best, "D")
    assert grades[0][1] != "D"

    # A ledger from its template, whose examples stay out.
    page.goto("/outcomes")
    with page.expect_download() as waiting:
        page.locator("a[href='/templates/ledger.xlsx']").click()
    ledger = tmp_path / "ledger.xlsx"
    waiting.value.save_as(ledger)
    book = openpyxl.load_workbook(ledger)
    word = {"zh": "对接", "en": "contacted"}[lang]
    for at, cell in enumerate([best, None, word, "2026-11-02"], start=1):
        book.worksheets[0].cell(4, at, cell)
    book.save(ledger)
    page.set_input_files("#file", ledger)
    page.locator("form.drop button").click()
    expect(page.locator("main")).to_contain_text({"zh": "1 条新增", "en": "1 new"}[lang])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_guide_and_first_steps_fit_a_phone_and_need_no_script(
    lang: str, office: Office, new_page: NewPage
) -> None:
    stranger = new_page(lang, viewport=NARROW, bypass_csp=True)
    stranger.goto("/guide")
    expect(stranger.locator("h2")).to_have_count(7)
    assert faults(stranger) == []
    assert width(stranger) <= NARROW["width"]
    plain = new_page(lang, viewport=NARROW, java_script_enabled=False)
    plain.goto(office.link)
    plain.fill("#token", office.link.partition("#")[2])
    plain.fill("#password", "orange lantern over the lake")
    plain.fill("#again", "orange lantern over the lake")
    plain.locator(".door button").click()
    come_in(plain)
    plain.locator(".step-next form[action='/start/city'] button").click()
    expect(plain.locator("h2#city .state-done")).to_be_visible()
    scripted = new_page(lang, viewport=NARROW)
    come_in(scripted)
    expect(scripted.locator("h2#outcome")).to_be_visible()
    assert width(scripted) <= NARROW["width"]


def width(page: Page) -> int:
    """Return how wide a page is, whatever is seen of it."""
    return int(page.evaluate("document.documentElement.scrollWidth"))
