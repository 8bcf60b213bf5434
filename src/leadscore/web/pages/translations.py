"""The words of the pages, from files in which each stands in both languages."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from leadscore.language import LANGUAGES, Text

FOLDER = Path(__file__).parents[1] / "translations"

Translations = Mapping[str, Text]
"""Words by key, such as ``ranking.title``."""


@cache
def read_translations(folder: Path = FOLDER) -> Translations:
    """Return the words of all files; the key of one is the names of its tables, joined by dots.

    Raises
    ------
    ValueError
        If a key stands twice, or lacks a language.
    """
    found: dict[str, Text] = {}
    for path in sorted(folder.glob("*.toml")):
        for key, text in _texts(tomllib.loads(path.read_text("utf-8")), ""):
            if key in found:
                msg = f"{path.name}: {key} stands in another file, too"
                raise ValueError(msg)
            found[key] = text
    return found


def _texts(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, Text]]:
    for name, value in table.items():
        key = f"{above}.{name}" if above else name
        if not isinstance(value, dict):
            msg = f"{key} must be a table with zh and en"
            raise ValueError(msg)  # noqa: TRY004 (of the file, not of a caller)
        if set(value) == set(LANGUAGES) and all(isinstance(each, str) for each in value.values()):
            yield key, Text(**value)
        else:
            yield from _texts(value, key)
