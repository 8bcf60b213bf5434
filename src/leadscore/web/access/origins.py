"""Tells requests that a page of another site made with somebody's browser from all others."""

from __future__ import annotations

from flask import Request

from leadscore.web.access.refusals import another_host, cross_site

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, from wherever they come."""

_OWN = frozenset({"same-origin", "none"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def check_origin(request: Request) -> None:
    """Refuse an unsafe method that a page of another site has caused.

    Browsers say where a request comes from in Sec-Fetch-Site or Origin, and no page can change
    that. Programs send neither.

    Raises
    ------
    ForgedRequestError
        If it comes from elsewhere, also from another port or a neighbouring name.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN:
        raise cross_site("Sec-Fetch-Site", site)
    origin = request.headers.get("Origin")
    if origin == "null" and site == "same-origin":
        return  # so browsers write the origin of a form whose page sends no referrer, as ours
    # A proxy may speak HTTPS in front of us while we speak HTTP; never the other way round.
    own = {f"{request.scheme}://{request.host}", f"https://{request.host}"}
    if origin is not None and origin not in own:
        raise cross_site("Origin", origin)


def check_loopback(request: Request) -> None:
    """Refuse a request under any other name than this machine's own.

    A page elsewhere can let its own name lead here, and then speak to us as if it were ours.

    Raises
    ------
    ForgedRequestError
        If the name is another one.
    """
    host = request.host
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host
    if name.partition(":")[0] not in _LOOPBACK and name not in _LOOPBACK:
        raise another_host(host)
