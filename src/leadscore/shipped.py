"""Finds the files that travel with the package: city profiles, code tables, the sample list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(*parts: str) -> Path:
    """Return the path of a file below ``data/``.

    A wheel carries the folder as ``leadscore/_data``; in a checkout it lies beside ``src``.

    >>> shipped("cities").name
    'cities'
    """
    installed = _PACKAGE / "_data"
    root = installed if installed.is_dir() else _PACKAGE.parents[1] / "data"
    return root.joinpath(*parts)


def fingerprint(packages: Iterable[str], data: Iterable[str]) -> str:
    """Return SHA-256, in hex, of the code of some packages and of some shipped files.

    The same on every machine: line ends and folders do not count.

    Parameters
    ----------
    packages
        Names below ``leadscore``, such as ``"features"``.
    data
        Files below ``data/``.
    """
    files = [file for name in packages for file in sorted((_PACKAGE / name).rglob("*.py"))]
    files += [shipped(*name.split("/")) for name in data]
    content = hashlib.sha256()
    for file in files:
        content.update(file.name.encode())
        content.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return content.hexdigest()
