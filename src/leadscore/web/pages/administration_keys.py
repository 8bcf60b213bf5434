"""The keys by which programs call the service: make one, which is shown once, and revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field

from leadscore.store.access import api_keys, users
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

_HERE = address("keys")


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
        lang, now = site.lang(), access.clock()
        with access.database.read() as connection:
            found = api_keys.all_keys(connection)
        rows = [
            {
                "key": key,
                "state": "revoked" if key.revoked_at else
                         "expired" if key.expires_at <= now else "good",
                "created": moment(key.created_at, lang),
                "used": moment(key.last_used, lang) if key.last_used else None,
            }
            for key in found
        ]  # fmt: skip
        return framed(
            site, "keys", rows=rows, roles=users.ROLES, again="again" in request.args,
            days=api_keys.DAYS, most_days=api_keys.MOST_DAYS,
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
        return shell.done(_HERE, say="administration.key_revoked", about=("key", key.name))
