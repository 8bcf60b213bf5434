"""What the pages stand on, and the language in which the current one is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import request

from leadscore.language import Lang
from leadscore.web.asked_language import named_language, preferred_language
from leadscore.web.pages.assets import Assets
from leadscore.web.pages.translations import Translations, read_translations
from leadscore.web.routes.backing import Backing

NAME = "pages"
"""Name of the blueprint of all pages."""

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
"""The Content-Security-Policy of all pages: nothing inline, nothing from elsewhere."""

LANGUAGE_COOKIE, THEME_COOKIE = "leadscore_lang", "leadscore_theme"
THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages stand on; shared by all threads.

    Attributes
    ----------
    backing
        The store, the model, and who may do what.
    words
        The words of the pages.
    assets
        Styles, scripts and pictures.
    """

    backing: Backing
    words: Translations = field(default_factory=read_translations)
    assets: Assets = field(default_factory=Assets)

    def lang(self) -> Lang:
        """Return the language of the current page: as chosen, else as the browser prefers."""
        chosen = named_language(request.cookies.get(LANGUAGE_COOKIE))
        accepted = request.headers.get("Accept-Language")
        return chosen or preferred_language(accepted, self.backing.default_lang)


def theme() -> str | None:
    """Return ``light`` or ``dark`` if one was chosen; else the system decides."""
    chosen = request.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else None


def wants_page() -> bool:
    """Tell whether the current request is answered by a page, its errors too."""
    if request.blueprint is not None:
        return request.blueprint == NAME
    nowhere = request.endpoint is None and not request.path.startswith(("/api/", "/openapi/"))
    return nowhere and asks_for_html()


def asks_for_html() -> bool:
    """Tell whether HTML is named as what is wanted, as browsers do and programs rarely."""
    return "text/html" in request.headers.get("Accept", "")


def by_htmx() -> bool:
    """Tell whether a script of our pages asks, and not the browser itself."""
    return request.headers.get("HX-Request") == "true"
