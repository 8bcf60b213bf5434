"""Firms are mended in pages: added by hand, merged and split again, hidden and shown again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from leadscore.lists.columns import column
from leadscore.lists.understanding import shown_value
from leadscore.store.firms import Firm, hidden_of, read_firm
from leadscore.store.lists import own_fields_of
from leadscore.store.merging import hidden_firms, hide, merge, merges_of, show, split
from leadscore.store.ranking import RankingFilter, ranking_page
from leadscore.text import Lang
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import longest
from leadscore.web.pages import shell
from leadscore.web.pages.corrections import given_reason, seen_version
from leadscore.web.pages.shell import TRANSLATIONS, whole_number
from leadscore.web.routes.mending import ADDED, added_firm

HIDDEN_AT_ONCE = 50
_CANDIDATES = 20


def mended_values(connection: Connection, firm: Firm) -> dict[str, Any]:
    """Return what a firm was merged of, why it is hidden, and what its lists have of their own."""
    return {
        "merges": merges_of(connection, firm.id),
        "hiding": hidden_of(connection, [firm.id]).get(firm.id),
        "own_fields": own_fields_of(connection, firm.id),
    }


def mending_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/firms/new``, ``/firms/hidden``, and what is mended under ``/firms/<id>``."""
    _merge_pages(dependencies, pages)

    @pages.get("/firms/new")
    @requires("record")
    def new_firm() -> Response:
        return shell.page(
            dependencies, "firm_new.html", title=TRANSLATIONS["mending.new.title"],
            columns=[(column(name), longest(column(name))) for name in ADDED],
        )  # fmt: skip

    @pages.post("/firms/new")
    @requires("record")
    @written(dependencies.access, "firm.add")
    def add(act: Act) -> Answer:
        firm, is_new = added_firm(dependencies, act, _given())
        say = "mending.new.added" if is_new else "mending.new.joined"
        return shell.done(f"/firms/{firm.id}", "firm", firm.id, say=say, new=is_new)

    @pages.get("/firms/hidden")
    @requires("read")
    def hidden() -> Response:
        after = shell.number_asked("after") or 0
        with dependencies.database.read() as connection:
            firms = hidden_firms(connection, after=after, limit=HIDDEN_AT_ONCE + 1)
            versions = {firm.id: read_firm(connection, firm.id).version for firm in firms}
        following = firms[HIDDEN_AT_ONCE - 1].id if len(firms) > HIDDEN_AT_ONCE else None
        return shell.page(
            dependencies, "firms_hidden.html", title=TRANSLATIONS["mending.hidden.title"],
            hidden=firms[:HIDDEN_AT_ONCE], following=following, versions=versions,
        )  # fmt: skip

    @pages.post("/firms/<int:id>/hidden")
    @requires("record")
    @written(dependencies.access, "firm.hide")
    def hide_firm(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        hide(
            act.connection, id, given_reason(), version=seen_version(),
            scorer=dependencies.scorer(), actor=act.actor, now=act.now,
            today=dependencies.today(),
        )  # fmt: skip
        return shell.done(f"/firms/{id}", "firm", id, say="mending.hidden.done")

    @pages.post("/firms/<int:id>/hidden/drop")
    @requires("record")
    @written(dependencies.access, "firm.show")
    def show_firm(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        show(
            act.connection, id, version=seen_version(), scorer=dependencies.scorer(), now=act.now,
            today=dependencies.today(),
        )  # fmt: skip
        return shell.done(f"/firms/{id}", "firm", id, say="mending.hidden.shown_again")


def _merge_pages(dependencies: Dependencies, pages: Blueprint) -> None:

    @pages.get("/firms/<int:id>/merge")
    @requires("record")
    def choose_other(id: int) -> Response:  # noqa: A002 (as the address has it)
        # Two steps: look for the other firm, then say which of both stays.
        text = request.args.get("q", "").strip()[:100]
        number = shell.number_asked("with")
        with store_refusals(), dependencies.database.read() as connection:
            firm = read_firm(connection, id)
            other = read_firm(connection, number) if number and number != id else None
            found: list[Mapping[str, Any]] = []
            if other is None and (text or not number):
                asked = RankingFilter.of(text=text or firm.name[:4])
                rows = ranking_page(connection, asked, limit=_CANDIDATES + 1, sort="name").firms
                found = [row for row in rows if row["firm_id"] != id][:_CANDIDATES]
        pair = [_told(one) for one in (firm, other) if one is not None]
        return shell.page(
            dependencies, "firm_merge.html", firm=firm, other=other, found=found, text=text,
            pair=pair, labels=_labels(pair, dependencies.page_lang()),
            title=TRANSLATIONS["mending.merge.title"].format(name=firm.name),
        )  # fmt: skip

    @pages.post("/firms/<int:id>/merge")
    @requires("record")
    @written(dependencies.access, "firm.merge")
    def merge_firms(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        given = {name: whole_number(request.form.get(name, "")) for name in _NAMED}
        other, stays, version, other_version = (given[name] for name in _NAMED)
        if other is None or stays not in (id, other) or None in (version, other_version):
            raise InvalidRequestError(TRANSLATIONS["mending.merge.choose"])
        versions = {id: version or 0, other: other_version or 0}
        goes = other if stays == id else id
        merge(
            act.connection, goes, stays, given_reason(), version=versions[goes],
            into_version=versions[stays], scorer=dependencies.scorer(), actor=act.actor,
            now=act.now, today=dependencies.today(),
        )  # fmt: skip
        return shell.done(f"/firms/{stays}", "firm", stays, say="mending.merge.done", merged=goes)

    @pages.post("/firms/<int:id>/split")
    @requires("record")
    @written(dependencies.access, "firm.split")
    def split_firms(act: Act, id: int) -> Answer:  # noqa: A002, ARG001 (as the address has it)
        number = whole_number(request.form.get("merge", "")) or 0
        stayed, again = split(
            act.connection, number, version=seen_version(), scorer=dependencies.scorer(),
            actor=act.actor, now=act.now, today=dependencies.today(),
        )  # fmt: skip
        return shell.done(
            f"/firms/{again.id}", "firm", stayed.id, say="mending.merge.split", split=again.id
        )


_NAMED = ("other", "stays", "version", "other_version")
_COMPARED = (
    "credit_code", "former_names", "province", "city", "main_business", "industry",
    "registered_capital_cny", "staff", "founded_on", "status",
)  # fmt: skip


def _told(firm: Firm) -> dict[str, Any]:
    return {
        "id": firm.id, "name": firm.name, "version": firm.version,
        "values": {name: firm.record[name] for name in _COMPARED if name in firm.record},
    }  # fmt: skip


def _labels(pair: list[dict[str, Any]], lang: Lang) -> dict[str, str]:
    labels = {}
    for name in _COMPARED:
        if any(name in one["values"] for one in pair):
            labels[name] = column(name).label.pick(lang)
            for one in pair:
                if name in one["values"]:
                    one["values"][name] = shown_value(column(name), one["values"][name], lang)
    return labels


def _given() -> Mapping[str, str]:
    form = request.form
    return {name: form[name].strip() for name in ADDED if form.get(name, "").strip()}
