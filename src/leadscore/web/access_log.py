"""Writes a line per request: which route, how it ended, how long it took; never who or what."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import structlog
from flask import Flask, Response, g, got_request_exception, request

HEADER = "X-Request-Id"
"""Header of every answer that names its line in the log."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"

Observe = Callable[[str, str, int, float], object]

_log = structlog.get_logger("leadscore.requests")


def log_requests(
    app: Flask,
    *,
    actor_kind: Callable[[], str] = lambda: "anonymous",
    observe: Observe = lambda *_: None,
) -> None:
    """Log every request of an application.

    Parameters
    ----------
    app
        The application.
    actor_kind
        Returns as what the current request is made: ``anonymous``, ``user`` or ``key``.
    observe
        Told method, pattern of the route, status and seconds of every request.
    """

    @app.before_request
    def begin() -> None:
        g.leadscore_request = secrets.token_hex(8)
        g.leadscore_begun = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        number, begun = g.get("leadscore_request"), g.get("leadscore_begun")
        if begun is None:  # refused before it was ours
            return response
        seconds = time.perf_counter() - begun
        method, route = method_of_request(), route_of_request()
        observe(method, route, response.status_code, seconds)
        response.headers[HEADER] = number
        _log.info(
            "request",
            request=number,
            method=method,
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            actor=actor_kind(),
        )
        return response

    def broke(_app: Flask, exception: BaseException, **_more: object) -> None:
        _log.error(
            "request broke",
            request=g.get("leadscore_request"),
            route=route_of_request(),
            exc_info=exception,
        )

    got_request_exception.connect(broke, app, weak=False)
    # Flask would log it once more, with the address.
    app.logger.addFilter(lambda record: not record.exc_info)


def method_of_request() -> str:
    """Return the method, or ``other``: what a client makes up gets neither into logs nor metrics.

    >>> sorted(METHODS)[:2]
    ['DELETE', 'GET']
    """
    return request.method if request.method in METHODS else "other"


def route_of_request() -> str:
    """Return the pattern of the route, without what was put into its places."""
    return request.url_rule.rule if request.url_rule else UNMATCHED
