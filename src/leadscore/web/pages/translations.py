"""The words of the pages, from files in which each stands in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from leadscore.language import Text, read_words

FOLDER = Path(__file__).parents[1] / "translations"

Translations = Mapping[str, Text]
"""Words by key, such as ``ranking.title``."""


@cache
def read_translations(folder: Path = FOLDER) -> Translations:
    """Return the words of all files of a folder; see `leadscore.language.read_words`."""
    return read_words(*sorted(folder.glob("*.toml")))
