"""A small application with the routes of access and two of its own, for the tests of access."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, jsonify
from flask.testing import FlaskClient
from pydantic import ValidationError

from leadscore.store.access import api_keys, users
from leadscore.store.auditing.pages import page
from leadscore.store.auditing.trail import AuditTrail
from leadscore.store.engine.database import Database
from leadscore.web.access.callers import Access
from leadscore.web.access.guard import protect
from leadscore.web.access.permissions import declare_under, requires
from leadscore.web.access.routes_administration import key_routes, user_routes
from leadscore.web.access.routes_audit import audit_routes
from leadscore.web.access.routes_session import SECURITY_SCHEMES, session_routes
from leadscore.web.access.signing_in import set_password
from leadscore.web.app import Application, _answer_errors
from leadscore.web.documentation import DOCUMENT, service_info
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.payloads import ErrorAnswer
from leadscore.web.plain_mistakes import plain_mistakes

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
    effects: list[str] = field(default_factory=list)

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def key(self, role: users.Role, name: str = "") -> str:
        """Return a new key of a role."""
        with self.access.database.write() as connection:
            return api_keys.add(connection, name or f"{role}s", role, by="cli", now=self.clock())

    def user(self, name: str, role: users.Role) -> None:
        """Make a user who has `PASSWORD`."""
        with self.access.database.write() as connection:
            token = users.add(connection, name, role, by="cli", now=self.clock())
        set_password(self.access, token, PASSWORD, address=None)

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

    def log_in(self, name: str, password: str = PASSWORD) -> Any:
        response = self.client.post("/api/v1/session", json={"name": name, "password": password})
        if response.status_code == 200:
            self.token = response.get_json()["csrf_token"]
        return response

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"X-CSRF-Token": self.token} | options.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **options)


def build(
    database: Database, trail: AuditTrail, *, clock: Clock | None = None, **more: Any
) -> House:
    """Return an application over a database; ``more`` is what else `Access` takes."""
    app = Application(
        __name__,
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
    house = House(app, access, clock)
    for routes in (session_routes, user_routes, key_routes, audit_routes):
        app.register_api(routes(access))

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

    declare_under(app, f"{DOCUMENT}/", "public")
    _answer_errors(app, "en", lambda _status, _message: None)
    protect(app, access, host="127.0.0.1")
    return house


def _refuse(error: ValidationError) -> Response:
    raise plain_mistakes(error)
