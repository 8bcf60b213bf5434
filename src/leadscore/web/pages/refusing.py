"""Errors as pages, as messages for htmx, and as the way to log in."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, make_response, request

from leadscore.language import Text
from leadscore.web.pages import shell
from leadscore.web.pages.site import POLICY, Site, asks_for_html, by_htmx, wants_page


def refused_page(site: Site, status: int, message: Text) -> Response | None:
    """Return how a page answers an error; None if what was asked for is no page.

    Parameters
    ----------
    site
        What the pages stand on.
    status
        Of the answer.
    message
        What is wrong, in words for its reader.
    """
    if not wants_page() or not asks_for_html():
        return None
    if by_htmx():  # pages.js shows the text; htmx is told to swap no error into anything
        response = make_response(message.pick(site.lang()), status)
        response.mimetype = "text/plain"
        return response
    if status == 401 and request.path != "/login" and not request.path.startswith("/api/"):
        wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return shell.go(f"/login?{urlencode({'next': wanted})}")
    response = shell.page(
        site, "refused.html", title=message.pick(site.lang()), status=status, code=status
    )
    response.headers["Content-Security-Policy"] = POLICY
    return response
