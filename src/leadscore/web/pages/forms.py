"""Reads single fields of forms and addresses, as browsers send them."""

from __future__ import annotations

from flask import request

from leadscore.text import Text
from leadscore.web.errors import InvalidRequestError

LONGEST_REASON = 2_000
"""Characters of a reason; as many as the API takes."""
_MOST_DIGITS = 15


def whole_number(text: str, *, digits: int = _MOST_DIGITS) -> int | None:
    """Return the number that a text is; None if it is none, or longer than so many digits.

    >>> whole_number("017"), whole_number(""), whole_number("-1"), whole_number("٣")
    (17, None, None, None)
    """
    plain = text.isascii() and text.isdigit() and len(text) <= digits
    return int(text) if plain else None


def remark(too_long: Text) -> str | None:
    """Return the reason that the form gives, None if it gives none."""
    text = request.form.get("reason", "").strip()
    if len(text) > LONGEST_REASON or "\0" in text:
        raise InvalidRequestError(too_long.format(most=LONGEST_REASON))
    return text or None
