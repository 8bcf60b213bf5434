"""Believes the proxies in front of the service, and nobody else, on where a request comes from."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix


def believe_proxies(app: Flask, count: int) -> None:
    """Take a client's address, scheme and host from what the nearest proxies say of them.

    On them rest the cookie that only HTTPS may carry, the check of a request's origin, and what
    the audit says of where somebody was.

    Parameters
    ----------
    app
        The application.
    count
        How many proxies stand in front. Each adds its word at the end of X-Forwarded-For, -Proto
        and -Host, so what a client has written there itself is further left, and never read. With
        0 none of them is.
    """
    if count:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )
