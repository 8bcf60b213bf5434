"""Administration of users and keys, and the frame that all its pages share."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field, ValidationError

from leadscore.store import api_keys, sessions, users
from leadscore.text import Text
from leadscore.web.auth import Permission, caller, requires
from leadscore.web.errors import UnacceptableError
from leadscore.web.guard import link_path
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import STRICT, plain_mistakes
from leadscore.web.pages import shell
from leadscore.web.pages.forms import whole_number
from leadscore.web.pages.shell import Site

_PARTS: tuple[tuple[str, Permission], ...] = (
    ("users", "administer"),
    ("keys", "administer"),
    ("audit", "audit"),
    ("jobs", "read"),
    ("city", "read"),
)
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\w[\w.@-]*$")]
"""What a form takes for the name of a user or a key."""
_Form = TypeVar("_Form", bound=BaseModel)


def places() -> list[str]:
    """Return the pages that the caller may see."""
    found = caller()
    return [name for name, permission in _PARTS if found.may(permission)]


def address(place: str) -> str:
    """Return the address of one of the pages."""
    return f"/administration/{place}"


def framed(site: Site, place: str, **values: Any) -> Response:
    """Return a page of the administration; ``values`` are what its template uses."""
    return shell.page(
        site, f"administration_{place}.html",
        title=site.words["administration.title"].pick(site.lang()),
        place=place, places=places(), **values,
    )  # fmt: skip


def shown_once(
    site: Site, place: str, keys: tuple[str, str], name: str, secret: str, **answer: Any
) -> Answer:
    """Return the answer of a write that gives a secret: a page that shows it, and never again."""
    lang = site.lang()
    heading, says = (site.words[key].pick(lang) for key in keys)
    page = shell.page(
        site, "administration_secret.html", title=heading.format(name=name), says=says,
        secret=secret, back=address(place),
    )  # fmt: skip
    again = Answer(status=303, headers={"Location": f"{address(place)}?again=yes"})
    return Answer(page.get_data(as_text=True), again=again, **answer)


def read_form(site: Site, kind: type[_Form]) -> _Form:
    """Return the fields of the form."""
    given = {name: request.form.get(name, "") for name in kind.model_fields}
    try:
        return kind.model_validate_strings({k: v for k, v in given.items() if v != ""})
    except ValidationError as fault:
        details = plain_mistakes(fault).details
        said = Text(
            zh="；".join(f"{each.where}：{each.wanted.zh}" for each in details),
            en="; ".join(f"{each.where}: {each.wanted.en}" for each in details),
        )
        message = site.words["administration.wrong"].format(places=said)
        raise UnacceptableError(message, details) from fault


def asked_number(site: Site, name: str) -> int | None:
    """Return a number of the address, or None if it isn't there."""
    asked = request.args.get(name, "")
    if not asked:
        return None
    number = whole_number(asked)
    if number is None:
        raise UnacceptableError(site.words["administration.place_wrong"])
    return number


_USERS = address("users")


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
        with access.database.read() as connection:
            everybody = users.everybody(connection)
        return framed(
            site, "users", users=everybody, now=access.clock(), roles=users.ROLES,
            again="again" in request.args,
        )  # fmt: skip

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
        return shell.done(_USERS, say=say, about=("user", user.name), details=details)

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


_KEYS = address("keys")


class _NewKey(BaseModel):
    """A key to make."""

    model_config = STRICT

    name: Name
    role: users.Role
    days: int = Field(default=api_keys.DAYS, ge=1, le=api_keys.MOST_DAYS)


def key_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/keys``."""
    access = site.backing.access

    @pages.get("/administration/keys")
    @requires("administer")
    def list_keys() -> Response:
        with access.database.read() as connection:
            keys = api_keys.all_keys(connection)
        return framed(
            site, "keys", keys=keys, now=access.clock(), roles=users.ROLES,
            again="again" in request.args, days=api_keys.DAYS, most_days=api_keys.MOST_DAYS,
        )  # fmt: skip

    @pages.post("/administration/keys")
    @requires("administer")
    @written(access, "key.add")
    def add_key(act: Act) -> Answer:
        asked = read_form(site, _NewKey)
        secret = api_keys.add(
            act.connection, asked.name, asked.role, by=act.actor, now=act.now, days=asked.days
        )
        key = api_keys.get(act.connection, asked.name)
        return shown_once(
            site, "keys", ("administration.key_for", "administration.key_says"), key.name, secret,
            about=("key", key.name), details={"role": asked.role, "days": asked.days},
        )  # fmt: skip

    @pages.post("/administration/keys/<name>/revoke")
    @requires("administer")
    @written(access, "key.revoke")
    def revoke_key(act: Act, name: str) -> Answer:
        key = api_keys.revoke(act.connection, name, now=act.now)
        return shell.done(_KEYS, say="administration.key_revoked", about=("key", key.name))
