"""Addresses to which somebody may be sent on: only such as lead back to this service."""

from __future__ import annotations

from urllib.parse import urlsplit

HOME = "/ranking"
_LONGEST = 2_000


def local_path(wanted: str | None) -> str:
    """Return an address of this service, or the first page if it is anything else.

    >>> local_path("/firms/3?x=1"), local_path("//elsewhere.example/"), local_path(None)
    ('/firms/3?x=1', '/ranking', '/ranking')
    """
    if not wanted or len(wanted) > _LONGEST or not wanted.startswith("/"):
        return HOME
    # Browsers read a backslash as a slash, and leave out tabs and line ends.
    if any(letter == "\\" or ord(letter) <= 32 for letter in wanted):
        return HOME
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc else wanted
