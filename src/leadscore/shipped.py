"""Finds the files that travel with the package: city profiles, code tables, the sample list."""

from __future__ import annotations

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
