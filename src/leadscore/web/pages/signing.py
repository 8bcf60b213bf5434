"""The pages by which people come in and go: log in, log out, set and change a password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, after_this_request, request

from leadscore.store import sessions
from leadscore.text import Text
from leadscore.web import auth
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import RequestError
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.shell import TRANSLATIONS, local_path
from leadscore.web.proxies import proxy_user


def signing_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/login``, ``/logout``, ``/password`` and ``/account``."""
    _log_in_pages(dependencies, pages)
    _password_pages(dependencies, pages)
    _account_pages(dependencies, pages)

    @pages.post("/logout")
    @requires("signed_in")
    @written(dependencies.access, "session.end")
    def logout(act: Act) -> Answer:
        if act.caller.session is not None:
            sessions.end(act.connection, act.caller.session)
            after_this_request(_forget)
        say = "signing.gone_here" if act.caller.by_proxy else "signing.gone"
        return shell.done("/login", "user", act.actor, say=say)


def _form(
    dependencies: Dependencies, template: str, title: Text, mistake: Text | None, status: int,
    **values: Any,
) -> Response:  # fmt: skip
    said = mistake and mistake.pick(dependencies.page_lang())
    return shell.page(dependencies, template, title=title, status=status, mistake=said, **values)


def _log_in_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    def shown(mistake: Text | None = None, status: int = 200) -> Response:
        return _form(
            dependencies, "login.html", TRANSLATIONS["signing.log_in"], mistake, status,
            name=request.form.get("name", ""), next=local_path(request.values.get("next")),
            proxy_user=_proxy_user(dependencies),
        )  # fmt: skip

    @pages.get("/login")
    @requires("public")
    def login() -> Response:
        return shown()

    @pages.post("/login")
    @requires("public")
    def enter() -> Response:
        name, password = request.form.get("name", ""), request.form.get("password", "")
        if not name or not password:
            return shown(TRANSLATIONS["signing.both"], 422)
        secret, address = auth.session_secret(request), request.remote_addr
        try:
            who = auth.log_in(dependencies.access, name, password, address=address, secret=secret)
        except RequestError as error:
            return shown(error.message, error.status)
        response = shell.go(_where(dependencies, who, local_path(request.form.get("next"))))
        if who.session is not None:
            auth.give(request, response, who.session)
        return response


def _password_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    def shown(mistake: Text | None = None, status: int = 200) -> Response:
        return _form(
            dependencies, "password.html", TRANSLATIONS["signing.set_password"], mistake, status,
            token=request.form.get("token", ""),
        )  # fmt: skip

    @pages.get("/password")
    @requires("public")
    def password() -> Response:
        return shown()

    @pages.post("/password")
    @requires("public")
    def choose() -> Response:
        token, chosen = request.form.get("token", ""), request.form.get("password", "")
        if _typed_otherwise(chosen):
            return shown(TRANSLATIONS["signing.differ"], 422)
        try:
            auth.set_password(dependencies.access, token, chosen, address=request.remote_addr)
        except RequestError as error:
            return shown(error.message, error.status)
        shell.say_next("signing.password_set")
        return shell.go("/login")


def _account_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    def shown(mistake: Text | None = None, status: int = 200) -> Response:
        return _form(dependencies, "account.html", TRANSLATIONS["signing.account"], mistake, status)

    @pages.get("/account")
    @requires("signed_in")
    def account() -> Response:
        return shown()

    @pages.post("/account")
    @requires("signed_in")
    def change_own_password() -> Response:
        present, chosen = request.form.get("present", ""), request.form.get("password", "")
        who, address = auth.caller(), request.remote_addr
        if _typed_otherwise(chosen):
            return shown(TRANSLATIONS["signing.differ"], 422)
        try:
            auth.change_password(dependencies.access, who, present, chosen, address=address)
        except RequestError as error:
            return shown(error.message, error.status)
        shell.say_next("signing.password_changed")
        return shell.go("/account")


def _where(dependencies: Dependencies, who: auth.Caller, wanted: str) -> str:
    # Where there is no firm yet, the first steps say how to come to some.
    new = wanted in ("/", shell.HOME) and who.may("record")
    new = new and not shell.steps_done(dependencies).list
    return shell.FIRST_STEPS if new else wanted


def _typed_otherwise(chosen: str) -> bool:
    # Programs need not say it twice.
    return request.form.get("again", chosen) != chosen


def _proxy_user(dependencies: Dependencies) -> str | None:
    named = None if dependencies.access.demo else proxy_user(request.environ)
    return named.name if named else None


def _forget(response: Response) -> Response:
    auth.take_back(request, response)
    return response
