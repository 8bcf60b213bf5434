"""Cue words that tell a maker from a supplier, a trader or a mere mention, for any city."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from leadscore.shipped import shipped

GROUPS: Final = (
    *("equipment", "materials", "parts", "software", "integration", "service"),
    *("audience", "fields", "bodies"),
    *("making", "developing", "designing", "building", "trading", "serving"),
    *("application", "supplied", "uses", "past", "negation", "exception", "recipient", "providing"),
    *(
        "connective",
        "and_others",
        "meant_for",
        "plant",
        "possessive",
        "filler",
        "suffix",
        "intro",
        "formula",
        "intact",
    ),
)
"""Every list of the file; what each is for is said there, beside it."""


@dataclass(frozen=True)
class Lexicon:
    """The cue words by group, in normal form.

    Attributes
    ----------
    groups
        A tuple of words for each name in `GROUPS`; no word stands in two groups.
    """

    groups: Mapping[str, tuple[str, ...]]


def normal_form(text: str) -> str:
    """Return ``text`` as it is matched: NFKC, lower case, as long as its NFKC form.

    >>> normal_form("ＬＥＤ（发光二极管）")
    'led(发光二极管)'
    """
    # İ is the one letter whose lower case is longer than itself.
    return unicodedata.normalize("NFKC", text).replace("İ", "I").lower()


def load_lexicon() -> Lexicon:
    """Read the shipped cue words.

    Raises
    ------
    ValueError
        If a group is missing or unknown, or a word stands in two groups.
    """
    path = shipped("lexicon.toml")
    with path.open("rb") as file:
        tables = tomllib.load(file)
    groups = {
        name: tuple(normal_form(word) for word in words)
        for table in tables.values()
        for name, words in table.items()
    }
    if set(groups) != set(GROUPS):
        raise ValueError(f"{path}: groups missing or unknown: {set(groups) ^ set(GROUPS)}")
    owner: dict[str, str] = {}
    for name, words in groups.items():
        for word in words:
            if owner.setdefault(word, name) != name:
                raise ValueError(f"{path}: {word} stands in {owner[word]} and in {name}")
    return Lexicon(groups)
