"""What a search looks through, and how: parts of words, whatever their case and width."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func

_SEARCHED = (
    "name", "former_names", "short_name", "name_en", "credit_code", "main_business", "industry",
    "chain_node", "business_scope",
)  # fmt: skip
MOST_WORDS = 8
"""Words that a search takes note of."""


def searched_text(record: Mapping[str, Any]) -> str:
    """Return names, code and business of a firm as one text, in the form that words are looked for.

    >>> searched_text({"name": "甲ＬＥＤ", "main_business": "芯片"})
    '甲led\\n芯片'
    """
    return plain("\n".join(str(record[name]) for name in _SEARCHED if record.get(name)))


def plain(text: str) -> str:
    """Return text in NFKC and lower case."""
    return unicodedata.normalize("NFKC", text).lower().replace("\0", "")


def words_of(text: str) -> list[str]:
    """Return the words of a search.

    >>> words_of("深圳  ＬＥＤ")
    ['深圳', 'led']
    """
    return plain(text).split()[:MOST_WORDS]


def contains(connection: Connection, column: Column[str], word: str) -> ColumnElement[bool]:
    """Return that a text contains a word; no letter of it means more than itself."""
    position = func.strpos if connection.dialect.name == "postgresql" else func.instr
    return position(column, word) > 0
