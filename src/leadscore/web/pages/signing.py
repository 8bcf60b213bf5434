"""The pages by which people come in and go: log in, log out, set a password by a one-time link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, after_this_request, request

from leadscore.language import Text
from leadscore.store.access import sessions
from leadscore.web.access.cookies import give, session_secret, take_back
from leadscore.web.access.permissions import requires
from leadscore.web.access.signing_in import log_in, set_password
from leadscore.web.errors import RequestError
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.local_paths import local_path

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site


def signing_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/login``, ``/logout`` and ``/password``."""
    _log_in_pages(site, pages)
    _password_pages(site, pages)

    @pages.post("/logout")
    @requires("signed_in")
    @written(site.backing.access, "session.end")
    def logout(act: Act) -> Answer:
        if act.caller.session is not None:
            sessions.end(act.connection, act.caller.session)
            after_this_request(_forget)
        return shell.done("/login", say="signing.gone", about=("user", act.actor))


def _log_in_pages(site: Site, pages: Blueprint) -> None:
    def shown(status: int = 200, mistake: Text | None = None) -> Response:
        lang = site.lang()
        return shell.page(
            site, "login.html", title=site.words["signing.log_in"].pick(lang), status=status,
            mistake=mistake.pick(lang) if mistake else None, name=request.form.get("name", ""),
            next=local_path(request.values.get("next")),
            elsewhere=site.backing.access.oidc_offered,
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


def _forget(response: Response) -> Response:
    take_back(request, response)
    return response
