"""A small application with the pages of logging in and two routes of its own, for access tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.testing import FlaskClient
from pydantic import ValidationError
from tests.kept_lists import TODAY, profiles, scorer

from leadscore.registry.models import ModelRegistry
from leadscore.store import api_keys, users
from leadscore.store.audit import AuditTrail, page
from leadscore.store.database import Database
from leadscore.web.api import CurrentScoring, Dependencies, gone_routes, me_routes
from leadscore.web.app import Application, _answer_errors
from leadscore.web.auth import Access, declare_under, protect, requires, set_password
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import (
    DOCUMENT,
    SECURITY_SCHEMES,
    ErrorAnswer,
    plain_mistakes,
    service_info,
)
from leadscore.web.pages.shell import NAME, prepare
from leadscore.web.pages.signing import signing_pages

PASSWORD = "orange lantern over the lake"  # noqa: S105 (the tests' own)


@dataclass
class Clock:
    """A clock that a test turns."""

    now: datetime = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class House:
    """The application with what it stands on."""

    app: Application
    access: Access
    clock: Clock
    dependencies: Dependencies
    effects: list[str] = field(default_factory=list)

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def key(self, role: users.Role, name: str = "") -> str:
        """Return a new key of a role."""
        with self.access.database.write() as connection:
            return api_keys.add(connection, name or f"{role}s", role, by="cli", now=self.clock())

    def user(self, name: str, role: users.Role) -> None:
        """Make a user who has `PASSWORD`."""
        set_password(self.access, self.invite(name, role), PASSWORD, address=None)

    def invite(self, name: str, role: users.Role) -> str:
        """Return the secret of the link by which a new user sets their password."""
        with self.access.database.write() as connection:
            return users.add(connection, name, role, by="cli", now=self.clock())

    def change(self, name: str, **changes: Any) -> users.User:
        """Give a user another role, disable them, or let them in again."""
        with self.access.database.write() as connection:
            return users.change(connection, name, **changes)

    def revoke(self, name: str) -> api_keys.ApiKey:
        """Revoke a key."""
        with self.access.database.write() as connection:
            return api_keys.revoke(connection, name, now=self.clock())

    def browser(self, name: str, role: users.Role) -> Browser:
        """Return a browser in which a new user has logged in."""
        self.user(name, role)
        browser = Browser(self.client())
        browser.log_in(name)
        return browser

    def acts(self) -> list[tuple[str, str, str]]:
        """Return actor, action and result of what was done, the oldest first."""
        with self.access.database.read() as connection:
            rows = page(connection, limit=1000)
        return [(row.actor, row.action, row.result) for row in reversed(rows)]


@dataclass
class Browser:
    """A client that keeps cookies and sends the token against forged requests."""

    client: FlaskClient
    token: str = ""

    def log_in(self, name: str, password: str = PASSWORD, **options: Any) -> Any:
        form = {"name": name, "password": password}
        response = self.client.post("/login", data=form, **options)
        if response.status_code == 303:
            self.token = self.who().get("csrf_token", "")
        return response

    def set_password(self, token: str, password: str = PASSWORD) -> Any:
        return self.client.post("/password", data={"token": token, "password": password})

    def who(self) -> Any:
        """Return what the service says of who this is."""
        return self.client.get("/api/v1/me").get_json()

    def knows_me(self) -> bool:
        """Tell whether this browser is logged in."""
        return self.client.get("/api/v1/me").status_code == 200

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"X-CSRF-Token": self.token} | options.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **options)


def build(
    database: Database, trail: AuditTrail, *, clock: Clock | None = None, **more: Any
) -> House:
    """Return an application over a database; ``more`` is what else `Access` takes."""
    app = Application(
        "leadscore.web",  # where the templates are
        info=service_info(),
        static_folder=None,
        doc_prefix=DOCUMENT,
        security_schemes=SECURITY_SCHEMES,
        validation_error_model=ErrorAnswer,
        validation_error_callback=_refuse,
    )
    app.openapi_version = "3.1.0"
    clock = clock or Clock()
    access = Access(database, trail, clock, **more)
    registry = ModelRegistry(Path("nowhere"), Path("nowhere/key"))
    dependencies = Dependencies(
        CurrentScoring(scorer, registry, profiles(access.database), access.database), registry,
        lambda: TODAY, access, profiles(access.database),
    )  # fmt: skip
    house = House(app, access, clock, dependencies)
    app.register_api(me_routes())
    app.register_blueprint(gone_routes())
    prepare(app, dependencies)
    pages = Blueprint(NAME, "leadscore.web.pages")
    signing_pages(dependencies, pages)
    app.register_blueprint(pages)

    @app.get("/notes")
    @requires("read")
    def read_notes() -> Response:
        return jsonify({"notes": house.effects})

    @app.post("/notes")
    @requires("record")
    @written(access, "note.add")
    def add_note(act: Act) -> Answer:
        house.effects.append(act.actor)
        return Answer({"number": len(house.effects)}, 201, {"X-Number": "1"}, ("note", "1"))

    @app.post("/rules")
    @requires("administer")
    @written(access, "rule.change")
    def change_rules(act: Act) -> Answer:
        name = request.get_json(silent=True) or {"name": "nobody"}
        return Answer({"role": users.get(act.connection, name["name"]).role})

    declare_under(app, f"{DOCUMENT}/", "public")
    _answer_errors(app, "en", lambda _status, _message: None)
    protect(app, access, host="127.0.0.1")
    return house


def _refuse(error: ValidationError) -> Response:
    raise plain_mistakes(error)
