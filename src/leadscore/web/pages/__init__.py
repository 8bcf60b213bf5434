"""The officers' pages: HTML made here, from the same store functions as the API."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from leadscore.web.api import Dependencies
from leadscore.web.pages.administration import administration_pages
from leadscore.web.pages.board import board_pages
from leadscore.web.pages.brief import brief_pages
from leadscore.web.pages.bulk import bulk_pages
from leadscore.web.pages.chains import chain_pages
from leadscore.web.pages.compare import compare_pages
from leadscore.web.pages.corrections import correction_pages
from leadscore.web.pages.firm import firm_act_pages, firm_pages
from leadscore.web.pages.first_steps import first_step_pages
from leadscore.web.pages.guide import guide_pages
from leadscore.web.pages.imports import import_pages
from leadscore.web.pages.leadership import leadership_pages
from leadscore.web.pages.mending import mending_pages
from leadscore.web.pages.model import model_pages
from leadscore.web.pages.outcomes import outcome_pages
from leadscore.web.pages.pursuit import pursuit_pages
from leadscore.web.pages.ranking import ranking_pages
from leadscore.web.pages.shell import NAME, POLICY, asset_routes, preference_routes, prepare
from leadscore.web.pages.signing import signing_pages
from leadscore.web.pages.templates import template_pages
from leadscore.web.pages.today import today_pages
from leadscore.web.pages.what_if import what_if_pages

_PAGES = (
    asset_routes,
    preference_routes,
    signing_pages,
    today_pages,
    first_step_pages,
    ranking_pages,
    bulk_pages,
    compare_pages,
    board_pages,
    firm_pages,
    pursuit_pages,
    chain_pages,
    leadership_pages,
    import_pages,
    outcome_pages,
    template_pages,
    guide_pages,
    model_pages,
    administration_pages,
    firm_act_pages,
    correction_pages,
    mending_pages,
    what_if_pages,
    brief_pages,
)


def add_pages(app: Flask, dependencies: Dependencies) -> None:
    """Add all pages, before the application is protected; they are no part of its description."""
    prepare(app, dependencies)
    pages = Blueprint(NAME, __name__)
    for add in _PAGES:
        add(dependencies, pages)
    pages.after_request(_may_load_our_own)
    app.register_blueprint(pages)


def _may_load_our_own(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers.setdefault("Cache-Control", "no-store")
    return response
