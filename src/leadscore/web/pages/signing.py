"""The pages by which people come in and go: log in, log out, set and change a password."""

from __future__ import annotations

from flask import Blueprint, Response, after_this_request, request

from leadscore.store import sessions
from leadscore.text import Text
from leadscore.web.auth import caller, give, requires, session_secret, take_back
from leadscore.web.errors import RequestError
from leadscore.web.guard import change_password, log_in, set_password
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.shell import Site, local_path
from leadscore.web.proxies import proxy_user


def signing_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/login``, ``/logout``, ``/password`` and ``/account``."""
    _log_in_pages(site, pages)
    _password_pages(site, pages)
    _account_pages(site, pages)

    @pages.post("/logout")
    @requires("signed_in")
    @written(site.backing.access, "session.end")
    def logout(act: Act) -> Answer:
        if act.caller.session is not None:
            sessions.end(act.connection, act.caller.session)
            after_this_request(_forget)
        say = "signing.gone_here" if act.caller.by_proxy else "signing.gone"
        return shell.done("/login", say=say, about=("user", act.actor))


def _log_in_pages(site: Site, pages: Blueprint) -> None:
    def shown(status: int = 200, mistake: Text | None = None) -> Response:
        lang = site.lang()
        return shell.page(
            site, "login.html", title=site.words["signing.log_in"].pick(lang), status=status,
            mistake=mistake.pick(lang) if mistake else None, name=request.form.get("name", ""),
            next=local_path(request.values.get("next")), proxy_user=_proxy_user(site),
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
            return shown(422, site.words["signing.both"])
        secret, address = session_secret(request), request.remote_addr
        try:
            found = log_in(site.backing.access, name, password, address=address, secret=secret)
        except RequestError as error:
            return shown(error.status, error.message)
        response = shell.go(local_path(request.form.get("next")))
        if found.session is not None:
            give(request, response, found.session)
        return response


def _password_pages(site: Site, pages: Blueprint) -> None:
    def shown(status: int = 200, mistake: Text | None = None) -> Response:
        lang = site.lang()
        return shell.page(
            site, "password.html", title=site.words["signing.set_password"].pick(lang),
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
            set_password(site.backing.access, token, chosen, address=request.remote_addr)
        except RequestError as error:
            return shown(error.status, error.message)
        shell.say_next("signing.password_set")
        return shell.go("/login")


def _account_pages(site: Site, pages: Blueprint) -> None:
    def shown(status: int = 200, mistake: Text | None = None) -> Response:
        lang = site.lang()
        return shell.page(
            site, "account.html", title=site.words["signing.account"].pick(lang), status=status,
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
            change_password(site.backing.access, caller(), present, chosen, address=address)
        except RequestError as error:
            return shown(error.status, error.message)
        shell.say_next("signing.password_changed")
        return shell.go("/account")


def _proxy_user(site: Site) -> str | None:
    named = None if site.backing.access.demo else proxy_user(request.environ)
    return named.name if named else None


def _forget(response: Response) -> Response:
    take_back(request, response)
    return response
