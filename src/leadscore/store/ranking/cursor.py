"""Where a page of the ranking ended, in a form that a client can send back for the next one."""

from __future__ import annotations

import base64
import binascii
import json
import math
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
    vetoed
        Whether the row is vetoed: those follow all others, whatever the order.
    key
        The value that it was sorted by.
    firm_id
        The number of the firm, which decides among equals.
    """

    sort: Sort
    vetoed: bool
    key: float | str
    firm_id: int

    def written(self) -> str:
        """Return it as text of letters, digits, minus and underscore."""
        plain = json.dumps([self.sort, self.vetoed, self.key, self.firm_id], ensure_ascii=False)
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

    >>> read_cursor(Cursor("name", False, "甲", 3).written(), "name").key
    '甲'
    """
    try:
        padded = text[:LONGEST] + "=" * (-len(text) % 4)
        plain = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if len(text) <= LONGEST and _sound(plain, sort):
            return Cursor(*plain)
    except (ValueError, binascii.Error, RecursionError):  # neither base64 nor UTF-8 nor JSON
        pass
    raise BadCursorError(_BAD, [Detail("cursor", text, _ONE)])


def _sound(plain: Any, sort: Sort) -> bool:
    if not isinstance(plain, list) or len(plain) != 4:
        return False
    found, vetoed, key, firm_id = plain
    by_name = sort.removeprefix("-") == "name"
    kind_is_right = isinstance(key, str) if by_name else type(key) in (int, float)
    return (
        found == sort
        and isinstance(vetoed, bool)
        and kind_is_right
        and (_storable(key) if by_name else abs(key) <= 1.0 and math.isfinite(key))
        and type(firm_id) is int
        and 0 <= firm_id < 1 << 63
    )


def _storable(key: str) -> bool:
    try:
        return "\0" not in key and bool(key.encode())
    except UnicodeEncodeError:
        return False
