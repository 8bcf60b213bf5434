"""The users: invite, give another role, disable, let in again, and give a new one-time link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from pydantic import BaseModel

from leadscore.store.access import sessions, users
from leadscore.web.access.links import link_path
from leadscore.web.access.permissions import requires
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.administration_frame import (
    Name,
    address,
    framed,
    read_form,
    shown_once,
)
from leadscore.web.pages.moments import moment
from leadscore.web.payloads import STRICT

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site

_HERE = address("users")


class _NewUser(BaseModel):
    """Somebody to invite."""

    model_config = STRICT

    name: Name
    role: users.Role


class _UserChange(BaseModel):
    """What is to change; what isn't named stays."""

    model_config = STRICT

    role: users.Role | None = None
    disabled: bool | None = None


def user_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/users``."""
    access = site.backing.access

    @pages.get("/administration/users")
    @requires("administer")
    def list_users() -> Response:
        lang = site.lang()
        with access.database.read() as connection:
            found = users.everybody(connection)
        rows = [
            {
                "user": user,
                "created": moment(user.created_at, lang),
                "until": moment(user.link_until, lang) if user.link_until else None,
                "expired": bool(user.link_until and user.link_until <= access.clock()),
            }
            for user in found
        ]
        return framed(site, "users", rows=rows, roles=users.ROLES, again="again" in request.args)

    @pages.post("/administration/users")
    @requires("administer")
    @written(access, "user.add")
    def invite(act: Act) -> Answer:
        asked = read_form(site, _NewUser)
        token = users.add(act.connection, asked.name, asked.role, by=act.actor, now=act.now)
        return _link(site, users.get(act.connection, asked.name), token)

    @pages.post("/administration/users/<name>/change")
    @requires("administer")
    @written(access, "user.change")
    def change_user(act: Act, name: str) -> Answer:
        asked = read_form(site, _UserChange)
        user = users.change(act.connection, name, role=asked.role, disabled=asked.disabled)
        if user.state == "disabled":
            sessions.end_all(act.connection, user.name)
        details = asked.model_dump(exclude_none=True)
        say = "administration.user_changed"
        return shell.done(_HERE, say=say, about=("user", user.name), details=details)

    @pages.post("/administration/users/<name>/link")
    @requires("administer")
    @written(access, "user.link")
    def renew_link(act: Act, name: str) -> Answer:
        token = users.renew_link(act.connection, name, now=act.now)
        return _link(site, users.get(act.connection, name), token)


def _link(site: Site, user: users.User, token: str) -> Answer:
    whole = request.url_root.rstrip("/") + link_path(token)
    return shown_once(
        site, "users", ("administration.link_for", "administration.link_says"), user.name, whole,
        about=("user", user.name), details={"role": user.role},
    )  # fmt: skip
