"""The pages by which people come in and go: log in, log out, set and change a password."""

from __future__ import annotations

from flask import Blueprint, Response, after_this_request, request

from leadscore.store import sessions
from leadscore.text import Text
from leadscore.web.api import Dependencies
from leadscore.web.auth import (
    caller,
    change_password,
    give,
    log_in,
    requires,
    session_secret,
    set_password,
    take_back,
)
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
        return shell.done("/login", say=say, about=("user", act.actor))


def _log_in_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    def shown(status: int = 200, mistake: Text | None = None) -> Response:
        lang = dependencies.page_lang()
        return shell.page(
            dependencies, "login.html", title=TRANSLATIONS["signing.log_in"], status=status,
            mistake=mistake.pick(lang) if mistake else None, name=request.form.get("name", ""),
            next=local_path(request.values.get("next")), proxy_user=_proxy_user(dependencies),
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
            return shown(422, TRANSLATIONS["signing.both"])
        secret, address = session_secret(request), request.remote_addr
        try:
            found = log_in(dependencies.access, name, password, address=address, secret=secret)
        except RequestError as error:
            return shown(error.status, error.message)
        response = shell.go(local_path(request.form.get("next")))
        if found.session is not None:
            give(request, response, found.session)
        return response


def _password_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    def shown(status: int = 200, mistake: Text | None = None) -> Response:
        lang = dependencies.page_lang()
        return shell.page(
            dependencies, "password.html", title=TRANSLATIONS["signing.set_password"],
            status=status, mistake=mistake.pick(lang) if mistake else None,
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
        try:
            set_password(dependencies.access, token, chosen, address=request.remote_addr)
        except RequestError as error:
            return shown(error.status, error.message)
        shell.say_next("signing.password_set")
        return shell.go("/login")


def _account_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    def shown(status: int = 200, mistake: Text | None = None) -> Response:
        lang = dependencies.page_lang()
        return shell.page(
            dependencies, "account.html", title=TRANSLATIONS["signing.account"], status=status,
            mistake=mistake.pick(lang) if mistake else None,
        )  # fmt: skip

    @pages.get("/account")
    @requires("signed_in")
    def account() -> Response:
        return shown()

    @pages.post("/account")
    @requires("signed_in")
    def change_own_password() -> Response:
        present, chosen = request.form.get("present", ""), request.form.get("password", "")
        address = request.remote_addr
        try:
            change_password(dependencies.access, caller(), present, chosen, address=address)
        except RequestError as error:
            return shown(error.status, error.message)
        shell.say_next("signing.password_changed")
        return shell.go("/account")


def _proxy_user(dependencies: Dependencies) -> str | None:
    named = None if dependencies.access.demo else proxy_user(request.environ)
    return named.name if named else None


def _forget(response: Response) -> Response:
    take_back(request, response)
    return response
