"""The first steps, as the store tells what is done of them; the guide and the templates."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tests.kept_lists import lakeport

from leadscore.files import document, shipped
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.store import users
from leadscore.store.audit import AuditTrail, page
from leadscore.store.champions import champion_line
from leadscore.store.database import Database
from leadscore.store.profiles import Profiles, chosen_profile
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.app import create_app
from leadscore.web.auth import Access, set_password
from leadscore.web.pages.first_steps import shipped_profile

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
PASSWORD = "orange lantern over the lake"  # noqa: S105 (the tests' own)
HTML = {"Accept": "text/html", "Accept-Language": "en"}
CITY = Path(__file__).parents[1] / "cities" / "lakeport.toml"


class Office:
    """A service whose city nobody has named, and browsers of its users."""

    def __init__(self, database: Database, home: Path, *, named: bool) -> None:
        registry = ModelRegistry(home / "models", home / "key")
        self.database = database
        self.access = Access(database, AuditTrail(home / "audit.key"), lambda: NOW)
        profiles = Profiles(lakeport, database, named=named)

        def load():  # type: ignore[no-untyped-def]
            city = profiles.current().city
            with database.read() as connection:
                line = champion_line(connection, city.id)
            return champion_scorer(city, registry, line, now=NOW)

        scoring = CurrentScoring(load, registry, profiles, database)
        self.app = create_app(
            Dependencies(scoring, registry, lambda: date(2026, 12, 1), self.access, profiles)
        )

    def browser(self, name: str, role: users.Role) -> FlaskClient:
        with self.database.write() as connection:
            token = users.add(connection, name, role, by="cli", now=NOW)
        set_password(self.access, token, PASSWORD, address=None)
        client = self.app.test_client()
        self.came_to = client.post("/login", data={"name": name, "password": PASSWORD}).headers
        return client


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path, named=False)


def csrf(client: FlaskClient) -> dict[str, str]:
    token = re.search(r'name="csrf-token" content="(\w+)"', client.get("/start", headers=HTML).text)
    assert token
    return {"csrf_token": token[1]}


def states(client: FlaskClient) -> list[str]:
    text = client.get("/start", headers=HTML).text
    return re.findall(
        r'<h2 id="(?:city|list|ranking|outcome)">.*?<span class="state[^>]*>(.*?)<', text
    )


def test_a_new_officer_comes_to_the_first_steps_and_sees_what_is_next(office: Office) -> None:
    client = office.browser("li.na", "officer")
    assert office.came_to["Location"] == "/start"
    assert states(client) == ["this is next", "to be done", "to be done", "to be done"]
    assert 'href="/start" aria-current="page"' in client.get("/start", headers=HTML).text
    assert 'href="/start"' in client.get("/chains", headers=HTML).text
    viewer = office.browser("wang", "viewer")
    assert office.came_to["Location"] == "/"
    assert 'href="/start"' not in viewer.get("/chains", headers=HTML).text


def test_a_profile_is_looked_at_chosen_and_counts_at_once(office: Office) -> None:
    client = office.browser("boss", "administrator")
    text = CITY.read_text("utf-8").replace("湖港市", "新港市").replace('"lakeport"', '"newport"')
    checked = client.post("/start/city/check", data={"profile": text, **csrf(client)}, headers=HTML)
    assert checked.status_code == 200
    assert "has no mistakes" in checked.text
    with office.database.read() as connection:
        assert chosen_profile(connection) is None
    assert states(client)[0] == "this is next"
    done = client.post("/start/city", data={"profile": text, **csrf(client)}, headers=HTML)
    assert done.status_code == 303
    assert states(client) == ["done", "this is next", "to be done", "to be done"]
    zh = {"Accept": "text/html", "Accept-Language": "zh-CN"}
    assert "新港市" in client.get("/chains", headers=zh).text
    assert client.get("/api/v1/gaps").get_json()["city"] == "newport"
    with office.database.read() as connection:
        acts = [(row.actor, row.action, row.object_id) for row in page(connection, limit=3)]
    assert ("boss", "city.choose", "newport") in acts


def test_mistakes_of_a_profile_are_shown_by_their_place_and_keep_what_was_typed(
    office: Office,
) -> None:
    client = office.browser("boss", "administrator")
    text = CITY.read_text("utf-8").replace('supply = "weak"', 'supply = "tiny"', 1)
    answer = client.post("/start/city/check", data={"profile": text, **csrf(client)}, headers=HTML)
    assert answer.status_code == 422
    assert "chain[medical].segment[materials].supply" in answer.text
    assert "tiny" in answer.text
    assert "湖港康器医疗股份有限公司" in answer.text
    # Nobody gets one in past the check.
    past = client.post("/start/city", data={"profile": text, **csrf(client)}, headers=HTML)
    assert past.status_code == 422
    with office.database.read() as connection:
        assert chosen_profile(connection) is None
    empty = client.post("/start/city/check", data={"profile": " ", **csrf(client)}, headers=HTML)
    assert empty.status_code == 422
    assert "choose a .toml file" in empty.text


def test_the_template_and_the_shipped_profile_pass_the_check(office: Office) -> None:
    client = office.browser("boss", "administrator")
    template = client.get("/templates/city.toml")
    assert template.data == shipped("templates", "city.toml").read_bytes()
    for text in (template.text, shipped_profile()):
        form = {"profile": text, **csrf(client)}
        assert client.post("/start/city/check", data=form, headers=HTML).status_code == 200
    assert client.post("/start/city", data=csrf(client), headers=HTML).status_code == 303
    assert states(client)[0] == "done"


def test_a_city_that_the_settings_name_is_not_changed_by_a_page(
    database: Database, tmp_path: Path
) -> None:
    office = Office(database, tmp_path, named=True)
    client = office.browser("boss", "administrator")
    assert states(client)[0] == "done"
    assert "/start/city" not in client.get("/start", headers=HTML).text
    refused = client.post("/start/city", data=csrf(client), headers=HTML)
    assert refused.status_code == 422
    assert "LEADSCORE_CITY" in refused.text


def test_the_sample_is_handed_in_like_any_list(office: Office) -> None:
    client = office.browser("li.na", "officer")
    done = client.post("/start/sample", data=csrf(client), headers=HTML)
    assert (done.status_code, done.headers["Location"]) == (303, "/imports/1")
    assert "electronics.csv" in client.get("/imports/1", headers=HTML).text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_guide_is_shown_to_everybody_with_its_pictures(office: Office, lang: str) -> None:
    client = office.app.test_client()
    text = client.get("/guide", headers={"Accept": "text/html", "Accept-Language": lang}).text
    source = document({"zh": "guide.zh-CN.md", "en": "guide.md"}[lang]).read_text("utf-8")
    assert len(re.findall("<h2>", text)) == len(re.findall("^## ", source, re.MULTILINE)) == 7
    pictures = re.findall(r'<img src="(/guide/images/[^"]+)"', text)
    assert len(pictures) == source.count("![")
    for picture in pictures:
        assert picture.endswith(f"-{lang}.png")
        assert client.get(picture).data.startswith(b"\x89PNG")
    assert client.get("/guide/images/..%2f..%2fREADME.png").status_code == 404
    assert "**" not in text.partition("<article")[2]
    assert "![" not in text


@pytest.mark.parametrize("kind", ["list", "ledger"])
def test_templates_are_taken_from_the_pages(office: Office, kind: str) -> None:
    client = office.browser("li.na", "officer")
    answer = client.get(f"/templates/{kind}.xlsx", headers={"Accept-Language": "zh-CN"})
    assert answer.data.startswith(b"PK")
    assert f"leadscore-{kind}-zh.xlsx" in answer.headers["Content-Disposition"]
