"""What a setting may be made of: paths, addresses, names, and groups with their roles."""

from __future__ import annotations

import re
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

_ISSUER = re.compile(
    r"https://[^\s/?#@]+[^\s?#@]*|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^\s?#@]*)?"
)


def _issuer(url: str) -> str:
    if not _ISSUER.fullmatch(url):
        raise ValueError
    return url


def _scopes(scopes: str) -> str:
    if "openid" not in scopes.split():
        raise ValueError
    return " ".join(scopes.split())


def _roles(value: object) -> object:
    """Return groups and roles as a mapping, from what an environment can hold.

    The last ``=`` of each pair parts it, for names of groups may hold others.

    >>> _roles("CN=leads,OU=office=officer; boss=administrator")
    {'CN=leads,OU=office': 'officer', 'boss': 'administrator'}
    """
    if not isinstance(value, str):
        return value
    pairs = [pair.strip().rpartition("=") for pair in value.split(";") if pair.strip()]
    return {group.strip(): role.strip() for group, _, role in pairs}


_Group = Annotated[str, Field(min_length=1)]
_Role = Literal["viewer", "officer", "administrator", "auditor"]
Roles = Annotated[dict[_Group, _Role], NoDecode, BeforeValidator(_roles)]
Issuer = Annotated[str, AfterValidator(_issuer)]
Scopes = Annotated[str, AfterValidator(_scopes)]
Word = Annotated[str, Field(pattern=r"^\S{1,200}$")]
