"""Every route, asked by everybody: who gets in is written here, and no route is forgotten."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tests.champions import line
from tests.kept_lists import profiles

from leadscore.city import load_city
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.store import api_keys
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.web.api import GONE, CurrentScoring, Dependencies
from leadscore.web.app import Application, create_app
from leadscore.web.auth import Access

CITY = Path(__file__).parents[1] / "cities" / "lakeport.toml"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)

EVERYBODY = {"anonymous", "revoked", "viewer", "officer", "administrator", "auditor"}
KNOWN = EVERYBODY - {"anonymous", "revoked"}
WRITERS = {"officer", "administrator"}
ADMINISTRATORS = {"administrator"}
AUDITORS = {"administrator", "auditor"}

MAY: dict[str, set[str]] = {
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /metrics": KNOWN,
    "POST /api/v1/score": KNOWN,
    "GET /api/v1/me": KNOWN,
    "GET /api/v1/jobs": KNOWN,
    "GET /api/v1/jobs/<int:id>": KNOWN,
    "POST /api/v1/jobs/<int:id>/cancel": WRITERS,
    "POST /api/v1/lists": WRITERS,
    "GET /api/v1/lists": KNOWN,
    "GET /api/v1/lists/<int:id>": KNOWN,
    "GET /api/v1/lists/<int:id>/problems.csv": KNOWN,
    "GET /api/v1/ranking": KNOWN,
    "GET /api/v1/ranking.csv": KNOWN,
    "GET /api/v1/ranking.xlsx": KNOWN,
    "POST /api/v1/selections": WRITERS,
    "POST /api/v1/bulk": WRITERS,
    "GET /api/v1/bulk/<int:id>": KNOWN,
    "POST /api/v1/bulk/<int:id>/undo": WRITERS,
    "POST /api/v1/exports": KNOWN,
    "GET /api/v1/exports/<int:id>": KNOWN,
    "GET /api/v1/firms/<int:id>": KNOWN,
    "GET /api/v1/firms/<int:id>/changes": KNOWN,
    "POST /api/v1/firms/<int:id>/outcomes": WRITERS,
    "POST /api/v1/firms": WRITERS,
    "GET /api/v1/firms/hidden": KNOWN,
    "POST /api/v1/firms/<int:id>/merge": WRITERS,
    "POST /api/v1/firms/<int:id>/split": WRITERS,
    "PUT /api/v1/firms/<int:id>/hidden": WRITERS,
    "DELETE /api/v1/firms/<int:id>/hidden": WRITERS,
    "GET /api/v1/lists/<int:id>/undo": KNOWN,
    "POST /api/v1/lists/<int:id>/undo": WRITERS,
    "GET /api/v1/firms/<int:id>/corrections": KNOWN,
    "POST /api/v1/firms/<int:id>/corrections": WRITERS,
    "DELETE /api/v1/firms/<int:id>/corrections/<int:number>": WRITERS,
    "POST /api/v1/outcomes": WRITERS,
    "GET /api/v1/outcomes/<int:id>": KNOWN,
    "GET /api/v1/outcomes/<int:id>/problems.csv": KNOWN,
    "PUT /api/v1/firms/<int:id>/override": WRITERS,
    "DELETE /api/v1/firms/<int:id>/override": WRITERS,
    "PUT /api/v1/firms/<int:id>/exclusion": WRITERS,
    "DELETE /api/v1/firms/<int:id>/exclusion": WRITERS,
    "GET /api/v1/pursuits": KNOWN,
    "PUT /api/v1/firms/<int:id>/pursuit": WRITERS,
    "GET /api/v1/firms/<int:id>/notes": KNOWN,
    "POST /api/v1/firms/<int:id>/notes": WRITERS,
    "DELETE /api/v1/firms/<int:id>/notes/<int:note>": WRITERS,
    "GET /api/v1/gaps": KNOWN,
    "GET /api/v1/gaps/here": KNOWN,
    "PUT /api/v1/gaps/<segment>/supply": ADMINISTRATORS,
    "GET /api/v1/learning": KNOWN,
    "GET /api/v1/report": KNOWN,
    "GET /api/v1/report.docx": KNOWN,
    "GET /api/v1/report.xlsx": KNOWN,
    "GET /api/v1/models": KNOWN,
    "GET /api/v1/models/<version>": KNOWN,
    "POST /api/v1/models/retrain": ADMINISTRATORS,
    "POST /api/v1/models/<version>/promote": ADMINISTRATORS,
    "POST /api/v1/models/rollback": ADMINISTRATORS,
    "GET /static/<version>/<path:name>": EVERYBODY,
    "POST /preferences": EVERYBODY,
    "GET /guide": EVERYBODY,
    "GET /guide/images/<name>.png": EVERYBODY,
    "GET /login": EVERYBODY,
    "POST /login": EVERYBODY,
    "POST /logout": KNOWN,
    "GET /password": EVERYBODY,
    "POST /password": EVERYBODY,
    "GET /account": KNOWN,
    "POST /account": KNOWN,
    "GET /": KNOWN,
    "GET /start": KNOWN,
    "POST /start/city/check": ADMINISTRATORS,
    "POST /start/city": ADMINISTRATORS,
    "POST /start/sample": WRITERS,
    "GET /ranking": KNOWN,
    "GET /ranking/points": KNOWN,
    "POST /ranking/export": KNOWN,
    "POST /ranking/selections": WRITERS,
    "POST /ranking/acts": WRITERS,
    "GET /ranking/acts/<int:id>": KNOWN,
    "POST /ranking/acts/<int:id>/undo": WRITERS,
    "POST /ranking/acts/<int:id>/again": WRITERS,
    "GET /compare": KNOWN,
    "POST /ranking/compare": KNOWN,
    "POST /ranking/shortlists/<int:id>/delete": WRITERS,
    "POST /ranking/views": KNOWN,
    "POST /ranking/views/<int:id>/rename": KNOWN,
    "POST /ranking/views/<int:id>/delete": KNOWN,
    "GET /board": KNOWN,
    "GET /board/column": KNOWN,
    "GET /board/move": WRITERS,
    "POST /board/move": WRITERS,
    "POST /board/undo": WRITERS,
    "GET /firms/<int:id>": KNOWN,
    "POST /firms/<int:id>/pursuit": WRITERS,
    "POST /firms/<int:id>/pursuit/done": WRITERS,
    "POST /firms/<int:id>/notes": WRITERS,
    "POST /firms/<int:id>/notes/<int:note>/delete": WRITERS,
    "GET /chains": KNOWN,
    "GET /chains/here": KNOWN,
    "GET /report": KNOWN,
    "GET /import": WRITERS,
    "POST /import": WRITERS,
    "GET /import/<token>": WRITERS,
    "POST /import/<token>": WRITERS,
    "POST /import/<token>/discard": WRITERS,
    "GET /imports/<int:id>/undo": WRITERS,
    "POST /imports/<int:id>/undo": WRITERS,
    "GET /imports/<int:id>": WRITERS,
    "GET /imports/<int:id>/failed.xlsx": WRITERS,
    "GET /templates/list.xlsx": KNOWN,
    "GET /templates/ledger.xlsx": KNOWN,
    "GET /templates/city.toml": KNOWN,
    "POST /firms/<int:id>/outcomes": WRITERS,
    "POST /firms/<int:id>/outcomes/withdraw": WRITERS,
    "POST /firms/<int:id>/outcomes/undo": WRITERS,
    "GET /firms/new": WRITERS,
    "POST /firms/new": WRITERS,
    "GET /firms/hidden": KNOWN,
    "POST /firms/<int:id>/hidden": WRITERS,
    "POST /firms/<int:id>/hidden/drop": WRITERS,
    "GET /firms/<int:id>/merge": WRITERS,
    "POST /firms/<int:id>/merge": WRITERS,
    "POST /firms/<int:id>/split": WRITERS,
    "POST /firms/<int:id>/corrections": WRITERS,
    "POST /firms/<int:id>/corrections/withdraw": WRITERS,
    "POST /firms/<int:id>/exclusion": WRITERS,
    "POST /firms/<int:id>/exclusion/drop": WRITERS,
    "GET /firms/<int:id>/what-if": KNOWN,
    "POST /firms/<int:id>/what-if": KNOWN,
    "GET /firms/<int:id>/brief": KNOWN,
    "GET /outcomes": WRITERS,
    "POST /outcomes": WRITERS,
    "GET /outcomes/<token>": WRITERS,
    "POST /outcomes/<token>": WRITERS,
    "GET /outcomes/<token>/problems.csv": WRITERS,
    "POST /outcomes/<token>/discard": WRITERS,
    "GET /outcomes/imports/<int:id>": WRITERS,
    "GET /firms/<int:id>/brief.docx": KNOWN,
    "GET /model": KNOWN,
    "GET /model/learning": KNOWN,
    "GET /model/retraining": KNOWN,
    "GET /model/<version>": KNOWN,
    "POST /model/retrain": ADMINISTRATORS,
    "POST /model/rollback": ADMINISTRATORS,
    "POST /model/<version>/promote": ADMINISTRATORS,
    "GET /administration": KNOWN,
    "GET /administration/users": ADMINISTRATORS,
    "POST /administration/users": ADMINISTRATORS,
    "POST /administration/users/<name>/change": ADMINISTRATORS,
    "POST /administration/users/<name>/link": ADMINISTRATORS,
    "GET /administration/keys": ADMINISTRATORS,
    "POST /administration/keys": ADMINISTRATORS,
    "POST /administration/keys/<name>/revoke": ADMINISTRATORS,
    "GET /administration/audit": AUDITORS,
    "GET /administration/audit.csv": AUDITORS,
    "GET /administration/jobs": KNOWN,
    "POST /administration/jobs/<int:id>/cancel": WRITERS,
    "GET /administration/city": KNOWN,
    "POST /administration/city/<segment>": ADMINISTRATORS,
    "GET /administration/office": ADMINISTRATORS,
    "POST /administration/office": ADMINISTRATORS,
}
for _rule, _method in itertools.product(GONE, ("GET", "POST", "PUT", "PATCH", "DELETE")):
    MAY[f"{_method} /api/v1{_rule}"] = EVERYBODY
"""Who may ask for what. The pages of the documentation are everybody's."""


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    home = tmp_path_factory.mktemp("home")
    return champion_scorer(load_city(CITY), ModelRegistry(home / "models", home / "key"), now=NOW)


@pytest.fixture
def app(scorer: Scorer, database: Database, tmp_path: Path) -> Application:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")

    def today() -> date:
        return NOW.date()

    access = Access(database, AuditTrail(tmp_path / "audit.key"), lambda: NOW)
    known = profiles(access.database)

    def load() -> Scorer:
        served = line(database)
        return champion_scorer(scorer.city, registry, served, now=NOW) if served else scorer

    scoring = CurrentScoring(load, registry, known, access.database)
    return create_app(Dependencies(scoring, registry, today, access, known))


@pytest.fixture
def keys(database: Database) -> dict[str, str]:
    """Return the header that each kind of caller shows."""
    with database.write() as connection:
        shown = {
            role: api_keys.add(connection, role, role, by="cli", now=NOW) for role in sorted(KNOWN)
        }
        shown["revoked"] = api_keys.add(connection, "gone", "administrator", by="cli", now=NOW)
        api_keys.revoke(connection, "gone", now=NOW)
    return shown


def routes(app: Application) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/openapi"):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule}"


def test_every_route_is_listed_and_no_other(app: Application) -> None:
    assert set(routes(app)) == set(MAY)


def test_everybody_gets_in_where_they_may_and_nowhere_else(
    app: Application, keys: dict[str, str]
) -> None:
    client = app.test_client()
    wrong = []
    for route, may in MAY.items():
        for who in sorted(EVERYBODY):
            status = ask(client, route, keys.get(who))
            refused = 401 if who in ("anonymous", "revoked") else 403
            if (status != refused) != (who in may) and not (status == 401 and who in may):
                wrong.append((route, who, status))
            assert status < 500, (route, who)
    assert wrong == []


def ask(client: FlaskClient, route: str, key: str | None) -> int:
    """Ask for something that is not there or that says nothing, and return the status."""
    method, rule = route.split(" ")
    path = re.sub(r"<(\w+:)?\w+>", "999", rule)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.open(path, method=method, headers=headers).status_code
