"""What is done with chosen firms of the ranking: take away, exclude, put on a shortlist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from leadscore.store.firms import acts
from leadscore.store.firms.firms import firm_to_change
from leadscore.store.firms.shortlists import (
    add_to_shortlist,
    drop_shortlist,
    shortlist_named,
    take_from_shortlist,
)
from leadscore.store.ranking.filter import RankingFilter
from leadscore.web.access.permissions import requires
from leadscore.web.idempotent import Act, Answer, noted, written
from leadscore.web.pages import shell
from leadscore.web.pages.local_paths import HOME
from leadscore.web.pages.ranking_forms import RankingForm
from leadscore.web.routes.ranking_files import ranking_file

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site


def ranking_acts(site: Site, pages: Blueprint) -> None:
    """Add the addresses to which the chosen firms are sent."""
    access, form = site.backing.access, RankingForm(site.words)

    @pages.post("/ranking/export")
    @requires("read")
    def export_chosen() -> Response:
        firms, kind = form.firms(), form.kind()
        noted(access, "ranking.export", details={"format": kind, "firms": len(firms)})
        return ranking_file(
            site.backing, kind, RankingFilter(list_id=form.list_id(), firms=tuple(firms)),
            sort=form.sort(), lang=site.lang(), columns=form.file_columns(),
        )  # fmt: skip

    @pages.post("/ranking/exclude")
    @requires("record")
    @written(access, "firm.exclude")
    def exclude_chosen(act: Act) -> Answer:
        firms, reason = form.firms(), form.reason()
        for firm_id in firms:
            version = firm_to_change(act.connection, firm_id).version
            acts.exclude(
                act.connection, firm_id, reason, version=version, actor=act.actor, now=act.now
            )
        return shell.done(
            form.back(), say="ranking.acts.excluded", about=_firms(firms), details={"firms": firms}
        )

    @pages.post("/ranking/shortlists")
    @requires("record")
    @written(access, "shortlist.add")
    def shortlist_chosen(act: Act) -> Answer:
        firms, number = form.firms(), form.shortlist()
        if number is None:  # a new name goes before the one that the menu happens to show
            number = shortlist_named(act.connection, form.name(), actor=act.actor, now=act.now)
        add_to_shortlist(act.connection, number, firms, actor=act.actor, now=act.now)
        return shell.done(
            form.back(), say="ranking.acts.shortlisted", about=_shortlist(number),
            details={"firms": firms},
        )  # fmt: skip

    @pages.post("/ranking/shortlists/<int:id>/remove")
    @requires("record")
    @written(access, "shortlist.remove")
    def take_chosen_out(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        firms = form.firms()
        take_from_shortlist(act.connection, id, firms)
        return shell.done(
            form.back(), say="ranking.acts.taken_out", about=_shortlist(id),
            details={"firms": firms},
        )  # fmt: skip

    @pages.post("/ranking/shortlists/<int:id>/delete")
    @requires("record")
    @written(access, "shortlist.delete")
    def delete_shortlist(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        drop_shortlist(act.connection, id)
        return shell.done(HOME, say="ranking.acts.shortlist_deleted", about=_shortlist(id))


def _firms(firms: list[int]) -> tuple[str, str]:
    return ("firm", str(firms[0])) if len(firms) == 1 else ("firms", str(len(firms)))


def _shortlist(number: int) -> tuple[str, str]:
    return "shortlist", str(number)
