"""Where a page of the ranking ended, in a form that a client can send back for the next one."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.store.faults import StoreError

Sort = Literal["-priority", "priority", "-likelihood", "likelihood", "-fit", "fit", "name", "-name"]
"""By what the ranking is ordered; a minus puts the highest first."""
SORTS: tuple[Sort, ...] = get_args(Sort)

LONGEST = 6_000
"""Characters of a cursor; the longest name of a firm fits."""

_BAD = Text(zh="翻页标记有误", en="the cursor is not one of ours")
_ONE = Text(zh="同一排序下上一页给出的 next", en="the next of the page before, with the same order")


class BadCursorError(StoreError):
    """What was sent back is not where a page ended."""

    code = "bad_cursor"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page.

    Attributes
    ----------
    sort
        The order of the page.
    value
        What the row was sorted by before its key; None in the usual order, which is that of keys.
    key
        Its place in the one order (see `leadscore.ranking.order`).
    """

    sort: Sort
    value: float | str | None
    key: bytes

    def written(self) -> str:
        """Return it as text of letters, digits, minus and underscore."""
        key = base64.b64encode(self.key).decode()
        plain = json.dumps([self.sort, self.value, key], ensure_ascii=False)
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(text: str, sort: Sort) -> Cursor:
    """Return what `Cursor.written` wrote.

    Parameters
    ----------
    text
        From anybody.
    sort
        The order that is asked for now.

    Raises
    ------
    BadCursorError
        If it is anything else, or of another order.

    >>> read_cursor(Cursor("name", "甲", b"key").written(), "name").value
    '甲'
    """
    try:
        padded = text[:LONGEST] + "=" * (-len(text) % 4)
        plain = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if len(text) <= LONGEST and isinstance(plain, list) and len(plain) == 3:
            found, value, key = plain
            if found == sort and _sound(value, by=sort.removeprefix("-")):
                return Cursor(sort, value, base64.b64decode(key, validate=True))
    except (TypeError, ValueError, RecursionError):  # neither base64 nor UTF-8 nor JSON
        pass
    raise BadCursorError(_BAD, [Detail("cursor", text, _ONE)])


def _sound(value: Any, *, by: str) -> bool:
    """Tell whether a column may hold a value."""
    if by == "priority":
        return value is None
    if by == "name":
        return isinstance(value, str) and _storable(value)
    return type(value) in (int, float) and 0.0 <= value <= 1.0


def _storable(name: str) -> bool:
    try:
        return "\0" not in name and bool(name.encode())
    except UnicodeEncodeError:
        return False
