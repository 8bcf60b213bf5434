"""The officers' pages: HTML made here, from the same store functions as the API.

How a page is made
------------------
1. A module here with a function ``NAME_pages(dependencies, pages)`` that adds routes to the
   blueprint, each under ``@requires(permission)``. Add it to `_PAGES` below, its routes to `MAY` in
   ``tests/contract/test_permissions.py``, and, if people should find it, a line to
   `shell.NAVIGATION`.
2. It answers with ``shell.page(dependencies, "NAME.html", title=..., ...)``.
3. ``templates/NAME.html`` extends ``shell.html`` and fills ``{% block main %}``; small things
   that several pages show are macros in ``parts.html``. No ``style=``, no script within, no
   ``on...=``: the policy is ``default-src 'self'``. Bars are SVG, their widths attributes. A
   page with a chart names its scripts in ``{% block scripts %}``, and has a table that says the
   same.
4. Words stand in ``translations/NAME.toml`` and are looked up by ``t("NAME.key")``;
   ``tests/unit/web/test_translations.py`` finds the unused and the missing.
5. A write is a form with ``{{ form_secrets() }}``, whose view stands under
   `idempotent.written`, calls the store as the API does, and ends with ``shell.done(address,
   say="NAME.key", about=...)``.
6. Links and forms work without scripts. With htmx they fetch the same address and take a part:
   ``hx-get``, ``hx-select`` and ``hx-target`` (see ``ranking.html``). What fails is answered
   with its message, which ``pages.js`` shows as a notice; nothing is swapped.
7. Tests: ``tests/contract/test_pages.py``, and with a browser ``tests/browser`` (axe, both
   languages).
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from leadscore.web.api import Dependencies
from leadscore.web.pages.administration import administration_pages
from leadscore.web.pages.chains import chain_pages
from leadscore.web.pages.firm import brief_pages, firm_act_pages, firm_pages
from leadscore.web.pages.imports import import_pages
from leadscore.web.pages.model import model_pages
from leadscore.web.pages.ranking import ranking_pages
from leadscore.web.pages.shell import NAME, POLICY, asset_routes, preference_routes, prepare
from leadscore.web.pages.signing import signing_pages
from leadscore.web.pages.what_if import what_if_pages

_PAGES = (
    asset_routes,
    preference_routes,
    signing_pages,
    ranking_pages,
    firm_pages,
    chain_pages,
    import_pages,
    model_pages,
    administration_pages,
    firm_act_pages,
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
