"""A unified social credit code names a firm for good, so a damaged one must never get through."""

from __future__ import annotations

import re
import unicodedata
from operator import mul

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100-2015: no I, O, S, V, Z, which look like others."""

LENGTH = 18
DIVISION = slice(2, 8)
"""Characters of a credit code: the division of the registering authority."""

_AUTHORITIES = "123456789ANY"
"""First character: who registers (9 is market supervision); letters are army, farming, others."""

_WEIGHTS = tuple(pow(3, place, 31) for place in range(LENGTH - 1))
_VALUES = {mark: value for value, mark in enumerate(ALPHABET)}
_SHAPE = re.compile(r"[0-9A-Z]{18}")
_SEPARATORS = re.compile(r"[\s\-]+")
_SCIENTIFIC_SHAPE = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_ROUNDED_SHAPE = re.compile(r"\d{18}\.0+|\d{3,15}0{3,15}")


def normal_code(code: str) -> str | None:
    """Return a code in capitals without spaces and hyphens, full-width characters made plain.

    >>> normal_code("91110000 600037341l"), normal_code(" - ")
    ('91110000600037341L', None)
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", code)).upper() or None


def is_valid_code(code: str) -> bool:
    """Tell whether a text is a credit code whose check digit holds.

    The check digit is character 18: 31 minus the weighted sum of the first 17, modulo 31, with
    weights 3**i mod 31 (GB 32100-2015, appendix A).

    Parameters
    ----------
    code
        In the form that `normal_code` gives.

    >>> is_valid_code("91110000600037341L"), is_valid_code("91110000600037341M")
    (True, False)
    """
    if not _SHAPE.fullmatch(code) or code[0] not in _AUTHORITIES or not code[1:8].isdigit():
        return False
    try:
        values = [_VALUES[mark] for mark in code]
    except KeyError:
        return False
    total: int = sum(map(mul, values, _WEIGHTS))
    return (31 - total % 31) % 31 == values[-1]


def valid_code(text: str) -> str | None:
    """Return the credit code that a text holds, in its normal form, if its check digit holds.

    >>> valid_code("91110000-600037341l"), valid_code("x")
    ('91110000600037341L', None)
    """
    code = normal_code(text)
    return code if code is not None and is_valid_code(code) else None


def is_rounded_code(code: str) -> bool:
    """Tell whether a code has lost digits since a spreadsheet turned it into a number.

    >>> [is_rounded_code(code) for code in ("9.13601E+17", "913601000000000000", "123456789012345")]
    [True, True, False]
    """
    if _SCIENTIFIC_SHAPE.fullmatch(code):
        return True
    return len(code) >= LENGTH and bool(_ROUNDED_SHAPE.fullmatch(code))
