"""Believes the proxies in front of the service, and nobody else, on where and who a client is."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from leadscore.store.users import Role

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


Network = IPv4Network | IPv6Network

# What clients send is kept under names that begin with HTTP_, so nobody can set this from outside.
_PROXY_USER = "leadscore.proxy_user"

_PROXIES = "leadscore.proxies"  # how many, and from where the nearest connects

_log = logging.getLogger("leadscore.proxies")


@dataclass(frozen=True, slots=True)
class ProxyUser:
    """Whom the office's proxy names."""

    name: str | None  # None if that is no UTF-8
    follows_groups: bool = False  # whether groups have roles here at all
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class ProxyHeaders:
    """In which headers the office's proxy says who somebody is."""

    user: str
    groups: str | None = None  # names with commas between
    roles: Sequence[tuple[str, Role]] = ()  # by group; the first that a user belongs to counts

    def taken_from(self, environ: WSGIEnvironment) -> ProxyUser | None:
        """Remove the headers from a request, and return whom they name.

        >>> headers = ProxyHeaders("X-User", "X-Groups", [("boss", "administrator")])
        >>> headers.taken_from({"HTTP_X_USER": "li.na", "HTTP_X_GROUPS": "a, boss"})
        ProxyUser(name='li.na', follows_groups=True, role='administrator')
        >>> headers.taken_from({"HTTP_X_GROUPS": "boss"})
        """
        name = environ.pop(_key(self.user), "").strip()
        groups = environ.pop(_key(self.groups), "") if self.groups else ""
        if not name:
            return None
        names = {_utf_8(group.strip()) for group in groups.split(",")}
        role = next((role for group, role in self.roles if group in names), None)
        return ProxyUser(_utf_8(name), bool(self.roles), role)


def proxy_user(environ: WSGIEnvironment) -> ProxyUser | None:
    """Return whom the office's proxy names in a request, or None if it names nobody."""
    named: ProxyUser | None = environ.get(_PROXY_USER)
    return named


def believe_proxies(
    app: Flask, count: int, addresses: Collection[Network] = (), headers: ProxyHeaders | None = None
) -> None:
    """Take from the nearest proxies what they say of a client: where it is, and who.

    On them rest the cookie that only HTTPS may carry, the check of a request's origin, and what
    the audit says of where somebody was. ``count`` proxies stand in front, and each adds its word
    at the end of X-Forwarded-For, -Proto and -Host: what a client has written there itself is
    further left, and never read. Where ``addresses`` of the nearest proxy are given, nobody else
    is believed anything; ``headers`` without them are a ValueError, as anybody could say who they
    are.
    """
    if headers is not None and not addresses:
        msg = "who a user is can be believed of a proxy alone whose address is known"
        raise ValueError(msg)
    direct: WSGIApplication = app.wsgi_app
    behind = ProxyFix(direct, x_for=count, x_proto=count, x_host=count) if count else direct

    def believing(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        # Here REMOTE_ADDR is still the other end of the socket; ProxyFix would write over it.
        from_proxy = is_among(environ.get("REMOTE_ADDR", ""), addresses)
        if headers is not None:
            named = headers.taken_from(environ)
            if from_proxy:
                environ[_PROXY_USER] = named
            elif named is not None:
                _log.warning("a header that only the proxy may send came from elsewhere")
        believed = behind if from_proxy or not addresses else direct
        return believed(environ, start_response)

    app.extensions[_PROXIES] = (count, tuple(addresses))
    if count or headers is not None:
        app.wsgi_app = believing  # type: ignore[method-assign]


def stands_for_many(app: Flask, address: str) -> bool:
    """Tell whether a socket's other end is a proxy, through which many clients come.

    Where proxies are believed and no addresses of theirs are known, anybody may be one.
    """
    count, addresses = app.extensions.get(_PROXIES, (0, ()))
    return is_among(address, addresses) if addresses else count > 0


def client_of(address: str | None) -> str:
    """Return what one client has of addresses: of IPv6 a network of 64 bits.

    >>> [client_of(address) for address in ("10.0.0.9", "::ffff:10.0.0.9", "2001:db8::7", None)]
    ['10.0.0.9', '10.0.0.9', '2001:db8::/64', '-']
    """
    try:
        ip = ip_address((address or "").partition("%")[0])
    except ValueError:  # a socket of the file system has no address
        return "-"
    if isinstance(ip, IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or IPv6Network((ip, 64), strict=False))


def is_among(address: str, networks: Collection[Network]) -> bool:
    """Tell whether an address is in one of some networks, also one of IPv4 written as IPv6.

    >>> from ipaddress import ip_network
    >>> office = [ip_network("10.0.0.0/24"), ip_network("::1")]
    >>> [is_among(address, office) for address in ("10.0.0.9", "::ffff:10.0.0.9", "::1", "", "x")]
    [True, True, True, False, False]
    """
    try:
        ip = ip_address(address)
    except ValueError:  # a socket of the file system has no address
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in network for network in networks)


def _key(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


def _utf_8(value: str) -> str | None:
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return None
