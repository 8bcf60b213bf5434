"""What every page has: who is logged in, where one may go, messages, and the model's badge."""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Response, after_this_request, g, make_response, render_template, request
from markupsafe import Markup

from leadscore.errors import LeadscoreError
from leadscore.language import LANGUAGES
from leadscore.web.access.callers import Caller
from leadscore.web.access.cookies import CSRF_FIELD, csrf_token
from leadscore.web.access.permissions import Permission
from leadscore.web.idempotent import FIELD, Answer
from leadscore.web.pages.site import Site, by_htmx, theme

if TYPE_CHECKING:
    from leadscore.learning.shelf.shelf import Shelf

NAVIGATION: tuple[tuple[str, str, Permission], ...] = (
    ("/ranking", "shell.ranking", "read"),
    ("/chains", "chains.title", "read"),
    ("/import", "import.link", "record"),
    ("/model", "model.title", "read"),
    ("/administration", "administration.title", "read"),
)
"""Path, key of its words, and what one must be permitted to see it there."""

_FLASH_COOKIE = "leadscore_say"
_FLASH_SECONDS = 60


def page(site: Site, template: str, *, title: str, status: int = 200, **values: Any) -> Response:
    """Return a page.

    Parameters
    ----------
    site
        What it stands on.
    template
        Name of a template that extends ``shell.html``.
    title
        Words that head the page and the window.
    status
        Of the answer.
    values
        What else the template uses.
    """
    found: Caller | None = g.get("leadscore_caller")
    html = render_template(
        template,
        title=title,
        lang=site.lang(),
        languages=LANGUAGES,
        theme=theme(),
        here=request.full_path.rstrip("?") if request.method == "GET" else "/",
        caller=found,
        csrf=_csrf(found),
        navigation=[
            (path, key, f"{request.path}/".startswith(f"{path}/"))
            for path, key, permission in NAVIGATION
            if found and found.may(permission)
        ],
        demo=site.backing.access.demo,
        learned_from=_learned_from(site) if found else None,
        said=_said(site),
        form_secrets=lambda: _form_secrets(found),
        **values,
    )
    return make_response(html, status)


def go(address: str) -> Response:
    """Return an answer that sends a browser on, with a GET."""
    return Response(status=303, headers={"Location": address})


def done(address: str, *, say: str | None = None, **answer: Any) -> Answer:
    """Return the answer of a write: go to a page, which shows a message.

    Parameters
    ----------
    address
        Where to.
    say
        Key of the words of the message.
    answer
        What else `leadscore.web.idempotent.Answer` takes, such as ``about``.
    """
    if say is not None:
        say_next(say)
    if by_htmx():  # a script would follow a redirect, and swap the page that it finds there
        return Answer(status=204, headers={"HX-Redirect": address}, **answer)
    return Answer(status=303, headers={"Location": address}, **answer)


def say_next(key: str) -> None:
    """Let the next page show a message."""
    after_this_request(lambda response: _remember(response, key))


def _remember(response: Response, key: str) -> Response:
    # The key alone is kept: whoever could set the cookie could show no words but ours.
    response.set_cookie(_FLASH_COOKIE, key, max_age=_FLASH_SECONDS, httponly=True, samesite="Lax")
    return response


def _said(site: Site) -> str | None:
    """Return the message that the page before left, and forget it."""
    text = site.words.get(request.cookies.get(_FLASH_COOKIE, ""))
    if text is None:
        return None

    @after_this_request
    def forget(response: Response) -> Response:
        response.delete_cookie(_FLASH_COOKIE, httponly=True, samesite="Lax")
        return response

    return text.pick(site.lang())


def _csrf(found: Caller | None) -> str | None:
    return csrf_token(found.session) if found and found.session else None


def _form_secrets(found: Caller | None) -> Markup:
    """Return hidden fields: the token against forged requests, and a key against doing twice."""
    fields = {FIELD: secrets.token_urlsafe(16)}
    token = _csrf(found)
    if token:
        fields[CSRF_FIELD] = token
    return Markup("").join(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, value)
        for name, value in fields.items()
    )


def _learned_from(site: Site) -> int | None:
    """Return from how many outcomes the model that serves has learned; None if it can't be told."""
    try:
        return _outcomes_behind(site.backing.shelf, site.backing.scorer().model)
    except LeadscoreError:
        return None


@lru_cache(maxsize=16)
def _outcomes_behind(shelf: Shelf, version: str) -> int | None:
    """Return how many outcomes a version has learned from: it never changes, and is read once."""
    told = shelf.manifest(version).get("outcomes")
    return int(told["known"]) if isinstance(told, dict) else told
