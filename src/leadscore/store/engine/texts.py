"""Texts as every database takes them."""

from __future__ import annotations


def storable_text(text: str) -> str:
    r"""Return text that any database takes: names of files need not be valid Unicode.

    >>> print(storable_text("list\udcff.csv"))
    list\udcff.csv
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
