"""The views of the ranking that users keep for themselves: save, rename, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from flask import Blueprint

from leadscore.store.ranking.saved_views import drop_view, rename_view, save_view
from leadscore.web.access.permissions import requires
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.addresses import Asked
from leadscore.web.pages.ranking_forms import RankingForm

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site


def ranking_views(site: Site, pages: Blueprint) -> None:
    """Add the addresses by which a user keeps views of the ranking."""
    access, form = site.backing.access, RankingForm(site.words)

    @pages.post("/ranking/views")
    @requires("read")
    @written(access, "view.save")
    def save(act: Act) -> Answer:
        asked = Asked.of(dict(parse_qsl(form.query())))
        save_view(act.connection, act.actor, form.name(), asked.view, now=act.now)
        return shell.done(form.back(), say="ranking.views.saved")

    @pages.post("/ranking/views/<int:id>/rename")
    @requires("read")
    @written(access, "view.rename")
    def rename(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        rename_view(act.connection, act.actor, id, form.name())
        return shell.done(form.back(), say="ranking.views.renamed", about=_view(id))

    @pages.post("/ranking/views/<int:id>/delete")
    @requires("read")
    @written(access, "view.delete")
    def delete(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        drop_view(act.connection, act.actor, id)
        return shell.done(form.back(), say="ranking.views.deleted", about=_view(id))


def _view(number: int) -> tuple[str, str]:
    return "view", str(number)
