"""Cuts what is asked for into parts that any database takes in one question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

ASKED_AT_ONCE = 500
"""Values in one ``IN``: fewer than any database minds."""

_Value = TypeVar("_Value")


def in_parts(values: Iterable[_Value], size: int = ASKED_AT_ONCE) -> Iterator[list[_Value]]:
    """Yield the values in lists of at most ``size``.

    >>> list(in_parts("abc", 2))
    [['a', 'b'], ['c']]
    """
    whole = list(values)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
