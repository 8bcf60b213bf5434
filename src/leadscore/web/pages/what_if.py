"""What if a firm were otherwise: change values and see the score move; nothing of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from leadscore.lists.values.vocabularies import STATUSES
from leadscore.ranking.vetoes import WORDING
from leadscore.store.firms.firms import Firm, read_firm
from leadscore.store.ranking.changes import change_between
from leadscore.web.access.permissions import requires
from leadscore.web.pages import shell
from leadscore.web.pages.firm import segment_names
from leadscore.web.pages.firm_history import difference
from leadscore.web.pages.supposing import scored, supposed
from leadscore.web.store_refusals import store_refusals

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site


def what_if_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/firms/<id>/what-if``.

    The form is sent as a body, for the texts of a firm are longer than an address may be, and an
    empty field means that its value is not known.
    """
    backing = site.backing

    def firm_of(number: int) -> Firm:
        with store_refusals(), backing.database.read() as connection:
            return read_firm(connection, number)

    def shown(firm: Firm) -> Response:
        lang, scorer, today = site.lang(), backing.scorer(), backing.today()
        form = request.form if request.method == "POST" else {}
        record, fields = supposed(firm, form, today, lang)
        present, other = scored(scorer, [dict(firm.record), record], today)
        change = change_between(present, other, {scorer.model: scorer.card.scorecard_})
        return shell.page(
            site,
            "what_if.html",
            title=site.words["what_if.heading"].pick(lang).format(name=firm.name),
            firm=firm,
            groups=fields,
            changed=sum(each.changed for group in fields.values() for each in group),
            present=present,
            other=other,
            change=difference(change, scorer.wording, lang),
            segment_names=segment_names(scorer.city, lang),
            statuses={key: name.pick(lang) for key, name in STATUSES.items()},
            vetoes={key: name.pick(lang) for key, name in WORDING.items()},
        )

    @pages.get("/firms/<int:id>/what-if")
    @requires("read")
    def what_if(id: int) -> Response:  # noqa: A002 (as the address has it)
        return shown(firm_of(id))

    @pages.post("/firms/<int:id>/what-if")
    @requires("score")
    def what_if_supposed(id: int) -> Response:  # noqa: A002
        return shown(firm_of(id))
