"""The cookie that holds the secret of a session, and the token against forged requests."""

from __future__ import annotations

import hashlib

from flask import Request, Response

_SECURE = "__Host-leadscore"
_PLAIN = "leadscore"
CSRF_HEADER = "X-CSRF-Token"
"""Where a page sends the token that it was given."""
CSRF_FIELD = "csrf_token"
"""Field of a form that holds the token where no script sends the header."""


def session_secret(request: Request) -> str | None:
    """Return the secret that a browser shows, if it shows one."""
    return request.cookies.get(_name(request))


def give(request: Request, response: Response, secret: str) -> None:
    """Let the browser keep a secret until it is closed; no script can read it.

    Over HTTPS the name begins with ``__Host-``: browsers take it from no other host and send it
    over nothing else.
    """
    response.set_cookie(
        _name(request), secret, path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def take_back(request: Request, response: Response) -> None:
    """Let the browser forget the secret."""
    response.delete_cookie(
        _name(request), path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def csrf_token(secret: str) -> str:
    """Return the token of a session: only who was given it by us, or knows the secret, has it."""
    return hashlib.sha256(b"leadscore csrf\0" + secret.encode("utf-8", "replace")).hexdigest()


def _name(request: Request) -> str:
    return _SECURE if request.is_secure else _PLAIN
