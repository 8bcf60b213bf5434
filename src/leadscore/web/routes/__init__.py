"""The routes over what the store keeps: lists, the ranking, exports, firms, gaps and models."""

from __future__ import annotations

from flask_openapi.blueprint import APIBlueprint

from leadscore.web.api import Dependencies
from leadscore.web.errors import check_named_language
from leadscore.web.routes.bulk import bulk_routes
from leadscore.web.routes.corrections import correction_routes
from leadscore.web.routes.firms import firm_routes
from leadscore.web.routes.gaps import gap_routes
from leadscore.web.routes.leadership import report_routes
from leadscore.web.routes.lists import list_routes
from leadscore.web.routes.mending import mending_routes
from leadscore.web.routes.models import model_routes
from leadscore.web.routes.outcomes import outcome_routes
from leadscore.web.routes.pursuits import pursuit_routes
from leadscore.web.routes.ranking import export_routes, ranking_routes


def store_routes(dependencies: Dependencies) -> list[APIBlueprint]:
    """Return all routes over the store, to be registered before the application is protected."""
    makers = (
        list_routes,
        ranking_routes,
        export_routes,
        bulk_routes,
        firm_routes,
        correction_routes,
        mending_routes,
        pursuit_routes,
        outcome_routes,
        gap_routes,
        report_routes,
        model_routes,
    )
    made = [make(dependencies) for make in makers]
    for routes in made:
        routes.before_request(check_named_language)
    return made
