"""A real service, a real browser, and an eye on everything that the browser complains of."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright
from tests.commands import variables, warm_command

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
_START_SECONDS, _READ_SECONDS = 120, 120

NewPage = Callable[..., Page]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the folder into which ``make screenshots`` puts its pictures."""
    parser.addoption("--screenshots", default="docs/images", help="folder of the pictures")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a demonstration whose sample list has been read and scored.

    Each module has its own, for some import lists and record outcomes.
    """
    home = tmp_path_factory.mktemp("home")
    log = home / "serve.log"
    command = [*warm_command(), "serve", "--demo", "--port", "0", "--lang", "en"]
    with log.open("w") as stream:
        process = subprocess.Popen(command, env=variables(home), stderr=stream, stdout=stream)
    try:
        address = _address(process, log)
        _wait_for_firms(address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        found = re.search(r"listens on (http://\S+)", log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"the service did not start:\n{log.read_text()}")


def _wait_for_firms(address: str) -> None:
    until = time.monotonic() + _READ_SECONDS
    while time.monotonic() < until:
        with urllib.request.urlopen(f"{address}/api/v1/lists") as answer:  # noqa: S310
            lists = json.load(answer)["lists"]
        if lists and lists[0]["state"] == "done":
            return
        time.sleep(0.2)
    pytest.fail("the sample list was not read in time")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium; its absence is a failure, for nobody would miss skipped tests."""
    if not CHROMIUM.exists():
        pytest.fail(
            f"{CHROMIUM} is needed to test the pages. Install it and a Chinese font, for example: "
            "sudo apt-get install chromium fonts-noto-cjk"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser, service: str) -> Iterator[NewPage]:
    """Return what opens a page in a browser of its own.

    When the test ends it fails if any page wrote to the console, broke, or asked another machine
    for anything; see `forgive` for what a test provokes.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        lang: str = "en", scheme: str = "light", viewport: dict[str, int] = WIDE, **options: object
    ) -> Page:
        context = browser.new_context(
            base_url=service,
            locale={"zh": "zh-CN", "en": "en-GB"}[lang],
            color_scheme=scheme,
            viewport=viewport,
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: complaints.extend(_elsewhere(request, service)))
        page.complaints = complaints  # type: ignore[attr-defined]
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _elsewhere(request: Request, service: str) -> list[str]:
    asked = urlsplit(request.url)
    own = f"{asked.scheme}://{asked.netloc}" == service
    return [] if own or asked.scheme == "blob" else [f"asked elsewhere: {request.url[:200]}"]


def forgive(page: Page, part: str) -> None:
    """Expect that there was a complaint with this part, and drop it: the test provoked it."""
    found = [each for each in page.complaints if part in each]  # type: ignore[attr-defined]
    assert found, f"no complaint with {part!r}"
    for each in found:
        page.complaints.remove(each)  # type: ignore[attr-defined]


def faults(page: Page) -> list[str]:
    """Return what axe finds wrong with a page as it is now, by WCAG 2.2 AA and good practice.

    To look at contrasts axe styles the page inline: open it with ``bypass_csp=True``. That the page
    itself keeps to its policy is for other tests.
    """
    page.evaluate(AXE.read_text("utf-8") + ";0")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    report = page.evaluate(
        '(tags) => axe.run(document, {runOnly: tags, resultTypes: ["violations"]})', tags
    )
    assert report["passes"], "axe has looked at nothing"
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in report["violations"]
        for node in violation["nodes"]
    ]
