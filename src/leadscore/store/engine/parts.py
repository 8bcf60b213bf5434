"""Cuts what is asked for into parts that any database takes in one question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import BindParameter, bindparam

ASKED_AT_ONCE = 500
"""Values in one ``IN``: fewer than any database minds."""

_Value = TypeVar("_Value")


def one_of_some() -> BindParameter[Any]:
    """Return what ``IN`` takes in a statement that is put together once, and run with ``some``."""
    return bindparam("some", expanding=True)


def in_parts(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """Yield the values in lists of at most `ASKED_AT_ONCE`.

    >>> [len(part) for part in in_parts(range(1_100))]
    [500, 500, 100]
    """
    whole = list(values)
    for start in range(0, len(whole), ASKED_AT_ONCE):
        yield whole[start : start + ASKED_AT_ONCE]
