"""Which role may do what, and how a route says what one must be permitted to call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from flask import Flask

from leadscore.store.access.users import Role

Permission = Literal["public", "signed_in", "read", "score", "record", "administer", "audit"]

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset({"signed_in", "read", "score"}),
    "officer": frozenset({"signed_in", "read", "score", "record"}),
    "administrator": frozenset({"signed_in", "read", "score", "record", "administer", "audit"}),
    "auditor": frozenset({"signed_in", "read", "score", "audit"}),
}
"""``score`` keeps nothing; ``record`` is every other writing; ``administer`` concerns users, keys
and models; ``audit`` is to read the audit. ``public`` and ``signed_in`` are what a route may ask
for: nothing, or just to be known."""

_DECLARED = "leadscore_permission"
_TAKES_FILE = "leadscore_takes_file"
_ELSEWHERE = "leadscore.permissions"
_View = TypeVar("_View", bound=Callable[..., Any])


def requires(permission: Permission) -> Callable[[_View], _View]:
    """Declare what one must be permitted to call a view; stands under the line of its route."""

    def declare(view: _View) -> _View:
        setattr(view, _DECLARED, permission)
        return view

    return declare


def takes_file(view: _View) -> _View:
    """Declare that a view takes a form with a file, which may be large and holds the token."""
    setattr(view, _TAKES_FILE, True)
    return view


def is_file_form(app: Flask, endpoint: str | None) -> bool:
    """Tell whether a route takes a form with a file."""
    return hasattr(app.view_functions.get(endpoint or ""), _TAKES_FILE)


def declare_under(app: Flask, prefix: str, permission: Permission) -> None:
    """Declare the permission of all routes under a prefix whose views are not ours to mark."""
    under = [rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith(prefix)]
    app.extensions.setdefault(_ELSEWHERE, {}).update(dict.fromkeys(under, permission))


def declared(app: Flask, endpoint: str) -> Permission | None:
    """Return the permission that a route asks for, or None if it doesn't say."""
    elsewhere = app.extensions.get(_ELSEWHERE, {}).get(endpoint)
    found: Permission | None = elsewhere or getattr(
        app.view_functions.get(endpoint), _DECLARED, None
    )
    return found


def undeclared(app: Flask) -> list[str]:
    """Return the addresses of all routes that don't say who may call them."""
    return sorted(
        rule.rule for rule in app.url_map.iter_rules() if declared(app, rule.endpoint) is None
    )
