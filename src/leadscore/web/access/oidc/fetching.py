"""Asks the provider over HTTPS: bounded in time and size, and led elsewhere by nobody."""

from __future__ import annotations

import ipaddress
import json
import time
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

SECONDS = 5.0
"""How long one answer of the provider may take."""
MOST_BYTES = 512 * 1024
_CHUNK = 16 * 1024


class FetchError(Exception):
    """The provider didn't answer as it should; says why."""


class _NoRedirect(HTTPRedirectHandler):
    """Follows nobody: what is asked for has one address, and the secret goes only there."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


_opener = build_opener(_NoRedirect())
# What runs on this machine is asked without the proxy that leads to others.
_near_opener = build_opener(_NoRedirect(), ProxyHandler({}))


def is_loopback_name(host: str | None) -> bool:
    """Tell whether a host of an address is this machine.

    >>> [is_loopback_name(host) for host in ("127.0.0.1", "::1", "localhost", "a.example", None)]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def check_address(address: object) -> str:
    """Return an address that may be asked.

    Raises
    ------
    FetchError
        If it is none, or neither HTTPS nor on this machine.
    """
    try:
        parts = urlsplit(address) if isinstance(address, str) else None
        host = parts.hostname if parts else None
    except ValueError:
        parts = host = None
    if parts is None or host is None or parts.username is not None or parts.fragment:
        msg = f"no address: {str(address)[:200]!r}"
        raise FetchError(msg)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_name(host)):
        msg = f"neither HTTPS nor this machine: {parts.scheme}://{host}"
        raise FetchError(msg)
    return parts.geturl()


def fetch_json(address: str) -> dict[str, Any]:
    """Return the JSON object at an address.

    Raises
    ------
    FetchError
        If there is none.
    """
    status, found = _ask(Request(check_address(address)))  # noqa: S310 (checked)
    if status != 200:
        msg = f"status {status}"
        raise FetchError(msg)
    return found


def post_form(
    address: str, form: dict[str, str], headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    """Send a form, and return status and JSON object of the answer.

    Raises
    ------
    FetchError
        If nothing answers, or no JSON object.
    """
    request = Request(  # noqa: S310 (checked)
        check_address(address), data=urlencode(form).encode(), headers=headers, method="POST"
    )
    return _ask(request)


def _ask(request: Request) -> tuple[int, dict[str, Any]]:
    request.add_header("Accept", "application/json")
    opener = _near_opener if is_loopback_name(urlsplit(request.full_url).hostname) else _opener
    until = time.monotonic() + SECONDS
    try:
        try:
            answer = opener.open(request, timeout=SECONDS)
        except HTTPError as error:
            with error:
                return error.code, _parsed(_body(error, until))  # type: ignore[arg-type]
        with answer:
            return answer.status, _parsed(_body(answer, until))
    except (OSError, HTTPException) as error:
        raise FetchError(type(error).__name__) from error


def _body(answer: HTTPResponse, until: float) -> bytes:
    """Return the body, unless it is too large or comes too slowly."""
    body = b""
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            msg = f"more than {MOST_BYTES} bytes"
            raise FetchError(msg)
        if time.monotonic() > until:
            msg = f"more than {SECONDS:g} s"
            raise FetchError(msg)
    return body


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        msg = "no JSON object"
        raise FetchError(msg)
    return found
