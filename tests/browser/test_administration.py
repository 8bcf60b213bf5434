"""Administration in a browser: a user from invitation to first log-in, keys, the audit, and axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import NARROW, WIDE, NewPage, faults, forgive
from tests.browser.office import PASSWORD, Office, come_in, running, set_password

PLACES = ("users", "keys", "audit", "jobs", "city")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Return an office that has only just been opened."""
    with running(tmp_path_factory.mktemp("office") / "home") as office:
        yield office


@pytest.fixture(scope="module")
def service(office: Office) -> str:
    """Return the address at which the pages of this module are opened."""
    return office.address


@pytest.fixture(scope="module")
def administrators() -> set[str]:
    """Return the offices whose administrator has a password, to be filled by `administrator`."""
    return set()


def administrator(page: Page, office: Office, known: set[str]) -> Page:
    """Log the first administrator in; by their link if nobody has used it yet."""
    if office.address not in known:
        set_password(page, office.link)
        known.add(office.address)
    come_in(page)
    return page


def test_somebody_is_invited_and_comes_in_by_the_link(
    new_page: NewPage, office: Office, administrators: set[str]
) -> None:
    page = administrator(new_page("en"), office, administrators)
    page.goto("/administration")
    page.fill("#name", "li.na")
    page.get_by_role("button", name="Invite").click()
    link = page.locator("#secret").inner_text()
    assert link.startswith(f"{office.address}/password#")
    expect(page.locator("main")).to_contain_text("only once")
    page.reload()
    page.goto("/administration/users")
    expect(page.locator("tbody tr").filter(has_text="li.na")).to_contain_text("invited")
    assert link not in page.content()

    other = new_page("zh")
    set_password(other, link)
    come_in(other, "li.na")
    other.goto("/administration")
    assert other.locator(".tabs a").all_text_contents() == ["任务", "城市画像"]

    row = page.locator("tbody tr").filter(has_text="li.na")
    row.get_by_text("Change…").click()
    row.get_by_role("button", name="Disable").click()
    expect(page.locator("tbody tr").filter(has_text="li.na")).to_contain_text("disabled")
    other.goto("/ranking")
    expect(other.locator("h1")).to_have_text("登录")
    page.goto("/administration/audit?action=user.add")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("li.na")


def test_a_key_is_shown_once_and_revoked_without_scripts(
    new_page: NewPage, office: Office, administrators: set[str]
) -> None:
    administrator(new_page("en"), office, administrators)
    page = new_page("en", java_script_enabled=False)
    page.goto("/login")
    page.fill("#name", "admin")
    page.fill("#password", PASSWORD)
    page.locator(".door button").click()
    page.goto("/administration/keys")
    page.fill("#name", "crm")
    page.get_by_role("button", name="Create", exact=True).click()
    assert page.locator("#secret").inner_text().startswith("ls_")
    page.get_by_role("button", name="I have saved it").click()
    page.locator(".change summary").click()
    page.get_by_role("button", name="Revoke this key").click()
    expect(page.locator("tbody tr")).to_contain_text("revoked")


def test_somebody_changes_their_own_password(
    new_page: NewPage, office: Office, administrators: set[str]
) -> None:
    page = administrator(new_page("en"), office, administrators)
    page.locator(".who").click()
    expect(page.locator("h1")).to_have_text("Your account")
    for present, chosen, said in (
        ("guess guess guess", PASSWORD, "that is not your current password"),
        (PASSWORD, "short", "Choose another"),
        (PASSWORD, PASSWORD, "the one that you had before"),
        (PASSWORD, f"{PASSWORD} shore", "Password changed"),
        (f"{PASSWORD} shore", PASSWORD, "Password changed"),
    ):
        page.fill("#present", present)
        page.fill("#password", chosen)
        page.fill("#again", chosen)
        page.locator(".door button").click()
        expect(page.locator("#main")).to_contain_text(said)
    forgive(page, "422")


@pytest.mark.parametrize(("lang", "scheme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(
    new_page: NewPage, office: Office, administrators: set[str], lang: str, scheme: str
) -> None:
    page = administrator(new_page(lang, scheme, bypass_csp=True), office, administrators)
    for place in PLACES:
        page.goto(f"/administration/{place}")
        assert faults(page) == [], place
    page.goto("/administration/users")
    page.locator(".change summary").first.click()
    assert faults(page) == [], "change"
    page.goto("/account")
    assert faults(page) == [], "account"


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_nothing_is_wider_than_the_window(
    new_page: NewPage, office: Office, administrators: set[str], viewport: dict[str, int]
) -> None:
    page = administrator(new_page(viewport=viewport), office, administrators)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for place in PLACES:
        page.goto(f"/administration/{place}")
        assert page.evaluate(wide) == 0, place
    page.goto("/account")
    assert page.evaluate(wide) == 0, "account"
