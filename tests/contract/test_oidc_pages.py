"""Logging in through a provider of OpenID Connect, as a person sees it in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tests.contract.access_app import Clock
from tests.kept_lists import TODAY, profiles, scorer
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, running_provider

from leadscore.learning.shelf import Shelf
from leadscore.store.auditing.trail import AuditTrail
from leadscore.store.engine.database import Database
from leadscore.web.access.callers import Access
from leadscore.web.access.oidc.provider import Provider, Registration
from leadscore.web.app import Service, create_app
from leadscore.web.current import CurrentScoring

HTML = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "en"}
START = "/api/v1/oidc/start"


def client(database: Database, folder: Path, issuer: str | None) -> FlaskClient:
    shelf, clock = Shelf(folder / "models", folder / "key"), Clock()
    registration = issuer and Registration(issuer, CLIENT_ID, CLIENT_SECRET)
    access = Access(
        database,
        AuditTrail(folder / "audit.key"),
        clock,
        provider=Provider(registration) if registration else None,
    )
    scoring = CurrentScoring(scorer(), shelf, scorer, lambda: TODAY)
    return create_app(
        Service(scoring, shelf, lambda: TODAY, access, profiles(folder))
    ).test_client()


def test_the_login_page_offers_it_where_it_is_set_up(database: Database, tmp_path: Path) -> None:
    with running_provider(Clock()) as small:
        offered = client(database, tmp_path, small.issuer).get("/login", headers=HTML)
    assert f'href="{START}"' in offered.text
    alone = client(database, tmp_path, None).get("/login", headers=HTML)
    assert START not in alone.text


@pytest.mark.parametrize("path", [START, "/api/v1/oidc/callback?state=x&code=y"])
def test_a_failure_is_a_page_and_leads_in_no_circle(
    database: Database, tmp_path: Path, path: str
) -> None:
    with running_provider(Clock()) as small:
        browser = client(database, tmp_path, small.issuer)
    answer = browser.get(path, headers=HTML)  # the provider is gone by now
    assert answer.status_code >= 400
    assert answer.mimetype == "text/html"
    assert "Location" not in answer.headers
    assert browser.get(path, headers={"Accept": "application/json"}).is_json
