"""What a setting may be made of: paths, addresses, headers, and groups with their roles."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode


def expanded(path: Path) -> Path:
    """Let ``~`` stand for the user's home, as it does in a shell but not in the environment."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from None


UserPath = Annotated[Path, AfterValidator(expanded)]

_ADDRESS = re.compile(r"sqlite(\+pysqlite)?:///(?!file:).+|postgres(ql)?(\+psycopg)?://.+")


def _address(url: str) -> str:
    if not _ADDRESS.fullmatch(url):
        raise ValueError
    return url


Address = Annotated[str, AfterValidator(_address)]

_OURS = frozenset({
    "accept", "accept-language", "authorization", "connection", "cookie", "forwarded", "host",
    "hx-request", "idempotency-key", "if-match", "origin", "referer", "sec-fetch-site",
    "user-agent", "x-csrf-token", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
})  # fmt: skip
"""Headers that browsers send themselves, or that mean something else here."""


def _header(name: str) -> str:
    if name.lower() in _OURS:
        raise ValueError
    return name


def _networks(value: object) -> object:
    """Return addresses and networks, from a text with commas or spaces between or from a list.

    A network that holds every address would let anybody be a proxy, so it is none.

    >>> [str(network) for network in _networks("127.0.0.1, 10.0.0.0/24 ::1")]
    ['127.0.0.1/32', '10.0.0.0/24', '::1/128']
    """
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or any(isinstance(part, int) for part in parts):
        raise ValueError
    networks = tuple(ip_network(part) for part in parts)
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError
    return networks


def _roles(value: object) -> object:
    """Return groups and roles as a mapping, from what an environment can hold.

    The last ``=`` of each pair parts it, for names of groups may hold others.

    >>> _roles("team=leads=officer; boss=administrator")
    {'team=leads': 'officer', 'boss': 'administrator'}
    """
    if not isinstance(value, str):
        return value
    pairs = [pair.strip().rpartition("=") for pair in value.split(";") if pair.strip()]
    return {group.strip(): role.strip() for group, _, role in pairs}


# A comma stands between the groups of the header, so none with one would ever be found there.
_Group = Annotated[str, Field(pattern=r"^[^,]+$")]
_Role = Literal["viewer", "officer", "administrator", "auditor"]
Roles = Annotated[dict[_Group, _Role], NoDecode, BeforeValidator(_roles)]
Header = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,99}$"), AfterValidator(_header)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
