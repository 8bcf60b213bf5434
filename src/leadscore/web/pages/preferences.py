"""Language and light or dark, as chosen in the browser and kept there."""

from __future__ import annotations

from flask import Blueprint, Response, request

from leadscore.web.access.permissions import requires
from leadscore.web.asked_language import named_language
from leadscore.web.pages import shell
from leadscore.web.pages.local_paths import local_path
from leadscore.web.pages.site import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Site

_YEAR = 365 * 24 * 3600


def preference_routes(_site: Site, pages: Blueprint) -> None:
    """Add ``/preferences``, which keeps a choice and returns to where it was made."""

    @pages.post("/preferences")
    @requires("public")
    def preferences() -> Response:
        response = shell.go(local_path(request.form.get("next")))
        lang, theme = named_language(request.form.get("lang")), request.form.get("theme")
        if lang:
            remember(response, LANGUAGE_COOKIE, lang)
        if theme in THEMES:
            remember(response, THEME_COOKIE, theme)
        return response


def remember(response: Response, name: str, value: str) -> None:
    """Keep a choice in the browser for a year."""
    response.set_cookie(
        name, value, max_age=_YEAR, path="/", secure=request.is_secure, samesite="Lax"
    )
